/* Change sequence numbers (OpenLDAP's contextCSN): how far a database, or a copy of it, has come. */
#ifndef ADCSD_DIR_CSN_H
#define ADCSD_DIR_CSN_H

#include <stdbool.h>
#include <stddef.h>

#define CSN_LEN 40 /* "20261123212118.628413Z#000000#000#000000": time, change, server, modification */
#define CSN_SERVERS 16

/* The newest number of each server. */
struct csn_set {
	char csn[CSN_SERVERS][CSN_LEN + 1];
	size_t n;
};

/* Takes one number in; what is not one, or older than what is known of its server, changes nothing. */
void
csn_set_add(struct csn_set *s, const char *csn, size_t len);
/* The numbers of a synchronisation cookie: "rid=000,csn=A;B". */
void
csn_set_add_cookie(struct csn_set *s, const char *cookie);
/* Is everything in `wanted` in `s`, or something newer of the same server? */
bool
csn_set_covers(const struct csn_set *s, const struct csn_set *wanted);

#endif
