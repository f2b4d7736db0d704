/* SPDX-License-Identifier: MIT */
/*
 * 2q: pages prove themselves in a queue before they are let into the main list.
 *
 * Source: T. Johnson, D. Shasha, "2Q: a low overhead high performance buffer management replacement
 * algorithm", VLDB 1994: the full version. A page enters A1in, a FIFO. It leaves from there to
 * A1out, a FIFO of page numbers, when A1in holds more than Kin pages; one that is missed while its
 * number is in A1out enters Am, an LRU list. Uses in A1in change nothing. What leaves from Am is
 * not remembered.
 *
 * Variant: where A1in is within Kin and Am is empty, a page of A1in leaves, to A1out. A page that
 * is kept goes to the young end of its list. A prefetched page enters like any other; its first
 * use in Am does not move it.
 *
 * The number that the new page's victim pushes out of A1out may be the new page's own, which was
 * looked up before that: one more is kept until the page comes in.
 *
 * Parameters: in=PERCENT (25) of the capacity, Kin; out=PERCENT (50), Kout: 1 to 99, and to 1000.
 */
#include <errno.h>
#include <stdlib.h>

#include "pagerd/policy_parameters.h"
#include "policy/ghost.h"
#include "policy/policies.h"
#include "policy/queues.h"

enum { A1IN = QUEUE_A, AM = QUEUE_B };

struct pagerd_policy {
	struct queues queues;
	struct ghosts ghosts;
	struct frame_list a1out;
	uint32_t kin, kout;
	uint64_t in_percent, out_percent;
	uint32_t frame_limit;
};

static void twoq_trim(struct pagerd_policy *policy, uint32_t most)
{
	while (policy->ghosts.count > most)
		ghosts_pop(&policy->ghosts, &policy->a1out);
}

static void twoq_resize(struct pagerd_policy *policy, uint32_t capacity_pages)
{
	if (capacity_pages > policy->frame_limit)
		capacity_pages = policy->frame_limit;
	policy->kin = queues_share(capacity_pages, policy->in_percent);
	policy->kout = queues_share(capacity_pages, policy->out_percent);
	twoq_trim(policy, policy->kout);
}

static uint32_t twoq_choose(struct pagerd_policy *policy)
{
	const struct queues *queues = &policy->queues;
	bool in = queues->counts[A1IN] > policy->kin || !queues->counts[AM];
	return queues_head(queues, in ? A1IN : AM);
}

static int twoq_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	uint64_t in = 25, out = 50;
	const struct policy_parameter accepted[] = {{"in", 1, 99, &in}, {"out", 1, 1000, &out}};
	int error = policy_parameters_parse(env, accepted, 2);
	if (error)
		return error;
	struct pagerd_policy *twoq = calloc(1, sizeof *twoq);
	if (!twoq)
		return -ENOMEM;
	if (ghosts_init(&twoq->ghosts, 0, queues_share(env->frame_limit, out) + 1)) {
		free(twoq);
		return -ENOMEM;
	}
	twoq->queues.frames = env->frame_bytes;
	twoq->queues.choose = twoq_choose;
	twoq->in_percent = in;
	twoq->out_percent = out;
	twoq->frame_limit = env->frame_limit;
	twoq_resize(twoq, env->capacity_pages);
	*policy = twoq;
	return 0;
}

static void twoq_destroy(struct pagerd_policy *policy)
{
	if (policy)
		ghosts_finish(&policy->ghosts);
	free(policy);
}

static void twoq_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			 int prefetched)
{
	bool known = ghosts_find(&policy->ghosts, page) != GHOST_NONE;
	twoq_trim(policy, policy->kout);
	uint32_t ghost = known ? ghosts_find(&policy->ghosts, page) : GHOST_NONE;
	if (ghost != GHOST_NONE)
		ghosts_take(&policy->ghosts, &policy->a1out, ghost);
	queues_page_in(&policy->queues, known ? AM : A1IN, frame, page, prefetched);
}

static void twoq_referenced(struct pagerd_policy *policy, uint32_t frame)
{
	struct queued_frame *state = &policy->queues.frames[frame];
	if (state->queue == QUEUE_NEXT)
		queues_move(&policy->queues, state->home, frame);
	else if (state->queue == AM && !state->prefetched)
		queues_move(&policy->queues, AM, frame);
	state->prefetched = false;
}

static void twoq_keep(struct pagerd_policy *policy, uint32_t frame)
{
	queues_push_tail(&policy->queues, policy->queues.frames[frame].home, frame);
}

static void twoq_page_out(struct pagerd_policy *policy, uint32_t frame)
{
	if (queues_evicted(&policy->queues, frame) != A1IN)
		return;
	twoq_trim(policy, policy->kout);
	ghosts_push(&policy->ghosts, &policy->a1out, queues_page(&policy->queues, frame));
}

static uint64_t twoq_ghosts(const struct pagerd_policy *policy)
{
	return policy->ghosts.count;
}

static uint64_t twoq_metadata_bytes(const struct pagerd_policy *policy)
{
	return ghosts_bytes(&policy->ghosts);
}

const struct pagerd_policy_ops pagerd_policy_2q = {
	.version = PAGERD_POLICY_VERSION,
	.name = "2q",
	.summary = "a trial queue before an LRU list, full version (Johnson, Shasha 1994)",
	.frame_bytes = sizeof(struct queued_frame),
	.create = twoq_create,
	.destroy = twoq_destroy,
	.page_in = twoq_page_in,
	.referenced = twoq_referenced,
	.victims = queues_victims,
	.keep = twoq_keep,
	.restore = queues_restore,
	.page_out = twoq_page_out,
	.forget = queues_forget,
	.cold = queues_cold,
	.resize = twoq_resize,
	.held = queues_held,
	.ghosts = twoq_ghosts,
	.metadata_bytes = twoq_metadata_bytes,
};
