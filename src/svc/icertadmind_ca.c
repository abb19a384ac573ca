/* CCertAdminD: state, roles and security of the CA (MS-CSRA 3.1.4.1.15 to 17, 3.1.4.2.7 to 14, 3.1.4.2.18).
 */
#include <string.h>

#include "auth/sd.h"
#include "ca/csra.h"
#include "svc/icertadmind.h"

#define SDDL_MAX (1u << 20)

/* ---- Ping, GetServerState, ServerControl, GetMyRoles ---- */

void
svc_csra_ping(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA_OR_NONE, in->authority, CA_ACCESS_ADMIN);

	if (a != NULL)
		svc_admin_end(a, S_OK);
}

/* 1 for those who may read, 0 for others: no right is asked for. */
void
svc_csra_get_server_state(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a =
	    SVC_ADMIN_ENTER(call, ctx, struct csra_number_out, SVC_AUTHORITY_CA, in->authority, 0);
	struct ca_caller who;
	struct csra_number_out *out;

	if (a == NULL)
		return;
	out = a->out;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	out->value = (ca_caller_roles(ctx, &who) & SVC_ADMIN_READERS) != 0;
	svc_admin_end(a, S_OK);
}

/* 1 would end a Windows CA's service; who started this server ends it. 2 and 3 do nothing there either. */
void
svc_csra_server_control(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_number_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(call, ctx, struct csra_blob_out, SVC_AUTHORITY_CA,
	    in->authority, CA_ACCESS_ADMIN | CA_ACCESS_OPERATOR);
	struct ca_caller who;
	struct err e = { 0 };

	if (a == NULL)
		return;
	if (in->value < 1 || in->value > 3) {
		ERR(&e, E_INVALIDARG, "control %u is not 1, 2 or 3", in->value);
	} else if (in->value == 1) {
		who = svc_caller(call, SVC_ADMIN_FRONT);
		ca_audit_operation(a->ca, &who, "ServerControl");
		ERR(&e, E_NOTIMPL, "the server is ended by a signal, not by its clients");
	}
	svc_admin_answer(a, e.hr != 0 ? &e : NULL);
}

void
svc_csra_get_my_roles(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	/* also under role separation, for which the gate would refuse who has two of them */
	struct svc_admin_call *a =
	    SVC_ADMIN_ENTER(call, ctx, struct csra_number_out, SVC_AUTHORITY_CA, in->authority, 0);
	struct ca_caller who;
	struct csra_number_out *out;
	struct err e = { 0 };
	uint32_t roles;

	if (a == NULL)
		return;
	out = a->out;
	who = svc_caller(call, SVC_ADMIN_FRONT);
	roles = ca_caller_roles(ctx, &who);
	if ((roles & SVC_ADMIN_READERS) == 0) {
		ERR(&e, E_ACCESSDENIED, "the caller may not read (MS-CSRA 3.1.1.7)");
		svc_admin_refuse(a, &e);
		return;
	}
	out->value = roles;
	svc_admin_end(a, S_OK);
}

/* ---- descriptors ---- */

static int
get_octets(struct svc_admin_call *a, const char *entry, struct bytes *out, struct err *e)
{
	struct ca_config_value v;

	if (ca_config_get(a->ca, "", entry, rpc_call_pool(a->call), &v, e) != 0)
		return -1;
	*out = v.octets;
	return 0;
}

/* Self-relative descriptor to SDDL, whose text is the setting. */
static int
to_sddl(struct svc_admin_call *a, struct bytes wire, const char **out, struct err *e)
{
	struct ca_config_value v = { .type = CA_CONFIG_OCTETS, .octets = wire };

	return ca_config_text(&v, rpc_call_pool(a->call), out, e) == 0 ? 0 : (e->hr = E_INVALIDARG, -1);
}

void
svc_csra_get_ca_security(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_blob_out, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS);
	struct csra_blob_out *out;
	struct err e = { 0 };

	if (a == NULL)
		return;
	out = a->out;
	svc_admin_answer(a, get_octets(a, "Security", &out->blob, &e) != 0 ? &e : NULL);
}

void
svc_csra_set_ca_security(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_blob_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_ADMIN);
	const char *sddl;
	struct err e = { 0 };

	if (a == NULL)
		return;
	if (to_sddl(a, in->blob, &sddl, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		svc_admin_verb(
		    a, SVC_AUTHORITY_CA, in->authority, "ca.acl.set", json_pack("{s:s}", "sddl", sddl));
}

/* ---- GetOfficerRights, SetOfficerRights: two descriptors in one blob (MS-CSRA 3.1.4.2.12) ---- */

static int
optional(struct svc_admin_call *a, const char *entry, struct bytes *out, struct err *e)
{
	if (get_octets(a, entry, out, e) == 0)
		return 0;
	*out = (struct bytes){ NULL, 0 };
	if (e->hr != E_FILE_NOT_FOUND)
		return -1;
	*e = (struct err){ 0 };
	return 0;
}

static int
put_rights(struct svc_admin_call *a, struct csra_items_out *out, struct err *e)
{
	struct bytes officers, agents;
	struct buf b;
	int rc = -1;

	if (optional(a, "OfficerRights", &officers, e) != 0 ||
	    optional(a, "EnrollmentAgentRights", &agents, e) != 0)
		return -1;
	buf_init(&b, 4u << 20);
	buf_put_bytes(&b, officers);
	buf_put_u32le(&b, agents.len > 0);
	buf_put_bytes(&b, agents);
	if (buf_ok(&b) && pool_dup_bytes(rpc_call_pool(a->call), buf_bytes(&b), &out->blob) == 0)
		rc = 0;
	else
		ERR(e, E_OUTOFMEMORY, "no memory for descriptors");
	buf_fini(&b);
	out->count = officers.len > 0;
	return rc;
}

void
svc_csra_get_officer_rights(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_items_out, SVC_AUTHORITY_CA, in->authority, SVC_ADMIN_READERS);
	struct err e = { 0 };

	if (a != NULL)
		svc_admin_answer(a, put_rights(a, a->out, &e) != 0 ? &e : NULL);
}

/* Low half: enable; high half: the descriptor is of enrollment agents. */
void
svc_csra_set_officer_rights(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_set_officer_rights_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(
	    call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, CA_ACCESS_ADMIN);
	const char *sddl = NULL;
	struct err e = { 0 };
	json_t *o;

	if (a == NULL)
		return;
	if ((in->enable & 0xffff) != 0 && to_sddl(a, in->sd, &sddl, &e) != 0) {
		svc_admin_refuse(a, &e);
		return;
	}
	o = json_pack("{s:s}", "which", in->enable >> 16 != 0 ? "agent" : "officer");
	if (sddl != NULL)
		json_object_set_new(o, "sddl", json_string(sddl));
	svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "ca.rights.set", o);
}

/* ---- audit filter ---- */

#define AUDIT_FILTER_BITS 0x7fu

void
svc_csra_get_audit_filter(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_authority_in *in = args;
	struct svc_admin_call *a = SVC_ADMIN_ENTER(call, ctx, struct csra_number_out, SVC_AUTHORITY_CA,
	    in->authority, SVC_ADMIN_READERS | CA_ACCESS_AUDITOR);
	struct csra_number_out *out;
	struct ca_config_value v;
	struct err e = { 0 };

	if (a == NULL)
		return;
	out = a->out;
	if (ca_config_get(ctx, "", "AuditFilter", rpc_call_pool(call), &v, &e) != 0) {
		svc_admin_refuse(a, &e);
		return;
	}
	out->value = v.number;
	svc_admin_end(a, S_OK);
}

/* Auditors may, or only administrators (IF_ENABLEADMINASAUDITOR). */
void
svc_csra_set_audit_filter(struct rpc_call *call, void *args, void *ctx)
{
	const struct csra_number_in *in = args;
	struct svc_admin_call *a =
	    SVC_ADMIN_ENTER(call, ctx, struct csra_result_out, SVC_AUTHORITY_CA, in->authority, 0);
	struct err e = { 0 };

	if (a == NULL)
		return;
	if ((in->value & ~AUDIT_FILTER_BITS) != 0) {
		ERR(&e, E_INVALIDARG, "audit filter 0x%x has unknown bits", in->value);
		svc_admin_refuse(a, &e);
	} else
		svc_admin_verb(a, SVC_AUTHORITY_CA, in->authority, "ca.audit-filter.set",
		    json_pack("{s:I}", "filter", (json_int_t)in->value));
}
