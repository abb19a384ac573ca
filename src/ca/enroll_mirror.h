/* Enroll of the CA's access list, repeated on its pKIEnrollmentService object. */
#ifndef ADCSD_CA_ENROLL_MIRROR_H
#define ADCSD_CA_ENROLL_MIRROR_H

#include "ca/ca_priv.h"

/* Replaces the Enroll ACEs of the object's list by one for each ACE that gives or denies Enroll on the CA. */
int
ca_enroll_mirror(struct sd *service, const struct sd *ca, struct pool *pool, struct err *e) MUST_CHECK;

/* Writes the object from what rules now. done runs once, possibly before this returns; trouble is logged. */
void
ca_enroll_mirror_start(struct ca *ca, ca_ready_fn *done, void *arg);

#endif
