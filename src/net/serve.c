#include "net/serve.h"

#include <errno.h>
#include <event2/listener.h>
#include <string.h>
#include <sys/socket.h>

int
net_listener_serve(struct evconnlistener *l, enum net_serve how, struct err *e)
{
	int fd = evconnlistener_get_fd(l);

	evconnlistener_disable(l);
	/* Linux: a listening socket that is shut down refuses, keeps its address, and may listen again. */
	if (how == NET_REFUSE)
		return shutdown(fd, SHUT_RD) == 0 || errno == ENOTCONN
		    ? 0
		    : ERR(e, E_FAIL, "shutting a listener down: %s", strerror(errno));
	if (listen(fd, SOMAXCONN) != 0)
		return ERR(e, E_FAIL, "listening again: %s", strerror(errno));
	if (how == NET_SERVE && evconnlistener_enable(l) != 0)
		return ERR(e, E_FAIL, "no event for a listener");
	return 0;
}
