/* SPDX-License-Identifier: MIT */
/*
 * Forked memory: what a parent and its children share until one of them writes.
 *
 * A fork leaves the parent's private anonymous memory as it is: one object, mapped shared, by it
 * alone. The child maps the same memfd MAP_PRIVATE, as it would a file (private.h), with an object
 * of its own (PAGERD_ANON_FORKED) whose base is the parent's. Its own writes the kernel copies.
 * Before the parent writes to a page that a child may still see, the page is pushed: each of those
 * children gets its contents as its own page, and the parent's is taken from their sight. So a
 * parent whose children have gone is where it was before, and pays for what it writes while they
 * are there. This is the asymmetric copy-on-write of Mach's copy objects (Young et al., "The
 * Duality of Memory and Communication in the Implementation of a Multiprocessor Operating System",
 * 1987), whose push operation it is.
 *
 * All dirty pages of the parent are write-protected at the fork, so that the first write to each is
 * a fault; those after it are not: a page that is not protected has been pushed. Entries of a child
 * have three bits for this:
 *
 *	PTE_SEEN  the parent's page may be mapped in the child, be it while a copy is about to be
 *		  made
 *	PTE_ZERO  (ABSENT) the child's contents are zeros, not the parent's page
 *	PTE_GONE  (READING, by IO_ZAP) however the zap ends, the page is in its slot
 *
 * A push takes the parent's page out of the memfd and puts it back, which takes it out of all
 * mappings, if a child may have it mapped. The pager's thread only.
 */
#ifndef PAGERD_PUSH_H
#define PAGERD_PUSH_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct client;
struct object;
struct region;
struct faultstate;
struct pager_request;

/* A fork begins: protect the pages of [page, end) that the owner can write unseen. 0, or
 * object_protect's. */
int push_begin(struct pager *pager, struct object *object, uint64_t page, uint64_t end);
/* The last child has gone: the owner may write without asking. */
void push_end(struct pager *pager, struct object *object);
/* The owner is going to write to the fault's page, which is resident: push it. False if the fault
 * waits for that. */
bool push_fault(struct pager *pager, struct faultstate *fs);
/* The owner is going to lose [page, page + count): push all of it. 0 when it is; -EAGAIN if request
 * waits for something, after which this is to be called again; or -ENOMEM. */
int push_range(struct pager *pager, const struct client *client, const struct region *region,
	       uint64_t page, uint64_t count, struct pager_request *request);
/* A child's page is in its slot: the parent's may be one that nobody sees any more. */
void push_forget(struct pager *pager, const struct object *object, uint64_t page);

#endif
