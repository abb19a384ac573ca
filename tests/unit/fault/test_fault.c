/* Rules: what can be said, which calls they meet, how often, for whom and how long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fault/fault.h"

static void
test_parse(void **state)
{
	static const struct {
		const char *point, *action, *value;
		bool good;
		enum fault_place place;
		uint32_t number;
	} rows[] = {
		{ "rpc", "hresult", "0x80070005", true, FAULT_AT_RPC, 0x80070005 },
		{ "rpc", "hresult", "-2147024891", true, FAULT_AT_RPC, 0x80070005 },
		{ "rpc", "hresult", "2147942405", true, FAULT_AT_RPC, 0x80070005 },
		{ "rpc", "hresult", "E_ACCESSDENIED", true, FAULT_AT_RPC, 0x80070005 },
		{ "rpc", "hresult", "0xffffffff", true, FAULT_AT_RPC, 0xffffffff },
		{ "rpc", "hresult", "0x100000000", false, 0, 0 },
		{ "rpc", "hresult", "-2147483649", false, 0, 0 },
		{ "rpc", "hresult", "0", false, 0, 0 },
		{ "rpc", "hresult", "", false, 0, 0 },
		{ "rpc", "hresult", "-", false, 0, 0 },
		{ "rpc", "hresult", " 5", false, 0, 0 },
		{ "rpc", "hresult", "5x", false, 0, 0 },
		{ "rpc", "hresult", NULL, false, 0, 0 },
		{ "ICertPassage", "fault", "5", true, FAULT_AT_RPC, 5 },
		{ "ICertPassage", "delay", "2s", true, FAULT_AT_RPC, 2000 },
		{ "ICertPassage", "delay", "1ms", true, FAULT_AT_RPC, 1 },
		{ "ICertPassage", "delay", "3600s", true, FAULT_AT_RPC, 3600000 },
		{ "ICertPassage", "delay", "3601s", false, 0, 0 },
		{ "ICertPassage", "delay", "3600001ms", false, 0, 0 },
		{ "ICertPassage", "delay", "99999999999999999999s", false, 0, 0 },
		{ "ICertPassage", "delay", "0s", false, 0, 0 },
		{ "ICertPassage", "delay", "-1s", false, 0, 0 },
		{ "ICertPassage", "delay", "2", false, 0, 0 },
		{ "ICertPassage", "drop-call", NULL, true, FAULT_AT_RPC, 0 },
		{ "ICertPassage", "drop-call", "1", false, 0, 0 },
		{ "ICertPassage", "down", NULL, false, 0, 0 },
		{ "ICertPassage", "explode", NULL, false, 0, 0 },
		{ "http", "status", "503", true, FAULT_AT_HTTP, 503 },
		{ "http", "status", "199", false, 0, 0 },
		{ "http", "status", "600", false, 0, 0 },
		{ "http", "status", "+503", false, 0, 0 },
		{ "http", "refuse", NULL, false, 0, 0 },
		{ "port.epm", "refuse", NULL, true, FAULT_AT_PORT, 0 },
		{ "port.http", "hang", NULL, true, FAULT_AT_PORT, 0 },
		{ "port.object", "delay", "1s", false, 0, 0 },
		{ "database", "hresult", "0x80070070", true, FAULT_AT_DATABASE, 0x80070070 },
		{ "directory", "down", NULL, true, FAULT_AT_DIRECTORY, 0 },
	};
	char longest[FAULT_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault_rule r = { 0 };
		struct err e;
		int rc = fault_rule_parse(&r, rows[i].point, rows[i].action, rows[i].value, &e);

		if ((rc == 0) != rows[i].good)
			fail_msg(
			    "row %zu: %s %s", i, rows[i].action, rows[i].value != NULL ? rows[i].value : "");
		if (rc != 0)
			continue;
		assert_int_equal(r.place, rows[i].place);
		assert_int_equal(r.value, rows[i].number);
		assert_string_equal(r.point, rows[i].point);
	}
	memset(longest, 'x', FAULT_TEXT_MAX);
	longest[FAULT_TEXT_MAX] = '\0';
	assert_int_equal(fault_rule_parse(&(struct fault_rule){ 0 }, longest, "drop-call", NULL, NULL), -1);
}

static unsigned
add(struct fault_table *t, const char *point, const char *action, const char *value, const char *as,
    uint32_t skip, uint32_t times)
{
	struct fault_rule r = { .skip = skip, .times = times };

	assert_int_equal(fault_rule_parse(&r, point, action, value, NULL), 0);
	snprintf(r.account, sizeof(r.account), "%s", as);
	return fault_add(t, &r, NULL);
}

static void
test_which_calls(void **state)
{
	static const struct {
		const char *point, *interface_name, *method;
		bool met;
	} rows[] = {
		{ "rpc", "ICertPassage", "CertServerRequest", true },
		{ "ICertPassage", "ICertPassage", "CertServerRequest", true },
		{ "ICertPassage.CertServerRequest", "ICertPassage", "CertServerRequest", true },
		{ "ICertPassage.CertServerReques", "ICertPassage", "CertServerRequest", false },
		{ "ICertPass", "ICertPassage", "CertServerRequest", false },
		{ "ICertRequestD", "ICertRequestD2", "Request", true },
		{ "ICertRequestD.Request", "ICertRequestD2", "Request", true },
		{ "ICertRequestD.Request", "ICertRequestD2", "Request2", false },
		{ "ICertRequestD2", "ICertRequestD", "Request", false },
		{ "ICertRequestD", "ICertAdminD", "Request", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct fault_table t = { 0 };

		add(&t, rows[i].point, "drop-call", NULL, "", 0, 0);
		if ((fault_meet_call(&t, rows[i].interface_name, rows[i].method, "CORP\\bob") != NULL) !=
		    rows[i].met)
			fail_msg("row %zu", i);
		assert_null(fault_meet_http(&t));
	}
}

static void
test_how_often_and_for_whom(void **state)
{
	struct fault_table t = { 0 };
	unsigned mine;

	(void)state;
	mine = add(&t, "rpc", "hresult", "5", "corp\\BOB", 1, 2);
	for (int i = 0; i < 6; i++) {
		assert_null(fault_meet_call(&t, "X", "Y", NULL));
		assert_null(fault_meet_call(&t, "X", "Y", "CORP\\alice"));
		assert_int_equal(fault_meet_call(&t, "X", "Y", "CORP\\bob") != NULL, i == 1 || i == 2);
	}
	assert_int_equal(t.rules[0].seen, 6);
	assert_int_equal(t.rules[0].met, 2);
	/* the first rule that still has something to do wins */
	add(&t, "rpc", "drop-call", NULL, "", 0, 0);
	assert_int_equal(fault_meet_call(&t, "X", "Y", "CORP\\bob")->action->kind, FAULT_DROP_CALL);
	assert_int_equal(fault_remove(&t, mine), 1);
	assert_int_equal(fault_remove(&t, mine), 0);
	assert_int_equal(fault_remove(&t, 0), 1);
	assert_null(fault_meet_call(&t, "X", "Y", "CORP\\bob"));
}

static void
test_states_and_time(void **state)
{
	struct fault_table t = { 0 };
	uint64_t next;

	(void)state;
	add(&t, "port.epm", "refuse", NULL, "", 0, 0);
	add(&t, "database", "hresult", "5", "", 0, 0);
	add(&t, "http", "status", "503", "", 0, 0);
	t.rules[0].until_us = 1000;
	t.rules[1].until_us = 500;
	assert_non_null(fault_find_state(&t, "port.epm"));
	assert_null(fault_find_state(&t, "port.object"));
	assert_null(fault_find_state(&t, "http"));
	assert_int_equal(fault_meet_http(&t)->value, 503);
	assert_int_equal(fault_expire(&t, 499, &next), 0);
	assert_int_equal(next, 500);
	assert_int_equal(fault_expire(&t, 500, &next), 1);
	assert_int_equal(next, 1000);
	assert_null(fault_find_state(&t, "database"));
	assert_int_equal(fault_expire(&t, 2000, &next), 1);
	assert_int_equal(next, 0);
	assert_int_equal(t.n, 1);
}

static void
test_full(void **state)
{
	struct fault_table t = { 0 };
	struct fault_rule r = { 0 };
	struct err e;

	(void)state;
	for (unsigned i = 1; i <= FAULT_RULES_MAX; i++)
		assert_int_equal(add(&t, "rpc", "drop-call", NULL, "", 0, 0), i);
	assert_int_equal(fault_rule_parse(&r, "rpc", "drop-call", NULL, &e), 0);
	assert_int_equal(fault_add(&t, &r, &e), 0);
	assert_int_equal(fault_remove(&t, 7), 1);
	assert_int_equal(fault_add(&t, &r, &e), FAULT_RULES_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_which_calls),
		cmocka_unit_test(test_how_often_and_for_whom),
		cmocka_unit_test(test_states_and_time),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
