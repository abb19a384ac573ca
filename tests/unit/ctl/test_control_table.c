/* The console's controls: what each writes, what levels unlock it, and the schema version a first save fixes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ctl/compatibility.h"
#include "ctl/control_priv.h"
#include "ctl/ra_properties.h"

#define MAX_OPTIONS 8

static struct ctl
new_ctl(void)
{
	return (struct ctl){ .control_fd = -1, .pool = pool_new(1 << 24) };
}

/* "option=value option=value ..." with ' ' between options, as a verb sees them. */
struct given {
	char text[400];
	struct ctl_option options[MAX_OPTIONS + 1];
	const char *values[MAX_OPTIONS];
	struct ctl_args args;
};

static void
give(struct given *g, const char *text)
{
	size_t n = 0;

	memset(g, 0, sizeof(*g));
	snprintf(g->text, sizeof(g->text), "%s", text);
	for (char *s = strtok(g->text, " "); s != NULL; s = strtok(NULL, " ")) {
		char *eq = strchr(s, '=');

		assert_non_null(eq);
		assert_true(n < MAX_OPTIONS);
		*eq = '\0';
		g->options[n].name = s;
		g->values[n++] = eq + 1;
	}
	g->args.options = g->options;
	g->args.values = g->values;
}

/* A copy of the built-in User, as far as the controls look. */
static void
user(struct ctl *c, struct ctl_entry *en, int schema, uint32_t private_key_flags)
{
	static const uint8_t year[] = { 0x00, 0x40, 0x39, 0x87, 0x2e, 0xe1, 0xfe, 0xff };
	static const uint8_t weeks[] = { 0x00, 0x80, 0xa6, 0x0a, 0xff, 0xde, 0xff, 0xff };
	static const uint8_t usage[] = { 0xa0, 0x00 };
	struct bytes validity = { year, 8 }, overlap = { weeks, 8 }, ku = { usage, 2 };
	struct err e;

	memset(en, 0, sizeof(*en));
	assert_int_equal(ctl_entry_set_text(c, en, "cn", "User", &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, "flags", 0x1023A, &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, "msPKI-Template-Schema-Version", (uint32_t)schema, &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, PK, private_key_flags, &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, EF, 0x29, &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, NF, 0xA6000000u, &e), 0);
	assert_int_equal(ctl_entry_set_int(c, en, "pKIDefaultKeySpec", 1, &e), 0);
	assert_int_equal(ctl_entry_set_text(c, en, "pKICriticalExtensions", "2.5.29.15", &e), 0);
	assert_int_equal(ctl_entry_set_text(c, en, "pKIDefaultCSPs", "1,Microsoft Enhanced Cryptographic Provider v1.0", &e), 0);
	assert_int_equal(ctl_entry_set_bytes(c, en, "pKIExpirationPeriod", &validity, 1, &e), 0);
	assert_int_equal(ctl_entry_set_bytes(c, en, "pKIOverlapPeriod", &overlap, 1, &e), 0);
	assert_int_equal(ctl_entry_set_bytes(c, en, "pKIKeyUsage", &ku, 1, &e), 0);
}

static int
edit(struct ctl *c, struct ctl_entry *en, const char *options, struct err *e)
{
	struct compatibility before = compatibility_of(en);
	struct given g;

	give(&g, options);
	if (compatibility_save(c, en, &g.args, e) != 0 || controls_apply(c, en, &g.args, e) != 0 ||
	    controls_check(c, en, &g.args, e) != 0)
		return -1;
	return compatibility_enforce(c, en, &g.args, before, NULL, e);
}

/* All values of an attribute, octets as hexadecimal, joined by '|'. */
static const char *
values(struct ctl *c, const struct ctl_entry *en, const char *attr)
{
	const struct ctl_attr *a = ctl_entry_attr(en, attr);
	const char *text = "";

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		struct buf hex;

		buf_init(&hex, 1024);
		if (strncmp(attr, "pKIK", 4) == 0 || strstr(attr, "Period") != NULL)
			text_put_hex(&hex, a->values[i]);
		else
			buf_put_bytes(&hex, a->values[i]);
		text = pool_printf(c->pool, "%s%s%s", text, i > 0 ? "|" : "", buf_cstr(&hex));
		buf_fini(&hex);
	}
	return text;
}

static const struct {
	const char *options, *attr, *want;
} writes[] = {
	{ "display-name=New", "displayName", "New" },
	{ "validity=2y", "pKIExpirationPeriod", "0080720e5dc2fdff" },
	{ "validity=30d renewal=1d", "pKIOverlapPeriod", "004096d536ffffff" },
	{ "renewal=1d", "pKIOverlapPeriod", "004096d536ffffff" },
	{ "publish-in-ad=no", EF, "33" },
	{ "no-reenroll-if-duplicate=yes", EF, "57" },
	{ "publish-in-ad=yes no-reenroll-if-duplicate=yes", EF, "57" },
	{ "compat-ca=2012R2", PK, "50659344" },
	{ "compat-recipient=8.1", PK, "84082704" },
	{ "purpose=signature", "pKIKeyUsage", "8000" },
	{ "purpose=signature", "pKIDefaultKeySpec", "2" },
	{ "purpose=encryption", "pKIKeyUsage", "2000" },
	{ "purpose=encryption", "pKIDefaultKeySpec", "1" },
	{ "purpose=signature-and-encryption", "pKIKeyUsage", "a000" },
	{ "delete-expired=yes", EF, "1065" },
	{ "include-symmetric-algorithms=no", EF, "40" },
	{ "archive-key=yes", PK, "50528273" },
	{ "allow-export=no", PK, "50528256" },
	{ "reuse-key=yes", EF, "8233" },
	{ "prompt=enrollment", EF, "297" },
	{ "prompt=private-key", EF, "297" },
	{ "prompt=private-key", PK, "50528304" },
	{ "minimum-key-size=4096", "msPKI-Minimal-Key-Size", "4096" },
	{ "providers=any", "pKIDefaultCSPs", "" },
	{ "providers=A,B", "pKIDefaultCSPs", "1,A|2,B" },
	{ "alternate-signature-format=yes", PK, "50528336" },
	{ "subject=request", NF, "1" },
	{ "subject=request", EF, "9" },
	{ "subject=request subject-from-old-certificate=yes", NF, "9" },
	{ "subject-format=common-name", NF, "1711276032" },
	{ "subject-format=dns-name include-email=no", NF, "369098752" }, /* 0x16000000: e-mail and UPN stay */
	{ "alternate-names=dns,spn", NF, "-1468006400" },
	{ "alternate-names=none", NF, "-1610612736" },
	{ "do-not-store=yes", "flags", "70202" },
	{ "no-revocation-information=yes", EF, "16425" },
	{ "manager-approval=yes", EF, "43" },
	{ "authorized-signatures=2", "msPKI-RA-Signature", "2" },
	{ "signature-application-policies=Certificate-Request-Agent", "msPKI-RA-Application-Policies", "1.3.6.1.4.1.311.20.2.1" },
	{ "signature-issuance-policies=1.2.3,1.2.4", "msPKI-RA-Policies", "1.2.3|1.2.4" },
	{ "reenrollment=valid-certificate", EF, "105" },
	{ "application-policies=client-authentication,1.2.3", "pKIExtendedKeyUsage", "1.3.6.1.5.5.7.3.2|1.2.3" },
	{ "application-policies=client-authentication", "msPKI-Certificate-Application-Policy", "1.3.6.1.5.5.7.3.2" },
	{ "application-policies=none", "pKIExtendedKeyUsage", "" },
	{ "application-policies-critical=yes", "pKICriticalExtensions", "2.5.29.15|2.5.29.37|1.3.6.1.4.1.311.21.10" },
	{ "basic-constraints=yes", EF, "32809" },
	{ "basic-constraints-critical=yes", "pKICriticalExtensions", "2.5.29.15|2.5.29.19" },
	{ "issuance-policies=2.5.29.32.0", "msPKI-Certificate-Policy", "2.5.29.32.0" },
	{ "issuance-policies-critical=yes", "pKICriticalExtensions", "2.5.29.15|2.5.29.32" },
	{ "key-usage=digital-signature,nonrepudiation", "pKIKeyUsage", "c000" },
	{ "key-usage-critical=no", "pKICriticalExtensions", "" },
	{ "ocsp-no-revocation-check=yes", EF, "4137" },
	{ "enrollment-bits=+NO_SECURITY_EXTENSION,-AUTO_ENROLLMENT", EF, "524297" },
	{ "private-key-bits=+HELLO_LOGON_KEY", PK, "52625424" },
};

static void
test_writes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		struct ctl c = new_ctl();
		struct ctl_entry en;
		struct err e = { 0 };

		user(&c, &en, 2, 0x03030010);
		if (edit(&c, &en, writes[i].options, &e) != 0)
			fail_msg("%s: %s", writes[i].options, e.msg);
		if (strcmp(values(&c, &en, writes[i].attr), writes[i].want) != 0)
			fail_msg("%s: %s is '%s', not '%s'", writes[i].options, writes[i].attr, values(&c, &en, writes[i].attr),
			    writes[i].want);
		pool_free(c.pool);
	}
}

static const struct {
	int schema;
	uint32_t private_key_flags;
	const char *options, *message; /* part of the refusal */
} refusals[] = {
	{ 2, 0x01010010, "alternate-signature-format=yes", "Windows Server 2008 and Certificate recipient Windows Vista" },
	{ 2, 0x01010010, "reuse-key=yes", "Certificate recipient Windows Vista" },
	{ 2, 0x02020010, "subject=request subject-from-old-certificate=yes", "Windows 7 / Server 2008 R2" },
	{ 2, 0x02020010, "do-not-store=yes", "Certification Authority Windows Server 2008 R2" },
	{ 2, 0x02020010, "no-revocation-information=yes", "Certification Authority Windows Server 2008 R2" },
	{ 2, 0x02020010, "basic-constraints=yes", "Windows Server 2008 R2" },
	{ 2, 0x01010010, "ocsp-no-revocation-check=yes", "Windows Server 2008 or later" },
	{ 2, 0x03030010, "renew-same-key=yes", "Windows Server 2012 and Certificate recipient Windows 8" },
	{ 2, 0x03040010, "renew-same-key=yes", "Windows Server 2012" },
	{ 2, 0x04030010, "issuance-policies-from-request=yes compat-ca=2008R2", "Windows Server 2012" },
	{ 2, 0x03030010, "subject=request reenrollment=valid-certificate key-based-renewal=yes", "Windows Server 2012" },
	{ 4, 0x04040100, "attestation=required", "Windows Server 2012 R2" },
	{ 2, 0x03030010, "compat-ca=2019", "no compatibility level" },
	{ 2, 0x03030010, "validity=5d", "shorter than the validity" },
	{ 2, 0x03030010, "validity=30s", "one hour" },
	{ 2, 0x03030010, "publish-in-ad=no no-reenroll-if-duplicate=yes", "Publish certificate" },
	{ 4, 0x04040100, "key-based-renewal=yes", "Supply in the request" },
	{ 2, 0x03030010, "subject-from-old-certificate=yes", "Supply in the request" },
	{ 2, 0x03030010, "algorithm=RSA", "Key Storage Provider" },
	{ 2, 0x03030010, "request-hash=SHA256", "Key Storage Provider" },
	{ 2, 0x03030010, "provider-category=ksp", "fixed when it is duplicated" },
	{ 3, 0x03030010, "algorithm=none", "always has one" },
	{ 3, 0x03030010, "algorithm=ROT13", "not known" },
	{ 3, 0x03030010, "compat-ca=2003", "at least Certification Authority Windows Server 2008" },
	{ 2, 0x03030010, "purpose=signature-and-smartcard-logon", "Smart Card Logon" },
	{ 2, 0x03030010, "path-length=1", "certification authorities" },
	{ 2, 0x03030010, "application-policies=1.2.x", "1.2.x" },
	{ 2, 0x03030010, "key-usage=signing", "none of digital-signature" },
	{ 2, 0x03030010, "publish-in-ad=maybe", "neither yes nor no" },
	{ 2, 0x03030010, "minimum-key-size=-1", "not a number" },
	{ 2, 0x03030010, "enrollment-bits=+NO_SUCH", "no bit" },
	{ 2, 0x03030010, "enrollment-bits=PEND_ALL_REQUESTS", "+ or -" },
	{ 4, 0x05050100, "attestation-based-on=hardware-key", "--attestation preferred" },
};

static void
test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
		struct ctl c = new_ctl();
		struct ctl_entry en;
		struct err e = { 0 };

		user(&c, &en, refusals[i].schema, refusals[i].private_key_flags);
		if (refusals[i].schema == 3)
			assert_int_equal(ra_properties_default(&c, &en, &e), 0);
		if (edit(&c, &en, refusals[i].options, &e) == 0)
			fail_msg("%s was accepted", refusals[i].options);
		assert_int_equal(e.hr, E_INVALIDARG);
		if (strstr(e.msg, refusals[i].message) == NULL)
			fail_msg("%s: '%s' lacks '%s'", refusals[i].options, e.msg, refusals[i].message);
		pool_free(c.pool);
	}
}

/* compatibility.md sections 1 and 2 */
static const struct {
	int source_schema;
	uint32_t source_flags;
	const char *options;
	int schema; /* 0: refused */
	uint32_t flags;
} first_saves[] = {
	{ 1, 0x10, "", 2, 0x01010010 },
	{ 1, 0x10, "compat-ca=2008R2 compat-recipient=7", 2, 0x03030010 },
	{ 1, 0x10, "compat-ca=2008R2 compat-recipient=8.1", 2, 0x05030010 },
	{ 1, 0, "compat-ca=2016", 2, 0x01060000 },
	{ 1, 0, "compat-ca=2008 compat-recipient=vista provider-category=ksp", 3, 0x02020000 },
	{ 1, 0, "compat-ca=2012R2 compat-recipient=8.1", 4, 0x05050100 },
	{ 1, 0, "compat-ca=2016 compat-recipient=10", 4, 0x06060100 },
	{ 1, 0x10, "compat-ca=2016 compat-recipient=10 provider-category=ksp", 4, 0x06060010 },
	{ 1, 0, "provider-category=ksp", 0, 0 },
	{ 1, 0, "compat-ca=2012 compat-recipient=xp provider-category=ksp", 0, 0 },
	{ 2, 0, "compat-ca=2012 compat-recipient=7", 2, 0x03040000 },
	{ 3, 0, "", 3, 0x02020000 },
	{ 3, 0, "compat-ca=2003", 0, 0 },
	{ 3, 0, "provider-category=legacy", 0, 0 },
	{ 3, 0, "compat-ca=2012 compat-recipient=8", 4, 0x04040000 },
	{ 4, 0x06060100, "", 4, 0x06060100 },
	{ 4, 0x06060100, "compat-recipient=7", 2, 0x03060000 },
	{ 4, 0x06060000, "compat-recipient=7", 3, 0x03060000 },
	{ 4, 0x06060100, "provider-category=ksp", 4, 0x06060000 },
};

static void
test_first_save(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(first_saves); i++) {
		struct ctl c = new_ctl();
		struct ctl_entry en;
		struct err e = { 0 };
		struct given g;
		int rc;

		user(&c, &en, first_saves[i].source_schema, first_saves[i].source_flags);
		give(&g, first_saves[i].options);
		rc = compatibility_first_save(&c, &en, &g.args, &e);
		if ((rc == 0) != (first_saves[i].schema != 0))
			fail_msg("row %zu (%s): %s", i, first_saves[i].options, rc == 0 ? "accepted" : e.msg);
		if (rc == 0) {
			assert_int_equal(ctl_entry_int(&en, "msPKI-Template-Schema-Version", 0), first_saves[i].schema);
			assert_int_equal((uint32_t)ctl_entry_int(&en, PK, 0), first_saves[i].flags);
			assert_int_equal(ra_property_get(&c, &en, "msPKI-Asymmetric-Algorithm") != NULL,
			    ra_properties_used(&en) && first_saves[i].source_schema != 3 &&
				!(first_saves[i].source_schema == 4 && !(first_saves[i].source_flags & 0x100)));
		}
		pool_free(c.pool);
	}
}

/* Every control reads back in the words that set takes, and setting those changes nothing. */
static void
test_get_then_set_changes_nothing(void **state)
{
	static const struct {
		int schema;
		uint32_t flags;
	} templates[] = { { 2, 0x03030010 }, { 2, 0x01010000 }, { 3, 0x02020010 }, { 4, 0x06062A10 }, { 4, 0x06060180 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(templates); i++)
		for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
			struct ctl c = new_ctl();
			struct ctl_entry en, before;
			struct control_edit ed = { &c, &en, NULL, k, NULL };
			struct err e = { 0 };

			user(&c, &en, templates[i].schema, templates[i].flags);
			user(&c, &before, templates[i].schema, templates[i].flags);
			assert_int_equal(ctl_entry_set_text(&c, &en, "displayName", "User", &e), 0);
			assert_int_equal(ctl_entry_set_text(&c, &before, "displayName", "User", &e), 0);
			if (ra_properties_used(&en)) {
				assert_int_equal(ra_properties_default(&c, &en, &e), 0);
				assert_int_equal(ra_properties_default(&c, &before, &e), 0);
			}
			ed.value = control_get(&c, &en, k);
			/* an end entity has no path length to set */
			if (strcmp(k->option, "path-length") != 0 && k->set(&ed, &e) != 0)
				fail_msg("--%s %s: %s", k->option, ed.value, e.msg);
			for (size_t n = 0; n < before.n_attrs; n++)
				if (!ctl_attr_equal(&before.attrs[n], ctl_entry_attr(&en, before.attrs[n].name)))
					fail_msg("--%s %s changed %s", k->option, ed.value, before.attrs[n].name);
			pool_free(c.pool);
		}
}

/* Lowering a level takes along what it does not have, and only that. */
static void
test_lowering(void **state)
{
	struct ctl c = new_ctl();
	struct compatibility_changes changes;
	struct compatibility before;
	struct ctl_entry en;
	struct err e = { 0 };
	struct given g;

	(void)state;
	user(&c, &en, 4, 0x060628D0); /* attestation, same key, alternate format, exportable */
	assert_int_equal(ctl_entry_set_int(&c, &en, EF, 0x30041, &e), 0);
	before = compatibility_of(&en);
	give(&g, "compat-ca=2008R2 compat-recipient=7");
	assert_int_equal(compatibility_save(&c, &en, &g.args, &e), 0);
	assert_int_equal(compatibility_enforce(&c, &en, &g.args, before, &changes, &e), 0);
	assert_int_equal(ctl_entry_int(&en, PK, 0), 0x03030050);
	assert_int_equal(ctl_entry_int(&en, EF, 0), 0x41);
	assert_int_equal(json_array_size(changes.cleared), 5);
	assert_int_equal(json_array_size(changes.added), 0);
	assert_int_equal(json_array_size(changes.removed), 6);
	compatibility_changes_free(&changes);
	pool_free(c.pool);
}

/* A real template of schema 4 with a KSP: properties in alphabetical order, each ended by a backtick. */
static void
test_properties(void **state)
{
	struct ctl c = new_ctl();
	struct ctl_entry en;
	struct err e = { 0 };

	(void)state;
	user(&c, &en, 4, 0x06060000);
	assert_int_equal(ra_properties_default(&c, &en, &e), 0);
	assert_string_equal(ctl_entry_text(&en, "msPKI-RA-Application-Policies"),
	    "msPKI-Asymmetric-Algorithm`PZPWSTR`RSA`msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`16777215`"
	    "msPKI-Symmetric-Algorithm`PZPWSTR`3DES`msPKI-Symmetric-Key-Length`DWORD`168`");
	assert_int_equal(edit(&c, &en, "signature-application-policies=1.2.3,1.2.4 algorithm=ecdsa_p256 archive-key=yes "
				       "advanced-symmetric-algorithm=yes", &e), 0);
	assert_string_equal(ctl_entry_text(&en, "msPKI-RA-Application-Policies"),
	    "msPKI-Asymmetric-Algorithm`PZPWSTR`ECDSA_P256`msPKI-Hash-Algorithm`PZPWSTR`SHA256`msPKI-Key-Usage`DWORD`16777215`"
	    "msPKI-RA-Application-Policies`PZPWSTR`1.2.3,1.2.4`msPKI-Symmetric-Algorithm`PZPWSTR`AES`"
	    "msPKI-Symmetric-Key-Length`DWORD`256`");
	/* the other syntax */
	assert_int_equal(edit(&c, &en, "advanced-symmetric-algorithm=no provider-category=legacy", &e), 0);
	assert_string_equal(values(&c, &en, "msPKI-RA-Application-Policies"), "1.2.3|1.2.4");
	assert_int_equal(edit(&c, &en, "provider-category=ksp signature-policy-type=none", &e), 0);
	assert_null(strstr(ctl_entry_text(&en, "msPKI-RA-Application-Policies"), "1.2.3"));
	assert_string_equal(ra_property_get(&c, &en, "msPKI-Asymmetric-Algorithm"), "RSA");
	pool_free(c.pool);
}

/* What only higher levels have. */
static void
test_schema_4(void **state)
{
	static const struct {
		const char *first, *options, *attr, *want;
	} cases[] = {
		{ "", "renew-same-key=yes", PK, "101056640" },
		{ "", "attestation=preferred", PK, "101060608" },
		{ "", "attestation=required attestation-based-on=hardware-key,user-credentials", PK, "101067264" },
		{ "", "attestation=required attestation-without-policies=yes", PK, "101081088" },
		{ "", "subject=request reenrollment=valid-certificate key-based-renewal=yes", EF, "65609" },
		{ "", "issuance-policies-from-request=yes", EF, "131113" },
		{ "general-bits=+IS_CA", "path-length=2", "pKIMaxIssuingDepth", "2" },
		{ "general-bits=+IS_CA", "path-length=none", "pKIMaxIssuingDepth", "-1" },
		{ "", "name-bits=+SUBJECT_ALT_REQUIRE_DIRECTORY_GUID", NF, "-1493172224" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ctl c = new_ctl();
		struct ctl_entry en;
		struct err e = { 0 };

		user(&c, &en, 4, 0x06060000);
		assert_int_equal(edit(&c, &en, cases[i].first, &e), 0);
		if (edit(&c, &en, cases[i].options, &e) != 0)
			fail_msg("%s: %s", cases[i].options, e.msg);
		if (strcmp(values(&c, &en, cases[i].attr), cases[i].want) != 0)
			fail_msg("%s: %s is %s", cases[i].options, cases[i].attr, values(&c, &en, cases[i].attr));
		pool_free(c.pool);
	}
}

/* A control without a case is a control nobody has tried. */
static void
test_every_control_has_a_case(void **state)
{
	static const char *const elsewhere[] = { "renew-same-key", "advanced-symmetric-algorithm", "key-permissions", "algorithm",
		"request-hash", "provider-category", "attestation", "attestation-based-on", "attestation-without-policies",
		"signature-policy-type", "key-based-renewal", "superseded", "path-length", "issuance-policies-from-request",
		"general-bits", "name-bits", "subject-from-old-certificate", "include-email" }; /* schema 3 and 4, CA templates, the directory: the other tests */

	(void)state;
	for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
		bool found = false;

		for (size_t i = 0; i < ARRAY_LEN(writes) && !found; i++)
			found = strncmp(writes[i].options, k->option, strlen(k->option)) == 0;
		for (size_t i = 0; i < ARRAY_LEN(elsewhere) && !found; i++)
			found = strcmp(elsewhere[i], k->option) == 0;
		if (!found)
			fail_msg("--%s has no case", k->option);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writes),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_first_save),
		cmocka_unit_test(test_get_then_set_changes_nothing),
		cmocka_unit_test(test_lowering),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_schema_4),
		cmocka_unit_test(test_every_control_has_a_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
