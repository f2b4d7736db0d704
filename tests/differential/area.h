/* SPDX-License-Identifier: MIT */
/*
 * The address space that a program works in: an arena at a fixed address, where it places what it
 * maps, and a few areas where the kernel placed it. Addresses are printed as area + page.
 *
 * Each page has what the program's own calls say of it. It serves to leave out calls that are known
 * to differ, and decides nothing else.
 */
#ifndef PAGERD_TESTS_DIFFERENTIAL_AREA_H
#define PAGERD_TESTS_DIFFERENTIAL_AREA_H

#include <stdbool.h>
#include <stdint.h>

#include "program.h"
#include "random.h"
#include "report.h"

#define AREAS	    4 /* the arena and three that the kernel placed */
#define LOOSE_PAGES 64u
#define ARENA	    ((char *)0x100000000000)

enum page_kind {
	PAGE_HOLE,
	PAGE_PRIVATE,
	PAGE_SHARED,
	PAGE_FILE_SHARED,
	PAGE_FILE_PRIVATE,
};

#define PAGE_LOCKED (1u << 31)

struct page {
	uint32_t mapping; /* the step that mapped it */
	uint32_t split;	  /* by which call it was last set apart from its neighbours */
	uint16_t torn;	  /* not to be taken for the neighbour of another */
	uint8_t kind;
	uint8_t file;
	uint8_t protection;
	uint32_t advice; /* bits 1 << MADV_*, and PAGE_LOCKED */
	uint32_t file_page;
};

struct area {
	char *base;
	uint32_t pages; /* 0: not in use */
	struct page page[ARENA_PAGES];
};

struct space {
	struct area area[AREAS];
	uint16_t tears;
	bool locks_new; /* mlockall(MCL_FUTURE) */
};

struct range {
	struct area *area;
	uint32_t page;
	uint32_t pages;
};

void space_init(struct space *space);
/* A range of the arena, or of another area that is in use. */
struct range range_any(struct space *space, const struct program *program, struct random *random);
struct range range_arena(struct space *space, const struct program *program, struct random *random);
char *range_address(const struct range *range);
struct page *range_pages(const struct range *range);
bool range_loose(const struct space *space, const struct range *range);
/* The range of the area that address is in, as far as the area reaches; false if in none. */
bool range_find(struct space *space, const void *address, uint64_t length, struct range *range);
/* Whether one call has made all of it, and nothing sets parts of it apart. Or has done so since:
 * what is alike again the kernel may have merged or not, depending on what was touched in which
 * order. */
bool range_uniform(const struct range *range);
bool range_unsplit(const struct range *range);
void range_split(const struct range *range, uint32_t step);
bool range_has_kind(const struct range *range, enum page_kind kind);
/* Whether what is stored there is seen nowhere else. */
bool range_private(const struct range *range);
/* Set the pages from what the first is to be. */
void range_set(const struct range *range, const struct page *first);
void range_tear(struct space *space, const struct range *range);
/* In a child of fork: what is marked MADV_DONTFORK is not there. */
void space_forked(struct space *space);
/* Give up what the kernel placed, or what there is of it. */
void area_forget(struct area *area);

void report_address(struct report *report, const struct space *space, const void *address);
/* The same of what was mapped just now: where the kernel has placed something is not told. */
void report_place(struct report *report, const struct space *space, const char *address);

#endif
