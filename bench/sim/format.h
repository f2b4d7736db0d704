/* SPDX-License-Identifier: MIT */
/* The formats of traces, each in a file of its own, and how they are told. */
#ifndef PAGERSIM_FORMAT_H
#define PAGERSIM_FORMAT_H

#include "input.h"
#include "references.h"

#define FORMAT_PAGE_SHIFT 12 /* where a trace has addresses */

struct format_options {
	unsigned column; /* of CSV, from 1; 0: not said */
};

struct format {
	const char *name; /* what --format takes */
	const char *summary;
	/* Add all of input to references. 0, or -errno with a sentence that says where. */
	int (*read)(struct input *input, const struct format_options *options,
		    struct references *references, struct why *why);
};

extern const struct format format_pagerd;
extern const struct format format_oracle;
extern const struct format format_text;
extern const struct format format_hex;
extern const struct format format_csv;
extern const struct format format_lackey;

/* All of them, NULL-terminated. */
extern const struct format *const formats[];

/* NULL if there is none of this name. */
const struct format *format_find(const char *name);

/* Which one the input's first bytes are of. 0, or -errno with why. */
int format_detect(struct input *input, const struct format_options *options,
		  const struct format **format, struct why *why);

/* Detect the format if it is NULL, read all, and see to it that there was something. */
int format_read(struct input *input, const struct format **format,
		const struct format_options *options, struct references *references,
		struct why *why);

#endif
