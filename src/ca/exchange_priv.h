/* What exchange.c, which makes exchange certificates, and exchange_keys.c, which keeps them, share. */
#ifndef ADCSD_CA_EXCHANGE_PRIV_H
#define ADCSD_CA_EXCHANGE_PRIV_H

#include "ca/exchange.h"

/* Request ids of the exchange certificates in use, oldest first; Ours. */
#define CA_EXCHANGE_IN_USE "CA\\ExchangeRequests"

struct ca_exchange_waiter;

struct ca_exchange {
	struct ca_exchange_key *v[CA_EXCHANGE_MAX]; /* oldest first */
	size_t n;
	struct ca_exchange_waiter *first, **last;
	bool making;
};

/* Without key and certificate yet. */
struct ca_exchange_key *
ca_exchange_key_new(uint32_t id, struct err *e);
/* The file of its private key. In the pool; NULL without memory. */
char *
ca_exchange_key_path(const struct ca *ca, struct pool *pool, uint32_t id);
/* The newest one, unless it ends too soon or is not good any more: NULL. */
struct ca_exchange_key *
ca_exchange_current(struct ca *ca);
/* Ended ones go, with their files, and the oldest where there is no more room; then k comes. */
void
ca_exchange_take_in(struct ca *ca, struct ca_exchange_key *k);

#endif
