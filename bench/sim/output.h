/* SPDX-License-Identifier: MIT */
/* Files that are there whole or not at all. */
#ifndef PAGERSIM_OUTPUT_H
#define PAGERSIM_OUTPUT_H

#include <stdbool.h>

#include "report.h"
#include "why.h"

typedef void (*report_write)(FILE *file, const struct report *report);

/* Could this file be written? Found out before hours of computing, and leaving nothing behind.
 * path may be NULL. 0, or -errno with why. */
int output_check(const char *path, struct why *why);
/* Write a report to path: to a temporary file beside it that is renamed when it is complete. What
 * is no regular file (a terminal, a pipe) is written to; "-" is standard output. */
int output_write(const char *path, report_write write, const struct report *report,
		 struct why *why);

#endif
