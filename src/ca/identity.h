/* Who a CA is: its settings file, key, certificate and names, from the state folder or made at the first
 * start. */
#ifndef ADCSD_CA_IDENTITY_H
#define ADCSD_CA_IDENTITY_H

#include "ca/ca_priv.h"

/* A name in the state folder; in the CA's pool, NULL without memory. */
char *
ca_state_path(const struct ca *ca, const char *name);

/* In this order: each needs what the one before has set. */

/* The file named on the command line becomes the state's copy; without one the copy rules. */
int
ca_settings_open(struct ca *ca, const char *given, struct err *e) MUST_CHECK;
/* Of the host, from settings and forest. */
int
ca_host_names_set(struct ca *ca, struct err *e) MUST_CHECK;
/* Key and certificate, made or copied where the state folder has none; long work then. */
int
ca_key_open(struct ca *ca, struct err *e) MUST_CHECK;
/* Of the CA, from its certificate, which CommonName must not contradict. */
int
ca_names_set(struct ca *ca, struct err *e) MUST_CHECK;

#endif
