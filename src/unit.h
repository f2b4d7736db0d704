/* SPDX-License-Identifier: MIT */
/*
 * Units: how many pages a fault brings in where no run of accesses is seen.
 *
 * The unit is the aligned range around the page, as far as it can be read in one transfer; its
 * pages leave one by one, as the policy wants. Its size is set (see setting.h) or, with UNIT_AUTO,
 * found out for each region. To that end one of 64 blocks is a probe, in which every page comes in
 * by itself, and no run begins: how many of a page's neighbours came in a short while before it
 * tells how much of a unit would have been used. The pager's thread only.
 */
#ifndef PAGERD_UNIT_H
#define PAGERD_UNIT_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct region;
struct object;

#define UNIT_MOST  256u /* pages: what one read can bring in */
#define UNIT_BLOCK 16u	/* the largest that is found out */
#define UNIT_SIZES 2u	/* sizes that are found out, besides one page */
#define UNIT_AUTO  UINT32_MAX

/* What is known of a region; zero: nothing. */
struct unit {
	uint32_t near[UNIT_SIZES]; /* share of neighbours that came in just before, of 1 << 16 */
	uint16_t samples;	   /* until there are enough */
	uint16_t choice;	   /* which size; 0: one page */
};

/* Pages of a unit in this region at present: what memory allows of what was set or found out. */
uint32_t unit_pages(struct pager *pager, const struct region *region);
/* Does page lie in a probe? Never, where the size is not to be found out. */
bool unit_probes(struct pager *pager, const struct region *region, uint64_t page);
/* Page, in a probe and of no run, has to be read for a fault of region: learn from that. The region
 * and the file go up to end. */
void unit_learn(struct pager *pager, struct region *region, const struct object *object,
		uint64_t page, uint64_t end);
/* What is to be read with page: *first and how many pages from there on, before end. */
uint32_t unit_span(struct pager *pager, const struct region *region, const struct object *object,
		   uint64_t page, uint64_t end, uint64_t *first);

#endif
