/* SPDX-License-Identifier: MIT */
/* A pagerd for one run. */
#ifndef PAGERBENCH_DAEMON_PROCESS_H
#define PAGERBENCH_DAEMON_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "options.h"

struct daemon_options {
	uint64_t memory_bytes;
	const char *policy;
	const struct options_list *loaded; /* shared objects with more policies */
	const char *swap;		   /* directory */
	const char *reclaim;		   /* NULL: as it comes */
	const char *access;		   /* likewise */
	int prefetch;			   /* -1: likewise */
};

struct daemon_process {
	pid_t pid;    /* 0: there is none */
	int lifeline; /* it ends when this is closed */
	char directory[64];
	char socket[96];
};

/* Start one with a socket of its own, and wait until it answers. 0, or an exit status after having
 * said what is wrong. */
int daemon_process_start(struct daemon_process *daemon, const struct daemon_options *options);
/* End it. 0, or an exit status if it did not end well. Harmless if there is none. */
int daemon_process_end(struct daemon_process *daemon);

#endif
