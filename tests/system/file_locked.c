/* SPDX-License-Identifier: MIT */
/*
 * Write a file with the kernel's own calls, which no library sees, from paged memory while the file
 * has changed pages: the kernel holds the file's lock while it waits for the memory.
 *
 * usage: file_locked FILE       FILE has PAGES pages
 *        file_locked FILE write (what the former starts)
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096
#define PAGES  4096
#define HALF   (PAGES / 2)
#define ROUNDS 4

static char *file;
static volatile int done;

static void check(int right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "file_locked: %s\n", what);
	exit(1);
}

/* Every page of the first half, again and again: the daemon always has some to write back. */
static void *dirty(void *context)
{
	for (int round = 0; !done; round++) {
		for (int i = 0; i < HALF && !done; i++)
			file[i * PAGE] = (char)round;
	}
	return NULL;
}

static void fill(char *page, int seed)
{
	for (int i = 0; i < PAGE / 8; i++)
		((uint64_t *)page)[i] = (uint64_t)seed * 1000003 + (uint64_t)i;
}

/* Not a process that maps the file: its second half, from memory that is mostly paged out. */
static int write_half(const char *path)
{
	int fd = open(path, O_WRONLY);
	char *memory = mmap(NULL, (size_t)HALF * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(fd >= 0 && memory != MAP_FAILED, "open or mmap");
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < HALF; i++)
			fill(memory + i * PAGE, HALF + i + round);
		check(syscall(SYS_pwrite64, fd, memory, (size_t)HALF * PAGE, (off_t)HALF * PAGE) ==
			      (long)HALF * PAGE,
		      "pwrite");
		for (int i = 0; i < HALF; i++)
			check(*(uint64_t *)(memory + i * PAGE) ==
				      (uint64_t)(HALF + i + round) * 1000003,
			      "the memory is wrong");
	}
	return 0;
}

static void verify(int fd, int first, int count, int seed)
{
	static uint64_t page[PAGE / 8], wanted[PAGE / 8];
	int wrong = 0;

	for (int i = 0; i < count; i++) {
		fill((char *)wanted, seed + i);
		check(pread(fd, page, PAGE, (off_t)(first + i) * PAGE) == PAGE, "pread");
		if (!memcmp(page, wanted, PAGE))
			continue;
		if (wrong++ < 8)
			fprintf(stderr,
				"file_locked: page %d: WRONG DATA: %llx ... %llx, wanted %llx ...\n",
				first + i, (unsigned long long)page[0],
				(unsigned long long)page[PAGE / 8 - 1],
				(unsigned long long)wanted[0]);
	}
	if (wrong) {
		fprintf(stderr, "file_locked: %d of %d pages are wrong\n", wrong, count);
		exit(1);
	}
}

static void start(char *self, const char *path)
{
	int status;
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (!pid) {
		execl("/proc/self/exe", self, path, "write", NULL);
		_exit(127);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "the writer failed");
}

int main(int argc, char **argv)
{
	pthread_t thread;
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3)
		return write_half(argv[1]);
	check(argc == 2, "usage");
	fd = open(argv[1], O_RDWR);
	file = mmap(NULL, (size_t)PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(fd >= 0 && file != MAP_FAILED, "open or mmap");
	check(!pthread_create(&thread, NULL, dirty, NULL), "pthread_create");
	start(argv[0], argv[1]);
	done = 1;
	pthread_join(thread, NULL);
	verify(fd, HALF, HALF, HALF + ROUNDS - 1);
	printf("another process: right\n");
	/* The file itself, from a mapping of it. */
	for (int i = 0; i < HALF; i++)
		fill(file + i * PAGE, i);
	check(syscall(SYS_pwrite64, fd, file, (size_t)HALF * PAGE, (off_t)HALF * PAGE) ==
		      (long)HALF * PAGE,
	      "pwrite of the mapping");
	verify(fd, 0, HALF, 0);
	printf("the same process: done\n");
	return 0;
}
