#include "dcom/dcom.h"

#include <stdlib.h>

#include "base/rng.h"
#include "dcom/dcom_priv.h"

/* Lets the port take binds to an object interface: what it names is found by the IPID of each call. */
static int
bind_interface(struct dcom *d, const struct rpc_interface *iface, struct err *e)
{
	for (unsigned i = 0; i < d->n_bound; i++) {
		if (guid_equal(&d->bound[i].uuid, &iface->uuid))
			return 0;
	}
	if (d->n_bound == DCOM_PORT_INTERFACES)
		return ERR(e, E_OUTOFMEMORY, "more than %d object interfaces", DCOM_PORT_INTERFACES);
	d->bound[d->n_bound] = (struct rpc_interface){
		.name = iface->name,
		.uuid = iface->uuid,
		.min_level = RPC_C_AUTHN_LEVEL_NONE, /* the layer judges */
		.layer = &dcom_layer,
	};
	if (rpc_port_add_interface(d->object_port, &d->bound[d->n_bound], d, e) != 0)
		return -1;
	d->n_bound++;
	return 0;
}

static int
make_rem_unknown(struct dcom *d, struct err *e)
{
	struct dcom_ipid *i;

	d->rem_unknown = dcom_object_new(d, DCOM_REM_UNKNOWN, NULL, NULL, e);
	if (d->rem_unknown == NULL)
		return -1;
	i = dcom_object_query(d->rem_unknown, &dcom_iremunknown2.uuid, 1, e);
	if (i == NULL)
		return -1;
	d->rem_unknown_ipid = i->ipid;
	return 0;
}

static int
offer(struct dcom *d, struct rpc_port *resolver, struct err *e)
{
	static const struct rpc_interface iremunknown = { .name = "IRemUnknown", .uuid = IREMUNKNOWN_UUID };

	return rpc_port_add_interface(resolver, &dcom_iobjectexporter, d, e) != 0 ||
		rpc_port_add_interface(resolver, &dcom_iactivation, d, e) != 0 ||
		rpc_port_add_interface(resolver, &dcom_iremotescmactivator, d, e) != 0 ||
		bind_interface(d, &iremunknown, e) != 0 || bind_interface(d, &dcom_iremunknown2, e) != 0 ||
		bind_interface(d, &dcom_iunknown, e) != 0 || bind_interface(d, &dcom_iclassfactory, e) != 0
	    ? -1
	    : 0;
}

struct dcom *
dcom_new(const struct dcom_config *cfg, struct rpc_port *resolver, struct rpc_port *object, struct err *e)
{
	struct dcom *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the DCOM server");
		return NULL;
	}
	d->cfg = *cfg;
	if (d->cfg.objects == 0)
		d->cfg.objects = 100000;
	if (d->cfg.objects_per_client == 0)
		d->cfg.objects_per_client = 20000;
	if (d->cfg.ping_sets == 0)
		d->cfg.ping_sets = 1024;
	d->object_port = object;
	d->refs = 1;
	TAILQ_INIT(&d->idle);
	LIST_INIT(&d->clients);
	TAILQ_INIT(&d->sets);
	do
		rng_system(&d->oxid, sizeof(d->oxid));
	while (d->oxid == 0);
	if (make_rem_unknown(d, e) != 0 || offer(d, resolver, e) != 0) {
		dcom_free(d);
		return NULL;
	}
	return d;
}

void
dcom_free(struct dcom *d)
{
	if (d == NULL)
		return;
	dcom_ping_fini(d);
	for (size_t b = 0; b < d->oids.n_buckets; b++) {
		while (d->oids.buckets[b] != NULL)
			dcom_object_drop((struct dcom_object *)(void *)d->oids.buckets[b]);
	}
	dcom_unref(d);
}

int
dcom_register(struct dcom *d, const struct dcom_class *cls, void *ctx, struct err *e)
{
	if (d->n_rows == DCOM_CLASSES)
		return ERR(e, E_OUTOFMEMORY, "more than %d classes", DCOM_CLASSES);
	for (unsigned i = 0; i < cls->n_interfaces; i++) {
		if (bind_interface(d, cls->interfaces[i], e) != 0)
			return -1;
	}
	d->rows[d->n_rows++] = (struct dcom_row){ cls, ctx };
	return 0;
}

void
dcom_stats(const struct dcom *d, struct dcom_stats *out)
{
	*out = d->stats;
}
