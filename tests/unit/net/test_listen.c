/* Addresses and listening sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <unistd.h>

#include "net/listen.h"

static void
test_addresses(void **state)
{
	static const struct {
		const char *text;
		int family; /* 0: refused */
		uint16_t port;
	} rows[] = {
		{ "127.0.0.1:135", AF_INET, 135 },
		{ "0.0.0.0:0", AF_INET, 0 },
		{ "255.255.255.255:65535", AF_INET, 65535 },
		{ "[::1]:49152", AF_INET6, 49152 },
		{ "[::]:0", AF_INET6, 0 },
		{ "[fe80::1234:5678:9abc:def0]:80", AF_INET6, 80 },
		{ "", 0, 0 },
		{ ":", 0, 0 },
		{ ":135", 0, 0 },
		{ "127.0.0.1", 0, 0 },
		{ "127.0.0.1:", 0, 0 },
		{ "127.0.0.1:65536", 0, 0 },
		{ "127.0.0.1:-1", 0, 0 },
		{ "127.0.0.1:+1", 0, 0 },
		{ "127.0.0.1: 1", 0, 0 },
		{ "127.0.0.1:1 ", 0, 0 },
		{ "127.0.0.1:000135", 0, 0 },
		{ "127.0.0.1:0x87", 0, 0 },
		{ "127.1:135", 0, 0 },
		{ "127.0.0.256:135", 0, 0 },
		{ "localhost:135", 0, 0 }, /* no names */
		{ "::1:135", 0, 0 },
		{ "[]:135", 0, 0 },
		{ "[::1:135", 0, 0 },
		{ "[::1]135", 0, 0 },
		{ "[127.0.0.1]:135", 0, 0 },
		{ "[::1%lo]:135", 0, 0 },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:1", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage sa;
		struct err e = { 0 };
		char text[NET_ADDRESS_MAX];
		socklen_t len = 0;
		int ret = net_address_parse(rows[i].text, &sa, &len, &e);

		if ((ret == 0) != (rows[i].family != 0))
			fail_msg("\"%s\": %d %s", rows[i].text, ret, e.msg);
		if (ret != 0) {
			assert_int_equal(e.hr, E_INVALIDARG);
			continue;
		}
		assert_int_equal(sa.ss_family, rows[i].family);
		assert_int_equal(net_address_port((struct sockaddr *)&sa), rows[i].port);
		assert_string_equal(net_address_text((struct sockaddr *)&sa, text), rows[i].text);
	}
}

static void
test_other_family(void **state)
{
	struct sockaddr sa = { .sa_family = AF_UNIX };
	char text[NET_ADDRESS_MAX];

	(void)state;
	assert_string_equal(net_address_text(&sa, text), "?");
	assert_int_equal(net_address_port(&sa), 0);
}

/* The same host is equal whichever socket it came by; ports do not count. */
static void
test_hosts(void **state)
{
	static const struct {
		const char *a, *b;
		bool equal;
	} rows[] = {
		{ "127.0.0.1:1", "127.0.0.1:2", true },
		{ "127.0.0.1:1", "127.0.0.2:1", false },
		{ "127.0.0.1:1", "[::ffff:127.0.0.1]:1", true },
		{ "[::1]:1", "[::1]:9", true },
		{ "[::1]:1", "127.0.0.1:1", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sockaddr_storage a, b;
		uint8_t ha[16], hb[16];
		socklen_t len;
		struct err e;

		assert_int_equal(net_address_parse(rows[i].a, &a, &len, &e), 0);
		assert_int_equal(net_address_parse(rows[i].b, &b, &len, &e), 0);
		net_address_host((struct sockaddr *)&a, ha);
		net_address_host((struct sockaddr *)&b, hb);
		assert_int_equal(memcmp(ha, hb, 16) == 0, rows[i].equal);
	}
}

static void
test_listen(void **state)
{
	char address[32];
	struct err e = { 0 };
	int fd, again;

	(void)state;
	assert_int_equal(net_listen("127.0.0.1:0", &fd, &e), 0);
	assert_true(net_local_port(fd) > 0);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	snprintf(address, sizeof(address), "127.0.0.1:%u", net_local_port(fd));
	assert_int_equal(net_listen(address, &again, &e), -1);
	assert_int_equal(e.hr, WSAEADDRINUSE);
	assert_non_null(strstr(e.msg, address));
	assert_int_equal(again, -1);
	close(fd);
	assert_int_equal(net_local_port(fd), 0);
	assert_int_equal(net_listen(address, &again, &e), 0); /* at once: SO_REUSEADDR */
	close(again);
	assert_int_equal(net_listen("192.0.2.1:0", &fd, &e), -1);
	assert_int_equal(e.hr, WSAEADDRNOTAVAIL);
	assert_int_equal(net_listen("nonsense", &fd, &e), -1);
	assert_int_equal(e.hr, E_INVALIDARG);
}

static void
test_open_files(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(net_raise_open_files(10, &e), 0); /* less than there is: nothing to do */
	assert_int_equal(net_raise_open_files(1ul << 60, &e), -1);
	assert_non_null(strstr(e.msg, "hard limit"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_other_family),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_open_files),
	};

	return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
