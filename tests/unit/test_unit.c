/* SPDX-License-Identifier: MIT */
/* Units: what a fault brings in where no run is seen, and which unit is found out. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "seed.h"
#include "suite.h"
#include "unit.h"
#include "version.h"
#include "workload/random.h"

#define DIRECTORY "/var/tmp"
#define BUDGET	  4096u /* 64 units of 64 pages */
#define PAGES	  8192u
#define LAST	  (PAGES - 5) /* pages of the file, not a whole number of units */

struct range {
	uint32_t first, pages;
};

static struct random draws;
static struct harness h;
static uint64_t *memory;
static uint32_t shift; /* page of the file that memory begins at */
static int fd = -1;

/* Page of the object. */
static void touch(uint64_t page)
{
	word_check(memory, page - shift, value(page, 0));
}

static void unit_set(uint32_t unit)
{
	struct pager_request request = {.type = PAGER_SET, .unit = unit, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

/* One for all tests. */
static void file_once(void)
{
	if (fd < 0)
		fd = file_make(LAST, 0);
}

static void file_setup(void)
{
	shift = 0;
	harness_start(&h, BUDGET, "lru", NULL, 128);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
}

static void anonymous_setup(void)
{
	shift = 0;
	harness_start(&h, BUDGET, "lru", DIRECTORY, 128);
	memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
	range_write(memory, 0, PAGES, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_unmap(&h, memory, (uint64_t)(PAGES - shift) << 12);
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
	delta.pages_unit -= before.pages_unit;
	before = now;
	return delta;
}

/* What the region of memory has at present. */
static uint32_t unit_now(void)
{
	struct pager_request request = {
		.type = PAGER_SNAPSHOT, .flags = SNAPSHOT_REGIONS, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &request), 0);
	ck_assert_uint_eq(request.snapshot->region_count, 1);
	uint32_t unit = request.snapshot->regions[0].unit;
	snapshot_free(request.snapshot);
	return unit;
}

/* ---- set --------------------------------------------------------------------------------- */

static const uint32_t units[] = {1, 2, 4, 16, 64};

/* The k-th of some pages in units of which no two are neighbours, nor three equally far apart. */
static uint64_t scattered(unsigned k, uint32_t unit)
{
	return (uint64_t)(4 + k * (k + 5)) * unit + k * 13 % unit;
}

/* One fault, one read, the whole unit, and nothing more to be read of it. (Of swap, a unit is what
 * lies together there, as found_out has it.) */
START_TEST(whole)
{
	uint32_t unit = units[_i], count = 8;
	unit_set(unit);
	ck_assert_uint_eq(unit_now(), unit);
	counted();
	for (unsigned k = 0; k < count; k++)
		touch(scattered(k, unit));
	struct pagerd_stats stats = counted();
	ck_assert_uint_eq(stats.faults_major, count);
	ck_assert_uint_eq(stats.pages_read, count * unit);
	ck_assert_uint_eq(stats.pages_unit, count * (unit - 1));
	ck_assert_uint_eq(stats.pages_prefetched, 0);
	for (unsigned k = 0; k < count; k++)
		for (uint32_t i = 0; i < unit; i++)
			touch(scattered(k, unit) / unit * unit + i);
	stats = counted();
	ck_assert_uint_eq(stats.faults_major, 0);
	ck_assert_uint_eq(stats.pages_read, 0);
}
END_TEST

/* Nothing before the mapping, nothing behind the file. */
START_TEST(ends)
{
	uint32_t unit = units[_i];
	shift = unit + unit / 2;
	harness_start(&h, BUDGET, "lru", NULL, 128);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)(PAGES - shift) << 12, fd,
			     (uint64_t)shift << 12);
	unit_set(unit);
	counted();
	touch(LAST - 1);
	ck_assert_uint_eq(counted().pages_read, (LAST - 1) % unit + 1);
	touch(shift + unit / 2 - 1);
	ck_assert_uint_eq(counted().pages_read, unit / 2);
	teardown();
}
END_TEST

/* New memory takes as many pages as without units: one, or what a run is to go on with. */
START_TEST(new_memory)
{
	const uint64_t touched[] = {0, 700, 1000, 2000, 2016, 3001, 3002, 3003, 3000};
	uint32_t unit = _i ? units[_i] : UNIT_AUTO;
	uint64_t resident[2];
	shift = 0;
	for (int i = 0; i < 2; i++) {
		harness_start(&h, BUDGET, "lru", DIRECTORY, 128);
		memory = harness_map(&h, PAGERD_ANON_PRIVATE, (uint64_t)PAGES << 12, -1, 0);
		unit_set(i ? unit : 1);
		page_write(memory, touched[0], 0);
		ck_assert_uint_eq(harness_stats(&h).resident_pages, 1);
		for (unsigned k = 1; k < sizeof touched / sizeof *touched; k++)
			page_write(memory, touched[k], 0);
		resident[i] = harness_stats(&h).resident_pages;
		teardown();
	}
	ck_assert_uint_eq(resident[1], resident[0]);
}
END_TEST

/* What is there already is not read again, nor lost. */
START_TEST(parts)
{
	const uint64_t page = 1000 / 16 * 16;
	unit_set(1);
	touch(page + 5);
	touch(page + 11);
	unit_set(16);
	counted();
	touch(page + 8);
	ck_assert_uint_eq(counted().pages_read, 5);
	touch(page);
	ck_assert_uint_eq(counted().pages_read, 5);
	touch(page + 15);
	ck_assert_uint_eq(counted().pages_read, 4);
	for (unsigned i = 0; i < 16; i++)
		touch(page + i);
	ck_assert_uint_eq(counted().pages_read, 0);
}
END_TEST

/* Units in order, one page of each, are a run: others are read ahead, all of their pages. */
START_TEST(runs)
{
	const uint32_t unit = 16, count = 10, from = 100;
	unit_set(unit);
	counted();
	for (uint32_t i = 0; i < count; i++)
		touch(_i ? (uint64_t)(from - i) * unit - 1 : (uint64_t)(from + i) * unit);
	ck_assert_uint_ge(counted().pages_prefetched, (count + 8) * unit);
	for (uint32_t i = 0; i < count * unit; i++)
		touch(_i ? from * unit - 1 - i : from * unit + i);
	ck_assert_uint_le(counted().faults_major, 2);
}
END_TEST

/* How many of the pages are there, as their memfd has it. */
static uint32_t there(uint64_t page, uint32_t count)
{
	unsigned char pages[PAGES];
	uint32_t sum = 0;
	harness_check(&h); /* what was under way has come */
	ck_assert_int_eq(
		mincore((char *)memory + ((page - shift) << 12), (size_t)count << 12, pages), 0);
	for (uint32_t i = 0; i < count; i++)
		sum += pages[i] & 1;
	return sum;
}

/* So are single pages as far apart as units are, or nearer: all that lies between them comes. */
START_TEST(strides)
{
	const uint32_t unit = 16, count = 20, from = 100;
	unit_set(unit);
	ck_assert_uint_eq(there(from * unit, (count - 1) * unit), 0);
	for (uint32_t i = 0; i < count; i++)
		touch((uint64_t)(from + i) * unit + 5);
	ck_assert_uint_ge(there(from * unit, (count - 1) * unit), (count - 1) * unit * 3 / 4);
	for (uint32_t i = 0; i < (count - 1) * unit; i++)
		touch(from * unit + i);
}
END_TEST

/* A setting is the object's, the client's, or the daemon's. */
START_TEST(whose)
{
	struct pager_request object = {.type = PAGER_SET_OBJECT,
				       .client = h.client,
				       .address = (uintptr_t)memory,
				       .unit = 4,
				       .fd = -1};
	struct pager_request client = {.type = PAGER_SET, .client = h.client, .unit = 64, .fd = -1};
	unit_set(16);
	ck_assert_uint_eq(unit_now(), 16);
	ck_assert_int_eq(harness_request(&h, &client), 0);
	ck_assert_uint_eq(unit_now(), 64);
	ck_assert_int_eq(harness_request(&h, &object), 0);
	ck_assert_uint_eq(unit_now(), 4);
	object.unit = 0;
	object.flags = SET_DEFAULT;
	ck_assert_int_eq(harness_request(&h, &object), 0);
	ck_assert_uint_eq(unit_now(), 64);
	client.unit = 0;
	client.flags = SET_DEFAULT;
	ck_assert_int_eq(harness_request(&h, &client), 0);
	ck_assert_uint_eq(unit_now(), 16);
}
END_TEST

/* No unit is more than a 64th of the memory, nor taken to be when runs are looked for. */
START_TEST(limited)
{
	struct pager_request client = {
		.type = PAGER_SET, .client = h.client, .length = 256 << 12, .unit = 64, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &client), 0);
	ck_assert_uint_eq(unit_now(), 4);
	counted();
	for (unsigned k = 0; k < 20; k++)
		touch(1000 + k * 48);
	ck_assert_uint_le(counted().pages_read, 20 * 4);
	client.length = 4 * BUDGET << 12;
	client.unit = 0;
	ck_assert_int_eq(harness_request(&h, &client), 0);
	ck_assert_uint_eq(unit_now(), 64);
}
END_TEST

/* Who wants nothing to be read unasked has one page, with chaos, too. */
START_TEST(no_prefetch)
{
	shift = 0;
	harness_chaos = _i ? draws.state : 0;
	harness_start(&h, BUDGET, "lru", NULL, 0);
	harness_chaos = 0;
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	unit_set(16);
	for (unsigned k = 0; k < 20; k++)
		touch(scattered(k, 16));
	ck_assert_uint_eq(harness_stats(&h).pages_prefetched, 0);
	ck_assert_uint_eq(harness_stats(&h).pages_unit, 0);
	teardown();
}
END_TEST

/* What is lent while write-back is held up is for those who wait. */
START_TEST(stalled)
{
	unit_set(16);
	counted();
	h.pager->shortage.stalled = true;
	touch(1000);
	ck_assert_uint_eq(counted().pages_read, 1);
	h.pager->shortage.stalled = false;
	touch(2000);
	ck_assert_uint_eq(counted().pages_read, 16);
}
END_TEST

/* ---- found out --------------------------------------------------------------------------- */

/* Blocks of so many pages at random places, each page of them once, in order or not. */
static void blocks(uint32_t size, unsigned count, bool ordered)
{
	for (unsigned i = 0; i < count; i++) {
		uint64_t first = random_next(&draws) % (LAST / size) * size,
			 from = random_next(&draws) % size;
		for (uint32_t k = 0; k < size; k++)
			touch(first + (ordered ? k : (from + k * 5) % size));
	}
}

static const uint32_t found[] = {1, 4, 16};

START_TEST(found_out)
{
	uint32_t size = found[_i / 2];
	unit_set(UNIT_AUTO);
	blocks(size, 2 * PAGES / size, _i % 2);
	ck_assert_uint_eq(unit_now(), size);
	counted();
	const uint32_t count = PAGES / 16;
	blocks(size, count, _i % 2);
	struct pagerd_stats stats = counted();
	/* Two would do, probes included; there may not be room for all of a unit at once. */
	ck_assert_uint_le(stats.faults_major, count * (1 + size / 4));
	ck_assert_uint_le(stats.pages_read, count * size + count * size / 4);
}
END_TEST

/* So many threads, each of which goes on until it faults, read blocks of 16 pages: faults. */
static uint64_t threads(unsigned pages)
{
	uint64_t first[8] = {0}, start = harness_stats(&h).faults_major, faults = start;
	unsigned done[8] = {0};
	for (unsigned thread = 0; pages; pages--) {
		unsigned k = done[thread]++ % 16;
		if (!k)
			first[thread] = random_next(&draws) % (LAST / 16) * 16;
		touch(first[thread] + (3 + k * 5) % 16);
		uint64_t now = harness_stats(&h).faults_major;
		thread = (thread + (now != faults)) % 8;
		faults = now;
	}
	return faults - start;
}

/* What others bring in while one waits does not hide that a block is used as a whole. */
START_TEST(interleaved)
{
	const unsigned count = PAGES * 4;
	unit_set(UNIT_AUTO);
	threads(count);
	ck_assert_uint_le(threads(count), count / 16 * 2);
}
END_TEST

/* It is found out again when the program does something else. */
START_TEST(changes)
{
	unit_set(UNIT_AUTO);
	blocks(16, PAGES / 8, true);
	ck_assert_uint_eq(unit_now(), 16);
	blocks(1, 2 * PAGES, true);
	ck_assert_uint_eq(unit_now(), 1);
	blocks(4, PAGES / 2, true);
	ck_assert_uint_eq(unit_now(), 4);
}
END_TEST

/* A unit that was set is as good with that advice, in whatever order: there are no runs. */
START_TEST(set_and_advised_random)
{
	const uint32_t unit = 16, count = 20, from = 100;
	unit_set(unit);
	ck_assert_int_eq(
		harness_range(&h, PAGER_ADVISE, memory, (uint64_t)PAGES << 12, MADV_RANDOM), 0);
	ck_assert_uint_eq(unit_now(), unit);
	counted();
	for (uint32_t i = 0; i < count * unit; i++)
		touch(from * unit + i);
	struct pagerd_stats stats = counted();
	ck_assert_uint_eq(stats.faults_major, count);
	ck_assert_uint_eq(stats.pages_read, count * unit);
}
END_TEST

START_TEST(advised_random)
{
	unit_set(UNIT_AUTO);
	blocks(16, PAGES / 8, true);
	ck_assert_int_eq(
		harness_range(&h, PAGER_ADVISE, memory, (uint64_t)PAGES << 12, MADV_RANDOM), 0);
	ck_assert_uint_eq(unit_now(), 1);
}
END_TEST

static void *touch_thread(void *page)
{
	touch(*(uint64_t *)page);
	return NULL;
}

/* Two threads that want pages of one unit: the second finds its page on the way, or there. */
START_TEST(together)
{
	const uint32_t unit = 16;
	unit_set(unit);
	for (unsigned k = 0; k < 20; k++) {
		uint64_t page = scattered(k, unit) / unit * unit;
		pthread_t thread;
		ck_assert_int_eq(pthread_create(&thread, NULL, touch_thread, &page), 0);
		touch(page + 7);
		pthread_join(thread, NULL);
	}
	ck_assert_uint_eq(harness_stats(&h).pages_prefetch_used, 0);
}
END_TEST

/* ---- waiting ----------------------------------------------------------------------------- */

/* Those that wait are handled again. */
static void retry(unsigned times)
{
	struct pager_request budget = {.type = PAGER_SET, .length = BUDGET << 12, .fd = -1};
	while (times--)
		ck_assert_int_eq(harness_request(&h, &budget), 0);
}

/* All bounce memory in the largest pieces that there are, to be given back. */
static unsigned bounce_take(struct bounce *bounce, struct range *taken)
{
	unsigned count = 0;
	for (uint32_t pages = BOUNCE_BLOCK; pages;) {
		uint32_t first = bounce_alloc(bounce, pages);
		if (first == BOUNCE_NONE)
			pages /= 2;
		else
			taken[count++] = (struct range){first, pages};
	}
	return count;
}

static void bounce_give(struct bounce *bounce, const struct range *taken, unsigned count)
{
	while (count--)
		bounce_free(bounce, taken[count].first, taken[count].pages);
}

/* A read that finds no bounce memory so many times. */
static void touch_waiting(uint64_t page, unsigned times)
{
	static struct range taken[BOUNCE_PAGES];
	pthread_t thread;
	harness_check(&h); /* nothing else is under way */
	unsigned count = bounce_take(&h.pager->bounce, taken);
	ck_assert_int_eq(pthread_create(&thread, NULL, touch_thread, &page), 0);
	while (!h.pager->shortage.waiting.count)
		retry(1);
	retry(times);
	ck_assert_uint_eq(h.pager->shortage.waiting.count, 1);
	bounce_give(&h.pager->bounce, taken, count);
	retry(1);
	pthread_join(thread, NULL);
}

static struct region *region(void)
{
	return region_lookup(client_lookup(h.pager, h.client), (uintptr_t)memory);
}

/* It is one sample. */
START_TEST(waits_in_a_probe)
{
	uint64_t page = 1000;
	unit_set(UNIT_AUTO);
	while (!unit_probes(h.pager, region(), page))
		page++;
	touch_waiting(page, 10);
	ck_assert_uint_eq(region()->unit.samples, 1);
}
END_TEST

/* And the run that it has begun goes on as if it had not waited. */
START_TEST(waits_in_a_run)
{
	touch(1000);
	counted();
	touch_waiting(1001, 10);
	ck_assert_uint_eq(region()->streams.of[0].window, STREAM_FIRST);
	ck_assert_uint_ge(counted().pages_prefetched, STREAM_FIRST);
}
END_TEST

/* What nobody has asked for, the rest of a unit, does not take bounce memory from what waits there
 * for a run to go on: that finds all of its pages still. */
START_TEST(leaves_runs_alone)
{
	static struct range taken[BOUNCE_PAGES];
	const uint64_t from = 1024;
	uint64_t page = from;
	unit_set(16);
	while (!h.pager->staged_count) {
		touch(page);
		page += 16;
		harness_check(&h);
	}
	unsigned count = bounce_take(&h.pager->bounce, taken);
	bounce_free(&h.pager->bounce, taken[0].first, 8);
	taken[0].first += 8;
	taken[0].pages -= 8;
	counted();
	touch(5000);
	ck_assert_uint_eq(counted().pages_read, 1);
	bounce_give(&h.pager->bounce, taken, count);
	for (; page < from + 256; page++)
		touch(page);
	ck_assert_uint_eq(counted().faults_major, 0);
}
END_TEST

static void add_tests(TCase *all)
{
	tcase_set_timeout(all, 60);
	tcase_add_test(all, parts);
	tcase_add_test(all, strides);
	tcase_add_test(all, whose);
	tcase_add_loop_test(all, found_out, 0, 2 * sizeof found / sizeof *found);
	tcase_add_test(all, changes);
	tcase_add_test(all, advised_random);
}

int main(void)
{
	draws.state = seed_get();
	Suite *suite = suite_create("unit");
	TCase *file = tcase_create("file"), *anonymous = tcase_create("anonymous");
	tcase_add_unchecked_fixture(file, file_once, NULL);
	tcase_add_checked_fixture(file, file_setup, teardown);
	tcase_add_checked_fixture(anonymous, anonymous_setup, teardown);
	tcase_add_loop_test(file, whole, 0, sizeof units / sizeof *units);
	tcase_add_loop_test(file, runs, 0, 2);
	tcase_add_test(file, stalled);
	tcase_add_test(file, together);
	tcase_add_test(file, waits_in_a_probe);
	tcase_add_test(file, waits_in_a_run);
	tcase_add_test(file, leaves_runs_alone);
	tcase_add_test(file, set_and_advised_random);
	tcase_add_test(file, limited);
	tcase_add_test(file, interleaved);
	add_tests(file);
	add_tests(anonymous);
	TCase *own = tcase_create("own");
	tcase_add_unchecked_fixture(own, file_once, NULL);
	tcase_set_timeout(own, 60);
	tcase_add_loop_test(own, ends, 2, sizeof units / sizeof *units);
	tcase_add_loop_test(own, new_memory, 0, sizeof units / sizeof *units);
	tcase_add_loop_test(own, no_prefetch, 0, 2);
	suite_add_tcase(suite, own);
	suite_add_tcase(suite, file);
	suite_add_tcase(suite, anonymous);
	return suite_run(suite);
}
