/* SPDX-License-Identifier: MIT */
/*
 * Learned sets in files: pagerctl run --learn and --prefetch.
 *
 *	pagerd-learned 1
 *	file SIZE MTIME PATH     bytes; ns since 1970; \ooo for \ and what cannot be printed
 *	PAGE COUNT               pages from PAGE on, ascending
 *	...
 *	end SUM                  FNV-1a, 64 bits, hexadecimal, of all lines before
 *
 * Functions return 0, or an exit status after having said what is wrong.
 */
#ifndef PAGERD_CLIENT_LEARNED_H
#define PAGERD_CLIENT_LEARNED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagerd/protocol.h"

struct learned_file {
	char *path;
	uint64_t size;
	uint64_t mtime_ns;
	struct pagerd_pages *ranges;
	size_t range_count;
};

struct learned {
	struct learned_file *files;
	size_t file_count;
};

/* Read the file at path, all of it. *learned is to be given to learned_finish in every case. */
int learned_read(struct learned *learned, const char *path);
void learned_finish(struct learned *learned);
/* Can a file be written at path? */
int learned_try(const char *path);

/* Begin a LEARN on a control session; record is whether it records. *number is its number. */
int learned_start(int socket, bool record, uint64_t *number);
/* Tell the daemon what is expected of those files that are as they were. */
int learned_send(int socket, const struct learned *learned);
/* Write what was recorded to the file at path. */
int learned_save(int socket, const char *path);

#endif
