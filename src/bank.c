/* SPDX-License-Identifier: MIT */
/* A number of pages that several pagers share. */
#include "bank.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "wake.h"

/* Of what an account has beyond its floor, in a tick: that fast gives who needs nothing, and who
 * needs less than others. */
#define GIVE_IDLE    8
#define GIVE_PRESSED 16

/* What the bank knows of an account. */
struct entry {
	bool open;
	bool awake; /* is going to report by itself */
	uint64_t pages;
	uint64_t most; /* it is to come down to that; UINT64_MAX: it is not */
	uint64_t residence_ns;
	struct bell *bell;
};

struct bank {
	pthread_mutex_t lock;
	atomic_uint references;
	atomic_uint_least64_t total;
	atomic_uint_least64_t spare;
	uint64_t taken; /* by all together */
	bool floors;	/* the floors of all are taken */
	uint32_t count;
	struct entry entries[];
};

static uint64_t floors_pages(const struct bank *bank)
{
	return bank->count * BANK_FLOOR_PAGES;
}

/* After a change of total or taken. */
static void spare_update(struct bank *bank)
{
	uint64_t total = atomic_load_explicit(&bank->total, memory_order_relaxed);
	atomic_store_explicit(&bank->spare, total > bank->taken ? total - bank->taken : 0,
			      memory_order_relaxed);
}

static void bell_ring(struct bell *bell)
{
	if (!atomic_exchange(&bell->rung, true) && !wake(bell->fd))
		abort();
}

/* ---- life -------------------------------------------------------------------------------- */

struct bank *bank_make(uint32_t accounts, uint64_t pages)
{
	struct bank *bank = calloc(1, sizeof *bank + accounts * sizeof *bank->entries);
	if (!bank)
		return NULL;
	pthread_mutex_init(&bank->lock, NULL);
	atomic_init(&bank->references, 1);
	atomic_init(&bank->total, pages);
	atomic_init(&bank->spare, pages);
	bank->count = accounts;
	return bank;
}

struct bank *bank_ref(struct bank *bank)
{
	atomic_fetch_add(&bank->references, 1);
	return bank;
}

void bank_unref(struct bank *bank)
{
	if (!bank || atomic_fetch_sub(&bank->references, 1) > 1)
		return;
	pthread_mutex_destroy(&bank->lock);
	free(bank);
}

/* ---- the total --------------------------------------------------------------------------- */

uint64_t bank_total(const struct bank *bank)
{
	return atomic_load_explicit(&bank->total, memory_order_relaxed);
}

uint64_t bank_spare(const struct bank *bank)
{
	return atomic_load_explicit(&bank->spare, memory_order_relaxed);
}

/* A bank of accounts: numbers of pages fit those of frames, and none has less than its floor. */
static uint64_t total_possible(const struct bank *bank, uint64_t pages)
{
	if (pages > UINT32_MAX)
		pages = UINT32_MAX;
	return pages < floors_pages(bank) ? floors_pages(bank) : pages;
}

static uint64_t entry_most(const struct bank *bank, const struct entry *entry)
{
	uint64_t total = bank_total(bank), floors = floors_pages(bank);
	if (bank->taken <= total)
		return UINT64_MAX;
	return BANK_FLOOR_PAGES +
	       (entry->pages - BANK_FLOOR_PAGES) * (total - floors) / (bank->taken - floors);
}

void bank_set(struct bank *bank, uint64_t pages)
{
	pthread_mutex_lock(&bank->lock);
	atomic_store(&bank->total, bank->floors ? total_possible(bank, pages) : pages);
	spare_update(bank);
	for (uint32_t i = 0; bank->floors && i < bank->count; i++) {
		bank->entries[i].most = entry_most(bank, &bank->entries[i]);
		if (bank->entries[i].open)
			bell_ring(bank->entries[i].bell);
	}
	pthread_mutex_unlock(&bank->lock);
}

bool bank_take(struct bank *bank, uint64_t pages)
{
	pthread_mutex_lock(&bank->lock);
	bool there = pages <= bank_spare(bank);
	if (there)
		bank->taken += pages;
	spare_update(bank);
	pthread_mutex_unlock(&bank->lock);
	return there;
}

void bank_give(struct bank *bank, uint64_t pages)
{
	pthread_mutex_lock(&bank->lock);
	bank->taken -= pages;
	spare_update(bank);
	pthread_mutex_unlock(&bank->lock);
}

/* Beyond the total is only what is to come down. */
bool bank_check(struct bank *bank)
{
	pthread_mutex_lock(&bank->lock);
	uint64_t sum = 0, most = 0;
	for (uint32_t i = 0; i < bank->count; i++) {
		const struct entry *entry = &bank->entries[i];
		sum += entry->pages;
		most += entry->pages < entry->most ? entry->pages : entry->most;
	}
	bool right = !bank->floors || (sum == bank->taken && most <= bank_total(bank));
	pthread_mutex_unlock(&bank->lock);
	return right;
}

/* ---- accounts ---------------------------------------------------------------------------- */

static struct entry *account_lock(const struct account *account)
{
	pthread_mutex_lock(&account->bank->lock);
	return &account->bank->entries[account->number];
}

static void account_unlock(const struct account *account)
{
	pthread_mutex_unlock(&account->bank->lock);
}

/* Before the first account has anything, all have their floors. */
static void floors_take(struct bank *bank)
{
	if (bank->floors)
		return;
	bank->floors = true;
	atomic_store(&bank->total, total_possible(bank, bank_total(bank)));
	bank->taken = floors_pages(bank);
	for (uint32_t i = 0; i < bank->count; i++)
		bank->entries[i] = (struct entry){
			.pages = BANK_FLOOR_PAGES,
			.most = UINT64_MAX,
			.residence_ns = RESIDENCE_NONE,
		};
	spare_update(bank);
}

void account_open(struct account *account, struct bank *bank, uint32_t number, struct bell *bell)
{
	*account = (struct account){.bank = bank_ref(bank), .number = number};
	struct entry *entry = account_lock(account);
	assert(number < bank->count && !entry->open);
	floors_take(bank);
	entry->open = true;
	entry->bell = bell;
	account->pages = entry->pages;
	account_unlock(account);
}

static void entry_change(struct account *account, struct entry *entry, uint64_t pages)
{
	account->bank->taken = account->bank->taken - entry->pages + pages;
	account->pages = entry->pages = pages;
	if (pages <= entry->most)
		entry->most = UINT64_MAX;
	spare_update(account->bank);
}

/* There are pages: those who wait for nothing else go on at once. */
static void starving_wake(struct bank *bank)
{
	for (uint32_t i = 0; i < bank->count && bank_spare(bank); i++)
		if (bank->entries[i].open && !bank->entries[i].residence_ns)
			bell_ring(bank->entries[i].bell);
}

void account_close(struct account *account)
{
	if (!account->bank)
		return;
	struct entry *entry = account_lock(account);
	entry_change(account, entry, BANK_FLOOR_PAGES);
	entry->open = entry->awake = false;
	entry->bell = NULL;
	entry->residence_ns = RESIDENCE_NONE;
	starving_wake(account->bank);
	account_unlock(account);
	bank_unref(account->bank);
	*account = (struct account){0};
}

uint64_t account_take(struct account *account, uint64_t pages)
{
	if (account->held_back || !bank_spare(account->bank))
		return 0;
	struct entry *entry = account_lock(account);
	uint64_t spare = bank_spare(account->bank);
	pages = pages < spare ? pages : spare;
	if (entry->most != UINT64_MAX)
		pages = 0;
	entry_change(account, entry, entry->pages + pages);
	account_unlock(account);
	return pages;
}

void account_give(struct account *account, uint64_t pages)
{
	struct entry *entry = account_lock(account);
	assert(entry->pages >= BANK_FLOOR_PAGES + pages);
	entry_change(account, entry, entry->pages - pages);
	starving_wake(account->bank);
	account_unlock(account);
}

bool account_may_grow(const struct account *account)
{
	const struct bank *bank = account->bank;
	return account->pages + floors_pages(bank) - BANK_FLOOR_PAGES < bank_total(bank);
}

bool account_check(const struct account *account)
{
	bool same = account_lock(account)->pages == account->pages;
	account_unlock(account);
	return same && bank_check(account->bank);
}

/* ---- who needs them less ----------------------------------------------------------------- */

/* The shortest residence anywhere else. */
static uint64_t residence_shortest(const struct bank *bank, const struct entry *entry)
{
	uint64_t shortest = RESIDENCE_NONE;
	for (uint32_t i = 0; i < bank->count; i++)
		if (&bank->entries[i] != entry && bank->entries[i].residence_ns < shortest)
			shortest = bank->entries[i].residence_ns;
	return shortest;
}

/* What it is to give of what it has beyond its floor. */
static uint64_t due_pages(const struct account_report *report, uint64_t beyond)
{
	uint64_t due;
	if (report->residence_ns == RESIDENCE_NONE) {
		due = beyond / GIVE_IDLE + 1;
		due = due > report->idle ? due : report->idle;
	} else {
		due = beyond / GIVE_PRESSED + 1;
	}
	return due < beyond ? due : beyond;
}

static void sleepers_wake(struct bank *bank)
{
	for (uint32_t i = 0; i < bank->count; i++) {
		struct entry *entry = &bank->entries[i];
		if (entry->open && !entry->awake && entry->pages > BANK_FLOOR_PAGES)
			bell_ring(entry->bell);
	}
}

void account_want(struct account *account)
{
	if (account->pressed)
		return;
	struct entry *entry = account_lock(account);
	entry->residence_ns = RESIDENCE_NONE - 1; /* not known yet */
	account->pressed = entry->awake = true;
	sleepers_wake(account->bank);
	account_unlock(account);
}

void account_report(struct account *account, struct account_report *report)
{
	struct bank *bank = account->bank;
	struct entry *entry = account_lock(account);
	uint64_t limit = report->limit < entry->most ? report->limit : entry->most;
	uint64_t beyond = limit - BANK_FLOOR_PAGES;
	uint64_t shortest = residence_shortest(bank, entry);
	bool pressed = report->residence_ns != RESIDENCE_NONE;
	bool others = shortest != RESIDENCE_NONE;
	bool short_of = bank_spare(bank) < BANK_STEP_PAGES;
	bool gives = others && (!pressed || report->residence_ns / 3 * 2 > shortest);
	uint64_t due = gives && short_of ? due_pages(report, beyond) : 0;
	account->held_back = gives && short_of;
	report->limit = limit - due;
	report->again = entry->awake =
		pressed || (others && beyond > due) || report->limit < entry->pages;
	entry->residence_ns = report->residence_ns;
	account->pressed = pressed;
	if (pressed && short_of)
		sleepers_wake(bank);
	account_unlock(account);
}
