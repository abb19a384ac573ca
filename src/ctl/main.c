/* adcsctl: finds the verb, reads its options, runs it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ldap.h"

#define MAX_OPTIONS 48
#define MAX_POSITIONAL 256
#define POOL_MAX (512u * 1024 * 1024)

int
ctl_usage(const char *fmt, ...)
{
	va_list ap;

	fputs("adcsctl: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("\nTry 'adcsctl help'.\n", stderr);
	return CTL_USAGE;
}

int
ctl_print_json(json_t *v)
{
	int rc = json_dumpf(v, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER | JSON_ENCODE_ANY);

	putchar('\n');
	json_decref(v);
	return rc == 0 ? CTL_OK : CTL_FAILURE;
}

int
ctl_fail(const struct ctl *c, const struct err *e)
{
	char code[HRESULT_FORMAT_MAX];

	if (c->json) {
		const char *name = hresult_name(e->hr);

		ctl_print_json(json_pack("{s:{s:s, s:s, s:s, s:s}}", "error", "hr", hresult_format(e->hr, code), "name",
		    name != NULL ? name : "", "text", hresult_text(e->hr), "message", e->msg));
	} else {
		fprintf(stderr, "adcsctl: %s\n  %s\n", e->msg, hresult_format(e->hr, code));
	}
	return CTL_FAILURE;
}

const char *
ctl_arg(const struct ctl_args *a, const char *name)
{
	for (size_t i = 0; a->options != NULL && a->options[i].name != NULL; i++)
		if (strcmp(a->options[i].name, name) == 0)
			return a->values[i];
	return NULL;
}

/* ---- help ---- */

static void
print_verb(const struct ctl_verb *v, FILE *f)
{
	char line[160];

	snprintf(line, sizeof(line), "%s%s%s%s%s", v->noun, v->verb != NULL ? " " : "", v->verb != NULL ? v->verb : "",
	    *v->positional != '\0' ? " " : "", v->positional);
	fprintf(f, "  %-52s %s\n", line, v->help);
}

static void
print_options(const struct ctl_verb *v, FILE *f)
{
	for (const struct ctl_option *o = v->options; o != NULL && o->name != NULL; o++) {
		char line[80];

		snprintf(line, sizeof(line), "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(f, "      %-40s %s\n", line, o->help);
	}
}

static int
help_all(const char *noun)
{
	printf("usage: adcsctl [--state DIR] [--json] NOUN VERB ...\n\n");
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if (noun != NULL && strcmp(noun, v->noun) != 0)
			continue;
		print_verb(v, stdout);
		if (noun != NULL)
			print_options(v, stdout);
	}
	printf("\n  --state DIR      the server's state folder (default: $ADCSD_STATE)\n"
	       "  --directory URI  another directory than the server's, for template verbs\n"
	       "  --json           machine-readable output\n"
	       "  adcsctl help NOUN lists the options of its verbs\n\n"
	       "Exit codes: 0 done, issued or true; 1 failure; 2 usage; 3 pending; 4 denied.\n");
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
find_verb(const char *noun, int argc, char **argv, int *words, bool *noun_known)
{
	*noun_known = false;
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) != 0)
			continue;
		*noun_known = true;
		*words = match_words(v->verb, argc, argv);
		if (*words >= 0)
			return v;
	}
	return NULL;
}

/* Takes "--name value" or "--name=value" at argv[*i] into values; CTL_USAGE on trouble. */
static int
take_option(const struct ctl_verb *v, char **argv, int argc, int *i, const char **values)
{
	const char *name = argv[*i] + 2, *eq = strchr(name, '=');
	size_t n = eq != NULL ? (size_t)(eq - name) : strlen(name);

	for (size_t k = 0; v->options != NULL && v->options[k].name != NULL; k++) {
		if (strlen(v->options[k].name) != n || strncmp(v->options[k].name, name, n) != 0)
			continue;
		if (v->options[k].value == NULL) {
			if (eq != NULL)
				return ctl_usage("--%s takes no value", v->options[k].name);
			values[k] = "yes";
		} else if (eq != NULL) {
			values[k] = eq + 1;
		} else if (*i + 1 < argc) {
			values[k] = argv[++*i];
		} else {
			return ctl_usage("--%s needs %s", v->options[k].name, v->options[k].value);
		}
		return CTL_OK;
	}
	fprintf(stderr, "adcsctl: %s%s%s has no option --%.*s\n", v->noun, v->verb != NULL ? " " : "",
	    v->verb != NULL ? v->verb : "", (int)n, name);
	print_verb(v, stderr);
	print_options(v, stderr);
	return CTL_USAGE;
}

static int
run_verb(struct ctl *c, const struct ctl_verb *v, int argc, char **argv)
{
	const char *positional[MAX_POSITIONAL], *values[MAX_OPTIONS] = { NULL };
	struct ctl_args a = { positional, 0, v->options, values };

	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			c->json = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			print_verb(v, stdout);
			print_options(v, stdout);
			return CTL_OK;
		} else if (strncmp(argv[i], "--", 2) == 0 && argv[i][2] != '\0') {
			int rc = take_option(v, argv, argc, &i, values);

			if (rc != CTL_OK)
				return rc;
		} else if (a.n_positional == v->max_positional || a.n_positional == MAX_POSITIONAL) {
			return ctl_usage("%s %s: '%s' is one argument too many", v->noun, v->verb != NULL ? v->verb : "",
			    argv[i]);
		} else {
			positional[a.n_positional++] = argv[i];
		}
	}
	if (a.n_positional < v->min_positional) {
		fprintf(stderr, "adcsctl: arguments are missing\n");
		print_verb(v, stderr);
		print_options(v, stderr);
		return CTL_USAGE;
	}
	return v->run(c, &a);
}

static int
dispatch(struct ctl *c, int argc, char **argv)
{
	const struct ctl_verb *v;
	bool noun_known;
	int words;

	if (argc == 0)
		return ctl_usage("what shall be done?");
	if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0)
		return help_all(argc > 1 ? argv[1] : NULL);
	v = find_verb(argv[0], argc - 1, argv + 1, &words, &noun_known);
	if (v == NULL && noun_known) {
		help_all(argv[0]);
		return CTL_USAGE;
	}
	if (v == NULL)
		return ctl_usage("'%s' is no noun of adcsctl", argv[0]);
	return run_verb(c, v, argc - 1 - words, argv + 1 + words);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .state = getenv("ADCSD_STATE"), .control_fd = -1 };
	int i = 1, rc;

	for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
		if (strcmp(argv[i], "--json") == 0)
			c.json = true;
		else if (strcmp(argv[i], "--state") == 0 && i + 1 < argc)
			c.state = argv[++i];
		else if (strcmp(argv[i], "--directory") == 0 && i + 1 < argc)
			c.uri = argv[++i];
		else if (strcmp(argv[i], "--version") == 0)
			return puts("adcsctl " ADCSD_VERSION) < 0;
		else
			break;
	}
	c.pool = pool_new(POOL_MAX);
	if (c.pool == NULL)
		return CTL_FAILURE;
	rc = dispatch(&c, argc - i, argv + i);
	ctl_ldap_close(&c);
	ctl_control_close(&c);
	pool_free(c.pool);
	return rc;
}
