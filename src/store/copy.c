/* A copy of a database that is in use, and its log. A connection for each call: for any thread. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "store/store_priv.h"

static int
vacuum_into(sqlite3 *db, const char *to, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int rc = store_prepare(db, "VACUUM INTO ?1", &st, e);

	if (rc == 0 && (store_bind_text(st, 1, to) != SQLITE_OK || sqlite3_step(st) != SQLITE_DONE))
		rc = store_sqlite_error(db, "copying the database", e);
	sqlite3_finalize(st);
	return rc;
}

int
store_copy(const char *path, const char *to, struct err *e)
{
	/* SQLite takes an empty file as it is, with its mode */
	int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600), rc;
	sqlite3 *db = NULL;

	if (fd < 0)
		return ERR(e, E_FAIL, "%s: %s", to, strerror(errno));
	close(fd);
	rc = store_open_reader(path, &db, e);
	if (rc == 0)
		rc = vacuum_into(db, to, e);
	sqlite3_close(db);
	if (rc != 0)
		unlink(to);
	return rc;
}

int
store_checkpoint(const char *path, struct err *e)
{
	sqlite3 *db = NULL;
	int64_t n;
	int rc = 0;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		rc = ERR(e, E_FAIL, "%s: %s", path, db != NULL ? sqlite3_errmsg(db) : "no memory");
	/* a connection knows of the log once it has read; PASSIVE waits for nobody and holds nobody up */
	if (rc == 0)
		rc = store_scalar(db, "SELECT count(*) FROM sqlite_master", 0, &n, e);
	if (rc == 0 &&
	    sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) != SQLITE_OK)
		rc = store_sqlite_error(db, "moving the log into the database", e);
	sqlite3_close(db);
	return rc;
}
