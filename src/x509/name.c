#include "x509/name.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "x509/x509_priv.h"

/*
 * Attribute types. Labels are those of the Windows consoles; upper bounds are RFC 5280 appendix A and, for
 * what it leaves out, X.520 annex C. DC and E are IA5String (issuance.md 3.2).
 */
static const struct attribute {
	struct bytes oid;
	const char *dotted;
	const char *label;
	unsigned upper_bound;
	bool ia5;
} attributes[] = {
	/* clang-format off */
	{ OID_BODY("\x55\x04\x03"), "2.5.4.3",  "CN", 64, false },
	{ OID_BODY("\x55\x04\x0b"), "2.5.4.11", "OU", 64, false },
	{ OID_BODY("\x55\x04\x0a"), "2.5.4.10", "O", 64, false },
	{ OID_BODY("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "0.9.2342.19200300.100.1.25", "DC", 0, true },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"), "1.2.840.113549.1.9.1", "E", 255, true },
	{ OID_BODY("\x55\x04\x07"), "2.5.4.7",  "L", 128, false },
	{ OID_BODY("\x55\x04\x08"), "2.5.4.8",  "S", 128, false },
	{ OID_BODY("\x55\x04\x06"), "2.5.4.6",  "C", 2, false },
	{ OID_BODY("\x55\x04\x09"), "2.5.4.9",  "STREET", 128, false },
	{ OID_BODY("\x55\x04\x0c"), "2.5.4.12", "T", 64, false },
	{ OID_BODY("\x55\x04\x04"), "2.5.4.4",  "SN", 32768, false },
	{ OID_BODY("\x55\x04\x2a"), "2.5.4.42", "G", 32768, false },
	{ OID_BODY("\x55\x04\x2b"), "2.5.4.43", "I", 32768, false },
	{ OID_BODY("\x55\x04\x05"), "2.5.4.5",  "SERIALNUMBER", 64, false },
	{ OID_BODY("\x55\x04\x0d"), "2.5.4.13", "Description", 1024, false },
	{ OID_BODY("\x55\x04\x0f"), "2.5.4.15", "BusinessCategory", 128, false },
	{ OID_BODY("\x55\x04\x11"), "2.5.4.17", "PostalCode", 40, false },
	{ OID_BODY("\x55\x04\x12"), "2.5.4.18", "POBox", 40, false },
	{ OID_BODY("\x55\x04\x14"), "2.5.4.20", "Phone", 32, false },
	{ OID_BODY("\x55\x04\x29"), "2.5.4.41", "Name", 32768, false },
	{ OID_BODY("\x55\x04\x2c"), "2.5.4.44", "GenerationQualifier", 32768, false },
	{ OID_BODY("\x55\x04\x2e"), "2.5.4.46", "DNQualifier", 0, false },
	{ OID_BODY("\x55\x04\x41"), "2.5.4.65", "Pseudonym", 128, false },
	{ OID_BODY("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "0.9.2342.19200300.100.1.1", "UID", 256, false },
	{ OID_BODY("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"), "1.2.840.113549.1.9.2", "UnstructuredName", 255, false },
	/* clang-format on */
};

/* Other spellings that directories and OpenSSL use. */
static const struct alias {
	const char *label, *dotted;
} aliases[] = {
	{ "ST", "2.5.4.8" },
	{ "EMAIL", "1.2.840.113549.1.9.1" },
	{ "emailAddress", "1.2.840.113549.1.9.1" },
	{ "GN", "2.5.4.42" },
	{ "givenName", "2.5.4.42" },
	{ "initials", "2.5.4.43" },
	{ "title", "2.5.4.12" },
	{ "surname", "2.5.4.4" },
};

static const struct attribute *
find_attribute(struct bytes oid)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (bytes_equal(attributes[i].oid, oid))
			return &attributes[i];
	}
	return NULL;
}

const char *
x509_attribute_label(struct bytes oid)
{
	const struct attribute *a = find_attribute(oid);

	return a != NULL ? a->label : NULL;
}

unsigned
x509_attribute_upper_bound(struct bytes oid)
{
	const struct attribute *a = find_attribute(oid);

	return a != NULL ? a->upper_bound : 0;
}

static bool
same_label(const char *label, const char *text, size_t n)
{
	return strlen(label) == n && strncasecmp(label, text, n) == 0;
}

bool
x509_attribute_oid(const char *label, size_t n, char out[OID_TEXT_MAX])
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (same_label(attributes[i].label, label, n)) {
			strcpy(out, attributes[i].dotted);
			return true;
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
		if (same_label(aliases[i].label, label, n)) {
			strcpy(out, aliases[i].dotted);
			return true;
		}
	}
	if (n > 4 && strncasecmp(label, "OID.", 4) == 0) {
		label += 4;
		n -= 4;
	}
	if (n == 0 || n >= OID_TEXT_MAX || label[0] < '0' || label[0] > '2')
		return false;
	memcpy(out, label, n);
	out[n] = 0;
	return true;
}

/* ---- writing ---- */

/* RFC 5280 appendix A / X.680 41.4 */
static bool
is_printable_string(const char *s)
{
	for (; *s != 0; s++) {
		bool alnum = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');

		if (!alnum && strchr(" '()+,-./:=?", *s) == NULL)
			return false;
	}
	return true;
}

static bool
is_ascii(const char *s)
{
	for (; *s != 0; s++) {
		if ((unsigned char)*s >= 0x80)
			return false;
	}
	return true;
}

void
x509_put_attribute_value(struct buf *out, const char *oid, const char *utf8_value)
{
	bool ia5 = false;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		ia5 |= attributes[i].ia5 && strcmp(attributes[i].dotted, oid) == 0;
	if (!text_is_utf8(utf8_value, strlen(utf8_value)))
		out->failed = true;
	else if (ia5 && is_ascii(utf8_value))
		der_put_text(out, DER_IA5_STRING, utf8_value);
	else if (!ia5 && is_printable_string(utf8_value))
		der_put_text(out, DER_PRINTABLE_STRING, utf8_value);
	else
		der_put_text(out, DER_UTF8_STRING, utf8_value);
}

void
x509_put_attribute(struct buf *out, const char *oid, const char *utf8_value)
{
	size_t set = der_open(out, DER_SET), seq = der_open(out, DER_SEQUENCE);

	der_put_oid(out, oid);
	x509_put_attribute_value(out, oid, utf8_value);
	der_close(out, seq);
	der_close(out, set);
}

/* ---- reading ---- */

static int
read_rdn(struct der *set, unsigned index, struct x509_rdn rdns[X509_MAX_RDNS], size_t *n, struct err *e)
{
	if (der_at_end(set))
		return ERR(e, CRYPT_E_ASN1_BADTAG, "empty relative name");
	while (!der_at_end(set)) {
		struct x509_rdn rdn = { .set = index };
		struct der_item value;
		struct der in;

		if (der_enter(set, DER_SEQUENCE, &in, "name attribute", e) != 0 ||
		    der_get_oid(&in, &rdn.oid, "name attribute type", e) != 0 ||
		    der_next(&in, &value, "name attribute value", e) != 0 ||
		    der_finish(&in, "name attribute", e) != 0)
			return -1;
		if (*n == X509_MAX_RDNS)
			return ERR(e, CERTSRV_E_BAD_REQUESTSUBJECT, "name with more than %d attributes",
			    X509_MAX_RDNS);
		rdn.tag = value.tag;
		rdn.value = value.body;
		rdns[(*n)++] = rdn;
	}
	return 0;
}

int
x509_name_read(struct bytes name, struct x509_rdn rdns[X509_MAX_RDNS], size_t *n, struct err *e)
{
	struct der d = der_over(name), in, set;

	*n = 0;
	if (der_enter(&d, DER_SEQUENCE, &in, "Name", e) != 0 || der_finish(&d, "Name", e) != 0)
		return -1;
	for (unsigned index = 0; !der_at_end(&in); index++) {
		if (der_enter(&in, DER_SET, &set, "relative name", e) != 0 ||
		    read_rdn(&set, index, rdns, n, e) != 0)
			return -1;
	}
	return 0;
}

static void
put_rdn_text(struct buf *out, const struct x509_rdn *rdn)
{
	const struct attribute *a = find_attribute(rdn->oid);
	char text[OID_TEXT_MAX];
	struct buf value;

	if (a != NULL)
		buf_printf(out, "%s=", a->label);
	else
		buf_printf(out, "OID.%s=", oid_to_text(rdn->oid, text) ? text : "?");
	/* NUL may be shown, escaped; what is not text, or badly encoded, is shown in octets (RFC 4514 2.4).
	 */
	if (x509_text_is_readable(rdn->tag, rdn->value)) {
		x509_put_escaped(out, rdn->tag, rdn->value);
		return;
	}
	buf_init(&value, rdn->value.len + 8);
	der_put(&value, rdn->tag, rdn->value);
	buf_put_u8(out, '#');
	text_put_hex(out, buf_bytes(&value));
	buf_fini(&value);
}

int
x509_name_to_text(struct buf *out, struct bytes name, struct err *e)
{
	struct x509_rdn rdns[X509_MAX_RDNS];
	size_t n, start = out->len;

	if (x509_name_read(name, rdns, &n, e) != 0)
		return -1;
	/* Leaf first, as a directory prints it: sets from the last to the first, each in its own order. */
	for (size_t end = n; end > 0;) {
		size_t first = end - 1;

		while (first > 0 && rdns[first - 1].set == rdns[first].set)
			first--;
		for (size_t i = first; i < end; i++) {
			if (out->len > start)
				buf_put_str(out, i > first ? " + " : ", ");
			put_rdn_text(out, &rdns[i]);
		}
		end = first;
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the text of a name");
}

char *
x509_rdn_text(struct pool *pool, uint8_t tag, struct bytes value, struct err *e)
{
	return x509_text_dup(pool, tag, value, CERTSRV_E_BAD_REQUESTSUBJECT, e);
}
