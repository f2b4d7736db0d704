/* SPDX-License-Identifier: MIT */
/* How the formats recognise their own. */
#ifndef PAGERSIM_FORMAT_SAMPLE_H
#define PAGERSIM_FORMAT_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>

/* A line that valgrind writes, blanks at its ends left out. */
bool lackey_is_line(const char *text, size_t length);
bool csv_has_separator(const char *text, size_t length);
/* The first count bytes of a file. */
bool oracle_is_plausible(const unsigned char *bytes, size_t count);

#endif
