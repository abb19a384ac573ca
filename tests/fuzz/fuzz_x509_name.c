/*
 * Distinguished names from text, and general names from requests. The first octet chooses: 'D' a DN, else a
 * subjectAltName value.
 */
#include <stdlib.h>
#include <string.h>

#include "x509/name.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A name that was read prints as text that reads as a name that prints the same. */
static void
read_dn(const char *dn)
{
	struct buf der, text, again;

	buf_init(&der, 1 << 16);
	buf_init(&text, 1 << 18);
	buf_init(&again, 1 << 18);
	if (x509_name_from_dn(&der, dn, NULL) == 0) {
		if (x509_name_to_text(&text, buf_bytes(&der), NULL) != 0)
			abort();
		buf_reset(&der);
		if (text.len < 16000 && x509_name_from_dn(&der, buf_cstr(&text), NULL) == 0) {
			if (x509_name_to_text(&again, buf_bytes(&der), NULL) != 0 ||
			    !bytes_equal(buf_bytes(&text), buf_bytes(&again)))
				abort();
		}
	}
	buf_fini(&der);
	buf_fini(&text);
	buf_fini(&again);
}

static void
read_san(struct bytes value)
{
	struct buf text;
	bool good = x509_san_check(value, NULL) == 0;

	buf_init(&text, 1 << 20);
	if (x509_san_to_text(&text, value, NULL) != 0 && good && buf_ok(&text))
		abort();
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *dn;

	if (size == 0)
		return 0;
	if (data[0] != 'D') {
		read_san((struct bytes){ data + 1, size - 1 });
		return 0;
	}
	dn = malloc(size);
	if (dn == NULL)
		return 0;
	memcpy(dn, data + 1, size - 1);
	dn[size - 1] = 0;
	read_dn(dn);
	free(dn);
	return 0;
}
