/*
 * A generated forest, rehearsed whole on one thread: tokens of every account, then every template for every
 * account. Goals of issue 3: 200 templates x 500 principals under 3,000 ms, a decision under 30 microseconds.
 *
 *   make bench    or: build/bench/rehearse
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "rehearse/defaults.h"
#include "rehearse/matrix.h"

#define TEMPLATES 200
#define ACCOUNTS 500
#define GROUPS 50
#define ROUNDS 3
#define DOMAIN "S-1-5-21-1111111111-2222222222-3333333333"
#define ENROLL "0e10c968-78fb-11d2-90d4-00c04f79dc55"
#define OID "1.3.6.1.4.1.311.21.8.1111111.2222222.333333.4444444.5555555.6."
#define MAX_VALUES 48

/* An entry of the generated directory. */
struct made {
	const char *dn;
	struct {
		const char *name;
		struct bytes value;
	} v[MAX_VALUES];
	size_t n;
};

static struct pool *pool;

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e != NULL ? e->msg : "failed");
	exit(1);
}

static void
put_bytes(struct made *m, const char *name, struct bytes v)
{
	if (m->n == MAX_VALUES || pool_dup_bytes(pool, v, &m->v[m->n].value) != 0)
		die(name, NULL);
	m->v[m->n++].name = name;
}

static void
put(struct made *m, const char *name, const char *text)
{
	put_bytes(m, name, (struct bytes){ (const uint8_t *)text, strlen(text) });
}

static void
put_hex(struct made *m, const char *name, const char *hex)
{
	struct buf b;
	struct err e;

	buf_init(&b, 256);
	if (text_parse_hex(&b, hex, &e) != 0)
		die(name, &e);
	put_bytes(m, name, buf_bytes(&b));
	buf_fini(&b);
}

static void
put_sid(struct made *m, unsigned rid)
{
	char text[SID_TEXT_MAX];
	struct sid sid;
	struct buf b;
	struct err e;

	snprintf(text, sizeof(text), DOMAIN "-%u", rid);
	buf_init(&b, SID_WIRE_MAX);
	if (sid_from_text(&sid, text, &e) != 0)
		die(text, &e);
	sid_put(&b, &sid);
	put_bytes(m, "objectSid", buf_bytes(&b));
	buf_fini(&b);
}

static void
put_security(struct made *m, const char *sddl)
{
	struct sddl_domain d;
	struct buf b;
	struct sd sd;
	struct err e;

	if (sid_from_text(&d.domain, DOMAIN, &e) != 0)
		die(DOMAIN, &e);
	d.root = d.domain;
	buf_init(&b, SD_WIRE_MAX);
	if (sd_from_sddl(&sd, pool, sddl, &d, &e) != 0 || sd_to_wire(&sd, &b, &e) != 0)
		die(sddl, &e);
	put_bytes(m, "nTSecurityDescriptor", buf_bytes(&b));
	buf_fini(&b);
}

static bool
value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct made *m = ctx;

	for (size_t k = 0; k < m->n; k++)
		if (strcmp(m->v[k].name, attr) == 0 && i-- == 0) {
			*out = m->v[k].value;
			return true;
		}
	return false;
}

/* Every second template builds the subject from the directory; one in ten lets only one group enroll. */
static void
make_template(struct policy_template *out, unsigned i)
{
	struct made m = { .dn = pool_printf(pool, "CN=Template%03u,CN=Certificate Templates", i) };
	struct policy_attrs attrs = { &m, value, m.dn };
	struct err e;

	put(&m, "cn", pool_printf(pool, "Template%03u", i));
	put(&m, "flags", "131642");
	put(&m, "revision", "100");
	put_hex(&m, "pKIKeyUsage", "a000");
	put(&m, "pKICriticalExtensions", "2.5.29.15");
	put_hex(&m, "pKIExpirationPeriod", "004039872ee1feff");
	put_hex(&m, "pKIOverlapPeriod", "0080a60affdeffff");
	put(&m, "pKIExtendedKeyUsage", "1.3.6.1.5.5.7.3.4");
	put(&m, "pKIExtendedKeyUsage", "1.3.6.1.5.5.7.3.2");
	put(&m, "msPKI-RA-Signature", "0");
	put(&m, "msPKI-Enrollment-Flag", "8");
	put(&m, "msPKI-Private-Key-Flag", "50528272");
	put(&m, "msPKI-Certificate-Name-Flag", i % 2 == 0 ? "1" : "-1509949440");
	put(&m, "msPKI-Minimal-Key-Size", "2048");
	put(&m, "msPKI-Template-Schema-Version", "2");
	put(&m, "msPKI-Template-Minor-Revision", "3");
	put(&m, "msPKI-Cert-Template-OID", pool_printf(pool, OID "%u", i + 1));
	put(&m, "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.4");
	put(&m, "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.2");
	put_security(&m,
	    pool_printf(pool,
		"O:EAG:EAD:PAI(OA;;RPWPCR;" ENROLL ";;DA)(OA;;CR;" ENROLL ";;" DOMAIN
		"-%u)(A;;LCRPLORC;;;AU)",
		i % 10 == 0 ? 6000u : 513u));
	if (policy_template_decode(out, pool, &attrs, &e) != 0)
		die(m.dn, &e);
}

/* Ten accounts a group, and each group in the next. */
static void
make_people(struct people *p)
{
	struct err e;

	for (unsigned i = 0; i < ACCOUNTS + GROUPS + 1; i++) {
		bool account = i < ACCOUNTS;
		unsigned g = i - ACCOUNTS;
		struct made m = { .dn = pool_printf(pool, account ? "CN=User%u,DC=x" : "CN=Group%u,DC=x",
				      account ? i : g) };
		struct policy_attrs attrs = { &m, value, m.dn };

		put(&m, "objectClass", account ? "user" : "group");
		put(&m, "sAMAccountName", m.dn + 3);
		put_sid(&m, account ? 10000 + i : g < GROUPS ? 6000 + g : 513);
		if (account) {
			put(&m, "primaryGroupID", "513");
			put(&m, "cn", m.dn + 3);
			put(&m, "mail", pool_printf(pool, "user%u@contoso.com", i));
			put(&m, "userPrincipalName", pool_printf(pool, "user%u@contoso.com", i));
		} else {
			put(&m, "groupType", "-2147483646");
			for (unsigned k = 0; g < GROUPS && k < 10; k++)
				put(&m, "member", pool_printf(pool, "CN=User%u,DC=x", g * 10 + k));
			if (g > 0 && g < GROUPS)
				put(&m, "member", pool_printf(pool, "CN=Group%u,DC=x", g - 1));
		}
		if (people_add(p, &attrs, &e) != 0)
			die(m.dn, &e);
	}
	if (people_finish(p, rehearse_default_local_groups, NULL, &e) != 0)
		die("tokens", &e);
}

/* The machine is shared: what others use is not ours. */
static uint64_t
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static size_t
run(const struct matrix *m, const struct people *p)
{
	uint32_t row[TEMPLATES];
	size_t issued = 0;
	struct err e;

	for (size_t i = 0; i < people_count(p); i++) {
		if (matrix_row(m, people_at(p, i), row, &e) != 0)
			die("row", &e);
		for (size_t k = 0; k < m->n_columns; k++)
			issued += row[k] == MATRIX_ISSUED;
	}
	return issued;
}

int
main(void)
{
	struct policy_template *templates;
	struct policy_ca ca;
	struct x509_strings published = { 0 };
	struct matrix m = {
		.ca = &ca, .n_templates = TEMPLATES, .published = &published, .now = clock_real()
	};
	struct matrix_options o = { .all = true };
	const char *names[TEMPLATES];
	struct people *p = people_new("CORP");
	uint64_t start, tokens, best = UINT64_MAX;
	size_t issued = 0;
	struct err e;

	pool = pool_new(256u << 20);
	templates = pool_calloc(pool, TEMPLATES, sizeof(*templates));
	for (unsigned i = 0; i < TEMPLATES; i++) {
		make_template(&templates[i], i);
		names[i] = templates[i].cn;
	}
	m.templates = templates;
	published = (struct x509_strings){ names, TEMPLATES };
	start = cpu_us();
	make_people(p);
	tokens = cpu_us() - start;
	if (rehearse_default_ca(&ca, "corp.contoso.com", "CORP", m.now, pool, &e) != 0 ||
	    matrix_prepare(&m, &o, pool, &e) != 0)
		die("prepare", &e);
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t took;

		start = cpu_us();
		issued = run(&m, p);
		took = cpu_us() - start;
		if (took < best)
			best = took;
	}
	printf("rehearsal, CPU time: %d accounts in %.1f ms; %d templates x %d principals in %.0f ms (%zu "
	       "issued), %.1f "
	       "us a decision\n",
	    ACCOUNTS, (double)tokens / 1e3, TEMPLATES, ACCOUNTS, (double)best / 1e3, issued,
	    (double)best / (TEMPLATES * ACCOUNTS));
	people_free(p);
	pool_free(pool);
	return 0;
}
