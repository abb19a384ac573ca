/*
 * What the CA remembers: requests, certificates, their attributes and extensions, high-water marks, run-time
 * settings. SQLite in WAL mode, synchronous=FULL, one writer thread with group commit:
 * whatever is queued goes into one transaction, a savepoint per operation, and completions run after the
 * commit, on the loop's thread. Tables and columns carry AD CS's names (columns.def).
 */
#ifndef ADCSD_STORE_STORE_H
#define ADCSD_STORE_STORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/pool.h"

#define STORE_SCHEMA_VERSION 4
#define STORE_PAGE_MAX 1000 /* most rows one store_list() gives */

enum store_type { STORE_LONG, STORE_DATE, STORE_BINARY, STORE_STRING };
enum store_part { STORE_Request, STORE_Certificate };

/* Request_StatusCode, Certificate_SerialNumber, ... */
enum store_column {
#define STORE_COLUMN(part, name, id, type, indexed, max, display) part##_##name,
#include "store/columns.def"
#undef STORE_COLUMN
	STORE_COLUMN_COUNT
};

struct store_column_info {
	enum store_part part;
	const char *name;      /* "StatusCode": the SQLite name; AD CS's full name has "Request." before the
				  request part */
	const char *full_name; /* "Request.StatusCode", "SerialNumber" */
	uint32_t view_id;      /* MS-CSRA column id; 0: none */
	enum store_type type;
	bool indexed; /* as a view's schema says; not necessarily an index here */
	uint32_t max;
	const char *display;
};
extern const struct store_column_info store_columns[STORE_COLUMN_COUNT];

/* DB values of Request.Disposition (issuance.md section 1), not the CR_DISP_* of the wire. */
enum {
	DB_DISP_ACTIVE = 8,
	DB_DISP_PENDING = 9,
	DB_DISP_CA_CERT = 15, /* a certificate of the CA itself */
	DB_DISP_ISSUED = 20,
	DB_DISP_REVOKED = 21,
	DB_DISP_ERROR = 30,
	DB_DISP_DENIED = 31,
};

struct store_value {
	bool set;       /* false: NULL */
	int64_t n;      /* LONG (stored signed or unsigned, given back as put), DATE */
	struct bytes b; /* BINARY; STRING in UTF-8, followed by a NUL when read */
};
struct store_attribute {
	const char *name, *value;
};
struct store_extension {
	const char *name; /* dotted OID */
	uint32_t flags;   /* 1 critical, 2 disabled, origin << 16 (MS-CSRA 2.2.1.11) */
	struct bytes value;
};
#define STORE_EXT_CRITICAL 0x1u
#define STORE_EXT_DISABLED 0x2u
#define STORE_EXT_ORIGIN_REQUEST 0x10000u
#define STORE_EXT_ORIGIN_POLICY 0x20000u
#define STORE_EXT_ORIGIN_ADMIN 0x30000u
#define STORE_EXT_ORIGIN_IMPORTED 0x60000u
#define STORE_EXT_ORIGIN_MASK 0xffff0000u

/* One request with its certificate. Request_RequestID is the key. */
struct store_row {
	struct store_value v[STORE_COLUMN_COUNT];
	const struct store_attribute *attributes;
	size_t n_attributes;
	const struct store_extension *extensions;
	size_t n_extensions;
	const char *explanation; /* JSON; NULL: none */
};

void
store_set_long(struct store_row *r, enum store_column c, uint32_t v);
void
store_set_date(struct store_row *r, enum store_column c, filetime_t t);
void
store_set_bytes(struct store_row *r, enum store_column c, struct bytes v);
/* NULL leaves the column unset. */
void
store_set_text(struct store_row *r, enum store_column c, const char *s);
uint32_t
store_long(const struct store_row *r, enum store_column c); /* 0 when NULL */
const char *
store_text(const struct store_row *r, enum store_column c); /* NULL when NULL; rows that were read only */
struct bytes
store_bytes(const struct store_row *r, enum store_column c);

/* Unsets every column longer than its maximum; ESE_RECORD_TOO_BIG naming the first one when there was any. */
int
store_row_fit(struct store_row *r, struct err *e) MUST_CHECK;

/* ---- life ---- */

struct store;

/* Opens or makes path (0600). A database of a newer schema is refused with a message that says so. */
struct store *
store_open(const char *path, struct err *e) MUST_CHECK;
/* Commits what is queued and runs the completions. NULL is fine. */
void
store_close(struct store *s);

/* An eventfd, readable while completions wait. */
int
store_fd(const struct store *s);
void
store_drain(struct store *s);
/* Blocks until a completion waits: for shutting down and for tests. */
void
store_wait(struct store *s);

/* ---- writing ---- */

/*
 * Runs on the loop's thread after the commit (e NULL) or when the operation failed: E_ALREADY_EXISTS (request
 * id or serial number taken), CERTSRV_E_BAD_REQUESTSTATUS (update: the row's disposition was another one),
 * CERTSRV_E_PROPERTY_EMPTY (update: no such row), E_DISK_FULL when the commit failed; nothing of it is stored
 * then.
 */
typedef void
store_done_fn(void *arg, const struct err *e);

/* The next request id; counted in memory, never one that was acknowledged before, also after kill -9. Loop's
 * thread. */
uint32_t
store_next_request_id(struct store *s);

/* All three return 0 and run cb exactly once, or -1 and never. What they are handed must stay until cb runs.
 */
int
store_insert(
    struct store *s, const struct store_row *row, store_done_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* Changes the columns that are set in the row whose Request_RequestID is given and whose Disposition is
 * `expected`; attributes and extensions are replaced by name, the explanation when there is one. */
int
store_update(struct store *s, const struct store_row *row, uint32_t expected, store_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
/* Several new rows and a setting: all or none. */
int
store_insert_rows(struct store *s, const struct store_row *rows, size_t n, const char *name,
    const char *value, store_done_fn *cb, void *arg, struct err *e) MUST_CHECK;
enum store_delete_what {
	STORE_DELETE_REQUEST,      /* row: a request with everything of it */
	STORE_DELETE_EXPIRED,      /* before: requests whose certificates expired before it */
	STORE_DELETE_NOT_ISSUED,   /* before: waiting, failed and denied ones, last acted upon before it */
	STORE_DELETE_EXTENSIONS,   /* row: all of a request */
	STORE_DELETE_ATTRIBUTES,   /* row: all of a request */
	STORE_DELETE_CRL,          /* row: CRLRowId */
	STORE_DELETE_EXPIRED_CRLS, /* before: nextUpdate before it */
};
struct store_deletion {
	enum store_delete_what what;
	uint32_t row;
	filetime_t before;
	uint32_t deleted; /* set by cb's time: rows of the table named */
};
/* Deletes rows (MS-CSRA 3.1.4.2.18), by date only those without an archived key; none is no error. Their
 * numbers never come again. d stays until cb runs. */
int
store_delete(
    struct store *s, struct store_deletion *d, store_done_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* value NULL deletes. Both texts are borrowed until the answer. */
int
store_put_setting(struct store *s, const char *name, const char *value, store_done_fn *cb, void *arg,
    struct err *e) MUST_CHECK;

/* One row of the CRL table: MS-CSRA 3.1.1.4.1, the columns of its section 5000. Times of 0 are NULL. */
struct store_crl {
	uint32_t row_id;
	uint32_t number, min_base, name_id, count; /* min_base 0: a base CRL */
	filetime_t this_update, next_update, this_publish, next_publish, effective, propagation_complete,
	    last_publish;
	uint32_t publish_attempts, publish_flags, publish_status;
	const char *publish_error; /* NULL: none */
	struct bytes raw;
	uint32_t partition; /* 0 without partitions */
};

/* CPF_*, MS-CSRA 3.1.1.4.1 */
enum {
	CPF_BASE = 0x1,
	CPF_DELTA = 0x2,
	CPF_COMPLETE = 0x4,
	CPF_SHADOW = 0x8, /* the last delta after deltas were disabled */
	CPF_MANUAL = 0x40,
	CPF_LDAP_ERROR = 0x100,
	CPF_FILE_ERROR = 0x200,
};

/* Numbers of the next CRL and its row; counted in memory, above every one that was ever committed. Loop's
 * thread. */
uint32_t
store_next_crl_number(struct store *s);
uint32_t
store_next_crl_row(struct store *s);
/* Adds rows or, where the row id exists, replaces them; all or none. Base and delta of one publication go
 * together. With expired_before, rows whose nextUpdate lies before it are deleted (0: none). */
int
store_put_crls(struct store *s, const struct store_crl *rows, size_t n, filetime_t expired_before,
    store_done_fn *cb, void *arg, struct err *e) MUST_CHECK;

/* ---- reading: on a connection of its own, no transaction outlives a call; sees every acknowledged write
 * ---- */

/* Everything of one request, in the pool. CERTSRV_E_PROPERTY_EMPTY when there is none. */
int
store_get(
    struct store *s, uint32_t request_id, struct pool *pool, struct store_row *out, struct err *e) MUST_CHECK;
/* serial: lower-case hexadecimal as in the column. */
int
store_find_serial(struct store *s, const char *serial, uint32_t *request_id, struct err *e) MUST_CHECK;
/* hash: "aa bb ..", as in the column. */
int
store_find_hash(struct store *s, const char *hash, uint32_t *request_id, struct err *e) MUST_CHECK;

/* The oldest request of that disposition with an extension of that value; 0: none has. */
int
store_find_extension(struct store *s, uint32_t disposition, const char *oid, struct bytes value,
    uint32_t *request_id, struct err *e) MUST_CHECK;

struct store_query {
	uint32_t disposition; /* 0: any */
	uint32_t after;       /* rows behind this id in the order asked for; 0: from the start */
	bool newest_first;
	size_t limit; /* 1..STORE_PAGE_MAX */
};
/* A page of rows by key, without attributes, extensions and explanation. */
int
store_list(struct store *s, const struct store_query *q, struct pool *pool, struct store_row **rows,
    size_t *n, struct err *e) MUST_CHECK;
/* In the pool; *value NULL when it is not set. */
int
store_get_setting(
    struct store *s, const char *name, struct pool *pool, const char **value, struct err *e) MUST_CHECK;
/* Every row of the CRL table by row id; raw only where it is asked for. */
int
store_list_crls(struct store *s, bool raw, struct pool *pool, struct store_crl **rows, size_t *n,
    struct err *e) MUST_CHECK;

struct store_revoked {
	const char *serial; /* lower-case hexadecimal */
	filetime_t effective, revoked_when, not_after;
	uint32_t reason; /* 0xffffffff: released from hold */
	bool publish_expired;
	uint32_t issuer; /* IssuerNameId: key index << 16 | certificate index */
	uint32_t partition;
};
/* Certificates that a CRL may name, by request id: revoked ones and those released from hold whose date has
 * come. */
int
store_list_revoked(struct store *s, filetime_t now, struct pool *pool, struct store_revoked **rows, size_t *n,
    struct err *e) MUST_CHECK;
/* Rows by disposition, for statistics. */
int
store_count(struct store *s, uint32_t disposition, uint64_t *n, struct err *e) MUST_CHECK;

/* ---- whole files, by path; on any thread, beside an open store ---- */

/* What is committed, as one file of its own without a log. `to` must not exist; it is made with mode 0600. */
int
store_copy(const char *path, const char *to, struct err *e) MUST_CHECK;
/* Moves what the log has into the database as far as no reader is in the way, so that the log begins anew. */
int
store_checkpoint(const char *path, struct err *e) MUST_CHECK;

struct store_stats {
	uint64_t commits, operations, failed_commits;
	unsigned largest_batch;
};
void
store_get_stats(struct store *s, struct store_stats *out);
/* From now on every commit fails with this code, after its work was done; 0: no longer. To try what a full
 * disk does. */
void
store_set_failure(struct store *s, uint32_t hr);

#endif
