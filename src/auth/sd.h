/*
 * Security descriptors, MS-DTYP 2.4.6, self-relative form, and SDDL (MS-DTYP 2.5.1) both ways. Everything of
 * one descriptor lives in the pool it was made with. Limits: 132096 octets (what AD's nTSecurityDescriptor
 * may hold), 64 KiB and 2000 ACEs an ACL.
 */
#ifndef ADCSD_AUTH_SD_H
#define ADCSD_AUTH_SD_H

#include "auth/sid.h"
#include "base/guid.h"
#include "base/pool.h"

#define SD_WIRE_MAX 132096
#define SD_MAX_ACES 2000

enum {
	SE_OWNER_DEFAULTED = 0x0001,
	SE_GROUP_DEFAULTED = 0x0002,
	SE_DACL_PRESENT = 0x0004,
	SE_DACL_DEFAULTED = 0x0008,
	SE_SACL_PRESENT = 0x0010,
	SE_SACL_DEFAULTED = 0x0020,
	SE_DACL_AUTO_INHERIT_REQ = 0x0100,
	SE_SACL_AUTO_INHERIT_REQ = 0x0200,
	SE_DACL_AUTO_INHERITED = 0x0400,
	SE_SACL_AUTO_INHERITED = 0x0800,
	SE_DACL_PROTECTED = 0x1000,
	SE_SACL_PROTECTED = 0x2000,
	SE_RM_CONTROL_VALID = 0x4000,
	SE_SELF_RELATIVE = 0x8000,
};
enum {
	ACCESS_ALLOWED_ACE_TYPE = 0x00,
	ACCESS_DENIED_ACE_TYPE = 0x01,
	SYSTEM_AUDIT_ACE_TYPE = 0x02,
	ACCESS_ALLOWED_OBJECT_ACE_TYPE = 0x05,
	ACCESS_DENIED_OBJECT_ACE_TYPE = 0x06,
	SYSTEM_AUDIT_OBJECT_ACE_TYPE = 0x07,
	ACCESS_ALLOWED_CALLBACK_ACE_TYPE = 0x09,
	ACCESS_DENIED_CALLBACK_ACE_TYPE = 0x0a,
	ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE = 0x0b,
	ACCESS_DENIED_CALLBACK_OBJECT_ACE_TYPE = 0x0c,
	SYSTEM_AUDIT_CALLBACK_ACE_TYPE = 0x0d,
	SYSTEM_AUDIT_CALLBACK_OBJECT_ACE_TYPE = 0x0f,
	SYSTEM_MANDATORY_LABEL_ACE_TYPE = 0x11,
	SYSTEM_RESOURCE_ATTRIBUTE_ACE_TYPE = 0x12,
	SYSTEM_SCOPED_POLICY_ID_ACE_TYPE = 0x13,
};
enum {
	OBJECT_INHERIT_ACE = 0x01,
	CONTAINER_INHERIT_ACE = 0x02,
	NO_PROPAGATE_INHERIT_ACE = 0x04,
	INHERIT_ONLY_ACE = 0x08,
	INHERITED_ACE = 0x10,
	SUCCESSFUL_ACCESS_ACE_FLAG = 0x40,
	FAILED_ACCESS_ACE_FLAG = 0x80,
};
enum {
	ADS_RIGHT_DS_CREATE_CHILD = 0x1,
	ADS_RIGHT_DS_DELETE_CHILD = 0x2,
	ADS_RIGHT_ACTRL_DS_LIST = 0x4,
	ADS_RIGHT_DS_SELF = 0x8,
	ADS_RIGHT_DS_READ_PROP = 0x10,
	ADS_RIGHT_DS_WRITE_PROP = 0x20,
	ADS_RIGHT_DS_DELETE_TREE = 0x40,
	ADS_RIGHT_DS_LIST_OBJECT = 0x80,
	ADS_RIGHT_DS_CONTROL_ACCESS = 0x100,
	RIGHT_DELETE = 0x10000,
	RIGHT_READ_CONTROL = 0x20000,
	RIGHT_WRITE_DAC = 0x40000,
	RIGHT_WRITE_OWNER = 0x80000,
};

#define GENERIC_ALL 0x10000000u
#define GENERIC_EXECUTE 0x20000000u
#define GENERIC_WRITE 0x40000000u
#define GENERIC_READ 0x80000000u

struct ace {
	uint8_t type, flags;
	uint32_t mask;
	bool has_object_type, has_inherited_type;
	struct guid object_type, inherited_type;
	struct sid sid;
	struct bytes extra; /* application data of callback ACEs, padding included; the body of types not
			     * listed above (then mask is 0 and sid empty) */
};

struct acl {
	uint8_t revision; /* 2, or 4 with object ACEs */
	struct ace *aces;
	size_t n;
};

struct sd {
	uint16_t control;
	uint8_t rm_control; /* Sbz1; a meaning only with SE_RM_CONTROL_VALID */
	bool has_owner, has_group;
	struct sid owner, group;
	struct acl *dacl, *sacl; /* NULL when absent. DACL_PRESENT with dacl NULL is a null DACL: everyone */
};

/* Domain-relative SDDL aliases (DA, DU, ...) need the domain SID; EA, SA, RO the forest root's. */
struct sddl_domain {
	struct sid domain, root;
};

/* Parts in any order; offsets, sizes and counts are checked. Octets behind the SID of an ACE without
 * application data mean nothing (MS-DTYP 2.4.4.1) and are dropped. */
int
sd_from_wire(struct sd *out, struct pool *pool, struct bytes in, struct err *e) MUST_CHECK;
/* How many octets of `in`, from its start, are the descriptor: where its last part ends. */
int
sd_wire_len(struct bytes in, size_t *len, struct err *e) MUST_CHECK;
/* Appends the layout of MS-DTYP 2.5.1.4 (header, SACL, DACL, owner, group), whatever the original's was. */
int
sd_to_wire(const struct sd *sd, struct buf *out, struct err *e) MUST_CHECK;
/*
 * Errors name the place in the text: "at 17: unknown SID alias XX". Parts in any order, each once; blanks
 * between parts and ACEs are skipped; letters in either case. Audit ACEs (AU, OU) in the DACL are dropped, in
 * the SACL kept. Ours: application data of callback ACEs is an octet string ("#01020304") in the seventh
 * field; conditions and resource attributes in text are refused. ACE types without a code are written as
 * numbers ("0x0c").
 */
int
sd_from_sddl(struct sd *out, struct pool *pool, const char *sddl, const struct sddl_domain *dom,
    struct err *e) MUST_CHECK;
/* Aliases are used where one exists when dom is given; dom NULL prints well-known aliases only. */
int
sd_to_sddl(const struct sd *sd, struct buf *out, const struct sddl_domain *dom, struct err *e) MUST_CHECK;
/* "(OA;;CR;0e10c968-...;;DU)" for explanations. */
int
sd_ace_to_sddl(
    const struct ace *ace, struct buf *out, const struct sddl_domain *dom, struct err *e) MUST_CHECK;
/* A SID or an alias, alone. */
int
sddl_sid_from_text(
    struct sid *out, const char *text, const struct sddl_domain *dom, struct err *e) MUST_CHECK;

#endif
