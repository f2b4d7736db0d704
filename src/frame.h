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
	FRAME_PREFETCHED = 16, /* nobody asked for it yet, and no run tells whether one does */
	FRAME_LAUNDRY = 32,    /* it was dirty when it was picked as a victim */
	FRAME_ZAPPING = 64,    /* see zap.h */
	FRAME_PROBED = 128,    /* these two: see access.h */
	FRAME_USED = 256,
	FRAME_SHOWN = 512,    /* see record.h */
	FRAME_GUESSED = 1024, /* dirty, but perhaps never written: see guess.h */
};

/* There is one for each page that is resident, so it is as small as it can be: what few of them
 * need is elsewhere. */
struct frame {
	pagerd_page_t id;     /* 0: the frame is free */
	uint64_t slot : 40;   /* that holds the same contents (clean), or held them (READING) */
	uint64_t client : 24; /* who brought it in */
	uint32_t tick;	      /* its pool's tick when it was taken; of a free one: the next free */
	uint32_t pool : 12;
	uint32_t io : 9; /* of the read or write in flight, or of the drop under way */
	uint32_t flags : 11;
};

/* Of a dirty frame of a file: the list of them, oldest first. */
struct frame_dirt {
	uint32_t prev, next;
	uint32_t since_ms;
};

#define PAGE_BITS 40 /* of a pagerd_page_t: the index in the object */

/* What policies and traces call a page. */
static inline pagerd_page_t page_identity(uint32_t object, uint64_t page)
{
	return (pagerd_page_t)object << PAGE_BITS | page;
}

/* 0: the frame is free. */
static inline uint32_t frame_object(const struct frame *frame)
{
	return (uint32_t)(frame->id >> PAGE_BITS);
}

/* Of the object. */
static inline uint64_t frame_page(const struct frame *frame)
{
	return frame->id & ((1ull << PAGE_BITS) - 1);
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
/* Count it in another pool. One that is isolated stays so, unknown to the new policy. */
void frame_move(struct pager *pager, uint32_t frame, uint32_t pool);

/* The frame is on its way out: a victim of the policy's, or (forced) any that it holds. */
void frame_isolate(struct pager *pager, uint32_t frame, bool forced);
/* It stays after all: it was used, or (restore) it cannot go yet and remains the next victim. */
void frame_keep(struct pager *pager, uint32_t frame);
void frame_restore(struct pager *pager, uint32_t frame);
/* Nothing can be done about it for now: the policy is not to know of it until it is kept. */
void frame_park(struct pager *pager, uint32_t frame);

/* Mark a resident page dirty (idempotent), and no guess: its slot is given up, the policy is told.
 */
void frame_dirty(struct pager *pager, struct object *object, uint64_t page);
/* Mark it clean: off the list of dirty frames. */
void frame_clean(struct pager *pager, struct object *object, uint64_t page);

#endif
