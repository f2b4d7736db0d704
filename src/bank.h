/* SPDX-License-Identifier: MIT */
/*
 * A number of pages that several pagers share: the daemon's budget, a client's limit, swap.
 *
 * Each pager has an account, and takes from the bank as it needs pages. When the bank has none
 * left, who needs them less gives some back: see account_report. At no time have all accounts
 * together more than the total, but for pages that are on their way out after the total was
 * lowered.
 *
 * An account has always BANK_FLOOR_PAGES, so that its pager can work whatever the others do. What
 * is below is therefore the least that a bank of accounts has for each of them. Swap needs no
 * accounts: nobody is asked to give any back, and there is no least.
 *
 * Any thread may use a bank; an account is one pager's. The mutex is taken at most once in each
 * step by which a limit grows or shrinks, and in each tick under pressure.
 */
#ifndef PAGERD_BANK_H
#define PAGERD_BANK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "pagerd/protocol.h"

#define BANK_FLOOR_PAGES ((uint64_t)(PAGERD_MEMORY_MIN >> 12))
#define BANK_STEP_PAGES	 256u /* fewer are not worth the resizing of policies */

struct bank;

/* For so many accounts, numbered from 0; NULL: not enough memory. One reference is the caller's. */
struct bank *bank_make(uint32_t accounts, uint64_t pages);
struct bank *bank_ref(struct bank *bank);
void bank_unref(struct bank *bank);
/* Change the total: accounts that have too much shrink, all in the same proportion. */
void bank_set(struct bank *bank, uint64_t pages);
uint64_t bank_total(const struct bank *bank);
/* Pages that nobody has. Reads memory, no more: it may be of some time ago. */
uint64_t bank_spare(const struct bank *bank);
/* Without an account: all the pages, or none and false. */
bool bank_take(struct bank *bank, uint64_t pages);
void bank_give(struct bank *bank, uint64_t pages);
/* Do its books balance? */
bool bank_check(struct bank *bank);

/* How a pager that may be asleep is told to look after its accounts. */
struct bell {
	int fd; /* an eventfd that wakes it up */
	atomic_bool rung;
};

struct account {
	struct bank *bank; /* NULL: there is none */
	uint32_t number;
	uint64_t pages; /* it must not have more in use */
	bool held_back; /* others need them more: it takes none until it has reported again */
	bool pressed;	/* others know that it needs some */
};

/* Nobody else has the bank's account of that number. Takes a reference. */
void account_open(struct account *account, struct bank *bank, uint32_t number, struct bell *bell);
/* Gives all pages back. */
void account_close(struct account *account);
/* Take up to so many pages; returns how many. Cheap if there are none. */
uint64_t account_take(struct account *account, uint64_t pages);
/* Give so many back, which are in use no more. */
void account_give(struct account *account, uint64_t pages);
/* It could take none, and is going to report within a tick: others give what is idle at once. */
void account_want(struct account *account);
/* Could it have more, if all others gave what they can? */
bool account_may_grow(const struct account *account);
/* Does it have what the bank thinks? */
bool account_check(const struct account *account);

#define RESIDENCE_NONE UINT64_MAX /* no page had to leave for another */

struct account_report {
	uint64_t limit;	       /* that the pager keeps to; out: is to keep to from now on */
	uint64_t idle;	       /* pages of it that are neither in use nor about to be */
	uint64_t residence_ns; /* how long a page stays, at present; 0: some wait for pages in vain;
				* RESIDENCE_NONE */
	bool again;	       /* out: it is to report again in a tick, though nothing happens */
};

/*
 * What the pager says of itself once a tick, and in answer to a bell. Where pages have to leave in
 * other pagers and the bank has none, it is to give: if none has to here, what is idle or an eighth
 * of all, whichever is more; if they stay here longer than 1.5 times as long as where they stay
 * shortest, a sixteenth.
 */
void account_report(struct account *account, struct account_report *report);

#endif
