/* request.delete: MS-CSRA 3.1.4.2.18. */
#include "ca/admin_priv.h"

/* dwTable and dwFlags */
enum { CVRC_REQUESTS = 0, CVRC_EXTENSIONS = 0x3000, CVRC_ATTRIBUTES = 0x4000, CVRC_CRLS = 0x5000 };
enum { CDR_ROW = 0, CDR_EXPIRED = 1, CDR_NOT_ISSUED = 2 };

static const struct {
	int64_t table, flags;
	bool by_date;
	enum store_delete_what what;
} rules[] = {
	{ CVRC_REQUESTS, CDR_ROW, false, STORE_DELETE_REQUEST },
	{ CVRC_REQUESTS, CDR_EXPIRED, false, STORE_DELETE_REQUEST },
	{ CVRC_REQUESTS, CDR_NOT_ISSUED, false, STORE_DELETE_REQUEST },
	{ CVRC_REQUESTS, CDR_EXPIRED, true, STORE_DELETE_EXPIRED },
	{ CVRC_REQUESTS, CDR_NOT_ISSUED, true, STORE_DELETE_NOT_ISSUED },
	{ CVRC_EXTENSIONS, CDR_ROW, false, STORE_DELETE_EXTENSIONS },
	{ CVRC_ATTRIBUTES, CDR_ROW, false, STORE_DELETE_ATTRIBUTES },
	{ CVRC_CRLS, CDR_ROW, false, STORE_DELETE_CRL },
	{ CVRC_CRLS, CDR_EXPIRED, false, STORE_DELETE_CRL },
	{ CVRC_CRLS, CDR_ROW, true, STORE_DELETE_EXPIRED_CRLS },
	{ CVRC_CRLS, CDR_EXPIRED, true, STORE_DELETE_EXPIRED_CRLS },
};

static void
on_deleted(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;

	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, json_pack("{s:I}", "deleted", (json_int_t)a->deletion->deleted));
}

/* Exactly one of row and before. */
static int
read_key(struct ca_admin *a, struct store_deletion *d, bool *by_date, struct err *e)
{
	const char *before;
	int64_t row = 0;

	*by_date = admin_has(a, "before");
	if (admin_has(a, "row") && admin_number(a, "row", 0, UINT32_MAX, &row, e) != 0)
		return -1;
	if (*by_date == (row != 0))
		return ERR(e, E_INVALIDARG, "a row or a date, exactly one of them (MS-CSRA 3.1.4.2.18)");
	d->row = (uint32_t)row;
	if (!*by_date)
		return 0;
	if (admin_text(a, "before", &before, e) != 0)
		return -1;
	return filetime_from_text(before, &d->before) ? 0
						      : ERR(e, E_INVALIDARG, "'%.40s' is no time", before);
}

static int
read_what(struct ca_admin *a, bool by_date, enum store_delete_what *what, struct err *e)
{
	int64_t table, flags;

	if (admin_number(a, "table", 0, UINT32_MAX, &table, e) != 0 ||
	    admin_number(a, "flags", 0, UINT32_MAX, &flags, e) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		if (rules[i].table == table && rules[i].flags == flags && rules[i].by_date == by_date) {
			*what = rules[i].what;
			return 0;
		}
	}
	return ERR(e, E_INVALIDARG, "flags 0x%llx say nothing about rows of table 0x%llx %s",
	    (long long)flags, (long long)table, by_date ? "and a date" : "by their number");
}

static int
delete_start(struct ca_admin *a, struct err *e)
{
	struct store_deletion *d = POOL_NEW(a->pool, struct store_deletion);
	bool by_date;

	/* MS-CSRA 3.1.1.7: it takes both roles; the table has seen to the other one */
	if (ca_access_check(a->ca, &a->who, CA_ACCESS_OFFICER, e) != 0)
		return -1;
	if (d == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the deletion");
	if (read_key(a, d, &by_date, e) != 0 || read_what(a, by_date, &d->what, e) != 0)
		return -1;
	a->deletion = d;
	if (store_delete(a->ca->store, d, on_deleted, a, e) != 0)
		return -1;
	a->busy = true;
	a->ca->busy++;
	return 0;
}

void
admin_request_delete(struct ca_admin *a)
{
	struct err e = { 0 };

	if (delete_start(a, &e) != 0)
		admin_fail(a, &e);
}
