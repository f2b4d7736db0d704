/* SPDX-License-Identifier: MIT */
/* Banks: what accounts take, give, and are asked for. */
#include <check.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bank.h"
#include "suite.h"
#include "workload/random.h"

#define ACCOUNTS 3u
#define FLOOR	 BANK_FLOOR_PAGES
#define TOTAL	 10000u

static struct bank *bank;
static struct account accounts[ACCOUNTS];
static struct bell bells[ACCOUNTS];

static void bank_open(void)
{
	bank = bank_make(ACCOUNTS, TOTAL);
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		bells[i].fd = eventfd(0, EFD_NONBLOCK);
		atomic_store(&bells[i].rung, false);
		account_open(&accounts[i], bank, i, &bells[i]);
	}
}

static void bank_close(void)
{
	ck_assert(bank_check(bank));
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		ck_assert(!accounts[i].bank || account_check(&accounts[i]));
		account_close(&accounts[i]);
		close(bells[i].fd);
	}
	bank_unref(bank);
}

/* Has it rung since it was last asked? */
static bool rung(uint32_t i)
{
	uint64_t count;
	bool told = atomic_exchange(&bells[i].rung, false);
	ck_assert_int_eq(read(bells[i].fd, &count, sizeof count) > 0, told);
	return told;
}

/* The account's pager keeps to what it has, of which so many are idle; how many it is to give. */
static uint64_t report(uint32_t i, uint64_t idle, uint64_t residence_ns)
{
	struct account_report values = {
		.limit = accounts[i].pages, .idle = idle, .residence_ns = residence_ns};
	account_report(&accounts[i], &values);
	ck_assert_uint_ge(values.limit, FLOOR);
	return accounts[i].pages - values.limit;
}

static bool reports_again(uint32_t i, uint64_t residence_ns)
{
	struct account_report values = {.limit = accounts[i].pages, .residence_ns = residence_ns};
	account_report(&accounts[i], &values);
	return values.again;
}

START_TEST(all_is_to_be_had)
{
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		ck_assert_uint_eq(accounts[i].pages, FLOOR);
	ck_assert_uint_eq(account_take(&accounts[0], 100), 100);
	ck_assert_uint_eq(account_take(&accounts[1], TOTAL), TOTAL - ACCOUNTS * FLOOR - 100);
	ck_assert_uint_eq(account_take(&accounts[2], 1), 0);
	account_give(&accounts[0], 60);
	ck_assert_uint_eq(accounts[0].pages, FLOOR + 40);
	ck_assert_uint_eq(account_take(&accounts[2], 100), 60);
	account_close(&accounts[1]);
	ck_assert_uint_eq(bank_spare(bank), TOTAL - ACCOUNTS * FLOOR - 100);
	account_open(&accounts[1], bank, 1, &bells[1]);
	ck_assert_uint_eq(accounts[1].pages, FLOOR);
}
END_TEST

/* Whoever comes first leaves the others' floors alone, and there is room for all floors. */
START_TEST(floors_are_there)
{
	struct bank *small = bank_make(2, 10);
	struct account a, b;
	account_open(&a, small, 0, &bells[0]);
	ck_assert_uint_eq(bank_total(small), 2 * FLOOR);
	ck_assert_uint_eq(account_take(&a, 1), 0);
	bank_set(small, 2 * FLOOR + 5);
	ck_assert_uint_eq(account_take(&a, 100), 5);
	account_open(&b, small, 1, &bells[1]);
	ck_assert_uint_eq(b.pages, FLOOR);
	bank_set(small, 1);
	ck_assert_uint_eq(bank_total(small), 2 * FLOOR);
	account_close(&b);
	account_close(&a);
	bank_unref(small);
}
END_TEST

START_TEST(who_needs_none_gives)
{
	uint64_t all = TOTAL - ACCOUNTS * FLOOR;
	account_take(&accounts[0], all);
	/* Nobody wants any. */
	ck_assert_uint_eq(report(0, 5000, RESIDENCE_NONE), 0);
	ck_assert(!accounts[0].held_back);
	ck_assert(!reports_again(0, RESIDENCE_NONE));
	/* The others sleep as well, but have nothing. */
	ck_assert_uint_eq(report(1, 0, 1000), 0);
	ck_assert(rung(0) && !rung(1) && !rung(2));
	/* What is idle, or an eighth. */
	ck_assert_uint_eq(report(0, 5000, RESIDENCE_NONE), 5000);
	ck_assert(accounts[0].held_back);
	ck_assert_uint_eq(report(0, 10, RESIDENCE_NONE), all / 8 + 1);
	ck_assert(reports_again(0, RESIDENCE_NONE));
	/* It reports by itself now. */
	report(1, 0, 1000);
	ck_assert(!rung(0));
	account_give(&accounts[0], 1000);
	ck_assert_uint_eq(account_take(&accounts[0], 1), 0);
	ck_assert_uint_eq(account_take(&accounts[1], 1000), 1000);
	/* When all is well again it sleeps. */
	report(1, 0, RESIDENCE_NONE);
	ck_assert(!reports_again(0, RESIDENCE_NONE));
	ck_assert(!accounts[0].held_back);
}
END_TEST

/* It does not wait for its tick. */
START_TEST(who_wants_is_heard_at_once)
{
	account_take(&accounts[0], TOTAL);
	account_want(&accounts[1]);
	ck_assert(rung(0) && !rung(1) && !rung(2));
	ck_assert_uint_eq(report(0, 5000, RESIDENCE_NONE), 5000);
	account_want(&accounts[1]);
	ck_assert(!rung(0));
	/* Who needs pages as well gives none for that. */
	ck_assert_uint_eq(report(0, 0, 1000000000), 0);
	report(1, 0, RESIDENCE_NONE);
	ck_assert(!reports_again(0, RESIDENCE_NONE));
	account_want(&accounts[1]);
	ck_assert(rung(0));
}
END_TEST

/* To nobody but those who have not enough: with pages left in the bank, nobody gives. */
START_TEST(what_is_left_comes_first)
{
	account_take(&accounts[0], 1000);
	report(1, 0, 1000);
	ck_assert(!rung(0));
	ck_assert_uint_eq(report(0, 1000, RESIDENCE_NONE), 0);
	ck_assert(!accounts[0].held_back);
}
END_TEST

START_TEST(who_needs_less_gives_less)
{
	uint64_t half = (TOTAL - ACCOUNTS * FLOOR) / 2;
	account_take(&accounts[0], half);
	account_take(&accounts[1], half);
	report(0, 0, 1000);
	ck_assert_uint_eq(report(1, 0, 1490), 0);
	ck_assert(!accounts[1].held_back);
	ck_assert_uint_eq(report(1, 0, 1510), half / 16 + 1);
	ck_assert(accounts[1].held_back);
	ck_assert_uint_eq(report(0, 0, 1000), 0);
	/* Where some wait in vain is the shortest of all. */
	report(2, 0, 0);
	ck_assert_uint_eq(report(0, 0, 1000), half / 16 + 1);
	ck_assert_uint_eq(report(2, 0, 0), 0);
	account_give(&accounts[1], 1);
	ck_assert(rung(2));
	ck_assert(!accounts[2].held_back);
}
END_TEST

/* Nobody is asked for what nobody could do without. */
START_TEST(floors_are_kept)
{
	account_take(&accounts[0], TOTAL);
	report(0, 0, 1000);
	ck_assert_uint_eq(report(1, FLOOR, RESIDENCE_NONE), 0);
	ck_assert(!reports_again(1, RESIDENCE_NONE));
	report(0, 0, 1000);
	ck_assert(!rung(1));
}
END_TEST

START_TEST(a_lower_total)
{
	account_take(&accounts[0], 6000);
	account_take(&accounts[1], 3000);
	bank_set(bank, 3192);
	ck_assert(rung(0) && rung(1) && rung(2));
	ck_assert(bank_check(bank));
	ck_assert_uint_eq(report(0, 0, RESIDENCE_NONE), 4000);
	ck_assert_uint_eq(report(1, 0, RESIDENCE_NONE), 2000);
	ck_assert_uint_eq(report(2, 0, RESIDENCE_NONE), 0);
	ck_assert(reports_again(0, RESIDENCE_NONE));
	account_give(&accounts[0], 3000);
	ck_assert_uint_eq(report(0, 0, RESIDENCE_NONE), 1000);
	ck_assert_uint_eq(bank_spare(bank), 0);
	/* Raised before it was there. */
	bank_set(bank, 7000);
	ck_assert_uint_eq(report(1, 0, RESIDENCE_NONE), 0);
	ck_assert_uint_eq(bank_spare(bank), 7000 - 6000 - ACCOUNTS * FLOOR);
	bank_set(bank, 3192);
	account_give(&accounts[1], 2000);
	account_give(&accounts[0], 1500);
	ck_assert_uint_eq(bank_spare(bank), 500);
	ck_assert_uint_eq(account_take(&accounts[1], 1000), 500);
}
END_TEST

START_TEST(without_accounts)
{
	struct bank *swap = bank_make(ACCOUNTS, 100);
	ck_assert(!bank_take(swap, 101));
	ck_assert(bank_take(swap, 60));
	ck_assert(!bank_take(swap, 60));
	bank_give(swap, 20);
	ck_assert(bank_take(swap, 60));
	ck_assert_uint_eq(bank_spare(swap), 0);
	bank_unref(swap);
}
END_TEST

/* ---- all at once ------------------------------------------------------------------------- */

static _Atomic uint64_t in_use;

/* A pager that needs pages, and does not; and gives what it is asked for. */
static void *banker(void *argument)
{
	uint32_t number = (uint32_t)(uintptr_t)argument;
	struct account *account = &accounts[number];
	struct random random = {number + 1};
	uint64_t limit = account->pages;
	atomic_fetch_add(&in_use, limit);
	for (int i = 0; i < 20000; i++) {
		uint64_t pages = account_take(account, random_below(&random, 300));
		atomic_fetch_add(&in_use, pages);
		ck_assert_uint_le(atomic_load(&in_use), TOTAL);
		struct account_report values = {
			.limit = limit + pages,
			.idle = random_below(&random, 100),
			.residence_ns = i / 100 % 2 ? RESIDENCE_NONE : random_below(&random, 3000),
		};
		account_report(account, &values);
		limit = values.limit;
		pages = account->pages - limit;
		atomic_fetch_sub(&in_use, pages);
		if (pages)
			account_give(account, pages);
		atomic_store(&bells[number].rung, false);
	}
	return NULL;
}

static void *governor(void *argument)
{
	struct random random = {99};
	for (int i = 0; i < 3000; i++) {
		bank_set(bank, TOTAL / 2 + random_below(&random, TOTAL / 2));
		ck_assert(bank_check(bank));
	}
	return NULL;
}

START_TEST(threads)
{
	pthread_t thread[ACCOUNTS], other;
	for (uintptr_t i = 0; i < ACCOUNTS; i++)
		ck_assert_int_eq(pthread_create(&thread[i], NULL, banker, (void *)i), 0);
	ck_assert_int_eq(pthread_create(&other, NULL, governor, NULL), 0);
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		pthread_join(thread[i], NULL);
	pthread_join(other, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bank");
	TCase *tcase = tcase_create("bank");
	tcase_add_checked_fixture(tcase, bank_open, bank_close);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, all_is_to_be_had);
	tcase_add_test(tcase, floors_are_there);
	tcase_add_test(tcase, who_needs_none_gives);
	tcase_add_test(tcase, who_wants_is_heard_at_once);
	tcase_add_test(tcase, what_is_left_comes_first);
	tcase_add_test(tcase, who_needs_less_gives_less);
	tcase_add_test(tcase, floors_are_kept);
	tcase_add_test(tcase, a_lower_total);
	tcase_add_test(tcase, without_accounts);
	tcase_add_test(tcase, threads);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
