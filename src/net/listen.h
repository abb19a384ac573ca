/* Listening TCP sockets and socket addresses. Numeric addresses only: nothing here asks a resolver. */
#ifndef ADCSD_NET_LISTEN_H
#define ADCSD_NET_LISTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

/* "255.255.255.255:65535" or "[v6]:65535" with a NUL */
#define NET_ADDRESS_MAX 64

/* "127.0.0.1:135", "0.0.0.0:0", "[::1]:0". E_INVALIDARG when it is neither form. */
int
net_address_parse(const char *text, struct sockaddr_storage *out, socklen_t *len, struct err *e) MUST_CHECK;
/* The same form; "?" for a family that is neither IPv4 nor IPv6. */
char *
net_address_text(const struct sockaddr *sa, char out[NET_ADDRESS_MAX]);
/* The address alone: "127.0.0.1", "::1"; IPv4 mapped into IPv6 as IPv4; "" for other families. */
char *
net_address_host_text(const struct sockaddr *sa, char out[NET_ADDRESS_MAX]);
/* Host order; 0 for other families. */
uint16_t
net_address_port(const struct sockaddr *sa);
/* 16 octets that are equal for the same host: IPv6, or IPv4 mapped into it. All zero for other families. */
void
net_address_host(const struct sockaddr *sa, uint8_t out[16]);

/*
 * A bound, listening, non-blocking, close-on-exec socket; port 0 takes a free one. main calls it before it
 * drops root. Fails with WSAEADDRINUSE, E_ACCESSDENIED, WSAEADDRNOTAVAIL or E_FAIL and the address in the
 * message.
 */
int
net_listen(const char *address, int *fd, struct err *e) MUST_CHECK;
/* The port a socket is bound to, 0 when it is none. */
uint16_t
net_local_port(int fd);

/* Answers leave at once: a PDU is written whole, so Nagle's delay never helps. */
void
net_set_nodelay(int fd);

/* Raises the soft limit of open files to at least n, as far as the hard limit goes. */
int
net_raise_open_files(unsigned long n, struct err *e) MUST_CHECK;

#endif
