/* Every row of the rule table has three cases: pass, refuse, boundary (row_cases.h). A row without them fails here. */
#include "policy_support.h"

#include "policy/rule_priv.h"
#include "row_cases.h"

static const char *const kind_names[KINDS] = { "pass", "refuse", "boundary" };
static const char *const said_words[] = { "pass", "refuse", "adds", "pends", "skipped" };

/* ---- commands of a setup ---- */

struct bench {
	struct desk *d;
	char template_name[64]; /* the desk borrows it */
	struct x509_certificate old;
	struct policy_signer signers[4];
	const char *eku[4], *issuance[4], *disabled[2], *ocsp[1];
	struct policy_extension officer[4];
	char *a, *b; /* arguments, NULL when not given */
};

static uint32_t
number(const char *text)
{
	char *end;
	unsigned long v = strtoul(text, &end, 0);

	if (*end != '\0')
		fail_msg("%s is no number", text);
	return (uint32_t)v;
}

static void
do_set(struct bench *s)
{
	desk_set(s->d, s->a, s->b);
}

static void
do_unset(struct bench *s)
{
	desk_unset(s->d, s->a);
}

static void
do_names(struct bench *s)
{
	desk_names_template(s->d, s->a);
}

static void
do_attr(struct bench *s)
{
	for (char *p = s->b; *p != '\0'; p++)
		if (*p == '_')
			*p = ' ';
	desk_attribute(s->d, s->a, s->b);
}

static void
do_published(struct bench *s)
{
	s->d->published.n = 0;
	if (s->a != NULL)
		s->d->published_names[s->d->published.n++] = s->a;
}

static void
do_caversion(struct bench *s)
{
	s->d->ca.ca_version = number(s->a);
}

static void
do_edit(struct bench *s)
{
	s->d->ca.edit_flags = number(s->a);
}

static void
do_chain(struct bench *s)
{
	s->d->ca.chain_status = number(s->a);
	s->d->ca.chain_text = "CN=Issuing: no CRL";
}

static void
do_disposition(struct bench *s)
{
	s->d->ca.request_disposition = number(s->a);
}

static void
do_version(struct bench *s)
{
	s->d->request.has_template_version = true;
	s->d->request.template_major = number(s->a);
	s->d->request.template_minor = number(s->b);
}

static void
do_renew(struct bench *s)
{
	if (strcmp(s->a, "oid") == 0)
		s->old.template_oid = s->b;
	else
		s->old.template_name = s->b;
	s->old.subject = desk_name(s->d, "CN=device");
	s->old.key.spki = desk_hex(s->d, "30053003020107");
	s->d->in.renewal = &s->old;
}

static void
do_samekey(struct bench *s)
{
	s->old.key.spki = s->d->request.key.spki;
}

static void
do_oldsan(struct bench *s)
{
	s->old.alt_names = desk_hex(s->d, s->a);
}

static void
do_subject(struct bench *s)
{
	desk_subject(s->d, s->a);
}

static void
do_cn(struct bench *s)
{
	char dn[128] = "CN=";

	memset(dn + 3, 'n', number(s->a));
	desk_subject(s->d, dn);
}

static void
do_rdns(struct bench *s)
{
	desk_subject_der(s->d, desk_hex(s->d, "3000"));
	s->d->request.n_rdns = number(s->a);
}

static void
do_stranger(struct bench *s)
{
	static const char *const sids[] = { DOMAIN_SID "-1999", "AU", "WD", NULL };

	desk_caller(s->d, "CORP\\stranger", sids);
}

static void
do_behalf(struct bench *s)
{
	s->d->in.on_behalf_of = "CORP\\bob";
}

static void
do_signer(struct bench *s)
{
	size_t i = s->d->in.n_signers++;

	s->eku[i] = s->a;
	s->issuance[i] = s->b;
	s->signers[i] = (struct policy_signer){ "signer", { &s->eku[i], 1 }, { &s->issuance[i], s->b != NULL } };
	s->d->in.signers = s->signers;
	s->d->in.n_vouching = s->d->in.n_signers;
}

static void
do_vouching(struct bench *s)
{
	s->d->in.n_vouching = number(s->a);
}

static void
do_issuancecode(struct bench *s)
{
	s->d->ca.issuance_policy_required = true;
}

static void
do_listedsan(struct bench *s)
{
	s->d->ca.critical_san = false;
}

static void
do_implicitupn(struct bench *s)
{
	s->d->ca.upn_fallback = true;
}

static void
do_key(struct bench *s)
{
	s->d->request.key.type = strcmp(s->a, "ec") == 0 ? X509_KEY_EC : X509_KEY_RSA;
	s->d->request.key.bits = number(s->b);
}

static void
do_archived(struct bench *s)
{
	s->d->request.has_archived_key = true;
}

static void
do_keygen(struct bench *s)
{
	s->d->request.keygen = true;
}

static void
do_ext(struct bench *s)
{
	desk_extension(s->d, s->a, false, s->b);
}

static void
do_critical_ext(struct bench *s)
{
	desk_extension(s->d, s->a, true, s->b);
}

static struct policy_extension *
add_officer(struct bench *s)
{
	struct policy_extension *x = &s->officer[s->d->in.n_officer_extensions++];

	*x = (struct policy_extension){ .oid = s->a, .value = desk_hex(s->d, s->b) };
	s->d->in.officer_extensions = s->officer;
	return x;
}

static void
do_officer(struct bench *s)
{
	add_officer(s);
}

static void
do_critical_officer(struct bench *s)
{
	add_officer(s)->critical = true;
}

static void
do_disabled_officer(struct bench *s)
{
	add_officer(s)->disabled = true;
}

static void
do_extlen(struct bench *s)
{
	struct x509_extension *x;

	desk_extension(s->d, s->a, false, "00");
	x = (struct x509_extension *)(uintptr_t)&s->d->request.extensions[s->d->request.n_extensions - 1];
	x->value.len = number(s->b);
	x->value.p = pool_calloc(s->d->pool, x->value.len, 1);
}

static void
do_lacks(struct bench *s)
{
	struct policy_subject *p = &s->d->subject;

	if (strcmp(s->a, "mail") == 0)
		p->mail = NULL;
	else if (strcmp(s->a, "upn") == 0)
		p->upn = NULL;
	else if (strcmp(s->a, "dns") == 0)
		p->dns_host_name = NULL;
	else if (strcmp(s->a, "sid") == 0)
		p->sid_text = NULL;
	else
		fail_msg("lacks %s", s->a);
}

static void
do_dns(struct bench *s)
{
	s->d->subject.dns_host_name = s->a;
}

static void
do_now(struct bench *s)
{
	s->d->in.now = at(s->a);
}

static void
do_disable(struct bench *s)
{
	s->disabled[s->d->ca.disable_extensions.n] = s->a;
	s->d->ca.disable_extensions = (struct x509_strings){ s->disabled, s->d->ca.disable_extensions.n + 1 };
}

static void
do_cakeyid(struct bench *s)
{
	s->d->ca.ca_key_id.len = 0;
}

static void
do_cdp(struct bench *s)
{
	s->d->ca.cdp_urls.n = number(s->a);
}

static void
do_aia(struct bench *s)
{
	s->d->ca.aia_urls.n = number(s->a);
}

static void
do_ocsp(struct bench *s)
{
	s->ocsp[0] = "http://ocsp.contoso.com";
	s->d->ca.ocsp_urls = (struct x509_strings){ s->ocsp, 1 };
}

/* t NAME: the template, in place of IntunePKCS when it comes first, beside it else. */
static const struct {
	const char *name;
	void (*run)(struct bench *s);
} commands[] = {
	{ "set", do_set },
	{ "unset", do_unset },
	{ "names", do_names },
	{ "attr", do_attr },
	{ "published", do_published },
	{ "caversion", do_caversion },
	{ "edit", do_edit },
	{ "chain", do_chain },
	{ "disposition", do_disposition },
	{ "version", do_version },
	{ "renew", do_renew },
	{ "samekey", do_samekey },
	{ "oldsan", do_oldsan },
	{ "subject", do_subject },
	{ "cn", do_cn },
	{ "rdns", do_rdns },
	{ "stranger", do_stranger },
	{ "behalf", do_behalf },
	{ "signer", do_signer },
	{ "vouching", do_vouching },
	{ "issuancecode", do_issuancecode },
	{ "listedsan", do_listedsan },
	{ "implicitupn", do_implicitupn },
	{ "key", do_key },
	{ "archived", do_archived },
	{ "keygen", do_keygen },
	{ "ext", do_ext },
	{ "ext!", do_critical_ext },
	{ "officer", do_officer },
	{ "officer!", do_critical_officer },
	{ "officer-", do_disabled_officer },
	{ "extlen", do_extlen },
	{ "lacks", do_lacks },
	{ "dns", do_dns },
	{ "now", do_now },
	{ "disable", do_disable },
	{ "cakeyid", do_cakeyid },
	{ "cdp", do_cdp },
	{ "aia", do_aia },
	{ "ocsp", do_ocsp },
};

/* "verb [a [b]]"; the last argument goes to the end. */
static void
run_command(struct bench *s, char *text)
{
	char *verb = text + strspn(text, " ");

	s->a = s->b = NULL;
	if (strchr(verb, ' ') != NULL) {
		s->a = strchr(verb, ' ');
		*s->a++ = '\0';
		s->b = strchr(s->a, ' ');
		if (s->b != NULL)
			*s->b++ = '\0';
	}
	if (strcmp(verb, "t") == 0) {
		desk_template(s->d, s->a);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(commands[i].name, verb) == 0) {
			commands[i].run(s);
			return;
		}
	}
	fail_msg("no command \"%s\"", verb);
}

/* "t X" at the start opens the desk with that template; elsewhere, and in "one template", it adds a second one. */
static void
row_setup(struct bench *s, const struct row_case *c)
{
	const char *setup = c->setup;

	snprintf(s->template_name, sizeof(s->template_name), "IntunePKCS");
	if (strncmp(setup, "t ", 2) == 0 && strcmp(c->rule, "one template") != 0) {
		size_t n = strcspn(setup + 2, ";");

		snprintf(s->template_name, sizeof(s->template_name), "%.*s", (int)n, setup + 2);
		setup += 2 + n + (setup[2 + n] == ';');
	}
	s->d = desk_open(s->template_name);
	while (*setup != '\0') {
		size_t n = strcspn(setup, ";");

		/* SDDL has semicolons of its own: a command ends at "; " */
		while (setup[n] == ';' && setup[n + 1] != ' ')
			n += 1 + strcspn(setup + n + 1, ";");
		run_command(s, pool_strndup(s->d->pool, setup, n));
		setup += n + (setup[n] == ';');
	}
}

/* ---- the test ---- */

static const struct policy_reason *
reason_of(const struct desk *d, const struct row_case *c)
{
	for (size_t i = 0; i < d->out.n_reasons; i++)
		if (d->out.reasons[i].step == c->step && strcmp(d->out.reasons[i].rule, c->rule) == 0)
			return &d->out.reasons[i];
	fail_msg("%d %s, %s \"%s\": the row said nothing; the last was %s: %s", c->step, c->rule, kind_names[c->kind], c->name,
	    last_reason(d)->rule, last_reason(d)->text);
	return NULL;
}

static void
test_cases(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row_cases); i++) {
		const struct row_case *c = &row_cases[i];
		struct bench s = { .d = NULL };
		const struct policy_reason *r;

		row_setup(&s, c);
		desk_run(s.d);
		r = reason_of(s.d, c);
		if (r->said != c->said || strstr(r->text, c->text) == NULL)
			fail_msg("%d %s, %s \"%s\": %s \"%s\", not %s \"%s\"", c->step, c->rule, kind_names[c->kind], c->name,
			    said_words[r->said], r->text, said_words[c->said], c->text);
		if (c->said == R && (s.d->out.outcome != POLICY_DENY || s.d->out.hr != c->hr))
			fail_msg("%d %s, %s \"%s\": 0x%08x", c->step, c->rule, kind_names[c->kind], c->name, s.d->out.hr);
		if (c->said == W)
			assert_int_equal(s.d->out.outcome, POLICY_PEND);
		desk_close(s.d);
	}
}

static bool
has_case(const struct policy_rule *rule, enum kind kind)
{
	for (size_t i = 0; i < ARRAY_LEN(row_cases); i++)
		if (row_cases[i].step == rule->step && row_cases[i].kind == kind && strcmp(row_cases[i].rule, rule->name) == 0)
			return true;
	return false;
}

static void
test_every_row_has_three(void **state)
{
	(void)state;
	for (const struct policy_rule *rule = policy_rules; rule->name != NULL; rule++)
		for (int kind = 0; kind < KINDS; kind++)
			if (!has_case(rule, kind))
				fail_msg("row %d \"%s\" of rules.c has no %s case in row_cases.h", rule->step, rule->name,
				    kind_names[kind]);
}

static const struct policy_rule *
find_rule(const struct row_case *c)
{
	for (const struct policy_rule *rule = policy_rules; rule->name != NULL; rule++)
		if (rule->step == c->step && strcmp(rule->name, c->rule) == 0)
			return rule;
	fail_msg("rules.c has no row %d \"%s\"", c->step, c->rule);
	return NULL;
}

static bool
refuses(const struct policy_rule *rule)
{
	for (size_t i = 0; i < ARRAY_LEN(never_refuse); i++)
		if (strcmp(never_refuse[i], rule->name) == 0)
			return false;
	return rule->check != NULL;
}

/* A pass passes, a refusal refuses, and no case speaks of a row that is not there. */
static void
test_cases_are_what_they_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(row_cases); i++) {
		const struct row_case *c = &row_cases[i];
		const struct policy_rule *rule = find_rule(c);

		if (c->kind == PASS && c->said != P && c->said != A)
			fail_msg("\"%s\" of %s does not pass", c->name, c->rule);
		if (c->kind == REFUSE && refuses(rule) != (c->said == R))
			fail_msg("\"%s\" of %s does not refuse", c->name, c->rule);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_every_row_has_three),
		cmocka_unit_test(test_cases_are_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
