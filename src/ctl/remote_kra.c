/* ca.kra.*: recovery agents by GetCAProperty and SetCAProperty of ICertAdminD2
 * (MS-CSRA 3.1.4.2.2, 3.1.4.2.3). */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ctl/remote_call.h"
#include "idl/icertadmind.h"
#include "x509/cert.h"
#include "x509/certificate.h"
#include "x509/name.h"

#define CERT_MAX (1u << 20)
#define AGENTS_MAX 1024 /* Ours */
#define CAINFO_KRA_USED 28
#define CAINFO_KRA_COUNT 32

/* MS-WCCE 3.2.1.4.3.2 */
enum {
	CR_PROP_KRACERTUSEDCOUNT = 0x18,
	CR_PROP_KRACERTCOUNT = 0x19,
	CR_PROP_KRACERT = 0x1a,
	CR_PROP_KRACERTSTATE = 0x1b,
	PROPTYPE_LONG = 1,
	PROPTYPE_BINARY = 3,
};

static int
get(struct ctl *c, uint32_t id, uint32_t index, uint32_t type, struct bytes *out, struct err *e)
{
	static const struct client_method m = { "GetCAProperty", CSRA_GetCAProperty, csra_get_ca_property_in,
		csra_blob_out, sizeof(struct csra_blob_out) };
	const struct csra_get_ca_property_in in = { ctl_remote_authority(c), id, index, type };
	void *decoded;

	if (ctl_remote_method(c, &m, &in, c->pool, &decoded, e) != 0)
		return -1;
	*out = ((const struct csra_blob_out *)decoded)->blob;
	return 0;
}

/* Both counts come in a CAINFO (MS-WCCE 2.2.2.4). */
static int
get_counts(struct ctl *c, uint32_t *n, uint32_t *used, struct err *e)
{
	struct bytes v;

	if (get(c, CR_PROP_KRACERTCOUNT, 0, PROPTYPE_LONG, &v, e) != 0)
		return -1;
	if (v.len < CAINFO_KRA_COUNT + 4)
		return ERR(e, E_INVALID_DATA, "a CAINFO of %zu octets", v.len);
	*used = get_u32le(v.p + CAINFO_KRA_USED);
	*n = get_u32le(v.p + CAINFO_KRA_COUNT);
	return *n <= AGENTS_MAX ? 0 : ERR(e, E_INVALID_DATA, "%u recovery agents", *n);
}

static int
set(struct ctl *c, uint32_t id, uint32_t index, uint32_t type, struct bytes value, struct err *e)
{
	static const struct client_method m = { "SetCAProperty", CSRA_SetCAProperty, csra_set_ca_property_in,
		csra_result_out, sizeof(struct csra_result_out) };
	const struct csra_set_ca_property_in in = { ctl_remote_authority(c), id, index, type, value };
	void *decoded;

	return ctl_remote_method(c, &m, &in, c->pool, &decoded, e);
}

static int
set_number(struct ctl *c, uint32_t id, uint32_t n, struct err *e)
{
	uint8_t wire[4] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) };

	return set(c, id, 0, PROPTYPE_LONG, (struct bytes){ wire, 4 }, e);
}

/* ---- the list ---- */

static json_t *
time_json(filetime_t t)
{
	char text[FILETIME_TEXT_MAX];

	return json_string(filetime_to_text(t, text));
}

static json_t *
agent_json(struct ctl *c, uint32_t index, struct bytes der, uint32_t state, struct err *e)
{
	static const char *const states[] = { "expired", "notFound", "revoked", "valid", "notLoaded",
		"invalid", "untrusted" };
	struct x509_certificate cert;
	struct buf subject, hash, pem;
	uint8_t sha1[20];
	json_t *o;

	if (x509_certificate_read(&cert, c->pool, der, e) != 0)
		return NULL;
	x509_sha1(der, sha1);
	buf_init(&subject, 65536);
	buf_init(&hash, 64);
	buf_init(&pem, 2 * CERT_MAX);
	if (x509_name_to_text(&subject, cert.subject, NULL) != 0)
		buf_reset(&subject);
	for (size_t i = 0; i < sizeof(sha1); i++)
		buf_printf(&hash, "%s%02x", i > 0 ? " " : "", sha1[i]);
	text_put_pem(&pem, der, "CERTIFICATE");
	o = json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:s}", "index", (json_int_t)index, "subject",
	    buf_cstr(&subject), "sha1", buf_cstr(&hash), "notBefore", time_json(cert.not_before), "notAfter",
	    time_json(cert.not_after), "state", state < ARRAY_LEN(states) ? states[state] : "unknown", "pem",
	    buf_cstr(&pem));
	buf_fini(&subject);
	buf_fini(&hash);
	buf_fini(&pem);
	return o;
}

json_t *
ctl_remote_kra_list(struct ctl *c, const json_t *args, struct err *e)
{
	json_t *list = json_array(), *agent;
	struct bytes der, state = { NULL, 0 };
	size_t width = 1; /* an octet for each of them, or a ULONG (MS-WCCE says both) */
	uint32_t n, used;
	int rc;

	(void)args;
	rc = get_counts(c, &n, &used, e);
	if (rc == 0 && n > 0)
		rc = get(c, CR_PROP_KRACERTSTATE, 0, PROPTYPE_LONG, &state, e);
	if (rc == 0 && n > 0 && state.len / n == 4)
		width = 4;
	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		agent = get(c, CR_PROP_KRACERT, i, PROPTYPE_BINARY, &der, e) == 0
		    ? agent_json(c, i, der, i < state.len / width ? state.p[i * width] : UINT8_MAX, e)
		    : NULL;
		rc = agent != NULL ? json_array_append_new(list, agent) : -1;
	}
	if (rc == 0)
		return json_pack("{s:I, s:o}", "used", (json_int_t)used, "agents", list);
	json_decref(list);
	return NULL;
}

/* ---- changing it ---- */

/* The first one is used without being told so: that is what it was added for. */
json_t *
ctl_remote_kra_add(struct ctl *c, const json_t *args, struct err *e)
{
	struct bytes der, other;
	uint32_t n, used;

	if (ctl_remote_octets(c, args, "der", &der, e) != 0 || get_counts(c, &n, &used, e) != 0)
		return NULL;
	for (uint32_t i = 0; i < n; i++) {
		if (get(c, CR_PROP_KRACERT, i, PROPTYPE_BINARY, &other, e) != 0)
			return NULL;
		if (bytes_equal(der, other)) {
			ERR(e, E_OBJECT_ALREADY_EXISTS, "it is recovery agent %u already", i);
			return NULL;
		}
	}
	if (set(c, CR_PROP_KRACERT, n, PROPTYPE_BINARY, der, e) != 0 ||
	    (n == 0 && used == 0 && set_number(c, CR_PROP_KRACERTUSEDCOUNT, 1, e) != 0))
		return NULL;
	return ctl_remote_kra_list(c, NULL, e);
}

/* A list can only be cut: those behind it move up first. */
json_t *
ctl_remote_kra_remove(struct ctl *c, const json_t *args, struct err *e)
{
	uint32_t index = (uint32_t)json_integer_value(json_object_get(args, "index")), n, used;
	struct bytes der;

	if (get_counts(c, &n, &used, e) != 0)
		return NULL;
	if (index >= n) {
		ERR(e, E_INVALIDARG, "there is no recovery agent %u", index);
		return NULL;
	}
	for (uint32_t i = index; i + 1 < n; i++)
		if (get(c, CR_PROP_KRACERT, i + 1, PROPTYPE_BINARY, &der, e) != 0 ||
		    set(c, CR_PROP_KRACERT, i, PROPTYPE_BINARY, der, e) != 0)
			return NULL;
	return set_number(c, CR_PROP_KRACERTCOUNT, n - 1, e) == 0 ? ctl_remote_kra_list(c, NULL, e) : NULL;
}

json_t *
ctl_remote_kra_use(struct ctl *c, const json_t *args, struct err *e)
{
	uint32_t n = (uint32_t)json_integer_value(json_object_get(args, "count"));

	return set_number(c, CR_PROP_KRACERTUSEDCOUNT, n, e) == 0 ? ctl_remote_kra_list(c, NULL, e) : NULL;
}
