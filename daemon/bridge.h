/* SPDX-License-Identifier: MIT */
/*
 * Requests to the pagers' threads, and their way back to the main thread.
 *
 * The daemon's objects are divided among its pagers, the shards. A request goes to one of them, or
 * to several, one after the other; each hands it on to the next.
 */
#ifndef PAGERD_BRIDGE_H
#define PAGERD_BRIDGE_H

#include <event2/event.h>
#include <pthread.h>

#include "pager.h"

/* What the answers of several shards come to. */
enum job_rule {
	JOB_EACH,     /* ends with the first that fails */
	JOB_ANYWHERE, /* the same; that nothing is there is an error if nothing is anywhere */
	JOB_SEARCH,   /* goes on while the answer is -ENOENT */
	JOB_ALL,      /* goes on in every case; the first error */
};

/* A request with what the main thread does when it has ended. */
struct job {
	struct pager_request request;
	void (*complete)(struct job *job); /* on the main thread, but for bridge_start */
	void *owner;
	uint32_t shard; /* that has the request, or had it last */
	uint64_t rest;	/* bits: the shards that are to have it then */
	enum job_rule rule;
	bool found;	/* the bridge's own */
	int error;	/* the same */
	uint32_t *home; /* of bridge_start: which thread is at work now */
	struct bridge *bridge;
	struct job *next;
};

struct bridge {
	struct pager *pagers[PAGERD_SHARDS_MAX];
	uint32_t shards;
	pthread_mutex_t lock;
	struct job *ended; /* in the order they ended */
	struct job **tail;
	int fd;
	struct event *event;
};

/* 0 or -errno. */
int bridge_init(struct bridge *bridge, struct event_base *base, struct pager *const *pagers,
		uint32_t shards);
void bridge_finish(struct bridge *bridge);
/* Post job->request; job must live until complete is called. Main thread. */
void bridge_post(struct bridge *bridge, struct job *job);
/* The same on the thread of shard *home, which becomes that of the shard that had it last; there
 * complete is called, too. */
void bridge_start(struct bridge *bridge, struct job *job, uint32_t *home);
/* Have job->complete called on the main thread, without a request. A pager's thread. */
void bridge_return(struct bridge *bridge, struct job *job);

/* The job is for all the shards in a mask that is not 0; all of them. */
static inline void job_route(struct job *job, uint64_t shards)
{
	job->shard = (uint32_t)__builtin_ctzll(shards);
	job->rest = shards & (shards - 1);
}

static inline uint64_t bridge_all(const struct bridge *bridge)
{
	return UINT64_MAX >> (64 - bridge->shards);
}

#endif
