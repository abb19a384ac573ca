/* The three NTLM messages (MS-NLMP 2.2.1) and the NTLMv2 response: bytes to structs and back, no decisions.
 */
#ifndef ADCSD_AUTH_NTLM_MESSAGE_PRIV_H
#define ADCSD_AUTH_NTLM_MESSAGE_PRIV_H

#include "auth/auth.h"
#include "base/clock.h"

/* MS-NLMP 2.2.2.5 */
enum {
	NTLMSSP_NEGOTIATE_UNICODE = 0x00000001,
	NTLM_NEGOTIATE_OEM = 0x00000002,
	NTLMSSP_REQUEST_TARGET = 0x00000004,
	NTLMSSP_NEGOTIATE_SIGN = 0x00000010,
	NTLMSSP_NEGOTIATE_SEAL = 0x00000020,
	NTLMSSP_NEGOTIATE_NTLM = 0x00000200,
	NTLMSSP_NEGOTIATE_ALWAYS_SIGN = 0x00008000,
	NTLMSSP_TARGET_TYPE_DOMAIN = 0x00010000,
	NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY = 0x00080000,
	NTLMSSP_NEGOTIATE_TARGET_INFO = 0x00800000,
	NTLMSSP_NEGOTIATE_VERSION = 0x02000000,
	NTLMSSP_NEGOTIATE_128 = 0x20000000,
	NTLMSSP_NEGOTIATE_KEY_EXCH = 0x40000000,
};
#define NTLMSSP_NEGOTIATE_56 0x80000000u

/* MS-NLMP 2.2.2.1 */
enum ntlm_av_id {
	MsvAvEOL = 0,
	MsvAvNbComputerName = 1,
	MsvAvNbDomainName = 2,
	MsvAvDnsComputerName = 3,
	MsvAvDnsDomainName = 4,
	MsvAvDnsTreeName = 5,
	MsvAvFlags = 6,
	MsvAvTimestamp = 7,
	MsvAvSingleHost = 8,
	MsvAvTargetName = 9,
	MsvAvChannelBindings = 10,
};
#define NTLM_AV_FLAG_MIC 0x2u

#define NTLM_SIGNATURE_LEN 8
#define NTLM_MIC_OFF 72 /* behind Version, wherever the payload starts (MS-NLMP 2.2.1.3) */
#define NTLM_MIC_LEN 16
#define NTLMV1_RESPONSE_LEN 24 /* MS-NLMP 2.2.2.6 */

/* Does it start like an NTLM message (and not like a SPNEGO token)? */
bool
ntlm_message_is(struct bytes token);

/* NEGOTIATE: only its flags matter here; a token may end after them. */
int
ntlm_negotiate_parse(struct bytes token, uint32_t *flags, struct err *e) MUST_CHECK;

struct ntlm_challenge {
	uint32_t flags;
	uint8_t server_challenge[8];
	filetime_t timestamp;
	const struct auth_names *names;
};
int
ntlm_challenge_put(struct buf *out, const struct ntlm_challenge *ch, struct err *e) MUST_CHECK;

/* The client's side of the three messages; ntlm_message_client.c. */
void
ntlm_negotiate_put(struct buf *out, uint32_t flags);
/* target_info points into the token. A challenge without target info is refused: NTLMv2 needs it. */
struct ntlm_challenge_view {
	uint32_t flags;
	uint8_t server_challenge[8];
	struct bytes target_info; /* AV pairs, checked, MsvAvEOL included */
	bool has_timestamp;
	filetime_t timestamp;
};
int
ntlm_challenge_parse(struct bytes token, struct ntlm_challenge_view *out, struct err *e) MUST_CHECK;
/* The pairs of a challenge as they go back in the response (MS-NLMP 3.1.5.1.2): with MsvAvFlags announcing a
 * MIC, no channel bindings, and the target's name (UTF-16LE; may be empty). */
void
ntlm_target_info_put(struct buf *out, const struct ntlm_challenge_view *ch, struct bytes target);
struct ntlm_authenticate_parts {
	uint32_t flags;
	struct bytes lm_response, nt_response, domain, user, workstation, session_key;
};
/* Version and a zeroed MIC are always there: the payload starts behind them. */
void
ntlm_authenticate_put(struct buf *out, const struct ntlm_authenticate_parts *parts);

/* AUTHENTICATE. Everything points into the token. */
struct ntlm_authenticate {
	struct bytes lm_response;
	struct bytes nt_response;
	struct bytes domain, user, workstation; /* in the negotiated character set */
	struct bytes session_key;               /* EncryptedRandomSessionKey */
	uint32_t flags;
};
int
ntlm_authenticate_parse(struct bytes token, struct ntlm_authenticate *out, struct err *e) MUST_CHECK;

/* What the acceptor needs of an NTLMv2 response (MS-NLMP 2.2.2.7, 2.2.2.8). */
struct ntlmv2_response {
	bool has_mic;              /* MsvAvFlags says that AUTHENTICATE carries a MIC */
	struct bytes target_name;  /* MsvAvTargetName, UTF-16LE; empty when absent */
	struct bytes channel_hash; /* MsvAvChannelBindings, 16 octets; empty when absent */
};
int
ntlmv2_response_parse(struct bytes nt_response, struct ntlmv2_response *out, struct err *e) MUST_CHECK;

#endif
