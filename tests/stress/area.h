/* SPDX-License-Identifier: MIT */
/*
 * An area: paged memory whose contents are known.
 *
 * A page has CHUNKS chunks. Each chunk has a cell, outside of the paged memory: its lock and its
 * version. What a chunk must hold is a function of the seed, the area, the page, the chunk and
 * the version, so that every read can be checked exactly, by any thread of any process that
 * shares the area. Version 0 is zeros: memory never written, or a hole of a file.
 */
#ifndef STRESS_AREA_H
#define STRESS_AREA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend.h"

enum {
	PAGE_BYTES = 4096,
	CHUNKS = 8,
	CHUNK_BYTES = PAGE_BYTES / CHUNKS,
	CHUNK_WORDS = CHUNK_BYTES / 8,
};

enum kind {
	KIND_PRIVATE, /* MAP_PRIVATE|MAP_ANONYMOUS */
	KIND_SHARED,  /* MAP_SHARED|MAP_ANONYMOUS */
	KIND_FILE,    /* MAP_SHARED of a file */
	KINDS,
};
extern const char *const kind_names[KINDS];

struct area {
	enum kind kind;
	uint64_t seed;
	size_t pages;
	unsigned char *memory;
	_Atomic uint32_t *cells; /* CHUNKS a page; bit 31: locked; the rest: version */
	bool together;		 /* several processes see the same memory and cells */
};

/* Make an area that has no memory yet: cells for that many pages, every version 0. With
 * together, processes forked later share the cells; else each has a copy. Exits on failure. */
void area_make(struct area *area, enum kind kind, size_t pages, uint64_t seed, bool together);

/* Map the memory. fd is the file of a file area; for anonymous memory it is handed over as well,
 * since mmap(2) must not care. Exits on failure. */
void area_map(struct area *area, int fd);

/* Unmap the memory. Exits on failure. */
void area_unmap(struct area *area);

/* Take the lock of a chunk, or return false: somebody has it. */
bool chunk_lock(struct area *area, size_t page, unsigned chunk);
void chunk_unlock(struct area *area, size_t page, unsigned chunk);

/* The caller has the lock. A mismatch is reported in full and ends the process with status 1.
 * With scratch_fd >= 0 the memory is touched by pread and pwrite, not by loads and stores. */
void chunk_check(const struct area *area, size_t page, unsigned chunk, int scratch_fd);
void chunk_write(struct area *area, size_t page, unsigned chunk, int scratch_fd);

/* Make a page of private memory zeros by MADV_DONTNEED; false if somebody has one of the locks. */
bool page_discard(struct area *area, size_t page);

/* Check every chunk of the memory. Nobody else may be using the area. */
void area_check(struct area *area);

/* Give a file area just made its first contents, written to the file by pwrite: some pages become
 * version 1, the others stay holes. */
void area_fill_file(struct area *area, int fd);

/* Check the file itself, by pread, against the cells. */
void area_check_file(const struct area *area, int fd);

/* Keep the seed and the cells in a file, or make an area without memory from it. */
void area_save(const struct area *area, const char *path);
void area_load(struct area *area, const char *path);

/* Say what failed, with errno, and exit with status 2. */
_Noreturn void die(const char *what);

#endif
