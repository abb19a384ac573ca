/* ca.exchange, ca.kra.*, request.key: key archival for administrators. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/archival.h"
#include "x509/name.h"

#define BLOB_MAX (256 * 1024)

/* The caller of a verb, lent to an operation of the fronts. */
static struct ca_caller
caller_of(const struct ca_admin *a)
{
	return (struct ca_caller){ .front = a->who.front,
		.peer = a->who.peer,
		.call = a->who.call,
		.token = a->who.token,
		.package = a->who.package,
		.privacy = a->who.privacy,
		.local_admin = a->who.local_admin };
}

static void
on_exchange(void *arg, struct bytes certificate, const struct err *e)
{
	struct ca_admin *a = arg;
	json_t *chain = json_array();

	if (e != NULL) {
		json_decref(chain);
		admin_fail(a, e);
		return;
	}
	json_array_append_new(chain, json_string(admin_base64(a->pool, certificate, true)));
	for (size_t i = 0; i < x509_ca_chain_len(a->ca->x509); i++)
		json_array_append_new(
		    chain, json_string(admin_base64(a->pool, x509_ca_chain_der(a->ca->x509, i), true)));
	admin_reply(a,
	    json_pack("{s:s?, s:s?, s:o}", "der", admin_base64(a->pool, certificate, false), "pem",
		admin_base64(a->pool, certificate, true), "chain", chain));
}

void
admin_ca_exchange(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };

	if (ca_exchange_get(a->ca, &who, on_exchange, a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- recovery agents ---- */

static json_t *
agent_json(struct ca_admin *a, size_t i)
{
	static const char *const states[] = { "expired", "notFound", "revoked", "valid", "notLoaded",
		"invalid", "untrusted" };
	struct x509_certificate c;
	struct err e = { 0 };
	struct buf subject;
	struct bytes der;
	uint8_t sha1[20];
	json_t *o;
	int state;

	if (ca_kra_get(a->ca, i, &der, &e) != 0 || x509_certificate_read(&c, a->pool, der, &e) != 0)
		return json_null();
	state = ca_kra_state(a->ca, i, &e);
	x509_sha1(der, sha1);
	buf_init(&subject, 65536);
	if (x509_name_to_text(&subject, c.subject, NULL) != 0)
		buf_reset(&subject);
	o = json_pack("{s:I, s:s, s:s?, s:o, s:o, s:s, s:s?}", "index", (json_int_t)i, "subject",
	    buf_cstr(&subject), "sha1", ca_spaced_hex(a->pool, sha1, sizeof(sha1)), "notBefore",
	    json_time(c.not_before), "notAfter", json_time(c.not_after), "state", states[state], "pem",
	    admin_base64(a->pool, der, true));
	if (state != CA_KRA_VALID)
		json_object_set_new(o, "why", json_string(e.msg));
	buf_fini(&subject);
	return o;
}

void
admin_kra_list(struct ca_admin *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ca_kra_count(a->ca); i++)
		json_array_append_new(list, agent_json(a, i));
	admin_reply(a, json_pack("{s:I, s:o}", "used", (json_int_t)ca_kra_used_count(a->ca), "agents", list));
}

static void
on_kra_changed(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_kra_list(a);
}

/* The first one is used without being told so: that is what it was added for. */
static void
on_kra_added(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;
	struct ca_caller who = caller_of(a);
	struct err why = { 0 };

	if (e != NULL || ca_kra_count(a->ca) != 1 || ca_kra_used_count(a->ca) != 0)
		on_kra_changed(a, e);
	else if (ca_kra_set_used_count(a->ca, &who, 1, on_kra_changed, a, &why) != 0)
		admin_fail(a, &why);
}

/* "der": base64. */
static int
der_arg(const struct ca_admin *a, struct buf *out, struct err *e)
{
	const char *text;

	if (admin_text(a, "der", &text, e) != 0)
		return -1;
	return text_parse_base64(out, (struct bytes){ (const uint8_t *)text, strlen(text) }, e);
}

static int
is_new_agent(const struct ca *ca, struct bytes der, struct err *e)
{
	struct bytes other;

	for (size_t i = 0; i < ca_kra_count(ca); i++) {
		if (ca_kra_get(ca, i, &other, e) != 0)
			return -1;
		if (bytes_equal(other, der))
			return ERR(e, E_OBJECT_ALREADY_EXISTS, "it is recovery agent %zu already", i);
	}
	return 0;
}

void
admin_kra_add(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };
	struct buf der;

	buf_init(&der, BLOB_MAX);
	if (der_arg(a, &der, &e) != 0 || is_new_agent(a->ca, buf_bytes(&der), &e) != 0 ||
	    ca_kra_set(a->ca, &who, ca_kra_count(a->ca), buf_bytes(&der), on_kra_added, a, &e) != 0)
		admin_fail(a, &e);
	buf_fini(&der);
}

void
admin_kra_remove(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };
	int64_t index;

	if (admin_number(a, "index", 0, UINT32_MAX, &index, &e) != 0 ||
	    ca_kra_remove(a->ca, &who, (size_t)index, on_kra_changed, a, &e) != 0)
		admin_fail(a, &e);
}

void
admin_kra_use(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };
	int64_t n;

	if (admin_number(a, "count", 0, UINT32_MAX, &n, &e) != 0 ||
	    ca_kra_set_used_count(a->ca, &who, (uint32_t)n, on_kra_changed, a, &e) != 0)
		admin_fail(a, &e);
}

/* ---- archived keys ---- */

static void
on_key(void *arg, struct bytes blob, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a,
		    json_pack(
			"{s:I, s:s?}", "id", (json_int_t)a->id, "der", admin_base64(a->pool, blob, false)));
}

void
admin_request_key(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };
	int64_t id;

	if (admin_number(a, "id", 1, UINT32_MAX, &id, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	a->id = (uint32_t)id;
	if (ca_archived_key_get(a->ca, &who, a->id, on_key, a, &e) != 0)
		admin_fail(a, &e);
}

static void
on_imported(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, json_pack("{s:I}", "id", (json_int_t)a->id));
}

void
admin_request_import_key(struct ca_admin *a)
{
	const char *hash = json_string_value(json_object_get(a->args, "sha1"));
	uint32_t flags = json_is_true(json_object_get(a->args, "overwrite")) ? CA_IMPORT_OVERWRITE : 0;
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };
	int64_t id = 0;
	struct buf der;

	buf_init(&der, BLOB_MAX);
	if ((admin_has(a, "id") && admin_number(a, "id", 0, UINT32_MAX, &id, &e) != 0) ||
	    der_arg(a, &der, &e) != 0) {
		admin_fail(a, &e);
	} else {
		a->id = (uint32_t)id;
		if (ca_archived_key_import(
			a->ca, &who, a->id, hash, flags, buf_bytes(&der), on_imported, a, &e) != 0)
			admin_fail(a, &e);
	}
	buf_fini(&der);
}
