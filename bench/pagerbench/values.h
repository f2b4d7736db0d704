/* SPDX-License-Identifier: MIT */
/*
 * Values of options, as people type them. Each function takes the option's name, for what it says
 * if it does not like the value, and returns 0 or STATUS_USAGE.
 */
#ifndef PAGERBENCH_VALUES_H
#define PAGERBENCH_VALUES_H

#include "options.h"

int number_read(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *value);
int small_read(const char *name, const char *text, uint32_t least, uint32_t most, uint32_t *value);
int percent_read(const char *name, const char *text, double *value);
/* Not empty. */
int text_read(const char *name, const char *text, const char **value);
/* One of choices, which end with NULL. */
int choice_read(const char *name, const char *text, const char *const *choices, const char **value);
int size_read(const char *name, const char *text, struct options_size *size);
/* Names with commas between them, added to the list; the text is cut up and referred to. */
int list_read(const char *name, char *text, struct options_list *list);
int sizes_read(const char *name, char *text, struct options_sizes *sizes);

#endif
