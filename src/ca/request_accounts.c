/* The accounts a request is about: its subject, the user it is made for, the owner of what it renews. */
#include "ca/request.h"

static int
copy_subject(struct ca_request *r, const struct dir_account *a, struct err *e)
{
	struct policy_subject *s = &r->subject;
	struct bytes sid_bytes = a->sid;
	char sid_text[SID_TEXT_MAX] = "";
	struct sid sid;

	/* whether the account needs one, policy decides */
	if (a->sid.len > 0 && sid_from_wire(&sid, sid_bytes, NULL, e) != 0)
		return err_prefix(e, "objectSid of %s", a->dn);
	if (a->sid.len > 0)
		sid_to_text(&sid, sid_text);
	s->dn = pool_strdup(r->pool, a->dn);
	s->sam = pool_strdup(r->pool, a->sam);
	s->cn = a->cn != NULL ? pool_strdup(r->pool, a->cn) : NULL;
	s->upn = a->upn != NULL ? pool_strdup(r->pool, a->upn) : NULL;
	s->mail = a->mail != NULL ? pool_strdup(r->pool, a->mail) : NULL;
	s->dns_host_name = a->dns_host_name != NULL ? pool_strdup(r->pool, a->dns_host_name) : NULL;
	s->sid_text = pool_strdup(r->pool, sid_text);
	s->is_computer = a->is_computer;
	if (s->dn == NULL || s->sam == NULL || s->sid_text == NULL ||
	    pool_dup_bytes(r->pool, a->guid, &s->guid) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for the account");
	r->in.subject = s;
	return 0;
}

static void
on_subject(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (ca_request_cut_short(r))
		return;
	if (e != NULL)
		why = *e;
	if (e != NULL || copy_subject(r, acct, &why) != 0) {
		ca_request_fail(r, NULL, &why);
		return;
	}
	ca_request_decide_start(r);
}

/* EnrollmentAgentRights speak of groups of the named user. */
static void
on_named_token(void *arg, struct token *t, const struct err *e)
{
	struct ca_request *r = arg;

	if (ca_request_cut_short(r))
		return;
	if (t == NULL) {
		ca_request_fail(r, NULL, e);
		return;
	}
	r->named = token_ref(t);
	r->in.named = t;
	ca_request_decide_start(r);
}

static void
named_token_start(struct ca_request *r)
{
	const struct ca_accounts *accounts = &r->ca->accounts;
	struct err e = { 0 };
	int rc;

	rc = accounts->token != NULL ? accounts->token(accounts->ctx, r->on_behalf_of, on_named_token, r, &e)
				     : ERR(&e, E_UNEXPECTED, "the server cannot look accounts up");
	if (rc != 0)
		ca_request_fail(r, NULL, &e);
}

/* The user for whom somebody asks; the names, and the row's RequesterName, are theirs. */
static void
on_named_user(void *arg, const struct dir_account *acct, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (ca_request_cut_short(r))
		return;
	if (e != NULL && e->hr == E_LOGON_FAILURE) {
		ERR(&why, E_NONE_MAPPED, "requestername %.120s: %s", r->asked_for, e->msg);
		ca_request_fail(r, CA_ERROR_PARSING, &why);
		return;
	}
	if (e == NULL && copy_subject(r, acct, &why) == 0)
		r->on_behalf_of =
		    pool_printf(r->pool, "%s\\%s", dir_forest(r->ca->dir)->nb_domain, r->subject.sam);
	else if (e != NULL)
		why = *e;
	if (r->on_behalf_of == NULL) {
		if (why.hr == 0)
			ERR(&why, E_OUTOFMEMORY, "no memory for the account");
		ca_request_fail(r, NULL, &why);
		return;
	}
	r->in.on_behalf_of = r->on_behalf_of;
	if (r->live->agents != NULL)
		named_token_start(r);
	else
		ca_request_decide_start(r);
}

static void
named_user_start(struct ca_request *r)
{
	struct err e = { 0 };
	const char *user;

	if (ca_wrapped_split_account(r, &user, &e) != 0)
		ca_request_fail(r, CA_ERROR_PARSING, &e);
	else if (dir_account_by_logon(r->ca->dir, user, "", on_named_user, r, &e) != 0)
		ca_request_fail(r, NULL, &e);
}

static void
subject_start(struct ca_request *r)
{
	struct err e = { 0 };
	struct buf sid;

	if (r->requester->n_sids == 0) {
		ERR(&e, E_DS_NO_SUCH_OBJECT, "the requester has no SID");
		ca_request_fail(r, NULL, &e);
		return;
	}
	buf_init(&sid, SID_WIRE_MAX);
	sid_put(&sid, &r->requester->sids[0].sid);
	if (dir_subject_by_sid(r->ca->dir, buf_bytes(&sid), on_subject, r, &e) != 0) {
		ca_request_fail(r, NULL, &e);
	}
	buf_fini(&sid);
}

void
ca_request_accounts(struct ca_request *r)
{
	if (r->asked_for != NULL)
		named_user_start(r);
	else if (policy_needs_subject(&r->in))
		subject_start(r);
	else
		ca_request_decide_start(r);
}

/* The old key speaks for its owner: from here on it is their request (MS-WCCE 3.2.2.6.2.1.2.4). */
static void
on_end_entity(void *arg, struct token *t, const struct err *e)
{
	struct ca_request *r = arg;
	struct err why = { 0 };

	if (ca_request_cut_short(r))
		return;
	if (t == NULL) {
		ERR(&why, e->hr == E_LOGON_FAILURE ? E_NONE_MAPPED : e->hr,
		    "the certificate to be renewed: %s", e->msg);
		ca_request_fail(r, NULL, &why);
		return;
	}
	token_unref(r->requester);
	r->requester = token_ref(t);
	if (!access_check_ca(&r->live->security, t, CA_ACCESS_ENROLL, NULL).granted) {
		ERR(&why, CERTSRV_E_ENROLL_DENIED, "%s has no Enroll right on the CA", t->account);
		ca_request_fail(r, NULL, &why);
		return;
	}
	ca_request_evaluate(r);
}

void
ca_request_end_entity(struct ca_request *r)
{
	const struct ca_accounts *accounts = &r->ca->accounts;
	const char *name = r->renewal != NULL ? ca_wrapped_end_entity(r) : NULL;
	struct err e = { 0 };
	int rc;

	if (r->renewal == NULL)
		rc = ERR(
		    &e, E_INVALIDARG, "dwFlags say renewal on behalf of others, the request renews nothing");
	else if (name == NULL)
		rc = ERR(&e, E_NONE_MAPPED, "the certificate to be renewed has neither a SID nor a UPN");
	else if (accounts->token == NULL)
		rc = ERR(&e, E_UNEXPECTED, "the server cannot look accounts up");
	else
		rc = accounts->token(accounts->ctx, name, on_end_entity, r, &e);
	if (rc != 0)
		ca_request_fail(r, NULL, &e);
}
