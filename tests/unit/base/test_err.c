/* Errors and HRESULTs. */
#include "base_support.h"

static int
fails(struct err *e, int n)
{
	return ERR(e, E_INVALIDARG, "number %d", n);
}

static void
test_err(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(fails(&e, 7), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
	assert_string_equal(e.msg, "number 7");
	assert_non_null(strstr(e.where, "tests/unit/base/test_err.c:"));
	assert_int_equal(err_prefix(&e, "row %d", 3), -1);
	assert_string_equal(e.msg, "row 3: number 7");
	assert_int_equal(e.hr, E_INVALIDARG);
	assert_int_equal(fails(NULL, 7), -1);
	assert_int_equal(err_prefix(NULL, "x"), -1);
	assert_int_equal(ERR(&e, S_OK, "no code"), -1);
	assert_int_equal(e.hr, E_UNEXPECTED); /* never 0 once set */
}

static void
test_long_messages_are_cut(void **state)
{
	struct err e = { 0 };
	char text[400];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ERR(&e, E_FAIL, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	err_prefix(&e, "%s", "in front");
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_memory_equal(e.msg, "in front: xxx", 13);
	err_prefix(&e, "%s", text);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
}

static void
test_hresult(void **state)
{
	char text[HRESULT_FORMAT_MAX];

	(void)state;
	assert_string_equal(hresult_name(0x80094012), "CERTSRV_E_TEMPLATE_DENIED");
	assert_null(hresult_name(0x12345678));
	assert_string_equal(hresult_text(0x80070005), "Access is denied.");
	assert_string_equal(hresult_text(0x12345678), "");
	assert_int_equal(hresult_by_name("CERTSRV_E_TEMPLATE_DENIED"), 0x80094012);
	assert_int_equal(hresult_by_name("certsrv_e_template_denied"), 0x80094012);
	assert_int_equal(hresult_by_name("CERTSRV_E_NOTHING"), 0);
	assert_string_equal(hresult_format(0x80094012, text), "0x80094012 (-2146877422 CERTSRV_E_TEMPLATE_DENIED)");
	assert_string_equal(hresult_format(0x12345678, text), "0x12345678 (305419896)");
	assert_int_equal(hresult_from_win32(0), 0);
	assert_int_equal(hresult_from_win32(5), 0x80070005);
}

#define HRESULT_ROW(value, name, text) { (value), #name, text },
static const struct {
	uint32_t value;
	const char *name, *text;
} rows[] = {
#include "base/hresult.def"
};
#undef HRESULT_ROW

/* One row a code and a name, and every one prints in full. */
static void
test_hresult_list(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[HRESULT_FORMAT_MAX];

		assert_true(rows[i].value != 0);
		assert_true(rows[i].text[0] != '\0');
		assert_string_equal(hresult_name(rows[i].value), rows[i].name);
		assert_int_equal(hresult_by_name(rows[i].name), rows[i].value);
		assert_true(strchr(hresult_format(rows[i].value, text), ')') != NULL);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_err),
		cmocka_unit_test(test_long_messages_are_cut),
		cmocka_unit_test(test_hresult),
		cmocka_unit_test(test_hresult_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
