/* The codec against captured and hand-made PDUs, every truncation of them, and lengths that contradict each
 * other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../rpc/golden.h"
#include "idl/pdu.h"

#define NDR64 "71710533-beba-4937-8319-b5dbef9ccc36"

static void
assert_guid(const struct guid *g, const char *text)
{
	char s[GUID_TEXT_MAX];

	assert_string_equal(guid_to_text(g, s), text);
}

static void
decode_golden(const char *name, struct buf *raw, struct rpc_pdu *pdu)
{
	struct err e = { 0 };

	golden_read(name, raw);
	if (rpc_pdu_decode(buf_bytes(raw), pdu, &e) != 0)
		fail_msg("%s: %s", name, e.msg);
}

/* ---- decoding ---- */

static void
test_bind(void **state)
{
	struct rpc_element el;
	struct rpc_syntax s;
	struct rpc_pdu pdu;
	struct buf raw;

	(void)state;
	decode_golden("bind_epm_impacket", &raw, &pdu);
	assert_int_equal(pdu.h.ptype, RPC_PTYPE_BIND);
	assert_int_equal(pdu.h.flags, PFC_WHOLE);
	assert_int_equal(pdu.h.call_id, 1);
	assert_int_equal(pdu.bind.max_xmit, 4280);
	assert_int_equal(pdu.bind.max_recv, 4280);
	assert_int_equal(pdu.bind.assoc_group, 0);
	assert_int_equal(pdu.bind.n_elements, 1);
	assert_false(pdu.auth.present);
	assert_true(rpc_element_next(&pdu.bind.elements, &el));
	assert_int_equal(el.id, 0);
	assert_guid(&el.abstract.uuid, "e1af8308-5d1f-11c9-91a4-08002b14a0fa");
	assert_int_equal(el.abstract.major, 3);
	assert_int_equal(el.abstract.minor, 0);
	assert_int_equal(el.n_transfer, 1);
	rpc_element_transfer(&el, 0, &s);
	assert_true(rpc_syntax_equal(&s, &rpc_ndr20));
	assert_false(rpc_element_next(&pdu.bind.elements, &el));
	buf_fini(&raw);
}

static void
test_bind_three_contexts(void **state)
{
	struct rpc_element el[3];
	struct rpc_syntax s;
	struct rpc_pdu pdu;
	struct buf raw;
	uint8_t bits;

	(void)state;
	decode_golden("bind_three_contexts", &raw, &pdu);
	assert_int_equal(pdu.bind.n_elements, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_true(rpc_element_next(&pdu.bind.elements, &el[i]));
		assert_int_equal(el[i].id, i);
		assert_guid(&el[i].abstract.uuid, "91ae6020-9e3c-11cf-8d7c-00aa00c091be");
	}
	rpc_element_transfer(&el[0], 0, &s);
	assert_false(rpc_syntax_is_features(&s, &bits));
	rpc_element_transfer(&el[1], 0, &s);
	assert_guid(&s.uuid, NDR64);
	assert_int_equal(s.major, 1);
	assert_false(rpc_syntax_is_features(&s, &bits));
	rpc_element_transfer(&el[2], 0, &s);
	assert_true(rpc_syntax_is_features(&s, &bits));
	assert_int_equal(bits, RPC_FEATURE_SECURITY_MULTIPLEXING | RPC_FEATURE_KEEP_ON_ORPHAN);
	buf_fini(&raw);
}

static void
test_trailers(void **state)
{
	static const struct {
		const char *file;
		uint8_t ptype, type, level, pad;
		uint32_t context_id;
		size_t off, token_len;
	} cases[] = {
		{ "bind_ntlm_impacket", RPC_PTYPE_BIND, 10, 6, 0, 79231, 72, 32 },
		{ "auth3_ntlm_impacket", RPC_PTYPE_AUTH3, 10, 6, 0, 79231, 20, 316 },
		{ "alter_context_impacket", RPC_PTYPE_ALTER_CONTEXT, 10, 6, 0, 79232, 72, 32 },
		{ "request_sealed_impacket", RPC_PTYPE_REQUEST, 10, 6, 0, 79231, 180, 16 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rpc_pdu pdu;
		struct buf raw;

		decode_golden(cases[i].file, &raw, &pdu);
		assert_int_equal(pdu.h.ptype, cases[i].ptype);
		assert_true(pdu.auth.present);
		assert_int_equal(pdu.auth.type, cases[i].type);
		assert_int_equal(pdu.auth.level, cases[i].level);
		assert_int_equal(pdu.auth.pad_len, cases[i].pad);
		assert_int_equal(pdu.auth.context_id, cases[i].context_id);
		assert_int_equal(pdu.auth.off, cases[i].off);
		assert_int_equal(pdu.auth.token.len, cases[i].token_len);
		assert_ptr_equal(pdu.auth.token.p, raw.p + raw.len - cases[i].token_len);
		buf_fini(&raw);
	}
}

static void
test_request(void **state)
{
	static const struct guid object = { 0x33221100, 0x5544, 0x7766,
		{ 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff } };
	struct err e = { 0 };
	struct rpc_pdu pdu;
	struct buf raw, with;

	(void)state;
	decode_golden("request_sealed_impacket", &raw, &pdu);
	assert_int_equal(pdu.request.alloc_hint, 156);
	assert_int_equal(pdu.request.context_id, 0);
	assert_int_equal(pdu.request.opnum, 0);
	assert_false(pdu.request.has_object);
	assert_int_equal(pdu.request.stub_off, 24);
	assert_int_equal(pdu.request.stub_len, 156);

	/* the same with an object UUID and eight octets of the stub declared to be padding */
	buf_init(&with, 65536);
	buf_put(&with, raw.p, 24);
	guid_put(&with, &object);
	buf_put(&with, raw.p + 24, raw.len - 24);
	with.p[3] |= PFC_OBJECT_UUID;
	set_u16le(with.p + 8, (uint16_t)with.len);
	with.p[pdu.auth.off + 16 + 2] = 8;
	assert_int_equal(rpc_pdu_decode(buf_bytes(&with), &pdu, &e), 0);
	assert_true(pdu.request.has_object);
	assert_true(guid_equal(&pdu.request.object, &object));
	assert_int_equal(pdu.request.stub_off, 40);
	assert_int_equal(pdu.request.stub_len, 148);
	buf_fini(&with);
	buf_fini(&raw);
}

/* ---- refusals: a golden PDU with one value changed ---- */

static void
test_contradictions(void **state)
{
	static const struct {
		const char *name, *file;
		size_t off;
		unsigned width;
		uint32_t value;
		const char *why; /* in the message; NULL: accepted */
	} cases[] = {
		{ "version 4", "bind_epm_impacket", 0, 1, 4, "version 4.0" },
		{ "version 5.1", "bind_epm_impacket", 1, 1, 1, "version 5.1" },
		{ "EBCDIC", "bind_epm_impacket", 4, 1, 0x11, "representation 11" },
		{ "VAX floats", "bind_epm_impacket", 5, 1, 1, "representation 10 01" },
		{ "shorter than a header", "bind_epm_impacket", 8, 2, 15, "frag_length 15" },
		{ "frag_length one less", "bind_epm_impacket", 8, 2, 71, "frag_length 71 of 72" },
		{ "frag_length one more", "bind_epm_impacket", 8, 2, 73, "frag_length 73 of 72" },
		{ "auth_length into the elements", "bind_ntlm_impacket", 10, 2, 36, "is cut off" },
		{ "auth_length into the fixed part", "bind_ntlm_impacket", 10, 2, 80,
		    "no room for the body" },
		{ "auth_length without room for its trailer", "bind_ntlm_impacket", 10, 2, 90,
		    "auth_length 90" },
		{ "auth_length of everything", "bind_ntlm_impacket", 10, 2, 112, "auth_length 112" },
		{ "auth_length at its greatest", "bind_ntlm_impacket", 10, 2, 0xffff, "auth_length 65535" },
		{ "trailer not aligned", "bind_ntlm_impacket", 10, 2, 31, "not aligned" },
		{ "auth_pad_length of what is there", "bind_ntlm_impacket", 74, 1, 48, NULL },
		{ "auth_pad_length one more", "bind_ntlm_impacket", 74, 1, 49, "auth_pad_length 49" },
		{ "no element, though one follows", "bind_epm_impacket", 24, 1, 0, NULL },
		{ "one element too many", "bind_epm_impacket", 24, 1, 2, "element 2 of 2 is cut off" },
		{ "255 elements", "bind_epm_impacket", 24, 1, 255, "element 2 of 255" },
		{ "two transfer syntaxes in the room of one", "bind_epm_impacket", 30, 1, 2,
		    "element 1 of 1" },
		{ "no transfer syntax", "bind_epm_impacket", 30, 1, 0, NULL },
		{ "a response from a client", "request_sealed_impacket", 2, 1, RPC_PTYPE_RESPONSE,
		    "no client sends" },
		{ "an unknown type", "request_sealed_impacket", 2, 1, 20, "no client sends" },
		{ "request: padding of the whole stub", "request_sealed_impacket", 182, 1, 156, NULL },
		{ "request: more padding than stub", "request_sealed_impacket", 182, 1, 157,
		    "auth_pad_length 157" },
		{ "request: token reaches into the header", "request_sealed_impacket", 10, 2, 180,
		    "no room" },
		{ "auth3: trailer inside the header", "auth3_ntlm_impacket", 10, 2, 321, "auth_length 321" },
		{ "auth3: not aligned", "auth3_ntlm_impacket", 10, 2, 315, "not aligned" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		struct rpc_pdu pdu;
		struct buf raw;
		int ret;

		golden_read(cases[i].file, &raw);
		for (unsigned k = 0; k < cases[i].width; k++)
			raw.p[cases[i].off + k] = (uint8_t)(cases[i].value >> 8 * k);
		ret = rpc_pdu_decode(buf_bytes(&raw), &pdu, &e);
		if ((ret == 0) != (cases[i].why == NULL) ||
		    (ret != 0 && (strstr(e.msg, cases[i].why) == NULL || e.hr != E_RPC_PROTOCOL_ERROR)))
			fail_msg("%s: %d %s", cases[i].name, ret, e.msg);
		buf_fini(&raw);
	}
}

/* Decodes a copy of exactly n octets, and walks what it yields, for the sanitizers to watch. */
static int
decode_copy(const uint8_t *p, size_t n)
{
	uint8_t *copy = malloc(n > 0 ? n : 1);
	struct rpc_element el;
	struct rpc_syntax s;
	struct rpc_pdu pdu;
	struct err e;
	unsigned seen = 0;
	int ret;

	assert_non_null(copy);
	memcpy(copy, p, n);
	ret = rpc_pdu_decode((struct bytes){ copy, n }, &pdu, &e);
	if (ret == 0 && (pdu.h.ptype == RPC_PTYPE_BIND || pdu.h.ptype == RPC_PTYPE_ALTER_CONTEXT)) {
		while (rpc_element_next(&pdu.bind.elements, &el)) {
			for (unsigned i = 0; i < el.n_transfer; i++)
				rpc_element_transfer(&el, i, &s);
			seen++;
		}
		assert_int_equal(seen, pdu.bind.n_elements);
	}
	if (ret == 0 && pdu.h.ptype == RPC_PTYPE_REQUEST)
		assert_true(pdu.request.stub_off + pdu.request.stub_len + pdu.auth.pad_len == pdu.auth.off);
	free(copy);
	return ret;
}

static void
test_truncations(void **state)
{
	static const char *const files[] = { "bind_epm_impacket", "bind_three_contexts", "bind_ntlm_impacket",
		"auth3_ntlm_impacket", "alter_context_impacket", "request_sealed_impacket" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		struct buf raw;

		golden_read(files[i], &raw);
		assert_int_equal(decode_copy(raw.p, raw.len), 0);
		for (size_t n = 0; n < raw.len; n++) {
			assert_int_equal(decode_copy(raw.p, n), -1); /* frag_length says more */
			if (n >= RPC_HEADER_LEN) {
				set_u16le(raw.p + 8, (uint16_t)n);
				(void)decode_copy(
				    raw.p, n); /* may be whole by chance: a bind without its tail is not */
				set_u16le(raw.p + 8, (uint16_t)raw.len);
			}
		}
		for (unsigned auth_len = 0; auth_len <= raw.len; auth_len++) {
			set_u16le(raw.p + 10, (uint16_t)auth_len);
			(void)decode_copy(raw.p, raw.len);
		}
		buf_fini(&raw);
	}
}

static void
test_big_endian_header(void **state)
{
	static const uint8_t raw[16] = { 5, 0, 11, 3, 0, 0, 0, 0, 0, 72, 0, 32, 0x11, 0x22, 0x33, 0x44 };
	struct rpc_header h;
	struct err e;

	(void)state;
	rpc_header_decode(raw, &h);
	assert_int_equal(h.frag_len, 72);
	assert_int_equal(h.auth_len, 32);
	assert_int_equal(h.call_id, 0x11223344);
	assert_int_equal(rpc_header_check(&h, &e), -1);
}

/* ---- encoding ---- */

static void
assert_golden(const char *name, struct buf *made)
{
	struct buf raw;

	golden_read(name, &raw);
	assert_true(buf_ok(made));
	assert_int_equal(made->len, raw.len);
	assert_memory_equal(made->p, raw.p, raw.len);
	buf_fini(&raw);
	buf_fini(made);
}

static void
test_bind_ack(void **state)
{
	static const struct {
		const char *file;
		struct rpc_bind_ack ack;
		unsigned results; /* 1: accepted; 3: as in the Windows bind */
		uint32_t auth_context_id;
		size_t token_off;
	} cases[] = {
		{ "bind_ack_epm", { RPC_PTYPE_BIND_ACK, 0, 1, 4280, 0x53f0, "135", { 0 }, NULL, { 0 } }, 1, 0,
		    0 },
		{ "bind_ack_three_contexts",
		    { RPC_PTYPE_BIND_ACK, 0, 2, 5840, 0x1a2b, "49666", { 0 }, NULL, { 0 } }, 3, 0, 0 },
		{ "bind_ack_ntlm", { RPC_PTYPE_BIND_ACK, 0, 1, 4280, 0x53f0, "49666", { 0 }, NULL, { 0 } }, 1,
		    79231, 68 },
		{ "alter_context_resp",
		    { RPC_PTYPE_ALTER_CONTEXT_RESP, 0, 4, 4280, 0x53f0, NULL, { 0 }, NULL, { 0 } }, 1, 79232,
		    64 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct rpc_trailer auth = { .type = 10, .level = 6, .context_id = cases[i].auth_context_id };
		struct rpc_bind_ack ack = cases[i].ack;
		struct buf results, made, raw;

		golden_read(cases[i].file, &raw);
		buf_init(&results, 1000);
		buf_init(&made, 1000);
		rpc_put_result(&results, RPC_CONT_ACCEPTANCE, 0, &rpc_ndr20);
		if (cases[i].results == 3) {
			rpc_put_result(
			    &results, RPC_CONT_PROVIDER_REJECTION, RPC_CONT_TRANSFER_SYNTAXES, NULL);
			rpc_put_result(&results, RPC_CONT_NEGOTIATE_ACK, 3, NULL);
		}
		ack.results = buf_bytes(&results);
		if (cases[i].token_off != 0) {
			ack.auth = &auth;
			ack.token =
			    (struct bytes){ raw.p + cases[i].token_off, raw.len - cases[i].token_off };
		}
		rpc_put_bind_ack(&made, &ack);
		assert_golden(cases[i].file, &made);
		buf_fini(&results);
		buf_fini(&raw);
	}
}

static void
test_bind_ack_too_long(void **state)
{
	static uint8_t token[65535];
	struct rpc_trailer auth = { .type = 10, .level = 6 };
	struct rpc_bind_ack ack = {
		.ptype = RPC_PTYPE_BIND_ACK, .auth = &auth, .token = { token, sizeof(token) }
	};
	struct buf made;

	(void)state;
	buf_init(&made, 1 << 20);
	rpc_put_bind_ack(&made, &ack); /* frag_length has 16 bits */
	assert_false(buf_ok(&made));
	buf_fini(&made);
}

static void
test_nak_and_faults(void **state)
{
	struct buf made;

	(void)state;
	buf_init(&made, 100);
	rpc_put_bind_nak(&made, 2, RPC_NAK_AUTH_TYPE_UNKNOWN);
	assert_golden("bind_nak_auth_type", &made);
	rpc_put_fault(&made, 5, PFC_DID_NOT_EXECUTE, 0, 5);
	assert_golden("fault_access_denied", &made);
	rpc_put_fault(&made, 5, PFC_DID_NOT_EXECUTE, 0, 0x1c010002);
	assert_golden("fault_op_range", &made);
}

static void
test_response(void **state)
{
	struct rpc_trailer auth = { .type = 10, .level = 6, .pad_len = 8, .context_id = 79231 };
	struct buf made, raw;

	(void)state;
	golden_read("response_sealed", &raw);
	buf_init(&made, 1000);
	rpc_put_response(&made, 2, PFC_WHOLE, 224, 16, 168, 0);
	buf_put(&made, raw.p + 24, 176); /* sealed */
	rpc_put_trailer(&made, &auth);
	buf_put(&made, raw.p + 208, 16); /* signature */
	assert_golden("response_sealed", &made);
	buf_fini(&raw);
}

static void
test_names(void **state)
{
	char scratch[16];

	(void)state;
	assert_string_equal(rpc_ptype_name(RPC_PTYPE_REQUEST, scratch), "request");
	assert_string_equal(rpc_ptype_name(RPC_PTYPE_ORPHANED, scratch), "orphaned");
	assert_string_equal(rpc_ptype_name(1, scratch), "type 1");
	assert_string_equal(rpc_ptype_name(255, scratch), "type 255");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bind),
		cmocka_unit_test(test_bind_three_contexts),
		cmocka_unit_test(test_trailers),
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_truncations),
		cmocka_unit_test(test_big_endian_header),
		cmocka_unit_test(test_bind_ack),
		cmocka_unit_test(test_bind_ack_too_long),
		cmocka_unit_test(test_nak_and_faults),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("pdu", tests, NULL, NULL);
}
