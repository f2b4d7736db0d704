/* SPDX-License-Identifier: MIT */
/* Prefetch: what is read ahead of runs of accesses, and what is not, in counts. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "seed.h"
#include "suite.h"
#include "version.h"
#include "workload/random.h"

#define DIRECTORY "/var/tmp"
#define BUDGET	  2048u
#define PAGES	  8192u
#define WINDOW	  128u /* BUDGET / 16 */
#define WASTE	  (3 * 256u)
#define PARTS	  64u /* as small as a budget may be */

static struct random draws;
static struct harness h;
static uint64_t *memory;
static int fd = -1;

static void touch(uint64_t page)
{
	page_check(memory, page, 0);
}

/* One for all tests. */
static void file_once(void)
{
	if (fd < 0)
		fd = file_make(PAGES, 0);
}

static void file_setup(void)
{
	harness_start(&h, BUDGET, "lru", NULL, 256);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
}

static void anonymous_setup(void)
{
	harness_start(&h, BUDGET, "lru", DIRECTORY, 256);
	memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
	range_write(memory, 0, PAGES, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	harness_stop(&h);
}

/* What was counted since the last call. */
static struct pagerd_stats counted(void)
{
	static struct pagerd_stats before;
	struct pagerd_stats now = harness_stats(&h), delta = now;
	delta.faults_major -= before.faults_major;
	delta.pages_read -= before.pages_read;
	delta.pages_prefetched -= before.pages_prefetched;
	delta.pages_prefetch_used -= before.pages_prefetch_used;
	delta.pages_unit -= before.pages_unit;
	before = now;
	return delta;
}

static unsigned scan(int64_t stride)
{
	unsigned touched = 0;
	if (stride > 0)
		for (uint64_t page = 0; page < PAGES; page += (uint64_t)stride, touched++)
			touch(page);
	else
		for (int64_t page = PAGES - 1; page >= 0; page += stride, touched++)
			touch((uint64_t)page);
	return touched;
}

static const int64_t strides[] = {1, -1, 2, -2, 3, -3, 8, -8};

/* One long read brings many pages, and little more than lies between them. */
START_TEST(short_strides)
{
	counted();
	unsigned step = (unsigned)llabs(strides[_i]), touched = scan(strides[_i]);
	struct pagerd_stats stats = counted();
	ck_assert_uint_le(stats.faults_major, touched / 8);
	ck_assert_uint_le(stats.pages_read, touched * step + WASTE);
	ck_assert_uint_le(stats.resident_max_pages, BUDGET);
}
END_TEST

static const int64_t long_strides[] = {17, -17, 64, -64};

/* Each page by itself, and no others. */
START_TEST(long_strides_alone)
{
	counted();
	unsigned touched = scan(long_strides[_i]);
	struct pagerd_stats stats = counted();
	ck_assert_uint_le(stats.pages_read, touched + 2 * WINDOW);
	ck_assert_uint_ge(stats.pages_prefetched, touched / 2);
}
END_TEST

START_TEST(interleaved)
{
	unsigned runs = _i, part = PAGES / runs;
	counted();
	for (uint64_t i = 0; i < part; i++)
		for (unsigned run = 0; run < runs; run++)
			touch(run % 2 ? (run + 1) * part - 1 - i : run * part + i);
	struct pagerd_stats stats = counted();
	ck_assert_uint_le(stats.faults_major, PAGES / 4);
	ck_assert_uint_le(stats.pages_read, PAGES + PAGES / 8);
}
END_TEST

/* A run by strides, read in long reads, goes past pages that are there already. */
START_TEST(past_what_is_there)
{
	for (unsigned i = 0; i < PAGES / 8; i++)
		touch(random_next(&draws) % (PAGES / 4));
	for (uint64_t page = 0; page < PAGES / 4; page += 2 + _i)
		touch(page);
	harness_check(&h);
	for (uint64_t page = 0; page < PAGES; page++)
		touch(page);
}
END_TEST

/* And pages that were swapped out in another order: they do not lie in swap as in memory. */
START_TEST(scattered_slots)
{
	harness_start(&h, BUDGET, "lru", DIRECTORY, 256);
	memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t page = i * 2731 % PAGES;
		page_write(memory, page, 0);
	}
	for (unsigned i = 0; i < sizeof strides / sizeof *strides; i++)
		scan(strides[i]);
	teardown();
}
END_TEST

/* What is behind the end of a mapping, or before it, is not read; nor is any page read twice. */
START_TEST(not_beyond)
{
	const uint64_t part = PAGES / 8;
	harness_start(&h, BUDGET, "lru", NULL, 256);
	memory = harness_map(&h, PAGERD_FILE_SHARED, part << 12, fd, part << 12);
	counted();
	for (uint64_t i = 0; i < part; i += (uint64_t)llabs(strides[_i])) {
		uint64_t page = strides[_i] > 0 ? i : part - 1 - i;
		ck_assert_uint_eq(memory[page * WORDS], value(part + page, 0));
	}
	ck_assert_uint_le(counted().pages_read, part);
	harness_check(&h);
	harness_unmap(&h, memory, part << 12);
	harness_stop(&h);
}
END_TEST

/* A program that stops has had so much read in vain, and no more: windows are a part of memory. */
START_TEST(no_farther)
{
	const unsigned touched = 1000;
	counted();
	for (uint64_t page = 0; page < touched; page++)
		touch(page);
	struct pagerd_stats stats = counted();
	ck_assert_uint_le(stats.pages_read, touched + 4 * WINDOW);
}
END_TEST

/* Who reads a mapping from its first page on is taken to go on. */
START_TEST(first_page)
{
	counted();
	touch(0);
	ck_assert_uint_ge(counted().pages_prefetched, 1);
}
END_TEST

START_TEST(advised_random)
{
	counted();
	ck_assert_int_eq(
		harness_range(&h, PAGER_ADVISE, memory, (uint64_t)PAGES << 12, MADV_RANDOM), 0);
	for (uint64_t page = 0; page < WINDOW; page++)
		touch(page);
	ck_assert_uint_eq(counted().pages_prefetched, 0);
}
END_TEST

/* Where there is no run, next to nothing is read that was not asked for. */
START_TEST(at_random)
{
	unsigned touched = 3000;
	counted();
	for (unsigned i = 0; i < touched; i++)
		touch(random_next(&draws) % PAGES);
	struct pagerd_stats stats = counted();
	ck_assert_uint_le(stats.pages_prefetched, touched / 10);
	ck_assert_uint_le(stats.pages_read, touched + touched / 10);
}
END_TEST

/* What was read ahead and is never asked for does not keep what is used from staying: here as much
 * as there is memory, behind the first pages of many mappings. */
START_TEST(unused_gives_way)
{
	const unsigned part = PAGES / PARTS;
	uint64_t *memories[PARTS], misses = 1;
	harness_start(&h, PARTS, "lru", NULL, 256);
	for (unsigned i = 0; i < PARTS; i++) {
		uint64_t offset = (uint64_t)i * part << 12;
		memories[i] = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)part << 12, fd, offset);
		ck_assert_uint_eq(memories[i][0], value(i * part, 0));
	}
	for (unsigned try = 0; try < 500 && misses; try++) {
		counted();
		for (unsigned i = 0; i < PARTS / 2; i++)
			ck_assert_uint_eq(memories[i][part / 2 * WORDS],
					  value(i * part + part / 2, 0));
		misses = counted().faults_major;
		usleep(10000);
	}
	ck_assert_uint_eq(misses, 0);
	harness_stop(&h);
}
END_TEST

/* What comes in for a run is known to be used when the run has gone on, each page once. */
static void used_check(void)
{
	struct pagerd_stats stats = counted();
	ck_assert_uint_gt(stats.pages_prefetched, 0);
	ck_assert_uint_le(stats.pages_prefetch_used, stats.pages_prefetched);
	ck_assert_uint_ge(stats.pages_prefetch_used + 4 * WINDOW, stats.pages_prefetched);
	ck_assert_uint_eq(stats.pages_unit, 0);
}

START_TEST(used)
{
	counted();
	scan(strides[_i]);
	used_check();
}
END_TEST

START_TEST(used_zeros)
{
	harness_start(&h, PAGES, "lru", DIRECTORY, 256);
	memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
	counted();
	range_write(memory, 0, PAGES, 0);
	used_check();
	teardown();
}
END_TEST

/* Of what was advised, only a page that is asked for while it is not mapped is known. */
START_TEST(used_advised)
{
	const uint64_t page = 1000, count = 20;
	counted();
	ck_assert_int_eq(
		harness_range(&h, PAGER_ADVISE, memory + page * WORDS, count << 12, MADV_WILLNEED),
		0);
	for (uint64_t i = 0; i < count; i++)
		touch(page + i);
	struct pagerd_stats stats = counted();
	ck_assert_uint_eq(stats.pages_prefetched, count);
	ck_assert_uint_eq(stats.pages_prefetch_used, 1);
}
END_TEST

static void add_tests(TCase *all)
{
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, short_strides, 0, sizeof strides / sizeof *strides);
	tcase_add_loop_test(all, long_strides_alone, 0, sizeof long_strides / sizeof *long_strides);
	tcase_add_loop_test(all, interleaved, 2, 9);
	tcase_add_loop_test(all, past_what_is_there, 0, 3);
	tcase_add_test(all, no_farther);
	tcase_add_loop_test(all, used, 0, sizeof strides / sizeof *strides);
	tcase_add_test(all, advised_random);
	tcase_add_test(all, at_random);
}

int main(void)
{
	draws.state = seed_get();
	Suite *suite = suite_create("prefetch");
	TCase *file = tcase_create("file"), *anonymous = tcase_create("anonymous");
	tcase_add_unchecked_fixture(file, file_once, NULL);
	tcase_add_checked_fixture(file, file_setup, teardown);
	tcase_add_checked_fixture(anonymous, anonymous_setup, teardown);
	tcase_add_test(file, first_page);
	tcase_add_test(file, used_advised);
	add_tests(file);
	add_tests(anonymous);
	TCase *own = tcase_create("own");
	tcase_add_unchecked_fixture(own, file_once, NULL);
	tcase_set_timeout(own, 60);
	tcase_add_test(own, unused_gives_way);
	tcase_add_test(own, scattered_slots);
	tcase_add_test(own, used_zeros);
	tcase_add_loop_test(own, not_beyond, 0, sizeof strides / sizeof *strides);
	suite_add_tcase(suite, own);
	suite_add_tcase(suite, file);
	suite_add_tcase(suite, anonymous);
	return suite_run(suite);
}
