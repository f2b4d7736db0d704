/* SPDX-License-Identifier: MIT */
/*
 * The pager's end: files get what is unwritten, and then clients' memory is taken away.
 *
 * Once a tick there is a pass over all files, which begins to write what they lack. Whoever wants
 * to write a clean page meanwhile waits, for a while, and goes on after a pass: until the next one
 * it may do so, before the page is written and protected again. It has ended when nothing is
 * unwritten, or when in many passes nothing has become less: however long the rest takes, a disk
 * that is slow is waited for, one that fails is not; nor is a client that writes without end. And
 * what has been written by then is flushed, too, for those who wait for that.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_STOP_H
#define PAGERD_STOP_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct pager_request;

struct stop {
	struct pager_request *request;
	uint64_t pass_ns; /* when the next pass is due; 0: there was none */
	uint64_t least;	  /* the fewest pages that were unwritten */
	unsigned vain;	  /* passes since it has become that */
	bool drained;	  /* it has been 0 */
};

/* At the end of a turn; whether all is done that can be. */
bool stop_step(struct pager *pager);
/* Clients that are left get SIGBUS rather than wait for ever. From here on nobody sees what they
 * write: only when no file is written, and no msync answered, any more. */
void stop_end(struct pager *pager);

#endif
