/*
 * Services: method tables with their bodies, ready for rpc_port_add_interface(). They turn decoded arguments
 * into calls of the CA and decide nothing about certificates.
 */
#ifndef ADCSD_SVC_SVC_H
#define ADCSD_SVC_SVC_H

#include "base/clock.h"
#include "rpc/rpc.h"

struct ca;
struct svc;

/* Offers the endpoint mapper and DCOM activation on one port, the CA's interfaces on the other, and tells the
 * mapper about both; the management interface on each. clock: for what DCOM clients leave behind.
 * ICertPassage stays out of the map while IF_NORPCICERTREQUEST is set: clients then see EPT_S_NOT_REGISTERED.
 * The ports must be freed first, their calls refer to what this holds. */
struct svc *
svc_start(struct ca *ca, const struct clock *clock, struct rpc_port *epm, struct rpc_port *object,
    struct err *e) MUST_CHECK;
/* At the end of a turn of the loop. */
void
svc_flush(struct svc *s);
/* Virtual time of the next thing svc_flush() does by itself; 0: nothing is planned. */
filetime_t
svc_next_due(const struct svc *s);
/* Every interface with methods that is served, by index, IRemUnknown's aside; NULL past the last. */
const struct rpc_interface *
svc_interface(const struct svc *s, unsigned i);
/* NULL is fine. */
void
svc_free(struct svc *s);

/* ---- the parts ---- */

/* MS-ICPR. ctx: struct ca *. Open to every level: the CA judges inside the method (MS-ICPR 3.2.4.1.1). */
extern const struct rpc_interface svc_icertpassage;

/* Remote management (C706 appendix Q), for every port. ctx: struct svc_mgmt *. Open to every level: stopping
 * the server is refused to all. */
struct svc_mgmt {
	const struct rpc_port *port; /* whose interfaces and server it tells about */
	const char *dns_name;        /* of the host, for the principal name; must outlive the port */
};
extern const struct rpc_interface svc_mgmt_interface;

/* Endpoint mapper, for port 135. ctx: struct svc_epm *. */
extern const struct rpc_interface svc_epm_interface;

/* The endpoint map: which interface answers on which TCP port of this machine. */
struct svc_epm;

/* NULL when memory is short. */
struct svc_epm *
svc_epm_new(void);
/* NULL is fine. */
void
svc_epm_free(struct svc_epm *m);
/* Keeps iface; copies annotation (at most 63 octets, NULL for none). */
int
svc_epm_register(struct svc_epm *m, const struct rpc_interface *iface, const char *annotation, uint16_t port,
    struct err *e) MUST_CHECK;

#endif
