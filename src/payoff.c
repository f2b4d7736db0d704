/* SPDX-License-Identifier: MIT */
#include "payoff.h"

#include <math.h>

#include "core.h"

#define WINDOWS		  4u	/* in which as many pages come in as the pool holds */
#define POOL_LEAST	  1024u /* frames */
#define PAIRS_LEAST	  256u	/* for a decision */
#define PAIRS_MOST	  1024u /* then the older ones count half */
#define PAIRS_IDLE	  512u	/* the same, to see soon that it would pay again */
#define PAIRS_STEP	  64u	/* between two decisions */
#define GAIN_LEAST	  0.02
#define GAIN_AGAIN	  0.03
#define FRAMES_PER_SAMPLE 16u
#define IDLE_DIVISOR	  4u   /* an idle pool has fewer samples: no more is done for it */
#define GO_OVER_MOST	  512u /* pages evicted between two goings over */

/* ---- what it gains ----------------------------------------------------------------------- */

/* A share and its variance; never as if nothing else could be (Laplace). */
struct estimate {
	double share, variance;
};

static struct estimate estimate(uint32_t count, uint32_t of)
{
	double likely = (count + 1.0) / (of + 2.0);
	return (struct estimate){
		.share = of ? (double)count / of : 0,
		.variance = likely * (1 - likely) / (of + 1.0),
	};
}

/* Of pages that are used with such a frequency in one window, how many are in all of them. */
static struct estimate estimate_used(uint32_t used, uint32_t followed)
{
	struct estimate one = estimate(used, followed);
	double rest = pow(1 - one.share, WINDOWS - 1);
	return (struct estimate){
		.share = 1 - rest * (1 - one.share),
		.variance = one.variance * WINDOWS * WINDOWS * rest * rest,
	};
}

double payoff_gain(const struct payoff *payoff, double *deviation)
{
	const uint32_t *followed = payoff->followed, *used = payoff->used;
	struct estimate hot = estimate(followed[1], followed[0] + followed[1]);
	struct estimate again[2];
	for (unsigned i = 0; i < 2; i++)
		again[i] = estimate_used(used[i], followed[i]);
	double more = again[1].share - again[0].share;
	*deviation = sqrt(hot.share * hot.share * (again[0].variance + again[1].variance) +
			  more * more * hot.variance);
	return hot.share * more;
}

static void halve(struct payoff *payoff)
{
	for (unsigned i = 0; i < 2; i++) {
		payoff->followed[i] /= 2;
		payoff->used[i] /= 2;
	}
}

void payoff_count(struct payoff *payoff, bool before, bool after)
{
	payoff->followed[before]++;
	payoff->used[before] += after;
	uint32_t pairs = payoff->followed[0] + payoff->followed[1];
	if (pairs < PAIRS_LEAST || pairs % PAIRS_STEP)
		return;
	/* Less than nothing is as good: what was used is not used again so soon, as mru wants. */
	double deviation, gain = fabs(payoff_gain(payoff, &deviation));
	if (!payoff->idle && gain + deviation < GAIN_LEAST)
		*payoff = (struct payoff){.idle = true};
	else if (payoff->idle && gain > GAIN_AGAIN)
		*payoff = (struct payoff){.idle = false};
	else if (pairs >= (payoff->idle ? PAIRS_IDLE : PAIRS_MOST))
		halve(payoff);
}

bool payoff_idle(const struct pager *pager, const struct pool *pool)
{
	return pool->payoff.idle && pool_capacity(pager, pool) >= POOL_LEAST;
}

/* ---- who is followed --------------------------------------------------------------------- */

static struct payoff_sample *sample_place(struct pager *pager, uint32_t frame)
{
	return &pager->access.payoffs.samples[frame * 2654435761u >> 22];
}

static uint32_t sample_age(const struct pager *pager, const struct payoff_sample *sample)
{
	return pager->pools[sample->pool].tick - sample->begin;
}

/* Is the page still the one that was followed? */
static bool sample_same(struct pager *pager, const struct payoff_sample *sample)
{
	const struct frame *frame = frame_get(pager, sample->frame);
	return frame_object(frame) && frame->tick == sample->tick && frame->pool == sample->pool;
}

static void sample_enter(struct pager *pager, struct payoff_sample *sample,
			 enum payoff_window window)
{
	sample->window = window;
	sample->begin = pager->pools[sample->pool].tick;
	sample->taken = pager->frames_taken;
	sample->used = false;
}

static void sample_drop(struct pager *pager, struct payoff_sample *sample)
{
	sample->window = PAYOFF_NONE;
	pager->access.payoffs.count--;
}

static void sample_end(struct pager *pager, struct payoff_sample *sample)
{
	if (sample->window == PAYOFF_SECOND)
		payoff_count(&pager->pools[sample->pool].payoff, sample->before, sample->used);
	sample_drop(pager, sample);
}

/* Whether nothing is known of the window, as the page was not zapped. */
static bool sample_blind(struct pager *pager, const struct payoff_sample *sample)
{
	return !sample->used && !(frame_get(pager, sample->frame)->flags & FRAME_PROBED);
}

/* Does its pool stand still, or nearly? Others need the place. */
static bool sample_stands(const struct pager *pager, const struct payoff_sample *sample)
{
	return pager->frames_taken - sample->taken > pager->used_pages;
}

/* Ends it if its page has gone: what was seen until then counts. True if it is to be looked at. */
static bool sample_visit(struct pager *pager, struct payoff_sample *sample)
{
	const struct pool *pool = &pager->pools[sample->pool];
	if (sample->asked || sample_stands(pager, sample))
		sample_drop(pager, sample); /* or it could not be looked at */
	else if (!sample_same(pager, sample))
		sample_end(pager, sample);
	else
		sample->asked = sample_age(pager, sample) >= pool_capacity(pager, pool) / WINDOWS;
	return sample->window && sample->asked;
}

/* Follow a frame, if it can be and its place is free. */
static bool sample_begin(struct pager *pager, uint32_t number)
{
	struct payoff_sample *sample = sample_place(pager, number);
	const struct frame *frame = frame_get(pager, number);
	const struct pool *pool = &pager->pools[frame->pool];
	if (sample->window || !frame_object(frame) || !(frame->flags & FRAME_HELD) ||
	    (pool->payoff.idle && number % IDLE_DIVISOR) ||
	    pool->ops->references == PAGERD_REFERENCES_NONE ||
	    pool_capacity(pager, pool) < POOL_LEAST)
		return false;
	*sample = (struct payoff_sample){
		.frame = number,
		.tick = frame->tick,
		.pool = frame->pool,
		.taken = pager->frames_taken,
		.window = PAYOFF_BEGIN,
		.asked = true,
	};
	pager->access.payoffs.count++;
	return true;
}

/* Any frame; xorshift (Marsaglia 2003). */
static uint32_t frame_random(struct pager *pager)
{
	uint32_t x = pager->access.payoffs.random;
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	pager->access.payoffs.random = x;
	return (uint32_t)((uint64_t)x * pager->frame_fresh >> 32);
}

/* Pages that go between two goings over: a quarter of a window. */
static uint32_t go_over_pages(const struct pager *pager)
{
	uint32_t share = pager->used_pages / (4 * WINDOWS);
	return share < GO_OVER_MOST ? share : GO_OVER_MOST;
}

bool payoff_due(const struct pager *pager)
{
	const struct payoffs *payoffs = &pager->access.payoffs;
	return payoffs->on && payoffs->evicted > go_over_pages(pager);
}

bool payoff_overdue(const struct pager *pager)
{
	const struct payoffs *payoffs = &pager->access.payoffs;
	return payoffs->on && payoffs->evicted > 4 * go_over_pages(pager);
}

uint32_t payoff_collect(struct pager *pager, uint32_t *frames)
{
	struct payoffs *payoffs = &pager->access.payoffs;
	uint32_t count = 0, most = pager->used_pages / FRAMES_PER_SAMPLE;
	payoffs->evicted = 0;
	for (uint32_t i = 0; i < PAYOFF_SAMPLES && count < PAYOFF_BATCH; i++) {
		struct payoff_sample *sample = &payoffs->samples[payoffs->next++ % PAYOFF_SAMPLES];
		if (sample->window && sample_visit(pager, sample))
			frames[count++] = sample->frame;
	}
	for (uint32_t i = count; i < PAYOFF_BATCH && payoffs->count < most; i++) {
		uint32_t number = frame_random(pager);
		if (sample_begin(pager, number))
			frames[count++] = number;
	}
	return count;
}

/* The one that follows the frame's page, or NULL. */
static struct payoff_sample *sample_of(struct pager *pager, uint32_t frame)
{
	struct payoff_sample *sample = sample_place(pager, frame);
	bool follows = sample->window && sample->frame == frame && sample_same(pager, sample);
	return follows ? sample : NULL;
}

void payoff_found(struct pager *pager, uint32_t frame)
{
	struct payoff_sample *sample = sample_of(pager, frame);
	if (sample)
		sample->used = true;
}

void payoff_looked(struct pager *pager, uint32_t frame)
{
	struct payoff_sample *sample = sample_of(pager, frame);
	if (!sample || !sample->asked)
		return;
	sample->asked = false;
	if (sample->window != PAYOFF_BEGIN && sample_blind(pager, sample)) {
		sample_drop(pager, sample);
		return;
	}
	switch (sample->window) {
	case PAYOFF_BEGIN:
		sample_enter(pager, sample, PAYOFF_FIRST);
		break;
	case PAYOFF_FIRST:
		sample->before = sample->used;
		sample_enter(pager, sample, PAYOFF_SECOND);
		break;
	default:
		sample_end(pager, sample);
	}
}
