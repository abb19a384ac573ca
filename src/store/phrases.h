/*
 * Explanations are mostly the same sentences again. The table Phrases keeps each sentence that came twice,
 * and an explanation is a row of numbers and of what is its own: 4.6 KB become about 400 octets.
 *
 * An explanation is cut behind every "]," that a "[" follows, whatever it means. Packed, each piece is a
 * number: 2 * PhraseId, or 2 * length + 1 and the octets. Numbers are those of lists.h. Once the dictionary
 * is full it stays as it is.
 */
#ifndef ADCSD_STORE_PHRASES_H
#define ADCSD_STORE_PHRASES_H

#include <sqlite3.h>

#include "base/pool.h"

#define STORE_PHRASES_MAX 8192
#define STORE_PHRASE_MAX 1024 /* octets */
#define STORE_EXPLANATION_MAX (1u << 20)

struct phrases;

/* The committed dictionary; NULL on failure. */
struct phrases *
store_phrases_load(sqlite3 *db, struct err *e) MUST_CHECK;
void
store_phrases_free(struct phrases *p);
/* Packs text, appended. learn: an INSERT of (PhraseId, Phrase) that adds what came before already; NULL:
 * nothing is added. When its transaction is lost the dictionary must be loaded anew. */
int
store_phrases_pack(
    struct phrases *p, sqlite3_stmt *learn, const char *text, struct buf *out, struct err *e) MUST_CHECK;
/* In the pool. E_INVALID_DATA for octets that are no explanation. */
int
store_phrases_unpack(
    sqlite3 *db, struct bytes packed, struct pool *pool, const char **out, struct err *e) MUST_CHECK;

#endif
