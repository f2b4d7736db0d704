/* SPDX-License-Identifier: MIT */
/* Shortage: faults that wait for a frame, and what is done when none can be freed. */
#include <errno.h>
#include <stdio.h>

#include "core.h"

#define SHORTAGE_NS    2000000000ull /* without any progress before waiting faults fail */
#define WRITE_RETRY_NS 100000000ull  /* dirty pages are left alone so long after a failed write */

void shortage_init(struct pager *pager)
{
	pager->shortage.waiting = (struct fault_queue){FAULT_NONE, FAULT_NONE, 0};
}

void shortage_wait(struct pager *pager, uint32_t fault)
{
	struct shortage *shortage = &pager->shortage;
	if (!shortage->waiting.count)
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

void shortage_written(struct pager *pager)
{
	pager->shortage.hopeless = false;
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
	fault_retry_queue(pager, &pager->shortage.waiting);
}

/* Faults wait for frames and nothing is on its way that could free one. */
static bool stuck(const struct pager *pager)
{
	return pager->shortage.waiting.count && !pager->shortage.frames_freed &&
	       !pager->io_writes && !pager->io_reads && !pager->reclaiming;
}

static void fail(struct pager *pager)
{
	char text[120];
	snprintf(text, sizeof text,
		 "no page can be evicted: SIGBUS for %u accesses (%u of %u pages of memory in use)",
		 pager->shortage.waiting.count, pager->used_pages, pager->budget_pages);
	pager_tell(pager, text);
	pager->shortage.hopeless = true;
	fault_fail_queue(pager, &pager->shortage.waiting);
}

bool shortage_check(struct pager *pager)
{
	struct shortage *shortage = &pager->shortage;
	if (!shortage->waiting.count)
		shortage->progress_ns = pager->now_ns;
	if (!stuck(pager))
		return false;
	/* What was read ahead gives way; then every page is looked at, not only the next victims. */
	if (io_unstage(pager, 0) || pageout_all(pager))
		return true;
	if (shortage->hopeless || pager->now_ns - shortage->progress_ns > SHORTAGE_NS)
		fail(pager);
	return false;
}
