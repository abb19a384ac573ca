/*
 * The plain OpenSSL path as judge of the lean one: the same TBSCertificate byte for byte, the same
 * verdict on mutated requests, differences listed by name.
 */
#include "support.h"

#include "base/rng.h"
#include "x509/x509_priv.h"

#define PLANS 10000
#ifndef MUTATIONS
#define MUTATIONS 8000
#endif

static struct rng_stream dice;

static uint64_t
roll(uint64_t n)
{
	return rng_u64(&dice) % n;
}

/* ---- verdicts ---- */

static bool
lean_takes(struct bytes raw, char why[ERR_MSG_MAX])
{
	struct pool *pool = pool_new(4 << 20);
	struct x509_request r;
	struct err e = { 0 };
	bool ok = x509_request_parse(&r, pool, raw, &e) == 0 && x509_request_verify(&r, &e) == 0;

	memcpy(why, e.msg, ERR_MSG_MAX);
	assert_true(ok || e.hr != 0);
	pool_free(pool);
	return ok;
}

/* Every value of every extensionRequest attribute, in both of its spellings, is a list of extensions. */
static bool
extensions_readable(X509_REQ *req)
{
	for (int i = 0; i < X509_REQ_get_attr_count(req); i++) {
		X509_ATTRIBUTE *a = X509_REQ_get_attr(req, i);
		int nid = OBJ_obj2nid(X509_ATTRIBUTE_get0_object(a));

		if (nid != NID_ext_req && nid != NID_ms_ext_req)
			continue;
		for (int j = 0; j < X509_ATTRIBUTE_count(a); j++) {
			ASN1_TYPE *value = X509_ATTRIBUTE_get0_type(a, j);
			const unsigned char *p, *end;
			X509_EXTENSIONS *exts;

			if (ASN1_TYPE_get(value) != V_ASN1_SEQUENCE)
				return false;
			p = ASN1_STRING_get0_data(value->value.sequence);
			end = p + ASN1_STRING_length(value->value.sequence);
			exts = d2i_X509_EXTENSIONS(NULL, &p, end - p);
			sk_X509_EXTENSION_pop_free(exts, X509_EXTENSION_free);
			if (exts == NULL || p != end)
				return false;
		}
	}
	return true;
}

static bool
openssl_takes(struct bytes raw, char why[ERR_MSG_MAX])
{
	const unsigned char *p = raw.p;
	X509_REQ *req = d2i_X509_REQ(NULL, &p, (long)raw.len);
	EVP_PKEY *key = req != NULL ? X509_REQ_get0_pubkey(req) : NULL;
	bool ok = key != NULL && p == raw.p + raw.len && X509_REQ_verify(req, key) == 1 && extensions_readable(req);

	snprintf(why, ERR_MSG_MAX, "%s", x509_openssl_reason());
	X509_REQ_free(req);
	return ok;
}


/* ---- mutations ---- */

static void
random_bytes(struct buf *out, size_t n)
{
	uint8_t *at = buf_extend(out, n);

	assert_non_null(at);
	rng_bytes(&dice, at, n);
}

/* Copies octets with one accident: a bit, an octet, some more, some less, or the end. */
static void
damage(struct buf *out, struct bytes in)
{
	size_t at = roll(in.len), n = 1 + roll(8);

	if (n > in.len - at)
		n = in.len - at;
	buf_put(out, in.p, at);
	switch (roll(5)) {
	case 0:
		buf_put_u8(out, in.p[at] ^ (uint8_t)(1u << roll(8)));
		buf_put(out, in.p + at + 1, in.len - at - 1);
		break;
	case 1:
		random_bytes(out, 1);
		buf_put(out, in.p + at + 1, in.len - at - 1);
		break;
	case 2:
		random_bytes(out, n);
		buf_put(out, in.p + at, in.len - at);
		break;
	case 3:
		buf_put(out, in.p + at + n, in.len - at - n);
		break;
	default:
		break;
	}
}

static bool
is_constructed(uint8_t tag)
{
	return (tag & 0x20) != 0;
}

static size_t
count_elements(struct bytes in)
{
	struct der d = der_over(in);
	struct der_item it;
	size_t n = 0;

	while (!der_at_end(&d)) {
		assert_int_equal(der_next(&d, &it, "test", NULL), 0);
		n += 1 + (is_constructed(it.tag) ? count_elements(it.body) : 0);
	}
	return n;
}

static void
twist(struct buf *out, const struct der_item *it)
{
	static const uint8_t tags[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0a, 0x0c, 0x12, 0x13, 0x14, 0x16, 0x1e,
		0x1c, 0x30, 0x31, 0x80, 0xa0, 0xa1 };
	struct buf body = new_buf();

	switch (roll(6)) {
	case 0: /* gone */
		break;
	case 1: /* twice */
		buf_put_bytes(out, it->raw);
		buf_put_bytes(out, it->raw);
		break;
	case 2: /* another type */
		der_put(out, tags[roll(sizeof(tags))], it->body);
		break;
	case 3: /* emptied */
		der_put(out, it->tag, (struct bytes){ NULL, 0 });
		break;
	case 4: /* damaged inside, the lengths still true */
		if (it->body.len > 0)
			damage(&body, it->body);
		der_put(out, it->tag, buf_bytes(&body));
		break;
	default: /* the length in more octets than it needs */
		buf_put_u8(out, it->tag);
		buf_put_u8(out, 0x83);
		buf_put_u8(out, 0);
		buf_put_u8(out, (uint8_t)(it->body.len >> 8));
		buf_put_u8(out, (uint8_t)it->body.len);
		buf_put_bytes(out, it->body);
	}
	buf_fini(&body);
}

/* Copies a run of elements; the one that *left counts down to is twisted, lengths around it follow. */
static void
rebuild(struct buf *out, struct bytes in, size_t *left)
{
	struct der d = der_over(in);
	struct der_item it;

	while (!der_at_end(&d)) {
		assert_int_equal(der_next(&d, &it, "test", NULL), 0);
		if ((*left)-- == 0) {
			twist(out, &it);
		} else if (is_constructed(it.tag)) {
			size_t mark = der_open(out, it.tag);

			rebuild(out, it.body, left);
			der_close(out, mark);
		} else {
			buf_put_bytes(out, it.raw);
		}
	}
}

struct seed {
	const char *name;
	EVP_PKEY *key;  /* NULL: nobody's, only the wrapping can be mutated without spoiling the signature */
	const char *md;
	struct bytes raw;
};

/* Either accidents anywhere, or a twist of the signed part that is then signed anew, so that only form decides. */
static struct bytes
mutate(struct pool *pool, const struct seed *s)
{
	struct buf b = new_buf();
	struct der d = der_over(s->raw), in;
	struct der_item info, alg;
	size_t left;

	if (s->key == NULL || roll(3) == 0) {
		if (roll(2) == 0) {
			damage(&b, s->raw);
		} else {
			left = roll(count_elements(s->raw));
			rebuild(&b, s->raw, &left);
		}
		return take(pool, &b);
	}
	assert_int_equal(der_enter(&d, DER_SEQUENCE, &in, "test", NULL), 0);
	assert_int_equal(der_expect(&in, DER_SEQUENCE, &info, "test", NULL), 0);
	assert_int_equal(der_expect(&in, DER_SEQUENCE, &alg, "test", NULL), 0);
	if (roll(4) == 0) {
		damage(&b, info.raw);
	} else {
		left = roll(count_elements(info.raw));
		rebuild(&b, info.raw, &left);
	}
	return sign_info(pool, s->key, take(pool, &b), alg.raw, s->md);
}


/* Where the verdicts differ, told apart by the reason of the side that refuses. */
struct difference {
	const char *name;
	const char *reason; /* part of the message */
	unsigned seen;
};

/* Attribute values that nobody looks into stay sealed in the lean reader; OpenSSL unpacks every primitive. Nothing else
 * that OpenSSL refuses is taken. */
static struct difference only_openssl_refuses[] = {
	{ "malformed value of an attribute that AD CS does not know", "nested asn1 error", 0 },
};

static struct difference only_lean_refuses[] = {
	{ "DER only: lengths not in their shortest form", "shortest form", 0 },
	{ "DER only: indefinite lengths and lengths beyond 32 bits", "e: oversized length", 0 },
	{ "DER only: SEQUENCE without the constructed bit", "tag 10 where 30 belongs", 0 },
	{ "DER only: OCTET STRING in pieces", "tag 24 where 04 belongs", 0 },
	{ "DER only: SET OF without the constructed bit", "tag 11 where 31 belongs", 0 },
	{ "DER only: attributes without the constructed bit", "tag 80 where a0 belongs", 0 },
	{ "a key is whole octets", "unused bits", 0 },
	{ "RFC 5480 2.2: no hybrid points", "EC point of 65 octets does not fit", 0 },
	{ "RFC 5280 4.1.2.4: a relative name has at least one attribute", "empty relative name", 0 },
	{ "subject attributes are text (OpenSSL keeps SEQUENCE and unknown types)", "is not text", 0 },
	{ "subject text has no NUL", "embedded NUL", 0 },
	{ "RFC 4055 5, RFC 5758 3: signature and hash parameters are absent or NULL", "has parameters", 0 },
	{ "X9.62: specifiedECDSA names its hash", "specifiedECDSA hash: missing", 0 },
	{ "MS-WCCE 3.2.1.4.2.1.4.1.1: single-valued attributes", "more than one value", 0 },
	{ "RFC 2985 5.4.2: extensionRequest has a value", "has no value", 0 },
	{ "MS-WCCE 3.2.1.4.2.1.4.1.1: OS version and CSP once", "given twice", 0 },
	{ "RFC 5280 4.2: an extension once", "asked for twice", 0 },
	{ "MS-WCCE 2.2.2.7.7.1: template name readable", "template name", 0 },
	{ "MS-WCCE 2.2.2.7.7.2: template information readable", "template", 0 },
	{ "MS-WCCE 2.2.2.7.1: OS version readable", "szOID_OS_VERSION", 0 },
	{ "MS-WCCE 2.2.2.7.2: CSP readable", "szOID_ENROLLMENT_CSP_PROVIDER", 0 },
	{ "MS-WCCE 2.2.2.7.10: name-value pairs readable", "szOID_ENROLLMENT_NAME_VALUE_PAIR", 0 },
};

static struct difference *
explain(struct difference *rows, size_t n, const char *why)
{
	for (size_t i = 0; i < n; i++) {
		if (strstr(why, rows[i].reason) != NULL)
			return &rows[i];
	}
	return NULL;
}

static void
print_differences(const struct difference *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		print_message("%6u %s\n", rows[i].seen, rows[i].name);
}

/* The attributes of Windows and of Certipy, one extensionRequest each. */
static struct bytes
adcs_request(struct pool *pool, EVP_PKEY *key)
{
	static const uint8_t csp[] = "\x30\x0e\x02\x01\x01\x1e\x06\x00\x43\x00\x53\x00\x50\x03\x01\x00";
	static const uint8_t pair[] = "\x30\x08\x1e\x02\x00\x61\x1e\x02\x00\x62";
	struct buf ext = new_buf(), attributes = new_buf(), value = new_buf();
	size_t seq;

	put_attr(&attributes, "1.3.6.1.4.1.311.13.2.3", (struct bytes){ (const uint8_t *)"\x16\x03" "6.1", 5 });
	put_attr(&attributes, "1.3.6.1.4.1.311.13.2.2", (struct bytes){ csp, sizeof(csp) - 1 });
	put_attr(&attributes, "1.3.6.1.4.1.311.13.2.1", (struct bytes){ pair, sizeof(pair) - 1 });
	put_attr(&attributes, "1.2.840.113549.1.9.7", (struct bytes){ (const uint8_t *)"\x13\x02pw", 4 });
	x509_ext_template_name(&value, "User");
	seq = der_open(&ext, DER_SEQUENCE);
	put_ext(&ext, OID_ENROLL_CERTTYPE, buf_bytes(&value));
	der_close(&ext, seq);
	put_attr(&attributes, "1.2.840.113549.1.9.14", buf_bytes(&ext));
	buf_reset(&ext);
	buf_reset(&value);
	x509_ext_template_info(&value, "1.3.6.1.4.1.311.21.8.1.2.3", 100, 4);
	seq = der_open(&ext, DER_SEQUENCE);
	put_ext(&ext, OID_CERTIFICATE_TEMPLATE, buf_bytes(&value));
	der_close(&ext, seq);
	put_attr(&attributes, "1.3.6.1.4.1.311.2.1.14", buf_bytes(&ext));
	buf_fini(&ext);
	buf_fini(&value);
	return craft_request(pool, key, &(struct craft){ .attributes = take(pool, &attributes) });
}

static void
test_mutated_requests(void **state)
{
	static const struct request_spec p256_spec = { "host.example", "D\xc3\xa9p\xc3\xb4t",
		"DNS:a.example,email:x@y,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:u@x", "SHA256", false, 0 };
	static const struct request_spec p384_spec = { "host.example", NULL, NULL, "SHA384", false, 0 };
	static const struct request_spec rsa_spec = { "host.example", "Sales", "DNS:a.example", "SHA256", false, 0 };
	static const struct request_spec pss_spec = { "host.example", "Sales", NULL, "SHA256", true, 32 };
	struct pool *pool = pool_new(64 << 20);
	EVP_PKEY *ec = new_key("P-256"), *p384 = new_key("P-384"), *rsa = new_key("RSA-2048");
	struct seed seeds[] = {
		{ "Windows", NULL, NULL, read_fixture(pool, WINDOWS_REQUEST) },
		{ "P-256 with SAN", ec, "SHA256", make_request(pool, ec, &p256_spec) },
		{ "AD CS attributes", ec, "SHA256", adcs_request(pool, ec) },
		{ "P-384", p384, "SHA384", make_request(pool, p384, &p384_spec) },
		{ "RSA", rsa, "SHA256", make_request(pool, rsa, &rsa_spec) },
		{ "RSA-PSS", NULL, NULL, make_request(pool, rsa, &pss_spec) },
	};
	size_t taken = 0, refused = 0;

	(void)state;
	rng_stream_init(&dice, &(struct rng){ true, 2 }, "mutations", 0);
	for (size_t i = 0; i < MUTATIONS; i++) {
		const struct seed *s = &seeds[i % ARRAY_LEN(seeds)];
		struct pool *one = pool_new(4 << 20);
		struct bytes raw = i < ARRAY_LEN(seeds) ? s->raw : mutate(one, s);
		char lean_why[ERR_MSG_MAX], openssl_why[ERR_MSG_MAX];
		bool lean = lean_takes(raw, lean_why), openssl = openssl_takes(raw, openssl_why);
		struct difference *d;

		if (lean == openssl) {
			taken += lean;
			refused += !lean;
		} else {
			d = lean ? explain(only_openssl_refuses, ARRAY_LEN(only_openssl_refuses), openssl_why) :
				   explain(only_lean_refuses, ARRAY_LEN(only_lean_refuses), lean_why);
			if (d == NULL)
				fail_msg("%s, mutation %zu: lean %s, OpenSSL %s", s->name, i, lean ? "takes" : lean_why,
				    openssl ? "takes" : openssl_why);
			d->seen++;
		}
		pool_free(one);
	}
	print_message("%zu taken and %zu refused by both\n", taken, refused);
	print_differences(only_lean_refuses, ARRAY_LEN(only_lean_refuses));
	print_differences(only_openssl_refuses, ARRAY_LEN(only_openssl_refuses));
	assert_true(taken > MUTATIONS / 20 && refused > MUTATIONS / 2);
	EVP_PKEY_free(ec);
	EVP_PKEY_free(p384);
	EVP_PKEY_free(rsa);
	pool_free(pool);
}

/* ---- TBSCertificate ---- */

#define MAX_TEST_EXTENSIONS 12

/* Names built twice: by OpenSSL from the parts, by x509_put_attribute from the same parts. */
static X509_NAME *
random_name(struct buf *lean)
{
	static const char *const oids[] = { "2.5.4.3", "2.5.4.11", "2.5.4.10", "0.9.2342.19200300.100.1.25", "2.5.4.7",
		"1.2.840.113549.1.9.1", "2.5.4.8", "2.5.4.12" };
	static const char *const values[] = { "host.example", "Sales & Service", "D\xc3\xa9p\xc3\xb4t", "a",
		"under_score", "x@y.example", "\xe6\x9d\xb1\xe4\xba\xac", "O'Brien (London): +44=?", "\xf0\x9f\x94\x91" };
	X509_NAME *name = X509_NAME_new();
	size_t n = roll(6), seq = der_open(lean, DER_SEQUENCE);

	for (size_t i = 0; i < n; i++) {
		const char *oid = oids[roll(ARRAY_LEN(oids))], *value = values[roll(ARRAY_LEN(values))];
		bool ia5 = strcmp(oid, "0.9.2342.19200300.100.1.25") == 0 || strcmp(oid, "1.2.840.113549.1.9.1") == 0;

		if (ia5 && (value[0] & 0x80) != 0)
			value = "ascii";
		if (ia5 && strchr(value, '\xc3') != NULL)
			value = "ascii.example";
		assert_int_equal(X509_NAME_add_entry_by_txt(name, oid, MBSTRING_UTF8, (const unsigned char *)value, -1,
		    -1, 0), 1);
		x509_put_attribute(lean, oid, value);
	}
	der_close(lean, seq);
	return name;
}

/* Seconds since 1970, from 1951 to 2400. */
static int64_t
random_time(void)
{
	return (int64_t)roll(14200000000) - 599000000;
}

static void
add_random_extensions(X509 *cert, struct x509_cert_plan *plan, struct pool *pool)
{
	static const char *const oids[] = { OID_KEY_USAGE, OID_SUBJECT_ALT_NAME, OID_CERTIFICATE_TEMPLATE,
		OID_NTDS_CA_SECURITY_EXT, OID_EXTENDED_KEY_USAGE, "1.2.3.4", "2.999.1.4294967296", OID_SMIME_CAPABILITIES };
	struct x509_extension *x = pool_calloc(pool, MAX_TEST_EXTENSIONS, sizeof(*x));

	plan->n_extensions = roll(MAX_TEST_EXTENSIONS + 1);
	plan->extensions = x;
	for (size_t i = 0; i < plan->n_extensions; i++) {
		const char *oid = oids[roll(ARRAY_LEN(oids))];
		struct buf value = new_buf();
		ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
		ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
		X509_EXTENSION *ext;

		random_bytes(&value, roll(10) == 0 ? roll(70000) : roll(300));
		x[i].oid = oid_bytes(pool, oid);
		x[i].critical = roll(2) == 0;
		x[i].value = take(pool, &value);
		ASN1_OCTET_STRING_set(octets, x[i].value.p, (int)x[i].value.len);
		ext = X509_EXTENSION_create_by_OBJ(NULL, object, x[i].critical, octets);
		assert_int_equal(X509_add_ext(cert, ext, -1), 1);
		X509_EXTENSION_free(ext);
		ASN1_OBJECT_free(object);
		ASN1_OCTET_STRING_free(octets);
	}
}

static void
set_random_serial(X509 *cert, struct x509_cert_plan *plan)
{
	BIGNUM *n;

	plan->serial_len = 1 + roll(X509_SERIAL_MAX);
	rng_bytes(&dice, plan->serial, plan->serial_len);
	plan->serial[0] &= 0x7f; /* may be zero: leading zeros are not encoded */
	plan->serial[plan->serial_len - 1] |= 1;
	if (plan->serial_len < X509_SERIAL_MAX && roll(3) == 0)
		plan->serial[0] |= 0x80; /* needs an octet for the sign */
	n = BN_bin2bn(plan->serial, (int)plan->serial_len, NULL);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
	BN_free(n);
}

static void
set_random_validity(X509 *cert, struct x509_cert_plan *plan)
{
	int64_t from = random_time(), until = random_time();

	if (until < from) {
		int64_t swap = from;

		from = until;
		until = swap;
	}
	plan->not_before = FILETIME_UNIX_EPOCH + from * FILETIME_SECOND + (filetime_t)roll(FILETIME_SECOND);
	plan->not_after = FILETIME_UNIX_EPOCH + (until + 1) * FILETIME_SECOND;
	ASN1_TIME_adj(X509_getm_notBefore(cert), (time_t)from, 0, 0);
	ASN1_TIME_adj(X509_getm_notAfter(cert), (time_t)(until + 1), 0, 0);
}

static void
one_plan(struct pool *pool, EVP_PKEY *const keys[], const struct bytes spkis[], size_t n_keys)
{
	const struct x509_signature_algorithm *alg = x509_signature_algorithm(EVP_PKEY_RSA, X509_HASH_SHA256);
	struct x509_cert_plan plan = { 0 };
	X509 *cert = X509_new();
	struct buf subject = new_buf(), issuer = new_buf(), tbs = new_buf();
	X509_NAME *subject_name = random_name(&subject), *issuer_name = random_name(&issuer);
	size_t k = roll(n_keys);
	unsigned char *der = NULL;
	struct err e = { 0 };
	int n;

	X509_set_version(cert, 2);
	set_random_serial(cert, &plan);
	set_random_validity(cert, &plan);
	X509_set_subject_name(cert, subject_name);
	X509_set_issuer_name(cert, issuer_name);
	X509_set_pubkey(cert, keys[k]);
	X509_ALGOR_set0((X509_ALGOR *)(uintptr_t)X509_get0_tbs_sigalg(cert), OBJ_nid2obj(NID_sha256WithRSAEncryption),
	    V_ASN1_NULL, NULL);
	add_random_extensions(cert, &plan, pool);
	plan.subject = take(pool, &subject);
	plan.issuer = take(pool, &issuer);
	plan.spki = spkis[k];

	if (x509_tbs_put(&tbs, &plan, alg->der, &e) != 0)
		fail_msg("%s", e.msg);
	n = i2d_re_X509_tbs(cert, &der);
	assert_int_equal(n, tbs.len);
	assert_memory_equal(der, tbs.p, tbs.len);
	OPENSSL_free(der);
	buf_fini(&tbs);
	X509_NAME_free(subject_name);
	X509_NAME_free(issuer_name);
	X509_free(cert);
}

static void
test_tbs(void **state)
{
	EVP_PKEY *keys[] = { new_key("P-256"), new_key("P-521"), new_key("RSA-1024"), new_key("ED25519") };
	struct bytes spkis[ARRAY_LEN(keys)];
	struct pool *pool = pool_new(1 << 20);

	(void)state;
	/* PrintableString where it fits, else UTF8String: the mask of B_ASN1_PRINTABLESTRING and B_ASN1_UTF8STRING. */
	assert_int_equal(ASN1_STRING_set_default_mask_asc("MASK:0x2002"), 1);
	rng_stream_init(&dice, &(struct rng){ true, 3 }, "plans", 0);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		spkis[i] = spki_of(pool, keys[i]);
	for (size_t i = 0; i < PLANS; i++) {
		struct pool *one = pool_new(4 << 20);

		one_plan(one, keys, spkis, ARRAY_LEN(keys));
		pool_free(one);
	}
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		EVP_PKEY_free(keys[i]);
	pool_free(pool);
}

static struct x509_lib seeded;

/* Keys and signatures come from a seed too: a difference that shows, shows in every run. */
static int
set_up(void **state)
{
	static struct rng_stream stream;

	(void)state;
	assert_int_equal(x509_seeded_lib_get(&seeded, NULL), 0);
	test_lib = seeded.ctx;
	rng_stream_init(&stream, &(struct rng){ true, 1 }, "keys", 0);
	x509_seeded_stream_set(&stream);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	x509_seeded_stream_set(NULL);
	return 0;
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mutated_requests),
		cmocka_unit_test(test_tbs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
