/* Binding: presentation contexts, features, sizes, flags, association groups, legs of authentication. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

#define MINOR(v) "5c1f2a02-7d3e-4b19-9a44-0c123456789a/" v
#define UNKNOWN "91ae6020-9e3c-11cf-8d7c-00aa00c091be/0.0"
#define FEATURES(bits) "6cb71c2c-9812-4540-" bits "00-000000000000/1.0"

static const char *const ndr64 = "71710533-beba-4937-8319-b5dbef9ccc36/1.0";

struct element {
	uint16_t id;
	const char *abstract;
	const char *transfer[3];
};

static void
put_elements(struct rig *r, uint8_t ptype, const struct element *el)
{
	unsigned n = 0;

	while (n < 4 && el[n].abstract != NULL)
		n++;
	put_bind_fixed(r, ptype, PFC_WHOLE, 9, 4280, 0, (uint8_t)n);
	for (unsigned i = 0; i < n; i++) {
		unsigned k = 0;

		while (k < 3 && el[i].transfer[k] != NULL)
			k++;
		put_element(r, el[i].id, el[i].abstract, k, el[i].transfer);
	}
	put_end(r);
}

/* The results of an answer as "0/0 2/2". */
static const char *
results_text(struct bytes pdu, char out[64])
{
	size_t off = 24 + 2 + get_u16le(pdu.p + 24);
	unsigned n;

	off += (4 - off % 4) % 4;
	n = pdu.p[off];
	off += 4;
	out[0] = '\0';
	for (unsigned i = 0; i < n; i++, off += 24) {
		bool zero = true;

		assert_true(pdu.len - off >= 24);
		for (unsigned k = 4; k < 24; k++)
			zero = zero && pdu.p[off + k] == 0;
		assert_int_equal(
		    zero, get_u16le(pdu.p + off) != 0); /* a transfer syntax when accepted only */
		sprintf(out + strlen(out), "%s%u/%u", i > 0 ? " " : "", get_u16le(pdu.p + off),
		    get_u16le(pdu.p + off + 2));
	}
	return out;
}

static void
test_results(void **state)
{
	static const struct {
		const char *name;
		struct element el[5];
		const char *expect, *strict; /* strict: one context per bind; NULL: the same */
	} cases[] = {
		{ "plain", { { 0, MINOR("2.0"), { NULL } } }, "0/0", NULL },
		{ "unknown interface", { { 0, UNKNOWN, { NULL } } }, "2/1", NULL },
		{ "other major version", { { 0, MINOR("1.0"), { NULL } } }, "2/1", NULL },
		{ "minor version above", { { 0, MINOR("2.4"), { NULL } } }, "2/1", NULL },
		{ "minor version as served", { { 0, MINOR("2.3"), { NULL } } }, "0/0", NULL },
		{ "minor version below", { { 0, MINOR("2.0"), { NULL } } }, "0/0", NULL },
		{ "NDR64 alone", { { 0, MINOR("2.0"), { ndr64 } } }, "2/2", NULL },
		{ "both in one element",
		    { { 0, MINOR("2.0"), { ndr64, "8a885d04-1ceb-11c9-9fe8-08002b104860/2.0" } } }, "0/0",
		    NULL },
		{ "NDR20 of another version",
		    { { 0, MINOR("2.0"), { "8a885d04-1ceb-11c9-9fe8-08002b104860/1.0" } } }, "2/2", NULL },
		{ "as Windows binds",
		    { { 0, MINOR("2.0"), { NULL } }, { 1, MINOR("2.0"), { ndr64 } },
			{ 2, MINOR("2.0"), { FEATURES("03") } } },
		    "0/0 2/2 3/3", NULL },
		{ "NDR64 first", { { 0, MINOR("2.0"), { ndr64 } }, { 1, MINOR("2.0"), { NULL } } }, "2/2 0/0",
		    NULL },
		{ "features with the id of an accepted context, as go-msrpc binds",
		    { { 0, MINOR("2.0"), { NULL } }, { 0, MINOR("2.0"), { FEATURES("03") } } }, "0/0 3/3",
		    NULL },
		{ "one feature", { { 0, MINOR("2.0"), { FEATURES("01") } } }, "3/1", NULL },
		{ "features nobody knows", { { 0, MINOR("2.0"), { FEATURES("fe") } } }, "3/2", NULL },
		{ "features not first are a transfer syntax",
		    { { 0, MINOR("2.0"), { ndr64, FEATURES("03") } } }, "2/2", NULL },
		{ "features of another version",
		    { { 0, MINOR("2.0"), { "6cb71c2c-9812-4540-0300-000000000000/2.0" } } }, "2/2", NULL },
		{ "the same interface twice",
		    { { 0, MINOR("2.0"), { NULL } }, { 1, MINOR("2.0"), { NULL } } }, "0/0 2/2", NULL },
		{ "the same element twice", { { 0, MINOR("2.0"), { NULL } }, { 0, MINOR("2.0"), { NULL } } },
		    "0/0 0/0", NULL },
		{ "two interfaces",
		    { { 0, MINOR("2.0"), { NULL } },
			{ 1, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0", { NULL } } },
		    "0/0 0/0", "0/0 2/2" },
		{ "one of two", { { 5, UNKNOWN, { NULL } }, { 6, MINOR("2.1"), { NULL } } }, "2/1 0/0",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		bool strict = i >= ARRAY_LEN(cases);
		struct element el[5];
		const char *expect;
		struct bytes pdu;
		struct rig r;
		char text[64];
		size_t k = i % ARRAY_LEN(cases);

		expect = strict && cases[k].strict != NULL ? cases[k].strict : cases[k].expect;
		memcpy(el, cases[k].el, sizeof(el));
		for (unsigned j = 0; j < 5; j++)
			if (el[j].abstract != NULL && el[j].transfer[0] == NULL)
				el[j].transfer[0] = NDR20;
		rig_init(&r, NULL, strict);
		put_elements(&r, RPC_PTYPE_BIND, el);
		assert_true(rig_feed(&r));
		assert_true(rig_next(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_BIND_ACK);
		assert_int_equal(get_u32le(pdu.p + 12), 9);
		assert_string_equal((const char *)pdu.p + 26, "49152");
		if (strcmp(results_text(pdu, text), expect) != 0)
			fail_msg("%s: %s", cases[k].name, text);
		assert_int_equal(r.settled, 1);
		assert_int_equal(r.closed, 0);
		rig_fini(&r);
	}
}

/* Ends of a bind: the reason of its bind_nak, and that the connection is over. */
static void
test_bind_refused(void **state)
{
	static const struct {
		const char *name;
		struct element el[5];
		uint32_t group;
		unsigned type, level; /* authentication */
		const char *token;
		int reason;
		const char *incident;
	} cases[] = {
		{ "no element", { { 0 } }, 0, 0, 0, NULL, 0, "protocol-error" },
		{ "no transfer syntax", { { 0, UNKNOWN, { "" } } }, 0, 0, 0, NULL, 0, "protocol-error" },
		{ "features twice",
		    { { 0, UNKNOWN, { FEATURES("01") } }, { 1, UNKNOWN, { FEATURES("01") } } }, 0, 0, 0, NULL,
		    0, "protocol-error" },
		{ "one id for two interfaces",
		    { { 0, MINOR("2.0"), { NULL } },
			{ 0, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0", { NULL } } },
		    0, 0, 0, NULL, 0, "protocol-error" },
		{ "a foreign association group", { { 0, MINOR("2.0"), { NULL } } }, 77, 0, 0, NULL, 0,
		    "protocol-error" },
		{ "Kerberos", { { 0, MINOR("2.0"), { NULL } } }, 0, 16, 6, "more", 8, "protocol-error" },
		{ "an unknown type at level 7", { { 0, MINOR("2.0"), { NULL } } }, 0, 99, 7, "more", 0,
		    "protocol-error" },
		{ "an unknown type", { { 0, MINOR("2.0"), { NULL } } }, 0, 99, 6, "more", 8,
		    "protocol-error" },
		{ "level 0", { { 0, MINOR("2.0"), { NULL } } }, 0, 10, 0, "more", 0, "protocol-error" },
		{ "level none", { { 0, MINOR("2.0"), { NULL } } }, 0, 10, 1, "more", 0, "protocol-error" },
		{ "level 7", { { 0, MINOR("2.0"), { NULL } } }, 0, 10, 7, "more", 0, "protocol-error" },
		{ "refused token", { { 0, MINOR("2.0"), { NULL } } }, 0, 10, 6, "fail", 9, "protocol-error" },
		{ "broken token", { { 0, MINOR("2.0"), { NULL } } }, 0, 9, 6, "broken", 9, "protocol-error" },
		{ "cannot sign", { { 0, MINOR("2.0"), { NULL } } }, 0, 9, 5, "weak", 9, "protocol-error" },
		{ "more contexts than allowed",
		    { { 0, MINOR("2.0"), { NULL } },
			{ 1, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0", { NULL } },
			{ 2, "5c1f2a01-7d3e-4b19-9a44-0c123456789a/1.0", { NULL } } },
		    0, 0, 0, NULL, 2, "limit" },
	};
	static const struct rpc_limits limits = { .contexts = 2 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct element el[5];
		struct rig r;
		int64_t got;

		memcpy(el, cases[i].el, sizeof(el));
		for (unsigned j = 0; j < 5; j++) {
			if (el[j].transfer[0] != NULL && el[j].transfer[0][0] == '\0')
				el[j].transfer[0] = NULL;
			else if (el[j].abstract != NULL && el[j].transfer[0] == NULL)
				el[j].transfer[0] = NDR20;
		}
		rig_init(&r, &limits, false);
		put_elements(&r, RPC_PTYPE_BIND, el);
		set_u32le(r.pdu.p + 20, cases[i].group);
		if (cases[i].token != NULL) {
			put_auth(&r, (uint8_t)cases[i].type, (uint8_t)cases[i].level, 1, cases[i].token);
			put_end(&r);
		}
		assert_true(rig_feed(&r));
		got = rig_refusal(&r, RPC_PTYPE_BIND_NAK);
		if (got != cases[i].reason || r.closed != 1 || r.settled != 0 ||
		    strcmp(r.incident, cases[i].incident) != 0)
			fail_msg("%s: reason %d, closed %u, incident %s", cases[i].name, (int)got, r.closed,
			    r.incident);
		rig_fini(&r);
	}
	assert_int_equal(fake_alive, 0);
}

static void
test_fragment_size(void **state)
{
	static const struct {
		uint16_t xmit, recv, answer;
	} cases[] = {
		{ 4280, 4280, 4280 },
		{ 5840, 5840, 5840 },
		{ 65535, 65535, 5840 },
		{ 5840, 4280, 4280 },
		{ 4280, 5840, 4280 },
		{ 0, 0, 2048 },
		{ 2047, 2047, 2048 },
		{ 2055, 9000, 2048 },
		{ 5839, 5839, 5832 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes pdu;
		struct rig r;

		rig_init(&r, NULL, false);
		put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
		set_u16le(r.pdu.p + 16, cases[i].xmit);
		set_u16le(r.pdu.p + 18, cases[i].recv);
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(get_u16le(pdu.p + 16), cases[i].answer);
		assert_int_equal(get_u16le(pdu.p + 18), cases[i].answer);
		rig_fini(&r);
	}
}

/* PFC_CONC_MPX is repeated; PFC_SUPPORT_HEADER_SIGN only with authentication, then in every later answer too.
 */
static void
test_flags(void **state)
{
	static const struct {
		uint8_t flags;
		bool auth;
		uint8_t answer, alter, alter_answer;
	} cases[] = {
		{ PFC_WHOLE, false, PFC_WHOLE, PFC_WHOLE, PFC_WHOLE },
		{ PFC_WHOLE | PFC_CONC_MPX, false, PFC_WHOLE | PFC_CONC_MPX, PFC_WHOLE | PFC_CONC_MPX,
		    PFC_WHOLE | PFC_CONC_MPX },
		{ PFC_WHOLE, false, PFC_WHOLE, PFC_WHOLE | PFC_CONC_MPX, PFC_WHOLE },
		{ PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, false, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN,
		    PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN },
		{ 0, false, PFC_WHOLE, 0, PFC_WHOLE }, /* neither comes in fragments */
		{ PFC_FIRST_FRAG, false, PFC_WHOLE, PFC_LAST_FRAG, PFC_WHOLE },
		{ PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, true, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN,
		    PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN },
		{ PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, true, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, PFC_WHOLE,
		    PFC_WHOLE },
		{ PFC_WHOLE, true, PFC_WHOLE, PFC_WHOLE | PFC_SUPPORT_HEADER_SIGN, PFC_WHOLE },
		{ PFC_WHOLE | 0x08 | PFC_DID_NOT_EXECUTE | PFC_MAYBE, false, PFC_WHOLE, PFC_WHOLE,
		    PFC_WHOLE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes pdu;
		struct rig r;

		rig_init(&r, NULL, false);
		put_bind(&r, RPC_PTYPE_BIND, cases[i].flags, 1, 0, ECHO);
		if (cases[i].auth)
			put_auth(&r, AUTH_MECH_NTLM, 6, 7, "done");
		put_end(&r);
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(pdu.p[3], cases[i].answer);
		put_bind(&r, RPC_PTYPE_ALTER_CONTEXT, cases[i].alter, 2, 1, SECRET);
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_ALTER_CONTEXT_RESP);
		assert_int_equal(pdu.p[3], cases[i].alter_answer);
		assert_int_equal(get_u16le(pdu.p + 24), 0); /* no sec_addr */
		rig_fini(&r);
	}
}

static void
test_association_groups(void **state)
{
	struct rpc_peer other = { "127.0.0.2:1", { [15] = 9 }, { 0 }, "127.0.0.1" };
	struct rpc_conn *first, *second;
	struct bytes pdu;
	uint32_t group;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
	assert_true(rig_exchange(&r, &pdu));
	group = get_u32le(pdu.p + 20);
	assert_int_not_equal(group, 0);
	first = r.conn;

	rig_connect(&r); /* the same client joins */
	set_u32le(r.pdu.p + 20, group);
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_BIND_ACK);
	assert_int_equal(get_u32le(pdu.p + 20), group);
	second = r.conn;

	r.conn = rpc_conn_new(r.port, &other, &rig_carrier, &r); /* another may not */
	assert_true(rig_feed(&r));
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_BIND_NAK), 0);
	rpc_conn_free(r.conn);

	rpc_conn_free(first); /* the group lives while one connection does */
	rig_connect(&r);
	assert_true(rig_exchange(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_BIND_ACK);
	rpc_conn_free(r.conn);
	rpc_conn_free(second);
	rig_connect(&r);
	assert_true(rig_feed(&r));
	assert_int_equal(rig_refusal(&r, RPC_PTYPE_BIND_NAK), 0);
	rig_fini(&r);
}

static void
test_alter_context(void **state)
{
	static const struct {
		const char *name;
		uint16_t id;
		const char *abstract, *transfer;
		const char *results; /* NULL: fault 0x1C01000B and the end */
	} cases[] = {
		{ "another interface", 1, MINOR("2.0"), NULL, "0/0" },
		{ "the same interface under a new id", 1, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0", NULL,
		    "0/0" },
		{ "the same context again", 0, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0", NULL, "0/0" },
		{ "an unknown interface", 1, UNKNOWN, NULL, "2/1" },
		{ "NDR64", 1, MINOR("2.0"), "71710533-beba-4937-8319-b5dbef9ccc36/1.0", "2/2" },
		{ "a used id for another interface", 0, MINOR("2.0"), NULL, NULL },
		{ "a used id for an unknown interface", 0, UNKNOWN, NULL, NULL },
		{ "a used id with another transfer syntax", 0, "5c1f2a00-7d3e-4b19-9a44-0c123456789a/1.0",
		    "71710533-beba-4937-8319-b5dbef9ccc36/1.0", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *transfer = cases[i].transfer != NULL ? cases[i].transfer : NDR20;
		struct bytes pdu;
		struct rig r;
		char text[64];

		rig_init(&r, NULL, false);
		put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
		assert_true(rig_exchange(&r, &pdu));
		put_bind_fixed(&r, RPC_PTYPE_ALTER_CONTEXT, PFC_WHOLE, 2, 4280, 0, 1);
		put_element(&r, cases[i].id, cases[i].abstract, 1, &transfer);
		put_end(&r);
		assert_true(rig_feed(&r));
		if (cases[i].results == NULL) {
			assert_int_equal(rig_refusal(&r, RPC_PTYPE_FAULT), NCA_S_PROTO_ERROR);
			assert_int_equal(r.closed, 1);
		} else {
			assert_true(rig_next(&r, &pdu));
			assert_int_equal(pdu.p[2], RPC_PTYPE_ALTER_CONTEXT_RESP);
			if (strcmp(results_text(pdu, text), cases[i].results) != 0)
				fail_msg("%s: %s", cases[i].name, text);
			assert_int_equal(r.closed, 0);
		}
		rig_fini(&r);
	}
}

/* ---- legs ---- */

static void
test_legs(void **state)
{
	static const struct {
		const char *name;
		const char *bind, *bind_token; /* token out; NULL: none expected */
		uint8_t next;                  /* AUTH3, ALTER_CONTEXT, or 0 */
		const char *leg, *leg_token;
		bool settled;
	} cases[] = {
		{ "one leg", "done", NULL, 0, NULL, NULL, true },
		{ "one leg with an answer", "accept", "accepted", 0, NULL, NULL, true },
		{ "NTLM: bind, auth3", "more", "challenge", RPC_PTYPE_AUTH3, "done", NULL, true },
		{ "SPNEGO: bind, alter_context", "more", "challenge", RPC_PTYPE_ALTER_CONTEXT, "accept",
		    "accepted", true },
		{ "alter_context without an answer token", "more", "challenge", RPC_PTYPE_ALTER_CONTEXT,
		    "done", NULL, true },
		{ "a leg more", "more", "challenge", RPC_PTYPE_ALTER_CONTEXT, "more", "challenge", false },
		{ "auth3 that would need an answer", "more", "challenge", RPC_PTYPE_AUTH3, "more", NULL,
		    false },
		{ "auth3 refused", "more", "challenge", RPC_PTYPE_AUTH3, "fail", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct bytes pdu;
		struct rig r;

		rig_init(&r, NULL, false);
		put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
		put_auth(&r, AUTH_MECH_SPNEGO, 6, 79231, cases[i].bind);
		put_end(&r);
		/* Padding that would reach back to where a request's stub begins is the most there can be. */
		r.pdu.p[r.pdu.len - strlen(cases[i].bind) - RPC_TRAILER_LEN + 2] =
		    (uint8_t)(r.pdu.len - strlen(cases[i].bind) - RPC_TRAILER_LEN - RPC_REQUEST_LEN);
		assert_true(rig_exchange(&r, &pdu));
		assert_int_equal(pdu.p[2], RPC_PTYPE_BIND_ACK);
		for (int leg = 0; leg < 2; leg++) {
			const char *token = leg == 0 ? cases[i].bind_token : cases[i].leg_token;
			size_t n = token != NULL ? strlen(token) : 0;

			if (leg == 1 && cases[i].next == 0)
				break;
			if (leg == 1) {
				if (cases[i].next == RPC_PTYPE_AUTH3) {
					put_start(&r, RPC_PTYPE_AUTH3, PFC_WHOLE, 1);
					buf_put_str(&r.pdu, "    ");
				} else {
					put_bind(&r, RPC_PTYPE_ALTER_CONTEXT, PFC_WHOLE, 1, 0, ECHO);
				}
				put_auth(&r, AUTH_MECH_SPNEGO, 6, 79231, cases[i].leg);
				put_end(&r);
				assert_true(rig_feed(&r));
				if (cases[i].next == RPC_PTYPE_AUTH3) { /* never answered */
					assert_false(rig_next(&r, &pdu));
					break;
				}
				assert_true(rig_next(&r, &pdu));
				assert_int_equal(pdu.p[2], RPC_PTYPE_ALTER_CONTEXT_RESP);
			}
			assert_int_equal(get_u16le(pdu.p + 10), n);
			if (n > 0 || leg == 1) { /* a finished alter_context keeps the bare trailer */
				const uint8_t *t = pdu.p + pdu.len - n - 8;

				assert_memory_equal(t, "\x09\x06\0\0\x7f\x35\x01\0", 8);
				assert_memory_equal(t + 8, token, n);
			}
		}
		if (r.settled != cases[i].settled || r.closed != 0)
			fail_msg("%s: settled %u, closed %u", cases[i].name, r.settled, r.closed);
		rig_fini(&r);
	}
	assert_int_equal(fake_alive, 0);
}

/* A leg the authority has not decided: nothing is read meanwhile, not even what came in the same segment. */
static void
test_undecided_leg(void **state)
{
	struct buf segment;
	struct bytes pdu;
	size_t used;
	struct rig r;

	(void)state;
	rig_init(&r, NULL, false);
	put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
	put_auth(&r, AUTH_MECH_NTLM, 2, 7, "more");
	put_end(&r);
	assert_true(rig_exchange(&r, &pdu));

	buf_init(&segment, 4096);
	put_start(&r, RPC_PTYPE_AUTH3, PFC_WHOLE, 1);
	buf_put_str(&r.pdu, "    ");
	put_auth(&r, AUTH_MECH_NTLM, 2, 7, "+done");
	put_end(&r);
	buf_put(&segment, r.pdu.p, r.pdu.len);
	put_request(&r, PFC_WHOLE, 2, 0, 3, NULL, 0);
	buf_put(&segment, r.pdu.p, r.pdu.len);

	used = rpc_conn_feed(r.conn, segment.p, segment.len);
	assert_int_equal(used, segment.len - r.pdu.len);
	assert_int_equal(rpc_conn_feed(r.conn, segment.p + used, segment.len - used), 0);
	assert_int_equal(r.ctx.runs, 0);
	assert_int_equal(r.settled, 0);
	fake_decide();
	assert_int_equal(r.resumed, 1);
	assert_int_equal(r.settled, 1);
	assert_int_equal(rpc_conn_feed(r.conn, segment.p + used, segment.len - used), segment.len - used);
	assert_int_equal(r.ctx.runs, 1);
	assert_true(rig_next(&r, &pdu));
	assert_int_equal(pdu.p[2], RPC_PTYPE_RESPONSE);
	buf_fini(&segment);

	/* a connection that ends first cancels the leg */
	rpc_conn_free(r.conn);
	rig_connect(&r);
	put_bind(&r, RPC_PTYPE_BIND, PFC_WHOLE, 1, 0, ECHO);
	put_auth(&r, AUTH_MECH_NTLM, 2, 7, "+done");
	put_end(&r);
	assert_true(rig_feed(&r));
	assert_false(rig_next(&r, &pdu));
	assert_non_null(fake_undecided);
	rig_fini(&r);
	assert_null(fake_undecided);
	assert_int_equal(fake_alive, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_bind_refused),
		cmocka_unit_test(test_fragment_size),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_association_groups),
		cmocka_unit_test(test_alter_context),
		cmocka_unit_test(test_legs),
		cmocka_unit_test(test_undecided_leg),
	};

	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
