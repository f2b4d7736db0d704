/* SPDX-License-Identifier: MIT */
/* mremap. */
#include <string.h>
#include <sys/mman.h>

#include "worker.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static const struct name flag_names[] = {{0, "0"},
					 {MREMAP_MAYMOVE, "MAYMOVE"},
					 {MREMAP_FIXED, "FIXED"},
					 {MREMAP_DONTUNMAP, "DONTUNMAP"}};

struct remap_call {
	struct range from;
	char *address;
	uint64_t length;
	uint64_t new_length;
	int flags;
	struct range to; /* with MREMAP_FIXED */
	char *new_address;
};

static void report_remap(struct worker *w, const struct remap_call *call)
{
	struct report *r = &w->report;

	report(r, "mremap(");
	report_address(r, &w->space, call->address);
	report(r, ", %#llx, %#llx, ", (unsigned long long)call->length,
	       (unsigned long long)call->new_length);
	report_bits(r, call->flags, flag_names, sizeof(flag_names) / sizeof(flag_names[0]));
	report(r, ", ");
	report_address(r, &w->space, call->new_address);
	report(r, ") ");
}

/* What is left at the old place. */
static void remap_leave(struct worker *w, const struct remap_call *call)
{
	struct page hole = {.kind = PAGE_HOLE};

	if (!call->length || (call->flags & MREMAP_DONTUNMAP))
		return;
	if (range_loose(&w->space, &call->from))
		area_forget(call->from.area);
	else
		range_set(&call->from, &hole);
}

static void remap_enter(struct worker *w, const struct remap_call *call, char *place)
{
	struct page first = *range_pages(&call->from);

	remap_leave(w, call);
	/* The two places of one mapping are not to be taken for one. */
	if (!call->length || (call->flags & MREMAP_DONTUNMAP)) {
		first.mapping = w->step + 1;
		range_tear(&w->space, &call->from);
	}
	place_enter(w, place, call->new_length, &first);
}

/* It was cut, has grown or stayed where it is. */
static void remap_kept(struct worker *w, const struct remap_call *call)
{
	struct range range = call->from;
	struct page first = *range_pages(&range), hole = {.kind = PAGE_HOLE};

	range_set(&range, &hole);
	if (range_loose(&w->space, &range))
		range.area->pages = (uint32_t)((call->new_length + PAGE - 1) / PAGE);
	if (!range_find(&w->space, range_address(&range), call->new_length, &range))
		return;
	range_set(&range, &first);
}

/* Whether the kernel chooses the place, and there is but one. */
static bool remap_anywhere(const struct remap_call *call)
{
	return call->length && (call->flags & MREMAP_MAYMOVE) &&
	       !(call->flags & (MREMAP_FIXED | MREMAP_DONTUNMAP));
}

static void remap_do(struct worker *w, const struct remap_call *call)
{
	char *place;

	report_remap(w, call);
	place = mremap(call->address, call->length, call->new_length, call->flags,
		       call->new_address);
	if (place == MAP_FAILED) {
		report_result(&w->report, -1);
		if (call->flags & MREMAP_FIXED)
			range_tear(&w->space, &call->to);
		return;
	}
	report(&w->report, "= ");
	if (range_loose(&w->space, &call->from) && remap_anywhere(call)) {
		report(&w->report, "somewhere");
		call->from.area->base = place;
		remap_kept(w, call);
		return;
	}
	report_place(&w->report, &w->space, place);
	if (place == call->address)
		remap_kept(w, call);
	else
		remap_enter(w, call, place);
}

static uint64_t remap_length(struct worker *w, const struct remap_call *call, bool grow)
{
	uint64_t pages = call->from.pages;
	uint32_t how = pick(w, 3);

	if (range_has_kind(&call->from, PAGE_SHARED) && !w->program->known[KNOWN_GROW_SHARED])
		grow = false;
	if (how == 1 && pages > 1)
		pages = 1 + pick(w, (uint32_t)pages - 1);
	else if (how == 2 && grow)
		pages += 1 + pick(w, 12);
	return pages * PAGE - (chance(w, 20) ? pick(w, PAGE) : 0);
}

static void remap_fixed(struct worker *w, struct remap_call *call)
{
	uint32_t pages = (uint32_t)((call->new_length + PAGE - 1) / PAGE);

	call->to = pick_arena(w);
	if (call->to.page + pages > ARENA_PAGES)
		call->to.page = ARENA_PAGES - pages;
	call->to.pages = pages;
	call->new_address = range_address(&call->to);
	call->flags |= MREMAP_MAYMOVE | MREMAP_FIXED;
}

/* What the kernel placed is moved, or cut, as a whole. */
static void remap_whole(struct remap_call *call)
{
	call->from.page = 0;
	call->from.pages = call->from.area->pages;
	call->address = range_address(&call->from);
	call->length = (uint64_t)call->from.pages * PAGE;
}

/* How the call moves the memory. */
static void remap_choose(struct worker *w, struct remap_call *call)
{
	bool loose = range_loose(&w->space, &call->from);
	uint32_t how = pick(w, 100);

	if (how < 50) {
		call->new_length = remap_length(w, call, true);
		remap_fixed(w, call);
	} else if (how < 62) {
		call->new_length = call->length;
		remap_fixed(w, call);
		call->flags |= MREMAP_DONTUNMAP;
	} else if (how < 67) {
		call->new_length = call->length;
		call->flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
	} else if (how < 74) {
		call->new_length = remap_length(w, call, false);
		call->length = 0;
		remap_fixed(w, call);
	} else {
		/* Whether it can grow where the kernel placed it is not known. */
		call->flags = loose || chance(w, 20) ? MREMAP_MAYMOVE : 0;
		call->new_length = remap_length(
			w, call, loose || !call->flags || w->program->known[KNOWN_GROW_MOVES]);
	}
}

static struct remap_call remap_pick(struct worker *w)
{
	struct remap_call call = {.from = pick_range(w)};

	if (range_loose(&w->space, &call.from))
		remap_whole(&call);
	call.address = range_address(&call.from);
	call.length = (uint64_t)call.from.pages * PAGE;
	/* Single mappings are rare among random ranges. */
	while (!w->program->known[KNOWN_REMAP_SPANS] && !range_loose(&w->space, &call.from) &&
	       call.from.pages > 1 && !range_uniform(&call.from)) {
		call.from.pages--;
		call.length -= PAGE;
	}
	remap_choose(w, &call);
	return call;
}

/* Whether the kernel wants all of it in one mapping, and not just to move it. */
static bool remap_wants_one(const struct remap_call *call)
{
	return call->length == 0 || call->new_length > call->length ||
	       (call->flags & MREMAP_DONTUNMAP);
}

/* The kernel takes the lock from all of a mapping if a part is moved and stays. */
static bool remap_unlocks(const struct remap_call *call)
{
	for (uint32_t i = 0; i < call->from.pages; i++) {
		if (range_pages(&call->from)[i].advice & PAGE_LOCKED)
			return call->flags & MREMAP_DONTUNMAP;
	}
	return false;
}

static bool remap_left_out(const struct worker *w, const struct remap_call *call)
{
	if ((call->flags & MREMAP_DONTUNMAP) && !w->program->known[KNOWN_DONTUNMAP_FILE] &&
	    range_has_kind(&call->from, PAGE_FILE_PRIVATE))
		return true;
	if (call->new_length > call->length && !w->program->known[KNOWN_GROW_FILE] &&
	    range_has_kind(&call->from, PAGE_FILE_PRIVATE))
		return true;
	if (remap_unlocks(call))
		return true;
	if (w->program->known[KNOWN_REMAP_SPANS])
		return false;
	return remap_wants_one(call) ? !range_unsplit(&call->from) : !range_uniform(&call->from);
}

void step_remap(struct worker *w)
{
	struct remap_call call = remap_pick(w);

	if (remap_left_out(w, &call)) {
		report(&w->report, "mremap: left out");
		return;
	}
	remap_do(w, &call);
}

void step_remap_bad(struct worker *w)
{
	struct remap_call call = remap_pick(w);

	if (range_loose(&w->space, &call.from) || remap_left_out(w, &call)) {
		report(&w->report, "mremap: left out");
		return;
	}
	switch (pick(w, 7)) {
	case 0:
		call.address += 1 + pick(w, PAGE - 1);
		break;
	case 1:
		call.new_length = 0;
		break;
	case 2:
		call.new_length = chance(w, 50) ? 1ull << 47 : UINT64_MAX;
		break;
	case 3:
		call.flags = (call.flags | MREMAP_FIXED) & ~MREMAP_MAYMOVE;
		break;
	case 4:
		call.flags |= 8;
		break;
	case 5:
		call.flags |= MREMAP_MAYMOVE | MREMAP_FIXED;
		call.new_address += 1 + pick(w, PAGE - 1);
		break;
	default: /* over itself */
		call.flags = MREMAP_MAYMOVE | MREMAP_FIXED;
		call.new_address = call.address;
		call.to = call.from;
		break;
	}
	report_remap(w, &call);
	if (call.flags & MREMAP_FIXED)
		range_tear(&w->space, &call.to);
	if (mremap(call.address, call.length, call.new_length, call.flags, call.new_address) ==
	    MAP_FAILED)
		report_result(&w->report, -1);
	else
		report(&w->report, "= UNEXPECTED");
}
