/* Activation properties and bindings against octets that other implementations made or took (fixtures/fuzz/idl_activation). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "idl/activation.h"

#define FOLDER "fixtures/fuzz/idl_activation/"

struct fixture {
	struct pool *pool;
	struct buf in, out;
};

static struct fixture *
open_fixture(const char *name)
{
	struct fixture *x = calloc(1, sizeof(*x));
	char path[128];
	FILE *f;
	int c;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	f = fopen(path, "r");
	assert_non_null(f);
	x->pool = pool_new(1 << 20);
	buf_init(&x->in, 1 << 16);
	buf_init(&x->out, 1 << 16);
	while ((c = fgetc(f)) != EOF)
		buf_put_u8(&x->in, (uint8_t)c);
	fclose(f);
	return x;
}

static void
close_fixture(struct fixture *x)
{
	buf_fini(&x->in);
	buf_fini(&x->out);
	pool_free(x->pool);
	free(x);
}

static void
assert_guid(const struct guid *g, const char *text)
{
	char shown[GUID_TEXT_MAX];

	assert_string_equal(guid_to_text(g, shown), text);
}

static void
impackets_request(void **state)
{
	struct fixture *x = open_fixture("request_impacket");
	struct activation_request r;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(activation_request_decode(buf_bytes(&x->in), x->pool, &r, &e), 0);
	assert_guid(&r.clsid, "d99e6e74-fc88-11d0-b498-00a0c90312f3");
	assert_int_equal(r.n_iids, 1);
	assert_guid(&r.iids[0].iid, "d99e6e70-fc88-11d0-b498-00a0c90312f3");
	assert_int_equal(r.n_protseqs, 1);
	assert_int_equal(r.protseqs[0].id, ORPC_NCACN_IP_TCP);
	assert_int_equal(r.client_version.minor, 7);
	/* Ours has the same layout, but for its choices: referent ids, padding, fillers. */
	assert_int_equal(activation_request_encode(&r, &x->out, &e), 0);
	assert_int_equal(x->out.len, x->in.len);
	close_fixture(x);
}

static void
result_octet_by_octet(void **state)
{
	struct fixture *x = open_fixture("result");
	struct activation_result r;
	struct orpc_objref o;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(activation_result_decode(buf_bytes(&x->in), x->pool, &r, &e), 0);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.results[0].hr, 0);
	assert_true(r.oxid == 0x1122334455667788u);
	assert_int_equal(r.authn_hint, 5);
	assert_int_equal(orpc_objref_decode(*r.pointers[0].objref, &o, &e), 0);
	assert_int_equal(o.flags, OBJREF_STANDARD);
	assert_int_equal(o.std.public_refs, 5);
	assert_int_equal(activation_result_encode(&r, &x->out, &e), 0);
	assert_int_equal(x->out.len, x->in.len);
	assert_memory_equal(x->out.p, x->in.p, x->in.len);
	close_fixture(x);
}

/* Cut anywhere: refused, with a code that an activation answers with. */
static void
cut_short(void **state)
{
	static const char *const names[] = { "request_impacket", "result" };
	struct activation_request q;
	struct activation_result r;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct fixture *x = open_fixture(names[i]);

		for (size_t n = 0; n < x->in.len; n++) {
			uint8_t *cut = malloc(n > 0 ? n : 1);
			struct err e = { 0 };

			memcpy(cut, x->in.p, n);
			if (i == 0)
				assert_int_equal(activation_request_decode((struct bytes){ cut, n }, x->pool, &q, &e), -1);
			else
				assert_int_equal(activation_result_decode((struct bytes){ cut, n }, x->pool, &r, &e), -1);
			assert_true(e.hr == RPC_E_INVALID_OBJREF || e.hr == E_INVALIDARG);
			free(cut);
		}
		close_fixture(x);
	}
}

/* dcom.md section 2: the smallest array. */
static void
no_bindings(void **state)
{
	static const uint8_t smallest[] = { 4, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
	struct orpc_bindings none = { .n_strings = 0 }, b;
	struct pool *pool = pool_new(1 << 16);
	struct err e;
	struct buf out;
	size_t used;

	(void)state;
	buf_init(&out, 64);
	assert_int_equal(orpc_bindings_encode(&none, &out, &e), 0);
	assert_int_equal(out.len, sizeof(smallest));
	assert_memory_equal(out.p, smallest, sizeof(smallest));
	assert_int_equal(orpc_bindings_decode(buf_bytes(&out), pool, &b, &used, &e), 0);
	assert_int_equal(used, sizeof(smallest));
	assert_int_equal(b.n_strings + b.n_securities, 0);
	buf_fini(&out);
	pool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(impackets_request),
		cmocka_unit_test(result_octet_by_octet),
		cmocka_unit_test(cut_short),
		cmocka_unit_test(no_bindings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
