/* ca.import: a certificate that this CA signed and has no row of. MS-CSRA 3.1.4.1.26. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/signing_certs.h"

#define IMPORT_MAX 16384 /* RawCertificate */
/* dwFlags */
enum { ICF_ALLOWFOREIGN = 0x10000, ICF_EXISTINGROW = 0x20000 };

/* What the template says of itself in the certificate, where the row's builder looks for it. */
struct import {
	struct ca_request r;
	struct x509_certificate cert;
	struct policy_template template;
};

static void
on_imported(void *arg, const struct err *e)
{
	struct ca_admin *a = arg;
	struct err why = { 0 };

	if (e != NULL && e->hr == E_ALREADY_EXISTS) {
		ERR(&why, E_OBJECT_ALREADY_EXISTS, "%s", e->msg);
		e = &why;
	}
	if (e != NULL)
		admin_fail(a, e);
	else
		admin_reply(a, json_pack("{s:I}", "id", (json_int_t)a->id));
}

static int
read_certificate(struct ca_admin *a, struct import *im, struct err *e)
{
	const json_t *given = json_object_get(a->args, "certificate");
	struct bytes raw = { NULL, 0 };
	struct buf b;
	int rc;

	if (!json_is_string(given))
		return ERR(e, E_INVALIDARG, "%s needs 'certificate', base64", a->verb_name);
	buf_init(&b, IMPORT_MAX);
	rc = text_parse_base64(
	    &b, (struct bytes){ (const uint8_t *)json_string_value(given), json_string_length(given) }, e);
	if (rc == 0)
		rc = buf_ok(&b) ? pool_dup_bytes(a->pool, buf_bytes(&b), &raw) : -1;
	buf_fini(&b);
	if (rc != 0 || x509_certificate_read(&im->cert, a->pool, raw, e) != 0)
		return ERR(e, E_INVALID_DATA, "what is to be imported is no certificate");
	im->r.certificate = raw;
	return 0;
}

/* Its column's form; the sign's octet does not count. */
static int
read_serial(struct import *im, struct err *e)
{
	struct bytes s = im->cert.serial;

	while (s.len > 1 && s.p[0] == 0) {
		s.p++;
		s.len--;
	}
	if (s.len == 0 || s.len > X509_SERIAL_MAX)
		return ERR(e, E_INVALID_DATA, "a serial number of %zu octets", s.len);
	memcpy(im->r.out.plan.serial, s.p, s.len);
	im->r.out.plan.serial_len = s.len;
	return 0;
}

static int
check_new(struct ca_admin *a, const struct import *im, struct err *e)
{
	const struct x509_cert_plan *plan = &im->r.out.plan;
	struct err none = { 0 };
	struct buf hex;
	uint32_t id;
	int rc;

	buf_init(&hex, 2 * X509_SERIAL_MAX + 1);
	text_put_hex(&hex, (struct bytes){ plan->serial, plan->serial_len });
	rc = store_find_serial(a->ca->store, buf_cstr(&hex), &id, &none);
	buf_fini(&hex);
	if (rc == 0)
		return ERR(e, E_OBJECT_ALREADY_EXISTS, "request %u has this certificate", id);
	if (none.hr == CERTSRV_E_PROPERTY_EMPTY)
		return 0;
	*e = none;
	return -1;
}

/* KRAFlags of a Windows CA have KRAF_ENABLEFOREIGN clear unless somebody set it; there are none here, so a
 * foreign certificate is refused whatever the flags of the call say. */
static int
find_issuer(struct ca_admin *a, struct import *im, struct err *e)
{
	const struct ca_cert_list *certs = a->ca->certs;

	for (size_t i = certs->n; i > 0; i--) {
		if (x509_ca_signed(certs->v[i - 1]->x509, im->r.certificate)) {
			im->r.issuer = certs->v[i - 1];
			return 0;
		}
	}
	return ERR(e, CERT_E_ISSUERCHAINING, "this CA did not sign the certificate");
}

static void
fill(struct ca_admin *a, struct import *im)
{
	struct x509_certificate *c = &im->cert;
	struct x509_cert_plan *plan = &im->r.out.plan;
	struct ca_request *r = &im->r;

	r->ca = a->ca;
	r->pool = a->pool;
	r->who = a->who;
	r->policy = a->ca->policy;
	r->submitted = r->decided = clock_now(a->ca->clock);
	r->db_disposition = DB_DISP_ISSUED;
	r->message = "certificate issued";
	r->on_behalf_of = ca_who_account(&a->who); /* RequesterName */
	r->in.subject = &r->subject;
	plan->subject = r->parsed.subject = c->subject;
	plan->not_before = c->not_before;
	plan->not_after = c->not_after;
	plan->extensions = c->extensions;
	plan->n_extensions = c->n_extensions;
	r->parsed.key = c->key;
	im->template.cn = c->template_name != NULL ? c->template_name : "";
	im->template.oid = c->template_oid;
	im->template.schema_version = c->template_oid != NULL ? 2 : 1;
	r->out.template = &im->template;
}

/* What the builder cannot know: there was no request. */
static int
finish_row(struct ca_admin *a, struct import *im, struct err *e)
{
	struct store_row *row = &im->r.row;
	const struct bytes ski = im->cert.key_id;
	struct store_extension *list = pool_calloc(a->pool, row->n_extensions, sizeof(*list));

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
	for (size_t i = 0; i < row->n_extensions; i++) {
		list[i] = row->extensions[i];
		list[i].flags = (list[i].flags & ~STORE_EXT_ORIGIN_MASK) | STORE_EXT_ORIGIN_IMPORTED;
	}
	row->extensions = list;
	row->v[Request_RawRequest].set = false;
	row->v[Request_RequestFlags].set = false;
	row->v[Request_RequestType].set = false;
	if (ski.len > 0)
		store_set_text(row, Certificate_SubjectKeyIdentifier, ca_spaced_hex(a->pool, ski.p, ski.len));
	a->row = *row;
	return 0;
}

/* The request that waits for this key's certificate. */
static int
find_waiting(struct ca_admin *a, struct import *im, struct err *e)
{
	struct buf value;
	int rc;

	buf_init(&value, IMPORT_MAX);
	x509_ext_key_id(&value, im->cert.key_id);
	rc = store_find_extension(
	    a->ca->store, DB_DISP_PENDING, OID_SUBJECT_KEY_IDENTIFIER, buf_bytes(&value), &im->r.id, e);
	buf_fini(&value);
	if (rc == 0 && im->r.id == 0)
		rc = ERR(e, CRYPT_E_NO_MATCH, "no request waits for a certificate of this key");
	im->r.resubmits = DB_DISP_PENDING;
	return rc;
}

static int
import_start(struct ca_admin *a, struct err *e)
{
	struct import *im = POOL_NEW(a->pool, struct import);
	int64_t flags;
	int rc;

	if (a->ca->partitions.enabled)
		return ERR(
		    e, E_NOTIMPL, "with CRL partitions no certificate is imported (MS-CSRA 3.1.4.1.26)");
	if (im == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the certificate");
	if (admin_number(a, "flags", 0, UINT32_MAX, &flags, e) != 0)
		return -1;
	if (flags != 0 && flags != ICF_ALLOWFOREIGN && flags != ICF_EXISTINGROW)
		return ERR(e, E_INVALIDARG, "flags 0x%llx are not known", (long long)flags);
	if (read_certificate(a, im, e) != 0 || read_serial(im, e) != 0 || find_issuer(a, im, e) != 0 ||
	    check_new(a, im, e) != 0)
		return -1;
	fill(a, im);
	if (flags == ICF_EXISTINGROW && find_waiting(a, im, e) != 0)
		return -1;
	if (flags != ICF_EXISTINGROW)
		im->r.id = store_next_request_id(a->ca->store);
	if (ca_row_build(&im->r, e) != 0 || finish_row(a, im, e) != 0)
		return -1;
	a->id = im->r.id;
	rc = im->r.resubmits != 0 ? store_update(a->ca->store, &a->row, im->r.resubmits, on_imported, a, e)
				  : store_insert(a->ca->store, &a->row, on_imported, a, e);
	if (rc != 0)
		return -1;
	a->busy = true;
	a->ca->busy++;
	return 0;
}

void
admin_ca_import(struct ca_admin *a)
{
	struct err e = { 0 };

	if (import_start(a, &e) != 0)
		admin_fail(a, &e);
}
