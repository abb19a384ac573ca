/* A template's attributes under the directory's own names (templates.md section 4). */
#ifndef ADCSD_CTL_TEMPLATE_ATTRIBUTES_H
#define ADCSD_CTL_TEMPLATE_ATTRIBUTES_H

#include "ctl/template.h"

/*
 * Text: the value, then in brackets the option of template set that changes it, or why there is none. In the
 * pool.
 */
typedef void
ctl_attribute_fn(void *arg, const char *name, const char *text);
void
ctl_template_attributes(struct ctl *c, const struct ctl_entry *en, ctl_attribute_fn *fn, void *arg);

#endif
