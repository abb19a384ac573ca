/* What the bodies of CCertAdminD share. */
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "svc/icertadmind.h"

#define OCTETS_MAX (64u << 20)

struct svc_admin_call *
svc_admin_call_new(struct rpc_call *call, struct ca *ca, size_t out_size, size_t result_offset)
{
	struct pool *pool = rpc_call_pool(call);
	struct svc_admin_call *a = POOL_NEW(pool, struct svc_admin_call);
	uint8_t *out = pool_calloc(pool, 1, out_size);

	if (a == NULL || out == NULL) {
		rpc_call_fault(call, NCA_S_FAULT_REMOTE_NO_MEMORY);
		return NULL;
	}
	*a = (struct svc_admin_call){
		.call = call, .ca = ca, .out = out, .result = (uint32_t *)(void *)(out + result_offset)
	};
	return a;
}

void
svc_admin_end(struct svc_admin_call *a, uint32_t hr)
{
	*a->result = hr;
	rpc_call_reply(a->call, a->out);
}

void
svc_admin_refuse(struct svc_admin_call *a, const struct err *e)
{
	const struct token *token = rpc_call_token(a->call);

	ca_journal_incident(a->ca, SVC_ADMIN_FRONT, "refused", rpc_call_peer(a->call), rpc_call_id(a->call),
	    token != NULL ? token->account : NULL, e->hr, e->msg);
	svc_admin_end(a, e->hr);
}

void
svc_admin_answer(struct svc_admin_call *a, const struct err *e)
{
	if (e != NULL)
		svc_admin_refuse(a, e);
	else
		svc_admin_end(a, S_OK);
}

static void
on_verb(void *arg, struct json_t *result, const struct err *e)
{
	struct svc_admin_call *a = arg;
	struct err why = { 0 };

	if (e != NULL)
		why = *e;
	else if (a->fill != NULL && a->fill(a, result, &why) != 0)
		log_debug(rpc, "%s: %s", rpc_call_id(a->call), why.msg);
	if (why.hr != 0 && a->failed != NULL && a->failed(a, &why))
		rpc_call_reply(a->call, a->out);
	else
		svc_admin_end(a, why.hr);
}

static int
check_authority(const struct ca *ca, enum svc_authority kind, const char *authority, struct err *e)
{
	if (kind == SVC_AUTHORITY_CA_OR_NONE && (authority == NULL || *authority == '\0'))
		return 0;
	if (ca_authority_matches(ca, authority))
		return 0;
	return ERR(e, E_INVALIDARG, "the authority '%.60s' is not this CA (MS-CSRA 3.1.4.1.1)",
	    authority != NULL ? authority : "");
}

int
svc_admin_gate(const struct svc_admin_call *a, enum svc_authority kind, const char *authority,
    uint32_t any_of, struct err *e)
{
	struct ca_caller who = svc_caller(a->call, SVC_ADMIN_FRONT);

	return ca_admin_gate(a->ca, &who, any_of, e) != 0 ? -1 : check_authority(a->ca, kind, authority, e);
}

struct svc_admin_call *
svc_admin_enter(struct rpc_call *call, struct ca *ca, size_t out_size, size_t result_offset,
    enum svc_authority kind, const char *authority, uint32_t any_of)
{
	struct svc_admin_call *a = svc_admin_call_new(call, ca, out_size, result_offset);
	struct err e = { 0 };

	if (a == NULL || svc_admin_gate(a, kind, authority, any_of, &e) == 0)
		return a;
	svc_admin_refuse(a, &e);
	return NULL;
}

void
svc_admin_verb(struct svc_admin_call *a, enum svc_authority kind, const char *authority, const char *verb,
    struct json_t *args)
{
	struct ca_caller who = svc_caller(a->call, SVC_ADMIN_FRONT);
	struct err e = { 0 };

	/* a caller who may not call at all learns nothing about names */
	if (ca_admin_gate(a->ca, &who, 0, &e) != 0 || check_authority(a->ca, kind, authority, &e) != 0)
		svc_admin_refuse(a, &e);
	else
		ca_admin_start(a->ca, &who, verb, args, on_verb, a);
	json_decref(args);
}

int
svc_admin_octets(
    struct svc_admin_call *a, const struct json_t *o, const char *name, struct bytes *out, struct err *e)
{
	const char *text = json_string_value(json_object_get(o, name));
	struct buf b;
	int rc;

	*out = (struct bytes){ NULL, 0 };
	if (text == NULL)
		return ERR(e, E_UNEXPECTED, "the answer has no '%s'", name);
	buf_init(&b, OCTETS_MAX);
	rc = text_parse_base64(&b, (struct bytes){ (const uint8_t *)text, strlen(text) }, e);
	if (rc == 0 && b.len > 0 && pool_dup_bytes(rpc_call_pool(a->call), buf_bytes(&b), out) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for %zu octets", b.len);
	buf_fini(&b);
	return rc;
}

struct json_t *
svc_json_octets(struct bytes in)
{
	struct buf b;
	json_t *o;

	buf_init(&b, OCTETS_MAX);
	text_put_base64(&b, in, 0);
	o = buf_ok(&b) ? json_string(buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return o;
}

struct json_t *
svc_json_time(filetime_t t)
{
	char text[FILETIME_TEXT_MAX];

	return t != 0 ? json_string(filetime_to_text(t, text)) : json_null();
}
