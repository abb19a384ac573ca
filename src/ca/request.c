/*
 * One request from the call to the commit: gates (no row), then parsing on a worker while the directory is
 * asked, then policy and signature on a worker, then the row; the answer leaves after the commit. Order:
 * issuance.md section 2.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/archive.h"
#include "ca/own_chain.h"
#include "ca/property.h"
#include "ca/request.h"
#include "ca/signer_chain.h"
#include "ca/signer_revocation.h"
#include "ca/signing_certs.h"

/* dwFlags, MS-WCCE 3.2.1.4.2.1 */
#define CR_IN_NEW_OPTIONS 0x0F000000u /* challenge, SCEP post, transparency, pre-sign: not enabled */
#define FAST_REQUEST_MAX 2048         /* octets: a PKCS #10 request with a key of 4096 bits is shorter */
#define EDITF_ENABLERENEWONBEHALFOF 0x4000000u

/* ---- life ---- */

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

void
ca_request_evaluate(struct ca_request *r)
{
	struct err e = { 0 };

	r->decided = clock_now(r->ca->clock);
	use_newest(r);
	if (ca_partition_assign(r, &e) != 0) {
		ca_request_fail(r, NULL, &e);
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
	ca_own_chain_check(r, ca_request_accounts);
}

static void
weigh(struct ca_request *r)
{
	struct err e = { 0 };

	if (ca_request_attributes(r, &e) != 0) {
		ca_request_refuse(r, &e);
		return;
	}
	if ((r->args.flags & CR_IN_ROBO) != 0 && r->resubmits == 0)
		ca_request_end_entity(r);
	else
		ca_request_evaluate(r);
}

static void
on_archived(struct ca_request *r, const struct err *e)
{
	if (ca_request_cut_short(r))
		return;
	if (e != NULL)
		ca_request_fail(r, CA_ERROR_ARCHIVING, e);
	else
		weigh(r);
}

static void
on_signers_checked(struct ca_request *r, const struct err *e)
{
	if (ca_request_cut_short(r))
		return;
	if (e != NULL) {
		ca_signer_refused(r, e);
		ca_request_fail(r, r->failed_intro, e);
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
	if (ca_request_cut_short(r))
		return;
	if (e != NULL)
		ca_request_fail(r, r->failed_intro, e);
	else
		ca_signers_check(r, on_signers_checked);
}

/* Parsing is done and the snapshot is here. */
static void
go_on(struct ca_request *r)
{
	if (r->parse_failed) {
		ca_request_fail(r, r->failed_intro, &r->parse_err);
		return;
	}
	if (r->dir_failed) {
		ca_request_fail(r, NULL, &r->dir_err);
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
	if (--r->waiting == 0 && !ca_request_cut_short(r))
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
	ca_request_finish(r, &res, "retrieve", NULL);
}

/* The gates, then the request's way; answers in any case. */
static void
admit(struct ca_request *r, const struct ca_request_args *a)
{
	struct err e = { 0 };

	if (copy_args(r, a, &e) != 0 || check_gates(r, &e) != 0) {
		ca_request_refuse(r, &e);
		return;
	}
	if (r->args.request.len == 0) {
		retrieve(r);
		return;
	}
	if (check_flags(r, &e) != 0) {
		ca_request_refuse(r, &e);
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
		ca_request_free(r);
		return -1;
	}
	run(r);
	return 0;
}
