#include "http/http.h"

#include <dirent.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HTTP_HEADERS_MAX 8192
#define HTTP_BODY_MAX 4096
#define HTTP_IDLE_SECONDS 30

static const char PREFIX[] = "/CertEnroll/";

static const struct {
	const char *suffix, *type;
} types[] = {
	{ ".crl", "application/pkix-crl" }, /* RFC 2585 4.2 */
	{ ".crt", "application/pkix-cert" },
};

struct http_server {
	struct evhttp *evhttp;
	int fd;
	char *folder;
	struct evhttp_bound_socket *bound;
	unsigned (*fault)(void *arg, const char *peer, const char *path);
	void *fault_arg;
};

/* A file that is open, with what its headers say. */
struct found {
	int fd;
	const char *type;
	struct stat st;
	char etag[64], modified[64];
};

static const char *
type_of(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		size_t k = strlen(types[i].suffix);

		if (n > k && name[0] != '.' && strcasecmp(name + n - k, types[i].suffix) == 0)
			return types[i].type;
	}
	return NULL;
}

/* The name as the folder spells it; what is opened comes from the folder itself, never from the peer. Case
 * does not count, as on Windows. The folder holds a handful of files. */
static int
open_file(const char *folder, const char *wanted, struct found *out)
{
	DIR *dir = opendir(folder);
	struct dirent *de;
	int fd = -1;

	if (dir == NULL)
		return -1;
	while (fd < 0 && (de = readdir(dir)) != NULL) {
		if (strcasecmp(de->d_name, wanted) == 0 && type_of(de->d_name) != NULL)
			fd = openat(dirfd(dir), de->d_name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	}
	closedir(dir);
	if (fd < 0)
		return -1;
	if (fstat(fd, &out->st) != 0 || !S_ISREG(out->st.st_mode)) {
		close(fd);
		return -1;
	}
	out->fd = fd;
	out->type = type_of(wanted);
	return 0;
}

static void
describe(struct found *f)
{
	struct tm tm;

	/* every publication is a new file: its number changes even within one second */
	snprintf(f->etag, sizeof(f->etag), "\"%llx-%llx-%llx\"", (unsigned long long)f->st.st_ino,
	    (unsigned long long)f->st.st_mtim.tv_sec * 1000000000ull +
		(unsigned long long)f->st.st_mtim.tv_nsec,
	    (unsigned long long)f->st.st_size);
	gmtime_r(&f->st.st_mtim.tv_sec, &tm);
	strftime(f->modified, sizeof(f->modified), "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* RFC 9110 13.2.2: If-None-Match wins over If-Modified-Since. */
static bool
not_modified(struct evhttp_request *req, const struct found *f)
{
	const struct evkeyvalq *in = evhttp_request_get_input_headers(req);
	const char *match = evhttp_find_header(in, "If-None-Match");
	const char *since = evhttp_find_header(in, "If-Modified-Since");
	struct tm tm = { 0 };

	if (match != NULL)
		return strcmp(match, "*") == 0 || strstr(match, f->etag) != NULL;
	return since != NULL && strptime(since, "%a, %d %b %Y %H:%M:%S GMT", &tm) != NULL &&
	    f->st.st_mtim.tv_sec <= timegm(&tm);
}

/* An error in a line of plain text. */
static void
refuse(struct evhttp_request *req, int code, const char *reason)
{
	struct evbuffer *body = evbuffer_new();

	evhttp_add_header(
	    evhttp_request_get_output_headers(req), "Content-Type", "text/plain; charset=us-ascii");
	if (body != NULL && evhttp_request_get_command(req) != EVHTTP_REQ_HEAD)
		evbuffer_add_printf(body, "%d %s\n", code, reason);
	evhttp_send_reply(req, code, reason, body);
	if (body != NULL)
		evbuffer_free(body);
}

static void
send_found(struct evhttp_request *req, struct found *f)
{
	struct evkeyvalq *out = evhttp_request_get_output_headers(req);
	bool head = evhttp_request_get_command(req) == EVHTTP_REQ_HEAD;
	struct evbuffer *body = evbuffer_new();
	char length[32];

	describe(f);
	evhttp_add_header(out, "Last-Modified", f->modified);
	evhttp_add_header(out, "ETag", f->etag);
	if (body == NULL || not_modified(req, f)) {
		close(f->fd);
		evhttp_send_reply(req, body == NULL ? 503 : 304,
		    body == NULL ? "Service Unavailable" : "Not Modified", NULL);
		goto out;
	}
	snprintf(length, sizeof(length), "%lld", (long long)f->st.st_size);
	evhttp_add_header(out, "Content-Type", f->type);
	evhttp_add_header(out, "Content-Length", length);
	if (head || f->st.st_size == 0) {
		close(f->fd);
	} else if (evbuffer_add_file(body, f->fd, 0, f->st.st_size) !=
	    0) { /* takes the descriptor when it works */
		close(f->fd);
		evhttp_remove_header(out, "Content-Length");
		refuse(req, 503, "Service Unavailable");
		goto out;
	}
	evhttp_send_reply(req, 200, "OK", body);
out:
	if (body != NULL)
		evbuffer_free(body);
}

/* The decoded path, NULL when its escapes are broken. A '+' is a plus: it names the delta CRL. */
static char *
decode_path(const struct evhttp_uri *uri)
{
	const char *path = uri != NULL ? evhttp_uri_get_path(uri) : NULL;
	size_t len = 0;
	char *decoded;

	if (path == NULL)
		return NULL;
	for (const char *p = path; *p != '\0'; p++) {
		if (*p == '%' &&
		    (strspn(p + 1, "0123456789abcdefABCDEF") < 2 || (p[1] == '0' && p[2] == '0')))
			return NULL;
	}
	decoded = evhttp_uridecode(path, 0, &len);
	if (decoded != NULL && strlen(decoded) != len) {
		free(decoded);
		return NULL;
	}
	return decoded;
}

static unsigned
ask_for_fault(const struct http_server *h, struct evhttp_request *req, const char *path)
{
	struct evhttp_connection *c = evhttp_request_get_connection(req);
	char *address = NULL, peer[80] = "";
	uint16_t port = 0;

	if (h->fault == NULL)
		return 0;
	if (c != NULL)
		evhttp_connection_get_peer(c, &address, &port);
	if (address != NULL)
		snprintf(peer, sizeof(peer), "%.60s:%u", address, port);
	return h->fault(h->fault_arg, peer, path);
}

static void
on_request(struct evhttp_request *req, void *arg)
{
	struct http_server *h = arg;
	enum evhttp_cmd_type verb = evhttp_request_get_command(req);
	char *path = decode_path(evhttp_request_get_evhttp_uri(req));
	unsigned fault = ask_for_fault(h, req, path != NULL ? path : "");
	struct found f;

	if (fault != 0) {
		refuse(req, (int)fault, "on request");
	} else if (path == NULL) {
		refuse(req, 400, "Bad Request");
	} else if (verb != EVHTTP_REQ_GET && verb != EVHTTP_REQ_HEAD) {
		evhttp_add_header(evhttp_request_get_output_headers(req), "Allow", "GET, HEAD");
		refuse(req, 405, "Method Not Allowed");
	} else if (strncasecmp(path, PREFIX, sizeof(PREFIX) - 1) != 0 ||
	    open_file(h->folder, path + sizeof(PREFIX) - 1, &f) != 0) {
		refuse(req, 404, "Not Found");
	} else {
		send_found(req, &f);
	}
	free(path);
}

struct http_server *
http_new(const struct http_config *cfg, struct err *e)
{
	struct http_server *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		close(cfg->fd);
		ERR(e, E_OUTOFMEMORY, "no memory for the HTTP front");
		return NULL;
	}
	h->fd = cfg->fd;
	h->fault = cfg->fault;
	h->fault_arg = cfg->fault_arg;
	h->folder = strdup(cfg->folder);
	h->evhttp = evhttp_new(cfg->base);
	if (h->folder == NULL || h->evhttp == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for the HTTP front");
		goto fail;
	}
	evhttp_set_max_headers_size(h->evhttp, HTTP_HEADERS_MAX);
	evhttp_set_max_body_size(h->evhttp, HTTP_BODY_MAX);
	evhttp_set_timeout(h->evhttp, HTTP_IDLE_SECONDS);
	evhttp_set_allowed_methods(h->evhttp,
	    EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE |
		EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH);
	evhttp_set_gencb(h->evhttp, on_request, h);
	h->bound = evhttp_accept_socket_with_handle(h->evhttp, h->fd);
	if (h->bound == NULL) {
		ERR(e, E_FAIL, "HTTP: %s", strerror(errno));
		goto fail;
	}
	h->fd = -1; /* evhttp's now */
	return h;
fail:
	http_free(h);
	return NULL;
}

int
http_serve(struct http_server *h, enum net_serve how, struct err *e)
{
	return net_listener_serve(evhttp_bound_socket_get_listener(h->bound), how, e);
}

void
http_free(struct http_server *h)
{
	if (h == NULL)
		return;
	if (h->evhttp != NULL)
		evhttp_free(h->evhttp);
	if (h->fd >= 0)
		close(h->fd);
	free(h->folder);
	free(h);
}
