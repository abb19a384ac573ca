/* Certificate requests as they come off the wire: wrapped or not, of any shape, read whole and proven. */
#include <stdlib.h>

#include "x509/ext.h"
#include "x509/name.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
use_names(const struct x509_request *r, struct pool *pool, struct buf *text)
{
	const struct x509_extension *san = x509_request_extension(r, OID_SUBJECT_ALT_NAME);

	/* What the parser took, the writers of text must take. */
	if (x509_name_to_text(text, r->subject, NULL) != 0 && buf_ok(text))
		abort();
	for (size_t i = 0; i < r->n_rdns; i++) {
		struct err e = { 0 };

		if (x509_rdn_text(pool, r->rdns[i].tag, r->rdns[i].value, &e) == NULL && e.hr != E_OUTOFMEMORY)
			abort();
	}
	if (san != NULL && x509_san_check(san->value, NULL) == 0 && x509_san_to_text(text, san->value, NULL) != 0 &&
	    buf_ok(text))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct x509_name_value words = { "CN", "browser" };
	struct pool *pool = pool_new(4 << 20);
	const char *challenge;
	struct x509_request r;
	struct bytes der;
	struct buf text;
	struct err e;

	if (pool == NULL)
		return 0;
	buf_init(&text, 1 << 20);
	if (x509_request_unwrap((struct bytes){ data, size }, pool, &der, &e) == 0) {
		if (x509_request_format(der) == X509_FORMAT_KEYGEN &&
		    x509_keygen_parse(&r, pool, der, &challenge, &e) == 0 &&
		    x509_keygen_subject(&r, pool, &words, 1, &e) == 0) {
			use_names(&r, pool, &text);
			(void)!x509_request_verify(&r, &e);
		}
		if (x509_request_parse(&r, pool, der, &e) == 0) {
			use_names(&r, pool, &text);
			(void)!x509_request_verify(&r, &e);
		}
	}
	buf_fini(&text);
	pool_free(pool);
	return 0;
}
