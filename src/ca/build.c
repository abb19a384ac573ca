/* The verdict: policy, serial number, signature, message, row. Runs on a worker, alone with its request. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/signing_certs.h"
#include "x509/constraints.h"

#define CERTIFICATE_MAX (512 * 1024)

static const char CONSTRUCTING[] = "Error Constructing or Publishing Certificate";

/* Officer actions say so behind everything else. */
static const char *
message_of(struct ca_request *r, const char *text)
{
	if (text == NULL || r->resubmits == 0)
		return text;
	return pool_printf(r->pool, "%s  Resubmitted by %s", text, ca_who_account(&r->who));
}

/* Without it the certificate alone is still an answer. */
static void
full_response(struct ca_request *r)
{
	struct x509_cmc_response how = { .status = X509_CMC_FAILED,
		.text = r->message,
		.certificate = r->certificate,
		.encrypted_key_hash =
		    r->archived_key.len > 0 ? r->parsed.encrypted_key_hash : (struct bytes){ NULL, 0 },
		.request_id = r->id,
		.received = r->submitted };
	struct err e = { 0 };
	struct buf b;

	if (r->db_disposition == DB_DISP_ISSUED)
		how.status = X509_CMC_SUCCESS;
	else if (r->db_disposition == DB_DISP_PENDING)
		how.status = X509_CMC_PENDING;
	buf_init(&b, CERTIFICATE_MAX);
	if (x509_ca_cmc_response(r->issuer->x509, &how, &b, &e) != 0 ||
	    pool_dup_bytes(r->pool, buf_bytes(&b), &r->chain) != 0)
		log_warn(ca, "request %u gets no CMC response: %s", r->id, e.msg);
	buf_fini(&b);
}

static void
settle_row(struct ca_request *r, uint32_t db, uint32_t status, uint32_t disposition, const char *message)
{
	struct err e = { 0 };

	r->db_disposition = db;
	r->status = status;
	r->disposition = disposition;
	r->message = message_of(r, message);
	if (r->message == NULL)
		r->message = "";
	if (ca_row_build(r, &e) == 0)
		return;
	/* something does not fit its column: the row keeps what fits and says so */
	r->eval_failed = true;
	r->eval_err = e;
	r->db_disposition = DB_DISP_ERROR;
	r->status = r->disposition = e.hr;
	r->certificate = r->chain = (struct bytes){ NULL, 0 };
	r->message = message_of(r,
	    ca_message_failed(r->pool, db == DB_DISP_ISSUED ? CONSTRUCTING : "Error Parsing Request", e.hr));
	if (r->message == NULL)
		r->message = "";
	if (ca_row_build(r, &e) != 0)
		r->row.n_extensions = r->row.n_attributes = 0;
}

static void
settle(struct ca_request *r, uint32_t db, uint32_t status, uint32_t disposition, const char *message)
{
	settle_row(r, db, status, disposition, message);
	if ((r->args.flags & CR_IN_FULLRESPONSE) != 0 && r->resubmits == 0 && r->rehearsed == NULL)
		full_response(r);
}

/* What was found before policy had a word stands before its reasons. */
static void
put_before(struct ca_request *r)
{
	size_t n = r->n_before + r->out.n_reasons;
	struct policy_reason *list = r->n_before > 0 ? pool_calloc(r->pool, n, sizeof(*list)) : NULL;

	if (list != NULL) {
		memcpy(list, r->before, r->n_before * sizeof(*list));
		if (r->out.n_reasons > 0)
			memcpy(list + r->n_before, r->out.reasons, r->out.n_reasons * sizeof(*list));
		r->out.reasons = list;
		r->out.n_reasons = n;
	}
	r->explanation = ca_explanation_text(r->pool, r->out.reasons, r->out.n_reasons);
}

/* intro NULL: the policy module could not decide (directory trouble), MS-WCCE 3.2.2.1.7. */
void
ca_request_fail_row(struct ca_request *r, const char *intro, const struct err *e)
{
	if (r->n_before > 0 && r->out.n_reasons == 0)
		put_before(r);
	if (intro != NULL)
		settle(r, DB_DISP_ERROR, e->hr, e->hr, ca_message_failed(r->pool, intro, e->hr));
	else
		settle(r, DB_DISP_DENIED, e->hr, e->hr, ca_message_denied(r->pool, e->hr, NULL));
}

/* A buffer's content, moved into the pool. */
static int
keep(struct pool *pool, struct buf *b, struct bytes *out)
{
	int rc = buf_ok(b) ? pool_dup_bytes(pool, buf_bytes(b), out) : -1;

	buf_fini(b);
	return rc;
}

static int
make_certificate(struct ca_request *r, struct err *e)
{
	struct x509_cert_plan *plan = &r->out.plan;
	struct buf cert, chain;

	ca_serial_make(plan->serial, r->ca->high_serial, r->id, r->issuer->index, &r->ca->rng);
	plan->serial_len = CA_SERIAL_LEN;
	buf_init(&cert, CERTIFICATE_MAX);
	if (x509_ca_issue(r->issuer->x509, plan, r->id, &cert, e) != 0) {
		buf_fini(&cert);
		return -1;
	}
	if (keep(r->pool, &cert, &r->certificate) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for the certificate");
	if ((r->args.flags & CR_IN_FULLRESPONSE) != 0)
		return 0; /* the CMC response will hold it */
	buf_init(&chain, CERTIFICATE_MAX);
	if (x509_ca_pkcs7_chain(r->issuer->x509, r->certificate, &chain, e) != 0) {
		buf_fini(&chain);
		return -1;
	}
	return keep(r->pool, &chain, &r->chain) == 0 ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the chain");
}

/* The explanation ends with what no rule of the table said. */
static void
add_reason(struct ca_request *r, const struct err *why)
{
	size_t n = r->out.n_reasons;
	struct policy_reason *list = pool_calloc(r->pool, n + 1, sizeof(*list));
	const char *text = pool_strdup(r->pool, why->msg);

	if (list == NULL || text == NULL)
		return; /* message and code still tell */
	memcpy(list, r->out.reasons, n * sizeof(*list));
	list[n] = (struct policy_reason){
		.step = 38,
		.rule = "CA constraints",
		.section = "RFC 5280 6.1",
		.said = POLICY_REFUSE,
		.text = text,
		.fix =
		    "ask for what the CA's own certificate allows, or renew the CA with another CAPolicy.inf"
	};
	r->out.reasons = list;
	r->out.n_reasons = n + 1;
	r->explanation = ca_explanation_text(r->pool, list, n + 1);
}

/* A rehearsal, too, hears what the CA's own certificates forbid. */
static int
construct(struct ca_request *r, struct err *e)
{
	bool ignore_policies = (r->live->settings.crl_flags & CRLF_IGNORE_INVALID_POLICIES) != 0;

	if (x509_ca_check_plan(r->issuer->x509, &r->out.plan, ignore_policies, e) != 0) {
		add_reason(r, e);
		return -1;
	}
	return r->rehearsed == NULL ? make_certificate(r, e) : 0;
}

static void
issue(struct ca_request *r)
{
	if (construct(r, &r->eval_err) != 0) {
		r->eval_failed = true;
		r->certificate = r->chain = (struct bytes){ NULL, 0 };
		ca_request_fail_row(r, CONSTRUCTING, &r->eval_err);
		return;
	}
	settle(r, DB_DISP_ISSUED, 0, CR_DISP_ISSUED,
	    r->out.issued_info != NULL ? pool_printf(r->pool, "Issued  %s", r->out.issued_info) : "Issued");
}

void
ca_request_decide(struct ca_request *r)
{
	if (policy_evaluate(&r->in, r->pool, &r->out, &r->eval_err) != 0) {
		r->eval_failed = true;
		memset(&r->out, 0, sizeof(r->out));
		ca_request_fail_row(r, CONSTRUCTING, &r->eval_err);
		return;
	}
	put_before(r);
	switch (r->out.outcome) {
	case POLICY_ISSUE:
		issue(r);
		break;
	case POLICY_PEND:
		settle(r, DB_DISP_PENDING, 0, CR_DISP_UNDER_SUBMISSION, "Taken Under Submission");
		break;
	case POLICY_DENY:
		settle(r, DB_DISP_DENIED, r->out.hr, r->out.hr != 0 ? r->out.hr : CR_DISP_DENIED,
		    r->out.hr != 0 ? ca_message_denied(r->pool, r->out.hr, r->out.policy_text)
				   : "Denied by Policy Module");
		break;
	}
}
