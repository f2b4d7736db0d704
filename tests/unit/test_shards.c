/* SPDX-License-Identifier: MIT */
/* Several pagers that divide the objects among them, as the daemon sees them. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

int main(void)
{
	Suite *suite = suite_create("shards");
	TCase *tcase = tcase_create("shards");
	tcase_add_checked_fixture(tcase, shards_start, shards_stop);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, clients_have_the_number_that_is_asked_for);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
