/* SPDX-License-Identifier: MIT */
/* What may be done with the memory. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

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

const struct test tests_protect[] = {
	TEST(mprotect),
	TEST(reserve),
	TEST(protect_many),
	TEST(protect_holes),
	TEST(protect_without_memory),
	TEST(pkey_mprotect),
	{0},
};
