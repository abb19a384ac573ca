#include "ca/own_chain.h"

#include "ca/foreign_crls.h"
#include "ca/request.h"
#include "ca/signing_certs.h"
#include "x509/chain.h"

#define CRLF_REVCHECK_IGNORE_OFFLINE 0x8u

struct checking {
	struct ca_request *r;
	void (*go_on)(struct ca_request *r);
	const struct bytes *crls;
	size_t n_crls;
};

/* NULL where the chain does not end in a root. */
static struct x509_chain_store *
trust_of(const struct x509_ca *ca, struct err *e)
{
	size_t n = x509_ca_chain_len(ca);
	struct x509_chain_store *s = x509_chain_store_new(e);

	if (s != NULL && x509_chain_store_add(s, X509_CHAIN_ROOT, x509_ca_chain_der(ca, n - 1), e) == 0) {
		size_t i = 1;

		while (i < n - 1 && x509_chain_store_add(s, X509_CHAIN_AIA, x509_ca_chain_der(ca, i), e) == 0)
			i++;
		if (i >= n - 1)
			return s;
	}
	x509_chain_store_free(s);
	return NULL;
}

static int
check(struct checking *k, struct err *e)
{
	struct ca_request *r = k->r;
	const struct x509_ca *ca = r->issuer->x509;
	struct x509_certificate own;
	struct x509_chain_question q = { .certificate = &own,
		.at = r->decided,
		.revocation = true,
		.ignore_offline = (r->live->settings.crl_flags & CRLF_REVCHECK_IGNORE_OFFLINE) != 0,
		.ignore_no_check = true,
		.directory_only = true,
		.crls = k->crls,
		.n_crls = k->n_crls };
	struct x509_chain_store *trust = trust_of(ca, e);
	int rc;

	if (trust == NULL)
		return e->hr == CERT_E_UNTRUSTEDROOT ? 0 : -1;
	rc = x509_certificate_read(&own, r->pool, x509_ca_chain_der(ca, 0), e);
	if (rc == 0)
		rc = x509_chain_check(trust, &q, r->pool, NULL, e);
	x509_chain_store_free(trust);
	return rc;
}

static void
hold_against(struct ca_request *r, const struct err *e)
{
	r->policy.chain_status = e->hr;
	r->policy.chain_text = pool_strdup(r->pool, e->msg);
	if (r->policy.chain_text == NULL)
		r->policy.chain_text = "";
}

static void
check_job(void *arg)
{
	struct checking *k = arg;
	struct err e = { 0 };

	if (check(k, &e) != 0)
		hold_against(k->r, &e);
}

static void
check_done(void *arg)
{
	struct checking *k = arg;

	k->r->ca->busy--;
	if (!ca_request_cut_short(k->r))
		k->go_on(k->r);
}

static void
on_crls(void *arg, const struct bytes *crls, size_t n, const struct err *e)
{
	struct checking *k = arg;
	struct ca_request *r = k->r;
	struct err why = { 0 };

	if (ca_request_cut_short(r))
		return;
	k->crls = crls;
	k->n_crls = n;
	if (e != NULL)
		ca_request_fail(r, NULL, e);
	else if (work_submit(r->ca->work, check_job, check_done, k, &why) != 0)
		ca_request_fail(r, NULL, &why);
	else
		r->ca->busy++;
}

void
ca_own_chain_check(struct ca_request *r, void (*go_on)(struct ca_request *r))
{
	struct checking *k;
	struct err e = { 0 };

	if (x509_ca_is_root(r->issuer->x509)) {
		go_on(r);
		return;
	}
	k = POOL_NEW(r->pool, struct checking);
	if (k == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for a chain");
		ca_request_fail(r, NULL, &e);
		return;
	}
	*k = (struct checking){ .r = r, .go_on = go_on };
	if (ca_foreign_crls_get(r, on_crls, k, &e) != 0)
		ca_request_fail(r, NULL, &e);
}
