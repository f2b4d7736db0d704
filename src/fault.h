/* SPDX-License-Identifier: MIT */
/*
 * Page faults: from the event to the answer. See design, section 2.
 *
 * Nothing here allocates, logs or locks. A fault waits in one of these places, always as a
 * record of the fixed pool: on a read in flight (io.waiters), for a frame (pager->shortage), for a
 * fork, or the pager itself, to end (pager->frozen). When its turn comes it is handled again from
 * the start: every state may have changed.
 */
#ifndef PAGERD_FAULT_H
#define PAGERD_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct client;
struct pager_request;
struct object;
struct io;

#define FAULT_NONE  UINT32_MAX
#define FAULT_COUNT 16384u /* records; when they are used up, events stay in their descriptors */

struct fault {
	uint64_t address;
	uint64_t arrived_ns;
	uint32_t client;
	uint32_t object; /* 0: not known yet */
	uint32_t client_generation;
	uint32_t next;
	uint32_t thread;	       /* known only where references are recorded */
	struct pager_request *request; /* waits for the end of this */
	bool own;		       /* no thread waits: see fault_at */
	bool present;		       /* the memfd has a page there, whoever put it in */
	bool write;		       /* the access was a write */
	bool protect;		       /* the event was WP */
	bool major;		       /* it waited for a read */
	bool base;		       /* it waits for a page of a file that it maps privately */
	bool single;		       /* no prefetch: a longer read failed */
	bool full;		       /* the file system has no room for the page */
	bool followed;		       /* it is known to the runs of its region, */
	bool sampled;		       /* and to its unit, see unit_learn */
	uint8_t reserved;	       /* so many pages from address on have room there */
};

struct fault_queue {
	uint32_t head, tail, count;
};

/* Handle a fault; consumes the record, now or later. */
void fault_handle(struct pager *pager, uint32_t fault);

/* fault_event.c: where faults begin and end. */

int fault_table_init(struct pager *pager);
void fault_table_finish(struct pager *pager);
/* Read and handle the events waiting in the client's userfaultfd. */
void fault_read(struct pager *pager, struct client *client);
/* Handle a read fault of our own making at address, for whose end request (or NULL) waits. False if
 * there is no record to spare. */
bool fault_at(struct pager *pager, const struct client *client, uint64_t address,
	      struct pager_request *request);
/* Count it, free the record. */
void fault_done(struct pager *pager, uint32_t fault);

/* fault_wait.c: lists (io.waiters) and queues of those that wait. */

/* It waits for the end of that I/O. */
void fault_wait_io(struct pager *pager, struct io *io, uint32_t fault);
/* The waiters of a list, each handled again; single: without prefetch. */
void fault_retry_list(struct pager *pager, uint32_t list, bool single);
/* Handle them again soon, not now. */
void fault_wait_list(struct pager *pager, uint32_t list);
void fault_push(struct pager *pager, struct fault_queue *queue, uint32_t fault);
/* What is in the queue now is handled again, or fails (see fault_fail); how many do. */
void fault_retry_queue(struct pager *pager, struct fault_queue *queue);
uint32_t fault_fail_queue(struct pager *pager, struct fault_queue *queue);

/* fault_missing.c: pages that are not resident. */

/* The read that it waited for has put its page into the object. */
void fault_installed(struct pager *pager, uint32_t fault);

/* fault_write.c: first writes to clean pages. */

/* Whether the write that the fault is for may be let through at once. */
bool fault_may_dirty(const struct pager *pager, const struct fault *fault,
		     const struct object *object);
/* io_reserve has ended for count pages from its address on. */
void fault_reserved(struct pager *pager, uint32_t fault, uint32_t count, bool full);

/* fail.c */

/* The access gets SIGBUS; but it waits on (shortage_wait) where that would let a write pass unseen,
 * or where more memory would not help, and tries again where the page is there. Whether it failed.
 * Consumes the record, now or later. */
bool fault_fail(struct pager *pager, uint32_t fault);

#endif
