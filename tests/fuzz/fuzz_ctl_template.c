/*
 * The readers of template files: LDIF of a forest, JSON of two other products, UTF-8 and UTF-16. What is taken
 * must be an entry that the template model decodes or refuses with a reason.
 * Planted bug: ADCSD_PLANTED_BUG_CTL_TEMPLATE, a list of octets of any length is copied.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/template_file.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ctl c = { .control_fd = -1,
		.pool = pool_new(16u << 20),
		.domain_dn = "DC=corp,DC=contoso,DC=com",
		.config_dn = "CN=Configuration,DC=corp,DC=contoso,DC=com",
		.nb_domain = "CORP" };
	struct template_file f;
	struct policy_template t;
	struct err e = { 0 };

	if (c.pool == NULL ||
	    sid_from_text(&c.domain.domain, "S-1-5-21-1111111111-2222222222-3333333333", &e) != 0)
		abort();
	c.domain.root = c.domain.domain;
	if (template_file_parse(&c, "fuzz", (struct bytes){ data, size }, NULL, &f, &e) != 0 &&
	    e.msg[0] == '\0')
		abort();
	for (size_t i = 0; i < f.n_templates; i++) {
		if (f.templates[i].dn == NULL)
			f.templates[i].dn = "CN=Of JSON";
		if (ctl_template_decode(&c, &f.templates[i], &t, &e) != 0 && e.msg[0] == '\0')
			abort();
	}
	template_file_fini(&f);
	pool_free(c.pool);
	return 0;
}
