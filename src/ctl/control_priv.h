/* The functions that controls.def names. The generic ones work on attr, mask and words of their row. */
#ifndef ADCSD_CTL_CONTROL_PRIV_H
#define ADCSD_CTL_CONTROL_PRIV_H

#include "ctl/control.h"

#define GF "flags"
#define EF "msPKI-Enrollment-Flag"
#define PK "msPKI-Private-Key-Flag"
#define NF "msPKI-Certificate-Name-Flag"

typedef int
control_set_fn(struct control_edit *ed, struct err *e);
typedef const char *
control_get_fn(const struct control_edit *ed);

/* generic: control_kinds.c */
control_set_fn control_set_text, control_set_period, control_set_flag, control_set_choice, control_set_words,
    control_set_count, control_set_oids, control_set_critical, control_set_bits;
control_get_fn control_get_text, control_get_period, control_get_flag, control_get_choice, control_get_words,
    control_get_count, control_get_oids, control_get_list, control_get_critical, control_get_bits;
/* one control each: control_keys.c, control_names.c */
control_set_fn control_set_compatibility, control_set_purpose, control_set_advanced_symmetric,
    control_set_key_permissions, control_set_prompt, control_set_provider_category, control_set_algorithm,
    control_set_providers, control_set_hash;
control_get_fn control_get_compatibility, control_get_purpose, control_get_advanced_symmetric,
    control_get_property, control_get_prompt, control_get_provider_category, control_get_providers;
control_set_fn control_set_publish, control_set_subject, control_set_built_choice, control_set_built_flag,
    control_set_built_words, control_set_policy_type, control_set_ra_application, control_set_superseded,
    control_set_application_policies, control_set_path_length, control_set_key_usage;
control_get_fn control_get_policy_type, control_get_ra_application, control_get_path_length,
    control_get_key_usage;

/* Changes bits of an integer attribute, an absent one counting as 0. */
int
control_set_mask(
    struct control_edit *ed, const char *attr, uint32_t mask, uint32_t value, struct err *e) MUST_CHECK;
uint32_t
control_bits(const struct control_edit *ed, const char *attr);
int
control_parse_bool(const char *s, bool *out, struct err *e) MUST_CHECK;
int
control_parse_count(const char *s, unsigned long max, uint32_t *out, struct err *e) MUST_CHECK;
/* A comma-separated list of words ("none": none) to their bits. */
int
control_parse_words(
    const struct control_word *words, const char *s, uint32_t *bits, struct err *e) MUST_CHECK;
/* OIDs, or console names of OIDs, to a comma-separated list of OIDs; "none" gives "". NULL with e. */
const char *
control_parse_oids(struct ctl *c, const char *s, struct err *e) MUST_CHECK;
/* Writes the items of a separated list as the attribute's values; drops it for "". */
int
control_store_list(
    struct control_edit *ed, const char *attr, const char *list, char separator, struct err *e) MUST_CHECK;
/* The attribute's values, separated; "none" for none. */
const char *
control_join(const struct control_edit *ed, const char *attr, const char *separator);

#endif
