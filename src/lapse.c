/* SPDX-License-Identifier: MIT */
#include "lapse.h"

#include "core.h"

#define PATIENCE_NS                                                                                \
	50000000ull		  /* an agent that does not answer for so long is late; half as    \
				   * long if it was late just now, and so on */
#define LAPSES_MOST 3u		  /* so often is it halved */
#define SOON_NS	    1000000000ull /* "just now" */
#define LOOK_NS	    5000000ull

/* ---- begin ------------------------------------------------------------------------------- */

/* A page of it has changed hands meanwhile (see push.h): what is there has to go. */
static bool drops_gone(struct pager *pager, const struct io *io)
{
	for (uint32_t i = 0; io->kind == IO_ZAP && i < io->span; i++) {
		const struct frame *frame = frame_get(pager, io->frames[i]);
		const struct object *object = object_lookup(pager, frame_object(frame));
		if (!(frame->flags & FRAME_ORPHAN) &&
		    object_pte(object, frame_page(frame)) & PTE_GONE)
			return true;
	}
	return false;
}

static void record_park(struct pager *pager, const struct io *io)
{
	uint32_t count = io->kind == IO_WRITE ? io->count : io->kind == IO_ZAP ? io->span : 0;
	for (uint32_t i = 0; i < count; i++)
		frame_park(pager, io->frames[i]);
}

static void record_cancel(struct pager *pager, struct agent *agent, uint32_t number)
{
	if (pager->ios[number].kind == IO_WRITE)
		io_save_never(pager, number);
	else
		agent_record_done(pager, agent, number, 0, true);
}

/* Take back what it has not begun, all but the first, as far as it can be done without. */
static void queue_cut(struct pager *pager, struct agent *agent)
{
	uint32_t next = agent->head, cut = IO_NONE, number;
	pager->agent_records -= agent->queued;
	agent->queued = 0;
	agent->head = agent->tail = IO_NONE;
	while ((number = next) != IO_NONE) {
		struct io *io = &pager->ios[number];
		next = io->agent_next;
		record_park(pager, io);
		if (!agent->queued || io_truncates(io) || drops_gone(pager, io)) {
			agent_push(pager, agent, number);
			continue;
		}
		io->agent_next = cut;
		cut = number;
	}
	while ((number = cut) != IO_NONE) {
		cut = pager->ios[number].agent_next;
		record_cancel(pager, agent, number);
	}
}

static void lapse_begin(struct pager *pager, struct client *client)
{
	struct agent *agent = &client->agent;
	agent->lapse.since_ns = pager->now_ns;
	agent->lapse.before += agent->lapse.before < LAPSES_MOST;
	pager->lapses++;
	if (pager->ios[agent->head].kind == IO_WRITE)
		io_save_late(pager, agent->head);
	queue_cut(pager, agent);
	shortage_retry(pager);
}

static bool lapse_due(struct pager *pager, const struct agent *agent)
{
	return agent->sent && !agent->lapse.since_ns &&
	       (pager->now_ns - agent->sent_ns >= PATIENCE_NS >> agent->lapse.before ||
		chaos_late(pager));
}

bool lapses_look(struct pager *pager)
{
	uint32_t lapses = pager->lapses;
	uint64_t look_ns = pager->chaos.on ? 0 : LOOK_NS;
	if (!pager->agent_records || pager->now_ns - pager->lapses_looked_ns < look_ns)
		return false;
	pager->lapses_looked_ns = pager->now_ns;
	for (uint32_t i = 1; i < pager->client_room; i++) {
		struct client *client = pager->clients[i];
		if (client && lapse_due(pager, &client->agent))
			lapse_begin(pager, client);
	}
	return pager->lapses > lapses;
}

uint64_t lapses_wait_ns(const struct pager *pager)
{
	return pager->shortage.waiting.count && pager->agent_records > pager->lapses ? LOOK_NS : 0;
}

bool lapse_now(struct pager *pager, uint32_t number)
{
	const struct client *client = client_lookup(pager, number);
	return client && client->agent.lapse.since_ns;
}

/* ---- end --------------------------------------------------------------------------------- */

static bool frame_parked(struct pager *pager, uint32_t number, uint32_t client)
{
	const struct frame *frame = frame_get(pager, number);
	if (!frame_object(frame) || frame->flags & (FRAME_HELD | FRAME_RECLAIM | FRAME_ORPHAN))
		return false;
	const struct object *object = object_lookup(pager, frame_object(frame));
	return object_is_private(object) && object->client == client &&
	       pte_state(object_pte(object, frame_page(frame))) == PAGE_RESIDENT;
}

/* Back to its policy, to leave before all others. */
static void frame_unpark(struct pager *pager, uint32_t number)
{
	const struct pool *pool = &pager->pools[frame_get(pager, number)->pool];
	frame_keep(pager, number);
	if (pool->ops->cold)
		pool->ops->cold(pool->policy, number);
}

/* The last to go first, so that they leave in the order in which they would have left. */
static void client_unpark(struct pager *pager, uint32_t client)
{
	bool known = pager->parked_count <= pager->frame_limit;
	for (uint32_t i = known ? pager->parked_count : pager->frame_fresh; i--;) {
		uint32_t number = known ? pager->parked[i] : i;
		if (frame_parked(pager, number, client))
			frame_unpark(pager, number);
	}
	if (!pager->lapses)
		pager->parked_count = 0;
}

void lapse_end(struct pager *pager, struct client *client)
{
	struct lapse *lapse = &client->agent.lapse;
	if (!lapse->since_ns) {
		if (pager->now_ns - lapse->ended_ns >= SOON_NS)
			lapse->before = 0;
		return;
	}
	lapse->since_ns = 0;
	lapse->ended_ns = pager->now_ns;
	pager->lapses--;
	client_unpark(pager, client->number);
}
