/* Certificate templates in the directory, as the console's commands handle them. */
#ifndef ADCSD_CTL_TEMPLATE_H
#define ADCSD_CTL_TEMPLATE_H

#include "ctl/ldap.h"
#include "policy/template.h"

/* DN of CN=<container>,CN=Public Key Services. */
const char *
ctl_pks_dn(struct ctl *c, const char *container);

/* By cn (case-insensitive); E_DS_NO_SUCH_OBJECT names the near misses: a display name given instead. */
int
ctl_template_find(struct ctl *c, const char *name, struct ctl_entry **out, struct err *e) MUST_CHECK;
int
ctl_template_decode(struct ctl *c, const struct ctl_entry *en, struct policy_template *out, struct err *e) MUST_CHECK;

/* ---- controls of the console, one option each (compatibility.md section 6) ---- */

/* The rows of options tables; a verb's table may put its own before them. */
#define CTL_TEMPLATE_CONTROLS \
	{ "display-name", "TEXT", "General: Template display name" }, \
	{ "validity", "PERIOD", "General: Validity period (1y, 6m, 2w, 30d, 8h)" }, \
	{ "renewal", "PERIOD", "General: Renewal period" }, \
	{ "publish-in-ad", "yes|no", "General: Publish certificate in Active Directory" }, \
	{ "compat-ca", "LEVEL", "Compatibility: Certification Authority (2003, 2008, 2008R2, 2012, 2012R2, 2016)" }, \
	{ "compat-recipient", "LEVEL", "Compatibility: Certificate recipient (xp, vista, 7, 8, 8.1, 10)" }, \
	{ "allow-export", "yes|no", "Request Handling: Allow private key to be exported" }, \
	{ "include-symmetric-algorithms", "yes|no", "Request Handling: Include symmetric algorithms" }, \
	{ "minimum-key-size", "BITS", "Cryptography: Minimum key size" }, \
	{ "providers", "LIST|any", "Cryptography: Requests must use one of the following providers" }, \
	{ "subject", "request|directory", "Subject Name: Supply in the request / Build from this Active Directory information" }, \
	{ "subject-format", "none|common-name|dns-name|distinguished-name", "Subject Name: Subject name format" }, \
	{ "include-email", "yes|no", "Subject Name: Include e-mail name in subject name" }, \
	{ "alternate-names", "LIST", "Subject Name: of email,dns,upn,spn" }, \
	{ "manager-approval", "yes|no", "Issuance Requirements: CA certificate manager approval" }, \
	{ "authorized-signatures", "N", "Issuance Requirements: This number of authorized signatures" }, \
	{ "application-policies", "LIST", "Extensions: Application Policies, OIDs or names" }, \
	{ "key-usage", "LIST", "Extensions: Key Usage, of digital-signature,nonrepudiation,key-encipherment,data-encipherment,key-agreement" }, \
	{ "basic-constraints", "yes|no", "Extensions: Basic Constraints: Enable this extension" }

/* CTL_USAGE, and told, when an option has a value that its control does not take. */
int
ctl_template_check_controls(struct ctl *c, const struct ctl_args *a);
/* The control options that were given, applied to the entry. */
int
ctl_template_apply_controls(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e) MUST_CHECK;

enum { COMPATIBILITY_2003 = 1, COMPATIBILITY_2008, COMPATIBILITY_2008R2, COMPATIBILITY_2012, COMPATIBILITY_2012R2,
	COMPATIBILITY_2016 };
/* "2008R2" or "7", "Windows 7 / Server 2008 R2": 1..6. */
int
ctl_compatibility_parse(const char *text, unsigned *level, struct err *e) MUST_CHECK;
/* "Windows Server 2008 R2" / "Windows 7 / Server 2008 R2"; NULL for 0 and above 6. */
const char *
ctl_compatibility_name(unsigned level, bool recipient);

int
ctl_template_list(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_show(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_grant(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_deny(struct ctl *c, const struct ctl_args *a);
int
ctl_template_acl_remove(struct ctl *c, const struct ctl_args *a);
int
ctl_template_duplicate(struct ctl *c, const struct ctl_args *a);
int
ctl_template_set(struct ctl *c, const struct ctl_args *a);
int
ctl_template_show(struct ctl *c, const struct ctl_args *a);

#endif
