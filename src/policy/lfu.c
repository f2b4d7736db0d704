/* SPDX-License-Identifier: MIT */
/*
 * lfu: the page that was used least often since it came in leaves first.
 *
 * Source: in-cache LFU with a list for each frequency, after K. Shah, A. Mitra, D. Matani, "An
 * O(1) algorithm for implementing the LFU cache eviction scheme", 2010. Among equals the one that
 * came to that frequency first leaves first. The halving is that of J. T. Robinson, M. V.
 * Devarakonda, "Data cache management using frequency-based replacement", SIGMETRICS 1990, on a
 * clock of uses.
 *
 * Variant: a page that comes in has frequency 1, and each use adds one. A prefetched page has
 * frequency 1 too (with less, the pages just read ahead would be the first to go, the next one
 * needed before all others), but its first use is the one it was fetched for: it makes it a page
 * that just came in, not one that was used twice. A page that is kept was used once more. A page
 * advised cold gets frequency 0 and is the next victim. Frequencies end at 16777215; pages that are
 * there stay in the order in which they arrived.
 *
 * Parameters: decay=N (0: off, the default): after every N * capacity uses (page_in, referenced
 * on a held frame, keep) all frequencies are halved, rounded down. Where two
 * frequencies become one, the pages that had the lower one go first, each in their old order.
 * ghosts=PERCENT (0, the default, to 1000): the frequencies of so many pages, of the capacity,
 * outlive their eviction, those evicted last: a page that comes back has its own, and one more.
 *
 * Every operation is O(1): one list for each frequency that can be, and four levels of bit words
 * that say which are not empty. Halving joins whole lists and does not look at frames: a frame
 * carries the number of halvings that its frequency has seen, and catches up when it is next
 * touched. With b different frequencies in use that is O(b), and as the frequencies of all pages
 * add up to at most twice N * capacity, b is below 2 * sqrt(N * capacity) and a few.
 */
#include <errno.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"
#include "reserve.h"

#define LFU_LEVELS	4
#define LFU_FREQUENCIES (64u * 64 * 64 * 64) /* as many as the levels reach */
#define LFU_NONE	UINT32_MAX

struct lfu_frame {
	struct frame_link link;
	uint32_t frequency : 31; /* as of halving number halvings */
	uint32_t prefetched : 1; /* and not used since */
	uint32_t halvings;
};

struct pagerd_policy {
	struct lfu_frame *frames;
	uint32_t held;
	uint32_t halvings; /* so far */
	uint64_t decay;	   /* the parameter */
	uint64_t clock;	   /* uses since the last halving */
	uint64_t period;   /* uses between halvings; 0: none */
	uint64_t ghosts_percent;
	uint32_t ghosts_most; /* 0: frequencies end with their page */
	uint32_t frame_limit;
	pagerd_page_t *pages; /* in the frames, if there can be ghosts */
	struct ghosts ghosts; /* value: frequency, as of halving number stamp */
	struct frame_list ghost_list;
	/* The words of a level one after the other, highest level first: bit i of a word says
	 * that the i-th word below it is not 0, or in the lowest that a list is not empty. */
	uint64_t words[1 + 64 + 64 * 64 + 64 * 64 * 64];
	struct frame_list lists[LFU_FREQUENCIES];
};

static struct frame_table lfu_table(const struct pagerd_policy *policy)
{
	return (struct frame_table){policy->frames, sizeof *policy->frames};
}

/* Word number i of a level; 0 is the lowest. */
static uint64_t *lfu_word(struct pagerd_policy *policy, unsigned level, uint32_t i)
{
	static const uint32_t start[LFU_LEVELS] = {1 + 64 + 64 * 64, 1 + 64, 1, 0};
	return &policy->words[start[level] + i];
}

static void lfu_mark(struct pagerd_policy *policy, uint32_t frequency)
{
	for (unsigned level = 0; level < LFU_LEVELS; level++, frequency >>= 6) {
		uint64_t *word = lfu_word(policy, level, frequency >> 6), before = *word;
		*word |= 1ull << (frequency & 63);
		if (before)
			return;
	}
}

static void lfu_unmark(struct pagerd_policy *policy, uint32_t frequency)
{
	for (unsigned level = 0; level < LFU_LEVELS; level++, frequency >>= 6)
		if (*lfu_word(policy, level, frequency >> 6) &= ~(1ull << (frequency & 63)))
			return;
}

/* The lowest frequency of a held page that is at least from, or LFU_NONE. */
static uint32_t lfu_next(struct pagerd_policy *policy, uint32_t from)
{
	for (unsigned level = 0; level < LFU_LEVELS; level++) {
		uint64_t word = 0;
		if (from < LFU_FREQUENCIES >> 6 * level)
			word = *lfu_word(policy, level, from >> 6) & ~0ull << (from & 63);
		if (word) {
			from = (from & ~63u) | (uint32_t)__builtin_ctzll(word);
			while (level-- > 0) {
				word = *lfu_word(policy, level, from);
				from = from << 6 | (uint32_t)__builtin_ctzll(word);
			}
			return from;
		}
		from = (from >> 6) + 1;
	}
	return LFU_NONE;
}

/* Ascending, so that each list is moved once: its new place is below it and was vacated. */
static void lfu_halve(struct pagerd_policy *policy)
{
	policy->clock = 0;
	policy->halvings++;
	for (uint32_t i = lfu_next(policy, 1); i != LFU_NONE; i = lfu_next(policy, i + 1)) {
		frame_list_splice_tail(lfu_table(policy), &policy->lists[i / 2], &policy->lists[i]);
		lfu_unmark(policy, i);
		lfu_mark(policy, i / 2);
	}
}

static void lfu_tick(struct pagerd_policy *policy)
{
	if (policy->period && ++policy->clock >= policy->period)
		lfu_halve(policy);
}

/* What is left of a frequency as of halving number halvings. */
static uint32_t lfu_aged(const struct pagerd_policy *policy, uint32_t frequency, uint32_t halvings)
{
	uint32_t behind = policy->halvings - halvings;
	return behind < 31 ? frequency >> behind : 0;
}

static uint32_t lfu_frequency(const struct pagerd_policy *policy, const struct lfu_frame *state)
{
	return lfu_aged(policy, state->frequency, state->halvings);
}

/* What one use makes of a frame that had frequency. */
static uint32_t lfu_used(const struct lfu_frame *state, uint32_t frequency)
{
	if (state->prefetched)
		return frequency ? frequency : 1;
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

static void lfu_trim(struct pagerd_policy *policy, uint32_t most)
{
	while (policy->ghosts.count > most)
		ghosts_pop(&policy->ghosts, &policy->ghost_list);
}

static void lfu_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	policy->period = policy->decay * (capacity_pages ? capacity_pages : 1);
	if (!policy->ghosts_percent)
		return;
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	policy->ghosts_most = queues_share(capacity_pages, policy->ghosts_percent);
	lfu_trim(policy, policy->ghosts_most);
}

static uint64_t lfu_pages_bytes(const struct pagerd_policy *policy)
{
	return (uint64_t)policy->frame_limit * sizeof *policy->pages;
}

static void lfu_destroy(struct pagerd_policy *policy)
{
	if (!policy)
		return;
	memory_release(policy->pages, lfu_pages_bytes(policy));
	ghosts_finish(&policy->ghosts);
	memory_release(policy, sizeof *policy);
}

static int lfu_ghosts_init(struct pagerd_policy *policy)
{
	uint64_t most = queues_share(policy->frame_limit, policy->ghosts_percent);
	policy->pages = memory_reserve(lfu_pages_bytes(policy));
	return policy->pages ? ghosts_init(&policy->ghosts, 0, most + 1) : -ENOMEM;
}

static int lfu_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t decay = 0, ghosts = 0;
	const struct policy_parameter accepted[] = {{"decay", 0, UINT32_MAX, &decay},
						    {"ghosts", 0, 1000, &ghosts}};
	int error = policy_parameters_parse(env, accepted, 2);
	if (error)
		return error;
	/* Most of the lists are never used: not from the heap, which might clear them all. */
	struct pagerd_policy *lfu = memory_reserve(sizeof *lfu);
	if (!lfu)
		return -ENOMEM;
	lfu->frames = env->frame_bytes;
	lfu->decay = decay;
	lfu->ghosts_percent = ghosts;
	lfu->frame_limit = env->frame_limit;
	if (ghosts && lfu_ghosts_init(lfu)) {
		lfu_destroy(lfu);
		return -ENOMEM;
	}
	lfu_resize(lfu, env->capacity_pages);
	*policy = lfu;
	return 0;
}

/* The frequency that a page comes with, which is no ghost from now on. */
static uint32_t lfu_recall(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page)
{
	if (!policy->pages)
		return 0;
	policy->pages[frame] = page;
	uint32_t number = ghosts_find(&policy->ghosts, page), frequency = 0;
	if (number != GHOST_NONE) {
		const struct ghost *ghost = &policy->ghosts.table[number];
		frequency = lfu_aged(policy, ghost->value, ghost->stamp);
		ghosts_take(&policy->ghosts, &policy->ghost_list, number);
	}
	lfu_trim(policy, policy->ghosts_most);
	return frequency;
}

static void lfu_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	uint32_t frequency = lfu_recall(policy, frame, page);
	if (frequency < LFU_FREQUENCIES - 1)
		frequency++;
	lfu_insert(policy, frame, frequency, prefetched);
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
	while (taken < count && policy->held > taken) {
		uint32_t lowest = lfu_next(policy, 0);
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
	if (!policy->pages)
		return;
	const struct lfu_frame *state = &policy->frames[frame];
	lfu_trim(policy, policy->ghosts_most);
	ghosts_push(&policy->ghosts, &policy->ghost_list, policy->pages[frame]);
	struct ghost *ghost = &policy->ghosts.table[frame_list_tail(&policy->ghost_list)];
	ghost->value = state->frequency;
	ghost->stamp = state->halvings;
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

static uint64_t lfu_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t lfu_metadata_bytes(const struct pagerd_policy *policy)
{
	uint64_t pages = policy->pages ? policy->held * sizeof *policy->pages : 0;
	return pages + ghosts_bytes(&policy->ghosts);
}

const struct pagerd_policy_ops pagerd_policy_lfu = {
	.version = PAGERD_POLICY_VERSION,
	.name = "lfu",
	.summary = "least frequently used in cache (Shah et al. 2010); decay=N, ghosts=PERCENT",
	.frame_bytes = sizeof(struct lfu_frame),
	.create = lfu_create,
	.destroy = lfu_destroy,
	.page_in = lfu_page_in,
	.referenced = lfu_referenced,
	.victims = lfu_victims,
	.keep = lfu_keep,
	.restore = lfu_restore,
	.page_out = lfu_page_out,
	.forget = lfu_forget,
	.cold = lfu_cold,
	.resize = lfu_resize,
	.held = lfu_held,
	.ghosts = lfu_ghosts,
	.metadata_bytes = lfu_metadata_bytes,
};
