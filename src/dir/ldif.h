/* LDIF content records (RFC 2849), as forests and templates are written. Change records and URLs are
 * refused; "changetype: add", which exports of ldifde have, is passed over.
 */
#ifndef ADCSD_DIR_LDIF_H
#define ADCSD_DIR_LDIF_H

#include "dir/dir.h"

#define LDIF_FILE_MAX (64u << 20)
#define LDIF_LINE_MAX (1u << 20) /* unfolded */

struct ldif_reader {
	const char *file; /* for messages */
	const char *p, *end;
	unsigned line;   /* of the next line, from 1 */
	struct buf text; /* the current unfolded line */
};

/* text is borrowed for the reader's life. */
void
ldif_reader_init(struct ldif_reader *r, const char *file, struct bytes text);
void
ldif_reader_fini(struct ldif_reader *r);
/* The next record, its values grouped by attribute, in the pool. *more is false at the end. Errors:
 * "file:line: ...". */
int
ldif_read(
    struct ldif_reader *r, struct pool *pool, struct dir_entry *out, bool *more, struct err *e) MUST_CHECK;
/* Appends a record, base64 where RFC 2849 asks for it. */
void
ldif_put(struct buf *out, const struct dir_entry *en);

#endif
