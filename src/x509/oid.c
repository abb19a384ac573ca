/* Well-known object identifiers by the names that the Windows consoles give them. */
#include <ctype.h>
#include <string.h>

#include "x509/ext.h"

static const struct oid_row {
	const char *oid, *name;
} rows[] = {
	/* extended key usages and application policies */
	{ "1.3.6.1.5.5.7.3.1", "Server Authentication" },
	{ "1.3.6.1.5.5.7.3.2", "Client Authentication" },
	{ "1.3.6.1.5.5.7.3.3", "Code Signing" },
	{ "1.3.6.1.5.5.7.3.4", "Secure Email" },
	{ "1.3.6.1.5.5.7.3.5", "IP security end system" },
	{ "1.3.6.1.5.5.7.3.6", "IP security tunnel termination" },
	{ "1.3.6.1.5.5.7.3.7", "IP security user" },
	{ "1.3.6.1.5.5.7.3.8", "Time Stamping" },
	{ "1.3.6.1.5.5.7.3.9", "OCSP Signing" },
	{ "1.3.6.1.5.5.8.2.2", "IP security IKE intermediate" },
	{ "1.3.6.1.5.2.3.4", "PKINIT Client Authentication" },
	{ "1.3.6.1.5.2.3.5", "KDC Authentication" },
	{ "1.3.6.1.4.1.311.2.6.1", "SpcRelaxedPEMarkerCheck" },
	{ "1.3.6.1.4.1.311.2.6.2", "SpcEncryptedDigestRetryCount" },
	{ "1.3.6.1.4.1.311.10.3.1", "Microsoft Trust List Signing" },
	{ "1.3.6.1.4.1.311.10.3.2", "Microsoft Time Stamping" },
	{ "1.3.6.1.4.1.311.10.3.4", "Encrypting File System" },
	{ "1.3.6.1.4.1.311.10.3.4.1", "File Recovery" },
	{ "1.3.6.1.4.1.311.10.3.5", "Windows Hardware Driver Verification" },
	{ "1.3.6.1.4.1.311.10.3.6", "Windows System Component Verification" },
	{ "1.3.6.1.4.1.311.10.3.9", "Root List Signer" },
	{ "1.3.6.1.4.1.311.10.3.10", "Qualified Subordination" },
	{ "1.3.6.1.4.1.311.10.3.11", "Key Recovery" },
	{ "1.3.6.1.4.1.311.10.3.12", "Document Signing" },
	{ "1.3.6.1.4.1.311.10.3.13", "Lifetime Signing" },
	{ "1.3.6.1.4.1.311.10.5.1", "Digital Rights" },
	{ "1.3.6.1.4.1.311.10.6.1", "Key Pack Licenses" },
	{ "1.3.6.1.4.1.311.10.6.2", "License Server Verification" },
	{ "1.3.6.1.4.1.311.10.12.1", "All application policies" },
	{ "1.3.6.1.4.1.311.20.1", "CTL Usage" },
	{ "1.3.6.1.4.1.311.20.2.1", "Certificate Request Agent" },
	{ "1.3.6.1.4.1.311.20.2.2", "Smart Card Logon" },
	{ "1.3.6.1.4.1.311.21.5", "Private Key Archival" },
	{ "1.3.6.1.4.1.311.21.6", "Key Recovery Agent" },
	{ "1.3.6.1.4.1.311.21.19", "Directory Service Email Replication" },
	{ "1.3.6.1.4.1.311.54.1.2", "Remote Desktop Authentication" },
	{ "1.3.6.1.4.1.311.80.1", "Document Encryption" },
	{ "2.5.29.37.0", "Any Purpose" },
	/* issuance policies */
	{ "2.5.29.32.0", "All issuance policies" },
	/* extensions */
	{ OID_SUBJECT_KEY_IDENTIFIER, "Subject Key Identifier" },
	{ OID_KEY_USAGE, "Key Usage" },
	{ OID_SUBJECT_ALT_NAME, "Subject Alternative Name" },
	{ OID_BASIC_CONSTRAINTS, "Basic Constraints" },
	{ OID_CRL_DISTRIBUTION_POINTS, "CRL Distribution Points" },
	{ OID_CERTIFICATE_POLICIES, "Certificate Policies" },
	{ OID_AUTHORITY_KEY_IDENTIFIER, "Authority Key Identifier" },
	{ OID_EXTENDED_KEY_USAGE, "Enhanced Key Usage" },
	{ OID_AUTHORITY_INFO_ACCESS, "Authority Information Access" },
	{ OID_SMIME_CAPABILITIES, "SMIME Capabilities" },
	{ OID_ENROLL_CERTTYPE, "Certificate Template Name" },
	{ OID_CERTIFICATE_TEMPLATE, "Certificate Template Information" },
	{ OID_APPLICATION_CERT_POLICIES, "Application Policies" },
	{ OID_CERTSRV_CA_VERSION, "CA Version" },
	{ OID_NTDS_CA_SECURITY_EXT, "NTDS CA Security" },
	{ OID_PKIX_OCSP_NOCHECK, "OCSP No Revocation Checking" },
	{ "2.5.29.20", "CRL Number" },
	{ "2.5.29.27", "Delta CRL Indicator" },
	{ "2.5.29.28", "Issuing Distribution Point" },
	{ "2.5.29.46", "Freshest CRL" },
	{ "1.3.6.1.4.1.311.21.4", "Next CRL Publish" },
	{ "1.3.6.1.4.1.311.21.14", "Published CRL Locations" },
	{ "1.3.6.1.4.1.311.21.2", "Previous CA Certificate Hash" },
	/* request attributes */
	{ "1.2.840.113549.1.9.7", "Challenge Password" },
	{ "1.2.840.113549.1.9.14", "Certificate Extensions" },
	{ "1.3.6.1.4.1.311.2.1.14", "Certificate Extensions" },
	{ "1.3.6.1.4.1.311.13.1", "Renewal Certificate" },
	{ "1.3.6.1.4.1.311.13.2.1", "Enrollment Name Value Pair" },
	{ "1.3.6.1.4.1.311.13.2.2", "Enrollment CSP" },
	{ "1.3.6.1.4.1.311.13.2.3", "OS Version" },
	{ "1.3.6.1.4.1.311.20.2.3", "Principal Name" },
	{ "1.3.6.1.4.1.311.21.13", "Archived Key" },
	{ "1.3.6.1.4.1.311.21.20", "Client Information" },
	/* keys and signatures */
	{ "1.2.840.113549.1.1.1", "RSA" },
	{ "1.2.840.113549.1.1.5", "sha1RSA" },
	{ "1.2.840.113549.1.1.10", "RSASSA-PSS" },
	{ "1.2.840.113549.1.1.11", "sha256RSA" },
	{ "1.2.840.113549.1.1.12", "sha384RSA" },
	{ "1.2.840.113549.1.1.13", "sha512RSA" },
	{ "1.2.840.10045.2.1", "ECC" },
	{ "1.2.840.10045.4.3.2", "sha256ECDSA" },
	{ "1.2.840.10045.4.3.3", "sha384ECDSA" },
	{ "1.2.840.10045.4.3.4", "sha512ECDSA" },
};

const char *
x509_oid_name(const char *oid)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (strcmp(rows[i].oid, oid) == 0)
			return rows[i].name;
	}
	return NULL;
}

/* Equal but for case, with '-' for ' ' so that names need no quotes on a command line. */
static bool
name_matches(const char *name, const char *typed, size_t n)
{
	if (strlen(name) != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char t = typed[i] == '-' ? ' ' : typed[i], c = name[i] == '-' ? ' ' : name[i];

		if (tolower((unsigned char)t) != tolower((unsigned char)c))
			return false;
	}
	return true;
}

const char *
x509_oid_from_name(const char *name, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (name_matches(rows[i].name, name, n))
			return rows[i].oid;
	}
	return NULL;
}
