/* SPDX-License-Identifier: MIT */
/* Requests to the pager's thread, and their way back to the main thread. */
#ifndef PAGERD_BRIDGE_H
#define PAGERD_BRIDGE_H

#include <event2/event.h>
#include <pthread.h>

#include "pager.h"

/* A request with what the main thread does when it has ended. */
struct job {
	struct pager_request request;
	void (*complete)(struct job *job); /* on the main thread, but for bridge_start */
	void *owner;
	struct bridge *bridge;
	struct job *next;
};

struct bridge {
	struct pager *pager;
	pthread_mutex_t lock;
	struct job *ended; /* in the order they ended */
	struct job **tail;
	int fd;
	struct event *event;
};

/* 0 or -errno. */
int bridge_init(struct bridge *bridge, struct event_base *base, struct pager *pager);
void bridge_finish(struct bridge *bridge);
/* Post job->request; job must live until complete is called. Main thread. */
void bridge_post(struct bridge *bridge, struct job *job);
/* The same on the pager's thread, where complete is called, too. */
void bridge_start(struct bridge *bridge, struct job *job);
/* Have job->complete called on the main thread, without a request. The pager's thread. */
void bridge_return(struct bridge *bridge, struct job *job);

#endif
