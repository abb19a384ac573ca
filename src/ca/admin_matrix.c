/* rehearse.matrix: every template for every account, by one reading of the directory and the rules on all
 * workers. */
#include <stdlib.h>
#include <string.h>

#include "ca/admin_priv.h"
#include "ca/signing_certs.h"
#include "rehearse/matrix.h"

#define MATRIX_POOL_MAX (512u << 20)
#define MATRIX_CELLS_MAX 4000000
#define ROW_JOBS 8

struct matrix_run;

struct row_job {
	struct matrix_run *run;
	size_t from, to;
	struct err err;
	bool failed;
};

struct matrix_run {
	struct ca_admin *a;
	struct pool *pool;
	struct ca_templates *templates;
	struct people *people;
	struct ca_live *live;    /* an administrator may change the settings meanwhile */
	struct policy_ca policy; /* the same */
	struct matrix m;
	struct matrix_options options;
	const char *const *names; /* of principals; NULL: all */
	size_t n_names;
	const struct person **rows;
	size_t n_rows;
	uint32_t *cells;
	struct row_job jobs[ROW_JOBS];
	unsigned waiting;
	struct err err;
	bool failed;
};

static void
run_free(struct matrix_run *r)
{
	people_free(r->people);
	ca_templates_unref(r->templates);
	ca_live_unref(r->live);
	pool_free(r->pool);
	free(r);
}

static void
run_fail(struct matrix_run *r, const struct err *e)
{
	admin_fail(r->a, e);
	run_free(r);
}

/* ---- the answer ---- */

static json_t *
row_json(const struct matrix_run *r, size_t i)
{
	json_t *row = json_array();

	for (size_t k = 0; k < r->m.n_columns; k++)
		json_array_append_new(row, json_integer(r->cells[i * r->m.n_columns + k]));
	return row;
}

static void
answer(struct matrix_run *r)
{
	json_t *templates = json_array(), *principals = json_array(), *cells = json_array();

	for (size_t i = 0; i < r->m.n_columns; i++)
		json_array_append_new(templates, json_string(r->m.columns[i]->cn));
	for (size_t i = 0; i < r->n_rows; i++) {
		const struct person *p = r->rows[i];

		json_array_append_new(principals,
		    json_pack("{s:s, s:b, s:b}", "account", p->token->account, "computer",
			p->subject.is_computer, "disabled", p->disabled));
		json_array_append_new(cells, row_json(r, i));
	}
	admin_reply(r->a,
	    json_pack("{s:o, s:o, s:o, s:f}", "templates", templates, "principals", principals, "cells",
		cells, "milliseconds", (double)(clock_monotonic_us() - r->a->t_start) / 1000.0));
	run_free(r);
}

/* ---- rows, on the workers ---- */

static void
rows_job(void *arg)
{
	struct row_job *j = arg;
	struct matrix_run *r = j->run;

	for (size_t i = j->from; !j->failed && i < j->to; i++)
		j->failed = matrix_row(&r->m, r->rows[i], r->cells + i * r->m.n_columns, &j->err) != 0;
}

static void
rows_done(void *arg)
{
	struct row_job *j = arg;
	struct matrix_run *r = j->run;

	if (j->failed && !r->failed) {
		r->failed = true;
		r->err = j->err;
	}
	if (--r->waiting > 0)
		return;
	if (r->failed)
		run_fail(r, &r->err);
	else
		answer(r);
}

static void
rows_start(struct matrix_run *r)
{
	struct err e = { 0 };
	size_t share = (r->n_rows + ROW_JOBS - 1) / ROW_JOBS;

	r->waiting = 1; /* ours, so that no job ends the run while others are still to be submitted */
	for (size_t i = 0; i < ROW_JOBS && i * share < r->n_rows && !r->failed; i++) {
		struct row_job *j = &r->jobs[i];

		*j = (struct row_job){ .run = r, .from = i * share, .to = (i + 1) * share };
		if (j->to > r->n_rows)
			j->to = r->n_rows;
		if (work_submit(r->a->ca->work, rows_job, rows_done, j, &e) == 0) {
			r->waiting++;
		} else {
			r->failed = true;
			r->err = e;
		}
	}
	if (--r->waiting > 0)
		return;
	if (r->failed)
		run_fail(r, &r->err);
	else
		answer(r);
}

/* ---- tokens and requests, on a worker ---- */

static int
add_local_groups(void *arg, struct token *t, struct err *e)
{
	return ca_token_add_local_groups(arg, t, e);
}

static int
choose_rows(struct matrix_run *r, struct err *e)
{
	size_t n = r->names != NULL ? r->n_names : people_count(r->people);

	r->rows = pool_calloc(r->pool, n, sizeof(const struct person *));
	if (r->rows == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu principals", n);
	for (; r->n_rows < n; r->n_rows++) {
		const struct person *p = r->names != NULL ? people_find(r->people, r->names[r->n_rows])
							  : people_at(r->people, r->n_rows);

		if (p == NULL)
			return ERR(e, E_DS_NO_SUCH_OBJECT, "no account '%.60s' in the directory",
			    r->names[r->n_rows]);
		r->rows[r->n_rows] = p;
	}
	return 0;
}

static int
prepare(struct matrix_run *r, struct err *e)
{
	if (people_finish(r->people, add_local_groups, r->a->ca, e) != 0 || choose_rows(r, e) != 0 ||
	    matrix_prepare(&r->m, &r->options, r->pool, e) != 0)
		return -1;
	if (r->m.n_columns > 0 && r->n_rows > MATRIX_CELLS_MAX / r->m.n_columns)
		return ERR(e, E_INVALIDARG,
		    "%zu templates for %zu principals are more than %d cells: restrict them", r->m.n_columns,
		    r->n_rows, MATRIX_CELLS_MAX);
	r->cells = pool_calloc(r->pool, r->n_rows * r->m.n_columns, sizeof(*r->cells));
	return r->cells != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for the table");
}

static void
prepare_job(void *arg)
{
	struct matrix_run *r = arg;

	r->failed = prepare(r, &r->err) != 0;
}

static void
prepare_done(void *arg)
{
	struct matrix_run *r = arg;

	if (r->failed)
		run_fail(r, &r->err);
	else
		rows_start(r);
}

/* ---- the directory ---- */

static bool
entry_value(const void *ctx, const char *attr, size_t i, struct bytes *out)
{
	const struct dir_attr *a = dir_entry_attr(ctx, attr);

	if (a == NULL || i >= a->n)
		return false;
	*out = a->values[i];
	return true;
}

static void
on_people(void *arg, const struct dir_result *res, const struct err *e)
{
	struct matrix_run *r = arg;
	struct err why = { 0 };
	int rc = 0;

	if (e != NULL)
		why = *e;
	for (size_t i = 0; e == NULL && rc == 0 && i < res->n; i++) {
		struct policy_attrs attrs = { &res->entries[i], entry_value, res->entries[i].dn };

		rc = people_add(r->people, &attrs, &why);
	}
	if (rc == 0 && e == NULL && r->a->ca->closing)
		rc = ERR(&why, E_CANCELLED, "the server ends");
	if (e != NULL || rc != 0 || work_submit(r->a->ca->work, prepare_job, prepare_done, r, &why) != 0) {
		run_fail(r, &why);
		return;
	}
	r->a->busy = true;
	r->a->ca->busy++;
}

static void
on_templates(void *arg, struct dir_snapshot *snap, const struct err *e)
{
	static const char *const attrs[] = { "objectClass", "distinguishedName", "cn", "sAMAccountName",
		"userPrincipalName", "mail", "dNSHostName", "objectSid", "objectGUID", "userAccountControl",
		"primaryGroupID", "groupType", "member", NULL };
	struct matrix_run *r = arg;
	struct dir_query q = { .base = dir_forest(r->a->ca->dir)->domain_dn,
		.scope = DIR_SUB,
		.filter = "(|(objectClass=user)(objectClass=group))",
		.attrs = attrs };
	struct ca_templates *t = NULL;
	struct err why = { 0 };

	if (e != NULL)
		why = *e;
	else if (r->a->ca->closing)
		ERR(&why, E_CANCELLED, "the server ends");
	else
		t = ca_templates_get(r->a->ca, snap, &why);
	if (t == NULL) {
		run_fail(r, &why);
		return;
	}
	r->templates = ca_templates_ref(t);
	r->m.templates = t->v;
	r->m.n_templates = t->n;
	r->m.published = &t->published;
	if (dir_search_start(r->a->ca->dir, &q, on_people, r, &why) != 0)
		run_fail(r, &why);
}

/* ---- arguments ---- */

static int
text_list(const struct ca_admin *a, const char *name, struct pool *pool, const char *const **out, size_t *n,
    struct err *e)
{
	const json_t *list = json_object_get(a->args, name);
	const char **v;

	if (list == NULL || json_is_null(list))
		return 0;
	v = pool_calloc(pool, json_array_size(list), sizeof(*v));
	if (v == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for '%s'", name);
	for (*n = 0; *n < json_array_size(list); ++*n) {
		v[*n] = json_string_value(json_array_get(list, *n));
		if (v[*n] == NULL)
			return ERR(e, E_INVALIDARG, "'%s' is a list of names", name);
	}
	*out = v;
	return json_is_array(list) ? 0 : ERR(e, E_INVALIDARG, "'%s' is a list of names", name);
}

static int
take_arguments(struct matrix_run *r, struct err *e)
{
	const json_t *args = r->a->args;

	r->options = (struct matrix_options){ .subject = json_string_value(json_object_get(args, "subject")),
		.san = json_string_value(json_object_get(args, "san")),
		.key = json_string_value(json_object_get(args, "key")),
		.attributes = json_string_value(json_object_get(args, "attributes")),
		.all = json_is_true(json_object_get(args, "allTemplates")) };
	r->live = ca_live_ref(r->a->ca->live);
	r->policy = r->a->ca->policy;
	r->m.ca = &r->policy;
	r->m.issuer = ca_cert_newest(r->a->ca)->x509;
	r->m.ignore_policies = (r->live->settings.crl_flags & CRLF_IGNORE_INVALID_POLICIES) != 0;
	r->m.security = &r->live->security;
	r->m.now = clock_now(r->a->ca->clock);
	if (text_list(r->a, "templates", r->pool, &r->options.names, &r->options.n_names, e) != 0 ||
	    text_list(r->a, "principals", r->pool, &r->names, &r->n_names, e) != 0)
		return -1;
	return 0;
}

void
admin_rehearse_matrix(struct ca_admin *a)
{
	struct matrix_run *r = calloc(1, sizeof(*r));
	struct err e = { 0 };

	if (r != NULL) {
		r->a = a;
		r->pool = pool_new(MATRIX_POOL_MAX);
		r->people = people_new(dir_forest(a->ca->dir)->nb_domain);
	}
	if (r == NULL || r->pool == NULL || r->people == NULL) {
		ERR(&e, E_OUTOFMEMORY, "no memory for a rehearsal");
		admin_fail(a, &e);
		if (r != NULL)
			run_free(r);
		return;
	}
	if (take_arguments(r, &e) != 0 || dir_snapshot_get(a->ca->dir, on_templates, r, &e) != 0)
		run_fail(r, &e);
}
