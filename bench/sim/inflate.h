/* SPDX-License-Identifier: MIT */
/* Decompression by libzstd; a build without it says so where it would be needed. */
#ifndef PAGERSIM_INFLATE_H
#define PAGERSIM_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

#include "why.h"

#define INFLATE_MAGIC_BYTES 4

struct inflate;
struct input;

/* Was it built with libzstd? */
bool inflate_is_built(void);

/* Do these bytes begin something that is compressed? */
bool inflate_is_magic(const unsigned char *bytes, size_t count);
/* Begin with the count raw bytes that were read to find out. */
int inflate_create(struct inflate **inflate, const unsigned char *bytes, size_t count,
		   const char *name, struct why *why);
/* NULL is allowed. */
void inflate_destroy(struct inflate *inflate);
/* Up to room bytes, with raw bytes taken from input; *got is 0 at the end. -EILSEQ with the byte
 * of the raw data in why if they are broken, or end in the middle. */
int inflate_read(struct inflate *inflate, struct input *input, unsigned char *bytes, size_t room,
		 size_t *got, struct why *why);

#endif
