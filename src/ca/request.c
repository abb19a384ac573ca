/*
 * One request from the call to the commit: gates (no row), then parsing on a worker while the directory is
 * asked, then policy and signature on a worker, then the row; the answer leaves after the commit. Order:
 * issuance.md section 2.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/archive.h"
#include "ca/property.h"
#include "ca/signer_chain.h"
#include "ca/signer_revocation.h"
#include "ca/signing_certs.h"

/* dwFlags, MS-WCCE 3.2.1.4.2.1 */
#define CR_IN_NEW_OPTIONS 0x0F000000u /* challenge, SCEP post, transparency, pre-sign: not enabled */
#define FAST_REQUEST_MAX 2048         /* octets: a PKCS #10 request with a key of 4096 bits is shorter */
#define EDITF_ENABLERENEWONBEHALFOF 0x4000000u

/* ---- life ---- */

static void
request_free(struct ca_request *r)
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

/* Certificate, settings and policy go together, and stay: a renewal or a change of settings meanwhile is for
 * those who come after it. */
static void
use_newest(struct ca_request *r)
{
	struct ca_live *before = r->live;

	r->live = ca_live_ref(r->ca->live);
	ca_live_unref(before);
	r->issuer = ca_cert_newest(r->ca);
	r->policy = r->ca->policy;
}

static struct ca_request *
request_new(struct ca *ca, const struct ca_caller *who, ca_request_fn *cb, void *arg, struct err *e)
{
	struct ca_request *r = calloc(1, sizeof(*r));
	struct pool *pool = pool_new(CA_REQUEST_POOL_MAX);

	if (r == NULL || pool == NULL || ca_who_copy(&r->who, pool, who, e) != 0) {
		pool_free(pool);
		free(r);
		ERR(e, E_OUTOFMEMORY, "no memory for a request");
		return NULL;
	}
	r->ca = ca;
	r->pool = pool;
	r->cb = cb;
	r->cb_arg = arg;
	r->certs = ca->certs;
	use_newest(r);
	r->submitted = clock_now(ca->clock);
	r->t_start = clock_monotonic_us();
	ca_ref(ca);
	return r;
}

/* ---- the end ---- */

/* Answers and frees. A rehearsal leaves no record: it happened to nobody. */
static void
finish(struct ca_request *r, const struct ca_request_result *res, const char *operation, const char *why)
{
	if (r->rehearsed != NULL) {
		r->rehearsed(r->cb_arg, r, res, why);
	} else {
		ca_request_journal(r, res, operation, why);
		r->cb(r->cb_arg, res);
	}
	request_free(r);
}

/* No row, no certificate: a gate, or our own trouble. The code goes into the disposition too (Ours: Certipy
 * looks only there), with its system text as message. */
static void
refuse(struct ca_request *r, const struct err *e)
{
	struct ca_request_result res = {
		.hr = e->hr, .disposition = e->hr, .message = hresult_text(e->hr), .request_id = r->id
	};

	r->ca->stats.refused += r->rehearsed == NULL;
	finish(r, &res, "request", e->msg);
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
		refuse(r, e);
		return;
	}
	ca_request_count(r);
	log_debug(ca, "request %u of %s: %s", r->id, r->requester->account, r->message);
	trace_policy(r);
	if (r->db_disposition == DB_DISP_ISSUED && !ca->closing)
		publish_certificate(r);
	finish(r, &res, r->resubmits != 0 ? "request.issue" : "request", trouble(r));
}

static void
store_verdict(struct ca_request *r)
{
	struct err e = { 0 };
	int rc;

	if (r->rehearsed != NULL) {
		struct ca_request_result res = result_of(r);

		finish(r, &res, "rehearse", trouble(r));
		return;
	}
	rc = r->resubmits != 0 ? store_update(r->ca->store, &r->row, r->resubmits, on_stored, r, &e)
			       : store_insert(r->ca->store, &r->row, on_stored, r, &e);
	if (rc != 0)
		refuse(r, &e);
	else
		r->ca->busy++;
}

/* ---- policy and signature ---- */

static void
decide_job(void *arg)
{
	struct ca_request *r = arg;

	if (r->failing)
		ca_request_fail_row(r, r->failing_intro, &r->parse_err);
	else
		ca_request_decide(r);
	r->t_policy = clock_monotonic_us();
}

static void
decide_done(void *arg)
{
	struct ca_request *r = arg;

	r->ca->busy--;
	store_verdict(r);
}

static void
decide_start(struct ca_request *r)
{
	struct err e = { 0 };

	r->t_ready = clock_monotonic_us();
	if (work_submit(r->ca->work, decide_job, decide_done, r, &e) != 0)
		refuse(r, &e);
	else
		r->ca->busy++;
}

/* Failed before policy had a word: the row still tells, and an answer may be signed. */
static void
fail_now(struct ca_request *r, const char *intro, const struct err *why)
{
	struct err copy = *why; /* which may be parse_err itself */

	r->decided = clock_now(r->ca->clock);
	r->failing = true;
	r->failing_intro = intro;
	r->parse_err = copy;
	decide_start(r);
}

static int
copy_subject(struct ca_request *r, const struct dir_account *a, struct err *e)
{
	struct policy_subject *s = &r->subject;
	struct bytes sid_bytes = a->sid;
	char sid_text[SID_TEXT_MAX] = "";
	struct sid sid;

	/* whether the account needs one, policy decides */
	if (a->sid.len > 0 && sid_from_wire(&sid, sid_bytes, NULL, e) != 0)
		return err_prefix(e, "objectSid of %s", a->dn);
	if (a->sid.len > 0)
		sid_to_text(&sid, sid_text);
	s->dn = pool_strdup(r->pool, a->dn);
	s->sam = pool_strdup(r->pool, a->sam);
	s->cn = a->cn != NULL ? pool_strdup(r->pool, a->cn) : NULL;
	s->upn = a->upn != NULL ? pool_strdup(r->pool, a->upn) : NULL;
	s->mail = a->mail != NULL ? pool_strdup(r->pool, a->mail) : NULL;
	s->dns_host_name = a->dns_host_name != NULL ? pool_strdup(r->pool, a->dns_host_name) : NULL;
	s->sid_text = pool_strdup(r->pool, sid_text);
	s->is_computer = a->is_computer;
	if (s->dn == NULL || s->sam == NULL || s->sid_text == NULL ||
	    pool_dup_bytes(r->pool, a->guid, &s->guid) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for the account");
	r->in.subject = s;
	return 0;
}

/* The directory's answers arrive even while the CA closes; then nothing more is started. */
static bool
cut_short(struct ca_request *r)
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
	request_free(r);
	return true;
}

static void
on_subject(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (cut_short(r))
		return;
	if (e != NULL)
		why = *e;
	if (e != NULL || copy_subject(r, acct, &why) != 0) {
		fail_now(r, NULL, &why);
		return;
	}
	decide_start(r);
}

/* EnrollmentAgentRights speak of groups of the named user. */
static void
on_named_token(void *arg, struct token *t, const struct err *e)
{
	struct ca_request *r = arg;

	if (cut_short(r))
		return;
	if (t == NULL) {
		fail_now(r, NULL, e);
		return;
	}
	r->named = token_ref(t);
	r->in.named = t;
	decide_start(r);
}

static void
named_token_start(struct ca_request *r)
{
	const struct ca_accounts *accounts = &r->ca->accounts;
	struct err e = { 0 };
	int rc;

	rc = accounts->token != NULL ? accounts->token(accounts->ctx, r->on_behalf_of, on_named_token, r, &e)
				     : ERR(&e, E_UNEXPECTED, "the server cannot look accounts up");
	if (rc != 0)
		fail_now(r, NULL, &e);
}

/* The user for whom somebody asks; the names, and the row's RequesterName, are theirs. */
static void
on_named_user(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (cut_short(r))
		return;
	if (e != NULL && e->hr == E_LOGON_FAILURE) {
		ERR(&why, E_NONE_MAPPED, "requestername %.120s: %s", r->asked_for, e->msg);
		fail_now(r, CA_ERROR_PARSING, &why);
		return;
	}
	if (e == NULL && copy_subject(r, acct, &why) == 0)
		r->on_behalf_of =
		    pool_printf(r->pool, "%s\\%s", dir_forest(r->ca->dir)->nb_domain, r->subject.sam);
	else if (e != NULL)
		why = *e;
	if (r->on_behalf_of == NULL) {
		if (why.hr == 0)
			ERR(&why, E_OUTOFMEMORY, "no memory for the account");
		fail_now(r, NULL, &why);
		return;
	}
	r->in.on_behalf_of = r->on_behalf_of;
	if (r->live->agents != NULL)
		named_token_start(r);
	else
		decide_start(r);
}

static void
named_user_start(struct ca_request *r)
{
	struct err e = { 0 };
	const char *user;

	if (ca_wrapped_split_account(r, &user, &e) != 0)
		fail_now(r, CA_ERROR_PARSING, &e);
	else if (dir_account_by_logon(r->ca->dir, user, "", on_named_user, r, &e) != 0)
		fail_now(r, NULL, &e);
}

static void
subject_start(struct ca_request *r)
{
	struct err e = { 0 };
	struct buf sid;

	if (r->requester->n_sids == 0) {
		ERR(&e, E_DS_NO_SUCH_OBJECT, "the requester has no SID");
		fail_now(r, NULL, &e);
		return;
	}
	buf_init(&sid, SID_WIRE_MAX);
	sid_put(&sid, &r->requester->sids[0].sid);
	if (dir_subject_by_sid(r->ca->dir, buf_bytes(&sid), on_subject, r, &e) != 0) {
		fail_now(r, NULL, &e);
	}
	buf_fini(&sid);
}

static void
evaluate_start(struct ca_request *r)
{
	struct err e = { 0 };

	r->decided = clock_now(r->ca->clock);
	use_newest(r);
	if (ca_partition_assign(r, &e) != 0) {
		fail_now(r, NULL, &e);
		return;
	}
	r->in.ca = &r->policy;
	r->in.caller = r->requester;
	r->in.request = &r->parsed;
	r->in.templates = r->templates->v;
	r->in.n_templates = r->templates->n;
	r->in.published = &r->templates->published;
	r->in.now = r->decided;
	r->in.approved = r->resubmits != 0;
	r->in.renewal = r->renewal;
	if (r->asked_for != NULL)
		named_user_start(r);
	else if (policy_needs_subject(&r->in))
		subject_start(r);
	else
		decide_start(r);
}

/* The old key speaks for its owner: from here on it is their request (MS-WCCE 3.2.2.6.2.1.2.4). */
static void
on_end_entity(void *arg, struct token *t, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (cut_short(r))
		return;
	if (t == NULL) {
		ERR(&why, e->hr == E_LOGON_FAILURE ? E_NONE_MAPPED : e->hr,
		    "the certificate to be renewed: %s", e->msg);
		fail_now(r, NULL, &why);
		return;
	}
	token_unref(r->requester);
	r->requester = token_ref(t);
	if (!access_check_ca(&r->live->security, t, CA_ACCESS_ENROLL, NULL).granted) {
		ERR(&why, CERTSRV_E_ENROLL_DENIED, "%s has no Enroll right on the CA", t->account);
		fail_now(r, NULL, &why);
		return;
	}
	evaluate_start(r);
}

static void
end_entity_start(struct ca_request *r)
{
	const struct ca_accounts *accounts = &r->ca->accounts;
	const char *name = r->renewal != NULL ? ca_wrapped_end_entity(r) : NULL;
	struct err e = { 0 };
	int rc;

	if (r->renewal == NULL)
		rc = ERR(
		    &e, E_INVALIDARG, "dwFlags say renewal on behalf of others, the request renews nothing");
	else if (name == NULL)
		rc = ERR(&e, E_NONE_MAPPED, "the certificate to be renewed has neither a SID nor a UPN");
	else if (accounts->token == NULL)
		rc = ERR(&e, E_UNEXPECTED, "the server cannot look accounts up");
	else
		rc = accounts->token(accounts->ctx, name, on_end_entity, r, &e);
	if (rc != 0)
		fail_now(r, NULL, &e);
}

static void
weigh(struct ca_request *r)
{
	struct err e = { 0 };

	if (ca_request_attributes(r, &e) != 0) {
		refuse(r, &e);
		return;
	}
	if ((r->args.flags & CR_IN_ROBO) != 0 && r->resubmits == 0)
		end_entity_start(r);
	else
		evaluate_start(r);
}

static void
on_archived(struct ca_request *r, const struct err *e)
{
	if (cut_short(r))
		return;
	if (e != NULL)
		fail_now(r, CA_ERROR_ARCHIVING, e);
	else
		weigh(r);
}

static void
on_signers_checked(struct ca_request *r, const struct err *e)
{
	if (cut_short(r))
		return;
	if (e != NULL) {
		ca_signer_refused(r, e);
		fail_now(r, r->failed_intro, e);
	}
	/* issuance.md section 2, row 15 */
	else if (r->wrapped && r->cms.archived_key.len > 0)
		ca_archive_request(r, on_archived);
	else
		weigh(r);
}

static void
on_chains_checked(struct ca_request *r, const struct err *e)
{
	if (cut_short(r))
		return;
	if (e != NULL)
		fail_now(r, r->failed_intro, e);
	else
		ca_signers_check(r, on_signers_checked);
}

/* Parsing is done and the snapshot is here. */
static void
go_on(struct ca_request *r)
{
	if (r->parse_failed) {
		fail_now(r, r->failed_intro, &r->parse_err);
		return;
	}
	if (r->dir_failed) {
		fail_now(r, NULL, &r->dir_err);
		return;
	}
	ca_signer_chains_check(r, on_chains_checked);
}

/* ---- parsing beside the directory ---- */

static void
parse_job(void *arg)
{
	struct ca_request *r = arg;
	uint8_t sha1[20];
	struct buf hex;

	x509_sha1(r->args.request, sha1);
	buf_init(&hex, 64);
	text_put_hex(&hex, (struct bytes){ sha1, sizeof(sha1) });
	r->sha1 = pool_strndup(r->pool, (const char *)hex.p, hex.len);
	buf_fini(&hex);
	r->parse_failed = ca_request_parse(r, &r->parse_err) != 0;
	r->t_parse = clock_monotonic_us();
}

static void
arrived(struct ca_request *r)
{
	if (--r->waiting == 0 && !cut_short(r))
		go_on(r);
}

static void
parse_done(void *arg)
{
	struct ca_request *r = arg;

	r->ca->busy--;
	arrived(r);
}

static void
on_snapshot(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct ca_request *r = arg;
	struct ca_templates *t = NULL;

	if (e != NULL)
		r->dir_err = *e;
	else if (!r->ca->closing)
		t = ca_templates_get(r->ca, snap, &r->dir_err);
	if (t != NULL)
		r->templates = ca_templates_ref(t);
	else
		r->dir_failed = true;
	arrived(r);
}

/* A small request with an RSA key is verified in less time than it takes to wake a worker and to be woken. A
 * wrong guess costs time only. */
static bool
verifies_fast(struct bytes request)
{
	static const uint8_t rsa_encryption[] = { 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
		0x01 };

	return request.len <= FAST_REQUEST_MAX &&
	    memmem(request.p, request.len, rsa_encryption, sizeof(rsa_encryption)) != NULL;
}

static void
run(struct ca_request *r)
{
	r->waiting = 2;
	if (dir_snapshot_get(r->ca->dir, on_snapshot, r, &r->dir_err) != 0) {
		r->dir_failed = true;
		r->waiting--; /* the parser's end is still to come */
	}
	if (verifies_fast(r->args.request)) {
		parse_job(r);
		arrived(r);
	} else if (work_submit(r->ca->work, parse_job, parse_done, r, &r->parse_err) != 0) {
		r->parse_failed = true;
		arrived(r);
	} else {
		r->ca->busy++;
	}
}

/* ---- gates ---- */

static int
check_gates(const struct ca_request *r, struct err *e)
{
	struct ca_caller who = { .front = r->who.front, .token = r->who.token, .privacy = r->who.privacy };

	return ca_enroll_gate(r->ca, &who, r->args.authority, CA_GATE_RIGHT | CA_GATE_AUTHORITY, e);
}

/* Of a request proper; no row either. */
static int
check_flags(const struct ca_request *r, struct err *e)
{
	if ((r->args.flags & CR_IN_NEW_OPTIONS) != 0)
		return ERR(
		    e, E_INVALIDARG, "dwFlags 0x%x ask for an option that is not enabled", r->args.flags);
	if ((r->args.flags & CR_IN_ROBO) != 0 &&
	    (r->ca->settings.edit_flags & EDITF_ENABLERENEWONBEHALFOF) == 0)
		return ERR(e, E_INVALIDARG, "renewal on behalf of others needs EDITF_ENABLERENEWONBEHALFOF");
	if (r->args.request.len > X509_REQUEST_MAX)
		return ERR(e, E_INVALIDARG, "the request has %zu octets, at most %u are taken",
		    r->args.request.len, X509_REQUEST_MAX);
	return 0;
}

static int
copy_args(struct ca_request *r, const struct ca_request_args *a, struct err *e)
{
	r->args = *a;
	if (a->attributes != NULL && strlen(a->attributes) > CA_ATTRIBUTES_MAX)
		return ERR(
		    e, E_INVALIDARG, "request attributes are longer than %d octets", CA_ATTRIBUTES_MAX);
	if ((a->authority != NULL && (r->args.authority = pool_strdup(r->pool, a->authority)) == NULL) ||
	    (a->attributes != NULL && (r->args.attributes = pool_strdup(r->pool, a->attributes)) == NULL) ||
	    (a->serial != NULL && (r->args.serial = pool_strdup(r->pool, a->serial)) == NULL) ||
	    (a->request.len <= X509_REQUEST_MAX &&
		pool_dup_bytes(r->pool, a->request, &r->args.request) != 0))
		return ERR(e, E_OUTOFMEMORY, "no memory for the request");
	return 0;
}

static void
retrieve(struct ca_request *r)
{
	struct ca_request_result res = { 0 };

	ca_retrieve(r->ca, &r->args, r->pool, &res);
	r->ca->stats.retrieved++;
	r->db_disposition = res.disposition == CR_DISP_ISSUED ? DB_DISP_ISSUED
	    : res.disposition == CR_DISP_UNDER_SUBMISSION     ? DB_DISP_PENDING
	    : res.disposition == CR_DISP_DENIED               ? DB_DISP_DENIED
							      : DB_DISP_ERROR;
	finish(r, &res, "retrieve", NULL);
}

/* The gates, then the request's way; answers in any case. */
static void
admit(struct ca_request *r, const struct ca_request_args *a)
{
	struct err e = { 0 };

	if (copy_args(r, a, &e) != 0 || check_gates(r, &e) != 0) {
		refuse(r, &e);
		return;
	}
	if (r->args.request.len == 0) {
		retrieve(r);
		return;
	}
	if (check_flags(r, &e) != 0) {
		refuse(r, &e);
		return;
	}
	r->requester = token_ref(r->who.token);
	if (r->rehearsed == NULL) {
		r->id = store_next_request_id(r->ca->store);
		r->ca->stats.admitted++;
	}
	run(r);
}

void
ca_request_start(
    struct ca *ca, const struct ca_caller *who, const struct ca_request_args *a, ca_request_fn *cb, void *arg)
{
	struct err e = { 0 };
	struct ca_request *r = request_new(ca, who, cb, arg, &e);

	if (r == NULL)
		cb(arg,
		    &(struct ca_request_result){
			.hr = e.hr, .disposition = e.hr, .message = hresult_text(e.hr) });
	else
		admit(r, a);
}

int
ca_request_rehearse(struct ca *ca, struct token *as, const struct ca_request_args *a, bool made_up,
    ca_rehearsed_fn *cb, void *arg, struct err *e)
{
	struct ca_caller who = {
		.front = "rehearsal", .peer = "", .call = "", .token = as, .package = "", .privacy = true
	};
	struct ca_request *r;

	if (a->request.len == 0)
		return ERR(e, E_INVALIDARG, "there is no request to rehearse");
	r = request_new(ca, &who, NULL, arg, e);
	if (r == NULL)
		return -1;
	r->rehearsed = cb;
	r->made_up = made_up;
	admit(r, a);
	return 0;
}

/* ---- officer actions ---- */

int
ca_request_resubmit(
    struct ca *ca, const struct ca_caller *who, uint32_t id, ca_request_fn *cb, void *arg, struct err *e)
{
	struct ca_request *r = request_new(ca, who, cb, arg, e);

	if (r == NULL)
		return -1;
	if (ca_request_load(r, id, e) != 0) {
		request_free(r);
		return -1;
	}
	run(r);
	return 0;
}
