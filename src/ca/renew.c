#include "ca/renew.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"
#include "ca/crl.h"
#include "ca/exchange.h"
#include "ca/signing_certs.h"

#define RENEWAL_POOL_MAX (4u << 20)
#define CRLF_DISABLE_ROOT_CROSS_CERTS 0x1000u

enum { OWN, FORWARD, BACKWARD, N_REQUESTS };

struct ca_renewal {
	struct ca *ca;
	struct pool *pool;
	struct x509_ca_create how;
	struct ca_cert next;     /* as it will be; copied when it counts */
	struct ca_cert previous; /* a copy, with URLs of its own: the settings may change meanwhile */
	const char *key_path, *cert_path;        /* key_path NULL: the key stays */
	const char *hash;                        /* CNGHashAlgorithm */
	bool cross, below;                       /* below another CA */
	struct bytes given;                      /* what that one issued; PEM */
	const char *request;                     /* for it */
	struct ca_request *requests[N_REQUESTS]; /* nobody sent them: they make rows */
	struct store_row rows[N_REQUESTS];
	size_t n_rows;
	const char *hashes; /* CACertHash as it will be */
	struct err e;
	ca_renew_fn *cb;
	void *arg;
};

/* ---- the end ---- */

static void
finish(struct ca_renewal *v, const struct err *e, const struct err *published)
{
	struct ca *ca = v->ca;

	ca->renewal = NULL;
	if (e != NULL)
		log_error(ca, "the CA certificate is not renewed: %s", e->msg);
	else if (v->request != NULL)
		log_info(ca, "request for CA certificate %u made", v->next.index);
	else if (published != NULL)
		log_warn(ca, "the renewed CA certificate is not published everywhere: %s", published->msg);
	v->cb(v->arg, e, published, e == NULL ? v->request : NULL);
	for (size_t i = 0; i < N_REQUESTS; i++)
		ca_own_request_free(v->requests[i]);
	x509_ca_free(v->next.x509);
	pool_free(v->pool);
	free(v);
	ca_unref(ca);
}

/* ---- it counts: now everybody is told ---- */

static void
on_crls(void *arg, const struct err *e)
{
	struct ca_renewal *v = arg;

	if (e != NULL && v->e.hr == 0)
		v->e = *e;
	finish(v, NULL, v->e.hr != 0 ? &v->e : NULL);
}

static void
on_objects(void *arg, const struct err *e)
{
	struct ca_renewal *v = arg;
	struct err why = { 0 };

	if (e != NULL)
		v->e = *e;
	if (v->ca->closing) {
		finish(v, NULL, e);
		return;
	}
	if (ca_crl_publish(v->ca, CA_CRL_BASE | CA_CRL_CERTIFICATES, 0, NULL, on_crls, v, &why) != 0)
		on_crls(v, &why);
}

/* From here on the new certificate signs. */
static int
take_over(struct ca_renewal *v, struct err *e)
{
	struct ca *ca = v->ca;
	struct x509_ca *x509 = v->next.x509;
	struct ca_cert *old = ca_cert_newest(ca), *new;

	v->next.x509 = NULL;
	if (ca_certs_append(ca, x509, v->next.key_index, e) != 0)
		return -1;
	new = ca_cert_newest(ca);
	if (v->cross &&
	    (pool_dup_bytes(ca->pool, v->requests[FORWARD]->certificate, &old->forward) != 0 ||
		pool_dup_bytes(ca->pool, v->requests[BACKWARD]->certificate, &new->backward) != 0))
		return ERR(e, E_OUTOFMEMORY, "no memory for cross certificates");
	return ca_policy_set(ca, e);
}

static void
on_stored(void *arg, const struct err *e)
{
	struct ca_renewal *v = arg;
	struct ca *ca = v->ca;

	ca->busy--;
	if (e != NULL) {
		finish(v, e, NULL);
		return;
	}
	log_info(ca, "CA certificate %u, key %u is in force", v->next.index, v->next.key_index);
	if (ca->closing || take_over(v, &v->e) != 0) {
		if (v->e.hr == 0)
			ERR(&v->e, E_CANCELLED, "the server ends");
		finish(v, NULL, &v->e);
		return;
	}
	if (ca_publish_start(ca, on_objects, v, &v->e) != 0)
		on_objects(v, &v->e);
}

/* ---- making: on a worker ---- */

/* What a renewal that was cut short left never counted; it is kept all the same. */
static int
put_aside(struct pool *pool, const char *path, struct err *e)
{
	const char *aside = path != NULL ? pool_printf(pool, "%s.unused", path) : NULL;

	if (aside == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (rename(path, aside) != 0 && errno != ENOENT)
		return ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	return 0;
}

static int
clear_the_way(struct ca_renewal *v, struct err *e)
{
	unsigned n = v->next.index;
	const char *const paths[] = { ca_cert_path(v->ca, v->pool, n, ".key"), v->cert_path,
		ca_cross_path(v->ca, v->pool, n - 1, n), ca_cross_path(v->ca, v->pool, n, n - 1) };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		if (paths[i] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for paths");
		if (put_aside(v->pool, paths[i], e) != 0)
			return -1;
	}
	return 0;
}

/* Names in the folder must not be younger than what they stand for. */
static int
sync_folder(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = fd >= 0 ? fsync(fd) : -1;
	if (rc != 0)
		ERR(e, E_FAIL, "%.100s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

static int
cross_one(struct ca_renewal *v, struct ca_request *r, const struct ca_cert *from, const struct ca_cert *to,
    struct err *e)
{
	char name[64];

	r->issuer = from;
	if (ca_cross_certify(r, to, e) != 0)
		return err_prefix(e, "cross certificate");
	snprintf(name, sizeof(name), "ca(%u-%u).cer", from->index, to->index);
	v->rows[v->n_rows++] = r->row;
	return ca_crl_write_file(v->ca->state_dir, name, r->certificate, e);
}

static int
list_hashes(struct ca_renewal *v, struct err *e)
{
	const struct ca_cert_list *old = v->requests[OWN]->certs;
	struct buf b;

	buf_init(&b, 1u << 22);
	for (size_t i = 0; i <= old->n; i++) {
		const struct x509_ca *x = i < old->n ? old->v[i]->x509 : v->next.x509;
		uint8_t sha1[20];

		x509_sha1(x509_ca_cert_der(x), sha1);
		text_put_hex(&b, (struct bytes){ sha1, sizeof(sha1) });
		buf_put_str(&b, "\n");
	}
	v->hashes = buf_ok(&b) ? pool_strdup(v->pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return v->hashes != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the list of CA certificates");
}

/* ---- below another CA ---- */

#define REQUEST_MAX (64u * 1024)
#define END_LINE "-----END CERTIFICATE-----"

static int
make_request(struct ca_renewal *v, struct err *e)
{
	char name[32];
	struct buf b;
	int rc;

	buf_init(&b, REQUEST_MAX);
	rc = put_aside(v->pool, ca_cert_path(v->ca, v->pool, v->next.index, ".key"), e);
	if (rc == 0)
		rc = x509_ca_create_request(&v->how, v->key_path, &b, e);
	snprintf(name, sizeof(name), "ca(%u).req", v->next.index);
	if (rc == 0)
		rc = ca_crl_write_file(v->ca->state_dir, name, buf_bytes(&b), e);
	if (rc == 0)
		rc = sync_folder(v->ca->state_dir, e);
	if (rc == 0 && (v->request = pool_strdup(v->pool, buf_cstr(&b))) == NULL)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for the request");
	buf_fini(&b);
	return rc;
}

/* A certificate that came alone gets the chain that the one before it has. */
static int
write_given(struct ca_renewal *v, struct err *e)
{
	const char *old = ca_cert_path(v->ca, v->pool, v->previous.index, ".crt"), *first, *rest;
	char name[32];
	struct buf b, chain;
	int rc = -1;

	buf_init(&b, 2 * REQUEST_MAX);
	buf_init(&chain, REQUEST_MAX);
	buf_put_bytes(&b, v->given);
	if (b.len > 0 && b.p[b.len - 1] != '\n')
		buf_put_str(&b, "\n");
	first = strstr(buf_cstr(&b), END_LINE);
	if (first == NULL) {
		ERR(e, E_INVALIDARG, "no certificate in PEM");
		goto out;
	}
	if (strstr(first + 1, END_LINE) == NULL) {
		if (old == NULL || ca_read_file(old, &chain, e) != 0)
			goto out;
		rest = strstr(buf_cstr(&chain), END_LINE);
		if (rest != NULL)
			buf_put_str(&b, rest + strlen(END_LINE));
	}
	snprintf(name, sizeof(name), "ca(%u).crt", v->next.index);
	rc = buf_ok(&b) ? ca_crl_write_file(v->ca->state_dir, name, buf_bytes(&b), e)
			: ERR(e, E_INVALIDARG, "the certificate and its chain are too long");
out:
	buf_fini(&b);
	buf_fini(&chain);
	return rc;
}

/* The key is the one before, or the one that the last request was made with. */
static int
load_given(struct ca_renewal *v, struct err *e)
{
	const struct ca *ca = v->ca;
	const char *old = ca_cert_path(ca, v->pool, v->previous.key_index, ".key");
	const char *new = ca_cert_path(ca, v->pool, v->next.index, ".key");
	struct err why = { 0 };

	if (old == NULL || new == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	v->next.x509 = x509_ca_load(old, v->cert_path, v->hash, &ca->rng, &why);
	v->next.key_index = v->previous.key_index;
	if (v->next.x509 == NULL && access(new, F_OK) == 0) {
		v->next.x509 = x509_ca_load(new, v->cert_path, v->hash, &ca->rng, &why);
		v->next.key_index = v->next.index;
	}
	return v->next.x509 != NULL ? 0 : ERR(e, E_INVALIDARG, "%s", why.msg);
}

/* Seen: AD CS wants the subject to be the same. */
static int
take_given(struct ca_renewal *v, struct err *e)
{
	if (put_aside(v->pool, v->cert_path, e) != 0 || write_given(v, e) != 0)
		return -1;
	if (load_given(v, e) != 0)
		return -1;
	if (!bytes_equal(x509_ca_subject(v->next.x509), x509_ca_subject(v->previous.x509)))
		return ERR(e, E_INVALIDARG, "the new certificate's subject is not the CA's name");
	if (bytes_equal(x509_ca_cert_der(v->next.x509), x509_ca_cert_der(v->previous.x509)))
		return ERR(e, E_ALREADY_EXISTS, "that is the certificate in force");
	/* where a new key was asked for and not taken, its file would say otherwise */
	return v->next.key_index == v->next.index
	    ? 0
	    : put_aside(v->pool, ca_cert_path(v->ca, v->pool, v->next.index, ".key"), e);
}

/* ---- either way ---- */

static int
make_root(struct ca_renewal *v, struct err *e)
{
	const char *key =
	    v->key_path != NULL ? v->key_path : ca_cert_path(v->ca, v->pool, v->previous.key_index, ".key");

	if (key == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (clear_the_way(v, e) != 0 || x509_ca_create(&v->how, v->key_path, v->cert_path, e) != 0)
		return -1;
	v->next.x509 = x509_ca_load(key, v->cert_path, v->hash, &v->ca->rng, e);
	return v->next.x509 != NULL ? 0 : -1;
}

static int
make(struct ca_renewal *v, struct err *e)
{
	if (v->below && v->given.len == 0)
		return make_request(v, e);
	if ((v->below ? take_given(v, e) : make_root(v, e)) != 0)
		return -1;
	v->requests[OWN]->issuer = &v->next;
	if (ca_own_row(v->requests[OWN], e) != 0)
		return -1;
	v->rows[v->n_rows++] = v->requests[OWN]->row;
	if (v->cross &&
	    (cross_one(v, v->requests[FORWARD], &v->previous, &v->next, e) != 0 ||
		cross_one(v, v->requests[BACKWARD], &v->next, &v->previous, e) != 0))
		return -1;
	if (list_hashes(v, e) != 0)
		return -1;
	return sync_folder(v->ca->state_dir, e);
}

static void
make_job(void *arg)
{
	struct ca_renewal *v = arg;

	(void)!make(v, &v->e);
}

static void
make_done(void *arg)
{
	struct ca_renewal *v = arg;

	v->ca->busy--;
	if (v->e.hr == 0 && v->ca->closing)
		ERR(&v->e, E_CANCELLED, "the server ends");
	if (v->e.hr == 0 && v->request != NULL) {
		finish(v, NULL, NULL);
		return;
	}
	if (v->e.hr == 0 &&
	    store_insert_rows(
		v->ca->store, v->rows, v->n_rows, CA_CERT_HASHES, v->hashes, on_stored, v, &v->e) == 0) {
		v->ca->busy++;
		return;
	}
	finish(v, &v->e, NULL);
}

/* ---- beginning ---- */

static int
plan_key(struct ca_renewal *v, const struct ca_renewal_options *o, struct err *e)
{
	if (!o->new_key)
		return 0;
	v->key_path = ca_cert_path(v->ca, v->pool, v->next.index, ".key");
	if (v->key_path == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	if (o->key_type != NULL)
		return x509_ca_key_from_text(&v->how.key, o->key_type, e);
	return x509_ca_key_like(v->previous.x509, v->ca->settings.renewal_key_length, &v->how.key, e) == 0
	    ? 0
	    : err_prefix(e, "RenewalKeyLength");
}

static int
plan_dates(struct ca_renewal *v, const struct ca_renewal_options *o, struct err *e)
{
	const struct ca_settings *s = &v->ca->settings;
	const char *unit = o->validity_unit != NULL ? o->validity_unit : s->renewal_period;

	v->how.not_before = clock_now(v->ca->clock) - (filetime_t)s->clock_skew_minutes * FILETIME_MINUTE;
	return ca_period_end(v->how.not_before, unit,
	    o->validity_unit != NULL ? o->validity_units : s->renewal_units, &v->how.not_after, e);
}

static int
plan_requests(struct ca_renewal *v, struct err *e)
{
	static const struct ca_caller itself = { .front = "CA", .peer = "", .call = "", .package = "" };

	for (size_t i = 0; i < (v->cross ? N_REQUESTS : v->below && v->given.len == 0 ? 0u : 1u); i++) {
		struct ca_request *r = ca_own_request(v->ca, &itself, e);

		if (r == NULL)
			return -1;
		v->requests[i] = r;
		r->certs = v->ca->certs;
		r->policy = v->ca->policy;
		r->submitted = r->decided = clock_now(v->ca->clock);
		r->db_disposition = DB_DISP_ISSUED;
		r->message = "Issued";
	}
	for (size_t i = 0; i < N_REQUESTS && v->requests[i] != NULL; i++)
		v->requests[i]->id = store_next_request_id(v->ca->store);
	return 0;
}

static int
plan(struct ca_renewal *v, const struct ca_renewal_options *o, struct err *e)
{
	struct ca *ca = v->ca;

	v->previous = *ca_cert_newest(ca);
	v->below = !x509_ca_is_root(v->previous.x509);
	if (!v->below && o->certificate.len > 0)
		return ERR(e, E_INVALIDARG, "a root CA renews itself, it takes no certificate");
	if (v->below && o->validity_unit != NULL)
		return ERR(e, E_INVALIDARG, "the CA above decides how long the certificate is valid");
	if (pool_dup_bytes(v->pool, o->certificate, &v->given) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for a certificate");
	if (ca->certs->n > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "a CA has at most 65536 certificates");
	v->next.index = (uint16_t)ca->certs->n;
	v->next.key_index = o->new_key ? v->next.index : v->previous.key_index;
	v->cross = !v->below && o->new_key && (ca->settings.crl_flags & CRLF_DISABLE_ROOT_CROSS_CERTS) == 0;
	v->cert_path = ca_cert_path(ca, v->pool, v->next.index, ".crt");
	v->hash = pool_strdup(v->pool, ca->settings.hash);
	if (v->cert_path == NULL || v->hash == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for paths");
	v->how.rng = &ca->rng;
	v->how.renews = v->previous.x509;
	v->how.version = ca_cert_version_of(&v->next);
	/* cross certificates name the files that the new certificate will have */
	if (ca_certs_name(ca, &v->previous, v->pool, e) != 0 ||
	    ca_certs_name(ca, &v->next, v->pool, e) != 0 || plan_key(v, o, e) != 0 ||
	    plan_dates(v, o, e) != 0 || ca_policy_inf(&ca->settings, &v->how, v->pool, e) != 0)
		return -1;
	return plan_requests(v, e);
}

int
ca_renew_start(struct ca *ca, const struct ca_renewal_options *how, ca_renew_fn *cb, void *arg, struct err *e)
{
	struct ca_renewal *v;

	if (ca->renewal != NULL)
		return ERR(e, CERTSRV_E_BAD_REQUESTSTATUS, "a renewal is under way");
	v = calloc(1, sizeof(*v));
	if (v == NULL || (v->pool = pool_new(RENEWAL_POOL_MAX)) == NULL) {
		free(v);
		return ERR(e, E_OUTOFMEMORY, "no memory for a renewal");
	}
	v->ca = ca;
	v->cb = cb;
	v->arg = arg;
	if (plan(v, how, e) != 0 || work_submit(ca->work, make_job, make_done, v, e) != 0) {
		for (size_t i = 0; i < N_REQUESTS; i++)
			ca_own_request_free(v->requests[i]);
		pool_free(v->pool);
		free(v);
		return -1;
	}
	ca->renewal = v;
	ca->busy++;
	ca_ref(ca);
	return 0;
}
