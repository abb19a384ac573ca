/* Accounts by the forms a logon takes, and their groups, against the sample forest. */
#include "fixture.h"

#define GROUPS "OU=Groups,DC=corp,DC=contoso,DC=com"

static struct fixture fx;

static int
start_shared(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_start(&fx);
	if (!fx.ready)
		print_error("%s\n", fx.e.msg);
	return fx.ready ? 0 : -1;
}

static int
stop_shared(void **state)
{
	(void)state;
	fixture_fini(&fx);
	return 0;
}

struct found {
	bool done;
	struct err e;
	char sam[64], upn[64], mail[64], dns[64], dn[128], password[64];
	char groups[512]; /* "A,B|C": those of the account, then those around the primary group */
	bool is_computer;
	int32_t uac;
	uint8_t sid[68];
	size_t sid_len, guid_len;
};

static void
put(char out[], size_t size, const char *text)
{
	(void)snprintf(out, size, "%s", text == NULL ? "-" : text);
}

static int
by_name(const void *a, const void *b)
{
	const struct dir_group *x = a, *y = b;

	return x->primary != y->primary ? x->primary - y->primary : strcmp(x->name, y->name);
}

static void
on_account(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct found *f = arg;
	struct dir_group sorted[64];
	bool primary = false;
	size_t i;

	assert_false(f->done);
	f->done = true;
	if (e != NULL) {
		f->e = *e;
		return;
	}
	put(f->sam, sizeof(f->sam), acct->sam);
	put(f->upn, sizeof(f->upn), acct->upn);
	put(f->mail, sizeof(f->mail), acct->mail);
	put(f->dns, sizeof(f->dns), acct->dns_host_name);
	put(f->dn, sizeof(f->dn), acct->dn);
	(void)snprintf(f->password, sizeof(f->password), "%.*s", (int)acct->user_password.len,
	    (const char *)acct->user_password.p);
	f->is_computer = acct->is_computer;
	f->uac = acct->user_account_control;
	memcpy(f->sid, acct->sid.p, acct->sid.len);
	f->sid_len = acct->sid.len;
	f->guid_len = acct->guid.len;
	assert_true(acct->n_groups <= ARRAY_LEN(sorted));
	if (acct->n_groups > 0)
		memcpy(sorted, acct->groups, acct->n_groups * sizeof(*sorted));
	qsort(sorted, acct->n_groups, sizeof(*sorted), by_name);
	for (i = 0; i < acct->n_groups; i++) {
		(void)strcat(f->groups, !primary && sorted[i].primary ? "|" : i > 0 ? "," : "");
		primary |= sorted[i].primary;
		(void)strcat(f->groups, sorted[i].name);
	}
}

static struct found
look_up(const char *user, const char *domain)
{
	struct found f = { 0 };

	if (dir_account_by_logon(fx.dir, user, domain, on_account, &f, &f.e) == 0)
		fixture_wait(&fx, &f.done);
	return f;
}

static void
test_logon_names(void **state)
{
	static const struct {
		const char *user, *domain, *sam;
		uint32_t hr;
	} cases[] = {
		{ "janedoe", "", "janedoe", 0 },
		{ "JaneDoe", "CORP", "janedoe", 0 },
		{ "janedoe", "corp", "janedoe", 0 },
		{ "janedoe", "Corp.Contoso.COM", "janedoe", 0 },
		{ "janedoe@contoso.com", "", "janedoe", 0 }, /* explicit UPN */
		{ "JANEDOE@CONTOSO.COM", "", "janedoe", 0 },
		{ "janedoe@corp.contoso.com", "", "janedoe", 0 }, /* implicit one beside it */
		{ "noupn@corp.contoso.com", "", "noupn", 0 },     /* implicit one alone */
		{ "bob@corp.contoso.com", "CORP", "bob", 0 },
		{ "PFXCONN01$", "CORP", "PFXCONN01$", 0 },
		{ "pfxconn01$", "", "PFXCONN01$", 0 },
		{ "leaver", "CORP", "leaver", 0 }, /* disabled ones are found, too */
		{ "nobody", "CORP", NULL, E_LOGON_FAILURE },
		{ "", "CORP", NULL, E_LOGON_FAILURE },
		{ "nobody@contoso.com", "", NULL, E_LOGON_FAILURE },
		{ "bob@contoso.com", "", NULL, E_LOGON_FAILURE }, /* not his suffix */
		{ "PFXCONN01", "CORP", NULL, E_LOGON_FAILURE },   /* without its $ it is no one */
		{ "Domain Users", "CORP", NULL, E_LOGON_FAILURE },
		{ "jane*", "CORP", NULL, E_LOGON_FAILURE },
		{ "x)(objectClass=*", "CORP", NULL, E_LOGON_FAILURE },
		{ "janedoe", "FABRIKAM", NULL, E_NO_SUCH_DOMAIN },
		{ "janedoe", "contoso.com", NULL, E_NO_SUCH_DOMAIN },
		{ "janedoe", "*", NULL, E_NO_SUCH_DOMAIN },
	};
	struct found f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		f = look_up(cases[i].user, cases[i].domain);
		if (f.e.hr != cases[i].hr || (cases[i].sam != NULL && strcmp(f.sam, cases[i].sam) != 0))
			fail_msg(
			    "%s\\%s: 0x%08x %s %s", cases[i].domain, cases[i].user, f.e.hr, f.e.msg, f.sam);
	}
}

static void
test_attributes(void **state)
{
	struct found f = look_up("janedoe", "CORP");

	(void)state;
	assert_string_equal(f.dn, "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com");
	assert_string_equal(f.upn, "janedoe@contoso.com");
	assert_string_equal(f.mail, "janedoe@contoso.com");
	assert_string_equal(f.dns, "-");
	assert_string_equal(f.password, "Jane-Passw0rd");
	assert_false(f.is_computer);
	assert_int_equal(f.sid_len, 28);
	assert_int_equal(f.guid_len, 16);
	f = look_up("bob", "CORP");
	assert_string_equal(f.mail, "-");
	f = look_up("WS01$", "CORP");
	assert_true(f.is_computer);
	assert_string_equal(f.dns, "ws01.corp.contoso.com");
	assert_int_equal(look_up("leaver", "").uac & 2, 2);
}

static void
test_groups(void **state)
{
	static const struct {
		const char *user, *groups;
	} cases[] = {
		{ "janedoe", "|All Employees,Domain Users" },
		{ "bob",
		    "Certificate Consumers,Device Engineers,Workplace Services|All Employees,Domain Users" },
		{ "agent", "Enrollment Agents|All Employees,Domain Users" },
		{ "WS01$", "|Domain Computers" },
		{ "PFXCONN01$", "Certificate Connectors|Domain Computers" },
		{ "CA01$", "Cert Publishers|Domain Computers" },
		{ "DC01$", "|Domain Controllers" },
		{ "Administrator",
		    "Domain Admins,Enterprise Admins,Group Policy Creator Owners,Schema Admins|"
		    "All Employees,Domain Users" },
	};
	struct found f;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		f = look_up(cases[i].user, "CORP");
		if (strcmp(f.groups, cases[i].groups) != 0)
			fail_msg("%s: %s %s", cases[i].user, f.groups, f.e.msg);
	}
}

/* An edit of a group, acknowledged, is in the next look-up. */
static void
test_membership_edit(void **state)
{
	static const char *const ws01 = "CN=WS01,CN=Computers,DC=corp,DC=contoso,DC=com";

	(void)state;
	assert_int_equal(
	    fixture_modify(&fx, "CN=Device Engineers," GROUPS, DIR_MOD_ADD, "member", ws01).e.hr, 0);
	assert_string_equal(look_up("WS01$", "").groups,
	    "Certificate Consumers,Device Engineers,Workplace Services|Domain Computers");
	/* reached both ways: it counts as a group of the account */
	assert_int_equal(fixture_modify(&fx, "CN=Device Engineers," GROUPS, DIR_MOD_ADD, "member",
			     "CN=Domain Computers,CN=Users,DC=corp,DC=contoso,DC=com")
			     .e.hr,
	    0);
	assert_string_equal(look_up("WS01$", "").groups,
	    "Certificate Consumers,Device Engineers,Workplace Services|Domain Computers");
	assert_int_equal(
	    fixture_modify(&fx, "CN=Device Engineers," GROUPS, DIR_MOD_DELETE, "member", ws01).e.hr, 0);
	assert_string_equal(look_up("WS01$", "").groups,
	    "|Certificate Consumers,Device Engineers,Domain Computers,Workplace Services");
}

static void
test_by_sid(void **state)
{
	struct found jane = look_up("janedoe", ""), f = { 0 };
	struct bytes sid = { jane.sid, jane.sid_len };

	(void)state;
	assert_int_equal(dir_account_by_sid(fx.dir, sid, on_account, &f, &f.e), 0);
	fixture_wait(&fx, &f.done);
	assert_string_equal(f.sam, "janedoe");
	assert_string_equal(f.groups, "");
	f = (struct found){ 0 };
	assert_int_equal(dir_account_with_groups_by_sid(fx.dir, sid, on_account, &f, &f.e), 0);
	fixture_wait(&fx, &f.done);
	assert_string_equal(f.groups, "|All Employees,Domain Users");
	set_u32le(jane.sid + jane.sid_len - 4, 4711);
	f = (struct found){ 0 };
	assert_int_equal(dir_account_by_sid(fx.dir, sid, on_account, &f, &f.e), 0);
	fixture_wait(&fx, &f.done);
	assert_int_equal(f.e.hr, E_DS_NO_SUCH_OBJECT);
}

static void
on_snapshot(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	(void)e;
	*(int *)arg = snap != NULL ? 1 : -1;
}

/* As a request does: its snapshot first. *at_once: nothing was looked up. */
static struct found
subject(struct bytes sid, bool *at_once)
{
	struct found f = { 0 };
	struct err e;
	int have = 0;

	assert_int_equal(dir_snapshot_get(fx.dir, on_snapshot, &have, &e), 0);
	while (have == 0)
		event_base_loop(fx.base, EVLOOP_ONCE);
	assert_int_equal(have, 1);
	assert_int_equal(dir_subject_by_sid(fx.dir, sid, on_account, &f, &f.e), 0);
	*at_once = f.done;
	fixture_wait(&fx, &f.done);
	return f;
}

/* Kept until somebody edits the domain, whoever that concerns; what was not found is asked again. */
static void
test_subject(void **state)
{
	struct found jane = look_up("janedoe", ""), f;
	struct bytes sid = { jane.sid, jane.sid_len };
	struct found nobody = jane;
	bool at_once;

	(void)state;
	f = subject(sid, &at_once);
	assert_false(at_once);
	assert_string_equal(f.mail, jane.mail);
	f = subject(sid, &at_once);
	assert_true(at_once);
	assert_string_equal(f.sam, "janedoe");
	assert_string_equal(f.upn, jane.upn);
	assert_string_equal(f.mail, jane.mail);
	assert_string_equal(f.dn, jane.dn);
	assert_int_equal(f.guid_len, 16);
	assert_string_equal(f.password, "");
	assert_int_equal(fixture_modify(&fx, jane.dn, DIR_MOD_REPLACE, "mail", "jd@contoso.com").e.hr, 0);
	f = subject(sid, &at_once);
	assert_false(at_once);
	assert_string_equal(f.mail, "jd@contoso.com");
	assert_int_equal(fixture_modify(&fx, jane.dn, DIR_MOD_REPLACE, "mail", jane.mail).e.hr, 0);
	f = subject(sid, &at_once);
	assert_false(at_once);
	assert_string_equal(f.mail, jane.mail);
	set_u32le(nobody.sid + nobody.sid_len - 4, 4711);
	for (int i = 0; i < 2; i++) {
		f = subject((struct bytes){ nobody.sid, nobody.sid_len }, &at_once);
		assert_false(at_once);
		assert_int_equal(f.e.hr, E_DS_NO_SUCH_OBJECT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_logon_names),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_by_sid),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_membership_edit),
	};

	return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
