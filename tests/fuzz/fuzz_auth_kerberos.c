/*
 * What is done to a Kerberos token and a client's name before and after MIT sees them: a frame goes and comes back as it was,
 * and no name grows.
 * Planted bug: ADCSD_PLANTED_BUG_AUTH_KERBEROS, the token id is compared without a look at the length.
 */
#include <stdlib.h>
#include <string.h>

#include "auth/kerberos_priv.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_frames(struct bytes in)
{
	struct bytes bare = in, framed, again;
	struct buf unused, room;
	struct err e;

	buf_init(&unused, 1);
	buf_init(&room, in.len + 64);
	if (kerberos_reframe(true, &bare, &unused, &e) != 0 || bare.len > in.len || unused.len != 0)
		abort();
	framed = bare;
	if (kerberos_reframe(false, &framed, &room, &e) != 0)
		abort();
	again = framed;
	if (bare.len > 0 && bare.p[0] == 0x6e &&
	    (framed.len <= bare.len || kerberos_reframe(true, &again, &unused, &e) != 0 || !bytes_equal(again, bare)))
		abort();
	buf_fini(&unused);
	buf_fini(&room);
}

static void
check_name(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *realm = NULL;
	size_t len = strlen(text);

	if (kerberos_split_name(text, &realm) && strlen(text) + 1 + strlen(realm) > len)
		abort();
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_frames((struct bytes){ data, size });
	check_name(data, size);
	return 0;
}
