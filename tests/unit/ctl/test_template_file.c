/* Template files from octets: whose names and SIDs become ours, what is dropped, what is told, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/template_file.h"

#define OURS "S-1-5-21-1111111111-2222222222-3333333333"
#define THEIRS "S-1-5-21-4000000001-4000000002-4000000003"
#define TEMPLATE                                                                                             \
	"dn: CN=%s,CN=Certificate Templates,CN=Public Key Services,CN=Services,"                             \
	"CN=Configuration,DC=prod,DC=example,DC=net\n"                                                       \
	"objectClass: top\nobjectClass: pKICertificateTemplate\ncn: %s\n"

struct fixture {
	struct ctl c;
	struct template_file f;
	struct err e;
};

static int
setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (x == NULL)
		return -1;
	x->c = (struct ctl){ .control_fd = -1,
		.pool = pool_new(64u << 20),
		.config_dn = "CN=Configuration,DC=corp,DC=contoso,DC=com" };
	*state = x;
	return sid_from_text(&x->c.domain.domain, OURS, &x->e);
}

static int
teardown(void **state)
{
	struct fixture *x = *state;

	template_file_fini(&x->f);
	pool_free(x->c.pool);
	free(x);
	return 0;
}

static int
parse_octets(struct fixture *x, const void *p, size_t n, const char *theirs)
{
	struct sid sid;

	template_file_fini(&x->f);
	if (theirs != NULL)
		assert_int_equal(sid_from_text(&sid, theirs, &x->e), 0);
	return template_file_parse(
	    &x->c, "file", (struct bytes){ p, n }, theirs != NULL ? &sid : NULL, &x->f, &x->e);
}

static int
parse(struct fixture *x, const char *text)
{
	return parse_octets(x, text, strlen(text), NULL);
}

/* One template whose DACL allows one SID. */
static char *
template_for(struct fixture *x, const char *sid)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct buf wire, out;
	struct sd sd;
	char *text;

	assert_int_equal(sd_from_sddl(&sd, x->c.pool,
			     pool_printf(x->c.pool, "O:%sG:SYD:(A;;LCRPLORC;;;%s)", sid, sid),
			     &x->c.domain, &x->e),
	    0);
	buf_init(&wire, SD_WIRE_MAX);
	assert_int_equal(sd_to_wire(&sd, &wire, &x->e), 0);
	buf_init(&out, 65536);
	for (size_t i = 0; i < wire.len; i += 3) {
		size_t left = wire.len - i;
		uint32_t v = (uint32_t)wire.p[i] << 16 | (left > 1 ? (uint32_t)wire.p[i + 1] << 8 : 0) |
		    (left > 2 ? wire.p[i + 2] : 0);
		char four[4] = { digits[v >> 18], digits[v >> 12 & 63],
			left > 1 ? digits[v >> 6 & 63] : '=', left > 2 ? digits[v & 63] : '=' };

		buf_put(&out, four, sizeof(four));
	}
	text = pool_printf(x->c.pool, TEMPLATE "uSNChanged: 12\nnTSecurityDescriptor:: %.*s\n", "T", "T",
	    (int)out.len, (const char *)out.p);
	buf_fini(&out);
	buf_fini(&wire);
	return text;
}

static const char *
owner_after(struct fixture *x, const char *sid, const char *theirs)
{
	const char *text = template_for(x, sid);
	char *out = pool_alloc(x->c.pool, SID_TEXT_MAX);
	struct ctl_attr *a;
	struct sd sd;

	assert_int_equal(parse_octets(x, text, strlen(text), theirs), 0);
	assert_int_equal(x->f.n_templates, 1);
	a = ctl_entry_attr(&x->f.templates[0], "nTSecurityDescriptor");
	assert_non_null(a);
	assert_int_equal(sd_from_wire(&sd, x->c.pool, a->values[0], &x->e), 0);
	assert_true(sid_equal(&sd.owner, &sd.dacl->aces[0].sid));
	return sid_to_text(&sd.owner, out);
}

static void
sids(void **state)
{
	struct fixture *x = *state;
	const struct {
		const char *in, *theirs, *out;
		size_t warnings;
	} cases[] = {
		{ THEIRS "-513", NULL, OURS "-513", 0 },        /* the same in every domain */
		{ THEIRS "-999", NULL, OURS "-999", 0 },        /* the last of those */
		{ THEIRS "-1000", NULL, THEIRS "-1000", 1 },    /* the first that is not */
		{ THEIRS "-1000", THEIRS, OURS "-1000", 1 },    /* the file's domain is known */
		{ THEIRS "-513", OURS, THEIRS "-513", 1 },      /* known to be another */
		{ OURS "-1105", NULL, OURS "-1105", 0 },        /* already ours */
		{ "S-1-5-11", NULL, "S-1-5-11", 0 },            /* well known */
		{ "S-1-5-32-544", THEIRS, "S-1-5-32-544", 0 },  /* builtin */
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_string_equal(owner_after(x, cases[i].in, cases[i].theirs), cases[i].out);
		/* owner and ACE name the same SID: told once */
		assert_int_equal(json_array_size(x->f.warnings), cases[i].warnings);
	}
}

static void
names_and_server_attributes(void **state)
{
	struct fixture *x = *state;
	const struct ctl_entry *en;

	assert_string_equal(owner_after(x, "S-1-5-18", NULL), "S-1-5-18");
	en = &x->f.templates[0];
	assert_string_equal(en->dn,
	    "CN=T,CN=Certificate Templates,CN=Public Key Services,CN=Services,"
	    "CN=Configuration,DC=corp,DC=contoso,DC=com");
	assert_null(ctl_entry_attr(en, "uSNChanged"));
	assert_false(x->f.is_json);
}

static void
rest_of_a_dump(void **state)
{
	struct fixture *x = *state;
	const char *text = pool_printf(x->c.pool,
	    "version: 1\n\n# comment\ndn: CN=Users,DC=prod\nobjectClass: container\n\n" TEMPLATE
	    "\ndn: CN=Elsewhere,DC=prod\nobjectClass: pKICertificateTemplate\n",
	    "A", "A");

	assert_int_equal(parse(x, text), 0);
	assert_int_equal(x->f.n_templates, 1);
	assert_int_equal(x->f.n_oids, 0);
}

static void
mark_stays(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(
	    parse(x, pool_printf(x->c.pool, TEMPLATE "msPKI-Cert-Template-OID: {forestOidBase}.1\n", "A", "A")),
	    0);
	assert_string_equal(
	    ctl_entry_text(&x->f.templates[0], "msPKI-Cert-Template-OID"), "{forestOidBase}.1");
}

static void
encodings(void **state)
{
	struct fixture *x = *state;
	const char *text = pool_printf(x->c.pool, TEMPLATE, "A", "A");
	char with_mark[1024], wide[2048] = "\xff\xfe";
	size_t n = strlen(text);

	snprintf(with_mark, sizeof(with_mark), "\xEF\xBB\xBF%s", text);
	assert_int_equal(parse(x, with_mark), 0);
	for (size_t i = 0; i < n; i++)
		wide[2 + 2 * i] = text[i];
	assert_int_equal(parse_octets(x, wide, 2 + 2 * n, NULL), 0);
	assert_int_equal(x->f.n_templates, 1);
	assert_int_equal(parse_octets(x, wide, 2 + 2 * n - 1, NULL), -1); /* half a character */
	assert_int_equal(parse_octets(x, "\xff\xfe\x00\xd8", 4, NULL), -1); /* half a surrogate pair */
}

/* Every refusal names the file and says what is wrong. */
static void
refused(void **state)
{
	struct fixture *x = *state;
	const struct {
		const char *text, *told;
	} cases[] = {
		{ "", "holds no certificate template" },
		{ "\r\n\r\n", "holds no certificate template" },
		{ "nonsense\n", "attribute: value" },
		{ "dn: CN=x\nchangetype: delete\n", "change records" },
		{ "{", "file:1" },
		{ "[]", "holds no certificate template" },
		{ "[{}]", "neither" },
		{ "{\"a\":1,\"a\":2}", "duplicate" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_int_equal(parse(x, cases[i].text), -1);
		if (strstr(x->e.msg, cases[i].told) == NULL || strstr(x->e.msg, "file") == NULL)
			fail_msg("\"%s\" is refused by \"%s\", not by \"%s\"", cases[i].text, x->e.msg,
			    cases[i].told);
	}
	assert_int_equal(parse_octets(x, "\0{", 2, NULL), -1);
}

static void
too_many(void **state)
{
	struct fixture *x = *state;
	struct buf b;

	buf_init(&b, 8u << 20);
	for (int i = 0; i <= 4096; i++) {
		const char *one = pool_printf(x->c.pool, TEMPLATE "\n", "A", "A");

		buf_put(&b, one, strlen(one));
	}
	assert_int_equal(parse_octets(x, b.p, b.len, NULL), -1);
	assert_non_null(strstr(x->e.msg, "more than 4096"));
	buf_fini(&b);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = { T(sids), T(names_and_server_attributes),
		T(rest_of_a_dump), T(mark_stays), T(encodings), T(refused), T(too_many) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
