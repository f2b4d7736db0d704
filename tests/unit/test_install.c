/* SPDX-License-Identifier: MIT */
/* Installing: what is done to pages while the worker copies them is as if they had not come yet. */
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "effort.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define DIRECTORY "/var/tmp"
#define BUDGET	  4096u
#define PAGES	  1024u
#define ROUNDS	  (_i ? 8u : 48u) /* chaos takes its time */
#define WINDOW	  256u

static struct harness h;

/* With chaos the worker hesitates before many a job, and leaves some of them half done. */
static void start(int chaos)
{
	harness_chaos = (uint64_t)chaos;
	harness_start(&h, BUDGET, "lru", DIRECTORY, WINDOW);
	harness_chaos = 0;
}

/* Where a run ends while windows ahead of it come in. */
static uint64_t somewhere(uint64_t round)
{
	return 64 + round * 97 % (PAGES - 64);
}

/* All that was read went where it belongs, whoever copied it. */
START_TEST(read_by_runs)
{
	start(_i);
	int fd = file_make(PAGES, 0);
	for (int round = 0; round < 4; round++) {
		uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
		range_check(memory, 0, PAGES, 0);
		harness_check(&h);
		harness_unmap(&h, memory, PAGES << 12);
	}
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Others read and write the pages that a run is about to reach. */
struct other {
	uint64_t *memory;
	uint64_t first;
	pthread_t thread;
};

static void *write_backward(void *argument)
{
	const struct other *other = argument;
	for (uint64_t page = PAGES; page-- > other->first;)
		if (page % 3 == 0)
			page_write(other->memory, page, 1);
	return NULL;
}

START_TEST(written_meanwhile)
{
	start(_i);
	int fd = file_make(PAGES, 0);
	for (uint64_t round = 0; round < effort(ROUNDS); round++) {
		uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0), word;
		struct other other = {memory, somewhere(round), 0};
		range_check(memory, 0, other.first, 0);
		ck_assert(!pthread_create(&other.thread, NULL, write_backward, &other));
		for (uint64_t page = other.first; page < PAGES; page++)
			if (page % 3)
				page_check(memory, page, 0);
		pthread_join(other.thread, NULL);
		for (uint64_t page = other.first; page < PAGES; page++)
			page_check(memory, page, page % 3 == 0);
		harness_unmap(&h, memory, PAGES << 12);
		for (uint64_t page = 0; page < PAGES; page++) {
			uint64_t version = page >= other.first && page % 3 == 0;
			ck_assert_int_eq(pread(fd, &word, 8, (off_t)(page << 12)), 8);
			ck_assert_uint_eq(word, value(page, version));
			word = value(page, 0);
			for (off_t at = 0; version && at < 4096; at += 4088)
				ck_assert_int_eq(pwrite(fd, &word, 8, (off_t)(page << 12) + at), 8);
		}
	}
	harness_stop(&h);
	close(fd);
}
END_TEST

/* The address gets another file while pages of the first are on their way there. */
START_TEST(mapped_over)
{
	start(_i);
	int fd[2] = {file_make(PAGES, 0), file_make(PAGES, 1)};
	unsigned same = 0;
	const uint64_t *before = NULL;
	for (uint64_t round = 0; round < ROUNDS; round++) {
		uint64_t *memory =
			harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd[round % 2], 0);
		same += memory == before;
		before = memory;
		range_check(memory, 0, somewhere(round), round % 2);
		if (round % 8 == 7) {
			range_check(memory, 0, PAGES, round % 2);
			harness_check(&h);
		}
		harness_unmap(&h, memory, PAGES << 12);
	}
	ck_assert_uint_gt(same, 0);
	harness_stop(&h);
	close(fd[0]);
	close(fd[1]);
}
END_TEST

/* Zeros, not what was on its way from swap. */
START_TEST(discarded_meanwhile)
{
	start(_i);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, PAGES << 12, -1, 0);
	for (uint64_t round = 0; round < effort(ROUNDS); round++) {
		uint64_t from = somewhere(round);
		range_write(memory, 0, PAGES, round);
		harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT);
		range_check(memory, 0, from, round);
		ck_assert_int_eq(harness_range(&h, PAGER_DISCARD, memory + from * WORDS,
					       (PAGES - from) << 12, 0),
				 0);
		zeros_check(memory, from, PAGES);
		range_check(memory, 0, from, round);
		if (round % 8 == 7)
			harness_check(&h);
	}
	harness_stop(&h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("install");
	TCase *tcase = tcase_create("meanwhile");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, read_by_runs, 0, 8);
	tcase_add_loop_test(tcase, written_meanwhile, 0, 4);
	tcase_add_loop_test(tcase, mapped_over, 0, 8);
	tcase_add_loop_test(tcase, discarded_meanwhile, 0, 8);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
