#include "svc/svc.h"

#include <stdlib.h>

#include "ca/ca.h"

struct svc {
	struct svc_epm *epm;
	struct svc_mgmt epm_mgmt, object_mgmt;
};

static int
offer_mapper(struct svc *s, struct rpc_port *port, struct err *e)
{
	if (rpc_port_add_interface(port, &svc_epm_interface, s->epm, e) != 0)
		return -1;
	return svc_epm_register(s->epm, &svc_epm_interface, NULL, rpc_port_number(port), e);
}

static int
offer_enrollment(struct svc *s, struct ca *ca, struct rpc_port *port, struct err *e)
{
	if (rpc_port_add_interface(port, &svc_icertpassage, ca, e) != 0)
		return -1;
	/* The interface answers all the same, with RPC_S_SERVER_UNAVAILABLE (MS-ICPR 3.2.4.1.1, note 7). */
	if ((ca_interface_flags(ca) & IF_NORPCICERTREQUEST) != 0)
		return 0;
	return svc_epm_register(s->epm, &svc_icertpassage, NULL, rpc_port_number(port), e);
}

/* Not told to the mapper: who asks for it has an endpoint already. */
static int
offer_management(struct svc_mgmt *m, const struct ca *ca, struct rpc_port *port, struct err *e)
{
	*m = (struct svc_mgmt){ .port = port, .dns_name = ca_dns_name(ca) };
	return rpc_port_add_interface(port, &svc_mgmt_interface, m, e);
}

struct svc *
svc_start(struct ca *ca, struct rpc_port *epm, struct rpc_port *object, struct err *e)
{
	struct svc *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->epm = svc_epm_new()) == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the services");
		goto fail;
	}
	if (offer_mapper(s, epm, e) != 0 || offer_enrollment(s, ca, object, e) != 0 ||
	    offer_management(&s->epm_mgmt, ca, epm, e) != 0 ||
	    offer_management(&s->object_mgmt, ca, object, e) != 0)
		goto fail;
	return s;
fail:
	svc_free(s);
	return NULL;
}

void
svc_free(struct svc *s)
{
	if (s == NULL)
		return;
	svc_epm_free(s->epm);
	free(s);
}
