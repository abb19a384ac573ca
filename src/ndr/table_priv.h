/* What the wire's rules say about a row or a table, whatever the values. */
#ifndef ADCSD_NDR_TABLE_PRIV_H
#define ADCSD_NDR_TABLE_PRIV_H

#include "ndr/cursor.h"
#include "ndr/ndr.h"

/* Alignment of the struct a table describes: that of its widest member (C706 14.3.2). */
size_t
ndr_table_align(const struct ndr_field *fields);
/* Least octets the fixed part of such a struct takes, so that a count can be held against the octets left. */
size_t
ndr_table_min_wire(const struct ndr_field *fields);

/* The inline array a conformant struct ends in, whose MaxCount comes before the struct; its end row for any
 * other. */
const struct ndr_field *
ndr_table_tail(const struct ndr_field *fields);

/* The member a row describes. */
static inline void *
ndr_member(const struct ndr_field *f, void *base)
{
	return (char *)base + f->offset;
}
static inline const void *
ndr_const_member(const struct ndr_field *f, const void *base)
{
	return (const char *)base + f->offset;
}
/* Does the wire hold an id here, its referent deferred? A top-level ref pointer is its referent
 * (C706 14.3.10). */
static inline bool
ndr_has_id(const struct ndr_field *f, bool top)
{
	return f->pointer != NDR_INLINE && !(top && f->pointer == NDR_REF);
}
/* WSTR and ARRAY members point at what they hold; other members behind a pointer get memory of their own
 * first. */
static inline bool
ndr_is_own_pointer(const struct ndr_field *f)
{
	return f->kind == NDR_WSTR || f->kind == NDR_ARRAY;
}
/* Octets with a pointer and a size of their own. */
static inline bool
ndr_is_blob(const struct ndr_field *f)
{
	return f->kind == NDR_BLOB || f->kind == NDR_BLOB_LAST;
}
static inline const char *
ndr_get_text(const void *member)
{
	return *(const char *const *)member;
}
static inline void *
ndr_get_pointer(const void *member)
{
	return *(void *const *)member;
}
static inline uint32_t
ndr_get_count(const void *base, size_t offset)
{
	return *(const uint32_t *)(const void *)((const char *)base + offset);
}

#endif
