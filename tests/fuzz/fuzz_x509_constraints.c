/* Name constraints as an administrator writes them, a line each, the excluded ones behind '-': what is taken, OpenSSL reads,
 * as many subtrees. */
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "x509/constraints.h"

#define MAX_LINES 32

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
compare(struct bytes der, size_t permitted, size_t excluded)
{
	const unsigned char *p = der.p;
	ASN1_VALUE *v = ASN1_item_d2i(NULL, &p, (long)der.len, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
	NAME_CONSTRAINTS *nc = (NAME_CONSTRAINTS *)v;

	if (nc == NULL || p != der.p + der.len)
		abort();
	if ((nc->permittedSubtrees == NULL ? 0 : (size_t)sk_GENERAL_SUBTREE_num(nc->permittedSubtrees)) != permitted ||
	    (nc->excludedSubtrees == NULL ? 0 : (size_t)sk_GENERAL_SUBTREE_num(nc->excludedSubtrees)) != excluded)
		abort();
	ASN1_item_free(v, ASN1_ITEM_rptr(NAME_CONSTRAINTS));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *lists[2][MAX_LINES];
	size_t n[2] = { 0, 0 };
	char *text = malloc(size + 1), *rest = text, *line;
	struct buf der;

	if (text == NULL)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		int excluded = *line == '-';

		if (*line != '\0' && n[excluded] < MAX_LINES)
			lists[excluded][n[excluded]++] = line + excluded;
	}
	buf_init(&der, 1 << 16);
	if (x509_name_constraints_put(&der, (struct x509_strings){ lists[0], n[0] },
		(struct x509_strings){ lists[1], n[1] }, NULL) == 0 &&
	    n[0] + n[1] > 0)
		compare(buf_bytes(&der), n[0], n[1]);
	buf_fini(&der);
	free(text);
	return 0;
}
