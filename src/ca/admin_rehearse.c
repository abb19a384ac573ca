/* principal.show and rehearse: what a token holds, and what a request would get that nobody sends. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "policy/made_up.h"
#include "rehearse/report.h"

static const char *const via_names[] = {
	[TOKEN_VIA_USER] = "user",
	[TOKEN_VIA_PRIMARY] = "primary",
	[TOKEN_VIA_GROUP] = "group",
	[TOKEN_VIA_WELL_KNOWN] = "wellKnown",
	[TOKEN_VIA_LOCAL] = "local",
};

/* Asks for the token of the account that an argument names; then goes on with cb. */
static void
with_token(struct ca_admin *a, const char *argument, ca_token_fn *cb)
{
	const struct ca_accounts *accounts = &a->ca->accounts;
	struct err e = { 0 };
	const char *name;
	int rc = admin_text(a, argument, &name, &e);

	if (rc == 0 && accounts->token == NULL)
		rc = ERR(&e, E_UNEXPECTED, "the server cannot look accounts up");
	if (rc == 0)
		rc = accounts->token(accounts->ctx, name, cb, a, &e);
	if (rc != 0)
		admin_fail(a, &e);
}

/* ---- principal.show ---- */

static void
on_token_to_show(void *arg, struct token *t, const struct err *e)
{
	struct ca_admin *a = arg;
	json_t *sids;

	if (t == NULL) {
		admin_fail(a, e);
		return;
	}
	sids = json_array();
	for (size_t i = 0; i < t->n_sids; i++) {
		const struct token_sid *s = &t->sids[i];
		char text[SID_TEXT_MAX];

		json_array_append_new(sids,
		    json_pack("{s:s, s:s?, s:s}", "sid", sid_to_text(&s->sid, text), "name", s->name, "via",
			via_names[s->via]));
	}
	admin_reply(a,
	    json_pack("{s:s, s:s, s:s?, s:b, s:o}", "account", t->account, "dn", t->dn, "upn", t->upn,
		"computer", t->is_computer, "sids", sids));
}

void
admin_principal_show(struct ca_admin *a)
{
	with_token(a, "name", on_token_to_show);
}

/* ---- rehearse ---- */

static const char *
verdict_name(const struct ca_request *r, uint32_t hr)
{
	return hr != 0                             ? "refused"
	    : r->db_disposition == DB_DISP_ISSUED  ? "issued"
	    : r->db_disposition == DB_DISP_PENDING ? "pending"
	    : r->db_disposition == DB_DISP_DENIED  ? "denied"
						   : "failed";
}

static void
on_rehearsed(void *arg, const struct ca_request *r, const struct ca_request_result *res, const char *why)
{
	uint32_t hr = res->hr != 0 ? res->hr : r->status;
	bool settled =
	    res->hr == 0 && (r->db_disposition == DB_DISP_ISSUED || r->db_disposition == DB_DISP_PENDING);
	char code[16], disposition[16];

	snprintf(code, sizeof(code), "0x%08x", hr);
	snprintf(disposition, sizeof(disposition), "0x%08x", res->disposition);
	admin_reply(arg,
	    json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s?, s:s, s:s?, s:o, s:o}", "verdict",
		verdict_name(r, res->hr), "hr", code, "hrName", hr != 0 ? hresult_name(hr) : NULL,
		"disposition", disposition, "message", res->message != NULL ? res->message : "", "reason",
		why, "requester", r->who.token->account, "template",
		r->out.template != NULL ? r->out.template->cn : NULL, "rules", report_rules(&r->out),
		"certificate", settled ? report_certificate(&r->out) : json_null()));
}

/* The request as sent, or one made up. */
static int
request_bytes(const struct ca_admin *a, struct buf *out, bool *made_up, struct err *e)
{
	const char *csr = json_string_value(json_object_get(a->args, "csr"));
	struct policy_made_up m = { .subject = json_string_value(json_object_get(a->args, "subject")),
		.san = json_string_value(json_object_get(a->args, "san")),
		.key = json_string_value(json_object_get(a->args, "key")) };

	*made_up = csr == NULL;
	if (csr == NULL)
		return policy_make_up(out, &m, e);
	if (m.subject != NULL || m.san != NULL || m.key != NULL)
		return ERR(e, E_INVALIDARG, "rehearse takes 'csr', or 'subject', 'san' and 'key'");
	return text_parse_base64(out, (struct bytes){ (const uint8_t *)csr, strlen(csr) }, e);
}

/* The template as a client names it, before the other attributes. */
static const char *
request_attributes(const struct ca_admin *a)
{
	const char *template = json_string_value(json_object_get(a->args, "template"));
	const char *given = json_string_value(json_object_get(a->args, "attributes"));

	if (template == NULL)
		return given;
	return pool_printf(a->pool, "CertificateTemplate:%s%s%s", template, given != NULL ? "\n" : "",
	    given != NULL ? given : "");
}

static void
on_token_to_rehearse(void *arg, struct token *t, const struct err *e)
{
	struct ca_admin *a = arg;
	struct ca_request_args args = { .authority = a->ca->name,
		.attributes = request_attributes(a),
		.flags = (uint32_t)json_integer_value(json_object_get(a->args, "flags")) };
	struct err why = { 0 };
	struct buf request;
	bool made_up = false;
	int rc = -1;

	if (t == NULL) {
		admin_fail(a, e);
		return;
	}
	buf_init(&request, X509_REQUEST_MAX + 1); /* one more than is taken: the door says so */
	if (request_bytes(a, &request, &made_up, &why) == 0) {
		args.request = buf_bytes(&request);
		rc = ca_request_rehearse(a->ca, t, &args, made_up, on_rehearsed, a, &why);
	}
	buf_fini(&request);
	if (rc != 0)
		admin_fail(a, &why);
}

void
admin_rehearse(struct ca_admin *a)
{
	with_token(a, "as", on_token_to_rehearse);
}
