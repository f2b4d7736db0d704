/* SPDX-License-Identifier: MIT */
/* Mappings of files, beside read(2) and write(2). */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

static char *map_file(int fd, size_t bytes, int protection, int flags, off_t offset)
{
	char *memory = mmap(NULL, bytes, protection, flags, fd, offset);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static void test_file_offset(void)
{
	int fd = scratch_file(8 * MIB);
	char *all = map_file(fd, 8 * MIB, READ_WRITE, MAP_SHARED, 0);
	char *part = map_file(fd, 2 * MIB, READ_WRITE, MAP_SHARED, 3 * MIB);

	close(fd);
	fill(all, 8 * MIB, 47);
	CHECK(holds(part, 2 * MIB, 47 + 3 * MIB / 8));
	fill(part, 2 * MIB, 53);
	CHECK(holds(all + 3 * MIB, 2 * MIB, 53));
	CHECK(munmap(all, 8 * MIB) == 0);
	CHECK(holds(part, 2 * MIB, 53));
	CHECK(munmap(part, 2 * MIB) == 0);
}

static void test_file_end(void)
{
	int fd = scratch_file(2 * MIB + 100);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);

	CHECK(zero(memory, 2 * MIB + PAGE));
	CHECK(fault_of(memory + 2 * MIB + PAGE, false) == SIGBUS);
	CHECK(fault_of(memory + 4 * MIB - 1, true) == SIGBUS);
	fill(memory, 2 * MIB, 59);
	CHECK(ftruncate(fd, 4 * MIB) == 0);
	CHECK(fault_of(memory + 3 * MIB, true) == 0);
	CHECK(memory[3 * MIB] == 1);
	CHECK(holds(memory, 2 * MIB, 59));
	CHECK(munmap(memory, 4 * MIB) == 0);
	close(fd);
}

/* What is stored behind the end of a file in its last page does not become part of the file. */
static void test_file_tail(void)
{
	int fd = scratch_file(2 * MIB + 100);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	char byte[2];

	memory[2 * MIB + 99] = 'a';
	memory[2 * MIB + 100] = 'b';
	CHECK(msync(memory, 4 * MIB, MS_SYNC) == 0);
	CHECK(lseek(fd, 0, SEEK_END) == (off_t)(2 * MIB + 100));
	CHECK(pread(fd, byte, 2, 2 * MIB + 99) == 1 && byte[0] == 'a');
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(lseek(fd, 0, SEEK_END) == (off_t)(2 * MIB + 100));
	close(fd);
}

static void test_file_reader_sees_writer(void)
{
	int fd = scratch_file(4 * MIB);
	int reader = open(scratch_path, O_RDONLY | O_CLOEXEC);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	char *view = map_file(reader, 4 * MIB, PROT_READ, MAP_SHARED, 0);

	close(fd);
	close(reader);
	CHECK(zero(view, 4 * MIB));
	fill(memory, 4 * MIB, 61);
	CHECK(holds(view, 4 * MIB, 61));
	fill(memory, 4 * MIB, 67);
	CHECK(holds(view, 4 * MIB, 67));
	CHECK(fault_of(view, true) == SIGSEGV);
	CHECK_ERRNO(mprotect(view, MIB, READ_WRITE), EACCES);
	CHECK(fault_of(view, true) == SIGSEGV);
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(holds(view, 4 * MIB, 67));
	CHECK(munmap(view, 4 * MIB) == 0);
}

static void read_file(int fd, void *buffer, size_t bytes)
{
	CHECK(pread(fd, buffer, bytes, 0) == (ssize_t)bytes);
}

static void test_file_read_after_store(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	char *buffer = malloc(4 * MIB);

	fill(memory, 4 * MIB, 71);
	CHECK(msync(memory, 4 * MIB, MS_SYNC) == 0);
	read_file(fd, buffer, 4 * MIB);
	CHECK(holds(buffer, 4 * MIB, 71));
	fill(memory, 4 * MIB, 73);
	CHECK(munmap(memory, 4 * MIB) == 0);
	read_file(fd, buffer, 4 * MIB);
	CHECK(holds(buffer, 4 * MIB, 73));
	free(buffer);
	close(fd);
}

/* The same without msync: the kernel has one copy of a page, and programs rely on it. */
/* What is appended by the call's own flag is in a page that is there already. */
static void test_file_append(void)
{
	int fd = scratch_file(PAGE + 100);
	char *memory = map_file(fd, 2 * PAGE, READ_WRITE, MAP_SHARED, 0);
	char more[200];
	struct iovec one = {more, sizeof(more)};

	memset(more, 'm', sizeof(more));
	memset(memory, 'b', PAGE + 100);
	CHECK(pwritev2(fd, &one, 1, 0, RWF_APPEND) == sizeof(more));
	CHECK(memory[0] == 'b' && memory[PAGE + 99] == 'b');
	CHECK(!memcmp(memory + PAGE + 100, more, sizeof(more)) && !memory[PAGE + 300]);
	CHECK(munmap(memory, 2 * PAGE) == 0);
	close(fd);
}

static void test_file_read_and_write_calls(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	char *buffer = malloc(4 * MIB);

	fill(memory, 4 * MIB, 79);
	read_file(fd, buffer, 4 * MIB);
	CHECK(holds(buffer, 4 * MIB, 79));
	fill(buffer, 4 * MIB, 83);
	CHECK(pwrite(fd, buffer, 4 * MIB, 0) == (ssize_t)(4 * MIB));
	CHECK(holds(memory, 4 * MIB, 83));
	CHECK(munmap(memory, 4 * MIB) == 0);
	free(buffer);
	close(fd);
}

/* What a program calls that was compiled with _FORTIFY_SOURCE, for a buffer of which the compiler
 * knows the size and not how much is read. */
ssize_t __read_chk(int fd, void *buffer, size_t bytes, size_t room);
ssize_t __pread_chk(int fd, void *buffer, size_t bytes, off_t offset, size_t room);
ssize_t __pread64_chk(int fd, void *buffer, size_t bytes, off_t offset, size_t room);

static void test_file_read_checked(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	uint64_t buffer[PAGE / 8];

	fill(memory, 4 * MIB, 97);
	CHECK(__read_chk(fd, buffer, PAGE, sizeof(buffer)) == (ssize_t)PAGE);
	CHECK(holds(buffer, PAGE, 97));
	fill(memory, 4 * MIB, 101);
	CHECK(__pread_chk(fd, buffer, PAGE, MIB, sizeof(buffer)) == (ssize_t)PAGE);
	CHECK(holds(buffer, PAGE, 101 + MIB / 8));
	fill(memory, 4 * MIB, 103);
	CHECK(__pread64_chk(fd, buffer, PAGE, MIB, sizeof(buffer)) == (ssize_t)PAGE);
	CHECK(holds(buffer, PAGE, 103 + MIB / 8));
	CHECK(munmap(memory, 4 * MIB) == 0);
	close(fd);
}

/* More than the buffer holds ends the program. */
static void test_file_read_overflow(void)
{
	int fd = scratch_file(PAGE);
	char buffer[8];
	volatile size_t more = 9;

	for (int i = 0; i < 3; i++) {
		pid_t child = fork();
		int status;

		if (!child) {
			close(STDERR_FILENO); /* where it is said */
			_exit(i == 0   ? __read_chk(fd, buffer, more, sizeof(buffer)) < 0
			      : i == 1 ? __pread_chk(fd, buffer, more, 0, sizeof(buffer)) < 0
				       : __pread64_chk(fd, buffer, more, 0, sizeof(buffer)) < 0);
		}
		CHECK(waitpid(child, &status, 0) == child);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
	close(fd);
}

/* The pager may write neighbours of what was stored, as the zeros that they are; it does at random
 * under chaos. */
static bool hole_is_behind(int fd, off_t end)
{
	off_t hole = lseek(fd, MIB, SEEK_HOLE);

	return hole >= end && hole < (off_t)(2 * MIB) && lseek64(fd, MIB, SEEK_HOLE) == hole;
}

/* Data that are only in a mapping count, in both directions. */
static void test_file_seek_data(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);

	memory[MIB] = 1;
	CHECK(lseek(fd, 0, SEEK_DATA) == (off_t)MIB);
	CHECK(lseek(fd, 0, SEEK_CUR) == (off_t)MIB);
	memory[MIB + PAGE] = 1;
	CHECK(hole_is_behind(fd, MIB + 2 * PAGE));
	memory[MIB + 2 * PAGE] = 1;
	CHECK(hole_is_behind(fd, MIB + 3 * PAGE));
	CHECK_ERRNO(lseek(fd, 2 * MIB, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, -1, SEEK_DATA), ENXIO);
	CHECK_ERRNO(lseek(fd, 5 * MIB, SEEK_HOLE), ENXIO);
	CHECK(munmap(memory, 4 * MIB) == 0);
	close(fd);
}

/* A read that nothing but the kernel sees. */
static bool file_has(int fd, off_t offset, char wanted)
{
	char byte;

	return syscall(SYS_pread64, fd, &byte, 1, offset) == 1 && byte == wanted;
}

static void test_file_sync(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	char *more = map(2 * MIB, ANON);

	more[0] = 1;
	memory[MIB] = 'a';
	CHECK(sync_file_range(fd, MIB, PAGE, SYNC_FILE_RANGE_WRITE) == 0);
	CHECK(file_has(fd, MIB, 'a'));
	memory[2 * MIB] = 'b';
	CHECK(sync_file_range(fd, MIB, 0, SYNC_FILE_RANGE_WRITE) == 0);
	CHECK(file_has(fd, 2 * MIB, 'b'));
	memory[MIB] = 'c';
	CHECK(syncfs(fd) == 0);
	CHECK(file_has(fd, MIB, 'c'));
	memory[MIB] = 'd';
	sync();
	CHECK(file_has(fd, MIB, 'd'));
	CHECK_ERRNO(sync_file_range(fd, -1, PAGE, SYNC_FILE_RANGE_WRITE), EINVAL);
	CHECK_ERRNO(syncfs(-1), EBADF);
	CHECK(munmap(more, 2 * MIB) == 0);
	CHECK(munmap(memory, 4 * MIB) == 0);
	close(fd);
}

/* What the kernel gives for bad pointers, and within limits that hold for the library, too. */
static void test_file_limits(void)
{
	int fd = scratch_file(2 * MIB), ends[2];
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_SHARED, 0);
	struct rlimit old, limit;
	char byte = 'x';

	CHECK(pipe(ends) == 0);
	CHECK_ERRNO(sendfile(ends[1], fd, (off_t *)8, 100), EFAULT);
	CHECK_ERRNO(copy_file_range(fd, (off64_t *)8, fd, NULL, 100, 0), EFAULT);
	CHECK(fault_of(memory + 3 * MIB, true) == SIGBUS);
	CHECK(posix_fallocate(fd, 0, 4 * MIB) == 0);
	CHECK(fault_of(memory + 3 * MIB, true) == 0);
	CHECK(getrlimit(RLIMIT_FSIZE, &old) == 0);
	limit = old;
	limit.rlim_cur = 64 * 1024;
	CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
	CHECK(pwrite(fd, &byte, 1, 100) == 1);
	CHECK(memory[100] == 'x');
	CHECK(setrlimit(RLIMIT_FSIZE, &old) == 0);
	CHECK(munmap(memory, 4 * MIB) == 0);
	close(ends[0]);
	close(ends[1]);
	close(fd);
}

static void test_file_private(void)
{
	int fd = scratch_file(4 * MIB);
	char *memory = map_file(fd, 4 * MIB, READ_WRITE, MAP_PRIVATE, 0);
	char *buffer = malloc(4 * MIB);

	fill(memory, 4 * MIB, 89);
	read_file(fd, buffer, 4 * MIB);
	CHECK(zero(buffer, 4 * MIB));
	CHECK(munmap(memory, 4 * MIB) == 0);
	free(buffer);
	close(fd);
}

const struct test tests_file[] = {
	TEST(file_offset),
	TEST(file_end),
	TEST(file_tail),
	TEST(file_reader_sees_writer),
	TEST(file_read_after_store),
	TEST(file_append),
	TEST(file_read_and_write_calls),
	TEST(file_read_checked),
	TEST(file_read_overflow),
	TEST(file_seek_data),
	TEST(file_sync),
	TEST(file_limits),
	TEST(file_private),
	{0},
};
