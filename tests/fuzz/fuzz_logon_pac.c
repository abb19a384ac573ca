/*
 * KERB_VALIDATION_INFO as the service's key could have signed it: what reads must become a token with the user first.
 * Planted bug: ADCSD_PLANTED_BUG_LOGON_PAC, a SID's second count is taken without a look.
 */
#include <assert.h>

#include "logon/pac.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new(1 << 20);
	struct pac_identity id;
	struct err e = { 0 };
	struct token *t;

	if (pac_identity_read((struct bytes){ data, size }, pool, &id, &e) == 0) {
		t = token_new(id.account, id.domain, NULL, false);
		if (t != NULL && pac_add_sids(t, &id, &e) == 0)
			assert(t->n_sids > 0 && sid_equal(&t->sids[0].sid, &id.user));
		token_unref(t);
	} else {
		assert(e.hr != 0 && e.msg[0] != '\0');
	}
	pool_free(pool);
	return 0;
}
