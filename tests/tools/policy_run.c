/*
 * The policy module alone, for the oracle (tests/oracle/run.py): one case a line in, as JSON; verdict, certificate plan
 * and explanation a line out. Octets are hexadecimal; template attributes that hold octets start with "hex:".
 *
 * policy_run [--time N]   evaluates each case N times more and prints the microseconds per evaluation to standard error
 *
 * With -DADCSD_SKIP_RULE, for `make mutate`: --rules lists the rows of the rule table, --skip ROW evaluates without one.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "policy/policy.h"
#ifdef ADCSD_SKIP_RULE
#include "policy/rule_priv.h"
#endif

#define POOL_MAX (16 * 1024 * 1024)

struct run {
	struct pool *pool;
	struct err e;
	unsigned repeat;
	uint64_t spent_us, evaluations;
};

/* The test's own mistakes end the program; only what the engine answers is a result. */
static void *
must(void *p, const char *what)
{
	if (p == NULL) {
		fprintf(stderr, "policy_run: bad case: %s\n", what);
		exit(2);
	}
	return p;
}

static json_t *
member(const json_t *o, const char *name)
{
	return must(json_object_get(o, name), name);
}

static int64_t
number(const json_t *o, const char *name)
{
	return json_integer_value(member(o, name));
}

static bool
flag(const json_t *o, const char *name)
{
	return json_is_true(member(o, name));
}

/* NULL for null. */
static const char *
text(const json_t *o, const char *name)
{
	return json_string_value(member(o, name));
}

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c != 0 ? strchr(digits, c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* A NUL follows that len does not count. */
static struct bytes
octets(struct run *r, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *p = must(pool_alloc(r->pool, n + 1), "memory");

	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			must(NULL, "hexadecimal digits");
		p[i] = (uint8_t)(high << 4 | low);
	}
	return (struct bytes){ p, n };
}

static struct x509_strings
strings(struct run *r, const json_t *array)
{
	size_t n = json_array_size(array);
	const char **v = must(pool_calloc(r->pool, n, sizeof(*v)), "memory");

	for (size_t i = 0; i < n; i++)
		v[i] = must((void *)(uintptr_t)json_string_value(json_array_get(array, i)), "a list of texts");
	return (struct x509_strings){ v, n };
}

/* ---- the inputs ---- */

static void
read_ca(struct run *r, const json_t *o, struct policy_ca *ca)
{
	*ca = (struct policy_ca){
		.edit_flags = (uint32_t)number(o, "edit_flags"),
		.request_disposition = (uint32_t)number(o, "request_disposition"),
		.clock_skew = number(o, "clock_skew_minutes") * FILETIME_MINUTE,
		.validity_months = (int)number(o, "validity_months"),
		.validity_span = number(o, "validity_seconds") * FILETIME_SECOND,
		.ca_version = (unsigned)number(o, "ca_version"),
		.ca_name = text(o, "ca_name"),
		.ca_not_before = number(o, "ca_not_before"),
		.ca_not_after = number(o, "ca_not_after"),
		.ca_key_id = octets(r, text(o, "ca_key_id")),
		.ca_subject = octets(r, text(o, "ca_subject")),
		.ca_issuer = octets(r, text(o, "ca_issuer")),
		.ca_serial = octets(r, text(o, "ca_serial")),
		.cdp_urls = strings(r, member(o, "cdp_urls")),
		.aia_urls = strings(r, member(o, "aia_urls")),
		.ocsp_urls = strings(r, member(o, "ocsp_urls")),
		.enable_request_extensions = strings(r, member(o, "enable_request_extensions")),
		.disable_extensions = strings(r, member(o, "disable_extensions")),
		.subject_template = strings(r, member(o, "subject_template")),
		.rdn_reorder = flag(o, "rdn_reorder"),
		.enforce_name_lengths = flag(o, "enforce_name_lengths"),
		.upn_fallback = flag(o, "upn_fallback"),
		.critical_san = flag(o, "critical_san"),
		.esc15_copy_application_policies = flag(o, "esc15"),
		.dns_domain = text(o, "dns_domain"),
		.nb_domain = text(o, "nb_domain"),
		.max_extension = (uint32_t)number(o, "max_extension"),
	};
}

struct template_source {
	struct run *run;
	const json_t *attributes;
};

/* policy_attrs: attribute names compare without case, as in the directory. */
static bool
template_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct template_source *source = ctx;
	const char *name;
	json_t *values;

	json_object_foreach((json_t *)(uintptr_t)source->attributes, name, values)
	{
		const char *v;

		if (strcasecmp(name, attr) != 0)
			continue;
		v = json_string_value(json_array_get(values, i));
		if (v == NULL)
			return false;
		if (strncmp(v, "hex:", 4) == 0)
			*out = octets(source->run, v + 4);
		else
			*out = (struct bytes){ (const uint8_t *)v, strlen(v) };
		return true;
	}
	return false;
}

/* msPKI-Enterprise-Oid objects: a list of attribute lists. */
static struct policy_attrs *
read_oids(struct run *r, const json_t *array)
{
	size_t n = json_array_size(array);
	struct policy_attrs *out = must(pool_calloc(r->pool, n, sizeof(*out)), "memory");
	struct template_source *sources = must(pool_calloc(r->pool, n, sizeof(*sources)), "memory");

	for (size_t i = 0; i < n; i++) {
		sources[i] = (struct template_source){ r, json_array_get(array, i) };
		out[i] = (struct policy_attrs){ &sources[i], template_value, "CN=OID" };
	}
	return out;
}

/* A template that cannot be decoded is not loaded, as the CA does it. */
static void
read_templates(struct run *r, const json_t *array, const json_t *objects, struct policy_input *in)
{
	size_t n = json_array_size(array), n_oids = json_array_size(objects);
	struct policy_template *t = must(pool_calloc(r->pool, n, sizeof(*t)), "memory");
	const struct policy_attrs *oids = read_oids(r, objects);

	in->templates = t;
	for (size_t i = 0; i < n; i++) {
		const json_t *one = json_array_get(array, i);
		struct template_source source = { r, member(one, "attributes") };
		struct policy_attrs attrs = { &source, template_value, text(one, "dn") };

		if (policy_template_decode(&t[in->n_templates], r->pool, &attrs, &r->e) == 0 &&
		    policy_template_qualify(&t[in->n_templates], r->pool, oids, n_oids, &r->e) == 0)
			in->n_templates++;
		else
			fprintf(stderr, "policy_run: not loaded: %s\n", r->e.msg);
	}
}

static struct token *
read_token(struct run *r, const json_t *o)
{
	struct token *t = must(
	    token_new(text(o, "account"), text(o, "dn"), text(o, "upn"), flag(o, "is_computer")), "memory");
	const json_t *sids = member(o, "sids");

	for (size_t i = 0; i < json_array_size(sids); i++) {
		struct sid sid;

		if (sid_from_text(&sid, json_string_value(json_array_get(sids, i)), &r->e) != 0 ||
		    token_add(t, &sid, i == 0 ? TOKEN_VIA_USER : TOKEN_VIA_GROUP, NULL, &r->e) != 0)
			must(NULL, r->e.msg);
	}
	return t;
}

static void
read_subject(struct run *r, const json_t *o, struct policy_subject *s)
{
	*s = (struct policy_subject){
		.dn = text(o, "dn"),
		.cn = text(o, "cn"),
		.upn = text(o, "upn"),
		.mail = text(o, "mail"),
		.dns_host_name = text(o, "dns_host_name"),
		.sam = text(o, "sam"),
		.sid_text = text(o, "sid"),
		.guid = octets(r, text(o, "guid")),
		.is_computer = flag(o, "is_computer"),
	};
}

static void
read_signers(struct run *r, const json_t *array, struct policy_input *in)
{
	size_t n = json_array_size(array);
	struct policy_signer *s = must(pool_calloc(r->pool, n, sizeof(*s)), "memory");

	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(array, i);

		s[i].name = text(o, "name");
		s[i].application_policies = strings(r, member(o, "application_policies"));
		s[i].issuance_policies = strings(r, member(o, "issuance_policies"));
	}
	in->signers = n > 0 ? s : NULL;
	in->n_signers = n;
}

/* What a PKCS #10 alone cannot be: a renewal, or for somebody else. */
static void
read_wrapping(struct run *r, const json_t *given, struct x509_certificate *renewal, struct policy_input *in)
{
	const char *old = text(given, "renewal_der");

	in->on_behalf_of = text(given, "on_behalf_of");
	in->n_vouching = (size_t)number(given, "vouching");
	in->archived_for = (size_t)number(given, "archived_for");
	if (old == NULL)
		return;
	if (x509_certificate_read(renewal, r->pool, octets(r, old), &r->e) != 0)
		must(NULL, r->e.msg);
	in->renewal = renewal;
}

/* [[oid, critical, disabled, value]] */
static void
read_officer_extensions(struct run *r, const json_t *array, struct policy_input *in)
{
	size_t n = json_array_size(array);
	struct policy_extension *x = must(pool_calloc(r->pool, n, sizeof(*x)), "memory");

	for (size_t i = 0; i < n; i++) {
		const json_t *o = json_array_get(array, i);

		x[i].oid = json_string_value(json_array_get(o, 0));
		x[i].critical = json_is_true(json_array_get(o, 1));
		x[i].disabled = json_is_true(json_array_get(o, 2));
		x[i].value = octets(r, json_string_value(json_array_get(o, 3)));
	}
	in->officer_extensions = x;
	in->n_officer_extensions = n;
}

/* pwszAttributes first, then the request's own. */
static void
read_attributes(struct run *r, const char *given, const struct x509_request *request, struct policy_input *in)
{
	struct policy_attribute *parsed, *all;
	size_t n;

	if (policy_attributes_parse(given, r->pool, &parsed, &n, &r->e) != 0)
		must(NULL, r->e.msg);
	all = must(pool_calloc(r->pool, n + request->n_name_values, sizeof(*all)), "memory");
	for (size_t i = 0; i < n; i++)
		all[i] = parsed[i];
	for (size_t i = 0; i < request->n_name_values; i++, n++)
		all[n] = (struct policy_attribute){ request->name_values[i].name, request->name_values[i].value };
	in->attributes = all;
	in->n_attributes = n;
}

/* ---- the answer ---- */

static json_t *
hex(struct bytes b)
{
	static const char digits[] = "0123456789abcdef";
	char *out = must(malloc(2 * b.len + 1), "memory");
	json_t *j;

	for (size_t i = 0; i < b.len; i++) {
		out[2 * i] = digits[b.p[i] >> 4];
		out[2 * i + 1] = digits[b.p[i] & 15];
	}
	j = json_stringn(out, 2 * b.len);
	free(out);
	return j;
}

static json_t *
reasons_json(const struct policy_result *res)
{
	static const char *const said[] = { [POLICY_PASS] = "pass", [POLICY_REFUSE] = "refuse", [POLICY_ADDS] = "adds",
		[POLICY_PENDS] = "pends", [POLICY_SKIPPED] = "skipped" };
	json_t *array = json_array();

	for (size_t i = 0; i < res->n_reasons; i++) {
		const struct policy_reason *why = &res->reasons[i];

		json_array_append_new(array, json_pack("{s:i, s:s, s:s, s:s?}", "step", why->step, "rule", why->rule,
		    "said", said[why->said], "text", why->text));
	}
	return array;
}

static void
plan_json(json_t *out, const struct policy_result *res)
{
	const struct x509_cert_plan *plan = &res->plan;
	json_t *extensions = json_array();

	for (size_t i = 0; i < plan->n_extensions; i++) {
		const struct x509_extension *x = &plan->extensions[i];

		json_array_append_new(
		    extensions, json_pack("[o, b, o]", hex(x->oid), (int)x->critical, hex(x->value)));
	}
	json_object_set_new(out, "extensions", extensions);
	json_object_set_new(out, "issuer", hex(plan->issuer));
	json_object_set_new(out, "subject", hex(plan->subject));
	json_object_set_new(out, "spki", hex(plan->spki));
	json_object_set_new(out, "not_before", json_integer(plan->not_before));
	json_object_set_new(out, "not_after", json_integer(plan->not_after));
	json_object_set_new(out, "publish_to_ds", json_boolean(res->publish_to_ds));
}

static void
answer(const json_t *given, const struct policy_result *res)
{
	static const char *const outcome[] = { [POLICY_ISSUE] = "issue", [POLICY_PEND] = "pend",
		[POLICY_DENY] = "deny" };
	json_t *out = json_object();
	char *line;

	json_object_set_new(out, "id", json_integer(number(given, "id")));
	json_object_set_new(out, "outcome", json_string(outcome[res->outcome]));
	json_object_set_new(out, "hr", json_integer(res->outcome == POLICY_DENY ? res->hr : 0));
	if (res->outcome != POLICY_DENY)
		plan_json(out, res);
	json_object_set_new(out, "reasons", reasons_json(res));
	line = must(json_dumps(out, JSON_COMPACT), "the answer");
	puts(line);
	free(line);
	json_decref(out);
}

static void
evaluate(struct run *r, const struct policy_input *in, struct policy_result *res)
{
	if (policy_evaluate(in, r->pool, res, &r->e) != 0)
		must(NULL, r->e.msg);
	for (unsigned i = 0; i < r->repeat; i++) {
		struct policy_result again;
		struct pool *pool = must(pool_new(POOL_MAX), "memory");
		uint64_t start = clock_monotonic_us();

		if (policy_evaluate(in, pool, &again, &r->e) != 0)
			must(NULL, r->e.msg);
		r->spent_us += clock_monotonic_us() - start;
		r->evaluations++;
		pool_free(pool);
	}
}

static void
run_case(struct run *r, const json_t *given)
{
	struct policy_ca ca;
	struct policy_subject subject;
	struct x509_request request;
	struct x509_certificate renewal;
	struct x509_strings published;
	struct policy_result res;
	struct policy_input in = { .ca = &ca, .request = &request, .published = &published };
	struct token *caller;

	r->pool = must(pool_new(POOL_MAX), "memory");
	read_ca(r, member(given, "ca"), &ca);
	published = strings(r, member(given, "published"));
	read_templates(r, member(given, "templates"), member(given, "oids"), &in);
	read_signers(r, member(given, "signers"), &in);
	read_wrapping(r, given, &renewal, &in);
	read_officer_extensions(r, member(given, "officer_extensions"), &in);
	if (x509_request_parse(&request, r->pool, octets(r, text(given, "csr")), &r->e) != 0)
		must(NULL, r->e.msg);
	read_attributes(r, text(given, "attributes"), &request, &in);
	in.caller = caller = read_token(r, member(given, "token"));
	in.now = number(given, "now");
	in.approved = flag(given, "approved");
	if (policy_needs_subject(&in)) {
		read_subject(r, member(given, "subject"), &subject);
		in.subject = &subject;
	}
	evaluate(r, &in, &res);
	answer(given, &res);
	token_unref(caller);
	pool_free(r->pool);
}

#ifdef ADCSD_SKIP_RULE
const struct policy_rule *policy_skipped_rule;

static int
list_rules(void)
{
	for (const struct policy_rule *rule = policy_rules; rule->name != NULL; rule++)
		printf("%d %s\n", rule->step, rule->name);
	return 0;
}
#endif

int
main(int argc, char **argv)
{
	struct run r = { 0 };
	char *line = NULL;
	size_t size = 0;

	if (argc == 3 && strcmp(argv[1], "--time") == 0)
		r.repeat = (unsigned)strtoul(argv[2], NULL, 10);
#ifdef ADCSD_SKIP_RULE
	if (argc == 2 && strcmp(argv[1], "--rules") == 0)
		return list_rules();
	if (argc == 3 && strcmp(argv[1], "--skip") == 0)
		policy_skipped_rule = &policy_rules[strtoul(argv[2], NULL, 10)];
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* some rows are missed by a crash */
#endif
	while (getline(&line, &size, stdin) > 0) {
		json_error_t why;
		json_t *given = json_loads(line, 0, &why);

		run_case(&r, must(given, why.text));
		json_decref(given);
	}
	free(line);
	if (r.evaluations > 0)
		fprintf(stderr, "%.2f microseconds per decision (%llu decisions)\n",
		    (double)r.spent_us / (double)r.evaluations, (unsigned long long)r.evaluations);
	return 0;
}
