/* Every setting: issuance.md section 13 for the defaults of an enterprise CA. Order is the order of the
 * documentation. */
#include <stddef.h>

#include "policy/defaults.h"
#include "policy/policy.h"
#include "settings/interface_flags.h"
#include "settings/settings.h"

#define BIT(prefix, name)                                                                                    \
	{                                                                                                    \
		prefix##_##name, #prefix "_" #name                                                           \
	}

static const struct setting_bit edit_bits[] = {
	BIT(EDITF, ENABLEREQUESTEXTENSIONS),
	BIT(EDITF, REQUESTEXTENSIONLIST),
	BIT(EDITF, DISABLEEXTENSIONLIST),
	BIT(EDITF, ADDOLDKEYUSAGE),
	BIT(EDITF, ADDOLDCERTTYPE),
	BIT(EDITF, ATTRIBUTEENDDATE),
	BIT(EDITF, BASICCONSTRAINTSCRITICAL),
	BIT(EDITF, BASICCONSTRAINTSCA),
	BIT(EDITF, ENABLEAKIKEYID),
	BIT(EDITF, ATTRIBUTECA),
	BIT(EDITF, IGNOREREQUESTERGROUP),
	BIT(EDITF, ENABLEAKIISSUERNAME),
	BIT(EDITF, ENABLEAKIISSUERSERIAL),
	BIT(EDITF, ENABLEAKICRITICAL),
	BIT(EDITF, SERVERUPGRADED),
	BIT(EDITF, ATTRIBUTEEKU),
	BIT(EDITF, ENABLEDEFAULTSMIME),
	BIT(EDITF, EMAILOPTIONAL),
	BIT(EDITF, ATTRIBUTESUBJECTALTNAME2),
	BIT(EDITF, ENABLELDAPREFERRALS),
	BIT(EDITF, ENABLECHASECLIENTDC),
	{ 0x200000, "EDITF_AUDITCERTTEMPLATELOAD" },
	{ 0x400000, "EDITF_DISABLEOLDOSCNUPN" },
	{ 0x800000, "EDITF_DISABLELDAPPACKAGELIST" },
	{ 0x1000000, "EDITF_ENABLEUPNMAP" },
	{ 0x2000000, "EDITF_ENABLEOCSPREVNOCHECK" },
	{ 0x4000000, "EDITF_ENABLERENEWONBEHALFOF" },
	{ 0x8000000, "EDITF_ENABLEKEYENCIPHERMENTCACERT" },
	{ 0, NULL },
};

static const struct setting_bit interface_bits[] = {
	BIT(IF, LOCKICERTREQUEST),
	BIT(IF, NOREMOTEICERTREQUEST),
	BIT(IF, NOLOCALICERTREQUEST),
	BIT(IF, NORPCICERTREQUEST),
	BIT(IF, NOREMOTEICERTADMIN),
	BIT(IF, NOLOCALICERTADMIN),
	BIT(IF, NOREMOTEICERTADMINBACKUP),
	BIT(IF, NOLOCALICERTADMINBACKUP),
	BIT(IF, NOSNAPSHOTBACKUP),
	BIT(IF, ENFORCEENCRYPTICERTREQUEST),
	BIT(IF, ENFORCEENCRYPTICERTADMIN),
	{ 0x800, "IF_ENABLEEXITKEYRETRIEVAL" },
	BIT(IF, ENABLEADMINASAUDITOR),
	{ 0, NULL },
};

/* MS-CSRA 3.1.4.2.10 */
static const struct setting_bit audit_bits[] = {
	{ 0x1, "AUDIT_STARTSTOP" },
	{ 0x2, "AUDIT_BACKUPRESTORE" },
	{ 0x4, "AUDIT_CERTIFICATES" },
	{ 0x8, "AUDIT_REVOCATION" },
	{ 0x10, "AUDIT_SECURITY" },
	{ 0x20, "AUDIT_KEYARCHIVAL" },
	{ 0x40, "AUDIT_CONFIGURATION" },
	{ 0, NULL },
};

static const struct setting_bit crl_bits[] = {
	{ 0x1, "CRLF_DELTA_USE_OLDEST_UNEXPIRED_BASE" },
	{ 0x2, "CRLF_DELETE_EXPIRED_CRLS" },
	{ 0x4, "CRLF_CRLNUMBER_CRITICAL" },
	{ 0x8, "CRLF_REVCHECK_IGNORE_OFFLINE" },
	{ 0x10, "CRLF_IGNORE_INVALID_POLICIES" },
	{ 0x20, "CRLF_REBUILD_MODIFIED_SUBJECT_ONLY" },
	{ 0x40, "CRLF_SAVE_FAILED_CERTS" },
	{ 0x80, "CRLF_IGNORE_UNKNOWN_CMC_ATTRIBUTES" },
	{ 0x100, "CRLF_IGNORE_CROSS_CERT_TRUST_ERROR" },
	{ 0x200, "CRLF_PUBLISH_EXPIRED_CERT_CRLS" },
	{ 0x400, "CRLF_ENFORCE_ENROLLMENT_AGENT" },
	{ 0x800, "CRLF_DISABLE_RDN_REORDER" },
	{ 0x1000, "CRLF_DISABLE_ROOT_CROSS_CERTS" },
	{ 0x2000, "CRLF_LOG_FULL_RESPONSE" },
	{ 0x4000, "CRLF_USE_XCHG_CERT_TEMPLATE" },
	{ 0x8000, "CRLF_USE_CROSS_CERT_TEMPLATE" },
	{ 0x10000, "CRLF_ALLOW_REQUEST_ATTRIBUTE_SUBJECT" },
	{ 0x20000, "CRLF_REVCHECK_IGNORE_NOREVCHECK" },
	{ 0x40000, "CRLF_PRESERVE_EXPIRED_CA_CERTS" },
	{ 0x80000, "CRLF_PRESERVE_REVOKED_CA_CERTS" },
	{ 0x100000, "CRLF_DISABLE_CHAIN_VERIFICATION" },
	{ 0x200000, "CRLF_BUILD_ROOTCA_CRLENTRIES_BASEDONKEY" },
	{ 0x400000, "CRLF_CRLPARTITION_ENABLED" }, /* named after the data of MS-CSRA 3.1.1.10 */
	{ 0x800000, "CRLF_CRLPARTITION_PARTITIONZERO_EXCLUSIVE" },
	{ 0, NULL },
};

static const struct setting_bit db_bits[] = {
	{ 0x800, "DBFLAGS_ENABLEVOLATILEREQUESTS" },
	{ 0x1000, "DBFLAGS_MAXIMUMEXTENSION16K" },
	{ 0, NULL },
};

static const struct setting_bit publish_bits[] = {
	{ 0x1, "EXITPUB_FILE" },
	{ 0x2, "EXITPUB_ACTIVEDIRECTORY" },
	{ 0, NULL },
};

static const struct setting_bit disposition_bits[] = {
	{ 0x1, "REQDISP_ISSUE" },
	{ 0x2, "REQDISP_DENY" },
	{ 0x100, "REQDISP_PENDINGFIRST" },
	{ 0, NULL },
};

static const char *const periods[] = { "Years", "Months", "Weeks", "Days", "Hours", "Minutes", "Seconds",
	NULL };
static const char *const key_types[] = { "RSA-2048", "RSA-3072", "RSA-4096", "P-256", "P-384", NULL };
static const char *const ciphers[] = { "3DES", "AES", NULL };
static const char *const hashes[] = { "SHA256", "SHA384", "SHA512", NULL };

#define AT(member) offsetof(struct ca_settings, member)

/* clang-format off */
const struct setting ca_setting_rows[] = {
	{ .section = "CA", "CommonName", SETTING_TEXT, AT(common_name), "",
	  "Name of the CA. Empty: <NetBIOS domain>-<host>-CA, as Windows proposes it. Fixed once the CA has a certificate.",
	  .highest = 64, .fixed = true },
	{ .section = "CA", "ServerName", SETTING_TEXT, AT(server_name), "",
	  "DNS name of the CA host. Empty: ca01.<domain>.", .highest = 255, .fixed = true },
	{ .section = "CA", "KeyType", SETTING_CHOICE, AT(key_type), "RSA-2048",
	  "Key made at the first start: RSA-2048, RSA-3072, RSA-4096, P-256, P-384.", .choices = key_types, .fixed = true },
	{ .section = "CA", "KeyFile", SETTING_TEXT, AT(key_file), "",
	  "PEM file with an existing CA key, copied at the first start. Needs CertFile.", .fixed = true },
	{ .section = "CA", "CertFile", SETTING_TEXT, AT(cert_file), "",
	  "PEM file with the CA certificate and its chain up to the root, copied at the first start. Needs KeyFile.", .fixed = true },
	{ .section = "CA", "CNGHashAlgorithm", SETTING_CHOICE, AT(hash), "SHA256",
	  "Hash of the signatures this CA makes: SHA256, SHA384, SHA512.", .choices = hashes, .fixed = true },
	{ .section = "CA", "RenewalValidityPeriod", SETTING_CHOICE, AT(renewal_period), "Years",
	  "Unit of the lifetime of the CA's own certificate, at the first start and when it is renewed.",
	  .choices = periods },
	{ .section = "CA", "RenewalValidityPeriodUnits", SETTING_NUMBER, AT(renewal_units), "5",
	  "Lifetime of the CA's own certificate.", .lowest = 1, .highest = 10000 },
	{ .section = "CA", "RenewalKeyLength", SETTING_NUMBER, AT(renewal_key_length), "0",
	  "Bits of the key that a renewal with a new key makes; 0: as long as the one before.", .highest = 4096 },
	{ .section = "CA", "ValidityPeriod", SETTING_CHOICE, AT(validity_period), "Years",
	  "Unit of the longest validity of issued certificates.", .choices = periods },
	{ .section = "CA", "ValidityPeriodUnits", SETTING_NUMBER, AT(validity_units), "2",
	  "Longest validity of issued certificates; templates may state less.", .lowest = 1, .highest = 10000 },
	{ .section = "CA", "ClockSkewMinutes", SETTING_NUMBER, AT(clock_skew_minutes), "10",
	  "Certificates are valid from this many minutes before they are issued.", .highest = 1440 },
	{ .section = "CA", "HighSerial", SETTING_TEXT, AT(high_serial), "",
	  "Highest octet of serial numbers, hexadecimal. Empty: one random octet, chosen at the first start.",
	  .highest = 4, .fixed = true },
	{ .section = "CA", "InterfaceFlags", SETTING_FLAGS, AT(interface_flags), "0x641",
	  "Which interfaces answer, and whether they insist on encryption.", .bits = interface_bits },
	{ .section = "CA", "DBFlags", SETTING_FLAGS, AT(db_flags), "0",
	  "DBFLAGS_MAXIMUMEXTENSION16K lets an extension have 16384 octets instead of 4096.", .bits = db_bits },
	{ .section = "CA", "CRLFlags", SETTING_FLAGS, AT(crl_flags), "0x2",
	  "CRLF_PUBLISH_EXPIRED_CERT_CRLS, CRLF_DISABLE_RDN_REORDER, ...: adcsctl(1) says which ones have an effect.", .bits = crl_bits },
	{ .section = "CA", "CRLMaxPartitions", SETTING_NUMBER, AT(crl_max_partitions), "0",
	  "With CRLF_CRLPARTITION_ENABLED: number of CRL partitions beside partition 0. Every URL in CRLPublicationURLs then has "
	  "<CRLPartitionIndex> in it.", .highest = 65535, .fixed = true },
	{ .section = "CA", "CRLSuspendedPartitions", SETTING_NUMBER, AT(crl_suspended_partitions), "0",
	  "Partitions from 0 to this one get no more certificates.", .highest = 65535, .fixed = true },
	{ .section = "CA", "CRLCurrentPartition", SETTING_NUMBER, AT(crl_current_partition), "0",
	  "Partitions take turns, from the one after this at every start; 0: chance decides.", .highest = 65535, .fixed = true },
	{ .section = "CA", "CRLPeriod", SETTING_CHOICE, AT(crl_period), "Weeks",
	  "Unit of the time between two base CRLs.", .choices = periods },
	{ .section = "CA", "CRLPeriodUnits", SETTING_NUMBER, AT(crl_units), "1", "Time between two base CRLs.",
	  .lowest = 1, .highest = 10000 },
	{ .section = "CA", "CRLOverlapPeriod", SETTING_CHOICE, AT(crl_overlap_period), "Hours",
	  "Unit of the time a base CRL is valid beyond the publication of the next one.", .choices = periods },
	{ .section = "CA", "CRLOverlapUnits", SETTING_NUMBER, AT(crl_overlap_units), "0",
	  "0: a tenth of the period, at most 12 hours, and ClockSkewMinutes.", .highest = 10000 },
	{ .section = "CA", "CRLDeltaPeriod", SETTING_CHOICE, AT(crl_delta_period), "Days",
	  "Unit of the time between two delta CRLs.", .choices = periods },
	{ .section = "CA", "CRLDeltaPeriodUnits", SETTING_NUMBER, AT(crl_delta_units), "1",
	  "Time between two delta CRLs; 0: no delta CRLs.", .highest = 10000 },
	{ .section = "CA", "CRLDeltaOverlapPeriod", SETTING_CHOICE, AT(crl_delta_overlap_period), "Minutes",
	  "Unit of the time a delta CRL is valid beyond the publication of the next one.", .choices = periods },
	{ .section = "CA", "CRLDeltaOverlapUnits", SETTING_NUMBER, AT(crl_delta_overlap_units), "0",
	  "0: as long as the delta period, at most 12 hours, and ClockSkewMinutes.", .highest = 10000 },
	{ .section = "CA", "CAXchgValidityPeriod", SETTING_CHOICE, AT(xchg_period), "Weeks",
	  "Unit of the lifetime of the exchange certificate, which clients encrypt keys to that are to be archived.",
	  .choices = periods },
	{ .section = "CA", "CAXchgValidityPeriodUnits", SETTING_NUMBER, AT(xchg_units), "1",
	  "Lifetime of the exchange certificate.", .lowest = 1, .highest = 10000 },
	{ .section = "CA", "CAXchgOverlapPeriod", SETTING_CHOICE, AT(xchg_overlap_period), "Days",
	  "Unit of the time before its end from which the next exchange certificate is given out.", .choices = periods },
	{ .section = "CA", "CAXchgOverlapPeriodUnits", SETTING_NUMBER, AT(xchg_overlap_units), "1",
	  "That time; 0: until its end.", .highest = 10000 },
	{ .section = "CA", "EnforceX500NameLengths", SETTING_BOOL, AT(enforce_name_lengths), "1",
	  "Refuse subject attributes over the upper bounds of X.520." },
	{ .section = "CA", "SubjectTemplate", SETTING_LIST, AT(subject_template),
	  POLICY_DEFAULT_SUBJECT_TEMPLATE,
	  "Subject attributes taken over from requests, in console order." },
	{ .section = "CA", "CRLPublicationURLs", SETTING_LIST, AT(crl_urls),
	  "79:ldap:///CN=%7%8,CN=%2,CN=CDP,CN=Public Key Services,CN=Services,%6%10",
	  "<flags>:<URL>; 1 publish base CRLs here, 2 into certificates, 4 freshest CRL, 8 published locations, 64 publish "
	  "delta CRLs here, 128 IDP. Tokens: %1 DNS host, %2 short host, %3 CA name, %4 and %8 suffix, %6 configuration DN, "
	  "%7 truncated name, %9 + for a delta, %10 and %11 attribute; ours: %p the HTTP port (:8080), nothing for 80." },
	{ .section = "CA", "CACertPublicationURLs", SETTING_LIST, AT(aia_urls),
	  "3:ldap:///CN=%7,CN=AIA,CN=Public Key Services,CN=Services,%6%11",
	  "<flags>:<URL>; 1 publish the CA certificate here, 2 into certificates, 32 OCSP responder; tokens as above." },
	{ .section = "CA", "Security", SETTING_SDDL, AT(security),
	  "O:BAG:BAD:(A;;0x3;;;BA)(A;;0x3;;;DA)(A;;0x3;;;EA)(A;;0x200;;;AU)",
	  "Who may do what with the CA: 0x1 manage CA, 0x2 issue and manage certificates, 0x100 read, 0x200 enroll. Changes "
	  "made at run time (adcsctl ca acl) are kept in the state folder and win." },
	{ .section = "CA", "OfficerRights", SETTING_SDDL, AT(officer_rights), "",
	  "Which certificate manager may decide about whom, by template: callback ACEs (adcsctl ca officer-rights). Empty: "
	  "no restriction." },
	{ .section = "CA", "EnrollmentAgentRights", SETTING_SDDL, AT(agent_rights), "",
	  "For whom an enrollment agent may enroll, by template: callback ACEs (adcsctl ca agent-rights). Empty: no "
	  "restriction." },
	{ .section = "CA", "RoleSeparationEnabled", SETTING_BOOL, AT(role_separation), "0",
	  "1: who has two roles of Administrator, Officer, Auditor, Operator may do nothing but enroll (0x80094008)." },
	{ .section = "CA", "AuditFilter", SETTING_FLAGS, AT(audit_filter), "0",
	  "Which events of the Security log are written into audit.jsonl (adcsctl audit show): MS-CSRA 3.1.4.2.10, doc/reference/audit.md.", .bits = audit_bits },
	{ .section = "CA", "LoadDefaultTemplates", SETTING_BOOL, AT(load_default_templates), "1",
	  "Publish the eleven default templates at the first start.", .fixed = true },
	{ .section = "CA", "PublishedTemplates", SETTING_LIST, AT(published_templates), "",
	  "Templates published at the first start besides the default ones; listed before them.", .fixed = true },
	{ .section = "CA", "RootCrossCertProperty", SETTING_BOOL, AT(root_cross_property), "0",
	  "Ours: a root CA, too, gives its cross certificates through CR_PROP_CAFORWARDCROSSCERT and BACKWARDCROSSCERT; "
	  "MS-WCCE has it answer with an error." },
	{ .section = "CA", "CAVersion", SETTING_NUMBER, AT(ca_version), "6",
	  "Compatibility level: 1 is Windows Server 2003, 4 is 2012, 6 is 2016 and later.", .lowest = 1, .highest = 6 },

	{ .section = "BasicConstraintsExtension", "PathLength", SETTING_NUMBER, AT(path_length), "0xFFFFFFFF",
	  "As in a CAPolicy.inf, of the CA's own certificate when it is made or renewed: how many CA certificates may follow; "
	  "0xFFFFFFFF: any number." },
	{ .section = "NameConstraintsExtension", "Permitted", SETTING_LIST, AT(nc_permitted), "",
	  "Names that certificates below the CA's own may have: DNS=contoso.com, EMail=contoso.com, "
	  "DirectoryName=DC=contoso,DC=com, URI=.contoso.com, IPAddress=10.0.0.0/8." },
	{ .section = "NameConstraintsExtension", "Excluded", SETTING_LIST, AT(nc_excluded), "",
	  "Names that they must not have." },
	{ .section = "PolicyStatementExtension", "Policies", SETTING_LIST, AT(ca_policies), "",
	  "Issuance policies of the CA's own certificate, as OIDs." },
	{ .section = "CRLDistributionPoint", "URL", SETTING_LIST, AT(ca_cdp_urls), "",
	  "CRL distribution points of the CA's own certificate; a root needs none." },
	{ .section = "AuthorityInformationAccess", "URL", SETTING_LIST, AT(ca_aia_urls), "",
	  "Where the certificate of the CA above lies, of the CA's own certificate; a root needs none." },
	{ .section = "EncryptionCSP", "CNGEncryptionAlgorithm", SETTING_CHOICE, AT(encryption_algorithm), "3DES",
	  "Cipher of archived keys in the database: 3DES, AES.", .choices = ciphers },
	{ .section = "EncryptionCSP", "SymmetricKeySize", SETTING_NUMBER, AT(encryption_key_size), "0",
	  "Bits of its keys, for AES 128, 192 or 256; 0: 168 and 256.", .highest = 256 },

	{ .section = "policy", "EditFlags", SETTING_FLAGS, AT(edit_flags), "0x11014E",
	  "What the policy module does with requests, as certutil -setreg policy\\EditFlags.", .bits = edit_bits },
	{ .section = "policy", "RequestDisposition", SETTING_FLAGS, AT(request_disposition), "1",
	  "1 issue, 0x101 take every request under submission first.", .bits = disposition_bits },
	{ .section = "policy", "EnableRequestExtensionList", SETTING_LIST, AT(enable_request_extensions),
	  POLICY_DEFAULT_REQUEST_EXTENSIONS,
	  "Extensions of a request that may reach the certificate." },
	{ .section = "policy", "DisableExtensionList", SETTING_LIST, AT(disable_extensions), "",
	  "Extensions that never reach a certificate; 1.3.6.1.4.1.311.25.2 here is ESC16." },
	{ .section = "policy", "ImplicitUPN", SETTING_BOOL, AT(upn_fallback), "0",
	  "Ours: an account without userPrincipalName gets sAMAccountName@domain instead of 0x8009480D." },
	{ .section = "policy", "CriticalSANWithoutSubject", SETTING_BOOL, AT(critical_san), "1",
	  "Ours: alternative names from the directory are critical when the subject is empty (RFC 5280 4.2.1.6). 0: by "
	  "pKICriticalExtensions alone." },
	{ .section = "policy", "IssuancePolicyRequired", SETTING_BOOL, AT(issuance_policy_required), "0",
	  "Ours: signers without an issuance policy that the template asks for get 0x8009480C instead of 0x8009480B." },
	{ .section = "policy", "SignersInNTAuth", SETTING_BOOL, AT(signers_in_ntauth), "1",
	  "Ours: the CA of an enrollment agent, or of another authorised signer, must be in NTAuthCertificates (0x800B0112). 0: a "
	  "chain to a trusted root will do." },
	{ .section = "policy", "CopyApplicationPolicies", SETTING_BOOL, AT(esc15), "0",
	  "Ours: behave as before CVE-2024-49019 (ESC15) on templates of schema 1." },

	{ .section = "exit", "PublishCertFlags", SETTING_FLAGS, AT(publish_cert_flags), "2",
	  "EXITPUB_ACTIVEDIRECTORY adds certificates to userCertificate where the template asks for it.",
	  .bits = publish_bits },

	{ .section = "local groups", "Administrators", SETTING_LIST, AT(administrators), "DA\nEA",
	  "Members of the CA host's local group BUILTIN\\Administrators: SIDs or SDDL aliases." },
	{ .section = "local groups", "Users", SETTING_LIST, AT(users), "AU", "Members of BUILTIN\\Users." },
	{ .section = "local groups", "CertificateServiceDCOMAccess", SETTING_LIST, AT(dcom_access), "AU",
	  "Members of BUILTIN\\Certificate Service DCOM Access." },

	{ .section = "dcom", "RequireIntegrityActivationAuthenticationLevel", SETTING_BOOL, AT(dcom_integrity), "1",
	  "KB5004442: activation and object calls below packet integrity are refused. 0: as before, packet or connect will do." },
	{ .section = "dcom", "LaunchPermission", SETTING_SDDL, AT(dcom_launch),
	  "O:BAG:BAD:(A;;0x1f;;;BA)(A;;0x1f;;;CD)",
	  "Who may activate the CA's DCOM classes: 0x1 execute, 0x2 and 0x4 launch locally and remotely, 0x8 and 0x10 activate "
	  "so. CD is Certificate Service DCOM Access." },
	{ .section = "dcom", "AccessPermission", SETTING_SDDL, AT(dcom_calls),
	  "O:BAG:BAD:(A;;0x7;;;BA)(A;;0x7;;;CD)",
	  "Who may call their objects: 0x1 execute, 0x2 locally, 0x4 remotely." },

	{ .section = "privileges", "SeSecurityPrivilege", SETTING_LIST, AT(security_privilege), "BA",
	  "Who may manage the auditing and security log of the CA host, which makes an Auditor: SIDs or SDDL aliases." },
	{ .section = "privileges", "SeBackupPrivilege", SETTING_LIST, AT(backup_privilege), "BA\nBO",
	  "Who may back the CA host up, which makes an Operator." },

	{ .section = "kerberos", "Keytab", SETTING_TEXT, AT(keytab), "",
	  "Ours: accept Kerberos with the keys of this file; any service in it." },
	{ .section = "kerberos", "KDC", SETTING_BOOL, AT(kdc), "0",
	  "Ours: start a KDC for the embedded forest; it makes its keytab itself." },

	{ .section = "journal", "MaximumMegabytes", SETTING_NUMBER, AT(journal_megabytes), "16",
	  "Size at which journal.jsonl becomes journal.1.jsonl (replacing the one before): disk use stays below twice this.",
	  .lowest = 1, .highest = 1024, .fixed = true },
};
/* clang-format on */

const size_t ca_setting_count = ARRAY_LEN(ca_setting_rows);
