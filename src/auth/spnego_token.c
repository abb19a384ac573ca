#include "auth/spnego_token_priv.h"

#include <string.h>

#define GSS_FRAME 0x60 /* [APPLICATION 0] of RFC 2743 3.1 */
#define NEG_TOKEN_INIT DER_CONTEXT_CONSTRUCTED(0)
#define NEG_TOKEN_RESP DER_CONTEXT_CONSTRUCTED(1)

static const uint8_t spnego_oid[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02 }; /* 1.3.6.1.5.5.2 */

/* An optional [n] EXPLICIT field. 1: there, its content is in *inner; 0: absent; -1: malformed. */
static int
enter_optional(struct der *d, unsigned n, struct der *inner, const char *what, struct err *e)
{
	if (der_peek(d) != DER_CONTEXT_CONSTRUCTED(n))
		return 0;
	return der_enter(d, DER_CONTEXT_CONSTRUCTED(n), inner, what, e) == 0 ? 1 : -1;
}

/* The same, holding one OCTET STRING. */
static int
get_optional_octets(struct der *d, unsigned n, struct bytes *out, const char *what, struct err *e)
{
	struct der inner;
	struct der_item it;
	int there = enter_optional(d, n, &inner, what, e);

	if (there <= 0)
		return there;
	if (der_expect(&inner, DER_OCTET_STRING, &it, what, e) != 0 || der_finish(&inner, what, e) != 0)
		return -1;
	*out = it.body;
	return 1;
}

/* ---- NegTokenInit ---- */

/* Takes the GSS frame off, if there is one. */
static int
open_frame(struct der *d, struct err *e)
{
	struct der frame;
	struct bytes oid;

	if (der_peek(d) != GSS_FRAME)
		return 0;
	if (der_enter(d, GSS_FRAME, &frame, "GSS frame", e) != 0 || der_finish(d, "GSS frame", e) != 0 ||
	    der_get_oid(&frame, &oid, "GSS frame mechanism", e) != 0)
		return -1;
	if (!bytes_equal(oid, (struct bytes){ spnego_oid, sizeof(spnego_oid) }))
		return ERR(e, SEC_E_INVALID_TOKEN, "GSS frame of another mechanism than SPNEGO");
	*d = frame;
	return 0;
}

static int
get_mech_list(struct der *seq, struct bytes *out, struct err *e)
{
	struct der field, list;
	struct der_item it;
	struct bytes oid;

	if (der_enter(seq, DER_CONTEXT_CONSTRUCTED(0), &field, "mechTypes", e) != 0 ||
	    der_expect(&field, DER_SEQUENCE, &it, "mechTypes", e) != 0 ||
	    der_finish(&field, "mechTypes", e) != 0)
		return -1;
	list = der_over(it.body);
	while (!der_at_end(&list))
		if (der_get_oid(&list, &oid, "mechTypes", e) != 0)
			return -1;
	*out = it.raw;
	return 0;
}

int
spnego_init_parse(struct bytes token, struct spnego_init *out, struct err *e)
{
	struct der d, body, seq, flags;
	int there;

	memset(out, 0, sizeof(*out));
	if (token.len == 0)
		return ERR(e, SEC_E_INVALID_TOKEN, "empty SPNEGO token");
	d = der_over(token);
	if (open_frame(&d, e) != 0 || der_enter(&d, NEG_TOKEN_INIT, &body, "NegTokenInit", e) != 0 ||
	    der_finish(&d, "NegTokenInit", e) != 0 ||
	    der_enter(&body, DER_SEQUENCE, &seq, "NegTokenInit", e) != 0 ||
	    der_finish(&body, "NegTokenInit", e) != 0 || get_mech_list(&seq, &out->mech_list, e) != 0)
		return -1;
	/* MS-SPNG 3.1.5.3: nothing protects reqFlags, so nobody looks at them. */
	if (enter_optional(&seq, 1, &flags, "reqFlags", e) < 0)
		return -1;
	there = get_optional_octets(&seq, 2, &out->mech_token, "mechToken", e);
	if (there < 0)
		return -1;
	out->has_mech_token = there == 1;
	/* What may follow is of no use to an acceptor: negHints [3] (MS-SPNG 2.2.1), or a mechListMIC, which
	 * no mechanism of more than one leg can have made yet. */
	return 0;
}

struct der
spnego_mech_first(struct bytes mech_list)
{
	struct der d = der_over(mech_list), inner = { NULL, NULL };

	if (der_enter(&d, DER_SEQUENCE, &inner, "mechTypes", NULL) != 0)
		return (struct der){ NULL, NULL };
	return inner;
}

bool
spnego_mech_next(struct der *list, struct bytes *oid)
{
	return !der_at_end(list) && der_get_oid(list, oid, "mechTypes", NULL) == 0;
}

/* ---- NegTokenResp ---- */

static int
get_state(struct der *seq, enum spnego_state *out, struct err *e)
{
	struct der inner;
	struct der_item it;
	int there = enter_optional(seq, 0, &inner, "negState", e);

	*out = SPNEGO_STATE_ABSENT;
	if (there <= 0)
		return there;
	if (der_expect(&inner, DER_ENUMERATED, &it, "negState", e) != 0 ||
	    der_finish(&inner, "negState", e) != 0)
		return -1;
	if (it.body.len != 1 || it.body.p[0] > SPNEGO_REQUEST_MIC)
		return ERR(e, SEC_E_INVALID_TOKEN, "negState out of range");
	*out = (enum spnego_state)it.body.p[0];
	return 0;
}

static int
get_mic(struct der *seq, struct spnego_resp *out, struct err *e)
{
	struct bytes mic = { NULL, 0 };

	if (get_optional_octets(seq, 3, &mic, "mechListMIC", e) < 0)
		return -1;
#ifndef ADCSD_PLANTED_BUG_AUTH_SPNEGO
	if (mic.len > sizeof(out->mic))
		return ERR(e, SEC_E_INVALID_TOKEN, "mechListMIC of %zu octets", mic.len);
#endif
	if (mic.len > 0)
		memcpy(out->mic, mic.p, mic.len);
	out->mic_len = mic.len;
	return 0;
}

int
spnego_resp_parse(struct bytes token, struct spnego_resp *out, struct err *e)
{
	struct der d, body, seq, mech;
	int there;

	memset(out, 0, sizeof(*out));
	if (token.len == 0)
		return ERR(e, SEC_E_INVALID_TOKEN, "empty SPNEGO token");
	d = der_over(token);
	if (der_enter(&d, NEG_TOKEN_RESP, &body, "NegTokenResp", e) != 0 ||
	    der_finish(&d, "NegTokenResp", e) != 0 ||
	    der_enter(&body, DER_SEQUENCE, &seq, "NegTokenResp", e) != 0 ||
	    der_finish(&body, "NegTokenResp", e) != 0 || get_state(&seq, &out->state, e) != 0)
		return -1;
	/* supportedMech is the acceptor's to say; some clients repeat it. */
	if (enter_optional(&seq, 1, &mech, "supportedMech", e) < 0)
		return -1;
	there = get_optional_octets(&seq, 2, &out->token, "responseToken", e);
	if (there < 0)
		return -1;
	out->has_token = there == 1;
	return get_mic(&seq, out, e);
}

static void
put_octets(struct buf *out, unsigned n, struct bytes v)
{
	size_t field;

	if (v.len == 0)
		return;
	field = der_open(out, (uint8_t)DER_CONTEXT_CONSTRUCTED(n));
	der_put(out, DER_OCTET_STRING, v);
	der_close(out, field);
}

int
spnego_resp_put(struct buf *out, enum spnego_state state, const char *mech, struct bytes token,
    struct bytes mic, struct err *e)
{
	const uint8_t octet = (uint8_t)state;
	size_t resp = der_open(out, NEG_TOKEN_RESP);
	size_t seq = der_open(out, DER_SEQUENCE);
	size_t field = der_open(out, DER_CONTEXT_CONSTRUCTED(0));

	der_put(out, DER_ENUMERATED, (struct bytes){ &octet, 1 });
	der_close(out, field);
	if (mech != NULL) {
		field = der_open(out, DER_CONTEXT_CONSTRUCTED(1));
		der_put_oid(out, mech);
		der_close(out, field);
	}
	put_octets(out, 2, token);
	put_octets(out, 3, mic);
	der_close(out, seq);
	der_close(out, resp);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the SPNEGO answer");
}

int
spnego_init_put(struct buf *out, struct bytes mech_list, struct bytes mech_token, struct err *e)
{
	size_t frame = der_open(out, GSS_FRAME), init, seq, field;

	der_put(out, DER_OID, (struct bytes){ spnego_oid, sizeof(spnego_oid) });
	init = der_open(out, NEG_TOKEN_INIT);
	seq = der_open(out, DER_SEQUENCE);
	field = der_open(out, DER_CONTEXT_CONSTRUCTED(0));
	buf_put_bytes(out, mech_list);
	der_close(out, field);
	put_octets(out, 2, mech_token);
	der_close(out, seq);
	der_close(out, init);
	der_close(out, frame);
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "no room for the SPNEGO token");
}
