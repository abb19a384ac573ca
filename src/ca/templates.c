/* Template models, decoded once per directory snapshot, and what this CA publishes of them. */
#include <stdlib.h>
#include <strings.h>

#include "base/log.h"
#include "ca/ca_priv.h"

#define TEMPLATES_POOL_MAX (64u << 20)

static bool
entry_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct dir_attr *a = dir_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

const struct dir_entry *
ca_service_entry(const struct ca *ca, const struct dir_snapshot *snap)
{
	for (size_t i = 0; i < snap->n_services; i++) {
		const char *cn = dir_entry_text(&snap->services[i], "cn");

		if (cn != NULL && strcasecmp(cn, ca->sanitized) == 0)
			return &snap->services[i];
	}
	return NULL;
}

static int
load_published(struct ca_templates *t, const struct ca *ca, const struct dir_snapshot *snap, struct err *e)
{
	const struct dir_entry *service = ca_service_entry(ca, snap);
	const struct dir_attr *names =
	    service != NULL ? dir_entry_attr(service, "certificateTemplates") : NULL;
	const char **list;

	if (names == NULL)
		return 0;
	list = pool_calloc(t->pool, names->n, sizeof(*list));
	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the published templates");
	for (size_t i = 0; i < names->n; i++) {
		list[i] = pool_strdup(t->pool, (const char *)names->values[i].p);
		if (list[i] == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for the published templates");
	}
	t->published = (struct x509_strings){ list, names->n };
	return 0;
}

/* The OID objects as policy reads them. */
static int
oid_objects(struct ca_templates *t, const struct dir_snapshot *snap, struct policy_attrs **out, struct err *e)
{
	*out = pool_calloc(t->pool, snap->n_oids, sizeof(**out));
	if (*out == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu OID objects", snap->n_oids);
	for (size_t i = 0; i < snap->n_oids; i++)
		(*out)[i] = (struct policy_attrs){ &snap->oids[i], entry_value, snap->oids[i].dn };
	return 0;
}

static int
load_models(struct ca_templates *t, const struct dir_snapshot *snap, struct err *e)
{
	struct policy_attrs *oids;

	if (oid_objects(t, snap, &oids, e) != 0)
		return -1;
	t->v = pool_calloc(t->pool, snap->n_templates, sizeof(*t->v));
	if (t->v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu templates", snap->n_templates);
	for (size_t i = 0; i < snap->n_templates; i++) {
		struct policy_attrs attrs = { &snap->templates[i], entry_value, snap->templates[i].dn };
		struct err why = { 0 };

		if (policy_template_decode(&t->v[t->n], t->pool, &attrs, &why) != 0) {
			log_warn(ca, "template %s is not loaded: %s", snap->templates[i].dn, why.msg);
			continue;
		}
		if (policy_template_qualify(&t->v[t->n++], t->pool, oids, snap->n_oids, &why) != 0)
			log_warn(
			    ca, "template %s has no policy qualifiers: %s", snap->templates[i].dn, why.msg);
	}
	return 0;
}

struct ca_templates *
ca_templates_get(struct ca *ca, struct dir_snapshot *snap, struct err *e)
{
	struct ca_templates *t = ca->templates;

	if (t != NULL && t->generation == snap->generation)
		return t;
	t = calloc(1, sizeof(*t));
	if (t == NULL || (t->pool = pool_new(TEMPLATES_POOL_MAX)) == NULL) {
		free(t);
		ERR(e, E_OUTOFMEMORY, "no memory for template models");
		return NULL;
	}
	t->refs = 1;
	t->generation = snap->generation;
	t->snap = dir_snapshot_ref(snap);
	if (load_models(t, snap, e) != 0 || load_published(t, ca, snap, e) != 0) {
		ca_templates_unref(t);
		return NULL;
	}
	ca_templates_unref(ca->templates);
	ca->templates = t;
	return t;
}

struct ca_templates *
ca_templates_ref(struct ca_templates *t)
{
	t->refs++;
	return t;
}

void
ca_templates_unref(struct ca_templates *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	ca_trusts_free(t->trusts);
	dir_snapshot_unref(t->snap);
	pool_free(t->pool);
	free(t);
}
