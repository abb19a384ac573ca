/* Archived keys out and in: ICertAdminD2::GetArchivedKey and ImportKey, whoever calls. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/archive.h"
#include "ca/audit.h"
#include "ca/officer.h"
#include "ca/signing_certs.h"

#define OPERATION_POOL_MAX (4u << 20)
#define ANSWER_MAX (1u << 20)
#define NO_REQUEST 0xffffffffu

struct operation {
	struct ca *ca;
	struct pool *pool;
	struct ca_who who;
	const char *name; /* in the journal */
	uint32_t id;
	struct store_row *row;
	ca_blob_fn *got;
	ca_done_fn *imported;
	void *arg;
	struct x509_ca *issuer;
	struct bytes answer;
	/* import */
	struct ca_archive archive;
	struct x509_certificate certificate;
	struct bytes key;
	struct store_row change;
	struct err e;
};

/* ---- beginning and end ---- */

static void
journal(const struct operation *o, const struct err *e)
{
	struct buf *b;

	if (o->ca->journal == NULL)
		return;
	if (e == NULL)
		ca_audit_key(o->ca, &o->who, strcmp(o->name, "request.importKey") == 0, o->id);
	b = journal_begin(o->ca->journal);
	journal_put_text(b, "front", o->who.front);
	journal_put_text(b, "peer", o->who.peer);
	journal_put_text(b, "call", o->who.call);
	journal_put_text(b, "caller", ca_who_account(&o->who));
	journal_put_text(b, "package", o->who.package);
	journal_put_text(b, "operation", o->name);
	journal_put_number(b, "request", o->id);
	journal_put_text(b, "verdict", e == NULL ? "done" : "refused");
	journal_put_hresult(b, e != NULL ? e->hr : 0);
	journal_put_text(b, "reason", e != NULL ? e->msg : NULL);
	journal_end(o->ca->journal);
}

static void
operation_free(struct operation *o)
{
	struct ca *ca = o->ca;

	ca_archive_fini(&o->archive);
	token_unref(o->who.token);
	pool_free(o->pool);
	free(o);
	ca_unref(ca);
}

static struct operation *
operation_new(struct ca *ca, const struct ca_caller *who, const char *name, struct err *e)
{
	struct operation *o = calloc(1, sizeof(*o));

	if (o == NULL || (o->pool = pool_new(OPERATION_POOL_MAX)) == NULL ||
	    ca_who_copy(&o->who, o->pool, who, e) != 0 ||
	    (o->row = POOL_NEW(o->pool, struct store_row)) == NULL) {
		if (o != NULL) {
			token_unref(o->who.token);
			pool_free(o->pool);
		}
		free(o);
		ERR(e, E_OUTOFMEMORY, "no memory for an archived key");
		return NULL;
	}
	o->ca = ca;
	o->name = name;
	ca_ref(ca);
	return o;
}

/* Refused before anything was started: -1. */
static int
refuse(struct operation *o, const struct err *e)
{
	journal(o, e);
	operation_free(o);
	return -1;
}

/* ---- out ---- */

static void
sign_job(void *arg)
{
	struct operation *o = arg;
	struct buf b;

	buf_init(&b, ANSWER_MAX);
	if (x509_ca_archived_key(o->issuer, store_bytes(o->row, Request_RawArchivedKey),
		store_bytes(o->row, Certificate_RawCertificate), o->id, &b, &o->e) == 0 &&
	    pool_dup_bytes(o->pool, buf_bytes(&b), &o->answer) != 0)
		ERR(&o->e, E_OUTOFMEMORY, "no memory for an archived key");
	buf_fini(&b);
}

static void
sign_done(void *arg)
{
	struct operation *o = arg;
	const struct err *e = o->e.hr != 0 ? &o->e : NULL;

	o->ca->busy--;
	journal(o, e);
	o->got(o->arg, o->answer, e);
	operation_free(o);
}

static int
get_row(struct operation *o, struct err *e)
{
	if (ca_access_check(o->ca, &o->who, CA_ACCESS_OFFICER, e) != 0 ||
	    store_get(o->ca->store, o->id, o->pool, o->row, e) != 0)
		return -1;
	return 0;
}

static int
check_key(const struct operation *o, struct err *e)
{
	if (store_long(o->row, Request_Disposition) != DB_DISP_ISSUED ||
	    store_bytes(o->row, Request_RawArchivedKey).len == 0)
		return ERR(
		    e, CERTSRV_E_PROPERTY_EMPTY, "request %u is not issued with an archived key", o->id);
	return 0;
}

/* Who may not decide about a request does not learn whether there is a key. */
static void
on_allowed(void *arg, const struct err *e)
{
	struct operation *o = arg;

	if (e == NULL && check_key(o, &o->e) == 0 &&
	    work_submit(o->ca->work, sign_job, sign_done, o, &o->e) == 0) {
		o->ca->busy++;
		return;
	}
	journal(o, e != NULL ? e : &o->e);
	o->got(o->arg, o->answer, e != NULL ? e : &o->e);
	operation_free(o);
}

int
ca_archived_key_get(
    struct ca *ca, const struct ca_caller *who, uint32_t request_id, ca_blob_fn *cb, void *arg, struct err *e)
{
	struct operation *o = operation_new(ca, who, "request.key", e);

	if (o == NULL)
		return -1;
	o->id = request_id;
	o->got = cb;
	o->arg = arg;
	if (get_row(o, e) != 0)
		return refuse(o, e);
	o->issuer = ca->x509;
	ca_officer_check(ca, &o->who, request_id, on_allowed, o);
	return 0;
}

/* ---- in ---- */

static void
on_stored(void *arg, const struct err *e)
{
	struct operation *o = arg;

	o->ca->busy--;
	journal(o, e);
	o->imported(o->arg, e);
	operation_free(o);
}

static void
import_job(void *arg)
{
	struct operation *o = arg;

	if (ca_archive_key(&o->archive, o->key, &o->certificate.key, o->pool, &o->answer, &o->e) != 0 &&
	    o->e.hr == NTE_BAD_PUBLIC_KEY)
		o->e.hr = E_INVALIDARG; /* MS-CSRA 3.1.4.2.16 */
}

static void
import_done(void *arg)
{
	struct operation *o = arg;

	o->ca->busy--;
	if (o->e.hr == 0) {
		store_set_long(&o->change, Request_RequestID, o->id);
		store_set_bytes(&o->change, Request_RawArchivedKey, o->answer);
		store_set_text(&o->change, Request_KeyRecoveryHashes, o->archive.agents.hashes);
		if (store_update(o->ca->store, &o->change, store_long(o->row, Request_Disposition), on_stored,
			o, &o->e) == 0) {
			o->ca->busy++;
			return;
		}
	}
	journal(o, &o->e);
	o->imported(o->arg, &o->e);
	operation_free(o);
}

/* A hash as people write it, as the column has it. */
static int
find_by_hash(struct operation *o, const char *text, struct err *e)
{
	const char *hex;
	struct buf sha1;
	int rc = -1;

	buf_init(&sha1, 20);
	if (text_parse_hex(&sha1, text, e) != 0 || sha1.len != 20)
		ERR(e, E_INVALIDARG, "'%.60s' is not a SHA-1 hash", text);
	else if ((hex = ca_spaced_hex(o->pool, sha1.p, sha1.len)) == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for a hash");
	else if (store_find_hash(o->ca->store, hex, &o->id, e) == 0)
		rc = 0;
	else if (e->hr == CERTSRV_E_PROPERTY_EMPTY)
		e->hr = E_INVALIDARG;
	buf_fini(&sha1);
	return rc;
}

static int
find_row(struct operation *o, const char *cert_hash, uint32_t flags, struct err *e)
{
	if (ca_access_check(o->ca, &o->who, CA_ACCESS_OFFICER, e) != 0)
		return -1;
	if ((o->id == 0 || o->id == NO_REQUEST) && cert_hash == NULL)
		return ERR(e, E_INVALIDARG, "neither a request id nor a certificate's hash is given");
	if (cert_hash != NULL && find_by_hash(o, cert_hash, e) != 0)
		return -1;
	if (store_get(o->ca->store, o->id, o->pool, o->row, e) != 0)
		return -1;
	if (store_bytes(o->row, Certificate_RawCertificate).len == 0)
		return ERR(e, E_INVALIDARG, "request %u has no certificate", o->id);
	if (store_bytes(o->row, Request_RawArchivedKey).len > 0 && flags != CA_IMPORT_OVERWRITE)
		return ERR(e, E_INVALIDARG, "request %u has an archived key", o->id);
	return x509_certificate_read(
	    &o->certificate, o->pool, store_bytes(o->row, Certificate_RawCertificate), e);
}

int
ca_archived_key_import(struct ca *ca, const struct ca_caller *who, uint32_t request_id, const char *cert_hash,
    uint32_t flags, struct bytes key, ca_done_fn *cb, void *arg, struct err *e)
{
	struct operation *o = operation_new(ca, who, "request.importKey", e);

	if (o == NULL)
		return -1;
	o->id = request_id;
	o->imported = cb;
	o->arg = arg;
	if (find_row(o, cert_hash, flags, e) != 0 ||
	    ca_archive_init(&o->archive, ca, o->id, false, o->pool, e) != 0)
		return refuse(o, e);
	if (pool_dup_bytes(o->pool, key, &o->key) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for a key");
		return refuse(o, e);
	}
	if (work_submit(ca->work, import_job, import_done, o, e) != 0)
		return refuse(o, e);
	ca->busy++;
	return 0;
}
