/*
 * The certificate template as the CA reads it (MS-CRTD, MS-WCCE 3.2.2.6.2.1.4): directory attributes decoded
 * once per snapshot into an immutable model. Bits: templates.md section 5.
 */
#ifndef ADCSD_POLICY_TEMPLATE_H
#define ADCSD_POLICY_TEMPLATE_H

#include "auth/sd.h"
#include "x509/ext.h"

/* flags (general), MS-CRTD 2.4 */
enum {
	CT_FLAG_MACHINE_TYPE = 0x40,
	CT_FLAG_IS_CA = 0x80,
	CT_FLAG_ADD_TEMPLATE_NAME = 0x200,
	CT_FLAG_IS_CROSS_CA = 0x800,
	CT_FLAG_DONOTPERSISTINDB = 0x1000,
	CT_FLAG_IS_DEFAULT = 0x10000,
	CT_FLAG_IS_MODIFIED = 0x20000,
};
/* msPKI-Enrollment-Flag, MS-CRTD 2.26 */
enum {
	CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS = 0x1,
	CT_FLAG_PEND_ALL_REQUESTS = 0x2,
	CT_FLAG_PUBLISH_TO_KRA_CONTAINER = 0x4,
	CT_FLAG_PUBLISH_TO_DS = 0x8,
	CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE = 0x10,
	CT_FLAG_AUTO_ENROLLMENT = 0x20,
	CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT = 0x40,
	CT_FLAG_USER_INTERACTION_REQUIRED = 0x100,
	CT_FLAG_REMOVE_INVALID_CERTIFICATE_FROM_PERSONAL_STORE = 0x400,
	CT_FLAG_ALLOW_ENROLL_ON_BEHALF_OF = 0x800,
	CT_FLAG_ADD_OCSP_NOCHECK = 0x1000,
	CT_FLAG_ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL = 0x2000,
	CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS = 0x4000,
	CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS = 0x8000,
	CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT = 0x10000,
	CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST = 0x20000,
	CT_FLAG_SKIP_AUTO_RENEWAL = 0x40000,
	CT_FLAG_NO_SECURITY_EXTENSION = 0x80000,
};
/* msPKI-Private-Key-Flag, MS-CRTD 2.27 */
enum {
	CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL = 0x1,
	CT_FLAG_EXPORTABLE_KEY = 0x10,
	CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED = 0x20,
	CT_FLAG_REQUIRE_ALTERNATE_SIGNATURE_ALGORITHM = 0x40,
	CT_FLAG_REQUIRE_SAME_KEY_RENEWAL = 0x80,
	CT_FLAG_USE_LEGACY_PROVIDER = 0x100,
	CT_FLAG_ATTEST_PREFERRED = 0x1000,
	CT_FLAG_ATTEST_REQUIRED = 0x2000,
	CT_FLAG_SERVER_VERSION_MASK = 0x000F0000,
	CT_FLAG_CLIENT_VERSION_MASK = 0x0F000000,
};
/* msPKI-Certificate-Name-Flag, MS-CRTD 2.28 */
#define CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT 0x1u
#define CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME 0x8u
#define CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT_ALT_NAME 0x10000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_DOMAIN_DNS 0x400000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_SPN 0x800000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_DIRECTORY_GUID 0x1000000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_UPN 0x2000000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL 0x4000000u
#define CT_FLAG_SUBJECT_ALT_REQUIRE_DNS 0x8000000u
#define CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN 0x10000000u
#define CT_FLAG_SUBJECT_REQUIRE_EMAIL 0x20000000u
#define CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME 0x40000000u
#define CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH 0x80000000u

/*
 * Extension values that depend on the template alone, encoded once per snapshot; empty when the template
 * has none.
 */
struct policy_template_ext {
	struct bytes template_id; /* 1.3.6.1.4.1.311.20.2 or 21.7 */
	struct bytes key_usage, eku, application_policies, issuance_policies, basic_constraints;
};

struct policy_template {
	const char *cn, *display_name, *dn;
	const char *oid;         /* msPKI-Cert-Template-OID; may be NULL on schema 1 */
	uint32_t schema_version; /* 1..4; absent means 1 */
	uint32_t major, minor;   /* revision, msPKI-Template-Minor-Revision */
	uint32_t general_flags, enrollment_flags, private_key_flags, name_flags;
	uint32_t min_key_bits;
	uint32_t ra_signatures;
	struct bytes key_usage;       /* pKIKeyUsage octets */
	int32_t max_depth;            /* pKIMaxIssuingDepth; -1 none */
	filetime_t validity, overlap; /* positive spans, 100 ns */
	struct x509_strings eku, application_policies, issuance_policies, critical, csps, supersedes;
	struct x509_strings ra_application_policies,
	    ra_policies;                                   /* decoded from either syntax of section 7 */
	const char *asymmetric_algorithm, *hash_algorithm; /* from the backtick string; may be NULL */
	struct sd *sd;                                     /* NULL: none stored */
	/* one entry for each of issuance_policies; NULL until policy_template_qualify() found any */
	const struct x509_policy_qualifiers *qualifiers;
	size_t qualifiers_left_out; /* those that no certificate can hold */
	struct policy_template_ext ext;
};

/*
 * Attribute access decoupled from dir/: returns value i of the attribute, or false. The bytes are followed by
 * a NUL that len does not count.
 */
struct policy_attrs {
	const void *ctx;
	bool (*value)(const void *ctx, const char *attr, size_t i, struct bytes *out);
	const char *dn;
};

/* Everything lives in the pool; borrowed texts are copied. Fails with CERTSRV_E_UNSUPPORTED_CERT_TYPE and the
 * attribute that cannot be read: such a template is not loaded. */
int
policy_template_decode(struct policy_template *out, struct pool *pool, const struct policy_attrs *attrs,
    struct err *e) MUST_CHECK;

/*
 * Gives the issuance policies the CPS URIs and user notices of their msPKI-Enterprise-Oid objects
 * (issuance.md section 4, templates.md 8.4); oids: every such object. Values that are empty, longer than
 * POLICY_QUALIFIER_MAX octets or not ASCII (CPS) or UTF-8 (notice) are counted and left out. Everything lives
 * in the pool, and texts are copied. Fails for want of memory, or when the extension is longer than 64 KiB;
 * then the template is as it was, without qualifiers.
 */
#define POLICY_QUALIFIER_MAX 2048
int
policy_template_qualify(struct policy_template *t, struct pool *pool, const struct policy_attrs *oids,
    size_t n_oids, struct err *e) MUST_CHECK;

/* Template names compare without case, as in the directory. */
bool
policy_name_equal(const char *a, const char *b);

/* One row per flag bit, for decoding into names (adcsctl template show, explanations). Ends with mask 0. */
struct policy_bit {
	uint32_t mask;
	const char *name;  /* CT_FLAG_... without the prefix, as templates.md spells it */
	const char *label; /* console label, or NULL */
	bool client_only;
	const char *client; /* what a Windows client does with it, when client_only */
};
extern const struct policy_bit policy_general_bits[], policy_enrollment_bits[], policy_private_key_bits[],
    policy_name_bits[];

#endif
