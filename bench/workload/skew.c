/* SPDX-License-Identifier: MIT */
/* Zipf's law. */
#include "workload/skew.h"

#include <math.h>

/* (exp(x) - 1) / x and log(1 + x) / x, whose limits at 0 are 1: theta may be near 1. */
static double expm1_over(double x)
{
	return fabs(x) > 1e-8 ? expm1(x) / x : 1 + x / 2;
}

static double log1p_over(double x)
{
	return fabs(x) > 1e-8 ? log1p(x) / x : 1 - x / 2;
}

static double density(const struct skew *skew, double x)
{
	return exp(-skew->theta * log(x));
}

/* The density's integral from 1 to x, and where it has a given value. */
static double integral(const struct skew *skew, double x)
{
	double logarithm = log(x);
	return expm1_over((1 - skew->theta) * logarithm) * logarithm;
}

static double integral_inverse(const struct skew *skew, double y)
{
	double t = y * (1 - skew->theta);
	return exp(log1p_over(t < -1 ? -1 : t) * y);
}

struct skew skew_make(uint32_t count, double theta)
{
	struct skew skew = {.theta = theta, .count = count};
	skew.low = integral(&skew, 1.5) - 1;
	skew.high = integral(&skew, count + 0.5);
	skew.sure = 2 - integral_inverse(&skew, integral(&skew, 2.5) - density(&skew, 2));
	return skew;
}

uint32_t skew_draw(const struct skew *skew, struct random *random)
{
	for (;;) {
		double u = skew->high + random_unit(random) * (skew->low - skew->high);
		double x = integral_inverse(skew, u), rank = floor(x + 0.5);
		rank = rank < 1 ? 1 : rank > skew->count ? skew->count : rank;
		if (rank - x <= skew->sure || u >= integral(skew, rank + 0.5) - density(skew, rank))
			return (uint32_t)rank - 1;
	}
}
