/* SPDX-License-Identifier: MIT */
/*
 * A pager in this process, with this process as its client: whole paths of the core without
 * daemon, socket and client library.
 */
#ifndef PAGERD_TESTS_HARNESS_H
#define PAGERD_TESTS_HARNESS_H

#include <stdint.h>
#include <sys/types.h>

#include "pager.h"
#include "pagerd/protocol.h"

struct harness {
	struct pager *pager;
	uint32_t client;
	int uffd; /* the pager has a duplicate */
	unsigned long long thread;
	struct pagerd_filter *filter;
};

/* Pagers started from now on run with chaos from this seed; 0: without. */
extern uint64_t harness_chaos;

/* Start a pager with so many pages of budget, the policy and a swap file in directory (NULL:
 * none). Fails the test if it cannot. */
void harness_start(struct harness *h, uint64_t budget_pages, const char *policy,
		   const char *swap_directory, uint32_t prefetch_pages);
/* The same with a pager made otherwise: of what harness_configure wrote, with changes. */
struct pager_config harness_configure(uint64_t budget_pages, const char *policy,
				      uint32_t prefetch_pages);
void harness_begin(struct harness *h, struct pager_config config, const char *swap_directory);
/* Check the invariants, stop, free; then no file is shown any more. */
void harness_stop(struct harness *h);
/* Run a request to its end; returns its error. */
int harness_request(struct harness *h, struct pager_request *request);
/* What of the object is mapped at address, from offset on; the error. */
int harness_register(struct harness *h, void *address, uint64_t length, uint64_t object,
		     uint64_t offset);
/* What process's descriptor number is of, as one of ours. */
int harness_descriptor(pid_t process, int number);
/* Map length bytes of an object of kind (fd for files), registered. */
void *harness_map(struct harness *h, enum pagerd_kind kind, uint64_t length, int fd,
		  uint64_t offset);
void harness_unmap(struct harness *h, void *address, uint64_t length);
int harness_range(struct harness *h, enum pager_request_type type, void *address, uint64_t length,
		  uint32_t flags);
/* The client's agent comes: its end of the socket, and the window. */
int harness_agent(struct harness *h, int *window);
/* The object at address may have so many pages of memory. */
void harness_limit(struct harness *h, const void *address, uint64_t pages);
struct pagerd_stats harness_stats(struct harness *h);
/* The invariant checker finds nothing. */
void harness_check(struct harness *h);

#endif
