/* Verbs that go over the control socket: the CA, its requests, the journal, the clock, the server. */
#ifndef ADCSD_CTL_ADMIN_H
#define ADCSD_CTL_ADMIN_H

#include "ctl/ctl.h"

typedef int
ctl_verb_fn(struct ctl *c, const struct ctl_args *a);

ctl_verb_fn ctl_ca_show, ctl_ca_publish, ctl_ca_unpublish, ctl_ca_acl_show, ctl_ca_acl_grant, ctl_ca_acl_deny,
    ctl_ca_acl_remove, ctl_ca_acl_set, ctl_ca_cert;
ctl_verb_fn ctl_ca_get, ctl_ca_set, ctl_ca_unset, ctl_ca_role_separation, ctl_ca_roles;
ctl_verb_fn ctl_officer_rights_show, ctl_officer_rights_allow, ctl_officer_rights_deny,
    ctl_officer_rights_remove, ctl_officer_rights_set, ctl_officer_rights_clear;
ctl_verb_fn ctl_agent_rights_show, ctl_agent_rights_allow, ctl_agent_rights_deny, ctl_agent_rights_remove,
    ctl_agent_rights_set, ctl_agent_rights_clear;
ctl_verb_fn ctl_request_list, ctl_request_show, ctl_request_explain, ctl_request_issue, ctl_request_deny;
ctl_verb_fn ctl_principal_show, ctl_access, ctl_rehearse;
ctl_verb_fn ctl_view;
ctl_verb_fn ctl_audit_show;
ctl_verb_fn ctl_pki_list, ctl_pki_add, ctl_pki_remove;
ctl_verb_fn ctl_enroll, ctl_bench;
ctl_verb_fn ctl_journal, ctl_clock_show, ctl_clock_advance, ctl_server_show, ctl_server_stats,
    ctl_server_stop;
ctl_verb_fn ctl_request_set_extension, ctl_request_set_attributes, ctl_ca_set_templates, ctl_ca_audit_filter;
ctl_verb_fn ctl_request_delete, ctl_request_import, ctl_crl_delete;
ctl_verb_fn ctl_ca_renew, ctl_request_publish_expired, ctl_request_valid;
void
ctl_print_ca_certificates(const json_t *list);
ctl_verb_fn ctl_request_revoke, ctl_request_unrevoke, ctl_crl_show, ctl_crl_get, ctl_crl_publish;

/* One call, whose answer is to be printed as text; takes args. NULL when nothing is left to do: it failed and
 * that has been told, or --json has printed it; *code is then the verb's exit code. */
json_t *
ctl_ask(struct ctl *c, const char *verb, json_t *args, int *code);
/* One call whose answer is only shown with --json; takes args. */
int
ctl_call_quietly(struct ctl *c, const char *verb, json_t *args);
ctl_verb_fn ctl_ca_kra_list, ctl_ca_kra_add, ctl_ca_kra_remove, ctl_ca_kra_use, ctl_request_recover_key,
    ctl_request_import_key;

/* path NULL or "-": standard output. */
int
ctl_write_file(const char *path, const void *p, size_t n, struct err *e) MUST_CHECK;
/* A member's text; "" where there is none. */
const char *
ctl_text(const json_t *o, const char *name);
/* CTL_OK, or CTL_USAGE with a message that names `what`. */
int
ctl_number_arg(const char *text, const char *what, json_int_t *out);
/* --after and --limit, where given. */
int
ctl_paging(struct ctl *c, const struct ctl_args *a, json_t *args);

/* Appends a file, or standard input for "-". */
int
ctl_read_file(const char *path, struct buf *out, struct err *e) MUST_CHECK;
/* Request attributes as certreq takes them: a backslash and an n between several. In the pool. */
const char *
ctl_attributes(struct ctl *c, const char *given);
/* The explanation, a line or two for each rule that had something to say. */
void
ctl_print_rules(const json_t *rules);

/* "300d", "2h", "1y" (365 days), "6m" (30 days), "2w": a span; no unit means seconds. */
int
ctl_period_parse(const char *text, int64_t *filetime_span, struct err *e) MUST_CHECK;

/* fault.c */
int
ctl_fault_add(struct ctl *c, const struct ctl_args *a);
int
ctl_fault_list(struct ctl *c, const struct ctl_args *a);
int
ctl_fault_clear(struct ctl *c, const struct ctl_args *a);
int
ctl_fault_points(struct ctl *c, const struct ctl_args *a);

#endif
