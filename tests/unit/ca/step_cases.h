/*
 * Three cases for every step of issuance.md section 2 that is a code path, as row_cases.h has them for the rows: it passes, it
 * refuses, and the boundary between. A setup is a list of commands for a bench, see commands[] in test_steps.c; "send" and what
 * comes before it is the request that counts. Included there only.
 */

#define ISSUED CR_DISP_ISSUED
#define GONE E_DS_NO_SUCH_OBJECT
#define SET "set CA\\\\InterfaceFlags "
#define NO_LDAP "set CA\\\\CRLPublicationURLs 2:http://x/%3.crl; "

enum kind { PASS, REFUSE, BOUNDARY, KINDS };
/* How it ends: answered, in a row (D), or refused before there is one (H). */
enum end { D, H };

static const struct step_case {
	int step;
	enum kind kind;
	const char *name, *setup;
	enum end end;
	uint32_t code;
	const char *text; /* a piece of the disposition message */
} step_cases[] = {
	{ 1, PASS, "DCOM, as delivered", "front ICertRequestD", D, ISSUED, "Issued" },
	{ 1, REFUSE, "no DCOM", "front ICertRequestD; " SET "+IF_NOREMOTEICERTREQUEST", H, CERTSRV_E_ENROLL_DENIED, "" },
	{ 1, REFUSE, "no RPC", SET "+IF_NORPCICERTREQUEST", H, E_RPC_SERVER_UNAVAILABLE, "" },
	{ 1, BOUNDARY, "no DCOM, by RPC", SET "+IF_NOREMOTEICERTREQUEST", D, ISSUED, "Issued" },
	{ 1, BOUNDARY, "no RPC, by DCOM", "front ICertRequestD2; " SET "+IF_NORPCICERTREQUEST", D, ISSUED, "Issued" },

	{ 2, PASS, "sealed", "", D, ISSUED, "Issued" },
	{ 2, REFUSE, "in clear", "clear", H, E_ACCESSDENIED, "" },
	{ 2, BOUNDARY, "in clear, where nobody insists", "clear; " SET "-IF_ENFORCEENCRYPTICERTREQUEST", D, ISSUED, "Issued" },
	{ 2, BOUNDARY, "DCOM insists always", "front ICertRequestD; clear; " SET "-IF_ENFORCEENCRYPTICERTREQUEST", H, E_ACCESSDENIED, "" },

	{ 3, PASS, "known", "", D, ISSUED, "Issued" },
	{ 3, REFUSE, "anonymous", "anonymous", H, E_ACCESSDENIED, "" },
	{ 3, BOUNDARY, "anonymous, where everybody may enroll", "grant WD; anonymous", H, E_ACCESSDENIED, "" },

	{ 4, PASS, "through a group", "", D, ISSUED, "Issued" },
	{ 4, REFUSE, "no right", "revoke-right AU", H, CERTSRV_E_ENROLL_DENIED, "" },
	{ 4, BOUNDARY, "denied to one, allowed to its group", "deny " USER_SID, H, CERTSRV_E_ENROLL_DENIED, "" },

	{ 5, PASS, "the CA's name", "", D, ISSUED, "Issued" },
	{ 5, REFUSE, "another name", "authority Fabrikam CA", H, E_INVALIDARG, "" },
	{ 5, REFUSE, "no name", "authority", H, E_INVALIDARG, "" },
	{ 5, BOUNDARY, "in another case", "authority corp-CA01-ca", D, ISSUED, "Issued" },
	{ 5, BOUNDARY, "one letter short", "authority CORP-ca01-C", H, E_INVALIDARG, "" },

	{ 6, PASS, "read", "attributes CertificateTemplate:Supplied", D, ISSUED, "Issued" },
	{ 6, REFUSE, "a line that is none", "attributes CertificateTemplate Supplied", D, CERTSRV_E_NO_CERT_TYPE, "Denied by Policy" },
	{ 6, BOUNDARY, "bad lines around it, spaces and minus signs in it",
	    "attributes nonsense|:x| Certificate-Tem plate : Supplied |y", D, ISSUED, "Issued" },

	{ 7, PASS, "by its id", "send; status 1", D, ISSUED, "Issued" },
	{ 7, REFUSE, "id 0", "send; status 0", H, E_INVALIDARG, "" },
	{ 7, REFUSE, "unknown", "send; status 2", H, CERTSRV_E_PROPERTY_EMPTY, "" },
	{ 7, BOUNDARY, "id 0, by a serial number", "send; status 0; serial", D, ISSUED, "Issued" },

	{ 8, PASS, "as it says", "flags 0x100", D, ISSUED, "Issued" },
	{ 8, REFUSE, "CMC, it says", "flags 0x400", D, CRYPT_E_INVALID_MSG_TYPE, CA_ERROR_PARSING },
	{ 8, REFUSE, "CMS is no PKCS #10", "form cms; flags 0x100", D, CRYPT_E_INVALID_MSG_TYPE, CA_ERROR_PARSING },
	{ 8, BOUNDARY, "says nothing", "form cms; flags 0", D, ISSUED, "Issued" },
	{ 8, BOUNDARY, "another octet of the flags", "flags 0x10000", D, ISSUED, "Issued" },

	{ 9, PASS, "whole", "", D, ISSUED, "Issued" },
	{ 9, REFUSE, "ends early", "form cut", D, CRYPT_E_ASN1_EOD, CA_ERROR_PARSING },
	{ 9, REFUSE, "another tag", "form tag", D, CRYPT_E_ASN1_BADTAG, CA_ERROR_PARSING },
	{ 9, REFUSE, "CMS around something else", "form shape", D, E_INVALID_DATA, CA_ERROR_PARSING },
	{ 9, BOUNDARY, "without its last octet", "form cut1", D, CRYPT_E_ASN1_EOD, CA_ERROR_PARSING },
	{ 9, BOUNDARY, "one octet more", "form more", D, CRYPT_E_ASN1_BADTAG, CA_ERROR_PARSING },

	{ 10, PASS, "one signer", "form cms", D, ISSUED, "Issued" },
	{ 10, REFUSE, "none", "form unsigned", D, CRYPT_E_NO_SIGNER, CA_ERROR_PARSING },
	{ 10, BOUNDARY, "none, but a certificate", "form certificate", D, CRYPT_E_NO_SIGNER, CA_ERROR_PARSING },

	{ 11, PASS, "by its own key", "form rsa", D, ISSUED, "Issued" },
	{ 11, REFUSE, "by another key", "form stranger", D, NTE_BAD_SIGNATURE, CA_ERROR_VERIFYING },
	{ 11, BOUNDARY, "one bit differs", "form corrupt", D, NTE_BAD_SIGNATURE, CA_ERROR_VERIFYING },

	{ 12, PASS, "signed by the old key", "form renewal", D, ISSUED, "Issued" },
	{ 12, REFUSE, "the old key did not sign", "form renewal-other", D, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE, CA_ERROR_VERIFYING },
	{ 12, REFUSE, "no certificate", "form renewal-junk", D, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE, CA_ERROR_VERIFYING },
	{ 12, BOUNDARY, "in a plain PKCS #10 it renews nothing", "form renewal-plain", D, ISSUED, "Issued" },
	{ 12, BOUNDARY, "signed, and the certificate left out", "form renewal-bare", D, CERTSRV_E_BAD_RENEWAL_CERT_ATTRIBUTE, CA_ERROR_VERIFYING },

	{ 13, PASS, "in force", "form cms", D, ISSUED, "Issued" },
	{ 13, REFUSE, "of nobody's CA", "form foreign", D, CERT_E_UNTRUSTEDROOT, CA_ERROR_VERIFYING },
	{ 13, REFUSE, "expired a second ago", "form cms; end 1", D, CERT_E_EXPIRED, CA_ERROR_VERIFYING },
	{ 13, REFUSE, "revoked", "form cms; revoke", D, CRYPT_E_REVOKED, CA_ERROR_VERIFYING },
	{ 13, REFUSE, "no CRL in force", "form cms; " NO_LDAP "block; days 9", D, CRYPT_E_REVOCATION_OFFLINE, CA_ERROR_VERIFYING },
	{ 13, BOUNDARY, "in its last second", "form cms; end 0", D, ISSUED, "Issued" },
	{ 13, BOUNDARY, "held and released", "form cms; hold; release", D, ISSUED, "Issued" },
	{ 13, BOUNDARY, "the CRL that cannot be replaced has not run out", "form cms; " NO_LDAP "block; days 6", D, ISSUED, "Issued" },
	{ 13, BOUNDARY, "the CRL is in the directory", "form cms; block; days 9", D, ISSUED, "Issued" },
	{ 13, BOUNDARY, "no CRL, and nobody minds", "form cms; " NO_LDAP "block; days 9; set CA\\\\CRLFlags +CRLF_REVCHECK_IGNORE_OFFLINE", D,
	    ISSUED, "Issued" },
	{ 13, BOUNDARY, "no CRL, and nobody else signed", NO_LDAP "block; days 9", D, ISSUED, "Issued" },

	{ 34, PASS, "found", "attributes CertificateTemplate:Built", D, ISSUED, "Issued" },
	{ 34, REFUSE, "gone", "attributes CertificateTemplate:Built; gone", D, GONE, "Denied by Policy" },
	{ 34, REFUSE, "the directory is down", "attributes CertificateTemplate:Built; down", D, E_DS_SERVER_DOWN, "Denied by Policy" },
	{ 34, BOUNDARY, "gone, and nobody asks", "gone", D, ISSUED, "Issued" },
};

/* Steps of the list that are no rows of policy/rules.c: all but 15 and 38, whose parts have tests of their own. */
static const int code_paths[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 34 };
