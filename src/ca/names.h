/* Names the CA makes from its own name: MS-WCCE 3.1.1.4.1.1, URL templates, serial numbers, disposition
 * messages. Pure. */
#ifndef ADCSD_CA_NAMES_H
#define ADCSD_CA_NAMES_H

#include "base/buf.h"
#include "base/pool.h"
#include "base/rng.h"

/* Every disallowed UTF-16 unit becomes "!" and four hex digits. NULL when name is not UTF-8 or memory is
 * short. */
char *
ca_name_sanitize(struct pool *pool, const char *name, struct err *e) MUST_CHECK;
/* At most 51 characters of a sanitized name and a hash of the rest. */
char *
ca_name_shorten(struct pool *pool, const char *sanitized, struct err *e) MUST_CHECK;
/* A value in a distinguished name, escaped as RFC 4514 asks. */
char *
ca_name_rdn(struct pool *pool, const char *value);

/* What the tokens of CRLPublicationURLs and CACertPublicationURLs stand for (issuance.md section 13). */
struct ca_url_names {
	const char *dns_name;    /* %1 */
	const char *short_host;  /* %2 */
	const char *sanitized;   /* %3 */
	const char *cert_suffix; /* %4 "(n)", "" for the first certificate */
	const char *config_dn;   /* %6 */
	const char *short_name;  /* %7 */
	const char *key_suffix;  /* %8 */
	bool delta;              /* %9 "+"; %10 deltaRevocationList */
	const char *http_port;   /* Ours: %p ":8080", "" for port 80 */
	bool partitioned;        /* CRLs have partitions: the first <CRLPartitionIndex> means this one */
	unsigned partition;      /* "_Partition00011", nothing for 0 (MS-WCCE 3.2.1.4.2.1.4.7) */
};
/* "79:ldap:///..." -> flags and URL, tokens replaced; what may not stand in a URL is written %XX. */
int
ca_url_expand(const char *entry, const struct ca_url_names *n, struct pool *pool, uint32_t *flags,
    const char **url, struct err *e) MUST_CHECK;

#define CA_PARTITION_SUFFIX 24
/* "_Partition00011"; "" for 0. */
const char *
ca_partition_suffix(char out[CA_PARTITION_SUFFIX], unsigned partition);
/* Does it say where partitions differ? */
bool
ca_url_is_partitioned(const char *entry);

#define CA_SERIAL_LEN 19
/* HighSerial | id | 8 random octets | CA certificate index | id (issuance.md section 7). */
void
ca_serial_make(
    uint8_t out[CA_SERIAL_LEN], uint8_t high, uint32_t request_id, uint16_t ca_index, const struct rng *rng);

/* "<intro>  <system text> 0x8009310b (-2146881269 CRYPT_E_ASN1_BADTAG)": failed rows. */
char *
ca_message_failed(struct pool *pool, const char *intro, uint32_t hr);
/* "Denied by Policy Module  0x80094800, <text>". */
char *
ca_message_denied(struct pool *pool, uint32_t hr, const char *text);

#endif
