/*
 * The Signing_Cert table (MS-WCCE 3.2.1.1.2) as its readers see it: every certificate the CA has had, oldest
 * first, with the list of each key. What GetCAProperty, GetCACert, GetCRL and IsValidCertificate answer with;
 * these functions give the content, their callers marshal it. Loop's thread.
 *
 * index: 0 to ca_cert_count() - 1, the certificate index. CA_NEWEST (what -1 is on the wire) means the newest
 * certificate. Everything else is E_INVALIDARG. A key has the index of the first certificate that was made
 * for it (MS-WCCE 3.2.1.4.3.2.39), so 0, 1, 1, 3 are the key indexes of a CA renewed with a new key, the
 * same, a new one.
 */
#ifndef ADCSD_CA_CA_CERTS_H
#define ADCSD_CA_CA_CERTS_H

#include "base/buf.h"
#include "base/pool.h"

struct ca;

#define CA_NEWEST 0xFFFFFFFFu

/* CA_DISP_*, MS-WCCE 3.2.1.4.3.2.19 */
enum {
	CA_DISP_INCOMPLETE = 0,
	CA_DISP_ERROR = 1,
	CA_DISP_REVOKED = 2,
	CA_DISP_VALID = 3,
	CA_DISP_INVALID = 4,
};

/* ---- certificates ---- */

/* CR_PROP_CASIGCERTCOUNT; also cCASignatureCerts of CAINFO. At least 1. */
uint32_t
ca_cert_count(const struct ca *ca);
/* CR_PROP_CASIGCERT, GETCERT_CASIGCERT, GETCERT_CACERTBYINDEX. DER, lent for as long as the CA is open. */
int
ca_cert_get(const struct ca *ca, uint32_t index, struct bytes *der, struct err *e) MUST_CHECK;
/* The certificate at a place of its chain: 0 is the certificate itself, the last one the root. Empty past it.
 */
struct bytes
ca_cert_chain_get(const struct ca *ca, uint32_t index, size_t at);
/* CR_PROP_CASIGCERTCHAIN: degenerate PKCS #7, root first. With crls CR_PROP_CASIGCERTCRLCHAIN: also the
 * newest base and delta CRL of its key, so far as there are any; CRLs of the CAs above are not ours to give.
 * In the pool. */
int
ca_cert_pkcs7(
    struct ca *ca, uint32_t index, bool crls, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;
/* CR_PROP_CACERTSTATE: one CA_DISP_* octet for each certificate. In the pool. */
int
ca_cert_states(const struct ca *ca, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;
/* CR_PROP_CACERTSTATUSCODE: S_OK (0), or the HRESULT its chain's validation ends with at this (virtual) time,
 * CERT_E_EXPIRED. Revocation of the CAs above is not looked at. */
int
ca_cert_status(const struct ca *ca, uint32_t index, uint32_t *hr, struct err *e) MUST_CHECK;
/* CR_PROP_CACERTVERSION, one element of it: key index << 16 | certificate index. */
int
ca_cert_version(const struct ca *ca, uint32_t index, uint32_t *version, struct err *e) MUST_CHECK;
/* CR_PROP_CERTCDPURLS, CERTAIAURLS, CERTAIAOCSPURLS: the URLs that certificates signed by it get, each
 * followed by LF;
 * "" when there are none. In the pool. */
enum ca_cert_urls { CA_URLS_CDP, CA_URLS_AIA, CA_URLS_OCSP };
int
ca_cert_urls(const struct ca *ca, uint32_t index, enum ca_cert_urls which, struct pool *pool,
    const char **out, struct err *e) MUST_CHECK;
/* CR_PROP_CAFORWARDCROSSCERT and BACKWARDCROSSCERT: the cross certificate from this certificate's key to the
 * next one's, or to the one before. DER, lent. E_FILE_NOT_FOUND where there is none: no neighbour, or of the
 * same key. A root CA has them too, but MS-WCCE 3.2.1.4.3.2.35 has it answer with an error: E_INVALIDARG
 * unless RootCrossCertProperty = 1. */
int
ca_cross_cert_get(
    const struct ca *ca, uint32_t index, bool forward, struct bytes *der, struct err *e) MUST_CHECK;
/* CR_PROP_CAFORWARDCROSSCERTSTATE and BACKWARD...: one CA_DISP_* octet for each certificate, CA_DISP_ERROR
 * where there is no cross certificate. In the pool. */
int
ca_cross_cert_states(
    const struct ca *ca, bool forward, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;

/* ---- CRLs: one base and one delta for each key ---- */

/* CR_PROP_BASECRL and DELTACRL, GETCERT_CURRENTCRL, ICertAdminD::GetCRL (CA_NEWEST: the current key's): the
 * newest one. DER, in the pool. E_FILE_NOT_FOUND when there is none, and for a certificate that shares an
 * earlier one's key (CRL_Name_Id is the key's index); E_INVALIDARG when partition 0 is exclusive. */
int
ca_crl_get(struct ca *ca, uint32_t index, bool delta, struct pool *pool, struct bytes *der,
    struct err *e) MUST_CHECK;
/* CR_PROP_BASECRLPUBLISHSTATUS, DELTACRLPUBLISHSTATUS: CPF_* of that CRL. Errors as above. */
int
ca_crl_publish_status(struct ca *ca, uint32_t index, bool delta, uint32_t *flags, struct err *e) MUST_CHECK;
/* CR_PROP_CRLPARTITIONCOUNT: CRLMaxPartitions, 0 without partitions. */
uint32_t
ca_crl_partition_count(const struct ca *ca);
/* CR_PROP_PARTITIONED_BASECRL, PARTITIONED_DELTACRL and their publish status: partition << 16 | key's index.
 * E_INVALIDARG without partitions and out of range; else as above. */
int
ca_crl_partition_get(struct ca *ca, uint32_t index, bool delta, struct pool *pool, struct bytes *der,
    struct err *e) MUST_CHECK;
int
ca_crl_partition_publish_status(
    struct ca *ca, uint32_t index, bool delta, uint32_t *flags, struct err *e) MUST_CHECK;
/* CR_PROP_CRLSTATE: one CA_DISP_* octet for each certificate: CA_DISP_VALID for the one a key's CRLs are
 * counted under, CA_DISP_ERROR for later ones of that key, CA_DISP_INVALID when all of the key's certificates
 * have expired. */
int
ca_crl_states(const struct ca *ca, struct pool *pool, struct bytes *out, struct err *e) MUST_CHECK;

/* ICertAdminD::IsValidCertificate (MS-CSRA 3.1.4.1.5). serial: hexadecimal digits, as the client sent them.
 * disposition: 2 revoked, 3 valid, 4 never issued; reason: 0 unless revoked. */
int
ca_certificate_is_valid(
    struct ca *ca, const char *serial, int32_t *reason, int32_t *disposition, struct err *e) MUST_CHECK;

#endif
