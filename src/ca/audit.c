#include "ca/audit.h"

#include <string.h>
#include <strings.h>

#include "ca/csra.h"
#include "ca/signing_certs.h"

/* Numbers and texts as in the list of Windows' Security log; which bit is whose: doc/reference/audit.md. */
static const struct event {
	unsigned id;
	uint32_t bit;
	const char *message;
} events[] = {
	{ 4868, AUDIT_CERTIFICATES, "The certificate manager denied a pending certificate request." },
	{ 4869, AUDIT_CERTIFICATES, "Certificate Services received a resubmitted certificate request." },
	{ 4870, AUDIT_REVOCATION, "Certificate Services revoked a certificate." },
	{ 4871, AUDIT_REVOCATION,
	    "Certificate Services received a request to publish the certificate revocation list (CRL)." },
	{ 4872, AUDIT_REVOCATION, "Certificate Services published the certificate revocation list (CRL)." },
	{ 4873, AUDIT_CERTIFICATES, "A certificate request extension changed." },
	{ 4874, AUDIT_CERTIFICATES, "One or more certificate request attributes changed." },
	{ 4875, AUDIT_STARTSTOP, "Certificate Services received a request to shut down." },
	{ 4876, AUDIT_BACKUPRESTORE, "Certificate Services backup started." },
	{ 4877, AUDIT_BACKUPRESTORE, "Certificate Services backup completed." },
	{ 4880, AUDIT_STARTSTOP, "Certificate Services started." },
	{ 4881, AUDIT_STARTSTOP, "Certificate Services stopped." },
	{ 4882, AUDIT_SECURITY, "The security permissions for Certificate Services changed." },
	{ 4883, AUDIT_KEYARCHIVAL, "Certificate Services retrieved an archived key." },
	{ 4884, AUDIT_CERTIFICATES, "Certificate Services imported a certificate into its database." },
	{ 4885, AUDIT_CONFIGURATION, "The audit filter for Certificate Services changed." },
	{ 4886, AUDIT_CERTIFICATES, "Certificate Services received a certificate request." },
	{ 4887, AUDIT_CERTIFICATES,
	    "Certificate Services approved a certificate request and issued a certificate." },
	{ 4888, AUDIT_CERTIFICATES, "Certificate Services denied a certificate request." },
	{ 4889, AUDIT_CERTIFICATES,
	    "Certificate Services set the status of a certificate request to pending." },
	{ 4890, AUDIT_SECURITY, "The certificate manager settings for Certificate Services changed." },
	{ 4891, AUDIT_CONFIGURATION, "A configuration entry changed in Certificate Services." },
	{ 4892, AUDIT_CONFIGURATION, "A property of Certificate Services changed." },
	{ 4893, AUDIT_KEYARCHIVAL, "Certificate Services archived a key." },
	{ 4894, AUDIT_KEYARCHIVAL, "Certificate Services imported and archived a key." },
	{ 4896, AUDIT_CERTIFICATES, "One or more rows have been deleted from the certificate database." },
	{ 4897, AUDIT_SECURITY, "Role separation enabled." },
};

/* ---- one event ---- */

struct buf *
ca_audit_begin(struct ca *ca, uint32_t filter, unsigned event)
{
	const struct event *ev = events;
	struct buf *b;

	while (ev->id != event)
		ev++;
	if (ca->audit == NULL || (filter & ev->bit) == 0)
		return NULL;
	b = journal_begin(ca->audit);
	journal_put_number(b, "EventID", ev->id);
	journal_put_text(b, "Provider", "Microsoft-Windows-Security-Auditing");
	journal_put_text(b, "Channel", "Security");
	journal_put_text(b, "Computer", ca->dns_name);
	journal_put_text(b, "Message", ev->message);
	return b;
}

/* Ours: whoever reaches the control socket owns the machine, and so is its Local System. */
static void
put_subject(struct buf *b, const struct ca_who *who)
{
	const char *account = ca_who_account(who), *slash = strchr(account, '\\');
	char sid[SID_TEXT_MAX] = "S-1-5-18", domain[64] = "";

	if (who->token != NULL && who->token->n_sids > 0)
		sid_to_text(&who->token->sids[0].sid, sid);
	if (slash != NULL)
		snprintf(domain, sizeof(domain), "%.*s", (int)(slash - account), account);
	journal_put_text(b, "SubjectUserSid", sid);
	journal_put_text(b, "SubjectUserName", slash != NULL ? slash + 1 : account);
	journal_put_text(b, "SubjectDomainName", domain);
	journal_put_text(b, "SubjectLogonId", "0x0");
}

void
ca_audit_end(struct ca *ca, struct buf *b, const struct ca_who *who)
{
	if (who != NULL)
		put_subject(b, who);
	journal_end(ca->audit);
}

void
ca_audit_put_yes(struct buf *b, const char *name, bool yes)
{
	journal_put_text(b, name, yes ? "Yes" : "No");
}

void
ca_audit_put_number(struct buf *b, const char *name, int64_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)n);
	journal_put_text(b, name, text);
}

/* ---- start and end ---- */

static void
put_hash(struct buf *b, const char *name, const uint8_t *p, size_t n)
{
	struct pool *pool = pool_new(4096);

	journal_put_text(b, name, pool != NULL ? ca_spaced_hex(pool, p, n) : NULL);
	pool_free(pool);
}

/* Ours: a database in SQLite has no hash, and keys count no uses. */
static void
started_or_stopped(struct ca *ca, unsigned event)
{
	struct buf *b = ca_audit_begin(ca, ca->settings.audit_filter, event);
	struct bytes key_id = x509_ca_key_id(ca->x509);
	uint8_t sha1[20];

	if (b == NULL)
		return;
	journal_put_text(b, "CertificateDatabaseHash", "");
	journal_put_text(b, "PrivateKeyUsageCount", "");
	x509_sha1(x509_ca_cert_der(ca->x509), sha1);
	put_hash(b, "CACertificateHash", sha1, sizeof(sha1));
	put_hash(b, "CAPublicKeyHash", key_id.p, key_id.len);
	ca_audit_end(ca, b, NULL);
}

static void
roles_are_separated(struct ca *ca)
{
	struct buf *b =
	    ca->settings.role_separation != 0 ? ca_audit_begin(ca, ca->settings.audit_filter, 4897) : NULL;

	if (b == NULL)
		return;
	ca_audit_put_yes(b, "RoleSeparationEnabled", true);
	ca_audit_end(ca, b, NULL);
}

void
ca_audit_started(struct ca *ca)
{
	ca->audit_started = true;
	started_or_stopped(ca, 4880);
	roles_are_separated(ca);
}

void
ca_audit_stopped(struct ca *ca)
{
	if (ca->audit_started)
		started_or_stopped(ca, 4881);
	ca->audit_started = false;
}

/* ---- requests ---- */

static const char *
column(const struct ca_request *r, enum store_column c)
{
	const struct store_value *v = &r->row.v[c];

	return v->set && v->b.len > 0 ? pool_strndup(r->pool, (const char *)v->b.p, v->b.len) : NULL;
}

static const char *
requester_of(const struct ca_request *r)
{
	const char *name = column(r, Request_RequesterName);

	return name != NULL ? name : r->requester->account;
}

/* "Name:Value" lines. */
static void
put_attributes(struct buf *b, const struct ca_request *r)
{
	struct buf text;

	buf_init(&text, 4 * CA_ATTRIBUTES_MAX);
	for (size_t i = 0; i < r->row.n_attributes; i++)
		buf_printf(&text, "%s%s:%s", i > 0 ? "\n" : "", r->row.attributes[i].name,
		    r->row.attributes[i].value);
	journal_put_text(b, "Attributes", buf_ok(&text) ? buf_cstr(&text) : "");
	buf_fini(&text);
}

static void
put_request(struct buf *b, const struct ca_request *r)
{
	ca_audit_put_number(b, "RequestId", r->id);
	journal_put_text(b, "Requester", requester_of(r));
	put_attributes(b, r);
}

static void
received(struct ca_request *r, uint32_t filter)
{
	struct buf *b = ca_audit_begin(r->ca, filter, r->resubmits != 0 ? 4869 : 4886);

	if (b == NULL)
		return;
	if (r->resubmits != 0)
		ca_audit_put_number(b, "RequestId", r->id);
	else
		put_request(b, r);
	ca_audit_end(r->ca, b, r->resubmits != 0 ? &r->who : NULL);
}

static void
archived(struct ca_request *r, uint32_t filter)
{
	struct buf *b =
	    r->archived_key.len > 0 && r->resubmits == 0 ? ca_audit_begin(r->ca, filter, 4893) : NULL;

	if (b == NULL)
		return;
	ca_audit_put_number(b, "RequestId", r->id);
	journal_put_text(b, "Requester", requester_of(r));
	journal_put_text(b, "KRAHashes", r->recovery_hashes);
	ca_audit_end(r->ca, b, NULL);
}

/* A request that failed counts as denied; its disposition tells. */
static void
decided(struct ca_request *r, uint32_t filter)
{
	bool issued = r->db_disposition == DB_DISP_ISSUED, pending = r->db_disposition == DB_DISP_PENDING;
	struct buf *b = ca_audit_begin(r->ca, filter, issued ? 4887 : pending ? 4889 : 4888);
	const char *subject;

	if (b == NULL)
		return;
	put_request(b, r);
	ca_audit_put_number(b, "Disposition",
	    issued                                    ? CR_DISP_ISSUED
		: pending                             ? CR_DISP_UNDER_SUBMISSION
		: r->db_disposition == DB_DISP_DENIED ? CR_DISP_DENIED
						      : 1 /* CR_DISP_ERROR */);
	subject = column(r, Certificate_SubjectKeyIdentifier);
	journal_put_text(b, "SubjectKeyIdentifier", subject != NULL ? subject : "");
	subject = column(r, Certificate_DistinguishedName);
	if (subject == NULL)
		subject = column(r, Request_DistinguishedName);
	journal_put_text(b, "Subject", subject != NULL ? subject : "");
	ca_audit_end(r->ca, b, NULL);
}

void
ca_audit_request(struct ca_request *r)
{
	uint32_t filter = r->ca->settings.audit_filter;

	if ((filter & (AUDIT_CERTIFICATES | AUDIT_KEYARCHIVAL)) == 0)
		return;
	received(r, filter);
	archived(r, filter);
	decided(r, filter);
}

/* ---- CRLs ---- */

static void
put_time(struct buf *b, const char *name, filetime_t t)
{
	char text[FILETIME_TEXT_MAX];

	journal_put_text(b, name, t != 0 ? filetime_to_text(t, text) : "0");
}

void
ca_audit_crl(struct ca *ca, const struct store_crl *crl)
{
	struct buf *b = ca_audit_begin(ca, ca->settings.audit_filter, 4872);
	const struct ca_cert *c = ca_cert_find(ca, crl->name_id);
	struct x509_strings urls = { NULL, 0 };
	struct pool *pool;
	struct err ignored;
	struct buf text;

	if (b == NULL)
		return;
	ca_audit_put_yes(b, "IsBaseCRL", crl->min_base == 0);
	ca_audit_put_number(b, "CRLNumber", crl->number);
	pool = pool_new(1u << 20);
	buf_init(&text, 1u << 16);
	buf_printf(&text, "%s%s", ca->sanitized, c != NULL ? c->key_suffix : "");
	journal_put_text(b, "KeyContainer", buf_cstr(&text));
	put_time(b, "NextPublish", crl->next_publish);
	buf_reset(&text);
	/* those that have 1, or 64, PUBLISH and DELTAPUBLISH */
	if (pool != NULL && c != NULL &&
	    ca_expand_urls(ca, c, &ca->settings.crl_urls, crl->min_base == 0 ? 1 : 64, crl->min_base != 0,
		crl->partition, pool, &urls, &ignored) == 0) {
		for (size_t i = 0; i < urls.n; i++)
			buf_printf(&text, "%s%s", i > 0 ? "\n" : "", urls.v[i]);
	}
	journal_put_text(b, "PublishURLs", buf_ok(&text) ? buf_cstr(&text) : "");
	buf_fini(&text);
	pool_free(pool);
	ca_audit_end(ca, b, NULL);
}

void
ca_audit_crl_requested(struct ca *ca, const struct ca_who *who, filetime_t until, bool base, bool delta)
{
	struct buf *b = ca_audit_begin(ca, ca->settings.audit_filter, 4871);

	if (b == NULL)
		return;
	put_time(b, "NextUpdate", until);
	ca_audit_put_yes(b, "NextPublishForBaseCRL", base);
	ca_audit_put_yes(b, "NextPublishForDeltaCRL", delta);
	ca_audit_end(ca, b, who);
}

/* ---- keys, properties, operations ---- */

void
ca_audit_key(struct ca *ca, const struct ca_who *who, bool imported, uint32_t id)
{
	struct buf *b = ca_audit_begin(ca, ca->settings.audit_filter, imported ? 4894 : 4883);

	if (b == NULL)
		return;
	ca_audit_put_number(b, "RequestId", id);
	ca_audit_end(ca, b, who);
}

static struct ca_who
who_of(const struct ca_caller *c)
{
	return (struct ca_who){ .token = c->token, .local_admin = c->local_admin };
}

void
ca_audit_property(struct ca *ca, const struct ca_caller *who, uint32_t property, uint32_t index,
    uint32_t type, const char *value)
{
	struct buf *b = ca_audit_begin(ca, ca->settings.audit_filter, 4892);
	struct ca_who w = who_of(who);

	if (b == NULL)
		return;
	ca_audit_put_number(b, "PropertyName", property);
	ca_audit_put_number(b, "PropertyIndex", index);
	ca_audit_put_number(b, "PropertyType", type);
	journal_put_text(b, "PropertyValue", value);
	ca_audit_end(ca, b, &w);
}

void
ca_audit_operation(struct ca *ca, const struct ca_caller *who, const char *operation)
{
	static const struct {
		const char *name;
		unsigned event;
	} known[] = { { "BackupPrepare", 4876 }, { "BackupEnd", 4877 }, { "ServerControl", 4875 } };
	struct ca_who w = who_of(who);

	for (size_t i = 0; i < ARRAY_LEN(known); i++) {
		struct buf *b = strcmp(known[i].name, operation) == 0
		    ? ca_audit_begin(ca, ca->settings.audit_filter, known[i].event)
		    : NULL;

		if (b == NULL)
			continue;
		if (known[i].event == 4876)
			ca_audit_put_number(b, "BackupType", 1); /* full: there is no other here */
		ca_audit_end(ca, b, &w);
	}
}
