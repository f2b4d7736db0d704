/* SPDX-License-Identifier: MIT */
/*
 * Warm-up: reading in what a program is expected to need at its start (learn.h).
 *
 * Begun when the file is mapped. The wanted pages come in ascending order, in long reads, which go
 * over small gaps; a few at a time, behind the reads that faults have asked for in the same turn.
 * They take free memory only: it ends for good when there is no more than the reclaimer keeps free.
 * The pager's thread only.
 */
#ifndef PAGERD_WARMUP_H
#define PAGERD_WARMUP_H

#include <stdint.h>

struct pager;
struct client;
struct region;
struct learn_file;

/* Begin with a region that maps some of a file that has wanted pages; without memory it is not. */
void warmup_start(struct pager *pager, const struct client *client, const struct region *region);
/* Give up what is under way with the file (NULL: all). */
void warmup_forget(struct pager *pager, const struct learn_file *file);
/* Start the reads that may be started now. */
void warmup_run(struct pager *pager);

#endif
