/* SPDX-License-Identifier: MIT */
/*
 * The swap file grows and shrinks while the pager goes on. Its ring is not enabled here: what is
 * submitted stays where it is, and how it ended is said by the test.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "suite.h"

#define STEP	 (64u << 20 >> PAGE_SHIFT)
#define SECOND	 1000000000ull
#define NO_LIMIT 0

static struct pager *pager;
static struct bank *bank;

static void setup(uint64_t limit_pages, uint32_t shards)
{
	char why[200] = "";
	struct pager_config config = harness_configure(256 * shards, "lru", 0);
	config.swap_dir_fd = open("/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	config.swap_limit_bytes = limit_pages << PAGE_SHIFT;
	config.shards = shards;
	config.swap_bank = bank = shards > 1 ? bank_make(shards, limit_pages) : NULL;
	ck_assert_int_eq(pager_create(&pager, &config, why, sizeof why), 0);
	close(config.swap_dir_fd);
}

/* The slots that are taken here stand in no entry, as if they were being written to. */
static void check(void)
{
	pager->io_writes++;
	ck_assert_uint_eq(invariant_check(pager), 0);
	pager->io_writes--;
}

static void teardown(void)
{
	check();
	pager_destroy(pager);
	bank_unref(bank);
}

static void later(uint64_t ns)
{
	pager->now_ns += ns;
}

/* How many slots of a cluster there were, or the error. */
static int take(void)
{
	uint64_t slot;
	int error;
	uint32_t count = swap_alloc(pager, SLOT_CLUSTER, &slot, &error);
	ck_assert_int_eq(error < 0, !count);
	return count ? (int)count : error;
}

/* The one change of the file that is under way. */
static uint32_t record(void)
{
	uint32_t found = IO_NONE;
	for (uint32_t i = 0; i < pager->io_fresh; i++) {
		if (pager->ios[i].kind != IO_SWAP)
			continue;
		ck_assert_uint_eq(found, IO_NONE);
		found = i;
	}
	ck_assert_uint_ne(found, IO_NONE);
	return found;
}

/* It is of that kind, of so many slots, and ends with that result. */
static void ends(enum swap_change change, uint64_t slots, int result)
{
	uint32_t number = record();
	ck_assert_int_eq(pager->swap.change, change);
	ck_assert_uint_eq(pager->swap.end - pager->swap.from, slots);
	check();
	io_complete(pager, number, result);
}

static void take_clusters(uint32_t count)
{
	while (count--)
		ck_assert_int_eq(take(), SLOT_CLUSTER);
}

static void give_clusters(uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count * SLOT_CLUSTER; i++)
		slot_unref(&pager->slots, first * SLOT_CLUSTER + i);
}

/* ---- growing ----------------------------------------------------------------------------- */

START_TEST(nobody_waits_in_a_call)
{
	setup(NO_LIMIT, 1);
	ck_assert(!swap_waits(pager));
	ck_assert_int_eq(take(), -EAGAIN);
	ck_assert(swap_waits(pager));
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, 0);
	ck_assert(!swap_waits(pager));
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	teardown();
}
END_TEST

/* Before the last slots are gone; those are there meanwhile. */
START_TEST(grows_ahead)
{
	setup(NO_LIMIT, 1);
	take();
	ends(SWAP_GROWS, STEP, 0);
	take_clusters(STEP / SLOT_CLUSTER / 2);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	take_clusters(STEP / SLOT_CLUSTER / 2);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, 0);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

/* No long run is left, but some slots. */
START_TEST(pieces_meanwhile)
{
	setup(NO_LIMIT, 1);
	take();
	ends(SWAP_GROWS, STEP, 0);
	take_clusters(STEP / SLOT_CLUSTER);
	slot_unref(&pager->slots, 300);
	ck_assert(!swap_waits(pager));
	ck_assert_int_eq(take(), 1);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, -EINTR);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, -EAGAIN);
	ends(SWAP_GROWS, STEP, 0);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

START_TEST(up_to_the_limit)
{
	setup(STEP + 2 * SLOT_CLUSTER + 5, 1);
	take();
	ends(SWAP_GROWS, STEP, 0);
	take_clusters(STEP / SLOT_CLUSTER);
	ends(SWAP_GROWS, 2 * SLOT_CLUSTER, 0);
	take_clusters(2);
	ck_assert_int_eq(take(), -ENOSPC);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	teardown();
}
END_TEST

/* What there is not for a long step there may be for a short one, and what was got goes back. */
START_TEST(disk_is_full)
{
	static const int errors[] = {-ENOSPC, -EDQUOT, -EFBIG};
	setup(NO_LIMIT, 1);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, errors[_i]);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_CUTS, STEP, 0);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	take_clusters(1);
	ends(SWAP_GROWS, STEP, errors[_i]);
	ends(SWAP_CUTS, STEP, -EOPNOTSUPP);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, errors[_i]);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_CUTS, SLOT_CLUSTER, -EINTR);
	ends(SWAP_CUTS, SLOT_CLUSTER, 0);
	ck_assert_int_eq(take(), -ENOSPC);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	/* There is room again. */
	later(SECOND);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	take_clusters(1);
	ends(SWAP_GROWS, STEP, 0);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

/* Ahead of need a full disk is not asked again, lest others find it full. */
START_TEST(disk_is_full_ahead)
{
	setup(NO_LIMIT, 1);
	take();
	ends(SWAP_GROWS, STEP, 0);
	take_clusters(STEP / SLOT_CLUSTER / 2 + 1);
	ends(SWAP_GROWS, STEP, -ENOSPC);
	ends(SWAP_CUTS, STEP, 0);
	later(2 * SECOND);
	take_clusters(STEP / SLOT_CLUSTER / 2 - 1);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

START_TEST(other_errors)
{
	setup(NO_LIMIT, 1);
	take();
	ends(SWAP_GROWS, STEP, -EIO);
	ends(SWAP_CUTS, STEP, -EIO);
	ck_assert_int_eq(take(), -ENOSPC);
	later(SECOND);
	ck_assert_int_eq(take(), -EAGAIN);
	/* A file system that cannot allocate ahead. */
	ends(SWAP_GROWS, SLOT_CLUSTER, -EOPNOTSUPP);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

/* All records are in use: later. */
START_TEST(no_record)
{
	uint32_t number, taken = 0;
	setup(NO_LIMIT, 1);
	while (io_alloc(pager, IO_FSYNC, &number))
		taken++;
	ck_assert_int_eq(take(), -EAGAIN);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	while (taken)
		io_release(pager, &pager->ios[--taken]);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, STEP, 0);
	ck_assert_int_eq(take(), SLOT_CLUSTER);
	teardown();
}
END_TEST

/* The pager ends while the disk stands still. */
START_TEST(ends_meanwhile)
{
	setup(NO_LIMIT, 1);
	ck_assert_int_eq(take(), -EAGAIN);
	record();
	teardown();
}
END_TEST

static void stopped(struct pager_request *request)
{
	ck_assert_int_eq(request->error, 0);
}

/* A disk that goes on is waited for: when the pager has ended, nobody has the file any more. */
START_TEST(ends_when_it_has_ended)
{
	struct pager_request stop = {.type = PAGER_STOP, .fd = -1, .done = stopped};
	setup(NO_LIMIT, 1);
	ck_assert_int_eq(take(), -EAGAIN);
	pager_post(pager, &stop);
	ck_assert_int_eq(pager_run(pager), 0);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	ck_assert_uint_eq(pager->slots.limit, STEP);
	teardown();
}
END_TEST

/* ---- who waits for it -------------------------------------------------------------------- */

static void wait_for_frame(void)
{
	uint32_t fault = pager->fault_fresh++;
	pager->fault_free_count--;
	pager->faults[fault] = (struct fault){.client = 0};
	shortage_wait(pager, fault);
}

/* Whether frames were lent meanwhile; nobody takes them, so they are taken back. */
static bool seconds_pass(uint32_t count)
{
	bool lent = false;
	for (uint32_t i = 0; i < 100 * count; i++) {
		later(SECOND / 100);
		pager->shortage.frames_freed = false; /* in vain */
		shortage_check(pager);
		lent |= pager->shortage.loan_pages > 0;
	}
	return lent;
}

/* Faults that wait for a frame wait for the disk, as long as it takes; and get lent some. */
START_TEST(faults_wait_for_it)
{
	setup(NO_LIMIT, 1);
	ck_assert_int_eq(take(), -EAGAIN);
	pager->shortage.hopeless = true; /* it was full before */
	wait_for_frame();
	ck_assert(seconds_pass(10));
	ck_assert_uint_eq(pager->shortage.waiting.count, 1);
	pager->shortage.frames_freed = false;
	ends(SWAP_GROWS, STEP, -EIO);
	ck_assert(pager->shortage.frames_freed);
	ends(SWAP_CUTS, STEP, 0);
	seconds_pass(3);
	ck_assert_uint_eq(pager->shortage.waiting.count, 0);
	teardown();
}
END_TEST

/* ---- shrinking --------------------------------------------------------------------------- */

/* What is cut off is there for others at once; a page that finds no slot waits for the disk. */
START_TEST(end_is_cut_off)
{
	uint64_t clusters = 12;
	setup(STEP, 2);
	take();
	ends(SWAP_GROWS, STEP / 4, 0);
	take_clusters((uint32_t)clusters);
	ends(SWAP_GROWS, STEP * 3 / 16, -ENOSPC);
	ends(SWAP_CUTS, STEP * 3 / 16, 0);
	ck_assert_uint_eq(bank_spare(bank), STEP * 3 / 4);
	give_clusters(2, clusters - 2);
	swap_give(pager);
	ck_assert_uint_eq(pager->slots.limit, 2 * SLOT_CLUSTER);
	ck_assert_uint_eq(bank_spare(bank), STEP - 2 * SLOT_CLUSTER);
	ck_assert_int_eq(take(), -EAGAIN);
	ck_assert(swap_waits(pager));
	swap_give(pager);
	ends(SWAP_CUTS, STEP / 4 - 2 * SLOT_CLUSTER, -EINTR);
	ends(SWAP_CUTS, STEP / 4 - 2 * SLOT_CLUSTER, _i ? -EOPNOTSUPP : 0);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	take_clusters(1);
	teardown();
}
END_TEST

/* Not while the file grows: when that has ended. */
START_TEST(one_change_at_a_time)
{
	setup(STEP, 2);
	take();
	ends(SWAP_GROWS, STEP / 4, 0);
	take_clusters(2);
	ck_assert_int_eq(pager->swap.change, SWAP_GROWS);
	give_clusters(0, 2);
	swap_give(pager);
	ends(SWAP_GROWS, STEP * 3 / 16, 0);
	swap_give(pager);
	ends(SWAP_CUTS, STEP * 7 / 16, 0);
	ck_assert_uint_eq(bank_spare(bank), STEP);
	teardown();
}
END_TEST

/* ---- shares ------------------------------------------------------------------------------ */

/* Nothing is taken ahead where others may need it; what fails is given back. */
START_TEST(shared_with_others)
{
	setup(8 * SLOT_CLUSTER, 2);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, 2 * SLOT_CLUSTER, -ENOSPC);
	ck_assert_uint_eq(bank_spare(bank), 8 * SLOT_CLUSTER);
	ends(SWAP_CUTS, 2 * SLOT_CLUSTER, 0);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	ck_assert_uint_eq(bank_spare(bank), 7 * SLOT_CLUSTER);
	ck_assert(bank_take(bank, 6 * SLOT_CLUSTER));
	take_clusters(1);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	take_clusters(1);
	ck_assert_int_eq(take(), -ENOSPC);
	ck_assert_int_eq(pager->swap.change, SWAP_STILL);
	/* Another gives some back: it is not kept waiting. */
	bank_give(bank, 3 * SLOT_CLUSTER);
	ck_assert_int_eq(take(), -EAGAIN);
	ends(SWAP_GROWS, SLOT_CLUSTER, 0);
	take_clusters(1);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("swap");
	TCase *tcase = tcase_create("file");
	tcase_add_test(tcase, nobody_waits_in_a_call);
	tcase_add_test(tcase, grows_ahead);
	tcase_add_test(tcase, pieces_meanwhile);
	tcase_add_test(tcase, up_to_the_limit);
	tcase_add_loop_test(tcase, disk_is_full, 0, 3);
	tcase_add_test(tcase, disk_is_full_ahead);
	tcase_add_test(tcase, other_errors);
	tcase_add_test(tcase, no_record);
	tcase_add_test(tcase, ends_meanwhile);
	tcase_add_test(tcase, ends_when_it_has_ended);
	tcase_add_test(tcase, faults_wait_for_it);
	tcase_add_loop_test(tcase, end_is_cut_off, 0, 2);
	tcase_add_test(tcase, one_change_at_a_time);
	tcase_add_test(tcase, shared_with_others);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
