/* Listeners that stop serving for a while and keep their port. */
#ifndef ADCSD_NET_SERVE_H
#define ADCSD_NET_SERVE_H

#include "base/err.h"

struct evconnlistener;

enum net_serve {
	NET_SERVE,  /* as usual */
	NET_REFUSE, /* as if nobody listened: connections are reset */
	NET_HANG,   /* the system takes connections, nobody answers them */
};

/* Connections that are accepted already stay. */
int
net_listener_serve(struct evconnlistener *l, enum net_serve how, struct err *e) MUST_CHECK;

#endif
