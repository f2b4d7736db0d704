/* SPDX-License-Identifier: MIT */
/*
 * Writes known values at random over paged memory, from many threads of several processes, and
 * checks every read.
 *
 * The first process maps the areas. With the plain system calls it forks the others while its own
 * threads are at work: they share the shared and the file area with it, and have copies of the
 * private one. With libpagerd a process cannot hand mappings on, so the processes are forked
 * first, and share the file alone.
 *
 * Exit status: 0 all reads were right; 1 wrong data; 2 a system call failed; 64 usage.
 */
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "options.h"

enum {
	SYNC_PAGES = 64,       /* an msync writes at most so many */
	SYNC_INTERVAL = 2048,  /* one operation on a file area of so many is an msync */
	REPORT_INTERVAL = 128, /* a thread reports its progress after so many operations */
	THREADS_MAX = 256,
};

struct stress {
	struct options options;
	struct area areas[KINDS];
	struct area *used[KINDS]; /* the areas that this run has */
	unsigned used_count;
	int fd; /* of the file area; -1: none */
	unsigned process;
	/* Read-held by an operation on memory that fork copies, write-held by fork: a copy is
	 * made when its cells and its memory agree. */
	pthread_rwlock_t copying;
	pthread_mutex_t progress_lock;
	pthread_cond_t progress;
	uint64_t done; /* operations of this process */
};

struct worker {
	struct stress *stress;
	pthread_t thread;
	uint64_t random;
	uint64_t cursor; /* of a sequential walk: a chunk number */
	int scratch_fd;
};

static uint64_t random_next(struct worker *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random * 0x2545f4914f6cdd1du >> 16;
}

static bool random_percent(struct worker *w, unsigned percent)
{
	return random_next(w) % 100 < percent;
}

/* Rank r is chosen with a probability near 1/r; ranks are scattered over the pages. */
static size_t zipf_page(struct worker *w, size_t pages)
{
	double u = (double)(random_next(w) % (1u << 30)) / (1u << 30);
	size_t rank = (size_t)exp(u * log((double)pages));

	return rank * 2654435761u % pages;
}

static size_t choose_chunk(struct worker *w, size_t pages)
{
	switch (w->stress->options.distribution) {
	case SEQUENTIAL:
		return w->cursor++ % (pages * CHUNKS);
	case ZIPF:
		return zipf_page(w, pages) * CHUNKS + random_next(w) % CHUNKS;
	default:
		return random_next(w) % (pages * CHUNKS);
	}
}

/* ---- one operation ----------------------------------------------------------------------------
 */

static void sync_some(struct area *area, size_t page)
{
	size_t pages = area->pages - page;

	if (pages > SYNC_PAGES)
		pages = SYNC_PAGES;
	if (backend_sync(area->memory + page * PAGE_BYTES, pages * PAGE_BYTES) < 0)
		die("msync");
}

static void touch_chunk(struct worker *w, struct area *area, size_t page, unsigned chunk)
{
	const struct options *options = &w->stress->options;
	int fd = random_percent(w, options->syscall_percent) ? w->scratch_fd : -1;

	if (!chunk_lock(area, page, chunk))
		return;
	if (random_percent(w, options->write_percent))
		chunk_write(area, page, chunk, fd);
	else
		chunk_check(area, page, chunk, fd);
	chunk_unlock(area, page, chunk);
}

static void operate(struct worker *w)
{
	struct stress *s = w->stress;
	struct area *area = s->used[random_next(w) % s->used_count];
	size_t chunk = choose_chunk(w, area->pages);
	size_t page = chunk / CHUNKS;

	if (!area->together)
		pthread_rwlock_rdlock(&s->copying);
	if (area->kind == KIND_PRIVATE && random_percent(w, s->options.discard_percent))
		page_discard(area, page);
	else if (area->kind == KIND_FILE && random_next(w) % SYNC_INTERVAL == 0)
		sync_some(area, page);
	else
		touch_chunk(w, area, page, chunk % CHUNKS);
	if (!area->together)
		pthread_rwlock_unlock(&s->copying);
}

/* ---- threads ----------------------------------------------------------------------------------
 */

static void tick(const struct stress *s, uint64_t before, uint64_t after)
{
	if (s->options.tick && before / s->options.tick != after / s->options.tick &&
	    write(STDOUT_FILENO, "tick\n", 5) != 5)
		die("write of a tick");
}

static void report_progress(struct stress *s, uint64_t count)
{
	pthread_mutex_lock(&s->progress_lock);
	tick(s, s->done, s->done + count);
	s->done += count;
	pthread_cond_broadcast(&s->progress);
	pthread_mutex_unlock(&s->progress_lock);
}

static void *worker_run(void *argument)
{
	struct worker *w = argument;
	uint64_t left = w->stress->options.operations;

	while (left) {
		uint64_t count = left < REPORT_INTERVAL ? left : REPORT_INTERVAL;

		for (uint64_t i = 0; i < count; i++)
			operate(w);
		left -= count;
		report_progress(w->stress, count);
	}
	return NULL;
}

static void worker_start(struct worker *w, struct stress *s, unsigned number)
{
	uint64_t id = (uint64_t)s->process * THREADS_MAX + number;

	*w = (struct worker){.stress = s, .random = (s->options.seed + 1) * 2654435761u + id};
	for (int i = 0; i < 8; i++)
		random_next(w);
	w->cursor = random_next(w);
	w->scratch_fd = memfd_create("stress scratch", MFD_CLOEXEC);
	if (w->scratch_fd < 0)
		die("memfd for scratch");
	if (pthread_create(&w->thread, NULL, worker_run, w))
		die("pthread_create");
}

static void workers_join(struct worker *workers, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
		close(workers[i].scratch_fd);
	}
}

/* ---- processes --------------------------------------------------------------------------------
 */

static void locks_init(struct stress *s)
{
	pthread_rwlockattr_t fair;

	pthread_rwlockattr_init(&fair);
	pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->copying, &fair);
	pthread_mutex_init(&s->progress_lock, NULL);
	pthread_cond_init(&s->progress, NULL);
	s->done = 0;
}

static void map_all(struct stress *s)
{
	if (s->options.api && backend_connect() < 0)
		die("pagerd_connect");
	for (unsigned i = 0; i < s->used_count; i++)
		area_map(s->used[i], s->fd);
}

static void unmap_all(struct stress *s)
{
	for (unsigned i = 0; i < s->used_count; i++)
		area_unmap(s->used[i]);
	if (s->options.api)
		backend_disconnect();
}

static void check_areas(struct stress *s, bool together)
{
	for (unsigned i = 0; i < s->used_count; i++) {
		if (s->used[i]->together == together)
			area_check(s->used[i]);
	}
}

static void work_alone(struct stress *s)
{
	struct worker workers[THREADS_MAX];

	for (unsigned i = 0; i < s->options.threads; i++)
		worker_start(&workers[i], s, i);
	workers_join(workers, s->options.threads);
}

static _Noreturn void child_run(struct stress *s, unsigned process)
{
	s->process = process;
	locks_init(s);
	if (s->options.api)
		map_all(s);
	work_alone(s);
	check_areas(s, false);
	unmap_all(s);
	exit(0);
}

static void fork_child(struct stress *s, unsigned process)
{
	pid_t pid;

	pthread_rwlock_wrlock(&s->copying);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child_run(s, process);
	pthread_rwlock_unlock(&s->copying);
}

static void wait_for_progress(struct stress *s, uint64_t done)
{
	pthread_mutex_lock(&s->progress_lock);
	while (s->done < done)
		pthread_cond_wait(&s->progress, &s->progress_lock);
	pthread_mutex_unlock(&s->progress_lock);
}

/* The first process: fork the others, the last of them when half of its own work is done. */
static void work_and_fork(struct stress *s)
{
	struct worker workers[THREADS_MAX];
	uint64_t all = s->options.operations * s->options.threads;

	for (unsigned i = 0; i < s->options.threads; i++)
		worker_start(&workers[i], s, i);
	for (unsigned i = 1; i < s->options.processes; i++) {
		wait_for_progress(s, all * i / s->options.processes / 2);
		fork_child(s, i);
	}
	workers_join(workers, s->options.threads);
}

static void wait_for_children(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		int status;
		pid_t pid = wait(&status);

		if (pid < 0)
			die("wait");
		if (status) {
			fprintf(stderr, "stress: process %d ended with wait status %#x\n", (int)pid,
				(unsigned)status);
			exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
		}
	}
}

/* ---- the run ----------------------------------------------------------------------------------
 */

static void make_areas(struct stress *s)
{
	const struct options *options = &s->options;

	for (unsigned kind = 0; kind < KINDS; kind++) {
		bool together = kind == KIND_FILE || (kind == KIND_SHARED && !options->api);
		struct area *area = &s->areas[kind];

		if (!options->kinds[kind])
			continue;
		area_make(area, kind, options->pages, options->seed, together);
		s->used[s->used_count++] = area;
	}
	if (!options->kinds[KIND_FILE])
		return;
	s->fd = open(options->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (s->fd < 0)
		die(options->file);
	area_fill_file(&s->areas[KIND_FILE], s->fd);
}

static void run(struct stress *s)
{
	locks_init(s);
	if (s->options.api) {
		for (unsigned i = 1; i < s->options.processes; i++)
			fork_child(s, i);
		map_all(s);
		work_alone(s);
	} else {
		map_all(s);
		work_and_fork(s);
	}
	check_areas(s, false);
	wait_for_children(s->options.processes - 1);
	check_areas(s, true);
	unmap_all(s);
}

static void verify(const struct options *options)
{
	struct area area;
	int fd = open(options->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die(options->file);
	area_load(&area, options->verify);
	area_check_file(&area, fd);
	printf("stress: the file holds what was written\n");
}

int main(int argc, char **argv)
{
	static struct stress s = {.fd = -1};
	struct options *options = &s.options;

	options_parse(options, argc, argv);
	if (options->verify) {
		verify(options);
		return 0;
	}
	fprintf(stderr, "stress: seed %llu\n", (unsigned long long)options->seed);
	make_areas(&s);
	run(&s);
	if (s.fd >= 0)
		area_check_file(&s.areas[KIND_FILE], s.fd);
	if (options->save)
		area_save(&s.areas[KIND_FILE], options->save);
	printf("stress: %u processes of %u threads did %llu operations each, all reads right\n",
	       options->processes, options->threads, (unsigned long long)options->operations);
	return 0;
}
