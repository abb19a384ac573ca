/* Every parameter list by name, for what works on all of them: golden bytes, the fuzz target, dumps. */
#ifndef ADCSD_IDL_TABLES_H
#define ADCSD_IDL_TABLES_H

#include "ndr/ndr.h"

struct idl_table {
	const char *name; /* "ICertPassage.CertServerRequest.in" */
	const struct ndr_field *fields;
	size_t size; /* of the argument struct */
};

extern const struct idl_table idl_tables[];
extern const size_t idl_n_tables;

/* NULL when there is none of that name. */
const struct idl_table *
idl_table_find(const char *name);

#endif
