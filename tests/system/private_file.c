/* SPDX-License-Identifier: MIT */
/*
 * MAP_PRIVATE mappings of files.
 *
 * usage: private_file views FILE     two private and two shared views of a small file
 *        private_file faults FILE    which accesses are faults; FILE has 16 pages
 *        private_file hold FILE N    read N pages; write to one
 *        private_file pages FILE N   N pages, written in part, by several threads and a child
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	4096
#define THREADS 4
#define ROUNDS	3

static void check(int right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "private_file: %s\n", what);
	exit(1);
}

static char *map(int fd, size_t bytes, int protection, int flags)
{
	char *at = mmap(NULL, bytes, protection, flags, fd, 0);

	check(at != MAP_FAILED, "mmap");
	return at;
}

/* ---- an exercise of operating-systems courses ------------------------------------------------ */

static void views(const char *path)
{
	char buffer[4] = "";
	int fd = open(path, O_RDWR);
	char *p1 = map(fd, 3, PROT_READ | PROT_WRITE, MAP_SHARED);
	char *p2 = map(fd, 3, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	char *p3 = map(fd, 3, PROT_READ, MAP_SHARED);

	p2[2] = 'b';
	p1[2] = 'x';
	p1[1] = 'i';
	check(read(fd, buffer, 3) == 3, "read");
	printf("%.3s/%.3s/%.3s\n", buffer, p2, p3);
}

/* ---- which accesses are faults --------------------------------------------------------------- */

/* Tell whoever counts, and wait. */
static void pause_at(const char *word)
{
	printf("%s\n", word);
	fflush(stdout);
	getchar();
}

/* Bytes 0-0x3fff and 0x5000-0x6fff of the file are in memory before. */
static void faults(const char *path)
{
	int fd = open(path, O_RDWR);
	volatile char *shared = map(fd, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED);
	volatile char *at = map(fd, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	for (int page = 0; page < 7; page++) {
		if (page != 4)
			shared[page * PAGE];
	}
	pause_at("ready");
	for (int i = 0x3800; i < 0x5800; i++)
		check(at[i] == shared[i & 0xfff], "a byte is wrong");
	pause_at("have-read");
	for (int i = 0x4800; i < 0x5100; i++)
		at[i] = 'w';
	pause_at("have-written");
}

/* ---- a file that several read ---------------------------------------------------------------- */

static void hold(const char *path, int count)
{
	uint64_t sum = 0;
	int fd = open(path, O_RDONLY);
	volatile char *at = map(fd, (size_t)count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);

	for (int i = 0; i < count; i++)
		sum += (unsigned char)at[(size_t)i * PAGE];
	printf("sum %lu\n", (unsigned long)sum);
	pause_at("ready");
	at[0]++;
	pause_at("have-written");
}

/* ---- many pages ------------------------------------------------------------------------------ */

static char *area;
static int pages;

/* What page i holds: the file's, or what was written in the last round. */
static uint64_t value(int i, int written)
{
	return written ? (uint64_t)i * 1000003 + (uint64_t)written : (uint64_t)i + 1;
}

static int writes(int i, int round)
{
	return (i * 7 + round * 3) % 5 < 2;
}

/* The last round up to round that wrote page i; 0: none. */
static int written(int i, int round)
{
	while (round && !writes(i, round))
		round--;
	return round;
}

static void *work(void *context)
{
	int first = (int)(intptr_t)context;

	for (int round = 1; round <= ROUNDS; round++) {
		for (int i = first; i < pages; i += THREADS) {
			uint64_t *page = (uint64_t *)(area + (size_t)i * PAGE);

			check(page[3] == value(i, written(i, round - 1)), "a page is wrong");
			if (writes(i, round))
				page[3] = value(i, round);
		}
	}
	return NULL;
}

static void verify(int last, const char *what)
{
	for (int i = 0; i < pages; i++) {
		uint64_t *page = (uint64_t *)(area + (size_t)i * PAGE);

		check(page[3] == value(i, written(i, last)), what);
		check(page[4] == (uint64_t)i + 1, "the rest of a page is wrong");
	}
}

/* The child has what its parent had, and neither sees what the other writes then. */
static void family(void)
{
	int status;
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (!pid) {
		verify(ROUNDS, "the child's page is wrong");
		for (int i = 0; i < pages; i += 3)
			((uint64_t *)(area + (size_t)i * PAGE))[3] = 99;
		for (int i = 0; i < pages; i += 3)
			check(((uint64_t *)(area + (size_t)i * PAGE))[3] == 99, "the child's own");
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "the child failed");
	verify(ROUNDS, "a page is wrong after fork");
}

static void many(const char *path)
{
	pthread_t threads[THREADS];
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	for (int i = 0; i < pages; i++) {
		uint64_t words[PAGE / 8];

		for (int k = 0; k < PAGE / 8; k++)
			words[k] = (uint64_t)i + 1;
		check(pwrite(fd, words, PAGE, (off_t)i * PAGE) == PAGE, "pwrite");
	}
	area = map(fd, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	for (intptr_t i = 0; i < THREADS; i++)
		check(!pthread_create(&threads[i], NULL, work, (void *)i), "pthread_create");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	verify(ROUNDS, "a page is wrong in the end");
	family();
	check(!madvise(area, (size_t)pages / 2 * PAGE, MADV_DONTNEED), "madvise");
	for (int i = 0; i < pages; i++)
		check(((uint64_t *)(area + (size_t)i * PAGE))[3] ==
			      value(i, i < pages / 2 ? 0 : written(i, ROUNDS)),
		      "a page is wrong after MADV_DONTNEED");
	for (int i = 0; i < pages; i++) {
		uint64_t word;

		check(pread(fd, &word, 8, (off_t)i * PAGE + 24) == 8 && word == (uint64_t)i + 1,
		      "the file has changed");
	}
	check(!munmap(area, (size_t)pages * PAGE), "munmap");
	printf("pages right\n");
}

int main(int argc, char **argv)
{
	check(argc >= 3, "usage");
	if (!strcmp(argv[1], "views")) {
		views(argv[2]);
	} else if (!strcmp(argv[1], "faults")) {
		faults(argv[2]);
	} else if (!strcmp(argv[1], "hold")) {
		check(argc == 4, "usage");
		hold(argv[2], atoi(argv[3]));
	} else {
		check(argc == 4, "usage");
		pages = atoi(argv[3]);
		many(argv[2]);
	}
	return 0;
}
