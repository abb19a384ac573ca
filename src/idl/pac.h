/*
 * KERB_VALIDATION_INFO (MS-PAC 2.5): what a domain controller says of an account in a ticket's PAC. Encoded
 * by type serialization version 1 (MS-RPCE 2.2.6.1), which pac_logon_info_pull() takes off.
 */
#ifndef ADCSD_IDL_PAC_H
#define ADCSD_IDL_PAC_H

#include "ndr/ndr.h"

#define PAC_GROUPS_MAX 4096 /* of each kind; Windows ends at 1015 SIDs in a token */

/* SE_GROUP_ENABLED of a membership's attributes (MS-PAC 2.2.1) */
#define SE_GROUP_ENABLED 0x00000004u
/* UserFlags: ExtraSids, ResourceGroupIds hold something (MS-PAC 2.5, D and H) */
#define LOGON_EXTRA_SIDS 0x0020u
#define LOGON_RESOURCE_GROUPS 0x0200u

/* The characters of an RPC_UNICODE_STRING (MS-DTYP 2.3.10), read to UTF-8. */
struct pac_chars {
	const char *utf8;
};
struct pac_string {
	uint16_t length, maximum; /* octets */
	struct pac_chars *chars;  /* NULL: empty */
};

/* RPC_SID (MS-DTYP 2.4.2.3) in packet form (2.4.2.2). */
struct pac_sid {
	struct bytes packet;
};

struct pac_group { /* GROUP_MEMBERSHIP */
	uint32_t rid, attributes;
};
struct pac_extra_sid { /* KERB_SID_AND_ATTRIBUTES */
	struct pac_sid *sid;
	uint32_t attributes;
};

struct pac_time {
	uint32_t low, high;
};

struct pac_logon_info {
	struct pac_time logon, logoff, kick_off, password_last_set, password_can_change, password_must_change;
	struct pac_string effective_name, full_name, logon_script, profile_path, home_directory,
	    home_directory_drive;
	uint16_t logon_count, bad_password_count;
	uint32_t user_id, primary_group_id;
	uint32_t group_count;
	struct pac_group *groups;
	uint32_t user_flags;
	uint8_t user_session_key[16];
	struct pac_string logon_server, logon_domain_name;
	struct pac_sid *logon_domain_id;
	uint32_t reserved1[2];
	uint32_t user_account_control, sub_auth_status;
	struct pac_time last_successful, last_failed;
	uint32_t failed_count, reserved3;
	uint32_t extra_count;
	struct pac_extra_sid *extra;
	struct pac_sid *resource_domain;
	uint32_t resource_count;
	struct pac_group *resource;
};

/* The serialised value: one pointer. */
struct pac_logon_info_top {
	struct pac_logon_info *info;
};
extern const struct ndr_field pac_logon_info_top[];

/* From the PAC's buffer. Lives in the pool; never NULL on success. E_INVALID_DATA when malformed. */
int
pac_logon_info_pull(
    struct bytes buffer, struct pool *pool, const struct pac_logon_info **out, struct err *e) MUST_CHECK;

#endif
