#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static bool
parse_port(const char *s, uint16_t *out)
{
	unsigned long v = 0;

	if (*s == '\0' || strlen(s) > 5)
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (unsigned long)(*s - '0');
	}
	*out = (uint16_t)v;
	return v <= UINT16_MAX;
}

int
net_address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len, struct err *e)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':'), *from = text;
	bool six = text[0] == '[';
	uint16_t port;
	size_t n;

	memset(out, 0, sizeof(*out));
	if (colon == NULL || !parse_port(colon + 1, &port))
		return ERR(e, E_INVALIDARG, "\"%s\" is not address:port", text);
	n = (size_t)(colon - text);
	if (six) {
		if (n < 2 || text[n - 1] != ']')
			return ERR(e, E_INVALIDARG, "\"%s\" is not [IPv6 address]:port", text);
		from++;
		n -= 2;
	}
	if (n >= sizeof(host))
		return ERR(e, E_INVALIDARG, "\"%s\" is not a numeric address with a port", text);
	memcpy(host, from, n);
	host[n] = '\0';
	if (six) {
		struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)out;

		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = htons(port);
		*len = sizeof(*sin6);
		if (inet_pton(AF_INET6, host, &sin6->sin6_addr) == 1)
			return 0;
	} else {
		struct sockaddr_in *sin = (struct sockaddr_in *)out;

		sin->sin_family = AF_INET;
		sin->sin_port = htons(port);
		*len = sizeof(*sin);
		if (inet_pton(AF_INET, host, &sin->sin_addr) == 1)
			return 0;
	}
	return ERR(e, E_INVALIDARG, "\"%s\" is not a numeric address with a port", text);
}

char *
net_address_text(const struct sockaddr *sa, char out[NET_ADDRESS_MAX])
{
	char host[INET6_ADDRSTRLEN];

	if (sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, host, sizeof(host));
		snprintf(out, NET_ADDRESS_MAX, "%s:%u", host, net_address_port(sa));
	} else if (sa->sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, host, sizeof(host));
		snprintf(out, NET_ADDRESS_MAX, "[%s]:%u", host, net_address_port(sa));
	} else {
		strcpy(out, "?");
	}
	return out;
}

char *
net_address_host_text(const struct sockaddr *sa, char out[NET_ADDRESS_MAX])
{
	out[0] = 0;
	if (sa->sa_family == AF_INET) {
		inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, out, NET_ADDRESS_MAX);
	} else if (sa->sa_family == AF_INET6) {
		const struct in6_addr *v6 = &((const struct sockaddr_in6 *)sa)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(v6))
			inet_ntop(AF_INET, &v6->s6_addr[12], out, NET_ADDRESS_MAX);
		else
			inet_ntop(AF_INET6, v6, out, NET_ADDRESS_MAX);
	}
	return out;
}

uint16_t
net_address_port(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)sa)->sin_port);
	if (sa->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)sa)->sin6_port);
	return 0;
}

void
net_address_host(const struct sockaddr *sa, uint8_t out[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, 16);
	if (sa->sa_family == AF_INET) {
		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + 12, &((const struct sockaddr_in *)sa)->sin_addr, 4);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)sa)->sin6_addr, 16);
	}
}

static uint32_t
hresult_from_errno(int error)
{
	switch (error) {
	case EADDRINUSE:
		return WSAEADDRINUSE;
	case EADDRNOTAVAIL:
		return WSAEADDRNOTAVAIL;
	case EACCES:
	case EPERM:
		return E_ACCESSDENIED;
	default:
		return E_FAIL;
	}
}

static int
open_socket(const struct sockaddr_storage *sa, socklen_t len, const char **what)
{
	const int one = 1;
	int s = socket(sa->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), saved;

	*what = "socket";
	if (s < 0)
		return -1;
	*what = "setsockopt";
	if (setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0)
		goto fail;
	/* [::] must not take the IPv4 port as well: an IPv4 listener of ours may stand beside it. */
	if (sa->ss_family == AF_INET6 && setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) != 0)
		goto fail;
	*what = "bind";
	if (bind(s, (const struct sockaddr *)sa, len) == 0)
		return s;
fail:
	saved = errno;
	close(s);
	errno = saved;
	return -1;
}

/* Linux: a port that the system chose is lost when its listener is shut down (net_listener_serve()), one that
 * was asked for stays. So the chosen one is asked for, while the first socket holds it. */
static int
ask_for_chosen(int first, struct sockaddr_storage *sa, socklen_t len, const char **what)
{
	socklen_t n = len;
	int s = getsockname(first, (struct sockaddr *)sa, &n) == 0 ? open_socket(sa, len, what) : -1,
	    saved = errno;

	close(first);
	errno = saved;
	return s;
}

int
net_listen(const char *address, int *fd, struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t len;
	const char *what;
	int s;

	*fd = -1;
	if (net_address_parse(address, &sa, &len, e) != 0)
		return -1;
	s = open_socket(&sa, len, &what);
	if (s >= 0 && net_address_port((struct sockaddr *)&sa) == 0)
		s = ask_for_chosen(s, &sa, len, &what);
	if (s < 0)
		return ERR(e, hresult_from_errno(errno), "%s: %s: %s", address, what, strerror(errno));
	if (listen(s, SOMAXCONN) != 0) {
		ERR(e, hresult_from_errno(errno), "%s: listen: %s", address, strerror(errno));
		close(s);
		return -1;
	}
	*fd = s;
	return 0;
}

uint16_t
net_local_port(int fd)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return 0;
	return net_address_port((struct sockaddr *)&sa);
}

void
net_set_nodelay(int fd)
{
	const int one = 1;

	/* Refused by sockets that are not TCP (a test's socket pair), which have no delay either. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int
net_raise_open_files(unsigned long n, struct err *e)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return ERR(e, E_FAIL, "getrlimit: %s", strerror(errno));
	if (lim.rlim_cur >= n)
		return 0;
	lim.rlim_cur = lim.rlim_max < n ? lim.rlim_max : n;
	if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
		return ERR(e, E_FAIL, "setrlimit: %s", strerror(errno));
	if (lim.rlim_cur < n)
		return ERR(e, E_FAIL, "%lu open files wanted, the hard limit is %lu", n,
		    (unsigned long)lim.rlim_max);
	return 0;
}
