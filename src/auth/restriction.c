#include "auth/restriction.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"

#define TEMPLATE_NAME_MAX 512 /* octets of UTF-16LE: more than any cn has */

/* The name up to its NUL; behind it is padding. */
static int
read_name(struct restriction *out, struct pool *pool, struct bytes in, struct err *e)
{
	size_t n = 0;

	while (in.len - n >= 2 && (in.p[n] != 0 || in.p[n + 1] != 0))
		n += 2;
	if (n > TEMPLATE_NAME_MAX)
		return ERR(e, E_INVALID_DATA, "template name of %zu octets", n);
	out->template_name = text_from_utf16le(pool, (struct bytes){ in.p, n }, e);
	if (out->template_name == NULL) {
		e->hr = e->hr == E_OUTOFMEMORY ? e->hr : E_INVALID_DATA;
		return err_prefix(e, "template name");
	}
	return 0;
}

int
restriction_from_ace(struct restriction *out, struct pool *pool, const struct ace *ace, struct err *e)
{
	struct bytes in = ace->extra;
	struct sid *sids;
	uint32_t n;

	if (ace->type != ACCESS_ALLOWED_CALLBACK_ACE_TYPE && ace->type != ACCESS_DENIED_CALLBACK_ACE_TYPE)
		return ERR(e, E_INVALID_DATA, "type 0x%02x is no callback ACE (MS-CSRA 2.2.1.11)", ace->type);
	if (ace->mask != RESTRICTION_MASK)
		return ERR(e, E_INVALID_DATA, "mask 0x%x, must be 0x10000 (MS-CSRA 2.2.1.11)", ace->mask);
	if (in.len < 4)
		return ERR(e, E_INVALID_DATA, "%zu octets of application data, SIDCount needs 4", in.len);
	n = get_u32le(in.p);
	in = (struct bytes){ in.p + 4, in.len - 4 };
	/* a SID has at least 8 octets: the count cannot make us reserve what is not there */
	if (n > RESTRICTION_MAX_SIDS || n > in.len / 8)
		return ERR(e, E_INVALID_DATA, "SIDCount %u in %zu octets", n, in.len);
	sids = pool_calloc(pool, n, sizeof(*sids));
	if (sids == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %u SIDs", n);
	for (uint32_t i = 0; i < n; i++) {
		size_t used;

		if (sid_from_wire(&sids[i], in, &used, e) != 0)
			return err_prefix(e, "SID %u", i + 1);
		in = (struct bytes){ in.p + used, in.len - used };
	}
	*out = (struct restriction){ .allow = ace->type == ACCESS_ALLOWED_CALLBACK_ACE_TYPE,
		.who = ace->sid,
		.subjects = sids,
		.n_subjects = n };
	return read_name(out, pool, in, e);
}

int
restriction_to_ace(const struct restriction *r, struct pool *pool, struct ace *out, struct err *e)
{
	const char *name = r->template_name != NULL ? r->template_name : "";
	struct buf b;
	int rc;

	*out = (struct ace){ .type = r->allow ? ACCESS_ALLOWED_CALLBACK_ACE_TYPE
					      : ACCESS_DENIED_CALLBACK_ACE_TYPE,
		.mask = RESTRICTION_MASK,
		.sid = r->who };
	if (r->n_subjects > RESTRICTION_MAX_SIDS)
		return ERR(e, E_INVALIDARG, "%zu SIDs in one entry, at most %d", r->n_subjects,
		    RESTRICTION_MAX_SIDS);
	buf_init(&b, UINT16_MAX);
	buf_put_u32le(&b, (uint32_t)r->n_subjects);
	for (size_t i = 0; i < r->n_subjects; i++)
		sid_put(&b, &r->subjects[i]);
	rc = text_utf8_to_utf16le(&b, name, strlen(name), e);
	buf_put_u16le(&b, 0);
	if (rc == 0 && (!buf_ok(&b) || pool_dup_bytes(pool, buf_bytes(&b), &out->extra) != 0))
		rc = ERR(e, E_OUTOFMEMORY, "an entry of %zu SIDs is too long", r->n_subjects);
	buf_fini(&b);
	return rc;
}

int
restrictions_from_sd(struct restrictions *out, struct pool *pool, const struct sd *sd, struct err *e)
{
	size_t n = sd->dacl != NULL ? sd->dacl->n : 0;
	struct restriction *list = pool_calloc(pool, n, sizeof(*list));

	if (list == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu restrictions", n);
	for (size_t i = 0; i < n; i++) {
		if (restriction_from_ace(&list[i], pool, &sd->dacl->aces[i], e) != 0)
			return err_prefix(e, "ACE %zu", i + 1);
	}
	*out = (struct restrictions){ list, n };
	return 0;
}

int
restrictions_to_sd(const struct restrictions *r, struct pool *pool, struct sd *out, struct err *e)
{
	struct acl *acl = POOL_NEW(pool, struct acl);

	*out = (struct sd){ .control = SE_SELF_RELATIVE | SE_DACL_PRESENT,
		.has_owner = true,
		.has_group = true,
		.owner = SID_BUILTIN_ADMINISTRATORS,
		.group = SID_BUILTIN_ADMINISTRATORS,
		.dacl = acl };
	if (acl == NULL || (acl->aces = pool_calloc(pool, r->n, sizeof(*acl->aces))) == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu restrictions", r->n);
	acl->revision = 2;
	for (; acl->n < r->n; acl->n++) {
		if (restriction_to_ace(&r->v[acl->n], pool, &acl->aces[acl->n], e) != 0)
			return -1;
	}
	return 0;
}

/* ---- who is meant ---- */

static bool
means_subject(const struct restriction *r, const struct token *subject)
{
	for (size_t i = 0; i < r->n_subjects; i++) {
		if (sid_equal(&r->subjects[i], &SID_EVERYONE) ||
		    (subject != NULL && token_has(subject, &r->subjects[i])))
			return true;
	}
	return false;
}

static bool
means_template(const struct restriction *r, const char *cn, const char *oid)
{
	const char *name = r->template_name;

	return *name == '\0' || (cn != NULL && strcasecmp(name, cn) == 0) ||
	    (oid != NULL && strcmp(name, oid) == 0);
}

const struct restriction *
restrictions_find(const struct restrictions *r, const struct token *who, const struct token *subject,
    const char *cn, const char *oid)
{
	for (size_t i = 0; i < r->n; i++) {
		if (token_has(who, &r->v[i].who) && means_template(&r->v[i], cn, oid) &&
		    means_subject(&r->v[i], subject))
			return &r->v[i];
	}
	return NULL;
}
