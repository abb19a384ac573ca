/*
 * The properties inside msPKI-RA-Application-Policies: name`type`value` triplets of schema 3 and of schema 4
 * with a key storage provider (MS-CRTD 2.23.2). Other templates hold plain OIDs there and have no properties.
 */
#ifndef ADCSD_CTL_RA_PROPERTIES_H
#define ADCSD_CTL_RA_PROPERTIES_H

#include "ctl/ldap.h"

/* Schema 3, or 4 without the legacy provider bit: Provider Category Key Storage Provider. */
bool
ra_properties_used(const struct ctl_entry *en);
/* The value of a property, in the pool; NULL when the template has none. */
const char *
ra_property_get(struct ctl *c, const struct ctl_entry *en, const char *name);
/* value NULL removes it. Properties are kept in alphabetical order, as the console writes them. */
int
ra_property_set(struct ctl *c, struct ctl_entry *en, const char *name, const char *type, const char *value,
    struct err *e) MUST_CHECK;
/* What the console writes for a new Key Storage Provider template; properties that are there stay. */
int
ra_properties_default(struct ctl *c, struct ctl_entry *en, struct err *e) MUST_CHECK;
/* Signer application policies in whichever syntax the template has; a list of OIDs separated by commas, ""
 * for none. */
const char *
ra_application_policies_get(struct ctl *c, const struct ctl_entry *en);
int
ra_application_policies_set(struct ctl *c, struct ctl_entry *en, const char *oids, struct err *e) MUST_CHECK;

#endif
