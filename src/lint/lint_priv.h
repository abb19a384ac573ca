/* Shared by the files of lint/. */
#ifndef ADCSD_LINT_LINT_PRIV_H
#define ADCSD_LINT_LINT_PRIV_H

#include "lint/lint.h"

#define OID_CLIENT_AUTHENTICATION "1.3.6.1.5.5.7.3.2"
#define OID_SERVER_AUTHENTICATION "1.3.6.1.5.5.7.3.1"
#define OID_PKINIT_CLIENT "1.3.6.1.5.2.3.4"
#define OID_SMART_CARD_LOGON "1.3.6.1.4.1.311.20.2.2"
#define OID_CERTIFICATE_REQUEST_AGENT "1.3.6.1.4.1.311.20.2.1"
#define OID_ANY_EXTENDED_KEY_USAGE "2.5.29.37.0"
#define OID_ANY_APPLICATION_POLICY "1.3.6.1.4.1.311.10.12.1"
#define OID_EMAIL_PROTECTION "1.3.6.1.5.5.7.3.4"
#define OID_ENCRYPTING_FILE_SYSTEM "1.3.6.1.4.1.311.10.3.4"

#define LINT_TOKENS 512 /* made once, kept for the pass */

/* A member of a group, by DN; from member and memberOf alike. */
struct lint_membership {
	const char *dn;
	const struct lint_account *group;
};

struct lint_model {
	struct pool *pool;
	struct sddl_domain domain;
	const char *nb_domain, *config_dn;
	struct lint_template *templates;
	struct lint_ca *cas;
	struct lint_object *objects;
	struct lint_oid *oids;
	struct lint_account *accounts;
	size_t n_templates, n_cas, n_objects, n_oids, n_accounts;
	const struct sid *trusted;
	size_t n_trusted;
	struct lint_membership *memberships; /* by DN, without case */
	size_t n_memberships;
	struct token **tokens;
	size_t n_tokens;
};

/* One pass over the rules. The subject of the scope is set when a check runs. */
struct lint_run {
	const struct lint_request *in;
	struct lint_model *m;
	struct pool *pool;
	const struct lint_rule *rule;
	const struct lint_template *template; /* LINT_TEMPLATE, LINT_PKCS */
	const struct policy_template *t;      /* the same, when it can be loaded */
	const struct lint_ca *ca;             /* LINT_CA */
	struct lint_finding *v;
	size_t n, cap;
	bool short_of_memory;
};

/* ---- model.c ---- */

int
lint_model_build(
    struct lint_model *m, const struct lint_request *in, struct pool *pool, struct err *e) MUST_CHECK;
/* Releases what is not in the pool. */
void
lint_model_fini(struct lint_model *m);
const struct lint_account *
lint_account_find(const struct lint_model *m, const struct sid *sid);

/* The first membership of this DN, or n_memberships. */
size_t
lint_membership_first(const struct lint_model *m, const char *dn);

/* ---- who.c ---- */

enum lint_trust
lint_trust_of(struct lint_model *m, const struct sid *sid);
const char *
lint_name_of(const struct lint_model *m, const struct sid *sid);
/*
 * A token of somebody who is just what the SID says: an account with all its groups, or an ordinary member of
 * a group. The model keeps it. NULL when memory is short.
 */
const struct token *
lint_token_of(struct lint_model *m, const struct sid *sid);

/* Whom the descriptor gives a control right, a plain right or write access; least: how little trust they must
 * have. NULL descriptors give nothing: what was not read cannot be judged. */
struct lint_principals
lint_who_control(struct lint_run *r, const struct sd *sd, const struct guid *right, enum lint_trust least);
struct lint_principals
lint_who_ca(struct lint_run *r, const struct sd *sd, uint32_t wanted, enum lint_trust least);
struct lint_principals
lint_who_may(struct lint_run *r, const struct sd *sd, uint32_t wanted, enum lint_trust least);
/* Who may write altSecurityIdentities. */
struct lint_principals
lint_who_maps(struct lint_run *r, const struct sd *sd, enum lint_trust least);
/* Full control, WriteDacl, WriteOwner, GenericWrite, WriteProperty on everything or on a listed attribute,
 * ownership; on containers also creating children. */
struct lint_principals
lint_who_writes(struct lint_run *r, const struct sd *sd, bool container, enum lint_trust least);
/* The worst of them; LINT_PRIVILEGED when there is none. */
enum lint_trust
lint_worst(struct lint_principals who);
/* error for everybody, warning for some, information for trusted ones. */
enum lint_severity
lint_severity_of(struct lint_principals who);

/* ---- rights.c ---- */

/* No CA that publishes the template lets any of them enroll there on behalf of others. */
bool
lint_agents_confined(struct lint_run *r, struct lint_principals who, const struct policy_template *t);
/* Has one of the officers an entry for the template in OfficerRights, or needs none? */
bool
lint_officers_decide(struct lint_run *r, struct lint_principals officers, const struct policy_template *t);

/* ---- predicates.c ---- */

bool
lint_listed(struct x509_strings list, const char *text);
struct x509_strings
lint_usages(const struct policy_template *t);
bool
lint_any_purpose(const struct policy_template *t);
bool
lint_logs_on(const struct policy_template *t);
bool
lint_supplies_subject(const struct policy_template *t);
/* Neither manager approval nor authorized signatures. */
bool
lint_no_gate(const struct policy_template *t);
bool
lint_publishes(const struct lint_ca *ca, const struct policy_template *t);
bool
lint_published(const struct lint_run *r, const struct policy_template *t);
/* RequestDisposition: issue, and not pending first. */
bool
lint_issues_at_once(const struct lint_ca *ca);
/* Those who get a certificate of this template without anybody else: Enroll on the template, and Request
 * Certificates on a CA that publishes it and issues at once. */
struct lint_principals
lint_reach(struct lint_run *r, const struct policy_template *t);
/* Enroll on the template and Request Certificates on a CA that publishes it, whatever gate follows. */
struct lint_principals
lint_enrollees(struct lint_run *r, const struct policy_template *t);
/* "msPKI-Certificate-Name-Flag 0x1, msPKI-Enrollment-Flag 0x9, ... " */
const char *
lint_values(struct lint_run *r, const struct policy_template *t);
const struct lint_template *
lint_template_find(const struct lint_model *m, const char *cn);
/* Weak binding, from what the settings tell of domain controllers: 1 yes, 0 no, -1 unknown. */
int
lint_weak_binding(const struct lint_run *r);

/* ---- run.c ---- */

#define LINT_FIX_TEMPLATE "Certificate Templates console > %s > Properties > "

/* Adds a finding of the rule at hand about the subject of its scope; the caller fills in more. Never NULL:
 * with memory short a scratch finding is given and the run fails at its end. */
struct lint_finding *
lint_add(struct lint_run *r, enum lint_severity severity, const char *attribute, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A text in the pool, "" when memory is short. */
const char *
lint_text(struct lint_run *r, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* f->change: sets the template's attribute to a flag word. */
void
lint_change_flags(struct lint_run *r, struct lint_finding *f, const char *attribute, uint32_t value);

/* ---- the checks, by file ---- */

typedef int
lint_check_fn(struct lint_run *r);

lint_check_fn lint_esc1, lint_esc2, lint_esc3, lint_esc4, lint_esc5, lint_esc6, lint_esc7, lint_esc8,
    lint_esc9, lint_esc10, lint_esc11, lint_esc12, lint_esc13, lint_esc14, lint_esc15, lint_esc16, lint_esc17;
lint_check_fn lint_owner_person, lint_no_descriptor;
lint_check_fn lint_renewal, lint_name_bits, lint_san_bit, lint_autoenroll_ace, lint_autoenroll_rights,
    lint_autoenroll_dead, lint_pending_nobody, lint_rights_dead, lint_key_size, lint_usage_mismatch,
    lint_nobody_enrolls, lint_longer_than_ca, lint_longer_than_setting, lint_supersedes,
    lint_key_based_renewal, lint_ra_dead, lint_ds_check_dead, lint_policies_from_request, lint_archival_usage,
    lint_volatile_dead;
lint_check_fn lint_attribute_eku, lint_ca_expires, lint_pkcs_subject_template;
lint_check_fn lint_published_missing, lint_published_unreadable, lint_ca_cannot_read, lint_ca_too_old;
lint_check_fn lint_schema_levels, lint_level_unlocks, lint_level_unknown, lint_legacy_bit;
lint_check_fn lint_pkcs_published, lint_pkcs_subject, lint_pkcs_exportable, lint_pkcs_key_size,
    lint_pkcs_usages, lint_pkcs_nonrepudiation, lint_pkcs_gate, lint_pkcs_attest, lint_pkcs_template_rights,
    lint_pkcs_ca_rights, lint_pkcs_account, lint_pkcs_levels, lint_pkcs_end_date;

#endif
