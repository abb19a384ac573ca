/*
 * The policy module: pure. Rules see template, CA settings, caller and parsed request, nothing else; each
 * passes, refuses (HRESULT and text) or adds to the certificate plan, and says why. Order: issuance.md
 * section 2.
 */
#ifndef ADCSD_POLICY_POLICY_H
#define ADCSD_POLICY_POLICY_H

#include "auth/access.h"
#include "auth/restriction.h"
#include "policy/template.h"
#include "x509/cert.h"
#include "x509/certificate.h"

/* policy\EditFlags, MS-WCCE 3.2.1.1.4 and certsrv.h names */
enum {
	EDITF_ENABLEREQUESTEXTENSIONS = 0x1,
	EDITF_REQUESTEXTENSIONLIST = 0x2,
	EDITF_DISABLEEXTENSIONLIST = 0x4,
	EDITF_ADDOLDKEYUSAGE = 0x8,
	EDITF_ADDOLDCERTTYPE = 0x10,
	EDITF_ATTRIBUTEENDDATE = 0x20,
	EDITF_BASICCONSTRAINTSCRITICAL = 0x40,
	EDITF_BASICCONSTRAINTSCA = 0x80,
	EDITF_ENABLEAKIKEYID = 0x100,
	EDITF_ATTRIBUTECA = 0x200,
	EDITF_IGNOREREQUESTERGROUP = 0x400,
	EDITF_ENABLEAKIISSUERNAME = 0x800,
	EDITF_ENABLEAKIISSUERSERIAL = 0x1000,
	EDITF_ENABLEAKICRITICAL = 0x2000,
	EDITF_SERVERUPGRADED = 0x4000,
	EDITF_ATTRIBUTEEKU = 0x8000,
	EDITF_ENABLEDEFAULTSMIME = 0x10000,
	EDITF_EMAILOPTIONAL = 0x20000,
	EDITF_ATTRIBUTESUBJECTALTNAME2 = 0x40000,
	EDITF_ENABLELDAPREFERRALS = 0x80000,
	EDITF_ENABLECHASECLIENTDC = 0x100000,
};

/* What of the CA's configuration the rules read. Immutable during an evaluation; borrowed texts. */
struct policy_ca {
	uint32_t edit_flags;          /* default 0x11014E */
	uint32_t request_disposition; /* default 1; 0x100 PENDINGFIRST */
	filetime_t clock_skew;        /* ClockSkewMinutes, default 10 minutes */
	int validity_months;          /* ValidityPeriod/Units when Years or Months, else 0 */
	filetime_t validity_span;     /* when Weeks, Days, Hours, Minutes, Seconds, else 0 */
	unsigned ca_version;          /* compatibility.md section 4: 1..6, default 6 */
	const char *ca_name;
	filetime_t ca_not_before, ca_not_after;
	struct bytes ca_key_id;            /* for the AKI */
	struct bytes ca_subject;           /* Name DER, issuer */
	struct bytes ca_issuer, ca_serial; /* of the CA's certificate: Name DER, content of the INTEGER */
	struct x509_strings cdp_urls, aia_urls, ocsp_urls; /* expanded, for certificates */
	struct x509_strings enable_request_extensions;     /* EnableRequestExtensionList */
	struct x509_strings disable_extensions;            /* DisableExtensionList */
	struct x509_strings subject_template;              /* SubjectTemplate, console order */
	bool rdn_reorder;                                  /* CRLF_DISABLE_RDN_REORDER clear */
	bool enforce_name_lengths;                         /* EnforceX500NameLengths */
	bool upn_fallback; /* implicit UPN when userPrincipalName is empty; off (UNVERIFIED switch) */
	bool esc15_copy_application_policies; /* behaviour before CVE-2024-49019; off */
	bool critical_san; /* alternative names that the CA makes are critical beside an empty subject; on */
	bool issuance_policy_required; /* 0x8009480C for a missing signer issuance policy; off (UNVERIFIED
					  switch) */
	const char *dns_domain, *nb_domain;      /* for SUBJECT_ALT_REQUIRE_DOMAIN_DNS */
	const struct restrictions *agent_rights; /* EnrollmentAgentRights; NULL: no restriction */
	uint32_t chain_status;  /* what is wrong with the chain above the CA: an HRESULT, 0 for nothing */
	const char *chain_text; /* and in words */
	uint32_t max_extension; /* longest stored extension, octets; 0: 4096 (DBFlags 0x1000: 16384) */
};

/*
 * The subject's directory attributes (requester); only read when the template builds the name from the
 * directory.
 */
struct policy_subject {
	const char *dn, *cn, *upn, *mail, *dns_host_name; /* NULL when absent */
	const char *sam;
	const char *sid_text;
	struct bytes guid; /* 16 octets or empty */
	bool is_computer;
};

struct policy_attribute { /* request attribute "Name:Value", name normalised (issuance.md section 6) */
	const char *name, *value;
};

struct policy_extension { /* set by an officer (MS-CSRA 3.1.4.1.1); each OID once */
	const char *oid;
	bool critical;
	bool disabled; /* not in the certificate, whoever else would put it there */
	struct bytes value;
};

struct policy_signer { /* a certificate that signed around the request (CMS, CMC); a PKCS #10 alone has none
			*/
	const char *name;                         /* its subject, for texts */
	struct x509_strings application_policies; /* EKU */
	struct x509_strings issuance_policies;
};

struct policy_input {
	const struct policy_ca *ca;
	const struct token *caller;
	const struct x509_request *request;
	const struct policy_signer *signers; /* NULL for PKCS #10 */
	size_t n_signers;
	size_t n_vouching; /* of them, from the first on: those whose signature covers on_behalf_of */
	const struct x509_certificate
	    *renewal;             /* the certificate to be renewed, which signed; NULL: a new request */
	const char *on_behalf_of; /* account of the named user, "CORP\\janedoe"; then subject is theirs. NULL:
				     the caller's */
	const struct token *named;                 /* of on_behalf_of, with groups; NULL: not known */
	const struct policy_attribute *attributes; /* of pwszAttributes and the request's own, in order */
	size_t n_attributes;
	const struct policy_template *templates; /* every loadable template of the snapshot */
	size_t n_templates;
	const struct x509_strings *published; /* certificateTemplates of this CA, cn */
	const struct policy_subject *subject; /* NULL until fetched, see policy_needs_subject() */
	filetime_t now;                       /* virtual */
	const struct policy_extension *officer_extensions; /* of a request that waited */
	size_t n_officer_extensions;
	size_t archived_for; /* recovery agents that the request's private key is encrypted for; 0: no key
				was archived */
	bool approved;       /* resubmitted by an officer: manager approval is skipped */
};

enum policy_outcome { POLICY_ISSUE, POLICY_PEND, POLICY_DENY };
enum policy_said { POLICY_PASS, POLICY_REFUSE, POLICY_ADDS, POLICY_PENDS, POLICY_SKIPPED };

/* One line of the explanation; lives in the pool. */
struct policy_reason {
	int step;            /* row number of issuance.md section 2 */
	const char *rule;    /* rule name in rules.c */
	const char *section; /* "MS-WCCE 3.2.2.6.2.1.4.5.2" */
	enum policy_said said;
	const char
	    *attribute;   /* "msPKI-Minimal-Key-Size", "nTSecurityDescriptor", "EditFlags"; may be NULL */
	const char *text; /* "key has 1024 bits, template asks for 2048" */
	const char *fix;  /* for a refusal, in console words; NULL else */
};

/* "pass", "refuse", "adds", "pends", "skipped". */
const char *
policy_said_name(enum policy_said said);
bool
policy_said_from_name(const char *name, enum policy_said *out);
/* What the rule table says of a rule; false, and nothing written, when it has no such row. */
bool
policy_rule_find(int step, const char *name, const char **attribute, const char **section);

struct policy_result {
	enum policy_outcome outcome;
	const struct policy_template *template; /* NULL when none was settled */
	uint32_t hr;                            /* POLICY_DENY */
	const char
	    *policy_text; /* what "Denied by Policy Module  0x..., <text>" ends with; NULL: system text */
	const char *issued_info; /* "Issued  <info>" when the validity was clipped; NULL else */
	struct policy_reason *reasons;
	size_t n_reasons;
	/* POLICY_ISSUE and POLICY_PEND: everything but serial number and signature */
	struct x509_cert_plan plan; /* serial_len 0 */
	bool publish_to_ds;         /* userCertificate of the subject */
	bool publish_to_kra;        /* userCertificate of the CA's object in the KRA container */
};

/*
 * Runs the whole list. Fails (-1) only for our own troubles (memory): a refusal is a result. Everything in
 * pool.
 */
int
policy_evaluate(
    const struct policy_input *in, struct pool *pool, struct policy_result *out, struct err *e) MUST_CHECK;

/* The template the request names, as rules 16 to 18 settle it, and whether its subject comes from the
 * directory: then the caller of policy_evaluate() must fill input.subject first. */
bool
policy_needs_subject(const struct policy_input *in);

/* Splits "Name:Value" lines (LF or CRLF), normalises names; bad lines are ignored. */
int
policy_attributes_parse(
    const char *text, struct pool *pool, struct policy_attribute **out, size_t *n, struct err *e) MUST_CHECK;

/* The dotted OID that an entry of SubjectTemplate stands for; the entry itself when it is no known name.
 * Lent.
 */
const char *
policy_subject_oid(const char *entry);

#endif
