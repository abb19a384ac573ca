/*
 * The CA's settings under their AD CS registry names, from an INI file. One table row per setting drives
 * parsing, the default and the documentation.
 */
#ifndef ADCSD_SETTINGS_SETTINGS_H
#define ADCSD_SETTINGS_SETTINGS_H

#include <jansson.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/pool.h"
#include "x509/ext.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_NUMBER, /* decimal or 0x... */
	SETTING_FLAGS,  /* a number, or names: "+NAME -NAME" change the default, "NAME|NAME" replaces it */
	SETTING_BOOL,   /* 0 or 1 */
	SETTING_LIST,   /* one value per line (continuation lines are indented), or comma-separated */
	SETTING_CHOICE, /* one of a list of words */
	SETTING_SDDL,
};

struct setting_bit {
	uint32_t mask;
	const char *name;
};

struct setting {
	const char *section, *name;
	enum setting_type type;
	size_t offset;        /* in struct ca_settings */
	const char *fallback; /* default as it would stand in the file; list values separated by LF */
	const char *help;
	const struct setting_bit *bits; /* SETTING_FLAGS; ends with mask 0 */
	const char *const *choices;     /* SETTING_CHOICE; ends with NULL */
	uint32_t lowest, highest;       /* SETTING_NUMBER; highest 0: no bound */
	bool fixed;                     /* read when the server starts: cannot be changed while it runs */
};
extern const struct setting ca_setting_rows[];
extern const size_t ca_setting_count;

struct ca_settings {
	struct pool *pool; /* texts and lists live here */
	/* [CA] */
	const char *common_name, *server_name;
	const char *key_type, *key_file, *cert_file, *hash;
	const char *renewal_period;
	uint32_t renewal_units, renewal_key_length;
	const char *validity_period;
	uint32_t validity_units, clock_skew_minutes;
	const char *high_serial;
	const char *crl_period, *crl_delta_period, *crl_overlap_period, *crl_delta_overlap_period;
	const char *xchg_period, *xchg_overlap_period;
	uint32_t xchg_units, xchg_overlap_units;
	uint32_t crl_max_partitions, crl_suspended_partitions, crl_current_partition;
	uint32_t crl_units, crl_delta_units, crl_overlap_units, crl_delta_overlap_units;
	uint32_t interface_flags, db_flags, crl_flags;
	uint32_t enforce_name_lengths, ca_version, root_cross_property;
	struct x509_strings subject_template, crl_urls, aia_urls;
	const char *security, *officer_rights, *agent_rights; /* the last two may be "": no restriction */
	uint32_t role_separation, audit_filter;
	struct x509_strings published_templates;
	uint32_t load_default_templates;
	/* as in a CAPolicy.inf: of the CA's own certificate */
	uint32_t path_length; /* 0xffffffff: none */
	struct x509_strings nc_permitted, nc_excluded, ca_policies, ca_cdp_urls, ca_aia_urls;
	/* [EncryptionCSP] */
	const char *encryption_algorithm;
	uint32_t encryption_key_size;
	/* [policy] */
	uint32_t edit_flags, request_disposition;
	struct x509_strings enable_request_extensions, disable_extensions;
	uint32_t upn_fallback, esc15, issuance_policy_required, critical_san, signers_in_ntauth;
	/* [exit] */
	uint32_t publish_cert_flags;
	/* [local groups] */
	struct x509_strings administrators, users, dcom_access;
	/* [dcom] */
	uint32_t dcom_integrity;
	const char *dcom_launch, *dcom_calls;
	/* [privileges] */
	struct x509_strings security_privilege, backup_privilege;
	/* [kerberos] */
	const char *keytab; /* "": none */
	uint32_t kdc;
	/* [journal] */
	uint32_t journal_megabytes;
};

/* path NULL: every default. Messages are "file:line: ...". */
int
ca_settings_load(struct ca_settings *out, const char *path, struct err *e) MUST_CHECK;
void
ca_settings_fini(struct ca_settings *s);
/* Applies one "name = value" as the file would; for tests and setreg-like changes. */
int
ca_settings_set(struct ca_settings *s, const char *section, const char *name, const char *value,
    struct err *e) MUST_CHECK;
/* "CA\\EditFlags" as certutil writes it, or the name alone; sections also by their registry node
 * ("PolicyModules\\CertificateAuthority_MicrosoftDefault.Policy\\EditFlags"). */
int
ca_settings_find(const char *path, const struct setting **out, struct err *e) MUST_CHECK;
/* The value as the file would state it: lists one a line. */
int
ca_settings_text(
    const struct ca_settings *s, const struct setting *row, struct buf *out, struct err *e) MUST_CHECK;
/* A copy with texts of its own, to be changed. */
int
ca_settings_clone(struct ca_settings *out, const struct ca_settings *from, struct err *e) MUST_CHECK;
/* As certutil -setreg: what ca_settings_set() takes, and for lists "+VALUE" and "-VALUE", one a line, which
 * change the list there is. The whole is checked; on failure s may be half changed. */
int
ca_settings_change(
    struct ca_settings *s, const struct setting *row, const char *value, struct err *e) MUST_CHECK;
/* Reads and checks a settings file without a state folder: "file:line: message, did you mean ...?" */
int
ca_settings_check(const char *path, struct err *e) MUST_CHECK;

/* Every setting with its default and a line about it, as a commented INI file. */
void
ca_settings_document(struct buf *out);

/* A value as ca.show tells it: flags as "0x..", numbers, texts, lists of texts. */
json_t *
ca_setting_value_json(const struct ca_settings *s, const struct setting *row);
/* The same with name, registry type, what it is for and its flags by name, as ca.setting.show tells it. */
json_t *
ca_setting_json(const struct ca_settings *s, const struct setting *row);
/* "CA\\EditFlags", in the pool; NULL without memory. */
const char *
ca_setting_name(const struct setting *row, struct pool *pool);

/* "Years", 2 as months, or (Weeks, Days, Hours, Minutes, Seconds) as a span; the other one is 0. */
int
ca_period(const char *unit, uint32_t n, int *months, filetime_t *span, struct err *e) MUST_CHECK;
/* When such a period from `from` on ends. */
int
ca_period_end(filetime_t from, const char *unit, uint32_t n, filetime_t *out, struct err *e) MUST_CHECK;

#endif
