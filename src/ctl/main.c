/* adcsctl: finds the verb, reads its options, runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ldap.h"

#define MAX_OPTIONS 96
#define MAX_POSITIONAL 256
#define POOL_MAX (512u * 1024 * 1024)

/* ---- help ---- */

static void
print_verb(const struct ctl_verb *v, FILE *f)
{
	char line[160];

	snprintf(line, sizeof(line), "%s%s%s%s%s", v->noun, v->verb != NULL ? " " : "",
	    v->verb != NULL ? v->verb : "", *v->positional != '\0' ? " " : "", v->positional);
	fprintf(f, "  %-52s %s\n", line, v->help);
}

/* "template acl show", in the pool. */
static const char *
verb_name(const struct ctl *c, const struct ctl_verb *v)
{
	const char *name = pool_printf(
	    c->pool, "%s%s%s", v->noun, v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "");

	return name != NULL ? name : v->noun;
}

static void
print_options(const struct ctl_verb *v, FILE *f)
{
	for (const struct ctl_option *o = v->options; o != NULL && o->name != NULL; o++) {
		char line[160];

		if (*o->name == '\0') {
			fprintf(f, "    %s\n", o->help);
			continue;
		}
		snprintf(line, sizeof(line), "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(f, "      %-40s ", line);
		if (strlen(line) > 40)
			fprintf(f, "\n%47s", "");
		fprintf(f, "%s\n", o->help);
	}
}

/* noun NULL: all. */
static void
print_verbs(const char *noun, FILE *f)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if (noun != NULL && strcmp(noun, v->noun) != 0)
			continue;
		print_verb(v, f);
		if (noun != NULL)
			print_options(v, f);
	}
}

static bool
is_noun(const char *word)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
		if (strcmp(word, v->noun) == 0)
			return true;
	return false;
}

static int
help(const char *noun)
{
	if (noun != NULL && !is_noun(noun))
		return ctl_usage("'%s' is no noun of adcsctl", noun);
	printf("usage: adcsctl [--state DIR] [--json] NOUN VERB ...\n\n");
	print_verbs(noun, stdout);
	printf(
	    "\n  --state DIR      the server's state folder (default: $ADCSD_STATE)\n"
	    "  --directory URI  another directory than the server's, for template verbs\n"
	    "  --bind NAME      who binds there: a DN, UPN or DOMAIN\\user with --password-file FILE "
	    "(simple), gssapi, external\n"
	    "  --config HOST\\CA the CA to reach over RPC, \"host[:port]\\CA name\" (default: the server's "
	    "own)\n"
	    "  --user NAME      who asks it: DOMAIN\\name or a UPN, with --password-file FILE, --hash NT,\n"
	    "                   $ADCSD_PASSWORD or a prompt; --auth negotiate|ntlm, --level "
	    "privacy|...|none\n"
	    "  --kerberos       the account of the ticket cache asks it ($KRB5CCNAME, $KRB5_CONFIG);\n"
	    "                   --auth negotiate|kerberos, --spn SERVICE (default: host/HOST)\n"
	    "  --json           machine-readable output\n"
	    "  adcsctl help NOUN lists the options of its verbs\n\n"
	    "Exit codes: 0 done, issued or true; 1 failure; 2 usage; 3 pending; 4 denied, false, or "
	    "findings of lint.\n");
	return CTL_OK;
}

/* ---- dispatch ---- */

/* Words of argv that spell the verb: 0 when it has none, -1 when they do not match. */
static int
match_words(const char *verb, int argc, char **argv)
{
	int words = 0;

	if (verb == NULL)
		return 0;
	while (*verb != '\0') {
		size_t n = strcspn(verb, " ");

		if (words == argc || strlen(argv[words]) != n || strncmp(argv[words], verb, n) != 0)
			return -1;
		words++;
		verb += n + (verb[n] == ' ');
	}
	return words;
}

static const struct ctl_verb *
find_verb(const char *noun, int argc, char **argv, int *words)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) != 0)
			continue;
		*words = match_words(v->verb, argc, argv);
		if (*words >= 0)
			return v;
	}
	return NULL;
}

/* Takes "--name value" or "--name=value" at argv[*i] when it is of the table. 1 taken, 0 another, -1 told
 * what is wrong. */
static int
take_option(const struct ctl_option *options, char **argv, int argc, int *i, const char **values)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	size_t n = eq != NULL ? (size_t)(eq - name) : strlen(name);

	for (size_t k = 0; options != NULL && options[k].name != NULL; k++) {
		const struct ctl_option *o = &options[k];

		if (n == 0 || strlen(o->name) != n || strncmp(o->name, name, n) != 0)
			continue;
		if (o->value == NULL && eq != NULL) {
			ctl_usage("--%s takes no value", o->name);
			return -1;
		}
		if (o->value != NULL && eq == NULL && *i + 1 == argc) {
			ctl_usage("--%s needs %s", o->name, o->value);
			return -1;
		}
		values[k] = o->value == NULL ? "yes" : eq != NULL ? eq + 1 : argv[++*i];
		return 1;
	}
	return 0;
}

/* The options that may stand anywhere. */
static int
take_global(struct ctl *c, char **argv, int argc, int *i)
{
	static const struct ctl_option options[] = {
		{ "state", "DIR", NULL },
		{ "directory", "URI", NULL },
		{ "bind", "NAME|gssapi|external", NULL },
		{ "password-file", "FILE", NULL },
		{ "json", NULL, NULL },
		{ "config", "HOST\\CA", NULL },
		{ "user", "DOMAIN\\NAME", NULL },
		{ "hash", "NT", NULL },
		{ "auth", "negotiate|ntlm|kerberos", NULL },
		{ "level", "LEVEL", NULL },
		{ "spn", "SERVICE", NULL },
		{ "kerberos", NULL, NULL },
		{ 0 },
	};
	const char **remote[] = { &c->config, &c->user, &c->hash, &c->auth, &c->level, &c->spn };
	const char *values[ARRAY_LEN(options)] = { NULL };
	int taken = take_option(options, argv, argc, i, values);

	if (values[0] != NULL)
		c->state = values[0];
	if (values[1] != NULL)
		c->uri = values[1];
	if (values[2] != NULL)
		c->bind = values[2];
	if (values[3] != NULL)
		c->password_file = values[3];
	if (values[4] != NULL)
		c->json = true;
	for (size_t k = 0; k < ARRAY_LEN(remote); k++)
		if (values[5 + k] != NULL)
			*remote[k] = values[5 + k];
	if (values[5 + ARRAY_LEN(remote)] != NULL)
		c->kerberos = true;
	return taken;
}

/* A usage error that shows how the verb is called. */
static int
wrong_call(const struct ctl_verb *v, const char *fmt, ...) PRINTF_LIKE(2, 3);

static int
wrong_call(const struct ctl_verb *v, const char *fmt, ...)
{
	va_list ap;

	fputs("adcsctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	putc('\n', stderr);
	print_verb(v, stderr);
	print_options(v, stderr);
	return CTL_USAGE;
}

/* The n-th word of "NAME PRINCIPAL RIGHT...". */
static const char *
nth_word(const struct ctl *c, const char *s, size_t n)
{
	for (; n > 0; n--) {
		s += strcspn(s, " ");
		s += *s == ' ';
	}
	return pool_strndup(c->pool, s, strcspn(s, " ."));
}

static int
run_verb(struct ctl *c, const struct ctl_verb *v, int argc, char **argv)
{
	const char *positional[MAX_POSITIONAL], *values[MAX_OPTIONS] = { NULL };
	struct ctl_args a = { positional, 0, v->options, values };

	for (int i = 0; i < argc; i++) {
		int taken;

		if (strncmp(argv[i], "--", 2) != 0) {
			if (a.n_positional == v->max_positional || a.n_positional == MAX_POSITIONAL)
				return wrong_call(
				    v, "%s: '%s' is one argument too many", verb_name(c, v), argv[i]);
			positional[a.n_positional++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--help") == 0) {
			print_verb(v, stdout);
			print_options(v, stdout);
			return CTL_OK;
		}
		taken = take_option(
		    v->options, argv, argc, &i, values); /* first: request list has a --state too */
		if (taken == 0)
			taken = take_global(c, argv, argc, &i);
		if (taken == 0)
			return wrong_call(v, "%s has no option %s", verb_name(c, v), argv[i]);
		if (taken < 0)
			return CTL_USAGE;
	}
	if (a.n_positional < v->min_positional)
		return wrong_call(
		    v, "%s: %s is missing", verb_name(c, v), nth_word(c, v->positional, a.n_positional));
	return c->config != NULL ? ctl_run_remote(c, v, &a) : v->run(c, &a);
}

static int
dispatch(struct ctl *c, int argc, char **argv)
{
	const struct ctl_verb *v;
	int words;

	if (argc == 0)
		return ctl_usage("what shall be done?");
	if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0)
		return help(argc > 1 ? argv[1] : NULL);
	if (strncmp(argv[0], "--", 2) == 0)
		return ctl_usage("there is no option %s", argv[0]);
	if (!is_noun(argv[0]))
		return ctl_usage("'%s' is no noun of adcsctl", argv[0]);
	v = find_verb(argv[0], argc - 1, argv + 1, &words);
	if (v == NULL) {
		fprintf(stderr, "adcsctl: %s: %s%s\n", argv[0], argc > 1 ? "no verb " : "which verb?",
		    argc > 1 ? argv[1] : "");
		print_verbs(argv[0], stderr);
		return CTL_USAGE;
	}
	return run_verb(c, v, argc - 1 - words, argv + 1 + words);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .state = getenv("ADCSD_STATE"), .control_fd = -1 };
	int i = 1, rc, taken = 1;

	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("adcsctl " ADCSD_VERSION) < 0;
	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		taken = take_global(&c, argv, argc, &i);
		if (taken <= 0)
			break;
	}
	if (taken < 0)
		return CTL_USAGE;
	c.pool = pool_new(POOL_MAX);
	if (c.pool == NULL)
		return CTL_FAILURE;
	rc = dispatch(&c, argc - i, argv + i);
	ctl_ldap_close(&c);
	ctl_control_close(&c);
	pool_free(c.pool);
	return rc;
}
