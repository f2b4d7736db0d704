/* SPDX-License-Identifier: MIT */
/* Places and numbers of the daemon against naive models; TEST_SEED chooses the changes. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../daemon/numbers.h"
#include "../../daemon/places.h"
#include "effort.h"
#include "suite.h"

#define NOBODY 255
#define ROOM   64 /* addresses */

static unsigned seed_get(const char *test)
{
	const char *text = getenv("TEST_SEED");
	unsigned seed = text ? (unsigned)strtoul(text, NULL, 0) : (unsigned)time(NULL);
	printf("%s: TEST_SEED=%u\n", test, seed);
	return seed;
}

/* ---- places ------------------------------------------------------------------------------ */

static uint64_t model_shards(const uint8_t *model, uint64_t start, uint64_t end)
{
	uint64_t shards = 0;
	for (uint64_t i = start; i < end; i++)
		shards |= model[i] == NOBODY ? 0 : 1ull << model[i];
	return shards;
}

/* In order, not empty, nothing that could be one place, and what the model has. */
static void places_check(const struct places *places, const uint8_t *model)
{
	uint8_t seen[ROOM];
	memset(seen, NOBODY, sizeof seen);
	for (size_t i = 0; i < places->count; i++) {
		const struct place *place = &places->entries[i],
				   *before = &places->entries[i ? i - 1 : 0];
		ck_assert_uint_lt(place->start, place->end);
		ck_assert_uint_le(place->end, ROOM);
		ck_assert(!i || before->end < place->start ||
			  (before->end == place->start && before->shard != place->shard));
		memset(seen + place->start, (int)place->shard, place->end - place->start);
	}
	ck_assert_mem_eq(seen, model, sizeof seen);
	ck_assert_uint_le(places->count, places->room);
}

static void range_choose(unsigned *seed, uint64_t *start, uint64_t *end)
{
	*start = (uint64_t)rand_r(seed) % ROOM;
	*end = *start + 1 + (uint64_t)rand_r(seed) % (ROOM - *start);
	if (rand_r(seed) % 2 && *end > *start + 4)
		*end = *start + 1 + (uint64_t)rand_r(seed) % 4;
}

static void places_change(unsigned *seed, struct places *places, uint8_t *model, uint32_t shards)
{
	uint64_t start, end;
	uint32_t shard = (uint32_t)rand_r(seed) % shards;
	range_choose(seed, &start, &end);
	size_t count = places->count;
	ck_assert_int_eq(places_reserve(places), 0);
	if (rand_r(seed) % 3) {
		places_set(places, start, end, shard);
		memset(model + start, (int)shard, end - start);
	} else {
		places_clear(places, start, end);
		memset(model + start, NOBODY, end - start);
	}
	ck_assert_uint_le(places->count, count + 2); /* what places_reserve promises */
}

START_TEST(places_are_as_a_model)
{
	static const uint32_t shards[] = {1, 2, 3, 64};
	unsigned seed = seed_get("places") + (unsigned)_i;
	struct places places = {0};
	uint8_t model[ROOM];
	uint64_t start, end;
	memset(model, NOBODY, sizeof model);
	for (uint32_t i = 0; i < effort(50000); i++) {
		places_change(&seed, &places, model, shards[_i]);
		places_check(&places, model);
		range_choose(&seed, &start, &end);
		ck_assert_uint_eq(places_shards(&places, start, end),
				  model_shards(model, start, end));
	}
	places_finish(&places);
}
END_TEST

/* A copy has a life of its own. */
START_TEST(places_are_copied)
{
	unsigned seed = seed_get("places_copy");
	for (int i = 0; i < 2000; i++) {
		struct places places = {0}, copy = {0};
		uint8_t model[ROOM], copied[ROOM];
		memset(model, NOBODY, sizeof model);
		for (int changes = rand_r(&seed) % 30; changes; changes--)
			places_change(&seed, &places, model, 3);
		ck_assert_int_eq(places_copy(&copy, &places), 0);
		memcpy(copied, model, sizeof copied);
		places_change(&seed, &copy, copied, 3);
		places_change(&seed, &places, model, 3);
		places_check(&copy, copied);
		places_check(&places, model);
		places_finish(&places);
		places_finish(&copy);
	}
}
END_TEST

START_TEST(places_without_any)
{
	struct places places = {0}, copy = {0};
	ck_assert_uint_eq(places_shards(&places, 0, UINT64_MAX), 0);
	ck_assert_int_eq(places_copy(&copy, &places), 0);
	ck_assert_ptr_null(copy.entries);
	ck_assert_int_eq(places_reserve(&places), 0);
	places_clear(&places, 0, UINT64_MAX);
	places_set(&places, 0, 1ull << 47, 63);
	ck_assert_uint_eq(places_shards(&places, (1ull << 47) - 1, 1ull << 47), 1ull << 63);
	ck_assert_uint_eq(places_shards(&places, 1ull << 47, UINT64_MAX), 0);
	places_finish(&places);
	ck_assert_ptr_null(places.entries);
}
END_TEST

/* ---- numbers ----------------------------------------------------------------------------- */

/* The lowest one that nobody has, and never 0. */
START_TEST(numbers_are_as_a_model)
{
	enum { MOST = 2000 };
	static bool taken[MOST + 2];
	unsigned seed = seed_get("numbers");
	struct numbers numbers = {0};
	uint32_t number, lowest = 1;
	memset(taken, 0, sizeof taken);
	number_give(&numbers, 0);
	for (int i = 0; i < 200000; i++) {
		bool grows = i / 5000 % 2 == 0;
		if (rand_r(&seed) % 8 < (grows ? 6 : 2) && lowest <= MOST) {
			ck_assert(number_take(&numbers, &number));
			ck_assert_uint_eq(number, lowest);
			taken[number] = true;
		} else {
			number = (uint32_t)rand_r(&seed) % MOST;
			if (taken[number])
				number_give(&numbers, number);
			taken[number] = false;
		}
		for (lowest = 1; taken[lowest]; lowest++)
			continue;
	}
	number_give(&numbers, 0);
	numbers_finish(&numbers);
	ck_assert(number_take(&numbers, &number));
	ck_assert_uint_eq(number, 1);
	numbers_finish(&numbers);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("places");
	TCase *tcase = tcase_create("places");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, places_are_as_a_model, 0, 4);
	tcase_add_test(tcase, places_are_copied);
	tcase_add_test(tcase, places_without_any);
	tcase_add_test(tcase, numbers_are_as_a_model);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
