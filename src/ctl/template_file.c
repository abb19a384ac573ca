#include "ctl/template_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "dir/ldif.h"

#define SERVICES ",CN=Public Key Services,CN=Services,"
#define OID_BASE_MARK "{forestOidBase}"
#define MAX_RECORDS 4096
#define FIRST_OWN_RID 1000 /* lower ones are the same in every domain */

/* Attributes that a server keeps for itself: another one cannot take them. */
static const char *const server_attributes[] = { "uSNCreated", "uSNChanged", "dSCorePropagationData" };

/* ---- bytes to text ---- */

static int
read_whole(const char *path, struct buf *out, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	uint8_t chunk[65536];
	size_t n;
	bool bad;

	if (f == NULL)
		return ERR(e, E_FILE_NOT_FOUND, "%.100s: %s", path, strerror(errno));
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0)
		buf_put(out, chunk, n);
	bad = ferror(f) != 0;
	if (f != stdin)
		fclose(f);
	if (bad)
		return ERR(e, E_UNEXPECTED, "%.100s cannot be read", path);
	return buf_ok(out)
	    ? 0
	    : ERR(e, E_INVALID_DATA, "%.100s is larger than %u octets", path, TEMPLATE_FILE_MAX);
}

/* PowerShell and ldifde -u write UTF-16 with a byte order mark. */
static int
to_utf8(struct ctl *c, struct bytes in, struct bytes *out, struct err *e)
{
	const char *text;

	if (in.len >= 2 && in.p[0] == 0xFF && in.p[1] == 0xFE) {
		text = text_from_utf16le(c->pool, (struct bytes){ in.p + 2, in.len - 2 }, e);
		if (text == NULL)
			return -1;
		*out = (struct bytes){ (const uint8_t *)text, strlen(text) };
		return 0;
	}
	if (in.len >= 3 && memcmp(in.p, "\xEF\xBB\xBF", 3) == 0)
		in = (struct bytes){ in.p + 3, in.len - 3 };
	return pool_dup_bytes(c->pool, in, out) == 0 ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the file");
}

/* ---- another forest's names to this one's ---- */

static bool
ends_with(const char *s, const char *tail)
{
	size_t n = strlen(s), m = strlen(tail);

	return n >= m && strcasecmp(s + n - m, tail) == 0;
}

/* DN with the file's configuration NC replaced by ours. */
static const char *
map_dn(struct ctl *c, const char *dn, const char *theirs)
{
	if (!ends_with(dn, theirs))
		return dn;
	return pool_printf(c->pool, "%.*s%s", (int)(strlen(dn) - strlen(theirs)), dn, c->config_dn);
}

static void
warn(struct template_file *f, const char *text)
{
	json_t *v;
	size_t i;

	json_array_foreach(f->warnings, i, v) if (strcmp(json_string_value(v), text) == 0) return;
	json_array_append_new(f->warnings, json_string(text));
}

/* Maps one SID; true when it changed. */
static bool
map_sid(struct ctl *c, struct template_file *f, struct sid *s, const struct sid *theirs)
{
	char text[SID_TEXT_MAX];
	struct sid domain, mapped;
	struct err e;
	uint32_t rid;

	if (s->n_sub != 5 || s->authority[5] != 5 || s->sub[0] != 21 ||
	    sid_split_rid(s, &domain, &rid, &e) != 0 || sid_equal(&domain, &c->domain.domain))
		return false;
	if (theirs != NULL ? !sid_equal(&domain, theirs) : rid >= FIRST_OWN_RID) {
		warn(f,
		    pool_printf(c->pool,
			"%s belongs to another domain and names nobody here; it stays as it is",
			sid_to_text(s, text)));
		return false;
	}
	if (sid_with_rid(&mapped, &c->domain.domain, rid, &e) != 0)
		return false;
	if (rid >= FIRST_OWN_RID)
		warn(f,
		    pool_printf(c->pool, "%s becomes the account with RID %u of this domain",
			sid_to_text(s, text), rid));
	*s = mapped;
	return true;
}

/* Keeps the octets as they are unless a SID changes. */
static int
map_descriptor(
    struct ctl *c, struct template_file *f, struct ctl_entry *en, const struct sid *theirs, struct err *e)
{
	struct ctl_attr *a = ctl_entry_attr(en, "nTSecurityDescriptor");
	bool changed = false;
	struct bytes v;
	struct buf b;
	struct sd sd;
	int ret = -1;

	if (a == NULL || a->n == 0)
		return 0;
	if (sd_from_wire(&sd, c->pool, a->values[0], e) != 0)
		return err_prefix(e, "nTSecurityDescriptor of %.80s", en->dn);
	changed |= sd.has_owner && map_sid(c, f, &sd.owner, theirs);
	changed |= sd.has_group && map_sid(c, f, &sd.group, theirs);
	for (size_t i = 0; sd.dacl != NULL && i < sd.dacl->n; i++)
		changed |= map_sid(c, f, &sd.dacl->aces[i].sid, theirs);
	if (!changed)
		return 0;
	buf_init(&b, SD_WIRE_MAX);
	if (sd_to_wire(&sd, &b, e) == 0) {
		v = buf_bytes(&b);
		ret = ctl_entry_set_bytes(c, en, "nTSecurityDescriptor", &v, 1, e);
	}
	buf_fini(&b);
	return ret;
}

/* Our own templates carry a mark for the forest's OID base. */
static int
map_oid(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	const char *oid = ctl_entry_text(en, "msPKI-Cert-Template-OID"), *base;

	if (oid == NULL || strncmp(oid, OID_BASE_MARK, strlen(OID_BASE_MARK)) != 0)
		return 0;
	if (ctl_forest_oid_base(c, &base, e) != 0)
		return -1;
	return ctl_entry_set_text(c, en, "msPKI-Cert-Template-OID",
	    pool_printf(c->pool, "%s%s", base, oid + strlen(OID_BASE_MARK)), e);
}

static int
map_entry(struct ctl *c, struct template_file *f, const struct dir_entry *from, const char *theirs,
    const struct sid *their_sid, struct ctl_entry *out, struct err *e)
{
	out->dn = map_dn(c, from->dn, theirs);
	for (size_t i = 0; i < from->n_attrs; i++) {
		const struct dir_attr *a = &from->attrs[i];

		if (ctl_entry_set_bytes(c, out, a->name, a->values, a->n, e) != 0)
			return -1;
	}
	for (size_t i = 0; i < out->n_attrs; i++) {
		struct ctl_attr *a = &out->attrs[i];

		if (a->n == 1 &&
		    (strcasecmp(a->name, "distinguishedName") == 0 ||
			strcasecmp(a->name, "objectCategory") == 0) &&
		    ctl_entry_set_text(c, out, a->name, map_dn(c, (const char *)a->values[0].p, theirs), e) !=
			0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(server_attributes); i++)
		ctl_entry_drop(out, server_attributes[i]);
	return map_descriptor(c, f, out, their_sid, e);
}

/* ---- LDIF ---- */

static bool
has_class(const struct dir_entry *en, const char *class)
{
	const struct dir_attr *a = dir_entry_attr(en, "objectClass");

	for (size_t i = 0; a != NULL && i < a->n; i++)
		if (strcasecmp((const char *)a->values[i].p, class) == 0)
			return true;
	return false;
}

/* Where "CN=Public Key Services,CN=Services," ends in a DN: the configuration NC. */
static const char *
config_of(const char *dn)
{
	for (const char *s = dn; *s != '\0'; s++)
		if (strncasecmp(s, SERVICES, strlen(SERVICES)) == 0)
			return s + strlen(SERVICES);
	return NULL;
}

static int
read_ldif(struct ctl *c, const char *path, struct bytes text, const struct sid *their_sid,
    struct template_file *f, struct err *e)
{
	struct ldif_reader r;
	bool more = true;
	int ret = -1;

	f->templates = pool_calloc(c->pool, MAX_RECORDS, sizeof(*f->templates));
	f->oids = pool_calloc(c->pool, MAX_RECORDS, sizeof(*f->oids));
	if (f->templates == NULL || f->oids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the file's entries");
	ldif_reader_init(&r, path, text);
	for (;;) {
		struct dir_entry en;
		bool is_template, is_oid;
		const char *theirs;

		if (ldif_read(&r, c->pool, &en, &more, e) != 0)
			goto out;
		if (!more)
			break;
		is_template = has_class(&en, "pKICertificateTemplate");
		is_oid = has_class(&en, "msPKI-Enterprise-Oid");
		theirs = config_of(en.dn);
		if ((!is_template && !is_oid) || theirs == NULL)
			continue; /* the rest of a dump */
		if ((is_template ? f->n_templates : f->n_oids) == MAX_RECORDS) {
			ERR(e, E_INVALID_DATA, "%.80s has more than %d entries", path, MAX_RECORDS);
			goto out;
		}
		if (map_entry(c, f, &en, theirs, their_sid,
			is_template ? &f->templates[f->n_templates++] : &f->oids[f->n_oids++], e) != 0)
			goto out;
	}
	ret = 0;
out:
	ldif_reader_fini(&r);
	return ret;
}

/* ---- JSON ---- */

static int
read_json_object(struct ctl *c, const json_t *o, struct template_file *f, struct err *e)
{
	struct ctl_entry *en = &f->templates[f->n_templates];
	bool found;

	if (template_from_adcstemplate_json(c, o, en, &found, e) != 0)
		return -1;
	if (!found && template_from_aws_json(c, o, en, &found, e) != 0)
		return -1;
	if (!found)
		return ERR(e, E_INVALID_DATA,
		    "neither a template of the ADCSTemplate module nor of AWS's Connector for AD");
	f->n_templates++;
	return 0;
}

static int
read_json(struct ctl *c, const char *path, struct bytes text, struct template_file *f, struct err *e)
{
	json_error_t why;
	json_t *top = json_loadb((const char *)text.p, text.len, JSON_REJECT_DUPLICATES, &why);
	size_t n = json_is_array(top) ? json_array_size(top) : 1;
	int rc = 0;

	if (top == NULL)
		return ERR(e, E_INVALID_DATA, "%.60s:%d: %.60s", path, why.line, why.text);
	f->is_json = true;
	f->templates = pool_calloc(c->pool, n + 1, sizeof(*f->templates));
	if (f->templates == NULL)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for %zu templates", n);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = read_json_object(c, json_is_array(top) ? json_array_get(top, i) : top, f, e);
	json_decref(top);
	return rc == 0 ? 0 : err_prefix(e, "%.80s", path);
}

int
template_file_parse(struct ctl *c, const char *name, struct bytes raw, const struct sid *theirs,
    struct template_file *out, struct err *e)
{
	struct bytes text;
	size_t at = 0;
	int rc;

	*out = (struct template_file){ .warnings = json_array() };
	if (to_utf8(c, raw, &text, e) != 0)
		return err_prefix(e, "%.80s", name);
	while (at < text.len && strchr(" \t\r\n", text.p[at]) != NULL && text.p[at] != '\0')
		at++;
	if (at < text.len && (text.p[at] == '{' || text.p[at] == '['))
		rc = read_json(c, name, text, out, e);
	else
		rc = read_ldif(c, name, text, theirs, out, e);
	if (rc == 0 && out->n_templates == 0)
		rc = ERR(e, E_INVALID_DATA, "%.100s holds no certificate template", name);
	return rc;
}

int
template_file_read(
    struct ctl *c, const char *path, const char *domain_sid, struct template_file *out, struct err *e)
{
	struct sid sid;
	struct buf raw;
	int rc;

	*out = (struct template_file){ 0 };
	if (domain_sid != NULL && sid_from_text(&sid, domain_sid, e) != 0)
		return -1;
	if (ctl_ldap_open(c, e) != 0)
		return -1;
	buf_init(&raw, TEMPLATE_FILE_MAX);
	rc = read_whole(path, &raw, e);
	if (rc == 0)
		rc = template_file_parse(c, path, buf_bytes(&raw), domain_sid != NULL ? &sid : NULL, out, e);
	buf_fini(&raw);
	for (size_t i = 0; rc == 0 && i < out->n_templates; i++)
		rc = map_oid(c, &out->templates[i], e);
	return rc;
}

void
template_file_fini(struct template_file *f)
{
	json_decref(f->warnings);
	f->warnings = NULL;
}
