/* SPDX-License-Identifier: MIT */
/* Files that nobody maps for a while: their pages are there again, unless the file has changed. */
#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness.h"
#include "suite.h"
#include "uapi.h"
#include "version.h"

#define SWAP_DIRECTORY "/var/tmp"
#define BUDGET	       512u
#define PAGES	       64u
#define FILES	       16u

/* Files that were last changed a while ago: made once, for all tests. */
static char paths[FILES][64];
static struct harness h;
static const char *path;

static void files_make(void)
{
	for (unsigned i = 0; i < FILES; i++) {
		int fd = file_make(PAGES, 0);
		char from[40];
		snprintf(from, sizeof from, "/proc/self/fd/%d", fd);
		snprintf(paths[i], sizeof paths[i], "/var/tmp/test_cache.%d.%u", getpid(), i);
		ck_assert_int_eq(linkat(AT_FDCWD, from, AT_FDCWD, paths[i], AT_SYMLINK_FOLLOW), 0);
		close(fd);
	}
	sleep(3);
}

static void files_remove(void)
{
	for (unsigned i = 0; i < FILES; i++)
		unlink(paths[i]);
}

static void start(unsigned file)
{
	path = paths[file];
	harness_start(&h, BUDGET, "lru", SWAP_DIRECTORY, 64);
}

static uint64_t *map(int flags)
{
	int fd = open(path, flags);
	ck_assert_int_ge(fd, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	close(fd);
	return memory;
}

/* Map, look at every page, unmap. Returns how many were read for that. */
static uint64_t look(uint64_t version)
{
	uint64_t before = harness_stats(&h).pages_read;
	uint64_t *memory = map(O_RDONLY);
	range_check(memory, 0, PAGES, version);
	harness_unmap(&h, memory, PAGES << 12);
	harness_check(&h);
	return harness_stats(&h).pages_read - before;
}

static void store(int fd, uint64_t version)
{
	uint64_t page[WORDS] = {0};
	for (uint64_t i = 0; i < PAGES; i++) {
		page[0] = page[WORDS - 1] = value(i, version);
		ck_assert_int_eq(pwrite(fd, page, sizeof page, (off_t)(i << 12)), sizeof page);
	}
}

static uint64_t objects(void)
{
	struct pager_request request = {
		.type = PAGER_SNAPSHOT, .flags = SNAPSHOT_OBJECTS, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &request), 0);
	uint64_t count = request.snapshot->object_count;
	snapshot_free(request.snapshot);
	return count;
}

static bool gone_within(unsigned tenths)
{
	for (; tenths && objects(); tenths--)
		usleep(100000);
	return tenths;
}

/* ---- what stays -------------------------------------------------------------------------- */

START_TEST(stays)
{
	start(0);
	ck_assert_uint_ge(look(0), PAGES);
	for (int i = 0; i < 20; i++)
		ck_assert_uint_eq(look(0), 0);
	ck_assert_uint_eq(objects(), 1);
	harness_stop(&h);
}
END_TEST

static uint64_t shown(int fd)
{
	struct stat st;
	ck_assert_int_eq(fstat(fd, &st), 0);
	uint64_t word = h.filter->words[pagerd_filter_word(st.st_dev, st.st_ino)];
	ck_assert_uint_eq((uint32_t)word, (uint32_t)h.filter->files);
	return (uint32_t)word ? word : 0;
}

/* While it stays, nobody maps it; and each time somebody does, that is another one. */
START_TEST(shown_while_mapped)
{
	start(0);
	int fd = open(path, O_RDONLY);
	uint64_t last = 0;
	for (int i = 0; i < 3; i++) {
		uint64_t *memory = map(O_RDONLY), *again = map(O_RDONLY);
		range_check(memory, 0, PAGES, 0);
		uint64_t now = shown(fd);
		ck_assert_uint_eq((uint32_t)now, 1);
		ck_assert_uint_ne(now, last);
		last = now;
		harness_unmap(&h, memory, PAGES << 12);
		ck_assert_uint_eq(shown(fd), last);
		harness_unmap(&h, again, PAGES << 12);
		ck_assert_uint_eq(shown(fd), 0);
		ck_assert_uint_eq(objects(), 1);
	}
	close(fd);
	harness_stop(&h);
}
END_TEST

START_TEST(evicted_as_others)
{
	start(0);
	look(0);
	uint64_t *memory = harness_map(&h, PAGERD_ANON_PRIVATE, BUDGET << 13, -1, 0);
	range_write(memory, 0, BUDGET * 2, 1);
	range_check(memory, 0, BUDGET * 2, 1);
	ck_assert_uint_gt(look(0), PAGES / 2);
	harness_stop(&h);
}
END_TEST

START_TEST(ends)
{
	start(0);
	look(0);
	ck_assert_uint_eq(objects(), 1);
	ck_assert(gone_within(40));
	look(0);
	struct pager_request drain = {.type = PAGER_DRAIN, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &drain), 0);
	ck_assert_uint_eq(objects(), 0);
	harness_stop(&h);
}
END_TEST

START_TEST(deleted)
{
	start(1);
	look(0);
	ck_assert_uint_eq(objects(), 1);
	unlink(path);
	ck_assert(gone_within(10));
	harness_stop(&h);
}
END_TEST

START_TEST(deleted_before)
{
	start(10);
	int fd = open(path, O_RDONLY);
	unlink(path);
	sleep(3);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	range_check(memory, 0, PAGES, 0);
	harness_unmap(&h, memory, PAGES << 12);
	ck_assert_uint_eq(objects(), 0);
	close(fd);
	harness_stop(&h);
}
END_TEST

/* ---- what must not ----------------------------------------------------------------------- */

START_TEST(written)
{
	start(2);
	look(0);
	int fd = open(path, O_WRONLY | O_NONBLOCK); /* which no lease holds up */
	ck_assert_int_ge(fd, 0);
	store(fd, 1);
	close(fd);
	look(1);
	harness_stop(&h);
}
END_TEST

START_TEST(written_while_mapped)
{
	start(3);
	uint64_t *memory = map(O_RDONLY);
	range_check(memory, 0, PAGES, 0);
	int fd = open(path, O_WRONLY);
	store(fd, 1);
	close(fd);
	harness_unmap(&h, memory, PAGES << 12);
	look(1);
	harness_stop(&h);
}
END_TEST

/* The file's pages, to be stored into by somebody that the pager does not know. */
static uint64_t *outside_map(void)
{
	int fd = open(path, O_RDWR);
	uint64_t *memory = mmap(NULL, PAGES << 12, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	close(fd);
	return memory;
}

START_TEST(stored_into)
{
	start(4);
	look(0);
	uint64_t *memory = outside_map();
	range_write(memory, 0, PAGES, 1);
	look(1);
	/* Into the same pages: the kernel tells nobody any more. */
	range_write(memory, 0, PAGES, 2);
	look(2);
	range_write(memory, 0, PAGES, 3);
	munmap(memory, PAGES << 12);
	look(3);
	harness_stop(&h);
}
END_TEST

/* It was stored into before we came, and will be again. */
START_TEST(open_already)
{
	start(5);
	uint64_t *memory = outside_map();
	range_write(memory, 0, PAGES, 0);
	sleep(3); /* as if it had not changed for long */
	look(0);
	range_write(memory, 0, PAGES, 1);
	look(1);
	munmap(memory, PAGES << 12);
	harness_stop(&h);
}
END_TEST

/* Twice within what a clock may be coarse. */
START_TEST(just_written)
{
	start(6);
	for (uint64_t i = 1; i < 50; i++) {
		int fd = open(path, O_WRONLY);
		store(fd, i);
		close(fd);
		ck_assert_uint_ge(look(i), PAGES);
		ck_assert_uint_ge(look(i), PAGES);
	}
	harness_stop(&h);
}
END_TEST

START_TEST(shortened)
{
	start(7);
	look(0);
	ck_assert_int_eq(truncate(path, 0), 0);
	ck_assert_int_eq(truncate(path, PAGES << 12), 0);
	uint64_t *memory = map(O_RDONLY);
	zeros_check(memory, 0, PAGES);
	harness_unmap(&h, memory, PAGES << 12);
	harness_stop(&h);
}
END_TEST

/* By a client's mapping: as ever. */
START_TEST(written_by_us)
{
	start(8);
	look(0);
	uint64_t *memory = map(O_RDWR);
	range_check(memory, 0, PAGES, 0);
	range_write(memory, 0, PAGES, 1);
	harness_unmap(&h, memory, PAGES << 12);
	look(1);
	int fd = open(path, O_RDWR);
	store(fd, 2);
	close(fd);
	look(2);
	harness_stop(&h);
}
END_TEST

/* ---- whose ------------------------------------------------------------------------------- */

static uint32_t another_user(int *uffd)
{
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	*uffd = device < 0 ? (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK)
			   : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	if (device >= 0)
		close(device);
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD,
		.fd = fcntl(*uffd, F_DUPFD_CLOEXEC, 0),
		.pid = (uint32_t)getpid(),
		.uid = 65534,
		.name = "other",
	};
	ck_assert_int_eq(harness_request(&h, &add), 0);
	return add.client;
}

/* The first user has kept the memfd, and touches holes of it: pages of zeros, which the next user
 * must not see. */
START_TEST(spoilt)
{
	start(9);
	struct pager_request map_request = {
		.type = PAGER_MAP,
		.client = h.client,
		.kind = PAGERD_FILE_SHARED,
		.length = PAGES << 12,
		.fd = open(path, O_RDONLY | O_CLOEXEC),
	};
	ck_assert_int_eq(harness_request(&h, &map_request), 0);
	uint64_t *memory = map(O_RDONLY);
	page_check(memory, 0, 0);
	harness_unmap(&h, memory, PAGES << 12);
	uint64_t *kept = mmap(NULL, PAGES << 12, PROT_READ, MAP_PRIVATE, map_request.fd, 0);
	ck_assert_ptr_ne(kept, MAP_FAILED);
	for (uint64_t i = 0; i < PAGES; i++)
		(void)*(volatile uint64_t *)(kept + i * WORDS);
	uint32_t first = h.client;
	int uffd;
	h.client = another_user(&uffd);
	look(0);
	munmap(kept, PAGES << 12);
	close(map_request.fd);
	struct pager_request remove = {.type = PAGER_CLIENT_REMOVE, .client = h.client, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &remove), 0);
	h.client = first;
	close(uffd);
	harness_stop(&h);
}
END_TEST

/* Not our lease: its holder may take 45 s to give it up (/proc/sys/fs/lease-break-time). */
START_TEST(leased_by_another)
{
	start(FILES - 1);
	signal(SIGIO, SIG_IGN);
	int fd = open(path, O_RDWR | O_CLOEXEC);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		return;
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	range_check(memory, 0, PAGES, 0);
	range_write(memory, 0, PAGES, 1);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, memory, PAGES << 12, MS_SYNC), 0);
	uint64_t word;
	ck_assert_int_eq(pread(fd, &word, sizeof word, 4096), sizeof word);
	ck_assert_uint_eq(word, value(1, 1));
	harness_unmap(&h, memory, PAGES << 12);
	close(fd);
	harness_stop(&h);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cache");
	TCase *tcase = tcase_create("kept");
	tcase_set_timeout(tcase, 40); /* less than a lease may take */
	tcase_add_unchecked_fixture(tcase, files_make, files_remove);
	tcase_add_test(tcase, stays);
	tcase_add_test(tcase, shown_while_mapped);
	tcase_add_test(tcase, evicted_as_others);
	tcase_add_test(tcase, ends);
	tcase_add_test(tcase, deleted);
	tcase_add_test(tcase, deleted_before);
	tcase_add_test(tcase, written);
	tcase_add_test(tcase, written_while_mapped);
	tcase_add_test(tcase, stored_into);
	tcase_add_test(tcase, open_already);
	tcase_add_test(tcase, just_written);
	tcase_add_test(tcase, shortened);
	tcase_add_test(tcase, written_by_us);
	tcase_add_test(tcase, spoilt);
	tcase_add_test(tcase, leased_by_another);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
