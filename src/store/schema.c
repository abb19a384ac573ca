#include "store/store_priv.h"

/* Lists: lists.h; an explanation is a BLOB as phrases.h says, or plain TEXT. A request's id never comes
 * again, not even that of a deleted row. */
const char store_details_sql[] =
    "CREATE TABLE IF NOT EXISTS Details (RequestID INTEGER PRIMARY KEY, Lists BLOB, Explanation);"
    "CREATE TABLE IF NOT EXISTS Phrases (PhraseId INTEGER PRIMARY KEY, Phrase TEXT NOT NULL);"
    "CREATE TRIGGER IF NOT EXISTS RequestDeleted AFTER DELETE ON Requests BEGIN"
    " UPDATE Marks SET Value = max(Value, old.RequestID) WHERE Name = 'RequestID'; END;";

/* Tables beside Requests and Certificates, which come from columns.def. */
static const char other_tables[] =
    "CREATE TABLE CRLs ("
    " CRLRowId INTEGER PRIMARY KEY, CRLNumber INTEGER, CRLMinBase INTEGER, CRLNameId INTEGER, CRLCount "
    "INTEGER,"
    " CRLThisUpdate INTEGER, CRLNextUpdate INTEGER, CRLThisPublish INTEGER, CRLNextPublish INTEGER,"
    " CRLEffective INTEGER, CRLPropagationComplete INTEGER, CRLLastPublish INTEGER, CRLPublishAttempts "
    "INTEGER,"
    " CRLPublishFlags INTEGER, CRLPublishStatusCode INTEGER, CRLPublishError TEXT, CRLRawCRL BLOB,"
    " CRLPartitionIndex INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE Marks (Name TEXT PRIMARY KEY, Value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE Settings (Name TEXT PRIMARY KEY COLLATE NOCASE, Value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE UNIQUE INDEX CertificateSerial ON Certificates (SerialNumber);"
    "CREATE INDEX RequestDisposition ON Requests (Disposition, RequestID);"
    "INSERT INTO Marks VALUES ('RequestID', 0), ('CRLNumber', 0);";

/* Not every column that MS-CSRA calls indexed has one: each costs the issuing path something. Those that are
 * not late are added to older databases when they are opened. */
const struct store_index store_indexes[] = {
	/* most telling first: a view takes the first one that it has a value for */
	{ Certificate_SerialNumber, "CertificateSerial", false },
	{ Certificate_CertificateHash, "ByCertificateHash", true },
	{ Certificate_UPN, "ByUPN", true },
	{ Certificate_CommonName, "ByCommonName", true },
	{ Request_RequesterName, "ByRequesterName", true },
	{ Request_RevokedEffectiveWhen, "RequestByRevocation", false }, /* few have a value */
	{ Certificate_CertificateTemplate, "ByCertificateTemplate", true },
	{ Certificate_NotAfter, "ByNotAfter", true },
	{ Request_SubmittedWhen, "BySubmittedWhen", true },
	{ Request_ResolvedWhen, "ByResolvedWhen", true },
	{ Request_Disposition, "RequestDisposition", false }, /* the loop's thread goes by it */
	{ .name = NULL },
};

const char *const store_table_names[] = {
	[STORE_Request] = "Requests", [STORE_Certificate] = "Certificates"
};

static void
put_create_table(struct buf *out, enum store_part part)
{
	static const char *const types[] = { "INTEGER", "INTEGER", "BLOB", "TEXT" };
	const char *sep = "";

	buf_printf(out, "CREATE TABLE %s (", store_table_names[part]);
	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		const struct store_column_info *in = &store_columns[c];

		if (in->part != part)
			continue;
		/* the first column of a part is its key; string comparison in views ignores case */
		buf_printf(out, "%s%s %s%s", sep, in->name, types[in->type],
		    *sep == '\0'                                  ? " PRIMARY KEY"
			: in->type == STORE_STRING && in->indexed ? " COLLATE NOCASE"
								  : "");
		sep = ", ";
	}
	buf_put_str(out, ");");
}

void
store_sql_insert(struct buf *out, enum store_part part)
{
	const char *sep = "";
	int n = 0;

	buf_printf(out, "INSERT INTO %s (", store_table_names[part]);
	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		if (store_columns[c].part != part)
			continue;
		buf_printf(out, "%s%s", sep, store_columns[c].name);
		sep = ", ";
		n++;
	}
	buf_put_str(out, ") VALUES (?");
	while (--n > 0)
		buf_put_str(out, ", ?");
	buf_put_str(out, ")");
	if (part != STORE_Certificate)
		return;
	/* A certificate is written anew when a request that waited is issued. Not INSERT OR REPLACE: that
	 * would delete another row of the same serial number instead of failing. */
	buf_put_str(out, " ON CONFLICT (RequestID) DO UPDATE SET ");
	sep = "";
	for (int c = 0; c < STORE_COLUMN_COUNT; c++) {
		if (store_columns[c].part != part)
			continue;
		buf_printf(out, "%s%s = excluded.%s", sep, store_columns[c].name, store_columns[c].name);
		sep = ", ";
	}
}

void
store_sql_select(struct buf *out, bool details)
{
	for (int c = 0; c < STORE_COLUMN_COUNT; c++)
		buf_printf(out, "%s%s.%s", c == 0 ? "SELECT " : ", ",
		    store_columns[c].part == STORE_Request ? "r" : "c", store_columns[c].name);
	buf_printf(out, "%s FROM Requests r LEFT JOIN Certificates c ON c.RequestID = r.RequestID",
	    details ? ", d.Lists, d.Explanation" : "");
	if (details)
		buf_put_str(out, " LEFT JOIN Details d ON d.RequestID = r.RequestID");
}

static int
create_all(sqlite3 *db, struct err *e)
{
	struct buf sql;
	int rc;

	buf_init(&sql, 65536);
	buf_put_str(&sql, "BEGIN IMMEDIATE;");
	put_create_table(&sql, STORE_Request);
	put_create_table(&sql, STORE_Certificate);
	buf_put_str(&sql, other_tables);
	buf_put_str(&sql, store_details_sql);
	store_late_sql(&sql);
	buf_printf(&sql, "PRAGMA user_version = %d; COMMIT;", STORE_SCHEMA_VERSION);
	rc = store_exec(db, buf_cstr(&sql), e);
	buf_fini(&sql);
	return rc;
}

/* Partial ones: rows without a value take no room in them. */
static int
create_indexes(sqlite3 *db, struct err *e)
{
	struct buf sql;
	int rc;

	buf_init(&sql, 16384);
	for (const struct store_index *x = store_indexes; x->name != NULL; x++) {
		const struct store_column_info *in = &store_columns[x->column];

		if (x->late)
			continue;
		buf_printf(&sql, "CREATE INDEX IF NOT EXISTS %s ON %s (%s) WHERE %s IS NOT NULL;", x->name,
		    store_table_names[in->part], in->name, in->name);
	}
	rc = store_exec(db, buf_cstr(&sql), e);
	buf_fini(&sql);
	return rc;
}

int
store_schema_prepare(sqlite3 *db, const char *path, struct err *e)
{
	int64_t version;

	if (store_scalar(db, "PRAGMA user_version", 0, &version, e) != 0)
		return err_prefix(e, "%s", path);
	if (version > STORE_SCHEMA_VERSION)
		return ERR(e, E_FAIL,
		    "%s was written by a newer program: schema %lld, this one knows up to %d", path,
		    (long long)version, STORE_SCHEMA_VERSION);
	if (version < 0)
		return ERR(e, E_FAIL, "%s has no valid schema version (%lld)", path, (long long)version);
	if (version > 0 && version < STORE_SCHEMA_VERSION && store_upgrade(db, version, e) != 0)
		return err_prefix(e, "%s: cannot be upgraded", path);
	if (version == 0 && create_all(db, e) != 0)
		return err_prefix(e, "%s: cannot make the tables", path);
	if (create_indexes(db, e) != 0)
		return err_prefix(e, "%s: cannot make the indexes", path);
	return 0;
}
