/* The extensions of the certificate to be, in the order of issuance.md section 4. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/rule_priv.h"

int
rule_keep(struct eval *ev, struct bytes *out)
{
	bool ok = buf_ok(&ev->scratch) && pool_dup_bytes(ev->pool, buf_bytes(&ev->scratch), out) == 0;

	buf_reset(&ev->scratch);
	return ok ? 0 : rule_nomem(ev);
}

const char *
rule_keep_text(struct eval *ev)
{
	const char *copy = pool_strdup(ev->pool, buf_cstr(&ev->scratch));

	buf_reset(&ev->scratch);
	return copy != NULL ? copy : "";
}

bool
rule_listed(struct x509_strings list, const char *text)
{
	for (size_t i = 0; i < list.n; i++)
		if (strcmp(list.v[i], text) == 0)
			return true;
	return false;
}

bool
rule_disabled(const struct eval *ev, const char *oid)
{
	return (ev->ca->edit_flags & EDITF_DISABLEEXTENSIONLIST) &&
	    rule_listed(ev->ca->disable_extensions, oid);
}

const char *
rule_extension_oid(struct eval *ev, const struct x509_extension *x)
{
	char text[OID_TEXT_MAX];

	return oid_to_text(x->oid, text) ? pool_strdup(ev->pool, text) : NULL;
}

static struct extension_slot *
find(const struct eval *ev, const char *oid)
{
	for (size_t i = 0; i < ev->n_slots; i++)
		if (strcmp(ev->slots[i].oid, oid) == 0)
			return &ev->slots[i];
	return NULL;
}

bool
rule_has_extension(const struct eval *ev, const char *oid)
{
	const struct extension_slot *s = find(ev, oid);

	return s != NULL && s->filled;
}

static struct extension_slot *
append(struct eval *ev, const char *oid)
{
	struct extension_slot *s;

	if (ev->n_slots == ev->slots_cap)
		return NULL;
	s = &ev->slots[ev->n_slots++];
	s->oid = oid;
	return s;
}

int
rule_reserve(struct eval *ev, const char *oid)
{
	return find(ev, oid) != NULL || append(ev, oid) != NULL ? 0 : rule_nomem(ev);
}

int
rule_take(struct eval *ev, const char *oid, const struct x509_extension *x)
{
	struct extension_slot *s = append(ev, oid);

	if (s == NULL)
		return rule_nomem(ev);
	s->body = x->oid;
	s->critical = x->critical;
	s->value = x->value;
	s->filled = true;
	return 0;
}

int
rule_take_officer(struct eval *ev, const struct policy_extension *x)
{
	struct extension_slot *s = append(ev, x->oid);

	if (s == NULL)
		return rule_nomem(ev);
	s->critical = x->critical;
	s->value = x->value;
	s->filled = !x->disabled;
	s->officer = true;
	return 0;
}

bool
rule_of_officer(const struct eval *ev, const char *oid)
{
	const struct extension_slot *s = find(ev, oid);

	return s != NULL && s->officer;
}

int
rule_put(struct eval *ev, const char *oid, bool critical, struct bytes value, const char *fmt, ...)
{
	struct extension_slot *s = find(ev, oid);
	char why[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	if (s != NULL && s->officer && !s->filled)
		return rule_skipped(ev, "%s is left out: an officer disabled it", oid);
	if (s != NULL && s->officer)
		return rule_pass(ev, "%s stays as an officer set it", oid);
	if (rule_disabled(ev, oid))
		return rule_skipped(ev, "%s is in DisableExtensionList", oid);
	if (s != NULL && s->filled)
		return rule_pass(ev, "%s stays as the request has it", oid);
	if (s == NULL)
		s = append(ev, oid);
	if (s == NULL)
		return rule_nomem(ev);
	s->critical = critical;
	s->value = value;
	s->filled = true;
	return rule_adds(ev, "%s%s: %s", oid, critical ? " (critical)" : "", why);
}

static int
finish_extensions(struct eval *ev)
{
	struct x509_cert_plan *plan = &ev->out->plan;
	struct x509_extension *list = pool_calloc(ev->pool, ev->n_slots + 1, sizeof(*list));

	if (list == NULL)
		return rule_nomem(ev);
	plan->extensions = list;
	for (size_t i = 0; i < ev->n_slots; i++) {
		struct extension_slot *s = &ev->slots[i];

		if (!s->filled)
			continue;
		if (s->body.len == 0 &&
		    (oid_from_text(&ev->scratch, s->oid, ev->e) != 0 || rule_keep(ev, &s->body) != 0))
			return -1;
		list[plan->n_extensions++] = (struct x509_extension){ s->body, s->critical, s->value };
	}
	return 0;
}

int
plan_finish(struct eval *ev)
{
	struct x509_cert_plan *plan = &ev->out->plan;

	plan->issuer = ev->ca->ca_subject;
	plan->subject = ev->subject;
	plan->spki = ev->request->key.spki;
	return finish_extensions(ev);
}
