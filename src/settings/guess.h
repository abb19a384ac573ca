/* The known word that somebody may have meant by an unknown one. */
#ifndef ADCSD_SETTINGS_GUESS_H
#define ADCSD_SETTINGS_GUESS_H

#include <stddef.h>

struct guess {
	const char *word;
	unsigned distance;
};
#define GUESS_NONE ((struct guess){ NULL, 64 })

/* Keeps the candidate if it is nearer than those before. Words of at most 63 octets. */
void
guess_offer(struct guess *g, const char *wrong, const char *candidate);
/* " (did you mean X?)" when something is near, else "". */
const char *
guess_text(const struct guess *g, const char *wrong, char *out, size_t size);

#endif
