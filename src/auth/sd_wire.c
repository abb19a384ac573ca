#include "auth/sd_priv.h"

#define SD_HEADER 20
#define SID_HEADER 8
#define ACL_HEADER 8
#define ACE_HEADER 4
#define ACE_OBJECT_TYPE_PRESENT 0x1u
#define ACE_INHERITED_OBJECT_TYPE_PRESENT 0x2u
#define ACL_REVISION 2
#define ACL_REVISION_DS 4

/* MS-DTYP 2.5.1.1 numbers XU and ZA the other way round; 2.4.4.1 and the structures settle it. */
const struct ace_kind ace_kinds[] = {
	{ ACCESS_ALLOWED_ACE_TYPE, "A", false, false },
	{ ACCESS_DENIED_ACE_TYPE, "D", false, false },
	{ SYSTEM_AUDIT_ACE_TYPE, "AU", false, false },
	{ ACCESS_ALLOWED_OBJECT_ACE_TYPE, "OA", true, false },
	{ ACCESS_DENIED_OBJECT_ACE_TYPE, "OD", true, false },
	{ SYSTEM_AUDIT_OBJECT_ACE_TYPE, "OU", true, false },
	{ ACCESS_ALLOWED_CALLBACK_ACE_TYPE, "XA", false, true },
	{ ACCESS_DENIED_CALLBACK_ACE_TYPE, "XD", false, true },
	{ ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE, "ZA", true, true },
	{ ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE, "", true, true },
	{ SYSTEM_AUDIT_CALLBACK_ACE_TYPE, "XU", false, true },
	{ SYSTEM_AUDIT_CALLBACK_OBJECT_ACE_TYPE, "", true, true },
	{ SYSTEM_MANDATORY_LABEL_ACE_TYPE, "ML", false, false },
	{ SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE, "RA", false, true },
	{ SYSTEM_SCOPED_POLICY_ID_ACE_TYPE, "SP", false, false },
};
const size_t n_ace_kinds = ARRAY_LEN(ace_kinds);

const struct ace_kind *
ace_kind_of(uint8_t type)
{
	for (size_t i = 0; i < n_ace_kinds; i++) {
		if (ace_kinds[i].type == type)
			return &ace_kinds[i];
	}
	return NULL;
}

/* ---- reading ---- */

/* Takes n octets off the front of *in. */
static bool
take(struct bytes *in, size_t n, struct bytes *out)
{
	if (n > in->len)
		return false;
	*out = (struct bytes){ in->p, n };
	in->p += n;
	in->len -= n;
	return true;
}

static bool
take_u32(struct bytes *in, uint32_t *out)
{
	struct bytes v;

	if (!take(in, 4, &v))
		return false;
	*out = get_u32le(v.p);
	return true;
}

static bool
take_guid(struct bytes *in, struct guid *out)
{
	struct bytes v;

	if (!take(in, 16, &v))
		return false;
	guid_from_wire(out, v.p);
	return true;
}

/* The flags and GUIDs between mask and SID of an object ACE (MS-DTYP 2.4.4.3). */
static bool
take_object_types(struct bytes *in, struct ace *a)
{
	uint32_t flags;

	if (!take_u32(in, &flags))
		return false;
	a->has_object_type = (flags & ACE_OBJECT_TYPE_PRESENT) != 0;
	a->has_inherited_type = (flags & ACE_INHERITED_OBJECT_TYPE_PRESENT) != 0;
#ifdef ADCSD_PLANTED_BUG_AUTH_SD /* proves that the fuzz target finds one: believes the flags */
	if (a->has_inherited_type && in->len < 16)
		in->len = 16;
#endif
	return (!a->has_object_type || take_guid(in, &a->object_type)) &&
	    (!a->has_inherited_type || take_guid(in, &a->inherited_type));
}

static int
ace_body_read(struct ace *a, struct pool *pool, struct bytes body, struct err *e)
{
	const struct ace_kind *kind = ace_kind_of(a->type);
	size_t used;

	if (kind != NULL) {
		if (!take_u32(&body, &a->mask) || (kind->object && !take_object_types(&body, a)))
			return ERR(e, E_INVALID_DATA, "ends before its SID");
		if (sid_from_wire(&a->sid, body, &used, e) != 0)
			return -1;
		body.p += used;
		body.len -= used;
		if (!kind->data)
			return 0;
	}
	if (body.len > 0 && pool_dup_bytes(pool, body, &a->extra) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu octets of application data", body.len);
	return 0;
}

/* One ACE off the front of *in. */
static int
ace_read(struct ace *a, struct pool *pool, struct bytes *in, struct err *e)
{
	struct bytes whole;
	size_t size;

	if (in->len < ACE_HEADER)
		return ERR(e, E_INVALID_DATA, "header needs 4 octets, %zu left", in->len);
	size = get_u16le(in->p + 2);
	if (size < ACE_HEADER || size % 4 != 0)
		return ERR(e, E_INVALID_DATA, "size %zu, must be a multiple of 4 (MS-DTYP 2.4.4.1)", size);
	if (!take(in, size, &whole))
		return ERR(e, E_INVALID_DATA, "size %zu, %zu octets left in the ACL", size, in->len);
	a->type = whole.p[0];
	a->flags = whole.p[1];
	return ace_body_read(a, pool, (struct bytes){ whole.p + ACE_HEADER, size - ACE_HEADER }, e);
}

static int
acl_read(struct acl **out, struct pool *pool, struct bytes in, struct err *e)
{
	struct acl *acl;
	size_t size, n;

	if (in.len < ACL_HEADER)
		return ERR(e, E_INVALID_DATA, "header needs 8 octets, %zu left", in.len);
	size = get_u16le(in.p + 2);
	n = get_u16le(in.p + 4);
	if (in.p[0] < ACL_REVISION || in.p[0] > ACL_REVISION_DS)
		return ERR(e, E_INVALID_DATA, "revision %u, must be 2 to 4 (MS-DTYP 2.4.5)", in.p[0]);
	if (size < ACL_HEADER || size > in.len)
		return ERR(e, E_INVALID_DATA, "size %zu, %zu octets left", size, in.len);
	if (n > SD_MAX_ACES || n > (size - ACL_HEADER) / ACE_HEADER)
		return ERR(e, E_INVALID_DATA, "%zu ACEs in %zu octets, at most %d", n, size, SD_MAX_ACES);
	acl = POOL_NEW(pool, struct acl);
	if (acl != NULL)
		acl->aces = pool_calloc(pool, n, sizeof(*acl->aces));
	if (acl == NULL || acl->aces == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for %zu ACEs", n);
	acl->revision = in.p[0];
	in = (struct bytes){ in.p + ACL_HEADER, size - ACL_HEADER };
	for (; acl->n < n; acl->n++) {
		if (ace_read(&acl->aces[acl->n], pool, &in, e) != 0)
			return err_prefix(e, "ACE %zu", acl->n + 1);
	}
	*out = acl;
	return 0;
}

/* What lies at an offset of the header, to the end of the descriptor; empty when the offset is 0. */
static int
part_at(struct bytes sd, size_t field, struct bytes *out, const char *what, struct err *e)
{
	size_t off = get_u32le(sd.p + field);

	*out = (struct bytes){ NULL, 0 };
	if (off == 0)
		return 0;
	if (off < SD_HEADER || off >= sd.len)
		return ERR(
		    e, E_INVALID_DATA, "%s at offset %zu of a descriptor of %zu octets", what, off, sd.len);
	*out = (struct bytes){ sd.p + off, sd.len - off };
	return 0;
}

static int
sid_part(struct bytes sd, size_t field, bool *has, struct sid *out, const char *what, struct err *e)
{
	struct bytes part;

	if (part_at(sd, field, &part, what, e) != 0)
		return -1;
	*has = part.p != NULL;
	if (*has && sid_from_wire(out, part, NULL, e) != 0)
		return err_prefix(e, "%s", what);
	return 0;
}

static int
acl_part(struct bytes sd, size_t field, bool present, struct pool *pool, struct acl **out, const char *what,
    struct err *e)
{
	struct bytes part;

	if (!present) /* the offset should be 0 then, and says nothing */
		return 0;
	if (part_at(sd, field, &part, what, e) != 0)
		return -1;
	if (part.p != NULL && acl_read(out, pool, part, e) != 0)
		return err_prefix(e, "%s", what);
	return 0;
}

int
sd_from_wire(struct sd *out, struct pool *pool, struct bytes in, struct err *e)
{
	struct sd sd = { 0 };

	if (in.len < SD_HEADER || in.len > SD_WIRE_MAX)
		return ERR(e, E_INVALID_DATA, "security descriptor of %zu octets, %d to %d expected", in.len,
		    SD_HEADER, SD_WIRE_MAX);
	if (in.p[0] != 1)
		return ERR(
		    e, E_INVALID_DATA, "security descriptor revision %u, must be 1 (MS-DTYP 2.4.6)", in.p[0]);
	sd.rm_control = in.p[1];
	sd.control = get_u16le(in.p + 2);
	if ((sd.control & SE_SELF_RELATIVE) == 0)
		return ERR(e, E_INVALID_DATA, "security descriptor is not self-relative (control 0x%04x)",
		    sd.control);
	if (sid_part(in, 4, &sd.has_owner, &sd.owner, "owner", e) != 0 ||
	    sid_part(in, 8, &sd.has_group, &sd.group, "group", e) != 0 ||
	    acl_part(in, 12, (sd.control & SE_SACL_PRESENT) != 0, pool, &sd.sacl, "SACL", e) != 0 ||
	    acl_part(in, 16, (sd.control & SE_DACL_PRESENT) != 0, pool, &sd.dacl, "DACL", e) != 0)
		return -1;
	*out = sd;
	return 0;
}

/* Octets of the SID or ACL at an offset of the header, from the descriptor's start; 0: there is none. */
static int
part_end(struct bytes in, size_t field, bool is_acl, size_t *end, struct err *e)
{
	struct bytes part;
	size_t n;

	*end = 0;
	if (part_at(in, field, &part, is_acl ? "ACL" : "SID", e) != 0)
		return -1;
	if (part.p == NULL)
		return 0;
	if (part.len < (is_acl ? ACL_HEADER : SID_HEADER))
		return ERR(e, E_INVALID_DATA, "security descriptor ends within its parts");
	n = is_acl ? get_u16le(part.p + 2) : SID_HEADER + 4 * (size_t)part.p[1];
	if (n > part.len)
		return ERR(e, E_INVALID_DATA, "a part of %zu octets, %zu are left", n, part.len);
	*end = (size_t)(part.p - in.p) + n;
	return 0;
}

int
sd_wire_len(struct bytes in, size_t *len, struct err *e)
{
	size_t end;

	if (in.len < SD_HEADER)
		return ERR(e, E_INVALID_DATA, "security descriptor of %zu octets, at least %d expected",
		    in.len, SD_HEADER);
	*len = SD_HEADER;
	for (size_t i = 0; i < 4; i++) {
		bool present =
		    i < 2 || (get_u16le(in.p + 2) & (i == 2 ? SE_SACL_PRESENT : SE_DACL_PRESENT)) != 0;

		if (present && part_end(in, 4 + 4 * i, i >= 2, &end, e) != 0)
			return -1;
		if (present && end > *len)
			*len = end;
	}
	return 0;
}

/* ---- writing ---- */

static void
ace_body_write(const struct ace *a, struct buf *out)
{
	const struct ace_kind *kind = ace_kind_of(a->type);

	if (kind != NULL) {
		buf_put_u32le(out, a->mask);
		if (kind->object) {
			buf_put_u32le(out,
			    (a->has_object_type ? ACE_OBJECT_TYPE_PRESENT : 0) |
				(a->has_inherited_type ? ACE_INHERITED_OBJECT_TYPE_PRESENT : 0));
			if (a->has_object_type)
				guid_put(out, &a->object_type);
			if (a->has_inherited_type)
				guid_put(out, &a->inherited_type);
		}
		sid_put(out, &a->sid);
		if (!kind->data)
			return;
	}
	buf_put_bytes(out, a->extra);
}

static int
ace_write(const struct ace *a, struct buf *out, struct err *e)
{
	size_t start = out->len, size;

	buf_put_u8(out, a->type);
	buf_put_u8(out, a->flags);
	buf_put_u16le(out, 0);
	ace_body_write(a, out);
	buf_put_zero(out, (4 - (out->len - start) % 4) % 4);
	size = out->len - start;
	if (size > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "%zu octets, more than an ACE can hold", size);
	if (buf_ok(out))
		set_u16le(out->p + start + 2, (uint16_t)size);
	return 0;
}

/* Object ACEs need revision 4 (MS-DTYP 2.4.5); a higher one than needed is kept. */
static uint8_t
acl_revision(const struct acl *acl)
{
	uint8_t revision = acl->revision > ACL_REVISION ? acl->revision : ACL_REVISION;

	for (size_t i = 0; i < acl->n; i++) {
		const struct ace_kind *kind = ace_kind_of(acl->aces[i].type);

		if (kind != NULL && kind->object)
			return ACL_REVISION_DS;
	}
	return revision;
}

static int
acl_write(const struct acl *acl, struct buf *out, const char *what, struct err *e)
{
	size_t start = out->len, size;

	if (acl->n > SD_MAX_ACES)
		return ERR(e, E_INVALIDARG, "%s: %zu ACEs, at most %d", what, acl->n, SD_MAX_ACES);
	buf_put_u8(out, acl_revision(acl));
	buf_put_u8(out, 0);
	buf_put_u16le(out, 0);
	buf_put_u16le(out, (uint16_t)acl->n);
	buf_put_u16le(out, 0);
	for (size_t i = 0; i < acl->n; i++) {
		if (ace_write(&acl->aces[i], out, e) != 0)
			return err_prefix(e, "%s: ACE %zu", what, i + 1);
	}
	size = out->len - start;
	if (size > UINT16_MAX)
		return ERR(e, E_INVALIDARG, "%s of %zu octets, at most 65535", what, size);
	if (buf_ok(out))
		set_u16le(out->p + start + 2, (uint16_t)size);
	return 0;
}

int
sd_to_wire(const struct sd *sd, struct buf *out, struct err *e)
{
	size_t start = out->len, off[4] = { 0 };
	uint16_t control = sd->control | SE_SELF_RELATIVE;

	if (sd->sacl != NULL)
		control |= SE_SACL_PRESENT;
	if (sd->dacl != NULL)
		control |= SE_DACL_PRESENT;
	buf_put_u8(out, 1);
	buf_put_u8(out, sd->rm_control);
	buf_put_u16le(out, control);
	buf_put_zero(out, SD_HEADER - 4);
	if (sd->sacl != NULL) {
		off[2] = out->len - start;
		if (acl_write(sd->sacl, out, "SACL", e) != 0)
			return -1;
	}
	if (sd->dacl != NULL) {
		off[3] = out->len - start;
		if (acl_write(sd->dacl, out, "DACL", e) != 0)
			return -1;
	}
	if (sd->has_owner) {
		off[0] = out->len - start;
		sid_put(out, &sd->owner);
	}
	if (sd->has_group) {
		off[1] = out->len - start;
		sid_put(out, &sd->group);
	}
	if (!buf_ok(out))
		return ERR(e, E_OUTOFMEMORY, "security descriptor does not fit %zu octets", out->max);
	for (size_t i = 0; i < 4; i++)
		set_u32le(out->p + start + 4 + 4 * i, (uint32_t)off[i]);
	return 0;
}
