/* SPDX-License-Identifier: MIT */
/*
 * The client of a daemon with several shards, against one that notes what it is sent: a userfaultfd
 * and an agent for each shard that there is something of, in time, once, and hidden.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../client/agent.h"
#include "../../client/lock.h"
#include "../../client/preload.h"
#include "../../client/spare.h"
#include "../../client/wire.h"
#include "fake_daemon.h"
#include "suite.h"

/* The wrappers, beside the C library's. */
#define close	    wrapped_close
#define closefrom   wrapped_closefrom
#define close_range wrapped_close_range
#define dup2	    wrapped_dup2
#define dup3	    wrapped_dup3
int close(int fd);
void closefrom(int lowest);
int close_range(unsigned first, unsigned last, int flags);
int dup2(int fd, int new_fd);
int dup3(int fd, int new_fd, int flags);
#include "../../client/preload_descriptor.c"
#undef close
#undef closefrom
#undef close_range
#undef dup2
#undef dup3

#define BYTES	(2 * PAGE_BYTES)
#define NUMBERS 1024 /* of descriptors, at most */

static struct fake_daemon fake;

static void start(uint32_t shards, bool harvest)
{
	struct rlimit limit;
	ck_assert(!getrlimit(RLIMIT_NOFILE, &limit));
	limit.rlim_cur = NUMBERS;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &limit));
	fake_daemon_start(&fake, shards, harvest);
	preload.self = self_now();
	int socket = wire_move_high(fake.socket); /* as what wire_connect returns */
	ck_assert_int_eq(session_start(&preload.paged.session, socket), 0);
	preload.state = PRELOAD_ON;
}

static void stop(void)
{
	struct regions *regions = &preload.paged.regions;
	while (regions->count)
		paged_munmap(&preload.paged, regions->entries[0].start,
			     regions->entries[0].end - regions->entries[0].start);
	agent_stop(&preload.paged.session);
	spare_release();
	session_finish(&preload.paged.session);
	regions_finish(regions);
	preload.state = PRELOAD_OFF;
	fake_daemon_stop(&fake);
}

/* Memory in the shard, and why it is not paged. */
static char *map_tried(enum pagerd_kind kind, uint32_t shard, int fd, int *error)
{
	bool shared = kind == PAGERD_ANON_SHARED || kind == PAGERD_FILE_SHARED;
	struct mapping mapping = {
		.length = BYTES,
		.protection = PROT_READ | PROT_WRITE,
		.flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (fd < 0 ? MAP_ANONYMOUS : 0),
		.fd = fd,
		.kind = kind,
	};
	fake.shared->place = shard;
	long address = paged_mmap(&preload.paged, &mapping, error);
	ck_assert_int_ge(address, 0);
	return (char *)address;
}

static char *map(enum pagerd_kind kind, uint32_t shard, int fd)
{
	int error;
	char *memory = map_tried(kind, shard, fd, &error);
	ck_assert_int_eq(error, 0);
	return memory;
}

static void sent(const char *log)
{
	ck_assert_str_eq(fake.shared->log[0], log);
	fake.shared->log[0][0] = 0;
}

/* ---- userfaultfds ------------------------------------------------------------------------ */

START_TEST(first_of_each)
{
	start(3, false);
	sent("H U0");
	map(PAGERD_ANON_PRIVATE, 1, -1);
	sent("M1 U1 R1");
	map(PAGERD_ANON_SHARED, 1, -1);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	sent("M1 R1 M0 R0");
	char *memory = map(PAGERD_ANON_PRIVATE, 2, -1);
	sent("M2 U2 R2");
	struct session_object object;
	ck_assert_int_eq(session_open(&preload.paged.session, (uint64_t)memory, BYTES, &object), 0);
	ck_assert_uint_eq(object.shard, 2);
	close(object.memfd);
	sent("O2");
	stop();
}
END_TEST

/* As before there were any. */
START_TEST(one_shard)
{
	start(0, false);
	ck_assert_int_eq(preload.paged.session.device, -1);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	sent("H U0 M0 R0 M0 R0");
	stop();
}
END_TEST

START_TEST(no_such_shard)
{
	int error;
	start(2, false);
	char *memory = map_tried(PAGERD_ANON_PRIVATE, 2, -1, &error);
	ck_assert_int_eq(error, -EPROTO);
	memory[0] = 1; /* it is the kernel's */
	sent("H U0 M2");
	stop();
}
END_TEST

/* ---- descriptors ------------------------------------------------------------------------- */

static void descriptors(bool open[NUMBERS])
{
	for (int fd = 0; fd < NUMBERS; fd++)
		open[fd] = fcntl(fd, F_GETFD) >= 0;
}

static int userfaultfds(void)
{
	int count = 0;
	for (int fd = 0; fd < NUMBERS; fd++) {
		char path[32], target[64] = "";
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		if (readlink(path, target, sizeof target - 1) > 0)
			count += strcmp(target, "anon_inode:[userfaultfd]") == 0;
	}
	return count;
}

static void refused(int fd)
{
	ck_assert(wrapped_close(fd) < 0 && errno == EBADF);
	ck_assert(wrapped_dup2(0, fd) < 0 && errno == EBADF);
	ck_assert(wrapped_dup2(fd, fd) < 0 && errno == EBADF);
	ck_assert(wrapped_dup3(fd, 0, 0) < 0 && errno == EBADF);
}

/* Whatever the library has opened is not there for the program. */
START_TEST(hidden_all)
{
	static bool before[NUMBERS], after[NUMBERS], left[NUMBERS];
	int lowest = NUMBERS, highest = -1, count = 0;
	descriptors(before);
	start(2, true);
	map(PAGERD_ANON_PRIVATE, 1, -1);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	spare_fill(&preload.paged.session);
	descriptors(after);
	ck_assert_int_eq(userfaultfds(), 2);
	for (int fd = 0; fd < NUMBERS; fd++) {
		if (!after[fd] || before[fd])
			continue;
		refused(fd);
		lowest = fd < lowest ? fd : lowest;
		highest = fd;
		count++;
	}
	/* socket, userfaultfds, agents, spare ones; and the device, where there is one */
	ck_assert_int_ge(count, 1 + 2 + 2 * AGENT_DESCRIPTORS + AGENT_DESCRIPTORS + 4);
	ck_assert_int_lt(lowest, highest);
	int own = fcntl(0, F_DUPFD_CLOEXEC, lowest);
	ck_assert_int_eq(wrapped_close_range((unsigned)lowest, (unsigned)highest, 0), 0);
	descriptors(left);
	for (int fd = lowest; fd <= highest; fd++)
		ck_assert_int_eq(left[fd], after[fd]);
	if (own > highest)
		close(own);
	map(PAGERD_ANON_PRIVATE, 1, -1);
	stop();
	descriptors(left);
	ck_assert_mem_eq(left, before, sizeof left);
}
END_TEST

static void use_up(int but)
{
	int fd, last = 0;
	spare_fill(&preload.paged.session);
	while ((fd = fcntl(0, F_DUPFD_CLOEXEC, 0)) >= 0)
		last = fd;
	while (but > 0)
		but -= wrapped_close(last--) == 0;
}

/* A program that has used up all numbers, or all but a few, maps memory of a shard that is new to
 * it. */
START_TEST(no_number_left)
{
	start(2, true);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	use_up(_i);
	sent("H U0 M0 A0 P0 R0");
	map(PAGERD_ANON_PRIVATE, 1, -1);
	sent(_i ? "M1 U1 A1 P1 R1" : "M1 M1 U1 A1 P1 R1");
	stop();
}
END_TEST

/* ---- agents ------------------------------------------------------------------------------ */

static int file_make(void)
{
	int fd = memfd_create("file", MFD_CLOEXEC);
	ck_assert(!ftruncate(fd, BYTES));
	return fd;
}

static int threads(void)
{
	struct stat st;
	ck_assert(!stat("/proc/self/task", &st));
	return (int)st.st_nlink - 2; /* but . and .. */
}

/* In time for memory that cannot do without, and of its shard. */
START_TEST(agent_of_shard)
{
	int fd = file_make();
	start(2, false);
	sent("H U0");
	map(PAGERD_FILE_PRIVATE, 1, fd);
	sent("M1 U1 A1 R1");
	map(PAGERD_FILE_PRIVATE, 0, fd);
	sent("M0 A0 R0");
	map(PAGERD_FILE_PRIVATE, 1, fd);
	sent("M1 R1");
	ck_assert_int_eq(threads(), 3);
	stop();
	close(fd);
}
END_TEST

/* All of them end, and come again. */
START_TEST(agents_stop)
{
	struct session *session = &preload.paged.session;
	start(4, true);
	map(PAGERD_ANON_PRIVATE, 3, -1);
	map(PAGERD_ANON_PRIVATE, 1, -1);
	sent("H U0 M3 U3 A3 P3 R3 M1 U1 A1 P1 R1");
	uint64_t stopped = agent_stop(session);
	ck_assert_uint_eq(stopped, 1 << 3 | 1 << 1);
	ck_assert_int_eq(threads(), 1);
	ck_assert_uint_eq(agent_stop(session), 0);
	agent_resume(session, stopped);
	ck_assert_int_eq(threads(), 3);
	sent("A1 P1 A3 P3");
	stop();
	ck_assert_int_eq(threads(), 1);
}
END_TEST

/* Each has a window of its own. */
START_TEST(agents_save)
{
	start(2, true);
	char *memory = map(PAGERD_ANON_PRIVATE, 0, -1);
	map(PAGERD_ANON_PRIVATE, 1, -1);
	memset(memory, 'a', PAGE_BYTES);
	memset(memory + PAGE_BYTES, 'b', PAGE_BYTES);
	ck_assert_int_eq(paged_msync(&preload.paged, (uint64_t)memory, BYTES, MS_SYNC), 0);
	ck_assert_int_eq(fake.shared->saved[0], 'a');
	ck_assert_int_eq(fake.shared->saved[1], 'b');
	ck_assert_int_eq(fake.shared->saved[2], 0);
	stop();
}
END_TEST

/* ---- the end ----------------------------------------------------------------------------- */

/* The daemon is asked only where stores go to a file. */
START_TEST(settled)
{
	int fd = file_make();
	start(2, false);
	map(PAGERD_ANON_PRIVATE, 0, -1);
	map(PAGERD_ANON_SHARED, 0, -1);
	map(PAGERD_FILE_PRIVATE, 0, fd);
	sent("H U0 M0 R0 M0 R0 M0 A0 R0");
	ck_assert(!preload.paged.stores);
	ck_assert_int_eq(paged_settle(&preload.paged), 0);
	sent("");
	char *memory = map(PAGERD_FILE_SHARED, 0, fd);
	sent("M0 R0");
	ck_assert(preload.paged.stores);
	ck_assert_int_eq(paged_settle(&preload.paged), 0);
	sent("S");
	ck_assert_int_eq(paged_munmap(&preload.paged, (uint64_t)memory, BYTES), 0);
	sent("X");
	ck_assert_int_eq(paged_settle(&preload.paged), 0);
	sent("");
	stop();
	close(fd);
}
END_TEST

/* A lock that is not to be had does not keep a process from ending. */
START_TEST(lock_in_time)
{
	uint32_t lock = 0;
	struct timespec past = {.tv_sec = 0};
	lock_take(&lock);
	ck_assert(!lock_take_until(&lock, &past));
	lock_release(&lock);
	ck_assert(lock_take_until(&lock, &past));
	lock_release(&lock);
	ck_assert_uint_eq(lock, 0);
}
END_TEST

/* ---- fork -------------------------------------------------------------------------------- */

static int status_of(pid_t child)
{
	int status;
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

/* The child has those of the shards that it inherits memory of, and its first one; none of its
 * parent's. */
START_TEST(child_own)
{
	start(3, false);
	char *own = map(PAGERD_ANON_PRIVATE, 1, -1);
	char *shared = map(PAGERD_ANON_SHARED, 2, -1);
	char *more = map(PAGERD_ANON_PRIVATE, 1, -1);
	own[0] = shared[0] = more[0] = 1;
	preload_fork_register();
	pid_t child = fork();
	if (child == 0)
		_exit(!own[0] || !shared[0] || !more[0] || userfaultfds() != 3 || threads() != 2);
	ck_assert_int_eq(status_of(child), 0);
	sent("H U0 M1 U1 R1 M2 U2 R2 M1 R1 F E");
	char *log = fake.shared->log[1];
	ck_assert_msg(strlen(log) == strlen("H U0 O1 U1 A1 R1 O2 U2 R2 O1 R1"), "%s", log);
	ck_assert_ptr_nonnull(strstr(log, "U1 A1 R1"));
	ck_assert_ptr_nonnull(strstr(log, "O2 U2 R2"));
	ck_assert_int_eq(userfaultfds(), 3);
	stop();
}
END_TEST

/* A child has one more shard's memory, and another child. */
START_TEST(child_of_child)
{
	start(2, true);
	char *memory = map(PAGERD_ANON_PRIVATE, 0, -1);
	memory[0] = 1;
	preload_fork_register();
	pid_t child = fork();
	if (child == 0) {
		char *more = map(PAGERD_ANON_PRIVATE, 1, -1);
		more[0] = 2;
		pid_t grandchild = fork();
		if (grandchild == 0)
			_exit(memory[0] != 1 || more[0] != 2 || userfaultfds() != 2 ||
			      threads() != 3);
		_exit(status_of(grandchild) || userfaultfds() != 2 || threads() != 3);
	}
	ck_assert_int_eq(status_of(child), 0);
	sent("H U0 M0 A0 P0 R0 F E");
	ck_assert_str_eq(fake.shared->log[1], "H U0 O0 A0 P0 R0 M1 U1 A1 P1 R1 F E");
	ck_assert_int_eq(strlen(fake.shared->log[2]), strlen("H U0 O0 A0 P0 R0 O1 U1 A1 P1 R1"));
	ck_assert_int_eq(userfaultfds(), 1);
	stop();
}
END_TEST

/* Its parent needs no agents, has used up all numbers, and so does the child. */
START_TEST(child_without_numbers)
{
	char *memory[FAKE_SHARDS];
	start(FAKE_SHARDS, false);
	for (uint32_t i = 0; i < FAKE_SHARDS; i++) {
		memory[i] = map(PAGERD_ANON_PRIVATE, i, -1);
		memory[i][0] = 'a';
	}
	use_up(0);
	preload_fork_register();
	pid_t child = fork();
	if (child == 0) {
		for (uint32_t i = 0; i < FAKE_SHARDS; i++)
			if (memory[i][0] != 'a')
				_exit(1);
		_exit(userfaultfds() != FAKE_SHARDS || threads() != 1 + FAKE_SHARDS);
	}
	ck_assert_int_eq(status_of(child), 0);
	stop();
}
END_TEST

static TCase *tests_make(Suite *suite, const char *name)
{
	TCase *tests = tcase_create(name);
	suite_add_tcase(suite, tests);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("shards");
	TCase *tests = tests_make(suite, "userfaultfds");
	tcase_add_test(tests, first_of_each);
	tcase_add_test(tests, one_shard);
	tcase_add_test(tests, no_such_shard);
	tests = tests_make(suite, "descriptors");
	tcase_add_test(tests, hidden_all);
	tcase_add_loop_test(tests, no_number_left, 0, 6);
	tests = tests_make(suite, "agents");
	tcase_add_test(tests, agent_of_shard);
	tcase_add_test(tests, agents_stop);
	tcase_add_test(tests, agents_save);
	tests = tests_make(suite, "end");
	tcase_add_test(tests, settled);
	tcase_add_test(tests, lock_in_time);
	tests = tests_make(suite, "fork");
	tcase_add_test(tests, child_own);
	tcase_add_test(tests, child_of_child);
	tcase_add_test(tests, child_without_numbers);
	return suite_run(suite);
}
