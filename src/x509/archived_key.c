/* The private key beside a CMC request: its hash under the signature, and its removal from what is kept. */
#include "x509/cms_priv.h"

static const struct bytes attr_archived_key = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x0d");

int
x509_cms_check_key_hash(const struct x509_cms *cms, const struct x509_request *request, struct err *e)
{
	const struct bytes hash = request->encrypted_key_hash;
	enum x509_hash own;
	struct err ignored;

	if (hash.len == 0)
		return ERR(e, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL,
		    "the request brings a private key and not its hash (MS-WCCE 3.2.2.6.2.1.2.2)");
	if (x509_hash_check(X509_HASH_SHA1, cms->archived_key, hash, CRYPT_E_HASH_VALUE, "", &ignored) == 0)
		return 0;
	if (x509_request_hash(request, &own, e) != 0)
		return -1;
	return x509_hash_check(own, cms->archived_key, hash, CRYPT_E_HASH_VALUE,
	    "the hash is not that of the encrypted private key (MS-WCCE 3.2.2.6.2.1.2.2)", e);
}

/* ---- removal ---- */

/* Copies unsignedAttrs but for the archived key; nothing when nothing else is there. */
static int
copy_attributes(struct buf *out, struct bytes attributes, bool *found, struct err *e)
{
	struct der d = der_over(attributes), list, one;
	size_t start = out->len, mark = der_open(out, DER_CONTEXT_CONSTRUCTED(1));
	struct der_item item;
	struct bytes type;

	if (der_enter(&d, DER_CONTEXT_CONSTRUCTED(1), &list, "unsignedAttrs", e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		struct der peek = list;

		if (der_next(&list, &item, "Attribute", e) != 0 ||
		    der_enter(&peek, DER_SEQUENCE, &one, "Attribute", e) != 0 ||
		    der_get_oid(&one, &type, "attribute type", e) != 0)
			return -1;
		if (bytes_equal(type, attr_archived_key))
			*found = true;
		else
			buf_put_bytes(out, item.raw);
	}
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "no room for a request");
	if (out->len > mark)
		der_close(out, mark);
	else
		out->len = start;
	return 0;
}

static int
copy_signers(struct buf *out, struct bytes infos, bool *found, struct err *e)
{
	struct der d = der_over(infos), list, info;
	size_t set = der_open(out, DER_SET);
	struct der_item item;

	if (der_enter(&d, DER_SET, &list, "signerInfos", e) != 0)
		return -1;
	while (!der_at_end(&list)) {
		size_t seq = der_open(out, DER_SEQUENCE);

		if (der_enter(&list, DER_SEQUENCE, &info, "SignerInfo", e) != 0)
			return -1;
		while (!der_at_end(&info)) {
			bool last;

			if (der_next(&info, &item, "SignerInfo", e) != 0)
				return -1;
			last = item.tag == DER_CONTEXT_CONSTRUCTED(1) && der_at_end(&info);
			if (!last)
				buf_put_bytes(out, item.raw);
			else if (copy_attributes(out, item.raw, found, e) != 0)
				return -1;
		}
		der_close(out, seq);
	}
	der_close(out, set);
	return 0;
}

/* Everything is copied as it is but the last field, signerInfos. */
static int
copy_message(struct buf *out, struct bytes raw, bool *found, struct err *e)
{
	struct der d = der_over(raw), outer, explicit, data;
	size_t marks[3];
	struct der_item item;

	marks[0] = der_open(out, DER_SEQUENCE);
	if (der_enter(&d, DER_SEQUENCE, &outer, "ContentInfo", e) != 0 ||
	    der_expect(&outer, DER_OID, &item, "contentType", e) != 0)
		return -1;
	buf_put_bytes(out, item.raw);
	marks[1] = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	if (der_enter(&outer, DER_CONTEXT_CONSTRUCTED(0), &explicit, "content", e) != 0 ||
	    der_enter(&explicit, DER_SEQUENCE, &data, "SignedData", e) != 0)
		return -1;
	marks[2] = der_open(out, DER_SEQUENCE);
	while (!der_at_end(&data)) {
		if (der_next(&data, &item, "SignedData", e) != 0)
			return -1;
		if (!der_at_end(&data) || item.tag != DER_SET)
			buf_put_bytes(out, item.raw);
		else if (copy_signers(out, item.raw, found, e) != 0)
			return -1;
	}
	for (size_t i = 3; i > 0; i--)
		der_close(out, marks[i - 1]);
	return 0;
}

int
x509_cms_strip_archived_key(struct bytes raw, struct pool *pool, struct bytes *out, struct err *e)
{
	bool found = false;
	struct buf b;
	int rc;

	buf_init(&b, X509_REQUEST_MAX);
	rc = copy_message(&b, raw, &found, e);
	if (rc == 0 && !found)
		*out = raw;
	else if (rc == 0 && (!buf_ok(&b) || pool_dup_bytes(pool, buf_bytes(&b), out) != 0))
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a request");
	buf_fini(&b);
	return rc;
}
