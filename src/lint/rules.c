/* Every rule. Order is the order of reports among findings of one severity. */
#include "lint/lint_priv.h"

/* clang-format off */
const struct lint_rule lint_rules[] = {
	/* id                       scope          title                                                    section                          check */
	{ "ESC1",                  LINT_TEMPLATE, "Requester chooses the identity of a logon certificate", "MS-CRTD 2.28",                  lint_esc1 },
	{ "ESC2",                  LINT_TEMPLATE, "Certificate for any purpose",                           "MS-CRTD 2.12",                  lint_esc2 },
	{ "ESC3",                  LINT_TEMPLATE, "Enrollment agent certificate for ordinary users",       "MS-WCCE 3.2.2.6.2.1.2.1",       lint_esc3 },
	{ "ESC4",                  LINT_TEMPLATE, "Template writable by ordinary users",                   "MS-CRTD 2.5",                   lint_esc4 },
	{ "ESC5",                  LINT_FOREST,   "PKI object writable by ordinary users",                 "MS-ADTS 5.1.3",                 lint_esc5 },
	{ "ESC6",                  LINT_CA,       "EDITF_ATTRIBUTESUBJECTALTNAME2",                        "MS-WCCE 3.2.1.1.4",             lint_esc6 },
	{ "ESC7",                  LINT_CA,       "Roles of the CA given to ordinary users",               "MS-CSRA 3.1.1.7",               lint_esc7 },
	{ "ESC8",                  LINT_CA,       "Enrollment over HTTP",                                  "KB5005413",                     lint_esc8 },
	{ "ESC9",                  LINT_TEMPLATE, "Logon certificate without the SID extension",           "MS-CRTD 2.26",                  lint_esc9 },
	{ "ESC10",                 LINT_CA,       "Weak certificate mapping on domain controllers",        "KB5014754",                     lint_esc10 },
	{ "ESC11",                 LINT_CA,       "Requests over RPC without encryption",                  "MS-ICPR 3.2.4.1.1",             lint_esc11 },
	{ "ESC12",                 LINT_CA,       "Password of the CA's HSM in clear",                     "YubiHSM 2 KSP",                 lint_esc12 },
	{ "ESC13",                 LINT_TEMPLATE, "Issuance policy linked to a group",                     "MS-CRTD 2.24",                  lint_esc13 },
	{ "ESC14",                 LINT_FOREST,   "Weak explicit certificate mapping",                     "KB5014754",                     lint_esc14 },
	{ "ESC15",                 LINT_TEMPLATE, "Application policies from the request on schema 1",     "CVE-2024-49019",                lint_esc15 },
	{ "ESC16",                 LINT_CA,       "SID extension disabled for the whole CA",               "KB5014754",                     lint_esc16 },
	{ "ESC17",                 LINT_TEMPLATE, "Server certificates for any host name",                 "MS-CRTD 2.28",                  lint_esc17 },
	{ "ATTRIBUTE-EKU",         LINT_CA,       "EDITF_ATTRIBUTEEKU",                                    "MS-WCCE 3.2.1.1.4",             lint_attribute_eku },
	{ "OWNER-PERSON",          LINT_TEMPLATE, "Template owned by one person",                          "MS-CRTD 2.5",                   lint_owner_person },
	{ "NO-DESCRIPTOR",         LINT_TEMPLATE, "Access list not read",                                  "MS-WCCE 3.2.2.1.1",             lint_no_descriptor },

	{ "PUBLISHED-MISSING",     LINT_CA,       "Published template does not exist",                     "MS-WCCE 3.2.2.6.2.1.4.1",       lint_published_missing },
	{ "CA-EXPIRES",            LINT_CA,       "CA certificate at its end",                             "MS-WCCE 3.2.2.6.2.1.4.4.2",     lint_ca_expires },
	{ "PUBLISHED-UNREADABLE",  LINT_CA,       "Published template cannot be loaded",                   "MS-WCCE 3.2.2.6.2.1.4.1",       lint_published_unreadable },
	{ "CA-CANNOT-READ",        LINT_TEMPLATE, "CA may not read a published template",                  "MS-CRTD 2.5.1",                 lint_ca_cannot_read },
	{ "CA-TOO-OLD",            LINT_TEMPLATE, "Template made for a newer CA",                          "MS-WCCE 3.2.2.6.2.1.4.5.7",     lint_ca_too_old },
	{ "PENDING-NOBODY",        LINT_CA,       "Requests wait and nobody may issue them",               "MS-CSRA 3.1.1.7",               lint_pending_nobody },
	{ "RIGHTS-DEAD",           LINT_CA,       "Restriction of officers or agents that does nothing",   "MS-CSRA 2.2.1.11",              lint_rights_dead },
	{ "NOBODY-ENROLLS",        LINT_TEMPLATE, "Published template that nobody may enroll",             "MS-CRTD 2.5.1",                 lint_nobody_enrolls },
	{ "RENEWAL",               LINT_TEMPLATE, "Renewal period not shorter than validity",              "MS-CRTD 2.15",                  lint_renewal },
	{ "LONGER-THAN-CA",        LINT_TEMPLATE, "Certificates would outlive the CA",                     "MS-WCCE 3.2.2.6.2.1.4.4.2",     lint_longer_than_ca },
	{ "LONGER-THAN-SETTING",   LINT_TEMPLATE, "Validity cut by the CA's setting",                      "MS-WCCE 3.2.2.6.2.1.4.4.2",     lint_longer_than_setting },
	{ "KEY-SIZE",              LINT_TEMPLATE, "Minimum key size that no key reaches",                  "MS-CRTD 2.19",                  lint_key_size },
	{ "USAGE-MISMATCH",        LINT_TEMPLATE, "Key usages and application policies differ",            "MS-CRTD 2.25",                  lint_usage_mismatch },
	{ "NAME-BITS",             LINT_TEMPLATE, "Subject from request and from directory at once",       "MS-CRTD 2.28",                  lint_name_bits },
	{ "SAN-BIT",               LINT_TEMPLATE, "Flag for a supplied alternative name, ignored",         "MS-CRTD 2.28",                  lint_san_bit },
	{ "AUTOENROLL-NOBODY",     LINT_TEMPLATE, "Autoenrollment without an Autoenroll right",            "MS-CRTD 2.26",                  lint_autoenroll_ace },
	{ "AUTOENROLL-RIGHTS",     LINT_TEMPLATE, "Autoenroll without Read and Enroll",                    "MS-CRTD 2.5.2",                 lint_autoenroll_rights },
	{ "AUTOENROLL-DEAD",       LINT_TEMPLATE, "Autoenrollment that cannot work",                       "MS-CRTD 2.26",                  lint_autoenroll_dead },
	{ "SUPERSEDES",            LINT_TEMPLATE, "Supersedes what does not exist",                        "MS-CRTD 2.21",                  lint_supersedes },
	{ "KEY-BASED-RENEWAL",     LINT_TEMPLATE, "Key based renewal without its conditions",              "MS-CRTD 2.26",                  lint_key_based_renewal },
	{ "RA-SIGNATURES",         LINT_TEMPLATE, "Authorized signatures and their policies disagree",     "MS-CRTD 2.18",                  lint_ra_dead },
	{ "DS-CHECK",              LINT_TEMPLATE, "Looks for duplicates where none are published",         "MS-CRTD 2.26",                  lint_ds_check_dead },
	{ "REQUEST-POLICIES",      LINT_TEMPLATE, "Issuance policies from the request, none allowed",      "MS-CRTD 2.26",                  lint_policies_from_request },
	{ "ARCHIVAL-USAGE",        LINT_TEMPLATE, "Archives keys that encrypt nothing",                    "MS-CRTD 2.27",                  lint_archival_usage },
	{ "VOLATILE",              LINT_TEMPLATE, "Not storing certificates needs a CA setting",           "MS-CRTD 2.4",                   lint_volatile_dead },

	{ "SCHEMA-LEVELS",         LINT_TEMPLATE, "Schema version and compatibility levels disagree",      "MS-CRTD 2.27",                  lint_schema_levels },
	{ "LEVEL-UNLOCKS",         LINT_TEMPLATE, "Setting above the compatibility level",                 "MS-CRTD 2.27",                  lint_level_unlocks },
	{ "LEVEL-UNKNOWN",         LINT_TEMPLATE, "Unknown compatibility level",                           "MS-CRTD 2.27",                  lint_level_unknown },
	{ "LEGACY-BIT",            LINT_TEMPLATE, "Legacy provider flag outside schema 4",                 "MS-CRTD 2.27",                  lint_legacy_bit },

	{ "PKCS-PUBLISHED",        LINT_PKCS,     "How-to: Certificate Template to Issue",                 "how-to step 12",                lint_pkcs_published },
	{ "PKCS-SUBJECT",          LINT_PKCS,     "How-to: Supply in the request",                         "how-to step 8",                 lint_pkcs_subject },
	{ "PKCS-EXPORTABLE",       LINT_PKCS,     "How-to: Allow private key to be exported",              "how-to step 6",                 lint_pkcs_exportable },
	{ "PKCS-KEY-SIZE",         LINT_PKCS,     "How-to: minimum key size",                              "how-to step 7",                 lint_pkcs_key_size },
	{ "PKCS-USAGES",           LINT_PKCS,     "How-to: Application Policies",                          "how-to step 9",                 lint_pkcs_usages },
	{ "PKCS-NONREPUDIATION",   LINT_PKCS,     "How-to: Signature is proof of origin",                  "how-to step 9",                 lint_pkcs_nonrepudiation },
	{ "PKCS-GATE",             LINT_PKCS,     "How-to: nothing to wait for",                           "how-to, Issuance Requirements", lint_pkcs_gate },
	{ "PKCS-KEY-HANDLING",     LINT_PKCS,     "How-to: no archival, no attestation",                   "how-to step 6",                 lint_pkcs_attest },
	{ "PKCS-TEMPLATE-RIGHTS",  LINT_PKCS,     "How-to: Read and Enroll for the connector",             "how-to step 10",                lint_pkcs_template_rights },
	{ "PKCS-CA-RIGHTS",        LINT_PKCS,     "How-to: rights of the connector on the CA",             "how-to step 13",                lint_pkcs_ca_rights },
	{ "PKCS-ACCOUNT",          LINT_PKCS,     "How-to: the computer account",                          "how-to step 10",                lint_pkcs_account },
	{ "PKCS-LEVELS",           LINT_PKCS,     "How-to: compatibility levels",                          "how-to step 4",                 lint_pkcs_levels },
	{ "PKCS-END-DATE",         LINT_PKCS,     "How-to: validity period of the profile",                "how-to, certificate profile",   lint_pkcs_end_date },
	{ "PKCS-SUBJECT-TEMPLATE", LINT_PKCS,     "How-to: parts of subjects that the CA keeps",           "how-to, certificate profile",   lint_pkcs_subject_template },
	{ 0 },
};
/* clang-format on */

const struct lint_blind lint_blind_spots[] = {
	{ "ESC5", "control of the CA host itself and of backups of its key is not in the directory" },
	{ "ESC8",
	    "adcsd offers no web enrollment; of other CAs only the enrollment services in the directory are "
	    "seen, not "
	    "certsrv, NDES, or channel binding of the web server" },
	{ "ESC10",
	    "registry of the domain controllers; give it as KDC\\StrongCertificateBindingEnforcement and "
	    "Schannel\\CertificateMappingMethods in --settings" },
	{ "ESC12", "registry of the CA host; give it as YubiHSM\\AuthKeysetPassword in --settings" },
	{ 0 },
};
