/* SPDX-License-Identifier: MIT */
/*
 * One run: a policy with a number of frames meets all references of a trace.
 *
 * A reference is one use. A hit is `referenced`. A miss is `demand`, then, if all frames are taken,
 * one of `victims` and its `page_out`, then `page_in`. The first write to a page since it came in
 *is `dirtied` besides, which is no use. How much of this the policy gets to see is the visibility:
 *
 *	exact    all of it
 *	faults   what a pager that knows nothing but faults sees: page_in, and of hits the first
 *	         write
 *	harvest  faults, and the accessed bits that sweep.h collects
 *
 * The future is told (struct pagerd_policy_env, next_use) only where all is visible.
 */
#ifndef PAGERSIM_RUN_H
#define PAGERSIM_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pagerd/policy.h"
#include "references.h"
#include "sweep.h"
#include "why.h"

enum visibility {
	VISIBILITY_EXACT,
	VISIBILITY_FAULTS,
	VISIBILITY_HARVEST,
};

struct run_config {
	const char *spec; /* "lfu:decay=4" */
	const struct pagerd_policy_ops *ops;
	const char *parameters; /* "decay=4", or NULL */
	uint64_t size_pages;
	enum visibility visibility;
	uint32_t harvest_frames; /* with VISIBILITY_HARVEST: looked at for each eviction */
	/* The run in so many parts of as many references each, and the misses of each part. */
	uint32_t windows;
	uint64_t *window_misses; /* NULL: nobody wants to know */
	FILE *notes;		 /* what the policy notes, a line each; NULL: nowhere */
	char *seeded;		 /* what spec points to if a seed was added to it, else NULL */
};

struct run_result {
	uint64_t hits, misses, evictions, dirty_evictions;
	uint64_t harvest_looked, harvest_used, harvest_kept;
	uint64_t cpu_ns;	 /* of the thread, for the references alone */
	uint64_t metadata_bytes; /* of the policy, at the end */
	uint64_t ghosts;	 /* likewise */
	uint32_t frames;	 /* that the metadata are for */
};

/* 0, or -errno with why: parameters that the policy refuses, memory, or a policy that breaks its
 * contract. */
int run(const struct run_config *config, struct references *references, struct run_result *result,
	struct why *why);

/* Would the policy take these parameters? 0, or -EINVAL with why. */
int run_check(const struct run_config *config, struct why *why);

#endif
