/*
 * What a CA tells about itself: GetCAProperty and GetCAPropertyInfo of ICertRequestD2 and ICertAdminD2,
 * GetCACert of ICertRequestD (MS-WCCE 3.2.1.4.2.2, 3.2.1.4.3.2, 3.2.1.4.3.3; MS-CSRA 3.1.4.2.2, 3.1.4.2.4).
 * One row of property.c for each property. Loop's thread. Rights are the caller's business: ca_enroll_gate()
 * for the one interface, an administrator's for the other.
 */
#ifndef ADCSD_CA_PROPERTY_H
#define ADCSD_CA_PROPERTY_H

#include "ca/archival.h"
#include "ca/ca.h"

enum { PROPTYPE_LONG = 1, PROPTYPE_DATE = 2, PROPTYPE_BINARY = 3, PROPTYPE_STRING = 4 };

enum ca_property_id {
	CR_PROP_FILEVERSION = 0x01,
	CR_PROP_PRODUCTVERSION,
	CR_PROP_EXITCOUNT,
	CR_PROP_EXITDESCRIPTION,
	CR_PROP_POLICYDESCRIPTION,
	CR_PROP_CANAME,
	CR_PROP_SANITIZEDCANAME,
	CR_PROP_SHAREDFOLDER,
	CR_PROP_PARENTCA,
	CR_PROP_CATYPE,
	CR_PROP_CASIGCERTCOUNT,
	CR_PROP_CASIGCERT,
	CR_PROP_CASIGCERTCHAIN,
	CR_PROP_CAXCHGCERTCOUNT,
	CR_PROP_CAXCHGCERT,
	CR_PROP_CAXCHGCERTCHAIN,
	CR_PROP_BASECRL,
	CR_PROP_DELTACRL,
	CR_PROP_CACERTSTATE,
	CR_PROP_CRLSTATE,
	CR_PROP_CAPROPIDMAX,
	CR_PROP_DNSNAME,
	CR_PROP_ROLESEPARATIONENABLED,
	CR_PROP_KRACERTUSEDCOUNT,
	CR_PROP_KRACERTCOUNT,
	CR_PROP_KRACERT,
	CR_PROP_KRACERTSTATE,
	CR_PROP_ADVANCEDSERVER,
	CR_PROP_TEMPLATES,
	CR_PROP_BASECRLPUBLISHSTATUS,
	CR_PROP_DELTACRLPUBLISHSTATUS,
	CR_PROP_CASIGCERTCRLCHAIN,
	CR_PROP_CAXCHGCERTCRLCHAIN,
	CR_PROP_CACERTSTATUSCODE,
	CR_PROP_CAFORWARDCROSSCERT,
	CR_PROP_CABACKWARDCROSSCERT,
	CR_PROP_CAFORWARDCROSSCERTSTATE,
	CR_PROP_CABACKWARDCROSSCERTSTATE,
	CR_PROP_CACERTVERSION,
	CR_PROP_SANITIZEDCASHORTNAME,
	CR_PROP_CERTCDPURLS,
	CR_PROP_CERTAIAURLS,
	CR_PROP_CERTAIAOCSPURLS,
	CR_PROP_LOCALENAME,
	CR_PROP_SUBJECTTEMPLATE_OIDS,
	CR_PROP_CRLPARTITIONCOUNT,
	CR_PROP_PARTITIONED_BASECRL,
	CR_PROP_PARTITIONED_DELTACRL,
	CR_PROP_PARTITIONED_BASECRLPUBLISHSTATUS,
	CR_PROP_PARTITIONED_DELTACRLPUBLISHSTATUS,
};

/* fchain of GetCACert; the indexed ones stand in the upper half. */
enum {
	GETCERT_CASIGCERT = 0,
	GETCERT_CAXCHGCERT = 1,
	GETCERT_CURRENTCRL = 0x6363726C,
	GETCERT_FILEVERSION = 0x66696C65,
	GETCERT_CAINFO = 0x696E666F,
	GETCERT_CANAME = 0x6E616D65,
	GETCERT_PARENTCONFIG = 0x70617265,
	GETCERT_POLICYVERSION = 0x706F6C69,
	GETCERT_PRODUCTVERSION = 0x70726F64,
	GETCERT_SANITIZEDCANAME = 0x73616E69,
	GETCERT_SHAREDFOLDER = 0x73686172,
	GETCERT_CATYPE = 0x74797065,
	GETCERT_CRLBYINDEX = 0x636C,
	GETCERT_CACERTBYINDEX = 0x6374,
	GETCERT_EXITVERSIONBYINDEX = 0x6578,
	GETCERT_CRLSTATEBYINDEX = 0x736C,
	GETCERT_CACERTSTATEBYINDEX = 0x7374,
};

/*
 * The value as CERTTRANSBLOB carries it (MS-WCCE 2.2.2.2): texts in UTF-16LE with their NUL, numbers
 * little-endian, most of them inside a whole CAINFO. Empty: the property is not held, which is no error.
 * E_INVALIDARG for an unknown id, a wrong type or an index out of range; others as the table says. cb runs
 * exactly once when this returned 0, possibly before; never when it returned -1. who: as ca_exchange_get()
 * wants it.
 */
int
ca_property_get(struct ca *ca, const struct ca_caller *who, uint32_t id, uint32_t index, uint32_t type,
    ca_blob_fn *cb, void *arg, struct err *e) MUST_CHECK;
/* GetCACert: the same by its own numbers. */
int
ca_getcert(struct ca *ca, const struct ca_caller *who, uint32_t fchain, ca_blob_fn *cb, void *arg,
    struct err *e) MUST_CHECK;
/* GETCERT_SANITIZEDCANAME and GETCERT_CANAME are told whatever authority is named. */
bool
ca_getcert_needs_authority(uint32_t fchain);
/* CATRANSPROP[count] and the display names (MS-WCCE 2.2.2.3.1), in the pool. */
int
ca_property_infos(struct pool *pool, uint32_t *count, struct bytes *out, struct err *e) MUST_CHECK;

/* ---- gates of ICertRequestD and ICertRequestD2, ICertPassage (issuance.md section 2, rows 1 to 5) ---- */

enum {
	CA_GATE_RIGHT = 0x1,             /* Enroll on the CA */
	CA_GATE_AUTHORITY = 0x2,         /* must be this CA's name */
	CA_GATE_AUTHORITY_OR_NONE = 0x4, /* or none */
};
/* Interface flags, protection and identity of the caller, and what `gates` names. */
int
ca_enroll_gate(const struct ca *ca, const struct ca_caller *who, const char *authority, unsigned gates,
    struct err *e) MUST_CHECK;
/* Is it this CA's name, sanitized name or short name, in whatever case (MS-WCCE 3.2.1.4.2.1.1)? NULL is not.
 */
bool
ca_authority_matches(const struct ca *ca, const char *authority);

#endif
