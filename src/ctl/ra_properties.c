#include "ctl/ra_properties.h"

#include <string.h>

#include "policy/template.h"

#define ATTRIBUTE "msPKI-RA-Application-Policies"
#define MAX_PROPERTIES 32

struct property {
	const char *name, *type, *value;
};

bool
ra_properties_used(const struct ctl_entry *en)
{
	int32_t schema = ctl_entry_int(en, "msPKI-Template-Schema-Version", 1);

	return schema == 3 ||
	    (schema == 4 &&
		!((uint32_t)ctl_entry_int(en, "msPKI-Private-Key-Flag", 0) & CT_FLAG_USE_LEGACY_PROVIDER));
}

/* The triplets that are whole; a broken rest is left out, as the next save would. */
static size_t
load(struct ctl *c, const struct ctl_entry *en, struct property out[MAX_PROPERTIES])
{
	const char *text = ra_properties_used(en) ? ctl_entry_text(en, ATTRIBUTE) : NULL;
	size_t n = 0;

	for (const char *s = text; s != NULL && *s != '\0' && n < MAX_PROPERTIES; n++) {
		const char *part[3];

		for (size_t i = 0; i < 3; i++) {
			size_t len = strcspn(s, "`");

			part[i] = pool_strndup(c->pool, s, len);
			if (part[i] == NULL || (s[len] == '\0' && i < 2))
				return n;
			s += len + (s[len] == '`');
		}
		out[n] = (struct property){ part[0], part[1], part[2] };
	}
	return n;
}

static int
store(struct ctl *c, struct ctl_entry *en, const struct property *p, size_t n, struct err *e)
{
	struct buf b;
	int ret;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < n; i++)
		buf_printf(&b, "%s`%s`%s`", p[i].name, p[i].type, p[i].value);
	if (n == 0) {
		ctl_entry_drop(en, ATTRIBUTE);
		ret = 0;
	} else {
		ret = ctl_entry_set_text(c, en, ATTRIBUTE, buf_cstr(&b), e);
	}
	buf_fini(&b);
	return ret;
}

const char *
ra_property_get(struct ctl *c, const struct ctl_entry *en, const char *name)
{
	struct property p[MAX_PROPERTIES];
	size_t n = load(c, en, p);

	for (size_t i = 0; i < n; i++)
		if (strcmp(p[i].name, name) == 0)
			return p[i].value;
	return NULL;
}

int
ra_property_set(
    struct ctl *c, struct ctl_entry *en, const char *name, const char *type, const char *value, struct err *e)
{
	struct property p[MAX_PROPERTIES + 1];
	size_t n = load(c, en, p), at = 0;

	if (value != NULL && strchr(value, '`') != NULL)
		return ERR(e, E_INVALIDARG, "%s: the value has a backtick", name);
	while (at < n && strcmp(p[at].name, name) < 0)
		at++;
	if (at < n && strcmp(p[at].name, name) == 0) {
		memmove(&p[at], &p[at + 1], (n - at - 1) * sizeof(*p));
		n--;
	}
	if (value != NULL) {
		if (n == MAX_PROPERTIES)
			return ERR(
			    e, E_INVALID_DATA, ATTRIBUTE " has more than %d properties", MAX_PROPERTIES);
		memmove(&p[at + 1], &p[at], (n - at) * sizeof(*p));
		p[at] = (struct property){ name, type, value };
		n++;
	}
	return store(c, en, p, n, e);
}

const char *
ra_application_policies_get(struct ctl *c, const struct ctl_entry *en)
{
	const struct ctl_attr *a = ctl_entry_attr(en, ATTRIBUTE);
	const char *text = "";

	if (ra_properties_used(en)) {
		text = ra_property_get(c, en, ATTRIBUTE);
		return text != NULL ? text : "";
	}
	for (size_t i = 0; a != NULL && i < a->n; i++)
		text = pool_printf(c->pool, "%s%s%s", text, i > 0 ? "," : "", (const char *)a->values[i].p);
	return text;
}

int
ra_application_policies_set(struct ctl *c, struct ctl_entry *en, const char *oids, struct err *e)
{
	struct bytes v[64];
	size_t n = 0;

	if (ra_properties_used(en))
		return ra_property_set(c, en, ATTRIBUTE, "PZPWSTR", *oids != '\0' ? oids : NULL, e);
	while (*oids != '\0') {
		size_t len = strcspn(oids, ",");

		if (n == ARRAY_LEN(v))
			return ERR(
			    e, E_INVALIDARG, "more than %zu signer application policies", ARRAY_LEN(v));
		v[n++] = (struct bytes){ (const uint8_t *)oids, len };
		oids += len + (oids[len] == ',');
	}
	if (n > 0)
		return ctl_entry_set_bytes(c, en, ATTRIBUTE, v, n, e);
	ctl_entry_drop(en, ATTRIBUTE);
	return 0;
}

int
ra_properties_default(struct ctl *c, struct ctl_entry *en, struct err *e)
{
	static const struct property defaults[] = {
		{ "msPKI-Asymmetric-Algorithm", "PZPWSTR", "RSA" },
		{ "msPKI-Hash-Algorithm", "PZPWSTR", "SHA256" },
		{ "msPKI-Key-Usage", "DWORD", "16777215" },
		{ "msPKI-Symmetric-Algorithm", "PZPWSTR", "3DES" },
		{ "msPKI-Symmetric-Key-Length", "DWORD", "168" },
	};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (ra_property_get(c, en, defaults[i].name) == NULL &&
		    ra_property_set(c, en, defaults[i].name, defaults[i].type, defaults[i].value, e) != 0)
			return -1;
	return 0;
}
