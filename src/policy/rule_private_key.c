/* Steps 27, 28 and 30: what is asked of the key (MS-WCCE 3.2.2.6.2.1.4.5.2, 4.5.7). */
#include "policy/rule_priv.h"

int
check_key_size(struct eval *ev)
{
	const struct x509_key_info *key = &ev->request->key;
	uint32_t least = ev->t->min_key_bits;
	const char *type = key->type == X509_KEY_RSA ? "RSA" : key->type == X509_KEY_EC ? "EC" : "other";

	if (key->bits >= least)
		return rule_pass(ev, "%s key has %u bits, template asks for %u", type, key->bits, least);
	rule_fix(ev,
	    "make a key of %u bits or more, or Certificate Templates console > %s > Properties > "
	    "Cryptography: "
	    "Minimum key size = %u%s",
	    least, ev->t->cn, key->bits,
	    key->type == X509_KEY_EC ? " and an ECDH or ECDSA algorithm (an EC key counts by its field size)"
				     : "");
	return rule_refuse(
	    ev, CERTSRV_E_KEY_LENGTH, "%s key has %u bits, template asks for %u", type, key->bits, least);
}

/*
 * The private key travels as an unauthenticated attribute of a CMC request's outermost signature (MS-WCCE
 * 3.2.2.6.2.1.2.2), where a PKCS #10 has no place for it. Templates of schema 1 archive nothing; a key is
 * unexpected there too.
 */
int
check_key_archival(struct eval *ev)
{
	bool wanted = ev->t->schema_version >= 2 &&
	    (ev->t->private_key_flags & CT_FLAG_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0;
	bool sent = ev->request->has_archived_key || ev->in->archived_for > 0;

	if (wanted && ev->in->renewal != NULL &&
	    (ev->t->private_key_flags & CT_FLAG_REQUIRE_SAME_KEY_RENEWAL))
		return rule_pass(ev, "a renewal with the same key archives nothing");
	if (!wanted && !sent)
		return rule_pass(ev, "no key to archive");
	if (!wanted) {
		rule_fix(ev,
		    "send the request without the private key, or Certificate Templates console > %s > "
		    "Properties > "
		    "Request Handling: Archive subject's encryption private key",
		    ev->t->cn);
		return rule_refuse(ev, CERTSRV_E_ARCHIVED_KEY_UNEXPECTED,
		    "the request carries a private key, %s archives none", ev->t->cn);
	}
	rule_fix(ev,
	    "send a CMC request with the private key, or Certificate Templates console > %s > Properties > "
	    "Request "
	    "Handling: clear Archive subject's encryption private key",
	    ev->t->cn);
	if (!sent)
		return rule_refuse(ev, CERTSRV_E_ARCHIVED_KEY_REQUIRED,
		    "%s archives private keys, the request carries none", ev->t->cn);
	if (ev->in->archived_for > 0)
		return rule_pass(
		    ev, "the private key is encrypted for %zu recovery agents", ev->in->archived_for);
	return rule_refuse(ev, CERTSRV_E_BAD_REQUEST_KEY_ARCHIVAL,
	    "the private key stands in a PKCS #10 attribute, not in the outermost signature of a CMC "
	    "request");
}

/*
 * No PKCS #10 is accepted as attested: the statement of a trust module is not among what the request reader
 * knows.
 */
int
check_attestation(struct eval *ev)
{
	uint32_t mode = ev->t->private_key_flags & (CT_FLAG_ATTEST_REQUIRED | CT_FLAG_ATTEST_PREFERRED);

	if (mode == 0)
		return rule_pass(ev, "no key attestation is required");
	if (!(mode & CT_FLAG_ATTEST_REQUIRED))
		return rule_pass(ev, "key attestation is preferred, the request has none");
	rule_fix(ev,
	    "Certificate Templates console > %s > Properties > Key Attestation: None, or Required, if client "
	    "is "
	    "capable",
	    ev->t->cn);
	return rule_refuse(
	    ev, CERTSRV_E_KEY_ATTESTATION, "%s requires key attestation, the request has none", ev->t->cn);
}
