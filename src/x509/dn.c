/* Distinguished names from text: RFC 4514, with the blanks and quotes of RFC 2253's elder forms. */
#include <string.h>

#include "base/text.h"
#include "x509/name.h"
#include "x509/x509_priv.h"

#define DN_MAX 16384     /* octets of text, and of DER */
#define RDN_MAX_PARTS 16 /* attributes of one multi-valued relative name */

struct dn_reader {
	const char *start, *at;
	struct buf value; /* decoded text of the attribute at hand */
	struct buf parts; /* AttributeTypeAndValue encodings of the relative name at hand */
	size_t part_end[RDN_MAX_PARTS];
	size_t n_parts;
	size_t n_attributes; /* of the whole name */
};

static int
fail_at(const struct dn_reader *r, struct err *e, const char *what)
{
	return ERR(e, E_INVALIDARG, "name \"%.64s\", character %zu: %s", r->start,
	    (size_t)(r->at - r->start) + 1, what);
}

static void
skip_blanks(struct dn_reader *r)
{
	while (*r->at == ' ')
		r->at++;
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Behind a backslash: a special character, or two digits of an octet. */
static int
read_escape(struct dn_reader *r, struct err *e)
{
	int high = hex_digit(r->at[0]), low = high >= 0 ? hex_digit(r->at[1]) : -1;

	if (high >= 0 && low >= 0) {
		buf_put_u8(&r->value, (uint8_t)(high << 4 | low));
		r->at += 2;
		return 0;
	}
	if (*r->at == 0 || strchr(" \"#+,;<=>\\", *r->at) == NULL)
		return fail_at(r, e, "a backslash escapes nothing");
	buf_put_u8(&r->value, (uint8_t)*r->at++);
	return 0;
}

static int
read_quoted(struct dn_reader *r, struct err *e)
{
	for (r->at++; *r->at != '"';) {
#ifdef ADCSD_PLANTED_BUG_X509_NAME
		if (*r->at == 0 && r->n_parts == 0)
#else
		if (*r->at == 0)
#endif
			return fail_at(r, e, "the quotation does not end");
		if (*r->at == '\\') {
			r->at++;
			if (read_escape(r, e) != 0)
				return -1;
		} else {
			buf_put_u8(&r->value, (uint8_t)*r->at++);
		}
	}
	r->at++;
	skip_blanks(r);
	return 0;
}

/* Up to the next separator; blanks at the end do not count unless escaped. */
static int
read_plain(struct dn_reader *r, struct err *e)
{
	size_t keep = 0;

	while (*r->at != 0 && strchr(",;+", *r->at) == NULL) {
		if (*r->at == '"' || *r->at == '<' || *r->at == '>')
			return fail_at(r, e, "a special character needs a backslash");
		if (*r->at == '\\') {
			r->at++;
			if (read_escape(r, e) != 0)
				return -1;
			keep = r->value.len;
		} else {
			buf_put_u8(&r->value, (uint8_t)*r->at);
			if (*r->at++ != ' ')
				keep = r->value.len;
		}
	}
	r->value.len = keep;
	return 0;
}

/* "#04024869": the DER of the value. */
static int
read_hex(struct dn_reader *r, struct err *e)
{
	struct der d;
	struct der_item it;

	for (r->at++; hex_digit(r->at[0]) >= 0; r->at += 2) {
		if (hex_digit(r->at[1]) < 0)
			return fail_at(r, e, "half an octet");
		buf_put_u8(&r->value, (uint8_t)(hex_digit(r->at[0]) << 4 | hex_digit(r->at[1])));
	}
	skip_blanks(r);
	d = der_over(buf_bytes(&r->value));
	if (der_next(&d, &it, "value", NULL) != 0 || !der_at_end(&d))
		return fail_at(r, e, "the octets are no DER value");
	return 0;
}

static int
read_type(struct dn_reader *r, char oid[OID_TEXT_MAX], struct err *e)
{
	const char *label;
	size_t n;

	skip_blanks(r);
	label = r->at;
	while (*r->at != 0 && strchr("=,;+ ", *r->at) == NULL)
		r->at++;
	n = (size_t)(r->at - label);
	skip_blanks(r);
	if (*r->at != '=')
		return fail_at(r, e, "an attribute type and \"=\" belong here");
	if (!x509_attribute_oid(label, n, oid)) {
		r->at = label;
		return fail_at(r, e, "unknown attribute type");
	}
	r->at++;
	skip_blanks(r);
	return 0;
}

static int
read_part(struct dn_reader *r, struct err *e)
{
	char oid[OID_TEXT_MAX];
	bool hex;
	size_t seq;
	int ret;

	if (read_type(r, oid, e) != 0)
		return -1;
	buf_reset(&r->value);
	hex = *r->at == '#';
	ret = hex ? read_hex(r, e) : *r->at == '"' ? read_quoted(r, e) : read_plain(r, e);
	if (ret != 0)
		return -1;
	if (!buf_ok(&r->value))
		return fail_at(r, e, "the value is too long");
	if (r->value.len == 0)
		return fail_at(r, e, "the value is empty");
	if (!hex && !text_is_utf8((const char *)r->value.p, r->value.len))
		return fail_at(r, e, "the value is no UTF-8 text, or has a NUL");
	if (r->n_parts == RDN_MAX_PARTS)
		return fail_at(r, e, "too many attributes in one relative name");
	if (r->n_attributes++ == X509_MAX_RDNS) /* as many as x509_name_read() takes */
		return fail_at(r, e, "too many attributes");

	seq = der_open(&r->parts, DER_SEQUENCE);
	der_put_oid(&r->parts, oid);
	if (hex)
		buf_put_bytes(&r->parts, buf_bytes(&r->value));
	else
		x509_put_attribute_value(&r->parts, oid, buf_cstr(&r->value));
	der_close(&r->parts, seq);
	r->part_end[r->n_parts++] = r->parts.len;
	return buf_ok(&r->parts) ? 0 : fail_at(r, e, "malformed attribute type, or the name is too long");
}

/* SET OF in DER order (X.690 11.6). The parts are a handful. */
static void
put_set(struct buf *out, const struct dn_reader *r)
{
	struct bytes part[RDN_MAX_PARTS];
	size_t from = 0, set;

	for (size_t i = 0; i < r->n_parts; i++) {
		struct bytes p = { r->parts.p + from, r->part_end[i] - from };
		size_t at = i;

		while (at > 0 &&
		    memcmp(p.p, part[at - 1].p, p.len < part[at - 1].len ? p.len : part[at - 1].len) < 0) {
			part[at] = part[at - 1];
			at--;
		}
		part[at] = p;
		from = r->part_end[i];
	}
	set = der_open(out, DER_SET);
	for (size_t i = 0; i < r->n_parts; i++)
		buf_put_bytes(out, part[i]);
	der_close(out, set);
}

static int
read_rdn(struct dn_reader *r, struct buf *out, struct err *e)
{
	buf_reset(&r->parts);
	r->n_parts = 0;
	for (;;) {
		if (read_part(r, e) != 0)
			return -1;
		if (*r->at != '+')
			break;
		r->at++;
	}
	if (*r->at != 0 && *r->at != ',' && *r->at != ';')
		return fail_at(r, e, "a comma belongs here");
	put_set(out, r);
	return 0;
}

int
x509_name_put_dn(struct buf *out, const char *dn, struct err *e)
{
	struct dn_reader r = { .start = dn, .at = dn };
	size_t end[X509_MAX_RDNS], n = 0; /* each relative name has an attribute, and those are counted */
	struct buf leaf_first;
	int ret = -1;

	buf_init(&r.value, DN_MAX);
	buf_init(&r.parts, DN_MAX);
	buf_init(&leaf_first, DN_MAX);
	skip_blanks(&r);
	while (*r.at != 0) {
		if (read_rdn(&r, &leaf_first, e) != 0)
			goto out;
		end[n++] = leaf_first.len;
		if (*r.at == 0)
			break;
		r.at++;
		skip_blanks(&r);
		if (*r.at == 0) {
			fail_at(&r, e, "a relative name is missing behind the comma");
			goto out;
		}
	}
	if (!buf_ok(&leaf_first)) {
		fail_at(&r, e, "the name is too long");
		goto out;
	}
	for (size_t i = n; i > 0; i--) {
		size_t from = i > 1 ? end[i - 2] : 0;

		buf_put(out, leaf_first.p + from, end[i - 1] - from);
	}
	ret = 0;
out:
	buf_fini(&leaf_first);
	buf_fini(&r.parts);
	buf_fini(&r.value);
	return ret;
}

int
x509_name_from_dn(struct buf *out, const char *dn, struct err *e)
{
	size_t seq = der_open(out, DER_SEQUENCE);

	if (x509_name_put_dn(out, dn, e) != 0)
		return -1;
	der_close(out, seq);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for a name");
}
