#include "settings/guess.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

/* Levenshtein distance, capped by the buffer: names are short. */
static unsigned
distance(const char *a, const char *b)
{
	unsigned row[64];
	size_t nb = strlen(b);

	if (nb >= ARRAY_LEN(row))
		return 64;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (unsigned)j;
	for (size_t i = 0; a[i] != '\0'; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i + 1;
		for (size_t j = 1; j <= nb; j++) {
			unsigned keep = row[j];
			unsigned change =
			    diagonal + (tolower((unsigned char)a[i]) != tolower((unsigned char)b[j - 1]));
			unsigned other = 1 + (row[j] < row[j - 1] ? row[j] : row[j - 1]);

			row[j] = change < other ? change : other;
			diagonal = keep;
		}
	}
	return row[nb];
}

void
guess_offer(struct guess *g, const char *wrong, const char *candidate)
{
	unsigned d = distance(wrong, candidate);

	if (d < g->distance)
		*g = (struct guess){ candidate, d };
}

const char *
guess_text(const struct guess *g, const char *wrong, char *out, size_t size)
{
	out[0] = '\0';
	if (g->word != NULL && g->distance <= 2 + strlen(wrong) / 4)
		snprintf(out, size, " (did you mean %s?)", g->word);
	return out;
}
