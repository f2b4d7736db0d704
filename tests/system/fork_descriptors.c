/* SPDX-License-Identifier: MIT */
/*
 * A process whose descriptors are used up forks, maps and grows memory like any other; so does its
 * child, and the child's child. With any argument: one whose limit was lowered when it had mapped
 * memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES	    (4ul << 20)
#define DESCRIPTORS 100
#define GENERATIONS 3

static void must(bool good, const char *what, int generation)
{
	if (good)
		return;
	fprintf(stderr, "fork_descriptors: generation %d: %s: %s\n", generation, what,
		strerror(errno));
	exit(1);
}

static bool holds(const char *memory, char value)
{
	return memory[0] == value && memcmp(memory, memory + 1, BYTES - 1) == 0;
}

static void use_up(void)
{
	while (open("/dev/null", O_RDONLY) >= 0)
		continue;
	must(errno == EMFILE, "open", 0);
}

static void generation_run(char *inherited, int generation)
{
	int status;
	must(holds(inherited, (char)generation), "what is inherited", generation);
	if (generation == GENERATIONS)
		return;
	char *memory =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap", generation);
	memset(memory, generation + 1, BYTES);
	memory = mremap(memory, BYTES, 2 * BYTES, MREMAP_MAYMOVE);
	must(memory != MAP_FAILED, "mremap", generation);
	pid_t child = fork();
	if (child == 0) {
		generation_run(memory, generation + 1);
		exit(0);
	}
	must(waitpid(child, &status, 0) == child && status == 0, "the child", generation);
	must(holds(memory, (char)(generation + 1)), "what a child has as well", generation);
}

static char *map(void)
{
	char *memory =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(memory != MAP_FAILED, "mmap", 0);
	return memory;
}

int main(int argc, char **argv)
{
	struct rlimit limit, after;
	char *memory = argc > 1 ? map() : NULL;
	must(getrlimit(RLIMIT_NOFILE, &limit) == 0, "getrlimit", 0);
	limit.rlim_cur = DESCRIPTORS;
	must(setrlimit(RLIMIT_NOFILE, &limit) == 0, "setrlimit", 0);
	if (!memory)
		memory = map();
	use_up();
	generation_run(memory, 0);
	must(getrlimit(RLIMIT_NOFILE, &after) == 0 && after.rlim_cur == DESCRIPTORS &&
		     after.rlim_max == limit.rlim_max,
	     "the limit after it", 0);
	puts("forked without descriptors");
	return 0;
}
