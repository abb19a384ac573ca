/* The list is one run-time setting: how many are used, then a certificate per line. Small, and kept whole. */
#include "ca/kra.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/audit.h"
#include "ca/ca_certs.h"

#define CERTIFICATE_MAX 16384
#define LIST_MAX (1u << 20)

static const char SETTING_KRA[] = "CA\\KRACertificates"; /* Ours: KRACertCount and the certificates */
static const char OID_KRA_USAGE[] = "1.3.6.1.4.1.311.21.6";

/* Immutable; a change makes a new one. */
struct ca_kra {
	struct pool *pool;
	struct x509_certificate v[CA_KRA_MAX];
	size_t n;
	uint32_t used;
	size_t turn; /* whose turn it is; Ours: the first one's after a start */
};

/* ---- reading ---- */

static struct ca_kra *
list_new(struct err *e)
{
	struct ca_kra *k = calloc(1, sizeof(*k));

	if (k == NULL || (k->pool = pool_new(4 * LIST_MAX)) == NULL) {
		free(k);
		ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
		return NULL;
	}
	return k;
}

void
ca_kra_free(struct ca_kra *k)
{
	if (k == NULL)
		return;
	pool_free(k->pool);
	free(k);
}

static int
list_add(struct ca_kra *k, struct bytes der, struct err *e)
{
	struct bytes copy;

	if (der.len > CERTIFICATE_MAX || k->n == CA_KRA_MAX)
		return ERR(e, E_INVALIDARG, "at most %d recovery agents with certificates of %d octets",
		    CA_KRA_MAX, CERTIFICATE_MAX);
	if (pool_dup_bytes(k->pool, der, &copy) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	if (x509_certificate_read(&k->v[k->n], k->pool, copy, e) != 0)
		return -1;
	k->n++;
	return 0;
}

static int
list_parse(struct ca_kra *k, const char *text, struct err *e)
{
	char *end;
	int rc = 0;

	k->used = (uint32_t)strtoul(text, &end, 10);
	for (const char *at = end; rc == 0 && *at == '\n'; at = end) {
		struct buf der;

		end = (char *)(uintptr_t)at + 1 + strcspn(at + 1, "\n");
		buf_init(&der, CERTIFICATE_MAX);
		rc = text_parse_base64(
		    &der, (struct bytes){ (const uint8_t *)at + 1, (size_t)(end - at - 1) }, e);
		if (rc == 0)
			rc = list_add(k, buf_bytes(&der), e);
		buf_fini(&der);
	}
	return rc;
}

int
ca_kra_open(struct ca *ca, struct err *e)
{
	const char *text;

	ca->kra = list_new(e);
	if (ca->kra == NULL || store_get_setting(ca->store, SETTING_KRA, ca->kra->pool, &text, e) != 0)
		return -1;
	return text == NULL ? 0 : list_parse(ca->kra, text, e);
}

/* ---- states ---- */

/* KRACERTSTATE, wcce.md section 2. */
static int
look_at(struct ca *ca, const struct x509_certificate *c, struct err *e)
{
	static const struct x509_cms nothing_between;
	filetime_t now = clock_now(ca->clock);
	bool agent = false;
	int32_t reason, disposition;
	struct err ignored;
	struct buf serial;

	for (size_t i = 0; i < c->usages.n; i++)
		agent |= strcmp(c->usages.v[i], OID_KRA_USAGE) == 0;
	if (!agent || c->key.type != X509_KEY_RSA) {
		ERR(e, CERTSRV_E_NO_VALID_KRA, "%s",
		    !agent ? "it is not for key recovery (EKU 1.3.6.1.4.1.311.21.6)"
			   : "its key is no RSA key");
		return CA_KRA_INVALID;
	}
	if (now < c->not_before || now > c->not_after) {
		ERR(e, CERT_E_EXPIRED, "it has expired, or is not valid yet");
		return CA_KRA_EXPIRED;
	}
	if (x509_ca_check_signer(ca->x509, &nothing_between, c, now, e) != 0)
		return CA_KRA_UNTRUSTED;
	buf_init(&serial, 2 * X509_SERIAL_MAX + 2);
	text_put_hex(&serial, c->serial);
	disposition = 0;
	if (bytes_equal(c->issuer, x509_ca_subject(ca->x509)) &&
	    ca_certificate_is_valid(ca, buf_cstr(&serial), &reason, &disposition, &ignored) != 0)
		disposition = 0;
	buf_fini(&serial);
	if (disposition == CA_DISP_REVOKED) {
		ERR(e, CRYPT_E_REVOKED, "it is revoked");
		return CA_KRA_REVOKED;
	}
	return CA_KRA_VALID;
}

size_t
ca_kra_count(const struct ca *ca)
{
	return ca->kra->n;
}

uint32_t
ca_kra_used_count(const struct ca *ca)
{
	return ca->kra->used;
}

int
ca_kra_get(const struct ca *ca, size_t index, struct bytes *der, struct err *e)
{
	if (index >= ca->kra->n)
		return ERR(e, E_FILE_NOT_FOUND, "there are %zu recovery agents", ca->kra->n);
	*der = ca->kra->v[index].raw;
	return 0;
}

int
ca_kra_state(struct ca *ca, size_t index, struct err *e)
{
	if (index < ca->kra->n)
		return look_at(ca, &ca->kra->v[index], e);
	ERR(e, E_FILE_NOT_FOUND, "there are %zu recovery agents", ca->kra->n);
	return CA_KRA_NOT_FOUND;
}

/* ---- whose turn ---- */

/* A copy that outlives a change of the list. */
static int
take(struct pool *pool, const struct x509_certificate *c, struct ca_kra_choice *out, struct buf *hashes,
    struct err *e)
{
	struct x509_certificate *copy = POOL_NEW(pool, struct x509_certificate);
	struct bytes raw;
	uint8_t sha1[20];
	const char *hex;

	if (copy == NULL || pool_dup_bytes(pool, c->raw, &raw) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	if (x509_certificate_read(copy, pool, raw, e) != 0)
		return -1;
	x509_sha1(raw, sha1);
	hex = ca_spaced_hex(pool, sha1, sizeof(sha1));
	if (hex == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	buf_printf(hashes, "%s%s", out->n > 0 ? "\n" : "", hex);
	out->to[out->n++] = copy;
	return 0;
}

int
ca_kra_choose(struct ca *ca, bool taking, struct pool *pool, struct ca_kra_choice *out, struct err *e)
{
	struct ca_kra *k = ca->kra;
	size_t next = k->turn;
	struct err why = { 0 };
	struct buf hashes;
	int rc = 0;

	*out = (struct ca_kra_choice){ .n = 0 };
	if (k->n == 0 || k->used == 0)
		return ERR(e, CERTSRV_E_KEY_ARCHIVAL_NOT_CONFIGURED,
		    "the request brings a private key, and this CA archives none: %zu recovery agents, %u to "
		    "be "
		    "used",
		    k->n, k->used);
	buf_init(&hashes, 64 * CA_KRA_MAX);
	for (size_t i = 0; rc == 0 && i < k->n && out->n < k->used; i++) {
		size_t at = (k->turn + i) % k->n;

		if (look_at(ca, &k->v[at], &why) != CA_KRA_VALID)
			continue;
		rc = take(pool, &k->v[at], out, &hashes, e);
		next = (at + 1) % k->n;
	}
	if (rc == 0 && out->n < k->used)
		rc = ERR(e, CERTSRV_E_NO_VALID_KRA,
		    "%zu of %zu recovery agents are valid, %u are to be used; one of them: %s", out->n, k->n,
		    k->used, why.msg);
	if (rc == 0 && (out->hashes = pool_strdup(pool, buf_cstr(&hashes))) == NULL)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	if (rc == 0 && taking)
		k->turn = next;
	buf_fini(&hashes);
	return rc;
}

/* ---- changing ---- */

/* In force at once, so that the next change builds on it; taken back when it cannot be stored. */
struct change {
	struct ca *ca;
	struct ca_kra *before, *list;
	struct buf text;
	ca_done_fn *cb;
	void *arg;
};

static void
change_free(struct change *c)
{
	struct ca *ca = c->ca;

	ca_kra_free(c->before);
	buf_fini(&c->text);
	free(c);
	ca_unref(ca);
}

static void
on_stored(void *arg, const struct err *e)
{
	struct change *c = arg;

	c->ca->busy--;
	if (e != NULL && c->ca->kra == c->list) {
		c->ca->kra = c->before;
		c->before = c->list;
	}
	c->cb(c->arg, e);
	change_free(c);
}

/* Takes the list. */
static int
change_start(struct ca *ca, struct ca_kra *list, ca_done_fn *cb, void *arg, struct err *e)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		ca_kra_free(list);
		return ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	}
	*c = (struct change){ .ca = ca, .before = list, .list = list, .cb = cb, .arg = arg };
	ca_ref(ca);
	buf_init(&c->text, LIST_MAX);
	buf_printf(&c->text, "%u", list->used);
	for (size_t i = 0; i < list->n; i++) {
		buf_put_str(&c->text, "\n");
		text_put_base64(&c->text, list->v[i].raw, 0);
	}
	if (!buf_ok(&c->text))
		ERR(e, E_OUTOFMEMORY, "no memory for recovery agents");
	else if (store_put_setting(ca->store, SETTING_KRA, buf_cstr(&c->text), on_stored, c, e) == 0) {
		ca->busy++;
		c->before = ca->kra;
		ca->kra = list;
		return 0;
	}
	change_free(c);
	return -1;
}

/* The list with one certificate put in place of another, added at the end (at == n), or taken out (der
 * empty). */
static int
change_list(
    struct ca *ca, size_t at, struct bytes der, uint32_t used, ca_done_fn *cb, void *arg, struct err *e)
{
	const struct ca_kra *old = ca->kra;
	struct ca_kra *k = list_new(e);
	int rc = k != NULL ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < old->n; i++) {
		if (i != at)
			rc = list_add(k, old->v[i].raw, e);
		else if (der.len > 0)
			rc = list_add(k, der, e);
	}
	if (rc == 0 && at == old->n && der.len > 0)
		rc = list_add(k, der, e);
	if (rc != 0) {
		ca_kra_free(k);
		return -1;
	}
	k->used = used < k->n ? used : (uint32_t)k->n;
	return change_start(ca, k, cb, arg, e);
}

/* What SetCAProperty would have been told, in force and on its way to the database. */
enum { PROP_KRACERTUSEDCOUNT = 24, PROP_KRACERTCOUNT = 25, PROP_KRACERT = 26 };
enum { PROPTYPE_LONG = 1, PROPTYPE_BINARY = 3 };

static void
audit_count(struct ca *ca, const struct ca_caller *who, uint32_t property, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", n);
	ca_audit_property(ca, who, property, 0, PROPTYPE_LONG, text);
}

static void
audit_certificate(struct ca *ca, const struct ca_caller *who, size_t index, struct bytes der)
{
	struct buf text;

	buf_init(&text, 2 * CERTIFICATE_MAX);
	text_put_base64(&text, der, 0);
	ca_audit_property(ca, who, PROP_KRACERT, (uint32_t)index, PROPTYPE_BINARY, buf_cstr(&text));
	buf_fini(&text);
}

static int
may_change(const struct ca *ca, const struct ca_caller *who, struct err *e)
{
	const struct ca_who w = { .token = who->token, .local_admin = who->local_admin };

	return ca_access_check(ca, &w, CA_ACCESS_ADMIN, e);
}

int
ca_kra_set(struct ca *ca, const struct ca_caller *who, size_t index, struct bytes der, ca_done_fn *cb,
    void *arg, struct err *e)
{
	if (may_change(ca, who, e) != 0)
		return -1;
	if (index > ca->kra->n || der.len == 0)
		return ERR(e, E_INVALIDARG, "there are %zu recovery agents", ca->kra->n);
	if (change_list(ca, index, der, ca->kra->used, cb, arg, e) != 0)
		return -1;
	audit_certificate(ca, who, index, der);
	return 0;
}

int
ca_kra_remove(
    struct ca *ca, const struct ca_caller *who, size_t index, ca_done_fn *cb, void *arg, struct err *e)
{
	if (may_change(ca, who, e) != 0)
		return -1;
	if (index >= ca->kra->n)
		return ERR(e, E_FILE_NOT_FOUND, "there are %zu recovery agents", ca->kra->n);
	if (change_list(ca, index, (struct bytes){ NULL, 0 }, ca->kra->used, cb, arg, e) != 0)
		return -1;
	audit_count(ca, who, PROP_KRACERTCOUNT, ca->kra->n);
	return 0;
}

int
ca_kra_set_count(
    struct ca *ca, const struct ca_caller *who, size_t n, ca_done_fn *cb, void *arg, struct err *e)
{
	struct ca_kra *k;
	int rc = 0;

	if (may_change(ca, who, e) != 0)
		return -1;
	if (n >= ca->kra->n)
		return ERR(e, E_INVALIDARG, "there are %zu recovery agents, a count only takes some away",
		    ca->kra->n);
	k = list_new(e);
	if (k == NULL)
		return -1;
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = list_add(k, ca->kra->v[i].raw, e);
	if (rc != 0) {
		ca_kra_free(k);
		return -1;
	}
	k->used = ca->kra->used < n ? ca->kra->used : (uint32_t)n;
	if (change_start(ca, k, cb, arg, e) != 0)
		return -1;
	audit_count(ca, who, PROP_KRACERTCOUNT, n);
	return 0;
}

int
ca_kra_set_used_count(
    struct ca *ca, const struct ca_caller *who, uint32_t n, ca_done_fn *cb, void *arg, struct err *e)
{
	if (may_change(ca, who, e) != 0)
		return -1;
	if (n > ca->kra->n)
		return ERR(
		    e, E_INVALIDARG, "there are %zu recovery agents, %u cannot be used", ca->kra->n, n);
	if (change_list(ca, SIZE_MAX, (struct bytes){ NULL, 0 }, n, cb, arg, e) != 0)
		return -1;
	audit_count(ca, who, PROP_KRACERTUSEDCOUNT, n);
	return 0;
}
