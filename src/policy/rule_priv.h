/*
 * Shared by the rules: the state of one evaluation, and the words a rule speaks with.
 *
 * A row of policy_rules[] has up to two functions. All checks run first, in row order, and the first that
 * refuses ends the evaluation; then all applies run, in row order, which is the order of added extensions in
 * the certificate. Both return 0, or -1 after rule_refuse() or when memory is short (then ev->e tells).
 */
#ifndef ADCSD_POLICY_RULE_PRIV_H
#define ADCSD_POLICY_RULE_PRIV_H

#include "policy/policy.h"
#include "x509/name.h"

struct eval;

struct policy_rule {
	int step; /* row of the decision list, issuance.md section 2; 38 builds the certificate */
	const char *name;
	const char *attribute; /* of the template, or the CA setting; NULL: none decides */
	const char *section;
	uint32_t schema; /* templates below this schema version are not subject to the rule */
	int (*check)(struct eval *ev);
	int (*apply)(struct eval *ev);
};
extern const struct policy_rule policy_rules[]; /* ends with a NULL name */

/*
 * An extension of the certificate to be. Reserved at its place in the request, filled by the rule that owns
 * the OID.
 */
struct extension_slot {
	const char *oid;
	struct bytes body; /* of the OBJECT IDENTIFIER */
	bool critical;
	bool filled;
	bool officer; /* an officer's: stays as it is, filled or not */
	struct bytes value;
};

/* How the identifiers of the request map to one template (steps 16 to 18). */
enum settle_status { SETTLE_OK, SETTLE_NONE, SETTLE_UNKNOWN, SETTLE_CONFLICT };
struct settled {
	enum settle_status status;
	const struct policy_template *template;
	const char *where, *given;             /* the identifier that decided */
	const char *first_where, *first_given; /* of a conflict: the one before */
};

struct eval {
	const struct policy_input *in;
	const struct policy_ca *ca;
	const struct x509_request *request;
	const struct policy_template *t; /* NULL until step 17 */
	struct pool *pool;
	struct policy_result *out;
	struct err *e;
	const struct policy_rule *rule; /* the one that runs */
	const char *fix;                /* for the refusal to come */
	size_t reasons_cap;
	struct buf scratch; /* empty whenever a rule starts */
	struct extension_slot *slots;
	size_t n_slots, slots_cap;
	/* what the checks worked out */
	struct bytes subject; /* Name */
	struct bytes san;     /* GeneralNames; empty: no extension */
	bool san_critical;
	bool san_supplied; /* by the request or the renewed certificate: its criticality stays */
	struct bytes issuance_policies;
	bool approved_before; /* a renewal that needs neither signatures nor approval, MS-WCCE 3.2.2.6.2.1.4.8
			       */
};

/* ---- the words (explain.c) ---- */

/* Each leaves a reason. pass, adds, pends and skipped return 0, refuse -1; all -1 when memory is short. */
int
rule_pass(struct eval *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
int
rule_adds(struct eval *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
int
rule_pends(struct eval *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
int
rule_skipped(struct eval *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
int
rule_refuse(struct eval *ev, uint32_t hr, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* What an administrator does about the refusal that follows, in console words. */
void
rule_fix(struct eval *ev, const char *fmt, ...) PRINTF_LIKE(2, 3);
int
rule_nomem(struct eval *ev);

/* ---- the plan (plan.c) ---- */

/* Moves the scratch buffer's bytes to the pool and empties it. Fails when the buffer did. */
int
rule_keep(struct eval *ev, struct bytes *out) MUST_CHECK;
/*
 * The scratch buffer as text, in the pool; empties it. "" when memory is short, which the next word
 * reports.
 */
const char *
rule_keep_text(struct eval *ev);
/* Whether a list (pKICriticalExtensions, EnableRequestExtensionList, ...) names this text. */
bool
rule_listed(struct x509_strings list, const char *text);
/* Whether DisableExtensionList takes the extension out of every certificate. */
bool
rule_disabled(const struct eval *ev, const char *oid);
/* Dotted text of an extension's OID, in the pool; NULL when malformed. */
const char *
rule_extension_oid(struct eval *ev, const struct x509_extension *x);
/* Takes a place now for an extension that a later rule fills; an unfilled one does not appear. */
int
rule_reserve(struct eval *ev, const char *oid) MUST_CHECK;
/*
 * Fills the reserved place or appends, and leaves a reason: added, disabled, or kept as the request has it.
 */
int
rule_put(struct eval *ev, const char *oid, bool critical, struct bytes value, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* An extension kept from the request, at the next place. */
int
rule_take(struct eval *ev, const char *oid, const struct x509_extension *x) MUST_CHECK;
/* An officer's extension, which no later rule changes. */
int
rule_take_officer(struct eval *ev, const struct policy_extension *x) MUST_CHECK;
bool
rule_of_officer(const struct eval *ev, const char *oid);
bool
rule_has_extension(const struct eval *ev, const char *oid);
/* Writes the plan from what the rules left. */
int
plan_finish(struct eval *ev) MUST_CHECK;

/* ---- shared questions ---- */

const char *
rule_attribute(const struct eval *ev, const char *name); /* value of a request attribute, NULL when absent */

/* Whose names the certificate gets when they come from the directory (rule_on_behalf.c). */
const char *
rule_subject_account(const struct eval *ev);

static inline bool
rule_supplied(const struct policy_template *t)
{
	return (t->name_flags & CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT) != 0;
}

static inline bool
rule_is_empty_name(struct bytes name)
{
	return name.len <= 2; /* SEQUENCE of nothing */
}

void
template_settle(const struct policy_input *in, struct settled *out); /* rule_template.c */
/* GeneralNames of a SAN attribute value; E_INVALIDARG and what is wrong (san_attribute.c). */
int
san_attribute_encode(struct buf *out, const char *value, struct err *e) MUST_CHECK;

/* One GeneralName by the type's name or an otherName's OID; and whether it is one of those names. */
int
san_attribute_put(struct buf *out, const char *type, const char *value, struct err *e) MUST_CHECK;
bool
san_attribute_type(const char *type, size_t n);

/* ---- rules, by file ---- */

/* clang-format off */
int check_extension_size(struct eval *ev);          /* rule_request_extensions.c */
int apply_request_extensions(struct eval *ev);
int apply_officer_extensions(struct eval *ev);
int check_template_named(struct eval *ev);          /* rule_template.c */
int check_template_single(struct eval *ev);
int check_template_published(struct eval *ev);
int check_template_compatible(struct eval *ev);
int check_template_version(struct eval *ev);
int apply_template_id(struct eval *ev);
int check_renewal_template(struct eval *ev);        /* rule_renewal.c */
int check_previous_approval(struct eval *ev);
int check_renewal_key(struct eval *ev);
int check_on_behalf_template(struct eval *ev);      /* rule_on_behalf.c */
int check_enrollment_agent(struct eval *ev);
int check_enroll(struct eval *ev);                  /* rule_enroll.c */
int check_ra_signatures(struct eval *ev);           /* rule_ra_signature.c */
int check_ra_application_policies(struct eval *ev);
int check_ra_policies(struct eval *ev);
int check_key_size(struct eval *ev);                /* rule_private_key.c */
int check_key_archival(struct eval *ev);
int check_attestation(struct eval *ev);
int check_smime(struct eval *ev);                   /* rule_smime.c */
int apply_smime(struct eval *ev);
int check_issuance_policies(struct eval *ev);       /* rule_issuance_policies.c */
int apply_issuance_policies(struct eval *ev);
int check_machine_name(struct eval *ev);            /* rule_directory_name.c */
int check_directory_subject(struct eval *ev);
int check_directory_san(struct eval *ev);
int check_request_subject(struct eval *ev);         /* rule_request_name.c */
int check_request_san(struct eval *ev);
int check_san_attribute(struct eval *ev);           /* rule_san.c */
int check_exchange_san(struct eval *ev);
int check_san_form(struct eval *ev);
int apply_san(struct eval *ev);
int check_name_present(struct eval *ev);            /* rule_name_length.c */
int check_name_length(struct eval *ev);
int check_sid(struct eval *ev);                     /* rule_sid.c */
int apply_sid(struct eval *ev);
int check_ca_expired(struct eval *ev);              /* rule_validity.c */
int check_validity(struct eval *ev);
int check_overlap(struct eval *ev);
int check_pending(struct eval *ev);                 /* rule_pending.c */
int apply_subject_key_id(struct eval *ev);          /* rule_ca_extensions.c */
int apply_authority_key_id(struct eval *ev);
int apply_crl_distribution_points(struct eval *ev);
int apply_authority_info_access(struct eval *ev);
int apply_ocsp_nocheck(struct eval *ev);
int apply_key_usage(struct eval *ev);               /* rule_usage.c */
int apply_basic_constraints(struct eval *ev);
int apply_extended_key_usage(struct eval *ev);
int apply_application_policies(struct eval *ev);
int apply_netscape_type(struct eval *ev);           /* rule_usage.c */
int apply_publication(struct eval *ev);             /* rule_pending.c */
/* clang-format on */

#endif
