/* SPDX-License-Identifier: MIT */
/*
 * O_DIRECT reads into memory of which a part is paged, while that is in great demand: what the
 * device writes must be there afterwards.
 *
 *	direct FILE [READS]    (a path for a scratch file, on a disk)
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define PAGE	    4096u
#define FILE_PAGES  1024u
#define READ_PAGES  128u /* more than the pager has memory, so that some go while others come */
#define PLAIN_PAGES 32u	 /* of them, at the end */
#define OTHER_PAGES 512u

static _Noreturn void failed(const char *what)
{
	fprintf(stderr, "direct: %s: %s\n", what, strerror(errno));
	exit(1);
}

static char *map(char *place, unsigned pages, int flags)
{
	char *memory = mmap(place, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		failed("mmap");
	return memory;
}

/* Every page of the file is full of its number. */
static int file_make(const char *path)
{
	static uint32_t words[PAGE / 4];
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (uint32_t page = 0; page < FILE_PAGES; page++) {
		for (unsigned i = 0; i < PAGE / 4; i++)
			words[i] = page + 1;
		if (write(fd, words, PAGE) != PAGE)
			failed("write");
	}
	if (fsync(fd) < 0 || close(fd) < 0)
		failed("fsync");
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		failed(path);
	return fd;
}

static atomic_bool ended;

static void *press(void *other)
{
	for (unsigned page = 0; !ended; page = (page + 1) % OTHER_PAGES)
		++*(volatile char *)((char *)other + (size_t)page * PAGE);
	return NULL;
}

static void check(const char *memory, uint32_t first)
{
	for (unsigned i = 0; i < READ_PAGES * (PAGE / 4); i++) {
		uint32_t word = ((const uint32_t *)memory)[i];

		if (word == first + i / (PAGE / 4) + 1)
			continue;
		fprintf(stderr, "direct: page %u of the read at page %u holds %u\n", i / (PAGE / 4),
			first, word);
		exit(1);
	}
}

/* What pread is in programs that were compiled with _FORTIFY_SOURCE. */
ssize_t __pread_chk(int fd, void *buffer, size_t bytes, off_t offset, size_t room);

static void read_some(int fd, char *memory, uint32_t count)
{
	const size_t bytes = (size_t)READ_PAGES * PAGE;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t page = i * 371 % (FILE_PAGES - READ_PAGES);

		memset(memory, 0xee, bytes);
		ssize_t got = i & 1 ? __pread_chk(fd, memory, bytes, (off_t)page * PAGE, bytes)
				    : pread(fd, memory, bytes, (off_t)page * PAGE);
		if (got != (ssize_t)bytes)
			failed("pread");
		check(memory, page);
	}
}

/* What cannot be written makes the whole read fail. */
static void read_beyond(int fd, char *memory)
{
	struct iovec two[] = {{memory, PAGE}, {memory + (size_t)READ_PAGES * PAGE, PAGE}};

	if (lseek(fd, 0, SEEK_SET) != 0)
		failed("lseek");
	if (readv(fd, two, 2) != -1 || errno != EFAULT)
		failed("readv");
	if (lseek(fd, 0, SEEK_CUR) != 0)
		failed("the position after a read beyond memory");
}

int main(int argc, char **argv)
{
	uint32_t count = argc > 2 ? (uint32_t)atoi(argv[2]) : 10;
	int fd = file_make(argc > 1 ? argv[1] : "direct.data");
	char *memory = map(NULL, READ_PAGES + 1, 0);
	char *other = map(NULL, OTHER_PAGES, 0);
	pthread_t thread;

	/* The end stays the kernel's, and then comes a hole. */
	map(memory + (size_t)(READ_PAGES - PLAIN_PAGES) * PAGE, PLAIN_PAGES, MAP_FIXED | MAP_STACK);
	munmap(memory + (size_t)READ_PAGES * PAGE, PAGE);
	pthread_create(&thread, NULL, press, other);
	read_some(fd, memory, count);
	read_beyond(fd, memory);
	ended = true;
	pthread_join(thread, NULL);
	printf("direct reads right\n");
	return 0;
}
