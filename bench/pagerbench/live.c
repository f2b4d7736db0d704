/* SPDX-License-Identifier: MIT */
/* One live run. */
#include "live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "daemon_process.h"
#include "data_file.h"
#include "kernel_swap.h"
#include "options.h"
#include "signals.h"
#include "toucher.h"

#define ENTRY_BYTES 8u /* of a page table, for a page */
#define BATCH_PAGES                                                                                \
	64u /* that the kernel charges ahead, on each processor (MEMCG_CHARGE_BATCH)               \
	     */

const char *const live_field_names[LIVE_FIELDS] = {
	"references",
	"misses",
	"miss_ratio",
	"major_faults",
	"pages_read",
	"pages_written",
	"evictions",
	"dirty_evictions",
	"seconds",
	"daemon_cpu_seconds",
	"program_cpu_seconds",
	"miss_p50_us",
	"miss_p90_us",
	"miss_p99_us",
	"miss_p999_us",
};

/* What a run has set up, to be taken down whatever happens. */
struct live {
	const struct live_config *config;
	struct daemon_process daemon;
	struct cgroup group; /* version 0: none */
	struct kernel_swap swap;
	char file[PATH_MAX];
	struct toucher_result *shared;
	size_t shared_bytes;
};

static int refused(const char *what, int error)
{
	complain("%s: %s", what, strerror(-error));
	return STATUS_FAILED;
}

/* ---- setting up -------------------------------------------------------------------------- */

static int file_up(struct live *live)
{
	const struct live_config *config = live->config;
	if (!config->file)
		return 0;
	snprintf(live->file, sizeof live->file, "%s/pagerbench-data.%d", config->dir,
		 (int)getpid());
	int error = data_file_make(live->file, config->plan->pages);
	return error ? refused(live->file, error) : 0;
}

/* What the limit is to hold besides the data: page tables, which are nobody's with the pager, and
 * what is charged and not used. */
static uint64_t group_bytes(const struct live_config *config)
{
	uint64_t batches = BATCH_PAGES * (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
	return (config->memory_pages + batches) * WORKLOAD_PAGE_BYTES +
	       config->plan->pages * ENTRY_BYTES;
}

static int kernel_up(struct live *live)
{
	const struct live_config *config = live->config;
	uint64_t pages = config->plan->pages;
	char why[PATH_MAX + 160] = "";
	int error = cgroup_make(&live->group, group_bytes(config), why, sizeof why);
	if (!error && !config->file)
		error = kernel_swap_on(&live->swap, config->dir, pages + 1024, why, sizeof why);
	if (!error)
		return 0;
	complain("the kernel's own paging: %s", why);
	return STATUS_UNAVAILABLE;
}

static int pager_up(struct live *live)
{
	const struct live_config *config = live->config;
	struct daemon_options options = {
		.memory_bytes = config->memory_pages * WORKLOAD_PAGE_BYTES,
		.policy = config->policy,
		.loaded = config->loaded,
		.swap = config->dir,
		.reclaim = config->reclaim,
		.access = config->access,
		.prefetch = config->prefetch,
	};
	return daemon_process_start(&live->daemon, &options);
}

static int shared_up(struct live *live)
{
	live->shared_bytes = toucher_result_bytes(live->config->plan);
	void *shared = mmap(NULL, live->shared_bytes, PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return refused("memory for results", -errno);
	live->shared = shared;
	return 0;
}

static int live_up(struct live *live)
{
	int status = shared_up(live);
	if (!status)
		status = file_up(live);
	if (!status)
		status = live->config->policy ? pager_up(live) : kernel_up(live);
	return status;
}

static int live_down(struct live *live)
{
	int status = daemon_process_end(&live->daemon);
	if (live->group.version)
		cgroup_remove(&live->group);
	kernel_swap_off(&live->swap);
	if (live->file[0])
		unlink(live->file);
	if (live->shared)
		munmap(live->shared, live->shared_bytes);
	return status;
}

/* ---- the run ----------------------------------------------------------------------------- */

static _Noreturn void child_main(const struct live *live)
{
	const struct live_config *config = live->config;
	struct toucher_config toucher = {
		.plan = config->plan,
		.socket = config->policy ? live->daemon.socket : NULL,
		.daemon = live->daemon.pid,
		.group = live->group.version ? &live->group : NULL,
		.file = live->file[0] ? live->file : NULL,
		.advice = config->advice,
	};
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signals_unblock();
	toucher_run(&toucher, live->shared);
	_exit(0);
}

static int child_judge(const struct live *live, int status)
{
	const struct toucher_result *shared = live->shared;
	if (live->group.version && cgroup_kills(&live->group))
		complain("the kernel killed the program in its cgroup: too little memory");
	else if (WIFSIGNALED(status))
		complain("the program was ended by signal %d", WTERMSIG(status));
	else if (!shared->done || !shared->useful)
		complain("the program: %s", shared->why[0] ? shared->why : "it did not begin");
	else
		return 0;
	return STATUS_FAILED;
}

static int child_run(const struct live *live)
{
	int status = 0;
	fflush(NULL); /* or the child might write it again */
	pid_t child = fork();
	if (child < 0)
		return refused("fork", -errno);
	if (!child)
		child_main(live);
	if (signals_wait(child, &status)) {
		complain("told to end");
		return STATUS_FAILED;
	}
	return child_judge(live, status);
}

/* ---- results ----------------------------------------------------------------------------- */

static int slowest_first(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

static void latency_fill(double *value, struct toucher_result *shared)
{
	static const double above[] = {0.5, 0.1, 0.01, 0.001};
	uint64_t misses = (uint64_t)value[LIVE_MISSES];
	uint64_t count = misses < shared->slow_count ? misses : shared->slow_count;
	qsort(shared->slow_ns, shared->slow_count, sizeof *shared->slow_ns, slowest_first);
	for (int i = 0; count && i <= LIVE_P999_US - LIVE_P50_US; i++)
		value[LIVE_P50_US + i] =
			shared->slow_ns[(uint64_t)((double)count * above[i])] / 1e3;
}

static void pager_fill(double *value, const struct pagerd_stats *stats)
{
	value[LIVE_MISSES] = (double)(stats->faults_major + stats->faults_zero);
	value[LIVE_MAJORS] = (double)stats->faults_major;
	value[LIVE_READS] = (double)stats->pages_read;
	value[LIVE_WRITES] = (double)stats->pages_written;
	value[LIVE_EVICTIONS] = (double)(stats->evicted_clean + stats->evicted_dirty);
	value[LIVE_DIRTY_EVICTIONS] = (double)stats->evicted_dirty;
}

static void kernel_fill(double *value, const struct live_config *config,
			const struct toucher_result *shared)
{
	uint64_t fresh = config->file ? 0 : config->plan->distinct;
	uint64_t written = config->file ? shared->kernel_write_bytes / WORKLOAD_PAGE_BYTES
					: shared->kernel_swapped;
	value[LIVE_MISSES] = (double)(shared->kernel_major + fresh);
	value[LIVE_MAJORS] = (double)shared->kernel_major;
	value[LIVE_READS] = (double)(shared->kernel_read_bytes / WORKLOAD_PAGE_BYTES);
	value[LIVE_WRITES] = (double)written;
}

static void result_fill(const struct live *live, struct live_result *result)
{
	const struct live_config *config = live->config;
	struct toucher_result *shared = live->shared;
	double *value = result->value;
	*result = (struct live_result){0};
	if (config->policy)
		pager_fill(value, &shared->stats);
	else
		kernel_fill(value, config, shared);
	value[LIVE_REFERENCES] = (double)config->plan->count;
	value[LIVE_MISS_RATIO] = value[LIVE_MISSES] / value[LIVE_REFERENCES];
	value[LIVE_SECONDS] = (double)shared->run_ns / 1e9;
	value[LIVE_DAEMON_SECONDS] = (double)shared->daemon_cpu_ns / 1e9;
	value[LIVE_PROGRAM_SECONDS] = (double)shared->cpu_ns / 1e9;
	latency_fill(value, shared);
}

int live_run(const struct live_config *config, struct live_result *result)
{
	struct live live = {.config = config};
	int status = live_up(&live);
	if (!status)
		status = child_run(&live);
	if (!status)
		result_fill(&live, result);
	int ended = live_down(&live);
	return status ? status : ended;
}
