/* ca.rights.*: who may decide about whose requests (OfficerRights), and enroll for whom
 * (EnrollmentAgentRights). */
#include <string.h>

#include "ca/admin_priv.h"

#define SDDL_MAX (1u << 20)

/* Which of the two an argument names. */
static int
which(const struct ca_admin *a, const struct setting **row, const struct restrictions **now, struct err *e)
{
	const char *name;

	if (admin_text(a, "which", &name, e) != 0)
		return -1;
	if (strcmp(name, "officer") == 0) {
		*now = a->ca->live->officers;
		return ca_settings_find("CA\\OfficerRights", row, e);
	}
	if (strcmp(name, "agent") == 0) {
		*now = a->ca->live->agents;
		return ca_settings_find("CA\\EnrollmentAgentRights", row, e);
	}
	return ERR(e, E_INVALIDARG, "'which' is officer or agent, not '%.20s'", name);
}

/* ---- showing ---- */

void
admin_rights_show(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	struct err e = { 0 };
	struct buf sddl;

	buf_init(&sddl, SDDL_MAX);
	if (which(a, &row, &now, &e) != 0 || ca_settings_text(&a->ca->settings, row, &sddl, &e) != 0)
		admin_fail(a, &e);
	else
		admin_reply(a, ca_restrictions_to_json(now, buf_cstr(&sddl)));
	buf_fini(&sddl);
}

/* ---- changing ---- */

static void
on_rights_stored(void *arg, const struct err *e)
{
	if (e != NULL)
		admin_fail(arg, e);
	else
		admin_rights_show(arg);
}

void
admin_rights_change(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	struct restrictions changed;
	struct err e = { 0 };
	struct buf sddl;
	struct sd sd;
	int rc;

	buf_init(&sddl, SDDL_MAX);
	rc = which(a, &row, &now, &e);
	if (rc == 0)
		rc = ca_restrictions_edit(&changed, now, a->pool, a->args, &a->ca->domain, &e);
	if (rc == 0)
		rc = restrictions_to_sd(&changed, a->pool, &sd, &e);
	if (rc == 0)
		rc = sd_to_sddl(&sd, &sddl, &a->ca->domain, &e);
	if (rc == 0)
		rc = ca_setting_start(a->ca, row, buf_cstr(&sddl), on_rights_stored, a, &e);
	buf_fini(&sddl);
	if (rc != 0)
		admin_fail(a, &e);
}

/* sddl null: no restriction any more. */
void
admin_rights_set(struct ca_admin *a)
{
	const struct restrictions *now;
	const struct setting *row;
	const char *sddl = "";
	struct err e = { 0 };

	if (which(a, &row, &now, &e) != 0 ||
	    (admin_has(a, "sddl") && admin_text(a, "sddl", &sddl, &e) != 0) ||
	    ca_setting_start(a->ca, row, sddl, on_rights_stored, a, &e) != 0)
		admin_fail(a, &e);
}
