/* ca.renew, and the CA's certificates as JSON. */
#include <string.h>

#include "base/text.h"
#include "ca/admin_priv.h"
#include "ca/crl.h"
#include "ca/renew.h"
#include "ca/signing_certs.h"

static const char *
state_name(const struct ca *ca, const struct ca_cert *c)
{
	return x509_ca_chain_is_current(c->x509, clock_now(ca->clock)) ? "valid" : "expired";
}

/* V1.0: certificate index, key index, as certutil shows them. */
static json_t *
cert_json(const struct ca *ca, const struct ca_cert *c)
{
	json_t *o = json_pack("{s:i, s:i, s:s, s:o, s:o, s:s, s:b, s:b, s:b}", "index", (int)c->index,
	    "keyIndex", (int)c->key_index, "key", x509_ca_key_text(c->x509), "notBefore",
	    json_time(x509_ca_not_before(c->x509)), "notAfter", json_time(x509_ca_not_after(c->x509)),
	    "state", state_name(ca, c), "current", c == ca_cert_newest(ca), "forwardCross",
	    c->forward.len > 0, "backwardCross", c->backward.len > 0);
	char version[32];
	uint8_t sha1[20];
	struct buf b;

	snprintf(version, sizeof(version), "V%u.%u", c->index, c->key_index);
	json_object_set_new(o, "version", json_string(version));
	x509_sha1(x509_ca_cert_der(c->x509), sha1);
	buf_init(&b, 64);
	text_put_hex(&b, (struct bytes){ sha1, sizeof(sha1) });
	json_object_set_new(o, "sha1", json_string(buf_cstr(&b)));
	buf_fini(&b);
	return o;
}

json_t *
admin_ca_certificates(const struct ca *ca)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ca->certs->n; i++)
		json_array_append_new(list, cert_json(ca, ca->certs->v[i]));
	return list;
}

static void
on_renewed(void *arg, const struct err *e, const struct err *published, const char *request)
{
	struct ca_admin *a = arg;
	json_t *o;

	if (e != NULL) {
		admin_fail(a, e);
		return;
	}
	if (request != NULL) {
		admin_reply(a, json_pack("{s:s}", "request", request));
		return;
	}
	o = json_pack(
	    "{s:o, s:b}", "certificates", admin_ca_certificates(a->ca), "published", published == NULL);
	if (published != NULL)
		json_object_set_new(o, "error", json_string(published->msg));
	admin_reply(a, o);
}

void
admin_ca_renew(struct ca_admin *a)
{
	struct ca_renewal_options how = { .new_key = json_is_true(json_object_get(a->args, "newKey")) };
	const char *pem = NULL;
	int64_t units = 0;
	struct err e = { 0 };

	if ((admin_has(a, "certificate") && admin_text(a, "certificate", &pem, &e) != 0) ||
	    (admin_has(a, "key") && admin_text(a, "key", &how.key_type, &e) != 0) ||
	    (admin_has(a, "validityPeriod") &&
		(admin_text(a, "validityPeriod", &how.validity_unit, &e) != 0 ||
		    admin_number(a, "validityPeriodUnits", 1, 10000, &units, &e) != 0))) {
		admin_fail(a, &e);
		return;
	}
	how.validity_units = (uint32_t)units;
	if (pem != NULL)
		how.certificate = (struct bytes){ (const uint8_t *)pem, strlen(pem) };
	if (how.key_type != NULL && !how.new_key)
		ERR(&e, E_INVALIDARG, "a kind of key is chosen for a new key only");
	if (e.hr != 0 || ca_renew_start(a->ca, &how, on_renewed, a, &e) != 0)
		admin_fail(a, &e);
}
