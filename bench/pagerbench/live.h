/* SPDX-License-Identifier: MIT */
/*
 * One live run: a plan's references on real memory, paged by a daemon of its own, or by the
 * kernel in a memory cgroup of the same size, and what was counted and measured.
 */
#ifndef PAGERBENCH_LIVE_H
#define PAGERBENCH_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "plan.h"

struct live_config {
	const struct plan *plan;
	const char *policy;		   /* NULL: the kernel pages */
	const struct options_list *loaded; /* shared objects with more policies */
	uint64_t memory_pages;
	bool file;	     /* a mapped file, else anonymous memory */
	int advice;	     /* MADV_* */
	const char *dir;     /* where swap and file are */
	const char *reclaim; /* NULL: as it comes */
	const char *access;  /* likewise */
	int prefetch;	     /* -1: likewise */
};

/* What is counted and measured, each as a number of its own. */
enum live_field {
	LIVE_REFERENCES,
	LIVE_MISSES, /* references that waited for their page, to be read or new */
	LIVE_MISS_RATIO,
	LIVE_MAJORS,	      /* misses that were read; the kernel's major faults if it pages */
	LIVE_READS,	      /* pages from files and swap */
	LIVE_WRITES,	      /* pages to files and swap; dirtied ones if the kernel pages a file */
	LIVE_EVICTIONS,	      /* 0 for the kernel, which does not say */
	LIVE_DIRTY_EVICTIONS, /* likewise */
	LIVE_SECONDS,
	LIVE_DAEMON_SECONDS,  /* the daemon's processor time */
	LIVE_PROGRAM_SECONDS, /* the program's, with the kernel's work for it */
	/* How long a miss takes: of the slowest accesses, as many as missed. */
	LIVE_P50_US,
	LIVE_P90_US,
	LIVE_P99_US,
	LIVE_P999_US,
	LIVE_FIELDS,
};
extern const char *const live_field_names[LIVE_FIELDS];

struct live_result {
	double value[LIVE_FIELDS];
};

/* 0, or an exit status after having said what is wrong: wrong data in a page is an error. */
int live_run(const struct live_config *config, struct live_result *result);

#endif
