/* The command line of adcsd. */
#ifndef ADCSD_ADCSD_OPTIONS_H
#define ADCSD_ADCSD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

/* sysexits, as scripts rely on them */
enum { EXIT_USAGE = 64, EXIT_DATA = 65, EXIT_UNAVAILABLE = 69, EXIT_CANTCREAT = 73, EXIT_CONFIG = 78 };

struct options {
	const char *state;      /* --state */
	const char *config;     /* --config; NULL: the sample instance or the state's own copy */
	const char *forest;     /* --forest; NULL: the sample forest */
	const char *listen;     /* --listen, default 127.0.0.1 */
	const char *data_dir;   /* --data-dir; NULL: beside the program, else the installed one */
	const char *ready_file; /* --ready-file */
	const char *user;       /* --user, when started as root */
	const char *slapd;      /* --slapd; NULL: found in the usual places */
	const char *keytab;     /* --keytab; NULL: the setting, or none */
	bool kdc;               /* --kdc */
	bool ports_auto;        /* --port-base auto */
	unsigned port_base;     /* 0..16383 */
	bool seeded;
	uint64_t seed;
	filetime_t clock; /* --clock: virtual time stands still there; 0: it follows real time */
	bool check_config;
};

/* Prints help, version or a usage error itself. Returns -1 to go on, else the exit code. */
int
options_parse(struct options *o, int argc, char **argv);

#endif
