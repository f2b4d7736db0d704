/* SPDX-License-Identifier: MIT */
/* One fault on its way through its handlers. */
#ifndef PAGERD_FAULTSTATE_H
#define PAGERD_FAULTSTATE_H

#include <stdint.h>

struct pager;
struct client;
struct fault;
struct region;
struct object;

struct faultstate {
	uint32_t number;
	struct fault *fault;
	struct client *client;
	struct region *region;
	struct object *object;
	uint64_t page;
	uint64_t pte;
};

/* The client whose fault it is, or NULL if it has gone. */
struct client *fault_client(struct pager *pager, const struct fault *fault);
/* The client's mapping is gone or changing: let the thread try again, the event comes back. */
void fault_again(struct pager *pager, struct faultstate *fs);
/* A userfaultfd call did nothing: whoever waits makes the fault again. */
void fault_refused(struct pager *pager, struct faultstate *fs, int error);
/* The first write to a clean page that is mapped. */
void fault_write(struct pager *pager, struct faultstate *fs);
/* The memfd has lost a page that is resident. */
void fault_lost(struct pager *pager, struct faultstate *fs);
/* The page is on its way in, or out. */
void fault_join(struct pager *pager, struct faultstate *fs);
/* The page is in its file or slot. */
void fault_read_in(struct pager *pager, struct faultstate *fs);

#endif
