#include <stdio.h>
#include <string.h>

#include "dcom/dcom_priv.h"

#define ADDRESS_MAX 300       /* a DNS name and a port */
#define AUTHN_GSS_KERBEROS 16 /* MS-RPCE 2.2.1.1.7 */

static struct bytes *
keep(struct pool *pool, struct buf *b, struct err *e)
{
	struct bytes *kept = POOL_NEW(pool, struct bytes);

	if (!buf_ok(b) || kept == NULL || pool_dup_bytes(pool, buf_bytes(b), kept) != 0) {
		ERR(e, E_OUTOFMEMORY, "no memory for an answer");
		return NULL;
	}
	return kept;
}

/*
 * The address the client used, so that it comes back to where it already is (impacket goes on only with a
 * binding that contains its target); then the host's name and its FQDN.
 */
static int
bindings_make(const struct dcom *d, struct rpc_call *call, uint16_t port, struct buf *out, struct err *e)
{
	const char *local = rpc_call_local_address(call), *dns = d->cfg.dns_name;
	const size_t host_len = strcspn(dns, ".");
	char texts[3][ADDRESS_MAX], suffix[16] = "";
	struct orpc_bindings b = { 0 };

	if (port != 0)
		snprintf(suffix, sizeof(suffix), "[%u]", port);
	if (local[0] != 0)
		snprintf(texts[b.n_strings++], ADDRESS_MAX, "%s%s", local, suffix);
	if (dns[host_len] != 0)
		snprintf(texts[b.n_strings++], ADDRESS_MAX, "%.*s%s", (int)host_len, dns, suffix);
	snprintf(texts[b.n_strings++], ADDRESS_MAX, "%s%s", dns, suffix);
	for (unsigned i = 0; i < b.n_strings; i++)
		b.strings[i] = (struct orpc_string_binding){ ORPC_NCACN_IP_TCP, texts[i] };
	b.securities[b.n_securities++] = (struct orpc_security_binding){ AUTH_MECH_SPNEGO, "" };
	b.securities[b.n_securities++] = (struct orpc_security_binding){ AUTH_MECH_NTLM, "" };
	if (d->cfg.kerberos)
		b.securities[b.n_securities++] = (struct orpc_security_binding){ AUTHN_GSS_KERBEROS, "" };
	return orpc_bindings_encode(&b, out, e);
}

static struct bytes *
bindings(const struct dcom *d, struct rpc_call *call, uint16_t port, struct err *e)
{
	struct bytes *kept = NULL;
	struct buf b;

	buf_init(&b, 1 << 16);
	if (bindings_make(d, call, port, &b, e) == 0)
		kept = keep(rpc_call_pool(call), &b, e);
	buf_fini(&b);
	return kept;
}

struct bytes *
dcom_bindings_resolver(const struct dcom *d, struct rpc_call *call, struct err *e)
{
	return bindings(d, call, 0, e);
}

struct bytes *
dcom_bindings_exporter(const struct dcom *d, struct rpc_call *call, struct err *e)
{
	return bindings(d, call, rpc_port_number(d->object_port), e);
}

struct bytes *
dcom_objref(const struct dcom *d, struct rpc_call *call, const struct dcom_ipid *i, uint32_t public_refs,
    struct err *e)
{
	struct orpc_objref o = {
		.flags = OBJREF_STANDARD,
		.iid = i->iid,
		/* SORF_NOPING stays clear: impacket's disconnect() breaks on it. */
		.std = { .public_refs = public_refs,
		    .oxid = d->oxid,
		    .oid = i->object->oid,
		    .ipid = i->ipid },
	};
	struct bytes *resolver = dcom_bindings_resolver(d, call, e), *kept;
	struct buf b;

	if (resolver == NULL)
		return NULL;
	o.bindings = *resolver;
	buf_init(&b, 1 << 16);
	orpc_objref_encode(&o, &b);
	kept = keep(rpc_call_pool(call), &b, e);
	buf_fini(&b);
	return kept;
}
