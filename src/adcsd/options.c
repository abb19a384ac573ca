#include "adcsd/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

static const char help[] =
    "usage: adcsd --state DIR [options]\n"
    "\n"
    "A stand-in for a Microsoft Enterprise CA (AD CS) and the slice of Active Directory it needs.\n"
    "\n"
    "  --state DIR          everything the instance keeps: keys, database, directory, journal, control "
    "socket.\n"
    "                       A new folder is initialised, an existing one goes on where it was\n"
    "  --config FILE        CA settings (default: the sample instance, or the copy in the state folder)\n"
    "  --forest FILE.ldif   forest for a new state (default: the sample forest corp.contoso.com)\n"
    "  --listen ADDR        numeric address to listen on (default 127.0.0.1)\n"
    "  --port-base N|auto   added to every well-known port, 0 to 16383: 80, 135, 49152 become N+80, N+135, "
    "N+49152;\n"
    "                       auto takes free ports and tells them in the ready line (default 0)\n"
    "  --seed N             deterministic keys, serial numbers and signatures: for tests only\n"
    "  --clock TIME         virtual time starts at TIME (2026-06-01T12:00:00Z) and stands still until moved\n"
    "  --ready-file FILE    writes the ready line there too, once all ports answer\n"
    "  --user NAME          started as root, drop to this account after binding the ports (default nobody)\n"
    "  --data-dir DIR       where ldap-schema/, templates/ and the sample forest are\n"
    "  --slapd PATH         the slapd program (default /usr/sbin/slapd)\n"
    "  --keytab FILE        accept Kerberos too, with the keys of this keytab, any service in it\n"
    "  --kdc                start a Kerberos KDC for the forest (krb5kdc), its files in DIR/kdc: see 'server "
    "show'\n"
    "  --check-config       check --config (and the rest of the command line), then exit: 0 or file:line and "
    "reason\n"
    "  --trace AREAS        detailed log: rpc,ndr,auth,policy,ldap,ca,store,control,main or all\n"
    "  --quiet              log warnings and errors only\n"
    "  --version, --help\n"
    "\n"
    "Ready: one line of JSON on standard output (pid, CA config string, ports, directory URI, "
    "milliseconds).\n"
    "SIGTERM ends cleanly. Exit codes: 0, 64 usage, 69 unavailable, 73 cannot create, 78 configuration.\n";

enum {
	OPT_STATE = 256,
	OPT_CONFIG,
	OPT_FOREST,
	OPT_LISTEN,
	OPT_PORT_BASE,
	OPT_SEED,
	OPT_CLOCK,
	OPT_READY_FILE,
	OPT_USER,
	OPT_DATA_DIR,
	OPT_SLAPD,
	OPT_KEYTAB,
	OPT_KDC,
	OPT_CHECK_CONFIG,
	OPT_TRACE,
	OPT_QUIET,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "config", required_argument, NULL, OPT_CONFIG },
	{ "forest", required_argument, NULL, OPT_FOREST },
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "port-base", required_argument, NULL, OPT_PORT_BASE },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "ready-file", required_argument, NULL, OPT_READY_FILE },
	{ "user", required_argument, NULL, OPT_USER },
	{ "data-dir", required_argument, NULL, OPT_DATA_DIR },
	{ "slapd", required_argument, NULL, OPT_SLAPD },
	{ "keytab", required_argument, NULL, OPT_KEYTAB },
	{ "kdc", no_argument, NULL, OPT_KDC },
	{ "check-config", no_argument, NULL, OPT_CHECK_CONFIG },
	{ "trace", required_argument, NULL, OPT_TRACE },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int
usage(const char *what, const char *value)
{
	fprintf(stderr, "adcsd: %s%s%s\nTry 'adcsd --help'.\n", what, value != NULL ? ": " : "",
	    value != NULL ? value : "");
	return EXIT_USAGE;
}

static bool
parse_number(const char *s, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(s, &end, 0);
	return *s >= '0' && *s <= '9' && *end == '\0' && errno == 0 && *out <= max;
}

static int
apply(struct options *o, int opt, const char *arg)
{
	struct err e = { 0 };
	uint64_t n;

	switch (opt) {
	case OPT_STATE:
		o->state = arg;
		break;
	case OPT_CONFIG:
		o->config = arg;
		break;
	case OPT_FOREST:
		o->forest = arg;
		break;
	case OPT_LISTEN:
		o->listen = arg;
		break;
	case OPT_PORT_BASE:
		o->ports_auto = strcmp(arg, "auto") == 0;
		if (!o->ports_auto && !parse_number(arg, 16383, &n))
			return usage("--port-base takes 'auto' or a number from 0 to 16383", arg);
		o->port_base = o->ports_auto ? 0 : (unsigned)n;
		break;
	case OPT_SEED:
		if (!parse_number(arg, UINT64_MAX, &o->seed))
			return usage("--seed takes a number", arg);
		o->seeded = true;
		break;
	case OPT_CLOCK:
		if (!filetime_from_text(arg, &o->clock))
			return usage("--clock takes a time such as 2026-06-01T12:00:00Z", arg);
		break;
	case OPT_READY_FILE:
		o->ready_file = arg;
		break;
	case OPT_USER:
		o->user = arg;
		break;
	case OPT_DATA_DIR:
		o->data_dir = arg;
		break;
	case OPT_SLAPD:
		o->slapd = arg;
		break;
	case OPT_KEYTAB:
		o->keytab = arg;
		break;
	case OPT_KDC:
		o->kdc = true;
		break;
	case OPT_CHECK_CONFIG:
		o->check_config = true;
		break;
	case OPT_TRACE:
		if (log_set_trace(arg, &e) != 0)
			return usage(e.msg, NULL);
		break;
	case OPT_QUIET:
		log_set_level(LOG_WARN);
		break;
	case OPT_VERSION:
		puts("adcsd " ADCSD_VERSION);
		return 0;
	case OPT_HELP:
		fputs(help, stdout);
		return 0;
	default:
		fputs("Try 'adcsd --help'.\n", stderr);
		return EXIT_USAGE;
	}
	return -1;
}

int
options_parse(struct options *o, int argc, char **argv)
{
	int opt, rc;

	*o = (struct options){ .listen = "127.0.0.1", .user = "nobody" };
	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		rc = apply(o, opt, optarg);
		if (rc >= 0)
			return rc;
	}
	if (optind < argc)
		return usage("not an option", argv[optind]);
	if (o->state == NULL && !o->check_config)
		return usage("--state DIR is needed", NULL);
	return -1;
}
