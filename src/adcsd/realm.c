#include "adcsd/realm.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/kerberos.h"
#include "base/log.h"
#include "kdc/kdc.h"

struct realm {
	struct kerberos *kerberos;
	struct kdc *kdc;
	const char *keytab; /* lent */
	char replay[PATH_MAX];
	void (*ready)(void *arg, const struct err *e);
	void *arg;
};

static int
open_keytab(struct realm *r, const char *keytab, struct err *e)
{
	r->keytab = keytab;
	r->kerberos = kerberos_open(keytab, r->replay, e);
	return r->kerberos == NULL ? -1 : 0;
}

static void
on_kdc_ready(void *arg, const struct err *e)
{
	struct realm *r = arg;
	struct err why;

	if (e == NULL && open_keytab(r, kdc_keytab(r->kdc), &why) != 0)
		e = &why;
	r->ready(r->arg, e);
}

static void
on_kdc_event(void *arg, const char *text)
{
	(void)arg;
	log_info(main, "%s", text);
}

static int
begin(struct realm *r, const struct realm_config *cfg, struct err *e)
{
	struct kdc_config kc = { .base = cfg->base,
		.dir = cfg->dir,
		.state_dir = cfg->state_dir,
		.address = cfg->address,
		.host = cfg->host,
		.on_event = on_kdc_event };

	if (snprintf(r->replay, sizeof(r->replay), "%s/replay", cfg->state_dir) >= (int)sizeof(r->replay))
		return ERR(e, E_INVALIDARG, "path too long: %.80s", cfg->state_dir);
	if (cfg->kdc && cfg->keytab != NULL)
		return ERR(e, E_INVALIDARG, "a KDC of our own makes its keytab: --kdc or --keytab, not both");
	if (cfg->kdc) {
		r->kdc = kdc_start(&kc, on_kdc_ready, r, e);
		return r->kdc == NULL ? -1 : 0;
	}
	return cfg->keytab == NULL ? 0 : open_keytab(r, cfg->keytab, e);
}

int
realm_start(struct realm **out, const struct realm_config *cfg, void (*ready)(void *arg, const struct err *e),
    void *arg, struct err *e)
{
	struct realm *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	r->ready = ready;
	r->arg = arg;
	if (begin(r, cfg, e) != 0) {
		realm_free(r);
		return -1;
	}
	*out = r;
	if (r->kdc == NULL)
		ready(arg, NULL);
	return 0;
}

void
realm_free(struct realm *r)
{
	if (r == NULL)
		return;
	kdc_free(r->kdc);
	kerberos_free(r->kerberos);
	free(r);
}

struct kerberos *
realm_kerberos(const struct realm *r)
{
	return r->kerberos;
}

json_t *
realm_json(const struct realm *r)
{
	if (r == NULL || r->kerberos == NULL)
		return json_null();
	if (r->kdc == NULL)
		return json_pack("{s:s}", "keytab", r->keytab);
	return json_pack("{s:s, s:s, s:i, s:s, s:i}", "keytab", r->keytab, "realm", kdc_realm(r->kdc),
	    "kdc_port", (int)kdc_port(r->kdc), "krb5_conf", kdc_krb5_conf(r->kdc), "updates",
	    (int)kdc_updates(r->kdc));
}
