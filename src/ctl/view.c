/* view: the CA's database, as certutil -view lists it. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ctl/admin.h"
#include "ctl/restriction.h"

#define PAGE 500
#define COLUMNS_MAX 256

static const struct {
	const char *table, *columns;
} defaults[] = {
	{ "requests",
	    "Request.RequestID,Request.Disposition,Request.RequesterName,SerialNumber,NotBefore,NotAfter,"
	    "CertificateTemplate,"
	    "CommonName,Request.DispositionMessage" },
	{ "crl",
	    "CRLRowId,CRLNumber,CRLMinBase,CRLThisUpdate,CRLNextUpdate,CRLPublishFlags,"
	    "CRLPublishStatusCode" },
};

struct listing {
	struct ctl *c;
	const char *format;
	struct ctl_view_column *all;
	size_t n_all;
	const struct ctl_view_column *shown[COLUMNS_MAX];
	size_t n_shown;
	unsigned rows;
};

static int
load_columns(struct listing *l, const char *table, struct err *e)
{
	json_t *o = ctl_call(l->c, "view.columns", json_pack("{s:s}", "table", table), e), *col;
	json_t *list = json_object_get(o, "columns");
	size_t i;

	if (o == NULL)
		return -1;
	l->all = pool_calloc(l->c->pool, json_array_size(list), sizeof(*l->all));
	json_array_foreach(list, i, col)
	{
		const char *name = json_string_value(json_object_get(col, "name"));
		const char *display = json_string_value(json_object_get(col, "display"));

		l->all[i] =
		    (struct ctl_view_column){ (uint32_t)json_integer_value(json_object_get(col, "id")),
			    (unsigned)json_integer_value(json_object_get(col, "type")),
			    pool_strdup(l->c->pool, name != NULL ? name : ""),
			    pool_strdup(l->c->pool, display != NULL ? display : "") };
	}
	l->n_all = json_array_size(list);
	json_decref(o);
	return 0;
}

/* By name; "all" for all of them. */
static int
choose_columns(struct listing *l, const char *table, const char *names, struct err *e)
{
	char *copy, *save = NULL;

	for (size_t i = 0; names == NULL && i < ARRAY_LEN(defaults); i++)
		if (strcmp(defaults[i].table, table) == 0)
			names = defaults[i].columns;
	if (names == NULL || strcasecmp(names, "all") == 0) {
		for (size_t i = 0; i < l->n_all && i < COLUMNS_MAX; i++)
			l->shown[l->n_shown++] = &l->all[i];
		return 0;
	}
	copy = pool_strdup(l->c->pool, names);
	for (char *s = strtok_r(copy, ",", &save); s != NULL; s = strtok_r(NULL, ",", &save)) {
		const struct ctl_view_column *c = ctl_view_column_find(l->all, l->n_all, s);

		if (c == NULL)
			return ERR(e, E_INVALIDARG, "no column of %s is called '%.60s'", table, s);
		if (l->n_shown == COLUMNS_MAX)
			return ERR(e, E_INVALIDARG, "more than %d columns", COLUMNS_MAX);
		l->shown[l->n_shown++] = c;
	}
	return l->n_shown > 0 ? 0 : ERR(e, E_INVALIDARG, "--columns names none");
}

/* Restrictions speak of the server's time. */
static filetime_t
server_now(struct ctl *c)
{
	struct err e;
	json_t *o = ctl_call(c, "clock.show", NULL, &e);
	const char *text = json_string_value(json_object_get(o, "virtual"));
	filetime_t t;

	if (text == NULL || !filetime_from_text(text, &t))
		t = clock_real();
	json_decref(o);
	return t;
}

static json_t *
restrictions_json(struct listing *l, const char *text, struct err *e)
{
	json_t *list = json_array();
	struct ctl_restriction *r;
	struct buf hex;
	size_t n;

	if (ctl_restrictions_parse(text, l->all, l->n_all, server_now(l->c), l->c->pool, &r, &n, e) != 0) {
		json_decref(list);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		buf_init(&hex, 1u << 18);
		text_put_hex(&hex, r[i].value);
		json_array_append_new(list,
		    json_pack("{s:I, s:I, s:I, s:s}", "column", (json_int_t)r[i].column, "seek",
			(json_int_t)r[i].seek, "sort", (json_int_t)r[i].sort, "value", buf_cstr(&hex)));
		buf_fini(&hex);
	}
	return list;
}

static void
print_csv_text(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++) {
		if (*s == '"')
			putchar('"');
		putchar(*s);
	}
	putchar('"');
}

/* As one line of a terminal. */
static void
print_plain(const char *s)
{
	for (; *s != '\0'; s++)
		putchar((unsigned char)*s < 0x20 || *s == 0x7f ? ' ' : *s);
}

static void
print_row(struct listing *l, const json_t *row)
{
	json_t *o;

	l->rows++;
	if (strcmp(l->format, "json") == 0) {
		o = json_object();
		for (size_t i = 0; i < l->n_shown; i++)
			json_object_set(o, l->shown[i]->name, json_array_get(row, i));
		printf("%s", l->rows > 1 ? ",\n" : "");
		json_dumpf(o, stdout, JSON_COMPACT | JSON_PRESERVE_ORDER);
		json_decref(o);
		return;
	}
	if (strcmp(l->format, "text") == 0)
		printf("%sRow %u:\n", l->rows > 1 ? "\n" : "", l->rows);
	for (size_t i = 0; i < l->n_shown; i++) {
		const json_t *v = json_array_get(row, i);
		long long n = (long long)json_integer_value(v);
		bool csv = strcmp(l->format, "csv") == 0;

		if (csv)
			printf("%s", i > 0 ? "," : "");
		else
			printf("  %s: ", l->shown[i]->display);
		if (json_is_integer(v) && csv)
			printf("%lld", n);
		else if (json_is_integer(v))
			printf("0x%x (%lld)", (uint32_t)n, n);
		else if (json_is_string(v) && csv)
			print_csv_text(json_string_value(v));
		else if (json_is_string(v))
			print_plain(json_string_value(v));
		else if (!csv)
			printf("EMPTY");
		if (!csv)
			putchar('\n');
	}
	if (strcmp(l->format, "csv") == 0)
		putchar('\n');
}

static void
print_head(struct listing *l)
{
	if (strcmp(l->format, "json") == 0)
		puts("[");
	for (size_t i = 0; strcmp(l->format, "csv") == 0 && i < l->n_shown; i++) {
		printf("%s", i > 0 ? "," : "");
		print_csv_text(l->shown[i]->name);
		if (i + 1 == l->n_shown)
			putchar('\n');
	}
}

/* Page by page, each printed before the next is asked for. */
static int
list_rows(struct listing *l, json_t *restrictions, json_int_t limit, struct err *e)
{
	json_t *columns = json_array(), *after = json_null(), *row;
	json_int_t left = limit;
	size_t i;
	int rc = 0;

	for (i = 0; i < l->n_shown; i++)
		json_array_append_new(columns, json_integer(l->shown[i]->id));
	do {
		json_int_t page = left < PAGE ? left : PAGE;
		json_t *o = ctl_call(l->c, "view.rows",
		    json_pack("{s:O, s:O, s:I, s:O}", "columns", columns, "restrictions", restrictions,
			"limit", page, "after", after),
		    e);

		if (o == NULL) {
			rc = -1;
			break;
		}
		if (json_is_null(after))
			print_head(l);
		json_array_foreach(json_object_get(o, "rows"), i, row) print_row(l, row);
		left -= (json_int_t)json_array_size(json_object_get(o, "rows"));
		json_decref(after);
		after = json_incref(json_object_get(o, "next"));
		json_decref(o);
	} while (json_is_string(after) && left > 0);
	json_decref(after);
	json_decref(columns);
	if (rc == 0 && strcmp(l->format, "json") == 0)
		puts(l->rows > 0 ? "\n]" : "]");
	return rc;
}

int
ctl_view(struct ctl *c, const struct ctl_args *a)
{
	const char *table = ctl_arg(a, "table"), *restrict_text = ctl_arg(a, "restrict"),
		   *format = ctl_arg(a, "out"), *limit_text = ctl_arg(a, "limit");
	struct listing l = { .c = c, .format = format != NULL ? format : c->json ? "json" : "text" };
	json_int_t limit = INT64_MAX;
	json_t *restrictions = NULL;
	struct err e = { 0 };
	int rc = -1;

	if (strcmp(l.format, "json") != 0 && strcmp(l.format, "csv") != 0 && strcmp(l.format, "text") != 0)
		return ctl_usage("--out is text, csv or json, not '%s'", l.format);
	if (limit_text != NULL && ctl_number_arg(limit_text, "--limit", &limit) != CTL_OK)
		return CTL_USAGE;
	if (limit < 1)
		return ctl_usage("--limit is at least 1");
	if (table == NULL)
		table = "requests";
	if (load_columns(&l, table, &e) == 0 && choose_columns(&l, table, ctl_arg(a, "columns"), &e) == 0)
		restrictions = restrictions_json(&l, restrict_text != NULL ? restrict_text : "", &e);
	if (restrictions != NULL)
		rc = list_rows(&l, restrictions, limit, &e);
	json_decref(restrictions);
	return rc == 0 ? CTL_OK : ctl_fail(c, &e);
}
