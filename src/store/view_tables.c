/* The tables of MS-CSRA as views show them: columns, and the default sets. */
#include <pthread.h>
#include <string.h>

#include "store/view_priv.h"

#define SQL_Request "r."
#define SQL_Certificate "c."
#define FULL_Request "Request."
#define FULL_Certificate ""

/* With columns of our own, which have no id and are shown nowhere. */
static const struct view_column all_request_columns[] = {
#define STORE_COLUMN(part, name, id, type, indexed, max, display)                                            \
	{ id, STORE_##type, indexed, max, FULL_##part #name, display, SQL_##part #name },
#include "store/columns.def"
#undef STORE_COLUMN
};

static const struct view_column extension_columns[] = {
	{ 0x4000, STORE_LONG, true, 4, "ExtensionRequestId", "Extension Request Id", "t.ExtensionRequestId" },
	{ 0x4001, STORE_STRING, false, 254, "ExtensionName", "Extension Name", "t.ExtensionName" },
	{ 0x4002, STORE_LONG, false, 4, "ExtensionFlags", "Extension Flags", "t.ExtensionFlags" },
	{ 0x4003, STORE_BINARY, false, 4096, "ExtensionRawValue", "Extension Raw Value",
	    "t.ExtensionRawValue" },
};

static const struct view_column attribute_columns[] = {
	{ 0x3000, STORE_LONG, true, 4, "AttributeRequestId", "Attribute Request Id", "t.AttributeRequestId" },
	{ 0x3001, STORE_STRING, false, 254, "AttributeName", "Attribute Name", "t.AttributeName" },
	{ 0x3002, STORE_STRING, false, 8192, "AttributeValue", "Attribute Value", "t.AttributeValue" },
};

#define CRL_COLUMN(id, type, indexed, max, name, display)                                                    \
	{                                                                                                    \
		id, STORE_##type, indexed, max, "CRL" #name, "CRL " display, "t.CRL" #name                   \
	}
static const struct view_column crl_columns[] = {
	CRL_COLUMN(0x5000, LONG, true, 4, RowId, "Row ID"),
	CRL_COLUMN(0x5001, LONG, true, 4, Number, "Number"),
	CRL_COLUMN(0x5002, LONG, false, 4, MinBase, "Minimum Base"),
	CRL_COLUMN(0x5003, LONG, false, 4, NameId, "Name ID"),
	CRL_COLUMN(0x5004, LONG, false, 4, Count, "Count"),
	CRL_COLUMN(0x5005, DATE, false, 8, ThisUpdate, "This Update"),
	CRL_COLUMN(0x5006, DATE, true, 8, NextUpdate, "Next Update"),
	CRL_COLUMN(0x5007, DATE, false, 8, ThisPublish, "This Publish"),
	CRL_COLUMN(0x5008, DATE, true, 8, NextPublish, "Next Publish"),
	CRL_COLUMN(0x5009, DATE, false, 8, Effective, "Effective"),
	CRL_COLUMN(0x500a, DATE, true, 8, PropagationComplete, "Propagation Complete"),
	CRL_COLUMN(0x500b, DATE, true, 8, LastPublish, "Last Published"),
	CRL_COLUMN(0x500c, LONG, true, 4, PublishAttempts, "Publish Attempts"),
	CRL_COLUMN(0x500d, LONG, false, 4, PublishFlags, "Publish Flags"),
	CRL_COLUMN(0x500e, LONG, true, 4, PublishStatusCode, "Publish Status Code"),
	CRL_COLUMN(0x500f, STRING, false, 8192, PublishError, "Publish Error Information"),
	CRL_COLUMN(0x5010, BINARY, false, 536870912, RawCRL, "Raw CRL"),
	CRL_COLUMN(0x5011, LONG, false, 4, PartitionIndex, "Partition Index"),
};

static struct view_column request_columns[STORE_COLUMN_COUNT];
static size_t n_request_columns;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
pick_request_columns(void)
{
	for (size_t i = 0; i < ARRAY_LEN(all_request_columns); i++) {
		if (all_request_columns[i].id != 0)
			request_columns[n_request_columns++] = all_request_columns[i];
	}
}

const struct view_column *
store_view_columns(enum view_table t, size_t *n)
{
	switch (t) {
	case VIEW_EXTENSIONS:
		*n = ARRAY_LEN(extension_columns);
		return extension_columns;
	case VIEW_ATTRIBUTES:
		*n = ARRAY_LEN(attribute_columns);
		return attribute_columns;
	case VIEW_CRLS:
		*n = ARRAY_LEN(crl_columns);
		return crl_columns;
	default:
		pthread_once(&once, pick_request_columns);
		*n = n_request_columns;
		return request_columns;
	}
}

const struct view_column *
store_view_column(uint32_t id, enum view_table *t)
{
	for (int at = 0; at < VIEW_TABLES; at++) {
		size_t n;
		const struct view_column *v = store_view_columns((enum view_table)at, &n);

		for (size_t i = 0; i < n; i++) {
			if (v[i].id != id)
				continue;
			*t = (enum view_table)at;
			return &v[i];
		}
	}
	return NULL;
}

int
store_view_table(uint32_t selector, enum view_table *t, struct err *e)
{
	switch (selector) {
	case CVRC_TABLE_REQCERT:
		*t = VIEW_REQUESTS;
		return 0;
	case CVRC_TABLE_EXTENSIONS:
		*t = VIEW_EXTENSIONS;
		return 0;
	case CVRC_TABLE_ATTRIBUTES:
		*t = VIEW_ATTRIBUTES;
		return 0;
	case CVRC_TABLE_CRL:
		*t = VIEW_CRLS;
		return 0;
	}
	return ERR(e, E_INVALIDARG, "no table is selected by 0x%x (MS-CSRA 3.1.4.2.5)", selector);
}

/* ---- default sets (MS-CSRA 3.1.4.1.10): by name, since ids moved with Windows Server 2012 ---- */

#define SUBJECT(part)                                                                                        \
	part "CommonName", part "EMail", part "OrgUnit", part "Organization", part "Locality", part "State", \
	    part "Country"
static const char *const waiting[] = { "Request.RequestID", "Request.RequesterName", "Request.SubmittedWhen",
	"Request.StatusCode", "Request.DispositionMessage", "CertificateTemplate", SUBJECT("Request."),
	"Request.RawRequest", NULL };
#define ISSUED                                                                                               \
	"Request.RequestID", "Request.RequesterName", "SerialNumber", "NotBefore", "NotAfter",               \
	    "CertificateTemplate", SUBJECT(""), "RawCertificate"
static const char *const issued[] = { ISSUED, NULL };
static const char *const revoked[] = { ISSUED, "Request.RevokedWhen", "Request.RevokedEffectiveWhen",
	"Request.RevokedReason", NULL };

static const struct {
	int32_t set;
	enum view_table table;
	const char *const *names; /* NULL: all of the table */
	uint32_t last;            /* of all: the highest id */
} default_sets[] = {
	{ -1, VIEW_REQUESTS, waiting, 0 },
	{ -2, VIEW_REQUESTS, issued, 0 },
	{ -3, VIEW_REQUESTS, waiting, 0 },
	{ -4, VIEW_EXTENSIONS, NULL, 0x4003 },
	{ -5, VIEW_ATTRIBUTES, NULL, 0x3002 },
	{ -6, VIEW_CRLS, NULL, 0x5010 },
	{ -7, VIEW_REQUESTS, revoked, 0 },
};

int
store_view_default_columns(int32_t set, uint32_t *ids, size_t *n, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(default_sets); i++) {
		const char *const *names = default_sets[i].names;
		size_t n_columns;
		const struct view_column *v = store_view_columns(default_sets[i].table, &n_columns);

		if (default_sets[i].set != set)
			continue;
		*n = 0;
		for (size_t c = 0; names == NULL && c < n_columns && v[c].id <= default_sets[i].last; c++)
			ids[(*n)++] = v[c].id;
		for (; names != NULL && *names != NULL; names++) {
			for (size_t c = 0; c < n_columns; c++) {
				if (strcmp(v[c].name, *names) == 0)
					ids[(*n)++] = v[c].id;
			}
		}
		return 0;
	}
	return ERR(e, E_INVALIDARG, "there is no default column set %d (MS-CSRA 3.1.4.1.10)", set);
}
