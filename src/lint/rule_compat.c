/* Traps of the Compatibility tab (compatibility.md sections 1 to 4). */
#include "lint/lint_priv.h"

enum { NEVER_SAVED, WS2003, WS2008, WS2008R2, WS2012, WS2012R2, WS2016 };

static const char *const ca_levels[] = { "none", "Windows Server 2003", "Windows Server 2008",
	"Windows Server 2008 R2", "Windows Server 2012", "Windows Server 2012 R2", "Windows Server 2016" };
static const char *const recipient_levels[] = { "none", "Windows XP / Server 2003",
	"Windows Vista / Server 2008", "Windows 7 / Server 2008 R2", "Windows 8 / Server 2012",
	"Windows 8.1 / Server 2012 R2", "Windows 10 / Server 2016" };

static unsigned
ca_level(const struct policy_template *t)
{
	return (t->private_key_flags & CT_FLAG_SERVER_VERSION_MASK) >> 16;
}

static unsigned
recipient_level(const struct policy_template *t)
{
	return (t->private_key_flags & CT_FLAG_CLIENT_VERSION_MASK) >> 24;
}

static const char *
level_name(const char *const *names, unsigned level)
{
	return level <= WS2016 ? names[level] : "unknown";
}

/* Templates that no console from 2012 on has saved have no levels: nothing to compare. */
static bool
has_levels(const struct policy_template *t)
{
	return ca_level(t) != NEVER_SAVED || recipient_level(t) != NEVER_SAVED;
}

int
lint_ca_too_old(struct lint_run *r)
{
	const struct policy_template *t = r->t;

	for (size_t i = 0; i < r->m->n_cas; i++) {
		const struct lint_ca *ca = &r->m->cas[i];
		unsigned version = ca->set.ca_version;
		unsigned schema = version <= WS2003 ? 2 : version <= WS2008R2 ? 3 : 4;
		bool level = version >= WS2012 && ca_level(t) > version;
		struct lint_finding *f;

		if (!lint_publishes(ca, t) || (t->schema_version <= schema && !level))
			continue;
		f = lint_add(r, LINT_ERROR,
		    level ? "msPKI-Private-Key-Flag" : "msPKI-Template-Schema-Version",
		    "made for a newer CA than %s (%s): it does not load the template, requests get "
		    "0x80094800",
		    ca->display_name, level_name(ca_levels, version));
		f->fix = lint_text(r,
		    LINT_FIX_TEMPLATE
		    "Compatibility: Certification Authority = %s or older; a schema version "
		    "cannot be lowered, duplicate anew",
		    t->cn, level_name(ca_levels, version));
	}
	return 0;
}

/* Schema 4 is only made when both levels are 2012/8 or later, schema 3 when both are 2008/Vista or later. */
int
lint_schema_levels(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	unsigned least = t->schema_version == 4 ? WS2012 : t->schema_version == 3 ? WS2008 : 0;
	struct lint_finding *f;

	if (!has_levels(t) || (ca_level(t) >= least && recipient_level(t) >= least && t->schema_version != 1))
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Template-Schema-Version",
	    "schema %u does not go with Certification Authority %s and recipient %s: older clients fail on "
	    "it",
	    t->schema_version, level_name(ca_levels, ca_level(t)),
	    level_name(recipient_levels, recipient_level(t)));
	f->fix = lint_text(r,
	    t->schema_version == 1 ? "duplicate %s: schema 1 has no Compatibility tab"
				   : LINT_FIX_TEMPLATE
		"Compatibility: raise both levels to those the schema needs",
	    t->cn);
	return 0;
}

int
lint_level_unknown(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (ca_level(t) <= WS2016 && recipient_level(t) <= WS2016)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Private-Key-Flag",
	    "0x%x: compatibility levels %u and %u; 6 (Windows Server 2016, Windows 10) is the highest known",
	    t->private_key_flags, ca_level(t), recipient_level(t));
	f->fix = lint_text(r, LINT_FIX_TEMPLATE "Compatibility: choose and save", t->cn);
	return 0;
}

int
lint_legacy_bit(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	struct lint_finding *f;

	if (t->schema_version == 4 || (t->private_key_flags & CT_FLAG_USE_LEGACY_PROVIDER) == 0)
		return 0;
	f = lint_add(r, LINT_WARNING, "msPKI-Private-Key-Flag",
	    "USE_LEGACY_PROVIDER (0x100) means something in schema 4 only, "
	    "this is schema %u",
	    t->schema_version);
	f->fix = "clear bit 0x100 of msPKI-Private-Key-Flag";
	lint_change_flags(
	    r, f, "msPKI-Private-Key-Flag", t->private_key_flags & ~(uint32_t)CT_FLAG_USE_LEGACY_PROVIDER);
	return 0;
}

/* compatibility.md section 3; 0: any level will do. */
enum word { GENERAL, ENROLLMENT, PRIVATE_KEY, NAME };
static const struct {
	enum word word;
	uint32_t mask;
	unsigned ca, recipient;
	const char *label;
} unlocked[] = {
	{ PRIVATE_KEY, 0x40, WS2008, WS2008, "Use alternate signature format" },
	{ PRIVATE_KEY, 0x80, WS2012, WS2012, "Renew with the same key" },
	{ PRIVATE_KEY, 0x3000, WS2012R2, WS2012R2, "Key Attestation" },
	{ ENROLLMENT, CT_FLAG_ENABLE_KEY_REUSE_ON_NT_TOKEN_KEYSET_STORAGE_FULL, WS2003, WS2008,
	    "For automatic renewal of smart card certificates, use the existing key if a new key cannot be "
	    "created" },
	{ ENROLLMENT, CT_FLAG_ADD_OCSP_NOCHECK, WS2008, 0, "OCSP no revocation checking" },
	{ ENROLLMENT, CT_FLAG_NOREVOCATIONINFOINISSUEDCERTS, WS2008R2, 0,
	    "Do not include revocation information in issued certificates" },
	{ ENROLLMENT, CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS, WS2008R2, 0,
	    "Basic Constraints: Enable this extension" },
	{ ENROLLMENT, CT_FLAG_ALLOW_PREVIOUS_APPROVAL_KEYBASEDRENEWAL_VALIDATE_REENROLLMENT, WS2012, WS2012,
	    "Allow key based renewal" },
	{ ENROLLMENT, CT_FLAG_ISSUANCE_POLICIES_FROM_REQUEST, WS2012, 0,
	    "Include policies from the request" },
	{ GENERAL, CT_FLAG_DONOTPERSISTINDB, WS2008R2, 0,
	    "Do not store certificates and requests in the CA database" },
	{ NAME, CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME, 0, WS2008R2,
	    "Use subject information from existing certificates for autoenrollment renewal requests" },
};

int
lint_level_unlocks(struct lint_run *r)
{
	const struct policy_template *t = r->t;
	const uint32_t words[] = { [GENERAL] = t->general_flags,
		[ENROLLMENT] = t->enrollment_flags,
		[PRIVATE_KEY] = t->private_key_flags,
		[NAME] = t->name_flags };
	static const char *const names[] = { [GENERAL] = "flags",
		[ENROLLMENT] = "msPKI-Enrollment-Flag",
		[PRIVATE_KEY] = "msPKI-Private-Key-Flag",
		[NAME] = "msPKI-Certificate-Name-Flag" };

	for (size_t i = 0; has_levels(t) && i < ARRAY_LEN(unlocked); i++) {
		bool ca = ca_level(t) < unlocked[i].ca,
		     recipient = recipient_level(t) < unlocked[i].recipient;
		struct lint_finding *f;

		if ((words[unlocked[i].word] & unlocked[i].mask) == 0 || (!ca && !recipient))
			continue;
		f = lint_add(r, LINT_WARNING, names[unlocked[i].word],
		    "'%s' is set, but the compatibility levels are %s and %s: the console hides it, and "
		    "older %s ignore it",
		    unlocked[i].label, level_name(ca_levels, ca_level(t)),
		    level_name(recipient_levels, recipient_level(t)), ca ? "CAs" : "clients");
		f->fix = lint_text(r, LINT_FIX_TEMPLATE "Compatibility: %s = %s, or clear the setting", t->cn,
		    ca ? "Certification Authority" : "Certificate recipient",
		    ca ? level_name(ca_levels, unlocked[i].ca)
		       : level_name(recipient_levels, unlocked[i].recipient));
	}
	return 0;
}
