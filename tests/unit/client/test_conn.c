/* A client's connection without a socket: what it sends, and what it makes of whatever a server answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../rpc/golden.h"
#include "auth/ntlm_hash.h"
#include "client/conn.h"
#include "idl/epm.h"

struct rig {
	struct client_conn *conn;
	struct buf sent, reply;
	unsigned calls;
	int rc;
	struct err e;
	bool free_it; /* the callback frees the connection */
};

static const struct rpc_syntax epm = { EPM_UUID, 3, 0 };

static void
on_send(void *arg, struct bytes octets)
{
	struct rig *r = arg;

	buf_reset(&r->sent);
	buf_put_bytes(&r->sent, octets);
}

static const struct client_carrier carrier = { on_send };

static void
on_done(void *arg, struct bytes stub, const struct err *e)
{
	struct rig *r = arg;

	r->calls++;
	r->rc = e != NULL ? -1 : 0;
	if (e != NULL)
		r->e = *e;
	buf_reset(&r->reply);
	buf_put_bytes(&r->reply, stub);
	if (r->free_it) {
		client_conn_free(r->conn);
		r->conn = NULL;
	}
}

static void
rig_init(struct rig *r)
{
	memset(r, 0, sizeof(*r));
	buf_init(&r->sent, 1 << 20);
	buf_init(&r->reply, 1 << 20);
	r->conn = client_conn_new(&carrier, r);
	assert_non_null(r->conn);
}

static void
rig_fini(struct rig *r)
{
	client_conn_free(r->conn);
	buf_fini(&r->sent);
	buf_fini(&r->reply);
}

static void
feed_golden(struct rig *r, const char *name, uint32_t call_id, size_t step)
{
	struct buf pdu;

	golden_read(name, &pdu);
	set_u32le(pdu.p + 12, call_id);
	for (size_t off = 0; off < pdu.len && r->conn != NULL; off += step)
		client_conn_feed(r->conn, pdu.p + off, pdu.len - off < step ? pdu.len - off : step);
	buf_fini(&pdu);
}

static void
bind_epm(struct rig *r)
{
	client_conn_bind(r->conn, &epm, NULL, on_done, r);
	feed_golden(r, "bind_ack_epm", 1, 7);
	assert_int_equal(r->calls, 1);
	assert_int_equal(r->rc, 0);
	r->calls = 0;
}

/* One response fragment for call 2, context 0. */
static void
feed_response(struct rig *r, uint8_t flags, const char *part)
{
	struct buf b;

	buf_init(&b, 65536);
	rpc_put_response(&b, 2, flags, (uint16_t)(24 + strlen(part)), 0, 0, 0);
	buf_put_str(&b, part);
	client_conn_feed(r->conn, b.p, b.len);
	buf_fini(&b);
}

/* ---- what is sent ---- */

static void
test_bind(void **state)
{
	struct rpc_element el;
	struct rpc_pdu pdu;
	struct err e;
	struct rig r;

	(void)state;
	rig_init(&r);
	client_conn_bind(r.conn, &epm, NULL, on_done, &r);
	assert_int_equal(rpc_pdu_decode(buf_bytes(&r.sent), &pdu, &e), 0);
	assert_int_equal(pdu.h.ptype, RPC_PTYPE_BIND);
	assert_int_equal(pdu.h.flags, PFC_WHOLE);
	assert_int_equal(pdu.bind.max_xmit, RPC_FRAG_MAX);
	assert_int_equal(pdu.bind.n_elements, 1);
	assert_true(rpc_element_next(&pdu.bind.elements, &el));
	assert_true(rpc_syntax_equal(&el.abstract, &epm));
	assert_int_equal(client_conn_context(r.conn, &epm), -1);
	feed_golden(&r, "bind_ack_epm", 1, 1);
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.rc, 0);
	assert_int_equal(client_conn_context(r.conn, &epm), 0);
	rig_fini(&r);
}

static void
test_ntlm_bind(void **state)
{
	struct auth_identity id = { .domain = "CORP", .user = "alice" };
	struct client_auth auth = { .level = RPC_C_AUTHN_LEVEL_PKT_PRIVACY, .mech = AUTH_MECH_NTLM, .identity = &id };
	struct rpc_pdu pdu;
	struct err e;
	struct rig r;

	(void)state;
	rig_init(&r);
	assert_int_equal(ntlm_hash_password(id.nt_hash, "Passw0rd!", &e), 0);
	client_conn_bind(r.conn, &epm, &auth, on_done, &r);
	assert_int_equal(rpc_pdu_decode(buf_bytes(&r.sent), &pdu, &e), 0);
	assert_int_equal(pdu.h.flags, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN);
	assert_int_equal(pdu.auth.type, AUTH_MECH_NTLM);
	assert_int_equal(pdu.auth.level, RPC_C_AUTHN_LEVEL_PKT_PRIVACY);
	feed_golden(&r, "bind_ack_ntlm", 1, 1000);
	assert_int_equal(r.calls, 1);
	if (r.rc != 0)
		fail_msg("%s", r.e.msg);
	assert_int_equal(rpc_pdu_decode(buf_bytes(&r.sent), &pdu, &e), 0);
	assert_int_equal(pdu.h.ptype, RPC_PTYPE_AUTH3);
	assert_int_equal(pdu.auth.token.p[8], 3);
	/* sealed: nothing of the stub can be read, and an answer without protection is refused */
	client_conn_call(r.conn, 0, 3, NULL, (struct bytes){ (const uint8_t *)"plain text of the call", 22 }, on_done, &r);
	assert_int_equal(rpc_pdu_decode(buf_bytes(&r.sent), &pdu, &e), 0);
	assert_int_equal(pdu.auth.off % 16, 24 % 16);
	assert_null(memmem(r.sent.p, r.sent.len, "plain", 5));
	feed_response(&r, PFC_WHOLE, "clear answer");
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.e.hr, SEC_E_MESSAGE_ALTERED);
	assert_true(client_conn_dead(r.conn));
	rig_fini(&r);
}

static void
test_fragments_out(void **state)
{
	static uint8_t stub[20000];
	struct bytes left;
	size_t total = 0;
	unsigned n = 0;
	struct err e;
	struct rig r;

	(void)state;
	rig_init(&r);
	bind_epm(&r);
	client_conn_call(r.conn, 0, 9, NULL, (struct bytes){ stub, sizeof(stub) }, on_done, &r);
	left = buf_bytes(&r.sent);
	while (left.len > 0) {
		size_t len = get_u16le(left.p + 8);
		struct rpc_pdu pdu;

		assert_int_equal(rpc_pdu_decode((struct bytes){ left.p, len }, &pdu, &e), 0);
		assert_int_equal((pdu.h.flags & PFC_FIRST_FRAG) != 0, n == 0);
		assert_int_equal((pdu.h.flags & PFC_LAST_FRAG) != 0, len == left.len);
		assert_int_equal(pdu.request.opnum, 9);
		assert_true(len <= 4280); /* what the golden bind_ack says */
		total += pdu.request.stub_len;
		left.p += len;
		left.len -= len;
		n++;
	}
	assert_int_equal(total, sizeof(stub));
	assert_true(n > 4);
	rig_fini(&r);
}

/* ---- what comes back ---- */

static void
call(struct rig *r)
{
	client_conn_call(r->conn, 0, 3, NULL, (struct bytes){ (const uint8_t *)"in", 2 }, on_done, r);
}

static void
test_answers(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	bind_epm(&r);
	call(&r);
	feed_response(&r, PFC_FIRST_FRAG, "one ");
	feed_response(&r, 0, "two ");
	assert_int_equal(r.calls, 0);
	feed_response(&r, PFC_LAST_FRAG, "three");
	assert_int_equal(r.calls, 1);
	assert_int_equal(r.rc, 0);
	assert_int_equal(r.reply.len, 13);
	assert_memory_equal(r.reply.p, "one two three", 13);
	call(&r);
	feed_golden(&r, "fault_access_denied", 3, 5);
	assert_int_equal(r.rc, -1);
	assert_int_equal(r.e.hr, E_ACCESSDENIED);
	assert_int_equal(client_conn_fault(r.conn), 5);
	assert_false(client_conn_dead(r.conn));
	call(&r);
	feed_golden(&r, "fault_op_range", 4, 5);
	assert_int_equal(r.e.hr, 0x800706D1);
	/* the callback frees the connection in the midst of octets */
	call(&r);
	r.free_it = true;
	feed_golden(&r, "fault_access_denied", 5, 64);
	assert_null(r.conn);
	rig_fini(&r);
}

static void
test_bind_refused(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r);
	client_conn_bind(r.conn, &epm, NULL, on_done, &r);
	feed_golden(&r, "bind_nak_auth_type", 1, 100);
	assert_int_equal(r.rc, -1);
	assert_non_null(strstr(r.e.msg, "type of authentication"));
	assert_true(client_conn_dead(r.conn));
	/* and stays so */
	call(&r);
	assert_int_equal(r.calls, 2);
	assert_int_equal(r.rc, -1);
	rig_fini(&r);
}

static void
test_violations(void **state)
{
	static const struct {
		const char *name;
		uint8_t first, second; /* flags of the fragments */
		uint32_t call_id;
		uint32_t hr;
	} cases[] = {
		{ "no first fragment", 0, 0, 2, E_RPC_PROTOCOL_ERROR },
		{ "two first fragments", PFC_FIRST_FRAG, PFC_FIRST_FRAG, 2, E_RPC_PROTOCOL_ERROR },
		{ "another call's", PFC_WHOLE, 0, 7, E_RPC_PROTOCOL_ERROR },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rig r;
		struct buf b;

		rig_init(&r);
		bind_epm(&r);
		call(&r);
		buf_init(&b, 1000);
		rpc_put_response(&b, cases[i].call_id, cases[i].first, 24, 0, 0, 0);
		rpc_put_response(&b, cases[i].call_id, cases[i].second, 24, 0, 0, 0);
		client_conn_feed(r.conn, b.p, b.len);
		assert_int_equal(r.calls, 1);
		if (r.rc != -1 || r.e.hr != cases[i].hr)
			fail_msg("%s: %d %s", cases[i].name, r.rc, r.e.msg);
		assert_true(client_conn_dead(r.conn));
		buf_fini(&b);
		rig_fini(&r);
	}
}

/* Every cut of every golden PDU, with its frag_length made to fit: refused or taken, never read past its end. */
static void
test_truncations(void **state)
{
	static const char *const names[] = { "bind_ack_epm", "bind_ack_ntlm", "bind_ack_three_contexts",
		"bind_nak_auth_type", "fault_access_denied", "response_sealed", "alter_context_resp" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct rpc_server_pdu pdu;
		struct buf raw;
		struct err e;

		golden_read(names[i], &raw);
		if (rpc_server_pdu_decode(buf_bytes(&raw), &pdu, &e) != 0)
			fail_msg("%s: %s", names[i], e.msg);
		for (size_t n = 16; n < raw.len; n++) {
			uint8_t *copy = malloc(n);

			memcpy(copy, raw.p, n);
			set_u16le(copy + 8, (uint16_t)n);
			if (rpc_server_pdu_decode((struct bytes){ copy, n }, &pdu, &e) == 0)
				assert_true(pdu.auth.off <= n);
			free(copy);
		}
		buf_fini(&raw);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_ntlm_bind),
		cmocka_unit_test(test_fragments_out),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_bind_refused),
		cmocka_unit_test(test_violations),
		cmocka_unit_test(test_truncations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
