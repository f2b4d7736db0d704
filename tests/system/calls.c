/* SPDX-License-Identifier: MIT */
/*
 * The memory calls of a program, as the kernel's own manual pages have them. The program passes
 * with the plain kernel, and must pass in the same way under the pager.
 *
 *	calls FILE    (a path for scratch files, on a disk)
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

const char *scratch_path;
static sigjmp_buf fault_jump;
static volatile sig_atomic_t fault_signal;

_Noreturn void failed(const char *function, int line, const char *what)
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

int fault_of(void *address, bool store)
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

void *map(size_t bytes, int flags)
{
	void *memory = mmap(NULL, bytes, READ_WRITE, flags, -1, 0);

	CHECK(memory != MAP_FAILED);
	return memory;
}

int scratch_file(size_t bytes)
{
	int fd = open(scratch_path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	CHECK(fd >= 0);
	CHECK(ftruncate(fd, bytes) == 0);
	return fd;
}

void fill(void *memory, size_t bytes, uint64_t first)
{
	uint64_t *word = memory;

	for (size_t i = 0; i < bytes / 8; i++)
		word[i] = first + i;
}

bool holds(const void *memory, size_t bytes, uint64_t first)
{
	const uint64_t *word = memory;

	for (size_t i = 0; i < bytes / 8; i++) {
		if (word[i] != first + i)
			return false;
	}
	return true;
}

bool zero(const void *memory, size_t bytes)
{
	const char *byte = memory;

	return !*byte && !memcmp(byte, byte + 1, bytes - 1);
}

static const struct test *const groups[] = {
	tests_map, tests_protect, tests_advice, tests_lock, tests_file, tests_kernel,
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
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		for (const struct test *test = groups[i]; test->run; test++)
			if (argc == 2 || !strcmp(test->name, argv[2]))
				failures += !run_test(test);
	}
	return failures != 0;
}
