/*
 * What every flag bit of a template is called and who acts on it (MS-CRTD 2.4, 2.26 to 2.28; certca.h). Bits
 * no row names are unknown to the published specifications.
 */
#include "policy/template.h"

/* clang-format off */
#define SERVER NULL, false, NULL
#define LABEL(text) (text), false, NULL
#define CLIENT(label, what) (label), true, (what)

const struct policy_bit policy_general_bits[] = {
	{ 0x1, "ENROLLEE_SUPPLIES_SUBJECT", CLIENT(NULL, "Windows 2000 form of name flag 0x1, ignored") },
	{ 0x2, "ADD_EMAIL", CLIENT(NULL, "Windows 2000 leftover, ignored") },
	{ 0x4, "ADD_OBJ_GUID", CLIENT(NULL, "Windows 2000 leftover, ignored") },
	{ 0x8, "PUBLISH_TO_DS", CLIENT(NULL, "leftover; the live bit is enrollment flag 0x8") },
	{ 0x10, "EXPORTABLE_KEY", CLIENT(NULL, "leftover; the live bit is private key flag 0x10") },
	{ 0x20, "AUTO_ENROLLMENT", CLIENT(NULL, "same as enrollment flag 0x20") },
	{ 0x40, "MACHINE_TYPE", LABEL("Subject type: Computer") },
	{ 0x80, "IS_CA", LABEL("Subject type: Certification authority") },
	{ 0x100, "ADD_DIRECTORY_PATH", CLIENT(NULL, "Windows 2000 leftover, ignored") },
	{ 0x200, "ADD_TEMPLATE_NAME", SERVER },
	{ 0x400, "ADD_SUBJECT_DIRECTORY_PATH", CLIENT(NULL, "Windows 2000 leftover, ignored") },
	{ 0x800, "IS_CROSS_CA", LABEL("Subject type: Cross-certified certification authority") },
	{ 0x1000, "DONOTPERSISTINDB", LABEL("Do not store certificates and requests in the CA database") },
	{ 0x10000, "IS_DEFAULT", SERVER },
	{ 0x20000, "IS_MODIFIED", SERVER },
	{ 0, NULL, SERVER },
};

const struct policy_bit policy_enrollment_bits[] = {
	{ 0x1, "INCLUDE_SYMMETRIC_ALGORITHMS", LABEL("Include symmetric algorithms allowed by the subject") },
	{ 0x2, "PEND_ALL_REQUESTS", LABEL("CA certificate manager approval") },
	{ 0x4, "PUBLISH_TO_KRA_CONTAINER", SERVER },
	{ 0x8, "PUBLISH_TO_DS", LABEL("Publish certificate in Active Directory") },
	{ 0x10, "AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE",
	    CLIENT("Do not automatically reenroll if a duplicate certificate exists in Active Directory",
		"does not autoenroll while userCertificate holds a valid certificate of this template") },
	{ 0x20, "AUTO_ENROLLMENT", CLIENT(NULL, "may autoenroll, if the account has the Autoenroll right too") },
	{ 0x40, "PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT",
	    LABEL("Require for reenrollment: Valid existing certificate") },
	{ 0x80, "DOMAIN_AUTHENTICATION_NOT_REQUIRED", CLIENT(NULL, "no documented effect") },
	{ 0x100, "USER_INTERACTION_REQUIRED", CLIENT("Prompt the user during enrollment", "asks the user") },
	{ 0x200, "ADD_TEMPLATE_NAME", SERVER },
	{ 0x400, "REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE",
	    CLIENT("Delete revoked or expired certificates (do not archive)",
		"deletes revoked and expired certificates instead of archiving them") },
	{ 0x800, "ALLOW_ENROLL_ON_BEHALF_OF", SERVER },
	{ 0x1000, "ADD_OCSP_NOCHECK", SERVER },
	{ 0x2000, "ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL",
	    CLIENT("For automatic renewal of smart card certificates, use the existing key if a new key cannot be "
		   "created", "reuses the key of a full smart card") },
	{ 0x4000, "NOREVOCATIONINFOINISSUEDCERTS", LABEL("Do not include revocation information in issued certificates") },
	{ 0x8000, "INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS", LABEL("Basic Constraints: Enable this extension") },
	{ 0x10000, "ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT", LABEL("Allow key based renewal") },
	{ 0x20000, "ISSUANCE_POLICIES_FROM_REQUEST", LABEL("Issuance Policies: include policies from the request") },
	{ 0x40000, "SKIP_AUTO_RENEWAL", CLIENT(NULL, "does not renew by itself") },
	{ 0x80000, "NO_SECURITY_EXTENSION", SERVER },
	{ 0, NULL, SERVER },
};

const struct policy_bit policy_private_key_bits[] = {
	{ 0x1, "REQUIRE_PRIVATE_KEY_ARCHIVAL", LABEL("Archive subject's encryption private key") },
	{ 0x10, "EXPORTABLE_KEY", CLIENT("Allow private key to be exported", "makes an exportable key") },
	{ 0x20, "STRONG_KEY_PROTECTION_REQUIRED",
	    CLIENT("Prompt the user during enrollment and require user input when the private key is used",
		"prompts when the key is used") },
	{ 0x40, "REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM",
	    CLIENT("Use alternate signature format", "signs the request with PSS") },
	{ 0x80, "REQUIRE_SAME_KEY_RENEWAL", LABEL("Renew with the same key") },
	{ 0x100, "USE_LEGACY_PROVIDER",
	    CLIENT("Provider Category: Legacy Cryptographic Service Provider", "uses a CSP, not a KSP") },
	{ 0x200, "EK_TRUST_ON_USE", LABEL("Perform attestation based on: User credentials") },
	{ 0x400, "EK_VALIDATE_CERT", LABEL("Perform attestation based on: Hardware certificate") },
	{ 0x800, "EK_VALIDATE_KEY", LABEL("Perform attestation based on: Hardware key") },
	{ 0x1000, "ATTEST_PREFERRED", LABEL("Key Attestation: Required, if client is capable") },
	{ 0x2000, "ATTEST_REQUIRED", LABEL("Key Attestation: Required") },
	{ 0x4000, "ATTESTATION_WITHOUT_POLICY",
	    LABEL("Perform attestation only (do not include issuance policies)") },
	{ 0x100000, "HELLO_KSP_KEY", CLIENT(NULL, "makes a Windows Hello key") },
	{ 0x200000, "HELLO_LOGON_KEY", CLIENT(NULL, "makes a Windows Hello logon key") },
	{ 0, NULL, SERVER },
};

const struct policy_bit policy_name_bits[] = {
	{ 0x1, "ENROLLEE_SUPPLIES_SUBJECT", LABEL("Supply in the request") },
	{ 0x8, "OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME",
	    CLIENT("Use subject information from existing certificates for autoenrollment renewal requests",
		"copies subject and alternative name of the old certificate into the renewal") },
	{ 0x10000, "ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME", CLIENT(NULL, "the CA must ignore it") },
	{ 0x400000, "SUBJECT_ALT_REQUIRE_DOMAIN_DNS", SERVER },
	{ 0x800000, "SUBJECT_ALT_REQUIRE_SPN", LABEL("Alternate subject name: Service principal name (SPN)") },
	{ 0x1000000, "SUBJECT_ALT_REQUIRE_DIRECTORY_GUID", SERVER },
	{ 0x2000000, "SUBJECT_ALT_REQUIRE_UPN", LABEL("Alternate subject name: User principal name (UPN)") },
	{ 0x4000000, "SUBJECT_ALT_REQUIRE_EMAIL", LABEL("Alternate subject name: E-mail name") },
	{ 0x8000000, "SUBJECT_ALT_REQUIRE_DNS", LABEL("Alternate subject name: DNS name") },
	{ 0x10000000, "SUBJECT_REQUIRE_DNS_AS_CN", LABEL("Subject name format: DNS name") },
	{ 0x20000000, "SUBJECT_REQUIRE_EMAIL", LABEL("Include e-mail name in subject name") },
	{ 0x40000000, "SUBJECT_REQUIRE_COMMON_NAME", LABEL("Subject name format: Common name") },
	{ 0x80000000, "SUBJECT_REQUIRE_DIRECTORY_PATH", LABEL("Subject name format: Fully distinguished name") },
	{ 0, NULL, SERVER },
};
/* clang-format on */
