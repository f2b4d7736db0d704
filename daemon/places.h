/* SPDX-License-Identifier: MIT */
/*
 * Places: which shard has what is at an address of a client's.
 *
 * All of what its regions cover, and perhaps more. No locking.
 */
#ifndef PAGERD_PLACES_H
#define PAGERD_PLACES_H

#include <stddef.h>
#include <stdint.h>

struct place {
	uint64_t start, end; /* addresses; end is exclusive */
	uint32_t shard;
};

struct places {
	struct place *entries; /* in ascending order; neighbours of one shard are one */
	size_t count;
	size_t room;
};

/* Make room for what one places_set or places_clear may add. 0 or -ENOMEM. */
int places_reserve(struct places *places);
void places_finish(struct places *places);
/* [start, end) is shard's (room is reserved). */
void places_set(struct places *places, uint64_t start, uint64_t end, uint32_t shard);
/* Nobody's (room is reserved). */
void places_clear(struct places *places, uint64_t start, uint64_t end);
/* Those that have some of [start, end), as bits. */
uint64_t places_shards(const struct places *places, uint64_t start, uint64_t end);
/* Make to, which is empty, the same. 0 or -ENOMEM. */
int places_copy(struct places *to, const struct places *from);

#endif
