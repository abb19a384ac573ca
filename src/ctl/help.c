#include "ctl/help.h"

#include <string.h>

#include "base/err.h"

/* clang-format off */
const struct ctl_option ctl_global_options[CTL_GLOBALS + 1] = {
	[CTL_GLOBAL_STATE] = { "state", "DIR", "the server's state folder (default: $ADCSD_STATE)" },
	[CTL_GLOBAL_DIRECTORY] = { "directory", "URI", "another directory than the server's: its templates, and with --config the names of accounts" },
	[CTL_GLOBAL_BIND] = { "bind", "NAME", "who binds there: a DN, UPN or DOMAIN\\user with --password-file, gssapi, external (default: external on ldapi, else gssapi)" },
	[CTL_GLOBAL_PASSWORD_FILE] = { "password-file", "FILE", "whose first line is the password of --bind or --user" },
	[CTL_GLOBAL_CONFIG] = { "config", "HOST\\CA", "the CA to reach over RPC, \"host[:port]\\CA name\" (default: the server's own)" },
	[CTL_GLOBAL_USER] = { "user", "NAME", "who asks it: DOMAIN\\name or a UPN; the password from --password-file, $ADCSD_PASSWORD or a prompt" },
	[CTL_GLOBAL_HASH] = { "hash", "NT", "NT hash of --user instead of a password" },
	[CTL_GLOBAL_AUTH] = { "auth", "NAME", "negotiate (SPNEGO, the default), ntlm, kerberos" },
	[CTL_GLOBAL_LEVEL] = { "level", "NAME", "privacy (the default), integrity, packet, connect, none" },
	[CTL_GLOBAL_KERBEROS] = { "kerberos", NULL, "instead of --user: the account of the ticket cache ($KRB5CCNAME, $KRB5_CONFIG)" },
	[CTL_GLOBAL_SPN] = { "spn", "SERVICE", "of --kerberos: the service to have a ticket for (default: host/HOST)" },
	[CTL_GLOBAL_JSON] = { "json", NULL, "machine-readable output" },
};
/* clang-format on */

static const char exit_codes[] =
    "0 done, issued or true; 1 failure; 2 usage; 3 pending; 4 denied, false, or findings of lint.";

/* ---- finding ---- */

bool
ctl_is_noun(const char *word)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
		if (strcmp(word, v->noun) == 0)
			return true;
	return false;
}

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

const struct ctl_verb *
ctl_verb_find(const char *noun, int argc, char **argv, int *used)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if (strcmp(v->noun, noun) != 0)
			continue;
		*used = match_words(v->verb, argc, argv);
		if (*used >= 0)
			return v;
	}
	return NULL;
}

/* ---- for people ---- */

static void
print_line(const struct ctl_verb *v, FILE *f)
{
	char line[160];

	snprintf(line, sizeof(line), "%s%s%s%s%s", v->noun, v->verb != NULL ? " " : "",
	    v->verb != NULL ? v->verb : "", *v->positional != '\0' ? " " : "", v->positional);
	fprintf(f, "%c %-52s %s\n", ctl_takes_config(v) ? '*' : ' ', line, v->help);
}

static void
print_options(const struct ctl_option *options, int indent, int width, FILE *f)
{
	for (const struct ctl_option *o = options; o != NULL && o->name != NULL; o++) {
		char line[160];

		if (*o->name == '\0') {
			fprintf(f, "    %s\n", o->help);
			continue;
		}
		snprintf(line, sizeof(line), "--%s%s%s", o->name, o->value != NULL ? " " : "",
		    o->value != NULL ? o->value : "");
		fprintf(f, "%*s%-*s ", indent, "", width, line);
		if ((int)strlen(line) > width)
			fprintf(f, "\n%*s", indent + width + 1, "");
		fprintf(f, "%s\n", o->help);
	}
}

void
ctl_help_verb(const struct ctl_verb *v, FILE *f)
{
	print_line(v, f);
	print_options(v->options, 6, 40, f);
}

void
ctl_help_verbs(const char *noun, FILE *f)
{
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
		if (strcmp(noun, v->noun) == 0)
			print_line(v, f);
}

static void
print_all(void)
{
	printf("usage: adcsctl [OPTION...] NOUN VERB ...\n\n");
	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++)
		print_line(v, stdout);
	printf("\n* takes --config: works on a CA over RPC, too.\n");
	printf("\nOptions that may stand anywhere; 'adcsctl help NOUN [VERB]' lists those of the verbs:\n\n");
	print_options(ctl_global_options, 2, 20, stdout);
	printf("\nExit codes: %s\n", exit_codes);
}

/* ---- as JSON ---- */

static json_t *
options_json(const struct ctl_option *options)
{
	json_t *list = json_array();
	const char *group = NULL;

	for (const struct ctl_option *o = options; o != NULL && o->name != NULL; o++) {
		if (*o->name == '\0')
			group = o->help;
		else
			json_array_append_new(list,
			    json_pack("{s:s, s:s?, s:s?, s:s}", "name", o->name, "value", o->value, "group",
				group, "help", o->help));
	}
	return list;
}

/* Those of the noun, of one verb of it, or (both NULL) all. */
static json_t *
verbs_json(const char *noun, const struct ctl_verb *only)
{
	json_t *list = json_array();

	for (const struct ctl_verb *v = ctl_verbs; v->noun != NULL; v++) {
		if ((noun != NULL && strcmp(noun, v->noun) != 0) || (only != NULL && v != only))
			continue;
		json_array_append_new(list,
		    json_pack("{s:s, s:s?, s:s, s:s, s:b, s:o}", "noun", v->noun, "verb", v->verb,
			"arguments", v->positional, "help", v->help, "config", ctl_takes_config(v), "options",
			options_json(v->options)));
	}
	return list;
}

int
ctl_help(const struct ctl *c, int argc, char **argv)
{
	const char *noun = argc > 0 ? argv[0] : NULL;
	const struct ctl_verb *only = NULL;
	int used;

	if (noun != NULL && !ctl_is_noun(noun))
		return ctl_usage("'%s' is no noun of adcsctl", noun);
	if (argc > 1) {
		only = ctl_verb_find(noun, argc - 1, argv + 1, &used);
		if (only == NULL || used != argc - 1)
			return ctl_usage("%s: no verb %s", noun, argv[argc - 1]);
	}
	if (c->json)
		return ctl_print_json(json_pack("{s:o, s:o}", "verbs", verbs_json(noun, only), "options",
		    options_json(ctl_global_options)));
	if (noun == NULL)
		print_all();
	for (const struct ctl_verb *v = ctl_verbs; noun != NULL && v->noun != NULL; v++)
		if (strcmp(noun, v->noun) == 0 && (only == NULL || v == only))
			ctl_help_verb(v, stdout);
	return CTL_OK;
}
