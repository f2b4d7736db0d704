/* SPDX-License-Identifier: MIT */
/* The pager's end: nobody waits for ever. */
#include <check.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "suite.h"
#include "version.h"

#define BUDGET 256u
#define PAGES  64u
#define MIB    (1ul << 20)

static struct harness h;
static int fd = -1;
static uint64_t *memory; /* the file's */

/* ---- the end, as it is asked for ----------------------------------------------------------- */

static pthread_t stopper;

static void *stop_thread(void *unused)
{
	(void)unused;
	struct pager_request stop = {.type = PAGER_STOP, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &stop), 0);
	return NULL;
}

static void stop_ask(void)
{
	ck_assert(!pthread_create(&stopper, NULL, stop_thread, NULL));
	usleep(50000);
}

/* Nothing is served any more, but the userfaultfd is there. */
static void stop_wait(void)
{
	pthread_join(stopper, NULL);
	pthread_join((pthread_t)h.thread, NULL);
}

static void setup(void)
{
	harness_start(&h, BUDGET, "lru", "/var/tmp", 0);
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
}

static void teardown(void)
{
	pager_destroy(h.pager);
	close(h.uffd);
	close(fd);
}

/* ---- tests --------------------------------------------------------------------------------- */

static sigjmp_buf bus_jump;

static void on_bus(int number)
{
	siglongjmp(bus_jump, number);
}

/* 1: the load gave SIGBUS. */
static int bus(const uint64_t *at)
{
	if (sigsetjmp(bus_jump, 1))
		return 1;
	(void)*(const volatile uint64_t *)at;
	return 0;
}

/* All that is not there, also behind what is; where the client has divided its mapping; and where
 * it has unmapped a part and did not say so. */
START_TEST(absent)
{
	setup();
	uint64_t *anonymous = harness_map(&h, PAGERD_ANON_PRIVATE, 4 * MIB, -1, 0);
	for (uint64_t page = 3; page < PAGES; page += 7)
		page_check(memory, page, 0);
	ck_assert_int_eq(mprotect(memory + 20 * WORDS, 5 << 12, PROT_READ), 0);
	for (uint64_t page = 5; page < 1024; page += 100)
		page_write(anonymous, page, 1);
	munmap(anonymous + 400 * WORDS, 50 << 12);
	if (_i) /* part of it is not ours */
		mmap(anonymous + 410 * WORDS, 4096, PROT_READ,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	stop_ask();
	stop_wait();
	signal(SIGBUS, on_bus);
	for (uint64_t page = 0; page < PAGES; page++)
		ck_assert_int_eq(bus(memory + page * WORDS), page % 7 != 3);
	for (uint64_t page = 0; page < 1024; page++)
		if (page < 400 || page >= 450)
			ck_assert_int_eq(bus(anonymous + page * WORDS), page % 100 != 5);
	page_write(anonymous, 5, 2);
	page_write(anonymous, 905, 2);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stop");
	TCase *tcase = tcase_create("the end");
	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, absent, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
