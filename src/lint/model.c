/* Directory entries to what the rules look at. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lint/lint_priv.h"

#define MAX_VALUES 65536 /* of one attribute: members of a group */

struct builder {
	struct lint_model *m;
	const struct lint_request *in;
	struct err *e;
};

static bool
value_of(const struct policy_attrs *en, const char *attr, size_t i, struct bytes *out)
{
	return en->value(en->ctx, attr, i, out);
}

static const char *
text_of(const struct builder *b, const struct policy_attrs *en, const char *attr)
{
	struct bytes v;

	return value_of(en, attr, 0, &v) ? pool_strndup(b->m->pool, (const char *)v.p, v.len) : NULL;
}

static struct x509_strings
texts_of(const struct builder *b, const struct policy_attrs *en, const char *attr)
{
	struct x509_strings out = { NULL, 0 };
	struct bytes v;
	const char **list;
	size_t n = 0;

	while (n < MAX_VALUES && value_of(en, attr, n, &v))
		n++;
	list = n > 0 ? pool_calloc(b->m->pool, n, sizeof(*list)) : NULL;
	for (size_t i = 0; list != NULL && i < n && value_of(en, attr, i, &v); i++) {
		list[i] = pool_strndup(b->m->pool, (const char *)v.p, v.len);
		if (list[i] == NULL)
			break;
		out = (struct x509_strings){ list, i + 1 };
	}
	return out;
}

static uint32_t
number_of(const struct policy_attrs *en, const char *attr, uint32_t absent)
{
	char text[16] = "";
	struct bytes v;

	if (!value_of(en, attr, 0, &v) || v.len == 0 || v.len >= sizeof(text))
		return absent;
	memcpy(text, v.p, v.len);
	return (uint32_t)strtoll(text, NULL, 10);
}

static bool
is_class(const struct policy_attrs *en, const char *class)
{
	struct bytes v;

	for (size_t i = 0; value_of(en, "objectClass", i, &v); i++)
		if (v.len == strlen(class) && strncasecmp((const char *)v.p, class, v.len) == 0)
			return true;
	return false;
}

/* A descriptor that cannot be read is as good as none that was read: the rules stay silent about it. */
static struct sd *
descriptor_of(const struct builder *b, const struct policy_attrs *en)
{
	struct sd *sd;
	struct bytes v;

	if (!value_of(en, "nTSecurityDescriptor", 0, &v))
		return NULL;
	sd = POOL_NEW(b->m->pool, struct sd);
	return sd != NULL && sd_from_wire(sd, b->m->pool, v, NULL) == 0 ? sd : NULL;
}

/* ---- one kind of object each ---- */

static int
take_domain(struct builder *b)
{
	const struct lint_request *in = b->in;
	struct bytes v;

	for (size_t i = 0; i < in->n_entries; i++) {
		const struct policy_attrs *en = &in->entries[i];

		if (is_class(en, "domainDNS") && value_of(en, "objectSid", 0, &v) &&
		    b->m->domain.domain.n_sub == 0 && sid_from_wire(&b->m->domain.domain, v, NULL, b->e) != 0)
			return err_prefix(b->e, "objectSid of %.80s", en->dn);
		if (is_class(en, "crossRef") && b->m->nb_domain == NULL)
			b->m->nb_domain = text_of(b, en, "nETBIOSName");
	}
	if (b->m->domain.domain.n_sub == 0)
		return ERR(b->e, E_DS_NO_SUCH_OBJECT,
		    "no domain (objectClass domainDNS with an objectSid) among %zu entries", in->n_entries);
	b->m->domain.root = b->m->domain.domain;
	return 0;
}

static void
take_template(struct builder *b, const struct policy_attrs *en)
{
	struct lint_template *t = &b->m->templates[b->m->n_templates++];
	struct err why = { 0 };

	if (policy_template_decode(&t->t, b->m->pool, en, &why) == 0)
		return;
	t->unreadable = pool_strdup(b->m->pool, why.msg);
	t->t = (struct policy_template){ .cn = text_of(b, en, "cn"), .dn = pool_strdup(b->m->pool, en->dn) };
	if (t->t.cn == NULL)
		t->t.cn = "";
}

static int
take_service(struct builder *b, const struct policy_attrs *en)
{
	struct lint_ca *ca = &b->m->cas[b->m->n_cas++];
	const json_t *o = b->in->settings;
	const char *name = json_string_value(json_object_get(o, "name"));

	*ca = (struct lint_ca){ .name = text_of(b, en, "cn"),
		.display_name = text_of(b, en, "displayName"),
		.dn = pool_strdup(b->m->pool, en->dn),
		.host = text_of(b, en, "dNSHostName"),
		.published = texts_of(b, en, "certificateTemplates"),
		.enrollment_servers = texts_of(b, en, "msPKI-Enrollment-Servers") };
	if (ca->name == NULL)
		ca->name = "";
	if (ca->display_name == NULL)
		ca->display_name = ca->name;
	if (name != NULL && strcasecmp(name, ca->display_name) != 0 && strcasecmp(name, ca->name) != 0)
		o = NULL;
	return lint_settings_read(&ca->set, b->m->pool, o, &b->m->domain, b->e);
}

static void
take_account(struct builder *b, const struct policy_attrs *en, struct bytes wire)
{
	struct lint_account *a = &b->m->accounts[b->m->n_accounts];

	if (sid_from_wire(&a->sid, wire, NULL, NULL) != 0)
		return;
	a->dn = text_of(b, en, "distinguishedName");
	if (a->dn == NULL)
		a->dn = pool_strdup(b->m->pool, en->dn);
	a->sam = text_of(b, en, "sAMAccountName");
	a->dns_host_name = text_of(b, en, "dNSHostName");
	a->member = texts_of(b, en, "member");
	a->member_of = texts_of(b, en, "memberOf");
	a->alt_security_identities = texts_of(b, en, "altSecurityIdentities");
	a->primary_rid = number_of(en, "primaryGroupID", 0);
	a->is_group = is_class(en, "group");
	a->is_computer = is_class(en, "computer");
	a->sd = descriptor_of(b, en);
	if (a->dn != NULL)
		b->m->n_accounts++;
}

static void
take_oid(struct builder *b, const struct policy_attrs *en)
{
	struct lint_oid *o = &b->m->oids[b->m->n_oids++];

	*o = (struct lint_oid){ .dn = pool_strdup(b->m->pool, en->dn),
		.name = text_of(b, en, "displayName"),
		.oid = text_of(b, en, "msPKI-Cert-Template-OID"),
		.group_link = text_of(b, en, "msDS-OIDToGroupLink"),
		.sd = descriptor_of(b, en) };
}

static void
take_object(struct builder *b, const struct policy_attrs *en, const char *kind, bool container)
{
	struct lint_object *o = &b->m->objects[b->m->n_objects];

	*o = (struct lint_object){ .dn = pool_strdup(b->m->pool, en->dn),
		.name = text_of(b, en, "cn"),
		.kind = kind,
		.sd = descriptor_of(b, en),
		.container = container };
	if (o->name == NULL)
		o->name = o->dn;
	if (o->sd != NULL && o->dn != NULL)
		b->m->n_objects++;
}

static const struct {
	const char *class, *kind;
	bool container;
} pki_classes[] = {
	{ "container", "container", true },
	{ "pKIEnrollmentService", "enrollment service of a CA", false },
	{ "certificationAuthority", "CA certificates", false },
	{ "cRLDistributionPoint", "CRL distribution point", false },
	{ "msPKI-Enterprise-Oid", "object identifier", true }, /* the OID container has this class too */
	{ "msPKI-PrivateKeyRecoveryAgent", "key recovery agents", false },
};

/* Lies below (or is) CN=Public Key Services? */
static bool
is_pki(const char *dn)
{
	const char *at = strcasestr(dn, "CN=Public Key Services,");

	return at != NULL && (at == dn || at[-1] == ',');
}

static int
take(struct builder *b, const struct policy_attrs *en)
{
	struct bytes wire;

	if (is_class(en, "pKICertificateTemplate")) {
		take_template(b, en);
		return 0;
	}
	if (is_class(en, "pKIEnrollmentService") && take_service(b, en) != 0)
		return -1;
	if (is_class(en, "msPKI-Enterprise-Oid"))
		take_oid(b, en);
	for (size_t i = 0; is_pki(en->dn) && i < ARRAY_LEN(pki_classes); i++) {
		if (!is_class(en, pki_classes[i].class))
			continue;
		take_object(b, en,
		    strncasecmp(en->dn, "CN=NTAuthCertificates,", 22) == 0 ? "CAs trusted for logon"
									   : pki_classes[i].kind,
		    pki_classes[i].container);
		return 0;
	}
	if (value_of(en, "objectSid", 0, &wire) && !is_class(en, "domainDNS"))
		take_account(b, en, wire);
	return 0;
}

/* The computer accounts of the CAs' hosts count as PKI objects too: who writes them can become the CA (ESC5).
 */
static void
add_ca_hosts(struct builder *b)
{
	struct lint_model *m = b->m;

	for (size_t i = 0; i < m->n_accounts; i++) {
		const struct lint_account *a = &m->accounts[i];

		for (size_t k = 0; k < m->n_cas && a->dns_host_name != NULL && a->sd != NULL; k++) {
			if (m->cas[k].host == NULL || strcasecmp(m->cas[k].host, a->dns_host_name) != 0)
				continue;
			m->objects[m->n_objects++] = (struct lint_object){
				.dn = a->dn, .name = a->sam, .kind = "computer account of a CA", .sd = a->sd
			};
			break;
		}
	}
}

static int
by_sid(const void *a, const void *b)
{
	const struct sid *x = &((const struct lint_account *)a)->sid,
			 *y = &((const struct lint_account *)b)->sid;
	int d = (x->n_sub > y->n_sub) - (x->n_sub < y->n_sub);

	if (d == 0)
		d = memcmp(x->authority, y->authority, sizeof(x->authority));
	return d != 0 ? d : memcmp(x->sub, y->sub, sizeof(x->sub));
}

const struct lint_account *
lint_account_find(const struct lint_model *m, const struct sid *sid)
{
	struct lint_account key = { .sid = *sid };

	return m->n_accounts > 0 ? bsearch(&key, m->accounts, m->n_accounts, sizeof(key), by_sid) : NULL;
}

/* ---- memberships ---- */

static int
by_dn(const void *a, const void *b)
{
	return strcasecmp(((const struct lint_membership *)a)->dn, ((const struct lint_membership *)b)->dn);
}

static int
accounts_by_dn(const void *a, const void *b)
{
	const struct lint_account *const *x = a, *const *y = b;

	return strcasecmp((*x)->dn, (*y)->dn);
}

static const struct lint_account *
find_dn(const struct lint_account *const *sorted, size_t n, const char *dn)
{
	struct lint_account key = { .dn = dn };
	const struct lint_account *at = &key, *const * found;

	found = n > 0 ? bsearch(&at, sorted, n, sizeof(*sorted), accounts_by_dn) : NULL;
	return found != NULL ? *found : NULL;
}

size_t
lint_membership_first(const struct lint_model *m, const char *dn)
{
	size_t low = 0, high = m->n_memberships;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(m->memberships[middle].dn, dn) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
link_members(struct lint_model *m, struct err *e)
{
	const struct lint_account **sorted = pool_calloc(m->pool, m->n_accounts, sizeof(*sorted));
	size_t most = 0;

	for (size_t i = 0; i < m->n_accounts; i++)
		most += m->accounts[i].member.n + m->accounts[i].member_of.n;
	m->memberships = pool_calloc(m->pool, most, sizeof(*m->memberships));
	if (sorted == NULL || m->memberships == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu memberships", most);
	for (size_t i = 0; i < m->n_accounts; i++)
		sorted[i] = &m->accounts[i];
	qsort(sorted, m->n_accounts, sizeof(*sorted), accounts_by_dn);
	for (size_t i = 0; i < m->n_accounts; i++) {
		const struct lint_account *a = &m->accounts[i];

		for (size_t k = 0; a->is_group && k < a->member.n; k++)
			m->memberships[m->n_memberships++] = (struct lint_membership){ a->member.v[k], a };
		for (size_t k = 0; k < a->member_of.n; k++) {
			const struct lint_account *group = find_dn(sorted, m->n_accounts, a->member_of.v[k]);

			if (group != NULL && group->is_group)
				m->memberships[m->n_memberships++] = (struct lint_membership){ a->dn, group };
		}
	}
	qsort(m->memberships, m->n_memberships, sizeof(*m->memberships), by_dn);
	return 0;
}

static int
by_cn(const void *a, const void *b)
{
	return strcasecmp(((const struct lint_template *)a)->t.cn, ((const struct lint_template *)b)->t.cn);
}

void
lint_model_fini(struct lint_model *m)
{
	for (size_t i = 0; i < m->n_tokens; i++)
		token_unref(m->tokens[i]);
}

int
lint_model_build(struct lint_model *m, const struct lint_request *in, struct pool *pool, struct err *e)
{
	struct builder b = { m, in, e };
	size_t n = in->n_entries;

	*m = (struct lint_model){ .pool = pool, .trusted = in->trusted, .n_trusted = in->n_trusted };
	m->templates = pool_calloc(pool, n, sizeof(*m->templates));
	m->cas = pool_calloc(pool, n, sizeof(*m->cas));
	m->objects = pool_calloc(pool, 2 * n, sizeof(*m->objects));
	m->oids = pool_calloc(pool, n, sizeof(*m->oids));
	m->accounts = pool_calloc(pool, n, sizeof(*m->accounts));
	m->tokens = pool_calloc(pool, LINT_TOKENS, sizeof(*m->tokens));
	if (m->templates == NULL || m->cas == NULL || m->objects == NULL || m->oids == NULL ||
	    m->accounts == NULL || m->tokens == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu entries", n);
	if (take_domain(&b) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (take(&b, &in->entries[i]) != 0)
			return -1;
	if (m->nb_domain == NULL)
		m->nb_domain = "";
	qsort(m->accounts, m->n_accounts, sizeof(*m->accounts), by_sid);
	qsort(m->templates, m->n_templates, sizeof(*m->templates), by_cn);
	add_ca_hosts(&b);
	return link_members(m, e);
}
