/* Status inspection: MS-WCCE 3.2.1.4.2.1.5, wcce.md 2.3. Reads on the loop's thread: two look-ups by key. */
#include <ctype.h>
#include <string.h>

#include "ca/signing_certs.h"

/* Without an id the attributes are a serial number; certutil writes it with blanks and capitals. */
static int
id_by_serial(struct ca *ca, const char *text, uint32_t *id, struct err *e)
{
	char serial[2 * X509_SERIAL_MAX + 1];
	size_t n = 0;

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		if (!isxdigit((unsigned char)*text) || n >= sizeof(serial) - 1)
			return ERR(e, E_INVALIDARG, "neither a request id nor a serial number is given");
		serial[n++] = (char)tolower((unsigned char)*text);
	}
	serial[n] = '\0';
	return store_find_serial(ca->store, serial, id, e);
}

static void
fill_chain(const struct ca *ca, const struct store_row *row, struct pool *pool, struct ca_request_result *out)
{
	const struct ca_cert *issuer = ca_cert_find(ca, store_long(row, Certificate_IssuerNameId));
	struct err e = { 0 };
	struct buf chain;

	buf_init(&chain, 1u << 20);
	if (issuer == NULL || x509_ca_pkcs7_chain(issuer->x509, out->certificate, &chain, &e) != 0 ||
	    pool_dup_bytes(pool, buf_bytes(&chain), &out->chain) != 0)
		out->chain = (struct bytes){ NULL, 0 }; /* the certificate alone is still an answer */
	buf_fini(&chain);
}

/* The hash that the request gave for the key which was archived with it. Empty when none was. */
static struct bytes
archived_key_hash(const struct store_row *row, struct pool *pool)
{
	const struct bytes none = { NULL, 0 };
	struct x509_request request;
	struct x509_cms cms;
	struct err ignored;

	if ((store_long(row, Request_RequestFlags) & CR_FLG_VALIDENCRYPTEDKEYHASH) == 0 ||
	    x509_cms_parse(&cms, &request, pool, store_bytes(row, Request_RawRequest), &ignored) != 0)
		return none;
	return request.encrypted_key_hash;
}

static void
fill_full_response(
    struct ca *ca, const struct store_row *row, struct pool *pool, struct ca_request_result *out)
{
	/* the chain it holds is the certificate's, so that certificate signs */
	const struct ca_cert *issuer = ca_cert_find(ca, store_long(row, Certificate_IssuerNameId));
	struct x509_cmc_response how = { .status = X509_CMC_FAILED,
		.text = out->message,
		.certificate = out->certificate,
		.encrypted_key_hash = archived_key_hash(row, pool),
		.request_id = out->request_id,
		.received = row->v[Request_SubmittedWhen].n };
	struct err e = { 0 };
	struct buf b;

	if (out->certificate.len > 0)
		how.status = X509_CMC_SUCCESS;
	else if (out->disposition == CR_DISP_UNDER_SUBMISSION)
		how.status = X509_CMC_PENDING;
	if (out->certificate.len == 0)
		issuer = ca_cert_newest(ca);
	buf_init(&b, 1u << 20);
	if (x509_ca_cmc_response(issuer != NULL ? issuer->x509 : ca->x509, &how, &b, &e) != 0 ||
	    pool_dup_bytes(pool, buf_bytes(&b), &out->chain) != 0)
		out->chain = (struct bytes){ NULL, 0 };
	buf_fini(&b);
}

static void
fill_result(struct ca *ca, const struct store_row *row, struct pool *pool, struct ca_request_result *out)
{
	switch (store_long(row, Request_Disposition)) {
	case DB_DISP_ISSUED:
		out->disposition = CR_DISP_ISSUED;
		break;
	case DB_DISP_REVOKED:
		out->disposition = CR_DISP_REVOKED;
		break;
	case DB_DISP_PENDING:
		out->disposition = CR_DISP_UNDER_SUBMISSION;
		break;
	case DB_DISP_DENIED:
		out->disposition = CR_DISP_DENIED;
		out->hr = CERTSRV_E_ADMIN_DENIED_REQUEST; /* Windows Server 2008 R2 and later */
		break;
	default:
		out->disposition = store_long(row, Request_StatusCode);
		break;
	}
	out->message = store_text(row, Request_DispositionMessage);
	if (out->message == NULL)
		out->message = "";
	if (out->disposition != CR_DISP_ISSUED && out->disposition != CR_DISP_REVOKED)
		return;
	out->certificate = store_bytes(row, Certificate_RawCertificate);
	fill_chain(ca, row, pool, out);
}

void
ca_retrieve(struct ca *ca, const struct ca_request_args *a, struct pool *pool, struct ca_request_result *out)
{
	struct store_row *row = POOL_NEW(pool, struct store_row);
	const char *serial = a->is_request2 ? a->serial : a->attributes;
	bool has_serial = serial != NULL && serial[0] != '\0';
	uint32_t id = a->request_id;
	struct err e = { 0 };
	int rc;

	if (row == NULL)
		rc = ERR(&e, E_OUTOFMEMORY, "no memory for the request");
	else if (id != 0 && a->is_request2 && has_serial)
		rc = ERR(&e, E_INVALIDARG,
		    "request id %u and a serial number, one too many (MS-WCCE 3.2.1.4.3.1.2)", id);
	else if (id != 0)
		rc = store_get(ca->store, id, pool, row, &e);
	else if (!has_serial)
		rc = ERR(&e, E_INVALIDARG, "request id 0");
	else
		rc = id_by_serial(ca, serial, &id, &e) == 0 ? store_get(ca->store, id, pool, row, &e) : -1;
	out->request_id = id;
	if (rc != 0) {
		out->hr = out->disposition = e.hr;
		out->message = hresult_text(e.hr);
		return;
	}
	fill_result(ca, row, pool, out);
	if ((a->flags & CR_IN_FULLRESPONSE) != 0)
		fill_full_response(ca, row, pool, out);
}
