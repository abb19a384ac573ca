#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rng.h"
#include "rpc/server.h"

/* Descriptors the rest of the process needs: directory, database, control socket, other listeners. */
#define OTHER_OPEN_FILES 256

static void
limits_default(struct rpc_limits *l)
{
	static const struct rpc_limits defaults = {
		.connections = 8192,
		.half_open = 256,
		.contexts = 64,
		.security_contexts = 32,
		.calls = 64,
		.request_max = 4u << 20, /* MS-RPCE 3.3.3.5.4 */
		.bind_timeout_s = 30,
		.idle_timeout_s = 600,
	};

#define DEFAULT(field)                                                                                       \
	if (l->field == 0)                                                                                   \
	l->field = defaults.field
	DEFAULT(connections);
	DEFAULT(half_open);
	DEFAULT(contexts);
	DEFAULT(security_contexts);
	DEFAULT(calls);
	DEFAULT(request_max);
	DEFAULT(bind_timeout_s);
	DEFAULT(idle_timeout_s);
#undef DEFAULT
}

struct rpc_server *
rpc_server_new(const struct rpc_config *cfg, struct err *e)
{
	struct rpc_server *s = calloc(1, sizeof(*s));
	struct err ignored;

	if (s == NULL) {
		ERR(e, E_OUTOFMEMORY, "RPC server");
		return NULL;
	}
	s->cfg = *cfg;
	limits_default(&s->cfg.limits);
	LIST_INIT(&s->ports);
	LIST_INIT(&s->delayed);
	TAILQ_INIT(&s->evictable);
	TAILQ_INIT(&s->settled);
	/* Not fatal: accept() says when descriptors really run out. */
	if (net_raise_open_files(s->cfg.limits.connections + OTHER_OPEN_FILES, &ignored) != 0)
		log_warn(rpc, "limit of %u connections: %s", s->cfg.limits.connections, ignored.msg);
	return s;
}

void
rpc_server_free(struct rpc_server *s)
{
	struct rpc_port *p;

	if (s == NULL)
		return;
	rpc_tcp_close_links(s);
	rpc_mishap_drop_delayed(s);
	while ((p = LIST_FIRST(&s->ports)) != NULL) {
		LIST_REMOVE(p, entry);
		rpc_tcp_close_port(p);
		free(p);
	}
	free(s);
}

struct rpc_port *
rpc_port_new(struct rpc_server *s, uint16_t number, struct err *e)
{
	struct rpc_port *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		ERR(e, E_OUTOFMEMORY, "RPC port %u", number);
		return NULL;
	}
	p->server = s;
	p->number = number;
	snprintf(p->sec_addr, sizeof(p->sec_addr), "%u", number);
	LIST_INIT(&p->assocs);
	/* Group ids only have to be known to their members; starting anywhere makes a stale one of an earlier
	 * run unlikely to match. */
	rng_system(&p->next_assoc, sizeof(p->next_assoc));
	LIST_INSERT_HEAD(&s->ports, p, entry);
	return p;
}

struct rpc_port *
rpc_server_add_port(struct rpc_server *s, int fd, struct err *e)
{
	uint16_t number = net_local_port(fd);
	struct rpc_port *p;

	if (number == 0) {
		ERR(e, E_INVALIDARG, "descriptor %d is not a bound TCP socket", fd);
		return NULL;
	}
	p = rpc_port_new(s, number, e);
	if (p == NULL)
		return NULL;
	if (rpc_tcp_listen(p, fd, e) != 0) {
		LIST_REMOVE(p, entry);
		free(p);
		return NULL;
	}
	return p;
}

int
rpc_port_add_interface(struct rpc_port *p, const struct rpc_interface *iface, void *ctx, struct err *e)
{
	if (p->n_bindings == RPC_PORT_INTERFACES)
		return ERR(
		    e, E_OUTOFMEMORY, "port %u has %u interfaces already", p->number, RPC_PORT_INTERFACES);
	p->bindings[p->n_bindings++] = (struct rpc_binding){ iface, ctx };
	return 0;
}

void
rpc_server_on_call(struct rpc_server *s,
    void (*fn)(void *arg, const struct rpc_mishap_target *, struct rpc_mishap *out), void *arg)
{
	s->on_call = fn;
	s->on_call_arg = arg;
}

uint16_t
rpc_port_number(const struct rpc_port *p)
{
	return p->number;
}

const struct rpc_interface *
rpc_port_interface(const struct rpc_port *p, unsigned i)
{
	return i < p->n_bindings ? p->bindings[i].iface : NULL;
}

bool
rpc_server_offers_kerberos(const struct rpc_server *s)
{
	return s->cfg.authority->kerberos != NULL;
}

const struct rpc_server *
rpc_port_server(const struct rpc_port *p)
{
	return p->server;
}

const struct rpc_binding *
rpc_port_find(const struct rpc_port *p, const struct rpc_syntax *abstract)
{
	for (unsigned i = 0; i < p->n_bindings; i++) {
		const struct rpc_interface *f = p->bindings[i].iface;

		if (guid_equal(&f->uuid, &abstract->uuid) && f->major == abstract->major &&
		    f->minor >= abstract->minor)
			return &p->bindings[i];
	}
	return NULL;
}

struct rpc_assoc *
rpc_assoc_join(struct rpc_port *p, uint32_t id, const uint8_t host[16], struct err *e)
{
	struct rpc_assoc *a;

	if (id != 0) {
		for (a = LIST_FIRST(&p->assocs); a != NULL; a = LIST_NEXT(a, entry)) {
			if (a->id == id && memcmp(a->host, host, sizeof(a->host)) == 0) {
				a->refs++;
				return a;
			}
		}
		ERR(e, E_RPC_PROTOCOL_ERROR,
		    "association group 0x%x is not this client's (MS-RPCE 3.3.1.5.7)", id);
		return NULL;
	}
	a = calloc(1, sizeof(*a));
	if (a == NULL) {
		ERR(e, E_OUTOFMEMORY, "association group");
		return NULL;
	}
	if (++p->next_assoc == 0)
		p->next_assoc = 1;
	a->id = p->next_assoc;
	a->refs = 1;
	memcpy(a->host, host, sizeof(a->host));
	LIST_INSERT_HEAD(&p->assocs, a, entry);
	return a;
}

void
rpc_assoc_leave(struct rpc_assoc *a)
{
	if (a == NULL || --a->refs > 0)
		return;
	LIST_REMOVE(a, entry);
	free(a);
}

void
rpc_server_stats(const struct rpc_server *s, struct rpc_stats *out)
{
	*out = s->stats;
}

void
rpc_server_on_incident(struct rpc_server *s, void (*fn)(void *arg, const struct rpc_incident *), void *arg)
{
	s->on_incident = fn;
	s->incident_arg = arg;
}

void
rpc_server_incident(struct rpc_server *s, const struct rpc_incident *i)
{
	if (s->on_incident != NULL)
		s->on_incident(s->incident_arg, i);
}
