/* Shared inside ca/: the instance, one request on its way, and what the files lend each other. */
#ifndef ADCSD_CA_CA_PRIV_H
#define ADCSD_CA_CA_PRIV_H

#include <jansson.h>

#include "ca/ca.h"
#include "ca/journal.h"
#include "ca/live.h"
#include "ca/names.h"
#include "dir/dir.h"
#include "policy/policy.h"
#include "settings/acl.h"
#include "settings/restrictions.h"
#include "settings/settings.h"
#include "store/store.h"
#include "x509/chain.h"

#define CA_REQUEST_POOL_MAX (16u << 20)
#define CA_ATTRIBUTES_MAX 32768 /* pwszAttributes, octets of UTF-8 */

#define CR_IN_FULLRESPONSE 0x00040000u /* dwFlags Y: answer with a CMC full response */
#define CR_IN_ROBO 0x00200000u         /* dwFlags Z: renew on behalf of the certificate's owner */
/* Request.RequestFlags, MS-CSRA 3.1.1.1.2 */
enum { CR_FLG_RENEWAL = 0x2, CR_FLG_ENROLLONBEHALFOF = 0x10, CR_FLG_VALIDENCRYPTEDKEYHASH = 0x40 };

struct ca_stats {
	uint64_t admitted, requests, issued, pending, denied, failed, refused, retrieved;
	uint64_t micros_parse, micros_policy, micros_total; /* sums over `requests` */
};

/* Template models of one snapshot, shared by the requests that were decided by it. Loop's thread counts
 * references. */
struct ca_templates {
	unsigned refs;
	uint64_t generation;
	struct pool *pool;
	struct policy_template *v;
	size_t n;
	struct x509_strings published; /* certificateTemplates of this CA */
	struct dir_snapshot *snap;     /* they are of */
	struct ca_trust *trusts;       /* trust.c: made when somebody signed a request */
};

struct ca_backup;
struct ca_deliveries;
struct ca_cert;
struct ca_cert_list;
struct ca_trust;

/* CRL partitions, as they were when the CA was opened (partition.c). */
struct ca_partitions {
	bool enabled, zero_exclusive;
	unsigned max, suspended, current; /* current 0: chance decides */
};

/* Revocation lists (crl.h): what waits, and when the next ones are due. */
struct ca_crl_state {
	bool started;
	struct ca_crl_job *jobs; /* the first one is under way */
	const char *folder;
	filetime_t base_next, delta_next; /* 0: never published */
	filetime_t retry_at;              /* 0: all outlets have the newest ones */
	filetime_t pause_until;           /* after a failure to make one */
	unsigned attempts;
};

struct ca {
	unsigned refs; /* one for the owner, one per operation under way */
	bool closing;
	unsigned busy; /* operations on a worker or with the store */
	struct clock *clock;
	struct rng rng;
	struct work *work;
	struct dir *dir;
	struct pool *pool;
	char *state_dir;
	struct ca_settings from_file;
	struct ca_live *live;        /* never NULL once the CA is open */
	struct ca_settings settings; /* live->settings: for the loop's thread, until the next turn */
	/* names; in the pool */
	const char *name, *sanitized, *short_name, *dns_name, *short_host, *config_string;
	struct sddl_domain domain;
	const struct ca_cert_list *certs; /* signing_certs.h; replaced as a whole by a renewal */
	struct x509_ca *x509;             /* of the newest of them; on the loop's thread only */
	struct store *store;
	struct journal *journal;
	struct journal *audit; /* audit.h */
	bool audit_started;
	struct policy_ca policy; /* of the live settings and the newest certificate */
	uint8_t high_serial;
	struct ca_templates *templates; /* of the newest snapshot seen; may be NULL */
	struct ca_deliveries *deliveries;
	struct ca_accounts accounts;
	struct ca_crl_state crl;
	struct ca_partitions partitions;
	struct ca_renewal *renewal;        /* under way; else NULL */
	struct ca_revocation *revocations; /* the first one is under way */
	const char *http_port;             /* %p of URLs */
	struct ca_exchange *exchange;      /* exchange.h */
	struct ca_kra *kra;                /* kra.h */
	struct ca_backup *backup;          /* the session there is; else NULL */
	ca_ready_fn *ready;
	void *ready_arg;
	struct ca_stats stats;
	uint64_t started_us;
};

/* The caller as the operation keeps it; texts in the operation's pool, the token referenced. */
struct ca_who {
	const char *front, *peer, *call, *package;
	struct token *token;
	bool privacy, local_admin;
};
int
ca_who_copy(struct ca_who *out, struct pool *pool, const struct ca_caller *in, struct err *e) MUST_CHECK;
const char *
ca_who_account(const struct ca_who *w); /* "CORP\\janedoe", "local administrator", "anonymous" */

/* ---- one request, from the call to the commit (request.c) ---- */

struct ca_request;
/* The end of a rehearsal: r is lent, with everything a real request would have left in its row; why: as in
 * the journal. */
typedef void
ca_rehearsed_fn(void *arg, const struct ca_request *r, const struct ca_request_result *res, const char *why);

struct ca_request {
	struct ca *ca;
	struct pool *pool;
	const struct ca_cert_list *certs; /* of the CA, when it came; whose certificates a signer may have */
	const struct ca_cert *issuer;     /* with which it is answered: the newest when it was decided */
	unsigned partition;               /* of CRLs; Request.CRLPartitionIndex */
	struct policy_ca policy;          /* what policy is told of the CA, from the same moment */
	struct ca_who who;                /* who asked; for a resubmission the officer */
	struct token *requester;          /* whose request it is */
	struct ca_request_args args;
	struct ca_live *live; /* the settings it is decided by */
	ca_request_fn *cb;
	ca_rehearsed_fn *rehearsed; /* instead of cb: nothing is numbered, signed, stored or counted */
	void *cb_arg;
	bool made_up; /* rehearsal without a client's signature: none is verified */
	uint32_t id;
	uint32_t resubmits; /* DB disposition the stored row has; 0: a new request */
	filetime_t submitted, decided;
	const char *sha1; /* of the request as sent, hexadecimal */
	/* worker */
	struct bytes der;
	struct bytes kept; /* for RawRequest, where that is not der: without the private key beside it */
	struct x509_request parsed;
	uint32_t request_flags; /* of Request.RequestFlags, besides those that follow from the rest */
	uint32_t request_type;  /* what the content is: 0x100 PKCS #10, 0x300 CMS, 0x400 CMC */
	bool wrapped;           /* in CMS; then also: */
	struct x509_cms cms;
	const struct x509_certificate *renewal; /* the certificate to be renewed; NULL: a new request */
	const char *asked_for;    /* requestername of a signed request; NULL: the caller asks for itself */
	struct token *named;      /* of asked_for, when EnrollmentAgentRights ask; else NULL */
	const char *on_behalf_of; /* the same once the directory knows it, "CORP\\janedoe" */
	const struct store_row *stored; /* of a resubmission: the row as it was */
	struct bytes archived_key;      /* RawArchivedKey, encrypted for the recovery agents; empty: none */
	const char *recovery_hashes;    /* KeyRecoveryHashes */
	bool parse_failed;
	const char *failed_intro; /* "Error Parsing Request" */
	struct err parse_err;
	bool failing; /* policy has no word any more */
	const char *failing_intro;
	/* directory */
	unsigned waiting; /* parsing, snapshot */
	bool dir_failed;
	struct err dir_err;
	struct ca_templates *templates;
	/* policy and certificate */
	struct policy_input in;
	struct policy_subject subject;
	struct policy_result out;
	struct err eval_err;
	struct err store_err; /* there was no memory for the row's operation */
	bool eval_failed;
	const struct policy_reason *before; /* what was found before policy had a word */
	size_t n_before;
	const char *explanation; /* as the store keeps it */
	struct bytes certificate, chain;
	/* verdict */
	uint32_t db_disposition, status, disposition;
	const char *message;
	struct store_row row;
	uint64_t t_start, t_parse, t_ready, t_policy, t_decided; /* monotonic */
};

/* Takes a stored row through policy again (officer action); cb as for ca_request_start(). -1: nothing
 * started. */
int
ca_request_resubmit(struct ca *ca, const struct ca_caller *who, uint32_t id, ca_request_fn *cb, void *arg,
    struct err *e) MUST_CHECK;

/*
 * Takes a request the way of a real one, as the account `as` would have sent it, and stops before it is
 * signed. cb runs exactly once, possibly before this returns; -1: never. made_up: the request comes from
 * policy_make_up().
 */
int
ca_request_rehearse(struct ca *ca, struct token *as, const struct ca_request_args *a, bool made_up,
    ca_rehearsed_fn *cb, void *arg, struct err *e) MUST_CHECK;

/* request.c lends, build.c decides: certificate, message, row. Both on a worker or on the loop, alone with r.
 */
void
ca_request_decide(struct ca_request *r);
void
ca_request_fail_row(struct ca_request *r, const char *intro, const struct err *e);

/* What DispositionMessage of a failed request begins with. */
#define CA_ERROR_PARSING "Error Parsing Request"
#define CA_ERROR_VERIFYING "Error Verifying Request Signature or Signing Certificate"
#define CA_ERROR_ARCHIVING "Error Archiving Private Key"
/* request_journal.c: its record, and its share of the counters. why: what the verdict's own code does not
 * tell. */
void
ca_request_journal(
    struct ca_request *r, const struct ca_request_result *res, const char *operation, const char *why);
void
ca_request_count(struct ca_request *r);
/* resubmit.c: what the store keeps of a pending or denied request, for run() to take up again; who asks is an
 * officer. CERTSRV_E_PROPERTY_EMPTY; CERTSRV_E_BAD_REQUESTSTATUS, also for a denied one unless they are
 * administrator, too. */
int
ca_request_load(struct ca_request *r, uint32_t id, struct err *e) MUST_CHECK;
/* parse.c: on a worker; fills der, parsed, and what the signatures around it say. failed_intro tells how far
 * it came. */
int
ca_request_parse(struct ca_request *r, struct err *e) MUST_CHECK;
/* in.attributes. */
int
ca_request_attributes(struct ca_request *r, struct err *e) MUST_CHECK;

/* wrapped.c: requests in CMS. Reads and verifies, on a worker; sets failed_intro as it goes. */
int
ca_wrapped_parse(struct ca_request *r, struct err *e) MUST_CHECK;
/* The account in asked_for. E_CANT_ACCESS_DOMAIN_INFO for another domain, E_NONE_MAPPED for no account name.
 */
int
ca_wrapped_split_account(struct ca_request *r, const char **user, struct err *e) MUST_CHECK;

/* Whom the certificate to be renewed names, by SID or else UPN; NULL when by neither. */
const char *
ca_wrapped_end_entity(struct ca_request *r);

/* partition.c: reads the settings and checks them (MS-WCCE 3.2.1.3.1). */
int
ca_partitions_open(struct ca *ca, struct err *e) MUST_CHECK;
/* The request's partition, and the URLs of its certificate; nothing without partitions. On the loop. */
int
ca_partition_assign(struct ca_request *r, struct err *e) MUST_CHECK;

/* row.c */
/* "aa bb cc": how the database writes hashes and key identifiers. In the pool; NULL without memory. */
const char *
ca_spaced_hex(struct pool *pool, const uint8_t *p, size_t n);
/* The row's attributes: the first of each name counts, as in policy. They stay the pool's. */
int
ca_row_attributes(struct store_row *row, struct pool *pool, const struct policy_attribute *v, size_t n,
    struct err *e) MUST_CHECK;
int
ca_row_build(struct ca_request *r, struct err *e) MUST_CHECK;

/* retrieve.c */
void
ca_retrieve(struct ca *ca, const struct ca_request_args *a, struct pool *pool, struct ca_request_result *out);

/* templates.c: lends the models of the snapshot; ref to keep. */
struct ca_templates *
ca_templates_get(struct ca *ca, struct dir_snapshot *snap, struct err *e);
struct ca_templates *
ca_templates_ref(struct ca_templates *t);
void
ca_templates_unref(struct ca_templates *t);
const struct dir_entry *
ca_service_entry(const struct ca *ca, const struct dir_snapshot *snap);

/* trust.c: whom the snapshot and those certificates of the CA trust. Lent; lives as long as t. NULL without
 * memory. On the loop. */
const struct x509_chain_store *
ca_trust_get(struct ca_templates *t, const struct ca_cert_list *certs, struct err *e);
void
ca_trusts_free(struct ca_trust *list);

/* publish.c: makes and updates the CA's objects in the directory. done runs once, from the loop. */
int
ca_publish_start(struct ca *ca, ca_ready_fn *done, void *arg, struct err *e) MUST_CHECK;
char *
ca_cdp_dn(const struct ca *ca, const struct ca_cert *c, unsigned partition,
    struct pool *pool); /* of its key's CRLs */
char *
ca_kra_dn(const struct ca *ca, struct pool *pool);
char *
ca_service_dn(const struct ca *ca, struct pool *pool);

/* user_certificate.c: adds issued certificates to their requesters' objects; trouble is logged, not fatal. */
struct ca_deliveries *
ca_deliveries_new(void);
void
ca_deliveries_free(struct ca_deliveries *q);
void
ca_user_certificate_publish(struct ca *ca, const char *dn, struct bytes certificate, uint32_t id);

/* security.c */
/* What GetMyRoles tells: CA_ACCESS_* bits. */
uint32_t
ca_roles(const struct ca *ca, const struct ca_who *w);
/* E_ACCESSDENIED, or CERTSRV_E_ROLECONFLICT under role separation, unless Enroll would do. */
int
ca_access_check(const struct ca *ca, const struct ca_who *w, uint32_t any_of, struct err *e) MUST_CHECK;
/* InterfaceFlags and the protection of a call by ICertAdminD or ICertAdminD2; others pass. */
int
ca_admin_interface_check(const struct ca *ca, const struct ca_who *w, struct err *e) MUST_CHECK;

/* token_text.c: a token as JSON and back, so that a request that waits can be decided again. */
int
ca_token_to_json(const struct token *t, struct buf *out, struct err *e) MUST_CHECK;
struct token *
ca_token_from_json(const char *json, struct err *e);

/* explain.c */
/* As the store keeps it, in the pool; NULL without memory. */
const char *
ca_explanation_text(struct pool *pool, const struct policy_reason *reasons, size_t n);
/* What the store kept (may be NULL), as report_rules() of rehearse/report.h gives it. New reference. */
json_t *
ca_explanation_json(const char *text);

/* identity.c: a whole file, of at most a megabyte. */
int
ca_read_file(const char *path, struct buf *out, struct err *e) MUST_CHECK;
/* ca.c */
/* URLs of CRLPublicationURLs or CACertPublicationURLs that carry a flag, tokens replaced as for what c signs.
 */
int
ca_expand_urls(const struct ca *ca, const struct ca_cert *c, const struct x509_strings *entries,
    uint32_t flag, bool delta, unsigned partition, struct pool *pool, struct x509_strings *out,
    struct err *e) MUST_CHECK;
void
ca_ref(struct ca *ca);
void
ca_unref(struct ca *ca);

#endif
