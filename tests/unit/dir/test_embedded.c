/* The embedded directory end to end: a real slapd in a scratch folder. */
#include "fixture.h"

#include <ldap.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "dir/dir_priv.h"

#define USERS "CN=Users,DC=corp,DC=contoso,DC=com"
#define CONFIG "CN=Configuration,DC=corp,DC=contoso,DC=com"
#define PKS "CN=Public Key Services,CN=Services," CONFIG
#define USER_TEMPLATE "CN=User,CN=Certificate Templates," PKS

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

static void
test_forest_names(void **state)
{
	const struct dir_forest *f = dir_forest(fx.dir);

	(void)state;
	assert_string_equal(f->domain_dn, "DC=corp,DC=contoso,DC=com");
	assert_string_equal(f->config_dn, CONFIG);
	assert_string_equal(f->dns_domain, "corp.contoso.com");
	assert_string_equal(f->nb_domain, "CORP");
	assert_string_equal(f->oid_base, "1.3.6.1.4.1.311.21.8.4567890.1234567.2345678.3456789.5678901.117");
	assert_int_equal(f->domain_sid.len, 24);
}

static void
test_searches(void **state)
{
	static const struct {
		const char *name, *base;
		enum dir_scope scope;
		const char *filter;
		size_t n;
		uint32_t hr;
	} cases[] = {
		{ "one object", USERS, DIR_BASE, NULL, 1, 0 },
		{ "any case of the DN", "cn=users,dc=CORP,dc=contoso,dc=com", DIR_BASE, NULL, 1, 0 },
		{ "by class", PKS, DIR_SUB, "(objectClass=pKICertificateTemplate)", 33, 0 },
		{ "OID objects", PKS, DIR_SUB, "(objectClass=msPKI-Enterprise-Oid)", 33, 0 },
		{ "bit of an integer", PKS, DIR_SUB, "(msPKI-Enrollment-Flag:1.2.840.113556.1.4.803:=2)", 1,
		    0 },
		{ "nothing", USERS, DIR_SUB, "(sAMAccountName=nobody)", 0, 0 },
		{ "the domain does not contain the configuration", "DC=corp,DC=contoso,DC=com", DIR_SUB,
		    "(objectClass=pKICertificateTemplate)", 0, 0 },
		{ "memberOf of the seeded groups", USERS, DIR_SUB,
		    "(&(sAMAccountName=bob)(memberOf=CN=Device "
		    "Engineers,OU=Groups,DC=corp,DC=contoso,DC=com))",
		    1, 0 },
		{ "no such base", "CN=Nowhere," USERS, DIR_BASE, NULL, 0, E_DS_NO_SUCH_OBJECT },
		{ "no DN", "nonsense", DIR_BASE, NULL, 0, E_DS_INVALID_DN_SYNTAX },
		{ "no filter", USERS, DIR_SUB, "(((", 0, E_DS_FILTER_UNKNOWN },
	};
	struct answer a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		a = fixture_search(&fx, cases[i].base, cases[i].scope, cases[i].filter, "cn");
		if (a.n != cases[i].n || a.e.hr != cases[i].hr)
			fail_msg("%s: %zu entries, 0x%08x %s", cases[i].name, a.n, a.e.hr, a.e.msg);
	}
}

static void
test_rootdse(void **state)
{
	struct answer a;

	(void)state;
	a = fixture_search(&fx, "", DIR_BASE, NULL, "configurationNamingContext");
	assert_string_equal(a.text, CONFIG);
}

static void
test_edits(void **state)
{
	static const struct {
		const char *name, *dn;
		enum dir_mod_op op;
		const char *attr, *value;
		uint32_t hr;
	} cases[] = {
		{ "replace", "CN=Bob Smith," USERS, DIR_MOD_REPLACE, "title", "Engineer", 0 },
		{ "delete a value", "CN=Bob Smith," USERS, DIR_MOD_DELETE, "title", "Engineer", 0 },
		{ "delete it again", "CN=Bob Smith," USERS, DIR_MOD_DELETE, "title", "Engineer",
		    E_DS_NO_ATTRIBUTE_OR_VALUE },
		{ "delete what may be missing", "CN=Bob Smith," USERS, DIR_MOD_REPLACE, "title", NULL, 0 },
		{ "nobody", "CN=Nobody," USERS, DIR_MOD_REPLACE, "title", "x", E_DS_NO_SUCH_OBJECT },
		{ "unknown attribute", "CN=Bob Smith," USERS, DIR_MOD_ADD, "noSuchThing", "x",
		    E_DS_ATTRIBUTE_TYPE_UNDEFINED },
		{ "attribute of another class", "CN=Bob Smith," USERS, DIR_MOD_ADD, "pKIDefaultKeySpec", "1",
		    E_DS_OBJ_CLASS_VIOLATION },
		{ "not a number", USER_TEMPLATE, DIR_MOD_REPLACE, "flags", "many",
		    E_DS_INVALID_ATTRIBUTE_SYNTAX },
		{ "second value of a single one", USER_TEMPLATE, DIR_MOD_ADD, "flags", "1",
		    E_DS_CONSTRAINT_VIOLATION },
	};
	struct answer a;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		a = fixture_modify(&fx, cases[i].dn, cases[i].op, cases[i].attr, cases[i].value);
		if (a.e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, a.e.hr, a.e.msg);
	}
}

static void
test_add(void **state)
{
	struct bytes class[] = { { (const uint8_t *)"top", 3 },
		{ (const uint8_t *)"pKIEnrollmentService", 20 } };
	struct bytes cn = { (const uint8_t *)"Test CA", 7 }, der = { (const uint8_t *)"0\x82\0\x01", 4 };
	struct dir_attr attrs[] = { { "objectClass", class, 2 }, { "cn", &cn, 1 },
		{ "cACertificate", &der, 1 } };
	struct dir_entry en = { "CN=Test CA,CN=Enrollment Services," PKS, attrs, 3 };
	struct answer a = { .f = &fx };

	(void)state;
	assert_int_equal(dir_add_start(fx.dir, &en, fixture_on_answer, &a, &a.e), 0);
	fixture_wait(&fx, &a.done);
	assert_int_equal(a.e.hr, 0);
	a = (struct answer){ .f = &fx };
	assert_int_equal(dir_add_start(fx.dir, &en, fixture_on_answer, &a, &a.e), 0);
	fixture_wait(&fx, &a.done);
	assert_int_equal(a.e.hr, E_OBJECT_ALREADY_EXISTS);
}

/* ---- snapshots ---- */

struct seen {
	bool done;
	struct err e;
	size_t templates, services, oids;
	int32_t enrollment_flag;
	char web_server[64]; /* displayName */
	uint64_t generation;
};

static void
on_snapshot(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct seen *s = arg;
	size_t i;

	assert_false(s->done);
	s->done = true;
	if (e != NULL) {
		s->e = *e;
		return;
	}
	s->templates = snap->n_templates;
	s->services = snap->n_services;
	s->oids = snap->n_oids;
	s->generation = snap->generation;
	for (i = 0; i < snap->n_templates; i++) {
		if (strcmp(dir_entry_text(&snap->templates[i], "cn"), "WebServer") == 0)
			(void)snprintf(s->web_server, sizeof(s->web_server), "%s",
			    dir_entry_text(&snap->templates[i], "displayName"));
		if (strcmp(dir_entry_text(&snap->templates[i], "cn"), "User") == 0)
			s->enrollment_flag = dir_entry_int(&snap->templates[i], "msPKI-Enrollment-Flag", -1);
	}
}

static struct seen
snapshot_now(void)
{
	struct seen s = { 0 };

	if (dir_snapshot_get(fx.dir, on_snapshot, &s, &s.e) == 0)
		fixture_wait(&fx, &s.done);
	return s;
}

static void
test_snapshot_contents(void **state)
{
	struct seen s = snapshot_now(), again;

	(void)state;
	assert_int_equal(s.templates, 33);
	assert_int_equal(s.oids, 33);
	assert_int_equal(s.enrollment_flag, 41);
	again = snapshot_now();
	assert_int_equal(again.generation, s.generation);
}

/* A connection as an LDAP tool has it: another one than the directory's own. */
static LDAP *
tool_connect(const char *mechanism)
{
	struct berval none = { 0, (char[]){ "" } };
	int version = LDAP_VERSION3;
	LDAP *ld;

	assert_int_equal(ldap_initialize(&ld, dir_uri(fx.dir)), LDAP_SUCCESS);
	ldap_set_option(ld, LDAP_OPT_PROTOCOL_VERSION, &version);
	assert_int_equal(
	    ldap_sasl_bind_s(ld, mechanism == NULL ? "" : NULL, mechanism, &none, NULL, NULL, NULL),
	    LDAP_SUCCESS);
	return ld;
}

static void
tool_set(LDAP *ld, const char *dn, const char *attr, const char *value)
{
	char *values[] = { (char *)(uintptr_t)value, NULL };
	LDAPMod mod = {
		.mod_op = LDAP_MOD_REPLACE, .mod_type = (char *)(uintptr_t)attr, .mod_values = values
	};
	LDAPMod *mods[] = { &mod, NULL };

	assert_int_equal(ldap_modify_ext_s(ld, dn, mods, NULL, NULL), LDAP_SUCCESS);
}

/* What a tool saw acknowledged governs the next question. */
static void
test_edit_counts_at_once(void **state)
{
	LDAP *ld = tool_connect("EXTERNAL");
	char value[16];
	struct seen s;
	int i;

	(void)state;
	for (i = 1; i <= 200; i++) {
		(void)snprintf(value, sizeof(value), "%d", i);
		tool_set(ld, USER_TEMPLATE, "msPKI-Enrollment-Flag", value);
		s = snapshot_now();
		assert_int_equal(s.e.hr, 0);
		assert_int_equal(s.enrollment_flag, i);
	}
	/* an edit elsewhere in the database, then one more question: nothing waits for the time limit */
	tool_set(ld, "CN=Default-First-Site-Name,CN=Sites," CONFIG, "description", "x");
	assert_int_equal(snapshot_now().enrollment_flag, 200);
	assert_int_equal(ldap_delete_ext_s(ld, USER_TEMPLATE, NULL, NULL), LDAP_SUCCESS);
	assert_int_equal(snapshot_now().templates, 32);
	ldap_unbind_ext(ld, NULL, NULL);
}

static void
test_many_ask_at_once(void **state)
{
	struct seen s[50] = { 0 };
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(s); i++)
		assert_int_equal(dir_snapshot_get(fx.dir, on_snapshot, &s[i], &e), 0);
	for (i = 0; i < ARRAY_LEN(s); i++) {
		fixture_wait(&fx, &s[i].done);
		assert_int_equal(s[i].generation, s[0].generation);
	}
}

/* Synchronisation that never comes: after a while the templates are read anew, and the edit still counts. */
static void
test_lagging_copy(void **state)
{
	LDAP *ld = tool_connect("EXTERNAL");
	struct seen s;

	(void)state;
	conn_free(fx.dir->feed);
	fx.dir->feed = NULL;
	tool_set(ld, "CN=WebServer,CN=Certificate Templates," PKS, "displayName", "changed");
	s = snapshot_now();
	assert_int_equal(s.e.hr, 0);
	assert_int_equal(s.templates, 32);
	assert_string_equal(s.web_server, "changed");
	ldap_unbind_ext(ld, NULL, NULL);
	fixture_stop(&fx);
	fixture_start(&fx);
	assert_true(fx.ready);
	assert_string_equal(snapshot_now().web_server, "changed");
}

/* ---- secrets ---- */

/* How many entries with one of the secrets, and how many at all, this connection may read. */
static void
count_readable(LDAP *ld, int *secrets, int *all)
{
	char *wanted[] = { "userPassword", "unicodePwd", "cn", NULL };
	LDAPMessage *res = NULL, *m;
	struct berval **v;
	int i;

	*secrets = *all = 0;
	(void)ldap_search_ext_s(ld, "DC=corp,DC=contoso,DC=com", LDAP_SCOPE_SUBTREE, "(objectClass=*)",
	    wanted, 0, NULL, NULL, NULL, 0, &res);
	for (m = ldap_first_entry(ld, res); m != NULL; m = ldap_next_entry(ld, m)) {
		++*all;
		for (i = 0; i < 2; i++) {
			v = ldap_get_values_len(ld, m, wanted[i]);
			*secrets += v != NULL;
			ldap_value_free_len(v);
		}
	}
	ldap_msgfree(res);
}

static void
test_secrets(void **state)
{
	int secrets, all;
	LDAP *ld;

	(void)state;
	ld = tool_connect("EXTERNAL");
	count_readable(ld, &secrets, &all);
	assert_true(secrets >= 11 && all > 40);
	ldap_unbind_ext(ld, NULL, NULL);
	ld = tool_connect(NULL);
	count_readable(ld, &secrets, &all);
	assert_int_equal(secrets, 0);
	assert_int_equal(all, 0);
	ldap_unbind_ext(ld, NULL, NULL);
}

/* Another user of the machine does not get through the folder; were the folder open, not to the secrets
 * either. */
static void
test_secrets_of_other_users(void **state)
{
	int secrets = 0, all = 0, status;
	struct berval none = { 0, (char[]){ "" } };
	char path[128];
	pid_t pid;
	LDAP *ld;

	(void)state;
	if (getuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0 ||
		    ldap_initialize(&ld, dir_uri(fx.dir)) != LDAP_SUCCESS)
			_exit(99);
		_exit(ldap_sasl_bind_s(ld, NULL, "EXTERNAL", &none, NULL, NULL, NULL) < 0 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* open the way to the socket */
	chmod(fx.state, 0755);
	(void)snprintf(path, sizeof(path), "%s/slapd", fx.state);
	chmod(path, 0755);
	(void)snprintf(path, sizeof(path), "%s/slapd/ldapi", fx.state);
	chmod(path, 0777);
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) != 0 || setuid(65534) != 0)
			_exit(99);
		ld = tool_connect("EXTERNAL");
		count_readable(ld, &secrets, &all);
		_exit(secrets == 0 && all > 40 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- the child's death ---- */

static void
test_restart(void **state)
{
	struct seen before, s;
	struct answer a;

	(void)state;
	before = snapshot_now();
	fx.up_again = false;
	assert_int_equal(kill(fixture_slapd_pid(), SIGKILL), 0);
	/* refused at once or ended with an error, once: whether or not the death has been noticed yet */
	a = fixture_search(&fx, USERS, DIR_BASE, NULL, "cn");
	assert_true(a.e.hr == E_DS_SERVER_DOWN || a.e.hr == E_DS_UNAVAILABLE);
	s = snapshot_now();
	assert_true(s.e.hr == E_DS_SERVER_DOWN || s.e.hr == E_DS_UNAVAILABLE);
	a = fixture_modify(&fx, "CN=Bob Smith," USERS, DIR_MOD_REPLACE, "title", "x");
	assert_true(a.e.hr == E_DS_SERVER_DOWN || a.e.hr == E_DS_UNAVAILABLE);
	while (!fx.up_again)
		event_base_dispatch(fx.base);
	assert_int_equal(fixture_search(&fx, USERS, DIR_BASE, NULL, "cn").n, 1);
	assert_int_equal(snapshot_now().templates, before.templates);
}

/* Every callback runs before dir_free() returns. */
static void
test_pending_end_with_the_directory(void **state)
{
	struct dir_query q = { .base = USERS, .scope = DIR_BASE };
	struct answer a[3] = { { .f = &fx }, { .f = &fx }, { .f = &fx } };
	struct seen s = { 0 };
	struct err e;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(a); i++)
		assert_int_equal(dir_search_start(fx.dir, &q, fixture_on_answer, &a[i], &e), 0);
	assert_int_equal(dir_snapshot_get(fx.dir, on_snapshot, &s, &e), 0);
	fixture_stop(&fx);
	for (i = 0; i < ARRAY_LEN(a); i++)
		assert_true(a[i].done && a[i].e.hr == E_DS_UNAVAILABLE);
	assert_true(s.done && s.e.hr == E_DS_UNAVAILABLE);
	/* and the state is as it was */
	fixture_start(&fx);
	assert_true(fx.ready);
	assert_int_equal(fixture_search(&fx, USERS, DIR_BASE, NULL, "cn").n, 1);
}

struct tally {
	size_t fine, failed;
};

static void
on_tally(void *arg, const struct dir_result *res, const struct err *e)
{
	struct tally *t = arg;

	if (e == NULL && res->n == 1)
		t->fine++;
	else
		t->failed++;
}

/* More at once than the server takes: they wait their turn. More than anybody should wait: refused. */
static void
test_burst(void **state)
{
	struct dir_query q = { .base = USERS, .scope = DIR_BASE };
	struct tally t = { 0 };
	size_t i, n = 0;
	struct err e;

	(void)state;
	for (i = 0; i < 2000; i++)
		assert_int_equal(dir_search_start(fx.dir, &q, on_tally, &t, &e), 0);
	while (t.fine + t.failed < i)
		event_base_loop(fx.base, EVLOOP_ONCE);
	assert_int_equal(t.fine, i);
	t = (struct tally){ 0 };
	while (dir_search_start(fx.dir, &q, on_tally, &t, &e) == 0)
		n++;
	assert_int_equal(e.hr, E_DS_BUSY);
	assert_true(n > 10000);
	fixture_stop(&fx);
	assert_int_equal(t.failed, n);
	fixture_start(&fx);
	assert_true(fx.ready);
}

/* A server that stopped answering: the time limit ends what waits, and it is killed in the end. */
static void
test_stopped_server(void **state)
{
	struct dir_query q = { .base = USERS, .scope = DIR_BASE };
	struct answer a = { .f = &fx };
	struct seen s = { 0 };
	struct err e;
	pid_t pid = fixture_slapd_pid();
	int status;

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid); /* every thread of it */
	assert_int_equal(dir_search_start(fx.dir, &q, fixture_on_answer, &a, &e), 0);
	assert_int_equal(dir_snapshot_get(fx.dir, on_snapshot, &s, &e), 0);
	fixture_wait(&fx, &a.done);
	fixture_wait(&fx, &s.done);
	assert_int_equal(a.e.hr, E_TIMEOUT);
	assert_int_equal(s.e.hr, E_TIMEOUT);
	fixture_stop(&fx);
	assert_int_equal(kill(pid, 0), -1);
	fixture_start(&fx);
	assert_true(fx.ready);
}

static void
after_long_work(evutil_socket_t fd, short what, void *arg)
{
	struct dir_query q = { .base = USERS, .scope = DIR_BASE };
	struct err e;

	(void)fd;
	(void)what;
	(void)poll(NULL, 0, CONN_OPERATION_SECONDS * 1000 + 200);
	assert_int_equal(dir_search_start(fx.dir, &q, fixture_on_answer, arg, &e), 0);
}

/* The time limit of an operation is its own: what the loop did before, making the CA's key say, is not part of it. */
static void
test_after_long_work(void **state)
{
	static const struct timeval now = { 0, 0 };
	struct answer a = { .f = &fx };

	(void)state;
	assert_int_equal(event_base_once(fx.base, -1, EV_TIMEOUT, after_long_work, &a, &now), 0);
	fixture_wait(&fx, &a.done);
	assert_int_equal(a.e.hr, 0);
	assert_int_equal(a.n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forest_names),
		cmocka_unit_test(test_searches),
		cmocka_unit_test(test_rootdse),
		cmocka_unit_test(test_edits),
		cmocka_unit_test(test_snapshot_contents),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_edit_counts_at_once),
		cmocka_unit_test(test_many_ask_at_once),
		cmocka_unit_test(test_lagging_copy),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_secrets_of_other_users),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_pending_end_with_the_directory),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_after_long_work),
		cmocka_unit_test(test_stopped_server),
	};

	return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
