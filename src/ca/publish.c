/*
 * The CA's objects in the directory (templates.md 8): made at the first start, later only what differs is
 * changed. One object after the other, each looked up first.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "ca/signing_certs.h"
#include "x509/name.h"

#define MAX_ATTRS 16
#define MAX_OBJECTS 7 /* beside the CDP objects of renewed keys */

/* ENROLLMENT_SERVICE flags: SUPPORTS_NT_AUTHENTICATION | CA_SERVERTYPE_ADVANCED */
static const char SERVICE_FLAGS[] = "10";

/* Enroll on the service lets clients list the CA as usable; the rest as the Enrollment Services container
 * gives it. */
static const char SERVICE_SECURITY[] =
    "O:EAG:EAD:(OA;;CR;0e10c968-78fb-11d2-90d4-00c04f79dc55;;AU)"
    "(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;DA)(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;EA)"
    "(A;;LCRPLORC;;;AU)";

/* default-templates.md: the order of four independent listings. */
static const char *const default_templates[] = {
	"DirectoryEmailReplication",
	"DomainControllerAuthentication",
	"KerberosAuthentication",
	"EFSRecovery",
	"EFS",
	"DomainController",
	"WebServer",
	"Machine",
	"User",
	"SubCA",
	"Administrator",
};

/* How a later start treats an attribute. */
enum keep { KEEP_AS_IS, KEEP_EXACT, KEEP_CONTAINS };

struct object {
	const char *dn;
	struct dir_attr attrs[MAX_ATTRS];
	enum keep keep[MAX_ATTRS];
	size_t n;
};

struct publication {
	struct ca *ca;
	struct pool *pool;
	ca_ready_fn *done;
	void *arg;
	struct object *objects;
	size_t n, at;
	bool failed; /* memory, while the list was made */
};

/* ---- the list ---- */

static void
put_values(struct publication *p, struct object *o, const char *name, const struct bytes *values, size_t n,
    enum keep keep)
{
	struct bytes *copy = pool_calloc(p->pool, n, sizeof(*copy));

	if (copy == NULL || o->n == MAX_ATTRS) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		p->failed |= pool_dup_bytes(p->pool, values[i], &copy[i]) != 0;
	o->attrs[o->n] = (struct dir_attr){ name, copy, n };
	o->keep[o->n++] = keep;
}

static void
put_bytes(struct publication *p, struct object *o, const char *name, struct bytes v, enum keep keep)
{
	put_values(p, o, name, &v, 1, keep);
}

static void
put_text(struct publication *p, struct object *o, const char *name, const char *v, enum keep keep)
{
	put_bytes(p, o, name, (struct bytes){ (const uint8_t *)v, strlen(v) }, keep);
}

static struct object *
object_new(struct publication *p, const char *class, const char *cn, const char *parent)
{
	struct object *o = &p->objects[p->n++];
	const char *base = dir_forest(p->ca->dir)->config_dn;
	const char *rdn = ca_name_rdn(p->pool, cn);

	o->dn = rdn != NULL
	    ? pool_printf(p->pool, "CN=%s,%sCN=Public Key Services,CN=Services,%s", rdn, parent, base)
	    : NULL;
	p->failed |= o->dn == NULL;
	put_values(p, o, "objectClass",
	    (const struct bytes[]){
		{ (const uint8_t *)"top", 3 }, { (const uint8_t *)class, strlen(class) } },
	    2, KEEP_AS_IS);
	put_text(p, o, "cn", cn, KEEP_AS_IS);
	return o;
}

static void
put_templates(struct publication *p, struct object *o)
{
	const struct ca_settings *s = &p->ca->settings;
	size_t n_default = s->load_default_templates != 0 ? ARRAY_LEN(default_templates) : 0, n = 0;
	struct bytes *list = pool_calloc(p->pool, s->published_templates.n + n_default, sizeof(*list));

	if (list == NULL) {
		p->failed = true;
		return;
	}
	for (size_t i = 0; i < s->published_templates.n; i++) {
		const char *name = s->published_templates.v[i];

		list[n++] = (struct bytes){ (const uint8_t *)name, strlen(name) };
	}
	for (size_t i = 0; i < n_default; i++) {
		bool named = false;

		for (size_t k = 0; k < s->published_templates.n; k++)
			named |= strcasecmp(s->published_templates.v[k], default_templates[i]) == 0;
		if (!named)
			list[n++] = (struct bytes){ (const uint8_t *)default_templates[i],
				strlen(default_templates[i]) };
	}
	if (n > 0)
		put_values(p, o, "certificateTemplates", list, n, KEEP_AS_IS);
}

static int
put_security(struct publication *p, struct object *o, struct err *e)
{
	struct buf wire;
	struct sd sd;
	int rc;

	if (sd_from_sddl(&sd, p->pool, SERVICE_SECURITY, &p->ca->domain, e) != 0)
		return -1;
	buf_init(&wire, SD_WIRE_MAX);
	rc = sd_to_wire(&sd, &wire, e);
	if (rc == 0)
		put_bytes(p, o, "nTSecurityDescriptor", buf_bytes(&wire), KEEP_AS_IS);
	buf_fini(&wire);
	return rc;
}

static int
list_service(struct publication *p, struct err *e)
{
	struct ca *ca = p->ca;
	struct object *o = object_new(p, "pKIEnrollmentService", ca->sanitized, "CN=Enrollment Services,");
	struct buf subject;
	int rc;

	buf_init(&subject, 8192);
	rc = x509_name_to_text(&subject, x509_ca_subject(ca->x509), e);
	if (rc == 0)
		put_bytes(p, o, "cACertificateDN", buf_bytes(&subject), KEEP_EXACT);
	buf_fini(&subject);
	if (rc != 0)
		return -1;
	put_text(p, o, "displayName", ca->name, KEEP_EXACT);
	put_text(p, o, "dNSHostName", ca->dns_name, KEEP_EXACT);
	put_bytes(p, o, "cACertificate", x509_ca_cert_der(ca->x509), KEEP_EXACT);
	put_text(p, o, "flags", SERVICE_FLAGS, KEEP_EXACT);
	put_templates(p, o);
	return put_security(p, o, e);
}

/* All of them: what the earlier ones signed is still in use. */
static void
put_certificates(struct publication *p, struct object *o)
{
	const struct ca_cert_list *certs = p->ca->certs;
	struct bytes *list = pool_calloc(p->pool, certs->n, sizeof(*list));

	for (size_t i = 0; list != NULL && i < certs->n; i++)
		list[i] = x509_ca_cert_der(certs->v[i]->x509);
	if (list == NULL)
		p->failed = true;
	else
		put_values(p, o, "cACertificate", list, certs->n, KEEP_CONTAINS);
}

/* CertificatePair, RFC 4523 2.4: what the older key says of the newer one, and the newer of the older. */
static struct bytes
cross_pair(struct publication *p, const struct ca_cert *older, const struct ca_cert *newer)
{
	struct bytes out = { NULL, 0 };
	struct buf b;
	size_t pair, part;

	buf_init(&b, 1u << 20);
	pair = der_open(&b, DER_SEQUENCE);
	part = der_open(&b, DER_CONTEXT_CONSTRUCTED(0)); /* issuedToThisCA */
	buf_put_bytes(&b, older->forward);
	der_close(&b, part);
	part = der_open(&b, DER_CONTEXT_CONSTRUCTED(1)); /* issuedByThisCA */
	buf_put_bytes(&b, newer->backward);
	der_close(&b, part);
	der_close(&b, pair);
	p->failed |= !buf_ok(&b) || pool_dup_bytes(p->pool, buf_bytes(&b), &out) != 0;
	buf_fini(&b);
	return out;
}

static void
put_cross_pairs(struct publication *p, struct object *o)
{
	const struct ca_cert_list *certs = p->ca->certs;
	struct bytes *list = pool_calloc(p->pool, certs->n, sizeof(*list));
	size_t n = 0;

	p->failed |= list == NULL;
	for (size_t i = 0; list != NULL && i + 1 < certs->n; i++) {
		if (certs->v[i]->forward.len > 0 && certs->v[i + 1]->backward.len > 0)
			list[n++] = cross_pair(p, certs->v[i], certs->v[i + 1]);
	}
	if (n > 0)
		put_values(p, o, "crossCertificatePair", list, n, KEEP_CONTAINS);
}

/* The class has three MUST attributes; the unused lists carry one zero octet, as on real objects. */
static struct object *
list_authority(struct publication *p, const char *cn, const char *parent)
{
	struct object *o = object_new(p, "certificationAuthority", cn, parent);
	struct bytes zero = { (const uint8_t *)"", 1 };

	put_certificates(p, o);
	put_bytes(p, o, "authorityRevocationList", zero, KEEP_AS_IS);
	put_bytes(p, o, "certificateRevocationList", zero, KEEP_AS_IS);
	return o;
}

/* One for each key and partition, which its CRLs go to: CN=%7%8<CRLPartitionIndex>. */
static int
list_cdps(struct publication *p, const char *parent, struct err *e)
{
	const struct ca_cert_list *certs = p->ca->certs;

	for (size_t i = 0; i < certs->n; i++) {
		const char *cn;

		if (!ca_cert_is_key(certs->v[i]))
			continue;
		for (unsigned part = 0; part <= p->ca->partitions.max; part++) {
			char suffix[CA_PARTITION_SUFFIX];

			cn = pool_printf(p->pool, "%s%s%s", p->ca->short_name, certs->v[i]->key_suffix,
			    ca_partition_suffix(suffix, part));
			if (cn == NULL)
				return ERR(e, E_OUTOFMEMORY, "no memory for directory objects");
			object_new(p, "cRLDistributionPoint", cn, parent);
		}
	}
	return 0;
}

/* templates.md 8.5: userCertificate is a MUST, too. */
static void
list_recovery(struct publication *p)
{
	struct object *o = object_new(p, "msPKI-PrivateKeyRecoveryAgent", p->ca->short_name, "CN=KRA,");

	put_bytes(p, o, "userCertificate", (struct bytes){ (const uint8_t *)"", 1 }, KEEP_AS_IS);
}

static int
list_objects(struct publication *p, struct err *e)
{
	struct ca *ca = p->ca;
	const char *host = ca_name_rdn(p->pool, ca->short_host);
	char *cdp = host != NULL ? pool_printf(p->pool, "CN=%s,CN=CDP,", host) : NULL;

	if (cdp == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for directory objects");
	put_cross_pairs(p, list_authority(p, ca->short_name, "CN=AIA,"));
	object_new(p, "container", ca->short_host, "CN=CDP,");
	if (list_cdps(p, cdp, e) != 0)
		return -1;
	if (x509_ca_is_root(ca->x509))
		list_authority(p, ca->short_name, "CN=Certification Authorities,");
	list_authority(p, "NTAuthCertificates", "");
	list_recovery(p);
	if (list_service(p, e) != 0) /* last: clients find the CA when all else is there */
		return -1;
	return p->failed ? ERR(e, E_OUTOFMEMORY, "no memory for directory objects") : 0;
}

char *
ca_cdp_dn(const struct ca *ca, const struct ca_cert *c, unsigned partition, struct pool *pool)
{
	char suffix[CA_PARTITION_SUFFIX];
	const char *cn = pool_printf(
	    pool, "%s%s%s", ca->short_name, c->key_suffix, ca_partition_suffix(suffix, partition));
	const char *rdn = cn != NULL ? ca_name_rdn(pool, cn) : NULL,
		   *host = ca_name_rdn(pool, ca->short_host);

	return rdn != NULL && host != NULL
	    ? pool_printf(pool, "CN=%s,CN=%s,CN=CDP,CN=Public Key Services,CN=Services,%s", rdn, host,
		  dir_forest(ca->dir)->config_dn)
	    : NULL;
}

char *
ca_kra_dn(const struct ca *ca, struct pool *pool)
{
	const char *rdn = ca_name_rdn(pool, ca->short_name);

	return rdn != NULL ? pool_printf(pool, "CN=%s,CN=KRA,CN=Public Key Services,CN=Services,%s", rdn,
				 dir_forest(ca->dir)->config_dn)
			   : NULL;
}

char *
ca_service_dn(const struct ca *ca, struct pool *pool)
{
	const char *rdn = ca_name_rdn(pool, ca->sanitized);

	return rdn != NULL
	    ? pool_printf(pool, "CN=%s,CN=Enrollment Services,CN=Public Key Services,CN=Services,%s", rdn,
		  dir_forest(ca->dir)->config_dn)
	    : NULL;
}

/* ---- one after the other ---- */

static void
next_object(struct publication *p);

static void
finish(struct publication *p, const struct err *e)
{
	struct ca *ca = p->ca;
	struct err ended = { 0 };

	if (ca->closing && e == NULL) {
		ERR(&ended, E_CANCELLED, "the server ends");
		e = &ended;
	}
	p->done(p->arg, e);
	pool_free(p->pool);
	free(p);
	ca_unref(ca);
}

static void
fail(struct publication *p, const struct err *e)
{
	struct err why = *e;

	err_prefix(&why, "%.50s", p->objects[p->at].dn);
	finish(p, &why);
}

static void
on_written(void *arg, const struct dir_result *res, const struct err *e)
{
	struct publication *p = arg;

	(void)res;
	if (e != NULL) {
		fail(p, e);
		return;
	}
	log_info(ca, "published %s", p->objects[p->at].dn);
	p->at++;
	next_object(p);
}

static void
add_object(struct publication *p)
{
	struct object *o = &p->objects[p->at];
	struct dir_entry en = { o->dn, o->attrs, o->n };
	struct err e = { 0 };

	if (dir_add_start(p->ca->dir, &en, on_written, p, &e) != 0)
		fail(p, &e);
}

static bool
has_value(const struct dir_attr *a, struct bytes v)
{
	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (bytes_equal(a->values[i], v))
			return true;
	}
	return false;
}

static void
update_object(struct publication *p, const struct dir_entry *found)
{
	struct object *o = &p->objects[p->at];
	struct dir_mod mods[MAX_ATTRS];
	struct err e = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < o->n; i++) {
		const struct dir_attr *have = dir_entry_attr(found, o->attrs[i].name);
		enum dir_mod_op op = o->keep[i] == KEEP_EXACT ? DIR_MOD_REPLACE : DIR_MOD_ADD;
		struct bytes *missing = pool_calloc(p->pool, o->attrs[i].n, sizeof(*missing));
		size_t n_missing = 0;

		if (missing == NULL) {
			ERR(&e, E_OUTOFMEMORY, "no memory for directory objects");
			fail(p, &e);
			return;
		}
		for (size_t k = 0; k < o->attrs[i].n; k++) {
			if (!has_value(have, o->attrs[i].values[k]))
				missing[n_missing++] = o->attrs[i].values[k];
		}
		if (o->keep[i] == KEEP_AS_IS || n_missing == 0)
			continue;
		mods[n++] = (struct dir_mod){ op, o->attrs[i].name, missing, n_missing };
	}
	if (n == 0) {
		p->at++;
		next_object(p);
	} else if (dir_modify_start(p->ca->dir, o->dn, mods, n, on_written, p, &e) != 0) {
		fail(p, &e);
	}
}

static void
on_found(void *arg, const struct dir_result *res, const struct err *e)
{
	struct publication *p = arg;

	if (e != NULL && e->hr != E_DS_NO_SUCH_OBJECT)
		fail(p, e);
	else if (p->ca->closing)
		finish(p, NULL);
	else if (e != NULL || res->n == 0)
		add_object(p);
	else
		update_object(p, &res->entries[0]);
}

static void
next_object(struct publication *p)
{
	struct dir_query q = { .scope = DIR_BASE };
	struct err e = { 0 };

	if (p->at == p->n || p->ca->closing) {
		finish(p, NULL);
		return;
	}
	q.base = p->objects[p->at].dn;
	if (dir_search_start(p->ca->dir, &q, on_found, p, &e) != 0)
		fail(p, &e);
}

int
ca_publish_start(struct ca *ca, ca_ready_fn *done, void *arg, struct err *e)
{
	struct publication *p = calloc(1, sizeof(*p));
	struct dir_query q = { .scope = DIR_BASE };

	if (p == NULL || (p->pool = pool_new(64u << 20)) == NULL) {
		free(p);
		return ERR(e, E_OUTOFMEMORY, "no memory for directory objects");
	}
	p->ca = ca;
	p->done = done;
	p->arg = arg;
	p->objects = pool_calloc(
	    p->pool, MAX_OBJECTS + ca->certs->n * (ca->partitions.max + (size_t)1), sizeof(*p->objects));
	if (p->objects == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for directory objects");
		goto fail;
	}
	if (list_objects(p, e) != 0)
		goto fail;
	q.base = p->objects[0].dn;
	if (dir_search_start(ca->dir, &q, on_found, p, e) != 0)
		goto fail;
	ca_ref(ca);
	return 0;
fail:
	pool_free(p->pool);
	free(p);
	return -1;
}
