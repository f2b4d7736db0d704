/* SPDX-License-Identifier: MIT */
/* Mappings made, moved and taken away. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "calls.h"

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

static void *map_and_unmap(void *argument)
{
	uint64_t number = (uintptr_t)argument;

	for (size_t i = 0; i < 40; i++) {
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

const struct test tests_map[] = {
	TEST(partial_unmap),
	TEST(map_fixed_over),
	TEST(mremap_grow_and_shrink),
	TEST(mremap_fixed),
	TEST(mremap_over_itself),
	TEST(mmap_errors),
	TEST(errno_stays),
	TEST(sparse),
	TEST(other_kinds),
	TEST(secret_memory),
	TEST(map_and_unmap_in_threads),
	{0},
};
