/* SPDX-License-Identifier: MIT */
/* Settings: pools of clients and objects, and the frames that move between them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "seed.h"
#include "suite.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       512u
#define PAGES	       1024u
#define LIMIT	       64u /* PAGER_BUDGET_MIN_BYTES */

static void memory_write(uint64_t *memory, uint64_t version)
{
	for (uint64_t i = 0; i < PAGES; i++)
		memory[i * 512] = memory[i * 512 + 511] = version + i;
}

static void memory_check(const uint64_t *memory, uint64_t version)
{
	for (uint64_t i = 0; i < PAGES; i++)
		ck_assert_msg(memory[i * 512] == version + i &&
				      memory[i * 512 + 511] == version + i,
			      "page %lu: %lu, not %lu", i, memory[i * 512], version + i);
}

static int set(struct harness *h, uint32_t client, const void *address, uint64_t pages,
	       const char *policy, uint32_t flags)
{
	struct pager_request request = {
		.type = address ? PAGER_SET_OBJECT : PAGER_SET,
		.client = client,
		.address = (uintptr_t)address,
		.length = pages == UINT64_MAX ? pages : pages << PAGE_SHIFT,
		.text = policy,
		.flags = flags,
		.fd = -1,
	};
	return harness_request(h, &request);
}

static int set_object(struct harness *h, uint64_t object, int fd, uint32_t uid, const char *policy)
{
	struct pager_request request = {
		.type = PAGER_SET_OBJECT,
		.object = object,
		.uid = uid,
		.text = policy,
		.fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	return harness_request(h, &request);
}

/* Of the object that is mapped at address. */
static struct region_info region_at(struct harness *h, const void *address)
{
	struct pager_request request = {
		.type = PAGER_SNAPSHOT, .flags = SNAPSHOT_REGIONS, .fd = -1};
	ck_assert_int_eq(harness_request(h, &request), 0);
	struct region_info found = {.client = 0};
	for (size_t i = 0; i < request.snapshot->region_count; i++)
		if (request.snapshot->regions[i].address == (uintptr_t)address)
			found = request.snapshot->regions[i];
	snapshot_free(request.snapshot);
	ck_assert_uint_ne(found.client, 0);
	return found;
}

static void resident_at_most(struct harness *h, const void *address, uint64_t pages)
{
	for (int try = 0; try < 200 && region_at(h, address).resident_pages > pages; try++)
		usleep(10000);
	ck_assert_uint_le(region_at(h, address).resident_pages, pages);
}

static void start(struct harness *h, uint64_t *memory[2])
{
	harness_start(h, BUDGET, "fifo", SWAP_DIRECTORY, 64);
	for (int i = 0; i < 2; i++)
		memory[i] = harness_map(h, PAGERD_ANON_PRIVATE, PAGES << PAGE_SHIFT, -1, 0);
}

/* An object keeps to its limit, and takes nothing from its client's. */
START_TEST(limit_of_an_object)
{
	struct harness h;
	uint64_t *memory[2];
	start(&h, memory);
	ck_assert_int_eq(set(&h, h.client, memory[0], LIMIT, "lru", 0), 0);
	ck_assert_int_eq(set(&h, h.client, NULL, 2 * LIMIT, NULL, 0), 0);
	for (uint64_t version = 1; version < 4; version++) {
		for (int i = 0; i < 2; i++)
			memory_write(memory[i], version);
		for (int i = 0; i < 2; i++)
			memory_check(memory[i], version);
		harness_check(&h);
		struct region_info one = region_at(&h, memory[0]), other = region_at(&h, memory[1]);
		ck_assert_uint_le(one.resident_pages, LIMIT);
		ck_assert_uint_eq(one.limit_pages, LIMIT);
		ck_assert_str_eq(one.policy, "lru");
		ck_assert_uint_le(other.resident_pages, 2 * LIMIT);
		ck_assert_uint_gt(other.resident_pages, LIMIT);
		ck_assert_str_eq(other.policy, "");
	}
	/* And back: the pages count where they did before. */
	ck_assert_int_eq(set(&h, h.client, memory[0], 0, NULL, SET_DEFAULT), 0);
	ck_assert_int_eq(set(&h, h.client, NULL, 0, NULL, SET_DEFAULT), 0);
	ck_assert_str_eq(region_at(&h, memory[0]).policy, "");
	ck_assert_uint_eq(harness_stats(&h).limit_pages, 0);
	memory_check(memory[0], 3);
	ck_assert_uint_gt(region_at(&h, memory[0]).resident_pages, 2 * LIMIT);
	harness_stop(&h);
}
END_TEST

/* A limit below what is resident is reached without losing a page. */
START_TEST(limit_takes_pages)
{
	struct harness h;
	uint64_t *memory[2];
	start(&h, memory);
	memory_write(memory[0], 7);
	ck_assert_int_eq(set(&h, h.client, memory[0], LIMIT, NULL, 0), 0);
	resident_at_most(&h, memory[0], LIMIT);
	harness_check(&h);
	memory_check(memory[0], 7);
	harness_stop(&h);
}
END_TEST

/* What cannot be leaves all as it was, and says why. */
START_TEST(refusals)
{
	static const struct {
		uint64_t pages;
		const char *policy, *why;
	} wrong[] = {
		{LIMIT, "best", "'best'"},
		{LIMIT, "lfu:size=3", "'size'"},
		{LIMIT, "lfu:decay=never", "'decay'"},
		{LIMIT - 1, "lru", "memory"},
		{LIMIT,
		 "lfu:decay=00000000000000000000000000000000000000000000000000000000000000000000000"
		 "00000000000000001",
		 "too long"},
	};
	struct harness h;
	uint64_t *memory[2];
	start(&h, memory);
	ck_assert_int_eq(set(&h, h.client, memory[0], 2 * LIMIT, "lru", 0), 0);
	for (int target = 0; target < 4; target++) {
		struct pager_request request = {
			.type = target < 2 ? PAGER_SET_OBJECT : PAGER_SET,
			.client = target == 3 ? 0 : h.client,
			.address = target < 2 ? (uintptr_t)memory[target] : 0,
			.length = wrong[_i].pages << PAGE_SHIFT,
			.text = wrong[_i].policy,
			.fd = -1,
		};
		ck_assert_int_eq(harness_request(&h, &request), -EINVAL);
		ck_assert_msg(strstr(request.why, wrong[_i].why), "%s", request.why);
		request.flags = SET_CHECK;
		ck_assert_int_eq(harness_request(&h, &request), -EINVAL);
	}
	ck_assert_str_eq(region_at(&h, memory[0]).policy, "lru");
	ck_assert_uint_eq(region_at(&h, memory[0]).limit_pages, 2 * LIMIT);
	ck_assert_str_eq(region_at(&h, memory[1]).policy, "");
	ck_assert_int_eq(set(&h, h.client, memory[1], LIMIT, "lru", SET_CHECK), 0);
	ck_assert_str_eq(region_at(&h, memory[1]).policy, "");
	ck_assert_int_eq(set(&h, 0, NULL, 0, NULL, SET_DEFAULT), -EINVAL);
	ck_assert_int_eq(set(&h, h.client + 5, NULL, LIMIT, NULL, 0), -ESRCH);
	ck_assert_int_eq(set_object(&h, 77, -1, 0, "lru"), -ENOENT);
	harness_stop(&h);
}
END_TEST

/* What has no policy of its own has the daemon's, also when that changes. */
START_TEST(policies_follow)
{
	struct harness h;
	uint64_t *memory[2];
	start(&h, memory);
	memory_write(memory[0], 3);
	ck_assert_int_eq(set(&h, h.client, memory[0], LIMIT, NULL, 0), 0);
	ck_assert_int_eq(set(&h, h.client, memory[1], LIMIT, "lfu:decay=4", 0), 0);
	ck_assert_int_eq(set(&h, 0, NULL, 0, "lru", 0), 0);
	ck_assert_str_eq(region_at(&h, memory[0]).policy, "lru");
	ck_assert_str_eq(region_at(&h, memory[1]).policy, "lfu:decay=4");
	harness_check(&h);
	memory_check(memory[0], 3);
	harness_stop(&h);
}
END_TEST

static int file_make(void)
{
	int fd = open(SWAP_DIRECTORY, O_RDWR | O_TMPFILE, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, PAGES << PAGE_SHIFT), 0);
	return fd;
}

static uint32_t other_user_maps(struct harness *h, int fd, uint32_t uid)
{
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD, .fd = -1, .uid = uid, .name = "other"};
	ck_assert_int_eq(harness_request(h, &add), 0);
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = add.client,
		.kind = PAGERD_FILE_SHARED,
		.length = PAGES << PAGE_SHIFT,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(h, &map), 0);
	close(map.fd);
	return add.client;
}

/* An object is its maker's to set, as long as nobody else has it. */
START_TEST(rights)
{
	struct harness h;
	uint64_t *memory[2];
	int fd = file_make();
	start(&h, memory);
	uint32_t user = other_user_maps(&h, fd, 1000);
	ck_assert_int_eq(set_object(&h, 0, fd, 1001, "lru"), -ENOENT);
	ck_assert_int_eq(set_object(&h, 0, fd, 1000, "lru"), 0);
	uint64_t *file = harness_map(&h, PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	ck_assert_str_eq(region_at(&h, file).policy, ""); /* root maps it, too */
	ck_assert_int_eq(set_object(&h, 0, fd, 1000, "lru"), -ENOENT);
	ck_assert_int_eq(set_object(&h, 0, fd, 0, "lru"), 0);
	other_user_maps(&h, fd, 1001);
	ck_assert_str_eq(region_at(&h, file).policy, "lru"); /* root has set it */
	ck_assert_int_eq(set_object(&h, region_at(&h, memory[0]).object, -1, 1000, "lru"), -ENOENT);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = user, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &remove), 0);
	harness_stop(&h);
	close(fd);
}
END_TEST

/* Pools end with their objects and clients; there are not so many. */
START_TEST(pools_end)
{
	struct harness h;
	uint64_t *memory[2];
	start(&h, memory);
	memory_write(memory[0], 1);
	for (int i = 0; i < 5000; i++) {
		volatile char *page = harness_map(&h, PAGERD_ANON_PRIVATE, PAGE_BYTES, -1, 0);
		*page = 1;
		ck_assert_int_eq(set(&h, h.client, (void *)page, LIMIT, NULL, 0), 0);
		harness_unmap(&h, (void *)page, PAGE_BYTES);
		if (i % 1000 == 0)
			harness_check(&h);
	}
	memory_check(memory[0], 1);
	harness_stop(&h);
}
END_TEST

struct worker {
	uint64_t *memory;
	atomic_bool stop;
	uint64_t rounds;
};

static void *worker_run(void *context)
{
	struct worker *worker = context;
	while (!worker->stop) {
		memory_write(worker->memory, ++worker->rounds);
		memory_check(worker->memory, worker->rounds);
	}
	return NULL;
}

/* Everything is set all the time, while programs go through their memory. */
START_TEST(set_while_running)
{
	static const char *const policies[] = {NULL, "fifo", "lru", "lfu", "lfu:decay=4"};
	struct harness h;
	uint64_t *memory[2];
	pthread_t threads[2];
	unsigned seed = (unsigned)seed_get();
	srandom(seed);
	harness_chaos = _i ? seed + 1 : 0;
	start(&h, memory);
	struct worker workers[2] = {{.memory = memory[0]}, {.memory = memory[1]}};
	for (int i = 0; i < 2; i++)
		ck_assert(!pthread_create(&threads[i], NULL, worker_run, &workers[i]));
	for (int i = 0; i < 300; i++) {
		int target = (int)(random() % 4);
		bool reset = target < 3 && random() % 4 == 0;
		uint64_t pages = random() % 3 ? LIMIT + (uint64_t)random() % PAGES : 0;
		const char *policy = policies[random() % 5];
		ck_assert_int_eq(set(&h, target < 3 ? h.client : 0,
				     target < 2 ? memory[target] : NULL, reset ? 0 : pages,
				     reset ? NULL : policy, reset ? SET_DEFAULT : 0),
				 0);
		harness_check(&h);
		usleep(2000);
	}
	for (int i = 0; i < 2; i++)
		workers[i].stop = true;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	harness_stop(&h);
	harness_chaos = 0;
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("setting");
	TCase *tcase = tcase_create("setting");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, limit_of_an_object);
	tcase_add_test(tcase, limit_takes_pages);
	tcase_add_loop_test(tcase, refusals, 0, 5);
	tcase_add_test(tcase, policies_follow);
	tcase_add_test(tcase, rights);
	tcase_add_test(tcase, pools_end);
	tcase_add_loop_test(tcase, set_while_running, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
