/* SPDX-License-Identifier: MIT */
/*
 * What a page holds: the first word of each of its cache lines tells the page, the line and the
 * version of the page, (page * 512 + word) * 0x9e3779b97f4a7c15 + version. Files are made with
 * version 1; version 0 is memory that was never written: zeros.
 */
#ifndef LOAD_PAGE_H
#define LOAD_PAGE_H

#include <stdint.h>

enum {
	PAGE_BYTES = 4096,
	PAGE_WORDS = PAGE_BYTES / 8,
	LINE_WORDS = 8,
};

void page_write(void *page, uint64_t number, uint8_t version);
/* Ends the program with status 1 if the page is another one, or of another version. */
void page_check(const void *page, uint64_t number, uint8_t version);

#endif
