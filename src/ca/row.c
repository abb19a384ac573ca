/* The database row of a request: AD CS's columns filled as its own tools show them. */
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "ca/signing_certs.h"
#include "x509/name.h"

#define TEXT_MAX 65536
#define TOKEN_TEXT_MAX (1u << 20)

/* Attribute types with a column of their own; the same in both parts of the row. */
static const struct {
	const char *oid;
	enum store_column request, certificate;
} name_columns[] = {
#define NAME_COLUMN(oid, name)                                                                               \
	{                                                                                                    \
		oid, Request_##name, Certificate_##name                                                      \
	}
	NAME_COLUMN("2.5.4.6", Country),
	NAME_COLUMN("2.5.4.10", Organization),
	NAME_COLUMN("2.5.4.11", OrgUnit),
	NAME_COLUMN("2.5.4.3", CommonName),
	NAME_COLUMN("2.5.4.7", Locality),
	NAME_COLUMN("2.5.4.8", State),
	NAME_COLUMN("2.5.4.12", Title),
	NAME_COLUMN("2.5.4.42", GivenName),
	NAME_COLUMN("2.5.4.43", Initials),
	NAME_COLUMN("2.5.4.4", SurName),
	NAME_COLUMN("0.9.2342.19200300.100.1.25", DomainComponent),
	NAME_COLUMN("1.2.840.113549.1.9.1", EMail),
	NAME_COLUMN("2.5.4.9", StreetAddress),
	NAME_COLUMN("1.2.840.113549.1.9.2", UnstructuredName),
	NAME_COLUMN("1.2.840.113549.1.9.8", UnstructuredAddress),
	NAME_COLUMN("2.5.4.5", DeviceSerialNumber),
#undef NAME_COLUMN
};

static void
add_name_part(struct ca_request *r, bool issued, struct bytes oid, uint8_t tag, struct bytes value)
{
	struct store_row *row = &r->row;
	char dotted[OID_TEXT_MAX];
	struct err ignored;
	char *text;

	if (!oid_to_text(oid, dotted))
		return;
	text = x509_rdn_text(r->pool, tag, value, &ignored);
	for (size_t i = 0; text != NULL && i < ARRAY_LEN(name_columns); i++) {
		enum store_column c = issued ? name_columns[i].certificate : name_columns[i].request;

		if (strcmp(dotted, name_columns[i].oid) != 0)
			continue;
		if (row->v[c].set) /* several of one type stand on lines of their own */
			text = pool_printf(
			    r->pool, "%.*s\n%s", (int)row->v[c].b.len, (const char *)row->v[c].b.p, text);
		store_set_text(row, c, text);
		return;
	}
}

/* Walks a DER Name. A malformed one was refused before; what cannot be read here stays out of the columns. */
static void
fill_name(struct ca_request *r, bool issued, struct bytes name)
{
	struct der outer = der_over(name), rdns, set, pair;
	struct err ignored;
	struct buf text;

	store_set_bytes(&r->row, issued ? Certificate_RawName : Request_RawName, name);
	buf_init(&text, TEXT_MAX);
	if (x509_name_to_text(&text, name, &ignored) == 0 && buf_ok(&text))
		store_set_text(&r->row, issued ? Certificate_DistinguishedName : Request_DistinguishedName,
		    pool_strndup(r->pool, text.len > 0 ? (const char *)text.p : "", text.len));
	buf_fini(&text);
	if (der_enter(&outer, DER_SEQUENCE, &rdns, "Name", &ignored) != 0)
		return;
	while (!der_at_end(&rdns)) {
		if (der_enter(&rdns, DER_SET, &set, "RDN", &ignored) != 0)
			return;
		while (!der_at_end(&set)) {
			struct der_item value;
			struct bytes oid;

			if (der_enter(&set, DER_SEQUENCE, &pair, "attribute", &ignored) != 0 ||
			    der_get_oid(&pair, &oid, "type", &ignored) != 0 ||
			    der_next(&pair, &value, "value", &ignored) != 0)
				return;
			add_name_part(r, issued, oid, value.tag, value.body);
		}
	}
}

/* "aa bb cc": how the database writes hashes and key identifiers. */
const char *
ca_spaced_hex(struct pool *pool, const uint8_t *p, size_t n)
{
	char *out = pool_alloc(pool, 3 * n + 1);

	for (size_t i = 0; out != NULL && i < n; i++) {
		static const char digits[] = "0123456789abcdef";

		out[3 * i] = digits[p[i] >> 4];
		out[3 * i + 1] = digits[p[i] & 15];
		out[3 * i + 2] = i + 1 < n ? ' ' : '\0';
	}
	return out;
}

static const char *
plain_hex(struct pool *pool, const uint8_t *p, size_t n)
{
	struct buf b;
	char *out;

	buf_init(&b, 2 * n + 1);
	text_put_hex(&b, (struct bytes){ p, n });
	out = buf_ok(&b) ? pool_strndup(pool, (const char *)b.p, b.len) : NULL;
	buf_fini(&b);
	return out;
}

static int
fill_token(struct ca_request *r, struct err *e)
{
	struct buf b;
	char *text = NULL;

	buf_init(&b, TOKEN_TEXT_MAX);
	if (ca_token_to_json(r->requester, &b, e) == 0)
		text = pool_strndup(r->pool, (const char *)b.p, b.len);
	buf_fini(&b);
	store_set_text(&r->row, Request_CallerToken, text);
	return text != NULL ? 0 : -1;
}

/* The request as it came; not for a row that is decided anew. */
static int
fill_request(struct ca_request *r, struct err *e)
{
	struct store_row *row = &r->row;
	uint32_t full = r->args.flags & CR_IN_FULLRESPONSE, declared = r->args.flags & 0xFF00u;

	store_set_bytes(row, Request_RawRequest,
	    r->kept.len > 0      ? r->kept
		: r->der.len > 0 ? r->der
				 : r->args.request);
	store_set_text(row, Request_RequestAttributes, r->args.attributes);
	store_set_long(row, Request_RequestType, full | (r->request_type != 0 ? r->request_type : declared));
	store_set_long(row, Request_RequestFlags,
	    (r->renewal != NULL ? CR_FLG_RENEWAL : 0) |
		(r->on_behalf_of != NULL ? CR_FLG_ENROLLONBEHALFOF : 0) | r->request_flags);
	if (r->archived_key.len > 0 && r->db_disposition != DB_DISP_ERROR) {
		store_set_bytes(row, Request_RawArchivedKey, r->archived_key);
		store_set_text(row, Request_KeyRecoveryHashes, r->recovery_hashes);
	}
	if (r->renewal != NULL)
		store_set_bytes(row, Request_RawOldCertificate, r->renewal->raw);
	store_set_long(row, Request_CRLPartitionIndex, r->partition);
	store_set_date(row, Request_SubmittedWhen, r->submitted);
	store_set_text(
	    row, Request_RequesterName, r->on_behalf_of != NULL ? r->on_behalf_of : r->requester->account);
	store_set_text(row, Request_CallerName, ca_who_account(&r->who));
	if (r->parsed.subject.len > 0)
		fill_name(r, false, r->parsed.subject);
	/* only what an officer may take up again needs its caller's groups */
	if (r->db_disposition == DB_DISP_PENDING || r->db_disposition == DB_DISP_DENIED)
		return fill_token(r, e);
	return 0;
}

static void
fill_key(struct ca_request *r, const struct x509_key_info *key)
{
	struct store_row *row = &r->row;
	struct der outer = der_over(key->spki), spki, algorithm;
	struct err ignored;
	struct bytes oid;
	char dotted[OID_TEXT_MAX];
	uint8_t id[20];

	store_set_bytes(row, Certificate_RawPublicKey, key->key_bits);
	store_set_long(row, Certificate_PublicKeyLength, key->bits);
	if (der_enter(&outer, DER_SEQUENCE, &spki, "key", &ignored) == 0 &&
	    der_enter(&spki, DER_SEQUENCE, &algorithm, "algorithm", &ignored) == 0 &&
	    der_get_oid(&algorithm, &oid, "algorithm", &ignored) == 0 && oid_to_text(oid, dotted)) {
		store_set_text(row, Certificate_PublicKeyAlgorithm, pool_strdup(r->pool, dotted));
		store_set_bytes(row, Certificate_RawPublicKeyAlgorithmParameters,
		    (struct bytes){ algorithm.p, (size_t)(algorithm.end - algorithm.p) });
	}
	x509_key_id(key, id);
	store_set_text(row, Certificate_SubjectKeyIdentifier, ca_spaced_hex(r->pool, id, sizeof(id)));
}

static void
fill_certificate(struct ca_request *r)
{
	const struct policy_template *t = r->out.template;
	const struct x509_cert_plan *plan = &r->out.plan;
	struct store_row *row = &r->row;
	uint8_t sha1[20];

	if (t == NULL)
		return;
	store_set_long(row, Certificate_RequestID, r->id);
	store_set_text(
	    row, Certificate_CertificateTemplate, t->schema_version >= 2 && t->oid != NULL ? t->oid : t->cn);
	store_set_long(row, Certificate_EnrollmentFlags, t->enrollment_flags);
	store_set_long(row, Certificate_GeneralFlags, t->general_flags);
	store_set_long(row, Certificate_PrivateKeyFlags, t->private_key_flags);
	store_set_text(row, Certificate_UPN, r->in.subject != NULL ? r->in.subject->upn : r->requester->upn);
	if (r->db_disposition != DB_DISP_ISSUED)
		return;
	store_set_bytes(row, Certificate_RawCertificate, r->certificate);
	x509_sha1(r->certificate, sha1);
	store_set_text(row, Certificate_CertificateHash, ca_spaced_hex(r->pool, sha1, sizeof(sha1)));
	store_set_text(row, Certificate_SerialNumber, plain_hex(r->pool, plan->serial, plan->serial_len));
	store_set_long(row, Certificate_IssuerNameId, ca_cert_version_of(r->issuer));
	store_set_date(row, Certificate_NotBefore, plan->not_before);
	store_set_date(row, Certificate_NotAfter, plan->not_after);
	fill_key(r, &r->parsed.key);
	fill_name(r, true, plan->subject);
}

/* ---- attributes and extensions ---- */

int
ca_row_attributes(
    struct store_row *row, struct pool *pool, const struct policy_attribute *v, size_t n, struct err *e)
{
	struct store_attribute *list = pool_calloc(pool, n, sizeof(*list));
	size_t kept = 0;

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for attributes");
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < kept && strcasecmp(list[k].name, v[i].name) != 0)
			k++;
		if (k == kept)
			list[kept++] = (struct store_attribute){ v[i].name, v[i].value };
	}
	row->attributes = list;
	row->n_attributes = kept;
	return 0;
}

static const struct x509_extension *
find_extension(const struct x509_extension *list, size_t n, struct bytes oid)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes_equal(list[i].oid, oid))
			return &list[i];
	}
	return NULL;
}

static int
put_extension(struct ca_request *r, struct store_extension *out, const struct x509_extension *x,
    uint32_t flags, struct err *e)
{
	size_t max = r->policy.max_extension;
	char dotted[OID_TEXT_MAX];

	if (!oid_to_text(x->oid, dotted) || (out->name = pool_strdup(r->pool, dotted)) == NULL)
		return ERR(e, E_INVALID_DATA, "an extension's OID cannot be written");
	if (x->value.len > max)
		return ERR(e, ESE_RECORD_TOO_BIG,
		    "extension %s has %zu octets, at most %zu are stored (DBFlags)", dotted, x->value.len,
		    max);
	out->flags = flags | (x->critical ? STORE_EXT_CRITICAL : 0);
	out->value = x->value;
	return 0;
}

/* Its row stays as the officer left it. */
static bool
is_officers(const struct ca_request *r, const char *oid)
{
	for (size_t i = 0; i < r->in.n_officer_extensions; i++) {
		if (strcmp(r->in.officer_extensions[i].oid, oid) == 0)
			return true;
	}
	return false;
}

/* What the certificate has, from policy or taken over; then what the request asked for and did not get. */
static int
fill_extensions(struct ca_request *r, struct err *e)
{
	bool planned = r->out.template != NULL && r->db_disposition != DB_DISP_DENIED;
	const struct x509_extension *have = planned ? r->out.plan.extensions : NULL;
	size_t n_have = planned ? r->out.plan.n_extensions : 0, n = 0;
	struct store_extension *list = pool_calloc(r->pool, n_have + r->parsed.n_extensions, sizeof(*list));

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for extensions");
	r->row.extensions = list;
	r->row.n_extensions = 0;
	for (size_t i = 0; i < n_have; i++) {
		const struct x509_extension *asked =
		    find_extension(r->parsed.extensions, r->parsed.n_extensions, have[i].oid);
		bool same = asked != NULL && bytes_equal(asked->value, have[i].value);

		if (put_extension(r, &list[n], &have[i],
			same ? STORE_EXT_ORIGIN_REQUEST : STORE_EXT_ORIGIN_POLICY, e) != 0)
			return -1;
		n += !is_officers(r, list[n].name);
	}
	for (size_t i = 0; i < r->parsed.n_extensions; i++) {
		const struct x509_extension *x = &r->parsed.extensions[i];

		if (find_extension(have, n_have, x->oid) != NULL)
			continue;
		if (put_extension(r, &list[n], x, STORE_EXT_ORIGIN_REQUEST | STORE_EXT_DISABLED, e) != 0)
			return -1;
		n += !is_officers(r, list[n].name);
	}
	r->row.n_extensions = n;
	return 0;
}

int
ca_row_build(struct ca_request *r, struct err *e)
{
	struct store_row *row = &r->row;
	int rc = 0;

	memset(row, 0, sizeof(*row));
	store_set_long(row, Request_RequestID, r->id);
	store_set_long(row, Request_Disposition, r->db_disposition);
	store_set_long(row, Request_StatusCode, r->status);
	store_set_text(row, Request_DispositionMessage, r->message);
	if (r->db_disposition != DB_DISP_PENDING)
		store_set_date(row, Request_ResolvedWhen, r->decided);
	row->explanation = r->explanation;
	if (r->resubmits == 0 && fill_request(r, e) != 0)
		return -1;
	fill_certificate(r);
	if (store_row_fit(row, e) != 0)
		rc = -1;
	if (ca_row_attributes(row, r->pool, r->in.attributes, r->in.n_attributes, e) != 0)
		rc = -1;
	/* a row that failed keeps no extensions: they may be the reason */
	if (r->db_disposition != DB_DISP_ERROR && fill_extensions(r, e) != 0)
		rc = -1;
	return rc;
}
