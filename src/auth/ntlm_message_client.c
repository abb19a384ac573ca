/* The three NTLM messages as a client makes and reads them (MS-NLMP 2.2.1). */
#include <string.h>

#include "auth/ntlm_message_priv.h"

enum { NEGOTIATE_MESSAGE = 1, CHALLENGE_MESSAGE = 2, AUTHENTICATE_MESSAGE = 3 };

#define CHALLENGE_MIN 48 /* through TargetInfoFields */
#define PAYLOAD_OFF (NTLM_MIC_OFF + NTLM_MIC_LEN)

static const uint8_t signature[NTLM_SIGNATURE_LEN] = "NTLMSSP";
/* Windows 10: 10.0.19041, NTLMSSP_REVISION_W2K3 (MS-NLMP 2.2.2.10) */
static const uint8_t version[8] = { 10, 0, 0x61, 0x4a, 0, 0, 0, 15 };

void
ntlm_negotiate_put(struct buf *out, uint32_t flags)
{
	buf_put(out, signature, sizeof(signature));
	buf_put_u32le(out, NEGOTIATE_MESSAGE);
	buf_put_u32le(out, flags);
	buf_put_zero(out, 16); /* DomainName, Workstation: not supplied */
	buf_put(out, version, sizeof(version));
}

/* ---- CHALLENGE ---- */

static int
check_target_info(struct ntlm_challenge_view *ch, struct err *e)
{
	struct bytes left = ch->target_info;

	for (;;) {
		unsigned id;
		size_t len;

		if (left.len < 4)
			return ERR(e, SEC_E_INVALID_TOKEN, "NTLM CHALLENGE: target info without MsvAvEOL");
		id = get_u16le(left.p);
		len = get_u16le(left.p + 2);
		left.p += 4;
		left.len -= 4;
		if (id == MsvAvEOL)
			break;
		if (len > left.len)
			return ERR(e, SEC_E_INVALID_TOKEN,
			    "NTLM CHALLENGE: AV pair %u of %zu octets, %zu left", id, len, left.len);
		if (id == MsvAvTimestamp) {
			if (len != 8)
				return ERR(e, SEC_E_INVALID_TOKEN,
				    "NTLM CHALLENGE: MsvAvTimestamp of %zu octets", len);
			ch->has_timestamp = true;
			ch->timestamp = (filetime_t)get_u64le(left.p);
		}
		left.p += len;
		left.len -= len;
	}
	ch->target_info.len -= left.len;
	return 0;
}

int
ntlm_challenge_parse(struct bytes token, struct ntlm_challenge_view *out, struct err *e)
{
	size_t len, off;

	memset(out, 0, sizeof(*out));
	if (!ntlm_message_is(token) || token.len < CHALLENGE_MIN || token.len > AUTH_TOKEN_MAX ||
	    get_u32le(token.p + 8) != CHALLENGE_MESSAGE)
		return ERR(e, SEC_E_INVALID_TOKEN, "not an NTLM CHALLENGE (%zu octets)", token.len);
	out->flags = get_u32le(token.p + 20);
	memcpy(out->server_challenge, token.p + 24, sizeof(out->server_challenge));
	len = get_u16le(token.p + 40);
	off = get_u32le(token.p + 44);
	if (len == 0)
		return ERR(e, SEC_E_UNSUPPORTED_FUNCTION,
		    "NTLM CHALLENGE without target info: the server cannot do NTLMv2");
	if (off > token.len || len > token.len - off)
		return ERR(e, SEC_E_INVALID_TOKEN,
		    "NTLM CHALLENGE: target info (%zu octets at %zu) lies outside the %zu-octet token", len,
		    off, token.len);
	out->target_info = (struct bytes){ token.p + off, len };
	return check_target_info(out, e);
}

static void
put_pair(struct buf *out, enum ntlm_av_id id, const void *p, size_t n)
{
	buf_put_u16le(out, (uint16_t)id);
	buf_put_u16le(out, (uint16_t)n);
	buf_put(out, p, n);
}

void
ntlm_target_info_put(struct buf *out, const struct ntlm_challenge_view *ch, struct bytes target)
{
	static const uint8_t no_channel[16];
	struct bytes left = ch->target_info;
	uint8_t flags[4];
	uint32_t bits = 0;

	while (get_u16le(left.p) != MsvAvEOL) {
		size_t n = 4 + (size_t)get_u16le(left.p + 2);
		unsigned id = get_u16le(left.p);

		if (id == MsvAvFlags && n == 8)
			bits = get_u32le(left.p + 4);
		else if (id != MsvAvChannelBindings && id != MsvAvTargetName)
			buf_put(out, left.p, n);
		left.p += n;
	}
	set_u32le(flags, bits | NTLM_AV_FLAG_MIC);
	put_pair(out, MsvAvFlags, flags, sizeof(flags));
	put_pair(out, MsvAvChannelBindings, no_channel, sizeof(no_channel));
	put_pair(out, MsvAvTargetName, target.p, target.len);
	put_pair(out, MsvAvEOL, NULL, 0);
}

/* ---- AUTHENTICATE ---- */

void
ntlm_authenticate_put(struct buf *out, const struct ntlm_authenticate_parts *a)
{
	/* Fields stand in this order, their contents too. */
	const struct bytes fields[] = { a->lm_response, a->nt_response, a->domain, a->user, a->workstation,
		a->session_key };
	size_t off = PAYLOAD_OFF;

	buf_put(out, signature, sizeof(signature));
	buf_put_u32le(out, AUTHENTICATE_MESSAGE);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (fields[i].len > UINT16_MAX)
			out->failed = true;
		buf_put_u16le(out, (uint16_t)fields[i].len);
		buf_put_u16le(out, (uint16_t)fields[i].len);
		buf_put_u32le(out, (uint32_t)off);
		off += fields[i].len;
	}
	buf_put_u32le(out, a->flags);
	buf_put(out, version, sizeof(version));
	buf_put_zero(out, NTLM_MIC_LEN);
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		buf_put_bytes(out, fields[i]);
}
