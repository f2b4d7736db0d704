/* SPDX-License-Identifier: MIT */
/* Learned sets: what is recorded is what was touched, and comes in ahead. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"
#include "seed.h"
#include "suite.h"

#define DIRECTORY "/var/tmp"
#define BUDGET	  1024u
#define PAGES	  2048u

static int file_make(void)
{
	int fd = open(DIRECTORY, O_RDWR | O_TMPFILE, 0600);
	ck_assert_int_ge(fd, 0);
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(pwrite(fd, &i, sizeof i, (off_t)(i << PAGE_SHIFT)), sizeof i);
	ck_assert_int_eq(ftruncate(fd, PAGES << PAGE_SHIFT), 0);
	return fd;
}

static uint64_t learn(struct harness *h, uint32_t uid, uint32_t flags)
{
	struct pager_request request = {.type = PAGER_LEARN, .uid = uid, .flags = flags, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
	return request.learn;
}

static int join(struct harness *h, uint32_t client, uint64_t number)
{
	struct pager_request request = {
		.type = PAGER_SET, .client = client, .learn = number, .fd = -1};
	return harness_request(h, &request);
}

static int want(struct harness *h, uint64_t number, int fd, const struct pagerd_pages *ranges,
		uint32_t count)
{
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	struct pager_request request = {
		.type = PAGER_LEARN_PAGES,
		.learn = number,
		.device = st.st_dev,
		.inode = st.st_ino,
		.ranges = ranges,
		.length = count,
		.fd = -1,
	};
	return harness_request(h, &request);
}

static void learn_end(struct harness *h, uint64_t number)
{
	struct pager_request request = {.type = PAGER_LEARN_END, .learn = number, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
}

/* The one file's pages that were touched: a byte each. */
static void learned(struct harness *h, uint64_t number, uint8_t touched[PAGES])
{
	struct pager_request request = {
		.type = PAGER_SNAPSHOT, .flags = SNAPSHOT_LEARNED, .learn = number, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
	ck_assert_uint_eq(request.snapshot->learned_count, 1);
	const struct learned_info *info = request.snapshot->learned;
	uint64_t end = 0;
	memset(touched, 0, PAGES);
	for (size_t i = 0; i < info->range_count; i++) {
		const struct pagerd_pages *range = &info->ranges[i];
		ck_assert(i ? range->page > end : range->page >= end);
		end = range->page + range->count;
		ck_assert_uint_le(end, PAGES);
		memset(touched + range->page, 1, range->count);
	}
	snapshot_free(request.snapshot);
}

/* Touches pages in an order and number of times of its own; some are written. */
static void touch(uint64_t *memory, uint8_t touched[PAGES], unsigned count)
{
	memset(touched, 0, PAGES);
	for (unsigned i = 0; i < count; i++) {
		uint64_t page = (uint64_t)random() % PAGES;
		for (uint64_t end = page + (uint64_t)random() % 8 + 1; page < end && page < PAGES;
		     page++) {
			touched[page] = 1;
			if (random() % 4)
				ck_assert_uint_eq(memory[page * 512], page);
			else
				memory[page * 512] = page;
		}
	}
}

/* With and without prefetch; with less memory than that. */
START_TEST(exactly_what_is_touched)
{
	static const struct {
		uint64_t budget;
		uint32_t prefetch;
	} runs[] = {{BUDGET, 0}, {BUDGET, 64}, {128, 64}};
	struct harness h;
	uint8_t touched[PAGES], found[PAGES];
	int fd = file_make();
	srandom((unsigned)seed_get());
	harness_start(&h, runs[_i].budget, "lru", NULL, runs[_i].prefetch);
	uint64_t number = learn(&h, 0, PAGERD_LEARN_RECORD);
	ck_assert_int_eq(join(&h, h.client, number), 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	touch(memory, touched, 100);
	learned(&h, number, found);
	ck_assert_mem_eq(touched, found, PAGES);
	harness_unmap(&h, memory, PAGES << PAGE_SHIFT);
	learned(&h, number, found); /* it stays known */
	ck_assert_mem_eq(touched, found, PAGES);
	learn_end(&h, number);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* What is there already is seen to be touched, too. */
START_TEST(resident_pages_are_seen)
{
	struct harness h;
	uint8_t found[PAGES];
	int fd = file_make();
	harness_start(&h, BUDGET * 4, "lru", NULL, 64);
	uint64_t *first = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_uint_eq(first[i * 512], i);
	uint64_t number = learn(&h, 0, PAGERD_LEARN_RECORD);
	ck_assert_int_eq(join(&h, h.client, number), 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	for (uint64_t i = 0; i < PAGES; i += 3)
		ck_assert_uint_eq(memory[i * 512], i);
	learned(&h, number, found);
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_int_eq(found[i], i % 3 == 0);
	learn_end(&h, number);
	ck_assert_uint_eq(memory[512], 1); /* nobody listens any more */
	harness_stop(&h);
	close(fd);
}
END_TEST

static const struct pagerd_pages wanted[] = {{3, 1}, {5, 40}, {50, 2}, {300, 400}, {2000, 100}};
#define WANTED 491u /* of them in the file */

static bool is_wanted(uint64_t page)
{
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		if (page >= wanted[i].page && page < wanted[i].page + wanted[i].count)
			return true;
	return false;
}

static uint64_t prefetched(struct harness *h, uint64_t pages)
{
	for (int try = 0; try < 200 && harness_stats(h).resident_pages < pages; try++)
		usleep(10000);
	usleep(50000); /* nor do more come */
	return harness_stats(h).resident_pages;
}

/* Exactly the wanted pages come in, and are not waited for any more. */
START_TEST(wanted_pages_come)
{
	struct harness h;
	int fd = file_make();
	harness_start(&h, BUDGET, "lru", NULL, 0);
	uint64_t number = learn(&h, 0, 0);
	ck_assert_int_eq(want(&h, number, fd, wanted, 2), 0);
	ck_assert_int_eq(want(&h, number, fd, wanted + 2, 3), 0);
	ck_assert_int_eq(join(&h, h.client, number), 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	ck_assert_uint_eq(prefetched(&h, WANTED), WANTED);
	harness_check(&h);
	for (uint64_t i = 0; i < PAGES; i++)
		if (is_wanted(i))
			ck_assert_uint_eq(memory[i * 512], i);
	struct pagerd_stats stats = harness_stats(&h);
	ck_assert_uint_eq(stats.faults_major, 0);
	ck_assert_uint_eq(stats.pages_prefetched, WANTED);
	ck_assert_uint_eq(stats.resident_pages, WANTED);
	memory[4 * 512] = 4; /* in a gap that was read over */
	ck_assert_uint_eq(harness_stats(&h).faults_major, 1);
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_uint_eq(memory[i * 512], i);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Where memory is short, none is taken from others. */
START_TEST(nothing_leaves_for_it)
{
	struct harness h;
	int fd = file_make();
	harness_start(&h, 256, "lru", DIRECTORY, 0);
	uint64_t number = learn(&h, 0, 0);
	ck_assert_int_eq(want(&h, number, fd, wanted, 5), 0);
	ck_assert_int_eq(join(&h, h.client, number), 0);
	uint64_t *other = harness_map(&h, PAGERD_ANON_PRIVATE, 200 << PAGE_SHIFT, -1, 0);
	for (uint64_t i = 0; i < 200; i++)
		other[i * 512] = i;
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	uint64_t resident = prefetched(&h, 200);
	ck_assert_uint_ge(resident, 200);
	ck_assert_uint_le(resident, 240);
	ck_assert_uint_eq(harness_stats(&h).evicted_dirty + harness_stats(&h).evicted_clean, 0);
	for (uint64_t i = 0; i < PAGES; i += 7)
		ck_assert_uint_eq(memory[i * 512], i);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Faults and unmapping while pages come. */
START_TEST(all_at_once)
{
	struct harness h;
	int fd = file_make();
	struct pagerd_pages all = {0, PAGES};
	harness_chaos = _i ? (uint64_t)getpid() : 0;
	harness_start(&h, BUDGET * 4, "lru", NULL, 64);
	uint64_t number = learn(&h, 0, _i % 2 ? PAGERD_LEARN_RECORD : 0);
	ck_assert_int_eq(want(&h, number, fd, &all, 1), 0);
	ck_assert_int_eq(join(&h, h.client, number), 0);
	for (int round = 0; round < 20; round++) {
		uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
		for (int i = 0; i < 200; i++) {
			uint64_t page = (uint64_t)random() % PAGES;
			ck_assert_uint_eq(memory[page * 512], page);
			if (i % 4 == 0)
				memory[page * 512] = page;
		}
		if (round == 18)
			learn_end(&h, number);
		harness_unmap(&h, memory, PAGES << PAGE_SHIFT);
		harness_check(&h);
	}
	harness_stop(&h);
	harness_chaos = 0;
	close(fd);
}
END_TEST

START_TEST(wrong_ranges)
{
	static const struct pagerd_pages wrong[][2] = {
		{{0, 0}, {1, 1}},	   {{5, 5}, {9, 1}},	      {{5, 1}, {4, 1}},
		{{1, 2}, {2, 1}},	   {{0, UINT64_MAX}, {1, 1}}, {{UINT64_MAX, 1}, {1, 1}},
		{{1ull << 32, 1}, {1, 1}},
	};
	struct harness h;
	int fd = file_make();
	harness_start(&h, BUDGET, "lru", NULL, 0);
	uint64_t number = learn(&h, 0, 0);
	ck_assert_int_eq(want(&h, number, fd, wrong[_i], 2), -EINVAL);
	ck_assert_int_eq(want(&h, number + 1, fd, wanted, 1), -ENOENT);
	ck_assert_int_eq(want(&h, number, fd, wanted, 3), 0);
	ck_assert_int_eq(want(&h, number, fd, wanted + 2, 1), -EINVAL); /* again */
	ck_assert_int_eq(want(&h, number, fd, wanted + 3, 0), 0);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* A learn is its user's. There are not so many. */
START_TEST(rights)
{
	struct harness h;
	harness_start(&h, BUDGET, "lru", NULL, 0);
	uint64_t number = learn(&h, 1000, 0);
	ck_assert_int_eq(join(&h, h.client, number), -ENOENT);
	ck_assert_int_eq(join(&h, h.client, number + 1), -ENOENT);
	for (int i = 1; i < 8; i++)
		learn(&h, 1000, 0);
	struct pager_request more = {.type = PAGER_LEARN, .uid = 1000, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &more), -EUSERS);
	learn(&h, 1001, 0);
	learn_end(&h, number);
	ck_assert_int_eq(harness_request(&h, &more), 0);
	ck_assert_uint_ne(more.learn, number);
	harness_stop(&h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("learn");
	TCase *tcase = tcase_create("learn");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, exactly_what_is_touched, 0, 3);
	tcase_add_test(tcase, resident_pages_are_seen);
	tcase_add_test(tcase, wanted_pages_come);
	tcase_add_test(tcase, nothing_leaves_for_it);
	tcase_add_loop_test(tcase, all_at_once, 0, 4);
	tcase_add_loop_test(tcase, wrong_ranges, 0, 7);
	tcase_add_test(tcase, rights);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
