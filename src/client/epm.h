/* Where does a server offer an interface? Asks its endpoint mapper (C706 appendix O). */
#ifndef ADCSD_CLIENT_EPM_H
#define ADCSD_CLIENT_EPM_H

#include "client/link.h"

/* ept_map over an anonymous connection. E_RPC ... EPT_S_NOT_REGISTERED as 0x800706D9 when it is not offered
 * over ncacn_ip_tcp. Blocks. */
int
client_epm_map(struct event_base *base, const char *host, uint16_t epm_port, const struct rpc_syntax *iface,
    unsigned timeout_s, uint16_t *port, struct err *e) MUST_CHECK;

#endif
