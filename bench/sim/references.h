/* SPDX-License-Identifier: MIT */
/*
 * A trace in memory: the sequence of page references that all runs share.
 *
 * It is built by one thread, and only read afterwards; what is computed when first asked for
 * (references_next) is guarded.
 */
#ifndef PAGERSIM_REFERENCES_H
#define PAGERSIM_REFERENCES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "dense.h"
#include "why.h"

#define REFERENCE_WRITE UINT32_C(0x80000000) /* the other bits are the page */
#define REFERENCE_NEVER UINT32_MAX
#define REFERENCES_MAX	(UINT32_MAX - 1)

#define REFERENCES_BATCH 64

struct references {
	uint32_t *list;
	uint64_t count;
	uint64_t writes;
	uint32_t pages; /* different ones: the footprint */

	uint32_t *next; /* by reference: the next one to the same page, or REFERENCE_NEVER */
	pthread_mutex_t next_lock;

	/* While it is built. */
	bool merge; /* references to the page of the one before are not counted */
	uint64_t room;
	struct dense dense;
	uint64_t ids[REFERENCES_BATCH];
	bool writes_pending[REFERENCES_BATCH];
	uint32_t pending;
};

int references_init(struct references *references, bool merge, struct why *why);
void references_finish(struct references *references);

/* Add one reference. 0, or -errno with why. */
int references_add(struct references *references, uint64_t id, bool write, struct why *why);
/* All were added. */
int references_end(struct references *references, struct why *why);

/* The list of next uses, computed by who asks first; NULL: no memory. Any thread. */
const uint32_t *references_next(struct references *references);

#endif
