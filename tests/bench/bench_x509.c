/*
 * The issuing path in microseconds, against the one thing it cannot do without: the raw signature.
 * Goal: parse, verify and issue cost at most 1.35 RSA-2048 signatures.
 *
 *   make bench    or: cc -O2 -Isrc -D_GNU_SOURCE tests/bench/bench_x509.c build/libx509.a build/libbase.a -lcrypto
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/clock.h"
#include "x509/cert.h"
#include "x509/ext.h"
#include "x509/name.h"

#define ROUNDS 7
#define SPAN_US 200000 /* length of one measured round */

struct bench {
	struct bytes request;
	struct x509_ca *ca;
	EVP_PKEY *key;
	struct x509_cert_plan plan;
	struct x509_extension ext[8];
};

static void
die(const char *what, const struct err *e)
{
	fprintf(stderr, "%s: %s\n", what, e != NULL ? e->msg : "failed");
	exit(1);
}

static void
parse(struct bench *b)
{
	struct pool *pool = pool_new(1 << 20);
	struct x509_request r;
	struct err e;

	if (x509_request_parse(&r, pool, b->request, &e) != 0)
		die("parse", &e);
	pool_free(pool);
}

static void
parse_and_verify(struct bench *b)
{
	struct pool *pool = pool_new(1 << 20);
	struct x509_request r;
	struct err e;

	if (x509_request_parse(&r, pool, b->request, &e) != 0 || x509_request_verify(&r, &e) != 0)
		die("verify", &e);
	pool_free(pool);
}

static void
issue(struct bench *b)
{
	struct buf out;
	struct err e;

	buf_init(&out, 1 << 16);
	if (x509_ca_issue(b->ca, &b->plan, 1, &out, &e) != 0)
		die("issue", &e);
	buf_fini(&out);
}

static void
everything(struct bench *b)
{
	struct pool *pool = pool_new(1 << 20);
	struct x509_request r;
	struct buf out;
	struct err e;

	buf_init(&out, 1 << 16);
	if (x509_request_parse(&r, pool, b->request, &e) != 0 || x509_request_verify(&r, &e) != 0)
		die("verify", &e);
	b->plan.spki = r.key.spki;
	if (x509_ca_issue(b->ca, &b->plan, 1, &out, &e) != 0)
		die("issue", &e);
	buf_fini(&out);
	pool_free(pool);
}

static void
raw_signature(struct bench *b)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[1024];
	size_t n = sizeof(sig);

	if (EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, b->key) != 1 ||
	    EVP_DigestSign(md, sig, &n, b->request.p, b->request.len) != 1)
		die("sign", NULL);
	EVP_MD_CTX_free(md);
}

/* Best of some rounds: the machine is shared, and noise only adds. */
static double
measure(void (*work)(struct bench *), struct bench *b)
{
	double best = 0;

	work(b);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock_monotonic_us(), now = start;
		unsigned n = 0;
		double each;

		for (; now - start < SPAN_US; now = clock_monotonic_us(), n++)
			work(b);
		each = (double)(now - start) / n;
		if (round == 0 || each < best)
			best = each;
	}
	return best;
}

static struct bytes
keep(struct buf *b)
{
	if (!buf_ok(b))
		die("plan", NULL);
	return buf_bytes(b);
}

/* The extensions of a Web Server certificate. */
static void
make_plan(struct bench *b)
{
	static struct buf values[8], oids[8], subject;
	static const char *const names[] = { OID_SUBJECT_ALT_NAME, OID_SUBJECT_KEY_IDENTIFIER,
		OID_AUTHORITY_KEY_IDENTIFIER, OID_CRL_DISTRIBUTION_POINTS, OID_AUTHORITY_INFO_ACCESS,
		OID_CERTIFICATE_TEMPLATE, OID_KEY_USAGE, OID_EXTENDED_KEY_USAGE };
	static const char *const url[] = { "ldap:///CN=Contoso,CN=ca01,CN=CDP,CN=Public%20Key%20Services,CN=Services,"
		"CN=Configuration,DC=corp,DC=contoso,DC=com?certificateRevocationList?base?objectClass=cRLDistributionPoint" };
	static const char *const eku[] = { "1.3.6.1.5.5.7.3.1" };
	static const uint8_t id[20], usage[] = { 0xa0 };
	size_t seq;

	for (size_t i = 0; i < 8; i++) {
		buf_init(&values[i], 4096);
		buf_init(&oids[i], 64);
		if (oid_from_text(&oids[i], names[i], NULL) != 0)
			die("OID", NULL);
	}
	seq = der_open(&values[0], DER_SEQUENCE);
	x509_san_put_dns(&values[0], "server.corp.contoso.com");
	der_close(&values[0], seq);
	x509_ext_key_id(&values[1], (struct bytes){ id, 20 });
	x509_ext_authority_key_id(&values[2], (struct bytes){ id, 20 });
	x509_ext_crl_distribution_points(&values[3], (struct x509_strings){ url, 1 });
	x509_ext_authority_info_access(&values[4], (struct x509_strings){ url, 1 }, (struct x509_strings){ NULL, 0 });
	x509_ext_template_info(&values[5], "1.3.6.1.4.1.311.21.8.1.2.3", 100, 4);
	x509_ext_key_usage(&values[6], (struct bytes){ usage, 1 });
	x509_ext_eku(&values[7], (struct x509_strings){ eku, 1 });
	for (size_t i = 0; i < 8; i++)
		b->ext[i] = (struct x509_extension){ keep(&oids[i]), i == 6, keep(&values[i]) };
	buf_init(&subject, 4096);
	if (x509_name_from_dn(&subject, "CN=server.corp.contoso.com", NULL) != 0)
		die("subject", NULL);
	b->plan = (struct x509_cert_plan){ .serial = { 0x1f, 1 }, .serial_len = 19, .issuer = x509_ca_subject(b->ca),
		.not_before = x509_ca_not_before(b->ca), .not_after = x509_ca_not_after(b->ca), .subject = keep(&subject),
		.extensions = b->ext, .n_extensions = 8 };
}

static struct bytes
make_request(const char *type)
{
	static unsigned char *der;
	EVP_PKEY *key = strcmp(type, "RSA") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048) :
						   EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	X509_REQ *req = X509_REQ_new();
	int n;

	X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
	    (const unsigned char *)"server.corp.contoso.com", -1, -1, 0);
	X509_REQ_set_pubkey(req, key);
	X509_REQ_sign(req, key, EVP_sha256());
	der = NULL;
	n = i2d_X509_REQ(req, &der);
	if (n <= 0)
		die("request", NULL);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return (struct bytes){ der, (size_t)n };
}

static void
run(const char *request_type, enum x509_ca_key kind, const char *ca_type)
{
	char dir[] = "/tmp/adcsd-bench-XXXXXX", key_path[64], cert_path[64];
	struct rng rng = { false, 0 };
	struct x509_ca_create how = { .key = kind,
		.common_name = "Bench",
		.dn_suffix = "DC=corp,DC=contoso,DC=com",
		.not_before = clock_real(),
		.not_after = clock_real() + 365 * FILETIME_DAY,
		.rng = &rng };
	struct bench b = { .request = make_request(request_type) };
	struct x509_request r;
	struct pool *pool = pool_new(1 << 20);
	double raw, all;
	struct err e;
	FILE *f;

	if (mkdtemp(dir) == NULL)
		die("mkdtemp", NULL);
	snprintf(key_path, sizeof(key_path), "%s/key", dir);
	snprintf(cert_path, sizeof(cert_path), "%s/crt", dir);
	if (x509_ca_create(&how, key_path, cert_path, &e) != 0)
		die("create", &e);
	b.ca = x509_ca_load(key_path, cert_path, "SHA256", &rng, &e);
	f = fopen(key_path, "r");
	if (b.ca == NULL || f == NULL)
		die("load", &e);
	b.key = PEM_read_PrivateKey(f, NULL, NULL, NULL);
	fclose(f);
	unlink(key_path);
	unlink(cert_path);
	rmdir(dir);
	if (x509_request_parse(&r, pool, b.request, &e) != 0)
		die("parse", &e);
	make_plan(&b);
	b.plan.spki = r.key.spki;

	raw = measure(raw_signature, &b);
	printf("%s request, %s CA, microseconds\n", request_type, ca_type);
	printf("  raw signature          %8.1f\n", raw);
	printf("  parse                  %8.1f\n", measure(parse, &b));
	printf("  parse, verify          %8.1f\n", measure(parse_and_verify, &b));
	printf("  issue                  %8.1f\n", measure(issue, &b));
	all = measure(everything, &b);
	printf("  parse, verify, issue   %8.1f  %.2f raw signatures, %.0f per second\n", all, all / raw, 1e6 / all);
	x509_ca_free(b.ca);
	EVP_PKEY_free(b.key);
	pool_free(pool);
	OPENSSL_free((void *)(uintptr_t)b.request.p);
}

int
main(void)
{
	run("RSA", X509_CA_RSA2048, "RSA-2048");
	run("EC", X509_CA_RSA2048, "RSA-2048");
	run("RSA", X509_CA_P256, "P-256");
	return 0;
}
