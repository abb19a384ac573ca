/* Security contexts of a connection: their legs, and the protection of PDUs (MS-RPCE 3.3.1.5.2). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rpc/conn.h"

static struct rpc_security *
find_security(struct rpc_conn *c, uint32_t context_id)
{
	struct rpc_security *sec;

	for (sec = LIST_FIRST(&c->securities); sec != NULL; sec = LIST_NEXT(sec, entry))
		if (sec->context_id == context_id)
			return sec;
	return NULL;
}

const char *
rpc_security_account(const struct rpc_conn *c)
{
	const struct rpc_security *sec;

	for (sec = LIST_FIRST(&c->securities); sec != NULL; sec = LIST_NEXT(sec, entry)) {
		const struct token *t =
		    sec->state == RPC_SECURITY_COMPLETE ? auth_ctx_token(sec->auth) : NULL;

		if (t != NULL)
			return t->account;
	}
	return NULL;
}

void
rpc_security_free(struct rpc_security *sec)
{
	auth_ctx_free(sec->auth);
	free(sec);
}

/* ---- legs ---- */

/* The journal tells which account a refused logon claimed, so the question is read on its way to the
 * authority. */
static void *
on_verify(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct rpc_security *sec = ctx;

	snprintf(sec->claimed, sizeof(sec->claimed), "%s%s%s", proof->domain,
	    proof->domain[0] != '\0' ? "\\" : "", proof->user);
	return sec->behind->ntlm_verify(sec->behind->ctx, proof, cb, arg);
}

static void *
on_kerberos_verify(void *ctx, const struct auth_kerberos_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct rpc_security *sec = ctx;

	snprintf(sec->claimed, sizeof(sec->claimed), "%s@%s", proof->name, proof->realm);
	return sec->behind->kerberos_verify(sec->behind->ctx, proof, cb, arg);
}

static void
on_verify_cancel(void *ctx, void *handle)
{
	struct rpc_security *sec = ctx;

	sec->behind->cancel(sec->behind->ctx, handle);
}

/* Refuses a leg in the form its PDU asks for. status is for alter_context, reason for bind. */
static void
refuse_leg(struct rpc_conn *c, enum rpc_nak_reason reason, uint32_t status, const char *why)
{
	if (c->answer.ptype == RPC_PTYPE_BIND_ACK)
		rpc_conn_nak(c, c->answer.call_id, reason, "%s", why);
	else
		rpc_conn_refuse(c, c->answer.call_id, 0, status, "%s", why);
}

/* A mechanism that cannot do what the level needs has failed (MS-RPCE 3.3.1.5.2.2). */
static int
check_abilities(const struct rpc_security *sec, struct err *e)
{
	if (sec->effective == RPC_C_AUTHN_LEVEL_PKT_PRIVACY && !auth_ctx_can_seal(sec->auth))
		return ERR(e, SEC_E_MESSAGE_ALTERED, "level %u without an agreement to seal", sec->level);
	if (sec->effective >= RPC_C_AUTHN_LEVEL_PKT && !auth_ctx_can_sign(sec->auth))
		return ERR(e, SEC_E_INVALID_TOKEN, "level %u without an agreement to sign", sec->level);
	return 0;
}

static void
leg_failed(struct rpc_conn *c, struct rpc_security *sec, const struct err *e)
{
	uint32_t status = e->hr == SEC_E_MESSAGE_ALTERED ? RPC_FAULT_SEC_PKG_ERROR : RPC_FAULT_ACCESS_DENIED;

	sec->state = RPC_SECURITY_FAILED;
	rpc_conn_incident(c, "logon-refused", e->hr, sec->claimed[0] != '\0' ? sec->claimed : NULL, e->msg);
	if (c->answer.ptype != RPC_PTYPE_AUTH3) {
		refuse_leg(c, RPC_NAK_INVALID_CHECKSUM, status, e->msg);
		return;
	}
	/* auth3 has no answer: the first request that uses the context is told (MS-RPCE 3.3.1.5.2.1). */
	c->server->stats.refused++;
	log_warn(
	    rpc, "%s %s: authentication of \"%s\" refused: %s", c->id, c->peer.text, sec->claimed, e->msg);
}

static void
leg_done(void *arg, enum auth_state st, struct bytes answer, const struct err *why)
{
	struct rpc_conn *c = arg;
	struct rpc_security *sec = c->leg;
	struct err e;

	c->leg = NULL;
	if (st == AUTH_NEED_TOKEN && c->answer.ptype == RPC_PTYPE_AUTH3) {
		/* It would have to be answered, and an auth3 cannot be. */
		ERR(&e, SEC_E_INVALID_TOKEN, "auth3 is not the last leg");
		leg_failed(c, sec, &e);
	} else if (st == AUTH_FAILED) {
		leg_failed(c, sec, why);
	} else if (st == AUTH_COMPLETE && check_abilities(sec, &e) != 0) {
		leg_failed(c, sec, &e);
	} else {
		sec->state = st == AUTH_COMPLETE ? RPC_SECURITY_COMPLETE : RPC_SECURITY_NEED_TOKEN;
		if (c->answer.ptype != RPC_PTYPE_AUTH3)
			rpc_bind_answer(c, sec, answer);
		if (st == AUTH_COMPLETE) {
			const struct token *t = auth_ctx_token(sec->auth);

			log_info(rpc, "%s %s: %s by %s, level %u", c->id, c->peer.text,
			    t != NULL ? t->account : "?", auth_ctx_package(sec->auth), sec->level);
			rpc_conn_settle(c);
		}
	}
	rpc_conn_resume(c);
}

static void
start_leg(struct rpc_conn *c, struct rpc_security *sec, struct bytes token)
{
	sec->state = RPC_SECURITY_RUNNING;
	c->leg = sec;
	auth_ctx_step(sec->auth, token, leg_done, c);
}

static bool
is_offered(const struct rpc_server *s, uint8_t type)
{
	return type == AUTH_MECH_SPNEGO || type == AUTH_MECH_NTLM ||
	    (type == AUTH_MECH_KERBEROS && rpc_server_offers_kerberos(s));
}

/* A new context for the trailer of a first leg; NULL: refused. */
static struct rpc_security *
begin(struct rpc_conn *c, const struct rpc_trailer *t)
{
	struct rpc_security *sec;
	struct err e;

	if (t->level < RPC_C_AUTHN_LEVEL_CONNECT || t->level > RPC_C_AUTHN_LEVEL_PKT_PRIVACY) {
		ERR(&e, SEC_E_INVALID_TOKEN, "authentication level %u (MS-RPCE 2.2.1.1.8)", t->level);
		refuse_leg(c, RPC_NAK_NOT_SPECIFIED, RPC_FAULT_ACCESS_DENIED, e.msg);
		return NULL;
	}
	if (!is_offered(c->server, t->type)) {
		ERR(&e, SEC_E_INVALID_TOKEN, "authentication type %u is not offered (MS-RPCE 3.3.3.5.3)",
		    t->type);
		refuse_leg(c, RPC_NAK_AUTH_TYPE_UNKNOWN, RPC_FAULT_ACCESS_DENIED, e.msg);
		return NULL;
	}
	if (c->n_securities >= c->server->cfg.limits.security_contexts) {
		ERR(&e, E_RPC_PROTOCOL_ERROR, "more than %u security contexts (MS-RPCE 3.3.1.5.4)",
		    c->n_securities);
		refuse_leg(c, RPC_NAK_LOCAL_LIMIT_EXCEEDED, NCA_S_PROTO_ERROR, e.msg);
		return NULL;
	}
	sec = calloc(1, sizeof(*sec));
	if (sec != NULL) {
		sec->behind = c->server->cfg.authority;
		sec->authority = (struct auth_authority){ .ctx = sec,
			.ntlm_verify = on_verify,
			.cancel = on_verify_cancel,
			.kerberos = sec->behind->kerberos,
			.kerberos_verify = on_kerberos_verify,
			.dce_style = true };
		sec->auth = auth_ctx_new((enum auth_mech)t->type, c->server->cfg.names, &sec->authority, &e);
	}
	if (sec == NULL || sec->auth == NULL) {
		free(sec);
		refuse_leg(
		    c, RPC_NAK_LOCAL_LIMIT_EXCEEDED, NCA_S_FAULT_REMOTE_NO_MEMORY, "no security context");
		return NULL;
	}
	sec->context_id = t->context_id;
	sec->type = t->type;
	sec->level = t->level;
	sec->effective =
	    t->level == RPC_C_AUTHN_LEVEL_CALL ? RPC_C_AUTHN_LEVEL_PKT : (enum rpc_auth_level)t->level;
	LIST_INSERT_HEAD(&c->securities, sec, entry);
	c->n_securities++;
	if (c->answer.ptype == RPC_PTYPE_BIND_ACK)
		c->bind_security = sec;
	return sec;
}

void
rpc_security_leg(struct rpc_conn *c, const struct rpc_pdu *pdu)
{
	const struct rpc_trailer *t = &pdu->auth;
	struct rpc_security *sec = find_security(c, t->context_id);

	if (sec == NULL) {
		sec = begin(c, t);
		if (sec == NULL)
			return;
	} else if (sec->state != RPC_SECURITY_NEED_TOKEN) {
		rpc_conn_refuse(c, pdu->h.call_id, 0, RPC_FAULT_ACCESS_DENIED,
		    "a leg for the finished security context %" PRIu32, t->context_id);
		return;
	} else if (t->type != sec->type || t->level != sec->level) {
		rpc_conn_refuse(c, pdu->h.call_id, 0, RPC_FAULT_ACCESS_DENIED,
		    "a leg of type %u, level %u for a security context of type %u, level %u", t->type,
		    t->level, sec->type, sec->level);
		return;
	}
	start_leg(c, sec, t->token);
}

void
rpc_auth3_run(struct rpc_conn *c, const struct rpc_pdu *pdu, uint8_t *raw)
{
	const struct rpc_trailer *t = &pdu->auth;
	struct rpc_security *sec = t->present ? find_security(c, t->context_id) : NULL;

	(void)raw;
	if (t->present && c->n_securities > 0 && sec == NULL) {
		rpc_conn_fault(c, pdu->h.call_id, 0, PFC_DID_NOT_EXECUTE, RPC_FAULT_ACCESS_DENIED,
		    "auth3 for the unknown security context %" PRIu32, t->context_id);
		return;
	}
	if (sec == NULL || t->type != sec->type || t->level != sec->level) {
		/* An odd status, but the one Windows sends. */
		c->invalid = true;
		rpc_conn_fault(c, pdu->h.call_id, 0, PFC_DID_NOT_EXECUTE, NCA_S_FAULT_REMOTE_NO_MEMORY,
		    "auth3 with %u octets of type %u, level %u goes on with nothing that was begun",
		    pdu->h.auth_len, t->type, t->level);
		return;
	}
	if (sec->state != RPC_SECURITY_NEED_TOKEN) {
		rpc_conn_refuse(c, pdu->h.call_id, 0, NCA_S_PROTO_ERROR,
		    "auth3 for the finished security context %" PRIu32, t->context_id);
		return;
	}
	if (t->pad_len != 0 && t->off < (size_t)RPC_REQUEST_LEN + t->pad_len) {
		rpc_conn_refuse(c, pdu->h.call_id, 0, NCA_S_FAULT_REMOTE_NO_MEMORY,
		    "auth3 with auth_pad_length %u", t->pad_len);
		return;
	}
	c->answer.ptype = RPC_PTYPE_AUTH3;
	c->answer.call_id = pdu->h.call_id;
	start_leg(c, sec, t->token);
}

/* ---- requests ---- */

int
rpc_security_select(struct rpc_conn *c, const struct rpc_pdu *pdu, struct rpc_security **out)
{
	const struct rpc_trailer *t = &pdu->auth;
	struct rpc_security *sec = t->present ? find_security(c, t->context_id) : c->bind_security;
	uint16_t context = pdu->request.context_id;

	*out = sec;
	if (c->invalid) {
		rpc_conn_refuse_request(
		    c, pdu->h.call_id, context, RPC_FAULT_ACCESS_DENIED, "request after a bad auth3");
		return -1;
	}
	if (t->present && (sec == NULL || t->type != sec->type || t->level != sec->level)) {
		rpc_conn_refuse_request(c, pdu->h.call_id, context, RPC_FAULT_ACCESS_DENIED,
		    "request with security context %" PRIu32
		    ", type %u, level %u, which was never negotiated",
		    t->context_id, t->type, t->level);
		return -1;
	}
	if (sec == NULL)
		return 0;
	if (sec->state == RPC_SECURITY_FAILED) {
		rpc_conn_refuse_request(c, pdu->h.call_id, context, RPC_FAULT_ACCESS_DENIED,
		    "request with refused authentication (MS-RPCE 3.3.1.5.2.1)");
		return -1;
	}
	if (sec->state != RPC_SECURITY_COMPLETE) {
		rpc_conn_refuse_request(
		    c, pdu->h.call_id, 0, NCA_S_PROTO_ERROR, "request before its authentication is complete");
		return -1;
	}
	return 0;
}

int
rpc_security_open(struct rpc_conn *c, struct rpc_security *sec, uint16_t context_id,
    const struct rpc_pdu *pdu, uint8_t *raw)
{
	const struct rpc_request *r = &pdu->request;
	const struct rpc_trailer *t = &pdu->auth;
	struct err e;

	if (!rpc_security_protects(sec))
		return 0;
	if (!t->present) {
		rpc_conn_refuse_request(c, pdu->h.call_id, context_id, NCA_S_PROTO_ERROR,
		    "request without protection at level %u", sec->level);
		return -1;
	}
	if (auth_ctx_unprotect(sec->auth, raw, t->off + RPC_TRAILER_LEN, r->stub_off, t->off - r->stub_off,
		sec->effective == RPC_C_AUTHN_LEVEL_PKT_PRIVACY, c->header_sign, t->token, &e) != 0) {
		rpc_conn_refuse_request(
		    c, pdu->h.call_id, context_id, RPC_FAULT_SEC_PKG_ERROR, "request: %s", e.msg);
		return -1;
	}
	return 0;
}
