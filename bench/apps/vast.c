/* SPDX-License-Identifier: MIT */
/*
 * Maps much and touches some of it, for bench/compare, which looks at the daemon meanwhile. What is
 * more than a TiB is several mappings.
 *
 *	vast anonymous|file MIB TOUCHED-MIB [PATH]
 *
 * The pages that are touched are written, in runs that are spread over all of the mapping. Prints
 * "ready", waits for the end of its input, checks them all, and ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	MIB = 1 << 20,
	RUN_PAGES = MIB / PAGE_BYTES,
	PIECES_MAX = 128,
};

/* The most that the pager takes in one mapping. */
static const size_t PIECE_BYTES_MAX = (size_t)1 << 40;

struct vast {
	char *pieces[PIECES_MAX];
	size_t count;
	size_t piece_bytes;
	size_t piece_runs; /* of a MiB, that are touched */
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "vast: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int file_make(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, bytes) < 0)
		die(path);
	return fd;
}

static void map_all(struct vast *vast, const char *path)
{
	int flags = path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
	int fd = path ? file_make(path, vast->count * vast->piece_bytes) : -1;
	for (size_t i = 0; i < vast->count; i++) {
		vast->pieces[i] = mmap(NULL, vast->piece_bytes, PROT_READ | PROT_WRITE, flags, fd,
				       i * vast->piece_bytes);
		if (vast->pieces[i] == MAP_FAILED)
			die("mmap");
	}
}

/* A word of page number "page" of those that are touched: runs of a MiB, evenly spread. */
static uint64_t *word_of(const struct vast *vast, size_t page)
{
	size_t run = page / RUN_PAGES;
	size_t apart = vast->piece_bytes / vast->piece_runs / MIB * MIB;
	return (uint64_t *)(vast->pieces[run / vast->piece_runs] + run % vast->piece_runs * apart +
			    page % RUN_PAGES * PAGE_BYTES);
}

static void check(const struct vast *vast, size_t pages)
{
	for (size_t page = 0; page < pages; page++) {
		if (*word_of(vast, page) == page + 1)
			continue;
		fprintf(stderr, "vast: WRONG DATA in page %zu of those touched\n", page);
		exit(1);
	}
}

static struct vast vast_make(size_t mib, size_t touched_mib)
{
	struct vast vast = {.count = (mib * MIB + PIECE_BYTES_MAX - 1) / PIECE_BYTES_MAX};
	errno = EINVAL;
	if (!vast.count || vast.count > PIECES_MAX || touched_mib > mib || touched_mib < vast.count)
		die("so much cannot be mapped and touched");
	vast.piece_bytes = mib / vast.count * MIB;
	vast.piece_runs = touched_mib / vast.count;
	return vast;
}

int main(int argc, char **argv)
{
	if (argc < 4 || (!strcmp(argv[1], "file") && argc != 5)) {
		fprintf(stderr, "usage: vast anonymous|file MIB TOUCHED-MIB [PATH]\n");
		return 64;
	}
	struct vast vast = vast_make(strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	size_t pages = vast.count * vast.piece_runs * RUN_PAGES;
	map_all(&vast, argv[4]);
	for (size_t page = 0; page < pages; page++)
		*word_of(&vast, page) = page + 1;
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	check(&vast, pages);
	return 0;
}
