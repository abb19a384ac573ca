/*
 * The one door: every operation, whichever front it came by, enters here with a caller and leaves with a
 * verdict. Journal, clock and role checks stand here. The only code that changes the CA's state.
 */
#ifndef ADCSD_CA_CA_H
#define ADCSD_CA_CA_H

#include "auth/token.h"
#include "base/clock.h"
#include "base/pool.h"
#include "base/rng.h"
#include "base/work.h"
#include "settings/interface_flags.h"

struct ca;
struct dir;

/* CR_DISP_*, MS-WCCE 3.2.1.4.2.1 */
enum {
	CR_DISP_INCOMPLETE = 0,
	CR_DISP_ERROR = 1,
	CR_DISP_DENIED = 2,
	CR_DISP_ISSUED = 3,
	CR_DISP_ISSUED_OUT_OF_BAND = 4,
	CR_DISP_UNDER_SUBMISSION = 5,
	CR_DISP_REVOKED = 6,
};

struct ca_caller {
	const char *front;   /* "ICertPassage", "control" */
	const char *peer;    /* "127.0.0.1:40112", "uid 0" */
	const char *call;    /* connection and call number, "c17.3" */
	struct token *token; /* NULL: anonymous. The door takes its own reference */
	const char *package; /* "NTLM" */
	bool privacy;        /* packet privacy, or a local channel */
	bool local_admin;    /* control socket: root or the server's own user, every role */
};

struct ca_config {
	const char *state_dir;
	const char *settings_file; /* --config; NULL: the copy in the state folder or the built-in defaults */
	struct clock *clock;
	const struct rng *rng;
	struct work *work;
	struct dir *dir;    /* ready */
	unsigned http_port; /* of /CertEnroll/, for the %p of URLs; 0: left out */
};

typedef void
ca_ready_fn(void *arg, const struct err *e);

/* Opens or makes key, certificate and store, and publishes the CA's objects in the directory; ready runs
 * once. */
struct ca *
ca_open(const struct ca_config *cfg, ca_ready_fn *ready, void *arg, struct err *e) MUST_CHECK;
/* Waits for commits in flight. NULL is fine. */
void
ca_close(struct ca *ca);

/* The loop watches this eventfd and calls ca_store_drain() when it is readable: commits are done, answers
 * leave. */
int
ca_store_fd(const struct ca *ca);
void
ca_store_drain(struct ca *ca);
/* Once per turn of the loop, at its end: what has fallen due is started, buffered journal records reach the
 * file. */
void
ca_flush(struct ca *ca);
/* Virtual time of the next thing the CA does by itself (a CRL); the loop wakes then. 0: nothing is planned.
 */
filetime_t
ca_next_due(const struct ca *ca);

const char *
ca_name(const struct ca *ca);
const char *
ca_config_string(const struct ca *ca); /* "ca01.corp.contoso.com\\Contoso Certification Authority" */
const char *
ca_dns_name(const struct ca *ca);
uint32_t
ca_interface_flags(const struct ca *ca);
/* The settings of [kerberos]: NULL for no keytab. */
const char *
ca_keytab(const struct ca *ca);
bool
ca_wants_kdc(const struct ca *ca);

/* Tokens of accounts that have not logged on (logon_token_start), for principal.show and rehearsals: t is
 * lent, or NULL with e. Set once, before the first call; without it those verbs fail. */
typedef void
ca_token_fn(void *arg, struct token *t, const struct err *e);
struct ca_accounts {
	int (*token)(void *ctx, const char *name, ca_token_fn *cb, void *arg, struct err *e);
	void *ctx;
};
void
ca_set_accounts(struct ca *ca, const struct ca_accounts *accounts);

/* ---- enrollment ---- */

struct ca_request_args { /* MS-ICPR CertServerRequest, MS-WCCE Request: the same operation */
	uint32_t flags;
	const char *authority; /* UTF-8; NULL or "" as the client sent */
	uint32_t request_id;
	const char *attributes; /* UTF-8; NULL when none */
	struct bytes request;   /* empty: status query by request_id */
	/* Request2: a status query names its certificate here, NULL or "" for none; elsewhere by attributes.
	 */
	bool is_request2;
	const char *serial;
};
struct ca_request_result { /* lent during the callback */
	uint32_t hr;       /* return value */
	uint32_t request_id;
	uint32_t disposition;     /* CR_DISP_* or the HRESULT */
	struct bytes certificate; /* DER, or empty */
	struct bytes chain;       /* PKCS #7, or empty */
	const char *message;      /* disposition message, UTF-8, may be "" */
};
typedef void
ca_request_fn(void *arg, const struct ca_request_result *r);
/* Copies what it needs before it returns. cb runs exactly once, never before the row is durable; before this
 * returns when no row is needed (a gate refuses, a status query). The request id is assigned before this
 * returns: in the order of the calls. */
void
ca_request_start(struct ca *ca, const struct ca_caller *who, const struct ca_request_args *a,
    ca_request_fn *cb, void *arg);

/* ---- administration: one JSON object in, one out; verbs of the control socket. The table is ca/admin.c's.
 * ---- */

struct json_t;
/* result: lent jansson object, or NULL with e. */
typedef void
ca_admin_fn(void *arg, struct json_t *result, const struct err *e);
/* clang-format off */
/*
 * Every verb, its arguments and its result. Rights in MS-CSRA's words; a local administrator has them all. Verbs
 * for officers fail with CERTSRV_E_RESTRICTEDOFFICER where OfficerRights say no, all that change something with
 * CERTSRV_E_ROLECONFLICT under role separation.
 *
 *   ca.show          {}                          {name, sanitizedName, config, dnsName, key, root, notBefore, notAfter,
 *                                                 sha1, templates: [cn], settings: {...},
 *                                                 certificates: [certificate]}
 *   ca.renew         {newKey?, key?, validityPeriod?, validityPeriodUnits?, certificate?}  {certificates: [certificate],
 *                                                 published, error?}; a CA below another one: {request: PEM}, and with
 *                                                 certificate: PEM as above  Administrator
 *   ca.publish       {template}                  {templates: [cn]}      Administrator
 *   ca.unpublish     {template}                  {templates: [cn]}      Administrator
 *   ca.templates.set {templates: [cn]}           {templates: [cn]}      Administrator; the whole list
 *   ca.audit-filter.set {filter}                 {filter}               Administrator or Auditor; with
 *                                                IF_ENABLEADMINASAUDITOR only Administrator
 *   ca.acl.show      {}                          {sddl, aces: [{type, principal, rights: [name], mask}]}
 *   ca.acl.grant     {principal, rights: [name]} as ca.acl.show         Administrator
 *   ca.acl.deny      {principal, rights: [name]} as ca.acl.show         Administrator
 *   ca.acl.remove    {principal, rights?}        as ca.acl.show         Administrator
 *   ca.acl.set       {sddl}                      as ca.acl.show         Administrator
 *   ca.rights.show   {which}                     {restricted, sddl, entries: [{type, principal, template, subjects}]}
 *                                                which: officer (OfficerRights) or agent (EnrollmentAgentRights)
 *   ca.rights.change {which, what, principal, templates?, subjects?}    as ca.rights.show    Administrator
 *                                                what: allow, deny, remove; subjects: SIDs, default Everyone
 *   ca.rights.set    {which, sddl?}              as ca.rights.show      Administrator; without sddl: not restricted
 *   ca.roles         {}                          {roles, names}         CA_ACCESS_* bits of the caller
 *   ca.setting.show  {name?}                     {settings: [{name, type, value, changed, fixed, help, flags?}]}
 *   ca.setting.set   {name, value}               as ca.setting.show     Administrator
 *   ca.setting.reset {name}                      as ca.setting.show     Administrator; what the settings file says
 *   ca.cert          {index?}                    {der: base64, pem, chain: [pem]}; the newest by default
 *   ca.exchange      {}                          as ca.cert, of the exchange certificate
 *   ca.kra.list      {}                          {used, agents: [{index, subject, sha1, notBefore, notAfter, state, why?,
 *                                                 pem}]}; state: valid, expired, revoked, untrusted, invalid
 *   ca.kra.add       {der: base64}               as ca.kra.list         Administrator; the first one is used at once
 *   ca.kra.remove    {index}                     as ca.kra.list         Administrator
 *   ca.kra.use       {count}                     as ca.kra.list         Administrator; how many each key is encrypted for
 *   request.key      {id}                        {id, der: base64}      Officer; what GetArchivedKey gives
 *   request.importKey {id | sha1, der: base64, overwrite?}  {id}        Officer
 *   request.list     {state?, limit?, after?, newest?}  {requests: [row], next: id or null}
 *   request.show     {id}                        row and {columns: {name: value}, attributes: {name: value},
 *                                                 extensions: [{oid, critical, enabled, origin, value}], pem}
 *   request.explain  {id}                        row and {rules: [{step, rule, said, attribute, section, text, fix}]}
 *   request.issue    {id}                        {id, disposition, hr, message}   Officer (a denied one: and Administrator)
 *   request.deny     {id}                        {id, disposition, hr, message}   Officer
 *   request.revoke   {id | serial, reason?, effective?}  row            Officer
 *   request.unrevoke {id | serial}               row                    Officer
 *   request.publish-expired {id | serial, off?}  row; listed when it has expired, too  Officer
 *   request.set-extension  {id, oid, type, flags, value: base64}  {id}   Officer; of a pending request. type: 1 number (4
 *                                                octets, little-endian), 2 time (FILETIME), 3 octets, 4 text (UTF-16LE
 *                                                and its NUL); flags: 1 critical, 2 disabled
 *   request.set-attributes {id, attributes: "Name:Value\n..."}  {id}    Officer; of a pending request
 *   request.delete   {table, row?, before?: time, flags}  {deleted}      Administrator and Officer; a row or a date. table:
 *                                                0 requests, 0x3000 extensions, 0x4000 attributes (row: the request's,
 *                                                all of them), 0x5000 CRLs. flags of a date: 1 certificates that
 *                                                expired before it, 2 requests not issued; archived keys stay
 *   ca.import        {certificate: base64, flags}  {id}                 Officer; one this CA signed. flags: 0x20000 into
 *                                                the row of the request that waits for it
 *   request.valid    {serial}                    {serial, disposition, state, reason?}; state: valid, revoked, neverIssued
 *   crl.show         {}                          {crls: [crl], folder}
 *   crl.get          {delta?, key?}              crl and {der: base64}; key: its index, the current one's by default
 *   crl.publish      {delta?, republish?, until?}  crl of the current key, and {crls: [crl]}: of every key
 *                                                                       Administrator
 *   principal.show   {name}                      {account, dn, upn, computer, sids: [{sid, name, via}]}   via: user,
 *                                                 primary, group, wellKnown, local. Administrator or Officer, as the
 *                                                 rehearsals
 *   rehearse         {as, template?, csr? | subject?, san?, key?; attributes?, flags?}   what a real request would get:
 *                                                {verdict, hr, hrName, disposition, message, reason, requester, template,
 *                                                 rules: as request.explain, certificate: {subject, alternativeNames,
 *                                                 notBefore, notAfter, publish, extensions: [{oid, name, critical,
 *                                                 text?, value}]}}; verdict: issued, pending, denied, failed, refused
 *   rehearse.matrix  {templates?: [cn], allTemplates?, principals?: [name], subject?, san?, key?, attributes?}
 *                                                {templates: [cn], principals: [{account, computer, disabled}],
 *                                                 cells: [[disposition]], milliseconds}; a row per principal; 3 issued,
 *                                                 5 pending, else the HRESULT
 *   view.columns     {table?}                    {columns: [{id, name, display, type, indexed, max}]}; table: requests,
 *                                                 extensions, attributes, crl
 *   view.rows        {columns: [id], restrictions?: [{column, seek, sort, value: hex}], limit?, after?: position}
 *                                                {rows: [[value]], next: position or null}; restrictions as in MS-CSRA
 *                                                 2.2.1.3; octets in base64
 *   journal          {after?, limit?}            {records: [...], last: id}; without `after` the newest ones
 *   audit            {after?, limit?}            the same of the Security log's events. Administrator or Auditor
 *   clock.show       {}                          {virtual, real, stopped}
 *   clock.advance    {seconds}                   as clock.show          Administrator; answers when what fell due is done
 *   stats            {}                          counters
 *
 * row: {id, state, disposition, status, statusName, message, submitted, resolved, requester, template, templateName,
 * serial, commonName, notBefore, notAfter}; members without a value are left out. state: pending, issued, revoked,
 * denied, failed. disposition of issue and deny: the CR_DISP_* number, or the HRESULT as text "0x...".
 * A revoked row has reason, revoked and effective too. crl: {number, type, keyIndex, partition?, minBase, entries, thisUpdate, nextUpdate,
 * published, nextPublish, flags, complete, error?}. certificate: {index, keyIndex, version, key, notBefore, notAfter,
 * state, sha1, current, forwardCross, backwardCross}, oldest first; index counts certificates, keyIndex is that of the
 * first certificate with the key. reason: a name of RFC 5280 5.3.1 ("keyCompromise") or its number.
 * principal: a SID or an SDDL alias. rights: Read, RequestCertificates (Enroll), IssueAndManageCertificates (Officer),
 * ManageCA (Administrator).
 */
/* clang-format on */
void
ca_admin_start(struct ca *ca, const struct ca_caller *who, const char *verb, struct json_t *args,
    ca_admin_fn *cb, void *arg);

/* Journal records of the fronts: refused logons, faults. */
void
ca_journal_incident(struct ca *ca, const char *front, const char *kind, const char *peer,
    const char *connection, const char *account, uint32_t status, const char *reason);

/* Every commit fails with this code; 0: no longer (store_set_failure()). */
void
ca_set_database_failure(struct ca *ca, uint32_t hr);

/* The CA host's local groups that are settings: adds SIDs to a token. */
int
ca_token_add_local_groups(const struct ca *ca, struct token *t, struct err *e) MUST_CHECK;

#endif
