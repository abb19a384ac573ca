#include "policy/made_up.h"

#include <string.h>

#include "policy/rule_priv.h"

#define SAN_PIECE_MAX 4096

/* Where the next name begins: behind a comma that a known type and a colon follow. A URL may hold other
 * commas. */
static const char *
next_name(const char *s)
{
	for (const char *comma = strchr(s, ','); comma != NULL; comma = strchr(comma + 1, ',')) {
		const char *type = comma + 1 + strspn(comma + 1, " ");
		const char *colon = strchr(type, ':');

		if (colon != NULL && san_attribute_type(type, (size_t)(colon - type)))
			return type;
	}
	return NULL;
}

static int
put_one(struct buf *out, const char *piece, size_t n, struct err *e)
{
	char copy[SAN_PIECE_MAX], *value;

	while (n > 0 && (piece[n - 1] == ' ' || piece[n - 1] == ','))
		n--;
	if (n >= sizeof(copy))
		return ERR(e, E_INVALIDARG, "a name of %zu octets is too long", n);
	memcpy(copy, piece, n);
	copy[n] = '\0';
	value = strchr(copy, ':');
	if (value == NULL || value == copy || value[1] == '\0')
		return ERR(e, E_INVALIDARG, "'%.60s' is not type:value", copy);
	*value++ = '\0';
	if (!san_attribute_type(copy, strlen(copy)))
		return ERR(e, E_INVALIDARG,
		    "'%.30s' is no type of name: dns, upn, email, url, dn, ipaddress, guid, oid", copy);
	return san_attribute_put(out, copy, value, e);
}

/* extensionRequest with the one extension a made-up request may have. */
static int
put_san(struct buf *out, const char *san, struct err *e)
{
	size_t attribute = der_open(out, DER_SEQUENCE), values, list, extension, octets, names;

	der_put_oid(out, "1.2.840.113549.1.9.14");
	values = der_open(out, DER_SET);
	list = der_open(out, DER_SEQUENCE);
	extension = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_SUBJECT_ALT_NAME);
	octets = der_open(out, DER_OCTET_STRING);
	names = der_open(out, DER_SEQUENCE);
	for (const char *at = san + strspn(san, " "), *next; at != NULL; at = next) {
		next = next_name(at);
		if (put_one(out, at, next != NULL ? (size_t)(next - at) : strlen(at), e) != 0)
			return err_prefix(e, "subject alternative name");
	}
	der_close(out, names);
	der_close(out, octets);
	der_close(out, extension);
	der_close(out, list);
	der_close(out, values);
	der_close(out, attribute);
	return 0;
}

int
policy_make_up_info(struct buf *out, const struct policy_made_up *m, struct bytes spki, struct err *e)
{
	size_t info = der_open(out, DER_SEQUENCE), attributes;

	der_put_int64(out, 0);
	if (m->subject == NULL || *m->subject == '\0')
		der_put(out, DER_SEQUENCE, (struct bytes){ NULL, 0 });
	else if (x509_name_from_dn(out, m->subject, e) != 0)
		return err_prefix(e, "subject");
	if (spki.len > 0)
		buf_put_bytes(out, spki);
	else if (x509_key_stand_in(out, m->key != NULL ? m->key : POLICY_MADE_UP_KEY, e) != 0)
		return -1;
	attributes = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	if (m->san != NULL && *m->san != '\0' && put_san(out, m->san, e) != 0)
		return -1;
	der_close(out, attributes);
	der_close(out, info);
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "the request cannot be encoded");
}

int
policy_make_up(struct buf *out, const struct policy_made_up *m, struct err *e)
{
	size_t request = der_open(out, DER_SEQUENCE), algorithm;

	if (policy_make_up_info(out, m, (struct bytes){ NULL, 0 }, e) != 0)
		return -1;
	algorithm = der_open(out, DER_SEQUENCE);
	der_put_oid(out, "1.2.840.113549.1.1.11");
	der_put_null(out);
	der_close(out, algorithm);
	der_put_bits(out, (struct bytes){ (const uint8_t *)"", 1 }, 0);
	der_close(out, request);
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "the request cannot be encoded");
}
