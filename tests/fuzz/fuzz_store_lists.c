/*
 * Attributes, extensions and explanations as they lie in the database. What is taken is packed again, gives the same, and is
 * never longer than it has to be. Input: an octet: how much of the rest is the certificate, in 256ths; the certificate; the
 * packed lists, which are tried as an explanation too.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/lists.h"
#include "store/phrases.h"
#include "store/store_priv.h"

#define POOL_MAX (64u << 20)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
pack_again(const struct store_row *row, struct bytes certificate, struct pool *pool)
{
	struct store_row again;
	struct buf packed;
	struct err e = { 0 };

	buf_init(&packed, STORE_LISTS_MAX);
	assert(store_lists_pack(row, certificate, &packed, &e) == 0);
	assert(store_lists_load(buf_bytes(&packed), certificate, pool, &again, &e) == 0);
	assert(again.n_attributes <= row->n_attributes && again.n_extensions <= row->n_extensions);
	for (size_t i = 0; i < again.n_extensions; i++) {
		size_t k = row->n_extensions; /* of several of one name the last */

		while (strcmp(row->extensions[--k].name, again.extensions[i].name) != 0)
			assert(k > 0);
		assert(again.extensions[i].flags == row->extensions[k].flags);
		assert(bytes_equal(again.extensions[i].value, row->extensions[k].value));
	}
	buf_fini(&packed);
}

static void
try_explanation(struct bytes packed, struct pool *pool)
{
	static sqlite3 *db;
	struct err e = { 0 };
	const char *text;

	if (db == NULL) {
		assert(sqlite3_open(":memory:", &db) == SQLITE_OK);
		assert(store_exec(db,
			   "CREATE TABLE Phrases (PhraseId INTEGER PRIMARY KEY, Phrase TEXT NOT NULL);"
			   "INSERT INTO Phrases VALUES (1, '[[1,\"pass\"],'), (2, '[2,\"skipped\"]]')",
			   &e) == 0);
	}
	if (store_phrases_unpack(db, packed, pool, &text, &e) == 0)
		assert(strlen(text) <= STORE_EXPLANATION_MAX);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes certificate, packed;
	struct store_row row;
	struct pool *pool;
	struct err e = { 0 };

	if (size < 1)
		return 0;
	certificate = (struct bytes){ data + 1, (size - 1) * data[0] / 256 };
	packed = (struct bytes){ certificate.p + certificate.len, size - 1 - certificate.len };
	pool = pool_new(POOL_MAX);
	assert(pool != NULL);
	if (store_lists_load(packed, certificate, pool, &row, &e) == 0)
		pack_again(&row, certificate, pool);
	try_explanation(packed, pool);
	pool_free(pool);
	return 0;
}
