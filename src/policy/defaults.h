/* Lists that a new enterprise CA starts with (issuance.md section 13), one item a line. */
#ifndef ADCSD_POLICY_DEFAULTS_H
#define ADCSD_POLICY_DEFAULTS_H

#define POLICY_DEFAULT_EDIT_FLAGS 0x11014E
#define POLICY_DEFAULT_SUBJECT_TEMPLATE                                                                      \
	"EMail\nCommonName\nOrganizationalUnit\nOrganization\nLocality\nState\nDomainComponent\nCountry"
#define POLICY_DEFAULT_REQUEST_EXTENSIONS                                                                    \
	"1.2.840.113549.1.9.15\n1.3.6.1.4.1.311.21.1\n1.3.6.1.4.1.311.21.2\n2.5.29.15\n"                     \
	"1.3.6.1.4.1.311.10.9.1\n1.3.6.1.4.1.311.20.2\n1.3.6.1.4.1.311.21.7\n1.3.6.1.4.1.311.21.10\n"        \
	"1.3.6.1.4.1.311.21.11\n1.3.6.1.4.1.311.21.12\n2.5.29.17\n2.5.29.30\n2.5.29.32\n2.5.29.33\n"         \
	"2.5.29.36\n2.5.29.37"

#endif
