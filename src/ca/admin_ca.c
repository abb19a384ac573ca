/* ca.show, ca.publish, ca.unpublish, ca.templates.set, ca.cert. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/signing_certs.h"

/* ---- what the CA is ---- */

static json_t *
settings_json(const struct ca_settings *s)
{
	json_t *o = json_object();

	for (size_t i = 0; i < ca_setting_count; i++) {
		const struct setting *row = &ca_setting_rows[i];
		char name[160];

		snprintf(name, sizeof(name), "%s\\%s", row->section, row->name);
		json_object_set_new(o, name, ca_setting_value_json(s, row));
	}
	return o;
}

static json_t *
published_json(const struct dir_entry *service)
{
	const struct dir_attr *names =
	    service != NULL ? dir_entry_attr(service, "certificateTemplates") : NULL;
	json_t *list = json_array();

	for (size_t i = 0; names != NULL && i < names->n; i++)
		json_array_append_new(list, json_string((const char *)names->values[i].p));
	return list;
}

static const char *
sha1_hex(struct pool *pool, struct bytes in)
{
	uint8_t sha1[20];
	struct buf b;
	const char *s;

	x509_sha1(in, sha1);
	buf_init(&b, 64);
	text_put_hex(&b, (struct bytes){ sha1, sizeof(sha1) });
	s = pool_strdup(pool, buf_cstr(&b));
	buf_fini(&b);
	return s;
}

static void
on_show(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct ca_admin *a = arg;
	const struct ca *ca = a->ca;
	json_t *o;

	if (e != NULL) {
		admin_fail(a, e);
		return;
	}
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:o, s:o, s:s?, s:o, s:o, s:o}", "name", ca->name,
	    "sanitizedName", ca->sanitized, "config", ca->config_string, "dnsName", ca->dns_name, "key",
	    x509_ca_key_text(ca->x509), "root", x509_ca_is_root(ca->x509), "notBefore",
	    json_time(x509_ca_not_before(ca->x509)), "notAfter", json_time(x509_ca_not_after(ca->x509)),
	    "sha1", sha1_hex(a->pool, x509_ca_cert_der(ca->x509)), "templates",
	    published_json(ca_service_entry(ca, snap)), "settings", settings_json(&ca->settings),
	    "certificates", admin_ca_certificates(ca));
	admin_reply(a, o);
}

void
admin_ca_show(struct ca_admin *a)
{
	struct err e = { 0 };

	if (dir_snapshot_get(a->ca->dir, on_show, a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- publishing ---- */

static void
on_list_read(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(
		    a, json_pack("{s:o}", "templates", published_json(ca_service_entry(a->ca, snap))));
}

static void
read_list(struct ca_admin *a)
{
	struct err e = { 0 };

	if (dir_snapshot_get(a->ca->dir, on_list_read, a, &e) != 0)
		admin_fail(a, &e);
}

static void
on_list_written(void *arg, const struct dir_result *res, const struct err *e)
{
	struct ca_admin *a = arg;

	(void)res;
	if (e != NULL)
		admin_fail(a, e);
	else
		read_list(a);
}

/* The name as the directory spells it, or NULL. */
static const char *
find_template(const struct dir_snapshot *snap, const char *name)
{
	for (size_t i = 0; i < snap->n_templates; i++) {
		const char *cn = dir_entry_text(&snap->templates[i], "cn");

		if (cn != NULL && strcasecmp(cn, name) == 0)
			return cn;
	}
	return NULL;
}

static int
write_names(
    struct ca_admin *a, const struct dir_entry *service, const struct bytes *list, size_t n, struct err *e)
{
	struct dir_mod mod = { DIR_MOD_REPLACE, "certificateTemplates", list, n };

	return dir_modify_start(a->ca->dir, service->dn, &mod, 1, on_list_written, a, e);
}

/* The whole list is written anew: its order counts, and a new template comes first. */
static int
write_list(struct ca_admin *a, const struct dir_entry *service, const char *first, const char *without,
    struct err *e)
{
	const struct dir_attr *names = dir_entry_attr(service, "certificateTemplates");
	size_t n_have = names != NULL ? names->n : 0, n = 0;
	struct bytes *list = pool_calloc(a->pool, n_have + 1, sizeof(*list));

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the list of templates");
	if (first != NULL)
		list[n++] = (struct bytes){ (const uint8_t *)first, strlen(first) };
	for (size_t i = 0; i < n_have; i++) {
		if (strcasecmp((const char *)names->values[i].p, without) != 0)
			list[n++] = names->values[i];
	}
	return write_names(a, service, list, n, e);
}

static bool
is_listed(const struct dir_entry *service, const char *name)
{
	const struct dir_attr *names = dir_entry_attr(service, "certificateTemplates");

	for (size_t i = 0; names != NULL && i < names->n; i++) {
		if (strcasecmp((const char *)names->values[i].p, name) == 0)
			return true;
	}
	return false;
}

static void
on_publish(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct ca_admin *a = arg;
	const struct dir_entry *service = e == NULL ? ca_service_entry(a->ca, snap) : NULL;
	const char *cn = e == NULL ? find_template(snap, a->text) : NULL;
	bool publish = strcmp(a->verb_name, "ca.publish") == 0;
	struct err why = { 0 };

	if (e != NULL) {
		admin_fail(a, e);
		return;
	}
	if (service == NULL)
		ERR(&why, E_DS_NO_SUCH_OBJECT, "this CA's pKIEnrollmentService object is gone");
	else if (publish && cn == NULL)
		ERR(&why, CERTSRV_E_UNKNOWN_CERT_TYPE,
		    "there is no template '%.80s' (its cn counts, not its display name)", a->text);
	else if (!publish && !is_listed(service, a->text))
		ERR(&why, CERTSRV_E_UNKNOWN_CERT_TYPE, "'%.80s' is not published here", a->text);
	if (why.hr != 0) {
		admin_fail(a, &why);
		return;
	}
	if (publish && is_listed(service, cn)) {
		admin_reply(a, json_pack("{s:o}", "templates", published_json(service)));
		return;
	}
	if (write_list(a, service, publish ? cn : NULL, a->text, &why) != 0)
		admin_fail(a, &why);
}

void
admin_ca_publish(struct ca_admin *a)
{
	struct err e = { 0 };

	if (admin_text(a, "template", &a->text, &e) != 0 ||
	    dir_snapshot_get(a->ca->dir, on_publish, a, &e) != 0)
		admin_fail(a, &e);
}

void
admin_ca_unpublish(struct ca_admin *a)
{
	admin_ca_publish(a); /* on_publish() asks which of the two it is */
}

/* A name as it goes into the list: the template's own spelling, or, of one that is gone, the one that is
 * listed: who reads the list and writes it back, as SetCAProperty's callers do, must not stumble over it. */
static const char *
listed_name(const struct dir_snapshot *snap, const struct dir_entry *service, const char *name)
{
	const char *cn = find_template(snap, name);

	return cn != NULL ? cn : is_listed(service, name) ? name : NULL;
}

/* The names given, each once. */
static int
write_given(
    struct ca_admin *a, const struct dir_snapshot *snap, const struct dir_entry *service, struct err *e)
{
	const json_t *given = json_object_get(a->args, "templates");
	struct bytes *list = pool_calloc(a->pool, json_array_size(given), sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the list of templates");
	for (size_t i = 0; i < json_array_size(given); i++) {
		const char *name = json_string_value(json_array_get(given, i));
		const char *cn = listed_name(snap, service, name);
		size_t k = 0;

		if (cn == NULL)
			return ERR(e, CERTSRV_E_UNKNOWN_CERT_TYPE,
			    "there is no template '%.80s' (its cn counts, not its display name)", name);
		while (k < n && strcasecmp((const char *)list[k].p, cn) != 0)
			k++;
		if (k == n)
			list[n++] = (struct bytes){ (const uint8_t *)cn, strlen(cn) };
	}
	return write_names(a, service, list, n, e);
}

static void
on_templates_set(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct ca_admin *a = arg;
	const struct dir_entry *service = e == NULL ? ca_service_entry(a->ca, snap) : NULL;
	struct err why = { 0 };

	if (e != NULL) {
		admin_fail(a, e);
		return;
	}
	if (service == NULL)
		ERR(&why, E_DS_NO_SUCH_OBJECT, "this CA's pKIEnrollmentService object is gone");
	if (service == NULL || write_given(a, snap, service, &why) != 0)
		admin_fail(a, &why);
}

void
admin_ca_templates_set(struct ca_admin *a)
{
	const json_t *given = json_object_get(a->args, "templates");
	bool ok = json_is_array(given);
	struct err e = { 0 };

	for (size_t i = 0; ok && i < json_array_size(given); i++)
		ok = json_string_length(json_array_get(given, i)) > 0;
	if (!ok)
		ERR(&e, E_INVALIDARG, "%s needs 'templates', a list of names", a->verb_name);
	if (!ok || dir_snapshot_get(a->ca->dir, on_templates_set, a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- certificate ---- */

const char *
admin_base64(struct pool *pool, struct bytes der, bool pem)
{
	struct buf b;
	const char *s;

	buf_init(&b, 1u << 20);
	if (pem)
		text_put_pem(&b, der, "CERTIFICATE");
	else
		text_put_base64(&b, der, 0);
	s = buf_ok(&b) ? pool_strdup(pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return s;
}

void
admin_ca_cert(struct ca_admin *a)
{
	int64_t index = (int64_t)a->ca->certs->n - 1;
	const struct x509_ca *x;
	struct err e = { 0 };
	json_t *chain;

	if (admin_has(a, "index") &&
	    admin_number(a, "index", 0, (int64_t)a->ca->certs->n - 1, &index, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	x = a->ca->certs->v[index]->x509;
	chain = json_array();
	for (size_t i = 0; i < x509_ca_chain_len(x); i++) {
		const char *pem = admin_base64(a->pool, x509_ca_chain_der(x, i), true);

		json_array_append_new(chain, json_string(pem != NULL ? pem : ""));
	}
	admin_reply(a,
	    json_pack("{s:s?, s:s?, s:o}", "der", admin_base64(a->pool, x509_ca_cert_der(x), false), "pem",
		admin_base64(a->pool, x509_ca_cert_der(x), true), "chain", chain));
}
