/* A new root: key, self-signed certificate, and the two files. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "x509/ext.h"
#include "x509/key_priv.h"
#include "x509/name.h"

#define COMMON_NAME_MAX 64 /* ub-common-name */
#define ROOT_SERIAL_LEN 16 /* Seen: AD CS roots carry 128 bits */
#define CERT_MAX 16384
#define CA_KEY_USAGE 0x86 /* digitalSignature, keyCertSign, cRLSign */

static const struct key_kind {
	const char *text;
	unsigned rsa_bits; /* 0: EC */
	const char *curve;
} kinds[] = {
	[X509_CA_RSA2048] = { "RSA-2048", 2048, NULL },
	[X509_CA_RSA3072] = { "RSA-3072", 3072, NULL },
	[X509_CA_RSA4096] = { "RSA-4096", 4096, NULL },
	[X509_CA_P256] = { "P-256", 0, "P-256" },
	[X509_CA_P384] = { "P-384", 0, "P-384" },
};

int
x509_ca_key_from_text(enum x509_ca_key *out, const char *text, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (strcasecmp(kinds[i].text, text) == 0) {
			*out = (enum x509_ca_key)i;
			return 0;
		}
	}
	return ERR(
	    e, E_INVALIDARG, "CA key \"%.40s\" is none of RSA-2048, RSA-3072, RSA-4096, P-256, P-384", text);
}

EVP_PKEY *
x509_key_generate(OSSL_LIB_CTX *lib, unsigned rsa_bits, const char *curve, const struct rng *rng,
    const char *purpose, uint64_t id, struct err *e)
{
	AUTO(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new_from_name(lib, rsa_bits != 0 ? "RSA" : "EC", NULL);
	struct rng_stream stream;
	EVP_PKEY *key = NULL;
	bool ok = ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1;

	if (ok && rsa_bits != 0)
		ok = EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)rsa_bits) == 1;
	else if (ok)
		ok = EVP_PKEY_CTX_set_group_name(ctx, curve) == 1;
	if (ok && rng->seeded) {
		rng_stream_init(&stream, rng, purpose, id);
		x509_seeded_stream_set(&stream);
	}
	ok = ok && EVP_PKEY_generate(ctx, &key) == 1;
	if (rng->seeded) {
		x509_seeded_stream_set(NULL);
		explicit_bzero(&stream, sizeof(stream));
	}
	if (!ok)
		ERR(e, NTE_FAIL, "making a %s key: %s", rsa_bits != 0 ? "RSA" : curve, x509_openssl_reason());
	return key;
}

/* ---- the certificate ---- */

static int
put_subject(struct buf *out, const struct x509_ca_create *how, struct err *e)
{
	size_t len = strlen(how->common_name), seq = der_open(out, DER_SEQUENCE);

	if (len == 0 || len > COMMON_NAME_MAX)
		return ERR(e, E_INVALIDARG, "CA name of %zu octets, 1 to %d fit a common name", len,
		    COMMON_NAME_MAX);
	if (how->dn_suffix != NULL && x509_name_put_dn(out, how->dn_suffix, e) != 0)
		return err_prefix(e, "CA distinguished name suffix");
	x509_put_attribute(out, "2.5.4.3", how->common_name);
	der_close(out, seq);
	return buf_ok(out) ? 0 : ERR(e, E_INVALIDARG, "CA name is not UTF-8");
}

int
x509_put_spki(struct buf *out, EVP_PKEY *key, struct err *e)
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(key, &der);

	if (n <= 0)
		return ERR(e, NTE_FAIL, "encoding a public key: %s", x509_openssl_reason());
	buf_put(out, der, (size_t)n);
	OPENSSL_free(der);
	return 0;
}

#define CA_EXTENSIONS_MAX 10

struct ca_extensions {
	struct x509_extension x[CA_EXTENSIONS_MAX];
	size_t end[CA_EXTENSIONS_MAX]; /* of each value in `values` */
	size_t n;
	struct buf values; /* what they borrow */
};

/* What was written to `values` since the last one. */
static void
close_extension(struct ca_extensions *r, struct bytes oid, bool critical)
{
	r->x[r->n] = (struct x509_extension){ oid, critical, { NULL, 0 } };
	r->end[r->n++] = r->values.len;
}

static const struct bytes oid_key_usage = OID_BODY("\x55\x1d\x0f");
static const struct bytes oid_basic_constraints = OID_BODY("\x55\x1d\x13");
static const struct bytes oid_key_id = OID_BODY("\x55\x1d\x0e");
static const struct bytes oid_ca_version = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x01");
static const struct bytes oid_previous_hash = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x15\x02");
static const struct bytes oid_policies = OID_BODY("\x55\x1d\x20");
static const struct bytes oid_name_constraints = OID_BODY("\x55\x1d\x1e");
static const struct bytes oid_cdp = OID_BODY("\x55\x1d\x1f");
static const struct bytes oid_aia = OID_BODY("\x2b\x06\x01\x05\x05\x07\x01\x01");

/* Seen: AD CS roots have KU, BC (critical), SKI, CA version, in this order; KU is not critical. */
static void
put_own_extensions(struct ca_extensions *r, const struct x509_ca_create *how, const struct x509_key_info *key)
{
	const uint8_t usage = CA_KEY_USAGE;
	uint8_t hash[20];

	x509_ext_key_usage(&r->values, (struct bytes){ &usage, 1 });
	close_extension(r, oid_key_usage, false);
	x509_ext_basic_constraints(&r->values, true, how->has_path_len ? (int64_t)how->path_len : -1);
	close_extension(r, oid_basic_constraints, true);
	x509_key_id(key, hash);
	x509_ext_key_id(&r->values, (struct bytes){ hash, sizeof(hash) });
	close_extension(r, oid_key_id, false);
	der_put_int64(&r->values, how->version); /* MS-WCCE 2.2.2.7, 3.2.1.4.3.2.39 */
	close_extension(r, oid_ca_version, false);
	if (how->renews == NULL)
		return;
	x509_sha1(x509_ca_cert_der(how->renews), hash);
	der_put(&r->values, DER_OCTET_STRING, (struct bytes){ hash, sizeof(hash) });
	close_extension(r, oid_previous_hash, false);
}

/* What an administrator asks for, as in a CAPolicy.inf. */
static void
put_asked_extensions(struct ca_extensions *r, const struct x509_ca_create *how)
{
	static const struct x509_strings none;

	if (how->policies.n > 0) {
		x509_ext_certificate_policies(&r->values, how->policies, NULL);
		close_extension(r, oid_policies, false);
	}
	if (how->name_constraints.len > 0) {
		buf_put_bytes(&r->values, how->name_constraints);
		close_extension(r, oid_name_constraints, true); /* RFC 5280 4.2.1.10 */
	}
	if (how->cdp_urls.n > 0) {
		x509_ext_crl_distribution_points(&r->values, how->cdp_urls);
		close_extension(r, oid_cdp, false);
	}
	if (how->aia_urls.n > 0) {
		x509_ext_authority_info_access(&r->values, how->aia_urls, none);
		close_extension(r, oid_aia, false);
	}
}

static int
build_extensions(
    struct ca_extensions *r, const struct x509_ca_create *how, const struct x509_key_info *key, struct err *e)
{
	size_t from = 0;

	if (how->policies.n > X509_CA_POLICIES_MAX)
		return ERR(
		    e, E_INVALIDARG, "more than %d policies in a CA certificate", X509_CA_POLICIES_MAX);
	put_own_extensions(r, how, key);
	put_asked_extensions(r, how);
	if (!buf_ok(&r->values))
		return ERR(
		    e, E_INVALIDARG, "the CA certificate's extensions cannot be written, or are too long");
	for (size_t i = 0; i < r->n; i++) {
		r->x[i].value = (struct bytes){ r->values.p + from, r->end[i] - from };
		from = r->end[i];
	}
	return 0;
}

static void
make_serial(struct x509_cert_plan *plan, const struct x509_ca_create *how)
{
	struct rng_stream s;

	rng_stream_init(&s, how->rng, "ca serial", how->version & 0xffff);
	rng_bytes(&s, plan->serial, ROOT_SERIAL_LEN);
	plan->serial[0] = (uint8_t)((plan->serial[0] & 0x7f) | 0x10); /* positive, and always 16 octets */
	plan->serial_len = ROOT_SERIAL_LEN;
}

static int
self_sign(const struct x509_ca_create *how, const struct x509_signer *signer, struct buf *cert, struct err *e)
{
	struct ca_extensions ext = { .n = 0 };
	struct x509_cert_plan plan = { .not_before = how->not_before, .not_after = how->not_after };
	struct x509_key_info key;
	struct buf subject, spki;
	int ret = -1;

	buf_init(&subject, CERT_MAX);
	buf_init(&spki, CERT_MAX);
	buf_init(&ext.values, CERT_MAX);
	if (how->renews != NULL) /* octet for octet: what it has issued names it so */
		buf_put_bytes(&subject, x509_ca_subject(how->renews));
	else if (put_subject(&subject, how, e) != 0)
		goto out;
	if (x509_put_spki(&spki, signer->key, e) != 0 || x509_key_read(&key, buf_bytes(&spki), e) != 0 ||
	    build_extensions(&ext, how, &key, e) != 0)
		goto out;
	make_serial(&plan, how);
	plan.issuer = plan.subject = buf_bytes(&subject);
	plan.spki = buf_bytes(&spki);
	plan.extensions = ext.x;
	plan.n_extensions = ext.n;
	ret = x509_signer_issue(signer, &plan, "ca certificate", how->version & 0xffff, cert, e);
out:
	buf_fini(&ext.values);
	buf_fini(&spki);
	buf_fini(&subject);
	return ret;
}

/* ---- the files ---- */

static uint32_t
errno_to_hresult(int err)
{
	return err == EEXIST                                ? E_ALREADY_EXISTS
	    : err == ENOSPC                                 ? E_DISK_FULL
	    : err == ENOENT                                 ? E_FILE_NOT_FOUND
	    : err == EACCES || err == EPERM || err == EROFS ? E_ACCESSDENIED
							    : E_FAIL;
}

static bool
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return false;
		p += w;
		n -= (size_t)w;
	}
	return fsync(fd) == 0;
}

int
x509_write_new(const char *path, mode_t mode, BIO *pem, struct err *e)
{
	char *text;
	long n = BIO_get_mem_data(pem, &text);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode), err;

	if (fd < 0)
		return ERR(e, errno_to_hresult(errno), "%s: %s", strerror(errno), path);
	if (write_all(fd, text, (size_t)n)) {
		close(fd);
		return 0;
	}
	err = errno;
	close(fd);
	unlink(path);
	return ERR(e, errno_to_hresult(err), "%s: %s", strerror(err), path);
}

static int
write_key(EVP_PKEY *key, const char *path, struct err *e)
{
	AUTO(BIO) *pem = BIO_new(BIO_s_secmem()); /* wiped when freed */

	if (pem == NULL || PEM_write_bio_PKCS8PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) != 1)
		return ERR(e, NTE_FAIL, "encoding the CA's key: %s", x509_openssl_reason());
	return x509_write_new(path, 0600, pem, e) == 0 ? 0 : err_prefix(e, "CA key file");
}

static int
write_cert(struct bytes cert, const char *path, struct err *e)
{
	AUTO(BIO) *pem = BIO_new(BIO_s_mem());

	if (pem == NULL || PEM_write_bio(pem, PEM_STRING_X509, "", cert.p, (long)cert.len) <= 0)
		return ERR(e, NTE_FAIL, "encoding the CA's certificate: %s", x509_openssl_reason());
	return x509_write_new(path, 0644, pem, e) == 0 ? 0 : err_prefix(e, "CA certificate file");
}

/* ---- a signer, and what it makes ---- */

/* Key and algorithm of what is to be made; a new key, where one is asked for, is freed by the other function.
 */
static int
signer_init(struct x509_signer *signer, const struct x509_ca_create *how, bool new_key, struct err *e)
{
	const struct key_kind *kind = &kinds[how->key];
	enum x509_hash hash = how->renews != NULL ? x509_ca_signer(how->renews)->alg->hash : X509_HASH_SHA256;

	if (!new_key) {
		*signer = *x509_ca_signer(how->renews);
		return 0;
	}
	*signer = (struct x509_signer){ .rng = *how->rng };
	if (how->rng->seeded && x509_seeded_lib_get(&signer->lib, e) != 0)
		return -1;
	signer->alg = x509_signature_algorithm(kind->rsa_bits != 0 ? EVP_PKEY_RSA : EVP_PKEY_EC, hash);
	signer->key = x509_key_generate(
	    signer->lib.ctx, kind->rsa_bits, kind->curve, how->rng, "ca key", how->version & 0xffff, e);
	return signer->key != NULL ? 0 : -1;
}

static void
signer_fini(struct x509_signer *signer, bool new_key)
{
	if (new_key)
		EVP_PKEY_free(signer->key);
}

int
x509_ca_create(const struct x509_ca_create *how, const char *key_path, const char *cert_path, struct err *e)
{
	bool new_key = how->renews == NULL || key_path != NULL;
	struct x509_signer signer;
	struct buf cert;
	int ret = -1;

	buf_init(&cert, CERT_MAX);
	if (signer_init(&signer, how, new_key, e) == 0 && self_sign(how, &signer, &cert, e) == 0 &&
	    (!new_key || write_key(signer.key, key_path, e) == 0)) {
		ret = write_cert(buf_bytes(&cert), cert_path, e);
		if (ret != 0 && new_key)
			unlink(key_path);
	}
	signer_fini(&signer, new_key);
	buf_fini(&cert);
	return ret;
}

/* ---- a request to the CA above ---- */

static void
put_extension_request(struct buf *out, const struct ca_extensions *ext)
{
	size_t attributes = der_open(out, DER_CONTEXT_CONSTRUCTED(0)),
	       attribute = der_open(out, DER_SEQUENCE), set, list;

	der_put_oid(out, "1.2.840.113549.1.9.14");
	set = der_open(out, DER_SET);
	list = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < ext->n; i++) {
		size_t seq = der_open(out, DER_SEQUENCE);

		der_put(out, DER_OID, ext->x[i].oid);
		if (ext->x[i].critical)
			der_put_bool(out, true);
		der_put(out, DER_OCTET_STRING, ext->x[i].value);
		der_close(out, seq);
	}
	der_close(out, list);
	der_close(out, set);
	der_close(out, attribute);
	der_close(out, attributes);
}

/* RFC 2986 4. */
static int
put_request(
    struct buf *out, const struct x509_ca_create *how, const struct x509_signer *signer, struct err *e)
{
	static const struct bytes oid_template = OID_BODY("\x2b\x06\x01\x04\x01\x82\x37\x14\x02");
	struct ca_extensions ext = { .n = 0 };
	size_t outer = der_open(out, DER_SEQUENCE), info = out->len, seq = der_open(out, DER_SEQUENCE);
	struct x509_key_info key;
	struct buf spki;
	int ret = -1;

	buf_init(&spki, CERT_MAX);
	buf_init(&ext.values, CERT_MAX);
	if (x509_put_spki(&spki, signer->key, e) != 0 || x509_key_read(&key, buf_bytes(&spki), e) != 0)
		goto out;
	x509_ext_template_name(&ext.values, "SubCA");
	close_extension(&ext, oid_template, false);
	if (build_extensions(&ext, how, &key, e) != 0)
		goto out;
	der_put_int64(out, 0);
	buf_put_bytes(out, x509_ca_subject(how->renews));
	buf_put_bytes(out, buf_bytes(&spki));
	put_extension_request(out, &ext);
	der_close(out, seq);
	ret = x509_signer_sign(signer, out, outer, info, "ca request", how->version & 0xffff, e);
out:
	buf_fini(&ext.values);
	buf_fini(&spki);
	return ret;
}

int
x509_ca_create_request(const struct x509_ca_create *how, const char *key_path, struct buf *pem, struct err *e)
{
	AUTO(BIO) *text = BIO_new(BIO_s_mem());
	struct x509_signer signer;
	struct buf der;
	char *at;
	int ret = -1;

	buf_init(&der, CERT_MAX);
	if (text == NULL || signer_init(&signer, how, key_path != NULL, e) != 0)
		goto out;
	if (put_request(&der, how, &signer, e) == 0 &&
	    (key_path == NULL || write_key(signer.key, key_path, e) == 0))
		ret = PEM_write_bio(text, PEM_STRING_X509_REQ, "", der.p, (long)der.len) > 0
		    ? 0
		    : ERR(e, NTE_FAIL, "encoding the request: %s", x509_openssl_reason());
	signer_fini(&signer, key_path != NULL);
	if (ret == 0) {
		long n = BIO_get_mem_data(text, &at);

		buf_put(pem, at, (size_t)n);
	}
out:
	buf_fini(&der);
	return ret == 0 && buf_ok(pem) ? 0 : -1;
}
