/* SPDX-License-Identifier: MIT */
/* The environment that a command runs in. */
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "executable.h"
#include "locate.h"
#include "pagerctl.h"

/*
 * Why jemalloc. Both it and mimalloc call mmap and madvise through the dynamic linker, and ask for
 * nothing below 2 MiB, so that with either all but a megabyte of the heap is paged (python3, sort
 * and redis-server of some 200 MiB). jemalloc keeps what it knows of blocks away from them, so that
 * freeing and reusing does not touch them; mimalloc chains free blocks through the blocks
 * themselves. redis-server in a quarter of its memory writes 1.6 times the pages to swap with
 * mimalloc. jemalloc also registers fork handlers.
 *
 * Its settings. Freed memory that is given back need not be written to swap, but each return asks
 * the daemon, and what is reused after it faults anew. Never returning it (-1) made redis-server
 * write and read a fifth more; returning at once (0) made a program that allocates and frees large
 * blocks within enough memory twenty times slower. After a second: neither. The "muzzy" state
 * between the two would return everything twice.
 */
#define ALLOCATOR	   "libjemalloc.so.2"
#define ALLOCATOR_PACKAGE  "libjemalloc2"
#define ALLOCATOR_VARIABLE "MALLOC_CONF"
#define ALLOCATOR_SETTINGS "dirty_decay_ms:1000,muzzy_decay_ms:0"

static int allocator_locate(char *path)
{
	static const char *const places[] = {
		"/usr/lib/" LIBRARY_TRIPLET "/" ALLOCATOR,
		"/usr/lib64/" ALLOCATOR,
		"/usr/lib/" ALLOCATOR,
		"/usr/local/lib/" ALLOCATOR,
		NULL,
	};
	for (const char *const *place = places; *place; place++) {
		if (locate_usable(*place, R_OK) == 0) {
			strcpy(path, *place);
			return 0;
		}
	}
	complain("%s is not installed (Debian: %s): the heap of the command will not be paged",
		 ALLOCATOR, ALLOCATOR_PACKAGE);
	return -1;
}

/* Whether the command has an allocator that calls mmap itself: a preloaded one, or a library that
 * it is linked with. */
static bool allocator_own(const struct executable *executable)
{
	const char *preloaded = getenv("LD_PRELOAD");
	return executable->has_allocator || (preloaded && strstr(preloaded, "malloc"));
}

static int preload_locate(char *path)
{
	if (locate_preload(path) < 0) {
		complain("libpagerd-preload.so was not found beside pagerctl (PAGERD_PRELOAD names "
			 "it)");
		return STATUS_RUN_FAILED;
	}
	if (strpbrk(path, ": ")) {
		complain(
			"%s: the loader takes no preload library with a space or colon in its path",
			path);
		return STATUS_RUN_FAILED;
	}
	return 0;
}

int heap_prepare(const char *program, bool heap)
{
	char preload[LOCATE_MAX], allocator[LOCATE_MAX] = "", list[3 * LOCATE_MAX];
	struct executable executable;
	int status = preload_locate(preload);
	if (status != 0)
		return status;
	executable_inspect(program, &executable);
	if (executable.is_static)
		complain("%s is linked statically: it cannot be paged, and runs without", program);
	if (heap && !executable.is_static) {
		setenv(ALLOCATOR_VARIABLE, ALLOCATOR_SETTINGS, 0);
		if (!allocator_own(&executable))
			allocator_locate(allocator);
	}
	const char *present = getenv("LD_PRELOAD");
	const char *first = executable.sanitizer;
	int length = snprintf(list, sizeof(list), "%s%s%s%s%s%s%s", first, first[0] ? ":" : "",
			      preload, allocator[0] ? ":" : "", allocator, present ? ":" : "",
			      present ? present : "");
	if ((size_t)length >= sizeof(list)) {
		complain("LD_PRELOAD is too long");
		return STATUS_RUN_FAILED;
	}
	setenv("LD_PRELOAD", list, 1);
	return 0;
}
