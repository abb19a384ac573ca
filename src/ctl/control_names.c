/* General, Subject Name, Issuance Requirements, Superseded Templates, Extensions: controls with effects of
 * their own. */
#include <string.h>
#include <strings.h>

#include "ctl/control_priv.h"
#include "ctl/ra_properties.h"

/* The box below it lives only while this one is ticked. */
int
control_set_publish(struct control_edit *ed, struct err *e)
{
	if (control_set_flag(ed, e) != 0)
		return -1;
	if (control_bits(ed, EF) & CT_FLAG_PUBLISH_TO_DS)
		return 0;
	return control_set_mask(ed, EF, CT_FLAG_AUTO_ENROLLMENT_CHECK_USER_DS_CERTIFICATE, 0, e);
}

/* ---- Subject Name ---- */

/* Supply in the request: every AD-name bit goes, and autoenrollment with it. */
int
control_set_subject(struct control_edit *ed, struct err *e)
{
	uint32_t keep = control_bits(ed, NF);

	if (strcasecmp(ed->value, "directory") == 0)
		return control_set_mask(ed, NF,
		    CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT | CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME, 0, e);
	if (strcasecmp(ed->value, "request") != 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is neither request nor directory", ed->value);
	keep &= keep & CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT ? CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME : 0;
	if (!keep && control_set_mask(ed, EF, CT_FLAG_AUTO_ENROLLMENT, 0, e) != 0)
		return -1;
	return ctl_entry_set_int(ed->c, ed->en, NF, CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT | keep, e);
}

/* Boxes under Build from this Active Directory information: using one chooses it, the later control of the
 * tab wins. */
static int
build_from_directory(struct control_edit *ed, struct err *e)
{
	if (strcasecmp(ed->value, ed->control->off) == 0)
		return 0;
	return control_set_mask(
	    ed, NF, CT_FLAG_ENROLLEE_SUPPLIES_SUBJECT | CT_FLAG_OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME, 0, e);
}

int
control_set_built_choice(struct control_edit *ed, struct err *e)
{
	return build_from_directory(ed, e) != 0 ? -1 : control_set_choice(ed, e);
}

int
control_set_built_flag(struct control_edit *ed, struct err *e)
{
	return build_from_directory(ed, e) != 0 ? -1 : control_set_flag(ed, e);
}

int
control_set_built_words(struct control_edit *ed, struct err *e)
{
	return build_from_directory(ed, e) != 0 ? -1 : control_set_words(ed, e);
}

/* ---- Issuance Requirements ---- */

/* The type says which of the two lists count: the other is emptied. */
int
control_set_policy_type(struct control_edit *ed, struct err *e)
{
	static const struct control_word types[] = { { "none", 0 }, { "application", 1 }, { "issuance", 2 },
		{ "both", 3 }, { NULL, 0 } };
	uint32_t type;

	if (control_parse_words(types, ed->value, &type, e) != 0)
		return -1;
	if (!(type & 2))
		ctl_entry_drop(ed->en, "msPKI-RA-Policies");
	return type & 1 ? 0 : ra_application_policies_set(ed->c, ed->en, "", e);
}

const char *
control_get_policy_type(const struct control_edit *ed)
{
	static const char *const words[] = { "none", "application", "issuance", "both" };
	unsigned type = *ra_application_policies_get(ed->c, ed->en) != '\0' ? 1 : 0;

	return words[type | (ctl_entry_attr(ed->en, "msPKI-RA-Policies") != NULL ? 2 : 0)];
}

int
control_set_ra_application(struct control_edit *ed, struct err *e)
{
	const char *oids = control_parse_oids(ed->c, ed->value, e);

	return oids == NULL ? -1 : ra_application_policies_set(ed->c, ed->en, oids, e);
}

const char *
control_get_ra_application(const struct control_edit *ed)
{
	const char *s = ra_application_policies_get(ed->c, ed->en);

	return *s != '\0' ? s : "none";
}

/* ---- Superseded Templates ---- */

/* Each must exist; its name is stored as the directory spells it. */
int
control_set_superseded(struct control_edit *ed, struct err *e)
{
	const char *list = "";

	if (strcasecmp(ed->value, "none") != 0)
		for (const char *s = ed->value; *s != '\0';) {
			size_t n = strcspn(s, ",");
			const char *name = pool_strndup(ed->c->pool, s, n);
			struct ctl_entry *other;

			if (name == NULL || ctl_template_find(ed->c, name, &other, e) != 0)
				return -1;
			list = pool_printf(ed->c->pool, "%s%s%s", list, *list != '\0' ? "," : "",
			    ctl_entry_text(other, "cn"));
			s += n + (s[n] == ',');
		}
	return control_store_list(ed, ed->control->attr, list, ',', e);
}

/* ---- Extensions ---- */

/* Schema 1 has no application policies besides the extended key usage. */
int
control_set_application_policies(struct control_edit *ed, struct err *e)
{
	const char *oids = control_parse_oids(ed->c, ed->value, e);

	if (oids == NULL || control_store_list(ed, "pKIExtendedKeyUsage", oids, ',', e) != 0)
		return -1;
	if (ctl_entry_int(ed->en, "msPKI-Template-Schema-Version", 1) == 1)
		return 0;
	return control_store_list(ed, "msPKI-Certificate-Application-Policy", oids, ',', e);
}

int
control_set_path_length(struct control_edit *ed, struct err *e)
{
	uint32_t n = 0xFFFFFFFFu;

	if (strcasecmp(ed->value, "none") != 0 && control_parse_count(ed->value, 255, &n, e) != 0)
		return -1;
	if (!(control_bits(ed, GF) & (CT_FLAG_IS_CA | CT_FLAG_IS_CROSS_CA)))
		return ERR(e, E_INVALIDARG, "only templates of certification authorities have a path length");
	return ctl_entry_set_int(ed->c, ed->en, ed->control->attr, n, e);
}

const char *
control_get_path_length(const struct control_edit *ed)
{
	int32_t n = ctl_entry_int(ed->en, ed->control->attr, -1);

	return n < 0 ? "none" : pool_printf(ed->c->pool, "%d", n);
}
