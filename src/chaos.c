/* SPDX-License-Identifier: MIT */
/* Chaos: everything that may happen at any time happens often. */
#include "chaos.h"

#include <errno.h>

#include "core.h"

#define GRACE_PAGES 32u /* an instruction, or a system call, needs a few pages at once */
#define SECTOR	    512
#define DELAY_US    500u

/* uffd.c knows no pager; there is at most one that this thread runs. */
static _Thread_local struct chaos *thread_chaos;

static uint64_t draw(struct chaos *chaos)
{
	/* splitmix64: S. Vigna, https://prng.di.unimi.it/splitmix64.c, public domain */
	uint64_t z = chaos->random += 0x9e3779b97f4a7c15ull;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static bool one_in(struct chaos *chaos, uint32_t number)
{
	return draw(chaos) % number == 0;
}

void chaos_init(struct pager *pager)
{
	pager->chaos.on = pager->config.chaos;
	pager->chaos.random = pager->config.chaos_seed;
	pager->chaos.faults = (struct fault_queue){FAULT_NONE, FAULT_NONE, 0};
}

void chaos_thread(struct pager *pager, bool runs)
{
	thread_chaos = runs && pager->chaos.on ? &pager->chaos : NULL;
}

bool chaos_holds_fault(struct pager *pager, uint32_t number)
{
	struct chaos *chaos = &pager->chaos;
	if (!chaos->on || one_in(chaos, 4))
		return false;
	struct fault *fault = &pager->faults[number];
	struct client *client = client_lookup(pager, fault->client);
	/* Woken for nothing: the thread faults again, and both events will be handled. Not with few
	 * records left: every wake makes another event. */
	if (client && one_in(chaos, 8) && pager->fault_free_count > FAULT_COUNT / 2)
		uffd_wake(client->uffd, fault->address, PAGE_BYTES);
	fault_push(pager, &chaos->faults, number);
	return true;
}

bool chaos_holds_io(struct pager *pager, uint32_t io, int32_t result)
{
	struct chaos *chaos = &pager->chaos;
	if (!chaos->on || chaos->late_count == IO_COUNT)
		return false;
	chaos->late[chaos->late_count].io = io;
	chaos->late[chaos->late_count].result = result;
	chaos->late_count++;
	return true;
}

/* What became of a transfer: often nothing, sometimes an error that passes, or a part of it. */
static int32_t result_spoiled(struct chaos *chaos, const struct io *io, int32_t result)
{
	if (io->kind == IO_SWAP && one_in(chaos, 4))
		return -EINTR;
	if (io->kind == IO_FSYNC || io->kind == IO_RESERVE || result <= 0)
		return result;
	if (one_in(chaos, 16))
		return -EAGAIN;
	if (one_in(chaos, 16))
		return -EINTR;
	if (one_in(chaos, 16) && io->tries == 0)
		return -EIO;
	if (one_in(chaos, 8) && result > SECTOR && result % SECTOR == 0)
		return (int32_t)(draw(chaos) % (uint32_t)(result / SECTOR - 1) + 1) * SECTOR;
	return result;
}

static void late_release(struct pager *pager)
{
	struct chaos *chaos = &pager->chaos;
	uint32_t pick = (uint32_t)(draw(chaos) % chaos->late_count);
	uint32_t number = chaos->late[pick].io;
	int32_t result = chaos->late[pick].result;
	chaos->late[pick] = chaos->late[--chaos->late_count];
	io_complete(pager, number, result_spoiled(chaos, &pager->ios[number], result));
}

/* Some of the faults go on, in another order: those that are skipped go behind the others. */
static void faults_release(struct pager *pager)
{
	struct chaos *chaos = &pager->chaos;
	struct fault_queue skipped = {FAULT_NONE, FAULT_NONE, 0};
	uint32_t list = chaos->faults.head;
	chaos->faults = skipped;
	while (list != FAULT_NONE) {
		uint32_t next = pager->faults[list].next;
		if (one_in(chaos, 2))
			fault_push(pager, &skipped, list);
		else
			fault_handle(pager, list);
		list = next;
	}
	/* Handling may have held back others. */
	for (list = skipped.head; list != FAULT_NONE;) {
		uint32_t next = pager->faults[list].next;
		fault_push(pager, &chaos->faults, list);
		list = next;
	}
}

bool chaos_turn(struct pager *pager)
{
	struct chaos *chaos = &pager->chaos;
	if (!chaos->on)
		return false;
	if (chaos->faults.count && one_in(chaos, 2))
		faults_release(pager);
	while (chaos->late_count && one_in(chaos, 2))
		late_release(pager);
	return chaos->faults.count || chaos->late_count;
}

uint32_t chaos_bound(struct pager *pager, uint32_t bound)
{
	struct chaos *chaos = &pager->chaos;
	if (!chaos->on)
		return bound;
	/* Now next to nothing may stay, now more: a program must get on, too. */
	if (!chaos->bound || one_in(chaos, 256))
		chaos->bound = (uint32_t)(GRACE_PAGES + draw(chaos) % GRACE_PAGES)
			       << draw(chaos) % 7;
	return chaos->bound < bound ? chaos->bound : bound;
}

uint32_t chaos_grace(const struct pager *pager, uint32_t grace)
{
	return pager->chaos.on && grace > GRACE_PAGES ? GRACE_PAGES : grace;
}

uint32_t chaos_delay_us(struct pager *pager)
{
	struct chaos *chaos = &pager->chaos;
	return chaos->on && one_in(chaos, 4) ? (uint32_t)(draw(chaos) % DELAY_US) : 0;
}

bool chaos_late(struct pager *pager)
{
	return pager->chaos.on && one_in(&pager->chaos, 16);
}

bool chaos_writes(struct pager *pager, bool writes)
{
	return pager->chaos.on ? one_in(&pager->chaos, 2) : writes;
}

uint32_t chaos_window(struct pager *pager, uint32_t window)
{
	struct chaos *chaos = &pager->chaos;
	return chaos->on && window ? (uint32_t)(draw(chaos) % window) + 1 : window;
}

uint32_t chaos_unit(struct pager *pager, uint32_t unit)
{
	struct chaos *chaos = &pager->chaos;
	return chaos->on ? (uint32_t)(draw(chaos) % UNIT_BLOCK) + 1 : unit;
}

bool chaos_fails_uffd(void)
{
	return thread_chaos && one_in(thread_chaos, 16);
}

uint64_t chaos_length(uint64_t length)
{
	if (!thread_chaos || length <= PAGE_BYTES || !one_in(thread_chaos, 8))
		return length;
	return (draw(thread_chaos) % ((length >> PAGE_SHIFT) - 1) + 1) << PAGE_SHIFT;
}
