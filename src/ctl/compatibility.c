/* Levels, schema rule and unlocking: compatibility.md sections 1 to 3 as a table on the controls. */
#include "ctl/compatibility.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/control_priv.h"
#include "ctl/ra_properties.h"

static const struct {
	const char *ca, *recipient;
	const char
	    *words[6]; /* accepted spellings, blanks dropped; the first two are ours for CA and recipient */
} levels[] = {
	{ NULL, NULL, { NULL } },
	{ "Windows Server 2003", "Windows XP / Server 2003",
	    { "2003", "xp", "WindowsServer2003", "WindowsXP" } },
	{ "Windows Server 2008", "Windows Vista / Server 2008",
	    { "2008", "vista", "WindowsServer2008", "WindowsVista" } },
	{ "Windows Server 2008 R2", "Windows 7 / Server 2008 R2",
	    { "2008R2", "7", "win7", "WindowsServer2008R2", "Windows7" } },
	{ "Windows Server 2012", "Windows 8 / Windows Server 2012",
	    { "2012", "8", "win8", "WindowsServer2012", "Windows8" } },
	{ "Windows Server 2012 R2", "Windows 8.1 / Windows Server 2012 R2",
	    { "2012R2", "8.1", "win8.1", "WindowsServer2012R2", "Windows8.1" } },
	{ "Windows Server 2016", "Windows 10 / Windows Server 2016",
	    { "2016", "10", "win10", "WindowsServer2016", "Windows10" } },
};

const char *
compatibility_name(unsigned level, bool recipient)
{
	if (level == 0 || level >= ARRAY_LEN(levels))
		return NULL;
	return recipient ? levels[level].recipient : levels[level].ca;
}

const char *
compatibility_word(unsigned level, bool recipient)
{
	return level == 0 || level >= ARRAY_LEN(levels) ? NULL : levels[level].words[recipient];
}

int
compatibility_parse(const char *text, unsigned *level, struct err *e)
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
	return ERR(e, E_INVALIDARG,
	    "'%.40s' is no compatibility level (2003, 2008, 2008R2, 2012, 2012R2, 2016; xp, vista, "
	    "7, 8, 8.1, 10)",
	    text);
}

/* What a template without nibbles can do at most: what its schema version is for. */
static unsigned
implied_level(int32_t schema)
{
	return schema >= 4 ? COMPATIBILITY_2012 : schema == 3 ? COMPATIBILITY_2008 : COMPATIBILITY_2003;
}

struct compatibility
compatibility_of(const struct ctl_entry *en)
{
	uint32_t pk = (uint32_t)ctl_entry_int(en, PK, 0);
	unsigned implied = implied_level(ctl_entry_int(en, "msPKI-Template-Schema-Version", 1));
	struct compatibility l = { (pk & CT_FLAG_SERVER_VERSION_MASK) >> 16,
		(pk & CT_FLAG_CLIENT_VERSION_MASK) >> 24 };

	if (l.ca == 0)
		l.ca = implied;
	if (l.recipient == 0)
		l.recipient = implied;
	return l;
}

static int
apply(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, const char *option, struct err *e)
{
	const struct control *k = control_find(option);
	struct control_edit ed = { c, en, a, k, ctl_arg(a, option) };

	if (ed.value == NULL || k->set(&ed, e) == 0)
		return 0;
	return err_prefix(e, "--%s", option);
}

int
compatibility_save(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	return apply(c, en, a, "compat-ca", e) != 0 || apply(c, en, a, "compat-recipient", e) != 0
	    ? -1
	    : apply(c, en, a, "provider-category", e);
}

/* compatibility.md section 2: 2012 and 8 on both sides give 4, else the provider category decides. */
int
compatibility_first_save(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a, struct err *e)
{
	const char *category = ctl_arg(a, "provider-category"),
		   *policies = ra_application_policies_get(c, en);
	struct compatibility l = compatibility_of(en);
	bool was_ksp = ra_properties_used(en), ksp = was_ksp;
	uint32_t pk, schema;

	if (category != NULL && strcasecmp(category, "ksp") != 0 && strcasecmp(category, "legacy") != 0)
		return ERR(
		    e, E_INVALIDARG, "--provider-category: '%.40s' is neither legacy nor ksp", category);
	if (category != NULL)
		ksp = strcasecmp(category, "ksp") == 0;
	if (was_ksp && !ksp && ctl_entry_int(en, "msPKI-Template-Schema-Version", 1) == 3)
		return ERR(e, E_INVALIDARG,
		    "--provider-category: a template of schema version 3 has a Key Storage Provider, and "
		    "so have its copies");
	pk = (uint32_t)ctl_entry_int(en, PK, 0) &
	    ~(uint32_t)(CT_FLAG_SERVER_VERSION_MASK | CT_FLAG_CLIENT_VERSION_MASK);
	if (ctl_entry_set_int(c, en, PK, pk | l.ca << 16 | l.recipient << 24, e) != 0 ||
	    apply(c, en, a, "compat-ca", e) != 0 || apply(c, en, a, "compat-recipient", e) != 0)
		return -1;
	l = compatibility_of(en);
	if (ksp && (l.ca < COMPATIBILITY_2008 || l.recipient < COMPATIBILITY_2008))
		return ERR(e, E_INVALIDARG,
		    "Provider Category Key Storage Provider needs Certification Authority %s and Certificate "
		    "recipient %s, or later",
		    levels[COMPATIBILITY_2008].ca, levels[COMPATIBILITY_2008].recipient);
	schema = l.ca >= COMPATIBILITY_2012 && l.recipient >= COMPATIBILITY_2012 ? 4 : ksp ? 3 : 2;
	pk = (uint32_t)ctl_entry_int(en, PK, 0) & ~(uint32_t)CT_FLAG_USE_LEGACY_PROVIDER;
	if (schema == 4 && !ksp)
		pk |= CT_FLAG_USE_LEGACY_PROVIDER;
	if (ctl_entry_set_int(c, en, PK, pk, e) != 0 ||
	    ctl_entry_set_int(c, en, "msPKI-Template-Schema-Version", schema, e) != 0)
		return -1;
	if (ksp == was_ksp)
		return 0;
	ctl_entry_drop(en, "msPKI-RA-Application-Policies");
	ctl_entry_drop(en, "pKIDefaultCSPs"); /* names of the other category */
	if (ksp && ra_properties_default(c, en, e) != 0)
		return -1;
	return ra_application_policies_set(c, en, policies, e);
}

static bool
unlocks(struct compatibility l, const struct control *k)
{
	return l.ca >= k->ca && l.recipient >= k->recipient;
}

static int
refuse(const struct control *k, struct err *e)
{
	if (k->ca == 0)
		return ERR(e, E_INVALIDARG, "--%s needs Certificate recipient %s or later", k->option,
		    levels[k->recipient].recipient);
	if (k->recipient == 0)
		return ERR(e, E_INVALIDARG, "--%s needs Certification Authority %s or later", k->option,
		    levels[k->ca].ca);
	return ERR(e, E_INVALIDARG,
	    "--%s needs Certification Authority %s and Certificate recipient %s, or later", k->option,
	    levels[k->ca].ca, levels[k->recipient].recipient);
}

/* Switches a control off: in its own words, or for the provider category not at all (the schema has fixed
 * it). */
static int
switch_off(struct ctl *c, struct ctl_entry *en, const struct control *k, struct err *e)
{
	struct control_edit ed = { c, en, NULL, k, k->off };

	return k->set(&ed, e);
}

/* Properties that every Key Storage Provider template has stand and fall with the category. */
static bool
is_part_of_category(const struct control *k)
{
	return k->set == control_set_provider_category || k->set == control_set_algorithm ||
	    k->set == control_set_hash;
}

int
compatibility_enforce(struct ctl *c, struct ctl_entry *en, const struct ctl_args *a,
    struct compatibility before, struct compatibility_changes *changes, struct err *e)
{
	struct compatibility now = compatibility_of(en);

	if (changes != NULL)
		*changes = (struct compatibility_changes){ json_array(), json_array(), json_array() };
	for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
		bool could = unlocks(before, k), can = unlocks(now, k), on;
		const char *value = ctl_arg(a, k->option);

		if (k->off == NULL || (k->ca == 0 && k->recipient == 0))
			continue;
		on = strcmp(control_get(c, en, k), k->off) != 0;
		if (!can && on && value != NULL)
			return refuse(k, e);
		if (!can && on && could && is_part_of_category(k))
			return ERR(e, E_INVALIDARG,
			    "a Key Storage Provider template needs at least Certification Authority %s and "
			    "Certificate recipient %s",
			    levels[COMPATIBILITY_2008].ca, levels[COMPATIBILITY_2008].recipient);
		if (!can && on && could && switch_off(c, en, k, e) != 0)
			return err_prefix(e, "--%s", k->option);
		if (changes == NULL || could == can)
			continue;
		json_array_append_new(can ? changes->added : changes->removed, json_string(k->label));
		if (!can && on)
			json_array_append_new(changes->cleared, json_string(k->label));
	}
	return 0;
}

static void
print_list(const char *title, const json_t *list)
{
	json_t *v;
	size_t i;

	if (json_array_size(list) > 0)
		printf("%s\n", title);
	json_array_foreach(list, i, v) printf("  %s\n", json_string_value(v));
}

void
compatibility_changes_print(const struct compatibility_changes *changes)
{
	print_list("Options added:", changes->added);
	print_list("Options removed:", changes->removed);
	print_list("Settings switched off:", changes->cleared);
	if (json_array_size(changes->added) + json_array_size(changes->removed) == 0)
		puts("No resulting changes");
}

void
compatibility_changes_free(struct compatibility_changes *changes)
{
	json_decref(changes->added);
	json_decref(changes->removed);
	json_decref(changes->cleared);
}
