/* Console controls as options: each row writes what compatibility.md section 6 says its control writes. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ctl/admin.h"
#include "ctl/template.h"

struct edit {
	struct ctl *c;
	struct ctl_entry *en;
	const char *value; /* what the option was given */
};

static uint32_t
get_bits(const struct edit *ed, const char *attr)
{
	return (uint32_t)ctl_entry_int(ed->en, attr, 0);
}

static int
set_bits(struct edit *ed, const char *attr, uint32_t mask, uint32_t value, struct err *e)
{
	return ctl_entry_set_int(ed->c, ed->en, attr, (get_bits(ed, attr) & ~mask) | value, e);
}

static int
parse_bool(const char *s, bool *out, struct err *e)
{
	*out = strcasecmp(s, "yes") == 0 || strcasecmp(s, "true") == 0 || strcmp(s, "1") == 0;
	if (!*out && strcasecmp(s, "no") != 0 && strcasecmp(s, "false") != 0 && strcmp(s, "0") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is neither yes nor no", s);
	return 0;
}

static int
set_flag(struct edit *ed, const char *attr, uint32_t bit, struct err *e)
{
	bool on;

	if (parse_bool(ed->value, &on, e) != 0)
		return -1;
	return set_bits(ed, attr, bit, on ? bit : 0, e);
}

static int
parse_count(const char *s, unsigned long max, uint32_t *out, struct err *e)
{
	char *end;
	unsigned long v = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end != '\0' || v > max)
		return ERR(e, E_INVALIDARG, "'%.40s' is not a number up to %lu", s, max);
	*out = (uint32_t)v;
	return 0;
}

/* ---- General ---- */

static int
set_display_name(struct edit *ed, struct err *e)
{
	return ctl_entry_set_text(ed->c, ed->en, "displayName", ed->value, e);
}

static int
set_period(struct edit *ed, const char *attr, struct err *e)
{
	int64_t span;
	uint8_t wire[8];
	struct bytes v = { wire, sizeof(wire) };

	if (ctl_period_parse(ed->value, &span, e) != 0)
		return -1;
	if (span < FILETIME_HOUR)
		return ERR(e, E_INVALIDARG, "'%.40s': the console's shortest period is one hour", ed->value);
	for (unsigned i = 0; i < 8; i++)
		wire[i] = (uint8_t)((uint64_t)-span >> (8 * i));
	return ctl_entry_set_bytes(ed->c, ed->en, attr, &v, 1, e);
}

static int
set_validity(struct edit *ed, struct err *e)
{
	return set_period(ed, "pKIExpirationPeriod", e);
}

static int
set_renewal(struct edit *ed, struct err *e)
{
	return set_period(ed, "pKIOverlapPeriod", e);
}

static int
set_publish_in_ad(struct edit *ed, struct err *e)
{
	return set_flag(ed, "msPKI-Enrollment-Flag", CT_FLAG_PUBLISH_TO_DS, e);
}

/* ---- Compatibility ---- */

static const struct {
	const char *ca, *recipient;
	const char *words[6]; /* accepted spellings, spaces dropped */
} levels[] = {
	{ NULL, NULL, { NULL } },
	{ "Windows Server 2003", "Windows XP / Server 2003", { "2003", "xp", "WindowsServer2003", "WindowsXP" } },
	{ "Windows Server 2008", "Windows Vista / Server 2008", { "2008", "vista", "WindowsServer2008", "WindowsVista" } },
	{ "Windows Server 2008 R2", "Windows 7 / Server 2008 R2",
	    { "2008R2", "7", "win7", "WindowsServer2008R2", "Windows7" } },
	{ "Windows Server 2012", "Windows 8 / Windows Server 2012", { "2012", "8", "win8", "WindowsServer2012", "Windows8" } },
	{ "Windows Server 2012 R2", "Windows 8.1 / Windows Server 2012 R2",
	    { "2012R2", "8.1", "win8.1", "WindowsServer2012R2", "Windows8.1" } },
	{ "Windows Server 2016", "Windows 10 / Windows Server 2016",
	    { "2016", "10", "win10", "WindowsServer2016", "Windows10" } },
};

const char *
ctl_compatibility_name(unsigned level, bool recipient)
{
	if (level == 0 || level >= ARRAY_LEN(levels))
		return NULL;
	return recipient ? levels[level].recipient : levels[level].ca;
}

int
ctl_compatibility_parse(const char *text, unsigned *level, struct err *e)
{
	char word[64];
	size_t n = 0;

	for (const char *s = text; *s != '\0' && *s != '/' && n < sizeof(word) - 1; s++)
		if (*s != ' ')
			word[n++] = *s;
	word[n] = '\0';
	for (unsigned i = 1; i < ARRAY_LEN(levels); i++)
		for (unsigned k = 0; k < ARRAY_LEN(levels[i].words) && levels[i].words[k] != NULL; k++)
			if (strcasecmp(word, levels[i].words[k]) == 0) {
				*level = i;
				return 0;
			}
	return ERR(e, E_INVALIDARG, "'%.40s' is no compatibility level (2003, 2008, 2008R2, 2012, 2012R2, 2016; xp, vista, "
				    "7, 8, 8.1, 10)", text);
}

static int
set_compatibility(struct edit *ed, uint32_t mask, unsigned shift, struct err *e)
{
	unsigned level;

	if (ctl_compatibility_parse(ed->value, &level, e) != 0)
		return -1;
	return set_bits(ed, "msPKI-Private-Key-Flag", mask, level << shift, e);
}

static int
set_compat_ca(struct edit *ed, struct err *e)
{
	return set_compatibility(ed, CT_FLAG_SERVER_VERSION_MASK, 16, e);
}

static int
set_compat_recipient(struct edit *ed, struct err *e)
{
	return set_compatibility(ed, CT_FLAG_CLIENT_VERSION_MASK, 24, e);
}

/* ---- Request Handling, Cryptography ---- */

static int
set_export(struct edit *ed, struct err *e)
{
	return set_flag(ed, "msPKI-Private-Key-Flag", CT_FLAG_EXPORTABLE_KEY, e);
}

static int
set_symmetric(struct edit *ed, struct err *e)
{
	return set_flag(ed, "msPKI-Enrollment-Flag", CT_FLAG_INCLUDE_SYMMETRIC_ALGORITHMS, e);
}

static int
set_key_size(struct edit *ed, struct err *e)
{
	uint32_t bits;

	if (parse_count(ed->value, 16384, &bits, e) != 0)
		return -1;
	return ctl_entry_set_int(ed->c, ed->en, "msPKI-Minimal-Key-Size", bits, e);
}

/* "n,name" in the order of the list (templates.md); without the attribute any provider will do. */
static int
set_providers(struct edit *ed, struct err *e)
{
	struct bytes v[16];
	size_t n = 0;

	if (strcasecmp(ed->value, "any") == 0) {
		ctl_entry_drop(ed->en, "pKIDefaultCSPs");
		return 0;
	}
	for (const char *s = ed->value;;) {
		size_t len = strcspn(s, ",");
		const char *text = pool_printf(ed->c->pool, "%zu,%.*s", n + 1, (int)len, s);

		if (len == 0)
			return ERR(e, E_INVALIDARG, "a provider without a name");
		if (n == ARRAY_LEN(v))
			return ERR(e, E_INVALIDARG, "more than %zu providers", ARRAY_LEN(v));
		if (text == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for a provider");
		v[n++] = (struct bytes){ (const uint8_t *)text, strlen(text) };
		if (s[len] == '\0')
			return ctl_entry_set_bytes(ed->c, ed->en, "pKIDefaultCSPs", v, n, e);
		s += len + 1;
	}
}

/* ---- Subject Name ---- */

#define NF "msPKI-Certificate-Name-Flag"

static int
set_subject(struct edit *ed, struct err *e)
{
	if (strcasecmp(ed->value, "directory") == 0)
		return set_bits(ed, NF, CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT, 0, e);
	if (strcasecmp(ed->value, "request") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is neither request nor directory", ed->value);
	/* Supply in the request: every AD-name bit goes, and autoenrollment with it (compatibility.md section 6). */
	if (set_bits(ed, "msPKI-Enrollment-Flag", CT_FLAG_AUTO_ENROLLMENT, 0, e) != 0)
		return -1;
	return ctl_entry_set_int(ed->c, ed->en, NF, CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT, e);
}

struct word_bit {
	const char *word;
	uint32_t bit;
};

static int
find_word(const struct word_bit *t, size_t n, const char *s, size_t len, uint32_t *bit, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(t[i].word) == len && strncasecmp(t[i].word, s, len) == 0) {
			*bit = t[i].bit;
			return 0;
		}
	ERR(e, E_INVALIDARG, "'%.*s' is none of", (int)(len < 40 ? len : 40), s);
	for (size_t i = 0; i < n; i++) {
		size_t at = strlen(e->msg);

		snprintf(e->msg + at, sizeof(e->msg) - at, "%s %s", i > 0 ? "," : "", t[i].word);
	}
	return -1;
}

/* A comma-separated list of words to their bits. */
static int
parse_words(const struct word_bit *t, size_t n, const char *s, uint32_t *bits, struct err *e)
{
	*bits = 0;
	while (*s != '\0') {
		size_t len = strcspn(s, ",");
		uint32_t bit = 0;

		if (find_word(t, n, s, len, &bit, e) != 0)
			return -1;
		*bits |= bit;
		s += len + (s[len] == ',');
	}
	return 0;
}

static int
set_subject_format(struct edit *ed, struct err *e)
{
	static const struct word_bit t[] = {
		{ "none", 0 },
		{ "common-name", CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME },
		{ "dns-name", CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN },
		{ "distinguished-name", CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH },
	};
	uint32_t bit = 0;

	if (find_word(t, ARRAY_LEN(t), ed->value, strlen(ed->value), &bit, e) != 0)
		return -1;
	return set_bits(ed, NF, CT_FLAG_SUBJECT_REQUIRE_COMMON_NAME | CT_FLAG_SUBJECT_REQUIRE_DNS_AS_CN |
		CT_FLAG_SUBJECT_REQUIRE_DIRECTORY_PATH | CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT, bit, e);
}

static int
set_include_email(struct edit *ed, struct err *e)
{
	return set_flag(ed, NF, CT_FLAG_SUBJECT_REQUIRE_EMAIL, e);
}

static int
set_alternate_names(struct edit *ed, struct err *e)
{
	static const struct word_bit t[] = {
		{ "email", CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL },
		{ "dns", CT_FLAG_SUBJECT_ALT_REQUIRE_DNS },
		{ "upn", CT_FLAG_SUBJECT_ALT_REQUIRE_UPN },
		{ "spn", CT_FLAG_SUBJECT_ALT_REQUIRE_SPN },
	};
	uint32_t bits;

	if (parse_words(t, ARRAY_LEN(t), ed->value, &bits, e) != 0)
		return -1;
	return set_bits(ed, NF, CT_FLAG_SUBJECT_ALT_REQUIRE_EMAIL | CT_FLAG_SUBJECT_ALT_REQUIRE_DNS |
		CT_FLAG_SUBJECT_ALT_REQUIRE_UPN | CT_FLAG_SUBJECT_ALT_REQUIRE_SPN | CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT, bits, e);
}

/* ---- Issuance Requirements, Extensions ---- */

static int
set_manager_approval(struct edit *ed, struct err *e)
{
	return set_flag(ed, "msPKI-Enrollment-Flag", CT_FLAG_PEND_ALL_REQUESTS, e);
}

static int
set_signatures(struct edit *ed, struct err *e)
{
	uint32_t n;

	if (parse_count(ed->value, 100, &n, e) != 0)
		return -1;
	return ctl_entry_set_int(ed->c, ed->en, "msPKI-RA-Signature", n, e);
}

static const struct {
	const char *name, *oid;
} policy_names[] = {
	{ "client-authentication", "1.3.6.1.5.5.7.3.2" },
	{ "server-authentication", "1.3.6.1.5.5.7.3.1" },
	{ "code-signing", "1.3.6.1.5.5.7.3.3" },
	{ "secure-email", "1.3.6.1.5.5.7.3.4" },
	{ "encrypting-file-system", "1.3.6.1.4.1.311.10.3.4" },
	{ "smart-card-logon", "1.3.6.1.4.1.311.20.2.2" },
	{ "certificate-request-agent", "1.3.6.1.4.1.311.20.2.1" },
	{ "any-purpose", "2.5.29.37.0" },
};

static int
set_application_policies(struct edit *ed, struct err *e)
{
	struct bytes v[32];
	size_t n = 0;
	bool schema1 = ctl_entry_int(ed->en, "msPKI-Template-Schema-Version", 1) == 1;

	for (const char *s = ed->value; *s != '\0';) {
		size_t len = strcspn(s, ",");
		struct bytes item = { (const uint8_t *)s, len };
		struct buf oid;
		int rc = -1;

		for (size_t i = 0; i < ARRAY_LEN(policy_names); i++)
			if (strlen(policy_names[i].name) == len && strncasecmp(policy_names[i].name, s, len) == 0)
				item = (struct bytes){ (const uint8_t *)policy_names[i].oid, strlen(policy_names[i].oid) };
		buf_init(&oid, 128);
		rc = oid_from_text(&oid, pool_strndup(ed->c->pool, (const char *)item.p, item.len), e);
		buf_fini(&oid);
		if (rc != 0)
			return ERR(e, E_INVALIDARG, "'%.*s' is neither an OID nor a name such as client-authentication",
			    (int)(len < 40 ? len : 40), s);
		if (n == ARRAY_LEN(v))
			return ERR(e, E_INVALIDARG, "more than %zu application policies", ARRAY_LEN(v));
		v[n++] = item;
		s += len + (s[len] == ',');
	}
	if (n == 0) {
		ctl_entry_drop(ed->en, "pKIExtendedKeyUsage");
		ctl_entry_drop(ed->en, "msPKI-Certificate-Application-Policy");
		return 0;
	}
	if (ctl_entry_set_bytes(ed->c, ed->en, "pKIExtendedKeyUsage", v, n, e) != 0)
		return -1;
	return schema1 ? 0 : ctl_entry_set_bytes(ed->c, ed->en, "msPKI-Certificate-Application-Policy", v, n, e);
}

static int
set_key_usage(struct edit *ed, struct err *e)
{
	static const struct word_bit t[] = {
		{ "digital-signature", 0x80 },
		{ "nonrepudiation", 0x40 },
		{ "key-encipherment", 0x20 },
		{ "data-encipherment", 0x10 },
		{ "key-agreement", 0x08 },
		{ "certificate-signing", 0x04 },
		{ "crl-signing", 0x02 },
	};
	uint32_t bits;
	uint8_t wire[2] = { 0 };
	struct bytes v = { wire, sizeof(wire) };

	if (parse_words(t, ARRAY_LEN(t), ed->value, &bits, e) != 0)
		return -1;
	wire[0] = (uint8_t)bits;
	return ctl_entry_set_bytes(ed->c, ed->en, "pKIKeyUsage", &v, 1, e);
}

static int
set_basic_constraints(struct edit *ed, struct err *e)
{
	return set_flag(ed, "msPKI-Enrollment-Flag", CT_FLAG_INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS, e);
}

static const struct {
	const char *option;
	int (*set)(struct edit *ed, struct err *e);
} controls[] = {
	{ "display-name", set_display_name },
	{ "validity", set_validity },
	{ "renewal", set_renewal },
	{ "publish-in-ad", set_publish_in_ad },
	{ "compat-ca", set_compat_ca },
	{ "compat-recipient", set_compat_recipient },
	{ "allow-export", set_export },
	{ "include-symmetric-algorithms", set_symmetric },
	{ "minimum-key-size", set_key_size },
	{ "providers", set_providers },
	{ "subject", set_subject },
	{ "subject-format", set_subject_format },
	{ "include-email", set_include_email },
	{ "alternate-names", set_alternate_names },
	{ "manager-approval", set_manager_approval },
	{ "authorized-signatures", set_signatures },
	{ "application-policies", set_application_policies },
	{ "key-usage", set_key_usage },
	{ "basic-constraints", set_basic_constraints },
};

int
ctl_template_check_controls(struct ctl *c, const struct ctl_args *a)
{
	struct ctl_entry scratch = { 0 };
	struct err e;

	return ctl_template_apply_controls(c, &scratch, a, &e) == 0 ? CTL_OK : ctl_usage("%s", e.msg);
}

int
ctl_template_apply_controls(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(controls); i++) {
		struct edit ed = { c, en, ctl_arg(a, controls[i].option) };

		if (ed.value != NULL && controls[i].set(&ed, e) != 0)
			return err_prefix(e, "--%s", controls[i].option);
	}
	return 0;
}
