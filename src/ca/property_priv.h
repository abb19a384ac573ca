/* Between property.c and property_value.c. */
#ifndef ADCSD_CA_PROPERTY_PRIV_H
#define ADCSD_CA_PROPERTY_PRIV_H

#include "ca/ca_priv.h"
#include "ca/property.h"

/* One query under way. */
struct ca_property_query {
	struct ca *ca;
	struct pool *pool;
	const struct ca_property *row;
	uint32_t index;
	bool type_alone; /* GETCERT_CATYPE: the number without its CAINFO */
	ca_blob_fn *cb;
	void *arg;
};

/* The value, in the query's pool. index has been checked against the row. */
typedef int
ca_property_value_fn(struct ca_property_query *q, struct bytes *out, struct err *e);
/* The same, later: 0 when ca_property_finish() will be called. */
typedef int
ca_property_start_fn(struct ca_property_query *q, const struct ca_caller *who, struct err *e);

/* Which indexes there are (MS-WCCE 3.2.1.4.3.2). */
enum ca_property_index {
	INDEX_ZERO,        /* not indexed */
	INDEX_EXIT,        /* 0 .. exit algorithms - 1 */
	INDEX_CERT,        /* 0 .. n - 1, n certificates of the CA */
	INDEX_CERT_NEWEST, /* the same, and 0xffffffff for the newest */
	INDEX_EXCHANGE,    /* 0, and 0xffffffff for it */
	INDEX_KRA,         /* 0 .. KRA certificates - 1 */
	INDEX_FORWARD,     /* 0 .. n - 2 */
	INDEX_BACKWARD,    /* 1 .. n - 1 */
	INDEX_PARTITION,   /* low half a certificate, high half a partition */
};

struct ca_property {
	uint32_t id;
	uint8_t type; /* PROPTYPE_* */
	enum ca_property_index index;
	ca_property_value_fn *value;
	ca_property_start_fn *start; /* instead of value */
	const char *name;            /* display name, UTF-8 */
};

#define CA_EXIT_COUNT 1
/* lPropIDMax of Windows Server 2012 and later (wcce.md 2.7); what is above is answered, but not listed. */
#define CA_PROPERTY_ID_MAX 45

/* Hands the answer over and ends the query: blob, or e. */
void
ca_property_finish(struct ca_property_query *q, struct bytes blob, const struct err *e);

/* CAINFO (MS-WCCE 2.2.2.4), every field filled. */
int
ca_property_cainfo(struct ca_property_query *q, struct bytes *out, struct err *e) MUST_CHECK;
/* UTF-16LE with the NUL; "" is the NUL alone. */
int
ca_property_text(struct pool *pool, const char *text, struct bytes *out, struct err *e) MUST_CHECK;
/* How many there are of what the index counts. */
uint32_t
ca_property_kra_count(const struct ca *ca);

/* property_value.c, one for each row */
ca_property_value_fn ca_property_version, ca_property_default_module, ca_property_name, ca_property_sanitized,
    ca_property_short_name, ca_property_shared_folder, ca_property_parent, ca_property_dns_name,
    ca_property_locale, ca_property_subject_oids, ca_property_cert, ca_property_cert_chain,
    ca_property_cert_crl_chain, ca_property_base_crl, ca_property_delta_crl, ca_property_cert_states,
    ca_property_crl_states, ca_property_base_status, ca_property_delta_status, ca_property_cert_status,
    ca_property_forward, ca_property_backward, ca_property_forward_states, ca_property_backward_states,
    ca_property_cert_versions, ca_property_cdp_urls, ca_property_aia_urls, ca_property_ocsp_urls,
    ca_property_kra_cert, ca_property_kra_states, ca_property_partitions, ca_property_partition_base,
    ca_property_partition_delta, ca_property_partition_base_status, ca_property_partition_delta_status;
ca_property_start_fn ca_property_templates, ca_property_exchange, ca_property_exchange_chain,
    ca_property_exchange_crl_chain;

#endif
