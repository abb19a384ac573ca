/* Between the readers of a signed message and of what it holds. */
#ifndef ADCSD_X509_CMS_PRIV_H
#define ADCSD_X509_CMS_PRIV_H

#include "x509/cms.h"
#include "x509/x509_priv.h"

struct cms_reader {
	struct x509_cms *cms;
	struct x509_request *request;
	struct pool *pool;
	struct x509_name_values name_values;
};

/* cmc.c. A content that is no PKCS #10, or no PKIData with exactly one, is E_INVALID_DATA. */
int
cmc_read_request(struct cms_reader *rd, struct bytes raw, struct err *e) MUST_CHECK;
int
cmc_read_pki_data(struct cms_reader *rd, struct bytes raw, struct err *e) MUST_CHECK;

/* cms_sign.c: SignedData with one signer, the CA; its chain and the leaf (may be empty) beside it. */
struct cms_signed {
	int64_t version;
	const char *content_type; /* dotted */
	struct bytes content;
	struct bytes leaf;
	const char *attribute; /* one more signed attribute, an OCTET STRING; NULL: none */
	struct bytes attribute_octets;
	const char *purpose; /* of the randomness stream of a seeded CA */
	uint64_t id;
};
int
cms_put_signed(struct buf *out, struct x509_ca *ca, const struct cms_signed *how, struct err *e) MUST_CHECK;

#endif
