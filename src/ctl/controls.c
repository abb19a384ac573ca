/* The table of controls, and what is asked of them together. */
#include <string.h>
#include <strings.h>

#include "ctl/compatibility.h"
#include "ctl/control_priv.h"

static const struct control_word control_attestation[] = { { "none", 0 },
	{ "preferred", CT_FLAG_ATTEST_PREFERRED }, { "required", CT_FLAG_ATTEST_REQUIRED }, { NULL, 0 } };
static const struct control_word control_attestation_basis[] = { { "user-credentials", 0x200 },
	{ "hardware-certificate", 0x400 }, { "hardware-key", 0x800 }, { NULL, 0 } };
static const struct control_word control_subject_sources[] = { { "directory", 0 },
	{ "request", CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT }, { NULL, 0 } };
static const struct control_word control_subject_formats[] = { { "none", 0 },
	{ "common-name", CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME },
	{ "dns-name", CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN },
	{ "distinguished-name", CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH }, { NULL, 0 } };
static const struct control_word control_alternate_names[] = { { "email", CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL },
	{ "dns", CT_FLAG_SUBJECT_ALT_REQUIRE_DNS }, { "upn", CT_FLAG_SUBJECT_ALT_REQUIRE_UPN },
	{ "spn", CT_FLAG_SUBJECT_ALT_REQUIRE_SPN }, { NULL, 0 } };
static const struct control_word control_reenrollment[] = { { "same", 0 },
	{ "valid-certificate", CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT }, { NULL, 0 } };
static const struct control_word control_key_usages[] = { { "digital-signature", 0x80 },
	{ "nonrepudiation", 0x40 }, { "key-encipherment", 0x20 }, { "data-encipherment", 0x10 },
	{ "key-agreement", 0x08 }, { "certificate-signing", 0x04 }, { "crl-signing", 0x02 }, { NULL, 0 } };

const struct control controls[] = {
#define TAB(name) { .tab = (name) },
#define CONTROL(option, value, label, set, get, attr, mask, words, off, ca, recipient)                       \
	{ NULL, option, label, control_##set, control_##get, attr, mask, words, off, ca, recipient },
#include "ctl/controls.def"
	{ .tab = NULL },
};

const struct control *
control_next(const struct control *at)
{
	at = at == NULL ? controls : at + 1;
	while (at->tab != NULL)
		at++;
	return at->option != NULL ? at : NULL;
}

const char *
control_tab(const struct control *control)
{
	while (control->tab == NULL)
		control--;
	return control->tab;
}

const struct control *
control_find(const char *option)
{
	const struct control *k = NULL;

	while ((k = control_next(k)) != NULL && strcmp(k->option, option) != 0)
		;
	return k;
}

const char *
control_get(struct ctl *c, const struct ctl_entry *en, const struct control *control)
{
	/* Getters only read: their edit borrows the entry. */
	struct control_edit ed = { c, (struct ctl_entry *)(uintptr_t)en, NULL, control, NULL };

	return control->get(&ed);
}

/* The Compatibility tab and the provider category come first and by themselves: compatibility_save. */
static bool
is_applied_before(const struct control *k)
{
	return k->set == control_set_compatibility || k->set == control_set_provider_category;
}

int
controls_apply(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
		struct control_edit ed = { c, en, a, k, ctl_arg(a, k->option) };

		if (ed.value != NULL && !is_applied_before(k) && k->set(&ed, e) != 0)
			return err_prefix(e, "--%s", k->option);
	}
	return 0;
}

/* Tries the values on a template that has room for all of them; what asks the directory is left for later. */
int
controls_check_values(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_entry scratch = { 0 };
	struct err e = { 0 };

	if (ctl_entry_set_int(c, &scratch, "msPKI-Template-Schema-Version", 4, &e) != 0 ||
	    ctl_entry_set_int(c, &scratch, GF, CT_FLAG_IS_CA, &e) != 0 ||
	    ctl_entry_set_text(c, &scratch, "pKIExtendedKeyUsage", "1.3.6.1.4.1.311.20.2.2", &e) != 0)
		return ctl_fail(c, &e);
	for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
		struct control_edit ed = { c, &scratch, NULL, k, ctl_arg(a, k->option) };

		if (ed.value != NULL && (k->off == NULL || strcasecmp(ed.value, k->off) != 0) &&
		    k->set != control_set_superseded && k->set != control_set_key_permissions &&
		    k->set(&ed, &e) != 0)
			return ctl_usage("--%s: %s", k->option, e.msg);
	}
	return CTL_OK;
}

static bool
turned_on(const struct ctl_args *a, const char *option)
{
	const struct control *k = control_find(option);
	const char *value = ctl_arg(a, option);

	return value != NULL && k->off != NULL && strcasecmp(value, k->off) != 0;
}

static bool
given(const struct ctl_args *a, const char *option)
{
	return ctl_arg(a, option) != NULL;
}

/* Octets of a period as a positive count of 100 ns. */
static uint64_t
period(const struct ctl_entry *en, const char *attr)
{
	const struct ctl_attr *a = ctl_entry_attr(en, attr);

	return a != NULL && a->n > 0 && a->values[0].len == 8 ? 0 - get_u64le(a->values[0].p) : 0;
}

int
controls_check(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	uint32_t nf = (uint32_t)ctl_entry_int(en, NF, 0), ef = (uint32_t)ctl_entry_int(en, EF, 0);
	uint32_t pk = (uint32_t)ctl_entry_int(en, PK, 0);

	(void)c;
	if ((given(a, "validity") || given(a, "renewal")) &&
	    period(en, "pKIOverlapPeriod") >= period(en, "pKIExpirationPeriod"))
		return ERR(e, E_INVALIDARG, "the renewal period must be shorter than the validity period");
	if (turned_on(a, "no-reenroll-if-duplicate") && !(ef & CT_FLAG_PUBLISH_TO_DS))
		return ERR(e, E_INVALIDARG,
		    "--no-reenroll-if-duplicate: needs Publish certificate in Active Directory");
	if (turned_on(a, "key-based-renewal") &&
	    (!(nf & CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT) ||
		!(ef & CT_FLAG_PREVIOUS_APPROVAL_VALIDATE_REENROLLMENT)))
		return ERR(e, E_INVALIDARG,
		    "--key-based-renewal: needs Supply in the request (--subject request) and Valid "
		    "existing certificate (--reenrollment valid-certificate)");
	if (turned_on(a, "subject-from-old-certificate") && !(nf & CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT))
		return ERR(e, E_INVALIDARG,
		    "--subject-from-old-certificate: needs Supply in the request (--subject request)");
	if ((turned_on(a, "attestation-based-on") || turned_on(a, "attestation-without-policies")) &&
	    !(pk & 0x3000))
		return ERR(
		    e, E_INVALIDARG, "key attestation is None: say --attestation preferred or required too");
	if (turned_on(a, "advanced-symmetric-algorithm") && !(pk & CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL))
		return ERR(e, E_INVALIDARG,
		    "--advanced-symmetric-algorithm: needs Archive subject's encryption private key "
		    "(--archive-key yes)");
	return 0;
}
