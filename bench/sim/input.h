/* SPDX-License-Identifier: MIT */
/*
 * The bytes of a trace: a file, standard input or memory, decompressed if need be.
 *
 * What is read lies in a window that its reader moves along. What went wrong is in a sentence
 * that names the input; errors are -errno.
 */
#ifndef PAGERSIM_INPUT_H
#define PAGERSIM_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "why.h"

#define INPUT_WINDOW_BYTES (1u << 18)

struct inflate;

struct input {
	const char *name;
	int fd; /* or -1: memory */
	const unsigned char *memory;
	size_t memory_bytes;
	struct inflate *inflate; /* NULL: the bytes are what they are */
	bool end;		 /* nothing comes behind the window */
	unsigned char *window;
	size_t start, used; /* used bytes of the window from start on are there */
	uint64_t offset;    /* of the first of them, from the begin of the (decompressed) data */
};

/* Open a file, or standard input if path is "-", which must stay while the input is used. */
int input_open(struct input *input, const char *path, struct why *why);
/* The same with count bytes that stay where they are. */
int input_open_memory(struct input *input, const void *bytes, size_t count, struct why *why);
void input_close(struct input *input);

/* See to it that at least count bytes (at most INPUT_WINDOW_BYTES) are there, or all that come. */
int input_fill(struct input *input, size_t count, struct why *why);

static inline const unsigned char *input_bytes(const struct input *input)
{
	return input->window + input->start;
}

static inline void input_consume(struct input *input, size_t count)
{
	input->start += count;
	input->used -= count;
	input->offset += count;
}

/* For the parts of this: read up to room raw bytes; *got is 0 at the end. */
int input_read_raw(struct input *input, unsigned char *bytes, size_t room, size_t *got,
		   struct why *why);

#endif
