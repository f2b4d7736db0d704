/* SPDX-License-Identifier: MIT */
/*
 * Fork while other threads write. Each thread counts: it writes its round's number into all of
 * its pages in turn. A child must see, in each page, a whole number between the rounds that were
 * finished before the fork and those that were begun after it, and its copy must not change.
 *
 *	fork_hammer MIB FORKS
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 4,
	PAGE_WORDS = 512,
	CHECKED_WORD = 511, /* beside word 0: the page is written from both ends */
	MIN_ROUNDS = 2,	    /* of every thread, between two forks */
};

/* In memory that is never paged, and is shared with the children. */
struct counters {
	_Atomic uint64_t begun[THREADS];
	_Atomic uint64_t finished[THREADS];
};

struct hammer {
	uint64_t *words;
	size_t thread_pages;
	struct counters *counters;
	_Atomic bool stop;
	pthread_mutex_t lock;
	pthread_cond_t round_done;
};

struct worker {
	struct hammer *hammer;
	unsigned number;
	pthread_t thread;
};

static void *map(size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("fork_hammer: mmap");
		exit(2);
	}
	return memory;
}

static uint64_t *page_of(const struct hammer *h, unsigned thread, size_t page)
{
	return h->words + (thread * h->thread_pages + page) * PAGE_WORDS;
}

static void write_round(const struct hammer *h, unsigned thread, uint64_t round)
{
	for (size_t page = 0; page < h->thread_pages; page++) {
		volatile uint64_t *words = page_of(h, thread, page);

		words[0] = round;
		words[CHECKED_WORD] = round;
	}
}

static void *worker_run(void *argument)
{
	struct worker *w = argument;
	struct hammer *h = w->hammer;

	for (uint64_t round = 1; !atomic_load(&h->stop); round++) {
		atomic_store(&h->counters->begun[w->number], round);
		write_round(h, w->number, round);
		pthread_mutex_lock(&h->lock);
		atomic_store(&h->counters->finished[w->number], round);
		pthread_cond_signal(&h->round_done);
		pthread_mutex_unlock(&h->lock);
	}
	return NULL;
}

static void wait_for_rounds(struct hammer *h, const uint64_t *wanted)
{
	pthread_mutex_lock(&h->lock);
	for (unsigned i = 0; i < THREADS; i++) {
		while (atomic_load(&h->counters->finished[i]) < wanted[i])
			pthread_cond_wait(&h->round_done, &h->lock);
	}
	pthread_mutex_unlock(&h->lock);
}

static void check_word(uint64_t found, uint64_t least, uint64_t most, size_t page)
{
	if (found >= least && found <= most)
		return;
	fprintf(stderr, "fork_hammer: WRONG DATA in page %zu: %llu is not between %llu and %llu\n",
		page, (unsigned long long)found, (unsigned long long)least,
		(unsigned long long)most);
	_exit(1);
}

/* In the child: look twice; what the parent goes on writing must not show. */
static void child_check(const struct hammer *h, const uint64_t *least)
{
	uint64_t first_look[2];

	for (unsigned thread = 0; thread < THREADS; thread++) {
		uint64_t most = atomic_load(&h->counters->begun[thread]);

		for (size_t page = 0; page < h->thread_pages; page++) {
			volatile uint64_t *words = page_of(h, thread, page);

			first_look[0] = words[0];
			first_look[1] = words[CHECKED_WORD];
			check_word(first_look[0], least[thread], most, page);
			check_word(first_look[1], least[thread], most, page);
			words[1] = thread + 1;
			check_word(words[0], first_look[0], first_look[0], page);
			check_word(words[CHECKED_WORD], first_look[1], first_look[1], page);
		}
	}
}

static void fork_once(struct hammer *h)
{
	uint64_t finished[THREADS];
	uint64_t wanted[THREADS];
	int status;
	pid_t child;

	for (unsigned i = 0; i < THREADS; i++)
		finished[i] = atomic_load(&h->counters->finished[i]);
	child = fork();
	if (!child) {
		child_check(h, finished);
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status) {
		fprintf(stderr, "fork_hammer: a child did not end well\n");
		exit(1);
	}
	for (unsigned i = 0; i < THREADS; i++)
		wanted[i] = finished[i] + MIN_ROUNDS;
	wait_for_rounds(h, wanted);
}

int main(int argc, char **argv)
{
	static struct hammer h = {
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.round_done = PTHREAD_COND_INITIALIZER,
	};
	struct worker workers[THREADS];
	unsigned long forks;

	if (argc != 3) {
		fprintf(stderr, "usage: fork_hammer MIB FORKS\n");
		return 64;
	}
	h.thread_pages = strtoul(argv[1], NULL, 10) * 256 / THREADS;
	h.words = map(h.thread_pages * THREADS * PAGE_WORDS * 8, MAP_PRIVATE);
	h.counters = map(sizeof(*h.counters), MAP_SHARED);
	forks = strtoul(argv[2], NULL, 10);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.hammer = &h, .number = i};
		if (pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]))
			return 2;
	}
	for (unsigned long i = 0; i < forks; i++)
		fork_once(&h);
	atomic_store(&h.stop, true);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	printf("fork_hammer: %lu copies are right\n", forks);
	return 0;
}
