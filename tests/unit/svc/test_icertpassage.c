/*
 * CertServerRequest between an RPC runtime and a CA that are both made here: what the CA is asked, what the client
 * reads. Linked in place of the real rpc_call_* and ca_* functions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "ca/ca.h"
#include "idl/icertpassage.h"
#include "svc/svc.h"

/* ---- the runtime ---- */

struct rpc_call {
	struct pool *pool;
	struct token *token;
	enum rpc_auth_level level;
	unsigned answers;
	uint32_t fault;
	struct buf stub; /* the reply, encoded */
};

struct pool *
rpc_call_pool(struct rpc_call *c)
{
	return c->pool;
}
struct token *
rpc_call_token(struct rpc_call *c)
{
	return c->token;
}
enum rpc_auth_level
rpc_call_level(struct rpc_call *c)
{
	return c->level;
}
const char *
rpc_call_package(struct rpc_call *c)
{
	return c->token != NULL ? "NTLM" : "none";
}
const char *
rpc_call_peer(struct rpc_call *c)
{
	(void)c;
	return "192.0.2.9:40112";
}
const char *
rpc_call_id(struct rpc_call *c)
{
	(void)c;
	return "c17.3";
}
void
rpc_call_reply(struct rpc_call *c, const void *result)
{
	struct err e;

	c->answers++;
	if (ndr_push(icertpassage_request_out, result, &c->stub, &e) != 0)
		fail_msg("reply: %s", e.msg);
}
void
rpc_call_fault(struct rpc_call *c, uint32_t status)
{
	c->answers++;
	c->fault = status;
}

/* ---- the CA ---- */

struct ca {
	struct ca_request_result result; /* to be given */
	unsigned requests, incidents;
	/* What it was asked; texts live in the call's pool. */
	struct ca_caller who;
	struct ca_request_args args;
	uint32_t incident_status;
	const char *incident_account;
	bool later; /* answers when told, as the real one does */
	ca_request_fn *cb;
	void *arg;
};

void
ca_request_start(struct ca *ca, const struct ca_caller *who, const struct ca_request_args *a, ca_request_fn *cb,
    void *arg)
{
	ca->requests++;
	ca->who = *who;
	ca->args = *a;
	ca->cb = cb;
	ca->arg = arg;
	if (!ca->later)
		cb(arg, &ca->result);
}
void
ca_journal_incident(struct ca *ca, const char *front, const char *kind, const char *peer, const char *connection,
    const char *account, uint32_t status, const char *reason)
{
	assert_string_equal(front, "ICertPassage");
	assert_non_null(kind);
	assert_string_equal(peer, "192.0.2.9:40112");
	assert_string_equal(connection, "c17.3");
	assert_non_null(reason);
	ca->incidents++;
	ca->incident_status = status;
	ca->incident_account = account;
}

/* ---- helpers ---- */

static void
call_init(struct rpc_call *c)
{
	*c = (struct rpc_call){ .pool = pool_new(1 << 20), .level = RPC_C_AUTHN_LEVEL_PKT_PRIVACY };
	buf_init(&c->stub, 1 << 20);
}

static void
call_fini(struct rpc_call *c)
{
	pool_free(c->pool);
	buf_fini(&c->stub);
}

static void
run(struct rpc_call *c, struct ca *ca, struct icertpassage_request_in *in)
{
	assert_int_equal(svc_icertpassage.n_methods, 1);
	svc_icertpassage.methods[0].run(c, in, ca);
}

static struct icertpassage_request_out *
reply_of(struct rpc_call *c)
{
	struct err e;
	size_t used;
	void *out;

	assert_int_equal(c->answers, 1);
	assert_int_equal(c->fault, 0);
	if (ndr_pull(icertpassage_request_out, sizeof(struct icertpassage_request_out), buf_bytes(&c->stub), c->pool, &out,
		&used, &e) != 0)
		fail_msg("%s", e.msg);
	assert_int_equal(used, c->stub.len);
	return out;
}

/* "A\0" in UTF-16LE and so on, written as hexadecimal. */
static struct bytes
blob_hex(struct pool *pool, const char *hex)
{
	struct bytes out = { NULL, 0 };
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(text_parse_hex(&b, hex, NULL), 0);
	assert_int_equal(pool_dup_bytes(pool, buf_bytes(&b), &out), 0);
	buf_fini(&b);
	return out;
}

/* ---- tests ---- */

static void
passes_the_request_on(void **state)
{
	static const uint8_t der[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	static const uint8_t cert[] = { 0x30, 0x00 }, chain[] = { 0x30, 0x01, 0x05 };
	struct token token = { .account = (char[]){ "CORP\\janedoe" } };
	struct ca ca = { .result = { .hr = 0,
			     .request_id = 7,
			     .disposition = CR_DISP_ISSUED,
			     .certificate = { cert, sizeof(cert) },
			     .chain = { chain, sizeof(chain) },
			     .message = "Issued" } };
	struct icertpassage_request_out *out;
	struct icertpassage_request_in in;
	struct rpc_call call;

	(void)state;
	call_init(&call);
	call.token = &token;
	in = (struct icertpassage_request_in){
		.flags = 0x40100,
		.authority = "CORP-CA",
		.request_id = 3,
		.attributes = blob_hex(call.pool, "4100 3a00 e400 0000"),
		.request = { der, sizeof(der) },
	};
	run(&call, &ca, &in);
	assert_int_equal(ca.args.flags, 0x40100);
	assert_string_equal(ca.args.authority, "CORP-CA");
	assert_int_equal(ca.args.request_id, 3);
	assert_string_equal(ca.args.attributes, "A:\xc3\xa4");
	assert_int_equal(ca.args.request.len, sizeof(der));
	assert_string_equal(ca.who.front, "ICertPassage");
	assert_string_equal(ca.who.peer, "192.0.2.9:40112");
	assert_string_equal(ca.who.call, "c17.3");
	assert_string_equal(ca.who.package, "NTLM");
	assert_ptr_equal(ca.who.token, &token);
	assert_true(ca.who.privacy);
	assert_false(ca.who.local_admin);

	out = reply_of(&call);
	assert_int_equal(out->request_id, 7);
	assert_int_equal(out->disposition, CR_DISP_ISSUED);
	assert_int_equal(out->result, 0);
	assert_true(bytes_equal(out->certificate, (struct bytes){ cert, sizeof(cert) }));
	assert_true(bytes_equal(out->chain, (struct bytes){ chain, sizeof(chain) }));
	assert_int_equal(out->message.len, 14);
	assert_memory_equal(out->message.p, "I\0s\0s\0u\0e\0d\0\0\0", 14);
	call_fini(&call);
}

static void
attributes_must_fill_their_blob(void **state)
{
	static const struct {
		const char *name;
		const char *hex; /* NULL: pb is NULL */
		const char *text;
		bool refused;
	} cases[] = {
		{ "none", NULL, NULL, false },
		{ "empty blob", "", NULL, false },
		{ "empty string", "0000", "", false },
		{ "one letter", "4100 0000", "A", false },
		{ "two lines", "4100 0a00 4200 0000", "A\nB", false },
		{ "no NUL", "4100 4200", NULL, true },
		{ "odd length", "4100 00", NULL, true },
		{ "one octet", "00", NULL, true },
		{ "NUL before the end", "4100 0000 4200 0000", NULL, true },
		{ "two NULs", "4100 0000 0000", NULL, true },
		{ "lone surrogate", "00d8 0000", NULL, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct token token = { .account = (char[]){ "CORP\\janedoe" } };
		struct ca ca = { .result = { .request_id = 9, .disposition = CR_DISP_UNDER_SUBMISSION, .message = "" } };
		struct icertpassage_request_in in = { .request_id = 4 };
		struct icertpassage_request_out *out;
		struct rpc_call call;

		call_init(&call);
		call.token = &token;
		if (cases[i].hex != NULL)
			in.attributes = blob_hex(call.pool, cases[i].hex);
		run(&call, &ca, &in);
		out = reply_of(&call);
		assert_null(out->certificate.p);
		assert_null(out->chain.p);
		if (cases[i].refused) {
			if (ca.requests != 0)
				fail_msg("%s: passed on", cases[i].name);
			assert_int_equal(out->result, E_INVALIDARG);
			assert_int_equal(out->disposition, E_INVALIDARG);
			assert_int_equal(out->request_id, 4);
			assert_true(out->message.len > 2);
			assert_int_equal(ca.incidents, 1);
			assert_int_equal(ca.incident_status, E_INVALIDARG);
			assert_string_equal(ca.incident_account, "CORP\\janedoe");
		} else {
			if (ca.requests != 1)
				fail_msg("%s: refused", cases[i].name);
			assert_int_equal(ca.incidents, 0);
			if (cases[i].text == NULL)
				assert_null(ca.args.attributes);
			else
				assert_string_equal(ca.args.attributes, cases[i].text);
			assert_int_equal(out->disposition, CR_DISP_UNDER_SUBMISSION);
			assert_null(out->message.p);
		}
		call_fini(&call);
	}
}

/* The CA judges; the whole layout comes back whatever it says. */
static void
privacy_and_verdicts(void **state)
{
	static const struct {
		enum rpc_auth_level level;
		bool privacy;
		uint32_t hr, disposition;
		const char *message;
	} cases[] = {
		{ RPC_C_AUTHN_LEVEL_NONE, false, E_ACCESSDENIED, E_ACCESSDENIED, "Access is denied." },
		{ RPC_C_AUTHN_LEVEL_CONNECT, false, E_ACCESSDENIED, E_ACCESSDENIED, NULL },
		{ RPC_C_AUTHN_LEVEL_PKT_INTEGRITY, false, E_ACCESSDENIED, E_ACCESSDENIED, "" },
		{ RPC_C_AUTHN_LEVEL_PKT_PRIVACY, true, 0, CERTSRV_E_TEMPLATE_DENIED, "Denied by Policy Module" },
		{ RPC_C_AUTHN_LEVEL_PKT_PRIVACY, true, 0, CR_DISP_DENIED, "Denied by CORP\\bob" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ca ca = { .result = { .hr = cases[i].hr,
				     .request_id = 12,
				     .disposition = cases[i].disposition,
				     .message = cases[i].message } };
		struct icertpassage_request_in in = { 0 };
		struct icertpassage_request_out *out;
		struct rpc_call call;

		call_init(&call);
		call.level = cases[i].level;
		run(&call, &ca, &in);
		assert_int_equal(ca.who.privacy, cases[i].privacy);
		assert_null(ca.who.token);
		assert_string_equal(ca.who.package, "none");
		out = reply_of(&call);
		assert_int_equal(out->result, cases[i].hr);
		assert_int_equal(out->disposition, cases[i].disposition);
		assert_int_equal(out->request_id, 12);
		if (cases[i].message != NULL && cases[i].message[0] != 0)
			assert_int_equal(out->message.len, 2 * (strlen(cases[i].message) + 1));
		else
			assert_null(out->message.p);
		call_fini(&call);
	}
}

static void
answers_later_and_once(void **state)
{
	struct ca ca = { .result = { .request_id = 1, .disposition = CR_DISP_UNDER_SUBMISSION, .message = "x" },
		.later = true };
	struct icertpassage_request_in in = { 0 };
	struct rpc_call call;

	(void)state;
	call_init(&call);
	run(&call, &ca, &in);
	assert_int_equal(call.answers, 0);
	ca.cb(ca.arg, &ca.result);
	assert_int_equal(call.answers, 1);
	call_fini(&call);
}

static void
an_impossible_message_is_a_fault(void **state)
{
	struct ca ca = { .result = { .request_id = 1, .message = "\xff" } };
	struct icertpassage_request_in in = { 0 };
	struct rpc_call call;

	(void)state;
	call_init(&call);
	run(&call, &ca, &in);
	assert_int_equal(call.answers, 1);
	assert_int_equal(call.fault, NCA_S_FAULT_REMOTE_NO_MEMORY);
	call_fini(&call);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_the_request_on),
		cmocka_unit_test(attributes_must_fill_their_blob),
		cmocka_unit_test(privacy_and_verdicts),
		cmocka_unit_test(answers_later_and_once),
		cmocka_unit_test(an_impossible_message_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
