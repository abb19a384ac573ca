/* Objects and their interfaces: OIDs, IPIDs, references (MS-DCOM 3.1.1.1). */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rng.h"
#include "dcom/dcom_priv.h"

static void
oid_key(uint64_t oid, uint8_t key[16])
{
	memset(key, 0, 16);
	set_u32le(key, (uint32_t)oid);
	set_u32le(key + 4, (uint32_t)(oid >> 32));
}

/* ---- clients ---- */

static struct dcom_client *
client_join(struct dcom *d, const char *account, struct err *e)
{
	struct dcom_client *c;

	LIST_FOREACH(c, &d->clients, entry)
	{
		if (strcmp(c->account, account) == 0)
			break;
	}
	if (c == NULL) {
		c = calloc(1, sizeof(*c));
		if (c == NULL || (c->account = strdup(account)) == NULL) {
			free(c);
			ERR(e, E_OUTOFMEMORY, "no memory for a client");
			return NULL;
		}
		LIST_INSERT_HEAD(&d->clients, c, entry);
	}
	if (c->objects >= d->cfg.objects_per_client) {
		ERR(e, E_OUTOFMEMORY, "%s has %u objects already", account, c->objects);
		return NULL;
	}
	c->objects++;
	return c;
}

static void
client_leave(struct dcom_client *c)
{
	if (c == NULL || --c->objects > 0)
		return;
	LIST_REMOVE(c, entry);
	free(c->account);
	free(c);
}

/* ---- objects ---- */

void
dcom_unref(struct dcom *d)
{
	if (--d->refs > 0)
		return;
	dcom_hash_fini(&d->oids);
	dcom_hash_fini(&d->ipids);
	free(d);
}

/* Nobody finds it any more and no call runs on it. */
static void
object_free(struct dcom_object *o)
{
	struct dcom *d = o->d;

	if (o->kind == DCOM_INSTANCE && o->row->cls->object_free != NULL)
		o->row->cls->object_free(o->row->ctx, o->state);
	free(o);
	dcom_unref(d);
}

void
dcom_object_set_idle(struct dcom_object *o, bool idle)
{
	if (o->is_idle) {
		TAILQ_REMOVE(&o->d->idle, o, idle);
		o->is_idle = false;
	}
	if (!idle || o->kind == DCOM_REM_UNKNOWN)
		return;
	o->idle_since = clock_now(o->d->cfg.clock);
	TAILQ_INSERT_TAIL(&o->d->idle, o, idle);
	o->is_idle = true;
}

void
dcom_object_touch(struct dcom_object *o)
{
	o->used = clock_now(o->d->cfg.clock);
	if (o->is_idle)
		dcom_object_set_idle(o, true);
}

struct dcom_object *
dcom_object_new(
    struct dcom *d, enum dcom_kind kind, const struct dcom_row *row, const char *account, struct err *e)
{
	struct dcom_object *o;

	if (d->stats.objects >= d->cfg.objects) {
		ERR(e, E_OUTOFMEMORY, "%u objects already", d->stats.objects);
		return NULL;
	}
	o = calloc(1, sizeof(*o));
	if (o == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for an object");
		return NULL;
	}
	o->d = d;
	o->kind = kind;
	o->row = row;
	LIST_INIT(&o->ipids);
	LIST_INIT(&o->sets);
	do
		rng_system(&o->oid, sizeof(o->oid));
	while (o->oid == 0 || dcom_oid_find(d, o->oid) != NULL);
	oid_key(o->oid, o->node.key);
	if (account != NULL && (o->client = client_join(d, account, e)) == NULL)
		goto fail;
	if (dcom_hash_add(&d->oids, &o->node) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for an object");
		goto fail;
	}
	if (kind == DCOM_INSTANCE && row->cls->object_new != NULL &&
	    row->cls->object_new(row->ctx, &o->state, e) != 0) {
		dcom_hash_remove(&d->oids, &o->node);
		goto fail;
	}
	d->refs++;
	d->stats.objects++;
	dcom_object_set_idle(o, true);
	dcom_object_touch(o);
	return o;
fail:
	client_leave(o->client);
	free(o);
	return NULL;
}

static void
ipid_drop(struct dcom_ipid *i)
{
	dcom_hash_remove(&i->object->d->ipids, &i->node);
	i->object->d->stats.ipids--;
	LIST_REMOVE(i, entry);
	free(i);
}

void
dcom_object_drop(struct dcom_object *o)
{
	struct dcom *d = o->d;
	struct dcom_ipid *i;

	assert(!o->gone);
	while ((i = LIST_FIRST(&o->ipids)) != NULL)
		ipid_drop(i);
	dcom_ping_forget(o);
	dcom_object_set_idle(o, false);
	dcom_hash_remove(&d->oids, &o->node);
	d->stats.objects--;
	client_leave(o->client);
	o->client = NULL;
	o->gone = true;
	if (o->holds == 0)
		object_free(o);
}

struct dcom_object *
dcom_oid_find(struct dcom *d, uint64_t oid)
{
	uint8_t key[16];

	oid_key(oid, key);
	return (struct dcom_object *)(void *)dcom_hash_find(&d->oids, key);
}

struct dcom_ipid *
dcom_ipid_find(struct dcom *d, const struct guid *ipid)
{
	uint8_t key[16];

	guid_to_wire(ipid, key);
	return (struct dcom_ipid *)(void *)dcom_hash_find(&d->ipids, key);
}

/* ---- interfaces ---- */

/* Which table answers to the IID; NULL: none. */
static const struct rpc_interface *
interface_find(const struct dcom_object *o, const struct guid *iid)
{
	static const struct guid iid_remunknown = IREMUNKNOWN_UUID;

	if (guid_equal(iid, &dcom_iunknown.uuid))
		return &dcom_iunknown;
	switch (o->kind) {
	case DCOM_CLASS_OBJECT:
		return guid_equal(iid, &dcom_iclassfactory.uuid) ? &dcom_iclassfactory : NULL;
	case DCOM_REM_UNKNOWN:
		return guid_equal(iid, &iid_remunknown) || guid_equal(iid, &dcom_iremunknown2.uuid)
		    ? &dcom_iremunknown2
		    : NULL;
	case DCOM_INSTANCE:
		break;
	}
	for (unsigned i = 0; i < o->row->cls->n_interfaces; i++) {
		if (guid_equal(iid, &o->row->cls->interfaces[i]->uuid))
			return o->row->cls->interfaces[i];
	}
	return NULL;
}

static struct dcom_ipid *
ipid_new(struct dcom_object *o, const struct guid *iid, const struct rpc_interface *iface, struct err *e)
{
	struct dcom_ipid *i = calloc(1, sizeof(*i));

	if (i == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for an interface");
		return NULL;
	}
	i->object = o;
	i->iid = *iid;
	i->iface = iface;
	do
		rng_system(i->node.key, sizeof(i->node.key));
	while (dcom_hash_find(&o->d->ipids, i->node.key) != NULL);
	guid_from_wire(&i->ipid, i->node.key);
	if (dcom_hash_add(&o->d->ipids, &i->node) != 0) {
		free(i);
		ERR(e, E_OUTOFMEMORY, "no memory for an interface");
		return NULL;
	}
	o->d->stats.ipids++;
	LIST_INSERT_HEAD(&o->ipids, i, entry);
	return i;
}

struct dcom_ipid *
dcom_object_query(struct dcom_object *o, const struct guid *iid, uint32_t refs, struct err *e)
{
	const struct rpc_interface *iface = interface_find(o, iid);
	char text[GUID_TEXT_MAX];
	struct dcom_ipid *i;

	if (iface == NULL) {
		ERR(e, E_NOINTERFACE, "%s has no interface %s",
		    o->row != NULL ? o->row->cls->name : "Remote Unknown", guid_to_text(iid, text));
		return NULL;
	}
	LIST_FOREACH(i, &o->ipids, entry)
	{
		if (guid_equal(&i->iid, iid))
			break;
	}
	if (i == NULL && (i = ipid_new(o, iid, iface, e)) == NULL)
		return NULL;
	i->public_refs = refs > UINT32_MAX - i->public_refs ? UINT32_MAX : i->public_refs + refs;
	return i;
}

void
dcom_ipid_release(struct dcom_ipid *i, uint32_t public_refs, uint32_t private_refs)
{
	struct dcom_object *o = i->object;

	if (o->kind == DCOM_REM_UNKNOWN)
		return; /* the exporter keeps it */
	i->public_refs -= public_refs < i->public_refs ? public_refs : i->public_refs;
	i->private_refs -= private_refs < i->private_refs ? private_refs : i->private_refs;
	if (i->public_refs > 0 || i->private_refs > 0)
		return;
	ipid_drop(i);
	if (LIST_EMPTY(&o->ipids))
		dcom_object_drop(o);
}

/* ---- for running calls ---- */

static void
object_release(void *held)
{
	struct dcom_object *o = held;

	if (--o->holds == 0 && o->gone)
		object_free(o);
}

/* Level, permission, IPID, in the order of MS-DCOM 3.1.1.5.4. */
static uint32_t
object_find(void *ctx, struct rpc_call *call, struct rpc_target *out, struct err *e)
{
	struct dcom *d = ctx;
	const struct dcom_policy *p = &d->cfg.policy;
	const struct guid *object = rpc_call_object(call);
	char text[GUID_TEXT_MAX];
	struct dcom_ipid *i;

	if (rpc_call_level(call) < p->min_level(p->ctx)) {
		ERR(e, E_ACCESSDENIED, "ORPC call at level %u, at least %u is asked for (KB5004442)",
		    rpc_call_level(call), p->min_level(p->ctx));
		return RPC_FAULT_ACCESS_DENIED;
	}
	i = object != NULL ? dcom_ipid_find(d, object) : NULL;
	if (i == NULL) {
		ERR(e, RPC_E_DISCONNECTED, "no interface %s (MS-DCOM 3.1.1.5.4)",
		    object != NULL ? guid_to_text(object, text) : "named");
		return e->hr;
	}
	if (i->object->row != NULL &&
	    p->check(p->ctx, i->object->row->cls, rpc_call_token(call), COM_RIGHTS_EXECUTE_REMOTE, e) != 0)
		return e->hr == E_ACCESSDENIED ? RPC_FAULT_ACCESS_DENIED : e->hr;
	dcom_object_touch(i->object);
	i->object->holds++;
	*out = (struct rpc_target){
		.iface = i->iface,
		.ctx = i->object->kind == DCOM_INSTANCE ? i->object->row->ctx : d,
		.held = i->object,
	};
	return 0;
}

static uint32_t
header_open(void *ctx, struct bytes stub, size_t *used, struct err *e)
{
	struct orpcthis t;

	(void)ctx;
	if (orpc_this_decode(stub, &t, used, e) != 0)
		return RPC_FAULT_BAD_STUB_DATA;
	if (!dcom_version_ok(t.version)) {
		ERR(e, RPC_E_VERSION_MISMATCH, "client has COM %u.%u", t.version.major, t.version.minor);
		return e->hr;
	}
	if (t.flags != 0) {
		ERR(e, RPC_E_INVALID_HEADER, "ORPCTHIS with flags 0x%08" PRIx32, t.flags);
		return e->hr;
	}
	return 0;
}

const struct rpc_object_layer dcom_layer = { object_find, header_open, orpc_that_encode, object_release };

struct dcom_object *
dcom_call_object(struct rpc_call *c)
{
	return rpc_call_held(c);
}

void *
dcom_object_state(const struct dcom_object *o)
{
	return o->state;
}
