/* SPDX-License-Identifier: MIT */
/* Several pagers that divide the objects among them, as the daemon sees them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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

static int client_add(struct harness *h, uint32_t *number)
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
	ck_assert_int_eq(client_add(h, &number), -EEXIST);
	number = 1000;
	ck_assert_int_eq(client_add(h, &number), 0);
	ck_assert_uint_eq(number, 1000);
	ck_assert_int_eq(client_add(h, &number), -EEXIST);
	number = 0;
	ck_assert_int_eq(client_add(h, &number), 0);
	ck_assert_uint_eq(number, h->client + 1);
	number = (1u << 24) - 1;
	ck_assert_int_eq(client_add(h, &number), 0);
	number = 1u << 24;
	ck_assert_int_eq(client_add(h, &number), -EUSERS);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = 1000, .fd = -1};
	ck_assert_int_eq(harness_request(h, &remove), 0);
	number = 1000;
	ck_assert_int_eq(client_add(h, &number), 0);
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

static int object_register(struct harness *h, uint64_t object, void *address)
{
	struct pager_request request = {
		.type = PAGER_REGISTER,
		.client = h->client,
		.address = (uintptr_t)address,
		.length = PAGE_BYTES,
		.object = object,
		.fd = -1,
	};
	return harness_request(h, &request);
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
		ck_assert_int_eq(object_register(h, number - 1, spare), -EINVAL);
		ck_assert_int_eq(object_register(h, number + 1, spare), -EINVAL);
		ck_assert_int_eq(object_register(h, number, spare), 0);
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

int main(void)
{
	Suite *suite = suite_create("shards");
	TCase *tcase = tcase_create("shards");
	tcase_add_checked_fixture(tcase, shards_start, shards_stop);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, clients_have_the_number_that_is_asked_for);
	tcase_add_test(tcase, objects_have_numbers_of_their_own);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
