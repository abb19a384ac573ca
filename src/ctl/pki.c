/* pki list, add, remove: the forest's trusted CAs, in its PKI containers (templates.md 8), over LDAP. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "ctl/template.h"
#include "x509/cert.h"
#include "x509/published.h"

#define FILE_MAX (64u << 20)

static const struct container {
	const char *word; /* as certutil -dspublish has it */
	const char *cn;
	const char *console; /* its tab in Manage AD Containers */
	bool crls;
	bool itself; /* the container is the object */
} containers[] = {
	{ "NTAuthCA", "NTAuthCertificates", "NTAuthCertificates", false, true },
	{ "RootCA", "Certification Authorities", "Certification Authorities Container", false, false },
	{ "SubCA", "AIA", "AIA Container", false, false },
	{ "CDP", "CDP", "CDP Container", true, false },
};

static const struct container *
container_by_word(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		if (strcasecmp(containers[i].word, word) == 0)
			return &containers[i];
	}
	return NULL;
}

static const char *
sha1_hex(struct ctl *c, struct bytes der)
{
	const char *text;
	uint8_t sha1[20];
	struct buf b;

	x509_sha1(der, sha1);
	buf_init(&b, 64);
	text_put_hex(&b, (struct bytes){ sha1, sizeof(sha1) });
	text = pool_strdup(c->pool, buf_cstr(&b));
	buf_fini(&b);
	return text != NULL ? text : "";
}

/* ---- list ---- */

static json_t *
describe(struct ctl *c, const struct ctl_entry *en, struct bytes der)
{
	char from[FILETIME_TEXT_MAX], until[FILETIME_TEXT_MAX];
	const char *cn = ctl_entry_text(en, "cn");
	struct x509_published p;
	struct err why;

	if (x509_published_read(&p, c->pool, der, &why) != 0)
		return json_pack("{s:s, s:s, s:s}", "object", cn != NULL ? cn : en->dn, "sha1",
		    sha1_hex(c, der), "error", why.msg);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "object", cn != NULL ? cn : en->dn, "sha1",
	    sha1_hex(c, der), "subject", p.subject, "issuer", p.issuer, p.crl ? "thisUpdate" : "notBefore",
	    filetime_to_text(p.from, from), p.crl ? "nextUpdate" : "notAfter",
	    filetime_to_text(p.until, until), p.crl ? "delta" : "root", p.crl ? p.delta : p.root);
}

static void
put_values(struct ctl *c, json_t *list, const struct ctl_entry *en, const char *attribute)
{
	const struct ctl_attr *a = ctl_entry_attr(en, attribute);

	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (a->values[i].len > 1) /* a list that is not used has one zero octet */
			json_array_append_new(list, describe(c, en, a->values[i]));
	}
}

static json_t *
list_container(struct ctl *c, const struct container *k, struct err *e)
{
	struct ctl_entry *en = NULL;
	json_t *list = json_array();
	size_t n = 0;

	if (ctl_ldap_search(c, ctl_pks_dn(c, k->cn), CTL_SUB,
		k->crls ? "(objectClass=cRLDistributionPoint)" : "(objectClass=certificationAuthority)", &en,
		&n, e) != 0 &&
	    e->hr != E_DS_NO_SUCH_OBJECT) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		put_values(c, list, &en[i], k->crls ? "certificateRevocationList" : "cACertificate");
		if (k->crls)
			put_values(c, list, &en[i], "deltaRevocationList");
	}
	return list;
}

static const char *
member(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

static void
print_container(const struct container *k, const json_t *list)
{
	json_t *o;
	size_t i;

	printf("%s (%s)\n", k->console, k->word);
	json_array_foreach(list, i, o)
	{
		printf("  %s  until %s  %s%s\n", member(o, "sha1"),
		    member(o, k->crls ? "nextUpdate" : "notAfter"), member(o, "subject"),
		    json_is_true(json_object_get(o, "delta")) ? " (delta)" : "");
		if (json_object_get(o, "error") != NULL)
			printf("      %s: %s\n", member(o, "object"), member(o, "error"));
	}
	if (json_array_size(list) == 0)
		printf("  none\n");
}

int
ctl_pki_list(struct ctl *c, const struct ctl_args *a)
{
	json_t *all = json_object(), *list;
	struct err e = { 0 };

	(void)a;
	if (ctl_ldap_open(c, &e) != 0)
		goto fail;
	for (size_t i = 0; i < ARRAY_LEN(containers); i++) {
		list = list_container(c, &containers[i], &e);
		if (list == NULL)
			goto fail;
		json_object_set_new(all, containers[i].word, list);
		if (!c->json)
			print_container(&containers[i], list);
	}
	if (c->json)
		return ctl_print_json(all);
	json_decref(all);
	return CTL_OK;
fail:
	json_decref(all);
	return ctl_fail(c, &e);
}

/* ---- add ---- */

static int
read_published(struct ctl *c, const char *path, struct bytes *der, struct x509_published *p, struct err *e)
{
	struct buf in;
	int rc;

	buf_init(&in, FILE_MAX);
	if (ctl_read_file(path, &in, e) != 0) { /* it names the file */
		buf_fini(&in);
		return -1;
	}
	rc = x509_request_unwrap(buf_bytes(&in), c->pool, der, e);
	if (rc == 0) /* DER comes back as it was, in the buffer */
		rc = pool_dup_bytes(c->pool, *der, der) == 0
		    ? 0
		    : ERR(e, E_OUTOFMEMORY, "no memory for %s", path);
	buf_fini(&in);
	if (rc == 0)
		rc = x509_published_read(p, c->pool, *der, e);
	return rc == 0 ? 0 : err_prefix(e, "%s", path);
}

static const char *
object_dn(struct ctl *c, const char *name, const char *parent, struct err *e)
{
	const char *dn = NULL;
	struct buf b;

	buf_init(&b, 16384);
	buf_put_str(&b, "CN=");
	if (text_put_sanitized(&b, name, e) == 0) {
		buf_printf(&b, ",%s", parent);
		dn = buf_ok(&b) ? pool_strdup(c->pool, buf_cstr(&b)) : NULL;
		if (dn == NULL)
			ERR(e, E_INVALIDARG, "the name is too long");
	}
	buf_fini(&b);
	return dn;
}

/* An object that has nothing yet but its class, and what that class insists on. */
static int
make_object(struct ctl *c, const char *dn, const char *class, struct bytes certificate, struct err *e)
{
	struct bytes classes[] = { { (const uint8_t *)"top", 3 }, { (const uint8_t *)class, strlen(class) } };
	struct bytes zero = { (const uint8_t *)"", 1 };
	struct ctl_entry en = { .dn = dn };
	const char *cn = pool_strndup(c->pool, dn + 3, strcspn(dn + 3, ","));

	if (cn == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for an entry");
	if (ctl_entry_set_bytes(c, &en, "objectClass", classes, 2, e) != 0 ||
	    ctl_entry_set_text(c, &en, "cn", cn, e) != 0)
		return -1;
	if (certificate.len > 0 &&
	    (ctl_entry_set_bytes(c, &en, "cACertificate", &certificate, 1, e) != 0 ||
		ctl_entry_set_bytes(c, &en, "authorityRevocationList", &zero, 1, e) != 0 ||
		ctl_entry_set_bytes(c, &en, "certificateRevocationList", &zero, 1, e) != 0))
		return -1;
	return ctl_ldap_add(c, &en, e);
}

static bool
has_value(const struct ctl_attr *a, struct bytes v)
{
	for (size_t i = 0; a != NULL && i < a->n; i++) {
		if (bytes_equal(a->values[i], v))
			return true;
	}
	return false;
}

static int
add_certificate(struct ctl *c, const char *dn, struct bytes der, struct err *e)
{
	struct ctl_attr value = { "cACertificate", &der, 1 };
	struct ctl_entry *en;
	size_t n = 0;

	if (ctl_ldap_search(c, dn, CTL_BASE, "(objectClass=*)", &en, &n, e) != 0 &&
	    e->hr != E_DS_NO_SUCH_OBJECT)
		return -1;
	if (n == 0)
		return make_object(c, dn, "certificationAuthority", der, e);
	return has_value(ctl_entry_attr(&en[0], "cACertificate"), der)
	    ? 0
	    : ctl_ldap_add_values(c, dn, &value, e);
}

static int
add_crl(struct ctl *c, const struct x509_published *p, const char *host, struct bytes der, const char **dn,
    struct err *e)
{
	struct ctl_attr value = { p->delta ? "deltaRevocationList" : "certificateRevocationList", &der, 1 };
	const char *parent = object_dn(c, host, ctl_pks_dn(c, "CDP"), e);

	*dn = parent != NULL ? object_dn(c, p->name, parent, e) : NULL;
	if (*dn == NULL)
		return -1;
	if (make_object(c, parent, "container", (struct bytes){ NULL, 0 }, e) != 0 &&
	    e->hr != E_ALREADY_EXISTS)
		return -1;
	if (make_object(c, *dn, "cRLDistributionPoint", (struct bytes){ NULL, 0 }, e) != 0 &&
	    e->hr != E_ALREADY_EXISTS)
		return -1;
	return ctl_ldap_replace(c, *dn, &value, 1, e);
}

static int
said(struct ctl *c, const char *done, const char *const *dns, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		json_array_append_new(list, json_string(dns[i]));
		if (!c->json)
			printf("%s %s\n", done, dns[i]);
	}
	if (c->json)
		return ctl_print_json(json_pack("{s:o}", done, list));
	json_decref(list);
	return CTL_OK;
}

int
ctl_pki_add(struct ctl *c, const struct ctl_args *a)
{
	const struct container *k = container_by_word(a->positional[1]);
	const char *host = ctl_arg(a, "host"), *dns[2] = { NULL, NULL };
	struct x509_published p;
	struct bytes der;
	struct err e = { 0 };
	size_t n = 0;
	int rc;

	if (k == NULL)
		return ctl_usage("pki add: '%s' is none of NTAuthCA, RootCA, SubCA, CDP", a->positional[1]);
	if (host != NULL && !k->crls)
		return ctl_usage("pki add: --host goes with a CRL");
	if (read_published(c, a->positional[0], &der, &p, &e) != 0)
		return ctl_fail(c, &e);
	if (p.crl != k->crls)
		return ctl_usage("pki add: %s is a %s; that goes %s", a->positional[0],
		    p.crl ? "CRL" : "certificate", p.crl ? "to CDP" : "to NTAuthCA, RootCA or SubCA");
	if (!p.crl && !p.ca)
		return ctl_usage("pki add: %s is no CA certificate", a->positional[0]);
	if (strcmp(k->word, "RootCA") == 0 && !p.root)
		return ctl_usage("pki add: %s is not self-signed: SubCA", a->positional[0]);
	rc = ctl_ldap_open(c, &e);
	if (rc == 0 && k->crls) {
		rc = add_crl(c, &p, host != NULL ? host : p.name, der, &dns[n++], &e);
	} else if (rc == 0) {
		dns[n++] = k->itself ? ctl_pks_dn(c, k->cn) : object_dn(c, p.name, ctl_pks_dn(c, k->cn), &e);
		rc = dns[0] != NULL ? add_certificate(c, dns[0], der, &e) : -1;
		/* as certutil does: whoever looks for issuers looks there */
		if (rc == 0 && p.root && !k->itself && strcmp(k->word, "RootCA") == 0) {
			dns[n] = object_dn(c, p.name, ctl_pks_dn(c, "AIA"), &e);
			rc = dns[n] != NULL ? add_certificate(c, dns[n], der, &e) : -1;
			n++;
		}
	}
	return rc == 0 ? said(c, "published", dns, n) : ctl_fail(c, &e);
}

/* ---- remove ---- */

/* The class insists on one value: an object of one certificate goes with it, NTAuthCertificates stays with
 * one zero octet. */
static int
remove_value(
    struct ctl *c, const struct container *k, const struct ctl_entry *en, struct bytes der, struct err *e)
{
	const struct ctl_attr *have = ctl_entry_attr(en, "cACertificate");
	struct bytes zero = { (const uint8_t *)"", 1 };
	struct ctl_attr value = { "cACertificate", &der, 1 };

	if (have->n > 1)
		return ctl_ldap_delete_values(c, en->dn, &value, e);
	if (!k->itself)
		return ctl_ldap_delete(c, en->dn, e);
	value.values = &zero;
	return ctl_ldap_replace(c, en->dn, &value, 1, e);
}

static const char *
hash_of(struct ctl *c, const char *what, struct err *e)
{
	struct x509_published p;
	const char *text = NULL;
	struct bytes der;
	struct err ignored;
	struct buf sha1;

	buf_init(&sha1, 4096);
	if (text_parse_hex(&sha1, what, &ignored) == 0 && buf_ok(&sha1) && sha1.len == 20) {
		struct buf hex;

		buf_init(&hex, 64);
		text_put_hex(&hex, buf_bytes(&sha1));
		text = pool_strdup(c->pool, buf_cstr(&hex));
		buf_fini(&hex);
	} else if (read_published(c, what, &der, &p, e) == 0) {
		text = sha1_hex(c, der);
	}
	buf_fini(&sha1);
	return text;
}

int
ctl_pki_remove(struct ctl *c, const struct ctl_args *a)
{
	const struct container *k = container_by_word(a->positional[1]);
	struct ctl_entry *en = NULL;
	const char **dns, *hash;
	struct err e = { 0 };
	size_t n = 0, removed = 0;

	if (k == NULL || k->crls)
		return ctl_usage("pki remove: '%s' is none of NTAuthCA, RootCA, SubCA", a->positional[1]);
	hash = hash_of(c, a->positional[0], &e);
	if (hash == NULL || ctl_ldap_open(c, &e) != 0 ||
	    ctl_ldap_search(
		c, ctl_pks_dn(c, k->cn), CTL_SUB, "(objectClass=certificationAuthority)", &en, &n, &e) != 0)
		return ctl_fail(c, &e);
	dns = pool_calloc(c->pool, n, sizeof(*dns));
	for (size_t i = 0; dns != NULL && i < n; i++) {
		const struct ctl_attr *have = ctl_entry_attr(&en[i], "cACertificate");

		for (size_t v = 0; have != NULL && v < have->n; v++) {
			if (strcmp(sha1_hex(c, have->values[v]), hash) != 0)
				continue;
			if (remove_value(c, k, &en[i], have->values[v], &e) != 0)
				return ctl_fail(c, &e);
			dns[removed++] = en[i].dn;
			break;
		}
	}
	if (dns == NULL)
		ERR(&e, E_OUTOFMEMORY, "no memory for names");
	else if (removed == 0)
		ERR(&e, CRYPT_E_NOT_FOUND, "%s is not in the %s", a->positional[0], k->console);
	return removed > 0 ? said(c, "removed", dns, removed) : ctl_fail(c, &e);
}
