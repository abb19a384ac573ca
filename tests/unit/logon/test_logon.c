/* Verdicts and tokens against the sample forest in a real slapd. */
#include "../dir/fixture.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "logon/logon.h"

#define DOMAIN_SID "S-1-5-21-1111111111-2222222222-3333333333"

static struct fixture fx;
static struct logon *lg;

static int
local_groups(void *arg, struct token *t, struct err *e)
{
	(void)arg;
	return token_add(
	    t, &SID_CERT_DCOM_ACCESS, TOKEN_VIA_LOCAL, "CA01\\Certificate Service DCOM Access", e);
}

static int
start_shared(void **state)
{
	(void)state;
	fixture_init(&fx);
	fixture_start(&fx);
	if (!fx.ready)
		print_error("%s\n", fx.e.msg);
	lg = logon_new(fx.dir, local_groups, NULL);
	return fx.ready ? 0 : -1;
}

static int
stop_shared(void **state)
{
	(void)state;
	logon_free(lg);
	fixture_fini(&fx);
	return 0;
}

/* ---- a client: NTLMv2 as MS-NLMP 3.3.2 has it, by OpenSSL alone ---- */

struct client {
	struct auth_ntlm_proof proof;
	uint8_t user[256], domain[256], response[64];
	uint8_t key[16]; /* the session base key it expects */
};

static size_t
utf16(uint8_t *out, const char *s, bool upper)
{
	size_t n = 0;

	for (; *s != '\0'; s++) {
		out[n++] = (uint8_t)(upper && *s >= 'a' && *s <= 'z' ? *s - 32 : *s);
		out[n++] = 0;
	}
	return n;
}

static void
hmac_md5(uint8_t out[16], const uint8_t key[16], const uint8_t *a, size_t n_a, const uint8_t *b, size_t n_b)
{
	uint8_t text[1024];
	unsigned len = 16;

	assert_true(n_a + n_b <= sizeof(text));
	memcpy(text, a, n_a);
	if (n_b > 0)
		memcpy(text + n_a, b, n_b);
	assert_non_null(HMAC(EVP_md5(), key, 16, text, n_a + n_b, out, &len));
}

static void
client_prove(struct client *c, const char *user, const char *domain, const char *nt_hash)
{
	static const uint8_t challenge[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t hash[16], owf[16], blob[48] = { 1, 1 };
	size_t i, n_user, n_domain;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < 16; i++) {
		unsigned v;

		assert_int_equal(sscanf(nt_hash + 2 * i, "%2x", &v), 1);
		hash[i] = (uint8_t)v;
	}
	n_user = utf16(c->user, user, true);
	n_domain = utf16(c->domain, domain, false);
	hmac_md5(owf, hash, c->user, n_user, c->domain, n_domain);
	hmac_md5(c->response, owf, challenge, 8, blob, sizeof(blob));
	memcpy(c->response + 16, blob, sizeof(blob));
	hmac_md5(c->key, owf, c->response, 16, NULL, 0);
	c->proof = (struct auth_ntlm_proof){ .user = user,
		.domain = domain,
		.user_upper_utf16 = { c->user, n_user },
		.domain_utf16 = { c->domain, n_domain },
		.nt_response = { c->response, sizeof(c->response) } };
	memcpy(c->proof.server_challenge, challenge, 8);
}

struct verdict {
	bool done;
	struct err e;
	uint8_t key[16];
	struct token *token;
};

static void
on_verdict(void *arg, const struct auth_verdict *v, const struct err *e)
{
	struct verdict *out = arg;

	assert_false(out->done);
	out->done = true;
	if (e != NULL) {
		assert_null(v);
		out->e = *e;
		return;
	}
	memcpy(out->key, v->session_base_key, 16);
	out->token = v->token;
}

static struct verdict
verify(struct client *c)
{
	const struct auth_authority *a = logon_authority(lg);
	struct verdict v = { 0 };
	void *handle = a->ntlm_verify(a->ctx, &c->proof, on_verdict, &v);

	/* the proof is the caller's: what is needed later has been copied */
	memset(c->response, 0, sizeof(c->response));
	memset(c->user, 0, sizeof(c->user));
	if (handle != NULL)
		fixture_wait(&fx, &v.done);
	assert_true(v.done);
	return v;
}

/* MD4 of the UTF-16LE passwords, by another implementation */
#define JANE "d8f89b2dabee4b5c7a4fbde28959bf6b"
#define LEAVER "b4cd0d248c63c4692f997c691a95edd9"
#define PFXCONN "7a322e0e0d66402ae6f7dc86ceeabfb7"
#define NOUPN "7255ee10efb24469b2b19df44cd034b4"
#define CHANGED "7a3c626d45b3a9bf8f3a83bb3e07e08f"

static void
test_verdicts(void **state)
{
	static const struct {
		const char *name, *user, *domain, *hash;
		uint32_t hr;
		const char *account;
	} cases[] = {
		{ "user and NetBIOS domain", "janedoe", "CORP", JANE, 0, "CORP\\janedoe" },
		{ "UPN", "janedoe@contoso.com", "", JANE, 0, "CORP\\janedoe" },
		{ "implicit UPN", "noupn@corp.contoso.com", "", NOUPN, 0, "CORP\\noupn" },
		{ "DNS domain, odd case", "JaneDoe", "corp.CONTOSO.com", JANE, 0, "CORP\\janedoe" },
		{ "computer", "PFXCONN01$", "CORP", PFXCONN, 0, "CORP\\PFXCONN01$" },
		{ "wrong password", "janedoe", "CORP", LEAVER, E_LOGON_FAILURE, NULL },
		{ "unknown user", "nobody", "CORP", JANE, E_LOGON_FAILURE, NULL },
		{ "unknown domain", "janedoe", "FABRIKAM", JANE, E_LOGON_FAILURE, NULL },
		{ "no user", "", "CORP", JANE, E_LOGON_FAILURE, NULL },
		{ "disabled, right password", "leaver", "CORP", LEAVER, E_ACCOUNT_DISABLED, NULL },
		{ "disabled, wrong password", "leaver", "CORP", JANE, E_LOGON_FAILURE, NULL },
		{ "a group", "Domain Users", "CORP", JANE, E_LOGON_FAILURE, NULL },
	};
	struct client c;
	struct verdict v;
	uint8_t key[16];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		client_prove(&c, cases[i].user, cases[i].domain, cases[i].hash);
		memcpy(key, c.key, 16);
		v = verify(&c);
		if (v.e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, v.e.hr, v.e.msg);
		if (cases[i].account == NULL)
			continue;
		assert_memory_equal(v.key, key, 16);
		assert_string_equal(v.token->account, cases[i].account);
		token_unref(v.token);
	}
}

static void
test_ntlmv1_is_refused(void **state)
{
	struct client c;

	(void)state;
	client_prove(&c, "janedoe", "CORP", JANE);
	c.proof.nt_response.len = 24;
	assert_int_equal(verify(&c).e.hr, E_LOGON_FAILURE);
}

/* ---- tokens ---- */

struct got_token {
	bool done;
	struct err e;
	struct token *t;
};

static void
on_token(void *arg, struct token *t, const struct err *e)
{
	struct got_token *g = arg;

	g->done = true;
	if (e != NULL)
		g->e = *e;
	else
		g->t = token_ref(t);
}

static struct got_token
token_of(const char *name)
{
	struct got_token g = { 0 };

	if (logon_token_start(lg, name, on_token, &g, &g.e) == 0)
		fixture_wait(&fx, &g.done);
	return g;
}

static bool
has(const struct token *t, const char *text, enum token_via via)
{
	const struct token_sid *s;
	struct sid sid;
	struct err e;

	assert_int_equal(sid_from_text(&sid, text, &e), 0);
	s = token_find(t, &sid);
	return s != NULL && s->via == via;
}

static void
test_token_contents(void **state)
{
	static const struct {
		const char *name, *sid;
		enum token_via via;
		bool present;
	} cases[] = {
		{ "bob", DOMAIN_SID "-1104", TOKEN_VIA_USER, true },
		{ "bob", DOMAIN_SID "-513", TOKEN_VIA_PRIMARY, true },
		{ "bob", DOMAIN_SID "-1204", TOKEN_VIA_PRIMARY, true }, /* around Domain Users */
		{ "bob", DOMAIN_SID "-1201", TOKEN_VIA_GROUP, true },
		{ "bob", DOMAIN_SID "-1202", TOKEN_VIA_GROUP, true },
		{ "bob", DOMAIN_SID "-1203", TOKEN_VIA_GROUP, true },
		{ "bob", DOMAIN_SID "-1205", TOKEN_VIA_GROUP, false }, /* a distribution group */
		{ "bob", "S-1-1-0", TOKEN_VIA_WELL_KNOWN, true },
		{ "bob", "S-1-5-11", TOKEN_VIA_WELL_KNOWN, true },
		{ "bob", "S-1-5-9", TOKEN_VIA_WELL_KNOWN, false },
		{ "bob", "S-1-5-32-574", TOKEN_VIA_LOCAL, true },
		{ "bob", "S-1-5-32-545", TOKEN_VIA_GROUP, false }, /* a DC's own group */
		{ "DC01$", "S-1-5-9", TOKEN_VIA_WELL_KNOWN, true },
		{ "Administrator", DOMAIN_SID "-512", TOKEN_VIA_GROUP, true },
		{ "Administrator", DOMAIN_SID "-519", TOKEN_VIA_GROUP, true },
		{ "Administrator", "S-1-5-32-544", TOKEN_VIA_GROUP, false },
	};
	struct got_token g;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		g = token_of(cases[i].name);
		assert_non_null(g.t);
		if (has(g.t, cases[i].sid, cases[i].via) != cases[i].present)
			fail_msg("%s: %s", cases[i].name, cases[i].sid);
		token_unref(g.t);
	}
}

static void
test_token_names(void **state)
{
	static const struct {
		const char *name, *account;
		uint32_t hr;
	} cases[] = {
		{ "CORP\\janedoe", "CORP\\janedoe", 0 },
		{ "janedoe@contoso.com", "CORP\\janedoe", 0 },
		{ DOMAIN_SID "-1110", "CORP\\PFXCONN01$", 0 },
		{ "nobody", NULL, E_DS_NO_SUCH_OBJECT },
		{ DOMAIN_SID "-4711", NULL, E_DS_NO_SUCH_OBJECT },
		{ "FABRIKAM\\janedoe", NULL, E_NO_SUCH_DOMAIN },
	};
	struct got_token g;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		g = token_of(cases[i].name);
		if (g.e.hr != cases[i].hr)
			fail_msg("%s: 0x%08x %s", cases[i].name, g.e.hr, g.e.msg);
		if (g.t != NULL) {
			assert_true(g.t->n_sids > 5);
			assert_string_equal(g.t->account, cases[i].account);
			assert_string_equal(g.t->sids[0].name, cases[i].account);
		}
		token_unref(g.t);
	}
}

/* Group and password edits count at the next logon. */
static void
test_edits_count(void **state)
{
	static const uint8_t changed[16] = { 0x7a, 0x3c, 0x62, 0x6d, 0x45, 0xb3, 0xa9, 0xbf, 0x8f, 0x3a, 0x83,
		0xbb, 0x3e, 0x07, 0xe0, 0x8f };
	struct bytes hash = { changed, 16 };
	struct dir_mod mod = { DIR_MOD_REPLACE, "unicodePwd", &hash, 1 };
	struct answer a = { .f = &fx };
	struct client c;
	struct verdict v;

	(void)state;
	assert_int_equal(fixture_modify(&fx, "CN=Enrollment Agents,OU=Groups,DC=corp,DC=contoso,DC=com",
			     DIR_MOD_ADD, "member", "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com")
			     .e.hr,
	    0);
	client_prove(&c, "janedoe", "CORP", JANE);
	v = verify(&c);
	assert_non_null(v.token);
	assert_true(has(v.token, DOMAIN_SID "-1207", TOKEN_VIA_GROUP));
	token_unref(v.token);
	/* unicodePwd is stronger than userPassword */
	assert_int_equal(dir_modify_start(fx.dir, "CN=Jane Doe,CN=Users,DC=corp,DC=contoso,DC=com", &mod, 1,
			     fixture_on_answer, &a, &a.e),
	    0);
	fixture_wait(&fx, &a.done);
	assert_int_equal(a.e.hr, 0);
	client_prove(&c, "janedoe", "CORP", JANE);
	assert_int_equal(verify(&c).e.hr, E_LOGON_FAILURE);
	client_prove(&c, "janedoe", "CORP", CHANGED);
	v = verify(&c);
	assert_int_equal(v.e.hr, 0);
	token_unref(v.token);
}

static void
test_cancel(void **state)
{
	const struct auth_authority *a = logon_authority(lg);
	struct verdict v = { 0 };
	struct client c;
	struct got_token g;
	void *handle;

	(void)state;
	client_prove(&c, "bob", "CORP", JANE);
	handle = a->ntlm_verify(a->ctx, &c.proof, on_verdict, &v);
	assert_non_null(handle);
	a->cancel(a->ctx, handle);
	/* let its answer pass by */
	g = token_of("bob");
	assert_non_null(g.t);
	token_unref(g.t);
	assert_false(v.done);
}

static void
test_end_while_asking(void **state)
{
	struct got_token g = { 0 };
	struct verdict v = { 0 };
	const struct auth_authority *a = logon_authority(lg);
	struct client c;
	struct err e;

	(void)state;
	client_prove(&c, "bob", "CORP", JANE);
	assert_non_null(a->ntlm_verify(a->ctx, &c.proof, on_verdict, &v));
	assert_int_equal(logon_token_start(lg, "bob", on_token, &g, &e), 0);
	logon_free(lg);
	lg = NULL;
	assert_true(v.done && v.e.hr == E_DS_UNAVAILABLE);
	assert_true(g.done && g.e.hr == E_DS_UNAVAILABLE);
	assert_int_equal(fixture_search(&fx, "DC=corp,DC=contoso,DC=com", DIR_BASE, NULL, "dc").n, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_ntlmv1_is_refused),
		cmocka_unit_test(test_token_contents),
		cmocka_unit_test(test_token_names),
		cmocka_unit_test(test_edits_count),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_end_while_asking),
	};

	return cmocka_run_group_tests(tests, start_shared, stop_shared);
}
