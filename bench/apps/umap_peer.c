/* SPDX-License-Identifier: MIT */
/*
 * A library to preload: shared mappings of files are made by UMap instead of by the kernel, for
 * bench/peer-umap. UMAP_LIBRARY is the path of its library.
 *
 * UMap is a user-space pager within the program: https://github.com/LLNL/umap
 */
/* Else the header would rename the one to the other. */
#undef _FILE_OFFSET_BITS
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAPPINGS    16 /* more than a case has */
#define LEAST_BYTES (1 << 20)

static struct mapping {
	void *address; /* NULL: free */
	int fd;
} mappings[MAPPINGS];

/* UMap maps memory itself. Its threads are others; what they map are no files. */
static __thread int inside;

static void *umap_function(const char *name)
{
	static void *library;
	const char *path = getenv("UMAP_LIBRARY");
	if (!library && path)
		library = dlopen(path, RTLD_NOW);
	void *function = library ? dlsym(library, name) : NULL;
	if (!function) {
		fprintf(stderr, "umap_peer: no %s in UMAP_LIBRARY: %s\n", name, dlerror());
		_exit(1);
	}
	return function;
}

static struct mapping *mapping_at(const void *address)
{
	for (int i = 0; i < MAPPINGS; i++)
		if (mappings[i].address == address)
			return &mappings[i];
	return NULL;
}

/* A descriptor of UMap's own, which reads and writes past the page cache, as its examples do. */
static int file_open(int fd)
{
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
}

static void *map_file(void *start, size_t bytes, int protection, int fd, off_t offset)
{
	void *(*umap)(void *, size_t, int, int, int, off_t) = umap_function("umap");
	struct mapping *mapping = mapping_at(NULL);
	int own = mapping ? file_open(fd) : -1;
	if (own < 0)
		return MAP_FAILED;
	inside = 1;
	void *address = umap(start, bytes, protection, MAP_PRIVATE, own, offset);
	inside = 0;
	if (address == MAP_FAILED)
		close(own);
	else
		*mapping = (struct mapping){address, own};
	return address;
}

__attribute__((visibility("default"))) void *mmap(void *start, size_t bytes, int protection,
						  int flags, int fd, off_t offset)
{
	void *(*next)(void *, size_t, int, int, int, off_t) = dlsym(RTLD_NEXT, "mmap");
	if (inside || flags & MAP_ANONYMOUS || !(flags & MAP_SHARED) || bytes < LEAST_BYTES)
		return next(start, bytes, protection, flags, fd, offset);
	return map_file(start, bytes, protection, fd, offset);
}

__attribute__((visibility("default"))) void *mmap64(void *start, size_t bytes, int protection,
						    int flags, int fd, off64_t offset)
{
	return mmap(start, bytes, protection, flags, fd, offset);
}

__attribute__((visibility("default"))) int munmap(void *address, size_t bytes)
{
	int (*next)(void *, size_t) = dlsym(RTLD_NEXT, "munmap");
	struct mapping *mapping = inside || !address ? NULL : mapping_at(address);
	if (!mapping)
		return next(address, bytes);
	int (*uunmap)(void *, size_t) = umap_function("uunmap");
	inside = 1;
	int result = uunmap(address, bytes);
	inside = 0;
	close(mapping->fd);
	mapping->address = NULL;
	return result;
}
