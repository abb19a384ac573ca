/* ca.exchange, ca.kra.*, request.key: key archival for administrators. */
#include "ca/admin_priv.h"
#include "ca/archival.h"

/* The caller of a verb, lent to an operation of the fronts. */
static struct ca_caller
caller_of(const struct ca_admin *a)
{
	return (struct ca_caller){ .front = a->who.front,
		.peer = a->who.peer,
		.call = a->who.call,
		.token = a->who.token,
		.package = a->who.package,
		.privacy = a->who.privacy,
		.local_admin = a->who.local_admin };
}

static void
on_exchange(void *arg, struct bytes certificate, const struct err *e)
{
	struct ca_admin *a = arg;
	json_t *chain = json_array();

	if (e != NULL) {
		json_decref(chain);
		admin_fail(a, e);
		return;
	}
	json_array_append_new(chain, json_string(admin_base64(a->pool, certificate, true)));
	for (size_t i = 0; i < x509_ca_chain_len(a->ca->x509); i++)
		json_array_append_new(
		    chain, json_string(admin_base64(a->pool, x509_ca_chain_der(a->ca->x509, i), true)));
	admin_reply(a,
	    json_pack("{s:s?, s:s?, s:o}", "der", admin_base64(a->pool, certificate, false), "pem",
		admin_base64(a->pool, certificate, true), "chain", chain));
}

void
admin_ca_exchange(struct ca_admin *a)
{
	struct ca_caller who = caller_of(a);
	struct err e = { 0 };

	if (ca_exchange_get(a->ca, &who, on_exchange, a, &e) != 0)
		admin_fail(a, &e);
}
