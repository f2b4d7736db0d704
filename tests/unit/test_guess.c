/* SPDX-License-Identifier: MIT */
/* Guesses: runs of writes are few faults, and only what was written goes to the file. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "guess.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define DIRECTORY "/var/tmp"
#define BUDGET	  2048u
#define PAGES	  8192u

static struct harness h;
static uint64_t *memory;
static uint64_t length = (uint64_t)PAGES << 12;
static int fd = -1;

/* ---- the digest -------------------------------------------------------------------------- */

START_TEST(every_bit_counts)
{
	uint64_t key[GUESS_WORDS], page[WORDS] = {0};
	ck_assert_int_eq(getrandom(key, sizeof key, 0), sizeof key);
	struct digest zeros = digest_of(key, page);
	for (uint32_t bit = 0; bit < WORDS * 64; bit++) {
		page[bit / 64] ^= 1ull << bit % 64;
		struct digest other = digest_of(key, page);
		ck_assert(other.low != zeros.low || other.high != zeros.high);
		page[bit / 64] = 0;
	}
	struct digest again = digest_of(key, page);
	ck_assert(again.low == zeros.low && again.high == zeros.high);
}
END_TEST

/* ---- in a pager -------------------------------------------------------------------------- */

static void file_setup(void)
{
	harness_start(&h, BUDGET, "lru", NULL, 256);
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, length, fd, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
	close(fd);
}

static void file_check(uint64_t page, uint64_t version)
{
	uint64_t words[WORDS];
	ck_assert_int_eq(pread(fd, words, sizeof words, (off_t)(page << 12)), sizeof words);
	ck_assert_msg(words[0] == value(page, version) && words[WORDS - 1] == words[0],
		      "page %lu is not of version %lu", page, version);
}

static void sync_all(void)
{
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, length, MS_SYNC), 0);
}

static uint64_t faults(void)
{
	struct pagerd_stats stats = harness_stats(&h);
	return stats.faults_major + stats.faults_minor + stats.faults_write;
}

/* Pages that are written only, or read and then written, come in writable. */
START_TEST(runs_are_few_faults)
{
	for (uint64_t i = 0; i < PAGES; i++) {
		if (_i)
			ck_assert_uint_eq(memory[i * WORDS], value(i, 0));
		page_write(memory, i, 1);
	}
	ck_assert_uint_lt(faults(), PAGES / 4);
	sync_all();
	ck_assert_uint_eq(harness_stats(&h).pages_written, PAGES);
	for (uint64_t i = 0; i < PAGES; i++)
		file_check(i, 1);
	harness_unmap(&h, memory, length);
}
END_TEST

/* Pages that are there and clean: their protection is lifted along with that of the one before. */
START_TEST(clean_pages_follow)
{
	for (uint64_t i = 0; i < BUDGET / 2; i++)
		ck_assert_uint_eq(memory[i * WORDS], value(i, 0));
	uint64_t before = harness_stats(&h).faults_write;
	for (uint64_t i = 0; i < BUDGET / 2; i++)
		page_write(memory, i, 1);
	ck_assert_uint_lt(harness_stats(&h).faults_write - before, BUDGET / 2 / 32);
	sync_all();
	ck_assert_uint_eq(harness_stats(&h).pages_written, BUDGET / 2);
	for (uint64_t i = 0; i < BUDGET; i++)
		file_check(i, i < BUDGET / 2);
	harness_unmap(&h, memory, length);
}
END_TEST

/* What a run did not reach is as somebody else has written it; no page is written but those that
 * were changed, in the middle of guesses or not. */
START_TEST(only_what_was_written)
{
	uint64_t end = 600;
	for (uint64_t i = 0; i < end; i++)
		if (i % 7 || i < 32)
			page_write(memory, i, 1);
	for (uint64_t i = end; i < PAGES; i++) {
		uint64_t words[WORDS] = {[0] = value(i, 2), [WORDS - 1] = value(i, 2)};
		ck_assert_int_eq(pwrite(fd, words, sizeof words, (off_t)(i << 12)), sizeof words);
	}
	sync_all();
	ck_assert_uint_eq(harness_stats(&h).pages_written, end - (end - 1) / 7 + 31 / 7);
	harness_check(&h);
	ck_assert_uint_eq(harness_stats(&h).dirty_pages, 0);
	harness_unmap(&h, memory, length);
	for (uint64_t i = 0; i < PAGES; i++)
		file_check(i, i >= end ? 2 : i % 7 || i < 32);
}
END_TEST

/* A page that was found clean is protected again. */
START_TEST(late_writes_are_seen)
{
	for (uint64_t i = 0; i < 300; i++)
		page_write(memory, i, 1);
	sync_all();
	for (uint64_t i = PAGES; i-- > 0;)
		page_write(memory, i, 3);
	sync_all();
	for (uint64_t i = 0; i < PAGES; i++)
		file_check(i, 3);
	harness_unmap(&h, memory, length);
}
END_TEST

/* The range of a request about the file. */
static int file_request(enum pager_request_type type, uint64_t offset, uint64_t bytes)
{
	struct pager_request request = {
		.type = type,
		.client = h.client,
		.fd = type == PAGER_FILE_BEGIN ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1,
		.flags = type == PAGER_FILE_BEGIN ? PAGERD_FILE_WRITE : 0,
		.offset = offset,
		.length = bytes,
	};
	return harness_request(&h, &request);
}

/* A write(2) to the file that ends after others had to go on: what it wrote is seen, but where
 * somebody wrote through the mapping. */
START_TEST(late_end_is_seen)
{
	uint64_t end = 300;
	for (uint64_t i = 0; i < end; i++)
		page_write(memory, i, 1);
	ck_assert_uint_gt(harness_stats(&h).dirty_pages, end);
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, INT64_MAX, 1), 0);
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t words[WORDS] = {[0] = value(i, 2), [WORDS - 1] = value(i, 2)};
		ck_assert_int_eq(pwrite(fd, words, sizeof words, (off_t)(i << 12)), sizeof words);
	}
	ck_assert_int_eq(file_request(PAGER_FILE_END, 0, length), 0);
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_msg(memory[i * WORDS] == value(i, i < end ? 1 : 2), "page %lu", i);
	sync_all();
	harness_unmap(&h, memory, length);
	for (uint64_t i = 0; i < PAGES; i++)
		file_check(i, i < end ? 1 : 2);
}
END_TEST

/* Runs of reads and writes, with all that may happen happening often. */
START_TEST(nothing_is_lost)
{
	static uint64_t versions[PAGES];
	unsigned seed = (unsigned)_i;
	memset(versions, 0, sizeof versions);
	for (uint64_t turn = 1; turn < 16; turn++) {
		uint64_t page = (uint64_t)rand_r(&seed) % PAGES;
		uint64_t end = page + (uint64_t)rand_r(&seed) % 1000, of = turn % 4;
		for (; page < end && page < PAGES; page++) {
			ck_assert_uint_eq(memory[page * WORDS], value(page, versions[page]));
			if ((uint64_t)rand_r(&seed) % 4 >= of)
				page_write(memory, page, versions[page] = turn);
		}
		if (turn % 4 == 0)
			sync_all();
	}
	harness_unmap(&h, memory, length);
	for (uint64_t i = 0; i < PAGES; i++)
		file_check(i, versions[i]);
}
END_TEST

/* ---- blocks of a hole -------------------------------------------------------------------- */

#define HOLES 128u

static atomic_uint reached;

static void *write_holes(void *pages)
{
	for (uint64_t i = 0; i < HOLES / 2; i++) {
		reached = (unsigned)i;
		((uint64_t *)pages)[i * WORDS] = value(i, 1);
	}
	return NULL;
}

/* A file over the address of another. */
static void map_over(void *address, uint64_t bytes, int other)
{
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = h.client,
		.kind = PAGERD_FILE_SHARED,
		.writable = true,
		.length = bytes,
		.fd = fcntl(other, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_range(&h, PAGER_UNMAP, address, bytes, 0), 0);
	ck_assert_int_eq(harness_request(&h, &map), 0);
	ck_assert(mmap(address, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, map.fd, 0) ==
		  address);
	close(map.fd);
	ck_assert_int_eq(harness_register(&h, address, bytes, map.object, 0), 0);
}

/* While blocks are allocated for a run of writes the pages behind give way to others, which
 * are protected, and stay so. */
START_TEST(others_stay_protected)
{
	uint64_t half = HOLES / 2, bytes = half << 12;
	for (uint64_t round = 0; round < 100; round++) {
		int sparse = open(DIRECTORY, O_RDWR | O_TMPFILE, 0600);
		ck_assert_int_eq(ftruncate(sparse, HOLES << 12), 0);
		uint64_t *pages = harness_map(&h, PAGERD_FILE_SHARED, HOLES << 12, sparse, 0);
		for (uint64_t i = 0; i < HOLES; i++)
			ck_assert_uint_eq(pages[i * WORDS], 0);
		pthread_t thread;
		reached = 0;
		ck_assert(!pthread_create(&thread, NULL, write_holes, pages));
		while (reached < half - 2)
			;
		uint64_t *over = pages + half * WORDS;
		map_over(over, bytes, fd);
		for (uint64_t i = 0; i < half; i++)
			ck_assert_uint_eq(over[i * WORDS], value(i, round));
		pthread_join(thread, NULL);
		for (uint64_t i = 0; i < half; i++)
			over[i * WORDS] = over[i * WORDS + WORDS - 1] = value(i, round + 1);
		ck_assert_int_eq(harness_range(&h, PAGER_SYNC, over, bytes, MS_SYNC), 0);
		for (uint64_t i = 0; i < half; i++)
			file_check(i, round + 1);
		harness_unmap(&h, pages, HOLES << 12);
		close(sparse);
	}
	harness_unmap(&h, memory, length);
}
END_TEST

static void chaos_setup(void)
{
	harness_chaos = 1;
	file_setup();
	harness_chaos = 0;
}

int main(void)
{
	Suite *suite = suite_create("guess");
	TCase *digest = tcase_create("digest"), *file = tcase_create("file");
	TCase *chaos = tcase_create("chaos");
	tcase_add_test(digest, every_bit_counts);
	tcase_set_timeout(file, 60);
	tcase_add_checked_fixture(file, file_setup, teardown);
	tcase_add_loop_test(file, runs_are_few_faults, 0, 2);
	tcase_add_test(file, clean_pages_follow);
	tcase_add_test(file, only_what_was_written);
	tcase_add_test(file, late_writes_are_seen);
	tcase_add_test(file, late_end_is_seen);
	tcase_set_timeout(chaos, 100);
	tcase_add_checked_fixture(chaos, chaos_setup, teardown);
	tcase_add_loop_test(chaos, nothing_is_lost, 0, 4);
	tcase_add_test(chaos, others_stay_protected);
	suite_add_tcase(suite, digest);
	suite_add_tcase(suite, file);
	suite_add_tcase(suite, chaos);
	return suite_run(suite);
}
