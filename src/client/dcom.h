/* A client of DCOM: objects activated on another machine and called there (MS-DCOM 3.2). Everything blocks.
 */
#ifndef ADCSD_CLIENT_DCOM_H
#define ADCSD_CLIENT_DCOM_H

#include "client/link.h"

struct client_object;

struct client_activation {
	const char *host;
	uint16_t port; /* of the object resolver: the endpoint mapper's */
	struct client_auth auth;
	unsigned timeout_s;
	struct guid clsid, iid;
};

/* RemoteCreateInstance for one interface, then a connection to the object's exporter on the same host, bound
 * and authenticated at the level asked for or the one the exporter hints at, whichever is higher. The HRESULT
 * of a refusal is the server's. */
struct client_object *
client_object_activate(struct event_base *base, const struct client_activation *a, struct err *e) MUST_CHECK;
/* Releases the references (RemRelease), closes. NULL is fine. */
void
client_object_free(struct client_object *o);

/* A method by its tables, which say what stands behind ORPCTHIS and ORPCTHAT. *out is in the pool. */
int
client_object_call(struct client_object *o, const struct client_method *m, const void *args,
    struct pool *pool, void **out, struct err *e) MUST_CHECK;

/* Only the activation: what it costs, for who measures it. */
int
client_activate_only(struct event_base *base, const struct client_activation *a, struct err *e) MUST_CHECK;

/* ---- for whoever drives connections itself ---- */

/* Where the object's exporter listens, on the host it was activated on. */
uint16_t
client_object_port(const struct client_object *o);
const struct guid *
client_object_ipid(const struct client_object *o);
/* ORPCTHIS of a fresh causality: the front of every ORPC stub. */
void
client_orpcthis_put(struct buf *stub);

#endif
