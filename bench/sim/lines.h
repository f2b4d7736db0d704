/* SPDX-License-Identifier: MIT */
/* The lines of an input, numbered from 1. */
#ifndef PAGERSIM_LINES_H
#define PAGERSIM_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "input.h"

#define LINE_BYTES_MAX 65536u

struct line {
	uint64_t number;  /* 0 before the first */
	const char *text; /* until the next call; no zero behind it, and perhaps some inside */
	size_t length;	  /* without the end of the line, "\n" or "\r\n" */
	bool ended;	  /* it has one */
};

/* Go to the next line: 1, 0 at the end, or -errno. */
int line_next(struct line *line, struct input *input, struct why *why);

/* "NAME: line 7: 'TEXT' SENTENCE", the text shortened and made printable. Returns -EILSEQ. */
int line_wrong(const struct line *line, const struct input *input, const char *sentence,
	       struct why *why);

/* A number of base 10, or 16 if "0x" is before it or base says so. */
bool number_parse(const char *text, size_t length, unsigned base, uint64_t *number);

/* Blanks at both ends of text do not count. */
void text_trim(const char **text, size_t *length);

#endif
