/* SPDX-License-Identifier: MIT */
/*
 * Updates: pages that are read and then written.
 *
 * A page that a read brings in is mapped protected, so that its first write is seen: a second
 * fault. Where nearly all of a region's pages are written soon after they were read, the next ones
 * are expected to be, and can be mapped writable at once, as dirty pages. Who then does not write
 * has such a page written to swap for nothing.
 *
 * So expectations are tried: a page that was mapped protected is a trial, and has failed unless it
 * was written before UPDATE_TRIALS others were begun. They begin when a moving average of the
 * outcomes, each with a weight of 1/16, reaches 7/8, and end when it falls below 3/4. While they
 * last, one page of UPDATE_SAMPLE is a trial all the same: when a program changes its ways, up to
 * (UPDATE_TRIALS + 5) * UPDATE_SAMPLE pages are written for nothing.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_UPDATE_H
#define PAGERD_UPDATE_H

#include <stdbool.h>
#include <stdint.h>

#define UPDATE_TRIALS 32u
#define UPDATE_SAMPLE 16u

/* Of one region; all zeros is a new one. */
struct update {
	uint64_t pages[UPDATE_TRIALS]; /* of the trials, a ring */
	uint32_t written;	       /* one bit a trial */
	uint32_t trials;	       /* begun; from one ring on, up to another and back */
	uint32_t share;		       /* of trials that were written, of UPDATE_ONE */
	uint32_t asked;
	bool expects;
};
#define UPDATE_ONE 1024u

/* A read asks for page: is it expected to be written? If not, it is a trial. */
bool update_expected(struct update *update, uint64_t page);
/* The first write to the page since it came in. */
void update_written(struct update *update, uint64_t page);

#endif
