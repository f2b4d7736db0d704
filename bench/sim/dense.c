/* SPDX-License-Identifier: MIT */
/* A table of open addresses, at most half full. */
#include "dense.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define DENSE_FIRST_BITS 12

static struct dense_slot *slots_make(unsigned shift)
{
	return calloc((size_t)1 << (64 - shift), sizeof(struct dense_slot));
}

int dense_init(struct dense *dense)
{
	*dense = (struct dense){.shift = 64 - DENSE_FIRST_BITS};
	/* Without one, only traces that are made to be slow are. */
	if (getrandom(&dense->secret, sizeof dense->secret, GRND_NONBLOCK) < 0)
		dense->secret = 0;
	dense->slots = slots_make(dense->shift);
	return dense->slots ? 0 : -ENOMEM;
}

void dense_finish(struct dense *dense)
{
	free(dense->slots);
	dense->slots = NULL;
}

/* Identities are addresses, strides of them, or hashes: the product's high bits depend on all. Or
 * they are chosen to be found in one slot, which takes to know the secret. */
static uint64_t slot_of(const struct dense *dense, uint64_t id)
{
	uint64_t mixed = (id ^ dense->secret) * UINT64_C(0x9e3779b97f4a7c15);
	return (mixed ^ mixed >> 32) * UINT64_C(0xd6e8feb86659fd93) >> dense->shift;
}

static struct dense_slot *slot_find(const struct dense *dense, uint64_t id)
{
	uint64_t mask = UINT64_MAX >> dense->shift;
	for (uint64_t i = slot_of(dense, id);; i = (i + 1) & mask) {
		struct dense_slot *slot = &dense->slots[i];
		if (!slot->page || slot->id == id)
			return slot;
	}
}

static int dense_grow(struct dense *dense)
{
	struct dense old = *dense;
	struct dense_slot *slots = slots_make(old.shift - 1);
	if (!slots)
		return -ENOMEM;
	dense->slots = slots;
	dense->shift = old.shift - 1;
	for (uint64_t i = 0; i <= UINT64_MAX >> old.shift; i++)
		if (old.slots[i].page)
			*slot_find(dense, old.slots[i].id) = old.slots[i];
	free(old.slots);
	return 0;
}

int dense_reserve(struct dense *dense, uint32_t count)
{
	if (count > DENSE_MAX - dense->pages)
		return -E2BIG;
	while ((UINT64_MAX >> dense->shift) / 2 < (uint64_t)dense->pages + count) {
		int error = dense_grow(dense);
		if (error)
			return error;
	}
	return 0;
}

void dense_prefetch(const struct dense *dense, uint64_t id)
{
	__builtin_prefetch(&dense->slots[slot_of(dense, id)]);
}

uint32_t dense_page(struct dense *dense, uint64_t id)
{
	struct dense_slot *slot = slot_find(dense, id);
	if (!slot->page)
		*slot = (struct dense_slot){id, ++dense->pages};
	return slot->page - 1;
}
