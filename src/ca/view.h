/*
 * The door to views of the database (MS-CSRA 3.1.4.1.9 to 3.1.4.1.14, 3.1.4.2.5): who may look, and into
 * which store. What a view is and how it is read: store/view.h. Loop's thread.
 */
#ifndef ADCSD_CA_VIEW_H
#define ADCSD_CA_VIEW_H

#include "ca/ca.h"
#include "store/view.h"

/* Administrator, Officer or Read; the authority is this CA; InterfaceFlags. A refusal is in the journal. */
int
ca_view_gate(struct ca *ca, const struct ca_caller *who, const char *operation, const char *authority,
    struct err *e) MUST_CHECK;
/* Behind the gate; in the journal either way. The view must be closed before the CA. */
struct view *
ca_view_open(
    struct ca *ca, const struct ca_caller *who, const struct view_query *q, struct err *e) MUST_CHECK;
/* Attributes and extensions of a request, in the pool. E_INVALIDARG for id 0, CERTSRV_E_PROPERTY_EMPTY for an
 * unknown one. */
int
ca_view_lists(struct ca *ca, uint32_t id, struct pool *pool, struct store_row *out, struct err *e) MUST_CHECK;

#endif
