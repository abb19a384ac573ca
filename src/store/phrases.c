#include "store/phrases.h"

#include <stdlib.h>
#include <string.h>

#include "store/lists.h"
#include "store/store_priv.h"

#define SEEN 4096   /* hashes of pieces that came once; a power of two */
#define PIECE_MIN 8 /* a shorter one costs no more than its number */

struct phrase {
	uint64_t hash;
	uint32_t id; /* 0: an empty slot */
	uint32_t len;
	char *text;
};

struct phrases {
	struct phrase *slots;
	size_t room; /* a power of two, at most half of it in use */
	size_t n;
	uint32_t highest;
	uint64_t seen[SEEN];
};

/* For telling pieces apart quickly; equality is what decides. */
static uint64_t
hash_of(const char *p, size_t n)
{
	uint64_t h = n * UINT64_C(0x9e3779b97f4a7c15), word;

	for (; n >= 8; p += 8, n -= 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
		h ^= h >> 32;
	}
	word = 0;
	memcpy(&word, p, n);
	h = (h ^ word) * UINT64_C(0xff51afd7ed558ccd);
	return h ^ h >> 29;
}

/* The piece's slot, or the empty one where it belongs. */
static struct phrase *
slot_of(const struct phrases *p, uint64_t hash, const char *text, size_t len)
{
	size_t at = hash & (p->room - 1);

	while (p->slots[at].id != 0 &&
	    (p->slots[at].hash != hash || p->slots[at].len != len ||
		memcmp(p->slots[at].text, text, len) != 0))
		at = (at + 1) & (p->room - 1);
	return &p->slots[at];
}

static int
grow(struct phrases *p)
{
	struct phrases bigger = { .room = p->room != 0 ? 2 * p->room : 256 };

	bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
	if (bigger.slots == NULL)
		return -1;
	for (size_t i = 0; i < p->room; i++) {
		struct phrase *x = &p->slots[i];

		if (x->id != 0)
			*slot_of(&bigger, x->hash, x->text, x->len) = *x;
	}
	free(p->slots);
	p->slots = bigger.slots;
	p->room = bigger.room;
	return 0;
}

static int
add(struct phrases *p, uint32_t id, const char *text, size_t len, struct err *e)
{
	uint64_t hash = hash_of(text, len);
	struct phrase *x;
	char *copy;

	if (p->n >= p->room / 2 && grow(p) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu phrases", p->n);
	x = slot_of(p, hash, text, len);
	if (x->id != 0)
		return 0;
	copy = malloc(len + 1);
	if (copy == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a phrase");
	memcpy(copy, text, len);
	*x = (struct phrase){ hash, id, (uint32_t)len, copy };
	p->n++;
	return 0;
}

struct phrases *
store_phrases_load(sqlite3 *db, struct err *e)
{
	struct phrases *p = calloc(1, sizeof(*p));
	sqlite3_stmt *st = NULL;
	int step, rc;

	if (p == NULL || grow(p) != 0) {
		store_phrases_free(p);
		ERR(e, E_OUTOFMEMORY, "no memory for phrases");
		return NULL;
	}
	rc = store_prepare(db, "SELECT PhraseId, Phrase FROM Phrases", &st, e);
	while (rc == 0 && (step = sqlite3_step(st)) != SQLITE_DONE) {
		const char *text = step == SQLITE_ROW ? (const char *)sqlite3_column_text(st, 1) : NULL;
		int64_t id = sqlite3_column_int64(st, 0);

		if (step != SQLITE_ROW)
			rc = store_sqlite_error(db, "reading the phrases", e);
		else if (text == NULL || id < 1 || id > INT32_MAX)
			rc = ERR(e, E_INVALID_DATA, "phrase %lld is none", (long long)id);
		else
			rc = add(p, (uint32_t)id, text, (size_t)sqlite3_column_bytes(st, 1), e);
		if (rc == 0 && p->highest < id)
			p->highest = (uint32_t)id;
	}
	sqlite3_finalize(st);
	if (rc == 0)
		return p;
	store_phrases_free(p);
	return NULL;
}

void
store_phrases_free(struct phrases *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->room; i++)
		free(p->slots[i].text);
	free(p->slots);
	free(p);
}

/* ---- packing ---- */

static int
learn_piece(struct phrases *p, sqlite3_stmt *learn, const char *text, size_t len, struct err *e)
{
	uint32_t id = p->highest + 1;
	int rc;

	sqlite3_bind_int64(learn, 1, id);
	sqlite3_bind_text(learn, 2, text, (int)len, SQLITE_STATIC);
	rc = sqlite3_step(learn) == SQLITE_DONE
	    ? 0
	    : store_sqlite_error(sqlite3_db_handle(learn), "storing a phrase", e);
	sqlite3_reset(learn);
	sqlite3_clear_bindings(learn);
	if (rc != 0 || add(p, id, text, len, e) != 0)
		return -1;
	p->highest = id;
	return 0;
}

static int
put_piece(
    struct phrases *p, sqlite3_stmt *learn, const char *text, size_t len, struct buf *out, struct err *e)
{
	uint64_t hash = hash_of(text, len), *seen = &p->seen[hash & (SEEN - 1)];
	const struct phrase *x = slot_of(p, hash, text, len);
	bool fits = len >= PIECE_MIN && len <= STORE_PHRASE_MAX && p->n < STORE_PHRASES_MAX;

	if (x->id == 0 && fits && learn != NULL && *seen == hash) {
		if (learn_piece(p, learn, text, len, e) != 0)
			return -1;
		x = slot_of(p, hash, text, len);
	}
	if (x->id != 0) {
		store_put_number(out, 2 * (uint64_t)x->id);
		return 0;
	}
	*seen = hash;
	store_put_number(out, 2 * (uint64_t)len + 1);
	buf_put(out, text, len);
	return 0;
}

/* Length of the first piece. */
static size_t
piece(const char *text, const char *end)
{
	for (const char *at = text; (at = memchr(at, ']', (size_t)(end - at))) != NULL; at++) {
		if (end - at > 2 && at[1] == ',' && at[2] == '[')
			return (size_t)(at + 2 - text);
	}
	return (size_t)(end - text);
}

int
store_phrases_pack(struct phrases *p, sqlite3_stmt *learn, const char *text, struct buf *out, struct err *e)
{
	const char *end = text + strlen(text);

	while (text < end) {
		size_t len = piece(text, end);

		if (put_piece(p, learn, text, len, out, e) != 0)
			return -1;
		text += len;
	}
	return buf_ok(out)
	    ? 0
	    : ERR(e, ESE_RECORD_TOO_BIG, "an explanation of more than %u octets", STORE_EXPLANATION_MAX);
}

/* ---- unpacking ---- */

static int
put_phrase(sqlite3_stmt *st, uint64_t id, struct buf *out, struct err *e)
{
	int rc = 0;

	sqlite3_bind_int64(st, 1, id > INT64_MAX ? 0 : (int64_t)id);
	if (sqlite3_step(st) == SQLITE_ROW)
		buf_put(out, sqlite3_column_text(st, 0), (size_t)sqlite3_column_bytes(st, 0));
	else
		rc = ERR(e, E_INVALID_DATA, "an explanation has the phrase %llu, which there is not",
		    (unsigned long long)id);
	sqlite3_reset(st);
	return rc;
}

static int
unpack(sqlite3_stmt *st, struct bytes packed, struct buf *out, struct err *e)
{
	while (packed.len > 0) {
		struct bytes own;
		uint64_t n;

		if (store_get_number(&packed, &n, e) != 0)
			return -1;
		if (n % 2 == 0) {
			if (put_phrase(st, n / 2, out, e) != 0)
				return -1;
			continue;
		}
		if (store_get_octets(&packed, n / 2, &own, e) != 0)
			return -1;
		buf_put_bytes(out, own);
	}
	return buf_ok(out) ? 0 : ERR(e, E_INVALID_DATA, "a stored explanation is too long");
}

int
store_phrases_unpack(sqlite3 *db, struct bytes packed, struct pool *pool, const char **out, struct err *e)
{
	sqlite3_stmt *st = NULL;
	struct buf text;
	int rc;

	if (store_prepare(db, "SELECT Phrase FROM Phrases WHERE PhraseId = ?1", &st, e) != 0)
		return -1;
	buf_init(&text, STORE_EXPLANATION_MAX);
	rc = unpack(st, packed, &text, e);
	*out = rc == 0 ? pool_strndup(pool, text.len > 0 ? (const char *)text.p : "", text.len) : NULL;
	if (rc == 0 && *out == NULL)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for an explanation");
	buf_fini(&text);
	sqlite3_finalize(st);
	return rc;
}
