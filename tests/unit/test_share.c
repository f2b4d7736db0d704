/* SPDX-License-Identifier: MIT */
/* Pagers that share a budget, limits and swap. All the time each looks for broken invariants. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "core.h"
#include "effort.h"
#include "harness.h"
#include "seed.h"
#include "suite.h"
#include "version.h"
#include "workload/random.h"

#define SWAP_DIRECTORY "/var/tmp"
#define TOTAL	       4096u
#define SHARDS	       3u
#define PAGES	       (TOTAL - SHARDS * (uint32_t)BANK_FLOOR_PAGES) /* all but floors */
#define LOAN	       32u					     /* see shortage.h */

static struct harness shards[SHARDS];
static struct bank *bank, *swap_bank;

static bool on_demand;

static void shards_start(uint64_t total, uint64_t swap_pages, uint32_t prefetch_pages)
{
	bank = bank_make(SHARDS, total);
	swap_bank = swap_pages ? bank_make(SHARDS, swap_pages) : NULL;
	for (uint32_t i = 0; i < SHARDS; i++) {
		struct pager_config config = harness_configure(total, "lru", prefetch_pages);
		config.shard = i;
		config.shards = SHARDS;
		config.bank = bank;
		config.swap_bank = swap_bank;
		config.swap_limit_bytes = swap_pages << PAGE_SHIFT;
		config.check = true;
		config.reclaim_on_demand = on_demand;
		harness_begin(&shards[i], config, SWAP_DIRECTORY);
	}
}

static void shards_stop(void)
{
	for (uint32_t i = 0; i < SHARDS; i++)
		harness_stop(&shards[i]);
	bank_unref(bank);
	bank_unref(swap_bank);
}

static uint64_t *map(uint32_t shard, uint64_t pages)
{
	return harness_map(&shards[shard], PAGERD_ANON_PRIVATE, pages << PAGE_SHIFT, -1, 0);
}

static uint64_t resident(uint32_t shard)
{
	return harness_stats(&shards[shard]).resident_pages;
}

static void discard(uint32_t shard, uint64_t *memory, uint64_t pages)
{
	ck_assert_int_eq(
		harness_range(&shards[shard], PAGER_DISCARD, memory, pages << PAGE_SHIFT, 0), 0);
}

static uint64_t seconds(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec;
}

/* Whether it becomes so within a long time. */
#define soon(condition)                                                                            \
	({                                                                                         \
		uint64_t soon_end = seconds() + 30;                                                \
		bool soon_is;                                                                      \
		while (!(soon_is = (condition)) && seconds() < soon_end)                           \
			usleep(10000);                                                             \
		soon_is;                                                                           \
	})

/* What the pager's thread sees of itself. */
struct view {
	uint64_t allotted, used;
	uint32_t coming; /* pages that it took and has not reported yet */
	bool restless;
};

struct look {
	struct pager_request request;
	struct pager *pager;
	struct view view;
	atomic_bool done;
};

static void look_done(struct pager_request *request)
{
	struct look *look = request->owner;
	const struct pager *pager = look->pager;
	look->view = (struct view){
		.allotted = pager->pools[0].share.account.pages,
		.used = pager->used_pages,
		.coming = pager->frames_taken - pager->pools[0].share.taken,
		.restless = pager->shares.restless,
	};
	atomic_store(&look->done, true);
}

static void look_begin(struct look *look, uint32_t shard)
{
	*look = (struct look){
		.request = {.type = PAGER_CHECK, .fd = -1, .done = look_done, .owner = look},
		.pager = shards[shard].pager,
	};
}

static struct view look_end(struct look *look)
{
	while (!atomic_load(&look->done))
		usleep(100);
	ck_assert_int_eq(look->request.error, 0);
	return look->view;
}

static struct view view(uint32_t shard)
{
	struct look look;
	look_begin(&look, shard);
	pager_post(look.pager, &look.request);
	return look_end(&look);
}

static uint64_t allotted(uint32_t shard)
{
	return view(shard).allotted;
}

/* A pager that does nothing until it is let go, and is looked at a turn later. */
struct hold {
	struct pager_request request;
	sem_t go;
	struct look look;
};

static void hold_done(struct pager_request *request)
{
	struct hold *hold = request->owner;
	while (sem_wait(&hold->go))
		;
	pager_post(hold->look.pager, &hold->look.request); /* the next turn serves it */
}

static void hold_begin(struct hold *hold, uint32_t shard)
{
	hold->request = (struct pager_request){
		.type = PAGER_CHECK, .fd = -1, .done = hold_done, .owner = hold};
	sem_init(&hold->go, 0, 0);
	look_begin(&hold->look, shard);
	pager_post(hold->look.pager, &hold->request);
}

static struct view hold_end(struct hold *hold)
{
	sem_post(&hold->go);
	struct view seen = look_end(&hold->look);
	sem_destroy(&hold->go);
	return seen;
}

/* ---- who uses memory --------------------------------------------------------------------- */

struct user {
	uint64_t *memory;
	uint64_t pages;
	uint32_t pause_us; /* after each access */
	uint64_t versions[2 * TOTAL];
	atomic_bool stop;
	pthread_t thread;
};

static void *use(void *argument)
{
	struct user *user = argument;
	struct random random = {user->pages};
	while (!atomic_load(&user->stop)) {
		uint64_t page = random_below(&random, user->pages);
		if (user->versions[page])
			page_check(user->memory, page, user->versions[page]);
		else
			ck_assert_uint_eq(user->memory[page * WORDS], 0);
		if (random_below(&random, 4) == 0)
			page_write(user->memory, page, ++user->versions[page]);
		if (user->pause_us)
			usleep(user->pause_us);
	}
	return NULL;
}

static struct user *user_begin(uint32_t shard, uint64_t pages, uint32_t pause_us)
{
	struct user *user = calloc(1, sizeof *user);
	user->memory = map(shard, pages);
	user->pages = pages;
	user->pause_us = pause_us;
	ck_assert_int_eq(pthread_create(&user->thread, NULL, use, user), 0);
	return user;
}

static void user_end(struct user *user)
{
	atomic_store(&user->stop, true);
	pthread_join(user->thread, NULL);
	free(user);
}

/* ---- the budget -------------------------------------------------------------------------- */

/* As long as others need nothing, one may have all but their floors; no page has to leave. */
START_TEST(one_may_have_all)
{
	shards_start(TOTAL, 0, (uint32_t)_i);
	uint64_t pages = PAGES - PAGES / 16; /* some are kept free */
	uint64_t *memory = map(0, pages);
	range_write(memory, 0, pages, 1);
	ck_assert_uint_eq(resident(0), pages);
	ck_assert_uint_eq(harness_stats(&shards[0]).pages_written, 0);
	range_check(memory, 0, pages, 1);
	shards_stop();
}
END_TEST

/* One has used all, and uses none of it any more: 1000 of its pages are free, and it sleeps. */
static uint64_t *idle_begin(void)
{
	shards_start(TOTAL, 0, 0);
	uint64_t *memory = map(0, PAGES);
	range_write(memory, 0, PAGES, 1);
	ck_assert_uint_ge(allotted(0), PAGES - BANK_STEP_PAGES);
	discard(0, memory, 1000);
	ck_assert(soon(!view(0).restless && !view(0).coming));
	return memory;
}

/* It gives. Nobody asks it anything meanwhile: it has to wake up for that. */
START_TEST(idle_pages_are_given)
{
	uint64_t *memory = idle_begin(), *other = map(1, TOTAL);
	uint64_t most = TOTAL - 4 * BANK_FLOOR_PAGES - BANK_STEP_PAGES;
	for (uint64_t round = 1; allotted(1) < most; round++) {
		range_write(other, 0, TOTAL, round);
		range_check(other, 0, TOTAL, round);
	}
	ck_assert_uint_le(allotted(0), 3 * BANK_FLOOR_PAGES + BANK_STEP_PAGES);
	zeros_check(memory, 0, 1000);
	range_check(memory, 1000, PAGES, 1);
	shards_stop();
}
END_TEST

/* All that is free is given at once: another asks before it can answer, then it answers once. */
START_TEST(free_pages_are_given_at_once)
{
	struct hold hold;
	uint64_t *memory = idle_begin(), *other = map(1, TOTAL);
	uint64_t used = view(0).used;
	ck_assert_uint_ge(allotted(0), used + 1000);
	hold_begin(&hold, 0);
	range_write(other, 0, 900, 1);
	ck_assert_uint_le(hold_end(&hold).allotted, used);
	range_check(memory, 1000, PAGES, 1);
	range_check(other, 0, 900, 1);
	shards_stop();
}
END_TEST

/* When nobody needs any more, all sleep. */
START_TEST(all_sleep)
{
	shards_start(TOTAL, 0, 0);
	uint64_t *memory[SHARDS];
	for (uint32_t i = 0; i < SHARDS; i++) {
		memory[i] = map(i, PAGES);
		range_write(memory[i], 0, PAGES, i);
	}
	for (uint32_t i = 0; i < SHARDS; i++)
		ck_assert(soon(!view(i).restless));
	for (uint32_t i = 0; i < SHARDS; i++)
		range_check(memory[i], 0, PAGES, i);
	shards_stop();
}
END_TEST

/* Two of them need more than there is, one had it all before: they come to the same, and stay. */
START_TEST(pressed_ones_settle)
{
	shards_start(TOTAL, 0, 0);
	struct user *first = user_begin(0, TOTAL, 0), *second;
	ck_assert(soon(allotted(0) > PAGES * 9 / 10));
	second = user_begin(1, TOTAL, 0);
	ck_assert(soon(allotted(1) > TOTAL / 4));
	sleep(1);
	for (int i = 0; i < 10; i++) {
		uint64_t a = allotted(0), b = allotted(1);
		ck_assert_uint_gt(a, TOTAL / 5);
		ck_assert_uint_gt(b, TOTAL / 5);
		usleep(100000);
	}
	user_end(first);
	user_end(second);
	shards_stop();
}
END_TEST

/* One takes pages as fast as it can, the other few: it keeps what it uses, no more. */
START_TEST(slow_ones_give_more)
{
	shards_start(TOTAL, 0, 0);
	struct user *slow = user_begin(0, TOTAL, 2000), *fast;
	range_write(map(0, TOTAL), 0, TOTAL, 1);
	ck_assert_uint_gt(allotted(0), PAGES * 9 / 10);
	fast = user_begin(1, TOTAL, 0);
	ck_assert(soon(allotted(1) > TOTAL / 2));
	user_end(slow);
	user_end(fast);
	shards_stop();
}
END_TEST

START_TEST(total_lowered_and_raised)
{
	shards_start(TOTAL, 0, 0);
	struct user *users[] = {user_begin(0, TOTAL, 0), user_begin(1, TOTAL, 0)};
	ck_assert(soon(allotted(0) + allotted(1) > PAGES * 9 / 10));
	bank_set(bank, TOTAL / 4);
	ck_assert(soon(resident(0) + resident(1) <= TOTAL / 4));
	ck_assert(soon(allotted(0) + allotted(1) + allotted(2) <= TOTAL / 4));
	bank_set(bank, TOTAL);
	ck_assert(soon(allotted(0) + allotted(1) > PAGES * 9 / 10));
	user_end(users[0]);
	user_end(users[1]);
	shards_stop();
}
END_TEST

/* Of memory that nothing happens to, either. */
START_TEST(total_lowered_asleep)
{
	shards_start(TOTAL, 0, 0);
	uint64_t *memory = map(0, PAGES);
	range_write(memory, 0, PAGES, 1);
	ck_assert(soon(!view(0).restless));
	bank_set(bank, TOTAL / 4);
	ck_assert(soon(allotted(0) <= TOTAL / 4));
	ck_assert_uint_le(resident(0), TOTAL / 4);
	range_check(memory, 0, PAGES, 1);
	shards_stop();
}
END_TEST

/* There are but floors. */
START_TEST(floors_suffice)
{
	shards_start(SHARDS * BANK_FLOOR_PAGES, 0, 64);
	uint64_t *memory[SHARDS], pages = 4 * BANK_FLOOR_PAGES;
	for (uint32_t i = 0; i < SHARDS; i++) {
		memory[i] = map(i, pages);
		range_write(memory[i], 0, pages, i);
	}
	for (uint32_t i = 0; i < SHARDS; i++) {
		range_check(memory[i], 0, pages, i);
		ck_assert_uint_le(harness_stats(&shards[i]).resident_max_pages,
				  BANK_FLOOR_PAGES + LOAN);
	}
	shards_stop();
}
END_TEST

START_TEST(budget_too_small)
{
	struct pager_config config = harness_configure(2 * BANK_FLOOR_PAGES - 1, "lru", 0);
	struct pager *pager;
	char why[200] = "";
	config.shards = 2;
	config.bank = bank_make(2, 2 * BANK_FLOOR_PAGES - 1);
	ck_assert_int_eq(pager_create(&pager, &config, why, sizeof why), -EINVAL);
	ck_assert_ptr_nonnull(strstr(why, "512 KiB"));
	bank_unref(config.bank);
}
END_TEST

/* None of its pages can leave: no swap. Another has all others, which can. */
START_TEST(who_cannot_evict_gets_some)
{
	struct pager_request set = {.type = PAGER_SET, .text = "fifo", .fd = -1};
	shards_start(TOTAL, 256, 0);
	int fd = file_make(PAGES, 3);
	uint64_t *file = harness_map(&shards[0], PAGERD_FILE_SHARED, PAGES << PAGE_SHIFT, fd, 0);
	range_check(file, 0, PAGES, 3);
	ck_assert(soon(!view(0).restless));
	ck_assert(bank_take(swap_bank, 256));
	uint64_t pages = TOTAL / 2;
	uint64_t *memory = map(1, pages);
	range_write(memory, 0, pages, 1);
	ck_assert_uint_eq(resident(1), pages);
	ck_assert_int_eq(harness_request(&shards[0], &set), 0);
	range_check(file, 0, PAGES, 3);
	range_check(memory, 0, pages, 1);
	shards_stop();
	close(fd);
}
END_TEST

/* ---- clients' limits --------------------------------------------------------------------- */

static int limit(uint32_t shard, struct bank *to, uint64_t bytes)
{
	struct pager_request set = {
		.type = PAGER_SET,
		.client = shards[shard].client,
		.length = bytes,
		.bank = to,
		.fd = -1,
	};
	return harness_request(&shards[shard], &set);
}

/* What is locked stays, though the share was small when it was; and what lies behind is not. */
START_TEST(locked)
{
	shards_start(TOTAL, 0, 0);
	uint64_t pages = TOTAL / SHARDS / 2 - 8;
	uint64_t *memory = map(0, pages), *others[SHARDS];
	ck_assert_int_eq(harness_range(&shards[0], PAGER_WIRE, memory, 2 * pages << PAGE_SHIFT, 1),
			 0);
	range_write(memory, 0, pages, 1);
	for (uint32_t i = 0; i < SHARDS; i++) {
		others[i] = map(i, TOTAL);
		range_write(others[i], 0, TOTAL, 2);
	}
	ck_assert_uint_eq(harness_stats(&shards[0]).wired_pages, pages);
	range_check(memory, 0, pages, 1);
	ck_assert_int_eq(harness_range(&shards[0], PAGER_UNMAP, memory, pages << PAGE_SHIFT, 0), 0);
	ck_assert_uint_eq(shards[0].pager->wired_pages, 0);
	shards_stop();
}
END_TEST

/* What is locked is cut in two, and again, and each time there is one range more. */
START_TEST(locked_in_pieces)
{
	shards_start(TOTAL, 0, 0);
	uint64_t pages = 256, *memory = map(0, pages);
	const struct wired *wired = &shards[0].pager->clients[shards[0].client]->wired;
	ck_assert_int_eq(harness_range(&shards[0], PAGER_WIRE, memory, pages << PAGE_SHIFT, 1), 0);
	for (uint64_t i = 1; i < pages; i += 2) {
		ck_assert_int_eq(
			harness_range(&shards[0], PAGER_WIRE, memory + i * WORDS, PAGE_BYTES, 0),
			0);
		ck_assert_uint_le(wired->count, wired->room);
	}
	ck_assert_uint_eq(wired->count, pages / 2);
	ck_assert_uint_eq(shards[0].pager->wired_pages, pages / 2);
	ck_assert_int_eq(harness_range(&shards[0], PAGER_UNMAP, memory, pages << PAGE_SHIFT, 0), 0);
	ck_assert_uint_eq(shards[0].pager->wired_pages, 0);
	shards_stop();
}
END_TEST

START_TEST(client_limit)
{
	shards_start(TOTAL, 0, 0);
	uint64_t most = SHARDS * BANK_FLOOR_PAGES + 500, bytes = most << PAGE_SHIFT;
	struct bank *client = bank_make(SHARDS, most);
	uint64_t *memory[SHARDS];
	for (uint32_t i = 0; i < SHARDS; i++) {
		ck_assert_int_eq(limit(i, client, bytes), 0);
		memory[i] = map(i, 1000);
	}
	/* The least is a floor for each. */
	ck_assert_int_eq(limit(0, client, (SHARDS * BANK_FLOOR_PAGES - 1) << PAGE_SHIFT), -EINVAL);
	ck_assert_uint_eq(harness_stats(&shards[0]).limit_pages, most);
	range_write(memory[0], 0, 500, 1);
	ck_assert_uint_ge(resident(0), 480);
	for (uint32_t round = 1; round < 20; round++) {
		for (uint32_t i = 0; i < SHARDS; i++)
			range_write(memory[i], 0, 1000, round);
		ck_assert_uint_le(resident(0) + resident(1) + resident(2), most + LOAN);
	}
	ck_assert(bank_check(client));
	ck_assert_uint_lt(bank_spare(client), BANK_STEP_PAGES);
	/* The same once more, another one, one of its own, none. */
	ck_assert_int_eq(limit(0, client, bytes), 0);
	struct bank *other = bank_make(SHARDS, 2 * most);
	ck_assert_int_eq(limit(0, other, 2 * bytes), 0);
	ck_assert_uint_eq(harness_stats(&shards[0]).limit_pages, 2 * most);
	ck_assert_uint_gt(bank_spare(client), 0);
	range_write(memory[0], 0, 1000, 20);
	ck_assert_uint_gt(resident(0), 900);
	ck_assert_int_eq(limit(0, NULL, bytes), 0);
	ck_assert_uint_eq(bank_spare(other), 2 * most - SHARDS * BANK_FLOOR_PAGES);
	ck_assert_int_eq(limit(0, other, UINT64_MAX), 0);
	ck_assert_uint_eq(harness_stats(&shards[0]).limit_pages, 0);
	bank_unref(other);
	bank_unref(client); /* the shards have theirs */
	range_check(memory[0], 0, 1000, 20);
	range_check(memory[1], 0, 1000, 19);
	shards_stop();
}
END_TEST

/* ---- all at once ------------------------------------------------------------------------- */

/* Total and limits change under three that use more than there is: as always, with chaos, and with
 * reclaim on demand. */
START_TEST(whatever_happens)
{
	struct random random = {seed_get()};
	struct user *users[SHARDS];
	harness_chaos = _i == 1 ? random.state | 1 : 0;
	on_demand = _i == 2;
	shards_start(TOTAL, 0, 64);
	struct bank *client = bank_make(SHARDS, TOTAL);
	for (uint32_t i = 0; i < SHARDS; i++)
		users[i] = user_begin(i, TOTAL / 2, 50 * i);
	for (uint32_t i = 0; i < effort(24); i++) {
		uint32_t shard = (uint32_t)random_below(&random, SHARDS);
		bool limited = random_below(&random, 3);
		bank_set(bank, SHARDS * BANK_FLOOR_PAGES + random_below(&random, TOTAL));
		bank_set(client, SHARDS * BANK_FLOOR_PAGES + random_below(&random, TOTAL));
		ck_assert_int_eq(limit(shard, client, limited ? TOTAL << PAGE_SHIFT : UINT64_MAX),
				 0);
		usleep((useconds_t)random_below(&random, 100000));
		harness_check(&shards[shard]);
		ck_assert(bank_check(bank));
		ck_assert(bank_check(client));
	}
	for (uint32_t i = 0; i < SHARDS; i++)
		user_end(users[i]);
	bank_unref(client);
	shards_stop();
}
END_TEST

/* ---- swap -------------------------------------------------------------------------------- */

/* Write pages until there is no room; returns how many there were. */
static uint64_t write_all(uint64_t *memory, uint64_t pages)
{
	bus_catch();
	return bus_write(memory, 0, pages, 1);
}

static uint64_t swap_slots(void)
{
	uint64_t slots = 0;
	for (uint32_t i = 0; i < SHARDS; i++)
		slots += shards[i].pager->slots.limit; /* it has long been idle */
	return slots;
}

/* It is shared as well, and what one has the others cannot get; what is free there is used. */
START_TEST(swap_is_shared)
{
	uint64_t swap = 4 * SLOT_CLUSTER, pages = 2 * TOTAL;
	shards_start(SHARDS * BANK_FLOOR_PAGES, swap, 0);
	uint64_t *memory = map(0, pages), *other = map(1, pages);
	uint64_t written = write_all(memory, pages);
	ck_assert_uint_gt(written, swap);
	ck_assert_uint_le(written, swap + BANK_FLOOR_PAGES + LOAN);
	ck_assert_uint_eq(bank_spare(swap_bank), 0);
	uint64_t others = write_all(other, pages);
	ck_assert_uint_gt(others, BANK_FLOOR_PAGES / 2);
	ck_assert_uint_le(others, BANK_FLOOR_PAGES + LOAN);
	range_check(other, 0, others, 1);
	discard(0, memory + (written - 100) * WORDS, pages - written + 100);
	range_check(memory, 0, written - 100, 1);
	/* Those who still want some would take it. */
	discard(1, other, pages);
	discard(0, memory, pages);
	ck_assert(soon(bank_spare(swap_bank) == swap));
	ck_assert_uint_gt(write_all(memory, pages), swap);
	ck_assert_uint_eq(swap_slots(), swap);
	shards_stop();
}
END_TEST

/* What is free at the end of one's file is there for the others, also while the first sleeps. */
START_TEST(swap_goes_back)
{
	uint64_t swap = 16 * SLOT_CLUSTER, pages = swap / 4 * 3;
	shards_start(SHARDS * BANK_FLOOR_PAGES, swap, 0);
	for (uint32_t i = 0; i < 2 * SHARDS; i++) {
		uint64_t *memory = map(i % SHARDS, pages);
		ck_assert_uint_eq(write_all(memory, pages), pages);
		range_check(memory, 0, pages, 1);
		discard(i % SHARDS, memory, pages);
	}
	ck_assert(soon(bank_spare(swap_bank) == swap));
	shards_stop();
}
END_TEST

/* But not what is below pages that stay. */
START_TEST(swap_in_use_stays)
{
	uint64_t swap = 16 * SLOT_CLUSTER, pages = swap / 4 * 3, kept = 4 * SLOT_CLUSTER;
	shards_start(SHARDS * BANK_FLOOR_PAGES, swap, 0);
	uint64_t *memory = map(0, pages), *other = map(1, pages);
	ck_assert_uint_eq(write_all(memory, pages), pages);
	discard(0, memory + kept * WORDS, pages - kept);
	ck_assert_uint_ge(write_all(other, pages), swap - kept - 3 * SLOT_CLUSTER);
	range_check(memory, 0, kept, 1);
	shards_stop();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("share");
	TCase *tcase = tcase_create("share");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, one_may_have_all, 0, 2);
	tcase_add_test(tcase, idle_pages_are_given);
	tcase_add_test(tcase, free_pages_are_given_at_once);
	tcase_add_test(tcase, all_sleep);
	tcase_add_test(tcase, pressed_ones_settle);
	tcase_add_test(tcase, slow_ones_give_more);
	tcase_add_test(tcase, total_lowered_and_raised);
	tcase_add_test(tcase, total_lowered_asleep);
	tcase_add_test(tcase, floors_suffice);
	tcase_add_test(tcase, budget_too_small);
	tcase_add_test(tcase, who_cannot_evict_gets_some);
	tcase_add_test(tcase, client_limit);
	tcase_add_test(tcase, locked);
	tcase_add_test(tcase, locked_in_pieces);
	tcase_add_test(tcase, swap_is_shared);
	tcase_add_test(tcase, swap_goes_back);
	tcase_add_test(tcase, swap_in_use_stays);
	tcase_add_loop_test(tcase, whatever_happens, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
