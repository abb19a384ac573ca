/* Template x principal: what each account would get from each template. Pure, and one row is independent of
 * the others, so that rows may be worked out side by side. */
#ifndef ADCSD_REHEARSE_MATRIX_H
#define ADCSD_REHEARSE_MATRIX_H

#include "rehearse/people.h"

/* A cell is the disposition a client would read (MS-WCCE 3.2.1.4.2.1): these, or the HRESULT of a refusal. */
enum { MATRIX_ABSENT = 0, MATRIX_DENIED = 2, MATRIX_ISSUED = 3, MATRIX_PENDING = 5 };

struct matrix {
	const struct policy_ca *ca;
	const struct x509_ca *issuer; /* what its certificates forbid is refused, too; NULL: not looked at */
	bool ignore_policies;         /* CRLF_IGNORE_INVALID_POLICIES */
	const struct sd *security;    /* of the CA; NULL: everyone may request */
	const struct policy_template *templates; /* of the forest */
	size_t n_templates;
	const struct x509_strings *published;
	filetime_t now;
	/* made by matrix_prepare() */
	const struct policy_template **columns;
	struct x509_request *requests;        /* per column */
	struct policy_attribute **attributes; /* per column */
	size_t n_columns, n_attributes;
};

struct matrix_options {
	const char *subject, *san; /* of the made-up requests; subject NULL: MATRIX_SUBJECT */
	const char *key; /* NULL: RSA of 2048 bits, or of what the template asks for when that is more */
	const char *attributes;   /* "Name:Value" lines beside CertificateTemplate; may be NULL */
	const char *const *names; /* template names; NULL: those published */
	size_t n_names;
	bool all; /* with names NULL: every template of the forest */
};
#define MATRIX_SUBJECT "CN=rehearsal"

/* Chooses the columns and makes up their requests. Everything goes to the pool. E_DS_NO_SUCH_OBJECT names a
 * template that is not there. */
int
matrix_prepare(struct matrix *m, const struct matrix_options *o, struct pool *pool, struct err *e) MUST_CHECK;
/* Fills row[n_columns]. Fails for want of memory only. */
int
matrix_row(const struct matrix *m, const struct person *who, uint32_t *row, struct err *e) MUST_CHECK;

#endif
