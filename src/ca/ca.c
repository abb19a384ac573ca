/* Opening and closing an instance: what policy reads, store, life. */
#include "ca/ca.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "ca/audit.h"
#include "ca/backup.h"
#include "ca/ca_priv.h"
#include "ca/crl.h"
#include "ca/exchange.h"
#include "ca/identity.h"
#include "ca/kra.h"
#include "ca/signing_certs.h"

#define CA_POOL_MAX (4u << 20)
#define CRLF_DISABLE_RDN_REORDER 0x800u
#define DBFLAGS_MAXIMUMEXTENSION16K 0x1000u

/* Chosen at the first start; in the store, named as certutil names registry values. */
static const char SETTING_HIGH_SERIAL[] = "CA\\HighSerial";

/* ---- what policy reads ---- */

int
ca_expand_urls(const struct ca *ca, const struct ca_cert *c, const struct x509_strings *entries,
    uint32_t flag, bool delta, unsigned partition, struct pool *pool, struct x509_strings *out, struct err *e)
{
	struct ca_url_names n = { ca->dns_name, ca->short_host, ca->sanitized, c->suffix,
		dir_forest(ca->dir)->config_dn, ca->short_name, c->key_suffix, delta, ca->http_port,
		ca->partitions.enabled, partition };
	const char **list = pool_calloc(pool, entries->n, sizeof(*list));
	size_t used = 0;

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for URLs");
	for (size_t i = 0; i < entries->n; i++) {
		uint32_t flags;

		if (ca_url_expand(entries->v[i], &n, pool, &flags, &list[used], e) != 0)
			return -1;
		if ((flags & flag) != 0)
			used++;
	}
	*out = (struct x509_strings){ list, used };
	return 0;
}

int
ca_policy_set(struct ca *ca, struct err *e)
{
	const struct ca_settings *s = &ca->settings;
	const struct dir_forest *f = dir_forest(ca->dir);
	const struct ca_cert *c = ca_cert_newest(ca);
	struct policy_ca *p = &ca->policy;

	*p = (struct policy_ca){
		.edit_flags = s->edit_flags,
		.request_disposition = s->request_disposition,
		.clock_skew = (filetime_t)s->clock_skew_minutes * FILETIME_MINUTE,
		.ca_version = s->ca_version,
		.ca_name = ca->name,
		.ca_not_before = x509_ca_not_before(c->x509),
		.ca_not_after = x509_ca_not_after(c->x509),
		.ca_key_id = x509_ca_key_id(c->x509),
		.ca_subject = x509_ca_subject(c->x509),
		.ca_issuer = x509_ca_issuer(c->x509),
		.ca_serial = x509_ca_serial(c->x509),
		.cdp_urls = c->urls.cdp,
		.aia_urls = c->urls.aia,
		.ocsp_urls = c->urls.ocsp,
		.enable_request_extensions = s->enable_request_extensions,
		.disable_extensions = s->disable_extensions,
		.subject_template = s->subject_template,
		.rdn_reorder = (s->crl_flags & CRLF_DISABLE_RDN_REORDER) == 0,
		.enforce_name_lengths = s->enforce_name_lengths != 0,
		.upn_fallback = s->upn_fallback != 0,
		.esc15_copy_application_policies = s->esc15 != 0,
		.critical_san = s->critical_san != 0,
		.issuance_policy_required = s->issuance_policy_required != 0,
		.dns_domain = f->dns_domain,
		.nb_domain = f->nb_domain,
		.agent_rights = ca->live->agents,
		.max_extension = (s->db_flags & DBFLAGS_MAXIMUMEXTENSION16K) != 0 ? 16384 : 4096,
	};
	return ca_period(s->validity_period, s->validity_units, &p->validity_months, &p->validity_span, e);
}

void
ca_set_accounts(struct ca *ca, const struct ca_accounts *accounts)
{
	ca->accounts = *accounts;
}

/* ---- store ---- */

static void
setting_stored(void *arg, const struct err *e)
{
	struct err *out = arg;

	*out = e != NULL ? *e : (struct err){ 0 };
}

/* One octet for all serial numbers of this CA, chosen once. */
static int
choose_high_serial(struct ca *ca, struct err *e)
{
	char text[8];
	struct rng_stream s;
	struct err done = { .hr = E_UNEXPECTED };

	rng_stream_init(&s, &ca->rng, "high serial", 0);
	rng_bytes(&s, &ca->high_serial, 1);
	snprintf(text, sizeof(text), "%02x", ca->high_serial);
	if (store_put_setting(ca->store, SETTING_HIGH_SERIAL, text, setting_stored, &done, e) != 0)
		return -1;
	store_wait(ca->store);
	store_drain(ca->store);
	if (done.hr != 0)
		*e = done;
	return done.hr == 0 ? 0 : -1;
}

static int
parse_high_serial(struct ca *ca, const char *text, struct err *e)
{
	char *end;
	unsigned long v = strtoul(text, &end, 16);

	if (*end != '\0' || end == text || v > 0xffff)
		return ERR(e, E_INVALIDARG, "HighSerial '%.10s' is not one or two hexadecimal octets", text);
	ca->high_serial = (uint8_t)v; /* the low octet counts (issuance.md 7) */
	return 0;
}

static int
open_store(struct ca *ca, struct err *e)
{
	const char *path = ca_state_path(ca, "ca.db"), *stored;

	ca->store = path != NULL ? store_open(path, e) : NULL;
	if (ca->store == NULL)
		return -1;
	if (ca->settings.high_serial[0] != '\0')
		return parse_high_serial(ca, ca->settings.high_serial, e);
	if (store_get_setting(ca->store, SETTING_HIGH_SERIAL, ca->pool, &stored, e) != 0)
		return -1;
	return stored != NULL ? parse_high_serial(ca, stored, e) : choose_high_serial(ca, e);
}

/* ---- life ---- */

static int
open_all(struct ca *ca, const struct ca_config *cfg, struct err *e)
{
	ca->pool = pool_new(CA_POOL_MAX);
	ca->deliveries = ca_deliveries_new();
	ca->state_dir = ca->pool != NULL ? pool_strdup(ca->pool, cfg->state_dir) : NULL;
	if (ca->state_dir != NULL)
		ca->http_port = cfg->http_port == 0 || cfg->http_port == 80
		    ? ""
		    : pool_printf(ca->pool, ":%u", cfg->http_port);
	if (ca->state_dir == NULL || ca->http_port == NULL || ca->deliveries == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for a CA");
	if (ca_settings_open(ca, cfg->settings_file, e) != 0 || ca_host_names_set(ca, e) != 0 ||
	    ca_key_open(ca, e) != 0 || ca_names_set(ca, e) != 0 || open_store(ca, e) != 0 ||
	    ca_live_open(ca, e) != 0 || ca_partitions_open(ca, e) != 0 || ca_certs_load(ca, e) != 0 ||
	    ca_policy_set(ca, e) != 0 || ca_exchange_open(ca, e) != 0 || ca_kra_open(ca, e) != 0)
		return -1;
	ca_backup_sweep(ca);
	ca->journal = journal_open(
	    ca->state_dir, "journal", (uint64_t)ca->settings.journal_megabytes << 20, ca->clock, e);
	if (ca->journal == NULL)
		return -1;
	ca->audit = journal_open(
	    ca->state_dir, "audit", (uint64_t)ca->settings.journal_megabytes << 20, ca->clock, e);
	return ca->audit != NULL ? 0 : -1;
}

static void
on_first_crls(void *arg, const struct err *e)
{
	struct ca *ca = arg;

	if (e == NULL || !ca->closing)
		ca_audit_started(ca);
	/* without a list clients complain, but the CA answers; the schedule tries again */
	ca->ready(ca->ready_arg, e != NULL && ca->closing ? e : NULL);
}

static void
on_objects_published(void *arg, const struct err *e)
{
	struct ca *ca = arg;
	struct err why = { 0 };

	if (e != NULL)
		ca->ready(ca->ready_arg, e);
	else if (ca_crl_start(ca, on_first_crls, ca, &why) != 0)
		ca->ready(ca->ready_arg, &why);
}

struct ca *
ca_open(const struct ca_config *cfg, ca_ready_fn *ready, void *arg, struct err *e)
{
	struct ca *ca = calloc(1, sizeof(*ca));

	if (ca == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a CA");
		return NULL;
	}
	ca->refs = 1;
	ca->clock = cfg->clock;
	ca->rng = *cfg->rng;
	ca->work = cfg->work;
	ca->dir = cfg->dir;
	ca->started_us = clock_monotonic_us();
	ca->ready = ready;
	ca->ready_arg = arg;
	if (open_all(ca, cfg, e) != 0 || ca_publish_start(ca, on_objects_published, ca, e) != 0) {
		ca_close(ca);
		return NULL;
	}
	if (clock_now(ca->clock) > x509_ca_not_after(ca->x509))
		log_warn(ca, "the certificate of %s has expired", ca->name);
	return ca;
}

void
ca_ref(struct ca *ca)
{
	ca->refs++;
}

void
ca_unref(struct ca *ca)
{
	if (--ca->refs > 0)
		return;
	ca_templates_unref(ca->templates);
	ca_deliveries_free(ca->deliveries);
	ca_exchange_free(ca->exchange);
	ca_kra_free(ca->kra);
	ca_live_unref(ca->live);
	ca_settings_fini(&ca->from_file);
	ca_certs_free(ca);
	pool_free(ca->pool);
	free(ca);
}

/* What runs on workers or in the writer comes to its end; what waits for the directory ends when that
 * answers, and holds the rest of the instance until then. */
void
ca_close(struct ca *ca)
{
	if (ca == NULL)
		return;
	ca->closing = true;
	while (ca->busy > 0) {
		struct pollfd fds[] = { { work_fd(ca->work), POLLIN, 0 },
			{ store_fd(ca->store), POLLIN, 0 } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		work_drain(ca->work);
		store_drain(ca->store);
	}
	ca_backup_gone(ca, NULL);
	store_close(ca->store);
	ca->store = NULL;
	journal_close(ca->journal);
	ca->journal = NULL;
	ca_audit_stopped(ca);
	journal_close(ca->audit);
	ca->audit = NULL;
	ca_unref(ca);
}

void
ca_set_database_failure(struct ca *ca, uint32_t hr)
{
	store_set_failure(ca->store, hr);
}

int
ca_store_fd(const struct ca *ca)
{
	return store_fd(ca->store);
}

void
ca_store_drain(struct ca *ca)
{
	store_drain(ca->store);
}

void
ca_flush(struct ca *ca)
{
	ca_crl_check(ca);
	journal_flush(ca->journal);
	journal_flush(ca->audit);
}

filetime_t
ca_next_due(const struct ca *ca)
{
	return ca_crl_due(ca);
}

const char *
ca_name(const struct ca *ca)
{
	return ca->name;
}

const char *
ca_config_string(const struct ca *ca)
{
	return ca->config_string;
}

const char *
ca_dns_name(const struct ca *ca)
{
	return ca->dns_name;
}

uint32_t
ca_interface_flags(const struct ca *ca)
{
	return ca->settings.interface_flags;
}

const char *
ca_keytab(const struct ca *ca)
{
	return ca->settings.keytab[0] != '\0' ? ca->settings.keytab : NULL;
}

bool
ca_wants_kdc(const struct ca *ca)
{
	return ca->settings.kdc != 0;
}

/* ---- callers and incidents ---- */

int
ca_who_copy(struct ca_who *out, struct pool *pool, const struct ca_caller *in, struct err *e)
{
	out->front = pool_strdup(pool, in->front != NULL ? in->front : "");
	out->peer = pool_strdup(pool, in->peer != NULL ? in->peer : "");
	out->call = pool_strdup(pool, in->call != NULL ? in->call : "");
	out->package = pool_strdup(pool, in->package != NULL ? in->package : "");
	if (out->front == NULL || out->peer == NULL || out->call == NULL || out->package == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the caller");
	out->token = in->token != NULL ? token_ref(in->token) : NULL;
	out->privacy = in->privacy;
	out->local_admin = in->local_admin;
	return 0;
}

const char *
ca_who_account(const struct ca_who *w)
{
	return w->token != NULL ? w->token->account : w->local_admin ? "local administrator" : "anonymous";
}

void
ca_journal_incident(struct ca *ca, const char *front, const char *kind, const char *peer,
    const char *connection, const char *account, uint32_t status, const char *reason)
{
	struct buf *b = journal_begin(ca->journal);

	journal_put_text(b, "front", front);
	journal_put_text(b, "peer", peer);
	journal_put_text(b, "call", connection);
	journal_put_text(b, "caller", account);
	journal_put_text(b, "operation", "incident");
	journal_put_text(b, "kind", kind);
	journal_put_text(b, "verdict", "refused");
	journal_put_hresult(b, status);
	journal_put_text(b, "reason", reason);
	journal_end(ca->journal);
}
