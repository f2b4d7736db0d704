/* SPDX-License-Identifier: MIT */
/* What several runs of the same come to. */
#ifndef PAGERBENCH_SUMMARY_H
#define PAGERBENCH_SUMMARY_H

#include <stddef.h>

struct summary {
	double median, least, most;
};

/* Of count values, which are sorted; all zeros if there are none. */
struct summary summary_of(double *values, size_t count);

#endif
