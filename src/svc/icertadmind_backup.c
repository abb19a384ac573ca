#include "svc/icertadmind_backup.h"

#include <string.h>

#include "base/text.h"
#include "ca/backup.h"
#include "svc/icertadmind.h"

#define NAMES_MAX (8u << 20)

void
svc_backup_gone(void *ctx, void *state)
{
	ca_backup_gone(ctx, state);
}

/* Operator, and InterfaceFlags. */
static int
may(const struct svc_admin_call *a, struct err *e)
{
	struct ca_caller who = svc_caller(a->call, SVC_ADMIN_FRONT);

	return svc_admin_gate(a, SVC_AUTHORITY_CA_OR_NONE, NULL, CA_ACCESS_OPERATOR, e) != 0
	    ? -1
	    : ca_backup_gate(a->ca, &who, e);
}

/* What every method begins with: NULL when the call has been answered. */
static struct svc_admin_call *
enter(struct rpc_call *call, struct ca *ca, size_t out_size, size_t result_offset)
{
	struct svc_admin_call *a = svc_admin_call_new(call, ca, out_size, result_offset);
	struct err e = { 0 };

	if (a == NULL || may(a, &e) == 0)
		return a;
	svc_admin_refuse(a, &e);
	return NULL;
}
#define ENTER(call, ca, out_struct) enter(call, ca, sizeof(out_struct), offsetof(out_struct, result))

/* Whom the session belongs to; NULL for a call that came without an object. */
static const void *
owner_of(struct rpc_call *call)
{
	struct dcom_object *o = dcom_call_object(call);

	return o != NULL ? dcom_object_state(o) : NULL;
}

static void
journal(struct svc_admin_call *a, const char *operation)
{
	struct ca_caller who = svc_caller(a->call, SVC_ADMIN_FRONT);

	ca_journal_operation(a->ca, &who, operation, NULL);
}

/* ---- the session ---- */

static void
on_prepared(void *arg, const struct err *e)
{
	if (e == NULL)
		journal(arg, "BackupPrepare");
	svc_admin_answer(arg, e);
}

static void
on_truncated(void *arg, const struct err *e)
{
	svc_admin_answer(arg, e);
}

/* MS-CSRA 3.1.4.1.18 */
void
svc_csra_backup_prepare(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_backup_prepare_in *in = args;
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_result_out);
	struct err e = { 0 };

	if (a == NULL)
		return;
	if (svc_admin_gate(a, SVC_AUTHORITY_CA, in->authority, 0, &e) == 0 &&
	    ca_backup_prepare(ctx, owner_of(call), in->grbit, on_prepared, a, &e) == 0)
		return;
	svc_admin_refuse(a, &e);
}

void
svc_csra_backup_end(struct rpc_call *call, void *args, void *ctx)
{
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_result_out);
	struct err e = { 0 };

	(void)args;
	if (a == NULL)
		return;
	if (ca_backup_end(ctx, owner_of(call), &e) != 0) {
		svc_admin_refuse(a, &e);
		return;
	}
	journal(a, "BackupEnd");
	svc_admin_end(a, S_OK);
}

void
svc_csra_backup_truncate_logs(struct rpc_call *call, void *args, void *ctx)
{
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_result_out);
	struct err e = { 0 };

	(void)args;
	if (a == NULL)
		return;
	if (ca_backup_truncate_logs(ctx, owner_of(call), on_truncated, a, &e) == 0)
		return;
	svc_admin_refuse(a, &e);
}

/* ---- names ---- */

/* UTF-16 in one piece, each name with its NUL; no names, no piece. */
static int
put_names(struct svc_admin_call *a, const char *const *names, size_t n, struct err *e)
{
	struct csra_backup_files_out *out = a->out;
	struct pool *pool = rpc_call_pool(a->call);
	struct bytes *files = POOL_NEW(pool, struct bytes);
	struct buf units;
	int rc = files != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for names");

	buf_init(&units, NAMES_MAX);
	for (size_t i = 0; i < n && rc == 0; i++) {
		rc = text_utf8_to_utf16le(&units, names[i], strlen(names[i]), e);
		buf_put_u16le(&units, 0);
	}
	if (rc == 0 && (!buf_ok(&units) || pool_dup_bytes(pool, buf_bytes(&units), files) != 0))
		rc = ERR(e, E_OUTOFMEMORY, "no memory for names");
	if (rc == 0 && n > 0) {
		out->files = files;
		out->units = (uint32_t)(files->len / 2);
	}
	buf_fini(&units);
	return rc;
}

/* MS-CSRA 3.1.4.1.20 */
void
svc_csra_backup_get_attachments(struct rpc_call *call, void *args, void *ctx)
{
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_backup_files_out);
	struct err e = { 0 };
	const char *name;

	(void)args;
	if (a == NULL)
		return;
	if (ca_backup_database(ctx, owner_of(call), rpc_call_pool(call), &name, &e) != 0 ||
	    put_names(a, &name, 1, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

/* MS-CSRA 3.1.4.1.21: "If there are no database log files" */
void
svc_csra_backup_get_logs(struct rpc_call *call, void *args, void *ctx)
{
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_backup_files_out);
	struct err e = { 0 };

	(void)args;
	if (a == NULL)
		return;
	if (ca_backup_logs(ctx, owner_of(call), &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

typedef int
list_fn(struct ca *ca, struct pool *pool, const char *const **out, size_t *n, struct err *e);

static void
list(struct rpc_call *call, struct ca *ca, list_fn *names_of)
{
	struct svc_admin_call *a = ENTER(call, ca, struct csra_backup_files_out);
	struct err e = { 0 };
	const char *const *names;
	size_t n;

	if (a == NULL)
		return;
	if (names_of(ca, rpc_call_pool(call), &names, &n, &e) != 0 || put_names(a, names, n, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

void
svc_csra_backup_get_dynamic_files(struct rpc_call *call, void *args, void *ctx)
{
	(void)args;
	list(call, ctx, ca_backup_dynamic_files);
}

void
svc_csra_restore_get_locations(struct rpc_call *call, void *args, void *ctx)
{
	(void)args;
	list(call, ctx, ca_restore_locations);
}

/* ---- files ---- */

void
svc_csra_backup_open_file(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_backup_open_file_in *in = args;
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_backup_open_file_out);
	struct csra_backup_open_file_out *out;
	struct err e = { 0 };

	if (a == NULL)
		return;
	out = a->out;
	if (ca_backup_open_file(ctx, owner_of(call), in->path, &out->length, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

/* The array has the size that was asked for, whatever was read: that is how the IDL declares it. */
static int
read_portion(struct svc_admin_call *a, uint32_t n, struct err *e)
{
	struct csra_backup_read_file_out *out = a->out;
	uint8_t *p;
	size_t got;

	if (n > CA_BACKUP_READ_MAX) /* negative ones, too */
		return ERR(e, E_INVALIDARG, "a portion has at most %u octets", CA_BACKUP_READ_MAX);
	p = pool_calloc(rpc_call_pool(a->call), 1, (size_t)n + 1);
	if (p == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %u octets", n);
	out->octets = (struct bytes){ p, n };
	if (ca_backup_read_file(a->ca, owner_of(a->call), p, n, &got, e) != 0)
		return -1;
	out->read = (uint32_t)got;
	return 0;
}

/* MS-CSRA 3.1.4.1.23 */
void
svc_csra_backup_read_file(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_backup_read_file_in *in = args;
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_backup_read_file_out);
	struct err e = { 0 };

	if (a == NULL)
		return;
	if (read_portion(a, in->count, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}

void
svc_csra_backup_close_file(struct rpc_call *call, void *args, void *ctx)
{
	struct svc_admin_call *a = ENTER(call, ctx, struct csra_result_out);
	struct err e = { 0 };

	(void)args;
	if (a == NULL)
		return;
	if (ca_backup_close_file(ctx, owner_of(call), &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_end(a, S_OK);
}
