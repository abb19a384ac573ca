/*
 * Templates in files: LDIF as AD and its tools write it, JSON of the ADCSTemplate PowerShell module, JSON of
 * AWS Private CA's Connector for AD. UTF-8 or UTF-16 with a byte order mark.
 */
#ifndef ADCSD_CTL_TEMPLATE_FILE_H
#define ADCSD_CTL_TEMPLATE_FILE_H

#include "ctl/template.h"

#define TEMPLATE_FILE_MAX (64u << 20)

struct template_file {
	struct ctl_entry *templates, *oids; /* names and SIDs are those of the connected forest */
	size_t n_templates, n_oids;
	bool is_json;     /* no OID and no access list of its own */
	json_t *warnings; /* array of texts; template_file_fini */
};

/*
 * Reads and maps into the forest that c is connected to: DNs under its configuration, SIDs of the file's
 * domain to its own. domain_sid (may be NULL) names the file's domain; without it, only SIDs with the RIDs
 * that every domain has are mapped, and others give a warning. Everything but the warnings lives in the pool.
 */
int
template_file_read(struct ctl *c, const char *path, const char *domain_sid, struct template_file *out,
    struct err *e) MUST_CHECK;
/*
 * The same from octets in memory, without a directory: of c it needs the pool, the configuration DN and the
 * domain's SID. An OID that carries the mark of adcsd's own LDIF, {forestOidBase}, keeps it. name is for
 * messages. out needs template_file_fini also after a failure.
 */
int
template_file_parse(struct ctl *c, const char *name, struct bytes raw, const struct sid *theirs,
    struct template_file *out, struct err *e) MUST_CHECK;
void
template_file_fini(struct template_file *f);

/* One template from JSON text; *is_template is false when the object is neither format. */
int
template_from_adcstemplate_json(
    struct ctl *c, const json_t *o, struct ctl_entry *out, bool *is_template, struct err *e) MUST_CHECK;
int
template_from_aws_json(
    struct ctl *c, const json_t *o, struct ctl_entry *out, bool *is_template, struct err *e) MUST_CHECK;

#endif
