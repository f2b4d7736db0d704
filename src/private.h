/* SPDX-License-Identifier: MIT */
/*
 * Private pages: what a client has written of an object that it maps MAP_PRIVATE: a file, or its
 * parent's memory (see push.h).
 *
 * Such a region has an object of its own (PAGERD_FILE_PRIVATE, PAGERD_ANON_FORKED), whose pages
 * have the numbers of those of the file's or parent's object, its base, and no memfd: the kernel
 * maps the base's memfd, read-only and shared by all, and at the first write copies the page. The
 * copy is the only kind of page that lives in the client. The states of a page say
 *
 *	ABSENT    the base's page is what the client sees
 *	RESIDENT  the client has its copy, or is about to make it
 *	SWAPPED   its copy is in the slot
 *	READING   its copy is being read in, or (IO_ZAP) taken away
 *
 * The region is registered for all three kinds of faults, so that each page that is mapped is
 * mapped by us, protected. The first write (WP) makes it RESIDENT and takes the protection away;
 * then the kernel copies. To evict a copy its client's agent saves it, and when it is in its slot
 * and nobody has written to it meanwhile, zaps it. From then on it is READING, so that whoever
 * touches it waits for the end, then SWAPPED; it comes back by UFFDIO_COPY, which in a private
 * mapping makes a page of the client's own.
 */
#ifndef PAGERD_PRIVATE_H
#define PAGERD_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct client;
struct io;
struct object;
struct region;
struct pager_request;
struct faultstate;

/* Whether the client's agent can be asked to evict pages of the object. */
bool private_ready(struct pager *pager, const struct object *object);
/* private_fault.c: a fault in such a region. */
void private_fault(struct pager *pager, struct faultstate *fs);
/* Have clean pages zapped: count frames, isolated, of consecutive pages. */
void private_drop(struct pager *pager, struct object *object, const uint32_t *frames,
		  uint32_t count);
/* The kernel has moved pages of the object to region, which is new: without their protection, and
 * with their poison. 0 or -errno. */
int private_moved(struct pager *pager, const struct client *client, const struct region *region);
/* [page, page + count) of a client's forked memory becomes zeros, except what is mapped there. 0,
 * or object_discard's. */
int private_zero(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* A file has changed: copies of pages behind its end, or from page on, go, as the kernel's do;
 * request waits for that, but not for a client that is late. */
void private_truncate(struct pager *pager, struct object *base, uint64_t page,
		      struct pager_request *request);
/* The request that waits for this record, if any does, waits no longer. */
void private_unwait(struct pager *pager, struct io *io);
/* The agent has zapped the first pages of the record. known: no others; else perhaps. */
void private_zapped(struct pager *pager, uint32_t io, uint32_t pages, bool known);

#endif
