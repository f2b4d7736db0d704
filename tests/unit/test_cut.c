/* SPDX-License-Identifier: MIT */
/* Somebody who does not map a file makes it shorter: who does has nothing behind its end. */
#include <check.h>
#include <errno.h>
#include <unistd.h>

#include "bus.h"
#include "fake_agent.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define PAGES 256u
#define LEFT  100u

static struct harness h;
static struct fake_agent agent;
static int fd;
static uint64_t *shared, *own;

static void setup(uint64_t budget)
{
	harness_start(&h, budget, "lru", "/var/tmp", 0);
	fake_agent_begin(&agent, &h, NULL);
	bus_catch();
	fd = file_make(PAGES, 0);
	shared = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	own = harness_map(&h, PAGERD_FILE_PRIVATE, (uint64_t)PAGES << 12, fd, 0);
	range_check(shared, 0, PAGES, 0);
	range_check(own, 0, PAGES, 0);
	range_write(own, 0, PAGES, 2);
	range_write(shared, 0, PAGES, 1);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
	fake_agent_end(&agent);
	close(fd);
}

static int cut_request(int of, uint64_t offset, uint32_t flags)
{
	struct pager_request request = {
		.type = PAGER_FILE_CUT,
		.offset = offset,
		.flags = flags,
		.fd = fcntl(of, F_DUPFD_CLOEXEC, 0),
	};
	return harness_request(&h, &request);
}

static bool behind_the_end(const uint64_t *memory, uint64_t page)
{
	return !bus_read(memory + page * WORDS, NULL);
}

/* With pages in memory, or for the most part in the file and in swap; or in memory, and not told
 * before, so that there are pages that are still to be written. */
START_TEST(goes)
{
	setup(_i & 1 ? PAGES / 4 : 4 * PAGES);
	if (_i < 2)
		ck_assert_int_eq(cut_request(fd, LEFT << 12, 0), 0);
	ck_assert(!ftruncate(fd, LEFT << 12));
	ck_assert_int_eq(cut_request(fd, 0, PAGERD_CUT_DONE), 0);
	harness_check(&h);
	ck_assert(behind_the_end(shared, PAGES - 1));
	ck_assert(behind_the_end(own, PAGES - 1));
	range_check(shared, 0, LEFT, 1);
	range_check(own, 0, LEFT, 2);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), LEFT << 12);
	ck_assert(!ftruncate(fd, PAGES << 12));
	zeros_check(shared, LEFT, PAGES - 1);
	zeros_check(own, LEFT, PAGES - 1);
	range_write(own, LEFT, PAGES - 1, 3);
	range_check(own, 0, LEFT, 2);
	range_check(own, LEFT, PAGES - 1, 3);
	zeros_check(shared, LEFT, PAGES - 1);
	teardown();
}
END_TEST

/* The kernel leaves private copies of the page in which the file ends. */
START_TEST(in_the_middle_of_a_page)
{
	setup(4 * PAGES);
	ck_assert_int_eq(cut_request(fd, (LEFT << 12) + 100, 0), 0);
	ck_assert(!ftruncate(fd, (LEFT << 12) + 100));
	ck_assert_int_eq(cut_request(fd, 0, PAGERD_CUT_DONE), 0);
	range_check(shared, 0, LEFT, 1);
	ck_assert_uint_eq(shared[LEFT * WORDS], value(LEFT, 1));
	ck_assert_uint_eq(shared[LEFT * WORDS + WORDS - 1], 0);
	range_check(own, 0, LEFT + 1, 2);
	ck_assert(behind_the_end(own, LEFT + 1));
	teardown();
}
END_TEST

/* Whatever the sender says: nothing that counts goes. */
START_TEST(of_what_is_as_long_as_it_was)
{
	setup(_i ? PAGES / 4 : 4 * PAGES);
	ck_assert_int_eq(cut_request(fd, 0, PAGERD_CUT_DONE), 0);
	range_check(shared, 0, PAGES, 1);
	range_check(own, 0, PAGES, 2);
	ck_assert_int_eq(cut_request(fd, 0, 0), 0);
	ck_assert_uint_eq(harness_stats(&h).faults_error, 0);
	range_check(shared, 0, PAGES, 1);
	range_check(own, 0, PAGES, 2);
	teardown();
}
END_TEST

START_TEST(of_what_nobody_maps)
{
	setup(4 * PAGES);
	int other = file_make(1, 0);
	ck_assert_int_eq(cut_request(other, 0, 0), -ENOENT);
	ck_assert_int_eq(cut_request(other, 0, PAGERD_CUT_DONE), -ENOENT);
	close(other);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cut");
	TCase *tcase = tcase_create("by another");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, goes, 0, 3);
	tcase_add_test(tcase, in_the_middle_of_a_page);
	tcase_add_loop_test(tcase, of_what_is_as_long_as_it_was, 0, 2);
	tcase_add_test(tcase, of_what_nobody_maps);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
