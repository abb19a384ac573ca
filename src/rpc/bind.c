/* bind and alter_context: presentation contexts, features, association groups (MS-RPCE 3.3.1.5.3 to .7). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rpc/conn.h"

/* What has been decided about the elements of one PDU so far. */
struct negotiation {
	struct rpc_conn *c;
	enum rpc_nak_reason reason; /* of a failure, for a bind */
	unsigned first_new;         /* contexts from here on were accepted in this PDU */
	bool features_seen;
};

static int
refuse(struct negotiation *n, enum rpc_nak_reason reason)
{
	n->reason = reason;
	return -1;
}

static bool
offers_ndr20(const struct rpc_element *el)
{
	struct rpc_syntax s;

	for (unsigned i = 0; i < el->n_transfer; i++) {
		rpc_element_transfer(el, i, &s);
		if (rpc_syntax_equal(&s, &rpc_ndr20))
			return true;
	}
	return false;
}

static int
add_context(struct negotiation *n, uint16_t id, const struct rpc_binding *b, struct err *e)
{
	struct rpc_conn *c = n->c;
	struct rpc_context *grown;

	if (c->n_contexts >= c->server->cfg.limits.contexts) {
		ERR(e, E_RPC_PROTOCOL_ERROR, "more than %u presentation contexts (MS-RPCE 3.3.3.5.5)",
		    c->n_contexts);
		return refuse(n, RPC_NAK_LOCAL_LIMIT_EXCEEDED);
	}
	grown = realloc(c->contexts, (c->n_contexts + 1) * sizeof(*grown));
	if (grown == NULL) {
		ERR(e, E_OUTOFMEMORY, "presentation context");
		return refuse(n, RPC_NAK_LOCAL_LIMIT_EXCEEDED);
	}
	c->contexts = grown;
	c->contexts[c->n_contexts++] = (struct rpc_context){ id, b };
	return 0;
}

static void
reject(struct rpc_conn *c, enum rpc_cont_reason reason)
{
	rpc_put_result(&c->answer.results, RPC_CONT_PROVIDER_REJECTION, (uint16_t)reason, NULL);
}

/* Bind-time features are recognised by an element's first transfer syntax (MS-RPCE 3.3.1.5.3). */
static int
negotiate_features(struct negotiation *n, uint8_t bits, struct err *e)
{
	struct rpc_conn *c = n->c;

	if (n->features_seen) {
		ERR(e, E_RPC_PROTOCOL_ERROR, "bind-time features twice (MS-RPCE 3.3.1.5.3)");
		return refuse(n, RPC_NAK_NOT_SPECIFIED);
	}
	n->features_seen = true;
	bits &= RPC_FEATURE_SECURITY_MULTIPLEXING | RPC_FEATURE_KEEP_ON_ORPHAN;
	if ((bits & RPC_FEATURE_KEEP_ON_ORPHAN) != 0)
		c->keep_on_orphan = true;
	rpc_put_result(&c->answer.results, RPC_CONT_NEGOTIATE_ACK, bits, NULL);
	return 0;
}

/* Was this interface accepted for another element of the same PDU? Then this is its other transfer syntax. */
static bool
accepted_already(const struct negotiation *n, const struct rpc_binding *b)
{
	const struct rpc_conn *c = n->c;

	if (c->server->cfg.one_context_per_bind && c->n_contexts > n->first_new)
		return true;
	for (unsigned i = n->first_new; i < c->n_contexts; i++)
		if (c->contexts[i].binding == b)
			return true;
	return false;
}

static int
negotiate_element(struct negotiation *n, const struct rpc_element *el, struct err *e)
{
	struct rpc_conn *c = n->c;
	const struct rpc_context *known = rpc_conn_context(c, el->id);
	const struct rpc_binding *b = rpc_port_find(c->port, &el->abstract);
	char uuid[GUID_TEXT_MAX];
	struct rpc_syntax first;
	uint8_t bits;

	if (el->n_transfer == 0) {
		ERR(e, E_RPC_PROTOCOL_ERROR, "context %u offers no transfer syntax", el->id);
		return refuse(n, RPC_NAK_NOT_SPECIFIED);
	}
	rpc_element_transfer(el, 0, &first);
	if (rpc_syntax_is_features(&first, &bits))
		return negotiate_features(n, bits, e);
	if (known != NULL && (known->binding != b || !offers_ndr20(el))) {
		ERR(e, E_RPC_PROTOCOL_ERROR, "context %u is %s already", el->id, known->binding->iface->name);
		return refuse(n, RPC_NAK_NOT_SPECIFIED);
	}
	if (b == NULL) {
		log_info(rpc, "%s %s: interface %s v%u.%u is not served on port %u", c->id, c->peer.text,
		    guid_to_text(&el->abstract.uuid, uuid), el->abstract.major, el->abstract.minor,
		    c->port->number);
		reject(c, RPC_CONT_ABSTRACT_SYNTAX);
		return 0;
	}
	if (!offers_ndr20(el) || (known == NULL && accepted_already(n, b))) {
		reject(c, RPC_CONT_TRANSFER_SYNTAXES);
		return 0;
	}
	if (known == NULL && add_context(n, el->id, b, e) != 0)
		return -1;
	rpc_put_result(&c->answer.results, RPC_CONT_ACCEPTANCE, RPC_CONT_NOT_SPECIFIED, &rpc_ndr20);
	return 0;
}

/* Fills c->answer.results, one result per element in the same order. */
static int
negotiate(struct rpc_conn *c, const struct rpc_bind *b, enum rpc_nak_reason *reason, struct err *e)
{
	struct negotiation n = { .c = c, .first_new = c->n_contexts };
	struct bytes left = b->elements;
	struct rpc_element el;

	*reason = RPC_NAK_NOT_SPECIFIED;
	buf_reset(&c->answer.results);
	if (b->n_elements == 0)
		return ERR(e, E_RPC_PROTOCOL_ERROR, "no presentation context");
	while (rpc_element_next(&left, &el)) {
		if (negotiate_element(&n, &el, e) != 0) {
			*reason = n.reason;
			return -1;
		}
	}
	return 0;
}

/*
 * PFC_SUPPORT_HEADER_SIGN is settled by the first PDU that carries authentication (MS-RPCE 3.3.1.5.2.2) and
 * repeated in later answers, since one client reads it anew from each. All our mechanisms can do it.
 */
static uint8_t
answer_flags(struct rpc_conn *c, const struct rpc_pdu *pdu)
{
	uint8_t flags = 0;

	if (c->conc_mpx && (pdu->h.flags & PFC_CONC_MPX) != 0)
		flags |= PFC_CONC_MPX;
	if ((pdu->h.flags & PFC_SUPPORT_HEADER_SIGN) != 0) {
		c->client_header_sign = true;
		if (pdu->auth.present && c->n_securities == 0)
			c->header_sign = true;
		if (c->header_sign || (!pdu->auth.present && c->n_securities == 0))
			flags |= PFC_SUPPORT_HEADER_SIGN;
	}
	return flags;
}

/* What we send and receive at most, for both directions (as Windows answers). */
static uint16_t
clamp_fragment(uint16_t xmit, uint16_t recv)
{
	uint16_t f = xmit < recv ? xmit : recv;

	if (f < RPC_FRAG_MIN)
		f = RPC_FRAG_MIN;
	if (f > RPC_FRAG_MAX)
		f = RPC_FRAG_MAX;
	return f & 0xfff8;
}

static void
prepare_answer(struct rpc_conn *c, const struct rpc_pdu *pdu, enum rpc_ptype ptype)
{
	c->answer.ptype = (uint8_t)ptype;
	c->answer.call_id = pdu->h.call_id;
	c->answer.flags = answer_flags(c, pdu);
}

void
rpc_bind_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	const struct rpc_bind *b = &pdu->bind;
	enum rpc_nak_reason reason;
	struct err e;

	(void)raw;
	c->max_frag = clamp_fragment(b->max_xmit, b->max_recv);
	c->conc_mpx = (pdu->h.flags & PFC_CONC_MPX) != 0;
	c->assoc = rpc_assoc_join(c->port, b->assoc_group, c->peer.host, &e);
	if (c->assoc == NULL) {
		rpc_conn_nak(c, pdu->h.call_id, RPC_NAK_NOT_SPECIFIED, "%s", e.msg);
		return;
	}
	if (negotiate(c, b, &reason, &e) != 0) {
		rpc_conn_nak(c, pdu->h.call_id, reason, "%s", e.msg);
		return;
	}
	prepare_answer(c, pdu, RPC_PTYPE_BIND_ACK);
	c->state = RPC_CONN_BOUND;
	if (pdu->auth.present) {
		rpc_security_leg(c, pdu);
	} else {
		rpc_bind_answer(c, NULL, (struct bytes){ 0 });
		rpc_conn_settle(c);
	}
}

void
rpc_alter_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	enum rpc_nak_reason reason;
	struct err e;

	(void)raw;
	if (c->invalid) {
		rpc_conn_refuse(
		    c, pdu->h.call_id, 0, RPC_FAULT_ACCESS_DENIED, "alter_context after a bad auth3");
		return;
	}
	if (negotiate(c, &pdu->bind, &reason, &e) != 0) {
		rpc_conn_refuse(c, pdu->h.call_id, 0, NCA_S_PROTO_ERROR, "alter_context: %s", e.msg);
		return;
	}
	prepare_answer(c, pdu, RPC_PTYPE_ALTER_CONTEXT_RESP);
	if (pdu->auth.present)
		rpc_security_leg(c, pdu);
	else
		rpc_bind_answer(c, NULL, (struct bytes){ 0 });
}

void
rpc_bind_answer(struct rpc_conn *c, const struct rpc_security *sec, struct bytes token)
{
	struct rpc_trailer auth = { 0 };
	struct rpc_bind_ack ack = {
		.ptype = c->answer.ptype,
		.flags = c->answer.flags,
		.call_id = c->answer.call_id,
		.max_frag = c->max_frag,
		.assoc_group = c->assoc->id,
		.sec_addr = c->answer.ptype == RPC_PTYPE_BIND_ACK ? c->port->sec_addr : NULL,
		.results = buf_bytes(&c->answer.results),
		.token = token,
	};

	if (sec != NULL) {
		auth.type = sec->type;
		auth.level = sec->level;
		auth.context_id = sec->context_id;
		ack.auth = &auth;
	}
	if (!buf_ok(&c->answer.results))
		c->out.failed = true;
	rpc_put_bind_ack(&c->out, &ack);
	rpc_conn_flush(c);
}
