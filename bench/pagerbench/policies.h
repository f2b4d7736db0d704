/* SPDX-License-Identifier: MIT */
/* The policies that a comparison is of. */
#ifndef PAGERBENCH_POLICIES_H
#define PAGERBENCH_POLICIES_H

#include <stdbool.h>

#include "options.h"

/* Are all of them there, with these parameters? 0, or STATUS_USAGE after having said which not. */
int policies_check(const struct options_list *policies);

#endif
