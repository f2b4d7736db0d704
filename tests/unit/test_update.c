/* SPDX-License-Identifier: MIT */
/* Updates: what is expected of pages, and that no write is lost by it. */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "effort.h"
#include "harness.h"
#include "update.h"
#include "suite.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       1024u
#define PAGES	       (BUDGET * 3)
#define WORDS	       512u

/* ---- expectations ------------------------------------------------------------------------ */

/* Pages that are asked for from *page on, of which percent are written, other ones in between;
 * returns how many were expected to be. */
static uint32_t ask(struct update *update, uint64_t *page, uint32_t count, uint32_t percent)
{
	uint32_t expected = 0;
	for (uint32_t i = 0; i < count; i++, ++*page) {
		if (update_expected(update, *page))
			expected++;
		else if (i % 100 * 37 % 100 < percent)
			update_written(update, *page);
	}
	return expected;
}

START_TEST(expects_what_is_always_so)
{
	struct update update = {0};
	uint64_t page = 1000;
	ck_assert_uint_eq(ask(&update, &page, UPDATE_TRIALS + 32, 100), 0);
	uint32_t expected = ask(&update, &page, 1600, 100);
	ck_assert_uint_ge(expected, 1600 - 1600 / UPDATE_SAMPLE - 1);
	ck_assert_uint_le(expected, 1600 - 1600 / UPDATE_SAMPLE + 1);
}
END_TEST

START_TEST(expects_nothing_of_readers)
{
	struct update update = {0};
	uint64_t page = 0;
	ck_assert_uint_eq(ask(&update, &page, 10000, 0), 0);
	ck_assert_uint_eq(ask(&update, &page, 10000, 50), 0);
}
END_TEST

/* The promise of update.h. */
START_TEST(ends_in_time)
{
	struct update update = {0};
	uint64_t page = 0;
	ask(&update, &page, 10000, 100);
	ck_assert_uint_le(ask(&update, &page, 100000, 0), (UPDATE_TRIALS + 5) * UPDATE_SAMPLE);
}
END_TEST

/* A write that comes late is none that its read foretold. */
START_TEST(late_writes_do_not_count)
{
	struct update update = {0};
	for (uint64_t page = 0; page < 10000; page++) {
		ck_assert(!update_expected(&update, page));
		if (page >= UPDATE_TRIALS)
			update_written(&update, page - UPDATE_TRIALS);
	}
}
END_TEST

/* ---- in a pager -------------------------------------------------------------------------- */

static uint64_t mix(uint64_t value)
{
	value *= 0x9e3779b97f4a7c15u;
	return value ^ value >> 32;
}

static void page_check(const uint64_t *memory, uint64_t page, uint8_t version)
{
	uint64_t expected = mix(page * 256 + version);
	ck_assert_msg(memory[page * WORDS] == expected && memory[page * WORDS + 511] == expected,
		      "page %lu", (unsigned long)page);
}

static void page_write(uint64_t *memory, uint64_t page, uint8_t version)
{
	memory[page * WORDS] = memory[page * WORDS + 511] = mix(page * 256 + version);
}

/* Read pages at random, and change percent of them. */
static void work(uint64_t *memory, uint8_t *versions, uint32_t count, uint32_t percent)
{
	unsigned seed = 1;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t page = (uint64_t)rand_r(&seed) % PAGES;
		page_check(memory, page, versions[page]);
		if ((uint32_t)rand_r(&seed) % 100 < percent)
			page_write(memory, page, ++versions[page]);
	}
}

static uint64_t *filled(struct harness *h, enum pagerd_kind kind, uint8_t *versions)
{
	uint64_t *memory = harness_map(h, kind, (uint64_t)PAGES << 12, -1, 0);
	memset(versions, 0, PAGES);
	for (uint64_t page = 0; page < PAGES; page++)
		page_write(memory, page, 0);
	return memory;
}

static void finished(struct harness *h, uint64_t *memory, const uint8_t *versions)
{
	harness_check(h);
	for (uint64_t page = 0; page < PAGES; page++)
		page_check(memory, page, versions[page]);
	harness_unmap(h, memory, (uint64_t)PAGES << 12);
	harness_stop(h);
}

static const enum pagerd_kind kinds[] = {PAGERD_ANON_PRIVATE, PAGERD_ANON_SHARED};

/* One fault for a page that is read and written, two of them for few. */
START_TEST(updates_fault_once)
{
	struct harness h;
	uint8_t versions[PAGES];
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = filled(&h, kinds[_i], versions);
	uint64_t before = harness_stats(&h).faults_write;
	work(memory, versions, 4 * PAGES, 100);
	struct pagerd_stats stats = harness_stats(&h);
	ck_assert_uint_lt(stats.faults_write - before, stats.faults_major / 4);
	finished(&h, memory, versions);
}
END_TEST

/* Who only reads has nothing written for him: each page went out once, as it was filled. A write of
 * that may end at any time, also after many reads. */
START_TEST(readers_write_nothing)
{
	struct harness h;
	uint8_t versions[PAGES];
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = filled(&h, kinds[_i], versions);
	for (uint64_t page = 0; page < PAGES; page++)
		page_check(memory, page, 0);
	work(memory, versions, 4 * PAGES, 0);
	ck_assert_uint_le(harness_stats(&h).pages_written, PAGES);
	finished(&h, memory, versions);
}
END_TEST

/* What readers and writers in turn find, with everything that may happen happening often. */
START_TEST(nothing_is_lost)
{
	struct harness h;
	uint8_t versions[PAGES];
	harness_chaos = (uint64_t)_i / 2;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = filled(&h, kinds[_i % 2], versions);
	for (uint32_t i = 0; i < effort(2); i++) {
		work(memory, versions, PAGES, 100);
		work(memory, versions, PAGES, 0);
		work(memory, versions, PAGES, 90);
	}
	finished(&h, memory, versions);
	harness_chaos = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("update");
	TCase *expectations = tcase_create("expectations"), *pager = tcase_create("pager");
	tcase_add_test(expectations, expects_what_is_always_so);
	tcase_add_test(expectations, expects_nothing_of_readers);
	tcase_add_test(expectations, ends_in_time);
	tcase_add_test(expectations, late_writes_do_not_count);
	tcase_set_timeout(pager, 60);
	tcase_add_loop_test(pager, updates_fault_once, 0, 2);
	tcase_add_loop_test(pager, readers_write_nothing, 0, 2);
	tcase_add_loop_test(pager, nothing_is_lost, 0, 8);
	suite_add_tcase(suite, expectations);
	suite_add_tcase(suite, pager);
	return suite_run(suite);
}
