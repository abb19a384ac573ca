/*
 * Every result code the product knows, from one list (hresult.def): value, name, English system text.
 * Sources: MS-ERREF 2.1 to 2.3, MS-WCCE, MS-CSRA.
 */
#ifndef ADCSD_BASE_HRESULT_H
#define ADCSD_BASE_HRESULT_H

#include <stdint.h>

#define HRESULT_ROW(value, name, text) name = (value),
enum hresult {
	S_OK = 0,
	S_FALSE = 1,
#include "base/hresult.def"
};
#undef HRESULT_ROW

/* HRESULT_FROM_WIN32 of MS-ERREF 2.1.2: 0 stays 0. */
static inline uint32_t
hresult_from_win32(uint32_t win32)
{
	return win32 == 0 ? 0 : 0x80070000u | (win32 & 0xffffu);
}

/* Specification name ("CERTSRV_E_TEMPLATE_DENIED"), or NULL when the code is not in the list. */
const char *
hresult_name(uint32_t hr);

/* System text in English, without a line end; "" when unknown. */
const char *
hresult_text(uint32_t hr);

/* The code of a specification name, case-insensitive; 0 when unknown. */
uint32_t
hresult_by_name(const char *name);

#define HRESULT_FORMAT_MAX 80

/* "0x80094012 (-2146877422 CERTSRV_E_TEMPLATE_DENIED)", as the Windows consoles print codes. Returns out. */
char *
hresult_format(uint32_t hr, char out[HRESULT_FORMAT_MAX]);

#endif
