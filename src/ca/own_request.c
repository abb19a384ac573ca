#include <stdlib.h>
#include <string.h>

#include "ca/exchange.h"

/* The CA asks itself: CA_Account_Name is its host's account. */
struct ca_request *
ca_own_request(struct ca *ca, const struct ca_caller *who, struct err *e)
{
	struct ca_request *r = calloc(1, sizeof(*r));
	char account[320];
	size_t n;

	if (r == NULL || (r->pool = pool_new(CA_REQUEST_POOL_MAX)) == NULL ||
	    ca_who_copy(&r->who, r->pool, who, e) != 0)
		goto fail;
	n = (size_t)snprintf(
	    account, sizeof(account), "%.60s\\%.255s$", dir_forest(ca->dir)->nb_domain, ca->short_host);
	for (char *p = strchr(account, '\\'); p != NULL && p < account + n; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
	r->ca = ca;
	r->requester = token_new(account, "", NULL, true);
	if (r->requester != NULL)
		return r;
fail:
	if (r != NULL) {
		token_unref(r->who.token);
		pool_free(r->pool);
	}
	free(r);
	ERR(e, E_OUTOFMEMORY, "no memory for a certificate of the CA's own");
	return NULL;
}

void
ca_own_request_free(struct ca_request *r)
{
	if (r == NULL)
		return;
	token_unref(r->who.token);
	token_unref(r->requester);
	ca_templates_unref(r->templates);
	pool_free(r->pool);
	free(r);
}
