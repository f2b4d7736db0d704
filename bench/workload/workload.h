/* SPDX-License-Identifier: MIT */
/*
 * Workloads: endless streams of page references, each from one seed.
 *
 * A workload is named as a policy is, "zipf" or "zipf:theta=0.8,writes=10". It touches pages 0 ..
 * pages - 1. Each of its threads has a stream of its own, which depends on the seed, the thread
 * and the number of threads, and on nothing else: a trace and a live run see the same references.
 * What the streams of one workload share (permutations, the shape of a graph) is read-only once it
 * is made, so that streams may be used by as many threads.
 *
 * Workloads that model a program (matrix, btree, bfs, hash-join) lay its data structures out in
 * those pages and give the references that its loads and stores make, where one that repeats the
 * reference just before it is left out.
 */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "workload/random.h"

#define WORKLOAD_PARAMETERS  6u
#define WORKLOAD_PAGES_MAX   (1u << 30)
#define WORKLOAD_THREADS_MAX 63u
#define WORKLOAD_PAGE_BYTES  4096u

struct reference {
	uint32_t page;
	bool write;
};

struct workload_parameter {
	const char *name; /* NULL ends the table */
	double standard, min, max;
	bool whole; /* a number without a fraction */
	const char *meaning;
};

struct workload {
	const struct workload_ops *ops;
	uint32_t pages;
	uint64_t seed;
	double value[WORKLOAD_PARAMETERS]; /* of the parameters, in the table's order */
	void *shared;			   /* the workload's own */
};

#define STREAM_PENDING 32u /* references that one step of a program may make */

struct stream {
	const struct workload *workload;
	struct random random;
	uint32_t thread, threads;
	/* of workloads that model a program: references made and not handed out yet */
	struct reference last;
	bool any; /* last is one */
	uint32_t head, count;
	struct reference pending[STREAM_PENDING];
};

struct workload_ops {
	const char *name;
	const char *summary; /* one line */
	const struct workload_parameter *parameters;
	uint32_t pages_min;
	size_t shared_bytes; /* zeroed and in workload->shared before create is called */
	size_t stream_bytes; /* of the workload's stream, which begins with a struct stream */
	/* Make what the streams share; NULL if that is nothing. 0 or -ENOMEM. */
	int (*create)(struct workload *workload);
	/* Free what create made, but for workload->shared itself; may be NULL. */
	void (*destroy)(struct workload *workload);
	/* Begin a stream; may be NULL. 0 or -ENOMEM. */
	int (*start)(struct stream *stream);
	/* Free what start made; may be NULL. */
	void (*end)(struct stream *stream);
	struct reference (*next)(struct stream *stream);
};

/* All of them, NULL-terminated. */
extern const struct workload_ops *const workloads[];

/* Make a workload of that many pages. -EINVAL with a sentence in why (at most why_bytes with the
 * zero) names what was unknown or out of range; -ENOMEM. */
int workload_create(struct workload **workload, const char *spec, uint64_t pages, uint64_t seed,
		    char *why, size_t why_bytes);
/* NULL is allowed. Its streams must have been destroyed. */
void workload_destroy(struct workload *workload);

/* The stream of one of the threads. NULL: no memory. */
struct stream *stream_create(const struct workload *workload, uint32_t thread, uint32_t threads);
void stream_destroy(struct stream *stream);

static inline struct reference stream_next(struct stream *stream)
{
	return stream->workload->ops->next(stream);
}

/* ---- for the workloads ------------------------------------------------------------------- */

/* A shuffled array of the numbers below count (malloc'd); NULL: no memory. */
uint32_t *permutation_make(uint32_t count, struct random random);

/* So many of the pages as percent says, at least one. */
uint32_t workload_share(const struct workload *workload, double percent);

/* [first, end) of count things is this thread's part; parts differ by one at most. With more
 * threads than things some share theirs. */
struct part {
	uint64_t first, end;
};
struct part stream_part(const struct stream *stream, uint64_t count);

/* Note a reference of a modelled program, unless it repeats the last one. */
void stream_emit(struct stream *stream, uint64_t page, bool write);
/* Hand out the next noted reference; step is called until there is one. */
struct reference stream_step(struct stream *stream, void (*step)(struct stream *stream));

#endif
