/* template diff: two templates control by control, then entry by entry of their access lists. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/control.h"
#include "ctl/template_file.h"

struct diff {
	struct ctl *c;
	json_t *rows; /* {"tab", "label", "option", "a", "b"} */
};

static void
row(struct diff *d, const char *tab, const char *label, const char *option, const char *a, const char *b)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "tab", tab, "label", label, "a", a, "b", b);

	if (option != NULL)
		json_object_set_new(o, "option", json_string(option));
	json_array_append_new(d->rows, o);
}

static void
compare_controls(struct diff *d, const struct ctl_entry *a, const struct ctl_entry *b)
{
	for (const struct control *k = NULL; (k = control_next(k)) != NULL;) {
		const char *x = control_get(d->c, a, k), *y = control_get(d->c, b, k);

		if (strcmp(x, y) != 0)
			row(d, control_tab(k), k->label, k->option, x, y);
	}
}

/* What no control shows. */
static void
compare_rest(struct diff *d, const struct ctl_entry *a, const struct ctl_entry *b)
{
	static const char *const numbers[][2] = { { "msPKI-Template-Schema-Version", "Schema version" },
		{ "pKIDefaultKeySpec", "Key spec (legacy providers)" } };

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		int x = ctl_entry_int(a, numbers[i][0], 0), y = ctl_entry_int(b, numbers[i][0], 0);

		if (x != y)
			row(d, "Outside the console", numbers[i][1], NULL, pool_printf(d->c->pool, "%d", x),
			    pool_printf(d->c->pool, "%d", y));
	}
}

static int
load_sd(struct ctl *c, const struct ctl_entry *en, struct sd *sd, struct err *e)
{
	const struct ctl_attr *a = ctl_entry_attr(en, "nTSecurityDescriptor");

	memset(sd, 0, sizeof(*sd));
	return a == NULL || a->n == 0 ? 0 : sd_from_wire(sd, c->pool, a->values[0], e);
}

static const char *
ace_text(struct ctl *c, const struct ace *ace)
{
	struct buf b;
	struct err e;
	const char *s;

	buf_init(&b, 4096);
	s = sd_ace_to_sddl(ace, &b, &c->domain, &e) == 0 ? pool_strdup(c->pool, buf_cstr(&b)) : NULL;
	buf_fini(&b);
	return s != NULL ? s : "an entry without a text";
}

static bool
has_ace(struct ctl *c, const struct sd *sd, const char *text)
{
	for (size_t i = 0; sd->dacl != NULL && i < sd->dacl->n; i++)
		if (strcmp(ace_text(c, &sd->dacl->aces[i]), text) == 0)
			return true;
	return false;
}

static int
compare_security(struct diff *d, const struct ctl_entry *a, const struct ctl_entry *b, struct err *e)
{
	struct sd sd[2];

	if (ctl_entry_attr(b, "nTSecurityDescriptor") == NULL)
		return 0; /* JSON has no access list */
	if (load_sd(d->c, a, &sd[0], e) != 0 || load_sd(d->c, b, &sd[1], e) != 0)
		return -1;
	for (unsigned side = 0; side < 2; side++)
		for (size_t i = 0; sd[side].dacl != NULL && i < sd[side].dacl->n; i++) {
			const struct ace *ace = &sd[side].dacl->aces[i];
			const char *text = ace_text(d->c, ace);

			if (!has_ace(d->c, &sd[!side], text))
				row(d, "Security", ctl_name_from_sid(d->c, &ace->sid), NULL,
				    side == 0 ? text : "", side == 1 ? text : "");
		}
	return 0;
}

static int
print_rows(struct diff *d, const char *a, const char *b)
{
	const char *tab = "";
	bool equal = json_array_size(d->rows) == 0;
	json_t *o;
	size_t i;

	if (d->c->json) {
		ctl_print_json(json_pack(
		    "{s:s, s:s, s:b, s:O}", "a", a, "b", b, "equal", equal, "differences", d->rows));
		return equal ? CTL_OK : CTL_FAILURE;
	}
	if (equal)
		printf("%s and %s have the same settings\n", a, b);
	json_array_foreach(d->rows, i, o)
	{
		const char *t = json_string_value(json_object_get(o, "tab"));

		if (strcmp(t, tab) != 0)
			printf("%s%s\n", i > 0 ? "\n" : "", t);
		tab = t;
		printf("  %s\n    %-20s %s\n    %-20s %s\n", json_string_value(json_object_get(o, "label")),
		    a, json_string_value(json_object_get(o, "a")), b,
		    json_string_value(json_object_get(o, "b")));
	}
	return equal ? CTL_OK : CTL_FAILURE;
}

/* The other side: a template of the directory, or the one of that name in a file (its only one, whatever its
 * name). */
static int
find_other(struct ctl *c, const struct ctl_args *a, struct ctl_entry **out, struct err *e)
{
	const char *path = ctl_arg(a, "against"), *name = a->positional[a->n_positional - 1];
	struct template_file f;
	int rc;

	if (path == NULL)
		return ctl_template_find(c, name, out, e);
	rc = template_file_read(c, path, ctl_arg(a, "domain-sid"), &f, e);
	template_file_fini(&f);
	if (rc != 0)
		return -1;
	for (size_t i = 0; i < f.n_templates; i++) {
		const char *cn = ctl_entry_text(&f.templates[i], "cn");

		if (f.n_templates == 1 || (cn != NULL && strcasecmp(cn, name) == 0)) {
			*out = &f.templates[i];
			return 0;
		}
	}
	return ERR(e, E_DS_NO_SUCH_OBJECT, "%.60s holds no template '%.60s'", path, name);
}

int
ctl_template_diff(struct ctl *c, const struct ctl_args *a)
{
	struct diff d = { c, json_array() };
	struct ctl_entry *x, *y;
	const char *path = ctl_arg(a, "against");
	struct err e;
	int rc;

	if (path == NULL && a->n_positional < 2) {
		json_decref(d.rows);
		return ctl_usage("a second template is missing, or --against FILE");
	}
	rc = ctl_template_find(c, a->positional[0], &x, &e) != 0 ? -1 : find_other(c, a, &y, &e);
	if (rc == 0) {
		compare_controls(&d, x, y);
		compare_rest(&d, x, y);
		rc = compare_security(&d, x, y, &e);
	}
	rc = rc != 0 ? ctl_fail(c, &e)
		     : print_rows(&d, a->positional[0], path != NULL ? path : a->positional[1]);
	json_decref(d.rows);
	return rc;
}
