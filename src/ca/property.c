#include "ca/property.h"

#include <inttypes.h>

#include "ca/ca_certs.h"
#include "ca/property_priv.h"

/* clang-format off */
static const struct ca_property rows[] = {
#define ROW(name, type, index, value, text) { CR_PROP_##name, PROPTYPE_##type, INDEX_##index, value, NULL, text }
#define LATE(name, type, index, start, text) { CR_PROP_##name, PROPTYPE_##type, INDEX_##index, NULL, start, text }
	ROW(FILEVERSION, STRING, ZERO, ca_property_version, "CA File Version"),
	ROW(PRODUCTVERSION, STRING, ZERO, ca_property_version, "CA Product Version"),
	ROW(EXITCOUNT, LONG, ZERO, ca_property_cainfo, "Exit Count"),
	ROW(EXITDESCRIPTION, STRING, EXIT, ca_property_default_module, "Exit Description"),
	ROW(POLICYDESCRIPTION, STRING, ZERO, ca_property_default_module, "Policy Description"),
	ROW(CANAME, STRING, ZERO, ca_property_name, "Certification Authority Name"),
	ROW(SANITIZEDCANAME, STRING, ZERO, ca_property_sanitized, "Sanitized CA Name"),
	ROW(SHAREDFOLDER, STRING, ZERO, ca_property_shared_folder, "Shared Folder Path"),
	ROW(PARENTCA, STRING, ZERO, ca_property_parent, "Parent CA Name"),
	ROW(CATYPE, LONG, ZERO, ca_property_cainfo, "CA Type"),
	ROW(CASIGCERTCOUNT, LONG, ZERO, ca_property_cainfo, "CA Signature Certificate Count"),
	ROW(CASIGCERT, BINARY, CERT_NEWEST, ca_property_cert, "CA Signature Certificate"),
	ROW(CASIGCERTCHAIN, BINARY, CERT_NEWEST, ca_property_cert_chain, "CA signing certificate Chain"),
	ROW(CAXCHGCERTCOUNT, LONG, ZERO, ca_property_cainfo, "CA Exchange Certificate Count"),
	LATE(CAXCHGCERT, BINARY, EXCHANGE, ca_property_exchange, "CA Exchange Certificate"),
	LATE(CAXCHGCERTCHAIN, BINARY, EXCHANGE, ca_property_exchange_chain, "CA Exchange Certificate Chain"),
	ROW(BASECRL, BINARY, CERT_NEWEST, ca_property_base_crl, "Base CRL"),
	ROW(DELTACRL, BINARY, CERT_NEWEST, ca_property_delta_crl, "Delta CRL"),
	ROW(CACERTSTATE, LONG, CERT, ca_property_cert_states, "CA Signing Certificates State"),
	ROW(CRLSTATE, LONG, CERT, ca_property_crl_states, "CA CRL State"),
	ROW(CAPROPIDMAX, LONG, ZERO, ca_property_cainfo, "Maximum Property ID"),
	ROW(DNSNAME, STRING, ZERO, ca_property_dns_name, "CA Fully Qualified DNS"),
	ROW(ROLESEPARATIONENABLED, LONG, ZERO, ca_property_cainfo, "Role Separated Enabled"),
	ROW(KRACERTUSEDCOUNT, LONG, ZERO, ca_property_cainfo, "Count Of Required KRAs For Archival"),
	ROW(KRACERTCOUNT, LONG, ZERO, ca_property_cainfo, "Count Of Registered KRAs"),
	ROW(KRACERT, BINARY, KRA, ca_property_kra_cert, "KRA Certificate"),
	ROW(KRACERTSTATE, LONG, KRA, ca_property_kra_states, "KRA Certificates State"),
	ROW(ADVANCEDSERVER, LONG, ZERO, ca_property_cainfo, "Advanced Server"),
	LATE(TEMPLATES, STRING, ZERO, ca_property_templates, "Configured Certificate Templates"),
	ROW(BASECRLPUBLISHSTATUS, LONG, CERT_NEWEST, ca_property_base_status, "Base CRL Publishing Status"),
	ROW(DELTACRLPUBLISHSTATUS, LONG, CERT_NEWEST, ca_property_delta_status, "Delta CRL Publishing State"),
	ROW(CASIGCERTCRLCHAIN, BINARY, CERT_NEWEST, ca_property_cert_crl_chain,
	    "CA Signing Certificate Chain and CRL"),
	LATE(CAXCHGCERTCRLCHAIN, BINARY, EXCHANGE, ca_property_exchange_crl_chain,
	    "CA Exchange Certificate Chain and CRL"),
	ROW(CACERTSTATUSCODE, LONG, CERT_NEWEST, ca_property_cert_status, "CA Signing Certificate Status"),
	ROW(CAFORWARDCROSSCERT, BINARY, FORWARD, ca_property_forward, "CA Forward Cross Certificate"),
	ROW(CABACKWARDCROSSCERT, BINARY, BACKWARD, ca_property_backward, "CA Backward Cross Certificate"),
	ROW(CAFORWARDCROSSCERTSTATE, LONG, FORWARD, ca_property_forward_states,
	    "CA Forward Cross Certificate State"),
	ROW(CABACKWARDCROSSCERTSTATE, LONG, BACKWARD, ca_property_backward_states,
	    "CA Backward Cross Certificate State"),
	ROW(CACERTVERSION, LONG, CERT, ca_property_cert_versions, "CA Signing Certificates Revisions"),
	ROW(SANITIZEDCASHORTNAME, STRING, ZERO, ca_property_short_name, "CA Sanitized Short Name"),
	ROW(CERTCDPURLS, STRING, CERT_NEWEST, ca_property_cdp_urls, "CRL Distribution Points"),
	ROW(CERTAIAURLS, STRING, CERT_NEWEST, ca_property_aia_urls, "Authority Information Access"),
	ROW(CERTAIAOCSPURLS, STRING, CERT_NEWEST, ca_property_ocsp_urls, "OCSP URLs"),
	ROW(LOCALENAME, STRING, ZERO, ca_property_locale, "CA Locale Name"),
	ROW(SUBJECTTEMPLATE_OIDS, STRING, ZERO, ca_property_subject_oids, "Subject Template"),
	ROW(CRLPARTITIONCOUNT, LONG, ZERO, ca_property_partitions, "CRL Partitions Count"),
	/* The specification's table says L for these CRLs as well, their sections say X.509: both are taken. */
	ROW(PARTITIONED_BASECRL, LONG, PARTITION, ca_property_partition_base, "Partitioned Base CRL"),
	ROW(PARTITIONED_BASECRL, BINARY, PARTITION, ca_property_partition_base, "Partitioned Base CRL"),
	ROW(PARTITIONED_DELTACRL, LONG, PARTITION, ca_property_partition_delta, "Partitioned Delta CRL"),
	ROW(PARTITIONED_DELTACRL, BINARY, PARTITION, ca_property_partition_delta, "Partitioned Delta CRL"),
	ROW(PARTITIONED_BASECRLPUBLISHSTATUS, LONG, PARTITION, ca_property_partition_base_status,
	    "Partitioned Base CRL Publishing Status"),
	ROW(PARTITIONED_DELTACRLPUBLISHSTATUS, LONG, PARTITION, ca_property_partition_delta_status,
	    "Partitioned Delta CRL Publishing Status"),
#undef ROW
#undef LATE
};

/* fchain -> property. index: 0, CA_NEWEST, or that of the indexed forms. */
static const struct {
	uint32_t fchain, id, index;
} plain[] = {
	{ GETCERT_CASIGCERT, CR_PROP_CASIGCERT, CA_NEWEST },
	{ GETCERT_CAXCHGCERT, CR_PROP_CAXCHGCERT, 0 },
	{ GETCERT_CURRENTCRL, CR_PROP_BASECRL, CA_NEWEST },
	{ GETCERT_FILEVERSION, CR_PROP_FILEVERSION, 0 },
	{ GETCERT_CAINFO, CR_PROP_CATYPE, 0 },
	{ GETCERT_CANAME, CR_PROP_CANAME, 0 },
	{ GETCERT_PARENTCONFIG, CR_PROP_PARENTCA, 0 },
	{ GETCERT_POLICYVERSION, CR_PROP_POLICYDESCRIPTION, 0 },
	{ GETCERT_PRODUCTVERSION, CR_PROP_PRODUCTVERSION, 0 },
	{ GETCERT_SANITIZEDCANAME, CR_PROP_SANITIZEDCANAME, 0 },
	{ GETCERT_SHAREDFOLDER, CR_PROP_SHAREDFOLDER, 0 },
	{ GETCERT_CATYPE, CR_PROP_CATYPE, 0 },
}, indexed[] = { /* by the upper half */
	{ GETCERT_CRLBYINDEX, CR_PROP_BASECRL, 0 },
	{ GETCERT_CACERTBYINDEX, CR_PROP_CASIGCERT, 0 },
	{ GETCERT_EXITVERSIONBYINDEX, CR_PROP_EXITDESCRIPTION, 0 },
	{ GETCERT_CRLSTATEBYINDEX, CR_PROP_CRLSTATE, 0 },
	{ GETCERT_CACERTSTATEBYINDEX, CR_PROP_CACERTSTATE, 0 },
};
/* clang-format on */

static const struct ca_property *
row_find(uint32_t id, uint32_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].id == id && (type == 0 || rows[i].type == type))
			return &rows[i];
	}
	return NULL;
}

/* *index becomes that of the thing meant. */
static int
check_index(const struct ca *ca, const struct ca_property *row, uint32_t *index, struct err *e)
{
	uint32_t n = ca_cert_count(ca), lowest = 0, count = 0, code = E_INVALIDARG;

	switch (row->index) {
	case INDEX_ZERO:
		count = 1;
		break;
	case INDEX_EXIT:
		count = CA_EXIT_COUNT;
		code = E_FILE_NOT_FOUND;
		break;
	case INDEX_CERT_NEWEST:
		if (*index == CA_NEWEST)
			*index = n - 1;
		count = n;
		break;
	case INDEX_CERT:
		count = n;
		break;
	case INDEX_EXCHANGE:
		if (*index == CA_NEWEST)
			*index = 0;
		count = 1;
		break;
	case INDEX_KRA:
		count = ca_property_kra_count(ca);
		code = E_FILE_NOT_FOUND;
		break;
	case INDEX_FORWARD:
		count = n - 1;
		break;
	case INDEX_BACKWARD:
		lowest = 1;
		count = n;
		break;
	case INDEX_PARTITION:
		return 0;
	}
	if (*index < lowest || *index >= count)
		return ERR(e, code, "property 0x%" PRIx32 " has no index %" PRIu32, row->id, *index);
	return 0;
}

void
ca_property_finish(struct ca_property_query *q, struct bytes blob, const struct err *e)
{
	struct ca *ca = q->ca;

	q->cb(q->arg, e == NULL ? blob : (struct bytes){ NULL, 0 }, e);
	pool_free(q->pool); /* and q with it */
	ca_unref(ca);
}

static int
query(struct ca *ca, const struct ca_caller *who, const struct ca_property *row, uint32_t index,
    bool type_alone, ca_blob_fn *cb, void *arg, struct err *e)
{
	struct ca_property_query *q;
	struct bytes value = { NULL, 0 };
	struct pool *pool;

	if (check_index(ca, row, &index, e) != 0)
		return -1;
	pool = pool_new(64u << 20);
	q = pool != NULL ? POOL_NEW(pool, struct ca_property_query) : NULL;
	if (q == NULL) {
		pool_free(pool);
		return ERR(e, E_OUTOFMEMORY, "no memory for a property");
	}
	*q = (struct ca_property_query){ ca, pool, row, index, type_alone, cb, arg };
	ca_ref(ca);
	if (row->start != NULL) {
		if (row->start(q, who, e) == 0)
			return 0;
	} else if (row->value(q, &value, e) == 0) {
		ca_property_finish(q, value, NULL);
		return 0;
	}
	pool_free(pool);
	ca_unref(ca);
	return -1;
}

int
ca_property_get(struct ca *ca, const struct ca_caller *who, uint32_t id, uint32_t index, uint32_t type,
    ca_blob_fn *cb, void *arg, struct err *e)
{
	const struct ca_property *row = type != 0 ? row_find(id, type) : NULL;

	if (row == NULL)
		return ERR(e, E_INVALIDARG,
		    "no property 0x%" PRIx32 " of type %" PRIu32 " (MS-WCCE 3.2.1.4.3.2)", id, type);
	return query(ca, who, row, index, false, cb, arg, e);
}

int
ca_getcert(
    struct ca *ca, const struct ca_caller *who, uint32_t fchain, ca_blob_fn *cb, void *arg, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
		if (plain[i].fchain == fchain)
			return query(ca, who, row_find(plain[i].id, 0), plain[i].index,
			    fchain == GETCERT_CATYPE, cb, arg, e);
	}
	for (size_t i = 0; i < ARRAY_LEN(indexed); i++) {
		if (indexed[i].fchain == fchain >> 16)
			return query(ca, who, row_find(indexed[i].id, 0), fchain & 0xffff, false, cb, arg, e);
	}
	return ERR(e, E_INVALIDARG, "fchain 0x%08" PRIx32 " (MS-WCCE 3.2.1.4.2.2)", fchain);
}

bool
ca_getcert_needs_authority(uint32_t fchain)
{
	return fchain != GETCERT_SANITIZEDCANAME && fchain != GETCERT_CANAME;
}

/* ---- GetCAPropertyInfo ---- */

#define CATRANSPROP_LEN 12
#define CATRANSPROP_INDEXED 0x1

int
ca_property_infos(struct pool *pool, uint32_t *count, struct bytes *out, struct err *e)
{
	struct buf b;
	int ret = -1;

	*count = 0;
	while (*count < ARRAY_LEN(rows) && rows[*count].id <= CA_PROPERTY_ID_MAX)
		(*count)++;
	buf_init(&b, 1 << 16);
	buf_put_zero(&b, (size_t)*count * CATRANSPROP_LEN);
	for (uint32_t i = 0; i < *count; i++) {
		size_t at = (size_t)i * CATRANSPROP_LEN;
		struct bytes name;

		if (ca_property_text(pool, rows[i].name, &name, e) != 0)
			goto out;
		buf_put_zero(&b, (4 - b.len % 4) % 4);
		if (!buf_ok(&b))
			break;
		set_u32le(b.p + at, rows[i].id);
		b.p[at + 4] = rows[i].type;
		set_u16le(b.p + at + 6, rows[i].index != INDEX_ZERO ? CATRANSPROP_INDEXED : 0);
		set_u32le(b.p + at + 8, (uint32_t)b.len);
		buf_put_bytes(&b, name);
	}
	ret = buf_ok(&b) && pool_dup_bytes(pool, buf_bytes(&b), out) == 0
	    ? 0
	    : ERR(e, E_OUTOFMEMORY, "no memory for the properties");
out:
	buf_fini(&b);
	return ret;
}
