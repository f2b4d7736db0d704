/* SPDX-License-Identifier: MIT */
/* The policies that a comparison is of. */
#ifndef PAGERBENCH_POLICIES_H
#define PAGERBENCH_POLICIES_H

#include <stdbool.h>

#include "options.h"

/* Is it one that only a simulator can run? */
bool policies_know_future(const char *name);
/* Are all of them there, with these parameters, and can they be run live if that is wanted? 0, or
 * STATUS_USAGE after having said which not. */
int policies_check(const struct options_list *policies, bool live);

#endif
