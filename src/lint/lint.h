/*
 * Lint: what is dangerous, contradictory or dead in a forest's templates, CAs and PKI objects. Pure:
 * directory entries and CA settings in, findings out; adcsctl reads the former from LDAP or LDIF and prints
 * the latter. Each rule is a row of lint_rules. The ESC numbers are those of the public research on AD CS
 * (misconfigurations.md).
 */
#ifndef ADCSD_LINT_LINT_H
#define ADCSD_LINT_LINT_H

#include <jansson.h>

#include "auth/access.h"
#include "auth/restriction.h"
#include "policy/template.h"

enum lint_severity { LINT_INFO, LINT_WARNING, LINT_ERROR };
/* "info", "warning", "error". */
const char *
lint_severity_name(enum lint_severity s);
bool
lint_severity_from_name(const char *name, enum lint_severity *out);

/* ---- principals ---- */

/* How far a principal may be trusted with a way to somebody else's certificate. Order counts: the worst last.
 */
enum lint_trust {
	LINT_PRIVILEGED, /* administrators, domain controllers, the CA host: no finding */
	LINT_TRUSTED,    /* named by the caller (--trust, --connector): at most information */
	LINT_NAMED,      /* one account, or a group of some accounts */
	LINT_BROAD, /* everybody: Everyone, Authenticated Users, Domain Users, ..., or a group that holds one
		       of them */
};
/* A principal that a descriptor gives something to. */
struct lint_principal {
	struct sid sid;
	const char *name; /* "CORP\\Domain Users", or the SID's text */
	enum lint_trust trust;
	int ace;              /* index in the DACL; -1: owner, or there is no DACL */
	const char *ace_text; /* SDDL of that ACE, "owner", "no DACL" */
};
struct lint_principals {
	struct lint_principal *v;
	size_t n;
};

/* ---- what is looked at ---- */

/* Registry values of one CA, as "adcsctl --json ca show" gives them; what is not known has its default. */
struct lint_settings {
	bool known; /* settings of this CA were given */
	uint32_t edit_flags, request_disposition, interface_flags, db_flags, ca_version;
	struct x509_strings disable_extensions, subject_template;
	bool copies_application_policies; /* schema 1 before CVE-2024-49019 */
	filetime_t validity;              /* ValidityPeriod; 0: unknown */
	filetime_t not_after;             /* of the CA certificate; 0: unknown */
	struct sd *security;
	const struct restrictions *officers, *agents; /* OfficerRights, EnrollmentAgentRights; NULL: none */
	int strong_binding;      /* KDC StrongCertificateBindingEnforcement; -1: unknown */
	int64_t mapping_methods; /* Schannel CertificateMappingMethods; -1: unknown */
	bool clear_hsm_password; /* YubiHSM AuthKeysetPassword is stored */
};
struct lint_ca {
	const char *name, *display_name, *dn, *host;
	struct x509_strings published;          /* as the object spells them */
	struct x509_strings enrollment_servers; /* msPKI-Enrollment-Servers */
	struct lint_settings set;
};
struct lint_template {
	struct policy_template t; /* cn and dn alone are set when it cannot be loaded */
	const char *unreadable;   /* why it cannot be loaded; NULL: it can */
};
struct lint_object { /* a PKI object or container with a descriptor */
	const char *dn, *name, *kind;
	struct sd *sd;
	bool container;
};
struct lint_oid {
	const char *dn, *name, *oid, *group_link;
	struct sd *sd;
};
struct lint_account {
	struct sid sid;
	const char *dn, *sam, *dns_host_name;
	struct x509_strings member, member_of, alt_security_identities;
	uint32_t primary_rid;
	bool is_group, is_computer;
	struct sd *sd;
};
struct lint_model; /* all of it; immutable once built */

/*
 * entries: policy_attrs of every object of the forest that was read, in any order; borrowed for the call.
 * settings: what lint_settings_read() takes, for the CA it names (or, without a name, every CA); may be NULL.
 * Accounts in trusted (SIDs, n_trusted) never give more than information. Fails for entries that are no
 * forest: no domain with an objectSid.
 */
struct lint_request {
	const struct policy_attrs *entries;
	size_t n_entries;
	const json_t *settings;
	filetime_t now;
	const char *template_name;   /* only this one; NULL: all */
	bool pkcs;                   /* the how-to for the PKCS connector too; needs template_name */
	const struct sid *connector; /* NULL: not named */
	const struct sid *trusted;
	size_t n_trusted;
};

/* ---- findings ---- */

struct lint_rule;
struct lint_finding {
	const struct lint_rule *rule;
	enum lint_severity severity;
	const char *object, *dn; /* template cn, CA name, ...; dn may be NULL for settings of a CA */
	const char *attribute;   /* attribute, setting or ACE the finding is about */
	const char *text;        /* what is wrong, with the values */
	const char *values;      /* predicate values: flags in hex, EKU, schema, publishing CAs; NULL: none */
	const char *condition;   /* a side condition that cannot be seen here; NULL: none */
	const char *fix;         /* in console words */
	const char *change;      /* the same as an LDIF change record; NULL: none that is surely right */
	struct lint_principals who; /* whom it is open to */
};
enum lint_scope { LINT_TEMPLATE, LINT_CA, LINT_FOREST, LINT_PKCS };
struct lint_run;
struct lint_rule {
	const char *id; /* "ESC1", "RENEWAL" */
	enum lint_scope scope;
	const char *title;                /* one line */
	const char *section;              /* of the specification or of Microsoft's documentation */
	int (*check)(struct lint_run *r); /* 0, or -1 when memory is short */
};
extern const struct lint_rule lint_rules[]; /* ends with id NULL */
/* Rules that this program cannot judge, and why; ends with id NULL. */
struct lint_blind {
	const char *id, *why;
};
extern const struct lint_blind lint_blind_spots[];

struct lint_report {
	struct lint_finding *v; /* worst first, then by rule and object */
	size_t n;
	size_t n_templates, n_cas, n_objects, n_accounts; /* looked at */
};
int
lint_run_all(
    const struct lint_request *in, struct pool *pool, struct lint_report *out, struct err *e) MUST_CHECK;

/* Reads settings as "adcsctl --json ca show" prints them (an object with "settings", "name", "notAfter",
 * "security"); every member may be missing. Refuses values of a wrong type. */
int
lint_settings_read(struct lint_settings *out, struct pool *pool, const json_t *o,
    const struct sddl_domain *domain, struct err *e) MUST_CHECK;

#endif
