/* SPDX-License-Identifier: MIT */
/*
 * A pager without memory: src/pager.h's functions, for tests of the daemon alone.
 *
 * It answers from a thread of its own, as the real one does, and holds the daemon to the contract:
 * clients that exist, descriptors of the right kind, ranges that are valid. Linked in place of the
 * core; the policies are the core's.
 */
#ifndef PAGERD_TESTS_FAKE_PAGER_H
#define PAGERD_TESTS_FAKE_PAGER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "pager.h"

#define FAKE_CLIENTS 4096
#define FAKE_OBJECT  7u /* the one that may be set */
#define FAKE_ADDRESS 0x7000u
#define FAKE_LEARN   5u /* the first LEARN's number */
#define FAKE_PAGES   64 /* whose regions are kept account of, from address 0 on */

struct fake_client {
	bool used;
	int fd;	   /* userfaultfd, or -1 */
	int agent; /* its socket, or -1 */
	uint32_t pid, uid;
	char name[20];
	uint64_t regions; /* bits: pages that are registered, or cloned */
};

struct pager {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct pager_request *first, **last;
	struct pager_request *listeners;
	bool stopped;
	unsigned delay_us; /* at most so long for a request, at random */
	unsigned seed;
	bool held;   /* nothing is answered until it is released */
	bool strict; /* answers as if there were nothing but what is registered */
	uint32_t shard, shards;
	struct pager *all;	    /* the shards, one behind the other */
	int errors[PAGER_STOP + 1]; /* what requests are to answer */
	uint64_t kept_types;	    /* bits: those that take until they are let go */
	struct pager_request *kept;
	uint64_t learns;
	size_t text_length; /* of the last SET's policy */
	unsigned done_count[PAGER_STOP + 1];
	struct pager_request last_of[PAGER_STOP + 1];
	uint64_t stamp_of[PAGER_STOP + 1]; /* when that was done; one clock for all shards */
	unsigned client_count;
	struct fake_client clients[FAKE_CLIENTS];
};

/* The first of so many that lie one behind the other, and are all to be made. */
void fake_init(struct pager *pagers, uint32_t shard, uint32_t shards);
void fake_finish(struct pager *pager);
void fake_hold(struct pager *pager, bool on);
/* Bits: requests of these types are begun, and take until they are no more among them. */
void fake_keep(struct pager *pager, uint64_t types);
unsigned fake_done_count(struct pager *pager, enum pager_request_type type);
unsigned fake_client_count(struct pager *pager);
/* The last one of that type. */
struct pager_request fake_last(struct pager *pager, enum pager_request_type type);
uint64_t fake_stamp(struct pager *pager, enum pager_request_type type);
/* The pages of a client's regions. */
uint64_t fake_regions(struct pager *pager, uint32_t client);

#endif
