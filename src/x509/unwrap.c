/* What a client may put around a request, and what kind of request it is. */
#include <string.h>

#include "base/text.h"
#include "x509/x509_priv.h"

/* Base64 and line ends of the longest request, with room for what openssl and certreq print around it. */
#define WRAPPED_MAX (2 * X509_REQUEST_MAX)

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct bytes
trim(struct bytes in)
{
	if (in.len >= 3 &&
	    memcmp(in.p, "\xef\xbb\xbf", 3) == 0) { /* the byte order mark of Windows editors */
		in.p += 3;
		in.len -= 3;
	}
	while (in.len > 0 && is_blank(in.p[0])) {
		in.p++;
		in.len--;
	}
	while (in.len > 0 && (is_blank(in.p[in.len - 1]) || in.p[in.len - 1] == 0))
		in.len--;
	return in;
}

/* The bytes behind `mark`, or an empty stretch when it does not occur. */
static struct bytes
after(struct bytes in, const char *mark)
{
	size_t n = strlen(mark);
	const uint8_t *at = in.len >= n ? memmem(in.p, in.len, mark, n) : NULL;

	if (at == NULL)
		return (struct bytes){ NULL, 0 };
	return (struct bytes){ at + n, (size_t)(in.p + in.len - (at + n)) };
}

/* The base64 between the BEGIN and END lines; a pasted request may have lost its line ends. */
static int
pem_body(struct bytes in, struct bytes *body, struct err *e)
{
	struct bytes label = after(in, "-----BEGIN "), text, rest;

	text = after(label, "-----");
	rest = after(text, "-----END ");
	if (text.p == NULL || rest.p == NULL)
		return ERR(e, CRYPT_E_ASN1_EOD, "PEM text without its END line");
	*body = (struct bytes){ text.p, (size_t)(rest.p - text.p) - strlen("-----END ") };
	return 0;
}

int
x509_request_unwrap(struct bytes in, struct pool *pool, struct bytes *der, struct err *e)
{
	struct bytes text = trim(in);
	struct buf out;
	int ret = -1;

	/* No base64 of a SEQUENCE begins with '0' = 0x30: that would decode to 0xd0 and up. */
	if (in.len == 0 || in.p[0] == DER_SEQUENCE) {
		*der = in;
		return 0;
	}
	if (text.len > WRAPPED_MAX)
		return ERR(e, E_INVALIDARG, "request of %zu octets of text, at most %d are taken", text.len,
		    WRAPPED_MAX);
	if (after(text, "-----BEGIN ").p != NULL && pem_body(text, &text, e) != 0)
		return -1;

	buf_init(&out, X509_REQUEST_MAX);
	if (text_parse_base64(&out, text, e) != 0) {
		if (e != NULL && e->hr == E_INVALIDARG)
			e->hr = CRYPT_E_ASN1_BADTAG;
		err_prefix(e, "request is neither DER nor base64");
		goto out;
	}
	if (!buf_ok(&out) || pool_dup_bytes(pool, buf_bytes(&out), der) != 0) {
		ERR(e, E_OUTOFMEMORY, "no room for a request of %zu octets", text.len);
		goto out;
	}
	ret = 0;
out:
	buf_fini(&out);
	return ret;
}

/* ---- format ---- */

/* Enters a header without asking whether its length is true: a cut request still shows what it was meant to
 * be. */
static bool
step_into(struct bytes *in, uint8_t tag)
{
	size_t header;

	if (in->len < 2 || in->p[0] != tag)
		return false;
	header = 2 + (in->p[1] > 0x80 ? (size_t)(in->p[1] & 0x7f) : 0);
	if (header > in->len)
		return false;
	in->p += header;
	in->len -= header;
	return true;
}

enum x509_format
x509_request_format(struct bytes der)
{
	static const uint8_t signed_data[] = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
	const size_t n = sizeof(signed_data) - 1;

	if (!step_into(&der, DER_SEQUENCE))
		return X509_FORMAT_UNKNOWN;
	if (der.len >= n && memcmp(der.p, signed_data, n) == 0)
		return X509_FORMAT_CMS;
	if (!step_into(&der, DER_SEQUENCE) || der.len == 0)
		return X509_FORMAT_UNKNOWN;
	if (der.p[0] == DER_INTEGER) /* CertificationRequestInfo.version */
		return X509_FORMAT_PKCS10;
	if (der.p[0] == DER_SEQUENCE) /* PublicKeyAndChallenge.spki */
		return X509_FORMAT_KEYGEN;
	return X509_FORMAT_UNKNOWN;
}
