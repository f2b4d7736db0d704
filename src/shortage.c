/* SPDX-License-Identifier: MIT */
/* Shortage: faults that wait for a frame, and what is done when none can be freed. */
#include <errno.h>
#include <stdio.h>

#include "core.h"

#define SHORTAGE_NS    2000000000ull  /* without any progress before waiting faults fail */
#define AGENTS_NS      10000000000ull /* the same while agents are busy: they may be slow */
#define LOAN_NS	       100000000ull   /* without any progress before frames are lent */
#define LOAN_LATE_NS   1000000000ull  /* the same with reclaim on demand, or for one fault */
#define LOAN_PAGES     32u
#define LOAN_MAX_PAGES 1024u	    /* of all shards together, as far as each may have some */
#define WRITE_RETRY_NS 100000000ull /* dirty pages are left alone so long after a failed write */

void shortage_init(struct pager *pager)
{
	pager->shortage.waiting = (struct fault_queue){FAULT_NONE, FAULT_NONE, 0};
}

void shortage_wait(struct pager *pager, uint32_t fault)
{
	struct shortage *shortage = &pager->shortage;
	if (!shortage->waiting.count && !shortage->serving)
		shortage->progress_ns = pager->now_ns; /* it has waited for no time yet */
	fault_push(pager, &shortage->waiting, fault);
}

void shortage_frame_freed(struct pager *pager)
{
	pager->shortage.frames_freed = true;
	pager->shortage.progress_ns = pager->now_ns;
}

void shortage_retry(struct pager *pager)
{
	pager->shortage.frames_freed = true;
}

void shortage_write_failed(struct pager *pager, int error)
{
	pager->shortage.write_retry_ns = pager->now_ns + WRITE_RETRY_NS;
	/* Waiting helps against a passing error, not against a full disk. */
	if (error == -ENOSPC || error == -EDQUOT)
		pager->shortage.hopeless = true;
}

void shortage_written(struct pager *pager, bool file)
{
	pager->shortage.hopeless = false;
	if (file)
		shortage_flows(pager);
}

void shortage_flows(struct pager *pager)
{
	if (!pager->shortage.stalled)
		return;
	pager->shortage.stalled = false;
	pager->shortage.frames_freed = true;
}

void shortage_discarded(struct pager *pager)
{
	pager->shortage.frames_freed = true;
	pager->shortage.hopeless = false;
	pager->shortage.write_retry_ns = 0;
}

bool shortage_may_write(const struct pager *pager)
{
	return pager->now_ns >= pager->shortage.write_retry_ns;
}

void shortage_serve(struct pager *pager)
{
	if (!pager->shortage.frames_freed)
		return;
	pager->shortage.frames_freed = false;
	pager->shortage.serving = true;
	fault_retry_queue(pager, &pager->shortage.waiting);
	pager->shortage.serving = false;
}

/* Faults wait for frames and nothing is on its way that could free one. */
static bool stuck(const struct pager *pager)
{
	return pager->shortage.waiting.count && !pager->shortage.frames_freed &&
	       !io_writes_run(pager) && !pager->io_reads && !pager->reclaiming &&
	       !swap_waits(pager) && pager->worker.reaped == pager->worker.open;
}

bool shortage_stalled(const struct pager *pager)
{
	return pager->shortage.stalled || pager->shortage.overdue;
}

static uint64_t fault_waited_ns(const struct pager *pager, const struct fault *fault)
{
	return pager->now_ns > fault->arrived_ns ? pager->now_ns - fault->arrived_ns : 0;
}

/* For a while: in the end, who knows whose lock the one who waits here holds? */
bool shortage_may_dirty(const struct pager *pager, const struct fault *fault)
{
	uint64_t most_ns = pager->stopping ? SHORTAGE_NS / 2 : SHORTAGE_NS;
	if (fault && fault_waited_ns(pager, fault) > most_ns)
		return true;
	return !pager->stopping && (!pager->shortage.stalled ||
				    pager->now_ns - pager->shortage.progress_ns > SHORTAGE_NS / 2);
}

static uint32_t loan_most(const struct pager *pager)
{
	uint32_t most = LOAN_MAX_PAGES / pager->config.shards;
	return most > LOAN_PAGES ? most : LOAN_PAGES;
}

/* The fault that has waited longest: those that come are put behind. */
static uint64_t waited_ns(const struct pager *pager)
{
	return fault_waited_ns(pager, &pager->faults[pager->shortage.waiting.head]);
}

/* Has nothing come free for so long that what is on its way out may itself wait for a frame? Or
 * only for others, with limits of their own? Who wants exact counts waits longer, and not at all
 * for a slow disk. */
static bool held_up(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	bool exact = pager->config.reclaim_on_demand && !shortage->stalled;
	bool waits = exact ? pager->io_file_writes || pager->agent_records
			   : io_writes_run(pager) || pager->lapses || swap_waits(pager);
	if (!waits)
		return false;
	if (pager->now_ns - shortage->progress_ns >= (exact ? LOAN_LATE_NS : LOAN_NS))
		return true;
	shortage->overdue |= waited_ns(pager) >= LOAN_LATE_NS;
	return shortage->overdue && waited_ns(pager) >= LOAN_NS;
}

/* Frames that are in use beyond the budget, or a limit. */
static uint32_t lent_used(const struct pager *pager)
{
	uint32_t most = pager->used_pages > pager->budget_pages
				? pager->used_pages - pager->budget_pages
				: 0;
	for (uint32_t i = 1; i < pager->pool_end; i++) {
		const struct pool *pool = &pager->pools[i];
		if (pool->active && pool->limit_pages &&
		    pool->used_pages > pool->limit_pages + most)
			most = pool->used_pages - pool->limit_pages;
	}
	return most;
}

static void take_back(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	uint32_t used = shortage->loan_pages ? lent_used(pager) : 0;
	/* While a client is late its pages may be all that there is: others live on what is lent.
	 */
	if (pager->lapses && used < LOAN_PAGES)
		used = LOAN_PAGES;
	if (!shortage->stalled && shortage->loan_pages > used)
		shortage->loan_pages = used;
	/* What is on its way out does not come: others are to leave. */
	bool late = !pager->lapses && pager->now_ns - shortage->lent_ns >= LOAN_LATE_NS;
	shortage->overdue = (shortage->overdue || late) && shortage->loan_pages;
}

/* Lend more, if that may help; take it back when it is not in use. */
static bool lend(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	take_back(pager);
	if (!shortage->waiting.count || !held_up(pager) ||
	    (shortage->frames_freed && !shortage->overdue) ||
	    shortage->loan_pages >= loan_most(pager) || pager->now_ns - shortage->loan_ns < LOAN_NS)
		return false;
	if (!shortage->loan_pages)
		shortage->lent_ns = pager->now_ns;
	shortage->loan_pages += LOAN_PAGES;
	shortage->loan_ns = pager->now_ns;
	/* A slow swap holds nobody's lock. */
	shortage->stalled = pager->io_file_writes > 0;
	shortage->frames_freed = true;
	return true;
}

static void fail(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	bool hopeless = shortage->hopeless;
	shortage->hopeless = true;
	uint32_t count = fault_fail_queue(pager, &shortage->waiting);
	if (!count) {
		shortage->hopeless = hopeless; /* they wait for something else */
		return;
	}
	pager->shares.vain = true;
	char text[120];
	snprintf(text, sizeof text,
		 "no page can be evicted: SIGBUS for %u accesses (%u of %u pages of memory in use)",
		 count, pager->used_pages, pager->budget_pages);
	pager_tell(pager, text);
}

/* Turns are no further apart while faults wait, unless all of this was stopped, or had no
 * processor: nothing could go on meanwhile. */
static void skip_pause(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	uint64_t pause = pager->now_ns - shortage->checked_ns;
	shortage->checked_ns = pager->now_ns;
	if (pause > 2 * TICK_NS)
		shortage->progress_ns = pager->now_ns - shortage->progress_ns > pause
						? shortage->progress_ns + pause
						: pager->now_ns;
}

bool shortage_check(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	if (!shortage->waiting.count)
		shortage->progress_ns = pager->now_ns;
	skip_pause(pager);
	if (lend(pager))
		return true;
	if (!stuck(pager))
		return false;
	/* Not all wait for frames: whoever can go on by now does. */
	uint64_t waited = pager->now_ns - shortage->progress_ns;
	if (waited > SHORTAGE_NS / 2 && shortage->retried_ns != shortage->progress_ns) {
		shortage->retried_ns = shortage->progress_ns;
		shortage->frames_freed = true;
		return true;
	}
	/* What was read ahead gives way; then every page is looked at, not only the next victims.
	 */
	uint64_t begin_ns = clock_ns();
	bool more = io_unstage(pager, 0) || pageout_all(pager);
	shortage->checked_ns += clock_ns() - begin_ns; /* that is no pause */
	if (more)
		return true;
	if (swap_waits(pager)) /* since just now */
		return false;
	/* Other shards may still give some. */
	if ((shortage->hopeless && !shares_may_grow(pager)) ||
	    waited > (pager->agent_records ? AGENTS_NS : SHORTAGE_NS))
		fail(pager);
	return false;
}
