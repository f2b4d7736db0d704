/* SPDX-License-Identifier: MIT */
/* Writing a mapped file without asking: the client's half of the protocol against the pager. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../client/board.h"
#include "effort.h"
#include "harness.h"
#include "stores.h"
#include "suite.h"
#include "version.h"

static struct harness h;
static struct board board;
static uint64_t *memory;
static int fd = -1;

/* Instead of the client's, over its socket. */
int session_board(struct session *session, int file, uint32_t flags, struct session_object *object)
{
	struct pager_request request = {
		.type = PAGER_BOARD,
		.client = h.client,
		.flags = flags,
		.fd = fcntl(file, F_DUPFD_CLOEXEC, 0),
	};
	(void)session;
	int error = harness_request(&h, &request);
	*object = (struct session_object){
		.memfd = request.fd,
		.number = request.object,
		.offset = request.offset,
	};
	return error;
}

/* A turn of the pager's ends a moment after its answers. */
static void free_wait(void)
{
	while (__atomic_load_n(&board.head->held, __ATOMIC_SEQ_CST))
		usleep(100);
}

/* Somebody waits for the lock. */
static void waiting_wait(void)
{
	while (!__atomic_load_n(&board.head->waiting, __ATOMIC_SEQ_CST))
		usleep(100);
}

static void setup(uint64_t budget_pages)
{
	harness_start(&h, budget_pages, "lru", NULL, 64);
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	ck_assert_int_eq(board_see(&board, NULL, fd), 0);
	ck_assert_int_eq(board_see_lock(&board, NULL, fd), 0);
	free_wait();
}

static void teardown(void)
{
	harness_check(&h);
	board_finish(&board);
	harness_stop(&h);
	close(fd);
	harness_chaos = 0;
}

static int file_request(enum pager_request_type type, uint64_t page, uint64_t count)
{
	struct pager_request request = {
		.type = type,
		.client = h.client,
		.flags = type == PAGER_FILE_BEGIN ? PAGERD_FILE_WRITE : 0,
		.offset = page << 12,
		.length = count << 12,
		.fd = type == PAGER_FILE_BEGIN ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1,
	};
	return harness_request(&h, &request);
}

static void ask(uint64_t page, uint64_t count)
{
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, page, count), 0);
	ck_assert_int_eq(file_request(PAGER_FILE_END, page, count), 0);
}

static bool lock(uint64_t page, uint64_t count)
{
	for (int tries = 0; tries < 100; tries++) {
		if (board_lock(&board, page << 12, count << 12))
			return true;
		usleep(100); /* the pager may be in the middle of something */
	}
	return false;
}

/* Write a word of a page and, if the file is locked, show it; false if the pager has to. */
static bool word_write(uint64_t page, uint64_t index, uint64_t word)
{
	uint64_t at = (page << 12) + index * sizeof word;
	ck_assert_int_eq(pwrite(fd, &word, sizeof word, (off_t)at), sizeof word);
	return !board.lock->owner || board_show(&board, at, &word, sizeof word);
}

static bool page_put(uint64_t page, uint64_t version)
{
	bool first = word_write(page, 0, value(page, version));
	return word_write(page, WORDS - 1, value(page, version)) && first;
}

/* As the library does. Whether somebody has waited. */
static bool unlock(uint64_t page, uint64_t count, bool shown)
{
	if (!shown)
		ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, page, count), 0);
	bool waited = board_unlock(&board);
	if (!shown)
		ck_assert_int_eq(file_request(PAGER_FILE_END, page, count), 0);
	else if (waited)
		ask(page, count);
	return waited;
}

static struct pagerd_stats stats(void)
{
	return harness_stats(&h);
}

/* ---- one thread -------------------------------------------------------------------------- */

START_TEST(shown_without_asking)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES / 2, 0);
	/* What is read ahead comes in, or was never begun. */
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_RANDOM), 0);
	usleep(100000);
	uint64_t read = stats().pages_read, resident = stats().resident_pages;
	ck_assert(lock(0, 256));
	for (uint64_t i = 0; i < 256; i++)
		ck_assert(page_put(i, 1));
	ck_assert(!board_unlock(&board));
	range_check(memory, 0, 256, 1);
	ck_assert_uint_eq(stats().pages_read, read);
	ck_assert_uint_eq(stats().resident_pages, resident);
	ck_assert_uint_eq(stats().dirty_pages, 0);
	range_check(memory, 256, PAGES, 0);
	teardown();
}
END_TEST

/* What is not there is not made to be. */
START_TEST(absent_stays_absent)
{
	setup(2 * PAGES);
	ck_assert(lock(100, 4));
	for (uint64_t i = 100; i < 104; i++)
		ck_assert(page_put(i, 1));
	ck_assert(!board_unlock(&board));
	ck_assert_uint_eq(stats().resident_pages, 0);
	harness_check(&h);
	range_check(memory, 100, 104, 1);
	range_check(memory, 104, 200, 0);
	teardown();
}
END_TEST

/* A run that lies in pages that are there and others. */
START_TEST(runs_end_at_absent_pages)
{
	static uint64_t words[8 * WORDS];
	setup(2 * PAGES);
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_RANDOM), 0);
	for (uint64_t i = 0; i < 8; i++) {
		words[i * WORDS] = words[i * WORDS + WORDS - 1] = value(40 + i, 1);
		if (i % 3)
			page_check(memory, 40 + i, 0);
	}
	ck_assert(lock(40, 8));
	ck_assert_int_eq(pwrite(fd, words, sizeof words, 40 << 12), sizeof words);
	ck_assert(board_show(&board, 40 << 12, words, sizeof words));
	ck_assert(!board_unlock(&board));
	harness_check(&h);
	range_check(memory, 40, 48, 1);
	teardown();
}
END_TEST

static bool settled(uint64_t page, uint64_t count)
{
	return board_settled(&board, page << 12, count << 12);
}

/* A changed page is known until it is in the file. */
START_TEST(changes_are_known)
{
	setup(2 * PAGES);
	ck_assert(settled(0, 0));
	memory[5 * WORDS + MIDDLE] = 42;
	ck_assert(!settled(0, 0)); /* at once */
	ck_assert(!settled(5, 1));
	free_wait();
	ck_assert(!settled(0, 0));
	ck_assert(!settled(5, 1));
	ck_assert(!settled(3, 3));
	ck_assert(settled(6, 10));
	ck_assert(!lock(5, 1));
	ck_assert(lock(6, 1));
	ck_assert(!board_unlock(&board));
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	free_wait();
	ck_assert(settled(0, 0));
	ck_assert(lock(5, 1));
	ck_assert(!board_unlock(&board));
	teardown();
}
END_TEST

/* So is each page of a run that is brought in writable, as soon as it is stored into. */
START_TEST(runs_are_known)
{
	setup(2 * PAGES);
	ck_assert_int_eq(fsync(fd), 0); /* it has all its blocks */
	for (uint64_t i = 0; i < PAGES; i++) {
		memory[i * WORDS + MIDDLE] = i;
		ck_assert_msg(!settled(i, 1), "page %lu", i);
	}
	teardown();
}
END_TEST

/* The table moves and grows with the object. */
START_TEST(longer)
{
	setup(2 * PAGES);
	range_check(memory, 0, 600, 0);
	ck_assert_int_eq(ftruncate(fd, 3 * PAGES << 12), 0);
	uint64_t *more = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)2 * PAGES << 12, fd,
				     (uint64_t)PAGES << 12);
	memory[600 * WORDS + MIDDLE] = 1;
	more[PAGES * WORDS + MIDDLE] = 2;
	ck_assert(!settled(2 * PAGES, 1));
	ck_assert_int_eq(board_see(&board, NULL, fd), 0);
	ck_assert(!settled(2 * PAGES, 1));
	free_wait();
	ck_assert(!settled(600, 1));
	ck_assert(settled(601, 100));
	teardown();
}
END_TEST

/* With its object the board ends; another begins. */
START_TEST(closed)
{
	setup(2 * PAGES);
	page_check(memory, 3, 0);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	ck_assert(board.head->closed);
	ck_assert(!settled(0, 0));
	ck_assert_int_eq(board_see(&board, NULL, fd), -ENOENT);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	ck_assert_int_eq(board_see(&board, NULL, fd), 0);
	free_wait();
	ck_assert(settled(0, 0));
	teardown();
}
END_TEST

/* Who could not map the file to write gets no lock. */
START_TEST(readers_have_no_lock)
{
	static const int modes[] = {O_RDONLY, O_WRONLY, O_RDWR | O_APPEND};
	char path[32];
	setup(2 * PAGES);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	int reading = open(path, O_RDONLY);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, reading, 0);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
		int other = open(path, modes[i]);
		board.refused = false;
		ck_assert_int_eq(board_see(&board, NULL, other), 0);
		ck_assert_int_eq(board_see_lock(&board, NULL, other), -EACCES);
		close(other);
	}
	close(reading);
	teardown();
}
END_TEST

/* Who only could has one. */
START_TEST(others_have_a_lock)
{
	struct pager_request add = {.type = PAGER_CLIENT_ADD, .fd = -1, .name = "other"};
	uint32_t own;
	setup(2 * PAGES);
	page_check(memory, 3, 0);
	ck_assert_int_eq(harness_request(&h, &add), 0);
	board_finish(&board);
	own = h.client;
	h.client = add.client;
	ck_assert_int_eq(board_see(&board, NULL, fd), 0);
	ck_assert_int_eq(board_see_lock(&board, NULL, fd), 0);
	h.client = own;
	ck_assert_uint_eq(board.number, add.client);
	free_wait();
	uint64_t word = value(3, 1);
	ck_assert(lock(3, 1));
	ck_assert_int_eq(pwrite(fd, &word, sizeof word, 3 << 12), sizeof word);
	ck_assert(board_show(&board, 3 << 12, &word, sizeof word));
	ck_assert_uint_eq(memory[3 * WORDS], word);
	/* Who goes lets go. */
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = add.client, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &remove), 0);
	ck_assert_uint_eq(board.lock->owner, 0);
	page_write(memory, 3, 2);
	teardown();
}
END_TEST

/* ---- while it is locked ------------------------------------------------------------------ */

/* Pages that are named stay where they are, whatever is to become of the others. */
START_TEST(named_pages_stay)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	ck_assert(lock(10, 20));
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT), 0);
	ck_assert_uint_eq(stats().resident_pages, 20);
	for (uint64_t i = 10; i < 30; i++)
		ck_assert(page_put(i, 1));
	ck_assert(!board_unlock(&board));
	harness_check(&h);
	range_check(memory, 0, 10, 0);
	range_check(memory, 10, 30, 1);
	range_check(memory, 30, PAGES, 0);
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT), 0);
	ck_assert_uint_eq(stats().resident_pages, 0);
	range_check(memory, 10, 30, 1);
	teardown();
}
END_TEST

static atomic_bool writing, stored_early;

static void *storer(void *argument)
{
	uint64_t page = (uintptr_t)argument;
	memory[page * WORDS + MIDDLE] = 42;
	atomic_store(&stored_early, atomic_load(&writing));
	return NULL;
}

static void file_holds(uint64_t page, uint64_t version, uint64_t middle)
{
	uint64_t words[WORDS];
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	ck_assert_int_eq(pread(fd, words, sizeof words, (off_t)(page << 12)), sizeof words);
	ck_assert_uint_eq(words[0], value(page, version));
	ck_assert_uint_eq(words[WORDS - 1], value(page, version));
	ck_assert_uint_eq(words[MIDDLE], middle);
}

/* Into a page that is there, that is not, or of a run of writes: a store waits, who unlocks is
 * told, and nothing is lost. */
START_TEST(stores_wait)
{
	setup(2 * PAGES);
	pthread_t thread;
	if (_i == 1)
		range_check(memory, 0, PAGES, 0);
	for (uint64_t i = 0; _i == 2 && i < 5; i++)
		memory[i * WORDS + MIDDLE] = 1;
	if (_i == 2)
		ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	ck_assert(lock(5, 1));
	atomic_store(&writing, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, storer, (void *)5), 0);
	waiting_wait();
	bool shown = page_put(5, 1);
	atomic_store(&writing, false);
	ck_assert(unlock(5, 1, shown));
	ck_assert(shown || _i == 2); /* it may be read ahead */
	pthread_join(thread, NULL);
	ck_assert(!atomic_load(&stored_early));
	page_check(memory, 5, 1);
	ck_assert_uint_eq(memory[5 * WORDS + MIDDLE], 42);
	file_holds(5, 1, 42);
	teardown();
}
END_TEST

/* Who asks has to wait until it is unlocked; and while he writes nobody locks. */
START_TEST(askers_are_kept_out)
{
	setup(2 * PAGES);
	uint32_t own = board.number;
	board.number = own + 1; /* as if it were another */
	ck_assert(lock(5, 1));
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, 7, 1), -EAGAIN);
	ck_assert_int_eq(file_request(PAGER_FILE_END, 7, 1), -EINVAL);
	ck_assert(board_unlock(&board));
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, 7, 1), 0);
	ck_assert(!lock(5, 1));
	ck_assert_int_eq(file_request(PAGER_FILE_END, 7, 1), 0);
	ck_assert(lock(5, 1));
	ck_assert(!board_unlock(&board));
	board.number = own;
	ck_assert(lock(5, 1));
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, 5, 1), 0); /* he may himself */
	ck_assert(!board_unlock(&board));
	ck_assert_int_eq(file_request(PAGER_FILE_END, 5, 1), 0);
	teardown();
}
END_TEST

static int cut_done(void)
{
	struct pager_request request = {
		.type = PAGER_FILE_CUT,
		.flags = PAGERD_CUT_DONE,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	return harness_request(&h, &request);
}

/* So has who has cut the file off, whoever he is. */
START_TEST(cutters_are_kept_out)
{
	setup(2 * PAGES);
	ck_assert(lock(5, 1));
	ck_assert_int_eq(cut_done(), -EAGAIN);
	ck_assert(board_unlock(&board));
	ask(5, 1);
	ck_assert_int_eq(cut_done(), 0);
	ck_assert(lock(5, 1));
	ck_assert(!board_unlock(&board));
	teardown();
}
END_TEST

static uint32_t other_add(void)
{
	struct pager_request add = {.type = PAGER_CLIENT_ADD, .fd = -1, .name = "other"};
	ck_assert_int_eq(harness_request(&h, &add), 0);
	return add.client;
}

/* The other, who may write page 5, does so without showing it to anybody, while somebody waits to
 * store into it; then he dies, or (PAGER_CLIENT_LEAVE) hangs up. */
static void other_goes(uint32_t other, enum pager_request_type type)
{
	struct pager_request end = {.type = type, .client = other, .fd = -1};
	pthread_t thread;
	ck_assert_int_eq(pthread_create(&thread, NULL, storer, (void *)5), 0);
	usleep(20000);
	file_write(fd, 5, 1);
	ck_assert_int_eq(harness_request(&h, &end), 0);
	pthread_join(thread, NULL);
	page_check(memory, 5, 1);
	file_holds(5, 1, 42);
}

/* Who dies with the lock lets others go on, with what he had written. */
START_TEST(owner_dies)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	uint32_t own = board.number;
	board.number = other_add();
	ck_assert(lock(5, 1));
	other_goes(board.number, PAGER_CLIENT_REMOVE);
	board.number = own;
	ck_assert_uint_eq(board.lock->owner, 0);
	teardown();
}
END_TEST

/* So does who dies between FILE_BEGIN and FILE_END. */
START_TEST(asker_goes)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	uint32_t own = h.client;
	h.client = other_add();
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, 5, 1), 0);
	uint32_t other = h.client;
	h.client = own;
	other_goes(other, _i ? PAGER_CLIENT_LEAVE : PAGER_CLIENT_REMOVE);
	teardown();
}
END_TEST

/* And who hangs up there, and lives on. */
START_TEST(asker_hangs_up)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, 5, 1), 0);
	other_goes(h.client, PAGER_CLIENT_LEAVE);
	teardown();
}
END_TEST

static void *locker(void *unused)
{
	for (uint64_t n = 1; atomic_load(&writing); n++, usleep(5000))
		__atomic_store_n(&board.lock->owner, n << 32 | 77, __ATOMIC_SEQ_CST);
	return NULL;
}

/* Who locks without end, by whatever number, keeps nobody waiting for longer than one who stops. */
START_TEST(owners_change)
{
	setup(2 * PAGES);
	pthread_t thread, other;
	range_check(memory, 0, PAGES, 0);
	atomic_store(&writing, true);
	ck_assert_int_eq(pthread_create(&other, NULL, locker, NULL), 0);
	usleep(10000);
	ck_assert_int_eq(pthread_create(&thread, NULL, storer, (void *)6), 0);
	pthread_join(thread, NULL);
	ask(5, 1);
	atomic_store(&writing, false);
	pthread_join(other, NULL);
	__atomic_store_n(&board.lock->owner, 0, __ATOMIC_SEQ_CST);
	file_holds(6, 0, 42);
	teardown();
}
END_TEST

/* Who is stopped with the lock for long does so, too; the pages that he has named stay. */
START_TEST(owner_stops)
{
	setup(2 * PAGES);
	pthread_t thread;
	range_check(memory, 0, PAGES, 0);
	ck_assert(lock(5, 1));
	atomic_store(&writing, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, storer, (void *)6), 0);
	pthread_join(thread, NULL);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT), 0);
	ck_assert_uint_eq(stats().resident_pages, 1);
	ck_assert(page_put(5, 1));
	ck_assert(board_unlock(&board));
	ask(5, 1);
	page_check(memory, 5, 1);
	teardown();
}
END_TEST

/* ---- all at the same time ---------------------------------------------------------------- */

static struct stores stores = {.pauses = true};

/* As the library does: without asking if that can be. Whether it could. */
static bool write_pages(uint64_t page, uint64_t count)
{
	bool locked = board_lock(&board, page << 12, count << 12), shown = true;
	if (!locked)
		ck_assert_int_eq(file_request(PAGER_FILE_BEGIN, page, count), 0);
	for (uint64_t k = page; k < page + count; k++)
		shown = page_put(k, stores.versions[k] + 1) && shown;
	if (!locked) {
		ck_assert_int_eq(file_request(PAGER_FILE_END, page, count), 0);
		return false;
	}
	unlock(page, count, shown);
	return true;
}

/* In less memory than there are pages; with _i as a seed of chaos. */
START_TEST(together)
{
	struct random random = {(uint64_t)_i + 1};
	uint64_t alone = 0, page, count;
	harness_chaos = (uint64_t)_i;
	setup(PAGES / 4);
	stores_begin(&stores, memory);
	for (uint64_t i = 0; i < effort(6000); i++) {
		if (!stores_pick(&random, 4, &page, &count))
			continue;
		alone += write_pages(page, count);
		stores_written(&stores, page, count);
	}
	stores_end(&stores);
	ck_assert_uint_gt(alone, 0);
	stores_check(&stores, memory);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	stores_check(&stores, memory);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("board");
	TCase *tcase = tcase_create("mapped files");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, shown_without_asking);
	tcase_add_test(tcase, absent_stays_absent);
	tcase_add_test(tcase, runs_end_at_absent_pages);
	tcase_add_test(tcase, changes_are_known);
	tcase_add_loop_test(tcase, runs_are_known, 0, 4);
	tcase_add_test(tcase, longer);
	tcase_add_test(tcase, closed);
	tcase_add_test(tcase, readers_have_no_lock);
	tcase_add_test(tcase, others_have_a_lock);
	tcase_add_test(tcase, named_pages_stay);
	tcase_add_loop_test(tcase, stores_wait, 0, 3);
	tcase_add_test(tcase, askers_are_kept_out);
	tcase_add_test(tcase, cutters_are_kept_out);
	tcase_add_test(tcase, owner_dies);
	tcase_add_loop_test(tcase, asker_goes, 0, 2);
	tcase_add_test(tcase, asker_hangs_up);
	tcase_add_test(tcase, owners_change);
	tcase_add_test(tcase, owner_stops);
	tcase_add_loop_test(tcase, together, 0, 6);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
