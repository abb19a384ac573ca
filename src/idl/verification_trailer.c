#include "idl/verification_trailer.h"

#include <string.h>

enum {
	SEC_VT_COMMAND_BITMASK_1 = 0x0001,
	SEC_VT_COMMAND_PCONTEXT = 0x0002,
	SEC_VT_COMMAND_HEADER2 = 0x0003,
	SEC_VT_COMMAND_END = 0x4000,
	SEC_VT_MUST_PROCESS_COMMAND = 0x8000,
	SEC_VT_COMMAND_TYPE = 0x3fff, /* bits 0 to 13 */
};

#define CLIENT_SUPPORT_HEADER_SIGNING 0x00000001u

static const uint8_t vt_signature[8] = { 0x8a, 0xe3, 0x13, 0x71, 0x02, 0xf4, 0x36, 0x71 };

static int
check_bitmask(const uint8_t *p, const struct rpc_vt_expect *x, struct err *e)
{
	/* MS-RPCE 2.2.2.13.2: other bits are ignored. */
	if ((get_u32le(p) & CLIENT_SUPPORT_HEADER_SIGNING) != 0 && !x->header_signing)
		return ERR(e, E_ACCESSDENIED,
		    "verification trailer: the client offered header signing, its bind did not (MS-RPCE "
		    "2.2.2.13.2)");
	return 0;
}

static bool
syntax_equal(const uint8_t *p, const struct rpc_vt_syntax *s)
{
	struct guid uuid;

	guid_from_wire(&uuid, p);
	return guid_equal(&uuid, &s->uuid) && get_u16le(p + 16) == s->major && get_u16le(p + 18) == s->minor;
}

static int
check_pcontext(const uint8_t *p, const struct rpc_vt_expect *x, struct err *e)
{
	if (!syntax_equal(p, &x->abstract))
		return ERR(e, E_ACCESSDENIED,
		    "verification trailer: another interface than bound (MS-RPCE 2.2.2.13.4)");
	if (!syntax_equal(p + 20, &x->transfer))
		return ERR(e, E_ACCESSDENIED,
		    "verification trailer: another transfer syntax than bound (MS-RPCE 2.2.2.13.4)");
	return 0;
}

static int
check_header2(const uint8_t *p, const struct rpc_vt_expect *x, struct err *e)
{
	/* p[1..3] are reserved and ignored. */
	if (p[0] != x->ptype || memcmp(p + 4, x->drep, 4) != 0 || get_u32le(p + 8) != x->call_id ||
	    get_u16le(p + 12) != x->context_id || get_u16le(p + 14) != x->opnum)
		return ERR(e, E_ACCESSDENIED,
		    "verification trailer: header differs from the request's (MS-RPCE 2.2.2.13.3)");
	return 0;
}

static const struct vt_command {
	uint16_t type;
	uint16_t length;
	int (*check)(const uint8_t *p, const struct rpc_vt_expect *x, struct err *e);
} vt_commands[] = {
	{ SEC_VT_COMMAND_BITMASK_1, 0x04, check_bitmask },
	{ SEC_VT_COMMAND_PCONTEXT, 0x28, check_pcontext },
	{ SEC_VT_COMMAND_HEADER2, 0x10, check_header2 },
};

static const struct vt_command *
find_command(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(vt_commands); i++)
		if (vt_commands[i].type == type)
			return &vt_commands[i];
	return NULL;
}

static int
check_command(uint16_t command, struct bytes data, const struct rpc_vt_expect *x, struct err *e)
{
	uint16_t type = command & SEC_VT_COMMAND_TYPE;
	const struct vt_command *c = find_command(type);

	if (c == NULL) {
		if ((command & SEC_VT_MUST_PROCESS_COMMAND) != 0)
			return ERR(e, E_ACCESSDENIED,
			    "verification trailer: unknown command 0x%04x that must be processed (MS-RPCE "
			    "2.2.2.13)",
			    type);
		return 0;
	}
#ifndef ADCSD_PLANTED_BUG_IDL_TRAILER /* the fuzz target must find a command shorter than its layout */
	if (data.len != c->length)
		return ERR(e, E_ACCESSDENIED, "verification trailer: command %u has %zu octets, %u expected",
		    type, data.len, c->length);
#endif
	return c->check(data.p, x, e);
}

int
rpc_vt_check(struct bytes after_args, const struct rpc_vt_expect *x, struct err *e)
{
	const uint8_t *p = NULL, *end;
	uint16_t command, length;

	/* Searched at every offset: clients may pad the stub in front of it (MS-RPCE 2.2.2.13). */
	if (after_args.len > 0)
		p = memmem(after_args.p, after_args.len, vt_signature, sizeof(vt_signature));
	if (p == NULL)
		return 0;
	end = after_args.p + after_args.len;
	p += sizeof(vt_signature);
	do {
		if (end - p < 4)
			return ERR(e, E_ACCESSDENIED, "verification trailer ends without SEC_VT_COMMAND_END");
		command = get_u16le(p);
		length = get_u16le(p + 2);
		p += 4;
		if (length > end - p)
			return ERR(e, E_ACCESSDENIED, "verification trailer: command of %u octets, %zu left",
			    length, (size_t)(end - p));
		if (check_command(command, (struct bytes){ p, length }, x, e) != 0)
			return -1;
		p += length;
	} while ((command & SEC_VT_COMMAND_END) == 0);
	return 0;
}
