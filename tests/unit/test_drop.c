/* SPDX-License-Identifier: MIT */
/* Dropping: what is done to pages while they leave on the other thread is as if they had left. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "effort.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       512u
#define SWEPT	       (BUDGET * 2)
#define PAGES	       128u /* of what else is mapped */
#define ROUNDS	       20

/* ---- pressure ---------------------------------------------------------------------------- */

/* A pager, and a thread that reads more pages than the budget holds: clean pages leave all the
 * time, and those that are not used for a moment. */
struct pressure {
	struct harness h;
	int fd;
	uint64_t *memory;
	pthread_t thread;
	atomic_bool ends;
	atomic_uint wrong;
};

static void *sweep(void *argument)
{
	struct pressure *p = argument;
	for (uint64_t i = 0; !p->ends; i = (i + 1) % SWEPT)
		p->wrong += !word_is(p->memory, i, value(i, 0));
	return NULL;
}

static void pressure_start(struct pressure *p, uint64_t chaos)
{
	memset(p, 0, sizeof *p);
	harness_chaos = chaos;
	harness_start(&p->h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	harness_chaos = 0;
	p->fd = file_make(SWEPT, 0);
	p->memory = harness_map(&p->h, PAGERD_FILE_SHARED, SWEPT << 12, p->fd, 0);
	ck_assert(!pthread_create(&p->thread, NULL, sweep, p));
}

static void pressure_stop(struct pressure *p)
{
	while (harness_stats(&p->h).evicted_clean < BUDGET)
		usleep(1000);
	p->ends = true;
	pthread_join(p->thread, NULL);
	ck_assert_uint_eq(p->wrong, 0);
	harness_stop(&p->h);
	close(p->fd);
}

/* ---- what is done to pages --------------------------------------------------------------- */

/* Used again, be it written to: one page of three, in an order that no run has. */
START_TEST(used_again)
{
	struct pressure p;
	uint64_t version[PAGES] = {0};
	pressure_start(&p, (uint64_t)_i / 2);
	uint64_t *memory = harness_map(&p.h, _i % 2 ? PAGERD_ANON_SHARED : PAGERD_ANON_PRIVATE,
				       PAGES << 12, -1, 0);
	range_write(memory, 0, PAGES, 0);
	for (uint64_t i = 0; i < effort(ROUNDS) * PAGES; i++) {
		uint64_t page = i * 37 % PAGES;
		page_check(memory, page, version[page]);
		if (i * 7 % 3 == 0)
			page_write(memory, page, ++version[page]);
		if (i % PAGES == 0)
			harness_check(&p.h);
	}
	pressure_stop(&p);
}
END_TEST

/* Clean pages are told to leave, and used meanwhile. */
START_TEST(told_to_leave)
{
	struct pressure p;
	pressure_start(&p, (uint64_t)_i);
	for (uint32_t i = 0; i < effort(ROUNDS); i++) {
		ck_assert_int_eq(
			harness_range(&p.h, PAGER_ADVISE, p.memory, SWEPT << 12, MADV_PAGEOUT), 0);
		ck_assert_uint_eq(p.wrong, 0);
	}
	pressure_stop(&p);
}
END_TEST

START_TEST(discarded)
{
	struct pressure p;
	pressure_start(&p, (uint64_t)_i);
	uint64_t *memory = harness_map(&p.h, PAGERD_ANON_PRIVATE, PAGES << 12, -1, 0);
	for (uint64_t i = 0; i < effort(ROUNDS); i++) {
		range_write(memory, 0, PAGES, i);
		range_check(memory, 0, PAGES, i);
		harness_range(&p.h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT);
		range_check(memory, 0, PAGES, i);
		ck_assert_int_eq(harness_range(&p.h, PAGER_DISCARD, memory, PAGES / 2 << 12, 0), 0);
		zeros_check(memory, 0, PAGES / 2);
		range_check(memory, PAGES / 2, PAGES, i);
	}
	harness_check(&p.h);
	pressure_stop(&p);
}
END_TEST

/* The file has what was written to its mapping; and the object goes when nobody maps it. */
START_TEST(synced_and_unmapped)
{
	struct pressure p;
	int fd = file_make(PAGES, 0);
	pressure_start(&p, (uint64_t)_i);
	for (uint64_t i = 0; i < effort(ROUNDS); i++) {
		uint64_t *memory = harness_map(&p.h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0), word;
		range_check(memory, 0, PAGES, i);
		range_write(memory, 0, PAGES, i + 1);
		ck_assert_int_eq(harness_range(&p.h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
		range_check(memory, 0, PAGES, i + 1);
		harness_unmap(&p.h, memory, PAGES << 12);
		ck_assert_int_eq(pread(fd, &word, sizeof word, i % PAGES << 12), sizeof word);
		ck_assert_uint_eq(word, value(i % PAGES, i + 1));
	}
	harness_check(&p.h);
	pressure_stop(&p);
	close(fd);
}
END_TEST

/* Cut off in the middle, and made longer again. */
static void cut(struct harness *h, int fd, uint64_t pages)
{
	struct pager_request begin = {
		.type = PAGER_FILE_BEGIN,
		.client = h->client,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
		.flags = PAGERD_FILE_WRITE,
	};
	struct pager_request end = {.type = PAGER_FILE_END, .client = h->client, .fd = -1};
	ck_assert_int_eq(harness_request(h, &begin), 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)pages << 12), 0);
	ck_assert_int_eq(ftruncate(fd, PAGES << 12), 0);
	ck_assert_int_eq(harness_request(h, &end), 0);
}

START_TEST(truncated)
{
	struct pressure p;
	int fd = file_make(PAGES, 0);
	pressure_start(&p, (uint64_t)_i);
	uint64_t *memory = harness_map(&p.h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	for (uint64_t i = 0; i < effort(ROUNDS); i++) {
		uint64_t left = i * 37 % PAGES;
		range_check(memory, 0, PAGES, i);
		cut(&p.h, fd, left);
		range_check(memory, 0, left, i);
		zeros_check(memory, left, PAGES);
		range_write(memory, 0, PAGES, i + 1);
	}
	harness_check(&p.h);
	pressure_stop(&p);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("drop");
	TCase *tcase = tcase_create("in transit");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, used_again, 0, 8);
	tcase_add_loop_test(tcase, told_to_leave, 0, 4);
	tcase_add_loop_test(tcase, discarded, 0, 4);
	tcase_add_loop_test(tcase, synced_and_unmapped, 0, 4);
	tcase_add_loop_test(tcase, truncated, 0, 4);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
