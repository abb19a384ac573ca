/*
 * Requests inside CMS and CMC: what the signatures say. Steps 8 to 13 of issuance.md section 2; whom they
 * speak for, and which certificate they renew, policy weighs afterwards.
 */
#include <string.h>
#include <strings.h>

#include "ca/signing_certs.h"
#include "x509/name.h"

/* MS-WCCE 3.2.1.4.2.1.4.2.1: the attribute makes it a renewal; then the certificate must be there, and have
 * signed. */
static int
find_renewal(struct ca_request *r, struct err *e)
{
	struct bytes old = r->parsed.renewal_certificate;
	struct x509_certificate named;
	struct err why;

	if (old.len == 0)
		return 0;
	if (x509_certificate_read(&named, r->pool, old, &why) != 0)
		return ERR(e, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE,
		    "the renewal attribute holds no certificate: %s", why.msg);
	r->renewal = x509_cms_find(&r->cms, old);
	if (r->renewal == NULL)
		return ERR(e, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE,
		    "the certificate to be renewed is not among the message's "
		    "certificates (MS-WCCE 3.2.1.4.2.1.4.2.1)");
	if (!x509_cms_signed_by(&r->cms, r->renewal))
		return ERR(e, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE,
		    "the certificate to be renewed did not sign (MS-WCCE "
		    "3.2.1.4.2.1.4.2.1)");
	return 0;
}

static const char *
subject_text(struct pool *pool, struct bytes name)
{
	struct buf b;
	const char *text = NULL;

	buf_init(&b, 65536);
	if (x509_name_to_text(&b, name, NULL) == 0)
		text = pool_strdup(pool, buf_cstr(&b));
	buf_fini(&b);
	return text != NULL ? text : "";
}

/* The authorised signatures: neither the new key's own, nor the old certificate's under a renewal. */
static int
collect_signers(struct ca_request *r, struct err *e)
{
	struct policy_signer *v = pool_calloc(r->pool, r->cms.n_signers, sizeof(*v));
	size_t n = 0;

	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for signers");
	for (size_t i = 0; i < r->cms.n_signers; i++) {
		const struct x509_certificate *c = r->cms.signers[i].certificate;

		if (c == NULL || c == r->renewal)
			continue;
		v[n++] = (struct policy_signer){ subject_text(r->pool, c->subject), c->usages,
			c->issuance_policies };
		/* RegInfo is under every signature, a signer's attributes are under its own */
		if (r->cms.type == X509_CMS_PKIDATA || i == 0)
			r->in.n_vouching = n;
	}
	r->in.signers = v;
	r->in.n_signers = n;
	return 0;
}

int
ca_wrapped_parse(struct ca_request *r, struct err *e)
{
	if (x509_cms_parse(&r->cms, &r->parsed, r->pool, r->der, e) != 0)
		return -1;
	r->wrapped = true;
	for (size_t i = 0; i < r->cms.n_name_values; i++) {
		if (strcasecmp(r->cms.name_values[i].name, "requestername") == 0)
			r->asked_for = r->cms.name_values[i].value;
	}
	r->failed_intro = CA_ERROR_VERIFYING;
	if (find_renewal(r, e) != 0 || x509_cms_verify(&r->cms, &r->parsed, e) != 0)
		return -1;
	return collect_signers(r, e);
}

/* ---- on the loop ---- */

int
ca_wrapped_split_account(struct ca_request *r, const char **user, struct err *e)
{
	const char *domain = dir_forest(r->ca->dir)->nb_domain, *slash = strchr(r->asked_for, '\\');
	size_t n = slash != NULL ? (size_t)(slash - r->asked_for) : 0;

	*user = slash != NULL ? slash + 1 : r->asked_for;
	/* Seen: Windows takes the NetBIOS name of the domain, and stumbles over its DNS name */
	if (n > 0 && (strlen(domain) != n || strncasecmp(r->asked_for, domain, n) != 0))
		return ERR(e, E_CANT_ACCESS_DOMAIN_INFO, "requestername %.120s: the domain is %s",
		    r->asked_for, domain);
	if ((*user)[0] == '\0' || strchr(*user, '@') != NULL)
		return ERR(e, E_NONE_MAPPED, "requestername %.120s: want %s\\user", r->asked_for, domain);
	return 0;
}

const char *
ca_wrapped_end_entity(struct ca_request *r)
{
	const struct x509_certificate *old = r->renewal;
	const char *mail, *upn;
	struct err ignored;

	if (old->sid != NULL)
		return old->sid;
	if (old->alt_names.len == 0 ||
	    x509_san_addresses(old->alt_names, r->pool, &mail, &upn, &ignored) != 0)
		return NULL;
	return upn;
}
