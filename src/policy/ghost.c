/* SPDX-License-Identifier: MIT */
/* Ghosts: pages that were evicted and that a policy remembers. */
#include "policy/ghost.h"

#include <errno.h>

#include "reserve.h"

static uint64_t table_bytes(const struct ghosts *ghosts)
{
	return (uint64_t)ghosts->limit * sizeof *ghosts->table;
}

static uint64_t chains_bytes(const struct ghosts *ghosts)
{
	return ((uint64_t)ghosts->limit - ghosts->first + 1) * sizeof *ghosts->chains;
}

int ghosts_init(struct ghosts *ghosts, uint32_t frames, uint64_t most)
{
	uint64_t limit = frames + most;
	*ghosts = (struct ghosts){
		.first = frames,
		.limit = limit < UINT32_MAX ? (uint32_t)limit : UINT32_MAX - 1,
		.fresh = frames,
		.free = GHOST_NONE,
		.chain_count = 1,
		.chain_base = 1,
	};
	ghosts->table = memory_reserve(table_bytes(ghosts));
	ghosts->chains = memory_reserve(chains_bytes(ghosts));
	if (ghosts->table && ghosts->chains)
		return 0;
	ghosts_finish(ghosts);
	return -ENOMEM;
}

void ghosts_finish(struct ghosts *ghosts)
{
	memory_release(ghosts->table, table_bytes(ghosts));
	memory_release(ghosts->chains, chains_bytes(ghosts));
	*ghosts = (struct ghosts){0};
}

static uint32_t page_hash(uint32_t low, uint32_t high)
{
	uint64_t page = (uint64_t)high << 32 | low;
	return (uint32_t)(page * 0x9e3779b97f4a7c15 >> 32);
}

static uint32_t *ghost_chain(const struct ghosts *ghosts, uint32_t low, uint32_t high)
{
	uint32_t hash = page_hash(low, high), chain = hash & (2 * ghosts->chain_base - 1);
	if (chain >= ghosts->chain_count)
		chain &= ghosts->chain_base - 1;
	return &ghosts->chains[chain];
}

uint32_t ghosts_find(const struct ghosts *ghosts, pagerd_page_t page)
{
	uint32_t low = (uint32_t)page, high = (uint32_t)(page >> 32);
	uint32_t inside = *ghost_chain(ghosts, low, high);
	while (inside) {
		const struct ghost *ghost = &ghosts->table[inside - 1];
		if (ghost->page_low == low && ghost->page_high == high)
			return inside - 1;
		inside = ghost->chain;
	}
	return GHOST_NONE;
}

static void chain_push(struct ghosts *ghosts, uint32_t number)
{
	struct ghost *ghost = &ghosts->table[number];
	uint32_t *chain = ghost_chain(ghosts, ghost->page_low, ghost->page_high);
	ghost->chain = *chain;
	*chain = number + 1;
}

/* One chain more: what belongs there comes from the one whose number differs in the top bit. */
static void chains_grow(struct ghosts *ghosts)
{
	uint32_t from = ghosts->chain_count - ghosts->chain_base;
	uint32_t inside = ghosts->chains[from];
	ghosts->chains[from] = 0;
	ghosts->chain_count++;
	while (inside) {
		uint32_t next = ghosts->table[inside - 1].chain;
		chain_push(ghosts, inside - 1);
		inside = next;
	}
	if (ghosts->chain_count == 2 * ghosts->chain_base)
		ghosts->chain_base *= 2;
}

uint32_t ghosts_add(struct ghosts *ghosts, pagerd_page_t page)
{
	uint32_t number = ghosts->free;
	if (number != GHOST_NONE)
		ghosts->free = ghosts->table[number].chain;
	else
		number = ghosts->fresh++;
	policy_check(number < ghosts->limit, number, "there is room for a ghost that is added");
	ghosts->table[number] = (struct ghost){
		.page_low = (uint32_t)page,
		.page_high = (uint32_t)(page >> 32),
	};
	if (++ghosts->count > ghosts->chain_count)
		chains_grow(ghosts);
	chain_push(ghosts, number);
	return number;
}

void ghosts_remove(struct ghosts *ghosts, uint32_t number)
{
	struct ghost *ghost = &ghosts->table[number];
	uint32_t *from = ghost_chain(ghosts, ghost->page_low, ghost->page_high);
	while (*from != number + 1)
		from = &ghosts->table[*from - 1].chain;
	*from = ghost->chain;
	ghost->chain = ghosts->free;
	ghosts->free = number;
	ghosts->count--;
}

uint64_t ghosts_bytes(const struct ghosts *ghosts)
{
	return (uint64_t)ghosts->count * sizeof *ghosts->table +
	       (uint64_t)ghosts->chain_count * sizeof *ghosts->chains;
}
