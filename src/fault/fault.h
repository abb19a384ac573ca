/*
 * Faults on request: rules that say where something goes wrong, what, for whom, how often and how long, so
 * that the errors a client must handle can be had when they are wanted. No I/O; the caller tells the time.
 */
#ifndef ADCSD_FAULT_FAULT_H
#define ADCSD_FAULT_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define FAULT_RULES_MAX 64
#define FAULT_TEXT_MAX 96

/* What a rule is about: single calls, which it meets one by one, or a state that lasts as long as the rule.
 */
enum fault_place {
	FAULT_AT_RPC,  /* "rpc", "ICertPassage", "ICertPassage.CertServerRequest" */
	FAULT_AT_HTTP, /* "http" */
	FAULT_AT_PORT, /* "port.epm", "port.object", "port.http" */
	FAULT_AT_DATABASE,
	FAULT_AT_DIRECTORY,
};
bool
fault_place_is_state(enum fault_place p);

enum fault_kind {
	FAULT_HRESULT, /* value: the code that comes back; the method does not run. Database: commits fail */
	FAULT_RPC_FAULT,    /* value: the status of the fault */
	FAULT_DELAY,        /* value: milliseconds, before the method runs */
	FAULT_DELAY_ANSWER, /* value: milliseconds, between the method and its answer */
	FAULT_DROP_CALL,    /* the connection ends, the method does not run */
	FAULT_DROP_ANSWER,  /* the method runs, the connection ends */
	FAULT_CUT_ANSWER,   /* the connection ends within the answer */
	FAULT_STATUS,       /* value: HTTP status */
	FAULT_REFUSE,       /* connections are refused */
	FAULT_HANG,         /* connections are taken and never answered */
	FAULT_DOWN,
};

/* The kinds, for help: one row per name. Ends with name NULL. */
struct fault_action {
	const char *name;
	enum fault_kind kind;
	unsigned places;   /* bits 1 << enum fault_place */
	const char *value; /* what stands behind it, NULL: nothing */
	const char *help;
};
extern const struct fault_action fault_actions[];

struct fault_rule {
	unsigned id; /* from 1, never used again */
	enum fault_place place;
	char point[FAULT_TEXT_MAX]; /* as it was given */
	const struct fault_action *action;
	uint32_t value;
	char account[FAULT_TEXT_MAX]; /* only calls of this one; "" for all */
	uint32_t skip;                /* so many matching calls go well first */
	uint32_t times;               /* then so many go wrong; 0: all */
	uint64_t until_us;            /* 0: until it is taken away */
	uint64_t seen, met;           /* matching calls; those that went wrong */
};

struct fault_table {
	struct fault_rule rules[FAULT_RULES_MAX]; /* in the order they were added */
	size_t n;
	unsigned last_id;
};

/* Fills r->place, action and value from what a person types: "ICertPassage", "hresult", "0x80070005" (or
 * E_ACCESSDENIED); "2s", "1500ms"; "503". Whether an RPC point exists is the caller's to know. */
int
fault_rule_parse(
    struct fault_rule *r, const char *point, const char *action, const char *value, struct err *e) MUST_CHECK;
/* Copies the rule; its id, or 0 with e when there are too many. */
unsigned
fault_add(struct fault_table *t, const struct fault_rule *r, struct err *e) MUST_CHECK;
/* id 0: all. How many went. */
size_t
fault_remove(struct fault_table *t, unsigned id);
/* Takes rules away whose time is over; *next: when the next one's is, 0 for none. How many went. */
size_t
fault_expire(struct fault_table *t, uint64_t now_us, uint64_t *next);

/* The first rule that a call meets, counted; NULL: all goes well. "ICertRequestD" is met by ICertRequestD2
 * too, which inherits its methods. account NULL: nobody. */
const struct fault_rule *
fault_meet_call(struct fault_table *t, const char *interface_name, const char *method, const char *account);
const struct fault_rule *
fault_meet_http(struct fault_table *t);
/* The first rule of a state: "port.epm", "database", "directory". */
const struct fault_rule *
fault_find_state(const struct fault_table *t, const char *point);

#endif
