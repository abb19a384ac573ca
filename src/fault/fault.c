#include "fault/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DELAY_MAX_MS (3600u * 1000)

#define AT(place) (1u << FAULT_AT_##place)

/* clang-format off */
const struct fault_action fault_actions[] = {
	{ "hresult", FAULT_HRESULT, AT(RPC) | AT(DATABASE), "CODE",
	    "the call comes back with this HRESULT and does nothing; of the database: commits fail with it" },
	{ "fault", FAULT_RPC_FAULT, AT(RPC), "CODE", "the call ends with this RPC fault and does nothing" },
	{ "delay", FAULT_DELAY, AT(RPC), "TIME", "the call waits so long before it does anything" },
	{ "delay-answer", FAULT_DELAY_ANSWER, AT(RPC), "TIME", "the call is done, its answer waits so long" },
	{ "drop-call", FAULT_DROP_CALL, AT(RPC), NULL, "the connection ends, nothing was done" },
	{ "drop-answer", FAULT_DROP_ANSWER, AT(RPC), NULL, "the call is done, the connection ends without an answer" },
	{ "cut-answer", FAULT_CUT_ANSWER, AT(RPC), NULL, "the call is done, the connection ends in the middle of its answer" },
	{ "status", FAULT_STATUS, AT(HTTP), "NUMBER", "requests for CRLs and CA certificates get this HTTP status" },
	{ "refuse", FAULT_REFUSE, AT(PORT), NULL, "connections are refused, those there are end" },
	{ "hang", FAULT_HANG, AT(PORT), NULL, "connections are taken and never answered" },
	{ "down", FAULT_DOWN, AT(DIRECTORY), NULL, "the directory is not there" },
	{ 0 },
};
/* clang-format on */

bool
fault_place_is_state(enum fault_place p)
{
	return p >= FAULT_AT_PORT;
}

/* ---- parsing ---- */

static enum fault_place
place_of(const char *point)
{
	static const struct {
		const char *point;
		enum fault_place place;
	} places[] = {
		{ "http", FAULT_AT_HTTP },
		{ "port.epm", FAULT_AT_PORT },
		{ "port.object", FAULT_AT_PORT },
		{ "port.http", FAULT_AT_PORT },
		{ "database", FAULT_AT_DATABASE },
		{ "directory", FAULT_AT_DIRECTORY },
	};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (strcmp(places[i].point, point) == 0)
			return places[i].place;
	return FAULT_AT_RPC;
}

/* 0x80070005, 2147942405, -2147024891 or E_ACCESSDENIED; never 0. */
static int
parse_code(const char *text, uint32_t *out, struct err *e)
{
	bool digits = text[0] == '-' ? text[1] >= '0' && text[1] <= '9' : text[0] >= '0' && text[0] <= '9';
	char *end;
	long long n;

	*out = hresult_by_name(text);
	if (*out != 0)
		return 0;
	errno = 0;
	n = strtoll(text, &end, 0);
	if (!digits || *end != '\0' || errno != 0 || n < INT32_MIN || n > UINT32_MAX || n == 0)
		return ERR(e, E_INVALIDARG, "'%.40s' is no code: 0x80070005 or E_ACCESSDENIED", text);
	*out = (uint32_t)n;
	return 0;
}

static int
parse_delay(const char *text, uint32_t *out, struct err *e)
{
	bool digits = text[0] >= '0' && text[0] <= '9';
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
#ifdef ADCSD_PLANTED_BUG_FAULT_RULE /* the fuzz target must find a delay beyond the longest */
	if (digits && errno == 0 && strcmp(end, "s") == 0) {
		*out = (uint32_t)n * 1000;
		return 0;
	}
#endif
	if (digits && errno == 0 && strcmp(end, "s") == 0 && n <= DELAY_MAX_MS / 1000)
		n *= 1000;
	else if (!digits || errno != 0 || strcmp(end, "ms") != 0)
		n = 0;
	if (n == 0 || n > DELAY_MAX_MS)
		return ERR(e, E_INVALIDARG, "'%.40s' is no time: 2s or 1500ms, an hour at most", text);
	*out = (uint32_t)n;
	return 0;
}

static int
parse_status(const char *text, uint32_t *out, struct err *e)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (text[0] < '1' || text[0] > '9' || *end != '\0' || n < 200 || n > 599)
		return ERR(e, E_INVALIDARG, "'%.40s' is no HTTP status: 200 to 599", text);
	*out = (uint32_t)n;
	return 0;
}

static int
parse_value(const struct fault_action *a, const char *text, uint32_t *out, struct err *e)
{
	if ((text != NULL) != (a->value != NULL))
		return a->value != NULL ? ERR(e, E_INVALIDARG, "%s needs %s", a->name, a->value)
					: ERR(e, E_INVALIDARG, "%s takes no value", a->name);
	if (text == NULL)
		return 0;
	if (a->kind == FAULT_DELAY || a->kind == FAULT_DELAY_ANSWER)
		return parse_delay(text, out, e);
	return a->kind == FAULT_STATUS ? parse_status(text, out, e) : parse_code(text, out, e);
}

int
fault_rule_parse(
    struct fault_rule *r, const char *point, const char *action, const char *value, struct err *e)
{
	const struct fault_action *a = fault_actions;

	if (strlen(point) >= sizeof(r->point))
		return ERR(e, E_INVALIDARG, "'%.40s...' is no point", point);
	strcpy(r->point, point);
	r->place = place_of(point);
	while (a->name != NULL && strcmp(a->name, action) != 0)
		a++;
	if (a->name == NULL)
		return ERR(e, E_INVALIDARG, "'%.40s' is nothing that can go wrong", action);
	if ((a->places & 1u << r->place) == 0)
		return ERR(e, E_INVALIDARG, "%s cannot happen at '%.40s'", a->name, point);
	r->action = a;
	return parse_value(a, value, &r->value, e);
}

/* ---- the table ---- */

unsigned
fault_add(struct fault_table *t, const struct fault_rule *r, struct err *e)
{
	if (t->n == FAULT_RULES_MAX) {
		ERR(e, E_INVALIDARG, "there are %d faults already", FAULT_RULES_MAX);
		return 0;
	}
	t->rules[t->n] = *r;
	t->rules[t->n].id = ++t->last_id;
	t->n++;
	return t->last_id;
}

static void
take_out(struct fault_table *t, size_t i)
{
	t->n--;
	memmove(&t->rules[i], &t->rules[i + 1], (t->n - i) * sizeof(t->rules[0]));
}

size_t
fault_remove(struct fault_table *t, unsigned id)
{
	size_t gone = 0;

	for (size_t i = t->n; i-- > 0;) {
		if (id == 0 || t->rules[i].id == id) {
			take_out(t, i);
			gone++;
		}
	}
	return gone;
}

size_t
fault_expire(struct fault_table *t, uint64_t now_us, uint64_t *next)
{
	size_t gone = 0;

	*next = 0;
	for (size_t i = t->n; i-- > 0;) {
		uint64_t until = t->rules[i].until_us;

		if (until != 0 && until <= now_us) {
			take_out(t, i);
			gone++;
		} else if (until != 0 && (*next == 0 || until < *next)) {
			*next = until;
		}
	}
	return gone;
}

/* "ICertRequestD" and "ICertRequestD.Request" against ICertRequestD2's Request. */
static bool
point_matches(const char *point, const char *interface_name, const char *method)
{
	size_t n = strcspn(point, ".");

	if (strcmp(point, "rpc") == 0)
		return true;
	if (strncmp(point, interface_name, n) != 0 ||
	    (interface_name[n] != '\0' && strcmp(interface_name + n, "2") != 0))
		return false;
	return point[n] == '\0' || strcmp(point + n + 1, method) == 0;
}

static bool
meet(struct fault_rule *r)
{
	r->seen++;
	if (r->seen <= r->skip || (r->times != 0 && r->met >= r->times))
		return false;
	r->met++;
	return true;
}

const struct fault_rule *
fault_meet_call(struct fault_table *t, const char *interface_name, const char *method, const char *account)
{
	for (size_t i = 0; i < t->n; i++) {
		struct fault_rule *r = &t->rules[i];

		if (r->place != FAULT_AT_RPC || !point_matches(r->point, interface_name, method))
			continue;
		if (r->account[0] != '\0' && (account == NULL || strcasecmp(r->account, account) != 0))
			continue;
		if (meet(r))
			return r;
	}
	return NULL;
}

const struct fault_rule *
fault_meet_http(struct fault_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		if (t->rules[i].place == FAULT_AT_HTTP && meet(&t->rules[i]))
			return &t->rules[i];
	return NULL;
}

const struct fault_rule *
fault_find_state(const struct fault_table *t, const char *point)
{
	for (size_t i = 0; i < t->n; i++)
		if (fault_place_is_state(t->rules[i].place) && strcmp(t->rules[i].point, point) == 0)
			return &t->rules[i];
	return NULL;
}
