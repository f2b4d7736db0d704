/* SPDX-License-Identifier: MIT */
/* The daemon's state on the main thread. */
#ifndef PAGERD_DAEMON_H
#define PAGERD_DAEMON_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "bridge.h"
#include "config.h"
#include "gate.h"
#include "numbers.h"

struct bank;
struct closings;
struct pagerd_filter;
struct session;

struct daemon {
	struct config config;
	struct event_base *base;
	struct bridge bridge;
	uint32_t files;		       /* as many as the daemon may have open */
	struct bank *bank, *swap_bank; /* of several shards, or NULL */
	struct pagerd_filter *filter;  /* or NULL */
	struct event *listen_event;
	struct event *retry_event;    /* accepting goes on after descriptors were short */
	struct event *lifeline_event; /* NULL: none */
	int listen_fd;
	int lock_fd;
	int device_fd;			    /* /dev/userfaultfd, or -1 */
	int latency_fds[PAGERD_SHARDS_MAX]; /* /dev/cpu_dma_latency of each, or -1 */
	int spare_fd; /* given up to turn a client away when descriptors are short */
	int swap_fd;  /* the swap directory */
	struct gate gate;
	struct closings *closings;
	struct session *sessions;
	unsigned session_count;
	struct numbers numbers; /* of clients */
	bool short_of_files;	/* and the log says so */
	bool orphaned;		/* the lifeline has hung up */
	bool stopping;
	struct job stop_jobs[PAGERD_SHARDS_MAX];
	struct job watch_jobs[PAGERD_SHARDS_MAX];
	int status;	  /* to exit with */
	uint32_t running; /* shards that have not stopped */
	uint64_t started_s;
};

/* End when nothing keeps the daemon any more. */
void daemon_check_end(struct daemon *daemon);
/* Write what is unwritten and leave the loop. */
void daemon_stop(struct daemon *daemon);

#endif
