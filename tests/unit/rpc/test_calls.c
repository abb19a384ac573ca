/* Calls: fragments both ways, several at once, answers late or for nobody, protection of each fragment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

static void
fill(struct buf *b, size_t n)
{
	buf_init(b, n + 64);
	for (size_t i = 0; i < n; i++)
		buf_put_u8(b, (uint8_t)(i * 7 + (i >> 8)));
}

/* The echo's argument: CERTTRANSBLOB with n octets. */
static void
echo_stub(struct buf *stub, size_t n)
{
	struct buf data;

	fill(&data, n);
	buf_init(stub, n + 64);
	buf_put_u32le(stub, (uint32_t)n);
	buf_put_u32le(stub, n > 0 ? 0x20000 : 0);
	if (n > 0)
		buf_put_u32le(stub, (uint32_t)n);
	buf_put_bytes(stub, buf_bytes(&data));
	buf_fini(&data);
}

/* Sends the stub of opnum 0 in fragments of `piece` octets. */
static void
send_fragments(struct rig *r, struct bytes stub, size_t piece, uint8_t level, bool header_signing)
{
	size_t off = 0;

	do {
		size_t n = stub.len - off < piece ? stub.len - off : piece;
		uint8_t flags = (off == 0 ? PFC_FIRST_FRAG : 0) | (off + n == stub.len ? PFC_LAST_FRAG : 0);

		put_request(r, flags, 2, 0, 0, stub.p + off, n);
		if (level > 0)
			put_protection(r, level, 7, header_signing);
		assert_true(rig_feed(r));
		off += n;
	} while (off < stub.len);
}

/* Puts a response together and checks every fragment of it. */
static void
read_response(struct rig *r, struct buf *stub, uint8_t level, bool header_signing, uint32_t call_id)
{
	uint32_t announced = 0;
	struct bytes pdu;
	bool last = false;

	buf_init(stub, 64u << 20);
	while (!last) {
		size_t body, pad = 0, n;
		uint8_t *copy;

		assert_true(rig_next(r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
		assert_int_equal(get_u32le(pdu.p + 12), call_id);
		assert_true(pdu.len <= 4280);
		assert_int_equal((pdu.p[3] & PFC_FIRST_FRAG) != 0, stub->len == 0);
		last = (pdu.p[3] & PFC_LAST_FRAG) != 0;
		copy = malloc(pdu.len);
		memcpy(copy, pdu.p, pdu.len);
		body = pdu.len - 24;
		if (level >= 4) {
			uint8_t sig[16], *trailer = copy + pdu.len - 24;

			assert_int_equal(get_u16le(pdu.p + 10), 16);
			assert_int_equal(trailer[0], AUTH_MECH_NTLM);
			assert_int_equal(trailer[1], level);
			assert_int_equal(get_u32le(trailer + 4), 7);
			body -= 24;
			assert_int_equal(body % 16, 0);
			if (level == 6)
				fake_seal(copy + 24, body);
			pad = trailer[2];
			assert_true(pad < 16);
			fake_sign(copy, pdu.len - 16, r->seq_in++, header_signing, sig);
			assert_memory_equal(sig, copy + pdu.len - 16, 16);
		} else {
			assert_int_equal(get_u16le(pdu.p + 10), 0);
		}
		n = body - pad;
		if (stub->len == 0)
			announced = get_u32le(pdu.p + 16);
		assert_int_equal(
		    get_u32le(pdu.p + 16), announced - stub->len); /* what remains (MS-RPCE 2.2.2.6) */
		if (!last)
			assert_true(pdu.len > 4280 - 64);
		buf_put(stub, copy + 24, n);
		free(copy);
	}
	assert_int_equal(stub->len, announced);
}

static void
test_echo(void **state)
{
	static const uint8_t levels[] = { 0, 2, 4, 5, 6 };
	static const size_t sizes[] = { 0, 1, 15, 16, 4000, 4211, 4212, 4228, 4229, 9000, 300000 };
	static const size_t pieces[] = { 1, 100, 4152, RPC_FRAG_MAX - 24 - 40 };

	(void)state;
	for (size_t l = 0; l < ARRAY_LEN(levels); l++) {
		for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
			for (size_t p = sizes[s] > 10000 ? 1 : 0; p < ARRAY_LEN(pieces); p++) {
				bool header_signing = s % 2 == 1;
				struct buf in, out;
				struct rig r;

				rig_init(&r, NULL, false);
				rig_bind(&r, PFC_WHOLE | (header_signing ? PFC_SUPPORT_HEADER_SIGN : 0),
				    levels[l]);
				echo_stub(&in, sizes[s]);
				send_fragments(&r, buf_bytes(&in), pieces[p], levels[l] >= 4 ? levels[l] : 0,
				    header_signing);
				assert_int_equal(r.ctx.runs, 1);
				read_response(&r, &out, levels[l], header_signing, 2);
				assert_true(out.len >= in.len + 4); /* the blob, padding, the status */
				assert_memory_equal(out.p, in.p, 4);
				if (sizes[s] > 0)
					assert_memory_equal(out.p + 8, in.p + 8, in.len - 8);
				buf_fini(&in);
				buf_fini(&out);
				rig_fini(&r);
			}
		}
	}
}

/* Any way of cutting the octets gives the same answers. */
static void
test_octet_by_octet(void **state)
{
	struct buf all, in, out;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	buf_init(&all, 100000);
	put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
	buf_put(&all, r.pdu.p, r.pdu.len);
	echo_stub(&in, 500);
	put_request(&r, PFC_FIRST_FRAG, 2, 0, 0, in.p, 300);
	buf_put(&all, r.pdu.p, r.pdu.len);
	put_request(&r, PFC_LAST_FRAG, 2, 0, 0, in.p + 300, in.len - 300);
	buf_put(&all, r.pdu.p, r.pdu.len);
	put_start(&r, RPC_PTYPE_CO_CANCEL, PFC_WHOLE, 2); /* a PDU that is a header only */
	put_end(&r);
	buf_put(&all, r.pdu.p, r.pdu.len);
	put_request(&r, PFC_WHOLE, 3, 0, 0, in.p, in.len);
	buf_put(&all, r.pdu.p, r.pdu.len);
	for (size_t step = 1; step < 40; step += 3) {
		struct bytes pdu;

		for (size_t off = 0; off < all.len; off += step) {
			size_t n = all.len - off < step ? all.len - off : step;

			assert_int_equal(rpc_conn_feed(r.conn, all.p + off, n), n);
		}
		assert_true(rig_next(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_BIND_ACK);
		read_response(&r, &out, 0, false, 2);
		buf_fini(&out);
		read_response(&r, &out, 0, false, 3);
		buf_fini(&out);
		assert_false(rig_next(&r, &pdu));
		rpc_conn_free(r.conn);
		rig_connect(&r);
	}
	buf_fini(&all);
	buf_fini(&in);
	rig_fini(&r);
}

static void
test_request_limit(void **state)
{
	static const struct rpc_limits limits = { .request_max = 10000 };
	struct buf stub;
	struct rig r;

	(void)state;
	for (int over = 0; over < 2; over++) {
		rig_init(&r, &limits, false);
		rig_bind(&r, PFC_WHOLE, 0);
		echo_stub(&stub, 10000 - 12);
		if (over)
			buf_put_u8(&stub, 0);
		send_fragments(&r, buf_bytes(&stub), 4000, 0, false);
		assert_int_equal(r.ctx.runs, !over);
		assert_int_equal(r.closed, over);
		if (over)
			assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), RPC_FAULT_ACCESS_DENIED);
		buf_fini(&stub);
		rig_fini(&r);
	}
}

/* A fault leaves with the first fragment; the others are decrypted in order and dropped, and the next call
 * works. */
static void
test_refused_fragmented_call(void **state)
{
	struct bytes pdu;
	struct buf out;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	rig_bind(&r, PFC_WHOLE, 6);
	put_request(&r, PFC_FIRST_FRAG, 2, 0, 99, "abcd", 4);
	put_protection(&r, 6, 7, false);
	assert_true(rig_feed(&r));
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), NCA_S_OP_RNG_ERROR);
	for (int i = 0; i < 3; i++) {
		put_request(&r, i == 2 ? PFC_LAST_FRAG : 0, 2, 0, 99, "efgh", 4);
		put_protection(&r, 6, 7, false);
		assert_true(rig_feed(&r));
	}
	assert_false(rig_next(&r, &pdu));
	assert_int_equal(r.ctx.runs, 0);
	put_request(&r, PFC_WHOLE, 3, 0, 3, NULL, 0);
	put_protection(&r, 6, 7, false);
	assert_true(rig_feed(&r));
	read_response(&r, &out, 6, false, 3);
	buf_fini(&out);
	rig_fini(&r);
}

static void
start_held(struct rig *r, uint32_t call_id)
{
	put_request(r, PFC_WHOLE, call_id, 0, 2, NULL, 0);
	assert_true(rig_feed(r));
}

static void
test_multiplexing(void **state)
{
	static const struct rpc_limits limits = { .calls = 3 };
	struct buf out;
	struct rig r;

	(void)state;
	rig_init(&r, &limits, false);
	rig_bind(&r, PFC_WHOLE | PFC_CONC_MPX, 0);
	for (uint32_t id = 10; id < 13; id++)
		start_held(&r, id);
	assert_int_equal(r.ctx.n_held, 3);

	start_held(&r, 13); /* one too many: told, and the connection goes on */
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), RPC_FAULT_SERVER_TOO_BUSY);
	assert_string_equal(r.incident, "limit");
	assert_int_equal(r.closed, 0);

	fixture_release(&r.ctx, 2); /* answered in another order */
	read_response(&r, &out, 0, false, 12);
	buf_fini(&out);
	start_held(&r, 12); /* a call_id may come again once it is answered */
	fixture_release(&r.ctx, 0);
	read_response(&r, &out, 0, false, 10);
	buf_fini(&out);
	fixture_release(&r.ctx, 3);
	read_response(&r, &out, 0, false, 12);
	buf_fini(&out);

	start_held(&r, 11); /* but not while it is in progress */
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), NCA_S_PROTO_ERROR);
	assert_int_equal(r.closed, 1);
	fixture_release(&r.ctx, 1); /* dropped */
	assert_int_equal(r.read, r.sent.len);
	rig_fini(&r);
}

static void
test_answer_without_connection(void **state)
{
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	rig_bind(&r, PFC_WHOLE | PFC_CONC_MPX, 0);
	start_held(&r, 2);
	start_held(&r, 3);
	rpc_conn_free(r.conn);
	r.conn = NULL;
	assert_int_equal(rpc_call_level(r.ctx.held[0]), RPC_C_AUTHN_LEVEL_NONE);
	assert_string_equal(rpc_call_peer(r.ctx.held[0]), "127.0.0.1:40112");
	fixture_release(&r.ctx, 0);
	rpc_server_free(r.server); /* nor does a call need the server */
	r.server = NULL;
	rpc_call_fault(r.ctx.held[1], RPC_FAULT_ACCESS_DENIED);
	rig_fini(&r);
}

/* The client no longer wants an answer; with the negotiated feature the connection stays. */
static void
test_orphaned(void **state)
{
	static const char *const features = "6cb71c2c-9812-4540-0300-000000000000/1.0";
	struct bytes pdu;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	put_bind_fixed(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 4280, 0, 2);
	put_element(&r, 0, ECHO, 1, &NDR20);
	put_element(&r, 1, ECHO, 1, &features);
	put_end(&r);
	assert_true(rig_exchange(&r, &pdu));
	start_held(&r, 2);
	put_start(
	    &r, RPC_PTYPE_CO_CANCEL, PFC_WHOLE, 2); /* cannot be interrupted; only an orphan is forgotten */
	put_end(&r);
	assert_true(rig_feed(&r));
	put_start(&r, RPC_PTYPE_ORPHANED, PFC_WHOLE, 2);
	put_end(&r);
	assert_true(rig_feed(&r));
	fixture_release(&r.ctx, 0);
	assert_false(rig_next(&r, &pdu));

	put_request(&r, PFC_FIRST_FRAG, 3, 0, 0, "\0\0\0\0", 4); /* in the middle of a request */
	assert_true(rig_feed(&r));
	put_start(&r, RPC_PTYPE_ORPHANED, PFC_WHOLE, 3);
	put_end(&r);
	assert_true(rig_feed(&r));
	put_request(&r, PFC_WHOLE, 4, 0, 3, NULL, 0);
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
	assert_int_equal(r.closed, 0);
	rig_fini(&r);
}

/* Several security contexts on one connection, each with its own sequence, and calls of each in turn. */
static void
test_security_multiplexing(void **state)
{
	struct bytes pdu;
	uint32_t seq[2] = { 0, 0 }, in[2] = { 0, 0 };
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	rig_bind(&r, PFC_WHOLE, 6);
	put_bind(&r, RPC_PTYPE_ALTER_CONTEXT, PFC_WHOLE, 2, 1, SECRET);
	put_auth(&r, AUTH_MECH_NTLM, 5, 7 + 1, "more");
	put_end(&r);
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_ALTER_CONTEXT_RESP);
	put_start(&r, RPC_PTYPE_AUTH3, PFC_WHOLE, 2);
	buf_put_str(&r.pdu, "    ");
	put_auth(&r, AUTH_MECH_NTLM, 5, 7 + 1, "done");
	put_end(&r);
	assert_true(rig_feed(&r));
	for (unsigned i = 0; i < 6; i++) {
		unsigned which = i % 2;

		put_request(&r, PFC_WHOLE, 3 + i, (uint16_t)which, 3, NULL, 0);
		r.seq_out = seq[which];
		put_protection(&r, which == 0 ? 6 : 5, 7 + which, false);
		seq[which] = r.seq_out;
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
		assert_int_equal(pdu.p[pdu.len - 24 + 1], which == 0 ? 6 : 5);
		assert_int_equal(get_u32le(pdu.p + pdu.len - 24 + 4), 7 + which);
		assert_int_equal(get_u32le(pdu.p + pdu.len - 12), in[which]++);
	}
	rig_fini(&r);
	assert_int_equal(fake_alive, 0);
}

/* What a method learns of its call. */
static void
test_call_facts(void **state)
{
	static const struct {
		uint8_t level;
		bool object;
		const char *text;
	} rows[] = {
		{ 0, false, "nobody none level 1 at 127.0.0.1 object none" },
		{ 2, false, "LAB\\fake FAKE level 2 at 127.0.0.1 object none" },
		{ 3, false, "LAB\\fake FAKE level 4 at 127.0.0.1 object none" }, /* CALL counts as PKT */
		{ 6, true,
		    "LAB\\fake FAKE level 6 at 127.0.0.1 object 33221100-5544-7766-8899-aabbccddeeff" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes pdu;
		uint8_t copy[4280];
		struct rig r;

		rig_init(&r, NULL, false);
		rig_bind(&r, PFC_WHOLE, rows[i].level);
		put_start(&r, RPC_PTYPE_REQUEST, PFC_WHOLE | (rows[i].object ? PFC_OBJECT_UUID : 0), 2);
		buf_put_u32le(&r.pdu, 0);
		buf_put_u32le(&r.pdu, 3 << 16);
		for (unsigned k = 0; rows[i].object && k < 16; k++)
			buf_put_u8(&r.pdu, (uint8_t)(k * 0x11));
		put_end(&r);
		if (rows[i].level >= 3)
			put_protection(&r, rows[i].level, 7, false);
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
		assert_true(pdu.len <= sizeof(copy));
		memcpy(copy, pdu.p, pdu.len);
		if (rows[i].level == 6)
			fake_seal(copy + 24, pdu.len - 24 - 24);
		assert_memory_equal(copy + 24 + 12, rows[i].text, strlen(rows[i].text));
		rig_fini(&r);
	}
}

static void
test_statistics(void **state)
{
	struct rpc_stats s;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	rig_bind(&r, PFC_WHOLE, 0);
	put_request(&r, PFC_WHOLE, 2, 0, 3, NULL, 0);
	assert_true(rig_feed(&r));
	put_request(&r, PFC_WHOLE, 3, 0, 4, NULL, 0);
	assert_true(rig_feed(&r));
	put_request(&r, PFC_WHOLE, 4, 0, 5, NULL, 0);
	assert_true(rig_feed(&r));
	rpc_server_stats(r.server, &s);
	assert_int_equal(s.calls, 2);
	assert_int_equal(s.faults, 2);
	rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_echo),
		cmocka_unit_test(test_octet_by_octet),
		cmocka_unit_test(test_request_limit),
		cmocka_unit_test(test_refused_fragmented_call),
		cmocka_unit_test(test_multiplexing),
		cmocka_unit_test(test_answer_without_connection),
		cmocka_unit_test(test_orphaned),
		cmocka_unit_test(test_security_multiplexing),
		cmocka_unit_test(test_call_facts),
		cmocka_unit_test(test_statistics),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("calls", tests, NULL, NULL);
}
