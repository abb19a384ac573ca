#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "svc/epm_priv.h"

#define ENDPOINTS_MAX 64
#define SEARCHES_MAX 64

struct endpoint {
	const struct rpc_interface *iface;
	char annotation[EPM_ANNOTATION_MAX];
	uint16_t port;
};

/* A search that a client may continue: what its handle stands for. */
struct search {
	struct guid id; /* nil: free */
	unsigned next;  /* first endpoint not yet looked at */
	uint64_t age;   /* larger is younger */
};

struct svc_epm {
	struct endpoint endpoints[ENDPOINTS_MAX];
	unsigned n_endpoints;
	struct search searches[SEARCHES_MAX];
	uint64_t searches_begun;
};

static const struct epm_if_id ndr20 = { NDR_TRANSFER_SYNTAX_UUID, 2, 0 };

struct svc_epm *
svc_epm_new(void)
{
	return calloc(1, sizeof(struct svc_epm));
}

void
svc_epm_free(struct svc_epm *m)
{
	free(m);
}

int
svc_epm_register(struct svc_epm *m, const struct rpc_interface *iface, const char *annotation, uint16_t port,
    struct err *e)
{
	struct endpoint *ep = &m->endpoints[m->n_endpoints];

	if (annotation == NULL)
		annotation = "";
	if (m->n_endpoints == ENDPOINTS_MAX)
		return ERR(e, E_OUTOFMEMORY, "endpoint map is full (%d)", ENDPOINTS_MAX);
	if (strlen(annotation) >= sizeof(ep->annotation))
		return ERR(e, E_INVALIDARG, "annotation of %s is longer than %zu octets", iface->name,
		    sizeof(ep->annotation) - 1);
	*ep = (struct endpoint){ .iface = iface, .port = port };
	memcpy(ep->annotation, annotation, strlen(annotation) + 1);
	m->n_endpoints++;
	return 0;
}

/* ---- handles: nil begins a search, ours continues one ---- */

static bool
handle_is_nil(const struct epm_handle *h)
{
	return h->attributes == 0 && guid_is_nil(&h->uuid);
}

static struct search *
search_find(struct svc_epm *m, const struct epm_handle *h)
{
	for (unsigned i = 0; i < SEARCHES_MAX; i++)
		if (!guid_is_nil(&m->searches[i].id) && guid_equal(&m->searches[i].id, &h->uuid))
			return &m->searches[i];
	return NULL;
}

static void
search_end(struct search *s)
{
	if (s != NULL)
		*s = (struct search){ 0 };
}

/* A free place, else that of the oldest search: clients that never finish must not keep others from
 * searching. */
static struct search *
search_begin(struct svc_epm *m)
{
	struct search *best = &m->searches[0];
	uint8_t id[16];

	for (unsigned i = 1; i < SEARCHES_MAX; i++)
		if (m->searches[i].age < best->age)
			best = &m->searches[i];
	rng_system(id, sizeof(id));
	id[0] |= 1; /* never nil */
	guid_from_wire(&best->id, id);
	best->next = 0;
	best->age = ++m->searches_begun;
	return best;
}

/* What the answer's handle says: where the search stands, or nil when nothing is left. */
static struct epm_handle
search_keep(struct svc_epm *m, struct search *s, unsigned next, bool more)
{
	struct epm_handle h = { 0 };

	if (!more) {
		search_end(s);
		return h;
	}
	if (s == NULL)
		s = search_begin(m);
	s->next = next;
	h.uuid = s->id;
	return h;
}

/* ---- what is asked for ---- */

struct question {
	bool by_interface, by_object;
	struct epm_if_id iface;
	uint32_t vers_option;
	const struct guid *object;
};

/* MS-RPCE 2.2.1.2.4, vers_option */
static bool
version_matches(const struct rpc_interface *have, const struct epm_if_id *want, uint32_t option)
{
	switch (option) {
	case RPC_C_VERS_COMPATIBLE:
		return have->major == want->major && have->minor >= want->minor;
	case RPC_C_VERS_EXACT:
		return have->major == want->major && have->minor == want->minor;
	case RPC_C_VERS_MAJOR_ONLY:
		return have->major == want->major;
	case RPC_C_VERS_UPTO:
		return have->major < want->major ||
		    (have->major == want->major && have->minor <= want->minor);
	default: /* RPC_C_VERS_ALL */
		return true;
	}
}

static bool
endpoint_matches(const struct endpoint *ep, const struct question *q)
{
	/* Nothing here is registered for one object. */
	if (q->by_object && q->object != NULL && !guid_is_nil(q->object))
		return false;
	return !q->by_interface ||
	    (guid_equal(&ep->iface->uuid, &q->iface.uuid) &&
		version_matches(ep->iface, &q->iface, q->vers_option));
}

/* Index of the first endpoint from `at` on that matches, n_endpoints when none does. */
static unsigned
next_match(const struct svc_epm *m, const struct question *q, unsigned at)
{
	while (at < m->n_endpoints && !endpoint_matches(&m->endpoints[at], q))
		at++;
	return at;
}

static struct epm_tower *
endpoint_tower(const struct endpoint *ep, const uint8_t local[4], struct pool *pool)
{
	struct epm_tcp tcp = {
		.iface = { ep->iface->uuid, ep->iface->major, ep->iface->minor },
		.transfer = ndr20,
		.port = ep->port,
	};

	memcpy(tcp.ipv4, local, 4);
	return epm_tower_from_tcp(pool, &tcp);
}

/* ---- methods ---- */

/* Where a search goes on; false when the handle is not ours. */
static bool
resume(struct svc_epm *m, const struct epm_handle *h, struct search **s, unsigned *at)
{
	*s = NULL;
	*at = 0;
	if (handle_is_nil(h))
		return true;
	*s = search_find(m, h);
	if (*s == NULL)
		return false;
	*at = (*s)->next;
	return true;
}

uint32_t
epm_lookup_answer(struct svc_epm *m, const struct epm_lookup_in *in, const uint8_t local[4],
    struct pool *pool, struct epm_lookup_out *out)
{
	/* Windows takes other inquiry types for RPC_C_EP_ALL_ELTS (MS-RPCE 2.2.1.2.4, note 25). */
	struct question q = {
		.by_interface =
		    in->inquiry_type == RPC_C_EP_MATCH_BY_IF || in->inquiry_type == RPC_C_EP_MATCH_BY_BOTH,
		.by_object =
		    in->inquiry_type == RPC_C_EP_MATCH_BY_OBJ || in->inquiry_type == RPC_C_EP_MATCH_BY_BOTH,
		.vers_option = in->vers_option,
		.object = in->object,
	};
	struct search *s;
	unsigned at;

	if (in->if_id != NULL)
		q.iface = *in->if_id;
	if (!resume(m, &in->handle, &s, &at))
		return NCA_S_FAULT_CONTEXT_MISMATCH;
	*out = (struct epm_lookup_out){ .max_ents = in->max_ents };
	out->entries = pool_calloc(pool, in->max_ents, sizeof(*out->entries));
	if (out->entries == NULL)
		return NCA_S_FAULT_REMOTE_NO_MEMORY;
	at = next_match(m, &q, at);
	if (at == m->n_endpoints)
		out->status = EPT_S_NOT_REGISTERED;
	for (; at < m->n_endpoints && out->num_ents < in->max_ents; at = next_match(m, &q, at + 1)) {
		struct epm_entry *en = &out->entries[out->num_ents++];

		en->annotation = m->endpoints[at].annotation;
		en->tower = endpoint_tower(&m->endpoints[at], local, pool);
		if (en->tower == NULL)
			return NCA_S_FAULT_REMOTE_NO_MEMORY;
	}
	out->handle = search_keep(m, s, at, at < m->n_endpoints);
	return 0;
}

/* The question in a tower; false when nothing of ours can match it. The address and port it names do not
 * count. */
static bool
tower_question(const struct epm_tower *t, struct question *q)
{
	struct epm_tcp tcp;

	if (t == NULL || !epm_tower_to_tcp(t, &tcp))
		return false;
	*q = (struct question){
		.by_interface = true, .iface = tcp.iface, .vers_option = RPC_C_VERS_COMPATIBLE
	};
	return guid_equal(&tcp.transfer.uuid, &ndr20.uuid) && tcp.transfer.major == ndr20.major;
}

uint32_t
epm_map_answer(struct svc_epm *m, const struct epm_map_in *in, const uint8_t local[4], struct pool *pool,
    struct epm_map_out *out)
{
	struct question q;
	struct search *s;
	unsigned at;

	if (!resume(m, &in->handle, &s, &at))
		return NCA_S_FAULT_CONTEXT_MISMATCH;
	*out = (struct epm_map_out){ .max_towers = in->max_towers };
	out->towers = pool_calloc(pool, in->max_towers, sizeof(*out->towers));
	if (out->towers == NULL)
		return NCA_S_FAULT_REMOTE_NO_MEMORY;
	/* An interface registered without an object serves all objects (MS-RPCE 2.2.1.2.5), so in->object
	 * says nothing. */
	at = tower_question(in->tower, &q) ? next_match(m, &q, at) : m->n_endpoints;
	if (at == m->n_endpoints)
		out->status = EPT_S_NOT_REGISTERED;
	for (; at < m->n_endpoints && out->num_towers < in->max_towers; at = next_match(m, &q, at + 1)) {
		struct epm_tower *t = endpoint_tower(&m->endpoints[at], local, pool);

		if (t == NULL)
			return NCA_S_FAULT_REMOTE_NO_MEMORY;
		out->towers[out->num_towers++].tower = t;
	}
	out->handle = search_keep(m, s, at, at < m->n_endpoints);
	return 0;
}

uint32_t
epm_handle_free_answer(
    struct svc_epm *m, const struct epm_handle_free_in *in, struct epm_handle_free_out *out)
{
	*out = (struct epm_handle_free_out){ 0 };
	if (handle_is_nil(&in->handle))
		return 0;
	if (search_find(m, &in->handle) == NULL)
		return NCA_S_FAULT_CONTEXT_MISMATCH;
	search_end(search_find(m, &in->handle));
	return 0;
}
