/* SPDX-License-Identifier: MIT */
/*
 * many_maps COUNT [FILE]: so many mappings of 1 MiB, with a value in each, and when a line has come
 * one of the file, if it is named, in which another value is written; the values must be there.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES	 (1ul << 20)
#define MAPS_MAX 8192

static int *maps[MAPS_MAX];

static void must(int condition, const char *what)
{
	if (condition)
		return;
	perror(what);
	exit(1);
}

static int *map(int flags, int fd)
{
	void *place = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	must(place != MAP_FAILED, "mmap");
	return place;
}

static void file_write(const char *path, int value)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600), seen = 0;
	must(fd >= 0 && ftruncate(fd, BYTES) == 0, path);
	int *place = map(MAP_SHARED, fd);
	*place = value;
	must(msync(place, BYTES, MS_SYNC) == 0 && munmap(place, BYTES) == 0, "msync");
	must(pread(fd, &seen, sizeof seen, 0) == sizeof seen && seen == value, "the file's value");
	close(fd);
}

int main(int argc, char **argv)
{
	int count = atoi(argv[1]);
	must(count > 0 && count <= MAPS_MAX, "count");
	for (int i = 0; i < count; i++) {
		maps[i] = map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
		*maps[i] = i + 1;
	}
	puts("ready");
	fflush(stdout);
	getchar();
	if (argc > 2)
		file_write(argv[2], 4711);
	for (int i = 0; i < count; i++)
		must(*maps[i] == i + 1, "a value");
	return 0;
}
