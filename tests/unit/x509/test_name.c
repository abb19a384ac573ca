/* Distinguished names and general names: text to DER, DER to text, and what is refused. */
#include "support.h"

static char *
hex_of(struct pool *pool, struct bytes b)
{
	struct buf out = new_buf();
	char *text;

	text_put_hex(&out, b);
	text = pool_strdup(pool, buf_cstr(&out));
	buf_fini(&out);
	return text;
}

static void
test_from_dn(void **state)
{
	static const struct {
		const char *dn, *text; /* text: NULL when it is the same as dn */
		const char *hex;       /* NULL: only the text is compared */
	} cases[] = {
		{ "", NULL, "3000" },
		{ "CN=a", NULL, "300c310a300806035504031301" "61" },
		{ "CN=Jane Doe, OU=Sales, DC=corp, DC=contoso, DC=com", NULL,
		    "3067"
		    "31133011060a0992268993f22c6401191603636f6d"
		    "31173015060a0992268993f22c6401191607636f6e746f736f"
		    "31143012060a0992268993f22c6401191604636f7270"
		    "310e300c060355040b130553616c6573"
		    "3111300f060355040313084a616e6520446f65" },
		{ "CN=Jane Doe,OU=Sales,DC=corp", "CN=Jane Doe, OU=Sales, DC=corp", NULL },
		{ "cn = a ; o = b", "CN=a, O=b", NULL },
		{ "E=a@b", NULL, "30143112301006092a864886f70d010901" "1603614062" },
		{ "CN=under_score", NULL, "3016311430120603550403" "0c0b756e6465725f73636f7265" },
		{ "CN=D\xc3\xa9j\xc3\xa0", NULL, "301131" "0f300d0603550403" "0c0644c3a96ac3a0" },
		{ "CN=\\44\\C3\\a9", "CN=D\xc3\xa9", NULL },
		{ "CN=a\\, b", NULL, NULL },
		{ "CN=a\\+b\\\"c\\\\d\\<e\\>f\\;g", NULL, NULL },
		{ "CN=\\ a \\ ", "CN=\\ a \\ ", NULL },
		{ "CN=\\#a", NULL, NULL },
		{ "CN=a#b=c", NULL, NULL },
		{ "CN=\"a, b\"", "CN=a\\, b", NULL },
		{ "CN=\"a \\\" b\"", "CN=a \\\" b", NULL },
		{ "CN=\\01x", NULL, NULL },
		{ "CN=#0c0161", "CN=a", "300c310a300806035504030c0161" },
		{ "CN=#0203010203", NULL, "300e310c300a06035504030203010203" },
		{ "OID.1.2.3=x", NULL, "300b310930070602" "2a03130178" },
		{ "1.2.3=x", "OID.1.2.3=x", NULL },
		{ "2.5.4.3=x", "CN=x", NULL },
		{ "ST=x,emailAddress=y,GN=z", "S=x, E=y, G=z", NULL },
		{ "OU=b+CN=a", "CN=a + OU=b", "30163114300806035504031301613008060355040b130162" },
		{ "CN=a+OU=b,C=DE", "CN=a + OU=b, C=DE", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct pool *pool = pool_new(1 << 20);
		struct buf der = new_buf(), text = new_buf();
		struct err e = { 0 };
		const char *hex;

		(void)state;
		if (x509_name_from_dn(&der, cases[i].dn, &e) != 0)
			fail_msg("%s: %s", cases[i].dn, e.msg);
		hex = hex_of(pool, buf_bytes(&der));
		if (cases[i].hex != NULL)
			assert_string_equal(hex, cases[i].hex);
		assert_int_equal(x509_name_to_text(&text, buf_bytes(&der), &e), 0);
		assert_string_equal(buf_cstr(&text), cases[i].text != NULL ? cases[i].text : cases[i].dn);

		/* and back again; a string given in octets comes back in the type it deserves */
		if (strstr(cases[i].dn, "=#0c") == NULL) {
			buf_reset(&der);
			assert_int_equal(x509_name_from_dn(&der, buf_cstr(&text), &e), 0);
			assert_string_equal(hex_of(pool, buf_bytes(&der)), hex);
		}
		buf_fini(&der);
		buf_fini(&text);
		pool_free(pool);
	}
}

static void
test_bad_dn(void **state)
{
	static const char *const cases[] = { "CN", "CN=", "=a", "CN=a,", "CN=a,,OU=b", "XY=a", "CN=a\\", "CN=a\\x",
		"CN=a\\4", "CN=\"a", "CN=\"a\"b", "CN=a\"b", "CN=a<b", "CN=#", "CN=#0", "CN=#0c", "CN=#0c0161ff", "CN=\\ff",
		"CN=\\00", "CN=\\c3", "3.1=a", "1.2..3=a", "1.=a", "OID.=a", "CN=a+", "CN=a+OU", "CN=a OU=b\\", ",CN=a" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf der = new_buf();
		struct err e = { 0 };

		if (x509_name_from_dn(&der, cases[i], &e) == 0)
			fail_msg("\"%s\" was taken", cases[i]);
		assert_int_equal(e.hr, E_INVALIDARG);
		buf_fini(&der);
	}
}

static void
test_dn_limits(void **state)
{
	char text[800], *long_text = malloc(40000);
	struct buf der = new_buf();

	(void)state;
	for (size_t n = 64; n <= 65; n++) {
		text[0] = 0;
		for (size_t i = 0; i < n; i++)
			strcat(text, i == 0 ? "CN=a" : ",CN=a");
		assert_int_equal(x509_name_from_dn(&der, text, NULL), n == 64 ? 0 : -1);
	}
	for (size_t n = 16; n <= 17; n++) {
		text[0] = 0;
		for (size_t i = 0; i < n; i++)
			strcat(text, i == 0 ? "CN=a" : "+CN=a");
		assert_int_equal(x509_name_from_dn(&der, text, NULL), n == 16 ? 0 : -1);
	}
	text[0] = 0;
	for (size_t i = 0; i < 33; i++) /* 33 relative names, 66 attributes */
		strcat(text, i == 0 ? "CN=a+OU=b" : ",CN=a+OU=b");
	assert_int_equal(x509_name_from_dn(&der, text, NULL), -1);
	memset(long_text, 'a', 39999);
	long_text[39999] = 0;
	memcpy(long_text, "CN=", 3);
	assert_int_equal(x509_name_from_dn(&der, long_text, NULL), -1);
	long_text[20000] = ',';
	memcpy(long_text + 20001, "CN=", 3);
	assert_int_equal(x509_name_from_dn(&der, long_text, NULL), -1);
	free(long_text);
	buf_fini(&der);
}

static void
test_to_text(void **state)
{
	static const struct {
		const char *name, *rdns, *want;
	} cases[] = {
		{ "NUL", "310c300a06035504030c03610062", "CN=a\\00b" },
		{ "newline", "310c300a06035504030c03610a62", "CN=a\\0ab" },
		{ "C1 control", "310b300906035504030c02c285", "CN=\\c2\\85" },
		{ "Latin-1 in T61", "310a3008060355040314" "01e9", "CN=\xc3\xa9" },
		{ "UTF-16 in a BMPString", "310d300b06035504031e04d83ddd11", "CN=\xf0\x9f\x94\x91" },
		{ "malformed UTF-8", "310a300806035504030c01ff", "CN=#0c01ff" },
		{ "a number", "310a30080603550403020105", "CN=#020105" },
		{ "leaf first", "310a30080603550403130161310a3008060355040b130162", "OU=b, CN=a" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf rdns = new_buf(), name = new_buf(), text = new_buf();

		assert_int_equal(text_parse_hex(&rdns, cases[i].rdns, NULL), 0);
		der_put(&name, DER_SEQUENCE, buf_bytes(&rdns));
		assert_int_equal(x509_name_to_text(&text, buf_bytes(&name), NULL), 0);
		if (strcmp(buf_cstr(&text), cases[i].want) != 0)
			fail_msg("%s: %s", cases[i].name, buf_cstr(&text));
		for (size_t cut = 0; cut < name.len; cut++)
			assert_int_equal(x509_name_to_text(&text, (struct bytes){ name.p, cut }, NULL), -1);
		buf_fini(&rdns);
		buf_fini(&name);
		buf_fini(&text);
	}
}

static void
test_attribute_table(void **state)
{
	static const struct {
		const char *oid, *label;
		unsigned bound;
	} cases[] = {
		{ "2.5.4.3", "CN", 64 },
		{ "2.5.4.6", "C", 2 },
		{ "2.5.4.7", "L", 128 },
		{ "2.5.4.10", "O", 64 },
		{ "2.5.4.11", "OU", 64 },
		{ "0.9.2342.19200300.100.1.25", "DC", 0 },
		{ "1.2.840.113549.1.9.1", "E", 255 },
		{ "1.2.3", NULL, 0 },
	};
	struct pool *pool = pool_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes oid = oid_bytes(pool, cases[i].oid);
		const char *label = x509_attribute_label(oid);

		assert_true((label == NULL) == (cases[i].label == NULL));
		if (label != NULL)
			assert_string_equal(label, cases[i].label);
		assert_int_equal(x509_attribute_upper_bound(oid), cases[i].bound);
	}
	pool_free(pool);
}

static void
test_rdn_text(void **state)
{
	struct pool *pool = pool_new(1 << 20);
	struct err e = { 0 };

	(void)state;
	assert_string_equal(x509_rdn_text(pool, DER_PRINTABLE_STRING, str_bytes("abc"), &e), "abc");
	assert_string_equal(x509_rdn_text(pool, DER_BMP_STRING, (struct bytes){ (const uint8_t *)"\0a\0b", 4 }, &e), "ab");
	assert_string_equal(x509_rdn_text(pool, DER_T61_STRING, str_bytes("\xe9"), &e), "\xc3\xa9");
	assert_string_equal(x509_rdn_text(pool, DER_UTF8_STRING, str_bytes(""), &e), "");
	assert_null(x509_rdn_text(pool, DER_UTF8_STRING, str_bytes("\xe9"), &e));
	assert_int_equal(e.hr, CERTSRV_E_BAD_REQUESTSUBJECT);
	assert_null(x509_rdn_text(pool, DER_IA5_STRING, (struct bytes){ (const uint8_t *)"a\0b", 3 }, &e));
	assert_null(x509_rdn_text(pool, DER_OCTET_STRING, str_bytes("abc"), &e));
	pool_free(pool);
}

/* ---- general names ---- */

static void
test_san_put(void **state)
{
	static const uint8_t guid[16] = { 0x68, 0xc9, 0x10, 0x0e, 0xfb, 0x78, 0xd2, 0x11, 0x90, 0xd4, 0, 0xc0, 0x4f, 0x79,
		0xdc, 0x55 };
	struct pool *pool = pool_new(1 << 20);
	struct buf san = new_buf(), text = new_buf();
	size_t seq = der_open(&san, DER_SEQUENCE);

	(void)state;
	x509_san_put_upn(&san, "u@x");
	x509_san_put_email(&san, "a@b");
	x509_san_put_dns(&san, "h");
	x509_san_put_guid(&san, guid);
	der_close(&san, seq);
	/* issuance.md 3.2: A0 len 06 0A 2B 06 01 04 01 82 37 14 02 03 A0 len 0C len */
	assert_string_equal(hex_of(pool, buf_bytes(&san)),
	    "303ea013060a2b060104018237140203a0050c0375407881036140628201" "68"
	    "a01f06092b0601040182371901a012041068c9100efb78d21190d400c04f79dc55");
	assert_int_equal(x509_san_check(buf_bytes(&san), NULL), 0);
	assert_int_equal(x509_san_to_text(&text, buf_bytes(&san), NULL), 0);
	assert_string_equal(buf_cstr(&text), "UPN:u@x, Email:a@b, DNS:h, GUID:0e10c968-78fb-11d2-90d4-00c04f79dc55");
	x509_san_put_dns(&san, "\xc3\xa9");
	assert_false(buf_ok(&san));
	buf_reset(&san);
	x509_san_put_upn(&san, "\xc3");
	assert_false(buf_ok(&san));
	buf_fini(&san);
	buf_fini(&text);
	pool_free(pool);
}

static void
test_san_check(void **state)
{
	static const struct {
		const char *name, *hex;
		const char *text; /* NULL: refused */
	} cases[] = {
		{ "DNS", "3003820161", "DNS:a" },
		{ "IPv4", "30068704" "c0000201", "IP:192.0.2.1" },
		{ "IPv6", "3012871020010db8000000000000000000000001", "IP:2001:db8::1" },
		{ "registered ID", "300488022a03", "OID:1.2.3" },
		{ "URL", "30058603613a2c", "URL:a:\\," },
		{ "directory name", "300fa40d300b31093007060355040313" "00", "Directory:CN=" },
		{ "unknown otherName", "300da00b06022a03a0050c03616263", "Other 1.2.3:#0c03616263" },
		{ "X.400 address", "3004a3023000", "#a3023000" },
		{ "EDI party", "3007a505a103130161", "#a505a103130161" },
		{ "control characters", "3005820361" "0a62", "DNS:a\\0ab" },
		{ "empty text", "30028200", "DNS:" },

		{ "no names", "3000", NULL },
		{ "no SEQUENCE", "820161", NULL },
		{ "nothing", "", NULL },
		{ "cut", "3003820261", NULL },
		{ "more behind", "30038201610500", NULL },
		{ "NUL in a DNS name", "30058203610062", NULL },
		{ "Latin-1 in a DNS name", "30038201e9", NULL },
		{ "IP of 5", "30078705c000020101", NULL },
		{ "IP of 0", "30028700", NULL },
		{ "universal tag", "3003130161", NULL },
		{ "tag 9", "3003890161", NULL },
		{ "constructed DNS", "3005a203820161", NULL },
		{ "otherName without a value", "3006a00406022a03", NULL },
		{ "otherName with two values", "300ca00a06022a03a00405000500", NULL },
		{ "UPN that is a number", "3013a011060a2b060104018237140203a003020101", NULL },
		{ "UPN with NUL", "3013a011060a2b060104018237140203a0030c0100", NULL },
		{ "GUID of 3", "3014a01206092b0601040182371901a0050403010203", NULL },
		{ "directory name with NUL", "300fa40d300b310930070603550403130100", NULL },
		{ "directory name, broken", "3004a4023100", NULL },
		{ "malformed registered ID", "3003880180", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct buf san = new_buf(), text = new_buf();
		struct err e = { 0 };
		int ret;

		assert_int_equal(text_parse_hex(&san, cases[i].hex, NULL), 0);
		ret = x509_san_check(buf_bytes(&san), &e);
		if (ret != (cases[i].text != NULL ? 0 : -1))
			fail_msg("%s: %s", cases[i].name, e.msg);
		if (ret != 0)
			assert_int_equal(e.hr, E_INVALID_DATA);
		ret = x509_san_to_text(&text, buf_bytes(&san), &e);
		if (cases[i].text != NULL) {
			assert_int_equal(ret, 0);
			assert_string_equal(buf_cstr(&text), cases[i].text);
		}
		buf_fini(&san);
		buf_fini(&text);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_from_dn),
		cmocka_unit_test(test_bad_dn),
		cmocka_unit_test(test_dn_limits),
		cmocka_unit_test(test_to_text),
		cmocka_unit_test(test_attribute_table),
		cmocka_unit_test(test_rdn_text),
		cmocka_unit_test(test_san_put),
		cmocka_unit_test(test_san_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
