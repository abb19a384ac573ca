/* adcsctl: finds the verb, reads its options, runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/help.h"
#include "ctl/ldap.h"

#define MAX_OPTIONS 96
#define MAX_POSITIONAL 256
#define POOL_MAX (512u * 1024 * 1024)

/* "template acl show", in the pool. */
static const char *
verb_name(const struct ctl *c, const struct ctl_verb *v)
{
	const char *name = pool_printf(
	    c->pool, "%s%s%s", v->noun, v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "");

	return name != NULL ? name : v->noun;
}

/* ---- dispatch ---- */

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
	const char **texts[CTL_GLOBALS] = {
		[CTL_GLOBAL_STATE] = &c->state,
		[CTL_GLOBAL_DIRECTORY] = &c->uri,
		[CTL_GLOBAL_BIND] = &c->bind,
		[CTL_GLOBAL_PASSWORD_FILE] = &c->password_file,
		[CTL_GLOBAL_CONFIG] = &c->config,
		[CTL_GLOBAL_USER] = &c->user,
		[CTL_GLOBAL_HASH] = &c->hash,
		[CTL_GLOBAL_AUTH] = &c->auth,
		[CTL_GLOBAL_LEVEL] = &c->level,
		[CTL_GLOBAL_SPN] = &c->spn,
	};
	const char *values[CTL_GLOBALS] = { NULL };
	int taken = take_option(ctl_global_options, argv, argc, i, values);

	for (size_t k = 0; k < CTL_GLOBALS; k++)
		if (values[k] != NULL && texts[k] != NULL)
			*texts[k] = values[k];
	c->json = c->json || values[CTL_GLOBAL_JSON] != NULL;
	c->kerberos = c->kerberos || values[CTL_GLOBAL_KERBEROS] != NULL;
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
	ctl_help_verb(v, stderr);
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
			ctl_help_verb(v, stdout);
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

static bool
asks_for_help(const char *word)
{
	return strcmp(word, "help") == 0 || strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int
dispatch(struct ctl *c, int argc, char **argv)
{
	const struct ctl_verb *v;
	int words;

	if (argc == 0)
		return ctl_usage("what shall be done?");
	if (asks_for_help(argv[0]))
		return ctl_help(c, argc - 1, argv + 1);
	if (argv[0][0] == '-')
		return ctl_usage("there is no option %s", argv[0]);
	if (!ctl_is_noun(argv[0]))
		return ctl_usage("'%s' is no noun of adcsctl", argv[0]);
	v = ctl_verb_find(argv[0], argc - 1, argv + 1, &words);
	if (v == NULL && argc > 1 && asks_for_help(argv[1]))
		return ctl_help(c, 1, argv);
	if (v == NULL) {
		fprintf(stderr, "adcsctl: %s: %s%s\n", argv[0], argc > 1 ? "no verb " : "which verb?",
		    argc > 1 ? argv[1] : "");
		ctl_help_verbs(argv[0], stderr);
		fprintf(stderr, "Try 'adcsctl help %s'.\n", argv[0]);
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
