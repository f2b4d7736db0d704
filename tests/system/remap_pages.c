/* SPDX-License-Identifier: MIT */
/*
 * remap_file_pages(2): the pages of a shared mapping in another order, for this process and a
 * child, and what is stored there is stored in the right pages of the object.
 *
 *	remap_pages FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096ul
#define PAGES 512ul

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "remap_pages: line %d: not so: %s (errno %d)\n", __LINE__, \
				#condition, errno);                                                \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static char *map(int flags, int fd)
{
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);
	CHECK(memory != MAP_FAILED);
	return memory;
}

static unsigned long *word(char *memory, unsigned long page)
{
	return (unsigned long *)(memory + page * PAGE + 8 * (page % 512));
}

static void number(char *memory, unsigned long add)
{
	for (unsigned long page = 0; page < PAGES; page++)
		for (unsigned long i = 0; i < 512; i++)
			((unsigned long *)(memory + page * PAGE))[i] = page + add;
}

static void check_reversed(char *memory, unsigned long add)
{
	for (unsigned long page = 0; page < PAGES; page++)
		CHECK(*word(memory, page) == PAGES - 1 - page + add);
}

static void check_child(char *memory, unsigned long add)
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		check_reversed(memory, add);
		exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void test_order(char *memory)
{
	number(memory, 1);
	for (unsigned long page = 0; page < PAGES; page++)
		CHECK(remap_file_pages(memory + page * PAGE, PAGE, 0, PAGES - 1 - page, 0) == 0);
	check_reversed(memory, 1);
	check_child(memory, 1);
	for (unsigned long page = 0; page < PAGES; page++)
		*word(memory, page) += 1000;
	check_reversed(memory, 1001);
	CHECK(remap_file_pages(memory, PAGES * PAGE, 0, 0, 0) == 0);
	/* Other words were changed. */
	for (unsigned long page = 0; page < PAGES; page++)
		CHECK(*word(memory, page) == page + 1);
}

/* What the kernel refuses. */
static void test_errors(char *memory)
{
	char *private = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK(remap_file_pages(private, PAGE, 0, 1, 0) == -1 && errno == EINVAL);
	CHECK(remap_file_pages(memory, PAGE, PROT_READ, 1, 0) == -1 && errno == EINVAL);
	CHECK(remap_file_pages(memory, PAGE - 1, 0, 1, 0) == -1 && errno == EINVAL);
	CHECK(munmap(memory + 4 * PAGE, PAGE) == 0);
	CHECK(remap_file_pages(memory + 3 * PAGE, 3 * PAGE, 0, 1, 0) == -1 && errno == EINVAL);
	CHECK(remap_file_pages(memory + 4 * PAGE, PAGE, 0, 1, 0) == -1 && errno == EINVAL);
	CHECK(munmap(private, PAGES * PAGE) == 0);
}

/* A page behind the first mapping, then one beyond the file's end. */
static void test_file(int fd)
{
	char *memory = map(MAP_SHARED, fd);
	unsigned long value = 77;
	test_order(memory);
	CHECK(ftruncate(fd, (PAGES + 1) * PAGE) == 0);
	CHECK(pwrite(fd, &value, sizeof(value), PAGES * PAGE) == sizeof(value));
	CHECK(remap_file_pages(memory, PAGE, 0, PAGES, 0) == 0);
	CHECK(*(unsigned long *)memory == value);
	*(unsigned long *)memory = 78;
	CHECK(pread(fd, &value, sizeof(value), PAGES * PAGE) == sizeof(value) && value == 78);
	test_errors(memory);
	CHECK(munmap(memory, PAGES * PAGE) == 0);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 64;
	int fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC, 0600);
	CHECK(fd >= 0 && ftruncate(fd, PAGES * PAGE) == 0);
	char *memory = map(MAP_SHARED | MAP_ANONYMOUS, -1);
	test_order(memory);
	test_errors(memory);
	test_file(fd);
	puts("remapped pages right");
	return 0;
}
