/*
 * Attributes and extensions of one request, as Details.Lists holds them: one value for the row, since a row
 *for each of a dozen extensions costs the issuing path more than the request itself. Both lists are in the
 *order of their names, and a name occurs once (MS-CSRA 3.1.1.2, 3.1.1.3). An extension's value that stands in
 *the certificate is not written twice.
 *
 *	octet		1, the version
 *	number		attributes; each: number and octets of the name; number 0 (NULL) or 1 + length, and
 *octets of the value
 *	number		extensions; each: number and octets of the name; flags; length of the value; 0 and the
 *value, or 1 + offset in RawCertificate
 *
 * Numbers have 7 bits an octet, the lowest first, the high bit set where more follow.
 */
#ifndef ADCSD_STORE_LISTS_H
#define ADCSD_STORE_LISTS_H

#include "store/store.h"

#define STORE_LISTS_MAX (16u << 20)

struct store_entry {
	struct bytes name, value; /* lent by the packed octets and the certificate */
	bool set;
	uint32_t flags; /* extensions */
};
struct store_entries {
	struct store_entry *v;
	size_t n, room;
};
/* Zeroed before its first use; its memory is used again. */
struct store_lists {
	struct store_entries attributes, extensions;
};
void
store_lists_fini(struct store_lists *l);

/* E_INVALID_DATA where the octets are no such lists, or name what the certificate does not have. */
int
store_lists_parse(
    struct bytes packed, struct bytes certificate, struct store_lists *out, struct err *e) MUST_CHECK;
/* Leaves the extensions alone, for which the certificate is wanted. */
int
store_lists_parse_attributes(struct bytes packed, struct store_lists *out, struct err *e) MUST_CHECK;
/* The same into a row, everything in the pool. No octets: empty lists. */
int
store_lists_load(struct bytes packed, struct bytes certificate, struct pool *pool, struct store_row *row,
    struct err *e) MUST_CHECK;
/* The row's lists, appended; of several entries of one name the last. certificate: what the row will have, or
 * no octets. */
int
store_lists_pack(
    const struct store_row *row, struct bytes certificate, struct buf *out, struct err *e) MUST_CHECK;

void
store_put_number(struct buf *out, uint64_t n);
/* Moves in on. */
int
store_get_number(struct bytes *in, uint64_t *n, struct err *e) MUST_CHECK;
int
store_get_octets(struct bytes *in, uint64_t n, struct bytes *out, struct err *e) MUST_CHECK;

#endif
