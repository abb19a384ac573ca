/* ca.acl.*, ca.rights.*, ca.roles: descriptors of the CA, and what the caller is there (MS-CSRA 3.1.4.2.7,
 * 3.1.4.2.8, 3.1.4.2.12, 3.1.4.2.13, 3.1.4.2.17). A change reads, edits and writes the whole descriptor. */
#include <string.h>

#include "auth/access.h"
#include "ctl/ldap.h"
#include "ctl/remote_call.h"
#include "idl/icertadmind.h"
#include "settings/acl.h"
#include "settings/restrictions.h"

#define SDDL_MAX (1u << 20)

/* ---- domain ---- */

const struct sddl_domain *
ctl_remote_domain(struct ctl *c)
{
	struct err ignored;

	return c->uri != NULL && ctl_ldap_open(c, &ignored) == 0 ? &c->domain : NULL;
}

int
ctl_remote_descriptor(struct ctl *c, const char *sddl, struct bytes *out, struct err *e)
{
	struct sd sd;
	struct buf b;
	int rc;

	if (sd_from_sddl(&sd, c->pool, sddl, ctl_remote_domain(c), e) != 0)
		return -1;
	buf_init(&b, SD_WIRE_MAX);
	rc = sd_to_wire(&sd, &b, e);
	if (rc == 0 && pool_dup_bytes(c->pool, buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a descriptor");
	buf_fini(&b);
	return rc;
}

/* ---- GetCASecurity, SetCASecurity ---- */

static int
get_security(struct ctl *c, struct sd *out, struct err *e)
{
	static const struct client_method m = { "GetCASecurity", CSRA_GetCASecurity, csra_authority_in,
		csra_blob_out, sizeof(struct csra_blob_out) };
	const struct csra_authority_in in = { ctl_remote_authority(c) };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0
	    ? -1
	    : sd_from_wire(out, c->pool, ((const struct csra_blob_out *)decoded)->blob, e);
}

static int
set_security(struct ctl *c, struct bytes wire, struct err *e)
{
	static const struct client_method m = { "SetCASecurity", CSRA_SetCASecurity, csra_blob_in,
		csra_result_out, sizeof(struct csra_result_out) };
	const struct csra_blob_in in = { ctl_remote_authority(c), wire };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e);
}

json_t *
ctl_remote_acl_show(struct ctl *c, const json_t *args, struct err *e)
{
	struct sd sd;

	(void)args;
	return get_security(c, &sd, e) == 0 ? ca_acl_to_json(&sd, ctl_remote_domain(c), e) : NULL;
}

json_t *
ctl_remote_acl_set(struct ctl *c, const json_t *args, struct err *e)
{
	struct bytes wire;

	return ctl_remote_descriptor(c, ctl_remote_text(args, "sddl"), &wire, e) == 0 &&
		set_security(c, wire, e) == 0
	    ? ctl_remote_acl_show(c, NULL, e)
	    : NULL;
}

static json_t *
acl_change(struct ctl *c, const json_t *args, enum ca_acl_change what, struct err *e)
{
	struct sd sd;
	struct buf wire;
	int rc;

	if (get_security(c, &sd, e) != 0 ||
	    ca_acl_edit_json(&sd, c->pool, args, what, ctl_remote_domain(c), e) != 0)
		return NULL;
	buf_init(&wire, SD_WIRE_MAX);
	rc = sd_to_wire(&sd, &wire, e);
	if (rc == 0)
		rc = set_security(c, buf_bytes(&wire), e);
	buf_fini(&wire);
	return rc == 0 ? ctl_remote_acl_show(c, NULL, e) : NULL;
}

json_t *
ctl_remote_acl_grant(struct ctl *c, const json_t *args, struct err *e)
{
	return acl_change(c, args, CA_ACL_GRANT, e);
}

json_t *
ctl_remote_acl_deny(struct ctl *c, const json_t *args, struct err *e)
{
	return acl_change(c, args, CA_ACL_DENY, e);
}

json_t *
ctl_remote_acl_remove(struct ctl *c, const json_t *args, struct err *e)
{
	return acl_change(c, args, CA_ACL_REMOVE, e);
}

/* ---- GetOfficerRights, SetOfficerRights ---- */

static int
is_agent(const json_t *args, bool *out, struct err *e)
{
	const char *which = ctl_remote_text(args, "which");

	*out = strcmp(which, "agent") == 0;
	return *out || strcmp(which, "officer") == 0
	    ? 0
	    : ERR(e, E_INVALIDARG, "'which' is officer or agent, not '%.20s'", which);
}

/* The blob: the officers' descriptor when count says so, a DWORD, and the agents' when that is not 0.
 * *restricted false: there is no such descriptor. */
static int
split_rights(struct ctl *c, const struct csra_items_out *o, bool agent, bool *restricted, struct sd *out,
    struct err *e)
{
	struct bytes rest = o->blob;
	size_t n = 0;

	*restricted = !agent && o->count != 0;
	if (o->count != 0 && sd_wire_len(rest, &n, e) != 0)
		return -1;
	if (*restricted)
		return sd_from_wire(out, c->pool, (struct bytes){ rest.p, n }, e);
	if (!agent)
		return 0;
	if (rest.len - n < 4)
		return ERR(e, E_INVALID_DATA, "the CA's officer rights end after %zu octets", rest.len);
	rest = (struct bytes){ rest.p + n, rest.len - n };
	*restricted = get_u32le(rest.p) != 0;
	return *restricted ? sd_from_wire(out, c->pool, (struct bytes){ rest.p + 4, rest.len - 4 }, e) : 0;
}

static int
get_rights(struct ctl *c, bool agent, bool *restricted, struct sd *out, struct err *e)
{
	static const struct client_method m = { "GetOfficerRights", CSRA_GetOfficerRights, csra_authority_in,
		csra_items_out, sizeof(struct csra_items_out) };
	const struct csra_authority_in in = { ctl_remote_authority(c) };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0
	    ? -1
	    : split_rights(c, decoded, agent, restricted, out, e);
}

/* wire empty: no restriction any more. */
static int
set_rights(struct ctl *c, bool agent, struct bytes wire, struct err *e)
{
	static const struct client_method m = { "SetOfficerRights", CSRA_SetOfficerRights,
		csra_set_officer_rights_in, csra_result_out, sizeof(struct csra_result_out) };
	const struct csra_set_officer_rights_in in = { ctl_remote_authority(c),
		(agent ? 0x10000u : 0) | (wire.len > 0), wire };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e);
}

json_t *
ctl_remote_rights_show(struct ctl *c, const json_t *args, struct err *e)
{
	struct restrictions now;
	bool agent, restricted;
	struct buf sddl;
	json_t *o = NULL;
	struct sd sd;

	if (is_agent(args, &agent, e) != 0 || get_rights(c, agent, &restricted, &sd, e) != 0)
		return NULL;
	if (!restricted)
		return ca_restrictions_to_json(NULL, NULL);
	buf_init(&sddl, SDDL_MAX);
	/* made anew: what pads an ACE on the wire would look like application data */
	if (restrictions_from_sd(&now, c->pool, &sd, e) == 0 &&
	    restrictions_to_sd(&now, c->pool, &sd, e) == 0 &&
	    sd_to_sddl(&sd, &sddl, ctl_remote_domain(c), e) == 0)
		o = ca_restrictions_to_json(&now, buf_cstr(&sddl));
	buf_fini(&sddl);
	return o;
}

json_t *
ctl_remote_rights_set(struct ctl *c, const json_t *args, struct err *e)
{
	const char *sddl = ctl_remote_text(args, "sddl");
	struct bytes wire = { NULL, 0 };
	bool agent;

	if (is_agent(args, &agent, e) != 0 ||
	    (*sddl != '\0' && ctl_remote_descriptor(c, sddl, &wire, e) != 0) ||
	    set_rights(c, agent, wire, e) != 0)
		return NULL;
	return ctl_remote_rights_show(c, args, e);
}

json_t *
ctl_remote_rights_change(struct ctl *c, const json_t *args, struct err *e)
{
	struct restrictions now, changed;
	bool agent, restricted;
	struct buf wire;
	struct sd sd;
	int rc;

	if (is_agent(args, &agent, e) != 0 || get_rights(c, agent, &restricted, &sd, e) != 0 ||
	    (restricted && restrictions_from_sd(&now, c->pool, &sd, e) != 0) ||
	    ca_restrictions_edit(
		&changed, restricted ? &now : NULL, c->pool, args, ctl_remote_domain(c), e) != 0 ||
	    restrictions_to_sd(&changed, c->pool, &sd, e) != 0)
		return NULL;
	buf_init(&wire, SD_WIRE_MAX);
	rc = sd_to_wire(&sd, &wire, e);
	if (rc == 0)
		rc = set_rights(c, agent, buf_bytes(&wire), e);
	buf_fini(&wire);
	return rc == 0 ? ctl_remote_rights_show(c, args, e) : NULL;
}

/* ---- GetMyRoles ---- */

json_t *
ctl_remote_roles(struct ctl *c, const json_t *args, struct err *e)
{
	static const struct client_method m = { "GetMyRoles", CSRA_GetMyRoles, csra_authority_in,
		csra_number_out, sizeof(struct csra_number_out) };
	const struct csra_authority_in in = { ctl_remote_authority(c) };
	uint32_t roles;
	void *decoded;

	(void)args;
	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return NULL;
	roles = ((const struct csra_number_out *)decoded)->value;
	return json_pack("{s:I, s:o}", "roles", (json_int_t)roles, "names", ca_rights_to_json(roles));
}
