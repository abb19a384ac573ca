/*
 * Accounts kept between requests.  They hold for one edition of the domain, that is while its contextCSN
 * stays what it was when the last request came; the look-up that fills the table began after that number was
 * read, so what it found is that edition or a newer one, and a newer one shows in the next request's number.
 */
#include <stdlib.h>
#include <string.h>

#include "dir/csn.h"
#include "dir/dir_priv.h"

#define SUBJECTS_BUCKETS 1024 /* a power of two */
#define SUBJECTS_MAX 8192     /* more start over */
#define SUBJECT_POOL_MAX (1u << 20)

struct subject {
	struct subject *next;
	struct pool *pool; /* holds this, too */
	struct dir_account acct;
};

struct subjects {
	struct subject *buckets[SUBJECTS_BUCKETS];
	size_t n;
	struct csn_set csn; /* the edition; empty: nothing is kept */
	uint64_t edition;   /* counts them */
};

struct subject_lookup {
	struct dir *d;
	uint64_t edition;
	dir_account_fn *cb;
	void *arg;
};

struct subjects *
subjects_new(struct err *e)
{
	struct subjects *s = calloc(1, sizeof(*s));

	if (s == NULL)
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
	return s;
}

static void
forget_all(struct subjects *s)
{
	for (size_t i = 0; s->n > 0 && i < SUBJECTS_BUCKETS; i++) {
		struct subject *next;

		for (struct subject *x = s->buckets[i]; x != NULL; x = next) {
			next = x->next;
			pool_free(x->pool);
		}
		s->buckets[i] = NULL;
	}
	s->n = 0;
}

void
subjects_edition(struct subjects *s, const struct csn_set *csn)
{
	if (csn->n > 0 && csn_set_covers(&s->csn, csn) && csn_set_covers(csn, &s->csn))
		return;
	forget_all(s);
	s->csn = *csn;
	s->edition++;
}

void
subjects_free(struct subjects *s)
{
	if (s == NULL)
		return;
	forget_all(s);
	free(s);
}

/* The relative identifier tells accounts of a domain apart. */
static struct subject **
bucket(struct subjects *s, struct bytes sid)
{
	uint32_t rid = sid.len < 4 ? 0 : get_u32le(sid.p + sid.len - 4);

	return &s->buckets[rid & (SUBJECTS_BUCKETS - 1)];
}

static const struct dir_account *
find(struct subjects *s, struct bytes sid)
{
	for (const struct subject *x = *bucket(s, sid); x != NULL; x = x->next)
		if (bytes_equal(x->acct.sid, sid))
			return &x->acct;
	return NULL;
}

static int
copy_text(struct pool *pool, const char *text, const char **out)
{
	*out = text == NULL ? NULL : pool_strdup(pool, text);
	return text != NULL && *out == NULL ? -1 : 0;
}

/* Without groups and without secrets. */
static int
copy_account(struct pool *pool, const struct dir_account *from, struct dir_account *to)
{
	*to = (struct dir_account){ .user_account_control = from->user_account_control,
		.primary_group_rid = from->primary_group_rid,
		.is_computer = from->is_computer };
	if (copy_text(pool, from->dn, &to->dn) != 0 || copy_text(pool, from->sam, &to->sam) != 0 ||
	    copy_text(pool, from->upn, &to->upn) != 0 || copy_text(pool, from->mail, &to->mail) != 0 ||
	    copy_text(pool, from->dns_host_name, &to->dns_host_name) != 0 ||
	    copy_text(pool, from->cn, &to->cn) != 0 || pool_dup_bytes(pool, from->sid, &to->sid) != 0 ||
	    pool_dup_bytes(pool, from->guid, &to->guid) != 0)
		return -1;
	return 0;
}

/* Without memory for it, the next request looks it up again. */
static void
remember(struct subjects *s, const struct dir_account *acct)
{
	struct pool *pool = pool_new(SUBJECT_POOL_MAX);
	struct subject *x = pool != NULL ? POOL_NEW(pool, struct subject) : NULL;
	struct subject **at;

	if (x == NULL || copy_account(pool, acct, &x->acct) != 0) {
		pool_free(pool);
		return;
	}
	if (s->n >= SUBJECTS_MAX)
		forget_all(s);
	x->pool = pool;
	at = bucket(s, x->acct.sid);
	x->next = *at;
	*at = x;
	s->n++;
}

static void
on_account(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct subject_lookup *l = arg;
	struct subjects *s = l->d->subjects;

	if (acct != NULL && s->csn.n > 0 && s->edition == l->edition && find(s, acct->sid) == NULL)
		remember(s, acct);
	l->cb(l->arg, acct, e);
	free(l);
}

int
dir_subject_by_sid(struct dir *d, struct bytes sid, dir_account_fn *cb, void *arg, struct err *e)
{
	const struct dir_account *known = d->ops != NULL ? find(d->subjects, sid) : NULL;
	struct subject_lookup *l;

	if (known != NULL) {
		cb(arg, known, NULL);
		return 0;
	}
	l = malloc(sizeof(*l));
	if (l == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	*l = (struct subject_lookup){ d, d->subjects->edition, cb, arg };
	if (dir_account_by_sid(d, sid, on_account, l, e) == 0)
		return 0;
	free(l);
	return -1;
}
