#include "dir/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
file_read(const char *path, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t part[16384];
	ssize_t n;

	if (fd < 0)
		return ERR(e, hresult_from_win32(errno == ENOENT ? 2 : 5), "%s: %s", path, strerror(errno));
	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_put(out, part, (size_t)n);
	close(fd);
	explicit_bzero(part, sizeof(part));
	if (!buf_ok(out))
		return ERR(e, E_INVALID_DATA, "%s: larger than %zu octets", path, out->max);
	return n < 0 ? ERR(e, E_FAIL, "%s: %s", path, strerror(errno)) : 0;
}

int
file_write(const char *path, const struct buf *text, struct err *e)
{
	size_t done = 0;
	ssize_t n = 0;
	int fd;

	if (!buf_ok(text))
		return ERR(e, E_OUTOFMEMORY, "%s: too large", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return ERR(e, E_ACCESSDENIED, "%s: %s", path, strerror(errno));
	while (done < text->len) {
		n = write(fd, text->p + done, text->len - done);
		if (n < 0)
			break;
		done += (size_t)n;
	}
	if (n < 0)
		(void)ERR(e, errno == ENOSPC ? E_DISK_FULL : E_FAIL, "%s: %s", path, strerror(errno));
	close(fd);
	return n < 0 ? -1 : 0;
}

int
file_sync(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (rc != 0)
		rc = ERR(e, E_FAIL, "%s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

int
folder_make(const char *path, struct err *e)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return ERR(e, E_ACCESSDENIED, "%s: %s", path, strerror(errno));
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

int
folder_remove(const char *path, struct err *e)
{
	if (nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
		return ERR(e, E_ACCESSDENIED, "%s: %s", path, strerror(errno));
	return 0;
}
