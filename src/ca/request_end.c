/* How a request ends: policy and signature on a worker, the row, the answer after the commit. */
#include <stdlib.h>

#include "base/log.h"
#include "ca/audit.h"
#include "ca/request.h"

void
ca_request_free(struct ca_request *r)
{
	struct ca *ca = r->ca;

	token_unref(r->who.token);
	token_unref(r->requester);
	token_unref(r->named);
	ca_templates_unref(r->templates);
	ca_live_unref(r->live);
	pool_free(r->pool);
	free(r);
	ca_unref(ca);
}

/* Answers and frees. A rehearsal leaves no record: it happened to nobody. */
void
ca_request_finish(
    struct ca_request *r, const struct ca_request_result *res, const char *operation, const char *why)
{
	if (r->rehearsed != NULL) {
		r->rehearsed(r->cb_arg, r, res, why);
	} else {
		ca_request_journal(r, res, operation, why);
		r->cb(r->cb_arg, res);
	}
	ca_request_free(r);
}

/* No row, no certificate: a gate, or our own trouble. The code goes into the disposition too (Ours: Certipy
 * looks only there), with its system text as message. */
void
ca_request_refuse(struct ca_request *r, const struct err *e)
{
	struct ca_request_result res = {
		.hr = e->hr, .disposition = e->hr, .message = hresult_text(e->hr), .request_id = r->id
	};

	r->ca->stats.refused += r->rehearsed == NULL;
	ca_request_finish(r, &res, "request", e->msg);
}

/* What the verdict's own code does not tell. */
static const char *
trouble(const struct ca_request *r)
{
	return r->failing ? r->parse_err.msg : r->eval_failed ? r->eval_err.msg : NULL;
}

static struct ca_request_result
result_of(const struct ca_request *r)
{
	return (struct ca_request_result){ .request_id = r->id,
		.disposition = r->disposition,
		.message = r->message,
		.certificate = r->certificate,
		.chain = r->chain };
}

/* --trace=policy: what each rule said. */
static void
trace_policy(const struct ca_request *r)
{
	for (size_t i = 0; log_enabled(LOG_AREA_policy, LOG_DEBUG) && i < r->out.n_reasons; i++) {
		const struct policy_reason *why = &r->out.reasons[i];

		log_write(LOG_AREA_policy, LOG_DEBUG, "request %u, step %d, %s: %s %s", r->id, why->step,
		    why->rule, policy_said_name(why->said), why->text);
	}
}

/* What the exit module does (EXITPUB_ACTIVEDIRECTORY). */
static void
publish_certificate(struct ca_request *r)
{
	struct ca *ca = r->ca;
	const char *kra = r->out.publish_to_kra ? ca_kra_dn(ca, r->pool) : NULL;

	if ((ca->settings.publish_cert_flags & 0x2) == 0)
		return;
	if (r->out.publish_to_ds)
		ca_user_certificate_publish(
		    ca, r->on_behalf_of != NULL ? r->subject.dn : r->requester->dn, r->certificate, r->id);
	if (kra != NULL)
		ca_user_certificate_publish(ca, kra, r->certificate, r->id);
}

static void
on_stored(void *arg, const struct err *e)
{
	struct ca_request *r = arg;
	struct ca *ca = r->ca;
	struct ca_request_result res = result_of(r);

	ca->busy--;
	r->t_decided = clock_monotonic_us();
	if (e != NULL) {
		log_error(ca, "request %u is not stored: %s", r->id, e->msg);
		ca_request_refuse(r, e);
		return;
	}
	ca_request_count(r);
	ca_audit_request(r);
	log_debug(ca, "request %u of %s: %s", r->id, r->requester->account, r->message);
	trace_policy(r);
	if (r->db_disposition == DB_DISP_ISSUED && !ca->closing)
		publish_certificate(r);
	ca_request_finish(r, &res, r->resubmits != 0 ? "request.issue" : "request", trouble(r));
}

/* ---- policy and signature ---- */

static int
store_verdict(struct ca_request *r, struct err *e)
{
	return r->resubmits != 0 ? store_update(r->ca->store, &r->row, r->resubmits, on_stored, r, e)
				 : store_insert(r->ca->store, &r->row, on_stored, r, e);
}

/* The row goes to the writer from here: the loop hears of it when it is committed. */
static bool
decide_job(void *arg)
{
	struct ca_request *r = arg;

	if (r->failing)
		ca_request_fail_row(r, r->failing_intro, &r->parse_err);
	else
		ca_request_decide(r);
	r->t_policy = clock_monotonic_us();
	return r->rehearsed == NULL && store_verdict(r, &r->store_err) == 0;
}

/* A rehearsal, or there was no memory for a row. */
static void
decide_done(void *arg)
{
	struct ca_request *r = arg;
	struct ca_request_result res = result_of(r);

	r->ca->busy--;
	if (r->rehearsed != NULL)
		ca_request_finish(r, &res, "rehearse", trouble(r));
	else
		ca_request_refuse(r, &r->store_err);
}

void
ca_request_decide_start(struct ca_request *r)
{
	struct err e = { 0 };

	r->t_ready = clock_monotonic_us();
	if (work_submit_handing_on(r->ca->work, decide_job, decide_done, r, &e) != 0)
		ca_request_refuse(r, &e);
	else
		r->ca->busy++;
}

/* Failed before policy had a word: the row still tells, and an answer may be signed. */
void
ca_request_fail(struct ca_request *r, const char *intro, const struct err *why)
{
	struct err copy = *why; /* which may be parse_err itself */

	r->decided = clock_now(r->ca->clock);
	r->failing = true;
	r->failing_intro = intro;
	r->parse_err = copy;
	ca_request_decide_start(r);
}

/* The directory's answers arrive even while the CA closes; then nothing more is started. */
bool
ca_request_cut_short(struct ca_request *r)
{
	struct ca_request_result res = {
		.hr = E_CANCELLED, .disposition = E_CANCELLED, .message = hresult_text(E_CANCELLED)
	};

	if (!r->ca->closing)
		return false;
	r->ca->stats.refused += r->rehearsed == NULL;
	if (r->rehearsed != NULL)
		r->rehearsed(r->cb_arg, r, &res, "the server ends");
	else
		r->cb(r->cb_arg, &res);
	ca_request_free(r);
	return true;
}
