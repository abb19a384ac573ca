/*
 * The settings in force, and what is made of them: replaced as a whole when one changes, so that a request is
 * decided by one state of them from its first rule to its row. Changes are kept in the store under the names
 * certutil gives registry values, and win over the file.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/ca_priv.h"
#include "ca/enroll_mirror.h"
#include "ca/signing_certs.h"

#define LIVE_POOL_MAX (4u << 20)
#define SETTING_TEXT_MAX (1u << 20)

/* ---- what is made of the settings ---- */

/* URLs of the certificates that each of the CA's signs. */
static int
set_urls(struct ca_live *live, const struct ca *ca, struct err *e)
{
	live->urls = pool_calloc(live->pool, ca->certs->n, sizeof(*live->urls));
	if (live->urls == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for URLs");
	for (; live->n_urls < ca->certs->n; live->n_urls++) {
		if (ca_cert_expand_urls(ca, ca->certs->v[live->n_urls], &live->settings, live->pool,
			&live->urls[live->n_urls], e) != 0)
			return -1;
	}
	return 0;
}

static int
check_validity(const struct ca_settings *s, struct err *e)
{
	filetime_t span;
	int months;

	return ca_period(s->validity_period, s->validity_units, &months, &span, e);
}

static int
read_sids(struct ca_live *live, const struct ca *ca, const struct x509_strings *texts, struct sid **out,
    size_t *n, const char *what, struct err *e)
{
	*n = texts->n;
	*out = pool_calloc(live->pool, texts->n, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for local groups");
	for (size_t i = 0; i < texts->n; i++) {
		if (sddl_sid_from_text(&(*out)[i], texts->v[i], &ca->domain, e) != 0)
			return err_prefix(e, "%s, member %.40s", what, texts->v[i]);
	}
	return 0;
}

static int
set_local_group(struct ca_live *live, const struct ca *ca, struct ca_local_group *g, const struct sid *sid,
    const char *name, const struct x509_strings *members, struct err *e)
{
	g->group = *sid;
	g->name = name;
	return read_sids(live, ca, members, &g->members, &g->n_members, name, e);
}

static int
set_local_groups(struct ca_live *live, const struct ca *ca, struct err *e)
{
	const struct ca_settings *s = &live->settings;

	if (set_local_group(live, ca, &live->groups[0], &SID_BUILTIN_ADMINISTRATORS,
		"BUILTIN\\Administrators", &s->administrators, e) != 0 ||
	    set_local_group(live, ca, &live->groups[1], &SID_BUILTIN_USERS, "BUILTIN\\Users", &s->users, e) !=
		0)
		return -1;
	if (set_local_group(live, ca, &live->groups[2], &SID_CERT_DCOM_ACCESS,
		"BUILTIN\\Certificate Service DCOM Access", &s->dcom_access, e) != 0)
		return -1;
	return read_sids(live, ca, &s->security_privilege, &live->security_privilege,
		   &live->n_security_privilege, "SeSecurityPrivilege", e) != 0
	    ? -1
	    : read_sids(live, ca, &s->backup_privilege, &live->backup_privilege, &live->n_backup_privilege,
		  "SeBackupPrivilege", e);
}

static int
read_restrictions(struct ca_live *live, const struct ca *ca, const char *sddl, struct restrictions **out,
    const char *what, struct err *e)
{
	struct sd sd;

	*out = NULL;
	if (*sddl == '\0')
		return 0;
	*out = POOL_NEW(live->pool, struct restrictions);
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", what);
	return sd_from_sddl(&sd, live->pool, sddl, &ca->domain, e) != 0 ||
		restrictions_from_sd(*out, live->pool, &sd, e) != 0
	    ? err_prefix(e, "%s", what)
	    : 0;
}

static int
set_security(struct ca_live *live, const struct ca *ca, struct err *e)
{
	const struct ca_settings *s = &live->settings;

	if (sd_from_sddl(&live->security, live->pool, s->security, &ca->domain, e) != 0)
		return err_prefix(e, "Security");
	if (sd_from_sddl(&live->dcom_launch, live->pool, s->dcom_launch, &ca->domain, e) != 0)
		return err_prefix(e, "LaunchPermission");
	if (sd_from_sddl(&live->dcom_access, live->pool, s->dcom_calls, &ca->domain, e) != 0)
		return err_prefix(e, "AccessPermission");
	if (read_restrictions(live, ca, s->officer_rights, &live->officers, "OfficerRights", e) != 0 ||
	    read_restrictions(live, ca, s->agent_rights, &live->agents, "EnrollmentAgentRights", e) != 0)
		return -1;
	return 0;
}

static void
live_free(struct ca_live *live)
{
	ca_settings_fini(&live->settings);
	pool_free(live->pool);
	free(live);
}

/* Takes the settings, also when it fails. */
static struct ca_live *
live_new(const struct ca *ca, struct ca_settings *take, struct err *e)
{
	struct ca_live *live = calloc(1, sizeof(*live));

	if (live == NULL) {
		ca_settings_fini(take);
		ERR(e, E_OUTOFMEMORY, "no memory for settings");
		return NULL;
	}
	live->refs = 1;
	live->settings = *take;
	live->pool = pool_new(LIVE_POOL_MAX);
	if (live->pool == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for settings");
	if (live->pool == NULL || check_validity(&live->settings, e) != 0 || set_urls(live, ca, e) != 0 ||
	    set_local_groups(live, ca, e) != 0 || set_security(live, ca, e) != 0) {
		live_free(live);
		return NULL;
	}
	return live;
}

struct ca_live *
ca_live_ref(struct ca_live *live)
{
	live->refs++;
	return live;
}

void
ca_live_unref(struct ca_live *live)
{
	if (live != NULL && --live->refs == 0)
		live_free(live);
}

/* ---- replacing ---- */

static void
install(struct ca *ca, struct ca_live *live)
{
	struct err e = { 0 };

	for (size_t i = 0; i < live->n_urls; i++)
		ca->certs->v[i]->urls = live->urls[i];
	ca_live_unref(ca->live);
	ca->live = live;
	ca->settings = live->settings;  /* the texts are the live state's */
	if (ca_policy_set(ca, &e) != 0) /* live_new() has checked what it reads */
		log_error(ca, "settings: %s", e.msg);
}

/* What the store holds for this setting wins over the file. */
static int
overlay(struct ca *ca, struct ca_settings *s, const struct setting *row, struct pool *pool, struct err *e)
{
	const char *name = pool_printf(pool, "%s\\%s", row->section, row->name), *stored;

	if (name == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for settings");
	if (store_get_setting(ca->store, name, pool, &stored, e) != 0)
		return -1;
	if (stored != NULL && ca_settings_change(s, row, stored, e) != 0)
		return err_prefix(e, "%s as it was set at run time", name);
	return 0;
}

int
ca_live_open(struct ca *ca, struct err *e)
{
	struct pool *pool = pool_new(LIVE_POOL_MAX);
	struct ca_live *live = NULL;
	struct ca_settings s;
	int rc;

	if (pool == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for settings");
	if (ca_settings_clone(&s, &ca->from_file, e) != 0) {
		pool_free(pool);
		return -1;
	}
	rc = 0;
	for (size_t i = 0; rc == 0 && i < ca_setting_count; i++) {
		if (!ca_setting_rows[i].fixed)
			rc = overlay(ca, &s, &ca_setting_rows[i], pool, e);
	}
	pool_free(pool);
	if (rc != 0)
		ca_settings_fini(&s);
	else
		live = live_new(ca, &s, e);
	if (live == NULL)
		return -1;
	install(ca, live);
	return 0;
}

/* ---- one change ---- */

struct change {
	struct ca *ca;
	const struct setting *row;
	char name[160]; /* in the store, which borrows it */
	char *value;    /* NULL: what the file says */
	store_done_fn *done;
	void *arg;
};

static void
change_free(struct change *c)
{
	free(c->value);
	free(c);
}

static void
finish(struct change *c, const struct err *e)
{
	struct ca *ca = c->ca;

	c->done(c->arg, e);
	change_free(c);
	ca_unref(ca);
}

/* The change counts, whatever became of the copy. */
static void
on_mirrored(void *arg, const struct err *e)
{
	(void)e;
	finish(arg, NULL);
}

static bool
is_security(const struct setting *row)
{
	return row->offset == offsetof(struct ca_settings, security);
}

/* A state with the change in it, from the one that rules now. */
static struct ca_live *
changed(const struct ca *ca, const struct setting *row, const char *value, struct err *e)
{
	struct ca_settings s;
	struct buf was;
	int rc = 0;

	if (ca_settings_clone(&s, &ca->settings, e) != 0)
		return NULL;
	buf_init(&was, SETTING_TEXT_MAX);
	if (value == NULL) {
		rc = ca_settings_text(&ca->from_file, row, &was, e);
		value = buf_cstr(&was);
	}
	if (rc == 0)
		rc = ca_settings_change(&s, row, value, e);
	buf_fini(&was);
	if (rc != 0) {
		ca_settings_fini(&s);
		return NULL;
	}
	return live_new(ca, &s, e);
}

/* Another change may have come between: the row alone is put into what rules now. */
static void
on_stored(void *arg, const struct err *e)
{
	struct change *c = arg;
	struct ca *ca = c->ca;
	struct ca_live *live;
	struct err why = { 0 };

	ca->busy--;
	if (e != NULL)
		why = *e;
	else if ((live = changed(ca, c->row, c->value, &why)) != NULL)
		install(ca, live);
	if (why.hr != 0) {
		finish(c, &why);
		return;
	}
	log_info(ca, "%s\\%s is set", c->row->section, c->row->name);
	if (is_security(c->row))
		ca_enroll_mirror_start(ca, on_mirrored, c);
	else
		finish(c, NULL);
}

static char *
text_of(const struct ca_settings *s, const struct setting *row, struct err *e)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, SETTING_TEXT_MAX);
	if (ca_settings_text(s, row, &b, e) == 0 && (text = strdup(buf_cstr(&b))) == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for %s", row->name);
	buf_fini(&b);
	return text;
}

static int
check_change(struct ca *ca, const struct setting *row, const char *value, char **text, struct err *e)
{
	struct ca_live *live;
	int rc = 0;

	*text = NULL;
	if (row->fixed)
		return ERR(e, E_INVALIDARG,
		    "%s is read when the server starts: it is changed in the settings file (--config)",
		    row->name);
	live = changed(ca, row, value, e);
	if (live == NULL)
		return -1;
	if (is_security(row) && !ca_acl_has_administrator(&live->security))
		rc = ERR(e, CERTSRV_E_NO_CAADMIN_DEFINED, "nobody would be left who may manage the CA");
	if (rc == 0 && value != NULL && (*text = text_of(&live->settings, row, e)) == NULL)
		rc = -1;
	ca_live_unref(live);
	return rc;
}

int
ca_setting_start(struct ca *ca, const struct setting *row, const char *value, store_done_fn *done, void *arg,
    struct err *e)
{
	struct change *c;
	char *text;

	if (check_change(ca, row, value, &text, e) != 0)
		return -1;
	c = calloc(1, sizeof(*c));
	if (c == NULL) {
		free(text);
		return ERR(e, E_OUTOFMEMORY, "no memory for %s", row->name);
	}
	*c = (struct change){ .ca = ca, .row = row, .value = text, .done = done, .arg = arg };
	snprintf(c->name, sizeof(c->name), "%s\\%s", row->section, row->name);
	if (store_put_setting(ca->store, c->name, text, on_stored, c, e) != 0) {
		change_free(c);
		return -1;
	}
	ca_ref(ca);
	ca->busy++;
	return 0;
}

/* ---- tokens ---- */

int
ca_token_add_local_groups(const struct ca *ca, struct token *t, struct err *e)
{
	for (size_t i = 0; i < CA_LOCAL_GROUPS; i++) {
		const struct ca_local_group *g = &ca->live->groups[i];
		bool member = false;

		for (size_t m = 0; !member && m < g->n_members; m++)
			member = token_has(t, &g->members[m]);
		if (member && token_add(t, &g->group, TOKEN_VIA_LOCAL, g->name, e) != 0)
			return -1;
	}
	return 0;
}

static bool
holds(const struct token *t, const struct sid *sids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (token_has(t, &sids[i]))
			return true;
	}
	return false;
}

uint32_t
ca_privileged_roles(const struct ca *ca, const struct token *t)
{
	const struct ca_live *live = ca->live;

	return (holds(t, live->security_privilege, live->n_security_privilege) ? CA_ACCESS_AUDITOR : 0) |
	    (holds(t, live->backup_privilege, live->n_backup_privilege) ? CA_ACCESS_OPERATOR : 0);
}
