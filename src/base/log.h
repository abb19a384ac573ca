/* The log: one line per event on standard error, "2026-11-23T20:49:00Z level area: text". Thread-safe. */
#ifndef ADCSD_BASE_LOG_H
#define ADCSD_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Trace areas of --trace=rpc,ndr,auth,policy,ldap,... */
#define LOG_AREAS(X) X(rpc) X(ndr) X(auth) X(policy) X(ldap) X(ca) X(store) X(control) X(main)
enum log_area {
#define LOG_AREA_ENUM(name) LOG_AREA_##name,
	LOG_AREAS(LOG_AREA_ENUM)
#undef LOG_AREA_ENUM
	    LOG_AREA_COUNT
};

/* Lines below `level` are dropped (default LOG_INFO), except the traced areas. */
void
log_set_level(enum log_level level);
/* Comma-separated area names, "all" for every one; fails with the unknown name. */
int
log_set_trace(const char *names, struct err *e) MUST_CHECK;
bool
log_enabled(enum log_area area, enum log_level level);
void
log_write(enum log_area area, enum log_level level, const char *fmt, ...) PRINTF_LIKE(3, 4);

#define log_debug(area, ...)                                                                                 \
	do {                                                                                                 \
		if (log_enabled(LOG_AREA_##area, LOG_DEBUG))                                                 \
			log_write(LOG_AREA_##area, LOG_DEBUG, __VA_ARGS__);                                  \
	} while (0)
#define log_info(area, ...) log_write(LOG_AREA_##area, LOG_INFO, __VA_ARGS__)
#define log_warn(area, ...) log_write(LOG_AREA_##area, LOG_WARN, __VA_ARGS__)
#define log_error(area, ...) log_write(LOG_AREA_##area, LOG_ERROR, __VA_ARGS__)

#endif
