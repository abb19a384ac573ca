/* The HTTP front by hand-written requests over loopback: what is served, and everything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "http/http.h"
#include "net/listen.h"

static char dir[] = "/tmp/adcsd-http-XXXXXX";
static struct event_base *base;
static struct http_server *server;
static uint16_t port;

static void
write_file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int
set_up(void **state)
{
	struct http_config cfg = { 0 };
	struct err e = { 0 };
	char path[128];

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/CertEnroll", dir);
	mkdir(path, 0755);
	write_file("CertEnroll/Lab CA.crl", "base");
	write_file("CertEnroll/Lab CA+.crl", "delta");
	write_file("CertEnroll/Lab CA(1).crl", "second key");
	write_file("CertEnroll/ca01_Lab CA.crt", "certificate");
	write_file("CertEnroll/empty.crl", "");
	write_file("CertEnroll/notes.txt", "not for anybody");
	write_file("CertEnroll/.Lab CA.crl", "half written");
	write_file("secret.crl", "outside");
	snprintf(path, sizeof(path), "%s/CertEnroll/link.crl", dir);
	if (symlink("../secret.crl", path) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/CertEnroll/folder.crl", dir);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/CertEnroll", dir);
	base = event_base_new();
	cfg.base = base;
	cfg.folder = path;
	if (net_listen("127.0.0.1:0", &cfg.fd, &e) != 0)
		return -1;
	port = net_local_port(cfg.fd);
	server = http_new(&cfg, &e);
	return server != NULL ? 0 : -1;
}

static int
tear_down(void **state)
{
	static const char *const files[] = { "CertEnroll/Lab CA.crl", "CertEnroll/Lab CA+.crl", "CertEnroll/Lab CA(1).crl",
		"CertEnroll/ca01_Lab CA.crt", "CertEnroll/empty.crl", "CertEnroll/notes.txt", "CertEnroll/.Lab CA.crl",
		"CertEnroll/link.crl", "secret.crl" };
	static const char *const folders[] = { "CertEnroll/folder.crl", "CertEnroll", "" };
	char path[128];

	(void)state;
	http_free(server);
	event_base_free(base);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		unlink(path);
	}
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, folders[i]);
		rmdir(path);
	}
	return 0;
}

/* Sends the text and collects the answer until the server closes. */
static void
ask(const char *text, size_t n, char *out, size_t size)
{
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t have = 0;
	ssize_t got;

	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(send(fd, text, n, MSG_NOSIGNAL), n);
	for (;;) {
		got = recv(fd, out + have, size - 1 - have, MSG_DONTWAIT);
		if (got > 0)
			have += (size_t)got;
		else if (got == 0 || errno != EAGAIN)
			break;
		else
			event_base_loop(base, EVLOOP_ONCE);
	}
	out[have] = '\0';
	close(fd);
}

static void
ask_for(const char *method, const char *target, const char *header, char *out, size_t size)
{
	char text[16384];
	int n = snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: ca01\r\nConnection: close\r\n%s\r\n", method, target,
	    header);

	ask(text, (size_t)n, out, size);
}

static void
test_answers(void **state)
{
	static const struct {
		const char *method, *target;
		int code;
		const char *body; /* NULL: none */
	} cases[] = {
		{ "GET", "/CertEnroll/Lab%20CA.crl", 200, "base" },
		{ "GET", "/CertEnroll/Lab%20CA+.crl", 200, "delta" },
		{ "GET", "/CertEnroll/Lab%20CA%2B.crl", 200, "delta" },
		{ "GET", "/CertEnroll/Lab%20CA(1).crl", 200, "second key" },
		{ "GET", "/CertEnroll/ca01_Lab%20CA.crt", 200, "certificate" },
		{ "GET", "/certenroll/lab%20ca.CRL", 200, "base" },
		{ "GET", "/CertEnroll/Lab%20CA.crl?x=1", 200, "base" },
		{ "GET", "http://ca01/CertEnroll/Lab%20CA.crl", 200, "base" },
		{ "GET", "/CertEnroll/empty.crl", 200, NULL },
		{ "HEAD", "/CertEnroll/Lab%20CA.crl", 200, NULL },
		{ "HEAD", "/CertEnroll/none.crl", 404, NULL },
		{ "GET", "/", 404, "404" },
		{ "GET", "/CertEnroll", 404, "404" },
		{ "GET", "/CertEnroll/", 404, "404" },
		{ "GET", "/CertEnroll/notes.txt", 404, "404" },
		{ "GET", "/CertEnroll/.Lab%20CA.crl", 404, "404" },
		{ "GET", "/CertEnroll/link.crl", 404, "404" },
		{ "GET", "/CertEnroll/folder.crl", 404, "404" },
		{ "GET", "/CertEnroll/../secret.crl", 404, "404" },
		{ "GET", "/CertEnroll/%2e%2e%2fsecret.crl", 404, "404" },
		{ "GET", "/CertEnroll//Lab%20CA.crl", 404, "404" },
		{ "GET", "/CertEnroll/./Lab%20CA.crl", 404, "404" },
		{ "GET", "/CertEnroll/Lab%2520CA.crl", 404, "404" },
		{ "GET", "/secret.crl", 404, "404" },
		{ "GET", "/CertEnroll/Lab%20CA.crl%00.txt", 400, "400" },
		{ "GET", "/CertEnroll/%", 400, "400" },
		{ "GET", "/CertEnroll/%4", 400, "400" },
		{ "GET", "/CertEnroll/%zz", 400, "400" },
		{ "POST", "/CertEnroll/Lab%20CA.crl", 405, "405" },
		{ "PUT", "/CertEnroll/new.crl", 405, "405" },
		{ "DELETE", "/CertEnroll/Lab%20CA.crl", 405, "405" },
		{ "OPTIONS", "/CertEnroll/Lab%20CA.crl", 405, "405" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char got[4096], code[16];
		const char *body;

		print_message("  %s %s\n", cases[i].method, cases[i].target);
		ask_for(cases[i].method, cases[i].target, "", got, sizeof(got));
		snprintf(code, sizeof(code), "HTTP/1.1 %d ", cases[i].code);
		assert_int_equal(strncmp(got, code, strlen(code)), 0);
		body = strstr(got, "\r\n\r\n");
		assert_non_null(body);
		body += 4;
		if (cases[i].body == NULL)
			assert_string_equal(body, "");
		else if (cases[i].code == 200)
			assert_string_equal(body, cases[i].body);
		else
			assert_int_equal(strncmp(body, cases[i].body, 3), 0);
	}
}

static void
header(const char *answer, const char *name, char *out, size_t size)
{
	const char *at = strstr(answer, name);

	assert_non_null(at);
	snprintf(out, size, "%.*s", (int)strcspn(at, "\r"), at);
}

static void
test_headers(void **state)
{
	char got[4096], etag[128], modified[128], ask_again[512];

	(void)state;
	ask_for("HEAD", "/CertEnroll/Lab%20CA.crl", "", got, sizeof(got));
	assert_non_null(strstr(got, "Content-Type: application/pkix-crl\r\n"));
	assert_non_null(strstr(got, "Content-Length: 4\r\n"));
	header(got, "ETag: ", etag, sizeof(etag));
	header(got, "Last-Modified: ", modified, sizeof(modified));
	snprintf(ask_again, sizeof(ask_again), "If-None-Match: %s\r\n", etag + 6);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", ask_again, got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 304 ", 13), 0);
	snprintf(ask_again, sizeof(ask_again), "If-Modified-Since: %s\r\n", modified + 15);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", ask_again, got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 304 ", 13), 0);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", "If-None-Match: \"other\"\r\n", got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", "If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT\r\n", got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", "If-Modified-Since: yesterday\r\n", got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 200 ", 13), 0);
	ask_for("GET", "/CertEnroll/ca01_Lab%20CA.crt", "", got, sizeof(got));
	assert_non_null(strstr(got, "Content-Type: application/pkix-cert\r\n"));
}

/* Not HTTP, too long, cut short: an answer or a closed connection, and the next client is served. */
static void
test_garbage(void **state)
{
	static const char *const texts[] = { "hello\r\n\r\n", "GET\r\n\r\n", "GET /CertEnroll/x HTTP/9.9\r\n\r\n",
		"BREW /CertEnroll/Lab%20CA.crl HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" };
	char got[4096], *lots = malloc(20000);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		ask(texts[i], strlen(texts[i]), got, sizeof(got));
		assert_true(got[0] == '\0' || strncmp(got, "HTTP/1.1 4", 10) == 0 || strncmp(got, "HTTP/1.1 5", 10) == 0);
	}
	memset(lots, 'a', 20000);
	memcpy(lots, "GET /", 5);
	ask(lots, 20000, got, sizeof(got));
	assert_true(got[0] == '\0' || strncmp(got, "HTTP/1.1 4", 10) == 0);
	free(lots);
	ask_for("GET", "/CertEnroll/Lab%20CA.crl", "", got, sizeof(got));
	assert_int_equal(strncmp(got, "HTTP/1.1 200 ", 13), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_headers),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
