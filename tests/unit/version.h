/* SPDX-License-Identifier: MIT */
/*
 * Pages that tell which they are, and how often they were written: their first and last words say
 * so. Version 0 is what file_make puts there.
 */
#ifndef PAGERD_TESTS_VERSION_H
#define PAGERD_TESTS_VERSION_H

#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <unistd.h>

#define WORDS 512u /* of a page */

static inline uint64_t value(uint64_t page, uint64_t version)
{
	return (page + 1) * 0x9e3779b97f4a7c15ull + version;
}

static inline void page_write(uint64_t *memory, uint64_t page, uint64_t version)
{
	memory[page * WORDS] = memory[page * WORDS + WORDS - 1] = value(page, version);
}

static inline bool word_is(const uint64_t *memory, uint64_t page, uint64_t word)
{
	return memory[page * WORDS] == word && memory[page * WORDS + WORDS - 1] == word;
}

static inline void word_check(const uint64_t *memory, uint64_t page, uint64_t word)
{
	ck_assert_msg(word_is(memory, page, word), "page %lu: %lx and %lx, not %lx", page,
		      memory[page * WORDS], memory[page * WORDS + WORDS - 1], word);
}

static inline void page_check(const uint64_t *memory, uint64_t page, uint64_t version)
{
	word_check(memory, page, value(page, version));
}

static inline void range_write(uint64_t *memory, uint64_t page, uint64_t end, uint64_t version)
{
	for (; page < end; page++)
		page_write(memory, page, version);
}

static inline void range_check(const uint64_t *memory, uint64_t page, uint64_t end,
			       uint64_t version)
{
	for (; page < end; page++)
		page_check(memory, page, version);
}

static inline void zeros_check(const uint64_t *memory, uint64_t page, uint64_t end)
{
	for (; page < end; page++)
		word_check(memory, page, 0);
}

/* The page's first and last word, as two calls to write(2). */
static inline void file_write(int fd, uint64_t page, uint64_t version)
{
	uint64_t word = value(page, version);
	off_t first = (off_t)(page * WORDS * sizeof word);
	off_t last = first + (WORDS - 1) * (off_t)sizeof word;
	ck_assert_int_eq(pwrite(fd, &word, sizeof word, first), sizeof word);
	ck_assert_int_eq(pwrite(fd, &word, sizeof word, last), sizeof word);
}

/* A file without a name on a disk, each page of that version. */
static inline int file_make(uint64_t pages, uint64_t version)
{
	uint64_t page[WORDS] = {0};
	int fd = open("/var/tmp", O_RDWR | O_TMPFILE, 0600);
	ck_assert_int_ge(fd, 0);
	for (uint64_t i = 0; i < pages; i++) {
		page[0] = page[WORDS - 1] = value(i, version);
		ck_assert_int_eq(write(fd, page, sizeof page), sizeof page);
	}
	return fd;
}

#endif
