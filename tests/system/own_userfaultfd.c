/* SPDX-License-Identifier: MIT */
/*
 * A program that uses userfaultfd itself, on memory that would be paged: its own handler must see
 * the faults.
 *
 *	own_userfaultfd map-first|map-later     (than it makes its userfaultfd)
 *
 * Status 77: this process may not use userfaultfd.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	PAGES = 2048,
};

static int uffd;

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

/* Answer each fault with a page that is full of the letter x. */
static void *handle(void *argument)
{
	static char page[PAGE_BYTES];
	struct uffd_msg message;

	memset(page, 'x', sizeof(page));
	while (read(uffd, &message, sizeof(message)) == sizeof(message)) {
		struct uffdio_copy copy = {
			.dst = message.arg.pagefault.address & ~(uint64_t)(PAGE_BYTES - 1),
			.src = (uintptr_t)page,
			.len = PAGE_BYTES,
		};

		if (ioctl(uffd, UFFDIO_COPY, &copy) < 0)
			die("own_userfaultfd: UFFDIO_COPY");
	}
	return NULL;
}

static char *map(void)
{
	void *memory = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		die("own_userfaultfd: mmap");
	return memory;
}

static void make_userfaultfd(void)
{
	struct uffdio_api api = {.api = UFFD_API};

	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (uffd < 0)
		exit(77);
	if (ioctl(uffd, UFFDIO_API, &api) < 0)
		die("own_userfaultfd: UFFDIO_API");
}

static void watch(const char *memory)
{
	struct uffdio_register range = {
		.range = {.start = (uintptr_t)memory, .len = PAGES * PAGE_BYTES},
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	pthread_t thread;

	if (ioctl(uffd, UFFDIO_REGISTER, &range) < 0)
		die("own_userfaultfd: UFFDIO_REGISTER");
	if (pthread_create(&thread, NULL, handle, NULL))
		die("own_userfaultfd: pthread_create");
}

int main(int argc, char **argv)
{
	char *memory = NULL;

	if (argc != 2)
		return 64;
	if (!strcmp(argv[1], "map-first"))
		memory = map();
	make_userfaultfd();
	if (!memory)
		memory = map();
	watch(memory);
	for (size_t i = 0; i < PAGES; i++) {
		if (memory[i * PAGE_BYTES + 5] != 'x') {
			fprintf(stderr, "own_userfaultfd: page %zu is not the handler's\n", i);
			return 1;
		}
	}
	printf("own_userfaultfd: every fault was its own\n");
	return 0;
}
