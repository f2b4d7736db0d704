/* SPDX-License-Identifier: MIT */
/* Policies that whole pagers are tested with, one after another. */
#ifndef PAGERD_TESTS_POLICIES_H
#define PAGERD_TESTS_POLICIES_H

static const char *const policies[] = {"fifo",
				       "lru",
				       "lfu",
				       "lfu:decay=4,ghosts=100",
				       "random",
				       "mru",
				       "clock",
				       "2q",
				       "arc",
				       "car",
				       "lirs",
				       "clock-pro",
				       "sieve",
				       "s3fifo",
				       "w-tinylfu:window=20"};
#define POLICIES ((int)(sizeof policies / sizeof *policies))

#endif
