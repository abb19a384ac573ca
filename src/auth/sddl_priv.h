/* The names of SDDL (MS-DTYP 2.5.1.1), shared by its reader and its writer. */
#ifndef ADCSD_AUTH_SDDL_PRIV_H
#define ADCSD_AUTH_SDDL_PRIV_H

#include "auth/sd_priv.h"

/* A piece of the text. */
struct span {
	const char *p;
	size_t n;
};

struct sddl_bits {
	char code[3];
	uint32_t bits;
};

/* Single bits first, in rising order as Windows writes them; then the names that stand for several. */
extern const struct sddl_bits sddl_rights[];
extern const size_t n_sddl_rights, n_sddl_single_rights;
extern const struct sddl_bits sddl_ace_flags[];
extern const size_t n_sddl_ace_flags;

/* The control bits an ACL flag stands for, and the bit that says whether the ACL is there. */
struct sddl_acl_flag {
	char code[3];
	uint16_t dacl, sacl;
};
extern const struct sddl_acl_flag sddl_acl_flags[];
extern const size_t n_sddl_acl_flags;

#define SDDL_NULL_ACL "NO_ACCESS_CONTROL"

/* Letters in either case. */
bool
span_is(struct span s, const char *text);
/* A SID or alias; the message has no place in it. */
int
sddl_sid_read(struct sid *out, struct span s, const struct sddl_domain *dom, struct err *e) MUST_CHECK;
/* The alias of a SID, or NULL. */
const char *
sddl_alias_of(const struct sid *sid, const struct sddl_domain *dom);

#endif
