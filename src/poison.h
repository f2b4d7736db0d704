/* SPDX-License-Identifier: MIT */
/*
 * Poison: pages whose accesses get SIGBUS, and its end.
 *
 * A fault that cannot be answered (beyond the end of its file, a read that failed, no frame) is
 * answered with UFFDIO_POISON, which lasts: no later access makes an event. With the kernel each
 * access is a new attempt. So what was poisoned is remembered, and once it could be answered (the
 * file has grown, memory is to be had again) the fault is handled as if it had come anew: what
 * brings in the page replaces the poison. A bounded number: the oldest are forgotten and stay.
 * The pager's thread only.
 */
#ifndef PAGERD_POISON_H
#define PAGERD_POISON_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;
struct client;
struct region;
struct pager_request;

#define POISON_MAX 4096u

struct poison {
	uint64_t address;
	uint32_t client; /* 0: none */
	uint32_t client_generation;
	bool waits; /* for the file to grow, or for memory; else for nothing but another attempt */
};

struct poison_table {
	struct poison entries[POISON_MAX];
	uint32_t next; /* entry to be taken */
	uint32_t used; /* entries at and above are not in use */
};

/* The page at address was poisoned. */
void poison_add(struct pager *pager, const struct client *client, uint64_t address);
/* Try again what could be answered now: all of object's; or (NULL) of every object's what waited
 * for that. A request (or NULL) waits for the end of it. */
void poison_retry(struct pager *pager, const struct object *object, struct pager_request *request);

/* The kernel has moved pages of the region's object to it, poison and all. */
void poison_follow(struct pager *pager, const struct client *client, const struct region *region);

#endif
