/* SPDX-License-Identifier: MIT */
/*
 * The contest of candidate policies: when is another clearly better?
 *
 * The rule is the one for skis, to rent or to buy. What a switch costs is known: at most the
 * pages that the new policy would have kept and the old one has not, less than a cacheful of
 * misses. What it saves is not, for nobody knows how long the present behaviour lasts. Who
 * switches as soon as the saving that was missed so far amounts to the cost never pays more than
 * twice what somebody would have paid who knew; any sooner, and a change that does not last is
 * paid for; any later, and one that lasts is.
 *
 * So each candidate has an account. The misses that it would have saved, against those that there
 * really were, are put in, and margin percent of the latter are taken out, so that what is not
 * worth a switch never adds up. (This is Page's CUSUM test, Biometrika 41, 1954.) What there really
 * was, and not what the current policy's simulation says: a policy that is new at work has not got
 * the history that its simulation has, and may do worse without.
 *
 * Where not all uses are seen, the simulations are wrong. A page that the pager has and a
 * simulation has not is missed less often there than it would be, so that whatever differs from
 * what there really is seems to be better. Each candidate has a record, therefore: how many misses
 * there really were while it was at work, and how many its simulation showed. The latter are
 * multiplied by what the former are more. Who was never at work has the factor of who is, for what
 * is wrong with the one simulation is wrong with the other; records fade, and with them what they
 * say about one that is no longer at work. So that there is one of whoever has to go, each stays
 * for TRIAL cachefuls of misses at least; and as it lacks history at first, it is not blamed for
 * YOUTH of them for more than its simulation shows, which its record makes up for.
 *
 * An account does not fall below minus a cacheful, so that what a candidate was bad at once is soon
 * forgotten; but so much it has to, because two policies that are as good as each other can hold
 * different parts of a loop: one hits while the other misses for up to a cacheful, then the
 * reverse.
 *
 * When an account exceeds the price the fullest one wins. What the others have saved against the
 * winner is what they have less than it; the one that has lost begins at the bottom. The price is
 * `cost` percent of a cacheful, as most pages are kept by both. A switch makes it four times as
 * much, any further one twice, and each CALM cachefuls of misses without one take that back:
 * who was wrong once has to be surer, and two policies of which each looks better while the other
 * one is at work, because what is seen depends on who is at work, change places ever more seldom.
 *
 * All counts are of sampled references; time plays no part.
 */
#ifndef PAGERD_POLICY_CONTEST_H
#define PAGERD_POLICY_CONTEST_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/candidate.h"

struct contest_account {
	int64_t saved; /* misses, times 100 */
	/* Since the account was last empty; misses times 100: */
	uint64_t references, current_misses, own_misses;
};

/* Misses while the candidate was at work, the older the less they count. */
struct contest_record {
	double real, simulated;
};

struct contest {
	unsigned count, current;
	bool partial; /* not all uses are seen */
	uint64_t margin_percent, cost_percent;
	uint32_t cache;	   /* a cacheful */
	unsigned patience; /* how often the price is doubled */
	uint64_t calm;	   /* misses since patience last changed */
	uint64_t age;	   /* misses since the current policy is at work */
	/* Since the accounts were last looked at: */
	uint32_t references;
	uint32_t real_misses;
	uint32_t misses[CANDIDATES_MOST];
	struct contest_account accounts[CANDIDATES_MOST];
	struct contest_record records[CANDIDATES_MOST];
};

/* One reference: whether it really was a miss, and a bit for each candidate that missed it. True if
 * it is time to look. */
static inline bool contest_add(struct contest *contest, bool really, uint32_t missed)
{
	contest->real_misses += really;
	while (missed) {
		contest->misses[__builtin_ctz(missed)]++;
		missed &= missed - 1;
	}
	return ++contest->references >= contest->cache / 16 + 16;
}

/* Bring the accounts up to date: the winner, or the current policy as long as there is none. */
unsigned contest_look(struct contest *contest);
/* Another is the current policy from now on. */
void contest_switch(struct contest *contest, unsigned current);
/* All accounts and records begin at zero. */
void contest_clear(struct contest *contest);

#endif
