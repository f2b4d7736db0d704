/* SPDX-License-Identifier: MIT */
/*
 * lfu: the page that was used least often since it came in leaves first.
 *
 * Source: in-cache LFU with a list for each frequency, after K. Shah, A. Mitra, D. Matani, "An
 * O(1) algorithm for implementing the LFU cache eviction scheme", 2010; first in, first out among
 * equals. The halving is that of J. T. Robinson, M. V. Devarakonda, "Data cache management using
 * frequency-based replacement", SIGMETRICS 1990, on a clock of uses.
 *
 * Variant: a page that comes in has frequency 1, and each use adds one. A prefetched page has
 * frequency 1 too (with less, the pages just read ahead would be the first to go, the next one
 * needed before all others), but its first use is the one it was fetched for: it makes it a page
 * that just came in, not one that was used twice. A page that is kept was used once more. A page
 * advised cold gets frequency 0 and is the next victim. Frequencies end at 262143; pages that are
 * there stay in the order in which they arrived.
 *
 * Parameters: decay=N (0: off, the default): after every N * capacity uses (page_in, referenced
 * and dirtied on a held frame, keep) all frequencies are halved, rounded down. Where two
 * frequencies become one, the pages that had the lower one go first, each in their old order.
 *
 * Every operation is O(1): one list for each frequency that can be, and three levels of bit words
 * that say which are not empty. Halving joins whole lists and does not look at frames: a frame
 * carries the number of halvings that its frequency has seen, and catches up when it is next
 * touched. With b different frequencies in use that is O(b), and as the frequencies of all pages
 * add up to at most twice N * capacity, b is below 2 * sqrt(N * capacity) and a few.
 */
#include <errno.h>
#include <sys/mman.h>

#include "pagerd/policy_list.h"
#include "pagerd/policy_parameters.h"
#include "policy/policies.h"

#define LFU_FREQUENCIES (64u * 64 * 64) /* as many as three levels of words reach */

struct lfu_frame {
	struct frame_link link;
	uint32_t frequency : 31; /* as of halving number halvings */
	uint32_t prefetched : 1; /* and not used since */
	uint32_t halvings;
};

struct pagerd_policy {
	struct lfu_frame *frames;
	uint32_t held;
	uint32_t halvings;	  /* so far */
	uint64_t decay;		  /* the parameter */
	uint64_t clock;		  /* uses since the last halving */
	uint64_t period;	  /* uses between halvings; 0: none */
	uint64_t root;		  /* bit i: middle[i] is not 0 */
	uint64_t middle[64];	  /* bit i of word w: leaves[64 * w + i] is not 0 */
	uint64_t leaves[64 * 64]; /* bit i of word w: lists[64 * w + i] is not empty */
	struct frame_list lists[LFU_FREQUENCIES];
};

static struct frame_table lfu_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

static void lfu_mark(struct pagerd_policy *policy, uint32_t frequency)
{
	policy->leaves[frequency >> 6] |= 1ull << (frequency & 63);
	policy->middle[frequency >> 12] |= 1ull << (frequency >> 6 & 63);
	policy->root |= 1ull << (frequency >> 12);
}

static void lfu_unmark(struct pagerd_policy *policy, uint32_t frequency)
{
	if (policy->leaves[frequency >> 6] &= ~(1ull << (frequency & 63)))
		return;
	if (policy->middle[frequency >> 12] &= ~(1ull << (frequency >> 6 & 63)))
		return;
	policy->root &= ~(1ull << (frequency >> 12));
}

/* The lowest frequency of a held page; there must be one. */
static uint32_t lfu_lowest(const struct pagerd_policy *policy)
{
	uint32_t frequency = (uint32_t)__builtin_ctzll(policy->root);
	frequency = frequency << 6 | (uint32_t)__builtin_ctzll(policy->middle[frequency]);
	return frequency << 6 | (uint32_t)__builtin_ctzll(policy->leaves[frequency]);
}

static void lfu_halve_list(struct pagerd_policy *policy, uint32_t frequency)
{
	if (!frequency)
		return;
	frame_list_splice_tail(lfu_table(policy), &policy->lists[frequency / 2],
			       &policy->lists[frequency]);
	lfu_unmark(policy, frequency);
	lfu_mark(policy, frequency / 2);
}

/* Ascending, so that each list is moved once: its new place is below it and was vacated. What
 * the moves mark is behind the copies of the words that the loops go by. */
static void lfu_halve(struct pagerd_policy *policy)
{
	policy->clock = 0;
	policy->halvings++;
	for (uint64_t root = policy->root; root; root &= root - 1) {
		uint32_t high = (uint32_t)__builtin_ctzll(root);
		for (uint64_t middle = policy->middle[high]; middle; middle &= middle - 1) {
			uint32_t word = high << 6 | (uint32_t)__builtin_ctzll(middle);
			for (uint64_t leaf = policy->leaves[word]; leaf; leaf &= leaf - 1)
				lfu_halve_list(policy, word << 6 | (uint32_t)__builtin_ctzll(leaf));
		}
	}
}

static void lfu_tick(struct pagerd_policy *policy)
{
	if (policy->period && ++policy->clock >= policy->period)
		lfu_halve(policy);
}

static uint32_t lfu_frequency(const struct pagerd_policy *policy, const struct lfu_frame *state)
{
	uint32_t behind = policy->halvings - state->halvings;
	return behind < 31 ? state->frequency >> behind : 0;
}

/* What one use makes of a frame that had frequency. */
static uint32_t lfu_used(const struct lfu_frame *state, uint32_t frequency)
{
	if (state->prefetched)
		return 1;
	return frequency < LFU_FREQUENCIES - 1 ? frequency + 1 : frequency;
}

/* Make frame one of frequency, in no list yet. */
static void lfu_set(struct pagerd_policy *policy, uint32_t frame, uint32_t frequency,
		    bool prefetched)
{
	struct lfu_frame *state = &policy->frames[frame];
	state->frequency = frequency & 0x7fffffff;
	state->prefetched = prefetched;
	state->halvings = policy->halvings;
	lfu_mark(policy, frequency);
}

static void lfu_insert(struct pagerd_policy *policy, uint32_t frame, uint32_t frequency,
		       bool prefetched)
{
	lfu_set(policy, frame, frequency, prefetched);
	frame_list_push_tail(lfu_table(policy), &policy->lists[frequency], frame);
}

static void lfu_remove(struct pagerd_policy *policy, uint32_t frame, uint32_t frequency)
{
	frame_list_remove(lfu_table(policy), &policy->lists[frequency], frame);
	if (frame_list_is_empty(&policy->lists[frequency]))
		lfu_unmark(policy, frequency);
}

static void lfu_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	policy->period = policy->decay * (capacity_pages ? capacity_pages : 1);
}

static int lfu_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t decay = 0;
	const struct policy_parameter accepted[] = {{"decay", 0, UINT32_MAX, &decay}};
	int error = policy_parameters_parse(env, accepted, 1);
	if (error)
		return error;
	/* Most of the lists are never used: not from the heap, which might clear them all. */
	struct pagerd_policy *lfu = mmap(NULL, sizeof *lfu, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (lfu == MAP_FAILED)
		return -ENOMEM;
	lfu->frames = env->frame_bytes;
	lfu->decay = decay;
	lfu_resize(lfu, env->capacity_pages);
	*policy = lfu;
	return 0;
}

static void lfu_destroy(struct pagerd_policy *policy)
{
	if (policy)
		munmap(policy, sizeof *policy);
}

static void lfu_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	(void)page;
	lfu_insert(policy, frame, 1, prefetched);
	policy->held++;
	lfu_tick(policy);
}

static void lfu_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct lfu_frame *state = &policy->frames[frame];
	/* Isolated frames are in no list: being kept counts as their use. */
	if (!frame_is_linked(lfu_table(policy), frame))
		return;
	uint32_t frequency = lfu_frequency(policy, state), used = lfu_used(state, frequency);
	if (used != frequency || state->prefetched) {
		lfu_remove(policy, frame, frequency);
		lfu_insert(policy, frame, used, false);
	}
	lfu_tick(policy);
}

static uint32_t lfu_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	while (taken < count && policy->root) {
		uint32_t lowest = lfu_lowest(policy);
		uint32_t frame = frame_list_head(&policy->lists[lowest]);
		lfu_remove(policy, frame, lowest);
		frames[taken++] = frame;
	}
	policy->held -= taken;
	return taken;
}

static void lfu_keep(struct pagerd_policy *policy, uint32_t frame)
{
	const struct lfu_frame *state = &policy->frames[frame];
	lfu_insert(policy, frame, lfu_used(state, lfu_frequency(policy, state)), false);
	policy->held++;
	lfu_tick(policy);
}

static void lfu_restore(struct pagerd_policy *policy, uint32_t frame)
{
	const struct lfu_frame *state = &policy->frames[frame];
	uint32_t frequency = lfu_frequency(policy, state);
	lfu_set(policy, frame, frequency, state->prefetched);
	frame_list_push_head(lfu_table(policy), &policy->lists[frequency], frame);
	policy->held++;
}

static void lfu_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	policy_check(!frame_is_linked(lfu_table(policy), frame), frame,
		     "a page that is evicted was isolated");
}

static void lfu_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!frame_is_linked(lfu_table(policy), frame))
		return;
	lfu_remove(policy, frame, lfu_frequency(policy, &policy->frames[frame]));
	policy->held--;
}

static void lfu_cold(struct pagerd_policy *policy, uint32_t frame)
{
	lfu_remove(policy, frame, lfu_frequency(policy, &policy->frames[frame]));
	lfu_set(policy, frame, 0, false);
	frame_list_push_head(lfu_table(policy), &policy->lists[0], frame);
}

static uint32_t lfu_held(const struct pagerd_policy *policy)
{
	return policy->held;
}

const struct pagerd_policy_ops pagerd_policy_lfu = {
	.version = PAGERD_POLICY_VERSION,
	.name = "lfu",
	.summary = "least frequently used in cache (Shah et al. 2010); decay=N: aging",
	.frame_bytes = sizeof(struct lfu_frame),
	.create = lfu_create,
	.destroy = lfu_destroy,
	.page_in = lfu_page_in,
	.referenced = lfu_referenced,
	.dirtied = lfu_referenced,
	.victims = lfu_victims,
	.keep = lfu_keep,
	.restore = lfu_restore,
	.page_out = lfu_page_out,
	.forget = lfu_forget,
	.cold = lfu_cold,
	.resize = lfu_resize,
	.held = lfu_held,
};
