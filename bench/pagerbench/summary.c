/* SPDX-License-Identifier: MIT */
/* What several runs of the same come to. */
#include "summary.h"

#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

struct summary summary_of(double *values, size_t count)
{
	if (!count)
		return (struct summary){0};
	qsort(values, count, sizeof *values, ascending);
	return (struct summary){
		.median = (values[count / 2] + values[(count - 1) / 2]) / 2,
		.least = values[0],
		.most = values[count - 1],
	};
}
