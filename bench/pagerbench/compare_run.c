/* SPDX-License-Identifier: MIT */
/* Running the cells of a comparison. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../sim/pool.h"
#include "compare.h"
#include "signals.h"
#include "simulation.h"

#define JOBS_MAX 64u

/* How long a reference takes, as far as is known: first a guess, then what was measured. */
struct pace {
	double seconds, references;
};

struct runner {
	struct compare *compare;
	struct pace simulated, live;
	size_t done;
	struct plan plan; /* of the workload at hand */
	struct references trace;
};

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- progress ---------------------------------------------------------------------------- */

static double cells_left_s(const struct runner *runner)
{
	const struct compare *compare = runner->compare;
	double references = (double)compare->references, seconds = 0;
	for (size_t i = 0; i < compare->cell_count; i++) {
		const struct cell *cell = &compare->cells[i];
		const struct pace *pace =
			cell->kind == CELL_LIVE ? &runner->live : &runner->simulated;
		if (!cell->done)
			seconds += references * pace->seconds / pace->references;
	}
	return seconds;
}

static void time_print(double seconds)
{
	if (seconds < 100)
		fprintf(stderr, "%.0f s", seconds);
	else if (seconds < 100 * 60)
		fprintf(stderr, "%.0f min", seconds / 60);
	else
		fprintf(stderr, "%.1f h", seconds / 3600);
}

static void progress(const struct runner *runner, const struct cell *cell)
{
	const struct compare *compare = runner->compare;
	fprintf(stderr, "%zu/%zu %s %s %s %llu", runner->done, compare->cell_count,
		cell_kind_names[cell->kind], compare->workloads[cell->workload].spec,
		compare_system(compare, cell->policy),
		(unsigned long long)compare->size_pages[cell->size]);
	if (cell->run)
		fprintf(stderr, " run %u", cell->run);
	fprintf(stderr, ": %.0f misses; about ",
		cell->kind == CELL_LIVE ? cell->live.value[LIVE_MISSES]
					: (double)cell->simulated.misses);
	time_print(cells_left_s(runner));
	fputs(" left\n", stderr);
}

static void pace_note(struct pace *pace, double seconds, double references)
{
	/* The guess that it began with has little weight. */
	pace->seconds += seconds;
	pace->references += references;
}

static int cell_finish(struct runner *runner, struct cell *cell)
{
	cell->done = true;
	runner->done++;
	int error = compare_keep(runner->compare, cell);
	progress(runner, cell);
	if (!error)
		return 0;
	complain("%s: %s", runner->compare->options.output, strerror(-error));
	return STATUS_FAILED;
}

static int told_to_end(void)
{
	if (!signals_pending())
		return 0;
	complain("told to end; what is finished is kept, the same command goes on from here");
	return STATUS_FAILED;
}

/* ---- simulated --------------------------------------------------------------------------- */

static void job_fill(const struct runner *runner, struct job *job, struct cell *cell)
{
	const struct compare *compare = runner->compare;
	const char *spec = compare_system(compare, cell->policy);
	bool seen = cell->kind == CELL_SEEN;
	*job = (struct job){.config = {
				    .spec = spec,
				    .size_pages = compare->size_pages[cell->size],
				    .visibility = seen ? compare->visibility : VISIBILITY_EXACT,
				    .harvest_frames = seen ? compare->harvest_frames : 0,
				    .windows = COMPARE_WINDOWS,
				    .window_misses = cell->window_misses,
			    }};
	job->config.ops = pagerd_policy_find(spec, &job->config.parameters);
}

/* The next cells of a workload that are to be simulated; how many. */
static size_t batch_take(const struct runner *runner, size_t workload, struct job *jobs,
			 struct cell **cells, size_t most)
{
	const struct compare *compare = runner->compare;
	size_t count = 0;
	for (size_t i = 0; i < compare->cell_count && count < most; i++) {
		struct cell *cell = &compare->cells[i];
		if (cell->workload != workload || cell->kind == CELL_LIVE || cell->done)
			continue;
		job_fill(runner, &jobs[count], cell);
		cells[count++] = cell;
	}
	return count;
}

static int batch_run(struct runner *runner, struct job *jobs, struct cell **cells, size_t count)
{
	struct why why;
	unsigned processors = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
	double begin = now_s();
	if (pool_run(jobs, count, &runner->trace, processors, &why)) {
		complain("%s", why.text);
		return STATUS_FAILED;
	}
	pace_note(&runner->simulated, now_s() - begin, (double)(count * runner->trace.count));
	int status = 0;
	for (size_t i = 0; !status && i < count; i++) {
		cells[i]->simulated = jobs[i].result;
		status = cell_finish(runner, cells[i]);
	}
	return status;
}

static int workload_simulate(struct runner *runner, size_t workload)
{
	struct job jobs[JOBS_MAX];
	struct cell *cells[JOBS_MAX];
	size_t most = 2 * (size_t)sysconf(_SC_NPROCESSORS_ONLN), count;
	int status = 0;
	most = most < JOBS_MAX ? most : JOBS_MAX;
	while (!status && (count = batch_take(runner, workload, jobs, cells, most))) {
		status = batch_run(runner, jobs, cells, count);
		if (!status)
			status = told_to_end();
	}
	return status;
}

/* ---- live -------------------------------------------------------------------------------- */

static int cell_live(struct runner *runner, struct cell *cell)
{
	const struct compare *compare = runner->compare;
	const struct options *options = &compare->options;
	struct live_config config = {
		.plan = &runner->plan,
		.policy = cell->policy < compare->policies.count
				  ? compare->policies.item[cell->policy]
				  : NULL,
		.loaded = &options->loaded,
		.memory_pages = compare->size_pages[cell->size],
		.file = options->file,
		.advice = options_advice(options),
		.dir = options->dir,
		.reclaim = options->reclaim,
		.access = options->access,
		.prefetch = options->prefetch_given ? (int)options->prefetch : -1,
	};
	double begin = now_s();
	int status = live_run(&config, &cell->live);
	if (status)
		return status;
	pace_note(&runner->live, now_s() - begin, (double)compare->references);
	return cell_finish(runner, cell);
}

static int workload_live(struct runner *runner, size_t workload)
{
	const struct compare *compare = runner->compare;
	int status = 0;
	for (size_t i = 0; !status && i < compare->cell_count; i++) {
		struct cell *cell = &compare->cells[i];
		if (cell->workload != workload || cell->kind != CELL_LIVE || cell->done)
			continue;
		status = cell_live(runner, cell);
		if (!status)
			status = told_to_end();
	}
	return status;
}

/* ---- all of it --------------------------------------------------------------------------- */

static bool workload_done(const struct compare *compare, size_t workload)
{
	bool done = compare->workloads[workload].distinct;
	for (size_t i = 0; i < compare->cell_count; i++)
		done &= compare->cells[i].workload != workload || compare->cells[i].done;
	return done;
}

static int plan_open(struct runner *runner, size_t workload)
{
	const struct compare *compare = runner->compare;
	const struct options *options = &compare->options;
	struct plan_spec spec = {
		.workload = compare->workloads[workload].spec,
		.pages = compare->data_pages,
		.count = compare->references,
		.seed = options->seed,
		.threads = options->threads,
		.read_only = options->read_only,
		.fresh = !options->file,
	};
	struct why why;
	int error = plan_make(&runner->plan, &spec, why.text, sizeof why.text);
	if (!error) {
		error = simulation_trace(&runner->trace, &runner->plan, &why);
		if (error)
			plan_free(&runner->plan);
	}
	if (!error)
		return 0;
	complain("%s", why.text);
	return STATUS_FAILED;
}

static int workload_run(struct runner *runner, size_t index)
{
	struct compare_workload *workload = &runner->compare->workloads[index];
	int status = plan_open(runner, index);
	if (status)
		return status;
	workload->distinct = runner->plan.distinct;
	int error = compare_keep_workload(runner->compare, workload);
	if (error) {
		complain("%s: %s", runner->compare->options.output, strerror(-error));
		status = STATUS_FAILED;
	}
	if (!status)
		status = workload_simulate(runner, index);
	if (!status)
		status = workload_live(runner, index);
	references_finish(&runner->trace);
	plan_free(&runner->plan);
	return status;
}

int compare_run(struct compare *compare)
{
	struct runner runner = {
		.compare = compare,
		.simulated = {1, 20e6},
		.live = {1, 60e3},
	};
	int status = 0;
	for (size_t i = 0; i < compare->cell_count; i++) {
		compare_recall(compare, &compare->cells[i]);
		runner.done += compare->cells[i].done;
	}
	fprintf(stderr, "%zu cells, %zu of them done before; about ", compare->cell_count,
		runner.done);
	time_print(cells_left_s(&runner));
	fputs(" left\n", stderr);
	for (size_t i = 0; !status && i < compare->workload_count; i++) {
		compare_recall_workload(compare, &compare->workloads[i]);
		if (!workload_done(compare, i))
			status = workload_run(&runner, i);
	}
	return status;
}
