/* What a client must not do, once per row: its answer, whether the connection goes on, and what the journal
 * hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

enum before {
	NEW,    /* nothing */
	PLAIN,  /* bound without authentication */
	LEVEL2, /* authenticated, by level */
	LEVEL5,
	LEVEL6,
	HALF,    /* bound, level 6, the second leg is due */
	REFUSED, /* the same, and an auth3 was refused */
};

#define NAK 0x100000000 /* a bind_nak with this reason; else a fault with this status */
#define SILENCE -1

typedef void
write_fn(struct rig *r);
/* write_NAME: one call on r. */
#define WRITER(name, call) \
	static void write_##name(struct rig *r) \
	{ \
		call; \
	}

WRITER(request, put_request(r, PFC_WHOLE, 2, 0, 3, NULL, 0))

static void
write_protected(struct rig *r, uint8_t level, uint32_t context_id)
{
	put_request(r, PFC_WHOLE, 2, 0, 3, NULL, 0);
	put_protection(r, level, context_id, false);
}

WRITER(bind, put_bind(r, RPC_PTYPE_BIND, PFC_WHOLE, 2, 0, ECHO))

static void
write_bind_without_elements(struct rig *r)
{
	put_bind_fixed(r, RPC_PTYPE_BIND, PFC_WHOLE, 2, 4280, 0, 0);
	r->pdu.len = 25; /* ends with the count */
	put_end(r);
}

static void
write_bind_version(struct rig *r)
{
	write_bind(r);
	r->pdu.p[1] = 1;
}

WRITER(alter, put_bind(r, RPC_PTYPE_ALTER_CONTEXT, PFC_WHOLE, 2, 1, SECRET))

static void
write_alter_leg(struct rig *r, uint8_t type, uint8_t level, uint32_t context_id, const char *token)
{
	put_bind(r, RPC_PTYPE_ALTER_CONTEXT, PFC_WHOLE, 2, 0, ECHO);
	put_auth(r, type, level, context_id, token);
	put_end(r);
}

WRITER(alter_refused, write_alter_leg(r, 10, 6, 7, "fail"))
WRITER(alter_broken, write_alter_leg(r, 10, 6, 7, "broken"))
WRITER(alter_done, write_alter_leg(r, 10, 6, 7, "done"))
WRITER(alter_other_type, write_alter_leg(r, 9, 6, 7, "done"))
WRITER(alter_other_level, write_alter_leg(r, 10, 5, 7, "done"))
WRITER(alter_unknown_type, write_alter_leg(r, 16, 6, 8, "done"))
WRITER(alter_second_context, write_alter_leg(r, 10, 6, 8, "done"))

static void
write_auth3(struct rig *r, uint8_t type, uint8_t level, uint32_t context_id, const char *token)
{
	put_start(r, RPC_PTYPE_AUTH3, PFC_WHOLE, 2);
	buf_put_str(&r->pdu, "    ");
	if (token != NULL)
		put_auth(r, type, level, context_id, token);
	put_end(r);
}

WRITER(auth3_bare, write_auth3(r, 0, 0, 0, NULL))
WRITER(auth3_done, write_auth3(r, 10, 6, 7, "done"))

static void
write_auth3_padding(struct rig *r)
{
	write_auth3(r, 10, 6, 7, "done");
	r->pdu.p[RPC_HEADER_LEN + 4 + 2] = 1;
}

WRITER(auth3_refused, write_auth3(r, 10, 6, 7, "fail"))
WRITER(auth3_other_type, write_auth3(r, 9, 6, 7, "done"))
WRITER(auth3_other_level, write_auth3(r, 10, 5, 7, "done"))
WRITER(auth3_other_context, write_auth3(r, 10, 6, 8, "done"))

static void
write_auth3_long(struct rig *r)
{
	char token[RPC_AUTH3_TOKEN_MAX + 2];

	memset(token, 'x', sizeof(token) - 1);
	token[sizeof(token) - 1] = '\0';
	write_auth3(r, 10, 6, 7, token);
}

WRITER(protected6, write_protected(r, 6, 7))
WRITER(protected5, write_protected(r, 5, 7))
WRITER(protected_unknown, write_protected(r, 6, 8))

static void
write_bad_signature(struct rig *r)
{
	write_protected(r, 6, 7);
	r->pdu.p[r->pdu.len - 16] ^= 1;
}

static void
write_replay(struct rig *r)
{
	write_protected(r, 6, 7);
	r->seq_out = 0;
	if (!rig_feed(r))
		abort();
	r->sent.len = r->read = 0;
	write_protected(r, 6, 7);
}

WRITER(unknown_context, put_request(r, PFC_WHOLE, 2, 99, 0, NULL, 0))
WRITER(unknown_opnum, put_request(r, PFC_WHOLE, 2, 0, 5, NULL, 0))
WRITER(gap_opnum, put_request(r, PFC_WHOLE, 2, 0, 1, NULL, 0))
WRITER(secret, put_request(r, PFC_WHOLE, 2, 1, 3, NULL, 0))
WRITER(bad_stub, put_request(r, PFC_WHOLE, 2, 0, 0, "\5\0\0\0", 4))

static void
write_bad_trailer(struct rig *r)
{
	/* an empty blob, then a verification trailer that claims header signing */
	put_request(r, PFC_WHOLE, 2, 0, 0,
	    "\0\0\0\0\0\0\0\0\x8a\xe3\x13\x71\x02\xf4\x36\x71\x01\x40\x04\0\1\0\0\0", 24);
}

WRITER(failing, put_request(r, PFC_WHOLE, 2, 0, 4, NULL, 0))

static void
write_announced(struct rig *r)
{
	put_request(r, PFC_FIRST_FRAG, 2, 0, 0, NULL, 0);
	set_u32le(r->pdu.p + 16, (4u << 20) + 1);
}

static void
write_long(struct rig *r)
{
	static const uint8_t stub[RPC_FRAG_MAX - RPC_REQUEST_LEN + 1];

	put_request(r, PFC_WHOLE, 2, 0, 0, stub, sizeof(stub));
}

WRITER(last_only, put_request(r, PFC_LAST_FRAG, 2, 0, 0, NULL, 0))

static void
write_first(struct rig *r)
{
	put_request(r, PFC_FIRST_FRAG, 2, 0, 0, "\0\0", 2);
	if (!rig_feed(r))
		abort();
}

static void
write_first_twice(struct rig *r)
{
	write_first(r);
	put_request(r, PFC_FIRST_FRAG, 3, 0, 0, NULL, 0);
}

static void
write_other_call(struct rig *r)
{
	write_first(r);
	put_request(r, PFC_LAST_FRAG, 3, 0, 0, NULL, 0);
}

static void
write_other_opnum(struct rig *r)
{
	write_first(r);
	put_request(r, PFC_LAST_FRAG, 2, 0, 3, NULL, 0);
}

static void
write_other_presentation(struct rig *r)
{
	write_first(r);
	put_request(r, PFC_LAST_FRAG, 2, 1, 0, NULL, 0);
}

static void
write_second_call(struct rig *r)
{
	put_request(r, PFC_WHOLE, 2, 0, 2, NULL, 0);
	if (!rig_feed(r))
		abort();
	put_request(r, PFC_WHOLE, 3, 0, 2, NULL, 0);
}

static void
write_response(struct rig *r)
{
	put_request(r, PFC_WHOLE, 2, 0, 0, NULL, 0);
	r->pdu.p[2] = RPC_PTYPE_RESPONSE;
}

static void
write_unknown_type(struct rig *r)
{
	put_start(r, 20, PFC_WHOLE, 2);
	put_end(r);
}

static void
write_short(struct rig *r)
{
	put_start(r, RPC_PTYPE_REQUEST, PFC_WHOLE, 2);
	set_u16le(r->pdu.p + 8, 15);
}

static void
write_no_request(struct rig *r)
{
	put_start(r, RPC_PTYPE_REQUEST, PFC_WHOLE, 2);
	buf_put_zero(&r->pdu, 4);
	put_end(r);
}

static void
write_orphaned(struct rig *r)
{
	put_start(r, RPC_PTYPE_ORPHANED, PFC_WHOLE, 2);
	put_end(r);
}

static const struct {
	const char *name;
	enum before before;
	write_fn *write;
	int64_t answer;
	bool closed;
	const char *incident; /* NULL: none */
} cases[] = {
	/* the first PDU */
	{ "request before a bind", NEW, write_request, NAK | 4, true, "protocol-error" },
	{ "alter_context before a bind", NEW, write_alter, NAK | 4, true, "protocol-error" },
	{ "auth3 before a bind", NEW, write_auth3_done, NAK | 4, true, "protocol-error" },
	{ "unknown type before a bind", NEW, write_unknown_type, NAK | 4, true, "protocol-error" },
	{ "bind that ends with a count of none", NEW, write_bind_without_elements, NAK | 0, true,
	    "protocol-error" },
	{ "bind of version 5.1", NEW, write_bind_version, NAK | 4, true, "protocol-error" },
	{ "second bind", PLAIN, write_bind, NAK | 0, true, "protocol-error" },
	{ "second bind of another version", PLAIN, write_bind_version, NAK | 4, true, "protocol-error" },
	/* what a client never sends, or not so */
	{ "response", PLAIN, write_response, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "unknown type", PLAIN, write_unknown_type, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "frag_length below a header", PLAIN, write_short, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "request without its fixed part", PLAIN, write_no_request, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "request larger than the transport's fragments", PLAIN, write_long, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "orphaned without the feature", PLAIN, write_orphaned, SILENCE, false, NULL },
	/* fragments and calls */
	{ "last fragment of no call", PLAIN, write_last_only, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "first fragment inside a call", PLAIN, write_first_twice, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "fragment with another call_id", PLAIN, write_other_call, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "second call without multiplexing", PLAIN, write_second_call, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "more octets announced than taken", PLAIN, write_announced, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	/* targets */
	{ "unknown p_cont_id", PLAIN, write_unknown_context, NCA_S_UNK_IF, false, "fault" },
	{ "opnum beyond the table", PLAIN, write_unknown_opnum, NCA_S_OP_RNG_ERROR, false, "fault" },
	{ "opnum in a gap of the table", PLAIN, write_gap_opnum, NCA_S_OP_RNG_ERROR, false, "fault" },
	{ "opnum beyond the table at level 2", LEVEL2, write_unknown_opnum, NCA_S_OP_RNG_ERROR, false,
	    "fault" },
	{ "level none below the minimum", PLAIN, write_secret, RPC_FAULT_ACCESS_DENIED, true, "fault" },
	{ "level 2 below the minimum", LEVEL2, write_secret, RPC_FAULT_ACCESS_DENIED, true, "fault" },
	/* bodies */
	{ "arguments cut off", PLAIN, write_bad_stub, RPC_FAULT_BAD_STUB_DATA, false, "fault" },
	{ "verification trailer that lies", PLAIN, write_bad_trailer, RPC_FAULT_ACCESS_DENIED, false,
	    "fault" },
	{ "method that fails", PLAIN, write_failing, RPC_FAULT_ACCESS_DENIED, false, "fault" },
	/* legs */
	{ "alter_context leg refused", HALF, write_alter_refused, RPC_FAULT_ACCESS_DENIED, true, "fault" },
	{ "alter_context leg: integrity", HALF, write_alter_broken, RPC_FAULT_SEC_PKG_ERROR, true, "fault" },
	{ "alter_context leg of another type", HALF, write_alter_other_type, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "alter_context leg of another level", HALF, write_alter_other_level, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "alter_context leg after completion", LEVEL6, write_alter_done, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "alter_context with an unknown type", PLAIN, write_alter_unknown_type, RPC_FAULT_ACCESS_DENIED,
	    true, "fault" },
	{ "one security context too many", LEVEL6, write_alter_second_context, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "auth3 without authentication", HALF, write_auth3_bare, NCA_S_FAULT_REMOTE_NO_MEMORY, false,
	    "fault" },
	{ "auth3 of another type", HALF, write_auth3_other_type, NCA_S_FAULT_REMOTE_NO_MEMORY, false,
	    "fault" },
	{ "auth3 of another level", HALF, write_auth3_other_level, NCA_S_FAULT_REMOTE_NO_MEMORY, false,
	    "fault" },
	{ "auth3 with padding that has no room", HALF, write_auth3_padding, NCA_S_FAULT_REMOTE_NO_MEMORY, true,
	    "fault" },
	{ "auth3 on a plain connection", PLAIN, write_auth3_done, NCA_S_FAULT_REMOTE_NO_MEMORY, false,
	    "fault" },
	{ "auth3 for another context", HALF, write_auth3_other_context, RPC_FAULT_ACCESS_DENIED, false,
	    "fault" },
	{ "auth3 after completion", LEVEL6, write_auth3_done, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "auth3 after its refusal", REFUSED, write_auth3_done, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "auth3 with a token too long", HALF, write_auth3_long, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "auth3 refused", HALF, write_auth3_refused, SILENCE, false, "logon-refused" },
	/* protection */
	{ "request before the last leg", HALF, write_protected6, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "bare request before the last leg", HALF, write_request, NCA_S_PROTO_ERROR, true,
	    "protocol-error" },
	{ "request after a refused auth3", REFUSED, write_protected6, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "bare request after a refused auth3", REFUSED, write_request, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "bare request at level 5", LEVEL5, write_request, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "bare request at level 6", LEVEL6, write_request, NCA_S_PROTO_ERROR, true, "protocol-error" },
	{ "request at another level", LEVEL6, write_protected5, RPC_FAULT_ACCESS_DENIED, true, "fault" },
	{ "request with an unknown security context", LEVEL6, write_protected_unknown,
	    RPC_FAULT_ACCESS_DENIED, true, "fault" },
	{ "protected request without authentication", PLAIN, write_protected6, RPC_FAULT_ACCESS_DENIED, true,
	    "fault" },
	{ "bad signature", LEVEL6, write_bad_signature, RPC_FAULT_SEC_PKG_ERROR, true, "fault" },
	{ "replay", LEVEL6, write_replay, RPC_FAULT_SEC_PKG_ERROR, true, "fault" },
};

static void
prepare(struct rig *r, enum before before)
{
	static const uint8_t levels[] = { [LEVEL2] = 2, [LEVEL5] = 5, [LEVEL6] = 6 };
	struct bytes pdu;

	if (before == NEW)
		return;
	if (before < HALF) {
		rig_bind(r, PFC_WHOLE, before == PLAIN ? 0 : levels[before]);
		return;
	}
	put_bind(r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
	put_auth(r, 10, 6, 7, "more");
	put_end(r);
	assert_true(rig_exchange(r, &pdu));
	if (before == REFUSED) {
		write_auth3_refused(r);
		assert_true(rig_feed(r));
	}
}

static int64_t
answer_of(struct rig *r, struct bytes *pdu)
{
	if (!rig_next(r, pdu))
		return SILENCE;
	if (pdu->p[2] == RPC_PTYPE_BIND_NAK)
		return NAK | get_u16le(pdu->p + 16);
	if (pdu->p[2] != RPC_PTYPE_FAULT)
		return -2;
	assert_int_equal(pdu->len, 32);
	assert_int_equal(get_u32le(pdu->p + 16), 32);
	return (int64_t)get_u32le(pdu->p + 24);
}

static void
test_refusals(void **state)
{
	static const struct rpc_limits limits = { .security_contexts = 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes pdu;
		unsigned before;
		int64_t got;
		struct rig r;

		rig_init(&r, &limits, false);
		prepare(&r, cases[i].before);
		before = r.incidents;
		cases[i].write(&r);
		assert_true(rig_feed(&r));
		got = answer_of(&r, &pdu);
		if (got != cases[i].answer || r.closed != cases[i].closed ||
		    (r.incidents > before) != (cases[i].incident != NULL) ||
		    (cases[i].incident != NULL && strcmp(r.incident, cases[i].incident) != 0))
			fail_msg("%s: 0x%llx, closed %u, incident %s", cases[i].name, (unsigned long long)got,
			    r.closed, r.incident);
		if (cases[i].write == write_first_twice || cases[i].write == write_other_call)
			assert_int_equal(get_u32le(pdu.p + 12), 2); /* the interrupted call's */
		else if (got != SILENCE)
			assert_int_equal(get_u32le(pdu.p + 12), get_u32le(r.pdu.p + 12)); /* call_id */
		assert_false(rig_next(&r, &pdu));
		/* an ended connection takes whatever still comes and says nothing more */
		if (cases[i].closed) {
			unsigned runs = r.ctx.runs;

			write_request(&r);
			assert_true(rig_feed(&r));
			write_bind(&r);
			assert_true(rig_feed(&r));
			assert_false(rig_next(&r, &pdu));
			assert_int_equal(r.closed, 1);
			assert_int_equal(r.ctx.runs, runs);
		}
		for (unsigned k = 0; k < r.ctx.n_held; k++)
			fixture_release(&r.ctx, k);
		rig_fini(&r);
	}
	assert_int_equal(fake_alive, 0);
}

/* PFC_DID_NOT_EXECUTE says that the client may repeat the call elsewhere: so never once a method ran. */
static void
test_fault_flags(void **state)
{
	static const struct {
		write_fn *write;
		uint8_t flags;
		uint16_t context_id;
	} rows[] = {
		{ write_unknown_opnum, PFC_WHOLE | PFC_DID_NOT_EXECUTE, 0 },
		{ write_unknown_context, PFC_WHOLE | PFC_DID_NOT_EXECUTE, 0 },
		{ write_bad_stub, PFC_WHOLE, 0 },
		{ write_failing, PFC_WHOLE, 0 },
		{ write_secret, PFC_WHOLE, 1 },
		{ write_last_only, PFC_WHOLE, 0 },
		{ write_alter_unknown_type, PFC_WHOLE | PFC_DID_NOT_EXECUTE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct bytes pdu;
		struct rig r;

		rig_init(&r, NULL, false);
		prepare(&r, PLAIN);
		rows[i].write(&r);
		assert_true(rig_feed(&r));
		assert_true(rig_next(&r, &pdu));
		assert_int_equal(pdu.p[3], rows[i].flags);
		assert_int_equal(get_u16le(pdu.p + 20), rows[i].context_id);
		rig_fini(&r);
	}
}

/* opnum and p_cont_id count in the first fragment only. */
static void
test_later_fragments(void **state)
{
	static write_fn *const writers[] = { write_other_opnum, write_other_presentation };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(writers); i++) {
		struct rig r;

		rig_init(&r, NULL, false);
		prepare(&r, PLAIN);
		writers[i](&r);
		assert_true(rig_feed(&r));
		/* Put together and read as what the first one said: two octets are too few for that method. */
		assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), RPC_FAULT_BAD_STUB_DATA);
		assert_int_equal(r.closed, 0);
		rig_fini(&r);
	}
}

/* Below an interface's minimum, a connection that has a protected context goes on. */
static void
test_minimum_with_other_context(void **state)
{
	struct bytes pdu;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	prepare(&r, LEVEL2);
	write_alter_leg(&r, 10, 6, 8, "done");
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_ALTER_CONTEXT_RESP);
	write_secret(&r);
	assert_true(rig_feed(&r));
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), RPC_FAULT_ACCESS_DENIED);
	assert_int_equal(r.closed, 0);
	put_request(&r, PFC_WHOLE, 3, 1, 3, NULL, 0);
	put_protection(&r, 6, 8, false);
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
	rig_fini(&r);
}

/* After a bad auth3 every request and alter_context gets fault 5. */
static void
test_invalid_connection(void **state)
{
	write_fn *const rows[] = { write_request, write_protected6, write_alter };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;

		rig_init(&r, NULL, false);
		prepare(&r, HALF);
		write_auth3_bare(&r);
		assert_true(rig_feed(&r));
		assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), NCA_S_FAULT_REMOTE_NO_MEMORY);
		rows[i](&r);
		assert_true(rig_feed(&r));
		assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), RPC_FAULT_ACCESS_DENIED);
		assert_int_equal(r.closed, 1);
		rig_fini(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_fault_flags),
		cmocka_unit_test(test_later_fragments),
		cmocka_unit_test(test_minimum_with_other_context),
		cmocka_unit_test(test_invalid_connection),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("refusals", tests, NULL, NULL);
}
