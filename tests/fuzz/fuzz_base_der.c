/* DER: whatever the reader accepts, the writer makes again octet for octet. */
#include <stdlib.h>

#include "base/der.h"

#define DEPTH_MAX 40

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
same(struct buf *b, struct bytes raw)
{
	require(buf_ok(b) && bytes_equal(buf_bytes(b), raw));
	buf_reset(b);
}

/* The typed reader of the element's tag, if there is one, and back. */
static void
check_typed(const struct der_item *it, struct buf *b)
{
	struct der d = der_over(it->raw);
	struct bytes v;
	char text[OID_TEXT_MAX];
	uint8_t unused;
	filetime_t t;
	int64_t n;
	struct err e;
	bool flag;

	if (it->tag == DER_BOOLEAN && der_get_bool(&d, &flag, "fuzz", &e) == 0) {
		der_put_bool(b, flag);
		same(b, it->raw);
	} else if (it->tag == DER_INTEGER && der_get_int64(&d, &n, "fuzz", &e) == 0) {
		der_put_int64(b, n);
		same(b, it->raw);
	} else if (it->tag == DER_BIT_STRING && der_get_bits(&d, &v, &unused, "fuzz", &e) == 0) {
		der_put_bits(b, v, unused);
		same(b, it->raw);
	} else if (it->tag == DER_OID && der_get_oid(&d, &v, "fuzz", &e) == 0) {
		if (oid_to_text(v, text) && oid_from_text(b, text, &e) == 0)
			same(b, v);
		buf_reset(b); /* arcs past what the writer takes */
	} else if ((it->tag == DER_UTC_TIME || it->tag == DER_GENERALIZED_TIME) &&
	    der_get_time(&d, &t, "fuzz", &e) == 0) {
		der_put_time(b, t);
		require(buf_ok(b));
		d = der_over(buf_bytes(b));
		require(der_get_time(&d, &t, "fuzz", &e) == 0 && der_at_end(&d));
		buf_reset(b);
	}
}

static void
walk(struct der *d, struct buf *b, unsigned depth)
{
	while (!der_at_end(d)) {
		const uint8_t *before = d->p;
		struct der_item it;
		struct der inner;
		struct err e;

		if (der_next(d, &it, "fuzz", &e) != 0) {
			require(d->p == before && (e.hr == CRYPT_E_ASN1_EOD || e.hr == CRYPT_E_ASN1_BADTAG));
			return;
		}
		require(it.raw.p == before && it.raw.p + it.raw.len == d->p && it.body.p + it.body.len == d->p);
		der_put(b, it.tag, it.body);
		same(b, it.raw);
		check_typed(&it, b);
		inner = der_over(it.body);
		if ((it.tag & 0x20) != 0 && depth < DEPTH_MAX)
			walk(&inner, b, depth + 1);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der d = der_over((struct bytes){ data, size });
	struct buf b;

	buf_init(&b, size + 64);
	walk(&d, &b, 0);
	buf_fini(&b);
	return 0;
}
