/* SPDX-License-Identifier: MIT */
/*
 * Access information: which of the resident pages are used.
 *
 * The pager sees faults, not accesses. Sources of more than that:
 *
 *	faults   nothing more
 *	harvest  entries of page tables are taken away (zapped), by the agents of all clients that
 *	         map the page; the kernel maps again what is used, and tells on asking (pagemap.h)
 *
 * Harvest. A frame is PROBED when its entries were zapped after its page had come in: then "mapped"
 * means "used since". (A page that has just been mapped is touched by the instruction that asked
 * for it; that is the reference that brought it in, and no second one.) Frames are probed in
 * batches:
 *
 *	young	 those that came in, in that order, when their first touch must have been made
 *	hand	 a clock hand goes over all frames; of those that are mapped the policy is told,
 *		 and they are zapped again. For each eviction it looks at N mappings of frames:
 *		 with 1, and pages that are mapped once, each page's bit is read once in as many
 *		 evictions as there are frames
 *	victims	 are looked at before they go, and kept if they were used
 *
 * The work follows the evictions; without pressure there is none, and with the source "auto" none
 * for pools that it does not pay for (payoff.h). Pages that cannot be zapped (see
 * zap.h) are left out. All this is a hint: a mark that is lost or late makes no page wrong.
 *
 * A place is kept for the kernel's own tracking (UFFDIO_REGISTER_MODE_RWP): one more source.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_ACCESS_H
#define PAGERD_ACCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "payoff.h"

struct pager;
struct pager_snapshot;

#define ACCESS_AUTO	   UINT32_MAX
#define ACCESS_YOUNG	   8192u /* frames that wait for their first probe; a power of two */
#define ACCESS_LOOKS_MAX   64u
#define ACCESS_SOURCE_NAME 48

struct access {
	uint32_t looks; /* mappings looked at for each eviction; 0: the source is faults */
	uint32_t hand;	/* the next frame */
	uint32_t debt;	/* mappings that the hand has still to look at */
	uint32_t young_debt;
	uint32_t young_head, young_tail;
	struct payoffs payoffs; /* on: looks as far as it pays */
	struct {
		uint32_t frame;
		uint32_t tick; /* the frame's, to know it again */
	} young[ACCESS_YOUNG];
};

/* Read "faults", "harvest[:N]" or "auto" (harvest, where the kernel has it, of those pools that it
 * pays for: ACCESS_AUTO) into *looks. 0, or -EINVAL (it is none of these) or -ENOSYS (the kernel
 * lacks PAGEMAP_SCAN). */
int access_parse(const char *source, uint32_t *looks);
/* "faults", "harvest:2", "auto": into name, ACCESS_SOURCE_NAME bytes. */
void access_name(uint32_t looks, char *name);

/* Into the snapshot: the pager's source, and whether it looks at pool 0's pages now. */
void access_report(const struct pager *pager, struct pager_snapshot *snapshot);
/* The snapshot's source, and what follows now if it depends, for all shards: "auto (faults)",
 * "auto (harvest:1)", "auto (harvest:1 in 2 of 4 threads)"; as access_name. */
void access_describe(const struct pager_snapshot *snapshot, char *name);

/* With looks as access_parse reads them. */
void access_init(struct pager *pager, uint32_t looks);
/* The frame's page is resident from now on. */
void access_page_in(struct pager *pager, uint32_t frame);
/* So many pages were evicted. */
void access_evicted(struct pager *pager, uint32_t pages);
/* Of victims that the policy has just picked, mark FRAME_USED those that were used since they were
 * probed. At most PAGEOUT_BATCH frames. */
void access_victims(struct pager *pager, const uint32_t *frames, uint32_t count);
/* Once a turn: look at a batch and zap it, if evictions have asked for one. */
void access_run(struct pager *pager);

#endif
