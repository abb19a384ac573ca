/*
 * Certificates about the CA itself: cross certificates, which lead whoever trusts one of its keys to the
 * other one (MS-WCCE 3.2.1.1.2), and the rows of those and of CA certificates.
 */
#include <string.h>

#include "ca/exchange.h"
#include "ca/renew.h"
#include "ca/signing_certs.h"

#define CERTIFICATE_MAX (64 * 1024)
#define N_EXTENSIONS 8
#define CA_KEY_USAGE 0x86 /* digitalSignature, keyCertSign, cRLSign */
#define CR_FLG_FORCEUTF8 0x4u
#define CR_FLG_CACROSSCERT 0x80u

static const struct policy_template cross_template = { .cn = "CrossCA", .schema_version = 1 };
static const struct policy_template ca_template = { .cn = "CA", .schema_version = 1 };

static void
put_key_id(struct ca_ext_list *l, const struct x509_key_info *key, struct buf *b)
{
	uint8_t id[20];

	x509_key_id(key, id);
	x509_ext_key_id(b, (struct bytes){ id, sizeof(id) });
	ca_ext_add(l, OID_SUBJECT_KEY_IDENTIFIER, false, b);
}

/* Those of a CA certificate, and what leads to the issuing key's certificate and CRLs. */
static int
put_extensions(struct ca_request *r, const struct ca_cert *subject, struct err *e)
{
	const uint8_t usage = CA_KEY_USAGE;
	const struct ca_cert *c = r->issuer;
	struct ca_ext_list l = { .pool = r->pool, .x = pool_calloc(r->pool, N_EXTENSIONS, sizeof(*l.x)) };
	struct buf b;

	if (l.x == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
	buf_init(&b, CERTIFICATE_MAX);
	x509_ext_key_usage(&b, (struct bytes){ &usage, 1 });
	ca_ext_add(&l, OID_KEY_USAGE, false, &b);
	x509_ext_basic_constraints(&b, true, -1);
	ca_ext_add(&l, OID_BASIC_CONSTRAINTS, true, &b);
	put_key_id(&l, &r->parsed.key, &b);
	der_put_int64(&b, ca_cert_version_of(subject));
	ca_ext_add(&l, OID_CERTSRV_CA_VERSION, false, &b);
	x509_ext_template_name(&b, cross_template.cn);
	ca_ext_add(&l, OID_ENROLL_CERTTYPE, false, &b);
	x509_ext_authority_key_id(&b, x509_ca_key_id(c->x509));
	ca_ext_add(&l, OID_AUTHORITY_KEY_IDENTIFIER, false, &b);
	if (c->urls.cdp.n > 0) {
		x509_ext_crl_distribution_points(&b, c->urls.cdp);
		ca_ext_add(&l, OID_CRL_DISTRIBUTION_POINTS, false, &b);
	}
	if (c->urls.aia.n + c->urls.ocsp.n > 0) {
		x509_ext_authority_info_access(&b, c->urls.aia, c->urls.ocsp);
		ca_ext_add(&l, OID_AUTHORITY_INFO_ACCESS, false, &b);
	}
	buf_fini(&b);
	r->out.plan.extensions = l.x;
	r->out.plan.n_extensions = l.n;
	return l.failed ? ERR(e, E_OUTOFMEMORY, "a cross certificate's extensions cannot be encoded") : 0;
}

static filetime_t
smaller(filetime_t a, filetime_t b)
{
	return a < b ? a : b;
}

int
ca_cross_certify(struct ca_request *r, const struct ca_cert *subject, struct err *e)
{
	const struct x509_ca *from = r->issuer->x509, *to = subject->x509;
	struct x509_cert_plan *plan = &r->out.plan;
	struct buf b;
	int rc = -1;

	if (x509_key_read(&r->parsed.key, x509_ca_spki(to), e) != 0)
		return -1;
	plan->issuer = plan->subject = r->parsed.subject = x509_ca_subject(from);
	plan->spki = r->parsed.key.spki;
	plan->not_before = r->decided - r->policy.clock_skew;
	if (plan->not_before < x509_ca_not_before(from))
		plan->not_before = x509_ca_not_before(from);
	plan->not_after = smaller(x509_ca_not_after(from), x509_ca_not_after(to));
	ca_serial_make(plan->serial, r->ca->high_serial, r->id, r->issuer->index, &r->ca->rng);
	plan->serial_len = CA_SERIAL_LEN;
	r->out.template = &cross_template;
	r->request_flags = CR_FLG_CACROSSCERT | CR_FLG_FORCEUTF8;
	if (put_extensions(r, subject, e) != 0)
		return -1;
	buf_init(&b, CERTIFICATE_MAX);
	if (x509_ca_issue(r->issuer->x509, plan, r->id, &b, e) == 0)
		rc = pool_dup_bytes(r->pool, buf_bytes(&b), &r->certificate) == 0
		    ? ca_row_build(r, e)
		    : ERR(e, E_OUTOFMEMORY, "no memory for a cross certificate");
	buf_fini(&b);
	return rc;
}

int
ca_own_row(struct ca_request *r, struct err *e)
{
	struct x509_certificate c;
	struct x509_cert_plan *plan = &r->out.plan;

	r->certificate = x509_ca_cert_der(r->issuer->x509);
	if (x509_certificate_read(&c, r->pool, r->certificate, e) != 0)
		return -1;
	while (c.serial.len > 1 && c.serial.p[0] == 0) { /* the sign's octet */
		c.serial.p++;
		c.serial.len--;
	}
	if (c.serial.len > sizeof(plan->serial))
		return ERR(
		    e, E_INVALID_DATA, "the CA certificate's serial number has %zu octets", c.serial.len);
	memcpy(plan->serial, c.serial.p, c.serial.len);
	plan->serial_len = c.serial.len;
	plan->subject = r->parsed.subject = c.subject;
	plan->not_before = c.not_before;
	plan->not_after = c.not_after;
	plan->extensions = c.extensions;
	plan->n_extensions = c.n_extensions;
	r->parsed.key = c.key;
	r->out.template = &ca_template;
	r->request_flags = CR_FLG_FORCEUTF8;
	if (ca_row_build(r, e) != 0)
		return -1;
	store_set_long(&r->row, Request_Disposition, DB_DISP_CA_CERT);
	return 0;
}
