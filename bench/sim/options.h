/* SPDX-License-Identifier: MIT */
/* The command line of pagersim. */
#ifndef PAGERSIM_OPTIONS_H
#define PAGERSIM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "run.h"
#include "why.h"

enum status {
	STATUS_USAGE = 64, /* these as in sysexits.h */
	STATUS_DATA = 65,
	STATUS_INPUT = 66,
	STATUS_FAILED = 70,
	STATUS_OUTPUT = 73,
};

struct size {
	const char *text;   /* as it was typed */
	uint64_t pages;	    /* or, if this is 0 */
	uint64_t millionth; /* of the footprint */
};

struct options {
	const char *trace;
	const struct format *format; /* NULL: by content */
	struct format_options format_options;
	bool merge;
	struct run_config *policies; /* with all but size_pages */
	size_t policy_count;
	struct size *sizes;
	size_t size_count;
	const char *visibility; /* as it was typed */
	const char *csv, *json, *html;
	bool notes;
	unsigned threads;
	uint64_t seed;
	char *policy_list, *size_list; /* what policies and sizes point into */
};

/* 0; -EINVAL with why for a usage error; 1 after --help or --version was done. */
int options_parse(struct options *options, int argc, char **argv, struct why *why);
void options_finish(struct options *options);

/* What a size is in pages, for a trace with this footprint: at least 1. */
uint64_t size_pages(const struct size *size, uint32_t footprint_pages);

#endif
