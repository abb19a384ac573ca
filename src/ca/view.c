#include "ca/view.h"

#include "ca/ca_priv.h"
#include "ca/csra.h"
#include "ca/property.h"

#define READERS (CA_ACCESS_ADMIN | CA_ACCESS_OFFICER | CA_ACCESS_READ)

int
ca_view_gate(
    struct ca *ca, const struct ca_caller *who, const char *operation, const char *authority, struct err *e)
{
	struct ca_who w = { .front = who->front,
		.token = who->token,
		.privacy = who->privacy,
		.local_admin = who->local_admin };
	struct err why = { 0 };

	if (ca_admin_interface_check(ca, &w, &why) == 0 && ca_access_check(ca, &w, READERS, &why) == 0 &&
	    !ca_authority_matches(ca, authority))
		ERR(&why, E_INVALIDARG, "the authority '%.60s' is not this CA (MS-CSRA 3.1.4.1.1)",
		    authority != NULL ? authority : "");
	if (why.hr == 0)
		return 0;
	ca_journal_operation(ca, who, operation, &why);
	*e = why;
	return -1;
}

struct view *
ca_view_open(struct ca *ca, const struct ca_caller *who, const struct view_query *q, struct err *e)
{
	struct view *v = store_view_open(ca->store, q, e);

	ca_journal_operation(ca, who, "OpenView", v == NULL ? e : NULL);
	return v;
}

int
ca_view_lists(struct ca *ca, uint32_t id, struct pool *pool, struct store_row *out, struct err *e)
{
	if (id == 0)
		return ERR(e, E_INVALIDARG, "no request has the id 0 (MS-CSRA 3.1.4.1.11)");
	return store_get(ca->store, id, pool, out, e);
}
