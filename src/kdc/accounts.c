#include <stdlib.h>
#include <string.h>

#include "dir/dir.h"
#include "kdc/kdc_priv.h"

#define ACCOUNTS_POOL_MAX (256u << 20)
#define UF_ACCOUNTDISABLE 0x2 /* MS-ADTS 2.2.16 */
#define UF_DONT_REQUIRE_PREAUTH 0x400000

const char *const kdc_account_attrs[] = { "sAMAccountName", "userPrincipalName", "userPassword", "unicodePwd",
	"userAccountControl", "servicePrincipalName", NULL };

static int
take_services(struct pool *pool, struct kdc_account *a, const struct dir_attr *at)
{
	if (at == NULL)
		return 0;
	a->services = pool_calloc(pool, at->n, sizeof(*a->services));
	if (a->services == NULL)
		return -1;
	for (size_t i = 0; i < at->n; i++) {
		a->services[a->n_services] =
		    pool_strndup(pool, (const char *)at->values[i].p, at->values[i].len);
		if (a->services[a->n_services++] == NULL)
			return -1;
	}
	return 0;
}

/* As a password check sees it (logon/): unicodePwd wins, a hashed userPassword is of no use. */
static int
take_secret(struct pool *pool, struct kdc_account *a, const struct dir_entry *en)
{
	const struct dir_attr *hash = dir_entry_attr(en, "unicodePwd");
	const char *clear = dir_entry_text(en, "userPassword");

	if (hash != NULL && hash->n > 0 && hash->values[0].len == sizeof(a->nt_hash)) {
		memcpy(a->nt_hash, hash->values[0].p, sizeof(a->nt_hash));
		a->has_hash = true;
		return 0;
	}
	if (clear == NULL || *clear == '\0' || (clear[0] == '{' && strchr(clear, '}') != NULL))
		return 0;
	a->password = pool_strdup(pool, clear);
	return a->password == NULL ? -1 : 0;
}

static int
take_account(struct pool *pool, struct kdc_account *a, const struct dir_entry *en)
{
	uint32_t control = (uint32_t)dir_entry_int(en, "userAccountControl", 0);
	const char *upn = dir_entry_text(en, "userPrincipalName");

	a->name = pool_strdup(pool, dir_entry_text(en, "sAMAccountName"));
	if (upn != NULL && strchr(upn, '@') != NULL && (a->upn = pool_strdup(pool, upn)) == NULL)
		return -1;
	a->disabled = (control & UF_ACCOUNTDISABLE) != 0;
	a->no_preauth = (control & UF_DONT_REQUIRE_PREAUTH) != 0;
	a->kvno = 1;
	if (a->name == NULL || take_secret(pool, a, en) != 0)
		return -1;
	return take_services(pool, a, dir_entry_attr(en, "servicePrincipalName"));
}

static struct kdc_accounts *
accounts_new(size_t n, struct err *e)
{
	struct kdc_accounts *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->pool = pool_new(ACCOUNTS_POOL_MAX);
	if (a != NULL && a->pool != NULL) {
		a->list = pool_calloc(a->pool, n, sizeof(*a->list));
		a->by_upn = pool_calloc(a->pool, n, sizeof(*a->by_upn));
	}
	if (a != NULL && a->list != NULL && a->by_upn != NULL)
		return a;
	kdc_accounts_free(a);
	(void)ERR(e, E_OUTOFMEMORY, "out of memory");
	return NULL;
}

struct kdc_accounts *
kdc_accounts_read(const struct dir_result *res, struct err *e)
{
	struct kdc_accounts *a = accounts_new(res->n, e);

	for (size_t i = 0; a != NULL && i < res->n; i++) {
		if (dir_entry_text(&res->entries[i], "sAMAccountName") == NULL)
			continue;
		if (take_account(a->pool, &a->list[a->n], &res->entries[i]) != 0) {
			kdc_accounts_free(a);
			(void)ERR(e, E_OUTOFMEMORY, "no room for %zu accounts", res->n);
			return NULL;
		}
		a->n++;
	}
	return a;
}

static bool
same_secret(const struct kdc_account *a, const struct kdc_account *b)
{
	if ((a->password == NULL) != (b->password == NULL) || a->has_hash != b->has_hash)
		return false;
	return (a->password == NULL || strcmp(a->password, b->password) == 0) &&
	    memcmp(a->nt_hash, b->nt_hash, sizeof(a->nt_hash)) == 0;
}

static bool
same_services(const struct kdc_account *a, const struct kdc_account *b)
{
	if (a->n_services != b->n_services)
		return false;
	for (size_t i = 0; i < a->n_services; i++)
		if (strcmp(a->services[i], b->services[i]) != 0)
			return false;
	return true;
}

static bool
same_upn(const struct kdc_account *a, const struct kdc_account *b)
{
	return a->upn == NULL || b->upn == NULL ? a->upn == b->upn : strcmp(a->upn, b->upn) == 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct kdc_account *)a)->name, ((const struct kdc_account *)b)->name);
}

static int
by_upn(const void *a, const void *b)
{
	return strcmp(
	    (*(const struct kdc_account *const *)a)->upn, (*(const struct kdc_account *const *)b)->upn);
}

static void
sort_upns(struct kdc_accounts *a)
{
	a->n_upns = 0;
	for (size_t i = 0; i < a->n; i++)
		if (a->list[i].upn != NULL)
			a->by_upn[a->n_upns++] = &a->list[i];
	qsort(a->by_upn, a->n_upns, sizeof(*a->by_upn), by_upn);
}

const struct kdc_account *
kdc_accounts_find_upn(const struct kdc_accounts *a, const char *upn)
{
	const struct kdc_account key = { .upn = upn }, *wanted = &key, **found;

	found = a == NULL ? NULL : bsearch(&wanted, a->by_upn, a->n_upns, sizeof(*a->by_upn), by_upn);
	return found != NULL ? *found : NULL;
}

const struct kdc_account *
kdc_accounts_find(const struct kdc_accounts *a, const char *name)
{
	struct kdc_account key = { .name = name };

	return a == NULL ? NULL : bsearch(&key, a->list, a->n, sizeof(key), by_name);
}

size_t
kdc_accounts_compare(struct kdc_accounts *now, const struct kdc_accounts *before)
{
	size_t n = 0;

	qsort(now->list, now->n, sizeof(*now->list), by_name);
	sort_upns(now);
	for (size_t i = 0; i < now->n; i++) {
		struct kdc_account *a = &now->list[i];
		const struct kdc_account *old = kdc_accounts_find(before, a->name);

		if (old != NULL)
			a->kvno = same_secret(a, old) ? old->kvno : old->kvno + 1;
		a->changed = old == NULL || !same_secret(a, old) || !same_services(a, old) ||
		    !same_upn(a, old) || a->disabled != old->disabled || a->no_preauth != old->no_preauth;
		n += a->changed;
	}
	for (size_t i = 0; before != NULL && i < before->n; i++)
		n += kdc_accounts_find(now, before->list[i].name) == NULL;
	return n;
}

void
kdc_accounts_free(struct kdc_accounts *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; a->list != NULL && i < a->n; i++) {
		if (a->list[i].password != NULL)
			explicit_bzero((char *)(uintptr_t)a->list[i].password, strlen(a->list[i].password));
		explicit_bzero(a->list[i].nt_hash, sizeof(a->list[i].nt_hash));
	}
	pool_free(a->pool);
	free(a);
}
