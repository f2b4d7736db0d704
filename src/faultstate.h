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

/* fault.c */

/* The client's mapping is gone or changing: let the thread try again, the event comes back. */
void fault_again(struct pager *pager, struct faultstate *fs);
/* A userfaultfd call did nothing: whoever waits makes the fault again. */
void fault_refused(struct pager *pager, struct faultstate *fs, int error);
/* The memfd has lost a page that is resident. */
void fault_lost(struct pager *pager, struct faultstate *fs);

/* fault_event.c */

/* Free the record of a fault whose client has gone: nobody waits. */
void fault_free(struct pager *pager, uint32_t fault);

/* fault_missing.c */

/* The page is anonymous memory that was never touched. */
void fault_zero(struct pager *pager, struct faultstate *fs);
/* The page is in its file or slot. */
void fault_read_in(struct pager *pager, struct faultstate *fs);
/* The page is on its way in, or out. */
void fault_join(struct pager *pager, struct faultstate *fs);

/* fault_write.c */

/* The first write to a clean page that is mapped. */
void fault_write(struct pager *pager, struct faultstate *fs);

#endif
