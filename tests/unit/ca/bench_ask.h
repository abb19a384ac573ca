/* Asking the CA on the bench: requests made by OpenSSL, and administrative verbs. Header only, as bench.h. */
#ifndef ADCSD_TESTS_CA_BENCH_ASK_H
#define ADCSD_TESTS_CA_BENCH_ASK_H

#include "bench.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

struct answer {
	bool here;
	uint32_t hr, id, disposition;
	char message[512];
	uint8_t certificate[8192];
	size_t len, chain_len;
};

static void
on_answer(void *arg, const struct ca_request_result *r)
{
	struct answer *a = arg;

	assert_false(a->here);
	*a = (struct answer){ true, r->hr, r->request_id, r->disposition, "", { 0 }, r->certificate.len,
		r->chain.len };
	snprintf(a->message, sizeof(a->message), "%s", r->message);
	assert_true(r->certificate.len <= sizeof(a->certificate));
	if (r->certificate.len > 0)
		memcpy(a->certificate, r->certificate.p, r->certificate.len);
}

static struct ca_caller
caller(struct token *t)
{
	return (struct ca_caller){ .front = "ICertPassage",
		.peer = "127.0.0.1:1",
		.call = "c1.1",
		.token = t,
		.package = "NTLM",
		.privacy = true };
}

static struct answer
ask_as(struct bench *b, const struct ca_caller *who, const struct ca_request_args *args)
{
	struct answer a = { 0 };

	ca_request_start(b->ca, who, args, on_answer, &a);
	while (!a.here)
		turn(b);
	return a;
}

/* PKCS #10 by OpenSSL: P-256, CN=device. */
static struct bytes
csr(void)
{
	static uint8_t der[2048];
	static size_t len;
	EVP_PKEY *key;
	X509_REQ *req;
	uint8_t *p = der;

	if (len > 0)
		return (struct bytes){ der, len };
	key = EVP_EC_gen("P-256");
	req = X509_REQ_new();
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_ASC,
			     (const unsigned char *)"device", -1, -1, 0),
	    1);
	assert_int_equal(X509_REQ_set_pubkey(req, key), 1);
	assert_true(X509_REQ_sign(req, key, EVP_sha256()) > 0);
	len = (size_t)i2d_X509_REQ(req, &p);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
	return (struct bytes){ der, len };
}

__attribute__((unused)) static struct answer
enroll_as(struct bench *b, struct token *t, const char *attributes)
{
	struct ca_caller who = caller(t);

	return ask_as(b, &who, &(struct ca_request_args){ .authority = CA_NAME, .attributes = attributes, .request = csr() });
}

__attribute__((unused)) static struct answer
enroll(struct bench *b, const char *attributes)
{
	return enroll_as(b, b->user, attributes);
}

/* ---- administration ---- */

struct verb_answer {
	bool here;
	uint32_t hr;
	json_t *result;
};

static void
on_verb(void *arg, json_t *result, const struct err *e)
{
	struct verb_answer *v = arg;

	assert_false(v->here);
	*v = (struct verb_answer){ true, e != NULL ? e->hr : 0, result != NULL ? json_incref(result) : NULL };
}

/* args as JSON text. */
static struct verb_answer
verb(struct bench *b, struct token *t, const char *name, const char *args)
{
	struct ca_caller who = caller(t);
	struct verb_answer v = { 0 };
	json_t *o = json_loads(args, 0, NULL);

	who.front = "control";
	ca_admin_start(b->ca, &who, name, o, on_verb, &v);
	while (!v.here)
		turn(b);
	json_decref(o);
	return v;
}

static uint32_t
verb_hr(struct bench *b, struct token *t, const char *name, const char *args)
{
	struct verb_answer v = verb(b, t, name, args);

	json_decref(v.result);
	return v.hr;
}

/* Every name is the bench's user, but for "nobody": for ca_set_accounts(). */
__attribute__((unused)) static int
token_of(void *ctx, const char *name, ca_token_fn *cb, void *arg, struct err *e)
{
	struct bench *b = ctx;

	if (strcmp(name, "nobody") == 0)
		return ERR(e, E_DS_NO_SUCH_OBJECT, "there is no nobody");
	cb(arg, b->user, NULL);
	return 0;
}

#endif
