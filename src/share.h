/* SPDX-License-Identifier: MIT */
/*
 * Shares: what this pager has of banks that it shares with others.
 *
 * A pool may have an account of a bank; of pool 0 it is the daemon's budget, of a client's pool the
 * client's limit. The pool's limit then is never above what the account has. It grows by steps when
 * reclaim would have to begin, as long as the bank has some, and shrinks when others need the pages
 * more; what is above it goes back to the bank as it comes free. The pager's thread only.
 */
#ifndef PAGERD_SHARE_H
#define PAGERD_SHARE_H

#include <stdbool.h>
#include <stdint.h>

#include "bank.h"

struct pager;

/* Of a pool. */
struct share {
	struct account account;
	bool wanted;	/* more pages, in vain, since the last report */
	uint32_t taken; /* frames that it had taken at the last report */
	uint64_t rate;	/* of taking frames: sixteenths of one in a tick, averaged */
	bool starving;	/* at the last report faults waited, and none got a frame since the one
			   before */
};

/* Of a pager. */
struct shares {
	uint32_t count;
	bool restless; /* there is something to report in a tick */
	bool owing;    /* an account has more than its pool's limit */
	bool vain;     /* faults failed for want of pages, and there have not been more since */
	uint64_t reported_ns;
	struct bell bell;
};

/* The pool's limit is a share of the bank from now on; nothing happens if it is already. */
void share_open(struct pager *pager, uint32_t pool, struct bank *bank);
/* Its limit, which stays as it is, is its own from now on. */
void share_close(struct pager *pager, uint32_t pool);
/* Reclaim would have to begin in the pool: raise its limit instead. False if it cannot be. */
bool share_grow(struct pager *pager, uint32_t pool);
/* May waiting for the others help, where nothing can be evicted here? */
bool shares_may_grow(const struct pager *pager);

/* Once a turn: answer the bell, give back what has come free. */
void shares_turn(struct pager *pager);
/* Once in tick_ns: report, and give what is asked for. */
void shares_tick(struct pager *pager);

#endif
