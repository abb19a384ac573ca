/* GUIDs: wire form (MS-DTYP 2.3.4.2), text form "0e10c968-78fb-11d2-90d4-00c04f79dc55". */
#ifndef ADCSD_BASE_GUID_H
#define ADCSD_BASE_GUID_H

#include <stdbool.h>

#include "base/buf.h"

struct guid {
	uint32_t data1;
	uint16_t data2, data3;
	uint8_t data4[8];
};

#define GUID_TEXT_MAX 37

void
guid_from_wire(struct guid *g, const uint8_t in[16]);
void
guid_to_wire(const struct guid *g, uint8_t out[16]);
void
guid_put(struct buf *out, const struct guid *g);
/* With or without braces, any case. */
int
guid_from_text(struct guid *g, const char *s, struct err *e) MUST_CHECK;
char *
guid_to_text(const struct guid *g, char out[GUID_TEXT_MAX]);
bool
guid_equal(const struct guid *a, const struct guid *b);
bool
guid_is_nil(const struct guid *g);

#endif
