/* SPDX-License-Identifier: MIT */
/*
 * For writers of policies: assertions, and lists of frames.
 *
 * A list links frames by number through a struct frame_link that each policy puts first in its
 * per-frame bytes. Zero bytes mean "in no list", and a zero struct frame_list is an empty list,
 * so that neither needs to be initialised, and a frame that a policy has never heard of is told
 * from one that it holds. A frame is in at most one list. The head is the victim end.
 */
#ifndef PAGERD_POLICY_LIST_H
#define PAGERD_POLICY_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- assertions -------------------------------------------------------------------------- */

/* Say which frame broke which invariant, and abort. */
__attribute__((cold)) static inline _Noreturn void policy_bug(uint32_t frame, const char *broken)
{
	fprintf(stderr, "pagerd: policy: frame %u: broken invariant: %s\n", frame, broken);
	abort();
}

static inline void policy_check(bool good, uint32_t frame, const char *broken)
{
	if (__builtin_expect(!good, 0))
		policy_bug(frame, broken);
}

/* ---- lists of frames --------------------------------------------------------------------- */

/* Inside, frame n is n + 1, because 0 is taken. */
#define FRAME_LINK_END UINT32_MAX

struct frame_link {
	uint32_t prev, next; /* both 0: in no list */
};

struct frame_list {
	uint32_t head, tail; /* both 0: empty */
};

/* The per-frame bytes of one policy. Made where it is used, so that stride is a constant there. */
struct frame_table {
	void *bytes;
	size_t stride;
};

static inline struct frame_link *frame_link_get(struct frame_table table, uint32_t inside)
{
	return (struct frame_link *)((unsigned char *)table.bytes +
				     ((size_t)inside - 1) * table.stride);
}

static inline bool frame_is_linked(struct frame_table table, uint32_t frame)
{
	return frame_link_get(table, frame + 1)->prev != 0;
}

static inline bool frame_list_is_empty(const struct frame_list *list)
{
	return !list->head;
}

/* The frame at the victim end of a list that is not empty. */
static inline uint32_t frame_list_head(const struct frame_list *list)
{
	return list->head - 1;
}

/* The frame at the other end of a list that is not empty. */
static inline uint32_t frame_list_tail(const struct frame_list *list)
{
	return list->tail - 1;
}

static inline void frame_list_push_tail(struct frame_table table, struct frame_list *list,
					uint32_t frame)
{
	struct frame_link *link = frame_link_get(table, frame + 1);
	policy_check(!link->prev, frame, "a frame that enters a list is in none");
	link->next = FRAME_LINK_END;
	if (list->tail) {
		link->prev = list->tail;
		frame_link_get(table, list->tail)->next = frame + 1;
	} else {
		link->prev = FRAME_LINK_END;
		list->head = frame + 1;
	}
	list->tail = frame + 1;
}

static inline void frame_list_push_head(struct frame_table table, struct frame_list *list,
					uint32_t frame)
{
	struct frame_link *link = frame_link_get(table, frame + 1);
	policy_check(!link->prev, frame, "a frame that enters a list is in none");
	link->prev = FRAME_LINK_END;
	if (list->head) {
		link->next = list->head;
		frame_link_get(table, list->head)->prev = frame + 1;
	} else {
		link->next = FRAME_LINK_END;
		list->tail = frame + 1;
	}
	list->head = frame + 1;
}

/* Before another that is in the list: nearer to the head. */
static inline void frame_list_insert_before(struct frame_table table, struct frame_list *list,
					    uint32_t frame, uint32_t other)
{
	struct frame_link *link = frame_link_get(table, frame + 1);
	struct frame_link *next = frame_link_get(table, other + 1);
	if (next->prev == FRAME_LINK_END) {
		frame_list_push_head(table, list, frame);
		return;
	}
	policy_check(!link->prev, frame, "a frame that enters a list is in none");
	*link = (struct frame_link){next->prev, other + 1};
	frame_link_get(table, next->prev)->next = frame + 1;
	next->prev = frame + 1;
}

/* The frame after one that is in the list, or UINT32_MAX if that is the tail. */
static inline uint32_t frame_list_next(struct frame_table table, uint32_t frame)
{
	uint32_t next = frame_link_get(table, frame + 1)->next;
	return next == FRAME_LINK_END ? UINT32_MAX : next - 1;
}

static inline void frame_list_remove(struct frame_table table, struct frame_list *list,
				     uint32_t frame)
{
	struct frame_link *link = frame_link_get(table, frame + 1);
	policy_check(link->prev, frame, "a frame that leaves a list is in it");
	if (link->prev == FRAME_LINK_END)
		list->head = link->next == FRAME_LINK_END ? 0 : link->next;
	else
		frame_link_get(table, link->prev)->next = link->next;
	if (link->next == FRAME_LINK_END)
		list->tail = link->prev == FRAME_LINK_END ? 0 : link->prev;
	else
		frame_link_get(table, link->next)->prev = link->prev;
	*link = (struct frame_link){0};
}

/* To the tail, in one go: what an LRU list does at each use. */
static inline void frame_list_move_tail(struct frame_table table, struct frame_list *list,
					uint32_t frame)
{
	struct frame_link *link = frame_link_get(table, frame + 1), old = *link;
	policy_check(old.prev, frame, "a frame that moves is in the list");
	if (old.next == FRAME_LINK_END)
		return;
	frame_link_get(table, old.next)->prev = old.prev;
	if (old.prev == FRAME_LINK_END)
		list->head = old.next;
	else
		frame_link_get(table, old.prev)->next = old.next;
	frame_link_get(table, list->tail)->next = frame + 1;
	*link = (struct frame_link){list->tail, FRAME_LINK_END};
	list->tail = frame + 1;
}

/* Append all of from, which is left empty, to list. */
static inline void frame_list_splice_tail(struct frame_table table, struct frame_list *list,
					  struct frame_list *from)
{
	if (!from->head)
		return;
	if (list->tail) {
		frame_link_get(table, list->tail)->next = from->head;
		frame_link_get(table, from->head)->prev = list->tail;
	} else {
		list->head = from->head;
	}
	list->tail = from->tail;
	*from = (struct frame_list){0};
}

#endif
