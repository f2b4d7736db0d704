/* SPDX-License-Identifier: MIT */
/* Advice, by madvise(2) and its like. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "calls.h"

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

const struct test tests_advice[] = {
	TEST(dontneed),	     TEST(advice_keeps_contents), TEST(remove_shared),
	TEST(advice_errors), TEST(process_madvise),	  {0},
};
