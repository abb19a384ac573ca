/* Request Handling and Cryptography: controls that touch more than one attribute, or a property of the key.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/compatibility.h"
#include "ctl/control_priv.h"
#include "ctl/ra_properties.h"

#define MAX_PROVIDERS 16

#define NEEDS_KSP(e)                                                                                         \
	ERR((e), E_INVALIDARG,                                                                               \
	    "needs Provider Category Key Storage Provider (duplicate with --provider-category ksp)")

int
control_set_compatibility(struct control_edit *ed, struct err *e)
{
	unsigned level, shift = ed->control->mask == CT_FLAG_SERVER_VERSION_MASK ? 16 : 24;

	if (compatibility_parse(ed->value, &level, e) != 0)
		return -1;
	return control_set_mask(ed, PK, ed->control->mask, level << shift, e);
}

const char *
control_get_compatibility(const struct control_edit *ed)
{
	bool recipient = ed->control->mask == CT_FLAG_CLIENT_VERSION_MASK;
	uint32_t level = (control_bits(ed, PK) & ed->control->mask) >> (recipient ? 24 : 16);
	const char *word = compatibility_word(level, recipient);

	return level == 0  ? "none"
	    : word != NULL ? word
			   : pool_printf(ed->c->pool, "unknown level %u", level);
}

/* ---- Purpose: key usage and key spec ---- */

static const struct purpose {
	const char *word;
	uint8_t key_usage;
	uint32_t key_spec;
} purposes[] = {
	{ "signature", 0x80, 2 },
	{ "encryption", 0x20, 1 },
	{ "signature-and-encryption", 0xA0, 1 },
	{ "signature-and-smartcard-logon", 0x80, 1 },
};
#define SMARTCARD (&purposes[3])

static const char smartcard_logon[] = "1.3.6.1.4.1.311.20.2.2";

static bool
has_smartcard_logon(const struct control_edit *ed)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKIExtendedKeyUsage");

	for (size_t i = 0; a != NULL && i < a->n; i++)
		if (strcmp((const char *)a->values[i].p, smartcard_logon) == 0)
			return true;
	return false;
}

static int
write_key_usage(struct control_edit *ed, uint8_t first, struct err *e)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKIKeyUsage");
	uint8_t wire[2] = { first, a != NULL && a->n > 0 && a->values[0].len > 1 ? a->values[0].p[1] : 0 };
	struct bytes v = { wire, sizeof(wire) };

	return ctl_entry_set_bytes(ed->c, ed->en, "pKIKeyUsage", &v, 1, e);
}

static uint8_t
read_key_usage(const struct control_edit *ed)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKIKeyUsage");

	return a != NULL && a->n > 0 && a->values[0].len > 0 ? a->values[0].p[0] : 0;
}

/* Ours: the smart-card purpose asks for a template with Smart Card Logon among its application policies. */
int
control_set_purpose(struct control_edit *ed, struct err *e)
{
	uint8_t others = read_key_usage(ed) & (uint8_t)~0xE0;

	for (const struct purpose *p = purposes; p < purposes + ARRAY_LEN(purposes); p++) {
		if (strcasecmp(p->word, ed->value) != 0)
			continue;
		if (p == SMARTCARD && !has_smartcard_logon(ed))
			return ERR(e, E_INVALIDARG, "needs Smart Card Logon among the application policies");
		if (write_key_usage(ed, others | p->key_usage, e) != 0)
			return -1;
		return ctl_entry_set_int(ed->c, ed->en, "pKIDefaultKeySpec", p->key_spec, e);
	}
	return ERR(e, E_INVALIDARG,
	    "'%.40s' is none of signature, encryption, signature-and-encryption, "
	    "signature-and-smartcard-logon",
	    ed->value);
}

const char *
control_get_purpose(const struct control_edit *ed)
{
	uint8_t usage = read_key_usage(ed) & 0xA0;
	int32_t spec = ctl_entry_int(ed->en, "pKIDefaultKeySpec", 0);

	if (usage == SMARTCARD->key_usage && spec == 1 && has_smartcard_logon(ed))
		return SMARTCARD->word;
	for (const struct purpose *p = purposes; p < SMARTCARD; p++)
		if (p->key_usage == usage)
			return p->word;
	return "other";
}

int
control_set_key_usage(struct control_edit *ed, struct err *e)
{
	uint32_t bits;

	if (control_parse_words(ed->control->words, ed->value, &bits, e) != 0)
		return -1;
	return write_key_usage(ed, (uint8_t)bits, e);
}

const char *
control_get_key_usage(const struct control_edit *ed)
{
	uint8_t bits = read_key_usage(ed);
	const char *text = "";

	for (const struct control_word *w = ed->control->words; w->word != NULL; w++)
		if (bits & w->bits)
			text = pool_printf(ed->c->pool, "%s%s%s", text, *text != '\0' ? "," : "", w->word);
	return *text != '\0' ? text : "none";
}

/* ---- properties of the key ---- */

const char *
control_get_property(const struct control_edit *ed)
{
	const char *v = ra_property_get(ed->c, ed->en, ed->control->attr);

	return v != NULL ? v : "none";
}

/* Off is what a legacy provider has, and all it can have. */
static int
set_property(struct control_edit *ed, bool may_be_absent, struct err *e)
{
	bool off = strcasecmp(ed->value, "none") == 0;

	if (!ra_properties_used(ed->en))
		return off ? 0 : NEEDS_KSP(e);
	if (off && !may_be_absent)
		return ERR(e, E_INVALIDARG, "a Key Storage Provider template always has one");
	return ra_property_set(ed->c, ed->en, ed->control->attr, "PZPWSTR", off ? NULL : ed->value, e);
}

static int
set_listed(struct control_edit *ed, const char *const *choices, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (strcasecmp(choices[i], ed->value) == 0) {
			ed->value = choices[i];
			return set_property(ed, false, e);
		}
	return strcasecmp(ed->value, "none") == 0 ? set_property(ed, false, e)
						  : ERR(e, E_INVALIDARG, "'%.40s' is not known", ed->value);
}

int
control_set_algorithm(struct control_edit *ed, struct err *e)
{
	static const char *const names[] = { "RSA", "DSA", "DH", "ECDSA_P256", "ECDSA_P384", "ECDSA_P521",
		"ECDH_P256", "ECDH_P384", "ECDH_P521" };

	return set_listed(ed, names, ARRAY_LEN(names), e);
}

int
control_set_hash(struct control_edit *ed, struct err *e)
{
	static const char *const names[] = { "SHA1", "SHA256", "SHA384", "SHA512" };

	return set_listed(ed, names, ARRAY_LEN(names), e);
}

int
control_set_key_permissions(struct control_edit *ed, struct err *e)
{
	struct sd sd;

	if (strcasecmp(ed->value, "none") != 0 &&
	    sd_from_sddl(&sd, ed->c->pool, ed->value, &ed->c->domain, e) != 0)
		return -1;
	return set_property(ed, true, e);
}

int
control_set_advanced_symmetric(struct control_edit *ed, struct err *e)
{
	bool on;

	if (control_parse_bool(ed->value, &on, e) != 0)
		return -1;
	if (!ra_properties_used(ed->en))
		return on ? NEEDS_KSP(e) : 0;
	if (ra_property_set(ed->c, ed->en, "msPKI-Symmetric-Algorithm", "PZPWSTR", on ? "AES" : "3DES", e) !=
	    0)
		return -1;
	return ra_property_set(ed->c, ed->en, "msPKI-Symmetric-Key-Length", "DWORD", on ? "256" : "168", e);
}

const char *
control_get_advanced_symmetric(const struct control_edit *ed)
{
	const char *name = ra_property_get(ed->c, ed->en, "msPKI-Symmetric-Algorithm");

	return name != NULL && strcmp(name, "AES") == 0 ? "yes" : "no";
}

/* ---- prompts, providers ---- */

int
control_set_prompt(struct control_edit *ed, struct err *e)
{
	bool none = strcasecmp(ed->value, "none") == 0, use = strcasecmp(ed->value, "private-key") == 0;

	if (!none && !use && strcasecmp(ed->value, "enrollment") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is none of none, enrollment, private-key", ed->value);
	if (control_set_mask(ed, EF, CT_FLAG_USER_INTERACTION_REQUIRED,
		none ? 0 : CT_FLAG_USER_INTERACTION_REQUIRED, e) != 0)
		return -1;
	return control_set_mask(ed, PK, CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED,
	    use ? CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED : 0, e);
}

const char *
control_get_prompt(const struct control_edit *ed)
{
	if (control_bits(ed, PK) & CT_FLAG_STRONG_KEY_PROTECTION_REQUIRED)
		return "private-key";
	return control_bits(ed, EF) & CT_FLAG_USER_INTERACTION_REQUIRED ? "enrollment" : "none";
}

/* Schema 4 only: there a bit tells; on other schemas the first save has fixed it. */
int
control_set_provider_category(struct control_edit *ed, struct err *e)
{
	bool ksp = strcasecmp(ed->value, "ksp") == 0;
	const char *policies;

	if (!ksp && strcasecmp(ed->value, "legacy") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is neither legacy nor ksp", ed->value);
	if (ksp == ra_properties_used(ed->en))
		return 0;
	if (ctl_entry_int(ed->en, "msPKI-Template-Schema-Version", 1) != 4)
		return ERR(e, E_INVALIDARG,
		    "the provider category of a template of schema version 2 or 3 is fixed when it is "
		    "duplicated");
	policies = ra_application_policies_get(ed->c, ed->en);
	ctl_entry_drop(ed->en, "msPKI-RA-Application-Policies");
	ctl_entry_drop(ed->en, "pKIDefaultCSPs"); /* names of the other category */
	if (control_set_mask(ed, PK, CT_FLAG_USE_LEGACY_PROVIDER, ksp ? 0 : CT_FLAG_USE_LEGACY_PROVIDER, e) !=
		0 ||
	    (ksp && ra_properties_default(ed->c, ed->en, e) != 0))
		return -1;
	return ra_application_policies_set(ed->c, ed->en, policies, e);
}

const char *
control_get_provider_category(const struct control_edit *ed)
{
	return ra_properties_used(ed->en) ? "ksp" : "legacy";
}

/* "any", or names in the order of preference: "n,name" each (templates.md section 4). */
int
control_set_providers(struct control_edit *ed, struct err *e)
{
	const char *list = "";
	unsigned n = 0;

	if (strcasecmp(ed->value, "any") == 0)
		return control_store_list(ed, "pKIDefaultCSPs", "", ';', e);
	for (const char *s = ed->value;;) {
		size_t len = strcspn(s, ",");

		if (len == 0)
			return ERR(e, E_INVALIDARG, "a provider without a name");
		if (n == MAX_PROVIDERS)
			return ERR(e, E_INVALIDARG, "more than %d providers", MAX_PROVIDERS);
		n++;
		list = pool_printf(ed->c->pool, "%s%s%u,%.*s", list, n > 1 ? ";" : "", n, (int)len, s);
		if (s[len] == '\0')
			return control_store_list(ed, "pKIDefaultCSPs", list, ';', e);
		s += len + 1;
	}
}

const char *
control_get_providers(const struct control_edit *ed)
{
	const struct ctl_attr *a = ctl_entry_attr(ed->en, "pKIDefaultCSPs");
	const char *text = "";

	for (unsigned rank = 1; a != NULL && rank <= 99; rank++)
		for (size_t i = 0; i < a->n; i++) {
			const char *v = (const char *)a->values[i].p, *comma = strchr(v, ',');

			if (comma != NULL && strtoul(v, NULL, 10) == rank)
				text = pool_printf(
				    ed->c->pool, "%s%s%s", text, *text != '\0' ? "," : "", comma + 1);
		}
	return *text != '\0' ? text : "any";
}
