#include "auth/sddl_priv.h"

#include "base/text.h"

static int
finish(const struct buf *out, struct err *e)
{
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "SDDL does not fit %zu octets", out->max);
}

static void
put_sid(struct buf *out, const struct sid *sid, const struct sddl_domain *dom)
{
	const char *alias = sddl_alias_of(sid, dom);
	char text[SID_TEXT_MAX];

	buf_put_str(out, alias != NULL ? alias : sid_to_text(sid, text));
}

static void
put_rights(struct buf *out, uint32_t mask)
{
	uint32_t named = 0;

	for (size_t i = 0; i < n_sddl_single_rights; i++)
		named |= sddl_rights[i].bits;
	if (mask != 0 && (mask & ~named) == 0) {
		for (size_t i = 0; i < n_sddl_single_rights; i++) {
			if ((mask & sddl_rights[i].bits) != 0)
				buf_put_str(out, sddl_rights[i].code);
		}
		return;
	}
	for (size_t i = n_sddl_single_rights; i < n_sddl_rights; i++) {
		if (sddl_rights[i].bits == mask) {
			buf_put_str(out, sddl_rights[i].code);
			return;
		}
	}
	buf_printf(out, "0x%x", mask);
}

static void
put_ace_flags(struct buf *out, uint8_t flags)
{
	for (size_t i = 0; i < n_sddl_ace_flags; i++) {
		if ((flags & sddl_ace_flags[i].bits) != 0)
			buf_put_str(out, sddl_ace_flags[i].code);
	}
}

static void
put_guid(struct buf *out, bool present, const struct guid *g)
{
	char text[GUID_TEXT_MAX];

	buf_put_str(out, ";");
	if (present)
		buf_put_str(out, guid_to_text(g, text));
}

static void
put_ace(struct buf *out, const struct ace *a, const struct sddl_domain *dom)
{
	const struct ace_kind *kind = ace_kind_of(a->type);

	buf_put_str(out, "(");
	if (kind != NULL && kind->code[0] != '\0')
		buf_put_str(out, kind->code);
	else
		buf_printf(out, "0x%02x", a->type);
	buf_put_str(out, ";");
	put_ace_flags(out, a->flags);
	buf_put_str(out, ";");
	if (kind != NULL)
		put_rights(out, a->mask);
	put_guid(out, a->has_object_type, &a->object_type);
	put_guid(out, a->has_inherited_type, &a->inherited_type);
	buf_put_str(out, ";");
	if (kind != NULL)
		put_sid(out, &a->sid, dom);
	if (a->extra.len > 0) {
		buf_put_str(out, ";#");
		text_put_hex(out, a->extra);
	}
	buf_put_str(out, ")");
}

static void
put_acl(struct buf *out, const struct acl *acl, uint16_t control, bool dacl, const struct sddl_domain *dom)
{
	if (acl == NULL && (control & (dacl ? SE_DACL_PRESENT : SE_SACL_PRESENT)) == 0)
		return;
	buf_put_str(out, dacl ? "D:" : "S:");
	for (size_t i = 0; i < n_sddl_acl_flags; i++) {
		if ((control & (dacl ? sddl_acl_flags[i].dacl : sddl_acl_flags[i].sacl)) != 0)
			buf_put_str(out, sddl_acl_flags[i].code);
	}
	if (acl == NULL)
		buf_put_str(out, SDDL_NULL_ACL);
	for (size_t i = 0; acl != NULL && i < acl->n; i++)
		put_ace(out, &acl->aces[i], dom);
}

int
sd_ace_to_sddl(const struct ace *ace, struct buf *out, const struct sddl_domain *dom, struct err *e)
{
	put_ace(out, ace, dom);
	return finish(out, e);
}

int
sd_to_sddl(const struct sd *sd, struct buf *out, const struct sddl_domain *dom, struct err *e)
{
	if (sd->has_owner) {
		buf_put_str(out, "O:");
		put_sid(out, &sd->owner, dom);
	}
	if (sd->has_group) {
		buf_put_str(out, "G:");
		put_sid(out, &sd->group, dom);
	}
	put_acl(out, sd->dacl, sd->control, true, dom);
	put_acl(out, sd->sacl, sd->control, false, dom);
	return finish(out, e);
}
