/* "POINT\nACTION\nVALUE" as a person types them: what is taken can happen there, with a value that is allowed. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "fault/fault.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct fault_rule *r, const char *point)
{
	const struct fault_action *a = r->action;

	if (strcmp(r->point, point) != 0 || (a->places & 1u << r->place) == 0)
		__builtin_trap();
	switch (a->kind) {
	case FAULT_HRESULT:
	case FAULT_RPC_FAULT:
		if (r->value == 0)
			__builtin_trap();
		break;
	case FAULT_DELAY:
	case FAULT_DELAY_ANSWER:
		if (r->value == 0 || r->value > 3600 * 1000)
			__builtin_trap();
		break;
	case FAULT_STATUS:
		if (r->value < 200 || r->value > 599)
			__builtin_trap();
		break;
	default:
		if (r->value != 0)
			__builtin_trap();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *word[3] = { NULL, NULL, NULL }, *rest = text;
	struct fault_table t = { 0 };
	struct fault_rule r = { 0 };
	struct err e = { 0 };

	memcpy(text, data, size);
	text[size] = '\0';
	for (int i = 0; i < 3 && rest != NULL; i++)
		word[i] = strsep(&rest, "\n");
	if (word[1] == NULL) {
		free(text);
		return 0;
	}
	if (fault_rule_parse(&r, word[0], word[1], word[2], &e) != 0) {
		assert(e.hr != 0 && e.msg[0] != '\0');
	} else {
		check(&r, word[0]);
		assert(fault_add(&t, &r, &e) == 1);
		/* Matching reads the point only, whatever it is. */
		(void)fault_meet_call(&t, "ICertRequestD2", "Request", "CORP\\bob");
		assert(fault_place_is_state(r.place) == (fault_find_state(&t, word[0]) != NULL));
	}
	free(text);
	return 0;
}
