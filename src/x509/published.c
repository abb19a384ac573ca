#include "x509/published.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "x509/name.h"
#include "x509/x509_priv.h"

#define TEXT_MAX 65536

DEFINE_AUTO(X509_CRL, X509_CRL_free)

static const char *
name_text(struct pool *pool, const X509_NAME *name)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(name, &der);
	const char *text = NULL;
	struct buf b;

	buf_init(&b, TEXT_MAX);
	if (n >= 0 && x509_name_to_text(&b, (struct bytes){ der, (size_t)n }, NULL) == 0)
		text = pool_strdup(pool, buf_cstr(&b));
	buf_fini(&b);
	OPENSSL_free(der);
	return text != NULL ? text : "";
}

/* The last common name is the leaf's. */
static const char *
common_name(struct pool *pool, const X509_NAME *name, const char *otherwise)
{
	const char *text = NULL;
	unsigned char *utf8 = NULL;
	int at = -1, n;

	for (int i = -1; (i = X509_NAME_get_index_by_NID(name, NID_commonName, i)) >= 0;)
		at = i;
	if (at < 0)
		return otherwise;
	n = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (n > 0 && memchr(utf8, 0, (size_t)n) == NULL)
		text = pool_strndup(pool, (const char *)utf8, (size_t)n);
	OPENSSL_free(utf8);
	return text != NULL ? text : otherwise;
}

static filetime_t
filetime_of(const ASN1_TIME *t)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = 0, seconds = 0;
	filetime_t out = 0;

	if (t != NULL && epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, t) == 1)
		out = FILETIME_UNIX_EPOCH + ((filetime_t)days * 86400 + seconds) * FILETIME_SECOND;
	ASN1_TIME_free(epoch);
	return out;
}

int
x509_published_read(struct x509_published *out, struct pool *pool, struct bytes der, struct err *e)
{
	const unsigned char *p = der.p;
	AUTO(X509) *cert = d2i_X509(NULL, &p, (long)der.len);
	const unsigned char *q = der.p;
	AUTO(X509_CRL) *crl = cert == NULL ? d2i_X509_CRL(NULL, &q, (long)der.len) : NULL;
	const X509_NAME *name;

	memset(out, 0, sizeof(*out));
	(void)x509_openssl_reason();
	if ((cert != NULL && p != der.p + der.len) || (crl != NULL && q != der.p + der.len) ||
	    (cert == NULL && crl == NULL))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "neither a certificate nor a CRL");
	out->crl = crl != NULL;
	if (crl != NULL) {
		name = X509_CRL_get_issuer(crl);
		out->delta = X509_CRL_get_ext_by_NID(crl, NID_delta_crl, -1) >= 0;
		out->from = filetime_of(X509_CRL_get0_lastUpdate(crl));
		out->until = filetime_of(X509_CRL_get0_nextUpdate(crl));
		out->issuer = name_text(pool, name);
	} else {
		name = X509_get_subject_name(cert);
		out->ca = X509_check_ca(cert) != 0;
		out->root = (X509_get_extension_flags(cert) & EXFLAG_SS) != 0;
		out->from = filetime_of(X509_get0_notBefore(cert));
		out->until = filetime_of(X509_get0_notAfter(cert));
		out->issuer = name_text(pool, X509_get_issuer_name(cert));
	}
	out->subject = name_text(pool, name);
	out->name = common_name(pool, name, out->subject);
	return 0;
}
