/*
 * The whole policy on strange input: lines "attribute=value" make the template (octets in hex), an empty line, request
 * attributes, an empty line, and the rest is a PKCS #10. Whatever comes in, an issued plan is one that can be signed.
 * Planted bug: ADCSD_PLANTED_BUG_POLICY_EVALUATE, the pieces of msPKI-RA-Application-Policies are not counted.
 */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "policy/policy.h"

#define MAX_VALUES 64

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct value {
	const char *name;
	struct bytes value;
};
struct source {
	struct value values[MAX_VALUES];
	size_t n;
};

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static bool
is_octets(const char *name)
{
	return strcmp(name, "pKIKeyUsage") == 0 || strcmp(name, "pKIExpirationPeriod") == 0 ||
	    strcmp(name, "pKIOverlapPeriod") == 0 || strcmp(name, "nTSecurityDescriptor") == 0;
}

static bool
get_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct source *s = ctx;

	for (size_t k = 0; k < s->n; k++) {
		if (strcmp(s->values[k].name, attr) != 0 || i-- > 0)
			continue;
		*out = s->values[k].value;
		return true;
	}
	return false;
}

/* In the pool, so that a sanitizer sees the end of the text; empty when it is no hex. */
static struct bytes
octets(struct pool *pool, const char *hex)
{
	struct bytes out = { (const uint8_t *)"", 0 };
	struct buf b;

	buf_init(&b, 1 << 16);
	if (text_parse_hex(&b, hex, NULL) == 0 && pool_dup_bytes(pool, buf_bytes(&b), &out) != 0)
		out.len = 0;
	buf_fini(&b);
	return out;
}

static void
read_template(struct source *s, struct pool *pool, char *text)
{
	for (char *line = text, *next; line != NULL && s->n < MAX_VALUES; line = next) {
		char *value = strchr(line, '=');

		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		if (value == NULL || (next != NULL && value > next))
			continue;
		*value++ = '\0';
		s->values[s->n].name = line;
		s->values[s->n++].value = is_octets(line)
		    ? octets(pool, value)
		    : (struct bytes){ (const uint8_t *)value, strlen(value) };
	}
}

/* Cuts the text up to the next empty line off; NULL when memory is short. */
static char *
cut(struct pool *pool, struct bytes *in)
{
	const uint8_t *end = memmem(in->p, in->len, "\n\n", 2);
	size_t n = end != NULL ? (size_t)(end - in->p) : in->len;
	char *text = pool_strndup(pool, (const char *)in->p, n);

	n = end != NULL ? n + 2 : n;
	in->p += n;
	in->len -= n;
	return text;
}

static void
check_result(const struct policy_result *out)
{
	for (size_t i = 0; i < out->n_reasons; i++)
		require(out->reasons[i].text != NULL && out->reasons[i].section != NULL);
	if (out->outcome == POLICY_DENY) {
		require(out->hr != 0 && out->plan.n_extensions == 0);
		return;
	}
	require(out->template != NULL && out->plan.subject.len >= 2);
	require(out->plan.not_before < out->plan.not_after);
	for (size_t i = 0; i < out->plan.n_extensions; i++)
		for (size_t k = 0; k < i; k++)
			require(!bytes_equal(out->plan.extensions[i].oid, out->plan.extensions[k].oid));
}

static void
evaluate(struct pool *pool, const struct policy_template *t, const char *attributes, struct bytes csr)
{
	static const char *const list[] = { "EMail", "CommonName", "OrganizationalUnit", "Organization" };
	static const uint8_t empty[] = { 0x30, 0x00 }, guid[16];
	static const char *const urls[] = { "http://ca01/ca.crl" };
	const struct x509_strings url = { urls, 1 }, published = { &t->cn, 1 };
	const struct policy_ca ca = {
		.edit_flags =
		    0x11014e | EDITF_ATTRIBUTESUBJECTALTNAME2 | EDITF_ATTRIBUTEENDDATE | EDITF_ATTRIBUTEEKU,
		.request_disposition = 1,
		.validity_months = 24,
		.ca_version = 6,
		.ca_name = "CA",
		.ca_not_after = INT64_C(200000000000000000),
		.ca_key_id = { guid, sizeof(guid) },
		.ca_subject = { empty, sizeof(empty) },
		.cdp_urls = url,
		.aia_urls = url,
		.subject_template = { list, ARRAY_LEN(list) },
		.rdn_reorder = csr.len % 2 == 0,
		.enforce_name_lengths = true,
		.dns_domain = "corp.contoso.com",
		.nb_domain = "CORP",
	};
	const struct policy_subject subject = { "CN=Jane Doe,DC=contoso", "Jane Doe", "jane@contoso.com",
		"jane@contoso.com", "ws01", "jane", "S-1-5-21-1-2-3-1000", { guid, sizeof(guid) }, false };
	struct token caller = { .account = (char[]){ "CORP\\jane" } };
	struct policy_attribute *parsed = NULL;
	struct x509_request request;
	struct policy_input in = { .ca = &ca,
		.caller = &caller,
		.request = &request,
		.templates = t,
		.n_templates = 1,
		.published = &published,
		.subject = &subject,
		.now = INT64_C(134000000000000000) };
	struct policy_result out;
	struct err e;

	if (x509_request_parse(&request, pool, csr, &e) != 0)
		memset(&request, 0, sizeof(request));
	if (policy_attributes_parse(attributes, pool, &parsed, &in.n_attributes, &e) != 0)
		return;
	in.attributes = parsed;
	(void)policy_needs_subject(&in);
	if (policy_evaluate(&in, pool, &out, &e) == 0)
		check_result(&out);
	else
		require(e.hr == E_OUTOFMEMORY);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(16 << 20);
	struct bytes in = { data, size };
	struct source source = { .n = 0 };
	struct policy_attrs attrs = { &source, get_value, "CN=x" };
	struct policy_template t;
	char *template = cut(pool, &in), *attributes = cut(pool, &in);
	struct err e;

	if (template != NULL && attributes != NULL) {
		read_template(&source, pool, template);
		if (policy_template_decode(&t, pool, &attrs, &e) == 0 &&
		    policy_template_qualify(&t, pool, &attrs, 1, &e) == 0)
			evaluate(pool, &t, attributes, in);
		else
			require(e.hr == CERTSRV_E_UNSUPPORTED_CERT_TYPE || e.hr == E_OUTOFMEMORY);
	}
	pool_free(pool);
	return 0;
}
