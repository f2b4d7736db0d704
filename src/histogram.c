/* SPDX-License-Identifier: MIT */
/* A histogram of nanoseconds with a relative error of at most 1/16. */
#include "histogram.h"

#define SUB_BITS 4
_Static_assert(HISTOGRAM_SUB == 1u << SUB_BITS, "buckets of a power of two");

/* Below HISTOGRAM_SUB a bucket holds one value. Then the exponent chooses the group, and the
 * SUB_BITS bits below the leading one the bucket in it. The last bucket has all the rest, from
 * 2.4 hours on. */
static unsigned bucket_of(uint64_t ns)
{
	if (ns < HISTOGRAM_SUB)
		return (unsigned)ns;
	unsigned exponent = 63 - (unsigned)__builtin_clzll(ns);
	unsigned group = exponent - SUB_BITS + 1;
	unsigned bucket = group * HISTOGRAM_SUB +
			  (unsigned)(ns >> (exponent - SUB_BITS) & (HISTOGRAM_SUB - 1));
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest value that belongs to bucket. */
static uint64_t bucket_edge_ns(unsigned bucket)
{
	if (bucket < HISTOGRAM_SUB)
		return bucket;
	if (bucket == HISTOGRAM_BUCKETS - 1)
		return UINT64_MAX;
	unsigned shift = bucket / HISTOGRAM_SUB - 1;
	return ((uint64_t)(HISTOGRAM_SUB + bucket % HISTOGRAM_SUB + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t ns)
{
	uint32_t *bucket = &histogram->bucket[bucket_of(ns)];
	/* A daemon that runs for weeks gets here: full is nearer to the truth than zero. */
	if (*bucket < UINT32_MAX)
		(*bucket)++;
	histogram->total++;
	if (ns > histogram->max_ns)
		histogram->max_ns = ns;
}

void histogram_merge(struct histogram *a, const struct histogram *b)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (__builtin_add_overflow(a->bucket[i], b->bucket[i], &a->bucket[i]))
			a->bucket[i] = UINT32_MAX;
	}
	a->total += b->total;
	if (b->max_ns > a->max_ns)
		a->max_ns = b->max_ns;
}

uint64_t histogram_quantile(const struct histogram *histogram, unsigned permille)
{
	/* Not total: buckets that are full have lost some of it. */
	uint64_t all = 0, seen = 0;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		all += histogram->bucket[i];
	uint64_t rank = (all * (permille < 1000 ? permille : 1000) + 999) / 1000;
	rank = rank ? rank : 1;
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->bucket[i];
		if (seen >= rank) {
			uint64_t edge_ns = bucket_edge_ns(i);
			return edge_ns < histogram->max_ns ? edge_ns : histogram->max_ns;
		}
	}
	return 0;
}
