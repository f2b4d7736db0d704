/* SPDX-License-Identifier: MIT */
/*
 * Policies as a simulator drives them, decision by decision beside slow references: who is
 * resident, and who leaves for whom.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"
#include "subject.h"
#include "suite.h"

#define LENGTH 3000u /* references of a trace */

/* ---- traces ------------------------------------------------------------------------------ */

enum kind { UNIFORM, SKEWED, LOOP, SCANS, MOVING, KINDS };
static const char *const kinds[] = {"uniform", "skewed", "loop", "scans", "moving"};

static uint32_t skewed(uint32_t pages)
{
	uint32_t bound = 1 + random_below(pages);
	return random_below(1 + random_below(bound));
}

static uint32_t reference_make(enum kind kind, uint32_t pages, unsigned i)
{
	switch (kind) {
	case UNIFORM:
		return random_below(pages);
	case SKEWED:
		return skewed(pages);
	case LOOP: /* with a jump now and then */
		return random_below(16) ? i % pages : random_below(pages);
	case SCANS:
		return i / 200 % 2 ? i % pages : skewed(pages / 4 + 1);
	default: { /* a working set that moves */
		uint32_t set = pages / 4 + 1;
		return (i / 100 * (set / 2 + 1) + random_below(set)) % pages;
	}
	}
}

/* ---- the simulator ----------------------------------------------------------------------- */

struct run {
	const struct reference_policy *policy;
	struct subject subject;
	struct reference reference;
	uint32_t trace[LENGTH];
	uint32_t frame_of[REFERENCE_PAGES], page_of[REFERENCE_PAGES], used;
	enum kind kind;
};

static uint64_t future_use(void *context, pagerd_page_t page)
{
	const struct run *run = context;
	for (unsigned i = run->reference.now + 1; i < LENGTH; i++)
		if (run->trace[i] == page)
			return i;
	return UINT64_MAX;
}

/* Which page was driven out, or PAGE_NONE. */
static uint32_t miss(struct run *run, uint32_t page)
{
	struct subject *subject = &run->subject;
	uint32_t frame = run->used, out = PAGE_NONE;
	if (subject->ops->demand)
		subject->ops->demand(subject->policy, page);
	if (run->used < run->reference.capacity) {
		run->used++;
	} else {
		frame = victim(subject);
		subject->ops->page_out(subject->policy, frame);
		out = run->page_of[frame];
		run->frame_of[out] = UINT32_MAX;
	}
	subject->ops->page_in(subject->policy, frame, page, 0);
	run->page_of[frame] = page;
	run->frame_of[page] = frame;
	return out;
}

static void refer(struct run *run, uint32_t page)
{
	bool hit = run->frame_of[page] != UINT32_MAX;
	uint32_t expected = PAGE_NONE, out = PAGE_NONE;
	bool expected_hit = run->policy->access(&run->reference, page, &expected);
	if (hit)
		run->subject.ops->referenced(run->subject.policy, run->frame_of[page]);
	else
		out = miss(run, page);
	ck_assert_msg(hit == expected_hit && out == expected,
		      "PAGERD_SEED=%llu %s, %u pages, %s: reference %u to page %u: %s, out %d; "
		      "expected %s, out %d",
		      (unsigned long long)seed, run->policy->spec, run->reference.capacity,
		      kinds[run->kind], run->reference.now, page, hit ? "hit" : "miss", (int)out,
		      expected_hit ? "hit" : "miss", (int)expected);
}

static void compare(const struct reference_policy *policy, unsigned capacity, uint32_t pages,
		    enum kind kind)
{
	struct run *run = calloc(1, sizeof *run);
	struct future future = {future_use, run, LENGTH};
	run->policy = policy;
	run->kind = kind;
	run->reference.capacity = capacity;
	run->reference.percent = policy->percent;
	run->reference.trace = run->trace;
	run->reference.length = LENGTH;
	for (unsigned i = 0; i < LENGTH; i++)
		run->trace[i] = reference_make(kind, pages, i);
	memset(run->frame_of, 0xff, sizeof run->frame_of);
	run->subject = subject_make_knowing(policy->spec, capacity, capacity, &future);
	for (; run->reference.now < LENGTH; run->reference.now++)
		refer(run, run->trace[run->reference.now]);
	ck_assert_uint_eq(run->subject.ops->held(run->subject.policy), run->used);
	subject_end(&run->subject);
	free(run);
}

static const struct reference_policy policies[] = {
	{"fifo", 0, reference_fifo},
	{"lru", 0, reference_lru},
	{"mru", 0, reference_mru},
	{"clock", 0, reference_clock},
	{"sieve", 0, reference_sieve},
	{"lfu", 0, reference_lfu},
	{"lfu:ghosts=1000", 1, reference_lfu},
	{"min", 0, reference_min},
	{"2q", 0, reference_2q},
	{"arc", 0, reference_arc},
	{"car", 0, reference_car},
	{"s3fifo", 0, reference_s3fifo},
	{"w-tinylfu", 0, reference_tinylfu},
	{"lirs", 0, reference_lirs},
	{"lirs:hir=20", 20, reference_lirs},
	{"clock-pro", 0, reference_clock_pro},
	{"clock-pro:cold=30", 30, reference_clock_pro},
};

START_TEST(as_the_reference)
{
	static const unsigned sizes[] = {1, 2, 3, 4, 7, 10, 19, 40, 64};
	const struct reference_policy *policy = &policies[_i];
	random_start(seed + (uint64_t)_i);
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		for (int kind = 0; kind < KINDS; kind++) {
			/* Ten times as many pages at most: the lfu that remembers all. */
			uint32_t most = 10 * sizes[i] < 250 ? 10 * sizes[i] : 250;
			compare(policy, sizes[i], sizes[i] + 1 + random_below(most - sizes[i]),
				(enum kind)kind);
		}
	}
}
END_TEST

/* ---- worked by hand ---------------------------------------------------------------------- */

/* A string of one-digit pages through count frames; returns the misses. */
static unsigned misses(const struct reference_policy *policy, unsigned count, const char *pages)
{
	struct run *run = calloc(1, sizeof *run);
	struct future future = {future_use, run, LENGTH};
	unsigned missed = 0;
	run->policy = policy;
	run->reference.capacity = count;
	run->reference.trace = run->trace;
	run->reference.length = (unsigned)strlen(pages);
	memset(run->trace, 0xff, sizeof run->trace);
	for (unsigned i = 0; pages[i]; i++)
		run->trace[i] = (uint32_t)(pages[i] - '0');
	memset(run->frame_of, 0xff, sizeof run->frame_of);
	run->subject = subject_make_knowing(policy->spec, count, count, &future);
	for (; pages[run->reference.now]; run->reference.now++) {
		uint32_t page = run->trace[run->reference.now];
		missed += run->frame_of[page] == UINT32_MAX;
		refer(run, page);
	}
	subject_end(&run->subject);
	free(run);
	return missed;
}

static const struct reference_policy *policy_named(const char *spec)
{
	const struct reference_policy *policy = policies;
	while (strcmp(policy->spec, spec) != 0)
		policy++;
	return policy;
}

static const struct {
	const char *spec;
	unsigned count;
	const char *pages;
	unsigned misses;
} by_hand[] = {
	/* Belady's anomaly: more room, and more misses. */
	{"fifo", 3, "123412512345", 9},
	{"fifo", 4, "123412512345", 10},
	/* None where the pages in less room are among those in more. */
	{"lru", 3, "123412512345", 10},
	{"lru", 4, "123412512345", 8},
	{"min", 3, "123412512345", 7},
	{"min", 4, "123412512345", 6},
	/* 1 was used: the hand passes it once, and takes it the second time. */
	{"clock", 2, "1123", 3},
	{"clock", 2, "11231", 3},
	{"clock", 2, "11232431", 7},
	/* 1 stays where it is, the hand passes it, takes 2, and begins again with 1. */
	{"sieve", 2, "112341", 5},
	{"lfu", 2, "111234231", 6},
	{"mru", 3, "12341234", 5},
};

START_TEST(worked_by_hand)
{
	const struct reference_policy *policy = policy_named(by_hand[_i].spec);
	ck_assert_uint_eq(misses(policy, by_hand[_i].count, by_hand[_i].pages), by_hand[_i].misses);
}
END_TEST

int main(void)
{
	seed_start();
	Suite *suite = suite_create("policy_reference");
	TCase *hand = tcase_create("by hand");
	tcase_add_loop_test(hand, worked_by_hand, 0, sizeof by_hand / sizeof *by_hand);
	suite_add_tcase(suite, hand);
	TCase *random_runs = tcase_create("random");
	tcase_set_timeout(random_runs, 120);
	tcase_add_loop_test(random_runs, as_the_reference, 0, sizeof policies / sizeof *policies);
	suite_add_tcase(suite, random_runs);

	return suite_run(suite);
}
