/* Inside of the DCOM server: objects, their names on the wire, ping sets. */
#ifndef ADCSD_DCOM_DCOM_PRIV_H
#define ADCSD_DCOM_DCOM_PRIV_H

#include <sys/queue.h>

#include "dcom/dcom.h"
#include "idl/activation.h"
#include "idl/iobjectexporter.h"
#include "idl/iremunknown.h"

#define DCOM_CLASSES 16
#define DCOM_PORT_INTERFACES 12 /* bound on the object port */
#define DCOM_PUBLIC_REFS 5      /* given out with a reference, as Windows does */

/* MS-DCOM 3.1.2.2 */
#define DCOM_PING_PERIOD (2 * FILETIME_MINUTE)
#define DCOM_PING_TIMEOUT (3 * DCOM_PING_PERIOD)
#define DCOM_SET_OIDS 1024

/* ---- hash.c: nodes by keys of 16 random octets ---- */

struct dcom_node {
	struct dcom_node *next;
	uint8_t key[16];
};
struct dcom_hash {
	struct dcom_node **buckets;
	size_t n, n_buckets; /* n_buckets: a power of two */
};
/* -1 when memory is short. */
int
dcom_hash_add(struct dcom_hash *h, struct dcom_node *node) MUST_CHECK;
struct dcom_node *
dcom_hash_find(const struct dcom_hash *h, const uint8_t key[16]);
void
dcom_hash_remove(struct dcom_hash *h, struct dcom_node *node);
void
dcom_hash_fini(struct dcom_hash *h);

/* ---- object.c ---- */

/* A registered class. */
struct dcom_row {
	const struct dcom_class *cls;
	void *ctx;
};

/* Whose objects these are: counted by account, so that nobody takes all there is. */
struct dcom_client {
	LIST_ENTRY(dcom_client) entry;
	char *account;
	unsigned objects;
};

enum dcom_kind {
	DCOM_INSTANCE,
	DCOM_CLASS_OBJECT, /* answers to IClassFactory */
	DCOM_REM_UNKNOWN,  /* the exporter's one; never freed before the server */
};

/* An interface of an object (MS-DCOM 3.1.1.1). */
struct dcom_ipid {
	struct dcom_node node; /* first: found by it */
	LIST_ENTRY(dcom_ipid) entry;
	struct dcom_object *object;
	struct guid ipid;
	struct guid iid;
	const struct rpc_interface *iface;
	uint32_t public_refs, private_refs;
};

struct dcom_member;

struct dcom_object {
	struct dcom_node node; /* first: found by it */
	struct dcom *d;
	enum dcom_kind kind;
	uint64_t oid;
	const struct dcom_row *row; /* NULL: REM_UNKNOWN */
	void *state;
	struct dcom_client *client; /* NULL: REM_UNKNOWN */
	LIST_HEAD(, dcom_ipid) ipids;
	LIST_HEAD(, dcom_member) sets; /* ping sets that hold it */
	TAILQ_ENTRY(dcom_object) idle; /* of d->idle, while no set holds it */
	bool is_idle;
	filetime_t used, idle_since; /* last ORPC call; when it came into the queue */
	unsigned holds;              /* running calls */
	bool gone;                   /* out of every table; freed with the last hold */
};

struct dcom_set;
struct dcom_member {
	LIST_ENTRY(dcom_member) of_set, of_object;
	struct dcom_set *set;
	struct dcom_object *object;
};
struct dcom_set {
	TAILQ_ENTRY(dcom_set) entry; /* of d->sets, the one pinged longest ago first */
	uint64_t id;
	uint16_t sequence;
	filetime_t pinged;
	LIST_HEAD(, dcom_member) members;
	unsigned n_members;
};

struct dcom {
	struct dcom_config cfg;
	struct rpc_port *object_port;
	unsigned refs; /* the owner, and every object still held by a call */
	uint64_t oxid;
	struct dcom_row rows[DCOM_CLASSES];
	unsigned n_rows;
	struct rpc_interface bound[DCOM_PORT_INTERFACES]; /* what the port knows: IID and layer */
	unsigned n_bound;
	struct dcom_hash oids, ipids;
	TAILQ_HEAD(, dcom_object) idle; /* the one idle longest first */
	LIST_HEAD(, dcom_client) clients;
	TAILQ_HEAD(, dcom_set) sets;
	struct dcom_object *rem_unknown;
	struct guid rem_unknown_ipid;
	struct dcom_stats stats;
};

/* A new object without interfaces. Fails with E_OUTOFMEMORY when a limit is reached. row NULL: REM_UNKNOWN.
 */
struct dcom_object *
dcom_object_new(struct dcom *d, enum dcom_kind kind, const struct dcom_row *row, const char *account,
    struct err *e) MUST_CHECK;
/* Takes it out of every table; memory goes with the last running call. */
void
dcom_object_drop(struct dcom_object *o);
/* Something was done with it: its time begins anew. */
void
dcom_object_touch(struct dcom_object *o);
/* In or out of the queue of objects that no ping set holds. */
void
dcom_object_set_idle(struct dcom_object *o, bool idle);
struct dcom_ipid *
dcom_ipid_find(struct dcom *d, const struct guid *ipid);
struct dcom_object *
dcom_oid_find(struct dcom *d, uint64_t oid);
/* The IPID of an interface, made when it has none; `refs` public references more. NULL with E_NOINTERFACE. */
struct dcom_ipid *
dcom_object_query(struct dcom_object *o, const struct guid *iid, uint32_t refs, struct err *e) MUST_CHECK;
/* An IPID without references goes, and the object with its last one. */
void
dcom_ipid_release(struct dcom_ipid *i, uint32_t public_refs, uint32_t private_refs);
void
dcom_unref(struct dcom *d);

/* ---- ping.c ---- */

/* Win32 statuses. */
uint32_t
dcom_ping_simple(struct dcom *d, uint64_t set);
uint32_t
dcom_ping_complex(struct dcom *d, const struct or_complex_ping_in *in, uint64_t *set);
/* Takes the object out of every set. */
void
dcom_ping_forget(struct dcom_object *o);
void
dcom_ping_fini(struct dcom *d);

/* ---- bindings.c ---- */

/* DUALSTRINGARRAYs, in the call's pool; NULL when memory is short. Exporter bindings have ports. */
struct bytes *
dcom_bindings_resolver(const struct dcom *d, struct rpc_call *call, struct err *e) MUST_CHECK;
struct bytes *
dcom_bindings_exporter(const struct dcom *d, struct rpc_call *call, struct err *e) MUST_CHECK;
/* The OBJREF of an interface, in the call's pool. */
struct bytes *
dcom_objref(const struct dcom *d, struct rpc_call *call, const struct dcom_ipid *i, uint32_t public_refs,
    struct err *e) MUST_CHECK;

/* ---- interfaces; ctx: struct dcom * ---- */

extern const struct rpc_interface dcom_iobjectexporter, dcom_iactivation, dcom_iremotescmactivator;
extern const struct rpc_interface dcom_iunknown, dcom_iremunknown2, dcom_iclassfactory;
extern const struct rpc_object_layer dcom_layer;

static inline bool
dcom_version_ok(struct com_version v) /* MS-DCOM 1.7 */
{
	return v.major == COM_MAJOR_VERSION && v.minor <= COM_MINOR_VERSION;
}

#endif
