/* SPDX-License-Identifier: MIT */
/* mmap, munmap, mprotect. */
#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>

#include "worker.h"

static const struct name protections[] = {
	{PROT_NONE, "none"}, {PROT_READ, "r"}, {PROT_WRITE, "w"}, {PROT_EXEC, "x"}};

static const struct name flag_names[] = {
	{MAP_SHARED_VALIDATE, "SHARED_VALIDATE"},
	{MAP_SHARED, "SHARED"},
	{MAP_PRIVATE, "PRIVATE"},
	{MAP_ANONYMOUS, "ANON"},
	{MAP_FIXED, "FIXED"},
	{MAP_FIXED_NOREPLACE, "NOREPLACE"},
	{MAP_POPULATE, "POPULATE"},
	{MAP_LOCKED, "LOCKED"},
	{MAP_NORESERVE, "NORESERVE"},
	{MAP_STACK, "STACK"},
};

struct map_call {
	char *address;
	uint64_t length;
	int protection;
	int flags;
	struct descriptor descriptor;
	uint64_t offset;
};

void report_protection(struct report *r, int protection)
{
	report_bits(r, protection, protections, sizeof(protections) / sizeof(protections[0]));
}

static void report_map(struct worker *w, const struct map_call *call)
{
	struct report *r = &w->report;

	report(r, "mmap(");
	report_address(r, &w->space, call->address);
	report(r, ", %#llx, ", (unsigned long long)call->length);
	report_protection(r, call->protection);
	report(r, ", ");
	report_bits(r, call->flags, flag_names, sizeof(flag_names) / sizeof(flag_names[0]));
	report(r, ", ");
	report_descriptor(r, &call->descriptor);
	report(r, ", %#llx) ", (unsigned long long)call->offset);
}

static struct page map_page(const struct worker *w, const struct map_call *call)
{
	bool anonymous = call->flags & MAP_ANONYMOUS;
	bool private = (call->flags & MAP_TYPE) == MAP_PRIVATE;
	struct page page = {
		.mapping = w->step + 1,
		.protection = (uint8_t)call->protection,
		.file = anonymous ? 0 : (uint8_t)call->descriptor.file,
		.file_page = (uint32_t)(call->offset / PAGE),
	};

	if ((call->flags & MAP_LOCKED) || w->space.locks_new)
		page.advice |= PAGE_LOCKED;

	if (anonymous)
		page.kind = private ? PAGE_PRIVATE : PAGE_SHARED;
	else
		page.kind = private ? PAGE_FILE_PRIVATE : PAGE_FILE_SHARED;
	return page;
}

void place_enter(struct worker *w, char *address, uint64_t length, const struct page *first)
{
	struct range range;
	struct area *area;
	uint32_t which = 1 + pick(w, AREAS - 1);

	if (range_find(&w->space, address, length, &range)) {
		range_set(&range, first);
		return;
	}
	area = &w->space.area[which];
	if (length > LOOSE_PAGES * PAGE) {
		report(&w->report, " too large, munmap ");
		report_result(&w->report, munmap(address, length));
		return;
	}
	if (area->pages) {
		report(&w->report, " munmap %c ", "AXYZ"[which]);
		report_result(&w->report, munmap(area->base, (uint64_t)area->pages * PAGE));
		area_forget(area);
	}
	area->base = address;
	area->pages = (uint32_t)((length + PAGE - 1) / PAGE);
	range = (struct range){area, 0, area->pages};
	range_set(&range, first);
	report(&w->report, " is %c", "AXYZ"[which]);
}

static void map_do(struct worker *w, const struct map_call *call)
{
	struct page page = map_page(w, call);
	char *address;

	report_map(w, call);
	address = mmap(call->address, call->length, call->protection, call->flags,
		       call->descriptor.fd, (off_t)call->offset);
	if (address == MAP_FAILED) {
		report_result(&w->report, -1);
		return;
	}
	report(&w->report, "= ");
	report_place(&w->report, &w->space, address);
	place_enter(w, address, call->length, &page);
}

/* Where to: mostly over what is there. */
static void map_place(struct worker *w, struct map_call *call)
{
	struct range range = pick_arena(w);
	uint32_t how = pick(w, 100);

	call->address = range_address(&range);
	call->length = (uint64_t)range.pages * PAGE;
	if (chance(w, 25))
		call->length -= pick(w, PAGE);
	if (how < 68) {
		call->flags |= MAP_FIXED;
	} else if (how < 78) {
		call->flags |= MAP_FIXED_NOREPLACE;
	} else if (how >= 86) {
		call->address = NULL;
	}
}

static int map_protection(struct worker *w)
{
	uint32_t how = pick(w, 100);

	if (how < 78)
		return PROT_READ | PROT_WRITE;
	if (how < 88)
		return PROT_READ;
	return how < 97 ? PROT_NONE : PROT_READ | PROT_WRITE | PROT_EXEC;
}

static void map_extras(struct worker *w, struct map_call *call)
{
	if (chance(w, 10))
		call->flags |= MAP_POPULATE;
	if (chance(w, 10))
		call->flags |= MAP_NORESERVE;
	if (chance(w, 3))
		call->flags |= MAP_LOCKED;
}

static struct map_call map_anon(struct worker *w)
{
	struct map_call call = {
		.flags = MAP_ANONYMOUS | (chance(w, 65) ? MAP_PRIVATE : MAP_SHARED),
		.descriptor = {.fd = -1, .file = -1},
		.protection = map_protection(w),
	};

	map_place(w, &call);
	map_extras(w, &call);
	if (chance(w, 10)) /* which the pager leaves to the kernel */
		call.flags |= MAP_STACK;
	return call;
}

static struct map_call map_file(struct worker *w)
{
	struct map_call call = {.descriptor = descriptor_pick(w, false)};

	call.protection = map_protection(w);
	if (call.descriptor.file != STILL && !w->program->known[KNOWN_EXEC_FILE])
		call.protection &= ~PROT_EXEC;
	if (chance(w, 50))
		call.flags = MAP_PRIVATE;
	else
		call.flags = chance(w, 85) ? MAP_SHARED : MAP_SHARED_VALIDATE;
	/* Its memory must not change. */
	if (call.descriptor.file == STILL && call.flags != MAP_PRIVATE)
		call.protection = PROT_READ;
	map_place(w, &call);
	map_extras(w, &call);
	call.offset = (uint64_t)pick(w, chance(w, 50) ? 8 : 72) * PAGE;
	return call;
}

void step_map_anon(struct worker *w)
{
	struct map_call call = map_anon(w);

	map_do(w, &call);
}

void step_map_file(struct worker *w)
{
	struct map_call call = map_file(w);

	map_do(w, &call);
}

static uint64_t bad_length(struct worker *w)
{
	static const uint64_t lengths[] = {
		0,	    UINT64_MAX,		 UINT64_MAX - PAGE + 1,	      1ull << 63,
		1ull << 47, (1ull << 47) - PAGE, UINT64_MAX / PAGE * PAGE - 1};

	if (w->program->limits && chance(w, 30))
		return SPACE_BYTES;
	return lengths[pick(w, sizeof(lengths) / sizeof(lengths[0]))];
}

/* One thing is wrong with the call. */
static void map_spoil(struct worker *w, struct map_call *call)
{
	switch (pick(w, 10)) {
	case 0:
		call->address += 1 + pick(w, PAGE - 1);
		break;
	case 1:
		call->length = bad_length(w);
		break;
	case 2:
		call->offset += 1 + pick(w, PAGE - 1);
		break;
	case 3:
		call->offset = UINT64_MAX - (uint64_t)pick(w, 40) * PAGE - PAGE + 1;
		break;
	case 4:
		call->flags &= ~MAP_TYPE;
		break;
	case 5:
		call->flags |= MAP_TYPE;
		break;
	case 6:
		call->descriptor = (struct descriptor){.fd = chance(w, 50) ? -1 : 999, .file = -1};
		break;
	case 7:
		call->descriptor = (struct descriptor){.fd = w->files.directory, .file = -1};
		break;
	case 8:
		call->flags = (call->flags & ~MAP_TYPE) | MAP_SHARED_VALIDATE | 1 << 23;
		call->protection &= ~PROT_WRITE; /* should it be let through, of the still file */
		break;
	default:
		call->address = (char *)(1ull << 47) - PAGE;
		break;
	}
}

void step_map_bad(struct worker *w)
{
	struct map_call call = chance(w, 50) ? map_anon(w) : map_file(w);

	/* Not without: a misaligned hint and such are no error, and large areas have no place. */
	call.flags &= ~(MAP_FIXED_NOREPLACE | MAP_POPULATE | MAP_LOCKED);
	call.flags |= MAP_FIXED;
	if (!call.address)
		call.address = ARENA;
	map_spoil(w, &call);
	map_do(w, &call);
}

/* The arguments of a call on a range of memory. */
struct span {
	struct range range;
	char *address;
	uint64_t length;
};

static struct span pick_span(struct worker *w, uint32_t bad_percent)
{
	struct range range = pick_range(w);
	struct span span = {range, range_address(&range), (uint64_t)range.pages * PAGE};

	if (chance(w, 20))
		span.length -= pick(w, PAGE);
	if (!chance(w, bad_percent))
		return span;
	/* From what the kernel placed on, a long range would reach the process's own memory. */
	if (chance(w, 50) || range_loose(&w->space, &range))
		span.address += 1 + pick(w, PAGE - 1);
	else
		span.length = bad_length(w);
	return span;
}

static void report_span(struct worker *w, const char *call, const struct span *span)
{
	report(&w->report, "%s(", call);
	report_address(&w->report, &w->space, span->address);
	report(&w->report, ", %#llx", (unsigned long long)span->length);
}

/* An area that the kernel placed goes as a whole: what would be placed in its holes is not known.
 */
static void unmap_loose(struct worker *w, struct area *area)
{
	struct span span = {{0}, area->base, (uint64_t)area->pages * PAGE};

	report_span(w, "munmap", &span);
	report(&w->report, ") ");
	report_result(&w->report, munmap(span.address, span.length));
	area_forget(area);
}

void step_unmap(struct worker *w)
{
	struct span span = pick_span(w, 10);
	struct page hole = {.kind = PAGE_HOLE};
	int result;

	if (range_loose(&w->space, &span.range)) {
		unmap_loose(w, span.range.area);
		return;
	}
	report_span(w, "munmap", &span);
	/* It would take the process's own memory along. */
	if (span.length == (1ull << 47) - PAGE)
		span.length = 0;
	result = munmap(span.address, span.length);
	report(&w->report, ") ");
	report_result(&w->report, result);
	if (result == 0)
		range_set(&span.range, &hole);
}

/* A call that fails has protected what comes before the mapping that it fails at. With ENOMEM that
 * is the first hole; else it is not known, and a page counts as what it is in either case. */
static void protect_partly(const struct range *range, int protection, bool hole)
{
	struct page *page = range_pages(range);

	for (uint32_t i = 0; i < range->pages && page[i].kind != PAGE_HOLE; i++)
		page[i].protection = (uint8_t)(hole ? protection : page[i].protection & protection);
}

/* What is read-only for good must stay so: the still file. */
void step_protect(struct worker *w)
{
	static const int choices[] = {PROT_NONE,
				      PROT_READ,
				      PROT_READ | PROT_WRITE,
				      PROT_READ | PROT_WRITE,
				      PROT_READ | PROT_WRITE,
				      PROT_WRITE,
				      PROT_READ | PROT_EXEC,
				      0x40};
	struct span span = pick_span(w, 10);
	int protection = choices[pick(w, sizeof(choices) / sizeof(choices[0]))];
	struct range changed = span.range;
	struct page *page = range_pages(&span.range);
	bool beyond = span.length > (uint64_t)span.range.pages * PAGE;
	int result, error;

	for (uint32_t i = 0; i < span.range.pages; i++) {
		if (page[i].kind == PAGE_FILE_SHARED && page[i].file == STILL)
			protection &= ~PROT_WRITE;
	}
	if (beyond)
		protection &= ~PROT_WRITE; /* who knows over what */
	report_span(w, "mprotect", &span);
	report(&w->report, ", ");
	report_protection(&w->report, protection);
	report(&w->report, ") ");
	result = mprotect(span.address, span.length, protection);
	error = result < 0 ? errno : 0;
	report_result(&w->report, result);
	if (beyond)
		changed.pages = changed.area->pages - changed.page;
	if (result < 0) {
		if (error != EINVAL)
			protect_partly(&changed, protection, error == ENOMEM && !beyond);
		range_tear(&w->space, &changed);
		return;
	}
	for (uint32_t i = 0; i < span.range.pages && span.length; i++)
		page[i].protection = (uint8_t)protection;
	range_split(&span.range, w->step);
}
