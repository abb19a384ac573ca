/* Administrative verbs: table, rights, journal; the small ones. The others: admin_ca.c, admin_acl.c,
 * admin_archival.c, admin_request.c, admin_edit.c,
 * admin_delete.c, admin_import.c. */
#include <stdlib.h>
#include <string.h>

#include "ca/admin_priv.h"
#include "ca/audit.h"
#include "ca/crl.h"
#include "ca/officer.h"

#define ADMIN_POOL_MAX (32u << 20)
#define ADMIN_FRONT "ICertAdminD" /* of both interfaces */
#define READERS (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_READ)
/* what others are and could get: not for everyone who may enroll */
#define KEEPERS (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER)

static const struct ca_verb verbs[] = {
	{ "ca.show", READERS, JOURNAL_CALL, admin_ca_show },
	{ "ca.publish", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_ca_publish },
	{ "ca.unpublish", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_ca_unpublish },
	{ "ca.acl.show", READERS, JOURNAL_CALL, admin_acl_show },
	{ "ca.acl.grant", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_acl_grant },
	{ "ca.acl.deny", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_acl_deny },
	{ "ca.acl.remove", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_acl_remove },
	{ "ca.acl.set", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_acl_set },
	{ "ca.rights.show", READERS, JOURNAL_CALL, admin_rights_show },
	{ "ca.rights.change", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_rights_change },
	{ "ca.rights.set", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_rights_set },
	{ "ca.roles", 0, JOURNAL_CALL, admin_roles },
	{ "ca.setting.show", READERS, JOURNAL_CALL, admin_setting_show },
	{ "ca.setting.set", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_setting_set },
	{ "ca.setting.reset", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_setting_reset },
	{ "ca.cert", READERS, JOURNAL_CALL, admin_ca_cert },
	{ "ca.exchange", READERS | CA_ACCESS_ENROLL, JOURNAL_CALL, admin_ca_exchange },
	{ "ca.kra.list", READERS, JOURNAL_CALL, admin_kra_list },
	{ "ca.kra.add", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_kra_add },
	{ "ca.kra.remove", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_kra_remove },
	{ "ca.kra.use", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_kra_use },
	{ "request.key", 0, JOURNAL_NOTHING, admin_request_key }, /* these two keep records of their own */
	{ "request.importKey", 0, JOURNAL_NOTHING, admin_request_import_key },
	{ "request.list", READERS, JOURNAL_CALL, admin_request_list },
	{ "request.show", READERS, JOURNAL_CALL, admin_request_show },
	{ "request.explain", READERS, JOURNAL_CALL, admin_request_explain },
	{ "request.issue", CA_ACCESS_OFFICER, JOURNAL_REFUSAL, admin_request_issue },
	{ "request.deny", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_deny },
	{ "principal.show", KEEPERS, JOURNAL_CALL, admin_principal_show },
	{ "rehearse", KEEPERS, JOURNAL_NOTHING, admin_rehearse },
	{ "rehearse.matrix", KEEPERS, JOURNAL_NOTHING, admin_rehearse_matrix },
	{ "request.revoke", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_revoke },
	{ "request.unrevoke", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_unrevoke },
	{ "request.publish-expired", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_publish_expired },
	{ "request.set-extension", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_set_extension },
	{ "request.set-attributes", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_request_set_attributes },
	{ "request.delete", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_request_delete },
	{ "ca.import", CA_ACCESS_OFFICER, JOURNAL_CALL, admin_ca_import },
	{ "ca.templates.set", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_ca_templates_set },
	{ "ca.audit-filter.set", CA_ACCESS_ADMIN | CA_ACCESS_AUDITOR, JOURNAL_CALL,
	    admin_ca_audit_filter_set },
	{ "request.valid", READERS, JOURNAL_CALL, admin_request_valid },
	{ "ca.renew", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_ca_renew },
	{ "crl.show", READERS, JOURNAL_CALL, admin_crl_show },
	{ "crl.get", READERS, JOURNAL_CALL, admin_crl_get },
	{ "crl.publish", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_crl_publish },
	{ "view.columns", READERS, JOURNAL_NOTHING, admin_view_columns },
	{ "view.rows", READERS, JOURNAL_NOTHING, admin_view_rows },
	{ "journal", CA_ACCESS_ADMIN, JOURNAL_NOTHING,
	    admin_journal }, /* else reading it would make it grow */
	{ "audit", CA_ACCESS_ADMIN | CA_ACCESS_AUDITOR, JOURNAL_NOTHING, admin_audit },
	{ "clock.show", 0, JOURNAL_NOTHING, admin_clock_show },
	{ "clock.advance", CA_ACCESS_ADMIN, JOURNAL_CALL, admin_clock_advance },
	{ "stats", READERS, JOURNAL_NOTHING, admin_stats },
};

/* OfficerRights say about which request: MS-CSRA 3.1.1.7. */
static const char *const restricted_verbs[] = { "request.issue", "request.deny", "request.revoke",
	"request.unrevoke", "request.publish-expired", "request.set-extension", "request.set-attributes" };

/* ---- answers ---- */

static void
journal_verb(const struct ca_admin *a, const struct err *e)
{
	char *args = json_dumps(a->args, JSON_COMPACT);
	struct buf *b = journal_begin(a->ca->journal);

	journal_put_text(b, "front", a->who.front);
	journal_put_text(b, "peer", a->who.peer);
	journal_put_text(b, "call", a->who.call);
	journal_put_text(b, "caller", ca_who_account(&a->who));
	journal_put_text(b, "package", a->who.package);
	journal_put_text(b, "operation", a->verb_name);
	journal_put_raw(b, "arguments", args != NULL ? args : "{}");
	journal_put_text(b, "verdict", e == NULL ? "done" : "refused");
	journal_put_hresult(b, e != NULL ? e->hr : 0);
	journal_put_text(b, "reason", e != NULL ? e->msg : NULL);
	buf_printf(b, ",\"us\":{\"total\":%llu}", (unsigned long long)(clock_monotonic_us() - a->t_start));
	journal_end(a->ca->journal);
	free(args);
}

static void
end(struct ca_admin *a, json_t *result, const struct err *e)
{
	enum admin_journal how = a->verb != NULL ? a->verb->journal : JOURNAL_CALL;
	struct ca *ca = a->ca;

	if (a->busy)
		ca->busy--;
	if (ca->journal != NULL && (how == JOURNAL_CALL || (how == JOURNAL_REFUSAL && e != NULL)))
		journal_verb(a, e);
	if (e == NULL)
		ca_audit_verb(a, result);
	a->cb(a->arg, result, e);
	json_decref(result);
	json_decref(a->args);
	token_unref(a->who.token);
	pool_free(a->pool);
	free(a);
	ca_unref(ca);
}

void
admin_reply(struct ca_admin *a, json_t *result)
{
	struct err e = { 0 };

	if (result == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for the answer");
		end(a, NULL, &e);
		return;
	}
	end(a, result, NULL);
}

void
admin_fail(struct ca_admin *a, const struct err *e)
{
	end(a, NULL, e);
}

/* ---- arguments ---- */

int
admin_text(const struct ca_admin *a, const char *name, const char **out, struct err *e)
{
	const char *s = json_string_value(json_object_get(a->args, name));

	if (s == NULL || *s == '\0')
		return ERR(e, E_INVALIDARG, "%s needs the text '%s'", a->verb_name, name);
	*out = s;
	return 0;
}

int
admin_number(
    const struct ca_admin *a, const char *name, int64_t lowest, int64_t highest, int64_t *out, struct err *e)
{
	const json_t *v = json_object_get(a->args, name);

	if (!json_is_integer(v) || json_integer_value(v) < lowest || json_integer_value(v) > highest)
		return ERR(e, E_INVALIDARG, "%s needs the number '%s', %lld to %lld", a->verb_name, name,
		    (long long)lowest, (long long)highest);
	*out = json_integer_value(v);
	return 0;
}

bool
admin_has(const struct ca_admin *a, const char *name)
{
	const json_t *v = json_object_get(a->args, name);

	return v != NULL && !json_is_null(v);
}

json_t *
json_time(filetime_t t)
{
	char text[FILETIME_TEXT_MAX];

	return json_string(filetime_to_text(t, text));
}

/* ---- dispatch ---- */

static const struct ca_verb *
find_verb(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	}
	return NULL;
}

static struct ca_admin *
admin_new(struct ca *ca, const struct ca_caller *who, const char *verb, json_t *args, struct err *e)
{
	struct ca_admin *a = calloc(1, sizeof(*a));

	if (a == NULL || (a->pool = pool_new(ADMIN_POOL_MAX)) == NULL ||
	    ca_who_copy(&a->who, a->pool, who, e) != 0 ||
	    (a->verb_name = pool_strdup(a->pool, verb)) == NULL) {
		if (a != NULL) {
			token_unref(a->who.token);
			pool_free(a->pool);
		}
		free(a);
		ERR(e, E_OUTOFMEMORY, "no memory for the call");
		return NULL;
	}
	a->ca = ca;
	a->verb = find_verb(verb);
	a->args = args != NULL ? json_incref(args) : json_object();
	a->t_start = clock_monotonic_us();
	a->audit_filter = ca->settings.audit_filter;
	a->role_separation = ca->settings.role_separation;
	ca_ref(ca);
	return a;
}

/* MS-CSRA 3.1.4.1, before any method: not for local callers (the control socket). */
int
ca_admin_interface_check(const struct ca *ca, const struct ca_who *w, struct err *e)
{
	uint32_t flags = ca->settings.interface_flags;

	if (strncmp(w->front, ADMIN_FRONT, sizeof(ADMIN_FRONT) - 1) != 0)
		return 0;
	if ((flags & IF_NOREMOTEICERTADMIN) != 0)
		return ERR(e, E_ACCESSDENIED, "InterfaceFlags: IF_NOREMOTEICERTADMIN (MS-CSRA 3.1.4.1)");
	if ((flags & IF_ENFORCEENCRYPTICERTADMIN) != 0 && !w->privacy)
		return ERR(e, E_ACCESSDENIED,
		    "the call is not encrypted (IF_ENFORCEENCRYPTICERTADMIN, MS-CSRA 3.1.4.1)");
	return 0;
}

static bool
is_restricted(const struct ca_verb *verb)
{
	for (size_t i = 0; i < ARRAY_LEN(restricted_verbs); i++) {
		if (strcmp(verb->name, restricted_verbs[i]) == 0)
			return true;
	}
	return false;
}

/* The request a verb is about, found as the verb finds it: a serial number before an id. Arguments that make
 * no sense are the verb's to refuse. */
static bool
named_request(const struct ca_admin *a, uint32_t *id)
{
	json_int_t n = json_integer_value(json_object_get(a->args, "id"));
	const char *serial = json_string_value(json_object_get(a->args, "serial"));
	struct err e;

	if (admin_has(a, "serial"))
		return serial != NULL && store_find_serial(a->ca->store, serial, id, &e) == 0;
	*id = n > 0 && n <= UINT32_MAX ? (uint32_t)n : 0;
	return *id != 0;
}

static void
on_officer(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		a->verb->run(a);
}

void
ca_admin_start(
    struct ca *ca, const struct ca_caller *who, const char *verb, json_t *args, ca_admin_fn *cb, void *arg)
{
	struct err e = { 0 };
	struct ca_admin *a = admin_new(ca, who, verb, args, &e);
	uint32_t id;

	if (a == NULL) {
		cb(arg, NULL, &e);
		return;
	}
	a->cb = cb;
	a->arg = arg;
	if (a->verb == NULL) {
		ERR(&e, E_INVALIDARG, "there is no verb '%.60s'", verb);
		admin_fail(a, &e);
	} else if (ca_admin_interface_check(ca, &a->who, &e) != 0 ||
	    ca_access_check(ca, &a->who, a->verb->rights, &e) != 0) {
		admin_fail(a, &e);
	} else if (is_restricted(a->verb) && named_request(a, &id)) {
		ca_officer_check(ca, &a->who, id, on_officer, a);
	} else {
		a->verb->run(a);
	}
}

/* ---- roles ---- */

void
admin_roles(struct ca_admin *a)
{
	uint32_t roles = ca_roles(a->ca, &a->who);
	struct err e = { 0 };

	/* nothing else is told to those who have two under role separation */
	if ((roles & READERS) == 0) {
		ERR(&e, E_ACCESSDENIED, "%s may not read (MS-CSRA 3.1.1.7)", ca_who_account(&a->who));
		admin_fail(a, &e);
		return;
	}
	admin_reply(
	    a, json_pack("{s:I, s:o}", "roles", (json_int_t)roles, "names", ca_rights_to_json(roles)));
}

/* ---- journal, clock, counters ---- */

static void
records_of(struct ca_admin *a, struct journal *j)
{
	int64_t after = 0, limit = 100;
	struct err e = { 0 };
	json_t *records = NULL;
	struct buf b;

	if ((admin_has(a, "after") && admin_number(a, "after", 0, INT64_MAX, &after, &e) != 0) ||
	    (admin_has(a, "limit") && admin_number(a, "limit", 1, JOURNAL_READ_MAX, &limit, &e) != 0)) {
		admin_fail(a, &e);
		return;
	}
	buf_init(&b, JOURNAL_ANSWER_MAX + 2 * JOURNAL_RECORD_MAX);
	if (journal_read(j, (uint64_t)after, (size_t)limit, !admin_has(a, "after"), &b, &e) == 0) {
		records = json_loadb((const char *)b.p, b.len, 0, NULL);
		if (records == NULL)
			ERR(&e, E_INVALID_DATA, "the journal file holds something that is not JSON");
	}
	buf_fini(&b);
	if (records == NULL)
		admin_fail(a, &e);
	else
		admin_reply(
		    a, json_pack("{s:o, s:I}", "records", records, "last", (json_int_t)journal_last_id(j)));
}

void
admin_journal(struct ca_admin *a)
{
	records_of(a, a->ca->journal);
}

void
admin_audit(struct ca_admin *a)
{
	records_of(a, a->ca->audit);
}

void
admin_clock_show(struct ca_admin *a)
{
	const struct clock *c = a->ca->clock;

	admin_reply(a,
	    json_pack("{s:o, s:o, s:b}", "virtual", json_time(clock_now(c)), "real", json_time(clock_real()),
		"stopped", clock_is_stopped(c)));
}

static void
on_advanced(void *arg, const struct err *e)
{
	(void)e;
	admin_clock_show(arg);
}

void
admin_clock_advance(struct ca_admin *a)
{
	const int64_t century = INT64_C(100) * 366 * 86400;
	struct err e = { 0 };
	int64_t seconds;

	if (admin_number(a, "seconds", -century, century, &seconds, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	clock_advance(a->ca->clock, seconds * FILETIME_SECOND);
	ca_crl_check(a->ca);
	/* the answer leaves when what has fallen due is published: a test need not wait for it */
	if (ca_crl_publish(a->ca, 0, 0, &a->who, on_advanced, a, &e) != 0)
		admin_fail(a, &e);
}

void
admin_stats(struct ca_admin *a)
{
	const struct ca_stats *s = &a->ca->stats;
	uint64_t n = s->requests != 0 ? s->requests : 1, waiting = 0;
	struct store_stats db;
	struct err e = { 0 };

	store_get_stats(a->ca->store, &db);
	if (store_count(a->ca->store, DB_DISP_PENDING, &waiting, &e) != 0) {
		admin_fail(a, &e);
		return;
	}
	admin_reply(a,
	    json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I, s:{s:f,s:f,s:f}, s:{s:I,s:I,s:I,s:i}, s:f}",
		"admitted", (json_int_t)s->admitted, "requests", (json_int_t)s->requests, "issued",
		(json_int_t)s->issued, "pending", (json_int_t)s->pending, "denied", (json_int_t)s->denied,
		"failed", (json_int_t)s->failed, "refused", (json_int_t)s->refused, "retrieved",
		(json_int_t)s->retrieved, "waiting", (json_int_t)waiting, "averageMicroseconds", "parse",
		(double)s->micros_parse / (double)n, "policyAndSignature",
		(double)s->micros_policy / (double)n, "total", (double)s->micros_total / (double)n,
		"database", "commits", (json_int_t)db.commits, "operations", (json_int_t)db.operations,
		"failedCommits", (json_int_t)db.failed_commits, "largestBatch", (int)db.largest_batch,
		"uptimeSeconds", (double)(clock_monotonic_us() - a->ca->started_us) / 1e6));
}
