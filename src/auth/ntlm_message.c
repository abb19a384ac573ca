#include "auth/ntlm_message_priv.h"

#include <string.h>

#include "base/text.h"

enum { NEGOTIATE_MESSAGE = 1, CHALLENGE_MESSAGE = 2, AUTHENTICATE_MESSAGE = 3 };

#define NEGOTIATE_MIN 16    /* Signature, MessageType, NegotiateFlags: impacket and curl stop soon after */
#define AUTHENTICATE_MIN 64 /* through NegotiateFlags: Version and MIC are missing in impacket's */
#define CHALLENGE_FIXED 56
#define BLOB_FIXED 28 /* NTLMv2_CLIENT_CHALLENGE before its AV pairs */
#define NT_PROOF_LEN 16

static const uint8_t signature[NTLM_SIGNATURE_LEN] = "NTLMSSP";

bool
ntlm_message_is(struct bytes token)
{
	return token.len >= sizeof(signature) && memcmp(token.p, signature, sizeof(signature)) == 0;
}

static int
check_header(struct bytes token, uint32_t type, size_t min, const char *name, struct err *e)
{
	if (token.len > AUTH_TOKEN_MAX)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLM token of %zu octets", token.len);
	if (!ntlm_message_is(token))
		return ERR(e, SEC_E_INVALID_TOKEN, "not an NTLM token");
	if (token.len < min)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLM %s of %zu octets, at least %zu are needed", name,
		    token.len, min);
	if (get_u32le(token.p + 8) != type)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLM message type %u where %s (%u) belongs",
		    get_u32le(token.p + 8), name, type);
	return 0;
}

int
ntlm_negotiate_parse(struct bytes token, uint32_t *flags, struct err *e)
{
	if (check_header(token, NEGOTIATE_MESSAGE, NEGOTIATE_MIN, "NEGOTIATE", e) != 0)
		return -1;
	*flags = get_u32le(token.p + 12);
	return 0;
}

/* ---- CHALLENGE ---- */

static int
put_text(struct buf *out, const char *s, bool unicode, struct err *e)
{
	if (unicode)
		return text_utf8_to_utf16le(out, s, strlen(s), e);
	/* NetBIOS names are ASCII wherever OEM-only clients are met; nothing else has an agreed OEM form. */
	buf_put_str(out, s);
	return 0;
}

static int
put_av_text(struct buf *out, enum ntlm_av_id id, const char *s, struct err *e)
{
	size_t start;

	buf_put_u16le(out, (uint16_t)id);
	buf_put_u16le(out, 0);
	start = out->len;
	if (text_utf8_to_utf16le(out, s, strlen(s), e) != 0)
		return -1;
	if (!buf_ok(out) || out->len - start > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "name in the NTLM challenge is too long");
	set_u16le(out->p + start - 2, (uint16_t)(out->len - start));
	return 0;
}

static int
put_target_info(struct buf *out, const struct ntlm_challenge *ch, struct err *e)
{
	/* Order of MS-NLMP 3.2.5.1.1. impacket needs the DNS computer name. */
	const struct {
		enum ntlm_av_id id;
		const char *text;
	} names[] = {
		{ MsvAvNbComputerName, ch->names->nb_computer },
		{ MsvAvNbDomainName, ch->names->nb_domain },
		{ MsvAvDnsComputerName, ch->names->dns_computer },
		{ MsvAvDnsDomainName, ch->names->dns_domain },
		{ MsvAvDnsTreeName, ch->names->dns_tree },
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (put_av_text(out, names[i].id, names[i].text, e) != 0)
			return -1;
	buf_put_u16le(out, MsvAvTimestamp);
	buf_put_u16le(out, 8);
	buf_put_u64le(out, (uint64_t)ch->timestamp);
	buf_put_u16le(out, MsvAvEOL);
	buf_put_u16le(out, 0);
	return 0;
}

static void
put_field(struct buf *out, size_t len, size_t off)
{
	buf_put_u16le(out, (uint16_t)len);
	buf_put_u16le(out, (uint16_t)len);
	buf_put_u32le(out, (uint32_t)off);
}

int
ntlm_challenge_put(struct buf *out, const struct ntlm_challenge *ch, struct err *e)
{
	/* Windows Server 2022: 10.0.20348, NTLMSSP_REVISION_W2K3 (MS-NLMP 2.2.2.10) */
	static const uint8_t version[8] = { 10, 0, 0x7c, 0x4f, 0, 0, 0, 15 };
	struct buf target, info;
	int ret = -1;

	buf_init(&target, UINT16_MAX);
	buf_init(&info, UINT16_MAX);
	if (put_text(&target, ch->names->nb_domain, (ch->flags & NTLMSSP_NEGOTIATE_UNICODE) != 0, e) != 0 ||
	    put_target_info(&info, ch, e) != 0)
		goto out;
	buf_put(out, signature, sizeof(signature));
	buf_put_u32le(out, CHALLENGE_MESSAGE);
	put_field(out, target.len, CHALLENGE_FIXED);
	buf_put_u32le(out, ch->flags);
	buf_put(out, ch->server_challenge, sizeof(ch->server_challenge));
	buf_put_zero(out, 8);
	put_field(out, info.len, CHALLENGE_FIXED + target.len);
	if ((ch->flags & NTLMSSP_NEGOTIATE_VERSION) != 0)
		buf_put(out, version, sizeof(version));
	else
		buf_put_zero(out, sizeof(version));
	buf_put_bytes(out, buf_bytes(&target));
	buf_put_bytes(out, buf_bytes(&info));
	if (!buf_ok(&target) || !buf_ok(&info) || !buf_ok(out))
		ret = ERR(e, E_OUTOFMEMORY, "no room for the NTLM challenge");
	else
		ret = 0;
out:
	buf_fini(&target);
	buf_fini(&info);
	return ret;
}

/* ---- AUTHENTICATE ---- */

/* One Len/MaxLen/BufferOffset descriptor. Where the payload starts differs between clients, so only these
 * tell. */
static int
get_field(struct bytes token, size_t at, struct bytes *out, const char *name, struct err *e)
{
	size_t len = get_u16le(token.p + at);
	size_t off = get_u32le(token.p + at + 4);

	*out = (struct bytes){ token.p, 0 };
	if (len == 0)
		return 0; /* MS-NLMP 2.2.1.3: the offset of an empty field is not to be looked at */
	if (off > token.len || len > token.len - off)
		return ERR(e, SEC_E_INVALID_TOKEN,
		    "NTLM AUTHENTICATE: %s (%zu octets at %zu) lies outside the %zu-octet token", name, len,
		    off, token.len);
	*out = (struct bytes){ token.p + off, len };
	return 0;
}

int
ntlm_authenticate_parse(struct bytes token, struct ntlm_authenticate *out, struct err *e)
{
	if (check_header(token, AUTHENTICATE_MESSAGE, AUTHENTICATE_MIN, "AUTHENTICATE", e) != 0 ||
	    get_field(token, 12, &out->lm_response, "LmChallengeResponse", e) != 0 ||
	    get_field(token, 20, &out->nt_response, "NtChallengeResponse", e) != 0 ||
	    get_field(token, 28, &out->domain, "DomainName", e) != 0 ||
	    get_field(token, 36, &out->user, "UserName", e) != 0 ||
	    get_field(token, 44, &out->workstation, "Workstation", e) != 0 ||
	    get_field(token, 52, &out->session_key, "EncryptedRandomSessionKey", e) != 0)
		return -1;
	out->flags = get_u32le(token.p + 60);
	return 0;
}

/* ---- NTLMv2 response ---- */

static int
take_av_pair(struct ntlmv2_response *out, unsigned id, struct bytes value, struct err *e)
{
	switch (id) {
	case MsvAvFlags:
		if (value.len != 4)
			return ERR(
			    e, SEC_E_INVALID_TOKEN, "NTLMv2 response: MsvAvFlags of %zu octets", value.len);
		out->has_mic = (get_u32le(value.p) & NTLM_AV_FLAG_MIC) != 0;
		return 0;
	case MsvAvTimestamp:
		if (value.len != 8)
			return ERR(e, SEC_E_INVALID_TOKEN, "NTLMv2 response: MsvAvTimestamp of %zu octets",
			    value.len);
		return 0;
	case MsvAvTargetName:
		if (value.len % 2 != 0)
			return ERR(e, SEC_E_INVALID_TOKEN, "NTLMv2 response: MsvAvTargetName of %zu octets",
			    value.len);
		out->target_name = value;
		return 0;
	case MsvAvChannelBindings:
		if (value.len != 16)
			return ERR(e, SEC_E_INVALID_TOKEN,
			    "NTLMv2 response: MsvAvChannelBindings of %zu octets", value.len);
		out->channel_hash = value;
		return 0;
	default:
		return 0; /* names the client copied from us, and kinds of later days */
	}
}

int
ntlmv2_response_parse(struct bytes r, struct ntlmv2_response *out, struct err *e)
{
	size_t at = NT_PROOF_LEN + BLOB_FIXED;

	memset(out, 0, sizeof(*out));
	if (r.len < at)
		return ERR(e, SEC_E_INVALID_TOKEN, "NTLMv2 response of %zu octets, at least %zu are needed",
		    r.len, at);
	if (r.p[NT_PROOF_LEN] != 1 || r.p[NT_PROOF_LEN + 1] != 1)
		return ERR(e, SEC_E_INVALID_TOKEN,
		    "NTLMv2 response of type %u.%u, only 1.1 exists (MS-NLMP 2.2.2.7)", r.p[NT_PROOF_LEN],
		    r.p[NT_PROOF_LEN + 1]);
	for (;;) {
		unsigned id;
		size_t len;

		if (r.len - at < 4)
			return ERR(e, SEC_E_INVALID_TOKEN, "NTLMv2 response: AV pairs end without MsvAvEOL");
		id = get_u16le(r.p + at);
		len = get_u16le(r.p + at + 2);
		at += 4;
		if (id == MsvAvEOL)
			return 0; /* four zero octets may follow (MS-NLMP 3.3.2) */
#ifndef ADCSD_PLANTED_BUG_AUTH_NTLM
		if (len > r.len - at)
			return ERR(e, SEC_E_INVALID_TOKEN,
			    "NTLMv2 response: AV pair %u of %zu octets, %zu left", id, len, r.len - at);
#endif
		if (take_av_pair(out, id, (struct bytes){ r.p + at, len }, e) != 0)
			return -1;
		at += len;
	}
}
