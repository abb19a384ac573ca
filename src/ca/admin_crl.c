/* request.revoke, request.unrevoke, crl.*: what an officer takes back, and the lists that tell. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/audit.h"
#include "ca/crl.h"
#include "ca/revoke.h"
#include "ca/signing_certs.h"

/* ---- revocation ---- */

/* By id, or by the serial number as the database writes it (MS-CSRA 3.1.4.1.8: case counts). */
static int
find_row(struct ca_admin *a, struct err *e)
{
	const char *serial;
	int64_t id;

	if (!admin_has(a, "serial")) {
		if (admin_number(a, "id", 1, UINT32_MAX, &id, e) != 0)
			return -1;
		a->id = (uint32_t)id;
		return 0;
	}
	if (admin_text(a, "serial", &serial, e) != 0)
		return -1;
	if (store_find_serial(a->ca->store, serial, &a->id, e) != 0) {
		if (e->hr == CERTSRV_E_PROPERTY_EMPTY)
			e->hr = E_INVALIDARG;
		return -1;
	}
	return 0;
}

static void
on_revoked(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;
	struct err why = { 0 };

	if (e != NULL)
		admin_fail(a, e);
	else if (a->ca->closing || store_get(a->ca->store, a->id, a->pool, &a->row, &why) != 0)
		admin_reply(a, json_pack("{s:I}", "id", (json_int_t)a->id));
	else
		admin_reply(a, admin_row_json(a->ca, &a->row));
}

static void
revoke(struct ca_admin *a, uint32_t reason, filetime_t effective)
{
	struct err e = { 0 };

	if (find_row(a, &e) != 0 ||
	    ca_revoke_start(a->ca, &a->who, a->id, reason, effective, on_revoked, a, &e) != 0)
		admin_fail(a, &e);
}

void
admin_request_revoke(struct ca_admin *a)
{
	filetime_t effective = 0;
	const char *text;
	uint32_t reason = 0;
	struct err e = { 0 };

	if (admin_has(a, "reason") &&
	    (admin_text(a, "reason", &text, &e) != 0 || ca_reason_from_text(text, &reason, &e) != 0)) {
		admin_fail(a, &e);
		return;
	}
	if (admin_has(a, "effective") &&
	    (admin_text(a, "effective", &text, &e) != 0 || !filetime_from_text(text, &effective))) {
		ERR(&e, E_INVALIDARG, "'effective' is a time such as 2026-06-01T12:00:00Z");
		admin_fail(a, &e);
		return;
	}
	revoke(a, reason, effective);
}

void
admin_request_unrevoke(struct ca_admin *a)
{
	revoke(a, CA_REASON_RELEASE, 0);
}

/* Revocation lists name it even when it has expired, or not any more (MS-CSRA 3.1.4.1.8). */
void
admin_request_publish_expired(struct ca_admin *a)
{
	revoke(a,
	    json_is_true(json_object_get(a->args, "off")) ? CA_REASON_OMIT_EXPIRED
							  : CA_REASON_PUBLISH_EXPIRED,
	    0);
}

/* IsValidCertificate, MS-CSRA 3.1.4.1.5. */
void
admin_request_valid(struct ca_admin *a)
{
	int32_t reason, disposition;
	const char *serial;
	struct err e = { 0 };
	json_t *o;

	if (admin_text(a, "serial", &serial, &e) != 0 ||
	    ca_certificate_is_valid(a->ca, serial, &reason, &disposition, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	o = json_pack("{s:s, s:i, s:i, s:s}", "serial", serial, "disposition", (int)disposition, "reasonCode",
	    (int)reason, "state",
	    disposition == 2       ? "revoked"
		: disposition == 3 ? "valid"
				   : "neverIssued");
	if (disposition == 2)
		json_object_set_new(o, "reason", json_string(ca_reason_name((uint32_t)reason)));
	admin_reply(a, o);
}

/* ---- lists ---- */

static json_t *
crl_json(const struct store_crl *r)
{
	json_t *o = json_pack("{s:I, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:I, s:b}", "number",
	    (json_int_t)r->number, "type", r->min_base != 0 ? "delta" : "base", "keyIndex",
	    (json_int_t)r->name_id, "minBase", (json_int_t)r->min_base, "entries", (json_int_t)r->count,
	    "thisUpdate", json_time(r->this_update), "nextUpdate", json_time(r->next_update), "published",
	    json_time(r->this_publish), "nextPublish", json_time(r->next_publish), "flags",
	    (json_int_t)r->publish_flags, "complete", (r->publish_flags & CPF_COMPLETE) != 0);

	if (r->partition != 0)
		json_object_set_new(o, "partition", json_integer(r->partition));
	if (r->publish_error != NULL)
		json_object_set_new(o, "error", json_string(r->publish_error));
	return o;
}

void
admin_crl_show(struct ca_admin *a)
{
	struct store_crl *rows;
	struct err e = { 0 };
	json_t *list;
	size_t n;

	if (store_list_crls(a->ca->store, false, a->pool, &rows, &n, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, crl_json(&rows[i]));
	admin_reply(a, json_pack("{s:o, s:s}", "crls", list, "folder", a->ca->crl.folder));
}

void
admin_crl_get(struct ca_admin *a)
{
	bool delta = json_is_true(json_object_get(a->args, "delta"));
	int64_t key = ca_cert_newest(a->ca)->key_index;
	const struct store_crl *found;
	struct store_crl *rows;
	struct err e = { 0 };
	struct buf b;
	json_t *o;
	size_t n;

	if (admin_has(a, "key") && admin_number(a, "key", 0, UINT16_MAX, &key, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	if (store_list_crls(a->ca->store, true, a->pool, &rows, &n, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	found = ca_crl_newest(rows, n, (uint32_t)key, delta);
	if (found == NULL) {
		ERR(&e, E_FILE_NOT_FOUND, "there is no %s CRL of key %u", delta ? "delta" : "base",
		    (unsigned)key);
		admin_fail(a, &e);
		return;
	}
	o = crl_json(found);
	buf_init(&b, 2 * X509_CRL_MAX);
	text_put_base64(&b, found->raw, 0);
	json_object_set_new(o, "der", json_string(buf_cstr(&b)));
	buf_fini(&b);
	admin_reply(a, o);
}

/* The current key's, and all that go with it: one of each key. */
static json_t *
published_json(const struct ca *ca, const struct store_crl *rows, size_t n, bool delta)
{
	const struct store_crl *own = ca_crl_newest(rows, n, ca_cert_newest(ca)->key_index, delta);
	json_t *o = own != NULL ? crl_json(own) : json_object(), *all = json_array();

	for (size_t i = 0; own != NULL && i < n; i++) {
		if (rows[i].number == own->number)
			json_array_append_new(all, crl_json(&rows[i]));
	}
	json_object_set_new(o, "crls", all);
	return o;
}

static void
on_published(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;
	struct store_crl *rows;
	struct err why = { 0 };
	size_t n;

	if (e != NULL)
		admin_fail(a, e);
	else if (store_list_crls(a->ca->store, false, a->pool, &rows, &n, &why) != 0)
		admin_fail(a, &why);
	else
		admin_reply(
		    a, published_json(a->ca, rows, n, json_is_true(json_object_get(a->args, "delta"))));
}

void
admin_crl_publish(struct ca_admin *a)
{
	bool delta = json_is_true(json_object_get(a->args, "delta"));
	unsigned what = delta ? CA_CRL_DELTA : CA_CRL_BASE;
	filetime_t until = 0;
	const char *text;
	struct err e = { 0 };

	if (admin_has(a, "until") &&
	    (admin_text(a, "until", &text, &e) != 0 || !filetime_from_text(text, &until))) {
		ERR(&e, E_INVALIDARG, "'until' is a time such as 2026-06-01T12:00:00Z");
		admin_fail(a, &e);
		return;
	}
	if (json_is_true(json_object_get(a->args, "republish")))
		what = CA_CRL_REPUBLISH | (delta ? CA_CRL_DELTA : CA_CRL_BASE | CA_CRL_DELTA);
	ca_audit_crl_requested(a->ca, &a->who, until, (what & CA_CRL_BASE) != 0,
	    (what & CA_CRL_DELTA) != 0 || (!delta && a->ca->settings.crl_delta_units != 0));
	if (ca_crl_publish(a->ca, what, until, &a->who, on_published, a, &e) != 0)
		admin_fail(a, &e);
}
