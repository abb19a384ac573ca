/* The control socket's client: one request, one answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/remote_call.h"

#define ANSWER_MAX (64 * 1024 * 1024)

static int
connect_control(struct ctl *c, struct err *e)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	if (c->control_fd >= 0)
		return 0;
	if (c->state == NULL)
		return ERR(e, E_INVALIDARG, "which server? Give --state DIR or set ADCSD_STATE");
	if (snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control", c->state) >= (int)sizeof(sa.sun_path))
		return ERR(e, E_INVALIDARG, "%.60s/control: path too long for a socket", c->state);
	c->control_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->control_fd < 0 || connect(c->control_fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		ERR(e, E_RPC_SERVER_UNAVAILABLE, "no server answers at %.80s: %s", sa.sun_path,
		    strerror(errno));
		ctl_control_close(c);
		return -1;
	}
	return 0;
}

void
ctl_control_close(struct ctl *c)
{
	if (c->control_fd >= 0)
		close(c->control_fd);
	c->control_fd = -1;
}

/* Which of the two sides notices first is chance, so both say the same. */
static void
hung_up(struct err *e)
{
	ERR(e, E_RPC_SERVER_UNAVAILABLE,
	    "the server closed the connection (it serves root and its own user)");
}

static int
send_line(struct ctl *c, json_t *o, struct err *e)
{
	char *line = json_dumps(o, JSON_COMPACT);
	size_t n = line != NULL ? strlen(line) : 0;
	int ret = -1;

	if (line == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a request");
		return -1;
	}
	line[n] = '\n'; /* the NUL is not sent */
	for (size_t off = 0; off < n + 1;) {
		ssize_t put = send(c->control_fd, line + off, n + 1 - off, MSG_NOSIGNAL);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0) {
			hung_up(e);
			goto out;
		}
		off += (size_t)put;
	}
	ret = 0;
out:
	free(line);
	return ret;
}

static json_t *
receive_line(struct ctl *c, struct err *e)
{
	struct buf b;
	json_t *o = NULL;
	json_error_t je;

	buf_init(&b, ANSWER_MAX);
	for (;;) {
		uint8_t chunk[16384];
		ssize_t got = recv(c->control_fd, chunk, sizeof(chunk), 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			hung_up(e);
			goto out;
		}
		buf_put(&b, chunk, (size_t)got);
		if (!buf_ok(&b)) {
			ERR(e, E_OUTOFMEMORY, "answer longer than %d octets", ANSWER_MAX);
			goto out;
		}
		if (chunk[got - 1] == '\n')
			break;
	}
	o = json_loadb((char *)b.p, b.len, 0, &je);
	if (o == NULL)
		ERR(e, E_UNEXPECTED, "unreadable answer: %.80s", je.text);
out:
	buf_fini(&b);
	return o;
}

json_t *
ctl_call(struct ctl *c, const char *verb, json_t *args, struct err *e)
{
	json_t *o, *answer = NULL, *result = NULL, *error;

	if (c->remote != NULL)
		return ctl_remote_call(c, verb, args, e);
	o = json_pack("{s:s, s:o}", "verb", verb, "args", args != NULL ? args : json_object());
	if (o == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for a request");
		return NULL;
	}
	if (connect_control(c, e) == 0 && send_line(c, o, e) == 0)
		answer = receive_line(c, e);
	json_decref(o);
	if (answer == NULL)
		return NULL;
	if (json_is_true(json_object_get(answer, "ok"))) {
		result = json_incref(json_object_get(answer, "result"));
	} else {
		const char *hr, *msg;

		error = json_object_get(answer, "error");
		hr = json_string_value(json_object_get(error, "hr"));
		msg = json_string_value(json_object_get(error, "message"));
		ERR(e, hr != NULL ? (uint32_t)strtoul(hr, NULL, 16) : E_UNEXPECTED, "%s",
		    msg != NULL ? msg : "refused");
	}
	json_decref(answer);
	return result;
}
