/* What CA certificates forbid those below them: name constraints, path length, policies. RFC
 * 5280 4.2.1.4, 4.2.1.9, 4.2.1.10. */
#ifndef ADCSD_X509_CONSTRAINTS_H
#define ADCSD_X509_CONSTRAINTS_H

#include "x509/cert.h"

/* Does a certificate of the chain constrain anything? Without, there is nothing to check. */
bool
x509_ca_is_constrained(const struct x509_ca *ca);

/*
 * Would the CA's chain let this certificate stand below it? Signature and serial number need not be there
 * yet. Thread-safe. CERT_E_INVALID_NAME (name constraints, of every certificate of the chain; a kind of name
 * that cannot be judged counts as outside), TRUST_E_BASIC_CONSTRAINTS (a CA certificate below a path length
 * that is used up), CERT_E_INVALID_POLICY (issuance policies, none of which a certificate of the chain below
 * the root has; not with ignore_policies).
 */
int
x509_ca_check_plan(const struct x509_ca *ca, const struct x509_cert_plan *plan, bool ignore_policies,
    struct err *e) MUST_CHECK;

/* Appends NameConstraints: "DNS=contoso.com", "EMail=contoso.com", "DirectoryName=DC=contoso,DC=com",
 * "URI=.contoso.com", "IPAddress=10.0.0.0/8" and "IPAddress=2001:db8::/32", as in the sections of a
 * CAPolicy.inf. Nothing for two empty lists. E_INVALIDARG names what cannot be read. */
int
x509_name_constraints_put(
    struct buf *out, struct x509_strings permitted, struct x509_strings excluded, struct err *e) MUST_CHECK;

#endif
