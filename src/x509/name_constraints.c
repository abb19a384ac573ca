/* NameConstraints from the words of an administrator. */
#include <arpa/inet.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "x509/constraints.h"
#include "x509/x509_priv.h"

static int
put_text(struct buf *out, uint8_t tag, const char *text, struct err *e)
{
	for (const char *p = text; *p != '\0'; p++) {
		if ((unsigned char)*p <= ' ' || (unsigned char)*p > '~')
			return ERR(e, E_INVALIDARG, "'%.80s' is no name in ASCII", text);
	}
	der_put_text(out, tag, text);
	return 0;
}

static int
put_dns(struct buf *out, const char *text, struct err *e)
{
	return put_text(out, DER_CONTEXT(2), text, e);
}

/* Windows writes a host's addresses as @host; RFC 5280 has the host alone, or one address. */
static int
put_email(struct buf *out, const char *text, struct err *e)
{
	return put_text(out, DER_CONTEXT(1), text + (*text == '@'), e);
}

static int
put_uri(struct buf *out, const char *text, struct err *e)
{
	return put_text(out, DER_CONTEXT(6), text, e);
}

static int
put_directory_name(struct buf *out, const char *text, struct err *e)
{
	size_t explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(4)), name = der_open(out, DER_SEQUENCE);

	if (x509_name_put_dn(out, text, e) != 0)
		return -1;
	der_close(out, name);
	der_close(out, explicit);
	return 0;
}

static void
put_mask(uint8_t *mask, size_t len, unsigned bits)
{
	memset(mask, 0, len);
	for (unsigned i = 0; i < bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

/* Address and mask, RFC 5280 4.2.1.10; "address/bits", or of IPv4 "address,mask" as a CAPolicy.inf has it. */
static int
put_network(struct buf *out, const char *text, struct err *e)
{
	size_t n = strcspn(text, "/,"), len;
	char address[64], *end = NULL;
	uint8_t octets[32];
	unsigned long bits;

#ifdef ADCSD_PLANTED_BUG_X509_CONSTRAINTS /* proves that the fuzz target finds one: believes every length */
	if (text[n] == '\0')
#else
	if (n >= sizeof(address) || text[n] == '\0')
#endif
		return ERR(e, E_INVALIDARG, "'%.80s' is no network: 10.0.0.0/8, 2001:db8::/32", text);
	memcpy(address, text, n);
	address[n] = '\0';
	len = strchr(address, ':') != NULL ? 16 : 4;
	if (inet_pton(len == 16 ? AF_INET6 : AF_INET, address, octets) != 1)
		return ERR(e, E_INVALIDARG, "'%.60s' is no IP address", address);
	if (text[n] == ',' && len == 4) {
		if (inet_pton(AF_INET, text + n + 1, octets + 4) != 1)
			return ERR(e, E_INVALIDARG, "'%.60s' is no mask", text + n + 1);
	} else {
		bits = strtoul(text + n + 1, &end, 10);
		if (text[n] != '/' || end == text + n + 1 || *end != '\0' || bits > 8 * len)
			return ERR(e, E_INVALIDARG, "'%.80s' has no number of bits", text);
		put_mask(octets + len, len, (unsigned)bits);
	}
	der_put(out, DER_CONTEXT(7), (struct bytes){ octets, 2 * len });
	return 0;
}

static const struct {
	const char *name;
	int (*put)(struct buf *out, const char *text, struct err *e);
} kinds[] = {
	{ "DNS=", put_dns },
	{ "EMail=", put_email },
	{ "DirectoryName=", put_directory_name },
	{ "URI=", put_uri },
	{ "IPAddress=", put_network },
};

static int
put_subtrees(struct buf *out, int field, struct x509_strings list, struct err *e)
{
	size_t subtrees, subtree;

	if (list.n == 0)
		return 0;
	subtrees = der_open(out, (uint8_t)DER_CONTEXT_CONSTRUCTED(field));
	for (size_t i = 0; i < list.n; i++) {
		size_t k = 0;

		while (
		    k < ARRAY_LEN(kinds) && strncasecmp(list.v[i], kinds[k].name, strlen(kinds[k].name)) != 0)
			k++;
		if (k == ARRAY_LEN(kinds))
			return ERR(e, E_INVALIDARG,
			    "'%.80s' is no name constraint: DNS=, EMail=, DirectoryName=, URI=, IPAddress=",
			    list.v[i]);
		subtree = der_open(out, DER_SEQUENCE);
		if (kinds[k].put(out, list.v[i] + strlen(kinds[k].name), e) != 0)
			return -1;
		der_close(out, subtree);
	}
	der_close(out, subtrees);
	return 0;
}

/* The hexadecimal form of a distinguished name's values can say anything; nobody could use such a CA
 * certificate. */
static bool
is_readable(struct bytes der)
{
	const unsigned char *p = der.p;
	ASN1_VALUE *v = ASN1_item_d2i(NULL, &p, (long)der.len, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
	bool whole = v != NULL && p == der.p + der.len;

	ASN1_item_free(v, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
	(void)x509_openssl_reason();
	return whole;
}

int
x509_name_constraints_put(
    struct buf *out, struct x509_strings permitted, struct x509_strings excluded, struct err *e)
{
	size_t start = out->len, seq;

	if (permitted.n == 0 && excluded.n == 0)
		return 0;
	seq = der_open(out, DER_SEQUENCE);
	if (put_subtrees(out, 0, permitted, e) != 0 || put_subtrees(out, 1, excluded, e) != 0) {
		out->len = start;
		return -1;
	}
	der_close(out, seq);
	if (!buf_ok(out))
		return ERR(e, E_INVALIDARG, "the name constraints are too long");
	if (is_readable((struct bytes){ out->p + start, out->len - start }))
		return 0;
	out->len = start;
	return ERR(e, E_INVALIDARG, "a DirectoryName has a value in hexadecimal that no name may have");
}
