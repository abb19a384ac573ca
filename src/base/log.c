#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

static const char *const area_names[] = {
#define LOG_AREA_NAME(name) #name,
	LOG_AREAS(LOG_AREA_NAME)
#undef LOG_AREA_NAME
};
static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* Set once by main before threads start. */
static enum log_level least = LOG_INFO;
static bool traced[LOG_AREA_COUNT];

void
log_set_level(enum log_level level)
{
	least = level;
}

int
log_set_trace(const char *names, struct err *e)
{
	while (*names != '\0') {
		size_t n = strcspn(names, ",");
		bool all = n == 3 && strncmp(names, "all", 3) == 0, known = all;

		for (unsigned i = 0; i < LOG_AREA_COUNT; i++) {
			if (all || (strlen(area_names[i]) == n && strncmp(names, area_names[i], n) == 0))
				traced[i] = known = true;
		}
		if (!known)
			return ERR(e, E_INVALIDARG,
			    "unknown trace area '%.*s' (rpc, ndr, auth, policy, ldap, ca, store, "
			    "control, main or all)",
			    (int)(n < 40 ? n : 40), names);
		names += n + (names[n] == ',');
	}
	return 0;
}

bool
log_enabled(enum log_area area, enum log_level level)
{
	return level >= least || traced[area];
}

void
log_write(enum log_area area, enum log_level level, const char *fmt, ...)
{
	char line[4096], when[FILETIME_TEXT_MAX];
	va_list ap;
	int n;

	if (!log_enabled(area, level))
		return;
	filetime_to_text(clock_real() / FILETIME_SECOND * FILETIME_SECOND, when);
	n = snprintf(line, sizeof(line), "%s %s %s: ", when, level_names[level], area_names[area]);
	va_start(ap, fmt);
	vsnprintf(line + n, sizeof(line) - (size_t)n - 1, fmt, ap);
	va_end(ap);
	n = (int)strlen(line);
	for (int i = 0; i < n; i++) /* what a peer sent must not forge lines or drive a terminal */
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[n] = '\n';
	fwrite(line, 1, (size_t)n + 1, stderr);
}
