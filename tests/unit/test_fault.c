/* SPDX-License-Identifier: MIT */
/*
 * The path of a fault allocates nothing: neither the fault itself, nor reclaim, nor any I/O that
 * goes with it. An allocation may wait for memory that only a page-out can free. And to forget a
 * range takes memory only where a hole is made into a region.
 *
 * The allocator's entry points are replaced for this whole program, libc's own calls included
 * (qsort of a large array allocates), and count what the pager's thread asks for, or refuse it.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "policies.h"
#include "suite.h"
#include "version.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       1024u /* 16 windows of 64 pages */
#define PAGES	       (BUDGET * 3)

static atomic_bool counting, refusing;
static atomic_ulong watched; /* thread */
static atomic_uint allocations;

/* Whether there is memory. */
static bool count(void)
{
	bool seen = counting && pthread_self() == watched;
	allocations += seen;
	return !(seen && refusing);
}

void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *memory, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);

void *malloc(size_t bytes)
{
	return count() ? __libc_malloc(bytes) : NULL;
}

void *calloc(size_t number, size_t bytes)
{
	return count() ? __libc_calloc(number, bytes) : NULL;
}

void *realloc(void *memory, size_t bytes)
{
	return count() ? __libc_realloc(memory, bytes) : NULL;
}

void *memalign(size_t alignment, size_t bytes)
{
	return count() ? __libc_memalign(alignment, bytes) : NULL;
}

/* Touch pages in runs and at random, and write every third. Returns a sum that depends on all. */
static uint64_t work(volatile uint64_t *memory, unsigned seed)
{
	uint64_t sum = 0;
	for (uint64_t i = 0; i < PAGES; i++)
		sum += memory[i * 512];
	for (uint64_t i = 0; i < PAGES / 2; i++) {
		uint64_t page = (uint64_t)rand_r(&seed) % PAGES;
		if (i % 3)
			sum += memory[page * 512];
		else
			memory[page * 512] = sum | 1;
	}
	for (uint64_t i = 0; i < PAGES; i += 2)
		memory[i * 512] = i + 1;
	return sum;
}

static void work_counted(struct harness *h, uint64_t *memory)
{
	work(memory, 1);
	watched = h->thread;
	allocations = 0;
	counting = true;
	work(memory, 2);
	counting = false;
	ck_assert_uint_eq(allocations, 0);
}

START_TEST(anonymous_allocates_nothing)
{
	struct harness h;
	harness_start(&h, BUDGET, policies[_i], SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
	work_counted(&h, memory);
	ck_assert_uint_ge(harness_stats(&h).pages_read, PAGES / 2);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	harness_stop(&h);
}
END_TEST

static void work_in_file(int fd, const char *policy)
{
	struct harness h;
	harness_start(&h, BUDGET, policy, NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	work_counted(&h, memory);
	ck_assert_uint_ge(harness_stats(&h).pages_written, PAGES / 3);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	harness_stop(&h);
}

/* One for all policies: the disk has its blocks. */
static int whole_file = -1;

static void file_once(void)
{
	if (whole_file < 0)
		whole_file = file_make(PAGES, 0);
}

START_TEST(file_allocates_nothing)
{
	work_in_file(whole_file, policies[_i]);
}
END_TEST

/* Holes are filled before they are written, whatever the policy. To delete what was filled at
 * random takes the file system longer than the test. */
START_TEST(sparse_file_allocates_nothing)
{
	int fd = open(SWAP_DIRECTORY, O_RDWR | O_TMPFILE, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)PAGES << 12), 0);
	work_in_file(fd, "lru");
	close(fd);
}
END_TEST

/* ---- regions ----------------------------------------------------------------------------- */

/* Without any memory: its error. */
static int range_refused(struct harness *h, enum pager_request_type type, uint64_t *memory,
			 uint64_t page, uint64_t end, uint32_t flags)
{
	watched = h->thread;
	refusing = counting = true;
	int error = harness_range(h, type, memory + page * WORDS, (end - page) << 12, flags);
	refusing = counting = false;
	return error;
}

static int unmap(struct harness *h, uint64_t *memory, uint64_t page, uint64_t end)
{
	return range_refused(h, PAGER_UNMAP, memory, page, end, 0);
}

static uint64_t mapped(struct harness *h)
{
	return harness_stats(h).mapped_pages;
}

/* What lies at the ends of a region, or all of it, goes without; a hole in it is refused. */
START_TEST(unmaps_without_memory)
{
	struct harness h;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, 64 << 12, -1, 0);
	range_write(memory, 0, 64, 1);
	ck_assert_int_eq(unmap(&h, memory, 20, 30), -ENOMEM);
	ck_assert_uint_eq(mapped(&h), 64);
	harness_check(&h);
	range_check(memory, 0, 64, 1);
	ck_assert_int_eq(unmap(&h, memory, 0, 8), 0);
	ck_assert_int_eq(unmap(&h, memory, 48, 64), 0);
	ck_assert_uint_eq(mapped(&h), 40);
	ck_assert_uint_eq(harness_stats(&h).resident_pages, 40);
	harness_check(&h);
	range_check(memory, 8, 48, 1);
	harness_range(&h, PAGER_ADVISE, memory, 64 << 12, MADV_PAGEOUT);
	range_check(memory, 8, 48, 1);
	/* The end of one and the beginning of another. */
	ck_assert_int_eq(harness_range(&h, PAGER_UNMAP, memory + 20 * WORDS, 10 << 12, 0), 0);
	ck_assert_int_eq(unmap(&h, memory, 16, 32), 0);
	ck_assert_uint_eq(mapped(&h), 24);
	harness_check(&h);
	range_check(memory, 8, 16, 1);
	range_check(memory, 32, 48, 1);
	ck_assert_int_eq(unmap(&h, memory, 0, 64), 0);
	ck_assert_uint_eq(mapped(&h), 0);
	harness_stop(&h);
}
END_TEST

/* What was locked stays so where no more can be, if that lies within it as well. */
START_TEST(locks_without_memory)
{
	struct harness h;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, 64 << 12, -1, 0);
	const struct wired *wired = &h.pager->clients[h.client]->wired;
	ck_assert_int_eq(harness_range(&h, PAGER_WIRE, memory, 10 << 12, 1), 0);
	for (uint64_t i = 11; wired->count + 2 <= wired->room; i += 2)
		ck_assert_int_eq(harness_range(&h, PAGER_WIRE, memory + i * WORDS, 1 << 12, 1), 0);
	uint64_t pages = h.pager->wired_pages;
	ck_assert_int_eq(range_refused(&h, PAGER_WIRE, memory, 4, 6, 1), -ENOMEM);
	ck_assert_int_eq(range_refused(&h, PAGER_WIRE, memory, 60, 64, 1), -ENOMEM);
	ck_assert_uint_eq(h.pager->wired_pages, pages);
	for (uint64_t i = 0; i < 10; i++)
		ck_assert(wired_at(h.pager->clients[h.client], (uint64_t)(memory + i * WORDS)));
	harness_stop(&h);
}
END_TEST

/* The count itself: an allocation on a watched thread is seen. */
START_TEST(counting_counts)
{
	watched = pthread_self();
	allocations = 0;
	counting = true;
	void *volatile memory = malloc(100);
	counting = false;
	free(memory);
	ck_assert_uint_eq(allocations, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fault");
	TCase *tcase = tcase_create("allocations");
	tcase_add_unchecked_fixture(tcase, file_once, NULL);
	tcase_set_timeout(tcase, 60);
	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, counting_counts);
	tcase_add_loop_test(tcase, anonymous_allocates_nothing, 0, POLICIES);
	tcase_add_loop_test(tcase, file_allocates_nothing, 0, POLICIES);
	tcase_add_test(tcase, sparse_file_allocates_nothing);
	tcase_add_test(tcase, unmaps_without_memory);
	tcase_add_test(tcase, locks_without_memory);
	return suite_run(suite);
}
