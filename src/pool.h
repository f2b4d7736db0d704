/* SPDX-License-Identifier: MIT */
/*
 * Pools: sets of frames, each under one limit with one policy.
 *
 * Pool 0 is the daemon's. A client that has a limit or a policy of its own has a pool, and so has
 * an object. A frame's home is its object's pool, or else the pool of the client that brought it
 * in, or else pool 0; every frame is counted at home. The pager's thread only.
 */
#ifndef PAGERD_POOL_H
#define PAGERD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagerd/policy.h"
#include "pager.h"
#include "payoff.h"
#include "share.h"

struct client;
struct object;
struct region;

struct pool {
	bool active;
	bool policy_own;      /* else it has what pool 0 has */
	uint32_t uid;	      /* who made it */
	uint32_t limit_pages; /* 0: none */
	struct share share;
	uint32_t used_pages;
	uint32_t reclaiming; /* its FRAME_RECLAIM frames */
	uint32_t tick;	     /* counts frames taken */
	struct payoff payoff;
	uint32_t unit; /* pages, or UNIT_AUTO (unit.h); 0: what pool 0 has */
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	void *policy_bytes;
	uint64_t policy_bytes_size;
	char spec[PAGER_POLICY_BYTES];
};
#define POOL_MAX 4096u /* further clients share pool 0; further objects have their clients' */

/* Pool 0, which gets its policy from pool_set_policy. */
void pools_init(struct pager *pager);
void pools_finish(struct pager *pager);

/* The number of the pool where pages of object that client brings in are counted; either may be
 * NULL. */
uint32_t pool_number(const struct client *client, const struct object *object);
struct pool *pool_of(struct pager *pager, const struct client *client, const struct object *object);
/* The pool of what comes in for the region: of a private one, its file's pages. */
struct pool *pool_of_region(struct pager *pager, const struct region *region);
/* Its policy, as it was set and, in brackets, which one that follows now if it chooses. */
void pool_describe(const struct pool *pool, char *text, size_t bytes);
/* Pass on what policies have noted. Not within a fault: this is where text is made of it. */
void pools_tell(struct pager *pager);
/* Frames that the pool may have. */
uint32_t pool_capacity(const struct pager *pager, const struct pool *pool);
/* Its limit as it was set (pool 0's is the budget), and the pager's share of it, or all of it;
 * 0: none. */
uint64_t pool_limit(const struct pager *pager, uint32_t number);
uint32_t pool_share(const struct pager *pager, uint32_t number);

/* Would pool_set_policy accept spec? 0; or -EINVAL (no such policy or parameter: why names it) or
 * -ENOMEM. */
int pool_try_policy(struct pager *pager, const char *spec, char *why, size_t why_bytes);
/* Switch to another policy, which starts from the old one's order. On failure, which is as above,
 * the old one stays. Pools that have no policy of their own follow pool 0, as far as memory allows.
 */
int pool_set_policy(struct pager *pager, uint32_t pool, const char *spec, char *why,
		    size_t why_bytes);
/* Set the limit (0: none). */
void pool_set_limit(struct pager *pager, uint32_t pool, uint64_t limit_pages);
/* Make a pool for the client or object whose member *holder is, if it has none, on behalf of uid;
 * the frames that belong there move. 0, -ENOMEM, -ENOSPC (too many pools, of that user or in all).
 */
int pool_own(struct pager *pager, uint32_t *holder, uint32_t uid);
/* Give it up, if there is one: its frames move to where they belong now. */
void pool_give_up(struct pager *pager, uint32_t *holder);
/* The client has gone: what others still use of its frames belongs to nobody in particular. */
void pool_leave(struct pager *pager, struct client *client);
/* Change the daemon's budget. */
void budget_set(struct pager *pager, uint64_t pages);

/*
 * pool_victims.c. A policy that gives what it does not hold, or more than it was asked for, is not
 * asked or told anything any more, and nothing of the pool leaves: the pager is to be ended.
 */

/* Up to count victims of its policy, best first, isolated (frame.h). */
uint32_t pool_victims(struct pager *pager, struct pool *pool, uint32_t *frames, uint32_t count);
/* How many frames its policy holds: no more than there are. */
uint32_t pool_held(struct pager *pager, struct pool *pool);
/* Take from old, which the pool was, all frames that its policy holds, worst first, and then what
 * that keeps back; how many. No policy knows them, nor those that were isolated, any more. */
uint32_t pool_take_all(struct pager *pager, uint32_t pool, const struct pool *old,
		       uint32_t *frames);
bool pool_is_broken(const struct pool *pool);
/* Serve a PAGER_WATCH request. */
void policies_watch(struct pager *pager, struct pager_request *request);

#endif
