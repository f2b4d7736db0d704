/* SPDX-License-Identifier: MIT */
/* The program of a live run. */
#include "toucher.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "page_stamp.h"

struct toucher {
	const struct toucher_config *config;
	struct toucher_result *result;
	struct pagerd *pager; /* NULL: the kernel pages */
	uint64_t *words;
	size_t bytes;
	uint8_t *versions; /* of each thread, of each page */
	pthread_barrier_t begin;
};

struct toucher_thread {
	struct toucher *toucher;
	pthread_t id;
	uint32_t number;
	uint64_t slow_count;
	uint32_t *slow_ns; /* its part of the result's */
	uint64_t wrong;	   /* pages that did not hold what they should */
};

size_t toucher_result_bytes(const struct plan *plan)
{
	return sizeof(struct toucher_result) + plan->count * sizeof(uint32_t);
}

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static volatile uint64_t *line_at(const struct toucher *toucher, uint32_t page, uint32_t line)
{
	return toucher->words + ((uint64_t)page * PAGE_STAMP_LINES + line) * PAGE_STAMP_WORDS;
}

static uint64_t line_expected(const struct toucher *toucher, uint32_t page, uint32_t line)
{
	const struct plan *plan = toucher->config->plan;
	uint8_t version =
		line < plan->threads ? toucher->versions[(uint64_t)line * plan->pages + page] : 0;
	return page_stamp(page, line, version, !toucher->config->file);
}

/* ---- touching ---------------------------------------------------------------------------- */

/* One access, so that a write that misses is one fault: the old contents are looked at by the
 * same instruction that changes them. */
static bool page_write(struct toucher *toucher, uint32_t page, uint32_t line)
{
	uint8_t *version = &toucher->versions[(uint64_t)line * toucher->config->plan->pages + page];
	uint64_t expected = line_expected(toucher, page, line);
	*version = page_stamp_next(*version);
	uint64_t stamp = page_stamp(page, line, *version, !toucher->config->file);
	return __atomic_exchange_n(line_at(toucher, page, line), stamp, __ATOMIC_RELAXED) ==
	       expected;
}

static bool page_read(const struct toucher *toucher, uint32_t page, uint32_t line)
{
	return *line_at(toucher, page, line) == line_expected(toucher, page, line);
}

static void *thread_run(void *argument)
{
	struct toucher_thread *thread = argument;
	struct toucher *toucher = thread->toucher;
	const struct plan *plan = toucher->config->plan;
	const uint32_t *packed = plan->packed[thread->number];
	pthread_barrier_wait(&toucher->begin);
	uint64_t last = now_ns(CLOCK_MONOTONIC);
	for (uint64_t i = 0; i < plan->counts[thread->number]; i++) {
		struct reference reference = plan_unpack(packed[i]);
		bool good = reference.write ? page_write(toucher, reference.page, thread->number)
					    : page_read(toucher, reference.page, thread->number);
		uint64_t now = now_ns(CLOCK_MONOTONIC), ns = now - last;
		last = now;
		thread->wrong += !good;
		if (ns >= TOUCHER_SLOW_NS)
			thread->slow_ns[thread->slow_count++] =
				ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
	}
	return NULL;
}

/* ---- what it costs ----------------------------------------------------------------------- */

struct costs {
	uint64_t ns, daemon_cpu_ns, cpu_ns, major, swapped, read_bytes, write_bytes;
};

static uint64_t file_field(const char *path, const char *name)
{
	char line[128];
	uint64_t value = 0;
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (!strncmp(line, name, strlen(name)))
			value = strtoull(line + strlen(name), NULL, 10);
	if (file)
		fclose(file);
	return value;
}

static struct costs costs_now(const struct toucher *toucher)
{
	struct rusage usage;
	clockid_t clock;
	struct costs costs = {
		.cpu_ns = now_ns(CLOCK_PROCESS_CPUTIME_ID),
		.swapped = file_field("/proc/vmstat", "pswpout "),
		.read_bytes = file_field("/proc/self/io", "read_bytes: "),
		.write_bytes = file_field("/proc/self/io", "write_bytes: "),
	};
	getrusage(RUSAGE_SELF, &usage);
	costs.major = (uint64_t)usage.ru_majflt;
	if (toucher->pager && !clock_getcpuclockid(toucher->config->daemon, &clock))
		costs.daemon_cpu_ns = now_ns(clock);
	costs.ns = now_ns(CLOCK_MONOTONIC);
	return costs;
}

static void costs_note(const struct toucher *toucher, const struct costs *before)
{
	struct toucher_result *result = toucher->result;
	uint64_t end_ns = now_ns(CLOCK_MONOTONIC);
	struct costs after = costs_now(toucher);
	result->run_ns = end_ns - before->ns;
	result->daemon_cpu_ns = after.daemon_cpu_ns - before->daemon_cpu_ns;
	result->cpu_ns = after.cpu_ns - before->cpu_ns;
	result->kernel_major = after.major - before->major;
	result->kernel_swapped = after.swapped - before->swapped;
	result->kernel_read_bytes = after.read_bytes - before->read_bytes;
	result->kernel_write_bytes = after.write_bytes - before->write_bytes;
}

/* ---- memory ------------------------------------------------------------------------------ */

static int failed(struct toucher *toucher, const char *what, int error)
{
	snprintf(toucher->result->why, sizeof toucher->result->why, "%s: %s", what,
		 strerror(-error));
	return error;
}

/* Private memory if it is not a file, as of a program of its own. */
static int memory_map(struct toucher *toucher, int fd)
{
	const struct toucher_config *config = toucher->config;
	int protection = PROT_READ | (config->plan->writes || fd < 0 ? PROT_WRITE : 0), error = 0;
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *words;
	if (toucher->pager) {
		words = pagerd_map(toucher->pager, NULL, toucher->bytes, protection, flags, fd, 0,
				   &error);
	} else {
		words = mmap(NULL, toucher->bytes, protection, flags, fd, 0);
		error = words == MAP_FAILED ? -errno : 0;
	}
	if (error)
		return failed(toucher, "map", error);
	toucher->words = words;
	if (config->advice == MADV_NORMAL)
		return 0;
	if (toucher->pager)
		error = pagerd_advise(toucher->pager, words, toucher->bytes, config->advice);
	else
		error = madvise(words, toucher->bytes, config->advice) ? -errno : 0;
	return error ? failed(toucher, "advice", error) : 0;
}

static int memory_open(struct toucher *toucher)
{
	const struct toucher_config *config = toucher->config;
	if (!config->file)
		return memory_map(toucher, -1);
	int fd = open(config->file, (config->plan->writes ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	if (fd < 0)
		return failed(toucher, config->file, -errno);
	int error = memory_map(toucher, fd);
	close(fd);
	return error;
}

/* What this program needs for itself is there, and charged to nobody, before it enters the group
 * that bounds its memory. */
static int toucher_prepare(struct toucher *toucher)
{
	const struct toucher_config *config = toucher->config;
	const struct plan *plan = config->plan;
	size_t versions = (size_t)plan->pages * plan->threads;
	toucher->bytes = (size_t)plan->pages * WORKLOAD_PAGE_BYTES;
	toucher->versions = malloc(versions);
	if (!toucher->versions)
		return failed(toucher, "versions", -ENOMEM);
	memset(toucher->versions, 0, versions);
	memset(toucher->result->slow_ns, 1, plan->count * sizeof *toucher->result->slow_ns);
	int error = config->group ? cgroup_enter(config->group) : 0;
	if (error)
		return failed(toucher, "cgroup", error);
	if (config->socket)
		error = pagerd_connect(&toucher->pager, config->socket);
	if (error)
		return failed(toucher, "connect to pagerd", error);
	return memory_open(toucher);
}

/* ---- all of it --------------------------------------------------------------------------- */

static int threads_run(struct toucher *toucher, struct toucher_thread *threads)
{
	const struct plan *plan = toucher->config->plan;
	uint32_t *slow_ns = toucher->result->slow_ns;
	pthread_barrier_init(&toucher->begin, NULL, plan->threads + 1);
	for (uint32_t i = 0; i < plan->threads; i++) {
		threads[i] = (struct toucher_thread){
			.toucher = toucher, .number = i, .slow_ns = slow_ns};
		slow_ns += plan->counts[i];
		int error = -pthread_create(&threads[i].id, NULL, thread_run, &threads[i]);
		if (error) /* those that wait end with the process */
			return failed(toucher, "thread", error);
	}
	struct costs before = costs_now(toucher);
	pthread_barrier_wait(&toucher->begin);
	for (uint32_t i = 0; i < plan->threads; i++)
		pthread_join(threads[i].id, NULL);
	costs_note(toucher, &before);
	return 0;
}

/* The threads' parts of the list of slow ones, one behind the other. */
static uint64_t results_gather(struct toucher *toucher, const struct toucher_thread *threads)
{
	struct toucher_result *result = toucher->result;
	uint64_t wrong = 0;
	for (uint32_t i = 0; i < toucher->config->plan->threads; i++) {
		memmove(result->slow_ns + result->slow_count, threads[i].slow_ns,
			threads[i].slow_count * sizeof *result->slow_ns);
		result->slow_count += threads[i].slow_count;
		wrong += threads[i].wrong;
	}
	return wrong;
}

/* Every page, every line that somebody has, and one that nobody has. */
static uint64_t pages_verify(const struct toucher *toucher)
{
	const struct plan *plan = toucher->config->plan;
	uint64_t wrong = 0;
	for (uint32_t page = 0; page < plan->pages; page++)
		for (uint32_t line = 0; line <= plan->threads; line++)
			wrong += !page_read(toucher, page, line);
	return wrong;
}

void toucher_run(const struct toucher_config *config, struct toucher_result *result)
{
	struct toucher toucher = {.config = config, .result = result};
	struct toucher_thread *threads = calloc(config->plan->threads, sizeof *threads);
	if (!threads || toucher_prepare(&toucher) || threads_run(&toucher, threads))
		return;
	if (toucher.pager && pagerd_statistics(toucher.pager, &result->stats)) {
		failed(&toucher, "statistics", -ENOTCONN);
		return;
	}
	uint64_t wrong = results_gather(&toucher, threads) + pages_verify(&toucher);
	snprintf(result->why, sizeof result->why, "%llu accesses found wrong data",
		 (unsigned long long)wrong);
	result->useful = !wrong;
	result->done = true;
	pagerd_disconnect(toucher.pager);
	free(toucher.versions);
	free(threads);
}
