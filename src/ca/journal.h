/*
 * The journal: one JSON object per line in <state>/journal.jsonl, one line per operation. Bounded: a full
 * file becomes journal.1.jsonl and replaces the one before. Written when ca_flush() says so, never synced:
 * the database is what must survive, the journal explains it.
 */
#ifndef ADCSD_CA_JOURNAL_H
#define ADCSD_CA_JOURNAL_H

#include "base/buf.h"
#include "base/clock.h"

#define JOURNAL_RECORD_MAX (256 * 1024) /* longest record; a longer one is dropped with a log line */
#define JOURNAL_READ_MAX 1000           /* most records one read gives */
#define JOURNAL_ANSWER_MAX                                                                                   \
	(512 * 1024) /* octets after which a read stops early, at least one record long                      \
		      */

struct journal;

/* name: "journal" for <state>/journal.jsonl. */
struct journal *
journal_open(const char *state_dir, const char *name, uint64_t max_octets, const struct clock *clock,
    struct err *e) MUST_CHECK;
void
journal_close(struct journal *j);

/* Starts a record with id and times; append members with journal_put_*; journal_end() closes it. One at a
 * time. */
struct buf *
journal_begin(struct journal *j);
void
journal_end(struct journal *j);
/* Hands what is buffered to the kernel. */
void
journal_flush(struct journal *j);

/* ,"name":"value" with JSON escapes; a NULL value is left out. */
void
journal_put_text(struct buf *b, const char *name, const char *value);
void
journal_put_number(struct buf *b, const char *name, int64_t value);
/* Name and code: ,"hr":"0x80094012","hrName":"CERTSRV_E_TEMPLATE_DENIED" */
void
journal_put_hresult(struct buf *b, uint32_t hr);
/* JSON text that is ready. */
void
journal_put_raw(struct buf *b, const char *name, const char *json);
/* A JSON string with its quotes; anything that is not UTF-8 is replaced by '?'. */
void
json_put_string(struct buf *b, const char *s);

/*
 * Records with an id above `after`, oldest first, at most `limit` (JOURNAL_READ_MAX), as a JSON array in out;
 * latest: the last `limit` ones instead.
 */
int
journal_read(
    struct journal *j, uint64_t after, size_t limit, bool latest, struct buf *out, struct err *e) MUST_CHECK;
uint64_t
journal_last_id(const struct journal *j);

#endif
