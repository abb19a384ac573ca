/* CMC full response: SignedData around PKIResponse (MS-WCCE 3.2.1.4.2.1.4.8.2). Seen: layout and order,
 * MS-WSTEP 4. */
#include <string.h>

#include "base/text.h"
#include "x509/cms_priv.h"

#define OID_PKI_RESPONSE "1.3.6.1.5.5.7.12.3"
#define OID_STATUS_INFO "1.3.6.1.5.5.7.7.1"
#define OID_ADD_ATTRIBUTES "1.3.6.1.4.1.311.10.10.1"
#define OID_ISSUED_CERT_HASH "1.3.6.1.4.1.311.21.17"
#define OID_ENCRYPTED_KEY_HASH "1.3.6.1.4.1.311.21.21"

#define BODY_MAX 65536
#define REQUEST_BODY_PART 1 /* Seen: certreq's and our only one */

/* ---- PKIResponse ---- */

static void
put_body_list(struct buf *out)
{
	size_t list = der_open(out, DER_SEQUENCE);

	der_put_int64(out, REQUEST_BODY_PART);
	der_close(out, list);
}

/* GeneralizedTime whatever the year, unlike the times of certificates. */
static void
put_generalized_time(struct buf *out, filetime_t t)
{
	struct civil c;
	size_t mark = der_open(out, DER_GENERALIZED_TIME);

	filetime_to_civil(t, &c);
	buf_printf(out, "%04u%02u%02u%02u%02u%02uZ", (unsigned)c.year % 10000, (unsigned)c.month,
	    (unsigned)c.day, (unsigned)c.hour, (unsigned)c.minute, (unsigned)c.second);
	der_close(out, mark);
}

/* The token is "the request ID"; Ours: in decimal digits, as everything that shows it to people. */
static void
put_pend_info(struct buf *out, const struct x509_cmc_response *r)
{
	size_t info = der_open(out, DER_SEQUENCE), token = der_open(out, DER_OCTET_STRING);

	buf_printf(out, "%u", r->request_id);
	der_close(out, token);
	put_generalized_time(out, r->received);
	der_close(out, info);
}

static void
open_control(struct buf *out, int64_t body_part, const char *oid, size_t marks[3])
{
	marks[0] = der_open(out, DER_SEQUENCE);
	der_put_int64(out, body_part);
	der_put_oid(out, oid);
	marks[1] = der_open(out, DER_SET);
	marks[2] = der_open(out, DER_SEQUENCE);
}

static void
close_control(struct buf *out, const size_t marks[3])
{
	der_close(out, marks[2]);
	der_close(out, marks[1]);
	der_close(out, marks[0]);
}

static void
put_hash(struct buf *out, const char *oid, struct bytes hash)
{
	size_t attribute = der_open(out, DER_SEQUENCE), values;

	der_put_oid(out, oid);
	values = der_open(out, DER_SET);
	der_put(out, DER_OCTET_STRING, hash);
	der_close(out, values);
	der_close(out, attribute);
}

static void
put_hashes(struct buf *out, const struct x509_cmc_response *r)
{
	size_t marks[3], set;
	uint8_t sha1[20];

	x509_sha1(r->certificate, sha1);
	open_control(out, 2, OID_ADD_ATTRIBUTES, marks);
	der_put_int64(out, 0); /* pkiDataReference */
	put_body_list(out);
	set = der_open(out, DER_SET);
	put_hash(out, OID_ISSUED_CERT_HASH, (struct bytes){ sha1, sizeof(sha1) });
	if (r->encrypted_key_hash.len > 0)
		put_hash(out, OID_ENCRYPTED_KEY_HASH, r->encrypted_key_hash);
	der_close(out, set);
	close_control(out, marks);
}

static void
put_body(struct buf *out, const struct x509_cmc_response *r)
{
	size_t body = der_open(out, DER_SEQUENCE), controls = der_open(out, DER_SEQUENCE), marks[3];

	open_control(out, 1, OID_STATUS_INFO, marks);
	der_put_int64(out, (int64_t)r->status);
	put_body_list(out);
	der_put_text(out, DER_UTF8_STRING, r->text);
	if (r->status == X509_CMC_PENDING)
		put_pend_info(out, r);
	close_control(out, marks);
	if (r->certificate.len > 0)
		put_hashes(out, r);
	der_close(out, controls);
	der_put(out, DER_SEQUENCE, (struct bytes){ NULL, 0 }); /* cmsSequence */
	der_put(out, DER_SEQUENCE, (struct bytes){ NULL, 0 }); /* otherMsgSequence */
	der_close(out, body);
}

int
x509_ca_cmc_response(struct x509_ca *ca, const struct x509_cmc_response *r, struct buf *out, struct err *e)
{
	struct cms_signed how = { .version = 3,
		.content_type = OID_PKI_RESPONSE,
		.leaf = r->certificate,
		.purpose = "cmc",
		.id = r->request_id };
	struct buf body;
	int rc;

	buf_init(&body, BODY_MAX);
	put_body(&body, r);
	how.content = buf_bytes(&body);
	rc = buf_ok(&body) ? cms_put_signed(out, ca, &how, e)
			   : ERR(e, E_OUTOFMEMORY, "no memory for a CMC response");
	buf_fini(&body);
	return rc;
}
