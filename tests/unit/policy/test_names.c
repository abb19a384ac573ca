/* Step 33: subject and alternative names, from the directory and from the request. */
#include "policy_support.h"

static void
as_is(struct desk *d)
{
	(void)d;
}

static void
no_mail(struct desk *d)
{
	d->subject.mail = NULL;
}

static void
empty_mail(struct desk *d)
{
	d->subject.mail = "";
}

static void
no_mail_optional(struct desk *d)
{
	d->subject.mail = NULL;
	d->ca.edit_flags |= EDITF_EMAILOPTIONAL;
}

static void
no_mail_no_upn_optional(struct desk *d)
{
	no_mail_optional(d);
	d->subject.upn = NULL;
}

static void
mail_beyond_ascii(struct desk *d)
{
	d->subject.mail = "jan\xc3\xa9@contoso.com";
}

static void
no_upn(struct desk *d)
{
	d->subject.upn = NULL;
}

static void
no_upn_fallback(struct desk *d)
{
	d->subject.upn = NULL;
	d->ca.upn_fallback = true;
}

static void
no_upn_no_sam(struct desk *d)
{
	no_upn_fallback(d);
	d->subject.sam = NULL;
}

static void
no_host(struct desk *d)
{
	d->subject.dns_host_name = NULL;
}

static void
empty_host(struct desk *d)
{
	d->subject.dns_host_name = "";
}

static void
no_guid(struct desk *d)
{
	d->subject.guid.len = 0;
}

static void
no_domain(struct desk *d)
{
	d->ca.nb_domain = NULL;
}

static void
no_cn(struct desk *d)
{
	d->subject.cn = NULL;
}

static void
no_dn(struct desk *d)
{
	d->subject.dn = NULL;
}

static void
bad_dn(struct desk *d)
{
	d->subject.dn = "not a name";
}

static void
no_sid(struct desk *d)
{
	d->subject.sid_text = NULL;
}

static void
escaped_dn(struct desk *d)
{
	d->subject.dn = "CN=Doe\\, Jane,OU=Sales,DC=corp,DC=contoso,DC=com";
}

static void
cn_in_utf8(struct desk *d)
{
	d->subject.cn = "J\xc3\xa4ne";
}

static void
cn_not_utf8(struct desk *d)
{
	d->subject.cn = "J\xe4ne";
}

/* Sixty-five and sixty-four characters; the host name bound is that of a common name. */
#define TEN "abcdefghij"
#define SIXTY TEN TEN TEN TEN TEN TEN

static void
host_65(struct desk *d)
{
	d->subject.dns_host_name = SIXTY ".test";
}

static void
host_64(struct desk *d)
{
	d->subject.dns_host_name = SIXTY ".tes";
}

static void
host_65_not_enforced(struct desk *d)
{
	host_65(d);
	d->ca.enforce_name_lengths = false;
}

static void
request_names_ignored(struct desk *d)
{
	desk_subject(d, "CN=Administrator");
	desk_extension(d, OID_SUBJECT_ALT_NAME, true, SAN_DEVICE);
}

#define USER "-1509949440" /* DIRECTORY_PATH, EMAIL, ALT_UPN, ALT_EMAIL */
/* x509_name_to_text() is leaf first, as the console shows names; the DER is root first. */
#define DN_TEXT "CN=Jane Doe, CN=Users, DC=corp, DC=contoso, DC=com"

/* The template is User (or a computer template) with these name flags. */
static const struct {
	const char *name, *template, *name_flags;
	void (*change)(struct desk *d);
	uint32_t hr;
	const char *subject, *san;
} directory[] = {
	{ "User", "User", USER, as_is, 0, "E=jane@contoso.com, " DN_TEXT,
	    "UPN:janedoe@contoso.com, Email:jane@contoso.com" },
	{ "User, names of the request", "User", USER, request_names_ignored, 0,
	    "E=jane@contoso.com, " DN_TEXT, "UPN:janedoe@contoso.com, Email:jane@contoso.com" },
	{ "User without mail", "User", USER, no_mail, CERTSRV_E_SUBJECT_EMAIL_REQUIRED, NULL, NULL },
	{ "User with empty mail", "User", USER, empty_mail, CERTSRV_E_SUBJECT_EMAIL_REQUIRED, NULL, NULL },
	{ "User, mail optional", "User", USER, no_mail_optional, 0, DN_TEXT, "UPN:janedoe@contoso.com" },
	{ "User, mail beyond ASCII", "User", USER, mail_beyond_ascii, CERTSRV_E_SUBJECT_EMAIL_REQUIRED, NULL,
	    NULL },
	{ "User without UPN", "User", USER, no_upn, CERTSRV_E_SUBJECT_UPN_REQUIRED, NULL, NULL },
	{ "User, implicit UPN", "User", USER, no_upn_fallback, 0, "E=jane@contoso.com, " DN_TEXT,
	    "UPN:janedoe@corp.contoso.com, Email:jane@contoso.com" },
	{ "implicit UPN without account name", "User", USER, no_upn_no_sam, CERTSRV_E_SUBJECT_UPN_REQUIRED,
	    NULL, NULL },
	{ "comma in the DN", "User", "-2113929216", escaped_dn, 0,
	    "CN=Doe\\, Jane, OU=Sales, DC=corp, DC=contoso, DC=com", "UPN:janedoe@contoso.com" },
	{ "no DN", "User", USER, no_dn, CERTSRV_E_BAD_REQUESTSUBJECT, NULL, NULL },
	{ "unreadable DN", "User", USER, bad_dn, CERTSRV_E_BAD_REQUESTSUBJECT, NULL, NULL },
	{ "no objectSid", "User", USER, no_sid, CERTSRV_E_SEC_EXT_DIRECTORY_SID_REQUIRED, NULL, NULL },
	{ "common name", "User", "1073741824", as_is, 0, "CN=Jane Doe", "" },
	{ "common name in UTF-8", "User", "1073741824", cn_in_utf8, 0, "CN=J\xc3\xa4ne", "" },
	{ "common name not UTF-8", "User", "1073741824", cn_not_utf8, CERTSRV_E_BAD_REQUESTSUBJECT, NULL,
	    NULL },
	{ "no common name", "User", "1073741824", no_cn, CERTSRV_E_BAD_REQUESTSUBJECT, NULL, NULL },
	{ "common name and mail", "User", "1610612736", as_is, 0, "E=jane@contoso.com, CN=Jane Doe", "" },
	{ "mail alone", "User", "536870912", as_is, 0, "E=jane@contoso.com", "" },
	{ "DN wins over common name", "User", "-1073741824", as_is, 0, DN_TEXT, "" },
	{ "DNS name of a user", "User", "268435456", as_is, 0, "CN=ws01.corp.contoso.com", "" },
	{ "DNS name of a user without one", "User", "268435456", no_host, CERTSRV_E_SUBJECT_DNS_REQUIRED,
	    NULL, NULL },
	{ "alternative DNS of a user without one", "User", "1207959552", no_host,
	    CERTSRV_E_SUBJECT_DNS_REQUIRED, NULL, NULL },
	{ "SPN means UPN", "User", "1082130432", as_is, 0, "CN=Jane Doe", "UPN:janedoe@contoso.com" },
	{ "SPN and UPN once", "User", "1115684864", as_is, 0, "CN=Jane Doe", "UPN:janedoe@contoso.com" },
	{ "SPN without UPN", "User", "1082130432", no_upn, CERTSRV_E_SUBJECT_UPN_REQUIRED, NULL, NULL },
	{ "the request's SAN flag is ignored", "User", "1073807360", request_names_ignored, 0, "CN=Jane Doe",
	    "" },
	{ "no name at all", "User", "0", as_is, CERTSRV_E_BAD_REQUESTSUBJECT, NULL, NULL },
	{ "only optional mail, which is missing", "User", "67108864", no_mail_optional,
	    CERTSRV_E_BAD_REQUESTSUBJECT, NULL, NULL },
	{ "no SAN needs no UPN", "User", "1073741824", no_mail_no_upn_optional, 0, "CN=Jane Doe", "" },
	{ "Machine", "Machine", "402653184", as_is, 0, "CN=ws01.corp.contoso.com",
	    "DNS:ws01.corp.contoso.com" },
	{ "Machine without host name", "Machine", "402653184", no_host, CERTSRV_E_SUBJECT_DNS_REQUIRED, NULL,
	    NULL },
	{ "Machine with empty host name", "Machine", "402653184", empty_host, CERTSRV_E_SUBJECT_DNS_REQUIRED,
	    NULL, NULL },
	{ "Machine by common name", "Machine", "1073741824", as_is, 0, "CN=ws01.corp.contoso.com", "" },
	{ "Machine by common name, no host name", "Machine", "1073741824", no_host,
	    CERTSRV_E_SUBJECT_DNS_REQUIRED, NULL, NULL },
	{ "Machine by DN needs no host name", "Machine", "-2147483648", no_host, 0, DN_TEXT, "" },
	{ "Workstation", "Workstation", "134217728", as_is, 0, "", "DNS:ws01.corp.contoso.com" },
	{ "RAS and IAS server", "RASAndIASServer", "1207959552", as_is, 0, "CN=ws01.corp.contoso.com",
	    "DNS:ws01.corp.contoso.com" },
	{ "Kerberos authentication", "KerberosAuthentication", "138412032", as_is, 0, "",
	    "DNS:ws01.corp.contoso.com, DNS:corp.contoso.com, DNS:CORP" },
	{ "Kerberos authentication, no domain", "KerberosAuthentication", "138412032", no_domain,
	    CERTSRV_E_SUBJECT_DNS_REQUIRED, NULL, NULL },
	{ "domain controller", "DomainController", "419430400", as_is, 0, "CN=ws01.corp.contoso.com", NULL },
	{ "domain controller without GUID", "DomainController", "419430400", no_guid,
	    CERTSRV_E_SUBJECT_DIRECTORY_GUID_REQUIRED, NULL, NULL },
	{ "host name of 64 characters", "Machine", "268435456", host_64, 0, "CN=" SIXTY ".tes", "" },
	{ "host name of 65 characters", "Machine", "268435456", host_65, CERTSRV_E_BAD_REQUESTSUBJECT, NULL,
	    NULL },
	{ "65 characters, lengths not enforced", "Machine", "268435456", host_65_not_enforced, 0,
	    "CN=" SIXTY ".test", "" },
};

static void
test_directory(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(directory); i++) {
		struct desk *d = desk_open(directory[i].template);

		desk_set(d, "msPKI-Certificate-Name-Flag", directory[i].name_flags);
		directory[i].change(d);
		desk_run(d);
		expect(d, directory[i].name, directory[i].hr, 33);
		if (directory[i].subject != NULL && strcmp(subject_text(d), directory[i].subject) != 0)
			fail_msg("\"%s\": subject is %s", directory[i].name, subject_text(d));
		if (directory[i].san != NULL && strcmp(san_text(d), directory[i].san) != 0)
			fail_msg("\"%s\": SAN is %s", directory[i].name, san_text(d));
		desk_close(d);
	}
}

/* GUID before host name, in the octets of MS-WCCE 2.2.2.7.5 and RFC 5280. */
static void
test_guid_octets(void **state)
{
	struct desk *d = desk_open("DomainController");

	(void)state;
	desk_run(d);
	expect(d, "domain controller", 0, 0);
	assert_string_equal(hex_of(d, find_extension(d, OID_SUBJECT_ALT_NAME)->value),
	    "3038"
	    "a01f"
	    "06092b0601040182371901"
	    "a012"
	    "0410"
	    "000102030405060708090a0b0c0d0e0f"
	    "8215"
	    "777330312e636f72702e636f6e746f736f2e636f6d");
	desk_close(d);
}

/* Whoever asks without having fetched the directory object is told so, and nothing is decided. */
static void
test_not_fetched(void **state)
{
	struct desk *d = desk_open("User");

	(void)state;
	d->in.subject = NULL;
	assert_int_equal(desk_decode(d, 0), 0);
	d->in.n_templates = 1;
	assert_int_equal(policy_evaluate(&d->in, d->pool, &d->out, &d->e), -1);
	assert_int_equal(d->e.hr, E_UNEXPECTED);
	desk_close(d);
}

/* ---- supplied in the request ---- */

static const char *const only_cn[] = { "CommonName" };
static const char *const with_title[] = { "CommonName", "Title", "Organization" };
static const char *const with_oid[] = { "2.5.4.5", "commonname" };

static const struct {
	const char *name, *dn, *san;
	bool reorder, enforce;
	struct x509_strings list; /* n 0: the default list */
	uint32_t hr;
	const char *subject;
} supplied[] = {
	{ "common name", "CN=device", NULL, true, true, { 0 }, 0, "CN=device" },
	{ "order is normalised", "CN=device,O=Contoso,C=DE,OU=Web,L=Ulm,ST=BW", NULL, true, true, { 0 }, 0,
	    "CN=device, OU=Web, O=Contoso, L=Ulm, S=BW, C=DE" },
	{ "order of the request", "C=DE,CN=device,O=Contoso", NULL, false, true, { 0 }, 0,
	    "C=DE, CN=device, O=Contoso" },
	{ "same type keeps its order", "CN=device,OU=b,OU=a,DC=contoso,DC=com", NULL, true, true, { 0 }, 0,
	    "CN=device, OU=b, OU=a, DC=contoso, DC=com" },
	{ "mail last", "1.2.840.113549.1.9.1=a@contoso.com,CN=device", NULL, true, true, { 0 }, 0,
	    "E=a@contoso.com, CN=device" },
	{ "not listed is dropped", "CN=device,2.5.4.12=Dr,2.5.4.5=4711", NULL, true, true, { 0 }, 0,
	    "CN=device" },
	{ "not listed is dropped, order kept", "2.5.4.12=Dr,CN=device,2.5.4.5=4711", NULL, false, true, { 0 },
	    0, "CN=device" },
	{ "short list", "CN=device,O=Contoso", NULL, true, true, STRINGS(only_cn), 0, "CN=device" },
	{ "title listed", "CN=device,2.5.4.12=Dr,O=Contoso", NULL, true, true, STRINGS(with_title), 0,
	    "CN=device, T=Dr, O=Contoso" },
	{ "dotted and lower case entries", "2.5.4.5=4711,CN=device", NULL, true, true, STRINGS(with_oid), 0,
	    "SERIALNUMBER=4711, CN=device" },
	{ "nothing left, no SAN", "2.5.4.12=Dr", NULL, true, true, { 0 }, CERTSRV_E_BAD_REQUESTSUBJECT,
	    NULL },
	{ "nothing left, SAN", "2.5.4.12=Dr", SAN_DEVICE, true, true, { 0 }, 0, "" },
	{ "no subject, no SAN", "", NULL, true, true, { 0 }, CERTSRV_E_BAD_REQUESTSUBJECT, NULL },
	{ "no subject, SAN", "", SAN_DEVICE, true, true, { 0 }, 0, "" },
	{ "CN of 64", "CN=" SIXTY "abcd", NULL, true, true, { 0 }, 0, "CN=" SIXTY "abcd" },
	{ "CN of 65", "CN=" SIXTY "abcde", NULL, true, true, { 0 }, CERTSRV_E_BAD_REQUESTSUBJECT, NULL },
	{ "CN of 65, not enforced", "CN=" SIXTY "abcde", NULL, true, false, { 0 }, 0, "CN=" SIXTY "abcde" },
	{ "64 characters of more octets", "CN=\xc3\xa4\xc3\xa4" SIXTY "ab", NULL, true, true, { 0 }, 0,
	    NULL },
	{ "country of 3", "CN=device,C=DEU", NULL, true, true, { 0 }, CERTSRV_E_BAD_REQUESTSUBJECT, NULL },
	{ "O of 64", "CN=device,O=" SIXTY "abcd", NULL, true, true, { 0 }, 0, NULL },
	{ "O of 65", "CN=device,O=" SIXTY "abcde", NULL, true, true, { 0 }, CERTSRV_E_BAD_REQUESTSUBJECT,
	    NULL },
	{ "locality of 128", "CN=device,L=" SIXTY SIXTY "abcdefgh", NULL, true, true, { 0 }, 0, NULL },
	{ "locality of 129", "CN=device,L=" SIXTY SIXTY "abcdefghi", NULL, true, true, { 0 },
	    CERTSRV_E_BAD_REQUESTSUBJECT, NULL },
	{ "a dropped attribute may be long", "CN=device,2.5.4.12=" SIXTY SIXTY, NULL, true, true, { 0 }, 0,
	    "CN=device" },
	{ "malformed SAN", "CN=device", "30148213", true, true, { 0 }, E_INVALID_DATA, NULL },
	{ "NUL in a DNS name", "CN=device", "30058203610062", true, true, { 0 }, E_INVALID_DATA, NULL },
	{ "NUL in an e-mail name", "CN=device", "30058103610062", true, true, { 0 }, E_INVALID_DATA, NULL },
	{ "octet beyond ASCII in a URL", "CN=device",
	    "300586036180"
	    "62",
	    true, true, { 0 }, E_INVALID_DATA, NULL },
	{ "NUL in a UPN", "CN=device", "3015a013060a2b060104018237140203a0050c03610062", true, true, { 0 },
	    E_INVALID_DATA, NULL },
};

static void
test_supplied(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(supplied); i++) {
		struct desk *d = desk_open("IntunePKCS");

		desk_subject(d, supplied[i].dn);
		if (supplied[i].san != NULL)
			desk_extension(d, OID_SUBJECT_ALT_NAME, false, supplied[i].san);
		d->ca.rdn_reorder = supplied[i].reorder;
		d->ca.enforce_name_lengths = supplied[i].enforce;
		if (supplied[i].list.n > 0)
			d->ca.subject_template = supplied[i].list;
		desk_run(d);
		expect(d, supplied[i].name, supplied[i].hr, 33);
		if (supplied[i].subject != NULL && strcmp(subject_text(d), supplied[i].subject) != 0)
			fail_msg("\"%s\": subject is %s", supplied[i].name, subject_text(d));
		desk_close(d);
	}
}

/* SubjectTemplate emptied: the subject passes as it is, multi-valued RDNs too. */
static void
test_no_list(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	d->ca.subject_template.n = 0;
	desk_subject(d, "CN=device+2.5.4.12=Dr,O=Contoso");
	desk_run(d);
	expect(d, "no list", 0, 0);
	assert_true(bytes_equal(d->out.plan.subject, d->request.subject));
	desk_close(d);
}

/* Without reordering, what is left of a multi-valued RDN stays together; with it, attributes part. */
static void
test_multi_valued(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	d->ca.rdn_reorder = false;
	desk_subject(d, "CN=device+OU=Web,2.5.4.12=Dr");
	desk_run(d);
	assert_string_equal(hex_of(d, d->out.plan.subject),
	    "301d"
	    "311b"
	    "300a060355040b1303576562"
	    "300d0603550403"
	    "1306"
	    "646576696365");
	desk_close(d);
}

/* Encodings of the request survive: a BMPString stays one. */
static void
test_verbatim_value(void **state)
{
	struct desk *d = desk_open("IntunePKCS");

	(void)state;
	desk_subject_der(d,
	    desk_hex(d,
		"300f310d300b0603550403"
		"1e04"
		"00610062"));
	desk_run(d);
	expect(d, "BMPString", 0, 0);
	assert_string_equal(hex_of(d, d->out.plan.subject), "300f310d300b06035504031e0400610062");
	desk_close(d);
}

static const struct {
	const char *name, *subject;
} bad_values[] = {
	{ "NUL in a PrintableString",
	    "300e310c300a0603550403"
	    "1303"
	    "610062" },
	{ "NUL in a UTF8String",
	    "300e310c300a0603550403"
	    "0c03"
	    "610062" },
	{ "NUL in a BMPString",
	    "300f310d300b0603550403"
	    "1e04"
	    "00610000" },
	{ "odd BMPString",
	    "300e310c300a0603550403"
	    "1e03"
	    "006100" },
	{ "broken UTF-8",
	    "300d310b30090603550403"
	    "0c02"
	    "c361" },
};

static void
test_bad_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad_values); i++) {
		struct desk *d = desk_open("IntunePKCS");

		desk_subject_der(d, desk_hex(d, bad_values[i].subject));
		desk_run(d);
		expect(d, bad_values[i].name, CERTSRV_E_BAD_REQUESTSUBJECT, 33);
		desk_close(d);
	}
}

/* ---- Exchange templates ---- */

/* directoryName CN=x, directoryName O=y, rfc822Name a@b.c */
#define DIR_CN                                                                                               \
	"a40e300c310a3008060355040313"                                                                       \
	"0178"
#define DIR_O                                                                                                \
	"a40e300c310a300806035504"                                                                           \
	"0a13"                                                                                               \
	"0179"
#define MAIL                                                                                                 \
	"8105614062"                                                                                         \
	"2e63"

static const struct {
	const char *name, *template, *in, *out;
} exchange[] = {
	{ "common name alone goes", "ExchangeUser", "3027" DIR_CN DIR_O MAIL, "3017" DIR_O MAIL },
	{ "not without an address", "ExchangeUser", "3010" DIR_CN, "3010" DIR_CN },
	{ "other directory names stay", "ExchangeUser", "3017" DIR_O MAIL, "3017" DIR_O MAIL },
	{ "only for Exchange templates", "WebServer", "3017" DIR_CN MAIL, "3017" DIR_CN MAIL },
};

static void
test_exchange(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(exchange); i++) {
		struct desk *d = desk_open(exchange[i].template);

		desk_extension(d, OID_SUBJECT_ALT_NAME, false, exchange[i].in);
		desk_run(d);
		expect(d, exchange[i].name, 0, 0);
		assert_string_equal(
		    hex_of(d, find_extension(d, OID_SUBJECT_ALT_NAME)->value), exchange[i].out);
		desk_close(d);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directory),
		cmocka_unit_test(test_guid_octets),
		cmocka_unit_test(test_not_fetched),
		cmocka_unit_test(test_supplied),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_multi_valued),
		cmocka_unit_test(test_verbatim_value),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_exchange),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
