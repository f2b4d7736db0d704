/* SPDX-License-Identifier: MIT */
/*
 * A program with large arrays forks: parent, child and grandchild write and check at the same
 * time. The private array of each is its own; the shared one is everybody's.
 *
 *	fork_arrays MIB ROUNDS
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	PAGE_WORDS = 512,
	PROCESSES = 3,
};

struct arrays {
	uint64_t *private_words;
	uint64_t *shared_words;
	size_t pages;
};

static void *map(size_t pages, int flags)
{
	void *memory = mmap(NULL, pages * PAGE_WORDS * 8, PROT_READ | PROT_WRITE,
			    flags | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED) {
		perror("fork_arrays: mmap");
		exit(2);
	}
	return memory;
}

/* What the process number "who" writes in that round. */
static uint64_t value(size_t page, unsigned round, unsigned who)
{
	return (page * 100 + round) * 10 + who + 1;
}

static void page_fill(uint64_t *words, size_t page, uint64_t first)
{
	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[page * PAGE_WORDS + i] = first + i;
}

static void page_check(const uint64_t *words, size_t page, uint64_t first, const char *what)
{
	for (size_t i = 0; i < PAGE_WORDS; i++) {
		uint64_t found = words[page * PAGE_WORDS + i];

		if (found == first + i)
			continue;
		fprintf(stderr,
			"fork_arrays: WRONG DATA: process %d, %s page %zu word %zu: found %llu, "
			"wanted %llu\n",
			(int)getpid(), what, page, i, (unsigned long long)found,
			(unsigned long long)(first + i));
		exit(1);
	}
}

/* Of the shared array, process who writes every third page. */
static void write_shared(const struct arrays *a, unsigned round, unsigned who)
{
	for (size_t page = who; page < a->pages; page += PROCESSES)
		page_fill(a->shared_words, page, value(page, round, who));
}

/* Write some of the private pages (which ones depends on who), and check them all: the others
 * are as they were before the fork. */
static void write_private(const struct arrays *a, unsigned round, unsigned who)
{
	for (size_t page = 0; page < a->pages; page++) {
		if (page % (who + 2) == 0)
			page_fill(a->private_words, page, value(page, round, who));
	}
}

/* What a private page holds for process who, whose ancestors are 0 ... who - 1: each ancestor
 * had written its pages when it forked. */
static uint64_t private_value(size_t page, unsigned round, unsigned who)
{
	for (unsigned writer = who; writer > 0; writer--) {
		if (page % (writer + 2) == 0)
			return value(page, round, writer);
	}
	return value(page, round, 0);
}

static void check_private(const struct arrays *a, unsigned round, unsigned who)
{
	for (size_t page = 0; page < a->pages; page++)
		page_check(a->private_words, page, private_value(page, round, who), "private");
}

static void wait_for(pid_t child)
{
	int status;

	if (waitpid(child, &status, 0) == child && status == 0)
		return;
	fprintf(stderr, "fork_arrays: a child ended with wait status %#x\n", (unsigned)status);
	exit(1);
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror("fork_arrays: fork");
		exit(2);
	}
	return pid;
}

/* What each process does: its descendants are at it at the same time. */
static void work(const struct arrays *a, unsigned round, unsigned who)
{
	pid_t child = 0;

	write_private(a, round, who);
	if (who + 1 < PROCESSES) {
		child = fork_or_die();
		if (!child) {
			work(a, round, who + 1);
			exit(0);
		}
	}
	write_shared(a, round, who);
	check_private(a, round, who);
	for (size_t page = 0; page < a->pages; page += 2)
		page_fill(a->private_words, page, value(page, round, 9));
	for (size_t page = 0; page < a->pages; page += 2)
		page_check(a->private_words, page, value(page, round, 9), "rewritten private");
	if (child)
		wait_for(child);
}

/* A child that ends, or that becomes another program, without having touched anything. */
static void fork_briefly(void)
{
	pid_t child = fork_or_die();

	if (!child)
		_exit(0);
	wait_for(child);
	child = fork_or_die();
	if (!child) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(127);
	}
	wait_for(child);
}

int main(int argc, char **argv)
{
	struct arrays a;
	unsigned rounds;

	if (argc != 3) {
		fprintf(stderr, "usage: fork_arrays MIB ROUNDS\n");
		return 64;
	}
	a.pages = strtoul(argv[1], NULL, 10) * 256;
	rounds = strtoul(argv[2], NULL, 10);
	a.private_words = map(a.pages, MAP_PRIVATE);
	a.shared_words = map(a.pages, MAP_SHARED);
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t page = 0; page < a.pages; page++)
			page_fill(a.private_words, page, value(page, round, 0));
		work(&a, round, 0);
		for (size_t page = 0; page < a.pages; page++)
			page_check(a.shared_words, page, value(page, round, page % PROCESSES),
				   "shared");
		for (unsigned i = 0; i < 8; i++)
			fork_briefly();
	}
	printf("fork_arrays: %u rounds are right\n", rounds);
	return 0;
}
