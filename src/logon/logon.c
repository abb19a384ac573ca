#include "logon/logon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth/ntlm_hash.h"
#include "dir/dir.h"
#include "logon/pac.h"

#define UF_ACCOUNTDISABLE 0x2 /* MS-ADTS 2.2.16 */
#define PAC_POOL_MAX (1u << 20)

/* One look-up under way: a password check, a ticket, or a token for a name. */
struct check {
	struct check *next;
	struct logon *logon;      /* NULL: gone before the answer */
	auth_verdict_fn *verdict; /* NULL: cancelled, or a token is wanted */
	logon_token_fn *token;
	void *arg;
	struct auth_ntlm_proof proof; /* points into text */
	struct buf text;
	struct pool *pac; /* of a ticket with a PAC */
	struct pac_identity identity;
};

struct logon {
	struct dir *d;
	int (*local_groups)(void *arg, struct token *t, struct err *e);
	void *local_arg;
	struct auth_authority authority;
	struct check *checks;
};

static struct check *
check_new(struct logon *l, void *arg)
{
	struct check *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->logon = l;
	c->arg = arg;
	c->next = l->checks;
	l->checks = c;
	buf_init(&c->text, 4 * AUTH_TOKEN_MAX);
	return c;
}

static void
check_free(struct check *c)
{
	struct check **at;

	for (at = c->logon == NULL ? NULL : &c->logon->checks; at != NULL && *at != NULL; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	buf_wipe(&c->text);
	pool_free(c->pac);
	free(c);
}

/* ---- tokens ---- */

static int
add_sid(struct token *t, struct bytes wire, enum token_via via, const char *domain, const char *name,
    struct err *e)
{
	char text[128];
	struct sid sid;

	if (sid_from_wire(&sid, wire, NULL, e) != 0)
		return -1;
	if (name != NULL)
		(void)snprintf(text, sizeof(text), "%s\\%s", domain, name);
	return token_add(t, &sid, via, name == NULL ? NULL : text, e);
}

static int
fill_token(const struct logon *l, struct token *t, const struct dir_account *a, struct err *e)
{
	const char *domain = dir_forest(l->d)->nb_domain;
	const struct dir_group *g;
	size_t i;

	if (add_sid(t, a->sid, TOKEN_VIA_USER, domain, a->sam, e) != 0)
		return -1;
	for (i = 0; i < a->n_groups; i++) {
		g = &a->groups[i];
		if (add_sid(
			t, g->sid, g->primary ? TOKEN_VIA_PRIMARY : TOKEN_VIA_GROUP, domain, g->name, e) != 0)
			return -1;
	}
	if (token_add_well_known(t, a->primary_group_rid, e) != 0)
		return -1;
	return l->local_groups == NULL ? 0 : l->local_groups(l->local_arg, t, e);
}

static struct token *
make_token(const struct logon *l, const struct dir_account *a, struct err *e)
{
	char account[128];
	struct token *t;

	(void)snprintf(account, sizeof(account), "%s\\%s", dir_forest(l->d)->nb_domain, a->sam);
	t = token_new(account, a->dn, a->upn, a->is_computer);
	if (t == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	if (fill_token(l, t, a, e) == 0)
		return t;
	token_unref(t);
	return NULL;
}

/* ---- password checks ---- */

/* The NT hash: AD's unicodePwd, else made from the forest file's clear userPassword. A hashed one
 * ("{SSHA}...") is of no use to NTLM. */
static int
nt_hash_of(const struct dir_account *a, uint8_t out[16], struct err *e)
{
	if (a->unicode_pwd.len == 16) {
		memcpy(out, a->unicode_pwd.p, 16);
		return 0;
	}
	if (a->user_password.len == 0 || memchr(a->user_password.p, '\0', a->user_password.len) != NULL)
		return ERR(e, E_LOGON_FAILURE, "%s has no password", a->sam);
	if (a->user_password.p[0] == '{' && memchr(a->user_password.p, '}', a->user_password.len) != NULL)
		return ERR(e, E_LOGON_FAILURE, "%s has no password in clear or as unicodePwd", a->sam);
	return ntlm_hash_password(out, (const char *)a->user_password.p, e);
}

static int
check_enabled(const struct dir_account *a, struct err *e)
{
	if ((a->user_account_control & UF_ACCOUNTDISABLE) != 0)
		return ERR(e, E_ACCOUNT_DISABLED, "%s is disabled", a->sam);
	return 0;
}

static int
check_account(struct check *c, const struct dir_account *a, struct auth_verdict *v, struct err *e)
{
	uint8_t hash[16];
	int rc;

	rc = nt_hash_of(a, hash, e);
	if (rc == 0)
		rc = ntlm_check_proof(&c->proof, hash, v->session_base_key, e);
	explicit_bzero(hash, sizeof(hash));
	if (rc != 0)
		return err_prefix(e, "%s", a->sam);
	if (check_enabled(a, e) != 0) /* told only to someone who knows the password */
		return -1;
	v->token = make_token(c->logon, a, e);
	return v->token == NULL ? -1 : 0;
}

/* Whether a name exists is nobody's business: an unknown domain or account is refused like a wrong password,
 * after the same work. */
static void
hide_absence(const struct check *c, struct err *e)
{
	uint8_t nobody[16] = { 0 }, key[16];

	if (e->hr != E_LOGON_FAILURE && e->hr != E_NO_SUCH_DOMAIN)
		return;
	(void)!ntlm_check_proof(&c->proof, nobody, key, NULL);
	explicit_bzero(key, sizeof(key));
	e->hr = E_LOGON_FAILURE;
}

static void
on_account_to_check(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct auth_verdict v = { .token = NULL };
	struct check *c = arg;
	struct err why = { 0 };
	int rc = -1;

	if (c->verdict == NULL) { /* cancelled */
		check_free(c);
		return;
	}
	if (e != NULL) {
		why = *e;
		hide_absence(c, &why);
	} else {
		rc = check_account(c, acct, &v, &why);
	}
	c->verdict(c->arg, rc == 0 ? &v : NULL, rc == 0 ? NULL : &why);
	explicit_bzero(&v.session_base_key, sizeof(v.session_base_key));
	check_free(c);
}

/* Copies the proof: it lives until the verdict only in the peer's memory. */
static int
keep_proof(struct check *c, const struct auth_ntlm_proof *p)
{
	size_t user = strlen(p->user) + 1, domain = strlen(p->domain) + 1;
	const uint8_t *at;

	buf_put(&c->text, p->user, user);
	buf_put(&c->text, p->domain, domain);
	buf_put_bytes(&c->text, p->user_upper_utf16);
	buf_put_bytes(&c->text, p->domain_utf16);
	buf_put_bytes(&c->text, p->nt_response);
	if (!buf_ok(&c->text))
		return -1;
	c->proof = *p;
	at = c->text.p;
	c->proof.user = (const char *)at;
	c->proof.domain = (const char *)at + user;
	c->proof.user_upper_utf16.p = at + user + domain;
	c->proof.domain_utf16.p = c->proof.user_upper_utf16.p + p->user_upper_utf16.len;
	c->proof.nt_response.p = c->proof.domain_utf16.p + p->domain_utf16.len;
	return 0;
}

static void *
ntlm_verify(void *ctx, const struct auth_ntlm_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct logon *l = ctx;
	struct check *c = check_new(l, arg);
	struct err e;

	if (c == NULL || keep_proof(c, proof) != 0) {
		(void)ERR(&e, E_OUTOFMEMORY, "out of memory");
	} else if (dir_account_by_logon(l->d, c->proof.user, c->proof.domain, on_account_to_check, c, &e) ==
	    0) {
		c->verdict = cb;
		return c;
	} else {
		hide_absence(c, &e);
	}
	if (c != NULL)
		check_free(c);
	cb(arg, NULL, &e);
	return NULL;
}

static void
cancel(void *ctx, void *handle)
{
	struct check *c = handle;

	(void)ctx;
	c->verdict = NULL;
}

/* ---- tickets ---- */

/* The PAC says who; the directory adds what it knows of that SID, which may be nothing: the account can be of
 * another domain (access-control.md 3.1). */
static struct token *
token_of_pac(const struct check *c, const struct dir_account *a, struct err *e)
{
	const struct pac_identity *id = &c->identity;
	const struct logon *l = c->logon;
	char account[128];
	struct token *t;

	(void)snprintf(account, sizeof(account), "%s\\%s", id->domain, id->account);
	t = token_new(
	    account, a != NULL ? a->dn : "", a != NULL ? a->upn : NULL, a != NULL && a->is_computer);
	if (t == NULL) {
		(void)ERR(e, E_OUTOFMEMORY, "out of memory");
		return NULL;
	}
	if (pac_add_sids(t, id, e) == 0 && token_add_well_known(t, id->primary_rid, e) == 0 &&
	    (l->local_groups == NULL || l->local_groups(l->local_arg, t, e) == 0))
		return t;
	token_unref(t);
	return NULL;
}

static void
on_account_of_ticket(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct auth_verdict v = { .token = NULL };
	struct check *c = arg;
	struct err why = { 0 };

	if (c->verdict == NULL) { /* cancelled */
		check_free(c);
		return;
	}
	if (c->pac != NULL && (e == NULL || e->hr == E_DS_NO_SUCH_OBJECT))
		v.token = token_of_pac(c, acct, &why);
	else if (e != NULL)
		why = *e;
	else if (check_enabled(acct, &why) == 0) /* a PAC's KDC has looked; here nobody else does */
		v.token = make_token(c->logon, acct, &why);
	c->verdict(c->arg, v.token != NULL ? &v : NULL, v.token != NULL ? NULL : &why);
	check_free(c);
}

/* By the SID in the PAC; without a PAC by the client's name. */
static int
start_ticket(struct logon *l, struct check *c, const struct auth_kerberos_proof *proof, struct err *e)
{
	struct buf sid;
	int rc;

	if (proof->logon_info.len == 0)
		return dir_account_by_logon(l->d, proof->name, proof->realm, on_account_of_ticket, c, e);
	c->pac = pool_new(PAC_POOL_MAX);
	if (c->pac == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (pac_identity_read(proof->logon_info, c->pac, &c->identity, e) != 0)
		return -1;
	buf_init(&sid, SID_WIRE_MAX);
	sid_put(&sid, &c->identity.user);
	rc = dir_account_by_sid(l->d, buf_bytes(&sid), on_account_of_ticket, c, e);
	buf_fini(&sid);
	return rc;
}

static void *
kerberos_verify(void *ctx, const struct auth_kerberos_proof *proof, auth_verdict_fn *cb, void *arg)
{
	struct logon *l = ctx;
	struct check *c = check_new(l, arg);
	struct err e;

	if (c == NULL) {
		(void)ERR(&e, E_OUTOFMEMORY, "out of memory");
	} else if (start_ticket(l, c, proof, &e) == 0) {
		c->verdict = cb;
		return c;
	}
	if (c != NULL)
		check_free(c);
	cb(arg, NULL, &e);
	return NULL;
}

/* ---- tokens without a logon ---- */

static void
on_account_to_token(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct token *t = NULL;
	struct check *c = arg;
	struct err why;

	if (c->token == NULL) {
		check_free(c);
		return;
	}
	if (e == NULL) {
		t = make_token(c->logon, acct, &why);
		e = &why;
	} else if (e->hr == E_LOGON_FAILURE) { /* nobody logs on here */
		why = *e;
		why.hr = E_DS_NO_SUCH_OBJECT;
		e = &why;
	}
	c->token(c->arg, t, t != NULL ? NULL : e);
	token_unref(t);
	check_free(c);
}

/* "S-1-5-21-...", "DOMAIN\\name", "name@suffix", "name". */
static int
look_up(struct logon *l, const char *name, struct check *c, struct err *e)
{
	const char *slash = strchr(name, '\\');
	char domain[256] = "";
	struct sid sid;
	struct buf b;
	int rc;

	if (strncmp(name, "S-1-", 4) == 0) {
		if (sid_from_text(&sid, name, e) != 0)
			return -1;
		buf_init(&b, SID_WIRE_MAX);
		sid_put(&b, &sid);
		rc = dir_account_with_groups_by_sid(l->d, buf_bytes(&b), on_account_to_token, c, e);
		buf_fini(&b);
		return rc;
	}
	if (slash != NULL) {
		if ((size_t)(slash - name) >= sizeof(domain))
			return ERR(e, E_NO_SUCH_DOMAIN, "domain name too long");
		memcpy(domain, name, (size_t)(slash - name));
		name = slash + 1;
	}
	return dir_account_by_logon(l->d, name, domain, on_account_to_token, c, e);
}

int
logon_token_start(struct logon *l, const char *name, logon_token_fn *cb, void *arg, struct err *e)
{
	struct check *c = check_new(l, arg);

	if (c == NULL)
		return ERR(e, E_OUTOFMEMORY, "out of memory");
	if (look_up(l, name, c, e) != 0) {
		check_free(c);
		return -1;
	}
	c->token = cb;
	return 0;
}

/* ---- life ---- */

struct logon *
logon_new(struct dir *d, int (*local_groups)(void *arg, struct token *t, struct err *e), void *arg)
{
	struct logon *l = calloc(1, sizeof(*l));

	if (l == NULL)
		return NULL;
	l->d = d;
	l->local_groups = local_groups;
	l->local_arg = arg;
	l->authority = (struct auth_authority){
		.ctx = l, .ntlm_verify = ntlm_verify, .cancel = cancel, .kerberos_verify = kerberos_verify
	};
	return l;
}

const struct auth_authority *
logon_authority(struct logon *l)
{
	return &l->authority;
}

void
logon_set_kerberos(struct logon *l, struct kerberos *k)
{
	l->authority.kerberos = k;
}

/* The directory still owes the answers: they find their checks cut loose. */
void
logon_free(struct logon *l)
{
	struct check *c;
	struct err e;

	if (l == NULL)
		return;
	(void)ERR(&e, E_DS_UNAVAILABLE, "the server is ending");
	while (l->checks != NULL) {
		c = l->checks;
		l->checks = c->next;
		c->logon = NULL;
		if (c->verdict != NULL)
			c->verdict(c->arg, NULL, &e);
		if (c->token != NULL)
			c->token(c->arg, NULL, &e);
		c->verdict = NULL;
		c->token = NULL;
	}
	free(l);
}
