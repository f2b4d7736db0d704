/* SPDX-License-Identifier: MIT */
/* The pager's end: what is acknowledged is in its file, and nobody waits for ever. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bus.h"
#include "harness.h"
#include "held.h"
#include "suite.h"
#include "version.h"

#define BUDGET 256u
#define PAGES  64u
#define MIB    (1ul << 20)

/* More than can be on its way at once: what is left is begun when some has arrived. */
#define SLOW_FILES 9u
#define SLOW_PAGES 1024u

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

/* A turn of the pager's begins and ends after what was asked before. */
static void turns(void)
{
	harness_check(&h);
	harness_check(&h);
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

static void setup(uint64_t budget_pages)
{
	struct pager_config config = harness_configure(budget_pages, "lru", 0);
	config.writeback_age_ms = 0; /* nothing is written before the end */
	harness_begin(&h, config, "/var/tmp");
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
}

static void teardown(void)
{
	pager_destroy(h.pager);
	close(h.uffd);
	close(fd);
}

static void file_check(int file, uint64_t page, uint64_t version)
{
	uint64_t word;
	ck_assert_int_eq(pread(file, &word, sizeof word, (off_t)(page << 12)), sizeof word);
	ck_assert_uint_eq(word, value(page, version));
}

/* ---- tests --------------------------------------------------------------------------------- */

/* Between the request and the end: of a page that was clean and mapped, one that was changed, and
 * one that was absent. */
START_TEST(acknowledged)
{
	struct held held;
	uint64_t page = (uint64_t)_i;
	setup(BUDGET);
	held_begin(&held, &h, PAGES);
	page_check(memory, 0, 0);
	page_write(memory, 1, 1);
	stop_ask();
	turns();
	memory[page * WORDS] = value(page, 2); /* one store: each may have to wait */
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory + page * WORDS, 4096, MS_SYNC), 0);
	file_check(fd, page, 2);
	held_let_go(&held);
	stop_wait();
	teardown();
}
END_TEST

static atomic_bool stored;

static void *store(void *unused)
{
	(void)unused;
	page_write(memory, 0, 1);
	atomic_store(&stored, true);
	return NULL;
}

/* Who wants to write a page that is clean, and there, waits; what was changed before is written
 * meanwhile. Whose turn does not come before the end goes on then; and so does who comes later. */
START_TEST(stores)
{
	pthread_t thread;
	struct held held;
	setup(BUDGET);
	held_begin(&held, &h, PAGES);
	page_check(memory, 0, 0);
	page_write(memory, 1, 1);
	stop_ask();
	turns();
	atomic_store(&stored, false);
	ck_assert(!pthread_create(&thread, NULL, store, NULL));
	usleep(200000);
	turns();
	ck_assert(!atomic_load(&stored));
	held_let_go(&held);
	stop_wait();
	pthread_join(thread, NULL);
	file_check(fd, 0, 0);
	file_check(fd, 1, 1);
	page_write(memory, 1, 2);
	page_write(held.memory, 0, 2);
	teardown();
}
END_TEST

/* A disk that takes its time: longer in all than is waited for one that writes nothing. */
START_TEST(slow)
{
	struct held held[SLOW_FILES];
	setup(SLOW_FILES * SLOW_PAGES + BUDGET);
	for (unsigned i = 0; i < SLOW_FILES; i++)
		held_begin(&held[i], &h, SLOW_PAGES);
	stop_ask();
	for (unsigned i = SLOW_FILES; i-- > 0;) { /* as they are begun with */
		sleep(1);
		held_let_go(&held[i]);
	}
	stop_wait();
	for (unsigned i = 0; i < SLOW_FILES; i++) {
		for (uint64_t page = 0; page < SLOW_PAGES; page++)
			file_check(held[i].fd, page, 1);
		close(held[i].fd);
		close(held[i].uffd);
	}
	teardown();
}
END_TEST

static void answered(struct pager_request *request)
{
	atomic_store((atomic_int *)request->owner, 1 + request->error);
}

/* Who waits for the disk, not only for the file, is told that it has what he wrote. */
START_TEST(flushed)
{
	atomic_int answer = 0;
	setup(BUDGET);
	page_write(memory, 0, 1);
	struct pager_request sync = {
		.type = PAGER_SYNC,
		.client = h.client,
		.fd = -1,
		.address = (uintptr_t)memory,
		.length = 4096,
		.flags = MS_SYNC,
		.done = answered,
		.owner = &answer,
	};
	pager_post(h.pager, &sync);
	stop_ask();
	stop_wait();
	ck_assert_int_eq(atomic_load(&answer), 1);
	teardown();
}
END_TEST

/* All that is not there, also behind what is; where the client has divided its mapping; and where
 * it has unmapped a part and did not say so. */
START_TEST(absent)
{
	setup(BUDGET);
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
	bus_catch();
	for (uint64_t page = 0; page < PAGES; page++)
		ck_assert_int_eq(bus_read(memory + page * WORDS, NULL), page % 7 == 3);
	for (uint64_t page = 0; page < 1024; page++)
		if (page < 400 || page >= 450)
			ck_assert_int_eq(bus_read(anonymous + page * WORDS, NULL), page % 100 == 5);
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
	tcase_add_loop_test(tcase, acknowledged, 0, 3);
	tcase_add_test(tcase, stores);
	tcase_add_test(tcase, slow);
	tcase_add_test(tcase, flushed);
	tcase_add_loop_test(tcase, absent, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
