/* SPDX-License-Identifier: MIT */
/* Lists in options: "lru,lfu:decay=4,history=1,min" and "1000,10%". */
#ifndef PAGERSIM_LIST_H
#define PAGERSIM_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"

/* Cut the next policy off the front of text, in place: NULL if there is none. A comma belongs to
 * the parameters of a policy if name=value follows it, and ends the policy otherwise. */
char *list_next_policy(char **text);
/* Cut the next item off the front of text, in place: NULL if there is none. */
char *list_next(char **text);

/* A number of pages, or a percentage with up to four decimals; not zero. */
bool size_parse(const char *text, struct size *size);

#endif
