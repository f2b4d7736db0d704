/* SPDX-License-Identifier: MIT */
/* What a user may have of the daemon's descriptors, with several clients each. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "suite.h"

#define MOST	12u
#define CLIENTS 64u

static struct harness h;
static uint32_t clients[CLIENTS], count;

static void setup(void)
{
	struct pager_config config = harness_configure(256, "lru", 0);
	config.user_descriptors = MOST;
	harness_begin(&h, config, NULL);
	count = 0;
}

static void teardown(void)
{
	for (uint32_t i = 0; i < count; i++) {
		struct pager_request remove = {
			.type = PAGER_CLIENT_REMOVE, .client = clients[i], .fd = -1};
		ck_assert_int_eq(harness_request(&h, &remove), 0);
	}
	for (uint32_t i = 0; i < USER_HASH; i++)
		ck_assert_ptr_null(h.pager->users.hash[i]);
	harness_stop(&h);
}

/* One more client of the user's, which is left with one object; what it got for that. */
static int map(uint32_t uid, enum pagerd_kind kind, int file)
{
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD,
		.fd = -1,
		.pid = (uint32_t)getpid(),
		.uid = uid,
		.name = "test",
	};
	ck_assert_uint_lt(count, CLIENTS);
	ck_assert_int_eq(harness_request(&h, &add), 0);
	clients[count++] = add.client;
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = add.client,
		.kind = kind,
		.length = PAGE_BYTES,
		.fd = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, 0),
	};
	int error = harness_request(&h, &map);
	if (!error)
		close(map.fd);
	return error;
}

static int map_anonymous(uint32_t uid)
{
	return map(uid, PAGERD_ANON_PRIVATE, -1);
}

static void let_go(uint32_t client)
{
	struct pager_request request = {.type = PAGER_LET_GO, .client = client, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

static int file_new(void)
{
	char path[] = "/var/tmp/test_user.XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	ck_assert(fd >= 0 && !unlink(path) && !ftruncate(fd, PAGE_BYTES));
	return fd;
}

START_TEST(user_has_a_part)
{
	uint32_t user = geteuid() + 1;
	for (uint32_t i = 0; i < MOST; i++)
		ck_assert_int_eq(map_anonymous(user), 0);
	ck_assert_int_eq(map_anonymous(user), -EUSERS);
	ck_assert_int_eq(map_anonymous(user + USER_HASH), 0); /* his neighbour in the table */
	let_go(clients[3]);
	ck_assert_int_eq(map_anonymous(user), 0);
	ck_assert_int_eq(map_anonymous(user), -EUSERS);
}
END_TEST

START_TEST(owner_and_root_have_all)
{
	for (uint32_t i = 0; i < 2 * MOST; i++) {
		ck_assert_int_eq(map_anonymous(geteuid()), 0);
		ck_assert_int_eq(map_anonymous(0), 0);
	}
}
END_TEST

/* A file is who mapped it first's, for the most descriptors that it may come to have. */
START_TEST(files_count)
{
	uint32_t user = geteuid() + 1, other = user + 1;
	int files[] = {file_new(), file_new(), file_new()};
	ck_assert_int_eq(map(user, PAGERD_FILE_SHARED, files[0]), 0);
	ck_assert_int_eq(map(user, PAGERD_FILE_SHARED, files[0]), 0);
	ck_assert_int_eq(map(user, PAGERD_FILE_PRIVATE, files[0]), 0);
	ck_assert_int_eq(map(user, PAGERD_FILE_SHARED, files[1]), 0);
	ck_assert_int_eq(map(user, PAGERD_FILE_SHARED, files[2]), -EUSERS);
	ck_assert_int_eq(map_anonymous(user), -EUSERS);
	for (uint32_t i = 0; i < MOST; i++)
		ck_assert_int_eq(map(other, PAGERD_FILE_SHARED, files[i % 2]), 0);
	ck_assert_int_eq(map(other, PAGERD_FILE_SHARED, files[2]), 0);
	ck_assert_int_eq(map(user, PAGERD_FILE_SHARED, files[2]), 0);
	for (int i = 0; i < 3; i++)
		close(files[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("user");
	TCase *tcase = tcase_create("user");
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, user_has_a_part);
	tcase_add_test(tcase, owner_and_root_have_all);
	tcase_add_test(tcase, files_count);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
