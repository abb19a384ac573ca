/* GeneralNames, RFC 5280 4.2.1.6. */
#include <arpa/inet.h>
#include <string.h>

#include "base/guid.h"
#include "base/text.h"
#include "x509/certificate.h"
#include "x509/name.h"
#include "x509/x509_priv.h"

/* MS-WCCE 2.2.2.7.5, 2.2.2.7.6 */
static const struct bytes nt_principal_name = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03");
static const struct bytes ntds_replication = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x19\x01");

enum general_name {
	OTHER_NAME = DER_CONTEXT_CONSTRUCTED(0),
	RFC822_NAME = DER_CONTEXT(1),
	DNS_NAME = DER_CONTEXT(2),
	X400_ADDRESS = DER_CONTEXT_CONSTRUCTED(3),
	DIRECTORY_NAME = DER_CONTEXT_CONSTRUCTED(4),
	EDI_PARTY_NAME = DER_CONTEXT_CONSTRUCTED(5),
	URI = DER_CONTEXT(6),
	IP_ADDRESS = DER_CONTEXT(7),
	REGISTERED_ID = DER_CONTEXT(8),
};

/* ---- writing ---- */

static void
put_ia5(struct buf *out, uint8_t tag, const char *s)
{
	for (const char *c = s; *c != 0; c++) {
		if ((unsigned char)*c >= 0x80)
			out->failed = true;
	}
	der_put_text(out, tag, s);
}

void
x509_san_put_upn(struct buf *out, const char *upn)
{
	size_t other = der_open(out, OTHER_NAME), value;

	der_put(out, DER_OID, nt_principal_name);
	value = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put_text(out, DER_UTF8_STRING, upn);
	der_close(out, value);
	der_close(out, other);
	if (!text_is_utf8(upn, strlen(upn)))
		out->failed = true;
}

void
x509_san_put_email(struct buf *out, const char *email)
{
	put_ia5(out, RFC822_NAME, email);
}

void
x509_san_put_dns(struct buf *out, const char *dns)
{
	put_ia5(out, DNS_NAME, dns);
}

void
x509_san_put_guid(struct buf *out, const uint8_t guid[16])
{
	size_t other = der_open(out, OTHER_NAME), value;

	der_put(out, DER_OID, ntds_replication);
	value = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	der_put(out, DER_OCTET_STRING, (struct bytes){ guid, 16 });
	der_close(out, value);
	der_close(out, other);
}

/* ---- reading ---- */

struct other_name {
	struct bytes oid;
	struct der_item value;
};

static int
read_other_name(struct other_name *out, struct bytes body, struct err *e)
{
	struct der d = der_over(body), value;

	if (der_get_oid(&d, &out->oid, "otherName type", e) != 0 ||
	    der_enter(&d, DER_CONTEXT_CONSTRUCTED(0), &value, "otherName value", e) != 0 ||
	    der_finish(&d, "otherName", e) != 0 || der_next(&value, &out->value, "otherName value", e) != 0)
		return -1;
	return der_finish(&value, "otherName value", e);
}

static int
check_other_name(struct bytes body, struct err *e)
{
	struct other_name o;

	if (read_other_name(&o, body, e) != 0)
		return -1;
	if (bytes_equal(o.oid, nt_principal_name))
		return x509_text_check(o.value.tag, o.value.body, E_INVALID_DATA, e);
	if (bytes_equal(o.oid, ntds_replication) &&
	    (o.value.tag != DER_OCTET_STRING || o.value.body.len != 16))
		return ERR(e, E_INVALID_DATA, "directory GUID is no OCTET STRING of 16");
	return 0;
}

/* A NUL here has fooled more than one reader that takes C strings. */
static int
check_ia5(struct bytes body, struct err *e)
{
	for (size_t i = 0; i < body.len; i++) {
		if (body.p[i] == 0 || body.p[i] >= 0x80)
			return ERR(e, E_INVALID_DATA, "octet 0x%02x in an IA5String", body.p[i]);
	}
	return 0;
}

static int
check_directory_name(struct bytes body, struct err *e)
{
	struct x509_rdn rdns[X509_MAX_RDNS];
	size_t n;

	if (x509_name_read(body, rdns, &n, e) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (x509_text_check(rdns[i].tag, rdns[i].value, E_INVALID_DATA, e) != 0)
			return -1;
	}
	return 0;
}

/* Types that nobody here reads: at least their elements are elements. */
static int
check_elements(struct bytes body, struct err *e)
{
	struct der d = der_over(body);
	struct der_item it;

	while (!der_at_end(&d)) {
		if (der_next(&d, &it, "name element", e) != 0)
			return -1;
	}
	return 0;
}

static int
check_general_name(const struct der_item *it, struct err *e)
{
	char text[OID_TEXT_MAX];

	switch (it->tag) {
	case OTHER_NAME:
		return check_other_name(it->body, e);
	case RFC822_NAME:
	case DNS_NAME:
	case URI:
		return check_ia5(it->body, e);
	case DIRECTORY_NAME:
		return check_directory_name(it->body, e);
	case X400_ADDRESS:
	case EDI_PARTY_NAME:
		return check_elements(it->body, e);
	case IP_ADDRESS:
		if (it->body.len != 4 && it->body.len != 16)
			return ERR(e, E_INVALID_DATA, "IP address of %zu octets", it->body.len);
		return 0;
	case REGISTERED_ID:
		if (!oid_to_text(it->body, text))
			return ERR(e, E_INVALID_DATA, "malformed registeredID");
		return 0;
	default:
		return ERR(e, E_INVALID_DATA, "tag %02x is no GeneralName", it->tag);
	}
}

int
x509_san_check(struct bytes value, struct err *e)
{
	struct der d = der_over(value), in;
	struct der_item it;
	size_t n = 1;

	if (der_enter(&d, DER_SEQUENCE, &in, "subjectAltName", e) != 0 ||
	    der_finish(&d, "subjectAltName", e) != 0)
		goto bad;
	if (der_at_end(&in))
		return ERR(e, E_INVALID_DATA, "subjectAltName holds no name");
	for (; !der_at_end(&in); n++) {
		if (der_next(&in, &it, "GeneralName", e) != 0 || check_general_name(&it, e) != 0) {
			err_prefix(e, "subjectAltName, name %zu", n);
			goto bad;
		}
	}
	return 0;
bad:
	if (e != NULL)
		e->hr = E_INVALID_DATA;
	return -1;
}

/* ---- text ---- */

static void
put_hex_item(struct buf *out, const struct der_item *it)
{
	buf_put_u8(out, '#');
	text_put_hex(out, it->raw);
}

static void
put_other_name(struct buf *out, const struct der_item *it)
{
	struct other_name o;
	char text[OID_TEXT_MAX], guid_text[GUID_TEXT_MAX];
	struct guid guid;

	if (read_other_name(&o, it->body, NULL) != 0) {
		put_hex_item(out, it);
		return;
	}
	if (bytes_equal(o.oid, nt_principal_name) && x509_text_is_readable(o.value.tag, o.value.body)) {
		buf_put_str(out, "UPN:");
		x509_put_escaped(out, o.value.tag, o.value.body);
	} else if (bytes_equal(o.oid, ntds_replication) && o.value.body.len == 16) {
		guid_from_wire(&guid, o.value.body.p);
		buf_printf(out, "GUID:%s", guid_to_text(&guid, guid_text));
	} else {
		buf_printf(out, "Other %s:", oid_to_text(o.oid, text) ? text : "?");
		put_hex_item(out, &o.value);
	}
}

static void
put_ip(struct buf *out, const struct der_item *it)
{
	char text[INET6_ADDRSTRLEN];
	int family = it->body.len == 4 ? AF_INET : AF_INET6;

	if ((it->body.len != 4 && it->body.len != 16) ||
	    inet_ntop(family, it->body.p, text, sizeof(text)) == NULL)
		put_hex_item(out, it);
	else
		buf_printf(out, "IP:%s", text);
}

static void
put_general_name(struct buf *out, const struct der_item *it)
{
	char text[OID_TEXT_MAX];

	switch (it->tag) {
	case OTHER_NAME:
		put_other_name(out, it);
		break;
	case RFC822_NAME:
	case DNS_NAME:
	case URI:
		buf_put_str(out, it->tag == RFC822_NAME ? "Email:" : it->tag == DNS_NAME ? "DNS:" : "URL:");
		x509_put_escaped(out, DER_IA5_STRING, it->body);
		break;
	case DIRECTORY_NAME:
		buf_put_str(out, "Directory:");
		if (x509_name_to_text(out, it->body, NULL) != 0)
			put_hex_item(out, it);
		break;
	case IP_ADDRESS:
		put_ip(out, it);
		break;
	case REGISTERED_ID:
		buf_printf(out, "OID:%s", oid_to_text(it->body, text) ? text : "?");
		break;
	default:
		put_hex_item(out, it);
	}
}

int
x509_san_to_text(struct buf *out, struct bytes value, struct err *e)
{
	struct der d = der_over(value), in;
	struct der_item it;
	size_t start = out->len;

	if (der_enter(&d, DER_SEQUENCE, &in, "subjectAltName", e) != 0 ||
	    der_finish(&d, "subjectAltName", e) != 0)
		return -1;
	while (!der_at_end(&in)) {
		if (der_next(&in, &it, "GeneralName", e) != 0)
			return -1;
		if (out->len > start)
			buf_put_str(out, ", ");
		put_general_name(out, &it);
	}
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the text of a subjectAltName");
}

/* ---- addresses ---- */

int
x509_san_addresses(struct bytes value, struct pool *pool, const char **mail, const char **upn, struct err *e)
{
	struct der d = der_over(value), in;
	struct der_item it;
	struct other_name o;

	*mail = *upn = NULL;
	if (der_enter(&d, DER_SEQUENCE, &in, "subjectAltName", e) != 0)
		return -1;
	while (!der_at_end(&in)) {
		const char **to = NULL;
		struct bytes text = { NULL, 0 };
		uint8_t tag = DER_IA5_STRING;

		if (der_next(&in, &it, "GeneralName", e) != 0)
			return -1;
		if (it.tag == RFC822_NAME) {
			to = mail;
			text = it.body;
		} else if (it.tag == OTHER_NAME && read_other_name(&o, it.body, NULL) == 0 &&
		    bytes_equal(o.oid, nt_principal_name)) {
			to = upn;
			tag = o.value.tag;
			text = o.value.body;
		}
		if (to == NULL || *to != NULL)
			continue;
		*to = x509_text_dup(pool, tag, text, E_INVALID_DATA, e);
		if (*to == NULL)
			return -1;
	}
	return 0;
}

/* MS-WCCE 2.2.2.7.7.4: GeneralNames of one otherName, the SID as ASCII in an OCTET STRING. */
const char *
x509_san_sid(struct bytes value, struct pool *pool)
{
	static const struct bytes object_sid = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x19\x02\x01");
	struct der d = der_over(value), in;
	struct der_item it;
	struct other_name o;

	if (der_enter(&d, DER_SEQUENCE, &in, "security extension", NULL) != 0)
		return NULL;
	while (!der_at_end(&in)) {
		if (der_next(&in, &it, "otherName", NULL) != 0)
			return NULL;
		if (it.tag == OTHER_NAME && read_other_name(&o, it.body, NULL) == 0 &&
		    bytes_equal(o.oid, object_sid) && o.value.tag == DER_OCTET_STRING &&
		    memchr(o.value.body.p, 0, o.value.body.len) == NULL)
			return pool_strndup(pool, (const char *)o.value.body.p, o.value.body.len);
	}
	return NULL;
}
