/*
 * DCOM server (MS-DCOM): object exporter, activation, ORPC. Knows no class: svc registers rows. A class is a
 * CLSID and its interfaces; an interface is a table of struct rpc_method like any other, whose rows describe
 * only the method's own arguments (opnums 0 to 2 stay empty): ORPCTHIS and ORPCTHAT are read and written
 * here. Bodies get `args` and the class's ctx, and end in rpc_call_reply() or rpc_call_fault() as always.
 * Everything runs on the loop's thread.
 */
#ifndef ADCSD_DCOM_DCOM_H
#define ADCSD_DCOM_DCOM_H

#include "base/clock.h"
#include "rpc/rpc.h"

struct dcom;
struct dcom_object; /* one activation of a class: an OID, with an IPID for each interface asked for */

/* Rights of a class's launch and access permission (MS-DCOM 2.2.6, COM_RIGHTS_*). */
enum dcom_right {
	COM_RIGHTS_EXECUTE = 0x1,
	COM_RIGHTS_EXECUTE_REMOTE = 0x4,   /* access: calls */
	COM_RIGHTS_ACTIVATE_REMOTE = 0x10, /* launch: activation */
};

struct dcom_class {
	const char *name; /* "CCertRequestD" */
	struct guid clsid;
	/* What an object of the class answers to. Each table is whole: a derived interface repeats its base's
	 * rows. IUnknown needs none. */
	const struct rpc_interface *const *interfaces;
	unsigned n_interfaces;
	/* State of one object, as views opened on it; both NULL: objects have none. The object is freed when
	 * its last reference is released or its client stopped pinging, but never under a running call. */
	int (*object_new)(void *ctx, void **state, struct err *e);
	void (*object_free)(void *ctx, void *state);
};

/* Asked anew for each call, so that settings may change while the server runs. */
struct dcom_policy {
	/* Least level of activations and of calls on objects: PKT_INTEGRITY after KB5004442. */
	enum rpc_auth_level (*min_level)(void *ctx);
	/* May the caller (NULL: anonymous) do this to the class? -1 with the HRESULT to answer. */
	int (*check)(void *ctx, const struct dcom_class *cls, const struct token *caller,
	    enum dcom_right right, struct err *e);
	void *ctx;
};

struct dcom_config {
	const struct clock *clock; /* ping periods are virtual time */
	const char *dns_name;      /* of the host: FQDN; must outlive the server */
	bool kerberos;             /* named in the security bindings */
	struct dcom_policy policy;
	/* Documented maxima; 0 takes the default. */
	unsigned objects;            /* 100000 */
	unsigned objects_per_client; /* of one account, 20000 */
	unsigned ping_sets;          /* 1024, each of at most 1024 OIDs */
};

/* Offers IObjectExporter, IActivation and IRemoteSCMActivator on the endpoint mapper's port, IRemUnknown,
 * IRemUnknown2 and IClassFactory on the object port. Both ports must be freed before this. */
struct dcom *
dcom_new(const struct dcom_config *cfg, struct rpc_port *resolver, struct rpc_port *object,
    struct err *e) MUST_CHECK;
/* NULL is fine. */
void
dcom_free(struct dcom *d);
/* Offers the class for activation and its interfaces on the object port. cls and ctx must outlive d. An
 * interface may belong to several classes. */
int
dcom_register(struct dcom *d, const struct dcom_class *cls, void *ctx, struct err *e) MUST_CHECK;

/* Frees what nobody has pinged for too long. At the end of a turn of the loop. */
void
dcom_flush(struct dcom *d);
/* Virtual time of the next such moment; 0: none. */
filetime_t
dcom_next_due(const struct dcom *d);

/* ---- for bodies ---- */

/* The object that the call is for; lives until the call has ended. NULL for a call that came without one. */
struct dcom_object *
dcom_call_object(struct rpc_call *c);
/* What the class's object_new() made. */
void *
dcom_object_state(const struct dcom_object *o);

struct dcom_stats {
	unsigned objects, ipids, ping_sets;
	uint64_t activations, refused, collected; /* collected: for want of pings */
};
void
dcom_stats(const struct dcom *d, struct dcom_stats *out);

#endif
