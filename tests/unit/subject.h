/* SPDX-License-Identifier: MIT */
/* An instance of a policy under test, and random numbers. */
#ifndef PAGERD_TESTS_SUBJECT_H
#define PAGERD_TESTS_SUBJECT_H

#include <stdint.h>

#include "pagerd/policy.h"

struct subject {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	void *frame_bytes;
};

/* The future, for those that have to know it: which reference of how many is next to use a page. */
struct future {
	uint64_t (*next_use)(void *context, pagerd_page_t page);
	void *context;
	uint64_t references;
};

struct subject subject_make(const char *spec, uint32_t frame_limit, uint32_t capacity_pages);
struct subject subject_make_knowing(const char *spec, uint32_t frame_limit, uint32_t capacity_pages,
				    const struct future *future);
void subject_end(struct subject *subject);

/* The next victim, isolated; UINT32_MAX if there is none. */
uint32_t victim(struct subject *subject);

/* ---- random numbers ---------------------------------------------------------------------- */

extern uint64_t seed; /* of the run: printed, and taken back from PAGERD_SEED */
void seed_start(void);
void random_start(uint64_t from);
uint32_t random_below(uint32_t bound);

#endif
