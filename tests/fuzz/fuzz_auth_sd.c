/* Security descriptors as octets: what was read can be written, printed and read again, and checks end. */
#include <stdlib.h>
#include <string.h>

#include "auth/access.h"
#include "auth/restriction.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

/* Octets to descriptor to octets; the second time round nothing may change. */
static void
check_wire(const struct sd *sd, struct pool *pool)
{
	struct buf a, b;
	struct err e;
	struct sd again;

	buf_init(&a, SD_WIRE_MAX);
	buf_init(&b, SD_WIRE_MAX);
	require(sd_to_wire(sd, &a, &e) == 0);
	require(sd_from_wire(&again, pool, buf_bytes(&a), &e) == 0);
	require(sd_to_wire(&again, &b, &e) == 0);
	require(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
	buf_fini(&a);
	buf_fini(&b);
}

/* Everything printed is readable. Audit ACEs in a DACL go, so the texts settle from the second on. */
static void
check_sddl(const struct sd *sd, struct pool *pool)
{
	struct sd again = *sd;
	struct buf text[3];
	struct err e;

	for (int i = 0; i < 3; i++) {
		buf_init(&text[i], 8 * SD_WIRE_MAX);
		require(sd_to_sddl(&again, &text[i], NULL, &e) == 0);
		require(sd_from_sddl(&again, pool, buf_cstr(&text[i]), NULL, &e) == 0);
	}
	require(bytes_equal(buf_bytes(&text[1]), buf_bytes(&text[2])));
	for (int i = 0; i < 3; i++)
		buf_fini(&text[i]);
}

static void
check_access(struct sd *sd)
{
	struct token *t = token_new("u", "u", NULL, false);
	struct access_verdict v;
	uint32_t all;
	struct err e;

	require(t != NULL && token_add_well_known(t, 513, &e) == 0);
	v = access_check_control(sd, t, &GUID_ENROLL);
	require(v.granted || !v.no_dacl);
	v = access_check_ca(sd, t, CA_ACCESS_READ, &all);
	require(v.granted == ((all & CA_ACCESS_READ) != 0));
	access_map_generic_sd(sd);
	v = access_check(sd, t, 0x20094, &all);
	require(v.granted == ((all & 0x20094) == 0x20094));
	token_unref(t);
}

/* Entries of OfficerRights: what was read is written, and read again means the same people. */
static void
check_restrictions(const struct sd *sd, struct pool *pool)
{
	struct token *t = token_new("u", "u", NULL, false);
	const struct restriction *found, *again;
	struct restrictions one, two;
	struct buf wire;
	struct sd copy;
	struct err e;

	require(t != NULL && token_add_well_known(t, 513, &e) == 0);
	if (restrictions_from_sd(&one, pool, sd, &e) == 0) {
		require(restrictions_to_sd(&one, pool, &copy, &e) == 0);
		buf_init(&wire, SD_WIRE_MAX);
		require(sd_to_wire(&copy, &wire, &e) == 0);
		require(sd_from_wire(&copy, pool, buf_bytes(&wire), &e) == 0);
		require(restrictions_from_sd(&two, pool, &copy, &e) == 0 && one.n == two.n);
		found = restrictions_find(&one, t, t, "User", NULL);
		again = restrictions_find(&two, t, t, "User", NULL);
		require(found == NULL ? again == NULL : again - two.v == found - one.v);
		buf_fini(&wire);
	}
	token_unref(t);
}

/* Where a descriptor ends: no further than the octets go, and what comes before is all of it. */
static void
check_length(struct bytes in, struct pool *pool)
{
	struct err e;
	struct sd sd;
	size_t n;

	if (sd_wire_len(in, &n, &e) != 0)
		return;
	require(n <= in.len);
	if (sd_from_wire(&sd, pool, in, &e) == 0)
		require(sd_from_wire(&sd, pool, (struct bytes){ in.p, n }, &e) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(64 << 20);
	struct err e;
	struct sd sd;

	if (pool != NULL)
		check_length((struct bytes){ data, size }, pool);
	if (pool != NULL && sd_from_wire(&sd, pool, (struct bytes){ data, size }, &e) == 0) {
		check_wire(&sd, pool);
		check_sddl(&sd, pool);
		check_restrictions(&sd, pool);
		check_access(&sd);
	}
	pool_free(pool);
	return 0;
}
