/* CRL partitions: which one a certificate belongs to. MS-WCCE 3.2.1.3.1, 3.2.1.4.2.1.4.4; the lists are
 * crl.c's. */
#include <stdlib.h>
#include <strings.h>

#include "ca/signing_certs.h"

#define CRLF_CRLPARTITION_ENABLED 0x400000u
#define CRLF_CRLPARTITION_PARTITIONZERO_EXCLUSIVE 0x800000u
#define URL_OF_CRLS 0xCFu /* every place that names a CRL */

int
ca_partitions_open(struct ca *ca, struct err *e)
{
	const struct ca_settings *s = &ca->settings;
	struct ca_partitions *p = &ca->partitions;

	if ((s->crl_flags & CRLF_CRLPARTITION_ENABLED) == 0)
		return 0;
	*p = (struct ca_partitions){ true, (s->crl_flags & CRLF_CRLPARTITION_PARTITIONZERO_EXCLUSIVE) != 0,
		s->crl_max_partitions, s->crl_suspended_partitions, s->crl_current_partition };
	if (p->max == 0)
		return ERR(e, E_INVALIDARG, "CRLF_CRLPARTITION_ENABLED needs CRLMaxPartitions");
	if (p->suspended > p->max || p->current > p->max)
		return ERR(e, E_INVALIDARG,
		    "CRLSuspendedPartitions and CRLCurrentPartition are at most CRLMaxPartitions (%u)",
		    p->max);
	for (size_t i = 0; i < s->crl_urls.n; i++) {
		unsigned long flags = strtoul(s->crl_urls.v[i], NULL, 10);

		if ((flags & URL_OF_CRLS) != 0 && !ca_url_is_partitioned(s->crl_urls.v[i]))
			return ERR(e, E_INVALIDARG,
			    "CRLF_CRLPARTITION_ENABLED needs <CRLPartitionIndex> in '%.80s'",
			    s->crl_urls.v[i]);
	}
	return 0;
}

/* What the request asks for; 0 when nothing that there is. */
static unsigned
asked_for(const struct ca_request *r)
{
	for (size_t i = 0; i < r->in.n_attributes; i++) {
		const struct policy_attribute *a = &r->in.attributes[i];
		unsigned long v;
		char *end;

		if (strcasecmp(a->name, "CRLPartitionIndex") != 0)
			continue;
		v = strtoul(a->value, &end, 10);
		if (end != a->value && *end == '\0' && v <= r->ca->partitions.max)
			return (unsigned)v;
	}
	return 0;
}

/* The ones behind the suspended ones take turns, or chance decides. */
static unsigned
choose(const struct ca_request *r)
{
	struct ca_partitions *p = &r->ca->partitions;
	unsigned n = p->max - p->suspended;
	struct rng_stream s;
	uint8_t octets[4];
	uint32_t v = 0;

	if (n == 0)
		return 0;
	if (p->current != 0) {
		p->current = p->current >= p->max ? p->suspended + 1 : p->current + 1;
		return p->current;
	}
	rng_stream_init(&s, &r->ca->rng, "crl partition", r->id);
	rng_bytes(&s, octets, sizeof(octets));
	for (size_t i = 0; i < sizeof(octets); i++)
		v = v << 8 | octets[i];
	return p->suspended + 1 + v % n;
}

int
ca_partition_assign(struct ca_request *r, struct err *e)
{
	const struct ca *ca = r->ca;

	if (!ca->partitions.enabled)
		return 0;
	if (r->resubmits == 0) {
		r->partition = asked_for(r);
		if (r->partition == 0)
			r->partition = choose(r);
	}
	return ca_expand_urls(
	    ca, r->issuer, &ca->settings.crl_urls, 0x2, false, r->partition, r->pool, &r->policy.cdp_urls, e);
}
