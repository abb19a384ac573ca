#include "x509/crl.h"

#include "x509/x509_priv.h"

#define OID_CRL_NUMBER "2.5.29.20"
#define OID_CRL_REASON "2.5.29.21"
#define OID_DELTA_CRL_INDICATOR "2.5.29.27"
#define OID_ISSUING_DISTRIBUTION_POINT "2.5.29.28"
#define OID_FRESHEST_CRL "2.5.29.46"
#define OID_CRL_NEXT_PUBLISH "1.3.6.1.4.1.311.21.4"
#define OID_CRL_SELF_CDP "1.3.6.1.4.1.311.21.14"

/* An extension's frame is open between begin and end; the value is written in between. */
struct frame {
	size_t seq, value;
};

static struct frame
extension_begin(struct buf *out, const char *oid, bool critical)
{
	struct frame f;

	f.seq = der_open(out, DER_SEQUENCE);
	der_put_oid(out, oid);
	if (critical)
		der_put_bool(out, true);
	f.value = der_open(out, DER_OCTET_STRING);
	return f;
}

static void
extension_end(struct buf *out, struct frame f)
{
	der_close(out, f.value);
	der_close(out, f.seq);
}

static void
put_integer(struct buf *out, const char *oid, bool critical, uint32_t v)
{
	struct frame f = extension_begin(out, oid, critical);

	der_put_int64(out, v);
	extension_end(out, f);
}

static void
put_points(struct buf *out, const char *oid, struct x509_strings urls)
{
	struct frame f;

	if (urls.n == 0)
		return;
	f = extension_begin(out, oid, false);
	x509_ext_crl_distribution_points(out, urls);
	extension_end(out, f);
}

/* RFC 5280 5.2.5: the names alone, for every certificate and reason. */
static void
put_idp(struct buf *out, struct x509_strings urls)
{
	struct frame f;
	size_t seq, name, full;

	if (urls.n == 0)
		return;
	f = extension_begin(out, OID_ISSUING_DISTRIBUTION_POINT, true);
	seq = der_open(out, DER_SEQUENCE);
	name = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	full = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	for (size_t i = 0; i < urls.n; i++)
		der_put_text(out, DER_CONTEXT(6), urls.v[i]);
	der_close(out, full);
	der_close(out, name);
	der_close(out, seq);
	extension_end(out, f);
}

/* The order of AD CS's own CRLs (issuance.md section 12). */
static void
put_extensions(struct buf *out, const struct x509_crl_plan *p, struct bytes key_id)
{
	size_t outer = der_open(out, DER_CONTEXT_CONSTRUCTED(0)), list = der_open(out, DER_SEQUENCE);
	struct frame f = extension_begin(out, OID_AUTHORITY_KEY_IDENTIFIER, false);

	x509_ext_authority_key_id(out, key_id);
	extension_end(out, f);
	put_integer(out, OID_CERTSRV_CA_VERSION, false, p->ca_version);
	put_integer(out, OID_CRL_NUMBER, p->number_critical, p->number);
	if (p->min_base != 0)
		put_integer(out, OID_DELTA_CRL_INDICATOR, true, p->min_base);
	f = extension_begin(out, OID_CRL_NEXT_PUBLISH, false);
	der_put_time(out, p->next_publish);
	extension_end(out, f);
	if (p->min_base == 0)
		put_points(out, OID_FRESHEST_CRL, p->freshest);
	put_points(out, OID_CRL_SELF_CDP, p->locations);
	put_idp(out, p->idp);
	der_close(out, list);
	der_close(out, outer);
}

static void
put_entry(struct buf *out, const struct x509_crl_entry *x)
{
	size_t seq = der_open(out, DER_SEQUENCE), list;
	struct frame f;

	der_put_uint(out, (struct bytes){ x->serial, x->serial_len });
	der_put_time(out, x->revoked);
	if (x->reason != X509_REASON_UNSPECIFIED) {
		const uint8_t code = (uint8_t)x->reason;

		list = der_open(out, DER_SEQUENCE);
		f = extension_begin(out, OID_CRL_REASON, false);
		der_put(out, DER_ENUMERATED, (struct bytes){ &code, 1 });
		extension_end(out, f);
		der_close(out, list);
	}
	der_close(out, seq);
}

static int
check_plan(const struct x509_crl_plan *p, struct err *e)
{
	if (p->next_update <= p->this_update)
		return ERR(e, E_INVALIDARG, "CRL %u would end before it begins", p->number);
	if (p->number == 0 || p->min_base > p->number)
		return ERR(e, E_UNEXPECTED, "CRL %u cannot refer to base %u", p->number, p->min_base);
	for (size_t i = 0; i < p->n_entries; i++) {
		const struct x509_crl_entry *x = &p->entries[i];

		if (x->serial_len == 0 || x->serial_len > X509_SERIAL_MAX)
			return ERR(e, E_UNEXPECTED, "serial number of %zu octets", x->serial_len);
		if (x->reason > 10 || x->reason == 7 ||
		    (x->reason == X509_REASON_REMOVE_FROM_CRL && p->min_base == 0))
			return ERR(e, E_UNEXPECTED, "reason %u does not belong into this CRL",
			    x->reason); /* RFC 5280 5.3.1 */
	}
	return 0;
}

int
x509_crl_tbs_put(struct buf *out, const struct x509_crl_plan *p, struct bytes sig_alg, struct bytes issuer,
    struct bytes key_id, struct err *e)
{
	size_t tbs, list;

	if (check_plan(p, e) != 0)
		return -1;
	tbs = der_open(out, DER_SEQUENCE);
	der_put_int64(out, 1); /* v2 */
	buf_put_bytes(out, sig_alg);
	buf_put_bytes(out, issuer);
	der_put_time(out, p->this_update);
	der_put_time(out, p->next_update);
	if (p->n_entries > 0) { /* RFC 5280 5.1.2.6: absent when there are none */
		list = der_open(out, DER_SEQUENCE);
		for (size_t i = 0; i < p->n_entries; i++)
			put_entry(out, &p->entries[i]);
		der_close(out, list);
	}
	put_extensions(out, p, key_id);
	der_close(out, tbs);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the CRL");
}
