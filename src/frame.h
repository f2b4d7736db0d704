/* SPDX-License-Identifier: MIT */
/*
 * Frames: the budget.
 *
 * A frame is one resident page, or one that is being read. Its number indexes the array of
 * frames and the per-frame bytes of the policies. It is counted in one pool (pool.h). The pager's
 * thread only.
 */
#ifndef PAGERD_FRAME_H
#define PAGERD_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "pagerd/policy.h"

struct pager;
struct client;
struct object;

#define FRAME_NONE UINT32_MAX

enum frame_flags {
	FRAME_WRITEBACK = 1,   /* a write of its page is in flight */
	FRAME_RECLAIM = 2,     /* isolated from the policy: drop the page as soon as it is clean */
	FRAME_ORPHAN = 4,      /* its page was discarded: free it when its I/O ends */
	FRAME_HELD = 8,	       /* the policy knows it (held or isolated) */
	FRAME_PREFETCHED = 16, /* nobody asked for it yet */
	FRAME_LAUNDRY = 32,    /* it was dirty when it was picked as a victim */
	FRAME_ZAPPING = 64,    /* see zap.h */
	FRAME_PROBED = 128,    /* these two: see access.h */
	FRAME_USED = 256,
	FRAME_SHOWN = 512, /* see record.h */
};

struct frame {
	uint64_t page;	 /* of the object */
	uint64_t slot;	 /* that holds the same contents (clean), or held them (READING) */
	uint32_t object; /* 0: the frame is free */
	uint32_t io;	 /* of the read or write in flight */
	uint32_t client; /* who brought it in */
	uint32_t pool;
	uint32_t tick;	     /* its pool's tick when it was taken */
	uint32_t dirty_prev; /* list of dirty frames of files, oldest first */
	uint32_t dirty_next;
	uint32_t dirtied_ms; /* also: next free frame */
	uint16_t flags;
};

/* What policies and traces call a page. */
static inline pagerd_page_t page_identity(uint32_t object, uint64_t page)
{
	return (pagerd_page_t)object << 40 | page;
}

int frame_table_init(struct pager *pager);
void frame_table_finish(struct pager *pager);

/* A frame for a page of object on behalf of client, or FRAME_NONE if the budget or the limit of
 * their pool is exhausted. The policy learns of it in frame_hold. */
uint32_t frame_alloc(struct pager *pager, const struct client *client, const struct object *object,
		     uint64_t page);
/* A fault asks for the page, which is about to come in: tell the policy of the client's pool. */
void frame_demand(struct pager *pager, const struct client *client, const struct object *object,
		  uint64_t page);
/* The page is resident: hand the frame to the policy. */
void frame_hold(struct pager *pager, uint32_t frame, bool prefetched);
/* Free it; evicted says whether the policy may remember the page. */
void frame_free(struct pager *pager, uint32_t frame, bool evicted);
/* Its page was used: tell the policy, if it holds it. */
void frame_referenced(struct pager *pager, uint32_t frame);
/* Order frames, all in use, by object and page. */
void frame_sort(struct pager *pager, uint32_t *frames, uint32_t count);
/* How many of them from the first on are neighbours in one object. */
uint32_t frame_run(struct pager *pager, const uint32_t *frames, uint32_t count);
/* Frames that client may still take for object without waiting. */
uint32_t frame_available(const struct pager *pager, const struct client *client,
			 const struct object *object);
/* What policies know the page as. */
pagerd_page_t frame_page_id(const struct frame *frame);
/* Count it in another pool. One that is isolated stays so, unknown to the new policy. */
void frame_move(struct pager *pager, uint32_t frame, uint32_t pool);

/* The frame is on its way out: a victim of the policy's, or (forced) any that it holds. */
void frame_isolate(struct pager *pager, uint32_t frame, bool forced);
/* It stays after all: it was used, or (restore) it cannot go yet and remains the next victim. */
void frame_keep(struct pager *pager, uint32_t frame);
void frame_restore(struct pager *pager, uint32_t frame);

/* Mark a resident page dirty (idempotent): its slot is given up, the policy is told. */
void frame_dirty(struct pager *pager, struct object *object, uint64_t page);
/* Mark it clean: off the list of dirty frames. */
void frame_clean(struct pager *pager, struct object *object, uint64_t page);

#endif
