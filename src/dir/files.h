/* Files and folders of a state, as seeding needs them. Paths are refused when they do not fit. */
#ifndef ADCSD_DIR_FILES_H
#define ADCSD_DIR_FILES_H

#include "base/buf.h"

/* The whole file, appended. */
int
file_read(const char *path, struct buf *out, struct err *e) MUST_CHECK;
/* Replaces the file (0600). Fails when the buffer did. */
int
file_write(const char *path, const struct buf *text, struct err *e) MUST_CHECK;
/* fsync of a file or folder. */
int
file_sync(const char *path, struct err *e) MUST_CHECK;
/* A folder of our own, 0700; fine when it is there. */
int
folder_make(const char *path, struct err *e) MUST_CHECK;
/* A folder and all in it. Fine when it is not there. */
int
folder_remove(const char *path, struct err *e) MUST_CHECK;

#endif
