/* SPDX-License-Identifier: MIT */
/*
 * The work of bench/outofcore: touch more memory than fits, check every page, and print for each
 * case how long a page took.
 *
 *	outofcore_load anon PAGES ACCESSES
 *	outofcore_load file PAGES ACCESSES PATH
 *	outofcore_load create PAGES PATH
 *
 * Anonymous memory: fill it, read it back in order, read at random. A file (made by create):
 * read it in order, read at random, the same with MADV_RANDOM, change pages at random and msync.
 * A page is touched in every cache line: each line's first word tells the page, the line and the
 * version of the page.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	LINE_WORDS = 8,
	/* Without MADV_RANDOM the kernel may read megabytes around each page: so many times fewer
	 * accesses are enough to see it. */
	UNADVISED_FRACTION = 64,
};

struct load {
	uint64_t *words;
	size_t pages;
	size_t accesses;
	uint8_t *versions; /* of each page */
	uint64_t random;
};

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "outofcore_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t stamp(size_t page, size_t word, uint8_t version)
{
	return (page * PAGE_WORDS + word) * 0x9e3779b97f4a7c15u + version;
}

static void page_write(struct load *load, size_t page)
{
	uint64_t *words = load->words + page * PAGE_WORDS;
	uint8_t version = ++load->versions[page];

	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
		words[i] = stamp(page, i, version);
}

static void page_check(const struct load *load, size_t page)
{
	const uint64_t *words = load->words + page * PAGE_WORDS;

	for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS) {
		if (words[i] == stamp(page, i, load->versions[page]))
			continue;
		fprintf(stderr, "outofcore_load: WRONG DATA in page %zu, word %zu\n", page, i);
		exit(1);
	}
}

static size_t random_page(struct load *load)
{
	load->random ^= load->random << 13;
	load->random ^= load->random >> 7;
	load->random ^= load->random << 17;
	return (load->random * 0x2545f4914f6cdd1du >> 32) % load->pages;
}

/* ---- cases --------------------------------------------------------------------------------- */

static size_t run_fill(struct load *load)
{
	for (size_t page = 0; page < load->pages; page++)
		page_write(load, page);
	return load->pages;
}

static size_t run_read(struct load *load)
{
	for (size_t page = 0; page < load->pages; page++)
		page_check(load, page);
	return load->pages;
}

static size_t run_random(struct load *load)
{
	for (size_t i = 0; i < load->accesses; i++)
		page_check(load, random_page(load));
	return load->accesses;
}

static size_t run_random_unadvised(struct load *load)
{
	struct load fewer = *load;

	fewer.accesses /= UNADVISED_FRACTION;
	run_random(&fewer);
	load->random = fewer.random;
	return fewer.accesses;
}

static size_t run_update(struct load *load)
{
	for (size_t i = 0; i < load->accesses; i++) {
		size_t page = random_page(load);

		page_check(load, page);
		page_write(load, page);
	}
	if (msync(load->words, load->pages * PAGE_BYTES, MS_SYNC) < 0)
		die("msync");
	return load->accesses;
}

static double now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}

static void time_case(const char *name, struct load *load, size_t (*run)(struct load *))
{
	double start = now_us();
	size_t touched = run(load);

	printf("%s %.3f\n", name, (now_us() - start) / touched);
	fflush(stdout);
}

static void map(struct load *load, int flags, int fd)
{
	load->words = mmap(NULL, load->pages * PAGE_BYTES, PROT_READ | PROT_WRITE, flags, fd, 0);
	load->versions = calloc(load->pages, 1);
	if (load->words == MAP_FAILED || !load->versions)
		die("mmap");
}

static void anon(struct load *load)
{
	map(load, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	time_case("fill", load, run_fill);
	time_case("read", load, run_read);
	time_case("random", load, run_random);
	run_read(load);
}

static void file(struct load *load, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die(path);
	map(load, MAP_SHARED, fd);
	memset(load->versions, 1, load->pages);
	time_case("file-read", load, run_read);
	time_case("file-random", load, run_random_unadvised);
	if (madvise(load->words, load->pages * PAGE_BYTES, MADV_RANDOM) < 0)
		die("madvise");
	time_case("file-advised", load, run_random);
	time_case("file-update", load, run_update);
	madvise(load->words, load->pages * PAGE_BYTES, MADV_SEQUENTIAL);
	run_read(load);
	munmap(load->words, load->pages * PAGE_BYTES);
	close(fd);
}

static void create(size_t pages, const char *path)
{
	uint64_t words[PAGE_WORDS] = {0};
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		die(path);
	for (size_t page = 0; page < pages; page++) {
		for (size_t i = 0; i < PAGE_WORDS; i += LINE_WORDS)
			words[i] = stamp(page, i, 1);
		if (write(fd, words, PAGE_BYTES) != PAGE_BYTES)
			die("write");
	}
	if (fsync(fd) < 0)
		die("fsync");
	close(fd);
}

int main(int argc, char **argv)
{
	struct load load = {.random = 88172645463325252u};

	if (argc < 4) {
		fprintf(stderr, "usage: outofcore_load anon|file|create PAGES [ACCESSES] [PATH]\n");
		return 64;
	}
	load.pages = strtoul(argv[2], NULL, 10);
	load.accesses = strtoul(argv[3], NULL, 10);
	if (!strcmp(argv[1], "anon"))
		anon(&load);
	else if (!strcmp(argv[1], "file") && argc == 5)
		file(&load, argv[4]);
	else
		create(load.pages, argv[3]);
	return 0;
}
