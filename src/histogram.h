/* SPDX-License-Identifier: MIT */
/*
 * A histogram of nanoseconds with a relative error of at most 1/16: 16 linear buckets for each
 * power of two (the scheme of HdrHistogram). Adding is a few instructions; no allocation.
 */
#ifndef PAGERD_HISTOGRAM_H
#define PAGERD_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_SUB	  16u
#define HISTOGRAM_BUCKETS (40u * HISTOGRAM_SUB)

struct histogram {
	uint64_t total;
	uint64_t max_ns;
	uint32_t bucket[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t ns);
/* Add all of b to a. */
void histogram_merge(struct histogram *a, const struct histogram *b);
/* The value below or at which the share permille/1000 of all lies (the upper edge of its bucket,
 * never above max_ns); 0 if empty. */
uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille);

#endif
