/* The journal file: records, rotation, what survives, reading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ca/journal.h"

struct scratch {
	char dir[64];
	char path[96], old[96];
	struct clock *clock;
};

static int
setup(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	strcpy(s->dir, "/tmp/adcsd-journal-XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->path, sizeof(s->path), "%s/journal.jsonl", s->dir);
	snprintf(s->old, sizeof(s->old), "%s/journal.1.jsonl", s->dir);
	s->clock = clock_new();
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scratch *s = *state;

	unlink(s->path);
	unlink(s->old);
	rmdir(s->dir);
	clock_free(s->clock);
	free(s);
	return 0;
}

static struct journal *
must_open(const struct scratch *s, uint64_t max)
{
	struct err e = { 0 };
	struct journal *j = journal_open(s->dir, "journal", max, s->clock, &e);

	if (j == NULL)
		fail_msg("%s", e.msg);
	return j;
}

static void
write_records(struct journal *j, int n)
{
	for (int i = 0; i < n; i++) {
		struct buf *b = journal_begin(j);

		journal_put_text(b, "operation", "test");
		journal_put_number(b, "n", i);
		journal_end(j);
	}
}

/* Array of records; new reference. */
static json_t *
read_back(struct journal *j, uint64_t after, size_t limit, bool latest)
{
	struct buf b;
	struct err e = { 0 };
	json_error_t why;
	json_t *list;

	buf_init(&b, 4u << 20);
	assert_int_equal(journal_read(j, after, limit, latest, &b, &e), 0);
	list = json_loadb((const char *)b.p, b.len, 0, &why);
	if (list == NULL)
		fail_msg("not JSON: %s", why.text);
	buf_fini(&b);
	return list;
}

static json_int_t
id_at(const json_t *list, size_t i)
{
	return json_integer_value(json_object_get(json_array_get(list, i), "id"));
}

static void
test_record(void **state)
{
	struct scratch *s = *state;
	struct journal *j = must_open(s, 1u << 20);
	struct buf *b = journal_begin(j);
	struct stat st;
	json_t *list, *r;

	journal_put_text(b, "caller", "CORP\\\"x\"\n\t\x01");
	journal_put_text(b, "absent", NULL);
	journal_put_text(b, "bytes", "a\xff");
	journal_put_text(b, "utf8", "M\xc3\xbcller");
	journal_put_hresult(b, CERTSRV_E_TEMPLATE_DENIED);
	journal_put_raw(b, "rules", "[{\"step\":21}]");
	journal_end(j);
	list = read_back(j, 0, 10, false);
	assert_int_equal(json_array_size(list), 1);
	r = json_array_get(list, 0);
	assert_string_equal(json_string_value(json_object_get(r, "caller")), "CORP\\\"x\"\n\t\x01");
	assert_null(json_object_get(r, "absent"));
	assert_string_equal(json_string_value(json_object_get(r, "bytes")), "a?");
	assert_string_equal(json_string_value(json_object_get(r, "utf8")), "M\xc3\xbcller");
	assert_string_equal(json_string_value(json_object_get(r, "hr")), "0x80094012");
	assert_string_equal(json_string_value(json_object_get(r, "hrName")), "CERTSRV_E_TEMPLATE_DENIED");
	assert_int_equal(json_array_size(json_object_get(r, "rules")), 1);
	assert_non_null(json_object_get(r, "when"));
	assert_non_null(json_object_get(r, "real"));
	json_decref(list);
	journal_close(j);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
test_reading(void **state)
{
	static const struct {
		const char *name;
		uint64_t after;
		size_t limit;
		bool latest;
		size_t n;
		json_int_t first;
	} cases[] = {
		{ "from the start", 0, 3, false, 3, 1 },
		{ "after", 3, 3, false, 3, 4 },
		{ "the end", 8, 100, false, 2, 9 },
		{ "behind the end", 10, 100, false, 0, 0 },
		{ "latest", 0, 4, true, 4, 7 },
		{ "latest, more than there are", 0, 100, true, 10, 1 },
		{ "limit 0 is 1", 0, 0, false, 1, 1 },
	};
	struct scratch *s = *state;
	struct journal *j = must_open(s, 1u << 20);

	write_records(j, 10);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		json_t *list = read_back(j, cases[i].after, cases[i].limit, cases[i].latest);

		print_message("  %s\n", cases[i].name);
		assert_int_equal(json_array_size(list), cases[i].n);
		if (cases[i].n > 0)
			assert_int_equal(id_at(list, 0), cases[i].first);
		json_decref(list);
	}
	assert_int_equal(journal_last_id(j), 10);
	journal_close(j);
}

/* Two files, each below the maximum; ids run on across both. */
static void
test_rotation(void **state)
{
	enum { MAX = 4096 };
	struct scratch *s = *state;
	struct journal *j = must_open(s, MAX);
	struct stat now, old;
	json_t *list;

	for (int i = 0; i < 200; i++) {
		write_records(j, 1);
		journal_flush(j);
	}
	assert_int_equal(stat(s->path, &now), 0);
	assert_int_equal(stat(s->old, &old), 0);
	assert_true(now.st_size <= MAX && old.st_size <= MAX);
	list = read_back(j, 0, 1000, false);
	assert_true(json_array_size(list) > 20); /* more than the current file alone */
	assert_int_equal(id_at(list, json_array_size(list) - 1), 200);
	for (size_t i = 1; i < json_array_size(list); i++)
		assert_int_equal(id_at(list, i), id_at(list, i - 1) + 1);
	json_decref(list);
	list = read_back(j, 0, 5, true);
	assert_int_equal(json_array_size(list), 5);
	assert_int_equal(id_at(list, 0), 196);
	json_decref(list);
	journal_close(j);
}

static void
test_resume(void **state)
{
	struct scratch *s = *state;
	struct journal *j = must_open(s, 1u << 20);
	struct stat before, after;
	json_t *list;
	FILE *f;

	write_records(j, 3);
	journal_close(j);
	assert_int_equal(stat(s->path, &before), 0);
	f = fopen(s->path, "a");
	fputs("{\"id\":4,\"when\":\"20", f); /* killed in the middle of a record */
	fclose(f);
	j = must_open(s, 1u << 20);
	assert_int_equal(stat(s->path, &after), 0);
	assert_int_equal(after.st_size, before.st_size);
	write_records(j, 1);
	list = read_back(j, 0, 10, false);
	assert_int_equal(json_array_size(list), 4);
	assert_int_equal(id_at(list, 3), 4);
	json_decref(list);
	journal_close(j);
}

/* Buffered until flushed. */
static void
test_buffering(void **state)
{
	struct scratch *s = *state;
	struct journal *j = must_open(s, 1u << 20);
	struct stat st;

	write_records(j, 2);
	assert_int_equal(stat(s->path, &st), 0);
	assert_int_equal(st.st_size, 0);
	journal_flush(j);
	assert_int_equal(stat(s->path, &st), 0);
	assert_true(st.st_size > 0);
	journal_close(j);
}

/* One that is too long is dropped, and takes no id. */
static void
test_too_long(void **state)
{
	struct scratch *s = *state;
	struct journal *j = must_open(s, 1u << 20);
	struct buf *b = journal_begin(j);

	buf_put_zero(b, JOURNAL_RECORD_MAX);
	journal_end(j);
	write_records(j, 1);
	assert_int_equal(journal_last_id(j), 1);
	journal_close(j);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_record, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rotation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resume, setup, teardown),
		cmocka_unit_test_setup_teardown(test_buffering, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
