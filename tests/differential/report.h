/* SPDX-License-Identifier: MIT */
/* The line that says what a step did. */
#ifndef PAGERD_TESTS_DIFFERENTIAL_REPORT_H
#define PAGERD_TESTS_DIFFERENTIAL_REPORT_H

#include <stddef.h>
#include <stdint.h>

#define REPORT_BYTES 16384

struct report {
	int child; /* a process that the step has made; 0: none. Not printed. */
	size_t length;
	char text[REPORT_BYTES];
};

struct name {
	int64_t value;
	const char *name;
};

void report(struct report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What a call returned: the number, or the name of errno. */
void report_result(struct report *report, long result);
/* Names of the bits of value, or of the first entry for 0; then the rest as a number. */
void report_bits(struct report *report, int64_t value, const struct name *names, size_t count);

#endif
