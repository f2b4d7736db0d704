/* SPDX-License-Identifier: MIT */
/* The daemon that a run uses: one that it joins, or a private one that it starts and ends. */
#ifndef PAGERD_CLIENT_SERVICE_H
#define PAGERD_CLIENT_SERVICE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "socket.h"

struct service {
	char path[SOCKET_PATH_MAX]; /* of the socket */
	int control;		    /* our own session; its end is the daemon's end */
	uint32_t pid;
	/* a private daemon's */
	bool private;
	int lifeline;			 /* it ends some time after this was closed */
	char directory[SOCKET_PATH_MAX]; /* holds the socket */
};

struct service_options {
	uint64_t memory_bytes;
	const char *policy;   /* NULL: the daemon's default */
	const char *unit;     /* NULL: likewise */
	const char *swap;     /* NULL: likewise */
	const char *chaos;    /* the seed; NULL: none */
	const char *access;   /* source of access information; NULL: the daemon's default */
	const char *threads;  /* how many page; NULL: the daemon's default */
	const char *files;    /* local or all; NULL: the daemon's default */
	int record;	      /* a trace of page references is written there; -1: none */
	const char *resident; /* pages that are not recorded again; NULL: the daemon's default */
};

/* Functions return 0, or an exit status after having said what is wrong. */

/* Join the daemon at path. Says nothing if none answers and quiet is set. */
int service_join(struct service *service, const char *path, bool quiet);
/* Start a private daemon. */
int service_start(struct service *service, const struct service_options *options);
/* Wait until what the command left unwritten is in its files, and let go of the daemon. A private
 * one ends then, unless processes in the background still need it. */
void service_finish(struct service *service);
/* The daemon is gone: clear up, and say how it ended. */
void service_bury(struct service *service);

#endif
