/*
 * The activation properties BLOB (MS-DCOM 2.2.22): a header that names the properties and their sizes, then
 * the properties; each a stub of its own behind the headers of type serialization 1 (MS-RPCE 2.2.6), padded
 * to 8.
 */
#include <inttypes.h>
#include <string.h>

#include "idl/activation.h"

#define SERIAL_LEN 16 /* common and private header */
#define BLOB_HEADER_LEN 8
#define BLOB_MAX (1u << 20)
#define OBJECT_DESTINATION 2 /* MSHCTX_DIFFERENTMACHINE */

static const struct guid iid_properties_in = ORPC_GUID(0x000001a2);
static const struct guid iid_properties_out = ORPC_GUID(0x000001a3);
static const struct guid clsid_properties_in = ORPC_GUID(0x00000338);
static const struct guid clsid_properties_out = ORPC_GUID(0x00000339);
static const struct guid clsid_instantiation = ORPC_GUID(0x000001ab);
static const struct guid clsid_context = ORPC_GUID(0x000001a5);
static const struct guid clsid_location = ORPC_GUID(0x000001a4);
static const struct guid clsid_scm_request = ORPC_GUID(0x000001aa);
static const struct guid clsid_scm_reply = ORPC_GUID(0x000001b6);
static const struct guid clsid_props_out = ORPC_GUID(0x00000339);

/* ---- structures as they are serialized ---- */

struct dword {
	uint32_t value;
};
static const struct ndr_field dword_fields[] = { F_U32(struct dword, value), F_END };

/* MS-DCOM 2.2.22.1 */
struct header {
	uint32_t total_size, header_size, reserved, destination, n;
	struct guid class_info;
	struct orpc_iid *clsids;
	struct dword *sizes;
	struct dword *reserved_pointer;
};
static const struct ndr_field header_fields[] = {
	F_U32(struct header, total_size),
	F_U32(struct header, header_size),
	F_U32(struct header, reserved),
	F_U32(struct header, destination),
	F_U32_RANGE(struct header, n, 1, MAX_ACTPROP_LIMIT),
	F_GUID(struct header, class_info),
	F_ARRAY(struct header, n, clsids, NDR_UNIQUE, struct orpc_iid, orpc_iid_fields, MAX_ACTPROP_LIMIT),
	F_ARRAY(struct header, n, sizes, NDR_UNIQUE, struct dword, dword_fields, MAX_ACTPROP_LIMIT),
	F_PTR(struct header, reserved_pointer, NDR_UNIQUE, struct dword, dword_fields),
	F_END,
};

/* MS-DCOM 2.2.22.2.1 */
struct instantiation {
	struct guid clsid;
	uint32_t class_context, flags, is_surrogate, n_iids, inst_flag;
	struct orpc_iid *iids;
	uint32_t this_size;
	struct com_version client_version;
};
static const struct ndr_field instantiation_fields[] = {
	F_GUID(struct instantiation, clsid),
	F_U32(struct instantiation, class_context),
	F_U32(struct instantiation, flags),
	F_U32(struct instantiation, is_surrogate),
	F_U32_RANGE(struct instantiation, n_iids, 1, ACTIVATION_IIDS_MAX),
	F_U32(struct instantiation, inst_flag),
	F_ARRAY(struct instantiation, n_iids, iids, NDR_UNIQUE, struct orpc_iid, orpc_iid_fields,
	    ACTIVATION_IIDS_MAX),
	F_U32(struct instantiation, this_size),
	F_STRUCT(struct instantiation, client_version, struct com_version, com_version_fields),
	F_END,
};

/* MS-DCOM 2.2.22.2.5 */
struct context {
	uint32_t client_ok, reserved1, reserved2, reserved3;
	struct bytes *client_context, *prototype_context;
};
static const struct ndr_field context_fields[] = {
	F_U32(struct context, client_ok),
	F_U32(struct context, reserved1),
	F_U32(struct context, reserved2),
	F_U32(struct context, reserved3),
	F_CUSTOM_PTR(struct context, client_context, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_CUSTOM_PTR(struct context, prototype_context, NDR_UNIQUE, struct bytes, &orpc_interface_pointer),
	F_END,
};

/* MS-DCOM 2.2.22.2.6 */
struct location {
	const char *machine;
	uint32_t process, apartment, context;
};
static const struct ndr_field location_fields[] = {
	F_WSTR(struct location, machine, 0, UINT32_MAX),
	F_U32(struct location, process),
	F_U32(struct location, apartment),
	F_U32(struct location, context),
	F_END,
};

/* MS-DCOM 2.2.22.2.4 */
struct remote_request {
	uint32_t impersonation_level;
	uint32_t n_protseqs;
	struct orpc_protseq *protseqs;
};
static const struct ndr_field remote_request_fields[] = {
	F_U32(struct remote_request, impersonation_level),
	F_CUSTOM(struct remote_request, n_protseqs, uint32_t, &orpc_count16),
	F_ARRAY(struct remote_request, n_protseqs, protseqs, NDR_UNIQUE, struct orpc_protseq,
	    orpc_protseq_fields, ACTIVATION_PROTSEQS_MAX),
	F_END,
};
struct scm_request {
	struct dword *reserved;
	struct remote_request *request;
};
static const struct ndr_field scm_request_fields[] = {
	F_PTR(struct scm_request, reserved, NDR_UNIQUE, struct dword, dword_fields),
	F_PTR(struct scm_request, request, NDR_UNIQUE, struct remote_request, remote_request_fields),
	F_END,
};

/* MS-DCOM 2.2.22.2.9 */
struct props_out {
	uint32_t n;
	struct orpc_iid *iids;
	struct orpc_hresult *results;
	struct orpc_pointer *pointers;
};
static const struct ndr_field props_out_fields[] = {
	F_U32_RANGE(struct props_out, n, 1, ACTIVATION_IIDS_MAX),
	F_ARRAY(struct props_out, n, iids, NDR_UNIQUE, struct orpc_iid, orpc_iid_fields, ACTIVATION_IIDS_MAX),
	F_ARRAY(struct props_out, n, results, NDR_UNIQUE, struct orpc_hresult, orpc_hresult_fields,
	    ACTIVATION_IIDS_MAX),
	F_ARRAY(struct props_out, n, pointers, NDR_UNIQUE, struct orpc_pointer, orpc_pointer_fields,
	    ACTIVATION_IIDS_MAX),
	F_END,
};

/* MS-DCOM 2.2.22.2.8 */
struct remote_reply {
	uint64_t oxid;
	struct bytes *bindings;
	struct guid rem_unknown;
	uint32_t authn_hint;
	struct com_version version;
};
static const struct ndr_field remote_reply_fields[] = {
	F_HYPER(struct remote_reply, oxid),
	F_CUSTOM_PTR(struct remote_reply, bindings, NDR_UNIQUE, struct bytes, &orpc_dual_string_array),
	F_GUID(struct remote_reply, rem_unknown),
	F_U32(struct remote_reply, authn_hint),
	F_STRUCT(struct remote_reply, version, struct com_version, com_version_fields),
	F_END,
};
struct scm_reply {
	struct dword *reserved;
	struct remote_reply *reply;
};
static const struct ndr_field scm_reply_fields[] = {
	F_PTR(struct scm_reply, reserved, NDR_UNIQUE, struct dword, dword_fields),
	F_PTR(struct scm_reply, reply, NDR_UNIQUE, struct remote_reply, remote_reply_fields),
	F_END,
};

/* A serialized type is one parameter: its referents follow the whole struct. */
#define SERIALIZED(name)                                                                                     \
	struct name##_holder {                                                                               \
		struct name value;                                                                           \
	};                                                                                                   \
	static const struct ndr_field name##_serialized[] = {                                                \
		F_STRUCT(struct name##_holder, value, struct name, name##_fields), F_END                     \
	}
SERIALIZED(header);
SERIALIZED(instantiation);
SERIALIZED(context);
SERIALIZED(location);
SERIALIZED(scm_request);
SERIALIZED(props_out);
SERIALIZED(scm_reply);

/* ---- type serialization 1 ---- */

static int
serial_decode(
    struct bytes in, const struct ndr_field *fields, size_t size, struct pool *pool, void *out, struct err *e)
{
	void *value;

	if (in.len < SERIAL_LEN)
		return ERR(e, E_INVALIDARG, "%zu octets", in.len);
	if (in.p[0] != 1 || in.p[1] != 0x10 || get_u16le(in.p + 2) != 8)
		return ERR(e, E_INVALIDARG, "not type serialization 1, little-endian (MS-RPCE 2.2.6)");
	/* ObjectBufferLength may leave the padding out [impacket]. */
	if (get_u32le(in.p + 8) > in.len - SERIAL_LEN)
		return ERR(e, E_INVALIDARG, "ObjectBufferLength %" PRIu32 " of %zu octets",
		    get_u32le(in.p + 8), in.len - SERIAL_LEN);
	if (ndr_pull(fields, size, (struct bytes){ in.p + SERIAL_LEN, in.len - SERIAL_LEN }, pool, &value,
		NULL, e) != 0) {
		if (e->hr == E_RPC_BAD_STUB_DATA)
			e->hr = E_INVALIDARG;
		return -1;
	}
	memcpy(out, value, size);
	return 0;
}

/* Appends; *size is what it took. */
static int
serial_encode(
    const struct ndr_field *fields, const void *value, struct buf *out, uint32_t *size, struct err *e)
{
	static const uint8_t common[] = { 1, 0x10, 8, 0, 0xcc, 0xcc, 0xcc, 0xcc };
	size_t start = out->len, body;

	buf_put(out, common, sizeof(common));
	buf_put_zero(out, SERIAL_LEN - sizeof(common));
	if (ndr_push(fields, value, out, e) != 0)
		return -1;
	body = out->len - start - SERIAL_LEN;
	buf_put_zero(out, (8 - body % 8) % 8);
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "no memory for a property");
	*size = (uint32_t)(out->len - start);
	set_u32le(out->p + start + 8, *size - SERIAL_LEN);
	return 0;
}

/* ---- reading ---- */

/* The properties of a blob, found by their CLSIDs. */
struct blob {
	struct header h;
	struct bytes properties[MAX_ACTPROP_LIMIT];
};

static int
blob_decode(struct bytes objref, const struct guid *iid, const struct guid *clsid, struct pool *pool,
    struct blob *out, struct err *e)
{
	struct orpc_objref o;
	struct bytes in;
	uint32_t size, left;

	if (orpc_objref_decode(objref, &o, e) != 0)
		return -1;
	if (o.flags != OBJREF_CUSTOM || !guid_equal(&o.iid, iid) || !guid_equal(&o.clsid, clsid))
		return ERR(e, RPC_E_INVALID_OBJREF, "no activation properties (MS-DCOM 3.1.2.5.2.3.2)");
	if (o.data.len < BLOB_HEADER_LEN)
		return ERR(e, E_INVALIDARG, "activation properties of %zu octets", o.data.len);
	size = get_u32le(o.data.p);
	in = (struct bytes){ o.data.p + BLOB_HEADER_LEN, o.data.len - BLOB_HEADER_LEN };
	if (size > in.len)
		return ERR(e, E_INVALIDARG, "dwSize %" PRIu32 ", %zu octets there", size, in.len);
	in.len = size;
	if (serial_decode(in, header_serialized, sizeof(out->h), pool, &out->h, e) != 0)
		return err_prefix(e, "CustomHeader");
	if (out->h.clsids == NULL || out->h.sizes == NULL || out->h.header_size > size)
		return ERR(e, E_INVALIDARG, "CustomHeader of %" PRIu32 " octets in %" PRIu32 "%s",
		    out->h.header_size, size, out->h.sizes == NULL ? ", no sizes" : "");
	in.p += out->h.header_size;
	left = size - out->h.header_size;
	for (uint32_t i = 0; i < out->h.n; i++) {
		uint32_t n = out->h.sizes[i].value;

#ifdef ADCSD_PLANTED_BUG_IDL_ACTIVATION /* the fuzz target must find a size that nobody checks */
		if (i != 3 && n > left)
#else
		if (n > left)
#endif
			return ERR(e, E_INVALIDARG,
			    "property %" PRIu32 " of %" PRIu32 " octets, %" PRIu32 " left", i, n, left);
		out->properties[i] = (struct bytes){ in.p, n };
		in.p += n;
		left -= n;
	}
	return 0;
}

/* -1 with hr when it is there and damaged, or missing. */
static int
blob_property(const struct blob *b, const struct guid *clsid, const char *name,
    const struct ndr_field *fields, size_t size, struct pool *pool, void *out, struct err *e)
{
	for (uint32_t i = 0; i < b->h.n; i++) {
		if (!guid_equal(&b->h.clsids[i].iid, clsid))
			continue;
		if (serial_decode(b->properties[i], fields, size, pool, out, e) != 0)
			return err_prefix(e, "%s", name);
		return 0;
	}
	return ERR(e, E_INVALIDARG, "activation without %s (MS-DCOM 3.1.2.5.2.3.2)", name);
}

int
activation_request_decode(
    struct bytes objref, struct pool *pool, struct activation_request *out, struct err *e)
{
	struct instantiation inst;
	struct scm_request scm;
	struct blob b;

	if (blob_decode(objref, &iid_properties_in, &clsid_properties_in, pool, &b, e) != 0 ||
	    blob_property(&b, &clsid_instantiation, "InstantiationInfo", instantiation_serialized,
		sizeof(inst), pool, &inst, e) != 0 ||
	    blob_property(&b, &clsid_scm_request, "ScmRequestInfo", scm_request_serialized, sizeof(scm), pool,
		&scm, e) != 0)
		return -1;
	if (inst.iids == NULL)
		return ERR(e, E_INVALIDARG, "InstantiationInfo without interfaces");
	*out = (struct activation_request){
		.clsid = inst.clsid,
		.class_context = inst.class_context,
		.flags = inst.flags,
		.n_iids = inst.n_iids,
		.iids = inst.iids,
		.client_version = inst.client_version,
	};
	if (scm.request != NULL) {
		out->impersonation_level = scm.request->impersonation_level;
		out->protseqs = scm.request->protseqs;
		out->n_protseqs = out->protseqs != NULL ? scm.request->n_protseqs : 0;
	}
	return 0;
}

int
activation_result_decode(struct bytes objref, struct pool *pool, struct activation_result *out, struct err *e)
{
	struct props_out props;
	struct scm_reply scm;
	struct blob b;

	if (blob_decode(objref, &iid_properties_out, &clsid_properties_out, pool, &b, e) != 0 ||
	    blob_property(&b, &clsid_props_out, "PropsOutInfo", props_out_serialized, sizeof(props), pool,
		&props, e) != 0 ||
	    blob_property(
		&b, &clsid_scm_reply, "ScmReplyInfo", scm_reply_serialized, sizeof(scm), pool, &scm, e) != 0)
		return -1;
	if (props.iids == NULL || props.results == NULL || props.pointers == NULL || scm.reply == NULL)
		return ERR(e, E_INVALIDARG, "activation result without its arrays");
	*out = (struct activation_result){
		.n = props.n,
		.iids = props.iids,
		.results = props.results,
		.pointers = props.pointers,
		.oxid = scm.reply->oxid,
		.bindings = scm.reply->bindings,
		.rem_unknown = scm.reply->rem_unknown,
		.authn_hint = scm.reply->authn_hint,
		.version = scm.reply->version,
	};
	return 0;
}

/* ---- writing ---- */

struct part {
	const struct guid *clsid;
	const struct ndr_field *fields;
	const void *value;
};

/* Sizes are known only when the parts are written: the header comes last, into its own buffer. */
static int
blob_encode(const struct guid *iid, const struct guid *clsid, const struct part *parts, uint32_t n,
    struct buf *out, struct err *e)
{
	struct orpc_objref o = { .flags = OBJREF_CUSTOM, .iid = *iid, .clsid = *clsid };
	struct orpc_iid clsids[MAX_ACTPROP_LIMIT];
	struct dword sizes[MAX_ACTPROP_LIMIT];
	struct header_holder h = {
		.value = { .destination = OBJECT_DESTINATION, .n = n, .clsids = clsids, .sizes = sizes }
	};
	struct buf body, blob;
	int ret = -1;

	buf_init(&body, BLOB_MAX);
	buf_init(&blob, 2 * BLOB_MAX);
	for (uint32_t i = 0; i < n; i++) {
		clsids[i].iid = *parts[i].clsid;
		if (serial_encode(parts[i].fields, parts[i].value, &body, &sizes[i].value, e) != 0)
			goto out;
	}
	/* Its length does not depend on the numbers in it. */
	if (serial_encode(header_serialized, &h, &blob, &h.value.header_size, e) != 0)
		goto out;
	h.value.total_size = h.value.header_size + (uint32_t)body.len;
	buf_reset(&blob);
	buf_put_u32le(&blob, h.value.total_size);
	buf_put_u32le(&blob, 0);
	if (serial_encode(header_serialized, &h, &blob, &(uint32_t){ 0 }, e) != 0)
		goto out;
	buf_put_bytes(&blob, buf_bytes(&body));
	o.data = buf_bytes(&blob);
	orpc_objref_encode(&o, out);
	ret = buf_ok(&blob) && buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for activation properties");
out:
	buf_fini(&body);
	buf_fini(&blob);
	return ret;
}

int
activation_request_encode(const struct activation_request *r, struct buf *out, struct err *e)
{
	struct instantiation_holder inst = { .value = {
						 .clsid = r->clsid,
						 .class_context = r->class_context,
						 .flags = r->flags,
						 .n_iids = r->n_iids,
						 .iids = r->iids,
						 .client_version = r->client_version,
					     } };
	struct remote_request request = {
		.impersonation_level = r->impersonation_level,
		.n_protseqs = r->n_protseqs,
		.protseqs = r->protseqs,
	};
	struct context_holder context = { .value = { .client_ok = 0 } };
	struct location_holder location = { .value = { .machine = NULL } };
	struct scm_request_holder scm = { .value = { .request = &request } };
	const struct part parts[] = {
		{ &clsid_instantiation, instantiation_serialized, &inst },
		{ &clsid_context, context_serialized, &context },
		{ &clsid_location, location_serialized, &location },
		{ &clsid_scm_request, scm_request_serialized, &scm },
	};

	return blob_encode(&iid_properties_in, &clsid_properties_in, parts, ARRAY_LEN(parts), out, e);
}

int
activation_result_encode(const struct activation_result *r, struct buf *out, struct err *e)
{
	struct props_out_holder props = { .value = {
					      .n = r->n,
					      .iids = r->iids,
					      .results = r->results,
					      .pointers = r->pointers,
					  } };
	struct remote_reply reply = {
		.oxid = r->oxid,
		.bindings = r->bindings,
		.rem_unknown = r->rem_unknown,
		.authn_hint = r->authn_hint,
		.version = r->version,
	};
	struct scm_reply_holder scm = { .value = { .reply = &reply } };
	const struct part parts[] = {
		{ &clsid_props_out, props_out_serialized, &props },
		{ &clsid_scm_reply, scm_reply_serialized, &scm },
	};

	return blob_encode(&iid_properties_out, &clsid_properties_out, parts, ARRAY_LEN(parts), out, e);
}
