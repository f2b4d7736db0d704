/* SPDX-License-Identifier: MIT */
/*
 * Low latency: what is done, while faults or clients' requests come fast, so that no answer waits
 * for a processor to wake up.
 *
 * Idle processors are kept from deep sleep (a request held on /dev/cpu_dma_latency), and the
 * pager's thread looks for its next event instead of sleeping, for as long as a read from a fast
 * device takes. It stops that as soon as it sees that another thread wants
 * its processor; and does not begin while more pagers of this process are busy than half of the
 * processors: the other half is for those who make the faults. The pager's thread only.
 */
#ifndef PAGERD_LATENCY_H
#define PAGERD_LATENCY_H

#include <stdbool.h>
#include <stdint.h>

struct pager;

struct latency {
	bool held;
	bool busy;	     /* events come fast */
	uint32_t busy_most;  /* pagers */
	uint64_t window_ns;  /* when the present window began */
	uint32_t events;     /* faults and requests in it */
	uint64_t crowded_ns; /* somebody wants the processor: no polling before this */
};

void latency_start(struct pager *pager);
void latency_stop(struct pager *pager);
/* Once a turn: begin when they come fast, end when they have stopped. */
void latency_update(struct pager *pager);
/* The longest that the thread may sleep so that the end is not missed; 0: for ever. */
uint64_t latency_window_ns(const struct pager *pager);
/* Is this the time to look for completions, instead of sleeping? */
bool latency_polls(const struct pager *pager);
/* Look for completions for a while, if this is the time for it. Whether there are any. */
bool latency_poll(struct pager *pager);

#endif
