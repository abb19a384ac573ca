#include "dir/csn.h"

#include <string.h>

#define CSN_SERVER_AT 30
#define CSN_SERVER_LEN 3

static bool
well_formed(const char *csn, size_t len)
{
	return len == CSN_LEN && csn[21] == 'Z' && csn[22] == '#' && csn[29] == '#' && csn[33] == '#';
}

static const char *
of_server(const struct csn_set *s, const char *csn)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (memcmp(s->csn[i] + CSN_SERVER_AT, csn + CSN_SERVER_AT, CSN_SERVER_LEN) == 0)
			return s->csn[i];
	return NULL;
}

void
csn_set_add(struct csn_set *s, const char *csn, size_t len)
{
	char *known;

	if (!well_formed(csn, len))
		return;
	known = (char *)of_server(s, csn);
	if (known == NULL && s->n < CSN_SERVERS) {
		known = s->csn[s->n++];
		known[0] = '\0';
	}
	/* fixed widths: the order of the text is the order of time */
	if (known != NULL && strncmp(known, csn, CSN_LEN) < 0) {
		memcpy(known, csn, CSN_LEN);
		known[CSN_LEN] = '\0';
	}
}

void
csn_set_add_cookie(struct csn_set *s, const char *cookie)
{
	const char *part = cookie;
	size_t n;

	for (;;) {
		if (strncmp(part, "csn=", 4) == 0)
			break;
		part = strchr(part, ',');
		if (part == NULL)
			return;
		part++;
	}
	for (part += 4;; part += n + 1) {
		n = strcspn(part, ";,");
		csn_set_add(s, part, n);
		if (part[n] != ';')
			return;
	}
}

bool
csn_set_covers(const struct csn_set *s, const struct csn_set *wanted)
{
	const char *known;
	size_t i;

	for (i = 0; i < wanted->n; i++) {
		known = of_server(s, wanted->csn[i]);
		if (known == NULL || strcmp(known, wanted->csn[i]) < 0)
			return false;
	}
	return true;
}
