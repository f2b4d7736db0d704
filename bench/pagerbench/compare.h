/* SPDX-License-Identifier: MIT */
/*
 * A comparison: policies x workloads x sizes, simulated and live.
 *
 * It is a list of cells. Each is one simulated or one live run, and is kept in a file of its own in
 * the folder as soon as it is finished, so that a comparison that was broken off goes on where it
 * was. The report is made of the cells when all of them are there.
 */
#ifndef PAGERBENCH_COMPARE_H
#define PAGERBENCH_COMPARE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "../sim/run.h"
#include "live.h"
#include "options.h"
#include "summary.h"

#define COMPARE_WINDOWS 60u /* of misses over time */

enum cell_kind {
	CELL_SIMULATED, /* with all that is known of the references */
	CELL_SEEN,	/* with what the daemon sees of them */
	CELL_LIVE,
};
extern const char *const cell_kind_names[];

struct cell {
	enum cell_kind kind;
	size_t workload, policy,
		size; /* in the comparison; policy: policies.count for the kernel */
	uint32_t run; /* of live ones, from 1 on */
	bool done;
	/* simulated */
	struct run_result simulated;
	uint64_t window_misses[COMPARE_WINDOWS];
	/* live */
	struct live_result live;
};

struct compare_workload {
	const char *spec;
	uint64_t distinct; /* its footprint: pages that are referenced; 0: not known yet */
};

struct compare {
	struct options options;
	char *command;	/* as it was typed */
	uint64_t build; /* a digest of the programs that make the results */
	uint64_t data_pages, references;
	enum visibility visibility; /* of the daemon */
	uint32_t harvest_frames;
	struct options_list policies; /* with min, lru and fifo, if they are there */
	size_t workload_count, size_count;
	struct compare_workload workloads[OPTIONS_LIST_MAX];
	uint64_t size_pages[OPTIONS_LIST_MAX]; /* ascending */
	size_t cell_count;
	struct cell *cells;
};

/* The name of a cell's policy, or "kernel". */
const char *compare_system(const struct compare *compare, size_t policy);
/* The cell, or NULL if it is none of the comparison's. */
const struct cell *compare_find(const struct compare *compare, enum cell_kind kind, size_t workload,
				size_t policy, size_t size, uint32_t run);
/* The policy's place in the list, or policies.count. */
size_t compare_policy(const struct compare *compare, const char *name);
/* The size nearest to that share of the data. */
size_t compare_size_near(const struct compare *compare, double percent);

/* Of the live runs of one policy; all zeros if there are none. */
struct summary compare_live(const struct compare *compare, size_t workload, size_t policy,
			    size_t size, enum live_field field);

/* compare_cells.c: what there is to do. 0, or an exit status after having said what is wrong. */
int compare_init(struct compare *compare, int argc, char **argv);
void compare_finish(struct compare *compare);

/* compare_run.c: run the cells that are not done, and keep each. 0, or an exit status after having
 * said what is wrong. */
int compare_run(struct compare *compare);

/* compare_keep.c: read a cell that was kept before, if it is there and whole. */
void compare_recall(const struct compare *compare, struct cell *cell);
/* Keep it. 0 or -errno. */
int compare_keep(const struct compare *compare, const struct cell *cell);
/* Make the folder, and see that it can be written. 0 or -errno. */
int compare_folder(const struct compare *compare);
/* Likewise for a workload's footprint. */
void compare_recall_workload(const struct compare *compare, struct compare_workload *workload);
int compare_keep_workload(const struct compare *compare, const struct compare_workload *workload);

/* compare_data.c: results.csv and results.json. */
void compare_csv(const struct compare *compare, FILE *file);
void compare_json(const struct compare *compare, FILE *file);
/* compare_report.c: report.html. compare_duel.c: lru against lfu, if both are there.
 * compare_figures.c: of one workload, what was simulated; compare_figures_live.c: what was run live
 * at one size. */
void compare_html(const struct compare *compare, FILE *file);
void compare_duel(const struct compare *compare, FILE *file);
void compare_figures(const struct compare *compare, size_t workload, FILE *file);
void compare_figures_live(const struct compare *compare, size_t workload, size_t size, FILE *file);

#endif
