/*
 * Extension values: each writes the content of extnValue. MS-WCCE 2.2.2.7.7, RFC 5280 4.2. What cannot be
 * encoded (bad OID, malformed UTF-8, a URL that is not ASCII) fails the buffer.
 */
#ifndef ADCSD_X509_EXT_H
#define ADCSD_X509_EXT_H

#include "x509/request.h"

#define OID_SUBJECT_KEY_IDENTIFIER "2.5.29.14"
#define OID_KEY_USAGE "2.5.29.15"
#define OID_SUBJECT_ALT_NAME "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_CRL_DISTRIBUTION_POINTS "2.5.29.31"
#define OID_CERTIFICATE_POLICIES "2.5.29.32"
#define OID_AUTHORITY_KEY_IDENTIFIER "2.5.29.35"
#define OID_EXTENDED_KEY_USAGE "2.5.29.37"
#define OID_AUTHORITY_INFO_ACCESS "1.3.6.1.5.5.7.1.1"
#define OID_SMIME_CAPABILITIES "1.2.840.113549.1.9.15"
#define OID_ENROLL_CERTTYPE "1.3.6.1.4.1.311.20.2"
#define OID_CERTIFICATE_TEMPLATE "1.3.6.1.4.1.311.21.7"
#define OID_APPLICATION_CERT_POLICIES "1.3.6.1.4.1.311.21.10"
#define OID_CERTSRV_CA_VERSION "1.3.6.1.4.1.311.21.1"
#define OID_NTDS_CA_SECURITY_EXT "1.3.6.1.4.1.311.25.2"
#define OID_NTDS_OBJECTSID "1.3.6.1.4.1.311.25.2.1"
#define OID_NETSCAPE_CERT_TYPE "2.16.840.1.113730.1.1"
#define OID_PKIX_OCSP_NOCHECK "1.3.6.1.5.5.7.48.1.5"

struct x509_strings {
	const char *const *v;
	size_t n;
};

/* pKIKeyUsage octets (templates.md): trailing zero bits trimmed. */
void
x509_ext_key_usage(struct buf *out, struct bytes raw);
/* EKU and, in the other form, application policies (SEQUENCE OF SEQUENCE{OID}). Invalid OIDs fail the buffer.
 */
void
x509_ext_eku(struct buf *out, struct x509_strings oids);
void
x509_ext_application_policies(struct buf *out, struct x509_strings oids);
/* path_len < 0: none. */
void
x509_ext_basic_constraints(struct buf *out, bool ca, int64_t path_len);
/* 1.3.6.1.4.1.311.20.2: BMPString of the template's cn. */
void
x509_ext_template_name(struct buf *out, const char *cn);
void
x509_ext_template_info(struct buf *out, const char *oid, uint32_t major, uint32_t minor);
void
x509_ext_key_id(struct buf *out, struct bytes key_id); /* SKI */
void
x509_ext_authority_key_id(struct buf *out, struct bytes key_id);
/* RFC 5280 4.2.1.1 whole: what is empty is left out. issuer: Name DER of the issuer's issuer; serial: content
 * of the INTEGER in the issuer's certificate. */
void
x509_ext_authority_key(struct buf *out, struct bytes key_id, struct bytes issuer, struct bytes serial);
/* One DistributionPoint whose fullName lists all URLs. */
void
x509_ext_crl_distribution_points(struct buf *out, struct x509_strings urls);
void
x509_ext_authority_info_access(struct buf *out, struct x509_strings ca_issuers, struct x509_strings ocsp);
/* "S-1-5-21-..." (issuance section 5). */
void
x509_ext_sid(struct buf *out, const char *sid_text);
/* Policy qualifiers of one issuance policy (RFC 5280 4.2.1.4): CPS URIs in ASCII, notices in UTF-8. */
struct x509_policy_qualifiers {
	struct x509_strings cps, notices;
};
/* Issuance policies; qualifiers holds one entry for each OID, or is NULL: none has any. */
void
x509_ext_certificate_policies(
    struct buf *out, struct x509_strings oids, const struct x509_policy_qualifiers *qualifiers);

/* "Client Authentication" for "1.3.6.1.5.5.7.3.2": console names of the well-known OIDs; NULL when unknown.
 */
const char *
x509_oid_name(const char *oid);
/* The reverse, for n characters: without regard to case, '-' equal to ' '. NULL when unknown. */
const char *
x509_oid_from_name(const char *name, size_t n);

#endif
