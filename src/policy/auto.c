/* SPDX-License-Identifier: MIT */
/*
 * auto: does what the best of some other policies would do, and changes its mind.
 *
 * Source: the idea is that of I. Ari, A. Amer, R. Gramacy, E. Miller, S. Brandt, D. Long, "ACME:
 * adaptive caching using multiple experts", WDAS 2002: candidates are simulated beside each other
 * on what is asked for, and the best one is followed. Here they are simulated on a sample of the
 * pages (policy/sample.h). When one is clearly better, and why then: policy/contest.h. How the
 * frames get from one to the other: policy/relay.h.
 *
 * A reference is a page that comes in because it is wanted, a use, or a victim that
 * is kept; a miss is the first of these, and the first use of a page that was read ahead. One in
 * the sample costs as much as the candidates do, any other a hash of its page's number and one call
 * more. Where uses are not reported at all (a daemon that sees faults only) nothing tells what a
 * candidate would lose by evicting what is resident, so that it often chooses the second best.
 *
 * Parameters: of=NAME+NAME+... the candidates, with which the first is current at the start
 * (AUTO_OF, or AUTO_OF_BLIND where uses are not reported; each may have one parameter:
 * of=lru+lfu:decay=4); sample=N (512) frames of each candidate in the simulation; margin=PERCENT
 * (2) of the misses and cost=PERCENT (10) of a cacheful: see policy/contest.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/contest.h"
#include "policy/notes.h"
#include "policy/policies.h"
#include "policy/relay.h"
#include "policy/sample.h"

/* One of them is within 2 % of the best of all policies on nearly all workloads of
 * bench/auto_check, with room for 5 to 50 % of the pages. The first is the one that is nearest to
 * the best where differences are small, and show late. */
#define AUTO_OF "w-tinylfu+s3fifo+lru+mru+lfu+2q+car+lirs+fifo"
/* The first is the one that loses least at worst if it sees misses only. */
#define AUTO_OF_BLIND "car+w-tinylfu+s3fifo+lru+mru+lfu+2q+lirs+fifo"

struct pagerd_policy {
	struct relay relay;
	struct sample sample;
	struct contest contest;
	struct candidates candidates;
	uint32_t fitted_pages; /* the number of frames that the sample stands for */
	struct notes notes;
	void (*noted)(void *context);
	void *noted_context;
};

static void auto_fit_to(struct pagerd_policy *policy, uint32_t pages)
{
	policy->fitted_pages = pages;
	if (sample_resize(&policy->sample, pages))
		contest_clear(&policy->contest);
	policy->contest.cache = policy->sample.capacity;
}

/* ---- switching --------------------------------------------------------------------------- */

static void switch_note(struct pagerd_policy *policy, uint32_t to)
{
	const struct contest_account *account = &policy->contest.accounts[to];
	if (!policy->noted)
		return;
	notes_add(&policy->notes, &(struct note){
					  .from = policy->relay.current,
					  .to = to,
					  .references = account->references,
					  .from_missed = account->current_misses / 100,
					  .to_missed = account->own_misses / 100,
					  .pages_each = sample_pages_each(&policy->sample),
					  .frames = policy->sample.capacity,
				  });
	policy->noted(policy->noted_context);
}

/* The pool may have fewer frames than its capacity: others share the budget, and reclaim runs
 * ahead. What counts is how many there are when victims are asked for. */
static void auto_fit(struct pagerd_policy *policy)
{
	uint32_t pressed = relay_pressed(&policy->relay), fitted = policy->fitted_pages;
	if (pressed && (pressed < fitted - fitted / 16 || pressed > fitted + fitted / 16))
		auto_fit_to(policy, pressed);
}

static void auto_look(struct pagerd_policy *policy)
{
	auto_fit(policy);
	unsigned winner = contest_look(&policy->contest);
	if (winner == policy->contest.current || relay_is_moving(&policy->relay))
		return;
	switch_note(policy, winner);
	relay_switch(&policy->relay, winner);
	contest_switch(&policy->contest, winner);
}

/* Not inlined: one reference in many. */
static __attribute__((noinline)) void auto_sampled(struct pagerd_policy *policy, pagerd_page_t page,
						   bool really)
{
	uint32_t missed = sample_use(&policy->sample, page);
	if (contest_add(&policy->contest, really, missed))
		auto_look(policy);
}

static inline void auto_reference(struct pagerd_policy *policy, pagerd_page_t page, bool really)
{
	if (sample_takes(&policy->sample, page))
		auto_sampled(policy, page, really);
}

/* ---- the policy -------------------------------------------------------------------------- */

static void auto_destroy(struct pagerd_policy *policy)
{
	if (!policy)
		return;
	relay_finish(&policy->relay);
	sample_finish(&policy->sample);
	free(policy);
}

static int auto_init(struct pagerd_policy *policy, const struct pagerd_policy_env *env)
{
	const char *usual = env->uses == PAGERD_USES_NONE ? AUTO_OF_BLIND : AUTO_OF;
	uint64_t of = (uintptr_t)usual, sample = 512, margin = 2, cost = 10;
	const struct policy_parameter accepted[] = {{"of", POLICY_TEXT, &of},
						    {"sample", 16, 65536, &sample},
						    {"margin", 0, 99, &margin},
						    {"cost", 1, 10000, &cost}};
	int error = policy_parameters_parse(env, accepted, 4);
	if (!error)
		error = candidates_parse(&policy->candidates, (const char *)(uintptr_t)of, env);
	if (!error)
		error = relay_init(&policy->relay, &policy->candidates, env);
	if (!error)
		error = sample_init(&policy->sample, &policy->candidates, env, (uint32_t)sample);
	if (error)
		return error;
	policy->fitted_pages = env->capacity_pages;
	policy->contest.partial = env->uses != PAGERD_USES_ALL;
	policy->contest.count = policy->candidates.count;
	policy->contest.margin_percent = margin;
	policy->contest.cost_percent = cost;
	policy->contest.cache = policy->sample.capacity;
	policy->noted = env->noted;
	policy->noted_context = env->noted_context;
	return 0;
}

static int auto_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	struct pagerd_policy *made = calloc(1, sizeof *made);
	int error = made ? auto_init(made, env) : -ENOMEM;
	if (error)
		auto_destroy(made);
	else
		*policy = made;
	return error;
}

static void auto_demand(struct pagerd_policy *policy, pagerd_page_t page)
{
	const struct relay_instance *current = &policy->relay.instances[policy->relay.current];
	if (current->ops->demand)
		current->ops->demand(current->policy, page);
}

static void auto_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			 int prefetched)
{
	relay_page_in(&policy->relay, frame, page, prefetched);
	if (!prefetched)
		auto_reference(policy, page, true);
}

static void auto_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	if (!relay_knows(&policy->relay, frame))
		return;
	bool first = policy->relay.frames[frame].prefetched;
	relay_use(&policy->relay, frame);
	auto_reference(policy, relay_page(&policy->relay, frame), first);
}

static void auto_dirtied(struct pagerd_policy *policy, uint32_t frame)
{
	if (relay_knows(&policy->relay, frame))
		relay_dirtied(&policy->relay, frame);
}

static uint32_t auto_victims(struct pagerd_policy *policy, uint32_t *frames, uint32_t count)
{
	return relay_victims(&policy->relay, frames, count);
}

static void auto_keep(struct pagerd_policy *policy, uint32_t frame)
{
	relay_keep(&policy->relay, frame);
	auto_reference(policy, relay_page(&policy->relay, frame), false);
}

static void auto_restore(struct pagerd_policy *policy, uint32_t frame)
{
	relay_restore(&policy->relay, frame);
}

static void auto_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	relay_page_out(&policy->relay, frame);
}

static void auto_forget(struct pagerd_policy *policy, uint32_t frame)
{
	if (!relay_knows(&policy->relay, frame))
		return;
	pagerd_page_t page = relay_page(&policy->relay, frame);
	relay_forget(&policy->relay, frame);
	if (sample_takes(&policy->sample, page))
		sample_forget(&policy->sample, page);
}

static void auto_cold(struct pagerd_policy *policy, uint32_t frame)
{
	pagerd_page_t page = relay_page(&policy->relay, frame);
	relay_cold(&policy->relay, frame);
	if (sample_takes(&policy->sample, page))
		sample_cold(&policy->sample, page);
}

static void auto_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	relay_resize(&policy->relay, capacity_pages);
	auto_fit_to(policy, capacity_pages);
}

static uint32_t auto_held(const struct pagerd_policy *policy)
{
	return relay_held(&policy->relay);
}

static uint64_t auto_ghosts(const struct pagerd_policy *policy)
{
	return relay_ghosts(&policy->relay);
}

static uint64_t auto_metadata_bytes(const struct pagerd_policy *policy)
{
	return relay_bytes(&policy->relay) + sample_bytes(&policy->sample);
}

static const char *auto_current(const struct pagerd_policy *policy)
{
	return policy->candidates.list[policy->relay.current].name;
}

static bool auto_note(struct pagerd_policy *policy, char *text, size_t bytes)
{
	return notes_take(&policy->notes, &policy->candidates, text, bytes);
}

const struct pagerd_policy_ops pagerd_policy_auto = {
	.version = PAGERD_POLICY_VERSION,
	.name = "auto",
	.summary = "what the best of others would do, simulated on a sample; of=NAME+NAME",
	.frame_bytes = sizeof(struct relay_frame),
	.create = auto_create,
	.destroy = auto_destroy,
	.demand = auto_demand,
	.page_in = auto_page_in,
	.referenced = auto_referenced,
	.dirtied = auto_dirtied,
	.victims = auto_victims,
	.keep = auto_keep,
	.restore = auto_restore,
	.page_out = auto_page_out,
	.forget = auto_forget,
	.cold = auto_cold,
	.resize = auto_resize,
	.held = auto_held,
	.ghosts = auto_ghosts,
	.metadata_bytes = auto_metadata_bytes,
	.current = auto_current,
	.note = auto_note,
};
