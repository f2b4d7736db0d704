/* SPDX-License-Identifier: MIT */
/* Bounce memory: runs are free, whole, apart, and found whenever there are any. */
#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "bounce.h"
#include "seed.h"
#include "suite.h"
#include "workload/random.h"

static uint64_t seed;
static struct random draws;

static uint32_t draw(uint32_t below)
{
	return (uint32_t)random_below(&draws, below);
}

START_TEST(memory_is_aligned_and_writable)
{
	struct bounce bounce;
	ck_assert_int_eq(bounce_init(&bounce, 128), 0);
	ck_assert_uint_eq(bounce.pages, 128);
	ck_assert_uint_eq(bounce.free_pages, 128);
	uint32_t first = bounce_alloc(&bounce, 128);
	ck_assert_uint_eq(first, 0);
	ck_assert_uint_eq((uintptr_t)bounce_address(&bounce, first) % 4096, 0);
	memset(bounce_address(&bounce, first), 0xa5, 128 * 4096);
	ck_assert_uint_eq(bounce_address(&bounce, 127)[4095], 0xa5);
	bounce_finish(&bounce);
}
END_TEST

START_TEST(finish_of_nothing)
{
	struct bounce bounce = {0};
	bounce_finish(&bounce);
	ck_assert_int_eq(bounce_init(&bounce, 64), 0);
	bounce_finish(&bounce);
	bounce_finish(&bounce);
}
END_TEST

START_TEST(runs_that_do_not_fit)
{
	struct bounce bounce;
	ck_assert_int_eq(bounce_init(&bounce, 64), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 0), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, 65), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, UINT32_MAX), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, 64), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 1), BOUNCE_NONE);
	/* Every other page: half is free, no two together. */
	for (uint32_t page = 0; page < 64; page += 2)
		bounce_free(&bounce, page, 1);
	ck_assert_uint_eq(bounce.free_pages, 32);
	ck_assert_uint_eq(bounce_alloc(&bounce, 2), BOUNCE_NONE);
	ck_assert_uint_ne(bounce_alloc(&bounce, 1), BOUNCE_NONE);
	bounce_finish(&bounce);
}
END_TEST

START_TEST(lowest_first)
{
	struct bounce bounce;
	ck_assert_int_eq(bounce_init(&bounce, 192), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 100), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 60), 100);
	bounce_free(&bounce, 0, 100);
	ck_assert_uint_eq(bounce_alloc(&bounce, 10), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 91), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, 90), 10);
	ck_assert_uint_eq(bounce_alloc(&bounce, 32), 160);
	ck_assert_uint_eq(bounce.free_pages, 0);
	bounce_finish(&bounce);
}
END_TEST

START_TEST(no_run_crosses_a_block)
{
	struct bounce bounce;
	ck_assert_int_eq(bounce_init(&bounce, 2 * BOUNCE_BLOCK + 64), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, BOUNCE_BLOCK + 1), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, BOUNCE_BLOCK - 1), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 2), BOUNCE_BLOCK);
	ck_assert_uint_eq(bounce_alloc(&bounce, 1), BOUNCE_BLOCK - 1);
	ck_assert_uint_eq(bounce_alloc(&bounce, BOUNCE_BLOCK - 1), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, BOUNCE_BLOCK - 2), BOUNCE_BLOCK + 2);
	ck_assert_uint_eq(bounce_alloc(&bounce, 64), 2 * BOUNCE_BLOCK);
	ck_assert_uint_eq(bounce.free_pages, 0);
	bounce_finish(&bounce);
}
END_TEST

START_TEST(part_of_a_run_is_freed)
{
	struct bounce bounce;
	ck_assert_int_eq(bounce_init(&bounce, 128), 0);
	ck_assert_uint_eq(bounce_alloc(&bounce, 128), 0);
	bounce_free(&bounce, 60, 8); /* over the edge of a word */
	ck_assert_uint_eq(bounce_alloc(&bounce, 9), BOUNCE_NONE);
	ck_assert_uint_eq(bounce_alloc(&bounce, 8), 60);
	bounce_free(&bounce, 0, 1);
	bounce_free(&bounce, 1, 127);
	ck_assert_uint_eq(bounce.free_pages, 128);
	bounce_finish(&bounce);
}
END_TEST

/* ---- random ------------------------------------------------------------------------------ */

#define MODEL_PAGES (2 * BOUNCE_BLOCK)

static bool model_has_run(const bool *used, uint32_t pages, uint32_t count)
{
	uint32_t run = 0;
	for (uint32_t i = 0; i < pages; i++) {
		run = used[i] ? 0 : i % BOUNCE_BLOCK ? run + 1 : 1;
		if (run == count)
			return true;
	}
	return false;
}

static void random_alloc(struct bounce *bounce, bool *used, uint32_t *used_pages, unsigned step)
{
	uint32_t count = 1 + draw(draw(3) ? 8 : 130);
	uint32_t first = bounce_alloc(bounce, count);
	bool possible = model_has_run(used, bounce->pages, count);
	ck_assert_msg((first != BOUNCE_NONE) == possible, "seed %llu step %u: %u pages: %u",
		      (unsigned long long)seed, step, count, first);
	if (!possible)
		return;
	ck_assert_uint_le(first + count, bounce->pages);
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_msg(!used[first + i], "seed %llu step %u: page %u is in use",
			      (unsigned long long)seed, step, first + i);
		used[first + i] = true;
	}
	*used_pages += count;
}

/* Free a stretch of used pages: parts of runs, and several runs together. */
static void random_free(struct bounce *bounce, bool *used, uint32_t *used_pages)
{
	uint32_t first = draw(bounce->pages), count = 0, most = 1 + draw(200);
	while (count < most && first + count < bounce->pages && used[first + count])
		used[first + count++] = false;
	bounce_free(bounce, first, count);
	*used_pages -= count;
}

START_TEST(random_against_reference)
{
	draws.state = seed + (uint64_t)_i;
	struct bounce bounce;
	bool used[MODEL_PAGES] = {0};
	uint32_t used_pages = 0;
	ck_assert_int_eq(bounce_init(&bounce, 64 * (1 + draw(MODEL_PAGES / 64))), 0);
	for (unsigned step = 0; step < 50000; step++) {
		if (draw(2))
			random_alloc(&bounce, used, &used_pages, step);
		else
			random_free(&bounce, used, &used_pages);
		ck_assert_uint_eq(bounce.free_pages, bounce.pages - used_pages);
	}
	bounce_finish(&bounce);
}
END_TEST

int main(void)
{
	seed = seed_get();
	Suite *suite = suite_create("bounce");
	TCase *cases = tcase_create("bounce");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, memory_is_aligned_and_writable);
	tcase_add_test(cases, finish_of_nothing);
	tcase_add_test(cases, runs_that_do_not_fit);
	tcase_add_test(cases, lowest_first);
	tcase_add_test(cases, no_run_crosses_a_block);
	tcase_add_test(cases, part_of_a_run_is_freed);
	tcase_add_loop_test(cases, random_against_reference, 0, 10);
	suite_add_tcase(suite, cases);

	return suite_run(suite);
}
