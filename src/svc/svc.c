#include "svc/svc.h"

#include <stdlib.h>

#include "svc/dcom.h"

struct svc {
	struct svc_epm *epm;
	struct svc_mgmt epm_mgmt, object_mgmt;
	struct dcom *dcom;
	const struct rpc_port *ports[2];
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

static int
offer_dcom(struct svc *s, struct ca *ca, const struct clock *clock, struct rpc_port *resolver,
    struct rpc_port *object, struct err *e)
{
	struct dcom_config cfg = {
		.clock = clock,
		.dns_name = ca_dns_name(ca),
		.kerberos = rpc_server_offers_kerberos(rpc_port_server(object)),
		.policy = svc_dcom_policy(ca),
	};

	s->dcom = dcom_new(&cfg, resolver, object, e);
	if (s->dcom == NULL || dcom_register(s->dcom, &svc_ccertrequestd, ca, e) != 0)
		return -1;
	return dcom_register(s->dcom, &svc_ccertadmind, ca, e);
}

struct svc *
svc_start(
    struct ca *ca, const struct clock *clock, struct rpc_port *epm, struct rpc_port *object, struct err *e)
{
	struct svc *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->epm = svc_epm_new()) == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the services");
		goto fail;
	}
	if (offer_mapper(s, epm, e) != 0 || offer_enrollment(s, ca, object, e) != 0 ||
	    offer_dcom(s, ca, clock, epm, object, e) != 0 ||
	    offer_management(&s->epm_mgmt, ca, epm, e) != 0 ||
	    offer_management(&s->object_mgmt, ca, object, e) != 0)
		goto fail;
	s->ports[0] = epm;
	s->ports[1] = object;
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
	dcom_free(s->dcom);
	svc_epm_free(s->epm);
	free(s);
}

void
svc_flush(struct svc *s)
{
	dcom_flush(s->dcom);
}

filetime_t
svc_next_due(const struct svc *s)
{
	return dcom_next_due(s->dcom);
}

const struct rpc_interface *
svc_interface(const struct svc *s, unsigned i)
{
	static const struct dcom_class *const classes[] = { &svc_ccertrequestd, &svc_ccertadmind };
	const struct rpc_interface *f;

	for (size_t p = 0; p < ARRAY_LEN(s->ports); p++) {
		for (unsigned k = 0; (f = rpc_port_interface(s->ports[p], k)) != NULL; k++) {
			/* Management is served by both; objects' interfaces are the classes'. */
			if (f->layer != NULL || f->n_methods == 0 || (p > 0 && f == &svc_mgmt_interface))
				continue;
			if (i-- == 0)
				return f;
		}
	}
	for (size_t c = 0; c < ARRAY_LEN(classes); c++) {
		if (i < classes[c]->n_interfaces)
			return classes[c]->interfaces[i];
		i -= classes[c]->n_interfaces;
	}
	return NULL;
}
