/* SPDX-License-Identifier: MIT */
/*
 * A library to preload: every mapping of a file gets the advice of the environment's ADVISE
 * (random, sequential), for programs that bench/compare runs under the kernel and that give none.
 */
/* Else the header would rename the one to the other. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static int advice(void)
{
	const char *word = getenv("ADVISE");
	if (word && !strcmp(word, "random"))
		return MADV_RANDOM;
	return word && !strcmp(word, "sequential") ? MADV_SEQUENTIAL : MADV_NORMAL;
}

__attribute__((visibility("default"))) void *mmap(void *start, size_t bytes, int protection,
						  int flags, int fd, off_t offset)
{
	void *(*next)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	void *address = next(start, bytes, protection, flags, fd, offset);
	if (address != MAP_FAILED && !(flags & MAP_ANONYMOUS))
		madvise(address, bytes, advice());
	return address;
}

__attribute__((visibility("default"))) void *mmap64(void *start, size_t bytes, int protection,
						    int flags, int fd, off64_t offset)
{
	return mmap(start, bytes, protection, flags, fd, offset);
}
