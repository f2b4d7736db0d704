/* SPDX-License-Identifier: MIT */
/*
 * Zipf's law: rank r of 1 .. count is drawn with a probability proportional to 1 / r^theta.
 *
 * Exact for every theta from 0 on, without tables: W. Hormann, G. Derflinger, "Rejection-inversion
 * to generate variates from monotone discrete distributions", ACM TOMACS 6(3), 1996.
 */
#ifndef BENCH_SKEW_H
#define BENCH_SKEW_H

#include <stdint.h>

#include "workload/random.h"

struct skew {
	double theta;
	double count;
	double low, high; /* the integral's range */
	double sure;	  /* so near to a rank no second look is needed */
};

struct skew skew_make(uint32_t count, double theta);
/* 0 for the most frequent, up to count - 1. */
uint32_t skew_draw(const struct skew *skew, struct random *random);

#endif
