/* Distinguished names and general names: reading, writing, text. RFC 5280 4.1.2.4, 4.2.1.6; RFC 4514 for DNs.
 */
#ifndef ADCSD_X509_NAME_H
#define ADCSD_X509_NAME_H

#include "x509/request.h"

/*
 * Appends one RelativeDistinguishedName of one attribute to an open Name. PrintableString where every
 * character allows, else UTF8String; DC and emailAddress IA5String (issuance.md 3.2). The buffer fails on
 * malformed UTF-8.
 */
void
x509_put_attribute(struct buf *out, const char *oid, const char *utf8_value);

/* "CN=x,OU=y,DC=z" (RFC 4514, as LDAP gives a distinguishedName) to a DER Name, root first. E_INVALIDARG. */
int
x509_name_from_dn(struct buf *out, const char *dn, struct err *e) MUST_CHECK;
/* Text of a DER Name, leaf first: "CN=..., OU=...", escaped so that x509_name_from_dn() reads it back;
 * control characters and NUL as \xx, what is not text as "#hex". */
int
x509_name_to_text(struct buf *out, struct bytes name, struct err *e) MUST_CHECK;
/* Short label of an attribute type ("CN", "DC", "E"), or NULL. */
const char *
x509_attribute_label(struct bytes oid);
/* Upper bound of X.520 in characters, 0 when there is none; issuance.md "Name checks". */
unsigned
x509_attribute_upper_bound(struct bytes oid);
/* UTF-8 of an attribute value by its string tag; CERTSRV_E_BAD_REQUESTSUBJECT on malformed text and NUL. A
 * subject that x509_request_parse() took has neither. */
char *
x509_rdn_text(struct pool *pool, uint8_t tag, struct bytes value, struct err *e) MUST_CHECK;

/* GeneralNames pieces: append one GeneralName to an open SEQUENCE. Mail and DNS names are ASCII, else the
 * buffer fails. */
void
x509_san_put_upn(struct buf *out, const char *upn);
void
x509_san_put_email(struct buf *out, const char *email);
void
x509_san_put_dns(struct buf *out, const char *dns);
void
x509_san_put_guid(struct buf *out, const uint8_t guid[16]);
/* Checks a subjectAltName value from a request: well-formed GeneralNames. E_INVALID_DATA and where. */
int
x509_san_check(struct bytes value, struct err *e) MUST_CHECK;
/* "DNS:a, UPN:b, URL:c" for explanations. */
int
x509_san_to_text(struct buf *out, struct bytes value, struct err *e) MUST_CHECK;

#endif
