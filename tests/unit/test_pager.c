/* SPDX-License-Identifier: MIT */
/* The core as a whole: memory larger than the budget keeps its contents. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus.h"
#include "effort.h"
#include "harness.h"
#include "policies.h"
#include "seed.h"
#include "suite.h"
#include "version.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       256u
#define LOAN	       32u /* more is lent where nothing gets on for 100 ms: see shortage.h */

/* One client with one object: both have counted the same. */
static void object_stats_check(struct harness *h, const struct pagerd_stats *stats)
{
	struct pager_request request = {
		.type = PAGER_SNAPSHOT, .flags = SNAPSHOT_OBJECTS, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
	ck_assert_uint_eq(request.snapshot->object_count, 1);
	const struct pagerd_stats *own = &request.snapshot->objects[0].stats;
	ck_assert_uint_gt(own->faults_major, 0);
	ck_assert_uint_gt(own->fault_max_ns, 0);
	ck_assert_uint_eq(own->faults_major, stats->faults_major);
	ck_assert_uint_eq(own->faults_minor, stats->faults_minor);
	ck_assert_uint_eq(own->faults_zero, stats->faults_zero);
	ck_assert_uint_eq(own->faults_write, stats->faults_write);
	ck_assert_uint_eq(own->pages_prefetched, stats->pages_prefetched);
	ck_assert_uint_eq(own->pages_prefetch_used, stats->pages_prefetch_used);
	ck_assert_uint_eq(own->evicted_clean, stats->evicted_clean);
	ck_assert_uint_eq(own->evicted_dirty, stats->evicted_dirty);
	ck_assert_uint_eq(own->fault_max_ns, stats->fault_max_ns);
	snapshot_free(request.snapshot);
}

START_TEST(anonymous_sequential)
{
	struct harness h;
	uint64_t pages = BUDGET * 4;
	harness_start(&h, BUDGET, policies[_i], SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	range_write(memory, 0, pages, 1);
	harness_check(&h);
	range_check(memory, 0, pages, 1);
	for (uint64_t i = pages; i-- > 0;)
		page_check(memory, i, 1);
	struct pagerd_stats stats = harness_stats(&h);
	ck_assert_uint_le(stats.resident_max_pages, BUDGET + LOAN);
	ck_assert_uint_ge(stats.pages_written, pages - BUDGET);
	ck_assert_uint_ge(stats.pages_read, pages - BUDGET);
	object_stats_check(&h, &stats);
	harness_unmap(&h, memory, pages << 12);
	/* What is being read ahead ends by itself. */
	for (int try = 0; try < 1000 && harness_stats(&h).resident_pages; try++)
		usleep(10000);
	ck_assert_uint_eq(harness_stats(&h).resident_pages, 0);
	harness_stop(&h);
}
END_TEST

START_TEST(anonymous_random)
{
	struct harness h;
	uint64_t pages = BUDGET * 4;
	uint32_t *version = calloc(pages, sizeof *version);
	harness_start(&h, BUDGET, policies[_i], SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_SHARED, pages << 12, -1, 0);
	srandom((unsigned)seed_get());
	for (uint32_t i = 0; i < effort(8000); i++) {
		uint64_t page = (uint64_t)random() % pages;
		if (version[page])
			page_check(memory, page, version[page]);
		else
			ck_assert_uint_eq(memory[page * WORDS], 0);
		if (random() % 3 == 0)
			page_write(memory, page, ++version[page]);
	}
	harness_check(&h);
	harness_unmap(&h, memory, pages << 12);
	harness_stop(&h);
	free(version);
}
END_TEST

/* Never touched, or zeroed again: no slot, no write. */
START_TEST(zeros_cost_nothing)
{
	struct harness h;
	uint64_t pages = BUDGET * 4, sum = 0;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	for (uint64_t i = 0; i < pages; i++)
		sum += memory[i * WORDS];
	for (uint64_t i = 0; i < pages; i++)
		memory[i * WORDS] = 0;
	ck_assert_uint_eq(sum, 0);
	struct pagerd_stats stats = harness_stats(&h);
	ck_assert_uint_eq(stats.pages_written, 0);
	ck_assert_uint_eq(stats.pages_read, 0);
	harness_stop(&h);
}
END_TEST

START_TEST(file_read_write)
{
	struct harness h;
	uint64_t pages = BUDGET * 4, page[WORDS];
	int fd = file_make(pages, 0);
	harness_start(&h, BUDGET, policies[_i], NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	range_check(memory, 0, pages, 0);
	for (uint64_t i = 0; i < pages; i += 3)
		page_write(memory, i, 7);
	for (uint64_t i = 0; i < pages; i++)
		page_check(memory, i, i % 3 ? 0 : 7);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, pages << 12, MS_SYNC), 0);
	for (uint64_t i = 0; i < pages; i++) {
		ck_assert_int_eq(pread(fd, page, sizeof page, (off_t)(i << 12)), 4096);
		word_check(page, 0, value(i, i % 3 ? 0 : 7));
	}
	page_write(memory, 4, 8);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, pages << 12, PAGERD_SYNC_WRITTEN),
			 0);
	ck_assert_int_eq(pread(fd, page, sizeof page, 4 << 12), 4096);
	word_check(page, 0, value(4, 8));
	page_write(memory, 5, 9);
	harness_unmap(&h, memory, pages << 12);
	ck_assert_int_eq(pread(fd, page, sizeof page, 5 << 12), 4096);
	word_check(page, 0, value(5, 9));
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Pages that have just come stay for a while. A policy that would rather have those than any other
 * must not keep reclaim from finding the others: here all others were used often. */
START_TEST(favourites_make_room)
{
	struct harness h;
	uint64_t pages = BUDGET * 4, hot = BUDGET - BUDGET / 4 + 8;
	int fd = file_make(pages, 0);
	harness_start(&h, BUDGET, "lfu", NULL, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	for (uint64_t version = 1; version <= 40; version++) {
		range_write(memory, 0, hot, version);
		ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, hot << 12, MS_SYNC), 0);
	}
	range_check(memory, hot, pages, 0);
	range_check(memory, 0, hot, 40);
	harness_check(&h);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* The file ends inside its last page: zeros after it, and its size stays. */
START_TEST(file_tail)
{
	struct harness h;
	uint64_t bytes = (9 << 12) + 1000;
	int fd = file_make(10, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)bytes), 0);
	harness_start(&h, BUDGET, "lru", NULL, 64);
	char *memory = harness_map(&h, PAGERD_FILE_SHARED, 10 << 12, fd, 0);
	for (int i = 1000; i < 4096; i++)
		ck_assert_int_eq(memory[(9 << 12) + i], 0);
	memory[(9 << 12) + 999] = 'x';
	memory[(9 << 12) + 1001] = 'y';
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, 10 << 12, MS_SYNC), 0);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), (off_t)bytes);
	char last;
	ck_assert_int_eq(pread(fd, &last, 1, (9 << 12) + 999), 1);
	ck_assert_int_eq(last, 'x');
	harness_stop(&h);
	close(fd);
}
END_TEST

START_TEST(file_shrinks)
{
	struct harness h;
	int fd = file_make(64, 0);
	bus_catch();
	harness_start(&h, BUDGET, "lru", NULL, 0);
	char *memory = harness_map(&h, PAGERD_FILE_SHARED, 64 << 12, fd, 0);
	ck_assert(bus_read(memory, NULL));
	ck_assert_int_eq(ftruncate(fd, 8 << 12), 0);
	ck_assert(bus_read(memory + (7 << 12), NULL));
	ck_assert(!bus_read(memory + (8 << 12), NULL));
	ck_assert(!bus_read(memory + (63 << 12), NULL));
	ck_assert(bus_read(memory, NULL));
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Windows that are read ahead meet the end where it is by then. */
START_TEST(file_shrinks_ahead)
{
	struct harness h;
	uint64_t pages = BUDGET / 2, left = pages / 2 + 3;
	int fd = file_make(pages, 0);
	bus_catch();
	harness_start(&h, BUDGET, "lru", NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	page_check(memory, 0, 0);
	ck_assert_int_eq(ftruncate(fd, (off_t)left << 12), 0);
	range_check(memory, 1, left, 0);
	for (uint64_t i = left; i < pages; i++)
		ck_assert(!bus_read(memory + i * WORDS, NULL));
	range_check(memory, 1, left, 0);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Another user, who may read the file, gets its memfd for reading. Reading a hole there fills it
 * with zeros: nobody else may see them. */
START_TEST(readers_fill_no_holes)
{
	struct harness h;
	uint64_t pages = BUDGET * 4, sum = 0;
	int fd = file_make(pages, 0);
	char name[40];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	harness_start(&h, BUDGET, "lru", NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	for (uint64_t i = 0; i < pages; i += 2)
		page_write(memory, i, 5);
	struct pager_request add = {.type = PAGER_CLIENT_ADD, .fd = -1, .uid = 1, .name = "other"};
	ck_assert_int_eq(harness_request(&h, &add), 0);
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = add.client,
		.kind = PAGERD_FILE_SHARED,
		.length = pages << 12,
		.fd = open(name, O_RDONLY | O_CLOEXEC),
	};
	ck_assert_int_eq(harness_request(&h, &map), 0);
	ck_assert(map.read_only);
	volatile uint64_t *view = mmap(NULL, pages << 12, PROT_READ, MAP_SHARED, map.fd, 0);
	ck_assert_ptr_ne((void *)view, MAP_FAILED);
	for (int round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < pages; i++)
			sum += view[i * WORDS];
		for (uint64_t i = 0; i < pages; i++)
			page_check(memory, i, i % 2 ? 0 : 5);
	}
	ck_assert_uint_ne(sum, 0);
	munmap((void *)view, pages << 12);
	close(map.fd);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = add.client, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &remove), 0);
	harness_unmap(&h, memory, pages << 12);
	harness_stop(&h);
	close(fd);
}
END_TEST

struct reader {
	const volatile uint64_t *view;
	uint64_t pages;
	atomic_bool stop;
};

static void *reader_run(void *context)
{
	struct reader *reader = context;
	uint64_t sum = 0;
	/* Few pages at a time, over and over: when one is dropped it is mapped at once. */
	for (uint64_t i = 0; !reader->stop; i++)
		sum += reader->view[(i / 4096 * 8 + i % 8) % reader->pages * WORDS];
	return (void *)sum;
}

/* One mapping is read while pages leave and come by another that is written: the kernel may take
 * the marks of protection along when a page is mapped at the moment at which it is dropped. */
START_TEST(reader_and_writer)
{
	struct harness h;
	uint64_t pages = BUDGET * 2;
	int fd = file_make(pages, 0);
	char name[40];
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	int reading = open(name, O_RDONLY | O_CLOEXEC);
	harness_start(&h, BUDGET, "fifo", NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, fd, 0);
	struct reader reader = {.pages = pages};
	reader.view = harness_map(&h, PAGERD_FILE_SHARED, pages << 12, reading, 0);
	pthread_t thread;
	ck_assert(!pthread_create(&thread, NULL, reader_run, &reader));
	for (uint64_t version = 1; version <= 20; version++) {
		range_write(memory, 0, pages, version);
		range_check(memory, 0, pages, version);
	}
	reader.stop = true;
	pthread_join(thread, NULL);
	harness_stop(&h);
	close(reading);
	close(fd);
}
END_TEST

static void file_request(struct harness *h, enum pager_request_type type, int fd)
{
	struct pager_request request = {
		.type = type,
		.client = h->client,
		.flags = PAGERD_FILE_WRITE,
		.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(h, &request), 0);
}

/* What lay beyond the end is there once the file has grown: at once where the call that makes it
 * grow is known to the pager, else soon. */
START_TEST(file_grows)
{
	struct harness h;
	int fd = file_make(8, 0), tries = 0;
	bus_catch();
	harness_start(&h, BUDGET, "lru", NULL, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, 64 << 12, fd, 0);
	ck_assert(!bus_read(memory + 20 * WORDS, NULL));
	ck_assert(!bus_read(memory + 30 * WORDS, NULL));
	file_request(&h, PAGER_FILE_BEGIN, fd);
	ck_assert_int_eq(ftruncate(fd, 24 << 12), 0);
	file_request(&h, PAGER_FILE_END, -1);
	ck_assert(bus_read(memory + 20 * WORDS, NULL));
	ck_assert_uint_eq(memory[20 * WORDS], 0);
	ck_assert(!bus_read(memory + 30 * WORDS, NULL));
	page_write(memory, 20, 3);
	file_write(fd, 30, 1);
	while (!bus_read(memory + 30 * WORDS, NULL)) {
		ck_assert_int_lt(tries++, 200);
		usleep(50000);
	}
	page_check(memory, 30, 1);
	page_check(memory, 20, 3);
	ck_assert(!bus_read(memory + 31 * WORDS, NULL));
	harness_stop(&h);
	close(fd);
}
END_TEST

/* No room in swap: whoever needs a frame gets SIGBUS, what was there stays. */
START_TEST(swap_missing)
{
	struct harness h;
	bus_catch();
	harness_start(&h, BUDGET, "lru", NULL, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, BUDGET << 14, -1, 0);
	uint64_t written = bus_write(memory, 0, BUDGET * 4, 1);
	ck_assert_uint_gt(written, BUDGET / 2);
	ck_assert_uint_lt(written, BUDGET * 4);
	range_check(memory, 0, written, 1);
	harness_stop(&h);
}
END_TEST

START_TEST(discard_zeroes)
{
	struct harness h;
	uint64_t pages = BUDGET * 2;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	range_write(memory, 0, pages, 1);
	ck_assert_int_eq(harness_range(&h, PAGER_DISCARD, memory + 100 * WORDS, 200 << 12, 0), 0);
	range_check(memory, 0, 100, 1);
	zeros_check(memory, 100, 300);
	range_check(memory, 300, pages, 1);
	harness_stop(&h);
}
END_TEST

START_TEST(unmap_middle)
{
	struct harness h;
	uint64_t pages = BUDGET * 2;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	range_write(memory, 0, pages, 1);
	harness_unmap(&h, memory + 100 * WORDS, 200 << 12);
	harness_check(&h);
	range_check(memory, 0, 100, 1);
	range_check(memory, 300, pages, 1);
	ck_assert_uint_le(harness_stats(&h).swap_pages + harness_stats(&h).resident_pages,
			  pages - 200 + BUDGET);
	harness_stop(&h);
}
END_TEST

START_TEST(policy_switch)
{
	struct harness h;
	uint64_t pages = BUDGET * 4;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	for (uint64_t i = 0; i < pages * 4; i++) {
		if (i % 500 == 0) {
			struct pager_request set = {
				.type = PAGER_SET,
				.text = policies[i / 500 % (uint64_t)POLICIES],
				.fd = -1,
				.length = i / 500 % 2 ? BUDGET << 12 : BUDGET << 11,
			};
			ck_assert_int_eq(harness_request(&h, &set), 0);
		}
		if (i >= pages)
			page_check(memory, i % pages, i / pages - 1);
		page_write(memory, i % pages, i / pages);
	}
	harness_stop(&h);
}
END_TEST

START_TEST(client_limit)
{
	struct harness h;
	uint64_t pages = BUDGET * 2;
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, pages << 12, -1, 0);
	struct pager_request set = {
		.type = PAGER_SET, .client = h.client, .fd = -1, .length = 64 << 12};
	page_write(memory, 0, 1);
	ck_assert_int_eq(harness_request(&h, &set), 0);
	range_write(memory, 0, pages, 1);
	range_check(memory, 0, pages, 1);
	ck_assert_uint_le(harness_stats(&h).resident_max_pages, 64);
	harness_stop(&h);
}
END_TEST

/* Everything that does not count what happens must pass whatever happens. */
static void chaos_begin(void)
{
	harness_chaos = seed_get() | 1;
}

static TCase *chaos_case(void)
{
	TCase *tcase = tcase_create("chaos");
	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, chaos_begin, NULL);
	tcase_add_loop_test(tcase, anonymous_random, 0, POLICIES);
	tcase_add_loop_test(tcase, file_read_write, 0, POLICIES);
	tcase_add_test(tcase, file_tail);
	tcase_add_test(tcase, file_shrinks);
	tcase_add_test(tcase, file_shrinks_ahead);
	tcase_add_test(tcase, file_grows);
	tcase_add_test(tcase, reader_and_writer);
	tcase_add_test(tcase, discard_zeroes);
	tcase_add_test(tcase, unmap_middle);
	tcase_add_test(tcase, policy_switch);
	return tcase;
}

int main(void)
{
	Suite *suite = suite_create("pager");
	TCase *tcase = tcase_create("core");
	tcase_set_timeout(tcase, 20);
	tcase_add_loop_test(tcase, anonymous_sequential, 0, POLICIES);
	tcase_add_loop_test(tcase, anonymous_random, 0, POLICIES);
	tcase_add_test(tcase, zeros_cost_nothing);
	tcase_add_loop_test(tcase, file_read_write, 0, POLICIES);
	tcase_add_test(tcase, favourites_make_room);
	tcase_add_test(tcase, file_tail);
	tcase_add_test(tcase, file_shrinks);
	tcase_add_test(tcase, file_shrinks_ahead);
	tcase_add_test(tcase, file_grows);
	tcase_add_test(tcase, readers_fill_no_holes);
	tcase_add_test(tcase, reader_and_writer);
	tcase_add_test(tcase, swap_missing);
	tcase_add_test(tcase, discard_zeroes);
	tcase_add_test(tcase, unmap_middle);
	tcase_add_test(tcase, policy_switch);
	tcase_add_test(tcase, client_limit);
	suite_add_tcase(suite, tcase);
	suite_add_tcase(suite, chaos_case());
	return suite_run(suite);
}
