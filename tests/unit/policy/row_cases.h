/*
 * Three cases for every row of the rule table: it passes, it refuses, and the boundary between. Rows that refuse nothing leave
 * something out instead. A setup is a list of commands for a desk, see row_setup() in test_rows.c. Included there only.
 */

#define P POLICY_PASS
#define R POLICY_REFUSE
#define A POLICY_ADDS
#define W POLICY_PENDS
#define S POLICY_SKIPPED

#define AGENT "1.3.6.1.4.1.311.20.2.1"
#define OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define LOW FOREST_OID ".1.400"
#define MEDIUM FOREST_OID ".1.401"
#define BACK "set msPKI-Enrollment-Flag 64; " /* previous approval counts */
#define DIRECTORY "set msPKI-Certificate-Name-Flag "
#define SAN_UPN "3025a023060a2b060104018237140203a0150c136a616e65646f6540636f6e746f736f2e636f6d"
/* directoryName CN=a, and the same with rfc822Name a@b */
#define SAN_DIRECTORY "3010a40e300c310a300806035504030c0161"
#define SAN_DIRECTORY_MAIL "3015a40e300c310a300806035504030c01618103614062"
/* certificatePolicies: { 1.2.3.4 } */
#define POLICIES_1234 "3007300506032a0304"

enum kind { PASS, REFUSE, BOUNDARY, KINDS };

static const struct row_case {
	int step;
	const char *rule;
	enum kind kind;
	const char *name, *setup;
	enum policy_said said;
	uint32_t hr;      /* with R */
	const char *text; /* a piece of what the row says */
} row_cases[] = {
	{ 14, "extension size", PASS, "none", "", P, 0, "0 extensions" },
	{ 14, "extension size", REFUSE, "one octet too many", "extlen 1.2.3 4097", R, ESE_RECORD_TOO_BIG, "has 4097 octets" },
	{ 14, "extension size", BOUNDARY, "as long as the column", "extlen 1.2.3 4096", P, 0, "longest of 4096" },

	{ 16, "template named", PASS, "by the attribute", "", P, 0, "IntunePKCS" },
	{ 16, "template named", REFUSE, "not at all", "names", R, CERTSRV_E_NO_CERT_TYPE, "neither" },
	{ 16, "template named", BOUNDARY, "in another case", "names INTUNEpkcs", P, 0, "INTUNEpkcs" },

	{ 17, "one template", PASS, "one", "", P, 0, "template IntunePKCS" },
	{ 17, "one template", REFUSE, "two", "t WebServer; attr CertificateTemplate WebServer", R, CERTSRV_E_TEMPLATE_CONFLICT, "WebServer" },
	{ 17, "one template", BOUNDARY, "the same twice", "attr CertificateTemplate intunepkcs", P, 0, "template IntunePKCS" },

	{ 18, "template published", PASS, "listed", "", P, 0, "among the 1 templates" },
	{ 18, "template published", REFUSE, "not listed", "published", R, CERTSRV_E_UNSUPPORTED_CERT_TYPE, "not among" },
	{ 18, "template published", BOUNDARY, "listed in another case", "published INTUNEPKCS", P, 0, "among the 1" },

	{ 18, "template compatible", PASS, "level of 2012 on a CA of 2016", "set msPKI-Private-Key-Flag 67371008", P, 0, "suit" },
	{ 18, "template compatible", REFUSE, "level of 2012 R2 on a CA of 2012", "caversion 4; set msPKI-Private-Key-Flag 84213760", R,
	    CERTSRV_E_UNSUPPORTED_CERT_TYPE, "level 5" },
	{ 18, "template compatible", BOUNDARY, "level of 2012 on a CA of 2012", "caversion 4; set msPKI-Private-Key-Flag 67371008", P, 0,
	    "CA level 4" },

	{ 19, "template version", PASS, "not named", "", P, 0, "names no template version" },
	{ 19, "template version", REFUSE, "one minor version ahead", "version 100 4", R, CERTSRV_E_BAD_TEMPLATE_VERSION, "100.4" },
	{ 19, "template version", BOUNDARY, "the same", "version 100 3", P, 0, "at 100.3" },

	{ 20, "renewal template", PASS, "the same OID", "renew oid " INTUNE_OID, P, 0, "made from IntunePKCS" },
	{ 20, "renewal template", REFUSE, "another OID", "renew oid " INTUNE_OID "1", R, CERTSRV_E_TEMPLATE_CONFLICT, "request names IntunePKCS" },
	{ 20, "renewal template", BOUNDARY, "the same name in another case", "renew name intunepkcs", P, 0, "made from" },

	{ 20, "previous approval", PASS, "same subject", BACK "renew oid " INTUNE_OID, P, 0, "stands for signatures and approval" },
	{ 20, "previous approval", REFUSE, "made from a name, not an OID", BACK "renew name IntunePKCS", P, 0, "excuses nothing" },
	{ 20, "previous approval", BOUNDARY, "one letter differs", BACK "renew oid " INTUNE_OID "; subject CN=devices", P, 0,
	    "subject is not the old" },

	{ 21, "enroll right", PASS, "by its own SID", "", P, 0, "may enroll" },
	{ 21, "enroll right", REFUSE, "stranger", "stranger", R, CERTSRV_E_TEMPLATE_DENIED, "no ACE" },
	{ 21, "enroll right", BOUNDARY, "denied before it is allowed",
	    "set nTSecurityDescriptor D:(OD;;CR;" ENROLL_GUID ";;WD)(OA;;CR;" ENROLL_GUID ";;" DOMAIN_SID "-1104)", R,
	    CERTSRV_E_TEMPLATE_DENIED, "is denied Enroll" },

	{ 22, "signed for another", PASS, "one signature asked", "behalf; signer " AGENT "; set msPKI-RA-Signature 1", P, 0,
	    "takes signed requests" },
	{ 22, "signed for another", REFUSE, "none asked", "behalf; signer " AGENT, R, CERTSRV_E_BAD_RENEWAL_SUBJECT, "requires no authorised" },
	{ 22, "signed for another", BOUNDARY, "schema 1 cannot say", "behalf; signer " AGENT "; set msPKI-Template-Schema-Version 1", S, 0,
	    "schema version 1" },

	{ 23, "enrollment agent", PASS, "an agent signed", "behalf; signer " AGENT "; set msPKI-RA-Signature 1", P, 0, "signed by the enrollment agent" },
	{ 23, "enrollment agent", REFUSE, "somebody else signed", "behalf; signer 1.2.3; set msPKI-RA-Signature 1", R,
	    CERTSRV_E_SIGNATURE_REJECTED, "Certificate Request Agent" },
	{ 23, "enrollment agent", BOUNDARY, "the agent's signature covers no name",
	    "behalf; signer 1.2.3; signer " AGENT "; vouching 1; set msPKI-RA-Signature 1", R, CERTSRV_E_SIGNATURE_REJECTED, "no signer's" },

	{ 24, "authorised signatures", PASS, "more than asked", "signer 1.2.3; signer 1.2.3; set msPKI-RA-Signature 1", P, 0, "2 of 1" },
	{ 24, "authorised signatures", REFUSE, "one fewer", "signer 1.2.3; set msPKI-RA-Signature 2", R, CERTSRV_E_SIGNATURE_COUNT, "requires 2" },
	{ 24, "authorised signatures", BOUNDARY, "as many", "signer 1.2.3; signer 1.2.3; set msPKI-RA-Signature 2", P, 0, "2 of 2" },

	{ 25, "signer application policy", PASS, "the only signer has it",
	    "signer " AGENT "; set msPKI-RA-Signature 1; set msPKI-RA-Application-Policies " AGENT, P, 0, "all 1 application" },
	{ 25, "signer application policy", REFUSE, "no signer has it",
	    "signer 1.2.3; set msPKI-RA-Signature 1; set msPKI-RA-Application-Policies " AGENT, R, CERTSRV_E_SIGNATURE_REJECTED, AGENT },
	{ 25, "signer application policy", BOUNDARY, "one of two signers has it",
	    "signer 1.2.3; signer " AGENT "; set msPKI-RA-Signature 2; set msPKI-RA-Application-Policies " AGENT, P, 0, "all 1" },

	{ 26, "signer issuance policy", PASS, "the signer has it", "signer 1.2.3 " LOW "; set msPKI-RA-Signature 1; set msPKI-RA-Policies " LOW,
	    P, 0, "all 1 issuance" },
	{ 26, "signer issuance policy", REFUSE, "no signer has it",
	    "signer 1.2.3 " LOW "; set msPKI-RA-Signature 1; set msPKI-RA-Policies " MEDIUM, R, CERTSRV_E_SIGNATURE_REJECTED, MEDIUM },
	{ 26, "signer issuance policy", BOUNDARY, "the code is a setting",
	    "issuancecode; signer 1.2.3; set msPKI-RA-Signature 1; set msPKI-RA-Policies " LOW, R, CERTSRV_E_ISSUANCE_POLICY_REQUIRED, LOW },

	{ 27, "key size", PASS, "larger", "key rsa 4096", P, 0, "4096 bits" },
	{ 27, "key size", REFUSE, "one bit short", "key rsa 2047", R, CERTSRV_E_KEY_LENGTH, "2047 bits" },
	{ 27, "key size", BOUNDARY, "exactly", "key rsa 2048", P, 0, "asks for 2048" },

	{ 28, "key archival", PASS, "neither asked nor sent", "", P, 0, "no key to archive" },
	{ 28, "key archival", REFUSE, "asked and not sent", "set msPKI-Private-Key-Flag 50528273", R, CERTSRV_E_ARCHIVED_KEY_REQUIRED, "carries none" },
	{ 28, "key archival", BOUNDARY, "sent where it does not belong", "archived; set msPKI-Private-Key-Flag 50528272", R,
	    CERTSRV_E_ARCHIVED_KEY_UNEXPECTED, "archives none" },

	{ 29, "same key renewal", PASS, "any key will do", "renew oid " INTUNE_OID, P, 0, "may bring a new key" },
	{ 29, "same key renewal", REFUSE, "another key", "renew oid " INTUNE_OID "; set msPKI-Private-Key-Flag 128", R,
	    CERTSRV_E_RENEWAL_BAD_PUBLIC_KEY, "has another" },
	{ 29, "same key renewal", BOUNDARY, "the same key", "renew oid " INTUNE_OID "; samekey; set msPKI-Private-Key-Flag 128", P, 0,
	    "old certificate's" },

	{ 30, "key attestation", PASS, "not asked", "", P, 0, "no key attestation" },
	{ 30, "key attestation", REFUSE, "required", "set msPKI-Private-Key-Flag 8192", R, CERTSRV_E_KEY_ATTESTATION, "requires key attestation" },
	{ 30, "key attestation", BOUNDARY, "only preferred", "set msPKI-Private-Key-Flag 4096", P, 0, "preferred" },

	{ 31, "SMIME capabilities", PASS, "not asked", "", P, 0, "clear" },
	{ 31, "SMIME capabilities", REFUSE, "asked, none anywhere", "set msPKI-Enrollment-Flag 1; edit 0x10014e", R, CERTSRV_E_SMIME_REQUIRED,
	    "lists none" },
	{ 31, "SMIME capabilities", BOUNDARY, "an empty list in the request",
	    "set msPKI-Enrollment-Flag 1; edit 0x10014e; ext " OID_SMIME_CAPABILITIES " 3000", P, 0, "has SMIME" },

	{ 32, "issuance policies", PASS, "the template's", "set msPKI-Certificate-Policy 1.2.3.4", P, 0, "1 issuance policies apply" },
	{ 32, "issuance policies", REFUSE, "asked for, none allowed", "set msPKI-Enrollment-Flag 131072; ext " OID_CERTIFICATE_POLICIES " " POLICIES_1234,
	    R, CERTSRV_E_TEMPLATE_CONFLICT, "allows none" },
	{ 32, "issuance policies", BOUNDARY, "none asked for, none allowed", "set msPKI-Enrollment-Flag 131072", P, 0, "0 of the 0" },

	{ 33, "computer name", PASS, "has a host name", "t Machine", P, 0, "ws01.corp.contoso.com" },
	{ 33, "computer name", REFUSE, "has none", "t Machine; lacks dns", R, CERTSRV_E_SUBJECT_DNS_REQUIRED, "no dNSHostName" },
	{ 33, "computer name", BOUNDARY, "outside ASCII", "t Machine; dns ws\303\270", R, CERTSRV_E_SUBJECT_DNS_REQUIRED, "outside ASCII" },

	{ 33, "subject from directory", PASS, "full path", "t User", P, 0, "CN=Jane Doe" },
	{ 33, "subject from directory", REFUSE, "mail wanted, none there", "t User; lacks mail", R, CERTSRV_E_SUBJECT_EMAIL_REQUIRED, "no mail" },
	{ 33, "subject from directory", BOUNDARY, "mail optional", "t User; lacks mail; edit 0x13014e", P, 0, "CN=Jane Doe" },

	{ 33, "SAN from directory", PASS, "UPN", DIRECTORY "33554432", P, 0, "janedoe@contoso.com" },
	{ 33, "SAN from directory", REFUSE, "no UPN", DIRECTORY "33554432; lacks upn", R, CERTSRV_E_SUBJECT_UPN_REQUIRED, "no userPrincipalName" },
	{ 33, "SAN from directory", BOUNDARY, "the implicit UPN is a setting", DIRECTORY "33554432; lacks upn; implicitupn", P, 0,
	    "janedoe@corp.contoso.com" },

	{ 33, "subject from request", PASS, "all attributes listed", "subject CN=device,O=Contoso", P, 0, "CN=device" },
	{ 33, "subject from request", REFUSE, "more attributes than are read", "rdns 65", R, CERTSRV_E_BAD_REQUESTSUBJECT, "65 attributes" },
	{ 33, "subject from request", BOUNDARY, "one is not in SubjectTemplate", "subject CN=device,2.5.4.12=Dr", P, 0, "1 attributes" },

	{ 33, "SAN from request", PASS, "kept", "ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, P, 0, "device.contoso.com" },
	{ 33, "SAN from request", REFUSE, "stored only", DIRECTORY "33554432; ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, S, 0, "stored only" },
	{ 33, "SAN from request", BOUNDARY, "that of the renewed certificate", BACK "renew oid " INTUNE_OID "; oldsan " SAN_UPN, P, 0,
	    "of the renewed certificate" },

	{ 33, "SAN attribute", PASS, "flag on", "attr SAN dns=a.b; edit 0x15014e", P, 0, "dns=a.b" },
	{ 33, "SAN attribute", REFUSE, "flag off", "attr SAN dns=a.b", S, 0, "is off" },
	{ 33, "SAN attribute", BOUNDARY, "flag on, no name", "attr SAN dns; edit 0x15014e", S, 0, "ignored" },

	{ 33, "SAN form", PASS, "well-formed", "ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, P, 0, "well-formed" },
	{ 33, "SAN form", REFUSE, "a NUL in a name", "ext " OID_SUBJECT_ALT_NAME " 3005820361 0062", R, E_INVALID_DATA, "" },
	{ 33, "SAN form", BOUNDARY, "none", "", P, 0, "no alternative names" },

	{ 33, "Exchange names", PASS, "another template", "", P, 0, "no Exchange template" },
	{ 33, "Exchange names", REFUSE, "directory name dropped beside an address",
	    "t ExchangeUser; ext " OID_SUBJECT_ALT_NAME " " SAN_DIRECTORY_MAIL, P, 0, "1 directory names" },
	{ 33, "Exchange names", BOUNDARY, "alone it stays", "t ExchangeUser; ext " OID_SUBJECT_ALT_NAME " " SAN_DIRECTORY, P, 0,
	    "no directory names" },

	{ 33, "some name", PASS, "a subject", "", P, 0, "subject present" },
	{ 33, "some name", REFUSE, "nothing", "rdns 0", R, CERTSRV_E_BAD_REQUESTSUBJECT, "neither" },
	{ 33, "some name", BOUNDARY, "an alternative name alone", "rdns 0; ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, P, 0, "alone" },

	{ 33, "name lengths", PASS, "short", "", P, 0, "" },
	{ 33, "name lengths", REFUSE, "65 characters", "cn 65", R, CERTSRV_E_BAD_REQUESTSUBJECT, "65 characters" },
	{ 33, "name lengths", BOUNDARY, "64 characters", "cn 64", P, 0, "" },

	{ 33, "security identifier", PASS, "there", DIRECTORY "33554432", P, 0, "objectSid is" },
	{ 33, "security identifier", REFUSE, "missing", DIRECTORY "33554432; lacks sid", R, CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED, "no objectSid" },
	{ 33, "security identifier", BOUNDARY, "missing and not wanted", DIRECTORY "33554432; lacks sid; set msPKI-Enrollment-Flag 524288", P, 0,
	    "no security identifier" },

	{ 35, "CA certificate", PASS, "within", "", P, 0, "is valid from" },
	{ 35, "CA certificate", REFUSE, "one second late", "now 2036-01-01T00:00:01Z", R, CERT_E_EXPIRED, "only" },
	{ 35, "CA certificate", REFUSE, "the CA above is silent", "chain 0x80092013", R, CRYPT_E_REVOCATION_OFFLINE, "CN=Issuing: no CRL" },
	{ 35, "CA certificate", REFUSE, "both: the date first", "chain 0x80092013; now 2036-01-01T00:00:01Z", R, CERT_E_EXPIRED, "only" },
	{ 35, "CA certificate", BOUNDARY, "the last second", "now 2036-01-01T00:00:00Z", P, 0, "is valid from" },

	{ 36, "validity period", PASS, "the template's", "", P, 0, "pKIExpirationPeriod" },
	{ 36, "validity period", REFUSE, "ended already", "edit 0x11016e; attr ExpirationDate Mon,_01_Jun_2026_12:00:00_GMT", R, CERT_E_EXPIRED,
	    "would end" },
	{ 36, "validity period", BOUNDARY, "one second left", "edit 0x11016e; attr ExpirationDate Mon,_01_Jun_2026_12:00:01_GMT; set pKIOverlapPeriod 0000000000000000",
	    P, 0, "set by the request" },

	{ 36, "renewal overlap", PASS, "shorter", "", P, 0, "renewal period" },
	{ 36, "renewal overlap", REFUSE, "longer by a second", "set pKIExpirationPeriod 00983b9ef7ffffff; set pKIOverlapPeriod 8001a39df7ffffff", R,
	    CERTSRV_E_CERT_TYPE_OVERLAP, "only" },
	{ 36, "renewal overlap", BOUNDARY, "equal", "set pKIExpirationPeriod 00983b9ef7ffffff; set pKIOverlapPeriod 00983b9ef7ffffff", P, 0,
	    "renewal period" },

	{ 37, "manager approval", PASS, "none asked", "", P, 0, "no approval" },
	{ 37, "manager approval", REFUSE, "every request denied", "disposition 2", R, CERTSRV_E_ADMIN_DENIED_REQUEST, "denies every" },
	{ 37, "manager approval", BOUNDARY, "approval asked", "set msPKI-Enrollment-Flag 2", W, 0, "asks for approval" },

	{ 38, "officer extensions", PASS, "one is set", "officer 1.2.3.4 0500", A, 0, "1.2.3.4" },
	{ 38, "officer extensions", REFUSE, "none is set", "", P, 0, "no officer" },
	{ 38, "officer extensions", BOUNDARY, "disabled, beside a critical one", "officer- 2.5.29.15 00; officer! 2.5.29.33 3000", A, 0,
	    "2.5.29.15 disabled, 2.5.29.33 (critical)" },

	{ 38, "request extensions", PASS, "kept", "ext 2.5.29.33 3000", P, 0, "2.5.29.33 kept" },
	{ 38, "request extensions", REFUSE, "unknown ones are stored only", "ext 1.2.3.4 0500", P, 0, "1.2.3.4 stored only" },
	{ 38, "request extensions", BOUNDARY, "an officer's wins", "ext 2.5.29.33 3000; officer 2.5.29.33 0500", P, 0, "2.5.29.33 an officer's" },
	{ 38, "request extensions", BOUNDARY, "disabled wins over the list", "ext 2.5.29.33 3000; disable 2.5.29.33", P, 0, "2.5.29.33 disabled" },

	{ 38, "subject key identifier", PASS, "made", "", A, 0, "2.5.29.14: SHA-1" },
	{ 38, "subject key identifier", REFUSE, "disabled", "disable 2.5.29.14", S, 0, "DisableExtensionList" },
	{ 38, "subject key identifier", BOUNDARY, "the request's is kept", "ext 2.5.29.14 04020102", P, 0, "stays as the request has it" },

	{ 38, "authority key identifier", PASS, "made", "", A, 0, "2.5.29.35: " },
	{ 38, "authority key identifier", REFUSE, "flag off", "edit 0x11004e", S, 0, "off" },
	{ 38, "authority key identifier", PASS, "all three parts", "edit 0x11194e", A, 0, "key identifier issuer serial number" },
	{ 38, "authority key identifier", PASS, "issuer and serial number", "edit 0x11184e", A, 0, "certificate: issuer serial number" },
	{ 38, "authority key identifier", PASS, "issuer alone", "edit 0x11084e", A, 0, "certificate: issuer" },
	{ 38, "authority key identifier", PASS, "serial number alone", "edit 0x11104e", A, 0, "certificate: serial number" },
	{ 38, "authority key identifier", BOUNDARY, "no key identifier, but a serial number", "cakeyid; edit 0x11114e", A, 0,
	    "certificate: serial number" },
	{ 38, "authority key identifier", BOUNDARY, "the CA has no key identifier", "cakeyid", S, 0, "no subject key identifier" },

	{ 38, "CRL distribution points", PASS, "one URL", "", A, 0, "1 URLs" },
	{ 38, "CRL distribution points", REFUSE, "no URL", "cdp 0", S, 0, "none for certificates" },
	{ 38, "CRL distribution points", BOUNDARY, "the template leaves it out", "set msPKI-Enrollment-Flag 16384", S, 0, "NOREVOCATIONINFO" },

	{ 38, "authority information", PASS, "one URL", "", A, 0, "1 CA certificate URLs, 0 OCSP" },
	{ 38, "authority information", REFUSE, "no URL", "aia 0", S, 0, "none for certificates" },
	{ 38, "authority information", BOUNDARY, "the template leaves OCSP out", "ocsp; set msPKI-Enrollment-Flag 16384", A, 0, "0 OCSP URLs (NOREV" },

	{ 38, "template identifier", PASS, "schema 2", "", A, 0, OID_CERTIFICATE_TEMPLATE },
	{ 38, "template identifier", REFUSE, "disabled", "disable " OID_CERTIFICATE_TEMPLATE, S, 0, "DisableExtensionList" },
	{ 38, "template identifier", BOUNDARY, "schema 1", "set msPKI-Template-Schema-Version 1", A, 0, OID_ENROLL_CERTTYPE },

	{ 38, "key usage", PASS, "the template's", "", A, 0, "2.5.29.15 (critical)" },
	{ 38, "key usage", REFUSE, "the template has none", "unset pKIKeyUsage", S, 0, "none" },
	{ 38, "key usage", BOUNDARY, "not critical", "unset pKICriticalExtensions", A, 0, "2.5.29.15:" },

	{ 38, "basic constraints", PASS, "of a CA", "t SubCA", A, 0, "2.5.29.19 (critical)" },
	{ 38, "basic constraints", REFUSE, "of an end entity", "", S, 0, "no CA template" },
	{ 38, "basic constraints", BOUNDARY, "of an end entity, by the flag", "set msPKI-Enrollment-Flag 32768", A, 0, "2.5.29.19" },

	{ 38, "extended key usage", PASS, "the template's", "", A, 0, "extended key usage of the template" },
	{ 38, "extended key usage", REFUSE, "the template has none", "unset pKIExtendedKeyUsage; unset msPKI-Certificate-Application-Policy", S, 0,
	    "none" },
	{ 38, "extended key usage", BOUNDARY, "an officer's stays", "officer 2.5.29.37 3000", P, 0, "stays as an officer set it" },
	{ 38, "extended key usage", BOUNDARY, "disabled by an officer", "officer- 2.5.29.37 3000", S, 0, "an officer disabled it" },
	{ 38, "extended key usage", BOUNDARY, "the attribute's, by the flag", "edit 0x11814e; attr CertificateUsage 1.2.3", A, 0,
	    "EDITF_ATTRIBUTEEKU: 1.2.3" },

	{ 38, "application policies", PASS, "the template's", "", A, 0, "application policies of the template" },
	{ 38, "application policies", REFUSE, "the template has none", "unset msPKI-Certificate-Application-Policy", S, 0, "none" },
	{ 38, "application policies", BOUNDARY, "schema 1 has none", "set msPKI-Template-Schema-Version 1", S, 0, "schema version 1" },

	{ 38, "issuance policies", PASS, "the template's", "set msPKI-Certificate-Policy 1.2.3.4", A, 0, "2.5.29.32: " },
	{ 38, "issuance policies", REFUSE, "none", "", S, 0, "no issuance policies" },
	{ 38, "issuance policies", BOUNDARY, "what both list",
	    "set msPKI-Certificate-Policy 1.2.3.4; set msPKI-Enrollment-Flag 131072; ext " OID_CERTIFICATE_POLICIES " " POLICIES_1234, A, 0,
	    "issuance policies" },

	{ 38, "SMIME capabilities", PASS, "the CA's default", "set msPKI-Enrollment-Flag 1", A, 0, "default list" },
	{ 38, "SMIME capabilities", REFUSE, "not asked", "", S, 0, "clear" },
	{ 38, "SMIME capabilities", BOUNDARY, "the request's stay", "set msPKI-Enrollment-Flag 1; ext " OID_SMIME_CAPABILITIES " 3000", P, 0, "stays" },

	{ 38, "OCSP no check", PASS, "a responder's", "t OCSPResponseSigning", A, 0, "ADD_OCSP_NOCHECK" },
	{ 38, "OCSP no check", REFUSE, "flag clear", "", S, 0, "clear" },
	{ 38, "OCSP no check", BOUNDARY, "flag without the policy", "set msPKI-Enrollment-Flag 4096", S, 0, "not for OCSP signing" },

	{ 38, "Netscape certificate type", PASS, "KEYGEN", "keygen", A, 0, "SSL client" },
	{ 38, "Netscape certificate type", REFUSE, "PKCS #10", "", S, 0, "no KEYGEN" },
	{ 38, "Netscape certificate type", BOUNDARY, "a server's", "keygen; attr CertType Server", A, 0, "SSL server" },

	{ 38, "subject alternative name", PASS, "of the request", "ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, A, 0, "device.contoso.com" },
	{ 38, "subject alternative name", REFUSE, "none", "", S, 0, "no alternative names" },
	{ 38, "subject alternative name", BOUNDARY, "critical as in the request", "ext! " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, A, 0, "(critical)" },

	{ 38, "subject alternative name", BOUNDARY, "critical beside an empty subject", "t Workstation", A, 0, "(critical)" },
	{ 38, "subject alternative name", BOUNDARY, "not when the setting is off", "t Workstation; listedsan", A, 0, "2.5.29.17: " },
	{ 38, "subject alternative name", BOUNDARY, "the request's stays as it is", "rdns 0; ext " OID_SUBJECT_ALT_NAME " " SAN_DEVICE, A, 0,
	    "2.5.29.17: " },

	{ 38, "security identifier", PASS, "of the account", DIRECTORY "33554432", A, 0, DOMAIN_SID "-1104" },
	{ 38, "security identifier", REFUSE, "flag clear in the template", DIRECTORY "33554432; set msPKI-Enrollment-Flag 524288", S, 0,
	    "NO_SECURITY_EXTENSION" },
	{ 38, "security identifier", BOUNDARY, "supplied in the request", "ext " OID_NTDS_CA_SECURITY_EXT " 3000", A, 0, "as supplied" },

	{ 38, "publication", PASS, "to userCertificate", "", P, 0, "userCertificate of" },
	{ 38, "publication", REFUSE, "flag clear", "set msPKI-Enrollment-Flag 0", S, 0, "clear" },
	{ 38, "publication", BOUNDARY, "of the account asked for", "behalf; signer " AGENT "; set msPKI-RA-Signature 1", P, 0, "CORP\\bob" },
};

/* Rows with a check that refuse nothing: what they find counts, or it does not. */
static const char *const never_refuse[] = { "previous approval", "SAN from request", "SAN attribute", "Exchange names" };
