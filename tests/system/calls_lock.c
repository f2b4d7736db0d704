/* SPDX-License-Identifier: MIT */
/* Memory that is locked. */
#include <errno.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

/* The whole range is in memory. */
static bool resident(void *memory, size_t bytes)
{
	unsigned char vector[4 * MIB / PAGE];

	CHECK(mincore(memory, bytes, vector) == 0);
	for (size_t i = 0; i < bytes / PAGE; i++) {
		if (!(vector[i] & 1))
			return false;
	}
	return true;
}

/* Locked memory stays in memory when much more is used; the kernel then refuses to drop it. */
static void test_locked(void)
{
	char *memory = map(4 * MIB, ANON), *other, *moved;
	int fd = scratch_file(MIB);
	char *file = mmap(NULL, MIB, READ_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(file != MAP_FAILED);
	fill(memory, 4 * MIB, 83);
	CHECK(mlock(memory + MIB + 1, MIB - 1) == 0);
	CHECK(mlock2(file, 4 * PAGE, 1) == 0); /* MLOCK_ONFAULT */
	fill(file, 4 * PAGE, 85);
	CHECK(resident(memory + MIB, MIB));
	other = map(16 * MIB, ANON);
	fill(other, 16 * MIB, 89);
	CHECK(resident(memory + MIB, MIB) && resident(file, 4 * PAGE));
	CHECK_ERRNO(madvise(memory + MIB, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERRNO(madvise(memory + MIB, PAGE, MADV_FREE), EINVAL);
	CHECK_ERRNO(madvise(memory, 4 * MIB, MADV_PAGEOUT), EINVAL);
	CHECK_ERRNO(madvise(file, MIB, MADV_DONTNEED), EINVAL);
	CHECK(madvise(file + 4 * PAGE, PAGE, MADV_DONTNEED) == 0);
	CHECK_ERRNO(msync(memory, 4 * MIB, MS_INVALIDATE | MS_ASYNC), EBUSY);
	CHECK(holds(memory, 4 * MIB, 83));
	moved = mremap(memory + MIB, MIB, 2 * MIB, MREMAP_MAYMOVE);
	CHECK(moved != MAP_FAILED);
	CHECK(resident(moved, 2 * MIB));
	CHECK_ERRNO(madvise(moved + MIB, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munlock(moved, 2 * MIB) == 0);
	CHECK(madvise(moved, PAGE, MADV_DONTNEED) == 0);
	CHECK(zero(moved, PAGE) && holds(moved + PAGE, MIB - PAGE, 83 + (MIB + PAGE) / 8));
	CHECK_ERRNO(mlock(memory + 2 * MIB, 16ul << 40), ENOMEM);
	CHECK_ERRNO(mlock(memory, 2 * MIB), ENOMEM); /* a part has moved away */
	CHECK_ERRNO(madvise(memory, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munlockall() == 0);
	CHECK(madvise(memory, PAGE, MADV_DONTNEED) == 0);
	CHECK(mlockall(MCL_CURRENT) == 0);
	CHECK_ERRNO(madvise(other, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munlockall() == 0);
	CHECK(holds(other, 16 * MIB, 89));
	CHECK(munmap(other, 16 * MIB) == 0 && munmap(moved, 2 * MIB) == 0);
	CHECK(munmap(memory, 4 * MIB) == 0 && munmap(file, MIB) == 0);
	close(fd);
}

/* A lock goes with what mremap moves, also where the old place stays mapped. */
static void test_locked_moves(void)
{
	char *memory = map(MIB, ANON_SHARED), *moved;

	fill(memory, MIB, 97);
	CHECK(mlock(memory, MIB) == 0);
	moved = mremap(memory, MIB, MIB, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
	CHECK(moved != MAP_FAILED);
	CHECK(madvise(memory, MIB, MADV_PAGEOUT) == 0);
	CHECK_ERRNO(madvise(moved, MIB, MADV_PAGEOUT), EINVAL);
	CHECK(holds(memory, MIB, 97) && holds(moved, MIB, 97));
	CHECK(munmap(moved, MIB) == 0 && munmap(memory, MIB) == 0);
}

/* Advice that locked memory forbids is taken up to there. */
static void test_locked_behind(void)
{
	char *memory = map(MIB, ANON);

	fill(memory, MIB, 101);
	CHECK(mlock(memory + 5 * PAGE, PAGE) == 0);
	CHECK_ERRNO(madvise(memory, MIB, MADV_DONTNEED), EINVAL);
	CHECK(zero(memory, 5 * PAGE));
	CHECK(holds(memory + 5 * PAGE, MIB - 5 * PAGE, 101 + 5 * PAGE / 8));
	CHECK(munmap(memory, MIB) == 0);
}

/* Locked pages of a file mapped privately are copied when they become writable. */
static void test_locked_copies(void)
{
	int fd = scratch_file(MIB);
	char *shared = mmap(NULL, MIB, READ_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, MIB, PROT_READ, MAP_PRIVATE, fd, 0);

	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	fill(shared, MIB, 103);
	CHECK(mlock(private + PAGE, 2 * PAGE) == 0);
	CHECK(mprotect(private, MIB, READ_WRITE) == 0);
	fill(shared, MIB, 107);
	CHECK(holds(private, PAGE, 107));
	CHECK(holds(private + PAGE, 2 * PAGE, 103 + PAGE / 8));
	CHECK(holds(private + 3 * PAGE, MIB - 3 * PAGE, 107 + 3 * PAGE / 8));
	CHECK(munmap(private, MIB) == 0 && munmap(shared, MIB) == 0);
	close(fd);
}

/* Locked pages of a file that are to come when they are used are copied no sooner: neither when
 * they move, nor when they become writable. */
static void test_locked_onfault(void)
{
	int fd = scratch_file(MIB);
	char *shared = mmap(NULL, MIB, READ_WRITE, MAP_SHARED, fd, 0);
	char *private = mmap(NULL, MIB, READ_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(shared != MAP_FAILED && private != MAP_FAILED);
	fill(shared, MIB, 103);
	CHECK(mlock2(private, MIB, 1) == 0);
	private = mremap(private, MIB, MIB / 2, MREMAP_MAYMOVE | MREMAP_FIXED, map(MIB, ANON));
	CHECK(private != MAP_FAILED);
	CHECK(mprotect(private, MIB / 2, PROT_READ) == 0);
	CHECK(mprotect(private, MIB / 2, READ_WRITE) == 0);
	fill(shared, MIB, 107);
	CHECK(holds(private, MIB / 2, 107));
	CHECK_ERRNO(madvise(private, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munmap(private, MIB) == 0 && munmap(shared, MIB) == 0);
	close(fd);
}

/* As for an ordinary user. */
static void limit_locks(rlim_t bytes)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	struct rlimit limit = {bytes, bytes};

	CHECK(syscall(SYS_capget, &header, data) == 0);
	data[0].effective &= ~(1u << CAP_IPC_LOCK);
	CHECK(syscall(SYS_capset, &header, data) == 0);
	CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
}

static void locked_too_much(void)
{
	char *memory = map(MIB, ANON), *place = map(MIB, ANON);
	const int flags = ANON | MAP_FIXED | MAP_LOCKED;
	int fd = scratch_file(MIB), pipes[2];

	limit_locks(16 * PAGE);
	fill(memory, MIB, 127);
	CHECK_ERRNO(mmap(memory, MIB, READ_WRITE, flags, -1, 0), EAGAIN);
	CHECK(holds(memory, MIB, 127));
	CHECK(mlock(memory, 12 * PAGE) == 0);
	CHECK_ERRNO(mlock(memory + 12 * PAGE, 8 * PAGE), ENOMEM);
	/* What else is wrong with a call is said before that. */
	CHECK_ERRNO(mmap(NULL, MIB, READ_WRITE, MAP_SHARED | MAP_LOCKED, fd, 0), EAGAIN);
	CHECK_ERRNO(
		mmap(place, MIB, READ_WRITE, MAP_SHARED | MAP_LOCKED | MAP_FIXED_NOREPLACE, fd, 0),
		EEXIST);
	CHECK_ERRNO(mmap(place + 1, MIB, READ_WRITE, MAP_SHARED | MAP_LOCKED | MAP_FIXED, fd, 0),
		    EINVAL);
	CHECK_ERRNO(mmap(NULL, MIB, READ_WRITE, MAP_SHARED | MAP_LOCKED, fd, 1), EINVAL);
	CHECK(pipe(pipes) == 0);
	CHECK_ERRNO(mmap(place, PAGE, READ_WRITE, MAP_SHARED | MAP_LOCKED | MAP_FIXED, pipes[0], 0),
		    EACCES);
	CHECK(munmap(memory + 12 * PAGE, MIB - 12 * PAGE) == 0);
	CHECK_ERRNO(mremap(memory, 12 * PAGE, 20 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place),
		    EAGAIN);
	CHECK(mremap(memory, 12 * PAGE, 16 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place);
	CHECK(holds(place, 12 * PAGE, 127) && zero(place + 12 * PAGE, 4 * PAGE));
	_exit(0);
}

static void test_locked_limit(void)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0)
		locked_too_much();
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(status == 0);
}

/* A mapping of a file that is locked from the start shows what is stored through another. */
static void test_locked_file(void)
{
	int fd = scratch_file(MIB);
	char *memory = mmap(NULL, MIB, READ_WRITE, MAP_SHARED, fd, 0), *locked, *later;

	CHECK(memory != MAP_FAILED);
	fill(memory, MIB, 109);
	locked = mmap(NULL, 16 * PAGE, READ_WRITE, MAP_SHARED | MAP_LOCKED, fd, 0);
	CHECK(locked != MAP_FAILED);
	CHECK(holds(locked, 16 * PAGE, 109) && resident(locked, 16 * PAGE));
	CHECK_ERRNO(madvise(locked, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(mlockall(MCL_FUTURE) == 0);
	later = mmap(NULL, 16 * PAGE, READ_WRITE, MAP_SHARED, fd, 0);
	CHECK(later != MAP_FAILED);
	CHECK_ERRNO(madvise(later, PAGE, MADV_DONTNEED), EINVAL);
	CHECK(munlockall() == 0);
	fill(locked, 16 * PAGE, 113);
	CHECK(holds(memory, 16 * PAGE, 113) && holds(later, 16 * PAGE, 113));
	CHECK(munmap(memory, MIB) == 0 && munmap(locked, 16 * PAGE) == 0);
	CHECK(munmap(later, 16 * PAGE) == 0);
	close(fd);
}

const struct test tests_lock[] = {
	TEST(locked),	      TEST(locked_moves), TEST(locked_behind), TEST(locked_copies),
	TEST(locked_onfault), TEST(locked_limit), TEST(locked_file),   {0},
};
