/* SPDX-License-Identifier: MIT */
/* A file that appears under its name when it is complete, and not before. */
#ifndef PAGERBENCH_OUTPUT_H
#define PAGERBENCH_OUTPUT_H

#include <limits.h>
#include <stdio.h>

struct output {
	FILE *file;
	char path[PATH_MAX];
	char partial[PATH_MAX]; /* empty: standard output */
};

/* path "-" is standard output. 0 or -errno. */
int output_open(struct output *output, const char *path);
/* Close it and give it its name. 0, or -errno: the partial file is gone then. */
int output_close(struct output *output);
/* Close it and remove it. */
void output_drop(struct output *output);

#endif
