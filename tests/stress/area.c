/* SPDX-License-Identifier: MIT */
/* Memory whose contents are known: see area.h. */
#include "area.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LOCKED	     0x80000000u
#define VERSION_MASK 0x7fffffffu

const char *const kind_names[KINDS] = {"private", "shared", "file"};

static const int kind_flags[KINDS] = {
	MAP_PRIVATE | MAP_ANONYMOUS,
	MAP_SHARED | MAP_ANONYMOUS,
	MAP_SHARED,
};

struct area_header {
	uint64_t seed;
	uint64_t pages;
};

void die(const char *what)
{
	fprintf(stderr, "stress: %s: %s\n", what, strerror(errno));
	exit(2);
}

/* ---- what a chunk must hold ---------------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static void chunk_expect(const struct area *area, size_t page, unsigned chunk, uint32_t version,
			 uint64_t *words)
{
	uint64_t x = mix(mix(area->seed + area->kind) + page * CHUNKS + chunk) + version;

	if (!version) {
		memset(words, 0, CHUNK_BYTES);
		return;
	}
	x = mix(x);
	for (unsigned i = 0; i < CHUNK_WORDS; i++)
		words[i] = x += 0x9e3779b97f4a7c15u;
}

static _Atomic uint32_t *cell_of(const struct area *area, size_t page, unsigned chunk)
{
	return &area->cells[page * CHUNKS + chunk];
}

static uint32_t version_of(const struct area *area, size_t page, unsigned chunk)
{
	return atomic_load(cell_of(area, page, chunk)) & VERSION_MASK;
}

/* Which version, this one or an earlier one, the words are; -1 if none. */
static int64_t version_found(const struct area *area, size_t page, unsigned chunk, uint32_t version,
			     const uint64_t *words)
{
	uint64_t guess[CHUNK_WORDS];

	for (int64_t v = version; v >= 0; v--) {
		chunk_expect(area, page, chunk, v, guess);
		if (!memcmp(guess, words, CHUNK_BYTES))
			return v;
	}
	return -1;
}

static _Noreturn void mismatch(const struct area *area, size_t page, unsigned chunk,
			       const uint64_t *wanted, const uint64_t *found, const char *where)
{
	uint32_t version = version_of(area, page, chunk);
	unsigned i = 0;

	while (wanted[i] == found[i])
		i++;
	fprintf(stderr,
		"stress: WRONG DATA in %s: pid %d, %s area at %p, page %zu (address %p), chunk %u, "
		"word %u: found %016llx, wanted %016llx (version %u)\n",
		where, (int)getpid(), kind_names[area->kind], (void *)area->memory, page,
		(void *)(area->memory + page * PAGE_BYTES), chunk, i, (unsigned long long)found[i],
		(unsigned long long)wanted[i], version);
	fprintf(stderr, "stress: the chunk holds version %lld (-1: none, a mixture)\n",
		(long long)version_found(area, page, chunk, version, found));
	exit(1);
}

static void compare(const struct area *area, size_t page, unsigned chunk, const void *data,
		    const char *where)
{
	uint64_t wanted[CHUNK_WORDS];
	uint64_t found[CHUNK_WORDS];

	chunk_expect(area, page, chunk, version_of(area, page, chunk), wanted);
	memcpy(found, data, CHUNK_BYTES);
	if (memcmp(wanted, found, CHUNK_BYTES))
		mismatch(area, page, chunk, wanted, found, where);
}

/* ---- areas ----------------------------------------------------------------------------------- */

/* Cells are on a memfd: it is never paged, and is shared or copied by fork as the area needs. */
static void cells_map(struct area *area)
{
	size_t bytes = area->pages * CHUNKS * sizeof(*area->cells);
	int flags = area->together ? MAP_SHARED : MAP_PRIVATE;
	int fd = memfd_create("stress cells", MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, bytes) < 0)
		die("memfd for cells");
	area->cells = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
	if (area->cells == MAP_FAILED)
		die("mmap of cells");
	close(fd);
}

void area_map(struct area *area, int fd)
{
	area->memory = backend_map(area->pages * PAGE_BYTES, kind_flags[area->kind], fd);
	if (area->memory == MAP_FAILED)
		die("map");
}

void area_make(struct area *area, enum kind kind, size_t pages, uint64_t seed, bool together)
{
	*area = (struct area){.kind = kind, .seed = seed, .pages = pages, .together = together};
	cells_map(area);
}

void area_unmap(struct area *area)
{
	if (backend_unmap(area->memory, area->pages * PAGE_BYTES) < 0)
		die("unmap");
	area->memory = NULL;
}

/* ---- chunks ---------------------------------------------------------------------------------- */

bool chunk_lock(struct area *area, size_t page, unsigned chunk)
{
	return !(atomic_fetch_or(cell_of(area, page, chunk), LOCKED) & LOCKED);
}

void chunk_unlock(struct area *area, size_t page, unsigned chunk)
{
	atomic_fetch_and(cell_of(area, page, chunk), ~LOCKED);
}

static void *chunk_at(const struct area *area, size_t page, unsigned chunk)
{
	return area->memory + page * PAGE_BYTES + (size_t)chunk * CHUNK_BYTES;
}

void chunk_check(const struct area *area, size_t page, unsigned chunk, int scratch_fd)
{
	const void *data = chunk_at(area, page, chunk);
	uint64_t copy[CHUNK_WORDS];

	if (scratch_fd >= 0) {
		if (pwrite(scratch_fd, data, CHUNK_BYTES, 0) != CHUNK_BYTES)
			die("write(2) from paged memory");
		if (pread(scratch_fd, copy, CHUNK_BYTES, 0) != CHUNK_BYTES)
			die("read of scratch file");
		data = copy;
	}
	compare(area, page, chunk, data, "memory");
}

void chunk_write(struct area *area, size_t page, unsigned chunk, int scratch_fd)
{
	_Atomic uint32_t *cell = cell_of(area, page, chunk);
	uint32_t version = (atomic_load(cell) & VERSION_MASK) + 1;
	uint64_t words[CHUNK_WORDS];

	chunk_expect(area, page, chunk, version, words);
	if (scratch_fd < 0) {
		memcpy(chunk_at(area, page, chunk), words, CHUNK_BYTES);
	} else {
		if (pwrite(scratch_fd, words, CHUNK_BYTES, 0) != CHUNK_BYTES)
			die("write of scratch file");
		if (pread(scratch_fd, chunk_at(area, page, chunk), CHUNK_BYTES, 0) != CHUNK_BYTES)
			die("read(2) into paged memory");
	}
	atomic_store(cell, version | LOCKED);
}

static void page_unlock(struct area *area, size_t page, unsigned chunks)
{
	for (unsigned i = 0; i < chunks; i++)
		chunk_unlock(area, page, i);
}

bool page_discard(struct area *area, size_t page)
{
	for (unsigned i = 0; i < CHUNKS; i++) {
		if (!chunk_lock(area, page, i)) {
			page_unlock(area, page, i);
			return false;
		}
	}
	if (backend_discard(chunk_at(area, page, 0), PAGE_BYTES) < 0)
		die("MADV_DONTNEED");
	for (unsigned i = 0; i < CHUNKS; i++)
		atomic_store(cell_of(area, page, i), LOCKED);
	page_unlock(area, page, CHUNKS);
	return true;
}

void area_check(struct area *area)
{
	for (size_t page = 0; page < area->pages; page++) {
		for (unsigned i = 0; i < CHUNKS; i++)
			chunk_check(area, page, i, -1);
	}
}

/* ---- the file -------------------------------------------------------------------------------- */

/* Runs of 16 pages, every other one a hole. */
static bool page_is_hole(size_t page)
{
	return page / 16 % 2;
}

void area_fill_file(struct area *area, int fd)
{
	uint64_t words[CHUNK_WORDS];

	if (ftruncate(fd, area->pages * PAGE_BYTES) < 0)
		die("ftruncate of the file");
	for (size_t i = 0; i < area->pages * CHUNKS; i++) {
		if (page_is_hole(i / CHUNKS))
			continue;
		chunk_expect(area, i / CHUNKS, i % CHUNKS, 1, words);
		if (pwrite(fd, words, CHUNK_BYTES, i * CHUNK_BYTES) != CHUNK_BYTES)
			die("write of the file");
		atomic_store(&area->cells[i], 1);
	}
	if (fsync(fd) < 0)
		die("fsync of the file");
}

void area_check_file(const struct area *area, int fd)
{
	unsigned char page_data[PAGE_BYTES];

	for (size_t page = 0; page < area->pages; page++) {
		if (pread(fd, page_data, PAGE_BYTES, page * PAGE_BYTES) != PAGE_BYTES)
			die("read of the file");
		for (unsigned i = 0; i < CHUNKS; i++)
			compare(area, page, i, page_data + (size_t)i * CHUNK_BYTES, "the file");
	}
}

void area_save(const struct area *area, const char *path)
{
	struct area_header header = {area->seed, area->pages};
	size_t count = area->pages * CHUNKS;
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(&header, sizeof(header), 1, file) != 1 ||
	    fwrite((const void *)area->cells, sizeof(*area->cells), count, file) != count ||
	    fclose(file))
		die(path);
}

void area_load(struct area *area, const char *path)
{
	struct area_header header;
	FILE *file = fopen(path, "rb");
	size_t count;

	if (!file || fread(&header, sizeof(header), 1, file) != 1)
		die(path);
	area_make(area, KIND_FILE, header.pages, header.seed, false);
	count = area->pages * CHUNKS;
	if (fread((void *)area->cells, sizeof(*area->cells), count, file) != count)
		die(path);
	fclose(file);
}
