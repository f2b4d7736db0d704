/* SPDX-License-Identifier: MIT */
/* Several pagers that divide the objects among them, as the daemon sees them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "suite.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       256u
#define SHARDS	       3u

static struct harness shards[SHARDS];

static void shards_start(void)
{
	for (uint32_t i = 0; i < SHARDS; i++) {
		struct pager_config config = harness_configure(BUDGET, "lru", 0);
		config.shard = i;
		config.shards = SHARDS;
		harness_begin(&shards[i], config, SWAP_DIRECTORY);
	}
}

static void shards_stop(void)
{
	for (uint32_t i = 0; i < SHARDS; i++)
		harness_stop(&shards[i]);
}

/* ---- clients ----------------------------------------------------------------------------- */

static int other_client(struct harness *h, uint32_t *number)
{
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD, .fd = -1, .name = "other", .client = *number};
	int error = harness_request(h, &add);
	*number = add.client;
	return error;
}

START_TEST(clients_have_the_number_that_is_asked_for)
{
	struct harness *h = &shards[0];
	uint32_t number = h->client;
	ck_assert_int_eq(other_client(h, &number), -EEXIST);
	number = 1000;
	ck_assert_int_eq(other_client(h, &number), 0);
	ck_assert_uint_eq(number, 1000);
	ck_assert_int_eq(other_client(h, &number), -EEXIST);
	number = 0;
	ck_assert_int_eq(other_client(h, &number), 0);
	ck_assert_uint_eq(number, h->client + 1);
	number = (1u << 24) - 1;
	ck_assert_int_eq(other_client(h, &number), 0);
	number = 1u << 24;
	ck_assert_int_eq(other_client(h, &number), -EUSERS);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = 1000, .fd = -1};
	ck_assert_int_eq(harness_request(h, &remove), 0);
	number = 1000;
	ck_assert_int_eq(other_client(h, &number), 0);
}
END_TEST

/* It leaves all shards before it is removed from the first. A DRAIN may come in between, to all of
 * them, and what the client wrote is to be known by then: who has gone is removed at once. */
START_TEST(clients_that_have_gone_leave_at_once)
{
	struct harness *h = &shards[0];
	uint32_t number = 1000;
	struct pager_request leave = {.type = PAGER_CLIENT_LEAVE, .client = number, .fd = -1};
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = number, .fd = -1};
	ck_assert_int_eq(other_client(h, &number), 0);
	ck_assert_int_eq(harness_request(h, &leave), 0);
	ck_assert_int_eq(harness_request(h, &remove), -ESRCH);
	/* This one is alive. */
	uint64_t *memory = harness_map(h, PAGERD_ANON_PRIVATE, PAGE_BYTES, -1, 0);
	leave.client = h->client;
	ck_assert_int_eq(harness_request(h, &leave), 0);
	memory[0] = 5;
	harness_unmap(h, memory, PAGE_BYTES);
}
END_TEST

/* That there is nothing differs from what else -ENOMEM is. */
START_TEST(nothing_is_told_from_short_memory)
{
	static const enum pager_request_type types[] = {PAGER_SYNC, PAGER_DISCARD, PAGER_ADVISE};
	struct harness *h = &shards[1];
	char *memory = harness_map(h, PAGERD_ANON_PRIVATE, PAGE_BYTES, -1, 0);
	for (int i = 0; i < 3; i++) {
		struct pager_request request = {.type = types[i],
						.client = h->client,
						.address = (uintptr_t)memory + PAGE_BYTES,
						.length = PAGE_BYTES,
						.fd = -1};
		ck_assert_int_eq(harness_request(h, &request), -ENOMEM);
		ck_assert(request.nothing);
		request.address -= PAGE_BYTES;
		ck_assert_int_eq(harness_request(h, &request), 0);
		ck_assert(!request.nothing);
	}
	harness_unmap(h, memory, PAGE_BYTES);
}
END_TEST

/* ---- objects ----------------------------------------------------------------------------- */

static uint64_t object_made(struct harness *h)
{
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = h->client,
		.kind = PAGERD_ANON_PRIVATE,
		.writable = true,
		.length = PAGE_BYTES,
		.fd = -1,
	};
	ck_assert_int_eq(harness_request(h, &map), 0);
	close(map.fd);
	return map.object;
}

static int object_set(struct harness *h, uint64_t object)
{
	struct pager_request set = {
		.type = PAGER_SET_OBJECT, .object = object, .text = "fifo", .fd = -1};
	return harness_request(h, &set);
}

/* No two shards' objects have one number, and it is the same in all that is said of one. */
START_TEST(objects_have_numbers_of_their_own)
{
	for (uint32_t i = 0; i < SHARDS; i++) {
		struct harness *h = &shards[i];
		uint64_t *memory = harness_map(h, PAGERD_ANON_PRIVATE, PAGE_BYTES, -1, 0);
		uint64_t number = SHARDS + i + 1;
		void *spare = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		ck_assert_uint_eq(object_made(h), number);
		ck_assert_int_eq(harness_register(h, spare, PAGE_BYTES, number - 1, 0), -EINVAL);
		ck_assert_int_eq(harness_register(h, spare, PAGE_BYTES, number + 1, 0), -EINVAL);
		ck_assert_int_eq(harness_register(h, spare, PAGE_BYTES, number, 0), 0);
		ck_assert_int_eq(object_set(h, number), 0);
		ck_assert_int_eq(object_set(h, number - 1), -ENOENT);
		ck_assert_int_eq(object_set(h, number + 1), -ENOENT);
		ck_assert_int_eq(object_set(h, number - SHARDS), 0);
		ck_assert_int_eq(object_set(h, 0), -ENOENT);
		harness_unmap(h, memory, PAGE_BYTES);
		harness_unmap(h, spare, PAGE_BYTES);
	}
}
END_TEST

/* ---- statistics -------------------------------------------------------------------------- */

#define PAGES 64u

/* Every shard has memory of the client's, of which so many pages were touched. */
static void touch(void *memory[SHARDS], uint32_t pages)
{
	for (uint32_t i = 0; i < SHARDS; i++) {
		memory[i] = harness_map(&shards[i], PAGERD_ANON_PRIVATE, PAGES * PAGE_BYTES, -1, 0);
		for (uint32_t k = 0; k < pages; k++)
			((char *)memory[i])[k * PAGE_BYTES] = 1;
	}
}

static void untouch(void *memory[SHARDS])
{
	for (uint32_t i = 0; i < SHARDS; i++)
		harness_unmap(&shards[i], memory[i], PAGES * PAGE_BYTES);
}

static struct pager_snapshot *snapshot_of(uint32_t first, uint32_t count)
{
	struct pager_request request = {.type = PAGER_SNAPSHOT,
					.flags = SNAPSHOT_CLIENTS | SNAPSHOT_OBJECTS |
						 SNAPSHOT_REGIONS,
					.fd = -1};
	for (uint32_t i = first; i < first + count; i++)
		ck_assert_int_eq(harness_request(&shards[i % SHARDS], &request), 0);
	return request.snapshot;
}

/* A client that the shards before it know nothing of, and has something of its own. */
static void other_add(struct harness *h)
{
	uint32_t number = 1000;
	struct pager_request set = {
		.type = PAGER_SET, .client = number, .text = "fifo", .unit = 4, .fd = -1};
	ck_assert_int_eq(other_client(h, &number), 0);
	ck_assert_int_eq(harness_request(h, &set), 0);
}

static void regions_check(const struct pager_snapshot *sum, void *memory[SHARDS])
{
	uint64_t found = 0;
	ck_assert_uint_eq(sum->region_count, SHARDS);
	for (uint32_t i = 0; i < SHARDS; i++) {
		if (i)
			ck_assert_uint_gt(sum->regions[i].address, sum->regions[i - 1].address);
		for (uint32_t k = 0; k < SHARDS; k++)
			if (sum->regions[i].address == (uintptr_t)memory[k] &&
			    sum->regions[i].object == k + 1)
				found |= 1u << k;
	}
	ck_assert_uint_eq(found, (1u << SHARDS) - 1);
}

/* Whichever shard is asked first. */
START_TEST(snapshots_add_up)
{
	void *memory[SHARDS];
	touch(memory, PAGES);
	other_add(&shards[1]);
	struct pager_snapshot *sum = snapshot_of((uint32_t)_i, SHARDS);
	ck_assert_uint_eq(sum->client_count, 2);
	const struct client_info *client = &sum->clients[0], *other = &sum->clients[1];
	ck_assert_uint_eq(client->client, 1);
	ck_assert_str_eq(client->name, "test");
	ck_assert_uint_eq(client->pid, (uint32_t)getpid());
	ck_assert_uint_eq(client->stats.faults_zero, SHARDS * PAGES);
	ck_assert_uint_eq(client->stats.resident_pages, SHARDS * PAGES);
	ck_assert_uint_eq(client->stats.resident_max_pages, SHARDS * PAGES);
	ck_assert_uint_eq(client->stats.dirty_pages, SHARDS * PAGES);
	ck_assert_uint_eq(client->stats.mapped_pages, SHARDS * PAGES);
	ck_assert_uint_eq(client->latency->total, SHARDS * PAGES);
	ck_assert_str_eq(other->policy, "fifo");
	ck_assert_uint_eq(other->unit, 4);
	ck_assert_ptr_null(other->latency);
	ck_assert_uint_eq(sum->object_count, SHARDS);
	regions_check(sum, memory);
	ck_assert_uint_eq(sum->budget_pages, SHARDS * BUDGET);
	ck_assert_uint_eq(sum->used_pages, SHARDS * PAGES);
	ck_assert_uint_eq(sum->total.faults_zero, SHARDS * PAGES);
	ck_assert_uint_eq(sum->total.limit_pages, SHARDS * BUDGET);
	ck_assert_uint_eq(sum->latency->total, SHARDS * PAGES);
	ck_assert_uint_eq(sum->sessions_ever, (uint64_t)1 + (_i == 1));
	snapshot_free(sum);
	untouch(memory);
}
END_TEST

/* Two shards, one of which had but one fault, and a slow one. */
START_TEST(latencies_are_not_averaged)
{
	struct histogram fast = {0}, slow = {0};
	struct pager_snapshot *sums[2];
	for (int i = 0; i < 99; i++)
		histogram_add(&fast, 1000);
	histogram_add(&slow, 1000000);
	for (int i = 0; i < 2; i++) {
		struct pager_snapshot *sum = sums[i] = calloc(1, sizeof *sum);
		sum->clients = calloc(1, sizeof *sum->clients);
		sum->client_count = 1;
		sum->clients[0].client = 7;
		sum->clients[0].latency = malloc(sizeof fast);
		sum->latency = malloc(sizeof fast);
		*sum->clients[0].latency = *sum->latency = i ? slow : fast;
	}
	ck_assert_int_eq(snapshot_join(sums[0], sums[1], false), 0);
	const struct pagerd_stats *stats = &sums[0]->clients[0].stats;
	ck_assert_uint_eq(sums[0]->client_count, 1);
	ck_assert_uint_lt(stats->fault_p50_ns, 1100);
	ck_assert_uint_lt(stats->fault_p99_ns, 1100);
	ck_assert_uint_ge(stats->fault_p999_ns, 1000000);
	ck_assert_uint_eq(stats->fault_max_ns, 1000000);
	ck_assert_uint_eq(sums[0]->total.fault_p999_ns, stats->fault_p999_ns);
	snapshot_free(sums[0]);
}
END_TEST

/* What each of them does about looking for references is its own affair. */
START_TEST(access_is_of_all)
{
	static const char *const names[SHARDS + 1] = {
		"auto (harvest:1)", "auto (harvest:1 in 2 of 3 threads)",
		"auto (harvest:1 in 1 of 3 threads)", "auto (faults)"};
	char name[ACCESS_SOURCE_NAME];
	for (uint32_t idle = 0; idle <= SHARDS; idle++) {
		struct pager_snapshot *sum = NULL;
		for (uint32_t i = 0; i < SHARDS; i++) {
			struct pager_snapshot *one = calloc(1, sizeof *one);
			one->access_auto = true;
			one->access_looks = one->access_shards = 1;
			one->access_idle = i >= SHARDS - idle;
			if (sum)
				ck_assert_int_eq(snapshot_join(sum, one, true), 0);
			else
				sum = one;
		}
		access_describe(sum, name);
		ck_assert_str_eq(name, names[idle]);
		snapshot_free(sum);
	}
}
END_TEST

START_TEST(statistics_of_a_client_add_up)
{
	struct histogram latency = {0};
	void *memory[SHARDS];
	touch(memory, PAGES);
	struct pager_request request = {
		.type = PAGER_STATS, .client = 1, .latency = &latency, .fd = -1};
	for (uint32_t i = 0; i < SHARDS; i++)
		ck_assert_int_eq(harness_request(&shards[i], &request), 0);
	stats_latency(&request.stats, &latency);
	ck_assert_uint_eq(request.stats.size, sizeof request.stats);
	ck_assert_uint_eq(request.stats.faults_zero, SHARDS * PAGES);
	ck_assert_uint_eq(request.stats.dirty_pages, SHARDS * PAGES);
	ck_assert_uint_eq(latency.total, SHARDS * PAGES);
	ck_assert_uint_eq(request.stats.fault_max_ns, latency.max_ns);
	ck_assert_uint_ne(request.stats.fault_p50_ns, 0);
	untouch(memory);
}
END_TEST

/* All shards are told of a fork, and it was one. */
START_TEST(forks_are_counted_once)
{
	for (uint32_t i = 0; i < SHARDS; i++) {
		uint32_t child = 2;
		ck_assert_int_eq(other_client(&shards[i], &child), 0);
		struct pager_request request = {
			.type = PAGER_FORK, .client = 1, .child = child, .fd = -1};
		ck_assert_int_eq(harness_request(&shards[i], &request), 0);
		request.type = PAGER_FORK_END;
		ck_assert_int_eq(harness_request(&shards[i], &request), 0);
	}
	struct pager_snapshot *sum = snapshot_of(0, SHARDS);
	ck_assert_uint_eq(sum->total.forks, 1);
	ck_assert_uint_eq(sum->clients[0].stats.forks, 1);
	snapshot_free(sum);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shards");
	TCase *tcase = tcase_create("shards");
	tcase_add_checked_fixture(tcase, shards_start, shards_stop);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, clients_have_the_number_that_is_asked_for);
	tcase_add_test(tcase, clients_that_have_gone_leave_at_once);
	tcase_add_test(tcase, nothing_is_told_from_short_memory);
	tcase_add_test(tcase, objects_have_numbers_of_their_own);
	tcase_add_loop_test(tcase, snapshots_add_up, 0, SHARDS);
	tcase_add_test(tcase, latencies_are_not_averaged);
	tcase_add_test(tcase, access_is_of_all);
	tcase_add_test(tcase, statistics_of_a_client_add_up);
	tcase_add_test(tcase, forks_are_counted_once);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
