/* Chains over OpenSSL: what it says in X509_V_ERR_*, in the words that Windows' chain policy has for it. */
#include "x509/chain.h"

#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "x509/name.h"
#include "x509/x509_priv.h"

#define PATH_MAX_TEXT 2048

DEFINE_AUTO(X509_STORE_CTX, X509_STORE_CTX_free)

static inline void
certificates_free(STACK_OF(X509) * *s)
{
	sk_X509_pop_free(*s, X509_free);
}
static inline void
borrowed_free(STACK_OF(X509) * *s)
{
	sk_X509_free(*s);
}
static inline void
crls_free(STACK_OF(X509_CRL) * *s)
{
	sk_X509_CRL_pop_free(*s, X509_CRL_free);
}
#define AUTO_STACK __attribute__((cleanup(certificates_free))) STACK_OF(X509)
#define AUTO_BORROWED __attribute__((cleanup(borrowed_free))) STACK_OF(X509)
#define AUTO_CRLS __attribute__((cleanup(crls_free))) STACK_OF(X509_CRL)

struct x509_chain_store {
	X509_STORE *trusted;
	STACK_OF(X509) * own, *aia, *logon;
};

/* ---- the store ---- */

struct x509_chain_store *
x509_chain_store_new(struct err *e)
{
	struct x509_chain_store *s = calloc(1, sizeof(*s));

	if (s != NULL) {
		s->trusted = X509_STORE_new();
		s->own = sk_X509_new_null();
		s->aia = sk_X509_new_null();
		s->logon = sk_X509_new_null();
	}
	if (s == NULL || s->trusted == NULL || s->own == NULL || s->aia == NULL || s->logon == NULL) {
		x509_chain_store_free(s);
		ERR(e, E_OUTOFMEMORY, "no memory for trusted certificates");
		return NULL;
	}
	return s;
}

void
x509_chain_store_free(struct x509_chain_store *s)
{
	if (s == NULL)
		return;
	X509_STORE_free(s->trusted);
	sk_X509_pop_free(s->own, X509_free);
	sk_X509_pop_free(s->aia, X509_free);
	sk_X509_pop_free(s->logon, X509_free);
	free(s);
}

static X509 *
to_openssl(struct bytes der)
{
	const unsigned char *p = der.p, *end = p + der.len;
	X509 *cert = der.len > 0 ? d2i_X509(NULL, &p, (long)der.len) : NULL;

	if (cert != NULL && p == end)
		return cert;
	X509_free(cert);
	return NULL;
}

/* The list's own reference. */
static int
push(STACK_OF(X509) * list, X509 *cert, struct err *e)
{
	if (X509_up_ref(cert) == 1) {
		if (sk_X509_push(list, cert) > 0)
			return 0;
		X509_free(cert);
	}
	return ERR(e, E_OUTOFMEMORY, "no memory for trusted certificates");
}

int
x509_chain_store_add(
    struct x509_chain_store *s, enum x509_chain_role role, struct bytes certificate, struct err *e)
{
	AUTO(X509) *cert = to_openssl(certificate);

	if (cert == NULL)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "no certificate: %s", x509_openssl_reason());
	if (role == X509_CHAIN_AIA)
		return push(s->aia, cert, e);
	if (role == X509_CHAIN_LOGON)
		return push(s->logon, cert, e);
	if (role == X509_CHAIN_ROOT && (X509_get_extension_flags(cert) & EXFLAG_SS) == 0)
		return ERR(e, CERT_E_UNTRUSTEDROOT, "a root that is not self-signed");
	if (role == X509_CHAIN_OWN && push(s->own, cert, e) != 0)
		return -1;
	if (X509_STORE_add_cert(s->trusted, cert) != 1)
		return ERR(e, E_OUTOFMEMORY, "no memory for trusted certificates");
	return 0;
}

/* ---- a question ---- */

struct asking {
	const struct x509_chain_store *s;
	const struct x509_chain_question *q;
	bool no_check; /* the certificate that failed has no distribution points */
};

/* No CRL in force, rather than one that says anything about the certificate. */
static bool
about_crl(int why)
{
	switch (why) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
	case X509_V_ERR_CRL_SIGNATURE_FAILURE:
	case X509_V_ERR_CRL_NOT_YET_VALID:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
	case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
	case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
	case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
	case X509_V_ERR_DIFFERENT_CRL_SCOPE:
	case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
		return true;
	default:
		return false;
	}
}

static bool
is_one_of(STACK_OF(X509) * list, const X509 *cert)
{
	for (int i = 0; i < sk_X509_num(list); i++) {
		if (X509_cmp(sk_X509_value(list, i), cert) == 0)
			return true;
	}
	return false;
}

/* Of certificates that this CA issued, its database tells. */
static bool
issued_by_us(const struct x509_chain_store *s, const X509 *cert)
{
	const X509 *own = sk_X509_num(s->own) > 0 ? sk_X509_value(s->own, 0) : NULL;

	return own != NULL && X509_NAME_cmp(X509_get_issuer_name(cert), X509_get_subject_name(own)) == 0;
}

/* A certificate is valid through its last second (RFC 5280 4.1.2.5); for OpenSSL it has expired then. */
static bool
last_second(X509_STORE_CTX *ctx, const X509 *cert)
{
	time_t at = X509_VERIFY_PARAM_get_time(X509_STORE_CTX_get0_param(ctx));

	return X509_STORE_CTX_get_error(ctx) == X509_V_ERR_CERT_HAS_EXPIRED &&
	    ASN1_TIME_cmp_time_t(X509_get0_notAfter(cert), at) == 0;
}

static bool
is_in_directory(const GENERAL_NAME *name)
{
	const ASN1_IA5STRING *uri = name->type == GEN_URI ? name->d.uniformResourceIdentifier : NULL;

	return uri != NULL && uri->length >= 5 && strncasecmp((const char *)uri->data, "ldap:", 5) == 0;
}

static bool
points_into_directory(const X509 *cert)
{
	CRL_DIST_POINTS *points = X509_get_ext_d2i(cert, NID_crl_distribution_points, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
		const DIST_POINT_NAME *at = sk_DIST_POINT_value(points, i)->distpoint;
		const GENERAL_NAMES *names = at != NULL && at->type == 0 ? at->name.fullname : NULL;

		for (int k = 0; k < sk_GENERAL_NAME_num(names); k++)
			found |= is_in_directory(sk_GENERAL_NAME_value(names, k));
	}
	CRL_DIST_POINTS_free(points);
	return found;
}

/* Is there nothing to be had that tells of this certificate, and is that no obstacle? */
static bool
goes_without(const struct x509_chain_question *q, const X509 *cert, bool points)
{
	if (!points)
		return q->ignore_no_check;
	return q->ignore_offline || (q->directory_only && !points_into_directory(cert));
}

/* OpenSSL wants a CRL for each certificate of the chain, the root included. */
static int
on_problem(int ok, X509_STORE_CTX *ctx)
{
	struct asking *a = X509_STORE_CTX_get_app_data(ctx);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	bool last, points;

	if (ok || cert == NULL)
		return ok;
	if (last_second(ctx, cert)) {
		X509_STORE_CTX_set_error(ctx, X509_V_OK);
		return 1;
	}
	if (!about_crl(X509_STORE_CTX_get_error(ctx)))
		return 0;
	last = X509_STORE_CTX_get_error_depth(ctx) + 1 >= sk_X509_num(X509_STORE_CTX_get0_chain(ctx));
	points = X509_get_ext_by_NID(cert, NID_crl_distribution_points, -1) >= 0;
	if (!last && !goes_without(a->q, cert, points) && !is_one_of(a->s->own, cert) &&
	    !issued_by_us(a->s, cert)) {
		a->no_check = !points;
		return 0;
	}
	X509_STORE_CTX_set_error(ctx, X509_V_OK);
	return 1;
}

static STACK_OF(X509) * beside(const struct x509_cms *cms)
{
	STACK_OF(X509) *list = sk_X509_new_null();

	for (size_t i = 0; list != NULL && cms != NULL && i < cms->n_certificates; i++) {
		AUTO(X509) *cert = to_openssl(cms->certificates[i].raw);

		/* what OpenSSL cannot read stands between nobody */
		if (cert != NULL && sk_X509_push(list, cert) > 0)
			cert = NULL;
	}
	(void)x509_openssl_reason();
	return list;
}

static STACK_OF(X509_CRL) * read_crls(const struct x509_chain_question *q)
{
	STACK_OF(X509_CRL) *list = sk_X509_CRL_new_null();

	for (size_t i = 0; list != NULL && i < q->n_crls; i++) {
		const unsigned char *p = q->crls[i].p;
		X509_CRL *crl = d2i_X509_CRL(NULL, &p, (long)q->crls[i].len);

		if (crl != NULL && sk_X509_CRL_push(list, crl) <= 0)
			X509_CRL_free(crl);
	}
	(void)x509_openssl_reason();
	return list;
}

static void
put_subject(struct buf *out, const X509 *cert)
{
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(X509_get_subject_name(cert), &der);
	size_t before = out->len;

	if (n < 0 || x509_name_to_text(out, (struct bytes){ der, (size_t)n }, NULL) != 0 ||
	    out->len == before)
		buf_put_str(out, "(no name)");
	OPENSSL_free(der);
}

/* How far the chain came. */
static const char *
path_text(X509_STORE_CTX *ctx, const X509 *leaf, struct pool *pool)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	const char *text = NULL;
	struct buf b;

	buf_init(&b, PATH_MAX_TEXT);
	put_subject(&b, leaf);
	for (int i = 1; i < sk_X509_num(chain); i++) {
		buf_put_str(&b, " < ");
		put_subject(&b, sk_X509_value(chain, i));
	}
	if (buf_ok(&b))
		text = pool_strdup(pool, buf_cstr(&b));
	buf_fini(&b);
	return text != NULL ? text : "a long chain";
}

/* What CertVerifyCertificateChainPolicy(CERT_CHAIN_POLICY_BASE) makes of the same. */
static uint32_t
hresult_of(int why)
{
	switch (why) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return CERT_E_EXPIRED;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		return TRUST_E_CERT_SIGNATURE;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return CERT_E_UNTRUSTEDROOT;
	case X509_V_ERR_CERT_REVOKED:
		return CRYPT_E_REVOKED;
	case X509_V_ERR_INVALID_CA:
	case X509_V_ERR_INVALID_NON_CA:
	case X509_V_ERR_PATH_LENGTH_EXCEEDED:
		return TRUST_E_BASIC_CONSTRAINTS;
	case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
		return CERT_E_WRONG_USAGE;
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return CERT_E_INVALID_NAME;
	default:
		return about_crl(why) ? CRYPT_E_REVOCATION_OFFLINE : CERT_E_CHAINING;
	}
}

static int
chain_error(X509_STORE_CTX *ctx, const struct asking *a, struct err *e)
{
	int why = X509_STORE_CTX_get_error(ctx);
	bool no_check = a->no_check && about_crl(why);
	X509 *cert = X509_STORE_CTX_get_current_cert(ctx);
	struct buf name;

	buf_init(&name, PATH_MAX_TEXT);
	if (cert != NULL)
		put_subject(&name, cert);
	ERR(e, no_check ? CRYPT_E_NO_REVOCATION_CHECK : hresult_of(why), "%s: %s",
	    buf_ok(&name) ? buf_cstr(&name) : "its chain",
	    no_check ? "it has no CRL distribution points" : X509_verify_cert_error_string(why));
	buf_fini(&name);
	(void)x509_openssl_reason();
	return -1;
}

/* Ours: a renewed CA certificate with the same key counts, too, where Windows compares hashes of whatever
 * chain it built. */
static bool
same_ca(const X509 *a, const X509 *b)
{
	return X509_cmp(a, b) == 0 ||
	    (X509_NAME_cmp(X509_get_subject_name(a), X509_get_subject_name(b)) == 0 &&
		EVP_PKEY_eq(X509_get0_pubkey(a), X509_get0_pubkey(b)) == 1);
}

static int
check_logon(const struct x509_chain_store *s, X509_STORE_CTX *ctx, struct err *e)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(ctx);
	const X509 *issuer = sk_X509_value(chain, sk_X509_num(chain) > 1 ? 1 : 0);
	struct buf name;

	for (int i = 0; i < sk_X509_num(s->logon); i++) {
		if (same_ca(sk_X509_value(s->logon, i), issuer))
			return 0;
	}
	(void)x509_openssl_reason();
	buf_init(&name, PATH_MAX_TEXT);
	put_subject(&name, issuer);
	ERR(e, CERT_E_UNTRUSTEDCA, "%s, which issued it, is not in NTAuthCertificates", buf_cstr(&name));
	buf_fini(&name);
	return -1;
}

/* One look. With CRLs OpenSSL tells of them before it tells of signatures and times. */
static int
look(struct asking *a, X509 *cert, STACK_OF(X509) * between, STACK_OF(X509_CRL) * crls, X509_STORE_CTX **out,
    struct err *e)
{
	/* an own certificate that is no root is trusted all the same; unknown critical extensions are common
	 */
	unsigned long flags = X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_IGNORE_CRITICAL;
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();

	X509_STORE_CTX_free(*out);
	*out = ctx;
	if (ctx == NULL || X509_STORE_CTX_init(ctx, a->s->trusted, cert, between) != 1 ||
	    X509_STORE_CTX_set_app_data(ctx, a) != 1)
		return ERR(e, E_OUTOFMEMORY, "no memory for a chain: %s", x509_openssl_reason());
	if (crls != NULL) {
		flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL |
		    X509_V_FLAG_EXTENDED_CRL_SUPPORT | X509_V_FLAG_USE_DELTAS;
		X509_STORE_CTX_set0_crls(ctx, crls);
	}
	X509_STORE_CTX_set_verify_cb(ctx, on_problem);
	X509_STORE_CTX_set_time(ctx, 0, (time_t)((a->q->at - FILETIME_UNIX_EPOCH) / FILETIME_SECOND));
	X509_STORE_CTX_set_flags(ctx, flags);
	return X509_verify_cert(ctx) == 1 ? 0 : chain_error(ctx, a, e);
}

int
x509_chain_check(const struct x509_chain_store *s, const struct x509_chain_question *q, struct pool *pool,
    const char **path, struct err *e)
{
	struct asking asking = { s, q, false };
	AUTO(X509_STORE_CTX) *ctx = NULL;
	AUTO(X509) *cert = to_openssl(q->certificate->raw);
	AUTO_STACK *others = beside(q->beside);
	AUTO_CRLS *crls = read_crls(q);
	AUTO_BORROWED *between = sk_X509_dup(s->aia);
	int rc;

	if (path != NULL)
		*path = "";
	if (cert == NULL)
		return ERR(e, CRYPT_E_ASN1_BADTAG, "a signer's certificate: %s", x509_openssl_reason());
	if (others == NULL || crls == NULL || between == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a chain");
	for (int i = 0; i < sk_X509_num(others); i++) {
		if (sk_X509_push(between, sk_X509_value(others, i)) <= 0)
			return ERR(e, E_OUTOFMEMORY, "no memory for a chain");
	}
	rc = look(&asking, cert, between, NULL, &ctx, e);
	if (rc == 0 && q->revocation)
		rc = look(&asking, cert, between, crls, &ctx, e);
	if (rc == 0 && q->logon)
		rc = check_logon(s, ctx, e);
	if (path != NULL && ctx != NULL)
		*path = path_text(ctx, cert, pool);
	return rc;
}

int
x509_ca_check_signer(const struct x509_ca *ca, const struct x509_cms *cms,
    const struct x509_certificate *certificate, filetime_t at, struct err *e)
{
	struct x509_chain_question q = { .certificate = certificate, .beside = cms, .at = at };
	struct x509_chain_store *s = x509_chain_store_new(e);
	int rc = s != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < x509_ca_chain_len(ca); i++)
		rc = x509_chain_store_add(s, X509_CHAIN_OWN, x509_ca_chain_der(ca, i), e);
	if (rc == 0)
		rc = x509_chain_check(s, &q, NULL, NULL, e);
	x509_chain_store_free(s);
	return rc;
}
