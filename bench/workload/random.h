/* SPDX-License-Identifier: MIT */
/* Random numbers that are the same everywhere: splitmix64 (S. Vigna, public domain). */
#ifndef BENCH_RANDOM_H
#define BENCH_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

/* A generator of its own for each use: what is drawn for one does not move the others. */
static inline struct random random_make(uint64_t seed, uint64_t use)
{
	struct random random = {seed ^ 0x6a09e667f3bcc909ull};
	random.state = random_next(&random) + use * 0xd1342543de82ef95ull;
	random.state = random_next(&random);
	return random;
}

/* 0 .. below - 1; below is not 0. The bias is below 2^-32 for the sizes used here. */
static inline uint64_t random_below(struct random *random, uint64_t below)
{
	return (uint64_t)((unsigned __int128)random_next(random) * below >> 64);
}

/* [0, 1) */
static inline double random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* True in percent of all cases. */
static inline bool random_percent(struct random *random, double percent)
{
	return random_unit(random) * 100 < percent;
}

#endif
