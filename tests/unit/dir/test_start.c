/* Starting: what an administrator reads when it cannot, what a crash leaves behind, other forests than the
 * sample. */
#include "fixture.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>


/* A copy of a file with one text replaced. */
static void
copy_edited(const char *from, const char *to, const char *what, const char *with)
{
	static char text[1u << 20];
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char *at;
	size_t n;

	assert_non_null(in);
	assert_non_null(out);
	n = fread(text, 1, sizeof(text) - 1, in);
	text[n] = '\0';
	for (char *p = text;; p = at + strlen(what)) {
		at = strstr(p, what);
		if (at == NULL) {
			fputs(p, out);
			break;
		}
		fwrite(p, 1, (size_t)(at - p), out);
		fputs(with, out);
	}
	fclose(in);
	fclose(out);
}

static void
path_in(char out[256], const struct fixture *f, const char *name)
{
	(void)snprintf(out, 256, "%s/%s", f->state, name);
}

/* Folder of a schema with one thing wrong in it. */
static void
broken_schema(struct fixture *f, char folder[256])
{
	static const char *const names[] = { "rootdse.schema", "ad-attributes.schema", "ad-classes.schema" };
	char from[128], to[512];
	size_t i;

	path_in(folder, f, "schema");
	assert_int_equal(mkdir(folder, 0700), 0);
	for (i = 0; i < ARRAY_LEN(names); i++) {
		(void)snprintf(from, sizeof(from), "ldap-schema/%s", names[i]);
		(void)snprintf(to, sizeof(to), "%s/%s", folder, names[i]);
		copy_edited(from, to, "NAME 'objectGUID'", "NAME 'objectUUID'");
	}
}

static void
expect_failure(struct fixture *f, const char *name, uint32_t hr, const char *words)
{
	fixture_start(f);
	if (!f->failed)
		fail_msg("%s: started", name);
	if (f->e.hr != hr || strstr(f->e.msg, words) == NULL)
		fail_msg("%s: 0x%08x %s", name, f->e.hr, f->e.msg);
	fixture_stop(f);
}

static void
test_refusals(void **state)
{
	static const struct {
		const char *name, *what, *with; /* in the forest file */
		uint32_t hr;
		const char *words;
	} cases[] = {
		{ "no domain", "objectClass: domainDNS", "objectClass: lostAndFound", E_INVALID_DATA,
		    "no domainDNS object" },
		{ "no configuration", "objectClass: configuration", "objectClass: container", E_INVALID_DATA,
		    "no configuration object" },
		{ "domain SID of another kind", "objectSid:: AQQAAAAAAAUVAAAAxzU6Qo5rdIRVoa7G",
		    "objectSid:: AQIAAAAAAAUgAAAAIAIAAA==", E_INVALID_DATA, "not a domain's" },
		{ "no OID base", "msPKI-Cert-Template-OID:", "description:", E_INVALID_DATA, "CN=OID" },
		{ "member of nowhere", "member: CN=CA01,", "member: CN=CA09,", E_INVALID_DATA,
		    "does not exist" },
		{ "a line without a colon", "version: 1\n", "version: 1\n\nnonsense\n", E_INVALID_DATA,
		    ":20:" },
		{ "a change record", "sAMAccountName: bob\n", "changetype: modify\n", E_INVALID_DATA,
		    "change records" },
		{ "an object without its parent", "dn: CN=Users,DC", "dn: CN=Other,DC", E_INVALID_DATA,
		    "config" },
		{ "an attribute nobody knows", "sAMAccountName: bob\n", "sAMAccountNickname: bob\n",
		    E_INVALID_DATA, "sAMAccountNickname" },
	};
	struct fixture f;
	char path[256];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		fixture_init(&f);
		path_in(path, &f, "forest.ldif");
		copy_edited("fixtures/forest/contoso.ldif", path, cases[i].what, cases[i].with);
		f.cfg.forest_ldif = path;
		/* the words for the child's refusals name the database */
		expect_failure(&f, cases[i].name, cases[i].hr,
		    strcmp(cases[i].words, "config") == 0 ? "slapd refuses the domain" : cases[i].words);
		/* nothing is left that looks like a state */
		path_in(path, &f, "slapd/data");
		assert_int_equal(access(path, F_OK), -1);
		fixture_fini(&f);
	}
}

static void
test_missing_things(void **state)
{
	struct fixture f;
	char folder[256], long_state[256];

	(void)state;
	fixture_init(&f);
	f.cfg.slapd = "/nonexistent/slapd";
	expect_failure(&f, "no slapd", E_FILE_NOT_FOUND, "/nonexistent/slapd");
	f.cfg.slapd = NULL;
	f.cfg.forest_ldif = "/nonexistent.ldif";
	expect_failure(&f, "no forest", E_FILE_NOT_FOUND, "/nonexistent.ldif");
	f.cfg.forest_ldif = "fixtures/forest/contoso.ldif";
	f.cfg.templates_dir = "/nonexistent";
	expect_failure(&f, "no templates", E_FILE_NOT_FOUND, "no templates in /nonexistent");
	f.cfg.templates_dir = "templates";
	broken_schema(&f, folder);
	f.cfg.schema_dir = folder;
	expect_failure(&f, "a broken schema", E_INVALID_DATA, "objectGUID");
	f.cfg.schema_dir = "ldap-schema";
	memset(long_state, 'x', sizeof(long_state));
	memcpy(long_state, "/tmp/", 5);
	long_state[200] = '\0';
	f.cfg.state_dir = long_state;
	expect_failure(&f, "a long path", E_INVALIDARG, "too long");
	f.cfg.state_dir = f.state;
	fixture_start(&f); /* and after all these the state is as good as new */
	assert_true(f.ready);
	fixture_stop(&f);
	/* an existing state that slapd refuses: its own words reach the administrator */
	f.cfg.schema_dir = folder;
	expect_failure(&f, "a broken schema later", E_DS_UNAVAILABLE, "objectGUID");
	fixture_fini(&f);
}

/* A crash while seeding leaves a half-made folder under its working name, never a state. */
static void
test_half_seeded(void **state)
{
	struct fixture f;
	char path[256];
	FILE *junk;

	(void)state;
	fixture_init(&f);
	path_in(path, &f, "slapd");
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(path, &f, "slapd/seeding");
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(path, &f, "slapd/seeding/config");
	assert_int_equal(mkdir(path, 0700), 0);
	path_in(path, &f, "slapd/seeding/config/data.mdb");
	junk = fopen(path, "w");
	assert_non_null(junk);
	fputs("half a database", junk);
	fclose(junk);
	fixture_start(&f);
	assert_true(f.ready);
	assert_int_equal(fixture_search(&f, dir_forest(f.dir)->config_dn, DIR_SUB,
			     "(objectClass=pKICertificateTemplate)", "cn")
			     .n,
	    33);
	path_in(path, &f, "slapd/seeding");
	assert_int_equal(access(path, F_OK), -1);
	fixture_fini(&f);
}

static void
on_descriptor(void *arg, const struct dir_result *res, const struct err *e)
{
	struct bytes *out = arg;
	const struct dir_attr *a =
	    e == NULL && res->n == 1 ? dir_entry_attr(res->entries, "nTSecurityDescriptor") : NULL;
	uint8_t *copy;

	assert_non_null(a);
	copy = malloc(a->values[0].len);
	assert_non_null(copy);
	memcpy(copy, a->values[0].p, a->values[0].len);
	*out = (struct bytes){ copy, a->values[0].len };
}

/* Another forest: names, and the domain's SID inside the templates' security descriptors. */
static void
test_another_forest(void **state)
{
	static const uint8_t ours[12] = { 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0 };
	static const uint8_t sample[12] = { 0xc7, 0x35, 0x3a, 0x42, 0x8e, 0x6b, 0x74, 0x84, 0x55, 0xa1, 0xae,
		0xc6 };
	struct bytes sd = { 0 };
	struct dir_query q = { .scope = DIR_BASE };
	struct fixture f;
	char path[256], edited[256];
	struct err e;

	(void)state;
	fixture_init(&f);
	path_in(path, &f, "a.ldif");
	path_in(edited, &f, "b.ldif");
	copy_edited("fixtures/forest/contoso.ldif", path, "AQQAAAAAAAUVAAAAxzU6Qo5rdIRVoa7G",
	    "AQQAAAAAAAUVAAAAAQAAAAIAAAADAAAA"); /* S-1-5-21-1-2-3 */
	copy_edited(path, edited, "nETBIOSName: CORP", "nETBIOSName: ACME");
	f.cfg.forest_ldif = edited;
	fixture_start(&f);
	assert_true(f.ready);
	assert_string_equal(dir_forest(f.dir)->nb_domain, "ACME");
	q.base =
	    "CN=User,CN=Certificate Templates,CN=Public Key Services,CN=Services,CN=Configuration,DC=corp,"
	    "DC=contoso,DC=com";
	assert_int_equal(dir_search_start(f.dir, &q, on_descriptor, &sd, &e), 0);
	while (sd.p == NULL)
		event_base_loop(f.base, EVLOOP_ONCE);
	assert_non_null(memmem(sd.p, sd.len, ours, sizeof(ours)));
	assert_null(memmem(sd.p, sd.len, sample, sizeof(sample)));
	free((void *)(uintptr_t)sd.p);
	fixture_fini(&f);
}

/* No password of the forest file stays in a readable file, and the folder is closed to others. */
static void
test_modes(void **state)
{
	struct fixture f;
	struct stat st;
	char path[256];

	(void)state;
	fixture_init(&f);
	fixture_start(&f);
	assert_true(f.ready);
	path_in(path, &f, "slapd");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	path_in(path, &f, "slapd/data/domain.ldif");
	assert_int_equal(access(path, F_OK), -1);
	path_in(path, &f, "slapd/data/domain/data.mdb");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	fixture_fini(&f);
}

struct counted {
	bool done;
	struct err e;
	size_t templates;
};

static void
on_counted(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	struct counted *c = arg;

	c->done = true;
	if (e != NULL)
		c->e = *e;
	else
		c->templates = snap->n_templates;
}

/* A directory somebody else runs, here a slapd on the data of a state; with and without synchronisation. */
static void
external(const char *overlay)
{
	struct fixture own, f;
	char conf[256], edited[256], uri[512];
	struct counted c = { 0 };
	struct err e;
	pid_t pid;
	int status;

	fixture_init(&own);
	fixture_start(&own);
	assert_true(own.ready);
	(void)snprintf(uri, sizeof(uri), "%s", dir_uri(own.dir));
	fixture_stop(&own);
	path_in(conf, &own, "slapd/slapd.conf");
	path_in(edited, &own, "edited.conf");
	copy_edited(conf, edited, "overlay syncprov", overlay);
	pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		execl("/usr/sbin/slapd", "slapd", "-h", uri, "-f", edited, "-d", "none", (char *)NULL);
		_exit(127);
	}
	fixture_init(&f);
	f.cfg.uri = uri;
	fixture_start(&f);
	assert_true(f.ready);
	assert_string_equal(dir_forest(f.dir)->nb_domain, "CORP");
	assert_int_equal(dir_snapshot_get(f.dir, on_counted, &c, &e), 0);
	fixture_wait(&f, &c.done);
	assert_int_equal(c.templates, 33);
	fixture_fini(&f);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	fixture_fini(&own);
}

static void
test_external(void **state)
{
	struct fixture f;

	(void)state;
	external("overlay syncprov");
	external("");
	fixture_init(&f);
	f.cfg.uri = "ldapi://%2Fnonexistent";
	expect_failure(&f, "nobody listens", E_DS_SERVER_DOWN, "nonexistent");
	fixture_fini(&f);
}

/* However its server ends, slapd does not outlive it. */
static void
test_dies_with_its_server(void **state)
{
	int fds[2], status;
	struct fixture f;
	pid_t server, slapd = 0;

	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); /* so that we may wait for the orphan */
	assert_int_equal(pipe(fds), 0);
	fixture_init(&f);
	server = fork();
	if (server == 0) {
		event_reinit(f.base);
		fixture_start(&f);
		slapd = f.ready ? fixture_slapd_pid() : 0;
		if (write(fds[1], &slapd, sizeof(slapd)) == sizeof(slapd))
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &slapd, sizeof(slapd)), sizeof(slapd));
	assert_true(slapd > 0);
	kill(slapd, SIGSTOP); /* not even then */
	kill(server, SIGKILL);
	assert_int_equal(waitpid(server, &status, 0), server);
	alarm(60);
	assert_int_equal(waitpid(slapd, &status, 0), slapd);
	alarm(0);
	assert_true(WIFSIGNALED(status));
	close(fds[0]);
	close(fds[1]);
	/* what it left is a state */
	fixture_start(&f);
	assert_true(f.ready);
	fixture_fini(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_missing_things),
		cmocka_unit_test(test_half_seeded),
		cmocka_unit_test(test_another_forest),
		cmocka_unit_test(test_modes),
		cmocka_unit_test(test_external),
		cmocka_unit_test(test_dies_with_its_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
