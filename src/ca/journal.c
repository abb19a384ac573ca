#include "ca/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define FLUSH_AT 65536
#define READ_BLOCK 65536

struct journal {
	const struct clock *clock;
	char *path, *old_path;
	int fd;
	uint64_t size, max;
	uint64_t next_id;
	struct buf pending; /* whole records, not yet written */
	struct buf record;  /* the one being built */
	bool write_failed;  /* said once */
};

/* ---- writing JSON ---- */

static void
put_escaped(struct buf *b, unsigned char c)
{
	switch (c) {
	case '"':
		buf_put_str(b, "\\\"");
		break;
	case '\\':
		buf_put_str(b, "\\\\");
		break;
	case '\n':
		buf_put_str(b, "\\n");
		break;
	case '\r':
		buf_put_str(b, "\\r");
		break;
	case '\t':
		buf_put_str(b, "\\t");
		break;
	default:
		buf_printf(b, "\\u%04x", c);
	}
}

/* Nearly every text is: it needs no second look. */
static bool
is_plain(const char *s, size_t n)
{
	bool plain = true;

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		plain &= c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
	}
	return plain;
}

void
json_put_string(struct buf *b, const char *s)
{
	size_t n = strlen(s), start = 0;
	bool plain = is_plain(s, n), utf8 = plain || text_is_utf8(s, n);

	buf_put_u8(b, '"');
	if (plain) {
		buf_put(b, s, n);
		buf_put_u8(b, '"');
		return;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];
		bool bad = c >= 0x80 && !utf8;

		if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f && !bad)
			continue;
		buf_put(b, s + start, i - start);
		start = i + 1;
		if (bad)
			buf_put_u8(b, '?');
		else
			put_escaped(b, c);
	}
	buf_put(b, s + start, n - start);
	buf_put_u8(b, '"');
}

void
journal_put_text(struct buf *b, const char *name, const char *value)
{
	if (value == NULL)
		return;
	buf_put_str(b, ",\"");
	buf_put_str(b, name);
	buf_put_str(b, "\":");
	json_put_string(b, value);
}

void
journal_put_number(struct buf *b, const char *name, int64_t value)
{
	buf_printf(b, ",\"%s\":%lld", name, (long long)value);
}

void
journal_put_hresult(struct buf *b, uint32_t hr)
{
	buf_printf(b, ",\"hr\":\"0x%08x\"", hr);
	if (hr != 0)
		journal_put_text(b, "hrName", hresult_name(hr));
}

void
journal_put_raw(struct buf *b, const char *name, const char *json)
{
	if (json != NULL)
		buf_printf(b, ",\"%s\":%s", name, json);
}

struct buf *
journal_begin(struct journal *j)
{
	char when[FILETIME_TEXT_MAX], real[FILETIME_TEXT_MAX];

	buf_reset(&j->record);
	buf_printf(&j->record, "{\"id\":%llu,\"when\":\"%s\",\"real\":\"%s\"", (unsigned long long)j->next_id,
	    filetime_to_text(clock_now(j->clock), when), filetime_to_text(clock_real(), real));
	return &j->record;
}

void
journal_end(struct journal *j)
{
	buf_put_str(&j->record, "}\n");
	if (!buf_ok(&j->record)) {
		log_error(ca, "journal record %llu is longer than %d octets, dropped",
		    (unsigned long long)j->next_id, JOURNAL_RECORD_MAX);
		return;
	}
	j->next_id++;
	buf_put_bytes(&j->pending, buf_bytes(&j->record));
	if (j->pending.len >= FLUSH_AT || !buf_ok(&j->pending))
		journal_flush(j);
}

/* ---- file ---- */

static int
open_file(struct journal *j, struct err *e)
{
	struct stat st;

	j->fd = open(j->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0 || fstat(j->fd, &st) != 0)
		return ERR(e, E_FAIL, "%s: %s", j->path, strerror(errno));
	j->size = (uint64_t)st.st_size;
	return 0;
}

static void
rotate(struct journal *j)
{
	struct err e = { 0 };

	if (rename(j->path, j->old_path) != 0) {
		log_error(ca, "cannot rotate the journal: %s", strerror(errno));
		return;
	}
	close(j->fd);
	if (open_file(j, &e) != 0)
		log_error(ca, "journal: %s", e.msg);
}

void
journal_flush(struct journal *j)
{
	size_t done = 0;

	if (j->pending.len == 0)
		return;
	if (j->size > 0 && j->pending.len > j->max - (j->size < j->max ? j->size : j->max))
		rotate(j);
	while (done < j->pending.len) {
		ssize_t n = write(j->fd, j->pending.p + done, j->pending.len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	j->size += done;
	if (done < j->pending.len && !j->write_failed)
		log_error(ca, "cannot write the journal: %s; records are lost", strerror(errno));
	j->write_failed = done < j->pending.len;
	buf_reset(&j->pending);
}

/* Walks the lines of a file; stops when each_line says so (nonzero). *good: octets up to the last line end.
 */
typedef int
line_fn(void *arg, struct bytes line);

static int
for_lines(const char *path, line_fn *each_line, void *arg, uint64_t *good, struct err *e)
{
	struct buf b;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0, stop = 0;
	uint64_t offset = 0; /* of the buffer in the file */

	*good = 0;
	if (fd < 0)
		return errno == ENOENT ? 0 : ERR(e, E_FAIL, "%s: %s", path, strerror(errno));
	buf_init(&b, JOURNAL_RECORD_MAX + READ_BLOCK);
	while (rc == 0 && stop == 0) {
		uint8_t *room = buf_extend(&b, READ_BLOCK), *nl;
		size_t start = 0;
		ssize_t n = room != NULL ? read(fd, room, READ_BLOCK) : -1;

		if (room == NULL) { /* no line end for too long: not ours, go on behind it */
			offset += b.len;
			buf_reset(&b);
			continue;
		}
		b.len -= READ_BLOCK - (n > 0 ? (size_t)n : 0);
		if (n < 0)
			rc = ERR(e, E_FAIL, "%s: %s", path, strerror(errno));
		if (n <= 0)
			break;
		while (stop == 0 && (nl = memchr(b.p + start, '\n', b.len - start)) != NULL) {
			size_t len = (size_t)(nl - b.p) - start;

			stop = each_line(arg, (struct bytes){ b.p + start, len });
			start += len + 1;
			*good = offset + start;
		}
		offset += start;
		buf_consume(&b, start);
	}
	buf_fini(&b);
	close(fd);
	return rc;
}

/* {"id":17,... Every record begins so; 0 for anything else. */
static uint64_t
record_id(struct bytes line)
{
	static const char head[] = "{\"id\":";
	uint64_t id = 0;
	size_t i = sizeof(head) - 1;

	if (line.len <= i || memcmp(line.p, head, i) != 0)
		return 0;
	for (; i < line.len && line.p[i] >= '0' && line.p[i] <= '9' && id < UINT64_MAX / 16; i++)
		id = 10 * id + (line.p[i] - '0');
	return i < line.len && line.p[i] == ',' ? id : 0;
}

static int
note_last(void *arg, struct bytes line)
{
	uint64_t *last = arg, id = record_id(line);

	if (id > *last)
		*last = id;
	return 0;
}

/* Ids go on where the files end; a line that a crash left half written is cut off. */
static int
resume(struct journal *j, struct err *e)
{
	uint64_t last = 0, good;

	if (for_lines(j->old_path, note_last, &last, &good, e) != 0 ||
	    for_lines(j->path, note_last, &last, &good, e) != 0)
		return -1;
	if (open_file(j, e) != 0)
		return -1;
	if (good < j->size) {
		if (ftruncate(j->fd, (off_t)good) != 0)
			return ERR(e, E_FAIL, "%s: %s", j->path, strerror(errno));
		j->size = good;
	}
	j->next_id = last + 1;
	return 0;
}

struct journal *
journal_open(
    const char *state_dir, const char *name, uint64_t max_octets, const struct clock *clock, struct err *e)
{
	struct journal *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the journal");
		return NULL;
	}
	j->fd = -1;
	j->clock = clock;
	j->max = max_octets;
	buf_init(&j->record, JOURNAL_RECORD_MAX);
	buf_init(&j->pending, 2 * JOURNAL_RECORD_MAX);
	if (asprintf(&j->path, "%s/%s.jsonl", state_dir, name) < 0 ||
	    asprintf(&j->old_path, "%s/%s.1.jsonl", state_dir, name) < 0)
		ERR(e, E_OUTOFMEMORY, "no memory for the journal");
	else if (resume(j, e) == 0)
		return j;
	journal_close(j);
	return NULL;
}

void
journal_close(struct journal *j)
{
	if (j == NULL)
		return;
	if (j->fd >= 0) {
		journal_flush(j);
		close(j->fd);
	}
	buf_fini(&j->record);
	buf_fini(&j->pending);
	free(j->path);
	free(j->old_path);
	free(j);
}

/* ---- reading ---- */

struct selection {
	uint64_t after;
	size_t limit, n;
	struct buf *out;
};

static int
select_line(void *arg, struct bytes line)
{
	struct selection *s = arg;

	if (record_id(line) <= s->after)
		return 0;
	if (s->n > 0 &&
	    line.len >
		JOURNAL_ANSWER_MAX - (s->out->len < JOURNAL_ANSWER_MAX ? s->out->len : JOURNAL_ANSWER_MAX))
		return 1;
	buf_put_str(s->out, s->n == 0 ? "" : ",\n");
	buf_put_bytes(s->out, line);
	return ++s->n >= s->limit || !buf_ok(s->out);
}

int
journal_read(struct journal *j, uint64_t after, size_t limit, bool latest, struct buf *out, struct err *e)
{
	struct selection s = { after,
		limit < 1                      ? 1
		    : limit > JOURNAL_READ_MAX ? JOURNAL_READ_MAX
					       : limit,
		0, out };
	uint64_t good;

	journal_flush(j);
	if (latest)
		s.after = j->next_id > s.limit ? j->next_id - 1 - s.limit : 0;
	buf_put_str(out, "[");
	if (s.after >= j->next_id - 1)
		s.limit = 0; /* nothing newer */
	if (s.limit > 0 && for_lines(j->old_path, select_line, &s, &good, e) != 0)
		return -1;
	if (s.n < s.limit && for_lines(j->path, select_line, &s, &good, e) != 0)
		return -1;
	buf_put_str(out, "]");
	return buf_ok(out) ? 0 : ERR(e, E_OUTOFMEMORY, "the records asked for are too long; ask for fewer");
}

uint64_t
journal_last_id(const struct journal *j)
{
	return j->next_id - 1;
}
