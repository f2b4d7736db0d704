/* SPDX-License-Identifier: MIT */
/* The command line of stress. */
#ifndef STRESS_OPTIONS_H
#define STRESS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "area.h"

enum distribution {
	UNIFORM,
	ZIPF,
	SEQUENTIAL,
};

struct options {
	uint64_t seed;
	uint64_t operations; /* of each thread */
	size_t pages;	     /* of each area */
	unsigned threads;    /* of each process */
	unsigned processes;
	unsigned write_percent;
	unsigned syscall_percent; /* of the accesses: by read(2) and write(2) */
	unsigned discard_percent; /* of the operations on private memory */
	uint64_t tick;		  /* print a line after so many operations; 0: never */
	bool kinds[KINDS];
	bool api; /* libpagerd instead of mmap */
	enum distribution distribution;
	const char *file;   /* of the file area */
	const char *save;   /* keep at the end what the file must hold */
	const char *verify; /* only check the file against what was kept */
};

/* Exits with status 64 and the usage if the arguments are wrong. */
void options_parse(struct options *options, int argc, char **argv);

#endif
