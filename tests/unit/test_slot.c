/* SPDX-License-Identifier: MIT */
/* Slots: contiguity, references, exhaustion, and long random runs beside a naive map. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "slot.h"
#include "seed.h"
#include "suite.h"
#include "workload/random.h"

static uint64_t seed;
static struct random draws;

static uint32_t draw(uint32_t below)
{
	return (uint32_t)random_below(&draws, below);
}

static void expect_alloc(struct slot_map *map, uint32_t want, uint64_t first, uint32_t count)
{
	uint64_t got = SLOT_NONE;
	ck_assert_uint_eq(slot_alloc(map, want, &got), count);
	ck_assert_uint_eq(got, first);
}

static void free_run(struct slot_map *map, uint64_t first, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		slot_unref(map, first + i);
}

START_TEST(limits)
{
	struct slot_map map = {0};
	slot_finish(&map);
	ck_assert_int_eq(slot_init(&map, 0), -EINVAL);
	ck_assert_int_eq(slot_init(&map, SLOT_CLUSTER - 1), -EINVAL);
	ck_assert_int_eq(slot_init(&map, 1ull << 40), -EINVAL);
	ck_assert_ptr_null(map.count);
	ck_assert_int_eq(slot_init(&map, 2 * SLOT_CLUSTER + 17), 0);
	ck_assert_uint_eq(map.limit, 2 * SLOT_CLUSTER);
	slot_finish(&map);
	slot_finish(&map);
}
END_TEST

/* Address space only; a machine that accounts for it strictly may refuse. */
START_TEST(largest_map)
{
	struct slot_map map = {0};
	int error = slot_init(&map, SLOT_NONE);
	if (error == -ENOMEM) {
		printf("largest_map: skipped: no address space for it here\n");
		return;
	}
	ck_assert_int_eq(error, 0);
	expect_alloc(&map, 256, 0, 256);
	expect_alloc(&map, 256, 256, 256);
	free_run(&map, 0, 256);
	expect_alloc(&map, 5, 0, 5);
	slot_finish(&map);
}
END_TEST

START_TEST(goes_on_in_its_cluster)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 4 * SLOT_CLUSTER), 0);
	expect_alloc(&map, 100, 0, 100);
	ck_assert_uint_eq(map.end, 100);
	expect_alloc(&map, 100, 100, 100);
	expect_alloc(&map, 100, 200, 56);   /* what is left of the cluster */
	expect_alloc(&map, 1000, 256, 256); /* never more than one cluster */
	ck_assert_uint_eq(map.used, 512);
	ck_assert_uint_eq(map.end, 512);
	slot_finish(&map);
}
END_TEST

START_TEST(free_clusters_before_growth)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 16 * SLOT_CLUSTER), 0);
	for (uint64_t cluster = 0; cluster < 6; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	free_run(&map, 4 * 256, 256);
	free_run(&map, 2 * 256, 256);
	slot_unref(&map, 0); /* room, but not wholly free */
	expect_alloc(&map, 200, 2 * 256, 200);
	expect_alloc(&map, 56, 2 * 256 + 200, 56);
	expect_alloc(&map, 256, 4 * 256, 256);
	expect_alloc(&map, 10, 6 * 256, 10);
	ck_assert_uint_eq(map.end, 6 * 256 + 10);
	slot_finish(&map);
}
END_TEST

/* The cluster that allocation is in may become free as well. */
START_TEST(current_cluster_is_freed)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 2 * SLOT_CLUSTER), 0);
	expect_alloc(&map, 100, 0, 100);
	free_run(&map, 0, 100);
	ck_assert_uint_eq(map.used, 0);
	expect_alloc(&map, 156, 100, 156);
	expect_alloc(&map, 256, 256, 256);
	expect_alloc(&map, 256, 0, 100);
	expect_alloc(&map, 1, SLOT_NONE, 0);
	slot_finish(&map);
}
END_TEST

START_TEST(longest_run_near)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 4 * SLOT_CLUSTER), 0);
	for (uint64_t cluster = 0; cluster < 4; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	free_run(&map, 10, 3);
	free_run(&map, 256 + 20, 7);
	free_run(&map, 256 + 40, 30);
	free_run(&map, 3 * 256 + 250, 6);
	expect_alloc(&map, 64, 256 + 40, 30); /* no run of 64: the longest */
	expect_alloc(&map, 5, 256 + 20, 5);   /* the first that is long enough */
	expect_alloc(&map, 5, 256 + 25, 2);   /* goes on behind the cursor */
	expect_alloc(&map, 2, 3 * 256 + 250, 2);
	expect_alloc(&map, 9, 3 * 256 + 252, 4);
	expect_alloc(&map, 9, 10, 3);
	expect_alloc(&map, 9, SLOT_NONE, 0);
	ck_assert_uint_eq(map.used, map.limit);
	slot_finish(&map);
}
END_TEST

START_TEST(references)
{
	struct slot_map map;
	uint64_t slot;
	ck_assert_int_eq(slot_init(&map, SLOT_CLUSTER), 0);
	ck_assert_uint_eq(slot_alloc(&map, 1, &slot), 1);
	for (unsigned i = 1; i < 65535; i++)
		ck_assert_int_eq(slot_ref(&map, slot), 0);
	ck_assert_uint_eq(map.count[slot], 65535);
	ck_assert_int_eq(slot_ref(&map, slot), -EOVERFLOW);
	ck_assert_uint_eq(map.count[slot], 65535);
	ck_assert_uint_eq(map.used, 1);
	for (unsigned i = 0; i < 65534; i++)
		slot_unref(&map, slot);
	ck_assert_uint_eq(map.used, 1);
	slot_unref(&map, slot);
	ck_assert_uint_eq(map.used, 0);
	ck_assert_uint_eq(map.cluster_used[0], 0);
	slot_finish(&map);
}
END_TEST

/* Three levels of bit words: 5000 clusters. */
START_TEST(exhaustion_and_back)
{
	struct slot_map map;
	uint64_t clusters = 5000, slot = 0;
	ck_assert_int_eq(slot_init(&map, clusters * SLOT_CLUSTER), 0);
	for (uint64_t cluster = 0; cluster < clusters; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	ck_assert_uint_eq(slot_alloc(&map, 1, &slot), 0);
	ck_assert_uint_eq(slot, 0);
	ck_assert_uint_eq(map.used, map.limit);
	slot_unref(&map, 4321 * 256 + 17);
	expect_alloc(&map, 256, 4321 * 256 + 17, 1);
	slot_unref(&map, 4320 * 256); /* behind the cursor, in the same word of bits */
	slot_unref(&map, 4999 * 256);
	expect_alloc(&map, 1, 4999 * 256, 1);
	expect_alloc(&map, 1, 4320 * 256, 1);
	free_run(&map, 4999 * 256, 256);
	free_run(&map, 63 * 256, 256);
	free_run(&map, 64 * 256, 256);
	free_run(&map, 4096 * 256, 256);
	expect_alloc(&map, 256, 63 * 256, 256);
	expect_alloc(&map, 256, 64 * 256, 256);
	expect_alloc(&map, 256, 4096 * 256, 256);
	expect_alloc(&map, 256, 4999 * 256, 256);
	expect_alloc(&map, 256, SLOT_NONE, 0);
	free_run(&map, 0, map.limit);
	ck_assert_uint_eq(map.used, 0);
	expect_alloc(&map, 256, 0, 256);
	slot_finish(&map);
}
END_TEST

/* The disk is full before the limit: what lies above a limit that was lowered is not used, until it
 * is raised again. */
START_TEST(limit_is_lowered)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 8 * SLOT_CLUSTER), 0);
	for (uint64_t cluster = 0; cluster < 4; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	free_run(&map, 3 * 256, 256);
	slot_unref(&map, 256 + 9);
	map.limit = 3 * SLOT_CLUSTER;
	expect_alloc(&map, 10, 256 + 9, 1);
	expect_alloc(&map, 10, SLOT_NONE, 0);
	slot_unref(&map, 2);
	expect_alloc(&map, 10, 2, 1);
	map.limit = 8 * SLOT_CLUSTER;
	expect_alloc(&map, 256, 3 * 256, 256);
	expect_alloc(&map, 256, 4 * 256, 256);
	slot_finish(&map);
}
END_TEST

/* What is cut off is forgotten: it comes again as if it had never been. */
START_TEST(end_is_cut_off)
{
	struct slot_map map;
	ck_assert_int_eq(slot_init(&map, 8 * SLOT_CLUSTER), 0);
	ck_assert_uint_eq(slot_clusters(&map), 8);
	for (uint64_t cluster = 0; cluster < 5; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	expect_alloc(&map, 10, 5 * 256, 10);
	ck_assert_uint_eq(slot_clusters(&map), 2);
	free_run(&map, 256, map.end - 256);
	ck_assert_uint_eq(slot_clusters(&map), 7);
	ck_assert_uint_eq(slot_tail(&map, 6 * 256), 256);
	slot_cut(&map, 2 * 256);
	ck_assert_uint_eq(map.end, 2 * 256);
	ck_assert_uint_eq(slot_clusters(&map), 1);
	expect_alloc(&map, 256, 256, 256);
	expect_alloc(&map, 256, SLOT_NONE, 0);
	map.limit = 8 * SLOT_CLUSTER;
	ck_assert_uint_eq(slot_clusters(&map), 6);
	for (uint64_t cluster = 2; cluster < 8; cluster++)
		expect_alloc(&map, 256, cluster * 256, 256);
	ck_assert_uint_eq(slot_clusters(&map), 0);
	slot_cut(&map, 8 * 256);
	ck_assert_uint_eq(map.end, 8 * 256);
	slot_finish(&map);
}
END_TEST

/* ---- random ------------------------------------------------------------------------------ */

#define MODEL_CLUSTERS 40u
#define MODEL_SLOTS    (MODEL_CLUSTERS * SLOT_CLUSTER)
#define MODEL_NEAR     8u

struct model {
	uint16_t count[MODEL_SLOTS];
	uint32_t clusters;
	uint32_t used, end, cursor;
};

static uint32_t model_run(const struct model *model, uint32_t slot, uint32_t want)
{
	uint32_t run = 0, end = (slot / SLOT_CLUSTER + 1) * SLOT_CLUSTER;
	while (run < want && slot + run < end && !model->count[slot + run])
		run++;
	return run;
}

static uint32_t model_cluster_free(const struct model *model, uint32_t cluster)
{
	uint32_t unused = 0;
	for (uint32_t i = 0; i < SLOT_CLUSTER; i++)
		unused += !model->count[cluster * SLOT_CLUSTER + i];
	return unused;
}

/* No cluster is wholly free: the longest run in the next clusters with room. */
static uint32_t model_search(const struct model *model, uint32_t want, uint32_t *first)
{
	uint32_t best = 0, seen = 0, start = model->cursor / SLOT_CLUSTER;
	for (uint32_t i = 0; i < model->clusters && seen < MODEL_NEAR; i++) {
		uint32_t cluster = (start + i) % model->clusters;
		seen += model_cluster_free(model, cluster) != 0;
		for (uint32_t at = 0; at < SLOT_CLUSTER; at++) {
			uint32_t slot = cluster * SLOT_CLUSTER + at;
			uint32_t run = model_run(model, slot, want);
			if (run > best) {
				best = run;
				*first = slot;
			}
		}
	}
	return best;
}

/* Which slots slot_alloc must choose, the slow way. */
static uint32_t model_find(const struct model *model, uint32_t want, uint32_t *first)
{
	uint32_t run = 0;
	if (model->cursor % SLOT_CLUSTER)
		run = model_run(model, *first = model->cursor, want);
	if (run)
		return run;
	for (uint32_t cluster = 0; cluster < model->clusters; cluster++) {
		*first = cluster * SLOT_CLUSTER;
		if (model_cluster_free(model, cluster) == SLOT_CLUSTER)
			return want;
	}
	return model_search(model, want, first);
}

static void random_alloc(struct slot_map *map, struct model *model, unsigned step)
{
	uint32_t want = 1 + draw(draw(3) ? 24 : SLOT_CLUSTER), expected = 0;
	uint32_t count = model_find(model, want, &expected);
	uint64_t first = SLOT_NONE;
	uint32_t got = slot_alloc(map, want, &first);
	ck_assert_msg(got == count && first == (count ? expected : SLOT_NONE),
		      "seed %llu step %u: %u slots at %llu, not %u at %u", (unsigned long long)seed,
		      step, got, (unsigned long long)first, count, expected);
	ck_assert((got == 0) == (model->used == model->clusters * SLOT_CLUSTER));
	for (uint32_t i = 0; i < count; i++) {
		ck_assert_uint_eq(model->count[expected + i], 0);
		model->count[expected + i] = 1;
	}
	model->used += count;
	model->cursor = count ? expected + count : model->cursor;
	model->end = model->end > model->cursor ? model->end : model->cursor;
}

/* One reference fewer on each of some neighbours. */
static void random_unref(struct slot_map *map, struct model *model)
{
	uint32_t slots = model->clusters * SLOT_CLUSTER, first = draw(slots);
	uint32_t count = 1 + draw(draw(4) ? 30 : 2 * SLOT_CLUSTER);
	for (uint32_t slot = first; slot < slots && slot < first + count; slot++) {
		if (!model->count[slot])
			continue;
		slot_unref(map, slot);
		model->used -= !--model->count[slot];
	}
}

static void random_ref(struct slot_map *map, struct model *model)
{
	uint32_t slot = draw(model->clusters * SLOT_CLUSTER);
	for (uint32_t i = 0; i < 20 && slot + i < model->clusters * SLOT_CLUSTER; i++) {
		if (!model->count[slot + i])
			continue;
		ck_assert_int_eq(slot_ref(map, slot + i), 0);
		model->count[slot + i]++;
	}
}

static void compare(const struct slot_map *map, const struct model *model)
{
	ck_assert_uint_eq(map->used, model->used);
	ck_assert_uint_eq(map->end, model->end);
	ck_assert_int_eq(memcmp(map->count, model->count,
				model->clusters * SLOT_CLUSTER * sizeof *map->count),
			 0);
	uint32_t whole = 0;
	for (uint32_t i = 0; i < model->clusters; i++) {
		uint32_t unused = model_cluster_free(model, i);
		ck_assert_uint_eq(map->cluster_used[i], SLOT_CLUSTER - unused);
		whole += unused == SLOT_CLUSTER;
	}
	ck_assert_uint_eq(slot_clusters(map), whole);
}

START_TEST(random_against_naive)
{
	static struct model model;
	struct slot_map map;
	draws.state = seed + (uint64_t)_i;
	memset(&model, 0, sizeof model);
	model.clusters = 1 + draw(MODEL_CLUSTERS);
	ck_assert_int_eq(slot_init(&map, model.clusters * SLOT_CLUSTER), 0);
	uint32_t pressure = 5;
	for (unsigned step = 0; step < 6000; step++) {
		/* Now it fills, now it drains. */
		if (step % 500 == 0)
			pressure = 2 + draw(7);
		if (draw(10) < pressure)
			random_alloc(&map, &model, step);
		else if (draw(5))
			random_unref(&map, &model);
		else
			random_ref(&map, &model);
		if (step % 16 == 0)
			compare(&map, &model);
	}
	compare(&map, &model);
	slot_finish(&map);
}
END_TEST

int main(void)
{
	seed = seed_get();
	Suite *suite = suite_create("slot");
	TCase *cases = tcase_create("slot");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, limits);
	tcase_add_test(cases, largest_map);
	tcase_add_test(cases, goes_on_in_its_cluster);
	tcase_add_test(cases, free_clusters_before_growth);
	tcase_add_test(cases, current_cluster_is_freed);
	tcase_add_test(cases, longest_run_near);
	tcase_add_test(cases, references);
	tcase_add_test(cases, exhaustion_and_back);
	tcase_add_test(cases, limit_is_lowered);
	tcase_add_test(cases, end_is_cut_off);
	tcase_add_loop_test(cases, random_against_naive, 0, 12);
	suite_add_tcase(suite, cases);

	return suite_run(suite);
}
