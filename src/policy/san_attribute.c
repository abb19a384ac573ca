/* The SAN request attribute, "type=value&type=value" (MS-WCCE 3.2.1.4.2.1.2), to GeneralNames. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "base/guid.h"
#include "base/text.h"
#include "policy/rule_priv.h"

#define VALUE_MAX (16 * 1024)

static int
need_ascii(const char *value, struct err *e)
{
	for (const char *p = value; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			return ERR(e, E_INVALIDARG, "\"%.60s\" has characters outside ASCII", value);
	return 0;
}

static int
put_email(struct buf *b, const char *value, struct err *e)
{
	if (need_ascii(value, e) != 0)
		return -1;
	x509_san_put_email(b, value);
	return 0;
}

static int
put_dns(struct buf *b, const char *value, struct err *e)
{
	if (need_ascii(value, e) != 0)
		return -1;
	x509_san_put_dns(b, value);
	return 0;
}

static int
put_url(struct buf *b, const char *value, struct err *e)
{
	if (need_ascii(value, e) != 0)
		return -1;
	der_put_text(b, DER_CONTEXT(6), value);
	return 0;
}

static int
put_upn(struct buf *b, const char *value, struct err *e)
{
	(void)e;
	x509_san_put_upn(b, value);
	return 0;
}

static int
put_dn(struct buf *b, const char *value, struct err *e)
{
	size_t mark = der_open(b, DER_CONTEXT_CONSTRUCTED(4)); /* Name is a CHOICE, so the tag is explicit */

	if (x509_name_from_dn(b, value, e) != 0)
		return -1;
	der_close(b, mark);
	return 0;
}

static int
put_ip(struct buf *b, const char *value, struct err *e)
{
	uint8_t address[16];

	if (inet_pton(AF_INET, value, address) == 1)
		der_put(b, DER_CONTEXT(7), (struct bytes){ address, 4 });
	else if (inet_pton(AF_INET6, value, address) == 1)
		der_put(b, DER_CONTEXT(7), (struct bytes){ address, 16 });
	else
		return ERR(e, E_INVALIDARG, "\"%.60s\" is not an IP address", value);
	return 0;
}

static int
put_registered_id(struct buf *b, const char *value, struct err *e)
{
	size_t mark = der_open(b, DER_CONTEXT(8));

	if (oid_from_text(b, value, e) != 0)
		return -1;
	der_close(b, mark);
	return 0;
}

static int
put_guid(struct buf *b, const char *value, struct err *e)
{
	struct guid g;
	uint8_t wire[16];

	if (guid_from_text(&g, value, e) != 0)
		return -1;
	guid_to_wire(&g, wire);
	x509_san_put_guid(b, wire);
	return 0;
}

static const struct {
	const char *type;
	int (*put)(struct buf *b, const char *value, struct err *e);
} types[] = {
	{ "email", put_email },
	{ "dns", put_dns },
	{ "fqdn", put_dns },
	{ "dn", put_dn },
	{ "url", put_url },
	{ "ipaddress", put_ip },
	{ "upn", put_upn },
	{ "spn", put_upn }, /* its encoding is not published: taken as the UPN otherName */
	{ "oid", put_registered_id },
	{ "guid", put_guid },
};

bool
san_attribute_type(const char *type, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strlen(types[i].type) == n && strncasecmp(types[i].type, type, n) == 0)
			return true;
	return false;
}

/* Exactly one well-formed element. */
static int
put_raw_der(struct buf *b, struct bytes der, struct err *e)
{
	struct der d = der_over(der);
	struct der_item item;

	if (der_next(&d, &item, "otherName value", e) != 0 || der_finish(&d, "otherName value", e) != 0)
		return -1;
	buf_put_bytes(b, der);
	return 0;
}

/*
 * How a value's prefix says it is written, and what it becomes. The first that fits; the last fits
 * everything.
 */
enum form { FORM_TEXT, FORM_HEX, FORM_BASE64 };
static const struct {
	const char *prefix;
	enum form form;
	uint8_t tag; /* 0: the value is DER already */
} forms[] = {
	{ "{asn}", FORM_BASE64, 0 },
	{ "{utf8}", FORM_TEXT, DER_UTF8_STRING },
	{ "{octet}{hex}", FORM_HEX, DER_OCTET_STRING },
	{ "{octet}", FORM_BASE64, DER_OCTET_STRING },
	{ "{hex}", FORM_HEX, 0 },
	{ "", FORM_TEXT, DER_OCTET_STRING },
};

static int
put_other_value(struct buf *b, const char *value, struct err *e)
{
	struct buf raw;
	size_t i = 0;
	int rc = 0;

	while (strncasecmp(value, forms[i].prefix, strlen(forms[i].prefix)) != 0)
		i++;
	value += strlen(forms[i].prefix);
	buf_init(&raw, VALUE_MAX);
	if (forms[i].form == FORM_HEX)
		rc = text_parse_hex(&raw, value, e);
	else if (forms[i].form == FORM_BASE64)
		rc = text_parse_base64(&raw, (struct bytes){ (const uint8_t *)value, strlen(value) }, e);
	else
		buf_put_str(&raw, value);
	if (rc == 0 && forms[i].tag == 0)
		rc = put_raw_der(b, buf_bytes(&raw), e);
	else if (rc == 0)
		der_put(b, forms[i].tag, buf_bytes(&raw));
	buf_fini(&raw);
	return rc;
}

/* "1.2.3.4=value": otherName of that type. */
static int
put_other(struct buf *b, const char *oid, const char *value, struct err *e)
{
	size_t name = der_open(b, DER_CONTEXT_CONSTRUCTED(0)), mark;

	mark = der_open(b, DER_OID);
	if (oid_from_text(b, oid, e) != 0)
		return err_prefix(e, "type \"%.40s\"", oid);
	der_close(b, mark);
	mark = der_open(b, DER_CONTEXT_CONSTRUCTED(0));
	if (put_other_value(b, value, e) != 0)
		return -1;
	der_close(b, mark);
	der_close(b, name);
	return 0;
}

int
san_attribute_put(struct buf *b, const char *type, const char *value, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcasecmp(types[i].type, type) == 0)
			return types[i].put(b, value, e);
	return put_other(b, type, value, e);
}

static int
put_name(struct buf *b, char *piece, struct err *e)
{
	char *value = strchr(piece, '=');

	if (value == NULL || value == piece || value[1] == '\0')
		return ERR(e, E_INVALIDARG, "\"%.60s\" is not type=value", piece);
	*value++ = '\0';
	return san_attribute_put(b, piece, value, e);
}

int
san_attribute_encode(struct buf *out, const char *value, struct err *e)
{
	char copy[VALUE_MAX];
	size_t names;

	if (strlen(value) >= sizeof(copy))
		return ERR(e, E_INVALIDARG, "the SAN attribute has %zu octets", strlen(value));
	strcpy(copy, value);
	names = der_open(out, DER_SEQUENCE);
	for (char *piece = copy, *next; piece != NULL; piece = next) {
		next = strchr(piece, '&');
		if (next != NULL)
			*next++ = '\0';
		if (put_name(out, piece, e) != 0)
			return -1;
	}
	der_close(out, names);
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "the SAN attribute cannot be encoded");
}
