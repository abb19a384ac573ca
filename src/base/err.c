#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
err_set(struct err *e, uint32_t hr, const char *where, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL)
		return;
	e->hr = hr != 0 ? hr : E_UNEXPECTED;
	e->where = where;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char tail[ERR_MSG_MAX];
	va_list ap;
	size_t n;

	if (e == NULL)
		return -1;
	memcpy(tail, e->msg, sizeof(tail));
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof(e->msg) - n, ": %s", tail);
	return -1;
}
