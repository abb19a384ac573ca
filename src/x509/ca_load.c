/* A CA's key, certificate and chain, read from files and checked against each other. */
#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "x509/crl.h"
#include "x509/x509_priv.h"

#define MAX_CHAIN 16
#define MIN_RSA_BITS 1024
#define KEY_TEXT_MAX 16

struct x509_ca {
	struct x509_signer signer;
	struct bytes chain[MAX_CHAIN]; /* DER, OpenSSL's memory */
	size_t n_chain;
	struct buf subject, issuer, serial, key_id, spki; /* serial: content of the INTEGER */
	filetime_t not_before, not_after;
	filetime_t chain_begin, chain_end; /* when all of the chain is valid */
	char key_text[KEY_TEXT_MAX];
};

/* ---- files ---- */

static BIO *
open_file(const char *path, struct err *e)
{
	BIO *in = BIO_new_file(path, "r");
	int err = errno;

	if (in == NULL) {
		(void)x509_openssl_reason();
		ERR(e,
		    err == ENOENT       ? E_FILE_NOT_FOUND
			: err == EACCES ? E_ACCESSDENIED
					: E_FAIL,
		    "%s: %s", strerror(err), path);
	}
	return in;
}

/* OpenSSL would ask on the terminal. */
static int
refuse_password(char *buf, int size, int writing, void *asked)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

static int
load_key(struct x509_ca *ca, const char *path, struct err *e)
{
	AUTO(BIO) *in = open_file(path, e);
	bool asked = false;
	struct stat st;

	if (in == NULL)
		return err_prefix(e, "CA key file");
	if (stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		log_warn(ca, "CA key file %s can be read by others (mode %04o)", path,
		    (unsigned)st.st_mode & 07777);
	ca->signer.key =
	    PEM_read_bio_PrivateKey_ex(in, NULL, refuse_password, &asked, ca->signer.lib.ctx, NULL);
	if (ca->signer.key != NULL)
		return 0;
	if (asked) {
		(void)x509_openssl_reason();
		return ERR(
		    e, E_INVALID_DATA, "CA key file is encrypted, store it without a password: %s", path);
	}
	return ERR(
	    e, E_INVALID_DATA, "CA key file holds no PEM private key (%s): %s", x509_openssl_reason(), path);
}

/* Reads the next certificate: 1, 0 at the end of the file, -1. */
static int
next_cert(BIO *in, OSSL_LIB_CTX *lib, X509 **out, struct err *e)
{
	AUTO(X509) *cert = X509_new_ex(lib, NULL);
	unsigned long why;

	if (cert != NULL && PEM_read_bio_X509(in, &cert, NULL, NULL) != NULL) {
		*out = STEAL(cert);
		return 1;
	}
	why = ERR_peek_last_error();
	if (ERR_GET_LIB(why) == ERR_LIB_PEM && ERR_GET_REASON(why) == PEM_R_NO_START_LINE) {
		ERR_clear_error();
		return 0;
	}
	return ERR(e, E_INVALID_DATA, "malformed certificate: %s", x509_openssl_reason());
}

/* ---- what the chain must be ---- */

static int
check_own_cert(struct x509_ca *ca, X509 *cert, struct err *e)
{
	if (X509_check_private_key(cert, ca->signer.key) != 1) {
		(void)x509_openssl_reason();
		return ERR(e, E_INVALID_DATA, "the key file's key is not the certificate's");
	}
	if ((X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) == 0)
		return ERR(e, E_INVALID_DATA, "its keyUsage does not allow signing certificates");
	if (X509_check_ca(cert) != 1)
		return ERR(e, E_INVALID_DATA, "no CA certificate (basicConstraints cA TRUE is missing)");
	return 0;
}

static int
check_link(X509 *cert, X509 *issuer, struct err *e)
{
	int why = X509_check_issued(issuer, cert);

	if (why != X509_V_OK)
		return ERR(
		    e, E_INVALID_DATA, "not issued by the next one (%s)", X509_verify_cert_error_string(why));
	if (X509_check_ca(issuer) < 1)
		return ERR(e, E_INVALID_DATA, "the next one is no CA certificate");
	if (X509_verify(cert, X509_get0_pubkey(issuer)) != 1) {
		(void)x509_openssl_reason();
		return ERR(e, E_INVALID_DATA, "not signed by the next one's key");
	}
	return 0;
}

static int
check_chain(struct x509_ca *ca, X509 *certs[], size_t n, struct err *e)
{
	if (n == 0)
		return ERR(e, E_INVALID_DATA, "no PEM certificate in it");
	if (check_own_cert(ca, certs[0], e) != 0)
		return err_prefix(e, "certificate 1");
	for (size_t i = 0; i + 1 < n; i++) {
		if (check_link(certs[i], certs[i + 1], e) != 0)
			return err_prefix(e, "certificate %zu", i + 1);
	}
	if (X509_self_signed(certs[n - 1], 1) != 1) {
		(void)x509_openssl_reason();
		return ERR(
		    e, E_INVALID_DATA, "the chain ends at certificate %zu, which is no self-signed root", n);
	}
	return 0;
}

/* ---- what is kept ---- */

static int
keep_chain(struct x509_ca *ca, X509 *certs[], size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char *der = NULL;
		int len = i2d_X509(certs[i], &der);

		if (len <= 0)
			return ERR(e, E_OUTOFMEMORY, "keeping the CA's chain: %s", x509_openssl_reason());
		ca->chain[i] = (struct bytes){ der, (size_t)len };
		ca->n_chain = i + 1;
	}
	return 0;
}

static filetime_t
to_filetime(const ASN1_TIME *t)
{
	struct tm tm = { 0 };
	struct civil c;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	c = (struct civil){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec };
	return filetime_from_civil(&c);
}

static void
keep_chain_times(struct x509_ca *ca, X509 *certs[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		filetime_t begin = to_filetime(X509_get0_notBefore(certs[i]));
		filetime_t end = to_filetime(X509_get0_notAfter(certs[i]));

		if (i == 0 || begin > ca->chain_begin)
			ca->chain_begin = begin;
		if (i == 0 || end < ca->chain_end)
			ca->chain_end = end;
	}
}

/* What an authority key identifier below this CA can say of its certificate. */
static int
keep_issuer(struct x509_ca *ca, X509 *cert, struct err *e)
{
	unsigned char *name = NULL, *serial = NULL;
	int name_len = i2d_X509_NAME(X509_get_issuer_name(cert), &name);
	int serial_len = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &serial);
	struct der_item number;
	int ret = -1;

	if (name_len > 0 && serial_len > 0) {
		struct der d = der_over((struct bytes){ serial, (size_t)serial_len });

		if (der_expect(&d, DER_INTEGER, &number, "serial number", e) != 0)
			goto out;
		buf_put(&ca->issuer, name, (size_t)name_len);
		buf_put_bytes(&ca->serial, number.body);
		ret = 0;
	}
	if (ret != 0 || !buf_ok(&ca->issuer) || !buf_ok(&ca->serial))
		ret = ERR(e, E_OUTOFMEMORY, "keeping the name of the CA's issuer");
out:
	OPENSSL_free(name);
	OPENSSL_free(serial);
	return ret;
}

static int
keep_facts(struct x509_ca *ca, X509 *cert, struct err *e)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
	unsigned char *name = NULL, *spki = NULL;
	int name_len = i2d_X509_NAME(X509_get_subject_name(cert), &name);
	int spki_len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki);
	struct x509_key_info key = { 0 };
	uint8_t made_id[20];
	int ret = -1;

	if (name_len <= 0 || spki_len <= 0) {
		ERR(e, E_OUTOFMEMORY, "keeping the CA's name and key: %s", x509_openssl_reason());
		goto out;
	}
	if (x509_key_read(&key, (struct bytes){ spki, (size_t)spki_len }, e) != 0)
		goto out;
	if (key.type == X509_KEY_OTHER || (key.type == X509_KEY_RSA && key.bits < MIN_RSA_BITS)) {
		ERR(e, E_INVALID_DATA, "a CA key is RSA of %d bits or more, P-256, P-384 or P-521",
		    MIN_RSA_BITS);
		goto out;
	}
	if (key.type == X509_KEY_RSA)
		snprintf(ca->key_text, sizeof(ca->key_text), "RSA-%u", key.bits);
	else
		snprintf(ca->key_text, sizeof(ca->key_text), "%s", key.curve);
	buf_put(&ca->subject, name, (size_t)name_len);
	buf_put(&ca->spki, spki, (size_t)spki_len);
	x509_key_id(&key, made_id);
	if (ski != NULL)
		buf_put(&ca->key_id, ASN1_STRING_get0_data(ski), (size_t)ASN1_STRING_length(ski));
	else
		buf_put(&ca->key_id, made_id, sizeof(made_id));
	ca->not_before = to_filetime(X509_get0_notBefore(cert));
	ca->not_after = to_filetime(X509_get0_notAfter(cert));
	ret = buf_ok(&ca->subject) && buf_ok(&ca->key_id) && buf_ok(&ca->spki)
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "keeping the CA's name");
out:
	OPENSSL_free(name);
	OPENSSL_free(spki);
	return ret;
}

static int
load_chain(struct x509_ca *ca, const char *path, struct err *e)
{
	AUTO(BIO) *in = open_file(path, e);
	X509 *certs[MAX_CHAIN] = { NULL };
	size_t n = 0;
	int got = 1, ret = -1;

	if (in == NULL)
		return err_prefix(e, "CA certificate file");
	while (n < MAX_CHAIN && (got = next_cert(in, ca->signer.lib.ctx, &certs[n], e)) == 1)
		n++;
	if (got < 0)
		err_prefix(e, "certificate %zu", n + 1);
	else if (got == 1)
		ERR(e, E_INVALID_DATA, "more than %d certificates", MAX_CHAIN);
	else if (check_chain(ca, certs, n, e) == 0 && keep_chain(ca, certs, n, e) == 0 &&
	    keep_facts(ca, certs[0], e) == 0 && keep_issuer(ca, certs[0], e) == 0) {
		keep_chain_times(ca, certs, n);
		ca->signer.constrained = x509_chain_constrains(certs, n);
		ret = 0;
	}
	if (ret != 0)
		err_prefix(e, "CA certificate file %s", path);
	for (size_t i = 0; i < n; i++)
		X509_free(certs[i]);
	return ret;
}

/* ---- the CA ---- */

struct x509_ca *
x509_ca_load(
    const char *key_path, const char *cert_path, const char *hash, const struct rng *rng, struct err *e)
{
	struct x509_ca *ca = calloc(1, sizeof(*ca));
	enum x509_hash h;

	if (ca == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a CA");
		return NULL;
	}
	ca->signer.rng = *rng;
	buf_init(&ca->subject, 65536);
	buf_init(&ca->issuer, 65536);
	buf_init(&ca->serial, 1024);
	buf_init(&ca->key_id, 1024);
	buf_init(&ca->spki, 65536);
	if (x509_hash_from_name(&h, hash, e) != 0)
		goto fail;
	if (rng->seeded && x509_seeded_lib_get(&ca->signer.lib, e) != 0)
		goto fail;
	if (load_key(ca, key_path, e) != 0 || load_chain(ca, cert_path, e) != 0)
		goto fail;
	ca->signer.alg = x509_signature_algorithm(EVP_PKEY_get_base_id(ca->signer.key), h);
	if (ca->signer.alg == NULL) {
		ERR(e, E_INVALID_DATA, "no %s signature with a %s key", hash, ca->key_text);
		goto fail;
	}
	return ca;
fail:
	x509_ca_free(ca);
	return NULL;
}

void
x509_ca_free(struct x509_ca *ca)
{
	if (ca == NULL)
		return;
	EVP_PKEY_free(ca->signer.key); /* wipes */
	for (size_t i = 0; i < ca->n_chain; i++)
		OPENSSL_free((void *)(uintptr_t)ca->chain[i].p);
	buf_fini(&ca->subject);
	buf_fini(&ca->issuer);
	buf_fini(&ca->serial);
	buf_fini(&ca->key_id);
	buf_fini(&ca->spki);
	free(ca);
}

int
x509_ca_issue(struct x509_ca *ca, const struct x509_cert_plan *plan, uint64_t request_id, struct buf *out,
    struct err *e)
{
	if (!bytes_equal(plan->issuer, buf_bytes(&ca->subject)))
		return ERR(e, E_UNEXPECTED, "the plan's issuer is not this CA");
	return x509_signer_issue(&ca->signer, plan, "sign", request_id, out, e);
}

const struct x509_signer *
x509_ca_signer(const struct x509_ca *ca)
{
	return &ca->signer;
}

int
x509_ca_crl(struct x509_ca *ca, const struct x509_crl_plan *plan, struct buf *out, struct err *e)
{
	size_t start = out->len, outer = der_open(out, DER_SEQUENCE), tbs = out->len;
	const char *purpose =
	    plan->min_base != 0 ? "sign delta crl" : "sign base crl"; /* they share their number */
	uint64_t id = (uint64_t)plan->partition << 48 | (uint64_t)(plan->ca_version >> 16) << 32 |
	    plan->number; /* and so do those of all keys and partitions */

	if (x509_crl_tbs_put(
		out, plan, ca->signer.alg->der, buf_bytes(&ca->subject), buf_bytes(&ca->key_id), e) == 0 &&
	    x509_signer_sign(&ca->signer, out, outer, tbs, purpose, id, e) == 0)
		return 0;
	out->len = start;
	return -1;
}

struct bytes
x509_ca_cert_der(const struct x509_ca *ca)
{
	return ca->chain[0];
}

size_t
x509_ca_chain_len(const struct x509_ca *ca)
{
	return ca->n_chain;
}

struct bytes
x509_ca_chain_der(const struct x509_ca *ca, size_t i)
{
	return i < ca->n_chain ? ca->chain[i] : (struct bytes){ NULL, 0 };
}

struct bytes
x509_ca_subject(const struct x509_ca *ca)
{
	return buf_bytes(&ca->subject);
}

struct bytes
x509_ca_issuer(const struct x509_ca *ca)
{
	return buf_bytes(&ca->issuer);
}

struct bytes
x509_ca_serial(const struct x509_ca *ca)
{
	return buf_bytes(&ca->serial);
}

struct bytes
x509_ca_key_id(const struct x509_ca *ca)
{
	return buf_bytes(&ca->key_id);
}

struct bytes
x509_ca_spki(const struct x509_ca *ca)
{
	return buf_bytes(&ca->spki);
}

int
x509_ca_key_like(const struct x509_ca *ca, uint32_t bits, enum x509_ca_key *out, struct err *e)
{
	char text[2 * KEY_TEXT_MAX];

	if (bits == 0)
		return x509_ca_key_from_text(out, ca->key_text, e);
	snprintf(text, sizeof(text), "%.*s%u", (int)strcspn(ca->key_text, "-") + 1, ca->key_text, bits);
	return x509_ca_key_from_text(out, text, e);
}

filetime_t
x509_ca_not_after(const struct x509_ca *ca)
{
	return ca->not_after;
}

filetime_t
x509_ca_not_before(const struct x509_ca *ca)
{
	return ca->not_before;
}

bool
x509_ca_chain_is_current(const struct x509_ca *ca, filetime_t t)
{
	return t >= ca->chain_begin && t <= ca->chain_end;
}

bool
x509_ca_is_root(const struct x509_ca *ca)
{
	return ca->n_chain == 1; /* the chain was seen to end in a self-signed certificate */
}

const char *
x509_ca_key_text(const struct x509_ca *ca)
{
	return ca->key_text;
}

bool
x509_ca_signed(const struct x509_ca *ca, struct bytes certificate)
{
	const unsigned char *p = certificate.p;
	X509 *cert = certificate.len <= LONG_MAX ? d2i_X509(NULL, &p, (long)certificate.len) : NULL;
	bool is = cert != NULL && X509_verify(cert, ca->signer.key) == 1;

	if (!is)
		(void)x509_openssl_reason();
	X509_free(cert);
	return is;
}
