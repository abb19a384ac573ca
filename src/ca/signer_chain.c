/*
 * The chains of signers: step 13 of issuance.md section 2. A certificate to be renewed must lead to a trusted
 * root. Whoever vouches for others (enrollment agents, authorised signatures), or logs on by a signature
 * (renewal on behalf of its owner), needs besides an issuing CA in NTAuthCertificates: the CAs that the
 * forest trusts to say who somebody is. The CRLs of other CAs come from the directory's CDP objects.
 */
#include "ca/signer_chain.h"

#include <string.h>

#include "ca/foreign_crls.h"

enum { CRLF_REVCHECK_IGNORE_OFFLINE = 0x8, CRLF_REVCHECK_IGNORE_NOREVCHECK = 0x20000 };

struct checking {
	struct ca_request *r;
	ca_signer_chains_fn *done;
	const struct x509_chain_store *trust;
	const struct bytes *crls;
	size_t n_crls;
	bool foreign; /* another CA issued one of them */
	bool failed;
	struct err e;
};

/* ---- what is said of it ---- */

static const struct advice {
	uint32_t hr;
	const char *fix;
} advice[] = {
	{ CERT_E_UNTRUSTEDROOT,
	    "publish the root: adcsctl pki add FILE RootCA (certutil -dspublish -f FILE RootCA)" },
	{ CERT_E_CHAINING,
	    "publish the issuing CA: adcsctl pki add FILE SubCA (certutil -dspublish -f FILE SubCA), or send "
	    "it "
	    "with the request" },
	{ CERT_E_UNTRUSTEDCA,
	    "if that CA may say who is an enrollment agent: adcsctl pki add FILE NTAuthCA (certutil "
	    "-dspublish -f "
	    "FILE NTAuthCA)" },
	{ CRYPT_E_REVOCATION_OFFLINE,
	    "publish its CA's CRL: adcsctl pki add FILE CDP (certutil -dspublish FILE), or set CRLFlags "
	    "+CRLF_REVCHECK_IGNORE_OFFLINE" },
	{ CRYPT_E_NO_REVOCATION_CHECK,
	    "have the certificate issued with CRL distribution points, or set CRLFlags "
	    "+CRLF_REVCHECK_IGNORE_NOREVCHECK" },
};

static const char *
fix_of(uint32_t hr)
{
	for (size_t i = 0; i < ARRAY_LEN(advice); i++) {
		if (advice[i].hr == hr)
			return advice[i].fix;
	}
	return "sign with a certificate that is valid and leads to a trusted root";
}

/* One more line before those of policy. */
static void
put_reason(struct ca_request *r, enum policy_said said, const char *text, const char *fix)
{
	struct policy_reason *list = pool_calloc(r->pool, r->n_before + 1, sizeof(*list));

	if (list == NULL || text == NULL)
		return; /* message and code still tell */
	if (r->n_before > 0)
		memcpy(list, r->before, r->n_before * sizeof(*list));
	list[r->n_before] = (struct policy_reason){
		.step = 13, .rule = "signer chain", .said = said, .text = text, .fix = fix
	};
	policy_rule_find(13, "signer chain", &list[r->n_before].attribute, &list[r->n_before].section);
	r->before = list;
	r->n_before++;
}

void
ca_signer_refused(struct ca_request *r, const struct err *e)
{
	put_reason(r, POLICY_REFUSE, pool_strdup(r->pool, e->msg),
	    e->hr == CRYPT_E_REVOCATION_OFFLINE ? "publish a CRL (adcsctl crl publish), or set CRLFlags "
						  "+CRLF_REVCHECK_IGNORE_OFFLINE"
						: fix_of(e->hr));
}

/* ---- on a worker, alone with the request ---- */

static bool
needs_logon(const struct ca_request *r, const struct x509_certificate *c)
{
	if (r->live->settings.signers_in_ntauth == 0)
		return false;
	return c != r->renewal || (r->args.flags & CR_IN_ROBO) != 0;
}

/* A request that waited is checked as of the day it came: its signers may have expired meanwhile. */
static int
check_signer(struct checking *k, size_t i, struct err *e)
{
	struct ca_request *r = k->r;
	uint32_t flags = r->live->settings.crl_flags;
	struct x509_chain_question q = { .certificate = r->cms.signers[i].certificate,
		.beside = &r->cms,
		.at = r->submitted,
		.revocation = k->foreign && r->resubmits == 0,
		.ignore_offline = (flags & CRLF_REVCHECK_IGNORE_OFFLINE) != 0,
		.ignore_no_check = (flags & CRLF_REVCHECK_IGNORE_NOREVCHECK) != 0,
		.crls = k->crls,
		.n_crls = k->n_crls };
	const char *path;

	q.logon = needs_logon(r, q.certificate);
	if (x509_chain_check(k->trust, &q, r->pool, &path, e) == 0) {
		put_reason(r, POLICY_PASS,
		    pool_printf(r->pool, "signer %zu: %s%s", i + 1, path,
			q.logon ? "; the issuing CA is in NTAuthCertificates" : ""),
		    NULL);
		return 0;
	}
	put_reason(r, POLICY_REFUSE,
	    pool_printf(r->pool, "signer %zu: %s; its chain: %s", i + 1, e->msg, path), fix_of(e->hr));
	return err_prefix(e, "signer %zu", i + 1);
}

static void
check_job(void *arg)
{
	struct checking *k = arg;
	const struct x509_cms *cms = &k->r->cms;

	for (size_t i = 0; i < cms->n_signers && !k->failed; i++)
		k->failed = cms->signers[i].certificate != NULL && check_signer(k, i, &k->e) != 0;
}

/* ---- on the loop ---- */

static void
finish(struct checking *k, const struct err *e)
{
	struct err copy;

	if (e != NULL)
		copy = *e;
	k->done(k->r, e != NULL ? &copy : NULL); /* frees the request, and k with its pool */
}

static void
check_done(void *arg)
{
	struct checking *k = arg;

	k->r->ca->busy--;
	finish(k, k->failed ? &k->e : NULL);
}

static void
check_start(struct checking *k)
{
	struct err e = { 0 };

	if (work_submit(k->r->ca->work, check_job, check_done, k, &e) != 0)
		finish(k, &e);
	else
		k->r->ca->busy++;
}

static void
on_crls(void *arg, const struct bytes *crls, size_t n, const struct err *e)
{
	struct checking *k = arg;

	k->crls = crls;
	k->n_crls = n;
	/* the end of the server is the request's to notice */
	if (k->r->ca->closing)
		finish(k, NULL);
	else if (e != NULL)
		finish(k, e);
	else
		check_start(k);
}

void
ca_signer_chains_check(struct ca_request *r, ca_signer_chains_fn *done)
{
	struct bytes issuer = x509_ca_subject(r->ca->x509);
	struct checking *k = r->wrapped ? POOL_NEW(r->pool, struct checking) : NULL;
	struct err e = { 0 };
	bool any = false;

	if (!r->wrapped) {
		done(r, NULL);
		return;
	}
	if (k == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for a chain");
		done(r, &e);
		return;
	}
	*k = (struct checking){ .r = r, .done = done };
	for (size_t i = 0; i < r->cms.n_signers; i++) {
		const struct x509_certificate *c = r->cms.signers[i].certificate;

		any |= c != NULL;
		k->foreign |= c != NULL && !bytes_equal(c->issuer, issuer);
	}
	if (!any) {
		finish(k, NULL);
		return;
	}
	k->trust = ca_trust_get(r->templates, r->certs, &e);
	if (k->trust == NULL)
		finish(k, &e);
	else if (!k->foreign || r->resubmits != 0)
		check_start(k);
	else if (ca_foreign_crls_get(r, on_crls, k, &e) != 0)
		finish(k, &e);
}
