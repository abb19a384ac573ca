/* Shared by the administrative verbs. */
#ifndef ADCSD_CA_ADMIN_PRIV_H
#define ADCSD_CA_ADMIN_PRIV_H

#include "ca/ca_priv.h"

struct ca_admin;

enum admin_journal { JOURNAL_CALL, JOURNAL_REFUSAL, JOURNAL_NOTHING };

/* One verb: run() answers with admin_reply() or admin_fail(), now or later, exactly once. */
struct ca_verb {
	const char *name;
	uint32_t rights;            /* any of these; 0: the verb checks for itself */
	enum admin_journal journal; /* JOURNAL_REFUSAL: success leaves a record of its own */
	void (*run)(struct ca_admin *a);
};

struct ca_admin {
	struct ca *ca;
	struct pool *pool;
	struct ca_who who;
	const struct ca_verb *verb;
	const char *verb_name;
	json_t *args;
	ca_admin_fn *cb;
	void *arg;
	uint64_t t_start;
	bool busy;                              /* counted in ca->busy */
	uint32_t audit_filter, role_separation; /* as they were when it came */
	/* of the verbs that wait */
	const char *text;
	uint32_t id;
	struct store_row row;
	struct store_deletion *deletion;
};

/* Takes the reference to result. */
void
admin_reply(struct ca_admin *a, json_t *result);
void
admin_fail(struct ca_admin *a, const struct err *e);

/* Arguments; -1 with a message that names the one missing. */
int
admin_text(const struct ca_admin *a, const char *name, const char **out, struct err *e) MUST_CHECK;
int
admin_number(const struct ca_admin *a, const char *name, int64_t lowest, int64_t highest, int64_t *out,
    struct err *e) MUST_CHECK;
bool
admin_has(const struct ca_admin *a, const char *name);

void
admin_ca_show(struct ca_admin *a);
void
admin_ca_renew(struct ca_admin *a);
/* Every certificate of the CA, oldest first. */
json_t *
admin_ca_certificates(const struct ca *ca);
void
admin_ca_publish(struct ca_admin *a);
void
admin_ca_unpublish(struct ca_admin *a);
void
admin_ca_cert(struct ca_admin *a);
void
admin_ca_exchange(struct ca_admin *a);
void
admin_kra_list(struct ca_admin *a);
void
admin_kra_add(struct ca_admin *a);
void
admin_kra_remove(struct ca_admin *a);
void
admin_kra_use(struct ca_admin *a);
void
admin_request_key(struct ca_admin *a);
void
admin_request_import_key(struct ca_admin *a);
void
admin_acl_show(struct ca_admin *a);
void
admin_acl_set(struct ca_admin *a);
void
admin_acl_grant(struct ca_admin *a);
void
admin_acl_deny(struct ca_admin *a);
void
admin_acl_remove(struct ca_admin *a);
void
admin_rights_show(struct ca_admin *a);
void
admin_rights_change(struct ca_admin *a);
void
admin_rights_set(struct ca_admin *a);
void
admin_setting_show(struct ca_admin *a);
void
admin_setting_set(struct ca_admin *a);
void
admin_setting_reset(struct ca_admin *a);
void
admin_roles(struct ca_admin *a);
void
admin_request_list(struct ca_admin *a);
void
admin_request_show(struct ca_admin *a);
void
admin_request_explain(struct ca_admin *a);
void
admin_request_issue(struct ca_admin *a);
void
admin_request_deny(struct ca_admin *a);
void
admin_principal_show(struct ca_admin *a);
void
admin_rehearse(struct ca_admin *a);
void
admin_rehearse_matrix(struct ca_admin *a);
void
admin_request_revoke(struct ca_admin *a);
void
admin_request_unrevoke(struct ca_admin *a);
void
admin_request_publish_expired(struct ca_admin *a);
void
admin_request_set_extension(struct ca_admin *a);
void
admin_request_set_attributes(struct ca_admin *a);
void
admin_request_delete(struct ca_admin *a);
void
admin_ca_import(struct ca_admin *a);
void
admin_ca_templates_set(struct ca_admin *a);
void
admin_ca_audit_filter_set(struct ca_admin *a);
void
admin_request_valid(struct ca_admin *a);
void
admin_crl_show(struct ca_admin *a);
void
admin_crl_get(struct ca_admin *a);
void
admin_crl_publish(struct ca_admin *a);
void
admin_view_columns(struct ca_admin *a);
void
admin_view_rows(struct ca_admin *a);
void
admin_journal(struct ca_admin *a);
void
admin_audit(struct ca_admin *a);
void
admin_clock_show(struct ca_admin *a);
void
admin_clock_advance(struct ca_admin *a);
void
admin_stats(struct ca_admin *a);

/* A row as request.list shows it. */
json_t *
admin_row_json(const struct ca *ca, const struct store_row *r);
/* Base64 on one line, or PEM of a certificate; in the pool. */
const char *
admin_base64(struct pool *pool, struct bytes der, bool pem);
/* "2026-11-23T20:49:00Z" as a JSON string. */
json_t *
json_time(filetime_t t);

#endif
