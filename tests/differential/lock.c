/* SPDX-License-Identifier: MIT */
/* mlock and its relatives. Some locks last: the kernel then refuses MADV_DONTNEED and others. */
#include <sys/mman.h>

#include "worker.h"

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

static void pages_mark(struct page *page, uint32_t pages, bool lock)
{
	for (uint32_t i = 0; i < pages; i++) {
		page[i].advice &= ~PAGE_LOCKED;
		if (lock && page[i].kind != PAGE_HOLE)
			page[i].advice |= PAGE_LOCKED;
	}
}

static void lock_mark(struct worker *w, const struct range *range, bool lock, int result)
{
	if (result < 0)
		range_tear(&w->space, range);
	range_split(range, w->step);
	pages_mark(range_pages(range), range->pages, lock);
}

enum lock_call { UNLOCK, LOCK, LOCK_ONFAULT, LOCK_BAD, LOCK_CALLS };

static int lock_do(const char *address, uint64_t length, enum lock_call call)
{
	if (call == UNLOCK)
		return munlock(address, length);
	if (call == LOCK)
		return mlock(address, length);
	return mlock2(address, length, call == LOCK_ONFAULT ? MLOCK_ONFAULT : 2);
}

static void lock_call(struct worker *w, const struct range *range, enum lock_call call)
{
	static const char *const names[LOCK_CALLS] = {
		[UNLOCK] = "munlock",
		[LOCK] = "mlock",
		[LOCK_ONFAULT] = "mlock2 onfault",
		[LOCK_BAD] = "mlock2 bad",
	};
	char *address = range_address(range);
	uint64_t length = (uint64_t)range->pages * PAGE;
	int result;

	/* These round to whole pages. */
	if (chance(w, 30)) {
		address += pick(w, PAGE);
		length -= (uint64_t)address % PAGE;
	}
	report(&w->report, "%s(", names[call]);
	report_address(&w->report, &w->space, address);
	report(&w->report, ", %#llx) ", (unsigned long long)length);
	result = lock_do(address, length, call);
	report_result(&w->report, result);
	if (call != LOCK_BAD)
		lock_mark(w, range, call != UNLOCK, result);
}

void step_lock(struct worker *w)
{
	struct range range = pick_range(w);
	uint32_t which = pick(w, 4);
	uint32_t how = pick(w, 20);

	if (which == 0)
		lock_call(w, &range, UNLOCK);
	else
		lock_call(w, &range, how == 0 ? LOCK_BAD : how < 5 ? LOCK_ONFAULT : LOCK);
	if (which > 1)
		lock_call(w, &range, UNLOCK);
}

static void all_mark(struct worker *w, bool lock)
{
	for (int i = 0; i < AREAS; i++)
		pages_mark(w->space.area[i].page, w->space.area[i].pages, lock);
}

static void lock_all(struct worker *w, int flags)
{
	int result;

	/* The pager's own memory would count. */
	if (w->program->limits)
		flags &= ~(MCL_FUTURE | MCL_CURRENT);
	result = mlockall(flags);

	report(&w->report, "mlockall(%d) ", flags);
	report_result(&w->report, result);
	if (result < 0)
		return;
	w->space.locks_new = flags & MCL_FUTURE;
	if (flags & MCL_CURRENT)
		all_mark(w, true);
}

static void unlock_all(struct worker *w)
{
	report(&w->report, " munlockall() ");
	report_result(&w->report, munlockall());
	w->space.locks_new = false;
	all_mark(w, false);
}

/* Little is left to try where all is locked: that mostly ends at once. */
void step_lock_all(struct worker *w)
{
	static const int choices[] = {MCL_CURRENT,
				      MCL_CURRENT | MCL_ONFAULT,
				      MCL_CURRENT | MCL_FUTURE,
				      0,
				      MCL_ONFAULT,
				      8};

	if (chance(w, 70))
		lock_all(w, choices[pick(w, sizeof(choices) / sizeof(choices[0]))]);
	if (chance(w, 85))
		unlock_all(w);
}
