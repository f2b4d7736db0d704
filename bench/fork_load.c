/* SPDX-License-Identifier: MIT */
/*
 * The work of bench/fork: fork with much memory, write to what is shared, check every page, and
 * print for each case how long it took.
 *
 *	fork_load PAGES ROUNDS PATH
 *
 * fork          milliseconds that fork(2) takes, of a process with PAGES of anonymous memory, all
 *               written; the median of ROUNDS, each with a child that ends at once
 * fork-exit     the same until the child has ended and was waited for
 * parent-write  microseconds a page for the parent's first writes while a child is there
 * child-read    for the child's first reads of what it shares
 * child-write   for the child's first writes to what it has read
 * again         for the parent's writes when the children have gone
 * file-read     for the first reads of a file of PAGES / 4 that is mapped privately
 * file-write    for the first writes to that
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	LINE_WORDS = 8,
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "fork_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t stamp(size_t page, size_t word, uint64_t version)
{
	return (page * PAGE_WORDS + word) * 0x9e3779b97f4a7c15u + version;
}

static void page_write(uint64_t *memory, size_t page, uint64_t version)
{
	uint64_t *words = memory + page * PAGE_WORDS;
	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		words[i] = stamp(page, i, version);
}

static void page_check(const uint64_t *memory, size_t page, uint64_t version)
{
	const uint64_t *words = memory + page * PAGE_WORDS;
	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS) {
		if (words[i] == stamp(page, i, version))
			continue;
		fprintf(stderr, "fork_load: WRONG DATA: page %zu word %zu\n", page, i);
		exit(1);
	}
}

static double now(void)
{
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void told(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
	fflush(stdout);
}

static double write_all(uint64_t *memory, size_t pages, uint64_t version)
{
	double start = now();
	for (size_t page = 0; page < pages; page++)
		page_write(memory, page, version);
	return (now() - start) / (double)pages;
}

static double check_all(const uint64_t *memory, size_t pages, uint64_t version)
{
	double start = now();
	for (size_t page = 0; page < pages; page++)
		page_check(memory, page, version);
	return (now() - start) / (double)pages;
}

static uint64_t *map(size_t pages, int fd)
{
	void *memory = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	return memory;
}

static void child_wait(pid_t child)
{
	int status;
	if (waitpid(child, &status, 0) != child || status)
		die("the child failed");
}

static pid_t child_make(void)
{
	fflush(NULL);
	pid_t child = fork();
	if (child < 0)
		die("fork");
	return child;
}

static int order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof *values, order);
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void run_forks(uint64_t *memory, size_t pages, size_t rounds)
{
	double *forks = calloc(rounds, sizeof *forks), *ends = calloc(rounds, sizeof *ends);
	if (!forks || !ends)
		die("calloc");
	for (size_t round = 0; round < rounds; round++) {
		double start = now();
		pid_t child = child_make();
		if (!child)
			_exit(0);
		forks[round] = (now() - start) / 1e3;
		child_wait(child);
		ends[round] = (now() - start) / 1e3;
		write_all(memory, pages, 1);
	}
	told("fork", median(forks, rounds));
	told("fork-exit", median(ends, rounds));
	free(forks);
	free(ends);
}

static void run_writes(uint64_t *memory, size_t pages)
{
	int go[2], ready[2];
	char byte = 0;
	if (pipe(go) || pipe(ready))
		die("pipe");
	pid_t child = child_make();
	if (!child) {
		if (write(ready[1], &byte, 1) != 1 || read(go[0], &byte, 1) != 1)
			die("pipe");
		check_all(memory, pages, 1);
		exit(0);
	}
	if (read(ready[0], &byte, 1) != 1)
		die("pipe");
	told("parent-write", write_all(memory, pages, 2));
	if (write(go[1], &byte, 1) != 1)
		die("pipe");
	child_wait(child);
	child = child_make();
	if (!child) {
		told("child-read", check_all(memory, pages, 2));
		told("child-write", write_all(memory, pages, 3));
		check_all(memory, pages, 3);
		exit(0);
	}
	child_wait(child);
	told("again", write_all(memory, pages, 4));
	check_all(memory, pages, 4);
}

static void run_file(size_t pages, const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint64_t page[PAGE_WORDS];
	if (fd < 0)
		die(path);
	for (size_t n = 0; n < pages; n++) {
		memset(page, 0, sizeof page);
		for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
			page[i] = stamp(n, i, 7);
		if (write(fd, page, sizeof page) != sizeof page)
			die("write");
	}
	uint64_t *memory = map(pages, fd);
	check_all(memory, pages, 7);
	munmap(memory, pages * PAGE_BYTES);
	memory = map(pages, fd);
	told("file-read", check_all(memory, pages, 7));
	told("file-write", write_all(memory, pages, 8));
	check_all(memory, pages, 8);
	munmap(memory, pages * PAGE_BYTES);
	for (size_t n = 0; n < pages; n++) {
		if (pread(fd, page, sizeof page, (off_t)n * PAGE_BYTES) != sizeof page ||
		    page[0] != stamp(n, 0, 7))
			die("the file has changed");
	}
	close(fd);
}

int main(int count, char **arguments)
{
	if (count != 4)
		die("usage: fork_load PAGES ROUNDS PATH");
	size_t pages = strtoul(arguments[1], NULL, 10), rounds = strtoul(arguments[2], NULL, 10);
	uint64_t *memory = map(pages, -1);
	write_all(memory, pages, 1);
	run_forks(memory, pages, rounds);
	run_writes(memory, pages);
	munmap(memory, pages * PAGE_BYTES);
	run_file(pages / 4, arguments[3]);
	return 0;
}
