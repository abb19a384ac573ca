/* Revocation and release: MS-CSRA 3.1.4.1.8, issuance.md section 11. One at a time, each on the row the last
 * one left. */
#include <stdlib.h>
#include <string.h>

#include "ca/revoke.h"

#define REVOCATION_POOL_MAX (4u << 20)

static const struct {
	uint32_t reason;
	const char *name;
} reasons[] = {
	{ X509_REASON_UNSPECIFIED, "unspecified" },
	{ X509_REASON_KEY_COMPROMISE, "keyCompromise" },
	{ X509_REASON_CA_COMPROMISE, "cACompromise" },
	{ X509_REASON_AFFILIATION_CHANGED, "affiliationChanged" },
	{ X509_REASON_SUPERSEDED, "superseded" },
	{ X509_REASON_CESSATION_OF_OPERATION, "cessationOfOperation" },
	{ X509_REASON_CERTIFICATE_HOLD, "certificateHold" },
	{ X509_REASON_REMOVE_FROM_CRL, "removeFromCRL" },
	{ CA_REASON_RELEASE, "releaseFromHold" },
};

const char *
ca_reason_name(uint32_t reason)
{
	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (reasons[i].reason == reason)
			return reasons[i].name;
	}
	return NULL;
}

int
ca_reason_from_text(const char *text, uint32_t *reason, struct err *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
		if (strcasecmp(reasons[i].name, text) == 0 ||
		    (end != text && *end == '\0' && n == reasons[i].reason)) {
			*reason = reasons[i].reason;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG,
	    "'%.40s' is no reason: unspecified, keyCompromise, cACompromise, affiliationChanged, superseded, "
	    "cessationOfOperation, certificateHold, removeFromCRL",
	    text);
}

int
ca_revoke_decide(
    uint32_t disposition, uint32_t current, uint32_t reason, enum ca_revoke_action *out, struct err *e)
{
	bool revoked = disposition == DB_DISP_REVOKED;
	bool held = revoked && current == X509_REASON_CERTIFICATE_HOLD;

	if (reason == CA_REASON_PUBLISH_EXPIRED || reason == CA_REASON_OMIT_EXPIRED) {
		*out = CA_REVOKE_SET_EXPIRED;
		return 0;
	}
	if (ca_reason_name(reason) == NULL)
		return ERR(e, E_INVALIDARG, "0x%x is no reason for a revocation", reason);
	if (disposition != DB_DISP_ISSUED && !revoked)
		return ERR(e, E_INVALID_DATA, "only an issued certificate can be revoked");
	if (reason == CA_REASON_RELEASE && !held)
		return ERR(e, E_INVALID_DATA,
		    revoked ? "it is revoked for another reason than certificateHold, which is final"
			    : "it is not revoked");
	if (reason == X509_REASON_CERTIFICATE_HOLD && revoked && !held)
		return ERR(e, E_INVALID_DATA, "it is revoked for good, and a hold could be lifted");
	*out = reason == CA_REASON_RELEASE ? CA_REVOKE_RELEASE : CA_REVOKE_REVOKE;
	return 0;
}

/* ---- one after the other ---- */

struct ca_revocation {
	struct ca_revocation *next;
	struct ca *ca;
	struct pool *pool;
	uint32_t id, reason;
	filetime_t effective;
	const char *account;
	struct store_row stored, change;
	ca_revoke_fn *done;
	void *arg;
};

static void
start_first(struct ca *ca);

static void
finish(struct ca_revocation *v, const struct err *e)
{
	struct ca *ca = v->ca;

	ca->revocations = v->next;
	v->done(v->arg, e);
	pool_free(v->pool);
	free(v);
	if (ca->revocations != NULL)
		start_first(ca);
	ca_unref(ca);
}

static void
on_stored(void *arg, const struct err *e)
{
	struct ca_revocation *v = arg;

	v->ca->busy--;
	finish(v, e);
}

/* The whole row is written where a column of the certificate changes: that part is replaced as one. */
static void
plan_change(struct ca_revocation *v, enum ca_revoke_action action)
{
	struct store_row *row = &v->change;

	if (action == CA_REVOKE_SET_EXPIRED) {
		*row = v->stored;
		row->n_attributes = row->n_extensions = 0;
		row->explanation = NULL;
		store_set_long(
		    row, Certificate_PublishExpiredCertInCRL, v->reason == CA_REASON_PUBLISH_EXPIRED);
		return;
	}
	store_set_long(row, Request_RequestID, v->id);
	store_set_long(
	    row, Request_Disposition, action == CA_REVOKE_RELEASE ? DB_DISP_ISSUED : DB_DISP_REVOKED);
	store_set_text(row, Request_DispositionMessage, pool_printf(v->pool, "Revoked by %s", v->account));
	store_set_long(row, Request_RevokedReason, v->reason);
	store_set_date(row, Request_RevokedWhen, clock_now(v->ca->clock));
	store_set_date(
	    row, Request_RevokedEffectiveWhen, v->effective != 0 ? v->effective : clock_now(v->ca->clock));
}

static void
start_first(struct ca *ca)
{
	struct ca_revocation *v = ca->revocations;
	enum ca_revoke_action action;
	struct err e = { 0 };
	uint32_t state;

	if (ca->closing) {
		ERR(&e, E_CANCELLED, "the server ends");
		finish(v, &e);
		return;
	}
	if (store_get(ca->store, v->id, v->pool, &v->stored, &e) != 0) {
		finish(v, &e);
		return;
	}
	state = store_long(&v->stored, Request_Disposition);
	if (ca_revoke_decide(state, store_long(&v->stored, Request_RevokedReason), v->reason, &action, &e) !=
	    0) {
		err_prefix(&e, "request %u", v->id);
		finish(v, &e);
		return;
	}
	plan_change(v, action);
	if (store_update(ca->store, &v->change, state, on_stored, v, &e) != 0)
		finish(v, &e);
	else
		ca->busy++;
}

int
ca_revoke_start(struct ca *ca, const struct ca_who *who, uint32_t id, uint32_t reason, filetime_t effective,
    ca_revoke_fn *done, void *arg, struct err *e)
{
	struct ca_revocation *v = calloc(1, sizeof(*v)), **last = &ca->revocations;

	if (v == NULL || (v->pool = pool_new(REVOCATION_POOL_MAX)) == NULL ||
	    (v->account = pool_strdup(v->pool, ca_who_account(who))) == NULL) {
		if (v != NULL)
			pool_free(v->pool);
		free(v);
		return ERR(e, E_OUTOFMEMORY, "no memory for a revocation");
	}
	v->ca = ca;
	v->id = id;
	v->reason = reason;
	v->effective = effective;
	v->done = done;
	v->arg = arg;
	ca_ref(ca);
	while (*last != NULL)
		last = &(*last)->next;
	*last = v;
	if (ca->revocations == v)
		start_first(ca);
	return 0;
}
