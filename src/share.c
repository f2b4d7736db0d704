/* SPDX-License-Identifier: MIT */
/* Shares: what this pager has of banks that it shares with others. */
#include "share.h"

#include "core.h"

#define RATE	   16  /* of struct share */
#define GIVE_LEAST 32u /* fewer pages are not worth the lock, unless they are the last */

static struct share *share_of(struct pager *pager, uint32_t pool)
{
	return &pager->pools[pool].share;
}

static uint32_t share_used(const struct pager *pager, uint32_t pool)
{
	return pool ? pager->pools[pool].used_pages : pager->used_pages;
}

static uint32_t share_taken(const struct pager *pager, uint32_t pool)
{
	return pool ? pager->pools[pool].tick : pager->frames_taken;
}

static void share_set(struct pager *pager, uint32_t pool, uint64_t pages)
{
	if (pages == pool_share(pager, pool))
		return;
	if (pool)
		pool_set_limit(pager, pool, pages);
	else
		budget_set(pager, pages);
}

void share_open(struct pager *pager, uint32_t pool, struct bank *bank)
{
	struct share *share = share_of(pager, pool);
	if (share->account.bank == bank)
		return;
	share_close(pager, pool);
	*share = (struct share){.taken = share_taken(pager, pool)};
	account_open(&share->account, bank, pager->config.shard, &pager->shares.bell);
	pager->shares.count++;
	uint32_t used = share_used(pager, pool);
	if (used > share->account.pages)
		account_take(&share->account, used - share->account.pages);
	share_set(pager, pool, share->account.pages);
}

void share_close(struct pager *pager, uint32_t pool)
{
	struct share *share = share_of(pager, pool);
	if (share->account.bank)
		pager->shares.count--;
	account_close(&share->account);
}

static bool share_take(struct pager *pager, uint32_t pool)
{
	uint32_t limit = pool_share(pager, pool);
	uint64_t step = limit / 8 > BANK_STEP_PAGES ? limit / 8 : BANK_STEP_PAGES;
	uint64_t pages = account_take(&share_of(pager, pool)->account, step);
	if (!pages)
		return false;
	pager->shares.vain = false;
	share_set(pager, pool, limit + pages);
	return true;
}

bool share_grow(struct pager *pager, uint32_t pool)
{
	struct share *share = share_of(pager, pool);
	if (!share->account.bank)
		return false;
	if (share_take(pager, pool))
		return true;
	share->wanted = pager->shares.restless = true;
	account_want(&share->account);
	return false;
}

/* Read-ahead wants some room as well, where there is some to be had. */
static void budget_ahead(struct pager *pager)
{
	uint32_t limit = pager->budget_pages;
	if (pager->config.bank && pager->used_pages >= BANK_FLOOR_PAGES / 2 &&
	    pager->used_pages + limit / 8 + BANK_FLOOR_PAGES > limit)
		share_take(pager, 0);
}

bool shares_may_grow(const struct pager *pager)
{
	for (uint32_t i = 0; pager->shares.count && !pager->shares.vain && i < pager->pool_end; i++)
		if (pager->pools[i].share.wanted &&
		    account_may_grow(&pager->pools[i].share.account))
			return true;
	return false;
}

/* ---- giving ------------------------------------------------------------------------------ */

/* Give what the account has beyond the limit and is not in use; whether there is more. */
static bool share_give(struct pager *pager, uint32_t pool)
{
	struct account *account = &share_of(pager, pool)->account;
	uint32_t used = share_used(pager, pool), limit = pool_share(pager, pool);
	uint64_t keep = used > limit ? used : limit;
	if (account->pages > keep && (account->pages - keep >= GIVE_LEAST || keep == limit))
		account_give(account, account->pages - keep);
	return account->pages > limit;
}

static void shares_give(struct pager *pager)
{
	pager->shares.owing = false;
	for (uint32_t i = 0; i < pager->pool_end; i++)
		if (pager->pools[i].share.account.bank)
			pager->shares.owing |= share_give(pager, i);
}

/* ---- reports ----------------------------------------------------------------------------- */

/* Whether each page that is taken has another leave, or is going to before the next tick. */
static bool share_full(struct pager *pager, uint32_t pool)
{
	uint64_t limit = pool_share(pager, pool), taking = share_of(pager, pool)->rate / RATE;
	return share_used(pager, pool) + limit / 16 + 1 + taking >= limit;
}

static uint64_t share_residence_ns(struct pager *pager, uint32_t pool, uint64_t elapsed_ns)
{
	struct share *share = share_of(pager, pool);
	uint32_t taken = share_taken(pager, pool);
	/* What comes between two ticks says nothing of how fast pages are taken. */
	if (elapsed_ns >= TICK_NS / 2) {
		uint64_t now = (uint64_t)(taken - share->taken) * RATE * TICK_NS / elapsed_ns;
		share->starving =
			share->wanted && taken == share->taken && pager->shortage.waiting.count;
		share->rate = (share->rate + now) / 2;
		share->taken = taken;
		share->wanted = false;
	}
	if (share->starving)
		return 0;
	if (!share->rate || !share_full(pager, pool))
		return RESIDENCE_NONE;
	return (uint64_t)share_used(pager, pool) * RATE * TICK_NS / share->rate + 1;
}

static void share_report(struct pager *pager, uint32_t pool, uint64_t elapsed_ns)
{
	struct share *share = share_of(pager, pool);
	uint32_t used = share_used(pager, pool), limit = pool_share(pager, pool);
	uint64_t coming = share_taken(pager, pool) - share->taken;
	struct account_report report = {
		.limit = limit,
		.idle = limit > used + coming ? limit - used - coming : 0,
		.residence_ns = share_residence_ns(pager, pool, elapsed_ns),
	};
	account_report(&share->account, &report);
	share_set(pager, pool, report.limit);
	pager->shares.restless |= report.again;
}

static void shares_report(struct pager *pager)
{
	uint64_t elapsed_ns = pager->now_ns - pager->shares.reported_ns;
	pager->shares.restless = false;
	for (uint32_t i = 0; i < pager->pool_end; i++)
		if (pager->pools[i].share.account.bank)
			share_report(pager, i, elapsed_ns);
	if (elapsed_ns >= TICK_NS / 2)
		pager->shares.reported_ns = pager->now_ns;
	shares_give(pager);
}

void shares_turn(struct pager *pager)
{
	struct shares *shares = &pager->shares;
	if (atomic_load_explicit(&shares->bell.rung, memory_order_relaxed)) {
		atomic_store(&shares->bell.rung, false);
		shares_report(pager);
	} else if (shares->owing) {
		shares_give(pager);
	}
	budget_ahead(pager);
}

void shares_tick(struct pager *pager)
{
	if (pager->shares.count && pager->now_ns != pager->shares.reported_ns)
		shares_report(pager);
}
