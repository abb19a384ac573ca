/* Certificate manager restrictions (OfficerRights). */
#ifndef ADCSD_CA_OFFICER_H
#define ADCSD_CA_OFFICER_H

#include "ca/ca_priv.h"

/*
 * May this caller, who is an officer, decide about this request? done runs once, possibly before this
 * returns: e NULL when nothing restricts it (or there is no such request), CERTSRV_E_RESTRICTEDOFFICER when
 * OfficerRights do. w must live until then.
 */
void
ca_officer_check(struct ca *ca, const struct ca_who *w, uint32_t id, ca_ready_fn *done, void *arg);

#endif
