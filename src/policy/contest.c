/* SPDX-License-Identifier: MIT */
/* The contest of candidate policies: when is another clearly better? */
#include "policy/contest.h"

#include <string.h>

#define PATIENCE_ONCE 2u /* doublings of the price after a first switch */
#define PATIENCE_MOST 5u
#define CALM	      32u /* cachefuls of misses */
#define FLOOR	      1u  /* cachefuls of misses */
/* Where not all uses are seen, in cachefuls of misses: */
#define TRIAL	   1u
#define YOUTH	   4u
#define MEMORY	   4u	 /* of a policy at work */
#define MEMORY_OFF 32u	 /* of one that is not */
#define DOUBT	   0.125 /* so much of a record is what one would think without */

/* ---- what a simulation is worth ----------------------------------------------------------- */

/* Real misses for each that the simulation shows. */
static double contest_factor(const struct contest *contest, unsigned candidate)
{
	const struct contest_record *current = &contest->records[contest->current];
	const struct contest_record *own = &contest->records[candidate];
	double doubt = DOUBT * contest->cache;
	double factor = (current->real + doubt) / (current->simulated + doubt);
	if (candidate == contest->current)
		return factor;
	return (own->real + doubt * factor) / (own->simulated + doubt);
}

/* Its misses since the accounts were last looked at, times 100, if it had been at work. */
static uint64_t misses_estimate(const struct contest *contest, unsigned candidate)
{
	uint64_t misses = 100 * (uint64_t)contest->misses[candidate];
	if (!contest->partial)
		return misses;
	return (uint64_t)((double)misses * contest_factor(contest, candidate));
}

/* What the others are measured by, times 100. */
static uint64_t current_misses(const struct contest *contest)
{
	uint64_t real = 100 * (uint64_t)contest->real_misses;
	uint64_t simulated = misses_estimate(contest, contest->current);
	bool young = contest->age < (uint64_t)YOUTH * contest->cache;
	return contest->partial && young && simulated < real ? simulated : real;
}

static void record_fade(struct contest_record *record, double share)
{
	double rest = share < 1 ? 1 - share : 0;
	record->real *= rest;
	record->simulated *= rest;
}

static void records_add(struct contest *contest)
{
	struct contest_record *current = &contest->records[contest->current];
	double cachefuls = (double)contest->real_misses / contest->cache;
	for (unsigned i = 0; i < contest->count; i++)
		record_fade(&contest->records[i],
			    cachefuls / (i == contest->current ? MEMORY : MEMORY_OFF));
	current->real += contest->real_misses;
	current->simulated += contest->misses[contest->current];
	contest->age += contest->real_misses;
}

/* ---- accounts ----------------------------------------------------------------------------- */

static int64_t account_floor(const struct contest *contest)
{
	return -100 * (int64_t)FLOOR * contest->cache;
}

static void account_add(const struct contest *contest, struct contest_account *account,
			uint64_t current, uint64_t own)
{
	account->saved += (int64_t)current - (int64_t)own -
			  (int64_t)(contest->margin_percent * current / 100);
	if (account->saved <= account_floor(contest)) {
		*account = (struct contest_account){.saved = account_floor(contest)};
		return;
	}
	account->references += contest->references;
	account->current_misses += current;
	account->own_misses += own;
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
	uint64_t current = current_misses(contest);
	bool on_trial = contest->partial && contest->age < (uint64_t)TRIAL * contest->cache;
	unsigned winner = contest->current;
	for (unsigned i = 0; i < contest->count; i++) {
		struct contest_account *account = &contest->accounts[i];
		if (i == contest->current)
			continue;
		account_add(contest, account, current, misses_estimate(contest, i));
		if (account->saved > price) {
			price = account->saved;
			winner = i;
		}
	}
	calm_add(contest);
	records_add(contest);
	contest->references = contest->real_misses = 0;
	memset(contest->misses, 0, sizeof contest->misses);
	return on_trial ? contest->current : winner;
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
	contest->calm = contest->age = 0;
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
	memset(contest->records, 0, sizeof contest->records);
}
