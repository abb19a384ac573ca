#include "ca/names.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define NAME_MAX_OCTETS 4096
#define SHORT_NAME_LEN 51

char *
ca_name_sanitize(struct pool *pool, const char *name, struct err *e)
{
	char *text = NULL;
	struct buf out;

	buf_init(&out, 5 * NAME_MAX_OCTETS);
	if (text_put_sanitized(&out, name, e) == 0) {
		text = buf_ok(&out) ? pool_strdup(pool, buf_cstr(&out)) : NULL;
		if (text == NULL)
			ERR(e, E_INVALIDARG, "the name is too long");
	}
	buf_fini(&out);
	return text;
}

char *
ca_name_shorten(struct pool *pool, const char *sanitized, struct err *e)
{
	size_t cut = SHORT_NAME_LEN;
	uint16_t h = 0;
	char *text;

	if (strlen(sanitized) <= SHORT_NAME_LEN) {
		text = pool_strdup(pool, sanitized);
	} else {
		for (size_t back = 1; back <= 4; back++) { /* an escape that the cut would split goes whole */
			if (sanitized[cut - back] == '!')
				cut -= back;
		}
		for (const char *p = sanitized + cut; *p != '\0'; p++)
			h = (uint16_t)((uint16_t)(h << 1 | h >> 15) + (uint8_t)*p);
		text = pool_printf(pool, "%.*s-%05u", (int)cut, sanitized, h);
	}
	if (text == NULL)
		ERR(e, E_OUTOFMEMORY, "no memory for the CA's short name");
	return text;
}

char *
ca_name_rdn(struct pool *pool, const char *value)
{
	size_t n = strlen(value);
	char *out = pool_alloc(pool, 2 * n + 1), *p = out;

	if (out == NULL)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		bool edge = (value[i] == ' ' && (i == 0 || i == n - 1)) || (value[i] == '#' && i == 0);

		if (edge || strchr(",+\"\\<>;=", value[i]) != NULL)
			*p++ = '\\';
		*p++ = value[i];
	}
	return out;
}

/* ---- URLs ---- */

static const char *
token_value(unsigned token, const struct ca_url_names *n)
{
	switch (token) {
	case 1:
		return n->dns_name;
	case 2:
		return n->short_host;
	case 3:
		return n->sanitized;
	case 4:
		return n->cert_suffix;
	case 6:
		return n->config_dn;
	case 7:
		return n->short_name;
	case 8:
		return n->key_suffix;
	case 9:
		return n->delta ? "+" : "";
	case 10:
		return n->delta ? "?deltaRevocationList?base?objectClass=cRLDistributionPoint"
				: "?certificateRevocationList?base?objectClass=cRLDistributionPoint";
	case 11:
		return "?cACertificate?base?objectClass=certificationAuthority";
	default:
		return NULL;
	}
}

static void
put_url_text(struct buf *out, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"<>\\^`{|}", c) != NULL)
			buf_printf(out, "%%%02X", c);
		else
			buf_put_u8(out, c);
	}
}

static const char PARTITION_MARK[] = "<CRLPartitionIndex>";

const char *
ca_partition_suffix(char out[CA_PARTITION_SUFFIX], unsigned partition)
{
	out[0] = '\0';
	if (partition != 0)
		snprintf(out, CA_PARTITION_SUFFIX, "_Partition%05u", partition & 0xffff);
	return out;
}

/* Text without tokens, the mark in it replaced when it is the first. */
static void
put_plain(struct buf *out, const char *p, size_t n, const struct ca_url_names *names, bool *marked)
{
	const char *at =
	    names->partitioned && !*marked ? memmem(p, n, PARTITION_MARK, sizeof(PARTITION_MARK) - 1) : NULL;
	char suffix[CA_PARTITION_SUFFIX];

	if (at == NULL) {
		put_url_text(out, p, n);
		return;
	}
	*marked = true;
	put_url_text(out, p, (size_t)(at - p));
	buf_put_str(out, ca_partition_suffix(suffix, names->partition));
	at += sizeof(PARTITION_MARK) - 1;
	put_url_text(out, at, (size_t)(p + n - at));
}

bool
ca_url_is_partitioned(const char *entry)
{
	return strstr(entry, PARTITION_MARK) != NULL;
}

int
ca_url_expand(const char *entry, const struct ca_url_names *n, struct pool *pool, uint32_t *flags,
    const char **url, struct err *e)
{
	char *end;
	unsigned long v = strtoul(entry, &end, 10);
	const char *p = end + 1;
	bool marked = false;
	struct buf out;
	int rc = -1;

	if (!isdigit((unsigned char)entry[0]) || *end != ':' || v > 0xff || *p == '\0')
		return ERR(e, E_INVALIDARG, "'%.60s' is not <flags 0 to 255>:<URL>", entry);
	buf_init(&out, 4096);
	while (*p != '\0') {
		size_t plain = strcspn(p, "%");
		const char *value = NULL, *token;

		put_plain(&out, p, plain, n, &marked);
		p += plain;
		if (*p == '\0')
			break;
		token = p++;
		if (p[0] == '1' && (p[1] == '0' || p[1] == '1')) { /* the only tokens of two digits */
			value = token_value(10 + (unsigned)(p[1] - '0'), n);
			p += 2;
		} else if (isdigit((unsigned char)p[0])) {
			value = token_value((unsigned)(p[0] - '0'), n);
			p++;
		} else if (p[0] == 'p') {
			value = n->http_port;
			p++;
		}
		if (value == NULL) {
			ERR(e, E_INVALIDARG, "unknown token '%.3s' in '%.80s'", token, entry);
			goto out;
		}
		put_url_text(&out, value, strlen(value));
	}
	*url = buf_ok(&out) ? pool_strdup(pool, buf_cstr(&out)) : NULL;
	*flags = (uint32_t)v;
	rc = *url != NULL ? 0 : ERR(e, E_INVALIDARG, "'%.60s' is too long", entry);
out:
	buf_fini(&out);
	return rc;
}

/* ---- serial numbers ---- */

static void
put_u32be(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

void
ca_serial_make(
    uint8_t out[CA_SERIAL_LEN], uint8_t high, uint32_t request_id, uint16_t ca_index, const struct rng *rng)
{
	struct rng_stream s;

	high &= 0x7f; /* positive, and never a leading zero octet */
	if (high == 0)
		high = 0x61;
	else if ((high & 0xf0) == 0)
		high ^= 0x10;
	out[0] = high;
	put_u32be(out + 1, request_id);
	rng_stream_init(&s, rng, "serial", request_id);
	rng_bytes(&s, out + 5, 8);
	out[13] = (uint8_t)(ca_index >> 8);
	out[14] = (uint8_t)ca_index;
	put_u32be(out + 15, request_id);
}

/* ---- messages: issuance.md section 1; two spaces before the code or the text ---- */

char *
ca_message_failed(struct pool *pool, const char *intro, uint32_t hr)
{
	char code[HRESULT_FORMAT_MAX];

	return pool_printf(pool, "%s  %s %s", intro, hresult_text(hr), hresult_format(hr, code));
}

char *
ca_message_denied(struct pool *pool, uint32_t hr, const char *text)
{
	if (text == NULL)
		text = hresult_text(hr);
	return pool_printf(pool, "Denied by Policy Module  0x%08x, %s", hr, text);
}
