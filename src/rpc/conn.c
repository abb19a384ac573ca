#include "rpc/conn.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

#define REASON_MAX 240

/* A bind_ack with 255 results and the longest token we make. */
#define OUT_MAX UINT16_MAX

static void
ignore_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	char scratch[16];

	(void)raw;
	/* co_cancel: calls here cannot be interrupted, the answer comes anyway (MS-RPCE 3.3.3.4). shutdown is
	 * a server's message and tells a server nothing. */
	log_debug(rpc, "%s %s: %s for call %" PRIu32 " noted", c->id, c->peer.text,
	    rpc_ptype_name(pdu->h.ptype, scratch), pdu->h.call_id);
}

/* What a client may send. Anything else is a protocol error. */
static const struct pdu_rule {
	uint8_t ptype;
	uint8_t flags;    /* that must be set */
	uint16_t max_len; /* not the negotiated size: any client may send what the transport carries */
	void (*run)(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw);
} pdu_rules[] = {
	{ RPC_PTYPE_REQUEST, 0, RPC_FRAG_MAX, rpc_call_request },
	/* These two come whole whatever their flags say; Windows does not look at them. */
	{ RPC_PTYPE_BIND, 0, UINT16_MAX, rpc_bind_run },
	{ RPC_PTYPE_ALTER_CONTEXT, 0, UINT16_MAX, rpc_alter_run },
	{ RPC_PTYPE_AUTH3, PFC_WHOLE, RPC_HEADER_LEN + 4 + RPC_TRAILER_LEN + RPC_AUTH3_TOKEN_MAX,
	    rpc_auth3_run },
	{ RPC_PTYPE_SHUTDOWN, 0, RPC_FRAG_MAX, ignore_run },
	{ RPC_PTYPE_CO_CANCEL, 0, RPC_FRAG_MAX, ignore_run },
	{ RPC_PTYPE_ORPHANED, 0, RPC_FRAG_MAX, rpc_call_orphan },
};

struct rpc_conn *
rpc_conn_new(struct rpc_port *port, const struct rpc_peer *peer, const struct rpc_carrier *carrier, void *arg)
{
	struct rpc_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->port = port;
	c->server = port->server;
	c->peer = *peer;
	c->carrier = carrier;
	c->carrier_arg = arg;
	snprintf(c->id, sizeof(c->id), "c%" PRIu64, ++c->server->next_conn);
	buf_init(&c->frame, UINT16_MAX);
	buf_init(&c->out, OUT_MAX);
	buf_init(&c->answer.results, UINT16_MAX);
	LIST_INIT(&c->securities);
	LIST_INIT(&c->calls);
	return c;
}

void
rpc_conn_free(struct rpc_conn *c)
{
	struct rpc_security *sec;

	if (c == NULL)
		return;
	rpc_call_drop_all(c);
	while ((sec = LIST_FIRST(&c->securities)) != NULL) {
		LIST_REMOVE(sec, entry);
		rpc_security_free(sec);
	}
	rpc_assoc_leave(c->assoc);
	buf_wipe(&c->frame);
	buf_wipe(&c->out);
	buf_fini(&c->answer.results);
	free(c->contexts);
	free(c);
}

/* ---- sending, refusing, ending ---- */

void
rpc_conn_flush(struct rpc_conn *c)
{
	if (!buf_ok(&c->out)) {
		log_error(
		    rpc, "%s %s: an answer did not fit or memory is short; closed", c->id, c->peer.text);
		rpc_conn_close(c);
	} else if (c->state != RPC_CONN_CLOSED) {
		c->server->stats.pdus_out++;
		c->carrier->send(c->carrier_arg, buf_bytes(&c->out));
	}
	buf_reset(&c->out);
}

void
rpc_conn_close(struct rpc_conn *c)
{
	if (c->state == RPC_CONN_CLOSED)
		return;
	c->state = RPC_CONN_CLOSED;
	c->carrier->close(c->carrier_arg);
}

void
rpc_conn_settle(struct rpc_conn *c)
{
	if (c->settled)
		return;
	c->settled = true;
	c->carrier->settled(c->carrier_arg);
}

void
rpc_conn_resume(struct rpc_conn *c)
{
	if (!c->feeding && c->state != RPC_CONN_CLOSED)
		c->carrier->resume(c->carrier_arg);
}

void
rpc_conn_incident(
    struct rpc_conn *c, const char *kind, uint32_t status, const char *account, const char *reason)
{
	struct rpc_incident i = {
		.kind = kind,
		.peer = c->peer.text,
		.connection = c->id,
		.account = account != NULL ? account : rpc_security_account(c),
		.status = status,
		.reason = reason,
	};

	rpc_server_incident(c->server, &i);
}

void
rpc_conn_nak(struct rpc_conn *c, uint32_t call_id, enum rpc_nak_reason reason, const char *fmt, ...)
{
	char text[REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn(rpc, "%s %s: %s: bind_nak %d, closed", c->id, c->peer.text, text, reason);
	c->server->stats.refused++;
	rpc_conn_incident(c, reason == RPC_NAK_LOCAL_LIMIT_EXCEEDED ? "limit" : "protocol-error",
	    (uint32_t)reason, NULL, text);
	rpc_put_bind_nak(&c->out, call_id, reason);
	rpc_conn_flush(c);
	rpc_conn_close(c);
}

static const char *
fault_kind(uint32_t status)
{
	if (status == NCA_S_PROTO_ERROR)
		return "protocol-error";
	return status == RPC_FAULT_SERVER_TOO_BUSY ? "limit" : "fault";
}

static void
send_fault(struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint8_t flags, uint32_t status,
    const char *text, const char *after)
{
	log_warn(rpc, "%s %s: %s: fault 0x%08" PRIx32 "%s", c->id, c->peer.text, text, status, after);
	c->server->stats.faults++;
	rpc_conn_incident(c, fault_kind(status), status, NULL, text);
	rpc_put_fault(&c->out, call_id, flags, context_id, status);
	rpc_conn_flush(c);
}

void
rpc_conn_fault(struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint8_t flags, uint32_t status,
    const char *fmt, ...)
{
	char text[REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_fault(c, call_id, context_id, flags, status, text, "");
}

void
rpc_conn_refuse(
    struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint32_t status, const char *fmt, ...)
{
	char text[REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_fault(c, call_id, context_id, PFC_DID_NOT_EXECUTE, status, text, ", closed");
	rpc_conn_close(c);
}

void
rpc_conn_refuse_request(
    struct rpc_conn *c, uint32_t call_id, uint16_t context_id, uint32_t status, const char *fmt, ...)
{
	char text[REASON_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	send_fault(c, call_id, context_id, 0, status, text, ", closed");
	rpc_conn_close(c);
}

const struct rpc_context *
rpc_conn_context(const struct rpc_conn *c, uint16_t id)
{
	for (unsigned i = 0; i < c->n_contexts; i++)
		if (c->contexts[i].id == id)
			return &c->contexts[i];
	return NULL;
}

/* ---- receiving ---- */

static const struct pdu_rule *
find_rule(uint8_t ptype)
{
	for (size_t i = 0; i < ARRAY_LEN(pdu_rules); i++)
		if (pdu_rules[i].ptype == ptype)
			return &pdu_rules[i];
	return NULL;
}

/* A PDU that cannot be right: a bind, or what came instead of one, is answered in kind. */
static void
bad_pdu(struct rpc_conn *c, const struct rpc_header *h, const char *why)
{
	if (c->state == RPC_CONN_NEW || h->ptype == RPC_PTYPE_BIND)
		rpc_conn_nak(c, h->call_id, RPC_NAK_PROTOCOL_ERROR, "%s (MS-RPCE 2.2.2.5)", why);
	else
		rpc_conn_refuse(c, h->call_id, 0, NCA_S_PROTO_ERROR, "%s (MS-RPCE 3.3.3.5.7)", why);
}

/* Judges a PDU by its header alone, so that nothing is kept of one that will be refused. NULL: refused. */
static const struct pdu_rule *
check_header(struct rpc_conn *c, const struct rpc_header *h)
{
	const struct pdu_rule *rule = find_rule(h->ptype);
	char scratch[16], why[96];
	struct err e;

	if (rpc_header_check(h, &e) != 0) {
		bad_pdu(c, h, e.msg);
		return NULL;
	}
	if (c->state == RPC_CONN_BOUND && h->ptype == RPC_PTYPE_BIND) {
		rpc_conn_nak(c, h->call_id, RPC_NAK_NOT_SPECIFIED, "a second bind on one connection");
		return NULL;
	}
	why[0] = '\0';
	if (rule == NULL || (c->state == RPC_CONN_NEW && h->ptype != RPC_PTYPE_BIND))
		snprintf(why, sizeof(why), "%s %s", rpc_ptype_name(h->ptype, scratch),
		    rule == NULL ? "is nothing a client sends" : "before a bind");
	else if (h->frag_len > rule->max_len)
		snprintf(why, sizeof(why), "%s of %u octets, at most %u are taken",
		    rpc_ptype_name(h->ptype, scratch), h->frag_len, rule->max_len);
	else if ((h->flags & rule->flags) != rule->flags)
		snprintf(why, sizeof(why), "%s with pfc_flags 0x%02x", rpc_ptype_name(h->ptype, scratch),
		    h->flags);
	if (why[0] == '\0')
		return rule;
	bad_pdu(c, h, why);
	return NULL;
}

static void
run_pdu(struct rpc_conn *c, const struct pdu_rule *rule, const struct rpc_header *h)
{
	struct rpc_pdu pdu;
	struct err e;

	if (rpc_pdu_decode(buf_bytes(&c->frame), &pdu, &e) != 0) {
		bad_pdu(c, h, e.msg);
		return;
	}
	rule->run(c, &pdu, c->frame.p);
}

/* Takes what completes the current PDU or its header, and acts when it is whole. */
static size_t
feed_frame(struct rpc_conn *c, const uint8_t *p, size_t n)
{
	const struct pdu_rule *rule;
	struct rpc_header h;
	size_t want = RPC_HEADER_LEN;

	if (c->frame_done) {
		buf_reset(&c->frame);
		c->frame_done = false;
	}
	if (c->frame.len >= RPC_HEADER_LEN)
		want = get_u16le(c->frame.p + 8);
	if (n > want - c->frame.len)
		n = want - c->frame.len;
	buf_put(&c->frame, p, n);
	if (!buf_ok(&c->frame)) {
		log_error(rpc, "%s %s: out of memory, closed", c->id, c->peer.text);
		rpc_conn_close(c);
		return n;
	}
	if (c->frame.len < want)
		return n;
	rpc_header_decode(c->frame.p, &h);
	rule = find_rule(h.ptype);
	/* A header just completed is judged before its body is waited for; a PDU of 16 octets is complete
	 * with it. */
	if (want == RPC_HEADER_LEN && (rule = check_header(c, &h)) == NULL)
		return n;
	if (c->frame.len == h.frag_len) {
		c->frame_done = true;
		c->server->stats.pdus_in++;
		run_pdu(c, rule, &h);
	}
	return n;
}

size_t
rpc_conn_feed(struct rpc_conn *c, const uint8_t *p, size_t n)
{
	size_t used = 0;

	c->feeding = true;
	while (used < n && c->state != RPC_CONN_CLOSED && c->leg == NULL)
		used += feed_frame(c, p + used, n - used);
	c->feeding = false;
	return c->state == RPC_CONN_CLOSED ? n : used;
}
