/*
 * What the control socket answers, from a CA over ICertAdminD2 (MS-CSRA): the same verbs take the same
 * arguments and give the same results, so that the verbs of adcsctl print one thing for both. What that
 * interface cannot tell is left out of a result.
 */
#ifndef ADCSD_CTL_REMOTE_CALL_H
#define ADCSD_CTL_REMOTE_CALL_H

#include "client/session.h"
#include "ctl/ctl.h"

struct ctl_remote {
	struct client_session *session;
	bool viewing;    /* the object has a view open */
	uint32_t at;     /* rows of it that were read */
	char *templates; /* CR_PROP_TEMPLATES: lines of name, OID; NULL until asked for; in ctl's pool */
};

/* As ctl_call(); takes args. E_NOTIMPL for a verb without a method. */
json_t *
ctl_remote_call(struct ctl *c, const char *verb, json_t *args, struct err *e) MUST_CHECK;

/* ---- one function for each, between the files of remote_*.c ---- */

typedef json_t *
ctl_remote_fn(struct ctl *c, const json_t *args, struct err *e);

ctl_remote_fn ctl_remote_view_columns, ctl_remote_view_rows;
ctl_remote_fn ctl_remote_request_list, ctl_remote_request_show;
ctl_remote_fn ctl_remote_request_revoke, ctl_remote_request_unrevoke, ctl_remote_request_publish_expired,
    ctl_remote_request_valid, ctl_remote_crl_publish;
ctl_remote_fn ctl_remote_request_set_extension, ctl_remote_request_set_attributes, ctl_remote_audit_filter,
    ctl_remote_templates_set, ctl_remote_publish, ctl_remote_unpublish;
ctl_remote_fn ctl_remote_setting_show, ctl_remote_setting_set, ctl_remote_setting_reset;
ctl_remote_fn ctl_remote_acl_show, ctl_remote_acl_set, ctl_remote_acl_grant, ctl_remote_acl_deny,
    ctl_remote_acl_remove, ctl_remote_rights_show, ctl_remote_rights_set, ctl_remote_rights_change,
    ctl_remote_roles;
ctl_remote_fn ctl_remote_kra_list, ctl_remote_kra_add, ctl_remote_kra_remove, ctl_remote_kra_use;
ctl_remote_fn ctl_remote_crl_show;
ctl_remote_fn ctl_remote_delete, ctl_remote_import, ctl_remote_key, ctl_remote_import_key;
/* By "id" or "serial" of args: a row as request.list has them. */
ctl_remote_fn ctl_remote_request_find;

/* A method; -1 also when the HRESULT in its answer is a failure. *out in the pool. S_FALSE is none. */
int
ctl_remote_method(struct ctl *c, const struct client_method *m, const void *in, struct pool *pool, void **out,
    struct err *e) MUST_CHECK;
/* Base64 text of args, in the pool. */
int
ctl_remote_octets(
    struct ctl *c, const json_t *args, const char *name, struct bytes *out, struct err *e) MUST_CHECK;
/* Of --directory, for the aliases of SDDL; NULL: there is none, or it does not answer. */
const struct sddl_domain *
ctl_remote_domain(struct ctl *c);
/* SDDL as a self-relative descriptor, in the pool. */
int
ctl_remote_descriptor(struct ctl *c, const char *sddl, struct bytes *out, struct err *e) MUST_CHECK;
/* Revocation reasons by name or number, "" for unspecified; NULL for a number without a name. */
int
ctl_remote_reason(const char *text, uint32_t *out, struct err *e) MUST_CHECK;
const char *
ctl_remote_reason_name(uint32_t reason);
const char *
ctl_remote_authority(const struct ctl *c);
/* A string of args; "" when it is not there. */
const char *
ctl_remote_text(const json_t *args, const char *name);

#endif
