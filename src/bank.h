/* SPDX-License-Identifier: MIT */
/*
 * A number of pages that several pagers share: the daemon's budget, a client's limit, swap.
 *
 * Each pager has an account, and takes from the bank as it needs pages. When the bank has none
 * left, who needs them less gives some back: see account_balance. At no time have all accounts
 * together more than the total, but for pages that are on their way out after the total was
 * lowered.
 */
#ifndef PAGERD_BANK_H
#define PAGERD_BANK_H

#include <stdint.h>

struct bank;

/* For so many accounts, numbered from 0; NULL: not enough memory. One reference is the caller's. */
struct bank *bank_make(uint32_t accounts, uint64_t pages);
struct bank *bank_ref(struct bank *bank);
void bank_unref(struct bank *bank);
/* Change the total; any thread. */
void bank_set(struct bank *bank, uint64_t pages);
uint64_t bank_total(const struct bank *bank);

#endif
