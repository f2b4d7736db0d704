/* SPDX-License-Identifier: MIT */
/*
 * The references of one run, made before it begins: whoever makes them while memory is measured
 * uses memory, and time.
 *
 * A specification names a workload, or several that follow each other, "zipf+loop:length=50": each
 * has the same share of the references.
 */
#ifndef PAGERBENCH_PLAN_H
#define PAGERBENCH_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workload/workload.h"

struct plan_spec {
	const char *workload;
	uint64_t pages;
	uint64_t count; /* of all threads together */
	uint64_t seed;
	uint32_t threads;
	bool read_only; /* writes become reads */
	/* A thread's first reference to a page is a write: memory that nobody has written is no
	 * memory yet, and the kernel gives none for it. */
	bool fresh;
};

struct plan {
	uint32_t pages;
	uint32_t threads;
	uint64_t count;
	uint64_t distinct; /* pages that are referenced at all */
	bool writes;
	uint64_t *counts;  /* of each thread */
	uint32_t **packed; /* of each thread: see plan_pack */
};

static inline uint32_t plan_pack(struct reference reference)
{
	return reference.page << 1 | reference.write;
}

static inline struct reference plan_unpack(uint32_t packed)
{
	return (struct reference){packed >> 1, packed & 1};
}

/* 0, or -EINVAL or -ENOMEM with a sentence in why. Nothing is left to free on failure. */
int plan_make(struct plan *plan, const struct plan_spec *spec, char *why, size_t why_bytes);
void plan_free(struct plan *plan);

/* All of them in one order: the threads take turns. begin is all zeros. False at the end. */
struct plan_cursor {
	uint64_t turn;
	uint32_t thread;
};
bool plan_next(const struct plan *plan, struct plan_cursor *cursor, struct reference *reference,
	       uint32_t *thread);

#endif
