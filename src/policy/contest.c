/* SPDX-License-Identifier: MIT */
/* The contest of candidate policies: when is another clearly better? */
#include "policy/contest.h"

#include <string.h>

#define PATIENCE_ONCE 2u /* doublings of the price after a first switch */
#define PATIENCE_MOST 5u
#define CALM	      32u /* cachefuls of misses */
#define FLOOR	      1u  /* cachefuls of misses */

static int64_t account_floor(const struct contest *contest)
{
	return -100 * (int64_t)FLOOR * contest->cache;
}

static void account_add(const struct contest *contest, struct contest_account *account,
			uint32_t own_misses)
{
	uint32_t current_misses = contest->real_misses;
	account->saved += 100 * ((int64_t)current_misses - own_misses) -
			  (int64_t)(contest->margin_percent * current_misses);
	if (account->saved <= account_floor(contest)) {
		*account = (struct contest_account){.saved = account_floor(contest)};
		return;
	}
	account->references += contest->references;
	account->current_misses += current_misses;
	account->own_misses += own_misses;
}

static void calm_add(struct contest *contest)
{
	contest->calm += contest->real_misses;
	if (contest->calm < (uint64_t)CALM * contest->cache)
		return;
	contest->calm = 0;
	contest->patience = contest->patience > PATIENCE_ONCE ? contest->patience - 1 : 0;
}

unsigned contest_look(struct contest *contest)
{
	int64_t price = (int64_t)((contest->cost_percent * contest->cache) << contest->patience);
	unsigned winner = contest->current;
	for (unsigned i = 0; i < contest->count; i++) {
		struct contest_account *account = &contest->accounts[i];
		if (i == contest->current)
			continue;
		account_add(contest, account, contest->misses[i]);
		if (account->saved > price) {
			price = account->saved;
			winner = i;
		}
	}
	calm_add(contest);
	contest->references = contest->real_misses = 0;
	memset(contest->misses, 0, sizeof contest->misses);
	return winner;
}

void contest_switch(struct contest *contest, unsigned current)
{
	int64_t won = contest->accounts[current].saved, floor = account_floor(contest);
	for (unsigned i = 0; i < contest->count; i++) {
		int64_t saved = contest->accounts[i].saved - won;
		contest->accounts[i] = (struct contest_account){
			.saved = i == contest->current || saved < floor ? floor : saved,
		};
	}
	contest->current = current;
	contest->calm = 0;
	if (!contest->patience)
		contest->patience = PATIENCE_ONCE;
	else if (contest->patience < PATIENCE_MOST)
		contest->patience++;
}

void contest_clear(struct contest *contest)
{
	contest->references = contest->real_misses = 0;
	memset(contest->misses, 0, sizeof contest->misses);
	memset(contest->accounts, 0, sizeof contest->accounts);
}
