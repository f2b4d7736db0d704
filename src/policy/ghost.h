/* SPDX-License-Identifier: MIT */
/*
 * Ghosts: pages that were evicted and that a policy remembers.
 *
 * A ghost is a number, as a frame is. Each has a link for a list of the owner's (pagerd/
 * policy_list.h; a ghost that is added is in no list), and is found by its page. Where frames and
 * ghosts share a list, the first numbers can be the frames': the table then has room for a struct
 * ghost for each frame too, and never gives out their numbers.
 *
 * All memory is reserved by ghosts_init, and used as ghosts are added: the hash table grows by
 * one chain with each ghost (linear hashing), so that no single call takes long.
 */
#ifndef PAGERD_POLICY_GHOST_H
#define PAGERD_POLICY_GHOST_H

#include "pagerd/policy.h"
#include "pagerd/policy_list.h"

#define GHOST_NONE UINT32_MAX

struct ghost {
	struct frame_link link;
	union {
		struct frame_link second; /* for a second list */
		struct {
			uint32_t value, stamp; /* or what the owner likes */
		};
	};
	uint32_t page_low, page_high;
	uint32_t chain; /* the next of its chain, or of those not in use */
};

struct ghosts {
	struct ghost *table;
	uint32_t *chains; /* first ghost + 1; 0: empty */
	uint32_t first;	  /* number of the first ghost: below are the frames */
	uint32_t limit;	  /* of numbers */
	uint32_t fresh;	  /* numbers that were in use at least once end here */
	uint32_t free;	  /* those not in use below, or GHOST_NONE */
	uint32_t count;
	uint32_t chain_count;
	uint32_t chain_base; /* power of two: chain_base <= chain_count < 2 * chain_base */
};

/* Room for most ghosts (at least 1), and for frames below them. 0, or -ENOMEM with nothing to
 * finish. */
int ghosts_init(struct ghosts *ghosts, uint32_t frames, uint64_t most);
void ghosts_finish(struct ghosts *ghosts);

/* The ghost of page, or GHOST_NONE. */
uint32_t ghosts_find(const struct ghosts *ghosts, pagerd_page_t page);
/* A ghost for page, which has none; all other fields are 0. There must be room. */
uint32_t ghosts_add(struct ghosts *ghosts, pagerd_page_t page);
/* Give it up; it is in no list any more. */
void ghosts_remove(struct ghosts *ghosts, uint32_t ghost);
/* Bytes in use. */
uint64_t ghosts_bytes(const struct ghosts *ghosts);

static inline struct frame_table ghosts_table(const struct ghosts *ghosts)
{
	return (struct frame_table){ghosts->table, sizeof *ghosts->table};
}

/* Lists of ghosts that have no frames among them: the head is the oldest. */

static inline void ghosts_push(struct ghosts *ghosts, struct frame_list *list, pagerd_page_t page)
{
	frame_list_push_tail(ghosts_table(ghosts), list, ghosts_add(ghosts, page));
}

static inline void ghosts_take(struct ghosts *ghosts, struct frame_list *list, uint32_t ghost)
{
	frame_list_remove(ghosts_table(ghosts), list, ghost);
	ghosts_remove(ghosts, ghost);
}

static inline void ghosts_pop(struct ghosts *ghosts, struct frame_list *list)
{
	ghosts_take(ghosts, list, frame_list_head(list));
}

#endif
