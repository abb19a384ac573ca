/* Comparing names as the directory does. */
#include "base/text.h"
#include "policy/template.h"

/* One UTF-8 character in upper case; an octet that starts none stands for itself. */
static uint32_t
next_upper(const char **s)
{
	const uint8_t *p = (const uint8_t *)*s;
	unsigned more = p[0] >= 0xf0 ? 3 : p[0] >= 0xe0 ? 2 : p[0] >= 0xc0 ? 1 : 0;
	uint32_t c = more == 0 ? p[0] : p[0] & (0x3fu >> more);

	for (unsigned i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80) { /* also stops at the NUL */
			*s += 1;
			return 0x110000u + p[0]; /* no character has this number */
		}
		c = c << 6 | (p[i] & 0x3fu);
	}
	*s += more + 1;
	return c <= 0xffff ? text_upper_unit((uint16_t)c) : c;
}

static uint8_t
ascii_upper(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c;
}

/* Every request compares with every template of the forest, so the usual case goes first: no character beyond
 * ASCII is another case of one within. */
bool
policy_name_equal(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0') {
		uint8_t x = (uint8_t)*a, y = (uint8_t)*b;

		if (x < 0x80 && y < 0x80) {
			if (ascii_upper(x) != ascii_upper(y))
				return false;
			a++;
			b++;
		} else if (next_upper(&a) != next_upper(&b)) {
			return false;
		}
	}
	return *a == *b;
}
