/* adcsd: options, state folder, ports, then every layer in order; signals; teardown in reverse. */
#include <event2/event.h>
#include <event2/thread.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "adcsd/faults.h"
#include "adcsd/options.h"
#include "adcsd/realm.h"
#include "adcsd/state.h"
#include "base/log.h"
#include "ca/ca.h"
#include "control/control.h"
#include "dir/dir.h"
#include "http/http.h"
#include "logon/logon.h"
#include "net/listen.h"
#include "rpc/rpc.h"
#include "settings/settings.h"
#include "svc/svc.h"

enum { PORT_HTTP = 80, PORT_EPM = 135, PORT_OBJECT = 49152, OPEN_FILES = 16384 };

struct server {
	struct options opt;
	struct paths paths;
	uint64_t started_us;
	double start_ms; /* what it took until all ports answered */
	int lock_fd, epm_fd, object_fd, http_fd;
	unsigned http_port;
	struct event_base *base;
	struct event *ev_term, *ev_int, *ev_work, *ev_store, *ev_due;
	uint64_t due_at; /* monotonic microseconds ev_due is set for; 0: it is not */
	struct clock *clock;
	struct rng rng;
	struct work *work;
	struct dir *dir;
	struct ca *ca;
	struct logon *logon;
	struct realm *realm;
	struct auth_names names;
	char nb_computer[16];
	struct rpc_server *rpc;
	struct rpc_port *epm, *object;
	struct svc *svc;
	struct http_server *http;
	struct faults *faults;
	struct control *control;
	int exit_code;
};

/* Ends the loop with a reason the administrator reads. */
static void
fail(struct server *s, int code, const char *what, const struct err *e)
{
	fprintf(stderr, "adcsd: %s: %s\n", what, e->msg);
	s->exit_code = code;
	event_base_loopbreak(s->base);
}

/* ---- ready ---- */

static json_t *
ready_json(const struct server *s)
{
	return json_pack("{s:i, s:s, s:s, s:s, s:{s:i, s:i, s:i}, s:s, s:s, s:b, s:s, s:o, s:f}", "pid",
	    (int)getpid(), "ca", ca_name(s->ca), "config", ca_config_string(s->ca), "address", s->opt.listen,
	    "ports", "epm", (int)rpc_port_number(s->epm), "object", (int)rpc_port_number(s->object), "http",
	    (int)s->http_port, "state", s->paths.state, "directory", dir_uri(s->dir), "seeded", s->opt.seeded,
	    "domain", dir_forest(s->dir)->dns_domain, "kerberos", realm_json(s->realm), "ms", s->start_ms);
}

/* By renaming: whoever waits for the file finds the whole line in it. */
static void
write_ready_file(const char *path, const char *line)
{
	char next[PATH_MAX];
	FILE *f;

	if (snprintf(next, sizeof(next), "%s.new", path) >= (int)sizeof(next) ||
	    (f = fopen(next, "w")) == NULL) {
		log_error(main, "cannot write --ready-file %s", path);
		return;
	}
	fprintf(f, "%s\n", line);
	if (fclose(f) != 0 || rename(next, path) != 0)
		log_error(main, "cannot write --ready-file %s", path);
}

static void
announce(struct server *s)
{
	json_t *o;
	char *line;

	s->start_ms = (double)((clock_monotonic_us() - s->started_us) / 100) / 10;
	o = ready_json(s);
	line = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(6));

	json_decref(o);
	if (line == NULL)
		return;
	if (s->opt.ready_file != NULL)
		write_ready_file(s->opt.ready_file, line);
	puts(line);
	fflush(stdout);
	free(line);
	log_info(main, "ready: %s%s", ca_config_string(s->ca),
	    s->opt.seeded ? ", SEEDED: keys are not secret" : "");
}

/* ---- verbs of the control socket that are the server's own ---- */

static json_t *
verb_show(void *ctx, json_t *args, struct err *e)
{
	(void)args, (void)e;
	return ready_json(ctx);
}

static json_t *
verb_stats(void *ctx, json_t *args, struct err *e)
{
	struct server *s = ctx;
	struct rpc_stats st;

	(void)args, (void)e;
	rpc_server_stats(s->rpc, &st);
	return json_pack("{s:i, s:i, s:I, s:I, s:I, s:I}", "connections", (int)st.connections, "half_open",
	    (int)st.half_open, "accepted", (json_int_t)st.accepted, "calls", (json_int_t)st.calls, "faults",
	    (json_int_t)st.faults, "refused", (json_int_t)st.refused);
}

static json_t *
verb_stop(void *ctx, json_t *args, struct err *e)
{
	struct server *s = ctx;

	(void)args, (void)e;
	event_base_loopexit(s->base, &(struct timeval){ 0, 10000 });
	return json_true();
}

static json_t *
verb_fault_add(void *ctx, json_t *args, struct err *e)
{
	return faults_add(((struct server *)ctx)->faults, args, e);
}

static json_t *
verb_fault_list(void *ctx, json_t *args, struct err *e)
{
	(void)args, (void)e;
	return faults_list(((struct server *)ctx)->faults);
}

static json_t *
verb_fault_clear(void *ctx, json_t *args, struct err *e)
{
	return faults_clear(((struct server *)ctx)->faults, args, e);
}

static json_t *
verb_fault_points(void *ctx, json_t *args, struct err *e)
{
	(void)args, (void)e;
	return faults_points(((struct server *)ctx)->faults);
}

static const struct control_verb verbs[] = {
	{ "server.show", verb_show },
	{ "server.stats", verb_stats },
	{ "server.stop", verb_stop },
	{ "fault.add", verb_fault_add },
	{ "fault.list", verb_fault_list },
	{ "fault.clear", verb_fault_clear },
	{ "fault.points", verb_fault_points },
	{ NULL, NULL },
};

/* ---- start, step by step: directory, CA, fronts ---- */

static void
on_incident(void *arg, const struct rpc_incident *in)
{
	struct server *s = arg;

	ca_journal_incident(s->ca, in->interface_name != NULL ? in->interface_name : "rpc", in->kind,
	    in->peer, in->connection, in->account, in->status, in->reason);
}

static int
account_token(void *ctx, const char *name, ca_token_fn *cb, void *arg, struct err *e)
{
	const struct server *s = ctx;

	return logon_token_start(s->logon, name, cb, arg, e);
}

static int
local_groups(void *arg, struct token *t, struct err *e)
{
	struct server *s = arg;

	return ca_token_add_local_groups(s->ca, t, e);
}

static int
start_rpc(struct server *s, struct err *e)
{
	const struct dir_forest *f = dir_forest(s->dir);
	const char *host = ca_dns_name(s->ca);
	struct rpc_config cfg = { .base = s->base, .names = &s->names };
	size_t n = strcspn(host, ".");

	for (size_t i = 0; i < n && i < sizeof(s->nb_computer) - 1; i++)
		s->nb_computer[i] = (char)(host[i] >= 'a' && host[i] <= 'z' ? host[i] - 32 : host[i]);
	s->names = (struct auth_names){ s->nb_computer, f->nb_domain, host, f->dns_domain, f->dns_domain };
	s->logon = logon_new(s->dir, local_groups, s);
	if (s->logon == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the logon service");
	logon_set_kerberos(s->logon, realm_kerberos(s->realm));
	ca_set_accounts(s->ca, &(struct ca_accounts){ account_token, s });
	cfg.authority = logon_authority(s->logon);
	s->rpc = rpc_server_new(&cfg, e);
	if (s->rpc == NULL)
		return -1;
	rpc_server_on_incident(s->rpc, on_incident, s);
	s->epm = rpc_server_add_port(s->rpc, s->epm_fd, e);
	if (s->epm == NULL)
		return -1;
	s->object = rpc_server_add_port(s->rpc, s->object_fd, e);
	if (s->object == NULL)
		return -1;
	s->svc = svc_start(s->ca, s->clock, s->epm, s->object, e);
	return s->svc != NULL ? 0 : -1;
}

static unsigned
http_fault(void *arg, const char *peer, const char *path)
{
	return faults_on_http(((struct server *)arg)->faults, peer, path);
}

static int
start_http(struct server *s, struct err *e)
{
	struct http_config cfg = { .base = s->base, .fd = s->http_fd, .fault = http_fault, .fault_arg = s };
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.4000s/CertEnroll", s->paths.state);
	cfg.folder = folder;
	s->http = http_new(&cfg, e);
	return s->http != NULL ? 0 : -1;
}

static int
start_faults(struct server *s, struct err *e)
{
	struct faults_config cfg = { .base = s->base,
		.ca = s->ca,
		.dir = s->dir,
		.rpc = s->rpc,
		.epm = s->epm,
		.object = s->object,
		.svc = s->svc,
		.http = s->http };

	s->faults = faults_new(&cfg, e);
	return s->faults != NULL ? 0 : -1;
}

/* CA and Kerberos are there: the fronts open. */
static void
on_realm_ready(void *arg, const struct err *why)
{
	struct server *s = arg;
	struct control_config cc = { .base = s->base, .verbs = verbs, .verbs_ctx = s };
	char path[PATH_MAX];
	struct err e = { 0 };

	if (why != NULL) {
		fail(s, EXIT_UNAVAILABLE, "Kerberos does not start", why);
		return;
	}
	if (start_rpc(s, &e) != 0) {
		fail(s, EXIT_UNAVAILABLE, "RPC does not start", &e);
		return;
	}
	if (start_http(s, &e) != 0) {
		fail(s, EXIT_UNAVAILABLE, "HTTP does not start", &e);
		return;
	}
	if (start_faults(s, &e) != 0) {
		fail(s, EXIT_UNAVAILABLE, "cannot start", &e);
		return;
	}
	snprintf(path, sizeof(path), "%.4000s/control", s->paths.state);
	cc.ca = s->ca;
	cc.path = path;
	s->control = control_new(&cc, &e);
	if (s->control == NULL) {
		fail(s, EXIT_CANTCREAT, "no control socket", &e);
		return;
	}
	announce(s);
}

static void
on_ca_ready(void *arg, const struct err *why)
{
	struct server *s = arg;
	struct realm_config rc = {
		.base = s->base, .dir = s->dir, .state_dir = s->paths.state, .address = s->opt.listen
	};
	struct err e = { 0 };

	if (why != NULL) {
		fail(s, EXIT_UNAVAILABLE, "the CA does not start", why);
		return;
	}
	rc.host = ca_dns_name(s->ca);
	rc.keytab = ca_keytab(s->ca);
	rc.kdc = ca_wants_kdc(s->ca);
	if (s->opt.keytab != NULL || s->opt.kdc) { /* the command line wins, whatever it says */
		rc.keytab = s->opt.keytab;
		rc.kdc = s->opt.kdc;
	}
	if (realm_start(&s->realm, &rc, on_realm_ready, s, &e) != 0)
		fail(s, EXIT_UNAVAILABLE, "Kerberos does not start", &e);
}

static void
on_store(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd, (void)what;
	ca_store_drain(s->ca);
}

static void
on_dir_ready(void *arg, const struct err *why)
{
	struct server *s = arg;
	struct ca_config cfg = { .state_dir = s->paths.state,
		.clock = s->clock,
		.rng = &s->rng,
		.work = s->work,
		.dir = s->dir,
		.settings_file = s->paths.config[0] != '\0' ? s->paths.config : NULL };
	struct err e = { 0 };

	if (why != NULL) {
		fail(s, EXIT_UNAVAILABLE, "the directory does not start", why);
		return;
	}
	/* Two seeded runs issue the same octets, so a port that was found by chance stays out of them. */
	cfg.http_port = s->opt.seeded && s->opt.ports_auto ? 0 : s->http_port;
	s->ca = ca_open(&cfg, on_ca_ready, s, &e);
	if (s->ca == NULL) {
		fail(s, EXIT_CONFIG, "the CA does not start", &e);
		return;
	}
	s->ev_store = event_new(s->base, ca_store_fd(s->ca), EV_READ | EV_PERSIST, on_store, s);
	if (s->ev_store == NULL || event_add(s->ev_store, NULL) != 0)
		event_base_loopbreak(s->base);
}

static void
on_dir_event(void *arg, const char *text)
{
	(void)arg;
	log_warn(main, "directory: %s", text);
}

/* ---- loop ---- */

static void
on_signal(evutil_socket_t sig, short what, void *arg)
{
	struct server *s = arg;

	(void)what;
	log_info(main, "%s, ending", strsignal((int)sig));
	event_base_loopbreak(s->base);
}

static void
on_work(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd, (void)what;
	work_drain(s->work);
}

static void
on_due(evutil_socket_t fd, short what, void *arg)
{
	struct server *s = arg;

	(void)fd, (void)what;
	s->due_at = 0; /* the turn that this makes looks what is due */
}

static int
start_loop(struct server *s, struct err *e)
{
	struct dir_config dc = { .slapd = s->opt.slapd,
		.state_dir = s->paths.state,
		.schema_dir = s->paths.schema,
		.templates_dir = s->paths.templates,
		.forest_ldif = s->paths.forest,
		.on_event = on_dir_event,
		.on_event_arg = s };

	evthread_use_pthreads();
	s->base = event_base_new();
	s->clock = clock_new();
	if (s->base == NULL || s->clock == NULL)
		return ERR(e, E_OUTOFMEMORY, "no memory for the event loop");
	if (s->opt.clock != 0)
		clock_stop(s->clock, s->opt.clock);
	s->work = work_new(0, e);
	if (s->work == NULL)
		return -1;
	s->ev_term = evsignal_new(s->base, SIGTERM, on_signal, s);
	s->ev_int = evsignal_new(s->base, SIGINT, on_signal, s);
	s->ev_work = event_new(s->base, work_fd(s->work), EV_READ | EV_PERSIST, on_work, s);
	s->ev_due = evtimer_new(s->base, on_due, s);
	if (s->ev_due == NULL || s->ev_term == NULL || s->ev_int == NULL || s->ev_work == NULL ||
	    event_add(s->ev_term, NULL) != 0 || event_add(s->ev_int, NULL) != 0 ||
	    event_add(s->ev_work, NULL) != 0)
		return ERR(e, E_OUTOFMEMORY, "no memory for events");
	dc.base = s->base;
	s->dir = dir_start(&dc, on_dir_ready, s, e);
	return s->dir != NULL ? 0 : -1;
}

/* Virtual time of what comes first, of the CA or of its services; 0: nothing. */
static filetime_t
next_due(const struct server *s)
{
	filetime_t ca = ca_next_due(s->ca), svc = s->svc != NULL ? svc_next_due(s->svc) : 0;

	return ca == 0 || (svc != 0 && svc < ca) ? svc : ca;
}

/* Wakes the loop when there is something to do: set anew only when that moment moves, or the clock. */
static void
arm_due(struct server *s)
{
	filetime_t due = clock_is_stopped(s->clock) ? 0 : next_due(s), now = clock_now(s->clock);
	uint64_t wait = due > now ? (uint64_t)(due - now) / 10 : 0, at = clock_monotonic_us() + wait;
	struct timeval tv = { (time_t)(wait / 1000000), (suseconds_t)(wait % 1000000) };

	if (due == 0 && s->due_at != 0)
		event_del(s->ev_due);
	if (due == 0) {
		s->due_at = 0;
		return;
	}
	if (s->due_at != 0 && (at > s->due_at ? at - s->due_at : s->due_at - at) < 100000)
		return;
	s->due_at = event_add(s->ev_due, &tv) == 0 ? at : 0;
}

static void
run(struct server *s)
{
	while (!event_base_got_break(s->base) && !event_base_got_exit(s->base)) {
		if (event_base_loop(s->base, EVLOOP_ONCE) != 0)
			break;
		if (s->ca == NULL)
			continue;
		ca_flush(s->ca);
		if (s->svc != NULL)
			svc_flush(s->svc);
		arm_due(s);
	}
}

static void
stop(struct server *s)
{
	struct event *events[] = { s->ev_due, s->ev_store, s->ev_work, s->ev_int, s->ev_term };

	control_free(s->control);
	http_free(s->http);
	rpc_server_free(s->rpc);
	faults_free(s->faults);
	svc_free(s->svc);
	ca_close(s->ca);
	logon_free(s->logon);
	realm_free(s->realm);
	dir_free(s->dir);
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	work_free(s->work);
	clock_free(s->clock);
	if (s->base != NULL)
		event_base_free(s->base);
	libevent_global_shutdown();
}

/* What helps against a port that cannot be had. */
static const char *
port_remedy(const struct options *o, uint32_t hr)
{
	if (o->ports_auto)
		return "";
	if (hr == E_ACCESSDENIED)
		return "; ports below 1024 are root's: --port-base 10000, or auto for free ones";
	if (hr == WSAEADDRINUSE)
		return "; another program has it: --port-base N moves all ports, auto takes free ones";
	return "";
}

static int
bind_port(const struct options *o, unsigned port, int *fd, struct err *e)
{
	char address[NET_ADDRESS_MAX], why[ERR_MSG_MAX];
	bool v6 = strchr(o->listen, ':') != NULL;

	if (snprintf(address, sizeof(address), v6 ? "[%s]:%u" : "%s:%u", o->listen,
		o->ports_auto ? 0 : port + o->port_base) >= (int)sizeof(address))
		return ERR(e, E_INVALIDARG, "--listen %.60s is not an address", o->listen);
	if (net_listen(address, fd, e) == 0)
		return 0;
	memcpy(why, e->msg, sizeof(why));
	return ERR(e, e->hr, "%.70s%s", why, port_remedy(o, e->hr));
}

static int
check_config(const struct server *s)
{
	struct paths p;
	struct err e = { 0 };

	if (state_find_data(&s->opt, &p, &e) != 0 ||
	    (p.config[0] != '\0' && ca_settings_check(p.config, &e) != 0)) {
		fprintf(stderr, "%s\n", e.msg);
		return EXIT_CONFIG;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	static struct server s = { .lock_fd = -1 };
	struct err e = { 0 };
	int code = options_parse(&s.opt, argc, argv);

	if (code >= 0)
		return code;
	if (s.opt.check_config)
		return check_config(&s);
	s.started_us = clock_monotonic_us();
	s.rng = (struct rng){ s.opt.seeded, s.opt.seed };
	signal(SIGPIPE, SIG_IGN);
	if (net_raise_open_files(OPEN_FILES, &e) != 0)
		log_warn(main, "%s", e.msg);
	if (state_prepare(&s.opt, &s.paths, &s.lock_fd, &code, &e) != 0) {
		fprintf(stderr, "adcsd: %s\n", e.msg);
		return code;
	}
	if (bind_port(&s.opt, PORT_EPM, &s.epm_fd, &e) != 0 ||
	    bind_port(&s.opt, PORT_OBJECT, &s.object_fd, &e) != 0 ||
	    bind_port(&s.opt, PORT_HTTP, &s.http_fd, &e) != 0 || state_drop_root(&s.opt, &e) != 0) {
		fprintf(stderr, "adcsd: %s\n", e.msg);
		return EXIT_UNAVAILABLE;
	}
	s.http_port = net_local_port(s.http_fd);
	if (start_loop(&s, &e) != 0)
		fail(&s, EXIT_UNAVAILABLE, "cannot start", &e);
	else
		run(&s);
	stop(&s);
	return s.exit_code;
}
