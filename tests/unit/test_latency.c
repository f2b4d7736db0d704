/* SPDX-License-Identifier: MIT */
/* Low latency: which pagers look for completions, and when. */
#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "core.h"
#include "suite.h"

#define AUTO  2
#define LATER 1000000000ull

static int device;

/* Nothing of it but what this is about. */
static struct pager *pager_make(int low_latency)
{
	struct pager *pager = calloc(1, sizeof *pager);
	pager->config.latency_fd = device;
	pager->config.low_latency = low_latency;
	latency_start(pager);
	return pager;
}

static void pager_end(struct pager *pager)
{
	latency_stop(pager);
	ck_assert(!latency_polls(pager));
	free(pager);
}

static void turn(struct pager *pager, uint32_t events)
{
	pager->now_ns += LATER;
	pager->latency.events = events;
	latency_update(pager);
}

static void open_device(void)
{
	device = open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void close_device(void)
{
	close(device);
}

START_TEST(while_events_come_fast)
{
	struct pager *pager = pager_make(AUTO);
	turn(pager, 10);
	ck_assert(!latency_polls(pager));
	ck_assert_uint_eq(latency_window_ns(pager), 0);
	turn(pager, 1000);
	ck_assert(latency_polls(pager));
	ck_assert_uint_ne(latency_window_ns(pager), 0);
	turn(pager, 1);
	ck_assert(latency_polls(pager));
	turn(pager, 0);
	ck_assert(!latency_polls(pager));
	ck_assert_uint_eq(latency_window_ns(pager), 0);
	pager_end(pager);
}
END_TEST

START_TEST(as_configured)
{
	struct pager *on = pager_make(1), *off = pager_make(0);
	ck_assert(latency_polls(on));
	turn(on, 1000);
	turn(off, 1000);
	ck_assert(latency_polls(on));
	ck_assert(!latency_polls(off));
	turn(on, 0);
	ck_assert(latency_polls(on));
	ck_assert_uint_eq(latency_window_ns(on), 0);
	pager_end(on);
	pager_end(off);
}
END_TEST

/* More than half of the processors are never spent on looking. */
START_TEST(not_too_many_of_them)
{
	struct pager *first = pager_make(AUTO);
	uint32_t most = first->latency.busy_most;
	struct pager **others = calloc(most, sizeof(struct pager *));
	ck_assert_uint_le(most, (uint32_t)sysconf(_SC_NPROCESSORS_ONLN));
	turn(first, 1000);
	for (uint32_t i = 0; i < most; i++) {
		ck_assert(latency_polls(first));
		others[i] = pager_make(i % 2 ? AUTO : 1);
		turn(others[i], 1000);
	}
	ck_assert(!latency_polls(first));
	ck_assert(!latency_polls(others[0]));
	/* One of them has nothing to do. */
	turn(others[0], 0);
	ck_assert(latency_polls(first));
	turn(others[0], 1000);
	ck_assert(!latency_polls(first));
	for (uint32_t i = 0; i < most; i++)
		pager_end(others[i]);
	ck_assert(latency_polls(first));
	pager_end(first);
	free(others);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("latency");
	TCase *tcase = tcase_create("latency");
	tcase_add_checked_fixture(tcase, open_device, close_device);
	tcase_add_test(tcase, while_events_come_fast);
	tcase_add_test(tcase, as_configured);
	tcase_add_test(tcase, not_too_many_of_them);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
