#include "x509/constraints.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "x509/x509_priv.h"

#define CERT_MAX (512 * 1024)

DEFINE_AUTO(NAME_CONSTRAINTS, NAME_CONSTRAINTS_free)
DEFINE_AUTO(CERTIFICATEPOLICIES, CERTIFICATEPOLICIES_free)

static X509 *
read_cert(struct bytes der)
{
	const unsigned char *p = der.p;
	X509 *cert = d2i_X509(NULL, &p, (long)der.len);

	if (cert == NULL)
		(void)x509_openssl_reason();
	return cert;
}

static bool
has(const X509 *cert, int nid)
{
	return X509_get_ext_by_NID(cert, nid, -1) >= 0;
}

static bool
constrains(X509 *cert, bool root)
{
	return has(cert, NID_name_constraints) || X509_get_pathlen(cert) >= 0 ||
	    (!root && has(cert, NID_certificate_policies));
}

bool
x509_ca_is_constrained(const struct x509_ca *ca)
{
	return x509_ca_signer(ca)->constrained;
}

bool
x509_chain_constrains(X509 *const certs[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (constrains(certs[i], i + 1 == n))
			return true;
	}
	return false;
}

/* ---- one certificate above, one below ---- */

static int
check_names(X509 *above, X509 *below, struct err *e)
{
	AUTO(NAME_CONSTRAINTS) *nc = X509_get_ext_d2i(above, NID_name_constraints, NULL, NULL);
	int why;

	if (nc == NULL) {
		(void)x509_openssl_reason();
		return has(above, NID_name_constraints)
		    ? ERR(e, CERT_E_INVALID_NAME, "the name constraints of a CA certificate cannot be read")
		    : 0;
	}
	why = NAME_CONSTRAINTS_check(below, nc);
	if (why == X509_V_OK)
		return 0;
	(void)x509_openssl_reason();
	return ERR(e, CERT_E_INVALID_NAME, "name constraints of the CA certificate: %s",
	    X509_verify_cert_error_string(why));
}

/* above: `between` CA certificates stand between it and the new one. */
static int
check_path(X509 *above, long between, struct err *e)
{
	long allowed = X509_get_pathlen(above);

	if (allowed < 0 || between <= allowed)
		return 0;
	return ERR(e, TRUST_E_BASIC_CONSTRAINTS,
	    "a CA certificate lets %ld CA certificates follow, this would be number %ld", allowed, between);
}

static bool
names_policy(const CERTIFICATEPOLICIES *list, const ASN1_OBJECT *policy)
{
	for (int i = 0; i < sk_POLICYINFO_num(list); i++) {
		const ASN1_OBJECT *have = sk_POLICYINFO_value(list, i)->policyid;

		if (OBJ_obj2nid(have) == NID_any_policy || OBJ_cmp(have, policy) == 0)
			return true;
	}
	return false;
}

static int
check_policies(X509 *above, const CERTIFICATEPOLICIES *wanted, struct err *e)
{
	AUTO(CERTIFICATEPOLICIES) *have = X509_get_ext_d2i(above, NID_certificate_policies, NULL, NULL);

	if (have == NULL) {
		(void)x509_openssl_reason();
		return 0; /* Ours: a CA certificate that says nothing forbids nothing */
	}
	for (int i = 0; i < sk_POLICYINFO_num(wanted); i++) {
		if (names_policy(have, sk_POLICYINFO_value(wanted, i)->policyid))
			return 0;
	}
	return ERR(e, CERT_E_INVALID_POLICY, "a CA certificate allows none of the issuance policies");
}

/* ---- the whole chain ---- */

static int
check_one(X509 *above, bool root, long between, X509 *new, const CERTIFICATEPOLICIES *wanted, struct err *e)
{
	if (check_names(above, new, e) != 0)
		return -1;
	if (X509_check_ca(new) == 1 && check_path(above, between, e) != 0)
		return -1;
	return root || wanted == NULL ? 0 : check_policies(above, wanted, e);
}

static int
check_chain(const struct x509_ca *ca, X509 *new, bool ignore_policies, struct err *e)
{
	AUTO(CERTIFICATEPOLICIES) *wanted = NULL;
	size_t n = x509_ca_chain_len(ca);

	if (!ignore_policies)
		wanted = X509_get_ext_d2i(new, NID_certificate_policies, NULL, NULL);
	(void)x509_openssl_reason();
	for (size_t i = 0; i < n; i++) {
		AUTO(X509) *above = read_cert(x509_ca_chain_der(ca, i));

		if (above == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for the chain");
		if (check_one(above, i + 1 == n, (long)i + 1, new, wanted, e) != 0)
			return -1;
	}
	return 0;
}

/* The certificate as it will be, but for its signature: OpenSSL wants one. */
static X509 *
unsigned_cert(const struct x509_ca *ca, const struct x509_cert_plan *plan, struct err *e)
{
	static const uint8_t nothing[] = { 0, 0 };
	struct bytes alg = x509_ca_signer(ca)->alg->der;
	struct x509_cert_plan copy = *plan;
	X509 *cert = NULL;
	struct buf b;
	size_t outer;

	if (copy.serial_len == 0) {
		copy.serial[0] = 1;
		copy.serial_len = 1;
	}
	buf_init(&b, CERT_MAX);
	outer = der_open(&b, DER_SEQUENCE);
	if (x509_tbs_put(&b, &copy, alg, e) == 0) {
		buf_put_bytes(&b, alg);
		der_put(&b, DER_BIT_STRING, (struct bytes){ nothing, sizeof(nothing) });
		der_close(&b, outer);
		cert = buf_ok(&b) ? read_cert(buf_bytes(&b)) : NULL;
		/* OpenSSL keeps the alternative names it checks when it is first asked about a certificate */
		if (cert == NULL || X509_check_purpose(cert, -1, 0) != 1) {
			ERR(e, E_INVALID_DATA, "the certificate to be cannot be read: %s",
			    x509_openssl_reason());
			X509_free(cert);
			cert = NULL;
		}
	}
	buf_fini(&b);
	return cert;
}

int
x509_ca_check_plan(
    const struct x509_ca *ca, const struct x509_cert_plan *plan, bool ignore_policies, struct err *e)
{
	AUTO(X509) *new = NULL;

	if (!x509_ca_is_constrained(ca))
		return 0;
	new = unsigned_cert(ca, plan, e);
	return new != NULL ? check_chain(ca, new, ignore_policies, e) : -1;
}
