/* The endpoint map without RPC around it. */
#ifndef ADCSD_SVC_EPM_PRIV_H
#define ADCSD_SVC_EPM_PRIV_H

#include "idl/epm.h"
#include "svc/svc.h"

/* nca_s_fault_context_mismatch (C706 appendix E): a handle that we did not give, or have forgotten. */
#define NCA_S_FAULT_CONTEXT_MISMATCH 0x1C00001Au

/*
 * Fill *out from the map, in the pool. local: the address the client reached us at. Return 0, or the fault
 * status to send instead.
 */
uint32_t
epm_lookup_answer(struct svc_epm *m, const struct epm_lookup_in *in, const uint8_t local[4],
    struct pool *pool, struct epm_lookup_out *out);
uint32_t
epm_map_answer(struct svc_epm *m, const struct epm_map_in *in, const uint8_t local[4], struct pool *pool,
    struct epm_map_out *out);
uint32_t
epm_handle_free_answer(
    struct svc_epm *m, const struct epm_handle_free_in *in, struct epm_handle_free_out *out);

#endif
