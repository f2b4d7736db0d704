/* SPDX-License-Identifier: MIT */
/*
 * The program of a live run: it maps memory, makes the references of a plan with a thread for each
 * of the plan's, checks every page that it touches, and writes down how long each took.
 *
 * It runs in a process of its own and shares a struct toucher_result with the one that started it.
 */
#ifndef PAGERBENCH_TOUCHER_H
#define PAGERBENCH_TOUCHER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cgroup.h"
#include "pagerd/pagerd.h"
#include "plan.h"

/* Faster ones met no fault that took the pager's or a device's time; they are not written down. */
#define TOUCHER_SLOW_NS 1500u

struct toucher_config {
	const struct plan *plan;
	const char *socket;	    /* of the pager to join; NULL: none */
	pid_t daemon;		    /* the pager's process */
	const struct cgroup *group; /* to enter before memory is mapped; NULL: none */
	const char *file;	    /* to map; NULL: anonymous memory */
	int advice;		    /* MADV_* */
};

struct toucher_result {
	bool done;   /* all that follows is valid */
	bool useful; /* all pages held what they should */
	uint64_t run_ns;
	uint64_t daemon_cpu_ns;
	uint64_t cpu_ns;	     /* of this process, the kernel's work for it included */
	uint64_t kernel_major;	     /* faults that the kernel read for */
	uint64_t kernel_read_bytes;  /* from devices, for this process */
	uint64_t kernel_swapped;     /* pages that the machine wrote to swap meanwhile */
	uint64_t kernel_write_bytes; /* to files, by this process */
	struct pagerd_stats stats;   /* of the pager */
	char why[160];		     /* if it is not done */
	uint64_t slow_count;	     /* of slow_ns, in no order */
	uint32_t slow_ns[];
};

/* Bytes of the result for a plan. */
size_t toucher_result_bytes(const struct plan *plan);

/* In the child: run, and fill the result. */
void toucher_run(const struct toucher_config *config, struct toucher_result *result);

#endif
