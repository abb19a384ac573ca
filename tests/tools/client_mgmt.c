/*
 * Our client against any DCE/RPC server: finds drsuapi by the endpoint mapper, authenticates on its port, and asks the
 * management interface there. client_mgmt HOST EPM-PORT DOMAIN USER PASSWORD ntlm|negotiate|kerberos LEVEL; USER "-":
 * the ticket cache's. Prints the package, whether the server listens, and the interfaces of the port.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "auth/ntlm_hash.h"
#include "client/epm.h"
#include "idl/mgmt.h"

/* e3514235-4b06-11d1-ab04-00c04fc2dcd2 v4.0 */
static const struct rpc_syntax drsuapi = { { 0xe3514235, 0x4b06, 0x11d1, { 0xab, 0x04, 0x00, 0xc0, 0x4f, 0xc2, 0xdc, 0xd2 } },
	4, 0 };
static const struct rpc_syntax mgmt = { MGMT_UUID, 1, 0 };

static int
ask(struct client_link *l, struct pool *pool, struct err *e)
{
	static const struct client_method if_ids = { "rpc_mgmt_inq_if_ids", 0, NULL, mgmt_inq_if_ids_out,
		sizeof(struct mgmt_inq_if_ids_out) };
	static const struct client_method listening = { "rpc_mgmt_is_server_listening", 2, NULL,
		mgmt_is_server_listening_out, sizeof(struct mgmt_is_server_listening_out) };
	struct mgmt_is_server_listening_out *is;
	struct mgmt_inq_if_ids_out *ids;
	char text[GUID_TEXT_MAX];
	void *out;

	for (int i = 0; i < 3; i++) { /* sequence numbers move on */
		if (client_link_call(l, &mgmt, &listening, NULL, NULL, pool, &out, e) != 0)
			return -1;
		is = out;
		printf("listening %u\n", is->listening);
	}
	if (client_link_call(l, &mgmt, &if_ids, NULL, NULL, pool, &out, e) != 0)
		return -1;
	ids = out;
	for (uint32_t i = 0; ids->vector != NULL && i < ids->vector->count; i++)
		if (ids->vector->if_ids[i].if_id != NULL)
			printf("interface %s\n", guid_to_text(&ids->vector->if_ids[i].if_id->uuid, text));
	return 0;
}

int
main(int argc, char **argv)
{
	struct event_base *base = event_base_new();
	struct pool *pool = pool_new(1 << 20);
	struct client_link *l = NULL;
	struct auth_identity id = { 0 };
	struct client_auth auth = { .identity = &id, .target = "host/dc1.ad.test" };
	struct err e = { 0 };
	uint16_t port;
	int rc = -1;

	if (argc != 8)
		return 2;
	id.domain = argv[3];
	id.user = argv[4];
	auth.mech = strcmp(argv[6], "ntlm") == 0 ? AUTH_MECH_NTLM
	    : strcmp(argv[6], "kerberos") == 0   ? AUTH_MECH_KERBEROS
						 : AUTH_MECH_SPNEGO;
	if (strcmp(argv[4], "-") == 0)
		auth.identity = NULL;
	auth.level = (enum rpc_auth_level)atoi(argv[7]);
	if (ntlm_hash_password(id.nt_hash, argv[5], &e) == 0 &&
	    client_epm_map(base, argv[1], (uint16_t)atoi(argv[2]), &drsuapi, 20, &port, &e) == 0) {
		printf("port %u\n", port);
		l = client_link_new(base, argv[1], port, 20, &e);
		if (l != NULL && client_link_bind(l, &mgmt, &auth, &e) == 0) {
			printf("package %s\n", client_conn_package(client_link_conn(l)));
			rc = ask(l, pool, &e);
		}
	}
	if (rc != 0)
		printf("error 0x%08x %s\n", e.hr, e.msg);
	client_link_free(l);
	pool_free(pool);
	event_base_free(base);
	return rc == 0 ? 0 : 1;
}
