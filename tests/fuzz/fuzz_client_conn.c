/*
 * What a server may send to a client: the answers to a bind with NTLM or SPNEGO, or to an anonymous one, and
 * to calls. The first octet says which, and how the rest is cut.
 */
#include <stdlib.h>

#include "client/conn.h"
#include "idl/epm.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct rpc_syntax epm = { EPM_UUID, 3, 0 };

struct run {
	struct client_conn *conn;
	unsigned left; /* operations to start */
};

static void
on_send(void *arg, struct bytes octets)
{
	(void)arg;
	if (octets.len < 16)
		abort();
}

static void
on_done(void *arg, struct bytes stub, const struct err *e)
{
	struct run *r = arg;

	if (e != NULL && stub.len > 0)
		abort();
	if (r->left-- == 0) {
		client_conn_free(r->conn);
		r->conn = NULL;
		return;
	}
	if (client_conn_dead(r->conn) || client_conn_context(r->conn, &epm) < 0)
		return;
	client_conn_call(r->conn, 0, 3, NULL, (struct bytes){ (const uint8_t *)"call", 4 }, on_done, r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct client_carrier carrier = { on_send };
	static const struct auth_identity id = { .domain = "CORP", .user = "alice" };
	struct client_auth auth = { .level = RPC_C_AUTHN_LEVEL_PKT_PRIVACY,
		.mech = AUTH_MECH_NTLM,
		.identity = &id,
		.target = "host/ca01" };
	struct run r = { .left = 3 };
	size_t step, off = 1;

	if (size < 1)
		return 0;
	if ((data[0] & 0x40) != 0)
		auth.mech = AUTH_MECH_SPNEGO;
	step = (data[0] & 0x3f) == 0 ? size : data[0] & 0x3f;
	r.conn = client_conn_new(&carrier, &r);
	if (r.conn == NULL)
		return 0;
	client_conn_bind(r.conn, &epm, (data[0] & 0x80) != 0 ? &auth : NULL, on_done, &r);
	for (; r.conn != NULL && off < size; off += step)
		client_conn_feed(r.conn, data + off, size - off < step ? size - off : step);
	client_conn_free(r.conn);
	return 0;
}
