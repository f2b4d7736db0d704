/* SPDX-License-Identifier: MIT */
/*
 * Random numbers that are a function of a seed and a step, so that a step does the same whether or
 * not those before it are left out.
 */
#ifndef PAGERD_TESTS_DIFFERENTIAL_RANDOM_H
#define PAGERD_TESTS_DIFFERENTIAL_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

/* splitmix64 (Steele et al. 2014) */
static inline uint64_t random_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9u;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static inline struct random random_for(uint64_t seed, uint64_t step)
{
	return (struct random){random_mix(random_mix(seed + 1) + step)};
}

static inline uint64_t random_next(struct random *random)
{
	random->state += 0x9e3779b97f4a7c15u;
	return random_mix(random->state);
}

/* 0 to count - 1. */
static inline uint32_t random_below(struct random *random, uint32_t count)
{
	return (uint32_t)(random_next(random) % count);
}

static inline bool random_chance(struct random *random, uint32_t percent)
{
	return random_below(random, 100) < percent;
}

#endif
