/* request.*: the database as an administrator sees it, and what an officer decides. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/revoke.h"

static const struct {
	uint32_t db;
	const char *name;
} states[] = {
	{ DB_DISP_PENDING, "pending" },
	{ DB_DISP_ISSUED, "issued" },
	{ DB_DISP_REVOKED, "revoked" },
	{ DB_DISP_DENIED, "denied" },
	{ DB_DISP_ERROR, "failed" },
	{ DB_DISP_ACTIVE, "active" },
	{ DB_DISP_CA_CERT, "caCertificate" },
};

static const char *
state_name(uint32_t db)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (states[i].db == db)
			return states[i].name;
	}
	return "other";
}

static int
state_from_name(const char *name, uint32_t *db, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		if (strcmp(states[i].name, name) == 0) {
			*db = states[i].db;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "no request is '%.40s': pending, issued, revoked, denied, failed", name);
}

/* ---- rows as JSON ---- */

static void
set_text(json_t *o, const char *name, const char *v)
{
	if (v != NULL)
		json_object_set_new(o, name, json_string(v));
}

static void
set_time(json_t *o, const char *name, const struct store_value *v)
{
	if (v->set)
		json_object_set_new(o, name, json_time(v->n));
}

/* The column has an OID for templates of schema 2 and up; the last snapshot knows the name. */
static const char *
template_name(const struct ca *ca, const char *column)
{
	for (size_t i = 0; column != NULL && ca->templates != NULL && i < ca->templates->n; i++) {
		const struct policy_template *t = &ca->templates->v[i];

		if ((t->oid != NULL && strcmp(t->oid, column) == 0) || strcmp(t->cn, column) == 0)
			return t->cn;
	}
	return NULL;
}

json_t *
admin_row_json(const struct ca *ca, const struct store_row *r)
{
	uint32_t db = store_long(r, Request_Disposition), status = store_long(r, Request_StatusCode);
	json_t *o = json_pack("{s:I, s:s, s:i}", "id", (json_int_t)store_long(r, Request_RequestID), "state",
	    state_name(db), "disposition", (int)db);
	const char *cn = store_text(r, Certificate_CommonName);
	char code[16];

	snprintf(code, sizeof(code), "0x%08x", status);
	set_text(o, "status", code);
	set_text(o, "statusName", status != 0 ? hresult_name(status) : NULL);
	set_text(o, "message", store_text(r, Request_DispositionMessage));
	set_time(o, "submitted", &r->v[Request_SubmittedWhen]);
	set_time(o, "resolved", &r->v[Request_ResolvedWhen]);
	set_text(o, "requester", store_text(r, Request_RequesterName));
	set_text(o, "template", store_text(r, Certificate_CertificateTemplate));
	set_text(o, "templateName", template_name(ca, store_text(r, Certificate_CertificateTemplate)));
	set_text(o, "serial", store_text(r, Certificate_SerialNumber));
	set_text(o, "commonName", cn != NULL ? cn : store_text(r, Request_CommonName));
	set_time(o, "notBefore", &r->v[Certificate_NotBefore]);
	set_time(o, "notAfter", &r->v[Certificate_NotAfter]);
	if (db == DB_DISP_REVOKED) {
		set_text(o, "reason", ca_reason_name(store_long(r, Request_RevokedReason)));
		set_time(o, "revoked", &r->v[Request_RevokedWhen]);
		set_time(o, "effective", &r->v[Request_RevokedEffectiveWhen]);
	}
	return o;
}

static json_t *
base64_json(struct bytes v, bool pem)
{
	struct buf b;
	json_t *s;

	buf_init(&b, 1u << 20);
	if (pem)
		text_put_pem(&b, v, "CERTIFICATE");
	else
		text_put_base64(&b, v, 0);
	s = json_string(buf_cstr(&b));
	buf_fini(&b);
	return s;
}

static json_t *
columns_json(const struct store_row *r)
{
	json_t *o = json_object();

	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		const struct store_column_info *in = &store_columns[c];
		const struct store_value *v = &r->v[c];
		json_t *j = NULL;

		if (!v->set || in->view_id == 0)
			continue;
		switch (in->type) {
		case STORE_LONG:
			j = json_integer(v->n);
			break;
		case STORE_DATE:
			j = json_time(v->n);
			break;
		case STORE_BINARY:
			j = base64_json(v->b, false);
			break;
		case STORE_STRING:
			j = json_string((const char *)v->b.p);
			break;
		}
		json_object_set_new(o, in->full_name, j);
	}
	return o;
}

static const char *
origin_name(uint32_t flags)
{
	switch (flags & STORE_EXT_ORIGIN_MASK) {
	case STORE_EXT_ORIGIN_REQUEST:
		return "request";
	case STORE_EXT_ORIGIN_ADMIN:
		return "officer";
	default:
		return "policy";
	}
}

static json_t *
extensions_json(const struct store_row *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n_extensions; i++) {
		const struct store_extension *x = &r->extensions[i];

		json_array_append_new(list,
		    json_pack("{s:s, s:b, s:b, s:s, s:o}", "oid", x->name, "critical",
			(x->flags & STORE_EXT_CRITICAL) != 0, "enabled", (x->flags & STORE_EXT_DISABLED) == 0,
			"origin", origin_name(x->flags), "value", base64_json(x->value, false)));
	}
	return list;
}

/* ---- reading ---- */

void
admin_request_list(struct ca_admin *a)
{
	struct store_query q = { .newest_first = json_is_true(json_object_get(a->args, "newest")) };
	int64_t limit = 100, after = 0;
	struct store_row *rows;
	json_t *list, *next;
	const char *state;
	struct err e = { 0 };
	size_t n;

	if ((admin_has(a, "state") &&
		(admin_text(a, "state", &state, &e) != 0 ||
		    state_from_name(state, &q.disposition, &e) != 0)) ||
	    (admin_has(a, "limit") && admin_number(a, "limit", 1, STORE_PAGE_MAX, &limit, &e) != 0) ||
	    (admin_has(a, "after") && admin_number(a, "after", 0, UINT32_MAX, &after, &e) != 0))
		goto fail;
	q.limit = (size_t)limit;
	q.after = (uint32_t)after;
	if (store_list(a->ca->store, &q, a->pool, &rows, &n, &e) != 0)
		goto fail;
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, admin_row_json(a->ca, &rows[i]));
	next = n == q.limit ? json_integer(store_long(&rows[n - 1], Request_RequestID)) : json_null();
	admin_reply(a, json_pack("{s:o, s:o}", "requests", list, "next", next));
	return;
fail:
	admin_fail(a, &e);
}

static int
load(struct ca_admin *a, struct err *e)
{
	int64_t id;

	if (admin_number(a, "id", 1, UINT32_MAX, &id, e) != 0)
		return -1;
	a->id = (uint32_t)id;
	return store_get(a->ca->store, a->id, a->pool, &a->row, e);
}

void
admin_request_show(struct ca_admin *a)
{
	json_t *o, *attributes = json_object();
	struct bytes cert;
	struct err e = { 0 };

	if (load(a, &e) != 0) {
		json_decref(attributes);
		admin_fail(a, &e);
		return;
	}
	for (size_t i = 0; i < a->row.n_attributes; i++)
		json_object_set_new(
		    attributes, a->row.attributes[i].name, json_string(a->row.attributes[i].value));
	o = admin_row_json(a->ca, &a->row);
	json_object_set_new(o, "columns", columns_json(&a->row));
	json_object_set_new(o, "attributes", attributes);
	json_object_set_new(o, "extensions", extensions_json(&a->row));
	cert = store_bytes(&a->row, Certificate_RawCertificate);
	if (cert.len > 0)
		json_object_set_new(o, "pem", base64_json(cert, true));
	admin_reply(a, o);
}

void
admin_request_explain(struct ca_admin *a)
{
	struct err e = { 0 };
	json_t *o;

	if (load(a, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	o = admin_row_json(a->ca, &a->row);
	json_object_set_new(o, "rules", ca_explanation_json(a->row.explanation));
	admin_reply(a, o);
}

/* ---- deciding ---- */

static json_t *
verdict_json(uint32_t id, uint32_t disposition, uint32_t hr, const char *message)
{
	json_t *o = json_pack("{s:I, s:s}", "id", (json_int_t)id, "message", message);
	char code[16];

	snprintf(code, sizeof(code), "0x%08x", hr);
	set_text(o, "hr", code);
	snprintf(code, sizeof(code), "0x%08x", disposition);
	json_object_set_new(
	    o, "disposition", disposition <= CR_DISP_REVOKED ? json_integer(disposition) : json_string(code));
	return o;
}

static void
on_issue_done(void *arg, const struct ca_request_result *r)
{
	struct ca_admin *a = arg;
	struct err e = { 0 };

	if (r->hr != 0) {
		ERR(&e, r->hr, "%s", r->message);
		admin_fail(a, &e);
		return;
	}
	admin_reply(a, verdict_json(r->request_id, r->disposition, r->hr, r->message));
}

void
admin_request_issue(struct ca_admin *a)
{
	struct ca_caller who = { a->who.front, a->who.peer, a->who.call, a->who.token, a->who.package,
		a->who.privacy, a->who.local_admin };
	struct err e = { 0 };
	int64_t id;

	if (admin_number(a, "id", 1, UINT32_MAX, &id, &e) != 0 ||
	    ca_request_resubmit(a->ca, &who, (uint32_t)id, on_issue_done, a, &e) != 0)
		admin_fail(a, &e);
}

static void
on_denied(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, verdict_json(a->id, CR_DISP_DENIED, 0, a->text));
}

void
admin_request_deny(struct ca_admin *a)
{
	struct err e = { 0 };
	int64_t id;

	a->text = pool_printf(a->pool, "Denied by %s", ca_who_account(&a->who));
	if (admin_number(a, "id", 1, UINT32_MAX, &id, &e) != 0)
		goto fail;
	a->id = (uint32_t)id;
	store_set_long(&a->row, Request_RequestID, a->id);
	store_set_long(&a->row, Request_Disposition, DB_DISP_DENIED);
	store_set_long(&a->row, Request_StatusCode, CERTSRV_E_ADMIN_DENIED_REQUEST);
	store_set_text(&a->row, Request_DispositionMessage, a->text);
	store_set_date(&a->row, Request_ResolvedWhen, clock_now(a->ca->clock));
	if (store_update(a->ca->store, &a->row, DB_DISP_PENDING, on_denied, a, &e) != 0)
		goto fail;
	a->busy = true;
	a->ca->busy++;
	return;
fail:
	admin_fail(a, &e);
}
