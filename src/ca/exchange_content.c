/* Contents of the exchange certificate. Seen: extensions and their order, vectors of MS-WSTEP section 4. */
#include <string.h>

#include "ca/exchange.h"
#include "x509/name.h"

#define OID_COMMON_NAME "2.5.4.3"
#define NAME_MAX_OCTETS 65536
#define N_EXTENSIONS 9
#define KEY_ENCIPHERMENT 0x20

static const char *const ca_exchange_usage[] = { "1.3.6.1.4.1.311.21.5" };

/* ---- subject ---- */

/* Text of the common name in an RDN, or NULL when it has none. */
static const char *
common_name(struct bytes rdn, struct pool *pool)
{
	struct der outer = der_over(rdn), set, pair;
	struct der_item value;
	struct err ignored;
	struct bytes oid;

	if (der_enter(&outer, DER_SET, &set, "RDN", &ignored) != 0)
		return NULL;
	while (!der_at_end(&set)) {
		const char *label;

		if (der_enter(&set, DER_SEQUENCE, &pair, "attribute", &ignored) != 0 ||
		    der_get_oid(&pair, &oid, "type", &ignored) != 0 ||
		    der_next(&pair, &value, "value", &ignored) != 0)
			return NULL;
		label = x509_attribute_label(oid);
		if (label != NULL && strcmp(label, "CN") == 0)
			return x509_rdn_text(pool, value.tag, value.body, &ignored);
	}
	return NULL;
}

/* The CA's subject, its common name with "-Xchg" behind. */
static int
put_subject(const struct ca_request *r, struct bytes *out, struct err *e)
{
	struct der outer = der_over(r->policy.ca_subject), rdns;
	struct der_item rdn;
	struct buf b;
	size_t name;
	int rc = -1;

	buf_init(&b, NAME_MAX_OCTETS);
	name = der_open(&b, DER_SEQUENCE);
	if (der_enter(&outer, DER_SEQUENCE, &rdns, "CA subject", e) != 0)
		goto out;
	while (!der_at_end(&rdns)) {
		const char *cn;

		if (der_next(&rdns, &rdn, "RDN", e) != 0)
			goto out;
		cn = common_name(rdn.raw, r->pool);
		if (cn != NULL && strcmp(cn, r->policy.ca_name) == 0)
			x509_put_attribute(&b, OID_COMMON_NAME, pool_printf(r->pool, "%s-Xchg", cn));
		else
			buf_put_bytes(&b, rdn.raw);
	}
	der_close(&b, name);
	if (!buf_ok(&b) || pool_dup_bytes(r->pool, buf_bytes(&b), out) != 0)
		ERR(e, E_OUTOFMEMORY, "no memory for the exchange certificate's subject");
	else
		rc = 0;
out:
	buf_fini(&b);
	return rc;
}

/* ---- extensions ---- */

void
ca_ext_add(struct ca_ext_list *l, const char *oid, bool critical, struct buf *value)
{
	struct x509_extension *x = &l->x[l->n++];
	struct buf body;

	buf_init(&body, OID_TEXT_MAX);
	l->failed |= oid_from_text(&body, oid, NULL) != 0 ||
	    pool_dup_bytes(l->pool, buf_bytes(&body), &x->oid) != 0 || !buf_ok(value) ||
	    pool_dup_bytes(l->pool, buf_bytes(value), &x->value) != 0;
	x->critical = critical;
	buf_fini(&body);
	buf_reset(value);
}

static int
put_extensions(struct ca_request *r, const struct policy_template *t, struct err *e)
{
	const struct x509_strings usage = { ca_exchange_usage, 1 };
	const struct policy_ca *p = &r->policy;
	struct x509_cert_plan *plan = &r->out.plan;
	const uint8_t key_usage = KEY_ENCIPHERMENT;
	struct ca_ext_list l = { .pool = r->pool, .x = pool_calloc(r->pool, N_EXTENSIONS, sizeof(*l.x)) };
	uint8_t id[20];
	struct buf b;

	if (l.x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
	buf_init(&b, NAME_MAX_OCTETS);
	x509_key_id(&r->parsed.key, id);
	x509_ext_key_id(&b, (struct bytes){ id, sizeof(id) });
	ca_ext_add(&l, OID_SUBJECT_KEY_IDENTIFIER, false, &b);
	x509_ext_authority_key_id(&b, p->ca_key_id);
	ca_ext_add(&l, OID_AUTHORITY_KEY_IDENTIFIER, false, &b);
	if (p->cdp_urls.n > 0) {
		x509_ext_crl_distribution_points(&b, p->cdp_urls);
		ca_ext_add(&l, OID_CRL_DISTRIBUTION_POINTS, false, &b);
	}
	if (p->aia_urls.n + p->ocsp_urls.n > 0) {
		x509_ext_authority_info_access(&b, p->aia_urls, p->ocsp_urls);
		ca_ext_add(&l, OID_AUTHORITY_INFO_ACCESS, false, &b);
	}
	x509_ext_template_name(&b, "CAExchange");
	ca_ext_add(&l, OID_ENROLL_CERTTYPE, false, &b);
	if (t != NULL && t->schema_version >= 2 && t->oid != NULL) {
		x509_ext_template_info(&b, t->oid, t->major, t->minor);
		ca_ext_add(&l, OID_CERTIFICATE_TEMPLATE, false, &b);
	}
	x509_ext_eku(&b, usage);
	ca_ext_add(&l, OID_EXTENDED_KEY_USAGE, false, &b);
	x509_ext_key_usage(&b, (struct bytes){ &key_usage, 1 });
	ca_ext_add(&l, OID_KEY_USAGE, true, &b);
	x509_ext_application_policies(&b, usage);
	ca_ext_add(&l, OID_APPLICATION_CERT_POLICIES, false, &b);
	buf_fini(&b);
	plan->extensions = l.x;
	plan->n_extensions = l.n;
	return l.failed ? ERR(e, E_OUTOFMEMORY, "the exchange certificate's extensions cannot be encoded")
			: 0;
}

int
ca_exchange_plan(struct ca_request *r, const struct policy_template *template, struct err *e)
{
	r->out.plan.issuer = r->policy.ca_subject;
	r->out.plan.spki = r->parsed.key.spki;
	if (put_subject(r, &r->out.plan.subject, e) != 0)
		return -1;
	return put_extensions(r, template, e);
}
