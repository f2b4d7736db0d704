/* SPDX-License-Identifier: MIT */
/* madvise, msync, mincore. */
#include <sys/mman.h>

#include "worker.h"

#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

struct advice {
	int value;
	const char *name;
	uint32_t weight;
	uint32_t clears; /* the marks of other advice that it takes back */
	bool marks;
};

#define MARK(advice) (1u << (advice))

static const struct advice advices[] = {
	{MADV_DONTNEED, "DONTNEED", 24},
	{MADV_DONTNEED_LOCKED, "DONTNEED_LOCKED", 4},
	{MADV_REMOVE, "REMOVE", 6},
	{MADV_WILLNEED, "WILLNEED", 6},
	{MADV_NORMAL, "NORMAL", 2, MARK(MADV_RANDOM) | MARK(MADV_SEQUENTIAL)},
	{MADV_RANDOM, "RANDOM", 2, MARK(MADV_SEQUENTIAL), true},
	{MADV_SEQUENTIAL, "SEQUENTIAL", 2, MARK(MADV_RANDOM), true},
	{MADV_DONTFORK, "DONTFORK", 2, 0, true},
	{MADV_DOFORK, "DOFORK", 3, MARK(MADV_DONTFORK)},
	{MADV_WIPEONFORK, "WIPEONFORK", 4, 0, true},
	{MADV_KEEPONFORK, "KEEPONFORK", 2, MARK(MADV_WIPEONFORK)},
	{MADV_COLD, "COLD", 4},
	{MADV_PAGEOUT, "PAGEOUT", 10},
	{MADV_POPULATE_READ, "POPULATE_READ", 5},
	{MADV_POPULATE_WRITE, "POPULATE_WRITE", 5},
	{MADV_DONTDUMP, "DONTDUMP", 1, 0, true},
	{MADV_DODUMP, "DODUMP", 1, MARK(MADV_DONTDUMP)},
	{99, "99", 2},
};

static const struct advice *advice_pick(struct worker *w)
{
	uint32_t all = 0, at;

	for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++)
		all += advices[i].weight;
	at = pick(w, all);
	for (size_t i = 0;; i++) {
		if (at < advices[i].weight)
			return &advices[i];
		at -= advices[i].weight;
	}
}

static bool advice_left_out(struct worker *w, const struct range *range,
			    const struct advice *advice)
{
	if (advice->value == MADV_DONTFORK && range_loose(&w->space, range))
		return true; /* the child's hole could be filled by anything */
	return advice->value == MADV_REMOVE && range_has_kind(range, PAGE_FILE_SHARED) &&
	       !w->program->known[KNOWN_REMOVE_FILE];
}

static void advice_mark(struct worker *w, const struct range *range, const struct advice *advice,
			int result)
{
	struct page *page = range_pages(range);

	if (result < 0 && (advice->marks || advice->clears))
		range_tear(&w->space, range);
	if (advice->marks || advice->clears)
		range_split(range, w->step);
	for (uint32_t i = 0; i < range->pages; i++) {
		page[i].advice &= ~advice->clears;
		/* Where it failed some may be marked: the model errs on the side of a hole. */
		if (advice->marks && page[i].kind != PAGE_HOLE)
			page[i].advice |= MARK(advice->value);
	}
}

void step_advise(struct worker *w)
{
	struct range range = pick_range(w);
	const struct advice *advice = advice_pick(w);
	char *address = range_address(&range);
	uint64_t length = (uint64_t)range.pages * PAGE;
	bool bad = chance(w, 8);
	int result;

	if (advice_left_out(w, &range, advice)) {
		report(&w->report, "madvise: left out");
		return;
	}
	if (bad && chance(w, 50))
		address += 1 + pick(w, PAGE - 1);
	else if (bad)
		length = chance(w, 50) ? 0 : UINT64_MAX - pick(w, 3) * PAGE;
	else if (chance(w, 20))
		length -= pick(w, PAGE);
	report(&w->report, "madvise(");
	report_address(&w->report, &w->space, address);
	report(&w->report, ", %#llx, %s) ", (unsigned long long)length, advice->name);
	result = madvise(address, length, advice->value);
	report_result(&w->report, result);
	if (!bad)
		advice_mark(w, &range, advice, result);
}

/* What was freed holds its old contents or zeros, until it is written. */
void step_advise_free(struct worker *w)
{
	struct range range = pick_range(w);
	uint32_t filled = 0;

	report(&w->report, "madvise(");
	report_address(&w->report, &w->space, range_address(&range));
	report(&w->report, ", %u pages, FREE) ", range.pages);
	report_result(&w->report,
		      madvise(range_address(&range), (uint64_t)range.pages * PAGE, MADV_FREE));
	for (uint32_t i = 0; i < range.pages; i++) {
		char *page = range_address(&range) + (uint64_t)i * PAGE;

		if (file_tail(w, &range_pages(&range)[i]) < PAGE)
			continue;
		if (touch_fill(page, random_next(&w->random)))
			filled++;
		else
			madvise(page, PAGE, MADV_DONTNEED);
	}
	report(&w->report, ", filled %u", filled);
}

void step_sync(struct worker *w)
{
	static const struct name names[] = {
		{0, "0"}, {MS_ASYNC, "ASYNC"}, {MS_SYNC, "SYNC"}, {MS_INVALIDATE, "INVALIDATE"}};
	static const int choices[] = {
		MS_SYNC,       MS_SYNC, MS_SYNC | MS_INVALIDATE, MS_ASYNC, MS_ASYNC | MS_INVALIDATE,
		MS_INVALIDATE, 0,	MS_SYNC | MS_ASYNC,	 8};
	struct range range = pick_range(w);
	int flags = choices[pick(w, sizeof(choices) / sizeof(choices[0]))];
	char *address = range_address(&range);

	if (chance(w, 5))
		address += 1 + pick(w, PAGE - 1);
	report(&w->report, "msync(");
	report_address(&w->report, &w->space, address);
	report(&w->report, ", %u pages, ", range.pages);
	report_bits(&w->report, flags, names, sizeof(names) / sizeof(names[0]));
	report(&w->report, ") ");
	report_result(&w->report, msync(address, (uint64_t)range.pages * PAGE, flags));
}

/* Which pages are in memory is the pager's business. */
void step_incore(struct worker *w)
{
	unsigned char vector[ARENA_PAGES];
	struct range range = pick_range(w);
	char *address = range_address(&range);
	unsigned char *where = vector;

	if (chance(w, 10))
		address += 1 + pick(w, PAGE - 1);
	if (chance(w, 10))
		where = (unsigned char *)ARENA - PAGE;
	report(&w->report, "mincore(");
	report_address(&w->report, &w->space, address);
	report(&w->report, ", %u pages, %s) ", range.pages, where == vector ? "vector" : "bad");
	report_result(&w->report, mincore(address, (uint64_t)range.pages * PAGE, where));
}
