/* What settings.c, which knows files and rows, asks of value.c. */
#ifndef ADCSD_SETTINGS_PRIV_H
#define ADCSD_SETTINGS_PRIV_H

#include "settings/settings.h"

#define SETTINGS_POOL_MAX (1u << 20)

/* Where the row's value stands in s. */
void *
ca_setting_member(struct ca_settings *s, const struct setting *row);
/* more: a further line of a value that began before. */
int
ca_setting_apply(
    struct ca_settings *s, const struct setting *row, const char *text, bool more, struct err *e) MUST_CHECK;
/* URL lists are one per line: a comma may stand in a URL. Other lists also take commas. */
int
ca_setting_append(struct ca_settings *s, const struct setting *row, struct x509_strings *list,
    const char *text, struct err *e) MUST_CHECK;
/* Spelling only: the aliases of a domain are resolved when the forest is known. */
int
ca_setting_check_sddl(const struct setting *row, const char *text, struct err *e) MUST_CHECK;

#endif
