/* SPDX-License-Identifier: MIT */
/* Runs side by side. */
#ifndef PAGERSIM_POOL_H
#define PAGERSIM_POOL_H

#include <stddef.h>

#include "run.h"

struct job {
	struct run_config config;
	struct run_result result;
};

/* Run all jobs on one trace, as many at a time as threads says. 0, or the error of one that
 * failed, with why; then others may not have been run. */
int pool_run(struct job *jobs, size_t count, struct references *references, unsigned threads,
	     struct why *why);

#endif
