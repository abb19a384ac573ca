/* SDDL: what was read prints as text that reads the same, and is written as octets that print the same. */
#include <stdlib.h>
#include <string.h>

#include "auth/sd.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static void
print(const struct sd *sd, const struct sddl_domain *dom, struct buf *out)
{
	struct err e;

	buf_init(out, 8 * SD_WIRE_MAX);
	require(sd_to_sddl(sd, out, dom, &e) == 0);
	buf_cstr(out);
}

static void
check(const struct sd *sd, struct pool *pool, const struct sddl_domain *dom)
{
	struct buf text, again, wire;
	struct sd back;
	struct err e;

	print(sd, dom, &text);
	require(sd_from_sddl(&back, pool, (const char *)text.p, dom, &e) == 0);
	print(&back, dom, &again);
	require(bytes_equal(buf_bytes(&text), buf_bytes(&again)));
	buf_fini(&again);
	buf_init(&wire, SD_WIRE_MAX);
	if (sd_to_wire(sd, &wire, &e) == 0) {
		require(sd_from_wire(&back, pool, buf_bytes(&wire), &e) == 0);
		require(sd_to_wire(&back, &wire, &e) == 0 || e.hr == E_OUTOFMEMORY);
	} else {
		require(e.hr == E_INVALIDARG); /* an ACL over 64 KiB can be written as text only */
	}
	buf_fini(&wire);
	buf_fini(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(64 << 20);
	char *text = malloc(size + 1); /* exact, so that a step past the NUL shows */
	struct sddl_domain dom;
	struct err e;
	struct sd sd;

	require(sid_from_text(&dom.domain, "S-1-5-21-1-2-3", &e) == 0 && sid_from_text(&dom.root, "S-1-5-21-4-5-6", &e) == 0);
	if (pool != NULL && text != NULL) {
		memcpy(text, data, size);
		text[size] = '\0';
		if (sd_from_sddl(&sd, pool, text, &dom, &e) == 0)
			check(&sd, pool, &dom);
		else
			require(e.hr != 0);
	}
	free(text);
	pool_free(pool);
	return 0;
}
