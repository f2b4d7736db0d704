/* SPDX-License-Identifier: MIT */
/*
 * Zaps: taking pages out of the page tables of all clients that map them, by their agents.
 *
 * The pages stay where they are; whoever touches one has the kernel map it again (or, where its
 * object is guarded, us). Left out are pages that a client maps privately (it would lose its copy),
 * locked ones, and those of clients without an agent; and of objects of which an entry has had
 * poison: poison takes the place of the marker of protection, and a zap takes it away, so that the
 * page would be mapped without. One batch at a time; an agent that does not answer is not waited
 * for. The pager's thread only.
 */
#ifndef PAGERD_ZAP_H
#define PAGERD_ZAP_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct io;

#define ZAP_PAGES   512u
#define ZAP_ENTRIES 1024u /* of page tables, in one batch */

/* An entry of a client's page table. */
struct zap_entry {
	uint32_t client;
	uint64_t address;
};

struct zap {
	uint64_t number;   /* of the batch */
	uint64_t sent_ns;  /* 0: none is under way */
	uint32_t commands; /* to agents, under way */
	bool incomplete;   /* one of them was not done */
	uint32_t count;
	uint32_t frames[ZAP_PAGES];
	struct zap_entry entries[ZAP_ENTRIES]; /* those of one client together */
	void (*done)(struct pager *pager, bool all);
};

/* Can the frame's page be zapped? */
bool zap_allowed(struct pager *pager, uint32_t frame);
/* Is a batch under way? One that is late is given up here. */
bool zap_busy(struct pager *pager);
/*
 * Zap the count frames in pager->zap.frames, all allowed and marked FRAME_ZAPPING; no batch may be
 * under way. At the end, perhaps at once, done is called, with whether all was done: of the frames
 * in pager->zap.frames those that are still in use have FRAME_ZAPPING, which done takes away. A
 * frame that was freed meanwhile has lost it.
 */
void zap_send(struct pager *pager, void (*done)(struct pager *pager, bool all));
/* For agent.c: the entries that the record, an IO_UNMAP, is for, and how many; none if its batch
 * was given up. */
const struct zap_entry *zap_entries(const struct pager *pager, const struct io *io,
				    uint32_t *count);
/* The agent has done, or not, what the record was for. */
void zap_answered(struct pager *pager, struct io *io, bool done);

#endif
