/* SPDX-License-Identifier: MIT */
/*
 * Threads that read and store into a mapped file while it is written with write(2): the first and
 * last word of each page are written (see version.h), the one in the middle is stored into.
 */
#ifndef PAGERD_TESTS_STORES_H
#define PAGERD_TESTS_STORES_H

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "version.h"
#include "workload/random.h"

#define PAGES  1024u
#define MIDDLE (WORDS / 2)

struct stores {
	uint64_t *memory;
	_Atomic uint64_t versions[PAGES]; /* written, and seen in the mapping after that */
	uint64_t stored[PAGES];
	bool pauses; /* who stores leaves others some time */
	atomic_bool stop;
	pthread_t threads[2];
};

/* No word of a page is older than what had been written before it was looked at. */
static inline void *stores_read(void *argument)
{
	struct stores *stores = argument;
	struct random random = {7};
	while (!atomic_load(&stores->stop)) {
		uint64_t page = random_below(&random, PAGES);
		uint64_t least = atomic_load(&stores->versions[page]);
		const volatile uint64_t *words = stores->memory + page * WORDS;
		ck_assert_uint_ge(words[0] - value(page, 0), least);
		ck_assert_uint_ge(words[WORDS - 1] - value(page, 0), least);
	}
	return NULL;
}

static inline void *stores_store(void *argument)
{
	struct stores *stores = argument;
	struct random random = {9};
	while (!atomic_load(&stores->stop)) {
		uint64_t page = random_below(&random, PAGES);
		stores->memory[page * WORDS + MIDDLE] = ++stores->stored[page];
		if (stores->pauses && random_below(&random, 8) == 0)
			usleep(200);
	}
	return NULL;
}

static inline void stores_begin(struct stores *stores, uint64_t *memory)
{
	stores->memory = memory;
	ck_assert_int_eq(pthread_create(&stores->threads[0], NULL, stores_read, stores), 0);
	ck_assert_int_eq(pthread_create(&stores->threads[1], NULL, stores_store, stores), 0);
}

static inline void stores_end(struct stores *stores)
{
	atomic_store(&stores->stop, true);
	pthread_join(stores->threads[0], NULL);
	pthread_join(stores->threads[1], NULL);
}

/* A run of pages of which nobody knows where it is. False: it goes beyond the end. */
static inline bool stores_pick(struct random *random, uint64_t most, uint64_t *page,
			       uint64_t *count)
{
	*page = random_below(random, PAGES);
	*count = 1 + random_below(random, most);
	return *page + *count <= PAGES;
}

static inline void stores_written(struct stores *stores, uint64_t page, uint64_t count)
{
	for (uint64_t k = page; k < page + count; k++)
		stores->versions[k]++;
}

/* Nothing that was written or stored is lost. */
static inline void stores_check(const struct stores *stores, const uint64_t *memory)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		page_check(memory, i, stores->versions[i]);
		ck_assert_uint_eq(memory[i * WORDS + MIDDLE], stores->stored[i]);
	}
}

#endif
