/*
 * What the store's own insert path costs for each certificate: rows as issuing a template's certificate leaves them, so many
 * of them queued at once, until they are durable. Microseconds of CPU of the whole process, octets written to the disk.
 * ADCSD_STORE_ROWS: how many rows for each group size (default 4000); ADCSD_STORE_DIR: where (default /tmp);
 * ADCSD_STORE_BEFORE: how many rows are there already (default 0); ADCSD_STORE_GROUP: only this group size.
 */
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "bench_database.h"

#define CHUNK 1024 /* rows made before the clock starts */
#define T0 INT64_C(134000000000000000)
#define CERTIFICATE_SIZE 1955

static struct bytes
octets(struct pool *pool, size_t n)
{
	uint8_t *p = pool_alloc(pool, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)dice(256);
	return (struct bytes){ p, n };
}

static const char *
hex(struct pool *pool, struct bytes b, const char *between)
{
	struct buf text;
	char *out;

	buf_init(&text, 1024);
	for (size_t i = 0; i < b.len; i++)
		buf_printf(&text, "%s%02x", i > 0 ? between : "", b.p[i]);
	out = pool_strdup(pool, buf_cstr(&text));
	buf_fini(&text);
	return out;
}

/* As long as one of the rule table, with what differs from one request to the next. */
static const char *
explanation(struct pool *pool, uint32_t id, const char *who)
{
	static const char *const same[] = { "[18,\"template published\",\"pass\",\"User is among the 11 templates this CA issues\"]",
		"[19,\"template version\",\"skipped\",\"templates of schema version 1 are not subject to it\"]",
		("[21,\"enroll right\",\"pass\",\"CORP\\\\janedoe may enroll: (OA;;RPWPCR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;"
		"S-1-5-21-1111111111-2222222222-3333333333-513), through CORP\\\\Domain Users\"]"),
		"[33,\"some name\",\"pass\",\"subject present\"]",
		"[38,\"basic constraints\",\"skipped\",\"no CA template, and flag INCLUDE_BASIC_CONSTRAINTS_FOR_EE_CERTS is clear\"]" };
	struct buf text;
	char *out;

	buf_init(&text, 65536);
	buf_put_str(&text, "[[14,\"extension size\",\"pass\",\"0 extensions, the longest of 0 octets\"]");
	for (int i = 0; i < 47; i++) {
		const char *line = same[i % (int)ARRAY_LEN(same)];

		buf_printf(&text, ",[%d%s", 15 + i / 2, line + 3);
	}
	buf_printf(&text, ",[33,\"subject from directory\",\"pass\",\"subject from the directory: E=%s@contoso.com, CN=%s\"]", who, who);
	buf_printf(&text, ",[36,\"validity period\",\"pass\",\"2026-11-24T02:47:%09uZ to 2027-11-24T02:47:%09uZ\"]]", id, id);
	out = pool_strdup(pool, buf_cstr(&text));
	buf_fini(&text);
	return out;
}

/* The values stand in the certificate, as they do in a real one. */
static void
fill_extensions(struct store_row *r, struct pool *pool, struct bytes certificate)
{
	static const struct {
		const char *oid;
		size_t len;
	} kinds[] = { { "2.5.29.14", 22 }, { "2.5.29.35", 24 }, { "2.5.29.31", 313 }, { "1.3.6.1.5.5.7.1.1", 330 },
		{ "1.3.6.1.4.1.311.20.2", 10 }, { "2.5.29.15", 4 }, { "2.5.29.37", 34 }, { "1.2.840.113549.1.9.15", 55 },
		{ "2.5.29.17", 60 }, { "1.3.6.1.4.1.311.25.2", 66 } };
	struct store_extension *x = pool_calloc(pool, ARRAY_LEN(kinds), sizeof(*x));
	size_t at = 480;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		x[i] = (struct store_extension){ kinds[i].oid, STORE_EXT_ORIGIN_POLICY | (i == 5),
			{ certificate.p + at, kinds[i].len } };
		at += kinds[i].len + 15;
	}
	r->extensions = x;
	r->n_extensions = ARRAY_LEN(kinds);
}

static void
fill(struct store_row *r, struct pool *pool, uint32_t id)
{
	const char *who = pool_printf(pool, "user%u", dice(500)), *account = pool_printf(pool, "CORP\\%s", who);
	struct store_attribute *a = pool_calloc(pool, 1, sizeof(*a));
	struct bytes certificate = octets(pool, CERTIFICATE_SIZE);
	filetime_t now = T0 + id * (FILETIME_SECOND / 1000);

	memset(r, 0, sizeof(*r));
	store_set_long(r, Request_RequestID, id);
	store_set_bytes(r, Request_RawRequest, octets(pool, 602));
	store_set_text(r, Request_RequestAttributes, "CertificateTemplate:User");
	store_set_long(r, Request_RequestType, 0x100);
	store_set_long(r, Request_RequestFlags, 0);
	store_set_long(r, Request_StatusCode, 0);
	store_set_long(r, Request_Disposition, DB_DISP_ISSUED);
	store_set_text(r, Request_DispositionMessage, "Issued");
	store_set_date(r, Request_SubmittedWhen, now);
	store_set_date(r, Request_ResolvedWhen, now + 7000);
	store_set_text(r, Request_RequesterName, account);
	store_set_text(r, Request_CallerName, account);
	store_set_text(r, Request_DistinguishedName, "CN=bench7");
	store_set_bytes(r, Request_RawName, octets(pool, 19));
	store_set_text(r, Request_CommonName, "bench7");
	store_set_long(r, Request_CRLPartitionIndex, 0);
	store_set_long(r, Certificate_RequestID, id);
	store_set_bytes(r, Certificate_RawCertificate, certificate);
	store_set_text(r, Certificate_CertificateHash, hex(pool, octets(pool, 20), " "));
	store_set_text(r, Certificate_CertificateTemplate, dice(3) ? "User" : "1.3.6.1.4.1.311.21.8.1.2.3.4.5.6.7.8");
	store_set_long(r, Certificate_EnrollmentFlags, 41);
	store_set_long(r, Certificate_GeneralFlags, 66106);
	store_set_long(r, Certificate_PrivateKeyFlags, 16);
	store_set_text(r, Certificate_SerialNumber,
	    pool_printf(pool, "28%08x%s%010x", id, hex(pool, octets(pool, 8), ""), id));
	store_set_long(r, Certificate_IssuerNameId, 0);
	store_set_date(r, Certificate_NotBefore, now);
	store_set_date(r, Certificate_NotAfter, now + 365 * FILETIME_DAY);
	store_set_bytes(r, Certificate_RawPublicKey, octets(pool, 270));
	store_set_long(r, Certificate_PublicKeyLength, 2048);
	store_set_text(r, Certificate_PublicKeyAlgorithm, "1.2.840.113549.1.1.1");
	store_set_bytes(r, Certificate_RawPublicKeyAlgorithmParameters, octets(pool, 2));
	store_set_text(r, Certificate_SubjectKeyIdentifier, hex(pool, octets(pool, 20), " "));
	store_set_text(r, Certificate_UPN, pool_printf(pool, "%s@contoso.com", who));
	store_set_text(
	    r, Certificate_DistinguishedName, pool_printf(pool, "E=%s@contoso.com, CN=%s, CN=Users, DC=corp, DC=contoso, DC=com", who, who));
	store_set_bytes(r, Certificate_RawName, octets(pool, 130));
	store_set_text(r, Certificate_CommonName, pool_printf(pool, "Users\n%s", who));
	store_set_text(r, Certificate_DomainComponent, "com\ncontoso\ncorp");
	store_set_text(r, Certificate_EMail, pool_printf(pool, "%s@contoso.com", who));
	a[0] = (struct store_attribute){ "CertificateTemplate", "User" };
	r->attributes = a;
	r->n_attributes = 1;
	fill_extensions(r, pool, certificate);
	r->explanation = explanation(pool, id, who);
}

struct use {
	double user, sys; /* microseconds */
	uint64_t wall, written;
};

static struct use
used(void)
{
	struct rusage ru;
	struct use u = { .wall = clock_monotonic_us() };
	FILE *f = fopen("/proc/self/io", "re");
	unsigned long long n;
	char line[128];

	getrusage(RUSAGE_SELF, &ru);
	u.user = (double)ru.ru_utime.tv_sec * 1e6 + (double)ru.ru_utime.tv_usec;
	u.sys = (double)ru.ru_stime.tv_sec * 1e6 + (double)ru.ru_stime.tv_usec;
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "wchar: %llu", &n) == 1)
			u.written = n;
	}
	if (f != NULL)
		fclose(f);
	return u;
}

/* `group` rows at a time; what was used while they were stored. */
static struct use
insert(unsigned n, unsigned group)
{
	static struct store_row rows[CHUNK];
	struct use sum = { 0 };

	for (unsigned at = 0; at < n;) {
		struct pool *pool = pool_new(256u << 20);
		unsigned chunk = n - at < CHUNK ? n - at : CHUNK;
		struct use before, after;

		for (unsigned i = 0; i < chunk; i++)
			fill(&rows[i], pool, store_next_request_id(store));
		before = used();
		for (unsigned i = 0; i < chunk;) {
			unsigned until = i + group < chunk ? i + group : chunk, want = finished + until - i;

			for (; i < until; i++)
				start_insert(&rows[i]);
			wait_for_inserts(want);
		}
		after = used();
		sum.user += after.user - before.user;
		sum.sys += after.sys - before.sys;
		sum.wall += after.wall - before.wall;
		sum.written += after.written - before.written;
		pool_free(pool);
		at += chunk;
	}
	return sum;
}

static unsigned
number(const char *name, unsigned otherwise)
{
	const char *text = getenv(name);

	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : otherwise;
}

int
main(void)
{
	unsigned n = number("ADCSD_STORE_ROWS", 4000), before = number("ADCSD_STORE_BEFORE", 0),
		 only = number("ADCSD_STORE_GROUP", 0);

	make_database(getenv("ADCSD_STORE_DIR"));
	printf("store: %u certificates for each group size\n", n);
	insert(before, 256);
	for (unsigned group = 1; group <= 32; group = group < 8 ? 8 : group * 4) {
		struct store_stats was, is;
		struct use u;

		if (only != 0 && group != only)
			continue;
		store_get_stats(store, &was);
		u = insert(n, group);
		store_get_stats(store, &is);
		printf("  %2u at once: %.1f us CPU per certificate (%.1f user, %.1f system), %.0f a second, %.1f KiB written, "
		       "%.1f in a commit\n",
		    group, (u.user + u.sys) / n, u.user / n, u.sys / n, n * 1e6 / (double)u.wall, (double)u.written / 1024 / n,
		    (double)(is.operations - was.operations) / (double)(is.commits - was.commits));
	}
	remove_database();
	return 0;
}
