/* A stored request on its way back: what an officer resubmits (MS-CSRA 3.1.4.1.3). */
#include "ca/archive.h"
#include "ca/ca_priv.h"

/* What SetExtension left with the request. */
static int
load_officer_extensions(struct ca_request *r, struct err *e)
{
	const struct store_row *row = r->stored;
	struct policy_extension *list = pool_calloc(r->pool, row->n_extensions, sizeof(*list));
	size_t n = 0;

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
	for (size_t i = 0; i < row->n_extensions; i++) {
		const struct store_extension *x = &row->extensions[i];

		if ((x->flags & STORE_EXT_ORIGIN_MASK) != STORE_EXT_ORIGIN_ADMIN)
			continue;
		list[n++] = (struct policy_extension){ x->name, (x->flags & STORE_EXT_CRITICAL) != 0,
			(x->flags & STORE_EXT_DISABLED) != 0, x->value };
	}
	r->in.officer_extensions = list;
	r->in.n_officer_extensions = n;
	return 0;
}

int
ca_request_load(struct ca_request *r, uint32_t id, struct err *e)
{
	struct store_row *row = POOL_NEW(r->pool, struct store_row);
	const char *token;

	if (row == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the request");
	if (store_get(r->ca->store, id, r->pool, row, e) != 0)
		return -1;
	r->resubmits = store_long(row, Request_Disposition);
	if (r->resubmits != DB_DISP_PENDING && r->resubmits != DB_DISP_DENIED)
		return ERR(e, CERTSRV_E_BAD_REQUESTSTATUS, "request %u is neither pending nor denied", id);
	if (r->resubmits == DB_DISP_DENIED && (ca_roles(r->ca, &r->who) & CA_ACCESS_ADMIN) == 0)
		return ERR(e, CERTSRV_E_BAD_REQUESTSTATUS,
		    "request %u is denied, and %s is no CA administrator (MS-CSRA 3.1.4.1.3)", id,
		    ca_who_account(&r->who));
	token = store_text(row, Request_CallerToken);
	if (token == NULL)
		return ERR(e, CERTSRV_E_BAD_REQUESTSTATUS, "request %u was stored without its caller", id);
	r->requester = ca_token_from_json(token, e);
	if (r->requester == NULL)
		return -1;
	r->id = id;
	r->args.flags = store_long(row, Request_RequestType);
	r->args.attributes = store_text(row, Request_RequestAttributes);
	r->args.request = store_bytes(row, Request_RawRequest);
	r->submitted = row->v[Request_SubmittedWhen].n;
	r->partition = store_long(row, Request_CRLPartitionIndex);
	r->stored = row;
	/* the key was archived when the request came; what is stored has it no more */
	r->in.archived_for = ca_archived_for(store_text(row, Request_KeyRecoveryHashes));
	return load_officer_extensions(r, e);
}
