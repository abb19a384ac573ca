/* The one error type: on the caller's stack, no allocation, no thread-local, no hidden state. */
#ifndef ADCSD_BASE_ERR_H
#define ADCSD_BASE_ERR_H

#include <stdint.h>

#include "base/hresult.h"

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define ERR_MSG_MAX 160

struct err {
	uint32_t hr;           /* HRESULT a client may see; never 0 once set */
	const char *where;     /* "src/policy/rule_key_size.c:31"; static storage */
	char msg[ERR_MSG_MAX]; /* our reason, for log, journal and explanation; cut when longer */
};

#define ERR_STR2(x) #x
#define ERR_STR(x) ERR_STR2(x)

/* Fills e (which may be NULL) and yields -1, so that "return ERR(e, hr, ...)" reads well. The -1 stands here,
 * where compiler and analyser see it, and no path goes on with what a failed call did not fill. */
#define ERR(e, hresult, ...)                                                                                 \
	(__extension__({                                                                                     \
		err_set((e), (hresult), __FILE__ ":" ERR_STR(__LINE__), __VA_ARGS__);                        \
		-1;                                                                                          \
	}))

void
err_set(struct err *e, uint32_t hr, const char *where, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Puts "prefix: " before the message already in e; keeps code and place. Always -1. */
int
err_prefix(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
