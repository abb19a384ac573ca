#include "rehearse/matrix.h"

#include <stdio.h>
#include <string.h>

#include "auth/access.h"
#include "policy/made_up.h"
#include "x509/constraints.h"

#define CELL_POOL_MAX (16u << 20)
#define CELLS_PER_POOL 16

/* ---- columns ---- */

static const struct policy_template *
find_template(const struct matrix *m, const char *cn)
{
	for (size_t i = 0; i < m->n_templates; i++)
		if (policy_name_equal(m->templates[i].cn, cn))
			return &m->templates[i];
	return NULL;
}

static int
choose_columns(struct matrix *m, const struct matrix_options *o, struct pool *pool, struct err *e)
{
	size_t n = o->names != NULL ? o->n_names : o->all ? m->n_templates : m->published->n;

	m->columns = pool_calloc(pool, n, sizeof(struct policy_template *));
	if (m->columns == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu templates", n);
	for (size_t i = 0; i < n; i++) {
		const struct policy_template *t = o->names != NULL ? find_template(m, o->names[i])
		    : o->all                                       ? &m->templates[i]
								   : find_template(m, m->published->v[i]);

		if (t == NULL && o->names != NULL)
			return ERR(e, E_DS_NO_SUCH_OBJECT, "no template '%.60s' in the forest", o->names[i]);
		if (t != NULL) /* a published name may have lost its template */
			m->columns[m->n_columns++] = t;
	}
	return 0;
}

static int
make_request(struct matrix *m, size_t i, const struct matrix_options *o, struct pool *pool, struct err *e)
{
	struct policy_made_up made = { o->subject != NULL ? o->subject : MATRIX_SUBJECT, o->san, o->key };
	struct bytes der;
	char key[32];
	struct buf b;
	int rc;

	if (made.key == NULL && m->columns[i]->min_key_bits > 2048 && m->columns[i]->min_key_bits <= 16384) {
		snprintf(key, sizeof(key), "rsa:%u", m->columns[i]->min_key_bits);
		made.key = key;
	}
	buf_init(&b, X509_REQUEST_MAX);
	rc = policy_make_up(&b, &made, e);
	if (rc == 0 && pool_dup_bytes(pool, buf_bytes(&b), &der) != 0)
		rc = ERR(e, E_OUTOFMEMORY, "no memory for a request");
	buf_fini(&b);
	return rc == 0 ? x509_request_parse(&m->requests[i], pool, der, e) : -1;
}

int
matrix_prepare(struct matrix *m, const struct matrix_options *o, struct pool *pool, struct err *e)
{
	struct policy_attribute *given = NULL;
	size_t n_given = 0;

	if (choose_columns(m, o, pool, e) != 0 ||
	    (o->attributes != NULL && policy_attributes_parse(o->attributes, pool, &given, &n_given, e) != 0))
		return -1;
	m->n_attributes = n_given + 1;
	m->requests = pool_calloc(pool, m->n_columns, sizeof(*m->requests));
	m->attributes = pool_calloc(pool, m->n_columns, sizeof(struct policy_attribute *));
	if (m->requests == NULL || m->attributes == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu templates", m->n_columns);
	for (size_t i = 0; i < m->n_columns; i++) {
		struct policy_attribute *list = pool_calloc(pool, m->n_attributes, sizeof(*list));

		if (list == NULL)
			return ERR(e, E_OUTOFMEMORY, "no memory for request attributes");
		list[0] = (struct policy_attribute){ "CertificateTemplate", m->columns[i]->cn };
		if (n_given > 0)
			memcpy(list + 1, given, n_given * sizeof(*list));
		m->attributes[i] = list;
		if (make_request(m, i, o, pool, e) != 0)
			return -1;
	}
	return 0;
}

/* ---- cells ---- */

static int
cell(const struct matrix *m, const struct person *who, size_t column, struct pool *pool, uint32_t *out,
    struct err *e)
{
	struct policy_input in = { .ca = m->ca,
		.caller = who->token,
		.request = &m->requests[column],
		.attributes = m->attributes[column],
		.n_attributes = m->n_attributes,
		.templates = m->templates,
		.n_templates = m->n_templates,
		.published = m->published,
		.now = m->now };
	struct policy_result r;

	if (policy_needs_subject(&in))
		in.subject = &who->subject;
	if (policy_evaluate(&in, pool, &r, e) != 0)
		return -1;
	*out = r.outcome == POLICY_ISSUE ? MATRIX_ISSUED
	    : r.outcome == POLICY_PEND   ? MATRIX_PENDING
	    : r.hr != 0                  ? r.hr
					 : MATRIX_DENIED;
	if (r.outcome == POLICY_ISSUE && m->issuer != NULL) {
		struct err why = { 0 };

		if (x509_ca_check_plan(m->issuer, &r.plan, m->ignore_policies, &why) != 0)
			*out = why.hr;
	}
	return 0;
}

int
matrix_row(const struct matrix *m, const struct person *who, uint32_t *row, struct err *e)
{
	bool may_ask =
	    m->security == NULL || access_check_ca(m->security, who->token, CA_ACCESS_ENROLL, NULL).granted;
	struct pool *pool = NULL;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->n_columns; i++) {
		if (!may_ask) {
			row[i] = CERTSRV_E_ENROLL_DENIED;
			continue;
		}
		if (i % CELLS_PER_POOL == 0) {
			pool_free(pool);
			pool = pool_new(CELL_POOL_MAX);
			if (pool == NULL)
				return ERR(e, E_OUTOFMEMORY, "no memory for a rehearsal");
		}
		rc = cell(m, who, i, pool, &row[i], e);
	}
	pool_free(pool);
	return rc;
}
