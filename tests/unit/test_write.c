/* SPDX-License-Identifier: MIT */
/* write(2) into a file that is mapped: the mapping shows it, and no store is lost. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "effort.h"
#include "harness.h"
#include "held.h"
#include "stores.h"
#include "suite.h"
#include "version.h"

/* More than there is room for on the way to a file. */
#define HELD_PAGES 2048ull
#define HELD_FILES 3
#define LEFT_PAGES 16ull

static struct harness h;
static uint64_t *memory;
static int fd = -1;

static void setup(uint64_t budget_pages)
{
	harness_start(&h, budget_pages, "lru", NULL, 64);
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
	close(fd);
	harness_chaos = 0;
}

static void write_begin(uint64_t page, uint64_t count)
{
	struct pager_request request = {
		.type = PAGER_FILE_BEGIN,
		.client = h.client,
		.flags = PAGERD_FILE_WRITE,
		.offset = page << 12,
		.length = count << 12,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

static void write_end(uint64_t page, uint64_t count)
{
	struct pager_request request = {
		.type = PAGER_FILE_END,
		.client = h.client,
		.offset = page << 12,
		.length = count << 12,
		.fd = -1,
	};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

static void write_pages(uint64_t page, uint64_t count, uint64_t version)
{
	write_begin(page, count);
	for (uint64_t i = 0; i < count; i++)
		file_write(fd, page + i, version);
	write_end(page, count);
}

/* ---- one thread -------------------------------------------------------------------------- */

/* What is there stays, and shows what was written. */
START_TEST(shown_in_place)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	struct pagerd_stats before = harness_stats(&h);
	write_pages(0, 1, 1);
	for (uint64_t page = 1, count = 1; page < PAGES; page += count, count *= 2)
		write_pages(page, count, 1);
	range_check(memory, 0, PAGES, 1);
	struct pagerd_stats after = harness_stats(&h);
	ck_assert_uint_eq(after.pages_read, before.pages_read);
	ck_assert_uint_eq(after.resident_pages, before.resident_pages);
	ck_assert_uint_eq(after.dirty_pages, 0);
	teardown();
}
END_TEST

/* A file that ends in the middle of a page, which was longer. */
START_TEST(shorter)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	write_begin(7, 0);
	ck_assert_int_eq(ftruncate(fd, (7 << 12) + 100), 0);
	ck_assert_int_eq(ftruncate(fd, 9 << 12), 0);
	write_end(7, 0);
	range_check(memory, 0, 7, 0);
	ck_assert_uint_eq(memory[7 * WORDS], value(7, 0));
	ck_assert_uint_eq(memory[7 * WORDS + WORDS - 1], 0);
	zeros_check(memory, 8, 9);
	write_begin(7, 0);
	ck_assert_int_eq(ftruncate(fd, (7 << 12) + 4), 0);
	write_end(7, 0);
	ck_assert_uint_eq(memory[7 * WORDS], value(7, 0) & 0xffffffff);
	teardown();
}
END_TEST

/* What the kernel has not in its cache any more is read again when it is asked for. */
START_TEST(not_cached)
{
	setup(2 * PAGES);
	range_check(memory, 0, PAGES, 0);
	write_begin(0, 64);
	for (uint64_t i = 0; i < 64; i++)
		file_write(fd, i, 1);
	ck_assert_int_eq(fsync(fd), 0);
	ck_assert_int_eq(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0);
	write_end(0, 64);
	range_check(memory, 0, 64, 1);
	range_check(memory, 64, PAGES, 0);
	teardown();
}
END_TEST

/* ---- several threads --------------------------------------------------------------------- */

static atomic_bool writing;

static void *storer(void *argument)
{
	uint64_t page = (uintptr_t)argument;
	memory[page * WORDS + MIDDLE] = 42;
	ck_assert(!atomic_load(&writing));
	return NULL;
}

/* A store into a page that is being written waits for the end, and is not lost. */
START_TEST(stores_wait)
{
	setup(2 * PAGES);
	if (_i)
		range_check(memory, 0, PAGES, 0);
	pthread_t thread;
	write_begin(5, 1);
	atomic_store(&writing, true);
	ck_assert_int_eq(pthread_create(&thread, NULL, storer, (void *)5), 0);
	usleep(20000);
	file_write(fd, 5, 1);
	atomic_store(&writing, false);
	write_end(5, 1);
	pthread_join(thread, NULL);
	page_check(memory, 5, 1);
	ck_assert_uint_eq(memory[5 * WORDS + MIDDLE], 42);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	uint64_t word;
	ck_assert_int_eq(pread(fd, &word, sizeof word, (5 << 12) + MIDDLE * 8), sizeof word);
	ck_assert_uint_eq(word, 42);
	ck_assert_int_eq(pread(fd, &word, sizeof word, 5 << 12), sizeof word);
	ck_assert_uint_eq(word, value(5, 1));
	teardown();
}
END_TEST

static struct stores stores;

/* All at the same time, in less memory than there are pages; with _i as a seed of chaos. */
START_TEST(together)
{
	struct random random = {(uint64_t)_i + 1};
	uint64_t page, count;
	harness_chaos = (uint64_t)_i;
	setup(PAGES / 4);
	stores_begin(&stores, memory);
	for (uint64_t i = 0; i < effort(3000); i++) {
		if (!stores_pick(&random, 8, &page, &count))
			continue;
		write_begin(page, count);
		for (uint64_t k = page; k < page + count; k++)
			file_write(fd, k, stores.versions[k] + 1);
		write_end(page, count);
		stores_written(&stores, page, count);
	}
	stores_end(&stores);
	stores_check(&stores, memory);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	harness_unmap(&h, memory, (uint64_t)PAGES << 12);
	memory = harness_map(&h, PAGERD_FILE_SHARED, (uint64_t)PAGES << 12, fd, 0);
	stores_check(&stores, memory);
	teardown();
}
END_TEST

static void post_answer(struct pager_request *request)
{
	ck_assert_int_eq(request->error, 0);
	sem_post(request->owner);
}

/* Files whose write-back is held up, each with more to write than there is room for, and another
 * whose is not. */
START_TEST(others_held_up)
{
	struct held held[HELD_FILES];
	struct pager_request syncs[HELD_FILES];
	sem_t answers;
	setup(HELD_FILES * HELD_PAGES + 2 * PAGES);
	sem_init(&answers, 0, 0);
	for (int i = 0; i < HELD_FILES; i++) {
		held_begin(&held[i], &h, HELD_PAGES);
		syncs[i] = (struct pager_request){
			.type = PAGER_SYNC,
			.client = h.client,
			.fd = -1,
			.address = (uintptr_t)held[i].memory,
			.length = HELD_PAGES << 12,
			.flags = MS_SYNC,
			.done = post_answer,
			.owner = &answers,
		};
		pager_post(h.pager, &syncs[i]);
	}
	for (uint64_t version = 1; version < 4; version++) {
		range_write(memory, 0, PAGES, version);
		ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	}
	ck_assert_int_ne(sem_trywait(&answers), 0);
	for (int i = 0; i < HELD_FILES; i++)
		held_let_go(&held[i]);
	for (int i = 0; i < HELD_FILES; i++) {
		sem_wait(&answers);
		close(held[i].fd);
		close(held[i].uffd);
	}
	sem_destroy(&answers);
	teardown();
}
END_TEST

/* ---- who has been killed ------------------------------------------------------------------- */

/* A process that maps and changes the file, as a client of its own. */
struct victim {
	pid_t pid;
	int tell, told; /* a byte each */
	uint32_t client;
};

static void victim_run(const struct victim *victim, uint64_t *place,
		       const struct pager_request *map)
{
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	char byte;
	if (mmap(place, LEFT_PAGES << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, map->fd,
		 (off_t)map->offset) != place ||
	    write(victim->tell, &uffd, sizeof uffd) != sizeof uffd ||
	    read(victim->told, &byte, 1) != 1)
		_exit(1);
	for (uint64_t page = 0; page < LEFT_PAGES; page++)
		place[page * WORDS] = value(page, 1);
	if (write(victim->tell, "x", 1) != 1)
		_exit(1);
	pause();
	_exit(1);
}

static void victim_register(const struct victim *victim, uint64_t *place,
			    const struct pager_request *map)
{
	int theirs;
	ck_assert_int_eq(read(victim->told, &theirs, sizeof theirs), sizeof theirs);
	struct pager_request uffd = {
		.type = PAGER_CLIENT_UFFD,
		.client = victim->client,
		.pid = (uint32_t)victim->pid,
		.fd = harness_descriptor(victim->pid, theirs),
	};
	ck_assert_int_eq(harness_request(&h, &uffd), 0);
	struct harness other = h;
	other.client = victim->client;
	ck_assert_int_eq(harness_register(&other, place, LEFT_PAGES << 12, map->object, 0), 0);
}

static void victim_start(struct victim *victim, int file)
{
	int down[2], up[2];
	char byte;
	uint64_t *place =
		mmap(NULL, LEFT_PAGES << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct pager_request add = {.type = PAGER_CLIENT_ADD, .fd = -1, .name = "victim"};
	ck_assert_int_eq(harness_request(&h, &add), 0);
	victim->client = add.client;
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = add.client,
		.kind = PAGERD_FILE_SHARED,
		.writable = true,
		.length = LEFT_PAGES << 12,
		.fd = fcntl(file, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(&h, &map), 0);
	ck_assert(!pipe(down) && !pipe(up));
	victim->pid = fork();
	victim->tell = victim->pid ? down[1] : up[1];
	victim->told = victim->pid ? up[0] : down[0];
	if (!victim->pid)
		victim_run(victim, place, &map);
	victim_register(victim, place, &map);
	close(map.fd);
	ck_assert_int_eq(write(victim->tell, "x", 1), 1);
	ck_assert_int_eq(read(victim->told, &byte, 1), 1);
}

static void victim_kill(const struct victim *victim)
{
	struct pager_request remove = {
		.type = PAGER_CLIENT_REMOVE, .client = victim->client, .fd = -1};
	kill(victim->pid, SIGKILL);
	ck_assert_int_eq(waitpid(victim->pid, NULL, 0), victim->pid);
	ck_assert_int_eq(harness_request(&h, &remove), 0);
}

/* Nobody maps the file any more, and what was stored is on its way to it: who reads or writes it
 * waits for that. */
START_TEST(still_on_its_way)
{
	struct victim victim;
	struct held held;
	sem_t answer;
	struct pager_config config = harness_configure(PAGES, "lru", 0);
	config.writeback_age_ms = 0; /* nothing is written before the end */
	harness_begin(&h, config, NULL);
	fd = file_make(LEFT_PAGES, 0);
	victim_start(&victim, fd);
	held_lock(&held, fd, LEFT_PAGES << 12);
	victim_kill(&victim);
	sem_init(&answer, 0, 0);
	struct pager_request begin = {
		.type = PAGER_FILE_BEGIN,
		.client = h.client,
		.flags = _i ? PAGERD_FILE_WRITE : 0,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
		.done = post_answer,
		.owner = &answer,
	};
	pager_post(h.pager, &begin);
	harness_check(&h);
	ck_assert_uint_eq((uint32_t)h.filter->files, 1);
	ck_assert_int_ne(sem_trywait(&answer), 0);
	held_let_go(&held);
	sem_wait(&answer);
	ck_assert_int_eq(begin.error, 0);
	for (uint64_t page = 0; page < LEFT_PAGES; page++) {
		uint64_t word;
		ck_assert_int_eq(pread(fd, &word, sizeof word, (off_t)(page << 12)), sizeof word);
		ck_assert_uint_eq(word, value(page, 1));
	}
	if (_i) {
		harness_check(&h);
		ck_assert_uint_eq((uint32_t)h.filter->files, 1);
		write_end(0, 0);
	}
	close(held.uffd);
	sem_destroy(&answer);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("write");
	TCase *tcase = tcase_create("mapped files");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, shown_in_place);
	tcase_add_test(tcase, shorter);
	tcase_add_test(tcase, not_cached);
	tcase_add_loop_test(tcase, stores_wait, 0, 2);
	tcase_add_loop_test(tcase, together, 0, 6);
	tcase_add_test(tcase, others_held_up);
	tcase_add_loop_test(tcase, still_on_its_way, 0, 2);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
