/* Degenerate SignedData: certificates and nothing signed. RFC 5652 5.1, MS-WCCE 3.2.1.4.2.1.4.8. */
#include "x509/x509_priv.h"

#define OID_SIGNED_DATA "1.2.840.113549.1.7.2"
#define OID_DATA "1.2.840.113549.1.7.1"

static const struct bytes none;

static void
put_empty_set(struct buf *out)
{
	der_put(out, DER_SET, (struct bytes){ NULL, 0 });
}

/* octets empty, crls n 0: the field is left out. */
static int
put_signed_data(struct buf *out, const struct x509_ca *ca, struct bytes octets, struct bytes leaf,
    const struct bytes *crls, size_t n_crls, struct err *e)
{
	size_t content_info = der_open(out, DER_SEQUENCE), content, data, mark;

	der_put_oid(out, OID_SIGNED_DATA);
	content = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	data = der_open(out, DER_SEQUENCE);
	der_put_int64(out, 1);
	put_empty_set(out); /* digestAlgorithms */
	mark = der_open(out, DER_SEQUENCE);
	der_put_oid(out, OID_DATA);
	if (octets.len > 0) {
		size_t explicit = der_open(out, DER_CONTEXT_CONSTRUCTED(0));

		der_put(out, DER_OCTET_STRING, octets);
		der_close(out, explicit);
	}
	der_close(out, mark);
	mark = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	/* Seen: root first, end entity last (captured CMC response of MS-WSTEP 4). */
	for (size_t i = x509_ca_chain_len(ca); i > 0; i--)
		buf_put_bytes(out, x509_ca_chain_der(ca, i - 1));
	buf_put_bytes(out, leaf);
	der_close(out, mark);
	if (n_crls > 0) {
		mark = der_open(out, DER_CONTEXT_CONSTRUCTED(1));
		for (size_t i = 0; i < n_crls; i++)
			buf_put_bytes(out, crls[i]);
		der_close(out, mark);
	}
	put_empty_set(out); /* signerInfos */
	der_close(out, data);
	der_close(out, content);
	der_close(out, content_info);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the certificate chain");
}

int
x509_ca_pkcs7_chain(const struct x509_ca *ca, struct bytes leaf, struct buf *out, struct err *e)
{
	return put_signed_data(out, ca, none, leaf, NULL, 0, e);
}

int
x509_ca_pkcs7_crls(
    const struct x509_ca *ca, const struct bytes *crls, size_t n, struct buf *out, struct err *e)
{
	return put_signed_data(out, ca, none, none, crls, n, e);
}

int
x509_ca_pkcs7_around(const struct x509_ca *ca, struct bytes content, const struct bytes *crls, size_t n,
    struct buf *out, struct err *e)
{
	return put_signed_data(out, ca, content, none, crls, n, e);
}
