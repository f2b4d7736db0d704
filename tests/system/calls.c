/* SPDX-License-Identifier: MIT */
/*
 * The memory calls of a program, as the kernel's own manual pages have them. The program passes
 * with the plain kernel, and must pass in the same way under the pager.
 *
 *	calls FILE    (a path for scratch files, on a disk)
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	    ((size_t)4096)
#define MIB	    ((size_t)1 << 20)
#define READ_WRITE  (PROT_READ | PROT_WRITE)
#define ANON	    (MAP_PRIVATE | MAP_ANONYMOUS)
#define ANON_SHARED (MAP_SHARED | MAP_ANONYMOUS)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			failed(__func__, __LINE__, #condition);                                    \
	} while (0)
/* The call must fail with that errno. */
#define CHECK_ERRNO(call, wanted)                                                                  \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((intptr_t)(call) == -1);                                                     \
		CHECK(errno == (wanted));                                                          \
	} while (0)

static const char *scratch_path;
static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_signal;

static _Noreturn void failed(const char *function, int line, const char *what)
{
	fprintf(stderr, "calls: %s, line %d: not so: %s (errno %d: %s)\n", function, line, what,
		errno, strerror(errno));
	exit(1);
}

static void on_fault(int number)
{
	fault_signal = number;
	siglongjmp(fault_jump, 1);
}

/* The signal that a load from there (or a store) raises; 0: none. */
static int fault_of(void *address, bool store)
{
	volatile unsigned char *byte = address;

	fault_signal = 0;
	if (sigsetjmp(fault_jump, 1))
		return fault_signal;
	if (store)
		*byte = 1;
	else
		(void)*byte;
	return 0;
}

static void *map(size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, READ_WRITE, flags, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

static int scratch_file(size_t bytes)
{
	int fd = open(scratch_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(ftruncate(fd, bytes) == 0);
	return fd;
}

/* Number every 8-byte word. */
static void fill(void *memory, size_t bytes, uint64_t first)
{
	uint64_t *word = memory;

	for (size_t i = 0; i < bytes / 8; i++)
		word[i] = first + i;
}

static bool holds(const void *memory, size_t bytes, uint64_t first)
{
	const uint64_t *word = memory;

	for (size_t i = 0; i < bytes / 8; i++) {
		if (word[i] != first + i)
			return false;
	}
	return true;
}

static bool zero(const void *memory, size_t bytes)
{
	const char *byte = memory;

	return !*byte && !memcmp(byte, byte + 1, bytes - 1);
}

/* ---- unmapping, moving, protecting ------------------------------------------------------------
 */

static void test_partial_unmap(void)
{
	char *memory = map(8 * MIB, ANON);

	fill(memory, 8 * MIB, 1);
	CHECK(munmap(memory + 2 * MIB, MIB) == 0);
	CHECK(holds(memory, 2 * MIB, 1));
	CHECK(holds(memory + 3 * MIB, 5 * MIB, 1 + 3 * MIB / 8));
	CHECK(fault_of(memory + 2 * MIB, false) == SIGSEGV);
	CHECK(fault_of(memory + 3 * MIB - 1, true) == SIGSEGV);
	CHECK(munmap(memory, 8 * MIB) == 0);
	CHECK(fault_of(memory, false) == SIGSEGV);
}

static void test_map_fixed_over(void)
{
	char *memory = map(4 * MIB, ANON);

	fill(memory, 4 * MIB, 5);
	CHECK(mmap(memory + MIB, MIB, READ_WRITE, ANON | MAP_FIXED, -1, 0) == memory + MIB);
	CHECK(mmap(memory + 2 * MIB, 4 * PAGE, READ_WRITE, ANON | MAP_FIXED, -1, 0) ==
	      memory + 2 * MIB);
	CHECK(zero(memory + MIB, MIB));
	CHECK(zero(memory + 2 * MIB, 4 * PAGE));
	CHECK(holds(memory, MIB, 5));
	CHECK(holds(memory + 2 * MIB + 4 * PAGE, 2 * MIB - 4 * PAGE, 5 + (2 * MIB + 4 * PAGE) / 8));
	CHECK_ERRNO(mmap(memory, MIB, READ_WRITE, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_mremap_grow_and_shrink(void)
{
	char *memory = map(2 * MIB, ANON);

	fill(memory, 2 * MIB, 9);
	memory = mremap(memory, 2 * MIB, 16 * MIB, MREMAP_MAYMOVE);
	CHECK(memory != MAP_FAILED);
	CHECK(holds(memory, 2 * MIB, 9));
	CHECK(zero(memory + 2 * MIB, 14 * MIB));
	fill(memory, 16 * MIB, 11);
	CHECK(mremap(memory, 16 * MIB, 3 * MIB, 0) == memory);
	CHECK(holds(memory, 3 * MIB, 11));
	CHECK(fault_of(memory + 3 * MIB, false) == SIGSEGV);
	memory = mremap(memory, 3 * MIB, 4 * MIB, MREMAP_MAYMOVE);
	CHECK(memory != MAP_FAILED);
	CHECK(zero(memory + 3 * MIB, MIB));
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_mremap_fixed(void)
{
	char *memory = map(4 * MIB, ANON);
	char *target = map(4 * MIB, ANON);

	fill(memory, 4 * MIB, 13);
	fill(target, 4 * MIB, 17);
	CHECK(mremap(memory + MIB, MIB, MIB, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
	CHECK(holds(target, MIB, 13 + MIB / 8));
	CHECK(holds(target + MIB, 3 * MIB, 17 + MIB / 8));
	CHECK(fault_of(memory + MIB, false) == SIGSEGV);
	CHECK(holds(memory, MIB, 13));
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(munmap(target, 4 * MIB) == 0);
}

/* Shared memory once more, over a part of itself: what is seen there only must not be lost. */
static void test_mremap_over_itself(void)
{
	char *memory = map(4 * MIB, MAP_SHARED | MAP_ANONYMOUS);
	fill(memory, 4 * MIB, 0);
	CHECK(mremap(memory, 0, 3 * MIB, MREMAP_MAYMOVE | MREMAP_FIXED, memory + MIB) ==
	      memory + MIB);
	CHECK(holds(memory + MIB, 3 * MIB, 0));
	CHECK(holds(memory, MIB, 0));
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_mprotect(void)
{
	char *memory = map(4 * MIB, ANON);

	fill(memory, 4 * MIB, 19);
	CHECK(mprotect(memory + MIB, MIB, PROT_NONE) == 0);
	CHECK(fault_of(memory + MIB, false) == SIGSEGV);
	CHECK(mprotect(memory + MIB, MIB, PROT_READ) == 0);
	CHECK(fault_of(memory + MIB, false) == 0);
	CHECK(fault_of(memory + MIB, true) == SIGSEGV);
	CHECK(mprotect(memory + MIB, MIB, READ_WRITE) == 0);
	CHECK(holds(memory, 4 * MIB, 19));
	CHECK_ERRNO(mprotect(memory + 1, MIB, PROT_READ), EINVAL);
	CHECK(munmap(memory, 4 * MIB) == 0);
}

/* Allocators reserve with PROT_NONE, and open up later. */
static void test_reserve(void)
{
	char *memory = mmap(NULL, 64 * MIB, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);

	CHECK(memory != MAP_FAILED);
	CHECK(fault_of(memory, false) == SIGSEGV);
	CHECK(mprotect(memory + 8 * MIB, 8 * MIB, READ_WRITE) == 0);
	fill(memory + 8 * MIB, 8 * MIB, 23);
	CHECK(holds(memory + 8 * MIB, 8 * MIB, 23));
	CHECK(mmap(memory, 4 * MIB, READ_WRITE, ANON | MAP_FIXED, -1, 0) == memory);
	fill(memory, 4 * MIB, 29);
	CHECK(holds(memory, 4 * MIB, 29));
	CHECK(fault_of(memory + 32 * MIB, true) == SIGSEGV);
	CHECK(munmap(memory, 64 * MIB) == 0);
}

/* ---- advice -------------------------------------------------------------------------------- */

static void test_dontneed(void)
{
	char *memory = map(4 * MIB, ANON);

	fill(memory, 4 * MIB, 31);
	CHECK(madvise(memory + MIB, MIB, MADV_DONTNEED) == 0);
	CHECK(holds(memory, MIB, 31));
	CHECK(zero(memory + MIB, MIB));
	CHECK(holds(memory + 2 * MIB, 2 * MIB, 31 + 2 * MIB / 8));
	fill(memory + MIB, MIB, 37);
	CHECK(holds(memory + MIB, MIB, 37));
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_advice_keeps_contents(void)
{
	static const int advice[] = {MADV_NORMAL,   MADV_RANDOM, MADV_SEQUENTIAL,
				     MADV_WILLNEED, MADV_COLD,	 MADV_PAGEOUT};
	char *memory = map(4 * MIB, ANON);

	fill(memory, 4 * MIB, 41);
	for (size_t i = 0; i < sizeof(advice) / sizeof(advice[0]); i++) {
		CHECK(madvise(memory, 4 * MIB, advice[i]) == 0);
		CHECK(holds(memory, 4 * MIB, 41));
	}
	CHECK(posix_madvise(memory, 4 * MIB, POSIX_MADV_DONTNEED) == 0);
	CHECK(holds(memory, 4 * MIB, 41));
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_remove_shared(void)
{
	char *memory = map(4 * MIB, ANON_SHARED);

	fill(memory, 4 * MIB, 43);
	CHECK(madvise(memory, MIB, MADV_DONTNEED) == 0);
	CHECK(holds(memory, 4 * MIB, 43));
	CHECK(madvise(memory, MIB, MADV_REMOVE) == 0);
	CHECK(zero(memory, MIB));
	CHECK(holds(memory + MIB, 3 * MIB, 43 + MIB / 8));
	CHECK(munmap(memory, 4 * MIB) == 0);
}

static void test_advice_errors(void)
{
	char *memory = map(4 * MIB, ANON);

	CHECK_ERRNO(madvise(memory, MIB, 12345), EINVAL);
	CHECK_ERRNO(madvise(memory + 1, MIB, MADV_WILLNEED), EINVAL);
	CHECK(munmap(memory + MIB, MIB) == 0);
	CHECK_ERRNO(madvise(memory, 4 * MIB, MADV_DONTNEED), ENOMEM);
	CHECK(munmap(memory, 4 * MIB) == 0);
}

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

/* ---- errors and limits ------------------------------------------------------------------------
 */

static void test_mmap_errors(void)
{
	int fd = scratch_file(4 * MIB);
	int reader = open(scratch_path, O_RDONLY | O_CLOEXEC);

	CHECK(reader >= 0);
	CHECK_ERRNO(mmap(NULL, 0, READ_WRITE, ANON, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, fd, 1), EINVAL);
	CHECK_ERRNO(mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, -1, 0), EBADF);
	CHECK_ERRNO(mmap(NULL, 4 * MIB, READ_WRITE, MAP_SHARED, reader, 0), EACCES);
	CHECK_ERRNO(mmap(NULL, 4 * MIB, READ_WRITE, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERRNO(mmap(NULL, SIZE_MAX - PAGE, READ_WRITE, ANON, -1, 0), ENOMEM);
	CHECK_ERRNO(munmap((void *)1, MIB), EINVAL);
	CHECK_ERRNO(msync((void *)PAGE, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	close(reader);
	close(fd);
}

static void test_errno_stays(void)
{
	void *memory;

	errno = 77;
	memory = map(4 * MIB, ANON);
	fill(memory, 4 * MIB, 1);
	CHECK(errno == 77);
	CHECK(madvise(memory, MIB, MADV_DONTNEED) == 0);
	CHECK(mprotect(memory, MIB, PROT_READ) == 0);
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(errno == 77);
}

/* Memory never touched costs nothing. */
static void test_sparse(void)
{
	size_t bytes = (size_t)64 << 30;
	char *memory = mmap(NULL, bytes, READ_WRITE, ANON | MAP_NORESERVE, -1, 0);

	CHECK(memory != MAP_FAILED);
	for (size_t at = 0; at < bytes; at += bytes / 64)
		memory[at] = 1;
	for (size_t at = 0; at < bytes; at += bytes / 64)
		CHECK(memory[at] == 1 && memory[at + PAGE] == 0);
	CHECK(munmap(memory, bytes) == 0);
}

/* Mappings that are none of a pager's business. */
static void test_other_kinds(void)
{
	unsigned char code[] = {0xb8, 42, 0, 0, 0, 0xc3}; /* mov $42, %eax; ret */
	void *memory = mmap(NULL, 2 * MIB, READ_WRITE | PROT_EXEC, ANON, -1, 0);
	char *stack = mmap(NULL, 2 * MIB, READ_WRITE, ANON | MAP_GROWSDOWN | MAP_STACK, -1, 0);

	CHECK(memory != MAP_FAILED && stack != MAP_FAILED);
#if defined(__x86_64__)
	memcpy(memory, code, sizeof(code));
	CHECK(((int (*)(void))memory)() == 42);
#endif
	stack[2 * MIB - 1] = 1;
	CHECK(munmap(memory, 2 * MIB) == 0);
	CHECK(munmap(stack, 2 * MIB) == 0);
}

/* ---- files --------------------------------------------------------------------------------- */

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

/* ---- the kernel as a user of the memory ---------------------------------------------------------
 */

static void test_system_calls(void)
{
	size_t bytes = 8 * MIB;
	int fd = scratch_file(bytes);
	char *memory = map(bytes, ANON);
	char *copy = map(bytes, ANON);
	struct iovec parts[2] = {{memory, bytes / 2}, {memory + bytes / 2, bytes / 2}};

	fill(memory, bytes, 97);
	CHECK(pwritev(fd, parts, 2, 0) == (ssize_t)bytes);
	CHECK(pread(fd, copy, bytes, 0) == (ssize_t)bytes);
	CHECK(holds(copy, bytes, 97));
	CHECK(madvise(copy, bytes, MADV_DONTNEED) == 0);
	parts[0].iov_base = copy;
	parts[1].iov_base = copy + bytes / 2;
	CHECK(preadv(fd, parts, 2, 0) == (ssize_t)bytes);
	CHECK(holds(copy, bytes, 97));
	CHECK(munmap(memory, bytes) == 0);
	CHECK(munmap(copy, bytes) == 0);
	close(fd);
}

static void *send_all(void *argument)
{
	const char *memory = argument;
	int fd = *(const int *)memory;

	for (size_t at = PAGE; at < 4 * MIB;) {
		ssize_t sent = write(fd, memory + at, 4 * MIB - at);

		CHECK(sent > 0);
		at += sent;
	}
	return NULL;
}

static void test_socket(void)
{
	char *memory = map(4 * MIB, ANON);
	char *copy = map(4 * MIB, ANON);
	pthread_t thread;
	int ends[2];

	CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
	fill(memory, 4 * MIB, 101);
	memcpy(memory, &ends[1], sizeof(ends[1]));
	CHECK(pthread_create(&thread, NULL, send_all, memory) == 0);
	CHECK(recv(ends[0], copy + PAGE, 4 * MIB - PAGE, MSG_WAITALL) == (ssize_t)(4 * MIB - PAGE));
	pthread_join(thread, NULL);
	CHECK(holds(copy + PAGE, 4 * MIB - PAGE, 101 + PAGE / 8));
	close(ends[0]);
	close(ends[1]);
	CHECK(munmap(memory, 4 * MIB) == 0);
	CHECK(munmap(copy, 4 * MIB) == 0);
}

/* A lock and a condition in shared memory, while its pages come and go. */
struct turn {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int number;
};

static struct turn *turn_make(void *memory)
{
	pthread_mutexattr_t mutex_shared;
	pthread_condattr_t cond_shared;
	struct turn *turn = memory;

	pthread_mutexattr_init(&mutex_shared);
	pthread_mutexattr_setpshared(&mutex_shared, PTHREAD_PROCESS_SHARED);
	pthread_condattr_init(&cond_shared);
	pthread_condattr_setpshared(&cond_shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&turn->lock, &mutex_shared);
	pthread_cond_init(&turn->changed, &cond_shared);
	turn->number = 0;
	return turn;
}

/* Take every other turn; push the pages out in between. */
static void take_turns(struct turn *turn, int parity, void *memory)
{
	for (int number = parity; number < 200; number += 2) {
		pthread_mutex_lock(&turn->lock);
		while (turn->number != number)
			pthread_cond_wait(&turn->changed, &turn->lock);
		turn->number++;
		pthread_cond_broadcast(&turn->changed);
		pthread_mutex_unlock(&turn->lock);
		CHECK(madvise(memory, 2 * MIB, MADV_PAGEOUT) == 0);
	}
}

/* Kernels before 6.13 do not let a process throw its own memory away by it. */
static void test_process_madvise(void)
{
	char *memory = map(4 * MIB, ANON);
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	struct iovec ranges[] = {{memory + MIB, MIB}, {memory + 3 * MIB, PAGE}};

	memset(memory, 1, 4 * MIB);
	CHECK_ERRNO(process_madvise(self, ranges, 2, MADV_WILLNEED, 1), EINVAL);
	if (process_madvise(self, ranges, 2, MADV_DONTNEED, 0) < 0) {
		CHECK(errno == EINVAL);
		return;
	}
	CHECK(memory[MIB - 1] && memory[2 * MIB] && memory[3 * MIB - 1] && memory[3 * MIB + PAGE]);
	CHECK(zero(memory + MIB, MIB) && zero(memory + 3 * MIB, PAGE));
	CHECK(process_madvise(self, ranges, 2, MADV_WILLNEED, 0) == (ssize_t)(MIB + PAGE));
	CHECK_ERRNO(process_madvise(self, ranges, 2, 12345, 0), EINVAL);
	ranges[1].iov_base = memory + 1;
	CHECK(process_madvise(self, ranges, 2, MADV_DONTNEED, 0) == (ssize_t)MIB);
	CHECK_ERRNO(process_madvise(self, (void *)8, 1, MADV_DONTNEED, 0), EFAULT);
}

/* Every page is a mapping of its own, to us as to the kernel. */
static void test_protect_many(void)
{
	const size_t pages = 2000;
	char *memory = map(pages * PAGE, ANON);

	for (size_t i = 0; i < pages; i += 2)
		CHECK(mprotect(memory + i * PAGE, PAGE, PROT_READ) == 0);
	for (size_t i = 0; i < pages; i++)
		CHECK(fault_of(memory + i * PAGE, true) == (i % 2 ? 0 : SIGSEGV));
	CHECK(mprotect(memory, pages * PAGE, READ_WRITE) == 0);
	for (size_t i = 0; i < pages; i++)
		CHECK(fault_of(memory + i * PAGE, true) == 0);
}

/* What is there is protected up to the first hole, and nothing behind it. */
static void test_protect_holes(void)
{
	char *memory = map(4 * MIB, ANON);

	CHECK(munmap(memory + MIB, MIB) == 0);
	CHECK_ERRNO(mprotect(memory + MIB, MIB * 2, PROT_READ), ENOMEM);
	CHECK_ERRNO(mprotect(memory, 3 * MIB, PROT_READ), ENOMEM);
	CHECK(fault_of(memory, true) == SIGSEGV);
	CHECK(fault_of(memory + MIB - PAGE, true) == SIGSEGV);
	CHECK(fault_of(memory + 2 * MIB, true) == 0);
	CHECK(munmap(memory, 4 * MIB) == 0);
}

/* Without memory for it nothing is done, and what is done is not denied. */
static void test_protect_without_memory(void)
{
	const size_t pages = 600;
	const struct rlimit none = {.rlim_max = RLIM_INFINITY};
	char *memory = map(pages * PAGE, ANON);
	struct rlimit old;
	int result = 0;
	size_t i;

	CHECK(getrlimit(RLIMIT_AS, &old) == 0);
	CHECK(setrlimit(RLIMIT_AS, &none) == 0);
	for (i = 0; i < pages && result == 0; i += 2)
		result = mprotect(memory + i * PAGE, PAGE, PROT_READ);
	CHECK(setrlimit(RLIMIT_AS, &old) == 0);
	CHECK(result == 0 || errno == ENOMEM);
	CHECK(result == 0 || fault_of(memory + (i - 2) * PAGE, true) == 0);
	CHECK(munmap(memory, pages * PAGE) == 0);
}

/* What was protected by it is so in a child of fork. */
static void test_pkey_mprotect(void)
{
	char *memory = map(2 * MIB, ANON);
	int status;

	CHECK_ERRNO(pkey_mprotect(memory + MIB, MIB, PROT_READ, 99), EINVAL);
	CHECK(pkey_mprotect(memory, MIB, PROT_READ, -1) == 0);
	pid_t child = fork();
	if (!child) {
		CHECK(fault_of(memory, true) == SIGSEGV && fault_of(memory + MIB, true) == 0);
		exit(0);
	}
	CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
}

/* A kernel may be without: secretmem.enable. */
static void test_secret_memory(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	char *memory;

	if (fd < 0) {
		CHECK(errno == ENOSYS);
		return;
	}
	CHECK(ftruncate(fd, MIB) == 0);
	memory = mmap(NULL, MIB, READ_WRITE, MAP_SHARED, fd, 0);
	CHECK(memory != MAP_FAILED);
	CHECK(fault_of(memory, true) == 0 && memory[0] == 1 && zero(memory + PAGE, MIB - PAGE));
}

static void test_futex(void)
{
	void *memory = map(2 * MIB, ANON_SHARED);
	struct turn *turn = turn_make(memory);
	int status;
	pid_t child = fork();

	CHECK(child >= 0);
	take_turns(turn, child ? 0 : 1, memory);
	if (!child)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(turn->number == 200);
	CHECK(munmap(memory, 2 * MIB) == 0);
}

static void *map_and_unmap(void *argument)
{
	uint64_t number = (uintptr_t)argument;

	for (size_t i = 0; i < 100; i++) {
		size_t bytes = MIB + i % 7 * MIB / 2;
		char *memory = map(bytes, ANON);

		CHECK(zero(memory, PAGE));
		fill(memory, bytes, number + i);
		CHECK(holds(memory, bytes, number + i));
		CHECK(munmap(memory, bytes) == 0);
	}
	return NULL;
}

/* Several threads map and unmap, so that they get each other's old addresses. */
static void test_map_and_unmap_in_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, map_and_unmap, (void *)(i << 32)) == 0);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

struct test {
	const char *name;
	void (*run)(void);
};

#define TEST(name)                                                                                 \
	{                                                                                          \
#name, test_##name                                                                 \
	}

static const struct test tests[] = {
	TEST(partial_unmap),
	TEST(map_fixed_over),
	TEST(mremap_grow_and_shrink),
	TEST(mremap_fixed),
	TEST(mremap_over_itself),
	TEST(mprotect),
	TEST(reserve),
	TEST(dontneed),
	TEST(advice_keeps_contents),
	TEST(remove_shared),
	TEST(advice_errors),
	TEST(locked),
	TEST(locked_moves),
	TEST(locked_behind),
	TEST(locked_copies),
	TEST(locked_onfault),
	TEST(locked_limit),
	TEST(locked_file),
	TEST(mmap_errors),
	TEST(errno_stays),
	TEST(sparse),
	TEST(other_kinds),
	TEST(file_offset),
	TEST(file_end),
	TEST(file_tail),
	TEST(file_reader_sees_writer),
	TEST(file_read_after_store),
	TEST(file_append),
	TEST(file_read_and_write_calls),
	TEST(file_limits),
	TEST(file_private),
	TEST(system_calls),
	TEST(socket),
	TEST(process_madvise),
	TEST(protect_holes),
	TEST(protect_without_memory),
	TEST(protect_many),
	TEST(pkey_mprotect),
	TEST(secret_memory),
	TEST(futex),
	TEST(map_and_unmap_in_threads),
};

/* Run each test in a process of its own, so that one failure hides no other. */
static bool run_test(const struct test *test)
{
	int status;
	pid_t child = fork();

	if (!child) {
		test->run();
		exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("calls: fork or wait");
		exit(2);
	}
	printf("%s %s\n", status ? "FAILED" : "ok", test->name);
	fflush(stdout);
	return !status;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_fault};
	int failures = 0;

	if (argc != 2 && argc != 3) {
		fprintf(stderr, "usage: calls SCRATCH-FILE [TEST]\n");
		return 64;
	}
	scratch_path = argv[1];
	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		if (argc == 2 || !strcmp(tests[i].name, argv[2]))
			failures += !run_test(&tests[i]);
	}
	return failures != 0;
}
