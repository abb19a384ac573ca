/* The PKCS #10 reader: genuine requests, what clients wrap them in, and everything that must be refused. */
#include "support.h"

#include "x509/cert.h"

#define OID_EXTENSION_REQUEST "1.2.840.113549.1.9.14"
#define OID_CERT_EXTENSIONS "1.3.6.1.4.1.311.2.1.14"
#define OID_OS_VERSION "1.3.6.1.4.1.311.13.2.3"
#define OID_CSP "1.3.6.1.4.1.311.13.2.2"
#define OID_NAME_VALUE "1.3.6.1.4.1.311.13.2.1"
#define OID_ARCHIVED_KEY "1.3.6.1.4.1.311.21.13"

static EVP_PKEY *ec;

static int
set_up(void **state)
{
	(void)state;
	ec = new_key("P-256");
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	EVP_PKEY_free(ec);
	return 0;
}

/* ---- a genuine one ---- */

static void
test_windows_request(void **state)
{
	static const char *const order[] = { OID_ENROLL_CERTTYPE, OID_EXTENDED_KEY_USAGE, OID_KEY_USAGE,
		OID_SMIME_CAPABILITIES, OID_SUBJECT_KEY_IDENTIFIER };
	struct pool *pool = pool_new(1 << 20);
	struct bytes raw = read_fixture(pool, WINDOWS_REQUEST);
	struct x509_request r;
	char text[OID_TEXT_MAX];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(x509_request_format(raw), X509_FORMAT_PKCS10);
	assert_int_equal(x509_request_parse(&r, pool, raw, &e), 0);
	assert_string_equal(r.template_name, "User");
	assert_null(r.template_oid);
	assert_false(r.has_template_version);
	assert_string_equal(r.os_version, "6.1.7053.2");
	assert_int_equal(r.n_rdns, 0);
	assert_int_equal(r.subject.len, 2);
	assert_int_equal(r.key.type, X509_KEY_RSA);
	assert_int_equal(r.key.bits, 2048);
	assert_int_equal(r.n_extensions, ARRAY_LEN(order));
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		assert_true(oid_to_text(r.extensions[i].oid, text));
		assert_string_equal(text, order[i]);
		assert_int_equal(r.extensions[i].critical, strcmp(text, OID_KEY_USAGE) == 0);
	}
	assert_ptr_equal(x509_request_extension(&r, OID_KEY_USAGE), &r.extensions[2]);
	assert_null(x509_request_extension(&r, OID_SUBJECT_ALT_NAME));
	assert_null(x509_request_extension(&r, "no oid"));
	assert_int_equal(x509_request_verify(&r, &e), 0);
	pool_free(pool);
}

/* The key id that the client asked for is the one we would compute. */
static void
test_windows_key_id(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct bytes raw = read_fixture(pool, WINDOWS_REQUEST);
	const struct x509_extension *ski;
	struct x509_request r;
	uint8_t id[20];

	(void)state;
	assert_int_equal(x509_request_parse(&r, pool, raw, NULL), 0);
	ski = x509_request_extension(&r, OID_SUBJECT_KEY_IDENTIFIER);
	x509_key_id(&r.key, id);
	assert_int_equal(ski->value.len, 22);
	assert_memory_equal(ski->value.p + 2, id, 20);
	pool_free(pool);
}

/* Every prefix is refused as ending early or as out of place, and nothing reads past it (run under ASan). */
static void
test_truncated(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct bytes raw = read_fixture(pool, WINDOWS_REQUEST);

	(void)state;
	for (size_t n = 0; n < raw.len; n++) {
		struct pool *one = pool_new(1 << 20);
		uint8_t *copy = malloc(n > 0 ? n : 1);
		struct x509_request r;
		struct err e = { 0 };
		struct bytes cut = { copy, n }, der;

		memcpy(copy, raw.p, n);
		if (x509_request_unwrap(cut, one, &der, &e) == 0)
			assert_int_equal(x509_request_parse(&r, one, der, &e), -1);
		if (e.hr != CRYPT_E_ASN1_EOD)
			fail_msg("%zu octets: 0x%08x %s", n, e.hr, e.msg);
		(void)x509_request_format(cut);
		free(copy);
		pool_free(one);
	}
	pool_free(pool);
}

/* ---- wrapping ---- */

static void
test_unwrap(void **state)
{
	static const struct {
		const char *name, *before, *after;
		unsigned wrap; /* line length of the base64 */
		uint32_t hr;
	} cases[] = {
		{ "bare base64, one line", "", "", 0, 0 },
		{ "bare base64, lines", "", "", 64, 0 },
		{ "blanks around", " \r\n\t", "\r\n\r\n", 76, 0 },
		{ "trailing NUL", "", "\n", 64, 0 },
		{ "PEM", "-----BEGIN CERTIFICATE REQUEST-----\n", "\n-----END CERTIFICATE REQUEST-----\n", 64, 0 },
		{ "certreq's PEM", "-----BEGIN NEW CERTIFICATE REQUEST-----\r\n",
		    "\r\n-----END NEW CERTIFICATE REQUEST-----\r\n", 64, 0 },
		{ "any header", "-----BEGIN PKCS7-----\n", "\n-----END PKCS7-----", 64, 0 },
		{ "PEM in one line", "-----BEGIN CERTIFICATE REQUEST-----", "-----END CERTIFICATE REQUEST-----", 0, 0 },
		{ "PEM in one line, blanks", "-----BEGIN CERTIFICATE REQUEST----- ",
		    " -----END CERTIFICATE REQUEST-----", 0, 0 },
		{ "byte order mark", "\xef\xbb\xbf-----BEGIN CERTIFICATE REQUEST-----\n",
		    "\n-----END CERTIFICATE REQUEST-----\n", 64, 0 },
		{ "openssl req -text", "Certificate Request:\n    Data:\n-----BEGIN CERTIFICATE REQUEST-----\n",
		    "\n-----END CERTIFICATE REQUEST-----\n", 64, 0 },
		{ "no END", "-----BEGIN CERTIFICATE REQUEST-----\n", "\n", 64, CRYPT_E_ASN1_EOD },
		{ "header cut", "-----BEGIN CERTIFICATE REQUEST\n", "", 64, CRYPT_E_ASN1_EOD },
		{ "foreign characters", "MII%", "", 64, CRYPT_E_ASN1_BADTAG },
		{ "text before base64", "request: ", "", 64, CRYPT_E_ASN1_BADTAG },
	};
	struct pool *pool = pool_new(4 << 20);
	struct bytes raw = read_fixture(pool, WINDOWS_REQUEST);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf text = new_buf();
		struct err e = { 0 };
		struct bytes der;
		int ret;

		buf_put_str(&text, cases[i].before);
		text_put_base64(&text, raw, cases[i].wrap);
		buf_put_str(&text, cases[i].after);
		if (strcmp(cases[i].name, "trailing NUL") == 0)
			buf_put_u8(&text, 0);
		ret = x509_request_unwrap(take(pool, &text), pool, &der, &e);
		if (ret != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d 0x%08x %s", cases[i].name, ret, e.hr, e.msg);
		if (ret == 0)
			assert_true(bytes_equal(der, raw));
	}
	pool_free(pool);
}

static void
test_unwrap_limits(void **state)
{
	struct pool *pool = pool_new(8 << 20);
	struct buf text;
	struct bytes der;
	struct err e = { 0 };

	(void)state;
	buf_init(&text, 4 << 20);
	for (size_t i = 0; i < (2 << 20); i++)
		buf_put_u8(&text, 'M');
	assert_int_equal(x509_request_unwrap(buf_bytes(&text), pool, &der, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	text.len = 2 * X509_REQUEST_MAX; /* decodes to one and a half times the maximum */
	assert_int_equal(x509_request_unwrap(buf_bytes(&text), pool, &der, &e), -1);
	assert_int_equal(e.hr, E_OUTOFMEMORY);
	text.len = X509_REQUEST_MAX + 1;
	text.p[0] = 0x30;
	{
		struct x509_request r;

		assert_int_equal(x509_request_parse(&r, pool, buf_bytes(&text), &e), -1);
		assert_int_equal(e.hr, E_INVALIDARG);
	}
	buf_fini(&text);
	pool_free(pool);
}

static void
test_format(void **state)
{
	static const struct {
		const char *name;
		const char *hex;
		enum x509_format want;
	} cases[] = {
		{ "PKCS #10", "3082040c308202f4020100", X509_FORMAT_PKCS10 },
		{ "PKCS #10, short lengths", "300630030201", X509_FORMAT_PKCS10 },
		{ "CMS", "3082061006092a864886f70d010702a0", X509_FORMAT_CMS },
		{ "CMS in BER", "308006092a864886f70d010702a080", X509_FORMAT_CMS },
		{ "KEYGEN", "308201513081bb30819f300d0609", X509_FORMAT_KEYGEN },
		{ "certificate", "308203003082020ca0030201", X509_FORMAT_UNKNOWN },
		{ "other content type", "301006092a864886f70d010701a0", X509_FORMAT_UNKNOWN },
		{ "nothing", "", X509_FORMAT_UNKNOWN },
		{ "one octet", "30", X509_FORMAT_UNKNOWN },
		{ "cut inside the length", "3084ff", X509_FORMAT_UNKNOWN },
		{ "cut behind the second header", "3082040c308202f4", X509_FORMAT_UNKNOWN },
		{ "text", "68656c6c6f", X509_FORMAT_UNKNOWN },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf b = new_buf();

		assert_int_equal(text_parse_hex(&b, cases[i].hex, NULL), 0);
		if (x509_request_format(buf_bytes(&b)) != cases[i].want)
			fail_msg("%s", cases[i].name);
		buf_fini(&b);
	}
}

/* ---- attributes ---- */

struct attribute {
	const char *oid;
	const char *values; /* hex, content of the SET */
};

static struct bytes
request_with(struct pool *pool, const struct attribute *attributes, size_t n)
{
	struct buf b = new_buf(), value = new_buf();

	for (size_t i = 0; i < n && attributes[i].oid != NULL; i++) {
		buf_reset(&value);
		assert_int_equal(text_parse_hex(&value, attributes[i].values, NULL), 0);
		put_attr(&b, attributes[i].oid, buf_bytes(&value));
	}
	buf_fini(&value);
	return craft_request(pool, ec, &(struct craft){ .attributes = take(pool, &b) });
}

/* Extensions, in hex. */
#define KU "300b0603551d0f040403020780"
#define SKI "30090603551d0e04020400"
#define EXTS(list, len) "30" len list

static void
test_attributes(void **state)
{
	static const struct {
		const char *name;
		struct attribute a[3];
		uint32_t hr;
		size_t extensions, pairs;
	} cases[] = {
		{ "none", { { NULL, NULL } }, 0, 0, 0 },
		{ "extensionRequest", { { OID_EXTENSION_REQUEST, EXTS(KU, "0d") } }, 0, 1, 0 },
		{ "Microsoft's extension attribute", { { OID_CERT_EXTENSIONS, EXTS(KU, "0d") } }, 0, 1, 0 },
		{ "one attribute per extension, as Certipy",
		    { { OID_EXTENSION_REQUEST, EXTS(KU, "0d") }, { OID_EXTENSION_REQUEST, EXTS(SKI, "0b") } }, 0, 2, 0 },
		{ "empty list of extensions", { { OID_EXTENSION_REQUEST, "3000" } }, 0, 0, 0 },
		{ "explicit critical FALSE", { { OID_EXTENSION_REQUEST, "3010300e0603551d0f010100040403020780" } }, 0, 1, 0 },
		{ "pair", { { OID_NAME_VALUE, "30081e0200611e020062" } }, 0, 0, 1 },
		{ "two pairs in the SET", { { OID_NAME_VALUE, "30081e0200611e02006230081e0200631e020064" } }, 0, 0, 2 },
		{ "SEQUENCE OF pairs", { { OID_NAME_VALUE, "301430081e0200611e02006230081e0200631e020064" } }, 0, 0, 2 },
		{ "no pairs", { { OID_NAME_VALUE, "3000" } }, 0, 0, 0 },
		{ "unknown attribute, several values", { { "1.2.3.4", "020101020102" } }, 0, 0, 0 },
		{ "archived key", { { OID_ARCHIVED_KEY, "3000" } }, 0, 0, 0 },

		{ "extension twice", { { OID_EXTENSION_REQUEST, EXTS(KU KU, "1a") } }, E_INVALID_DATA, 0, 0 },
		{ "extension twice, apart", { { OID_EXTENSION_REQUEST, EXTS(KU, "0d") },
		    { OID_CERT_EXTENSIONS, EXTS(KU, "0d") } }, E_INVALID_DATA, 0, 0 },
		{ "two values of extensionRequest", { { OID_EXTENSION_REQUEST, "30003000" } }, E_INVALID_DATA, 0, 0 },
		{ "no value of extensionRequest", { { OID_EXTENSION_REQUEST, "" } }, E_INVALID_DATA, 0, 0 },
		{ "critical is neither", { { OID_EXTENSION_REQUEST, "3010300e0603551d0f010101040403020780" } },
		    CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "extension without a value", { { OID_EXTENSION_REQUEST, "300730050603551d0f" } }, CRYPT_E_ASN1_EOD, 0, 0 },
		{ "extension with more", { { OID_EXTENSION_REQUEST, "300f300d0603551d0f0404030207800500" } },
		    CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "two OS versions", { { OID_OS_VERSION, "160131160132" } }, E_INVALID_DATA, 0, 0 },
		{ "OS version twice", { { OID_OS_VERSION, "160131" }, { OID_OS_VERSION, "160132" } }, E_INVALID_DATA, 0, 0 },
		{ "OS version is a number", { { OID_OS_VERSION, "020106" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "two CSPs", { { OID_CSP, "300b0201011e0200430302000030" "0b0201011e02004303020000" } },
		    E_INVALID_DATA, 0, 0 },
		{ "CSP without its name", { { OID_CSP, "300603020000020101" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "half a pair", { { OID_NAME_VALUE, "30041e020061" } }, CRYPT_E_ASN1_EOD, 0, 0 },
		{ "pair of numbers", { { OID_NAME_VALUE, "3006020101020101" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "pair with half a character", { { OID_NAME_VALUE, "30071e0100" "1e020062" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "pair with a lone surrogate", { { OID_NAME_VALUE, "30081e02d8001e020062" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "pair with NUL", { { OID_NAME_VALUE, "300a1e0400000061" "1e020062" } }, CRYPT_E_ASN1_BADTAG, 0, 0 },
		{ "pair that ends in NULs", { { OID_NAME_VALUE, "300c1e0400610000" "1e0400620000" } }, 0, 0, 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct x509_request r;
		struct err e = { 0 };
		int ret = x509_request_parse(&r, pool, request_with(pool, cases[i].a, 3), &e);

		if (ret != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d 0x%08x %s", cases[i].name, ret, e.hr, e.msg);
		if (ret == 0) {
			assert_int_equal(r.n_extensions, cases[i].extensions);
			assert_int_equal(r.n_name_values, cases[i].pairs);
			assert_int_equal(r.has_archived_key, strcmp(cases[i].name, "archived key") == 0);
			assert_int_equal(x509_request_verify(&r, &e), 0);
		}
		pool_free(pool);
	}
}

static void
test_pair_text(void **state)
{
	static const struct attribute a = { OID_NAME_VALUE, "30101e0600e400620063 1e06d83ddd110041" };
	struct pool *pool = pool_new(1 << 20);
	struct x509_request r;

	(void)state;
	assert_int_equal(x509_request_parse(&r, pool, request_with(pool, &a, 1), NULL), 0);
	assert_string_equal(r.name_values[0].name, "\xc3\xa4" "bc");
	assert_string_equal(r.name_values[0].value, "\xf0\x9f\x94\x91" "A");
	pool_free(pool);
}

static void
test_template(void **state)
{
	static const struct {
		const char *name, *exts; /* content of Extensions */
		const char *want_name, *want_oid;
		bool versioned;
		uint32_t major, minor, hr;
	} cases[] = {
		{ "bare BMPString", "301106092b060104018237140204041e020041", "A", NULL, false, 0, 0, 0 },
		{ "SEQUENCE of the specification", "301206092b0601040182371402040530030c0141", "A", NULL, false, 0, 0, 0 },
		{ "OID alone", "301206092b060104018237150704053003060129", NULL, "1.1", false, 0, 0, 0 },
		{ "major", "301506092b0601040182371507040830060601290201" "64", NULL, "1.1", true, 100, 0, 0 },
		{ "major and minor", "301806092b0601040182371507040b3009060129020164020103", NULL, "1.1", true, 100, 3, 0 },
		{ "the largest version", "301906092b0601040182371507040c300a0601290205" "00ffffffff", NULL, "1.1", true,
		    UINT32_MAX, 0, 0 },
		{ "version too large", "301906092b0601040182371507040c300a060129020501ffffffff", NULL, NULL, false, 0, 0,
		    CRYPT_E_ASN1_BADTAG },
		{ "negative version", "301506092b0601040182371507040830060601290201" "ff", NULL, NULL, false, 0, 0,
		    CRYPT_E_ASN1_BADTAG },
		{ "three versions", "301b06092b0601040182371507040e300c060129020164020103020101", NULL, NULL, false, 0, 0,
		    CRYPT_E_ASN1_BADTAG },
		{ "no OID", "300f06092b060104018237150704023000", NULL, NULL, false, 0, 0, CRYPT_E_ASN1_EOD },
		{ "name is a number", "301006092b06010401823714020403020101", NULL, NULL, false, 0, 0,
		    CRYPT_E_ASN1_BADTAG },
		{ "name with NUL", "301106092b060104018237140204041e020000", NULL, NULL, false, 0, 0, CRYPT_E_ASN1_BADTAG },
		{ "empty value", "300d06092b06010401823714020400", NULL, NULL, false, 0, 0, CRYPT_E_ASN1_EOD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf value = new_buf(), attributes = new_buf(), list = new_buf();
		struct x509_request r;
		struct err e = { 0 };
		int ret;

		assert_int_equal(text_parse_hex(&value, cases[i].exts, NULL), 0);
		der_put(&list, DER_SEQUENCE, buf_bytes(&value));
		put_attr(&attributes, OID_EXTENSION_REQUEST, buf_bytes(&list));
		ret = x509_request_parse(&r, pool,
		    craft_request(pool, ec, &(struct craft){ .attributes = take(pool, &attributes) }), &e);
		if (ret != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d 0x%08x %s", cases[i].name, ret, e.hr, e.msg);
		if (ret == 0) {
			assert_true((r.template_name != NULL) == (cases[i].want_name != NULL));
			if (r.template_name != NULL)
				assert_string_equal(r.template_name, cases[i].want_name);
			assert_true((r.template_oid != NULL) == (cases[i].want_oid != NULL));
			if (r.template_oid != NULL)
				assert_string_equal(r.template_oid, cases[i].want_oid);
			assert_int_equal(r.has_template_version, cases[i].versioned);
			assert_int_equal(r.template_major, cases[i].major);
			assert_int_equal(r.template_minor, cases[i].minor);
		}
		buf_fini(&value);
		buf_fini(&list);
		pool_free(pool);
	}
}

/* ---- subjects ---- */

static void
test_subject(void **state)
{
	static const struct {
		const char *name, *rdns; /* hex, content of the Name */
		uint32_t hr;
		size_t n;
	} cases[] = {
		{ "empty", "", 0, 0 },
		{ "CN", "310c300a06035504030c03616263", 0, 1 },
		{ "two sets", "310c300a06035504030c03616263310c300a060355040b0c03616263", 0, 2 },
		{ "two in a set", "3118300a06035504030c03616263300a060355040b0c03616263", 0, 2 },
		{ "every string type",
		    "310a30080603550403120131310a30080603550403130131"
		    "310a30080603550403140131310a30080603550403160131"
		    "310a300806035504031a0131310b300906035504031e020031"
		    "310d300b06035504031c0400000031", 0, 7 },
		{ "NUL in the middle", "310c300a06035504030c03610062", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "NUL in a BMPString", "310d300b06035504031e0400410000", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "overlong UTF-8", "310b300906035504030c02c080", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "cut UTF-8", "310b300906035504030c0261c3", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "surrogate in UTF-8", "310c300a06035504030c03eda080", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "beyond Unicode", "310d300b06035504030c04f4908080", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "odd BMPString", "310c300a06035504031e03004100", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "a number", "310a30080603550403020101", CERTSRV_E_BAD_REQUESTSUBJECT, 0 },
		{ "empty set", "3100", CRYPT_E_ASN1_BADTAG, 0 },
		{ "value missing", "310730050603550403", CRYPT_E_ASN1_EOD, 0 },
		{ "SEQUENCE for SET", "300c300a06035504030c03616263", CRYPT_E_ASN1_BADTAG, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf rdns = new_buf(), name = new_buf();
		struct x509_request r;
		struct err e = { 0 };
		int ret;

		assert_int_equal(text_parse_hex(&rdns, cases[i].rdns, NULL), 0);
		der_put(&name, DER_SEQUENCE, buf_bytes(&rdns));
		ret = x509_request_parse(&r, pool, craft_request(pool, ec, &(struct craft){ .subject = take(pool, &name) }),
		    &e);
		if (ret != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d 0x%08x %s", cases[i].name, ret, e.hr, e.msg);
		if (ret == 0) {
			assert_int_equal(r.n_rdns, cases[i].n);
			if (r.n_rdns == 2)
				assert_int_equal(r.rdns[1].set, strcmp(cases[i].name, "two sets") == 0 ? 1 : 0);
		}
		buf_fini(&rdns);
		pool_free(pool);
	}
}

static struct bytes
request_with_counts(struct pool *pool, size_t rdns, size_t extensions, size_t pairs, size_t san_len)
{
	struct buf name = new_buf(), attributes = new_buf(), list = new_buf(), values = new_buf();
	size_t seq = der_open(&name, DER_SEQUENCE);
	char oid[32];

	for (size_t i = 0; i < rdns; i++)
		x509_put_attribute(&name, "2.5.4.11", "x");
	der_close(&name, seq);
	seq = der_open(&list, DER_SEQUENCE);
	for (size_t i = 0; i < extensions; i++) {
		snprintf(oid, sizeof(oid), "1.2.3.%zu", i);
		put_ext(&list, oid, str_bytes("x"));
	}
	if (san_len > 0) {
		uint8_t *fill = pool_alloc(pool, san_len);

		memset(fill, 'a', san_len);
		put_ext(&list, OID_SUBJECT_ALT_NAME, (struct bytes){ fill, san_len });
	}
	der_close(&list, seq);
	put_attr(&attributes, OID_EXTENSION_REQUEST, buf_bytes(&list));
	for (size_t i = 0; i < pairs; i++)
		buf_put(&values, "\x30\x08\x1e\x02\x00\x61\x1e\x02\x00\x62", 10);
	put_attr(&attributes, OID_NAME_VALUE, buf_bytes(&values));
	buf_fini(&list);
	buf_fini(&values);
	return craft_request(pool, ec,
	    &(struct craft){ .subject = take(pool, &name), .attributes = take(pool, &attributes) });
}

static void
test_counts(void **state)
{
	static const struct {
		const char *name;
		size_t rdns, extensions, pairs, san_len;
		uint32_t hr;
	} cases[] = {
		{ "all the room", X509_MAX_RDNS, X509_MAX_EXTENSIONS, 256, 0, 0 },
		{ "SAN of 64 KiB", 1, 1, 0, 65536, 0 },
		{ "one attribute too many in the name", X509_MAX_RDNS + 1, 0, 0, 0, CERTSRV_E_BAD_REQUESTSUBJECT },
		{ "one extension too many", 0, X509_MAX_EXTENSIONS + 1, 0, 0, E_INVALID_DATA },
		{ "one pair too many", 0, 0, 257, 0, E_INVALID_DATA },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(4 << 20);
		struct x509_request r;
		struct err e = { 0 };
		int ret = x509_request_parse(&r, pool,
		    request_with_counts(pool, cases[i].rdns, cases[i].extensions, cases[i].pairs, cases[i].san_len), &e);

		if (ret != (cases[i].hr == 0 ? 0 : -1) || e.hr != cases[i].hr)
			fail_msg("%s: %d 0x%08x %s", cases[i].name, ret, e.hr, e.msg);
		if (cases[i].san_len > 0)
			assert_int_equal(x509_request_extension(&r, OID_SUBJECT_ALT_NAME)->value.len, cases[i].san_len);
		pool_free(pool);
	}
}

static void
test_memory_runs_out(void **state)
{
	struct pool *build = pool_new(4 << 20);
	struct bytes raw = read_fixture(build, WINDOWS_REQUEST);
	bool done = false;

	(void)state;
	for (size_t max = 0; !done; max += 16) {
		struct pool *pool = pool_new(max);
		struct x509_request r;
		struct err e = { 0 };

		done = x509_request_parse(&r, pool, raw, &e) == 0;
		if (!done)
			assert_int_equal(e.hr, E_OUTOFMEMORY);
		pool_free(pool);
	}
	pool_free(build);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_windows_request),
		cmocka_unit_test(test_windows_key_id),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_unwrap),
		cmocka_unit_test(test_unwrap_limits),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_attributes),
		cmocka_unit_test(test_pair_text),
		cmocka_unit_test(test_template),
		cmocka_unit_test(test_subject),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
