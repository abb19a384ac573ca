/* bench: certificates per second and what each costs the server, beside openssl speed in the same run. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/epm.h"
#include "client/load.h"
#include "ctl/admin.h"
#include "ctl/bench_principals.h"
#include "ctl/remote.h"
#include "policy/made_up.h"
#include "x509/new_request.h"

#define CSR_MAX 65536
#define SPEED_SECONDS 2
#define OWN_FILES 64

struct bench {
	struct ctl *c;
	struct client_session *s;
	struct bench_principals who; /* none: as the options say */
	struct client_load load;
	json_int_t requests, warm_up, connections, csrs, idle, calls, activations;
	bool dcom;
	const char *speed; /* "rsa2048", "ecdsap256"; NULL: not measured */
	long pid;          /* of the server; 0 when it is elsewhere */
	json_t *out;
};

/* ---- the server's side ---- */

/* Time of all its threads; -1 when it cannot be seen. */
static double
cpu_seconds(long pid)
{
	unsigned long user, system;
	char path[64], line[1024];
	double seconds = -1;
	const char *p;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = pid > 0 ? fopen(path, "r") : NULL;
	if (f == NULL)
		return -1;
	/* The name in parentheses may hold anything; utime and stime are 12 and 13 behind it. */
	if (fgets(line, sizeof(line), f) != NULL && (p = strrchr(line, ')')) != NULL &&
	    sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2)
		seconds = (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
	fclose(f);
	return seconds;
}

static long
resident_kib(long pid)
{
	char path[64], line[256];
	long kib = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	f = pid > 0 ? fopen(path, "r") : NULL;
	while (f != NULL && kib < 0 && fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "VmRSS: %ld kB", &kib);
	if (f != NULL)
		fclose(f);
	return kib;
}

/* Microseconds of one signature, by openssl speed itself; 0 when it does not say. */
static double
openssl_speed(const char *algorithm)
{
	char command[128], line[256];
	double rate = 0;
	FILE *f;

	snprintf(command, sizeof(command), "openssl speed -seconds %d -mr %s 2>/dev/null", SPEED_SECONDS,
	    algorithm);
	f = popen(command, "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		(void)sscanf(line, "+F%*d:%*d:%*d:%lf", &rate);
	if (f != NULL)
		pclose(f);
	return rate > 0 ? 1e6 / rate : 0;
}

/* ---- what is asked ---- */

static int
number(const struct ctl_args *a, const char *name, json_int_t preset, json_int_t *out)
{
	*out = preset;
	return ctl_arg(a, name) == NULL ? CTL_OK : ctl_number_arg(ctl_arg(a, name), name, out);
}

/* Different keys and names, made before anything is measured. */
static int
make_requests(struct bench *b, const char *spec, struct err *e)
{
	struct bytes *list = pool_calloc(b->c->pool, (size_t)b->csrs, sizeof(*list));
	int rc = list != NULL ? 0 : ERR(e, E_OUTOFMEMORY, "no memory for requests");

	for (json_int_t i = 0; rc == 0 && i < b->csrs; i++) {
		struct x509_new_key *key = x509_new_key_make(spec, e);
		struct policy_made_up m = { .subject =
						pool_printf(b->c->pool, "CN=bench%lld", (long long)i) };
		struct buf spki, info, csr;

		buf_init(&spki, CSR_MAX);
		buf_init(&info, CSR_MAX);
		buf_init(&csr, CSR_MAX);
		rc = -1;
		if (key != NULL && x509_new_key_spki(key, &spki, e) == 0 &&
		    policy_make_up_info(&info, &m, buf_bytes(&spki), e) == 0 &&
		    x509_new_request_sign(key, buf_bytes(&info), &csr, e) == 0)
			rc = pool_dup_bytes(b->c->pool, buf_bytes(&csr), &list[i]);
		x509_new_key_free(key);
		buf_fini(&spki);
		buf_fini(&info);
		buf_fini(&csr);
	}
	b->load.requests = list;
	b->load.n_requests = (size_t)b->csrs;
	return rc;
}

/* ---- what is measured ---- */

static void
put_real(struct bench *b, const char *name, double v)
{
	json_object_set_new(b->out, name, json_real((double)(int64_t)(v * 100 + 0.5) / 100));
}

static double
percentile_ms(const struct client_load_result *r, unsigned percent)
{
	size_t i = ((size_t)r->done * percent + 99) / 100;

	return (double)r->latencies[i > 0 ? i - 1 : 0] / 1000.0;
}

static int
measure_certificates(struct bench *b, struct client_load_run *run, struct err *e)
{
	struct client_load_result r;
	double before, cpu, sign = 0;

	if (b->warm_up > 0) {
		if (client_load_certificates(run, (unsigned)b->warm_up, &r, e) != 0)
			return -1;
		free(r.latencies);
	}
	if (b->speed != NULL)
		sign = openssl_speed(b->speed);
	before = cpu_seconds(b->pid);
	if (client_load_certificates(run, (unsigned)b->requests, &r, e) != 0)
		return -1;
	cpu = cpu_seconds(b->pid);
	json_object_set_new(b->out, "certificates", json_integer(r.done));
	json_object_set_new(b->out, "failed", json_integer(r.failed));
	if (r.failed > 0)
		json_object_set_new(b->out, "firstFailure", json_string(r.why.msg));
	put_real(b, "certificatesPerSecond", (double)r.done / ((double)r.us / 1e6));
	put_real(b, "p50Ms", percentile_ms(&r, 50));
	put_real(b, "p99Ms", percentile_ms(&r, 99));
	if (before >= 0 && cpu >= 0)
		put_real(b, "serverCpuUsPerCertificate", (cpu - before) * 1e6 / r.done);
	if (sign > 0) {
		sign = (sign + openssl_speed(b->speed)) / 2;
		json_object_set_new(b->out, "opensslSpeed", json_string(b->speed));
		put_real(b, "opensslUsPerSignature", sign);
		if (before >= 0 && cpu >= 0)
			put_real(b, "ratio", (cpu - before) * 1e6 / r.done / sign);
	}
	free(r.latencies);
	return 0;
}

static int
measure_calls(struct bench *b, struct client_load_run *run, struct err *e)
{
	double before = cpu_seconds(b->pid), cpu;
	uint64_t us;

	if (client_load_calls(run, (unsigned)b->calls, &us, e) != 0)
		return err_prefix(e, "calls");
	cpu = cpu_seconds(b->pid);
	put_real(b, "callsPerSecond", (double)b->calls / ((double)us / 1e6));
	if (before >= 0 && cpu >= 0)
		put_real(b, "serverCpuUsPerCall", (cpu - before) * 1e6 / (double)b->calls);
	return 0;
}

/* Each on a connection of its own, authenticated anew, as DCOM clients do it; one after the other. */
static int
measure_activations(struct bench *b, struct err *e)
{
	double before = cpu_seconds(b->pid), cpu;
	uint64_t begin = clock_monotonic_us();

	for (json_int_t i = 0; i < b->activations; i++)
		if (client_session_activate(b->s, e) != 0)
			return -1;
	put_real(b, "activationsPerSecond",
	    (double)b->activations / ((double)(clock_monotonic_us() - begin) / 1e6));
	cpu = cpu_seconds(b->pid);
	if (before >= 0 && cpu >= 0)
		put_real(b, "serverCpuUsPerActivation", (cpu - before) * 1e6 / (double)b->activations);
	return 0;
}

/* Connections that are bound and authenticated, and then say nothing. */
static int
measure_idle(struct bench *b, struct err *e)
{
	struct client_load load = b->load;
	long before = resident_kib(b->pid);
	struct client_load_run *run;
	uint64_t us;

	load.connections = (unsigned)b->idle;
	run = client_load_open(&load, &us, e);
	if (run == NULL)
		return err_prefix(e, "idle connections");
	json_object_set_new(b->out, "idleConnections", json_integer(b->idle));
	put_real(b, "authenticationsPerSecond", (double)b->idle / ((double)us / 1e6));
	if (before > 0) {
		json_object_set_new(b->out, "residentKiB", json_integer(before));
		json_object_set_new(b->out, "residentKiBWithIdle", json_integer(resident_kib(b->pid)));
	}
	client_load_close(run);
	return 0;
}

static int
measure(struct bench *b, struct err *e)
{
	struct client_load_run *run;
	uint64_t us;
	int rc = 0;

	if ((b->idle > 0 && measure_idle(b, e) != 0) ||
	    (b->activations > 0 && measure_activations(b, e) != 0))
		return -1;
	run = client_load_open(&b->load, &us, e);
	if (run == NULL)
		return -1;
	if (b->requests > 0)
		rc = measure_certificates(b, run, e);
	if (rc == 0 && b->calls > 0)
		rc = measure_calls(b, run, e);
	client_load_close(run);
	return rc;
}

/* ---- the verb ---- */

static int
find_server(struct bench *b, struct err *e)
{
	const struct client_target *t = client_session_target(b->s);
	json_t *o;

	if (b->dcom) {
		b->load.object = client_session_requests(b->s, e);
		if (b->load.object == NULL)
			return -1;
		b->load.port = client_object_port(b->load.object);
	} else if (client_epm_map(client_session_base(b->s), t->host, t->epm_port, &client_icertpassage,
		       t->timeout_s, &b->load.port, e) != 0) {
		return -1;
	}
	b->load.host = t->host;
	b->load.ca = t->ca;
	b->load.timeout_s = t->timeout_s;
	if (b->c->config == NULL) {
		o = ctl_call(b->c, "server.show", NULL, e);
		if (o == NULL)
			return -1;
		b->pid = (long)json_integer_value(json_object_get(o, "pid"));
		json_decref(o);
	}
	return 0;
}

/* Each connection is a descriptor of ours too. */
static void
raise_own_limit(json_int_t connections)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < (rlim_t)connections + OWN_FILES) {
		lim.rlim_cur = (rlim_t)connections + OWN_FILES;
		if (lim.rlim_max < lim.rlim_cur)
			lim.rlim_max = lim.rlim_cur;
		(void)setrlimit(RLIMIT_NOFILE, &lim); /* connecting tells when it was not enough */
	}
}

static int
prepare(struct bench *b, const struct ctl_args *a, struct err *e)
{
	const char *template = ctl_arg(a, "template"), *key = ctl_arg(a, "key");

	b->load.connections = (unsigned)b->connections;
	b->load.attributes =
	    pool_printf(b->c->pool, "CertificateTemplate:%s", template != NULL ? template : "User");
	raise_own_limit(b->connections > b->idle ? b->connections : b->idle);
	if (find_server(b, e) != 0 || make_requests(b, key != NULL ? key : POLICY_MADE_UP_KEY, e) != 0)
		return -1;
	b->load.principals = &client_session_target(b->s)->auth;
	b->load.n_principals = 1;
	return b->who.n > 0 ? bench_principals_load(&b->who, b->c, &b->load, e) : 0;
}

static int
print_result(struct bench *b)
{
	const char *name;
	json_t *v;

	if (b->c->json)
		return ctl_print_json(json_incref(b->out));
	json_object_foreach(b->out, name, v)
	{
		if (json_is_string(v))
			printf("%-28s %s\n", name, json_string_value(v));
		else if (json_is_integer(v))
			printf("%-28s %lld\n", name, (long long)json_integer_value(v));
		else
			printf("%-28s %.2f\n", name, json_real_value(v));
	}
	return CTL_OK;
}

int
ctl_bench(struct ctl *c, const struct ctl_args *a)
{
	struct bench b = { .c = c, .speed = ctl_arg(a, "openssl-speed") };
	const char *transport = ctl_arg(a, "transport");
	struct err e;
	int rc;

	if (number(a, "requests", 4000, &b.requests) != CTL_OK ||
	    number(a, "warm-up", 200, &b.warm_up) != CTL_OK ||
	    number(a, "connections", 8, &b.connections) != CTL_OK ||
	    number(a, "csrs", 16, &b.csrs) != CTL_OK || number(a, "idle", 0, &b.idle) != CTL_OK ||
	    number(a, "calls", 0, &b.calls) != CTL_OK ||
	    number(a, "activations", 0, &b.activations) != CTL_OK)
		return CTL_USAGE;
	b.dcom = transport != NULL && strcasecmp(transport, "dcom") == 0;
	if (transport != NULL && !b.dcom && strcasecmp(transport, "icpr") != 0)
		return ctl_usage("--transport takes icpr or dcom");
	if (b.connections == 0 || b.csrs == 0)
		return ctl_usage("bench needs a connection and a request");
	if (b.speed != NULL && strspn(b.speed, "abcdefghijklmnopqrstuvwxyz0123456789") != strlen(b.speed))
		return ctl_usage("--openssl-speed takes a name that openssl speed knows");
	rc = ctl_arg(a, "principals") != NULL ? bench_principals_read(&b.who, c, ctl_arg(a, "principals"), &e)
					      : 0;
	if (rc == 0)
		b.s = ctl_remote_open_as(c, b.who.n > 0 ? &b.who.v[0] : NULL, &e);
	if (b.s == NULL) {
		bench_principals_fini(&b.who);
		return ctl_fail(c, &e);
	}
	b.out = json_pack("{s:s, s:I, s:s}", "transport", b.dcom ? "dcom" : "icpr", "connections",
	    b.connections, "key", ctl_arg(a, "key") != NULL ? ctl_arg(a, "key") : POLICY_MADE_UP_KEY);
	rc = prepare(&b, a, &e);
	if (rc == 0)
		json_object_set_new(b.out, "principals", json_integer((json_int_t)b.load.n_principals));
	if (rc == 0)
		rc = measure(&b, &e);
	rc = rc == 0 ? print_result(&b) : ctl_fail(c, &e);
	json_decref(b.out);
	client_session_free(b.s);
	bench_principals_fini(&b.who);
	return rc;
}
