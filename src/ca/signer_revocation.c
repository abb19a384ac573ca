/*
 * Step 13 of issuance.md section 2, its last part: is a signer's certificate revoked, and can that be told?
 * The database knows what has been revoked. Windows asks a CRL, so one that has run out, and could not be
 * replaced in any place where it is published, is the revocation server being offline.
 */
#include "ca/signer_revocation.h"
#include "base/text.h"
#include "ca/crl.h"
#include "ca/signing_certs.h"

#define CRLF_REVCHECK_IGNORE_OFFLINE 0x8u

struct check {
	struct ca_request *r;
	ca_signers_fn *go_on;
};

/* Ours by its serial number; NULL when it is in no row: deleted, imported elsewhere, or of a CA above. */
static const struct store_row *
find_row(struct ca_request *r, const struct x509_certificate *c, uint32_t *id)
{
	struct store_row *row = POOL_NEW(r->pool, struct store_row);
	struct err ignored;
	struct buf hex;
	bool found;

	buf_init(&hex, 2 * X509_SERIAL_MAX + 1);
	text_put_hex(&hex, c->serial);
	found = row != NULL && buf_ok(&hex) &&
	    store_find_serial(r->ca->store, buf_cstr(&hex), id, &ignored) == 0 &&
	    store_get(r->ca->store, *id, r->pool, row, &ignored) == 0;
	buf_fini(&hex);
	return found ? row : NULL;
}

/* Whose list would tell of it. Without a row, the newest key's. */
static ca_crl_id
list_of(const struct ca *ca, const struct store_row *row)
{
	if (row == NULL)
		return ca_cert_newest(ca)->key_index;
	return (ca_crl_id)store_long(row, Request_CRLPartitionIndex) << 16 |
	    (uint32_t)store_long(row, Certificate_IssuerNameId) >> 16;
}

static int
check_one(struct ca_request *r, const struct x509_certificate *c, bool *stale, struct err *e)
{
	bool offline_is_fine = (r->ca->settings.crl_flags & CRLF_REVCHECK_IGNORE_OFFLINE) != 0;
	const struct store_row *row;
	uint32_t id = 0;
	bool current;

	row = find_row(r, c, &id);
	if (row != NULL && store_long(row, Request_Disposition) == DB_DISP_REVOKED)
		return ERR(e, CRYPT_E_REVOKED, "a signer's certificate, of request %u, is revoked", id);
	if (offline_is_fine)
		return 0;
	if (ca_crl_current(r->ca, list_of(r->ca, row), r->pool, &current, e) != 0)
		return -1;
	if (current)
		return 0;
	*stale = true;
	return ERR(e, CRYPT_E_REVOCATION_OFFLINE,
	    "no CRL in force tells whether a signer's certificate is revoked (CRLF_REVCHECK_IGNORE_OFFLINE "
	    "is "
	    "off)");
}

/* Those of the CAs above us stand in no list that we keep. */
static int
check_all(struct ca_request *r, bool *stale, struct err *e)
{
	struct bytes issuer = x509_ca_subject(r->ca->x509);

	*stale = false;
	for (size_t i = 0; i < r->cms.n_signers; i++) {
		const struct x509_certificate *c = r->cms.signers[i].certificate;

		if (c != NULL && bytes_equal(c->issuer, issuer) && check_one(r, c, stale, e) != 0)
			return -1;
	}
	return 0;
}

/* A publication that was due is over, well or not. */
static void
on_published(void *arg, const struct err *ignored)
{
	struct check *k = arg;
	struct err e = { 0 };
	bool stale;
	int rc = check_all(k->r, &stale, &e);

	(void)ignored;
	k->go_on(k->r, rc == 0 ? NULL : &e);
}

static bool
publication_is_near(const struct ca *ca)
{
	return ca->crl.jobs != NULL || ca_crl_due(ca) <= clock_now(ca->clock);
}

void
ca_signers_check(struct ca_request *r, ca_signers_fn *go_on)
{
	struct ca *ca = r->ca;
	struct err e = { 0 }, why = { 0 };
	struct check *k;
	bool stale;

	/* one that waited was checked when it came */
	if (!r->wrapped || r->resubmits != 0 || check_all(r, &stale, &e) == 0) {
		go_on(r, NULL);
		return;
	}
	if (!stale || !publication_is_near(ca)) {
		go_on(r, &e);
		return;
	}
	ca_crl_check(ca);
	k = POOL_NEW(r->pool, struct check);
	if (k == NULL) {
		ERR(&why, E_OUTOFMEMORY, "no memory for a signer's check");
		go_on(r, &why);
		return;
	}
	*k = (struct check){ r, go_on };
	if (ca_crl_publish(ca, 0, 0, NULL, on_published, k, &why) != 0)
		go_on(r, &why);
}
