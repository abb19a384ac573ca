/* Signed requests as they come off the wire: read whole, their signers verified, the request inside used. */
#include <stdlib.h>

#include "x509/cms.h"
#include "x509/name.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the readers took, the others must be able to walk. */
static void
use_message(const struct x509_cms *cms, const struct x509_request *r, struct pool *pool, struct buf *text)
{
	const char *mail, *upn;

	if (cms->n_signers == 0 || cms->content.len == 0 || r->info.len == 0)
		abort();
	for (size_t i = 0; i < cms->n_certificates; i++) {
		const struct x509_certificate *c = &cms->certificates[i];

		if (x509_cms_find(cms, c->raw) == NULL)
			abort();
		(void)x509_cms_signed_by(cms, c);
		(void)!x509_name_to_text(text, c->subject, NULL);
		if (c->alt_names.len > 0)
			(void)!x509_san_addresses(c->alt_names, pool, &mail, &upn, NULL);
		for (size_t k = 0; k < c->usages.n; k++)
			buf_put_str(text, c->usages.v[k]);
	}
	for (size_t i = 0; i < cms->n_name_values; i++) {
		buf_put_str(text, cms->name_values[i].name);
		buf_put_str(text, cms->name_values[i].value);
	}
	(void)!x509_name_to_text(text, r->subject, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes raw = { data, size };
	struct pool *pool = pool_new(4 << 20);
	enum x509_cms_content type;
	struct x509_request r;
	struct x509_cms cms;
	struct buf text;
	struct err e;

	if (pool == NULL)
		return 0;
	buf_init(&text, 1 << 20);
	if (x509_cms_parse(&cms, &r, pool, raw, &e) == 0) {
		if (!x509_cms_sniff(raw, &type) || type != cms.type)
			abort();
		use_message(&cms, &r, pool, &text);
		(void)!x509_cms_verify(&cms, &r, &e);
	}
	buf_fini(&text);
	pool_free(pool);
	return 0;
}
