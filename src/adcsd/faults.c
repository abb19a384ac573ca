#include "adcsd/faults.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "ca/ca.h"
#include "dir/dir.h"
#include "fault/fault.h"
#include "http/http.h"
#include "rpc/rpc.h"
#include "svc/svc.h"

enum { SECONDS_MAX = 86400 };

struct faults {
	struct faults_config cfg;
	struct fault_table table;
	struct event *timer; /* when the next rule's time is over */
	/* What is in force now, so that only changes are made. */
	enum net_serve epm, object, http;
	uint32_t database;
	bool directory;
};

/* ---- states ---- */

static enum net_serve
wanted_serve(const struct faults *f, const char *point)
{
	const struct fault_rule *r = fault_find_state(&f->table, point);

	return r == NULL ? NET_SERVE : r->action->kind == FAULT_REFUSE ? NET_REFUSE : NET_HANG;
}

static void
set_port(struct faults *f, const char *point, struct rpc_port *port, enum net_serve *now)
{
	enum net_serve how = wanted_serve(f, point);
	struct err e;
	int rc;

	if (how == *now)
		return;
	rc = port != NULL ? rpc_port_serve(port, how, &e) : http_serve(f->cfg.http, how, &e);
	if (rc != 0)
		log_error(main, "%s: %s", point, e.msg);
	else
		*now = how;
}

static void
apply_states(struct faults *f)
{
	const struct fault_rule *db = fault_find_state(&f->table, "database");
	uint32_t failure = db != NULL ? db->value : 0;
	bool down = fault_find_state(&f->table, "directory") != NULL;

	set_port(f, "port.epm", f->cfg.epm, &f->epm);
	set_port(f, "port.object", f->cfg.object, &f->object);
	set_port(f, "port.http", NULL, &f->http);
	if (failure != f->database)
		ca_set_database_failure(f->cfg.ca, failure);
	if (down != f->directory)
		dir_suspend(f->cfg.dir, down);
	f->database = failure;
	f->directory = down;
}

/* Takes away what is over, sets the timer, brings the states about. */
static void
settle(struct faults *f)
{
	uint64_t now = clock_monotonic_us(), next;
	size_t gone = fault_expire(&f->table, now, &next);
	uint64_t wait = next > now ? next - now : 0;
	struct timeval tv = { (time_t)(wait / 1000000), (suseconds_t)(wait % 1000000) };

	if (gone > 0)
		log_info(main, "%zu faults are over", gone);
	if (next == 0)
		evtimer_del(f->timer);
	else if (evtimer_add(f->timer, &tv) != 0)
		log_error(main, "no timer for faults");
	apply_states(f);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	settle(arg);
}

/* ---- calls ---- */

static void
tell(struct faults *f, const struct fault_rule *r, const char *front, const char *peer, const char *call,
    const char *account, const char *where)
{
	bool code = r->action->kind == FAULT_HRESULT || r->action->kind == FAULT_RPC_FAULT;
	char reason[256];

	snprintf(reason, sizeof(reason), "fault %u: %s at %.120s", r->id, r->action->name, where);
	ca_journal_incident(
	    f->cfg.ca, front, "fault-on-request", peer, call, account, code ? r->value : 0, reason);
}

static void
on_call(void *arg, const struct rpc_mishap_target *t, struct rpc_mishap *out)
{
	struct faults *f = arg;
	const struct fault_rule *r = fault_meet_call(&f->table, t->interface_name, t->method, t->account);

	if (r == NULL)
		return;
	tell(f, r, t->interface_name, t->peer, t->call, t->account, t->method);
	switch (r->action->kind) {
	case FAULT_HRESULT:
		*out = (struct rpc_mishap){ .kind = RPC_MISHAP_STATUS, .code = r->value };
		break;
	case FAULT_RPC_FAULT:
		*out = (struct rpc_mishap){ .kind = RPC_MISHAP_FAULT, .code = r->value };
		break;
	case FAULT_DELAY:
		out->delay_ms = r->value;
		break;
	case FAULT_DELAY_ANSWER:
		out->answer_delay_ms = r->value;
		break;
	case FAULT_DROP_CALL:
		out->kind = RPC_MISHAP_DROP_CALL;
		break;
	case FAULT_DROP_ANSWER:
		out->kind = RPC_MISHAP_DROP_ANSWER;
		break;
	case FAULT_CUT_ANSWER:
		out->kind = RPC_MISHAP_CUT_ANSWER;
		break;
	default: /* happens elsewhere */
		break;
	}
}

unsigned
faults_on_http(struct faults *f, const char *peer, const char *path)
{
	const struct fault_rule *r = f != NULL ? fault_meet_http(&f->table) : NULL;

	if (r == NULL)
		return 0;
	tell(f, r, "http", peer, "", NULL, path);
	return r->value;
}

/* ---- verbs ---- */

static const struct rpc_method *
find_method(const struct rpc_interface *f, const char *name)
{
	for (unsigned i = 0; i < f->n_methods; i++)
		if (f->methods[i].name != NULL && strcmp(f->methods[i].name, name) == 0)
			return &f->methods[i];
	return NULL;
}

static int
check_point(const struct faults *f, const char *point, struct err *e)
{
	size_t n = strcspn(point, ".");
	const struct rpc_interface *x;

	if (strcmp(point, "rpc") == 0)
		return 0;
	for (unsigned i = 0; (x = svc_interface(f->cfg.svc, i)) != NULL; i++) {
		if (strlen(x->name) != n || strncmp(x->name, point, n) != 0)
			continue;
		if (point[n] == '\0' || find_method(x, point + n + 1) != NULL)
			return 0;
		return ERR(e, E_INVALIDARG, "%s has no method '%.60s': 'fault points' lists them", x->name,
		    point + n + 1);
	}
	return ERR(e, E_INVALIDARG, "'%.60s' is no point: 'fault points' lists them", point);
}

static json_t *
rule_json(const struct fault_rule *r)
{
	uint64_t now = clock_monotonic_us();
	char value[32] = "";

	if (r->action->value == NULL)
		;
	else if (r->action->kind == FAULT_DELAY || r->action->kind == FAULT_DELAY_ANSWER)
		snprintf(value, sizeof(value), "%" PRIu32 "ms", r->value);
	else if (r->action->kind == FAULT_STATUS)
		snprintf(value, sizeof(value), "%" PRIu32, r->value);
	else
		snprintf(value, sizeof(value), "0x%08" PRIx32, r->value);
	return json_pack("{s:i, s:s, s:s, s:s?, s:s?, s:I, s:I, s:o, s:I, s:I}", "id", (int)r->id, "point",
	    r->point, "action", r->action->name, "value", value[0] != '\0' ? value : NULL, "as",
	    r->account[0] != '\0' ? r->account : NULL, "skip", (json_int_t)r->skip, "times",
	    (json_int_t)r->times, "secondsLeft",
	    r->until_us == 0
		? json_null()
		: json_integer(r->until_us > now ? (json_int_t)((r->until_us - now) / 1000000) : 0),
	    "seen", (json_int_t)r->seen, "met", (json_int_t)r->met);
}

static int
take_count(json_t *args, const char *name, uint32_t max, uint32_t *out, struct err *e)
{
	json_t *v = json_object_get(args, name);

	if (v == NULL)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < 0 || json_integer_value(v) > max)
		return ERR(e, E_INVALIDARG, "%s is a number from 0 to %" PRIu32, name, max);
	*out = (uint32_t)json_integer_value(v);
	return 0;
}

static int
take_rule(struct faults *f, json_t *args, struct fault_rule *r, struct err *e)
{
	const char *point = json_string_value(json_object_get(args, "point"));
	const char *action = json_string_value(json_object_get(args, "action"));
	const char *as = json_string_value(json_object_get(args, "as"));
	uint32_t seconds = 0;

	if (point == NULL || action == NULL)
		return ERR(e, E_INVALIDARG, "a fault needs a point and an action");
	if (fault_rule_parse(r, point, action, json_string_value(json_object_get(args, "value")), e) != 0 ||
	    (r->place == FAULT_AT_RPC && check_point(f, point, e) != 0))
		return -1;
	if (take_count(args, "skip", INT32_MAX, &r->skip, e) != 0 ||
	    take_count(args, "times", INT32_MAX, &r->times, e) != 0 ||
	    take_count(args, "seconds", SECONDS_MAX, &seconds, e) != 0)
		return -1;
	if (fault_place_is_state(r->place) && (r->skip != 0 || r->times != 0))
		return ERR(e, E_INVALIDARG,
		    "'%.40s' is a state, not counted: it lasts until it is cleared, or as long as --for says",
		    point);
	if (as != NULL && (r->place != FAULT_AT_RPC || strlen(as) >= sizeof(r->account)))
		return ERR(e, E_INVALIDARG, "only RPC calls are told by account");
	if (as != NULL)
		strcpy(r->account, as);
	if (seconds != 0)
		r->until_us = clock_monotonic_us() + (uint64_t)seconds * 1000000;
	return 0;
}

json_t *
faults_add(struct faults *f, json_t *args, struct err *e)
{
	struct fault_rule r = { 0 };
	unsigned id;

	if (take_rule(f, args, &r, e) != 0)
		return NULL;
	id = fault_add(&f->table, &r, e);
	if (id == 0)
		return NULL;
	r.id = id;
	log_info(main, "fault %u: %s at %s", id, r.action->name, r.point);
	settle(f);
	return rule_json(&r);
}

json_t *
faults_list(struct faults *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->table.n; i++)
		json_array_append_new(list, rule_json(&f->table.rules[i]));
	return list;
}

json_t *
faults_clear(struct faults *f, json_t *args, struct err *e)
{
	uint32_t id = 0;
	size_t gone;

	if (take_count(args, "id", INT32_MAX, &id, e) != 0)
		return NULL;
	gone = fault_remove(&f->table, id);
	if (gone == 0 && id != 0) {
		ERR(e, E_FILE_NOT_FOUND, "there is no fault %" PRIu32, id);
		return NULL;
	}
	settle(f);
	return json_pack("{s:I}", "cleared", (json_int_t)gone);
}

static json_t *
actions_json(enum fault_place place)
{
	json_t *list = json_array();

	for (const struct fault_action *a = fault_actions; a->name != NULL; a++)
		if ((a->places & 1u << place) != 0)
			json_array_append_new(list,
			    json_pack(
				"{s:s, s:s?, s:s}", "action", a->name, "value", a->value, "help", a->help));
	return list;
}

static void
add_point(json_t *list, const char *name, enum fault_place place)
{
	json_array_append_new(list, json_pack("{s:s, s:o}", "point", name, "actions", actions_json(place)));
}

json_t *
faults_points(struct faults *f)
{
	static const char *const ports[] = { "port.epm", "port.object", "port.http" };
	json_t *list = json_array();
	const struct rpc_interface *x;
	char name[FAULT_TEXT_MAX];

	add_point(list, "rpc", FAULT_AT_RPC);
	for (unsigned i = 0; (x = svc_interface(f->cfg.svc, i)) != NULL; i++) {
		add_point(list, x->name, FAULT_AT_RPC);
		for (unsigned k = 0; k < x->n_methods; k++) {
			if (x->methods[k].name == NULL)
				continue;
			snprintf(name, sizeof(name), "%.40s.%.50s", x->name, x->methods[k].name);
			add_point(list, name, FAULT_AT_RPC);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		add_point(list, ports[i], FAULT_AT_PORT);
	add_point(list, "http", FAULT_AT_HTTP);
	add_point(list, "database", FAULT_AT_DATABASE);
	add_point(list, "directory", FAULT_AT_DIRECTORY);
	return list;
}

/* ---- life ---- */

struct faults *
faults_new(const struct faults_config *cfg, struct err *e)
{
	struct faults *f = calloc(1, sizeof(*f));

	if (f != NULL) {
		f->cfg = *cfg;
		f->timer = evtimer_new(cfg->base, on_timer, f);
	}
	if (f == NULL || f->timer == NULL) {
		ERR(e, E_OUTOFMEMORY, "no memory for faults");
		free(f);
		return NULL;
	}
	rpc_server_on_call(cfg->rpc, on_call, f);
	return f;
}

void
faults_free(struct faults *f)
{
	if (f == NULL)
		return;
	event_free(f->timer);
	free(f);
}
