/* SPDX-License-Identifier: MIT */
/* The histogram: its error bound, its edges, and quantiles beside sorted samples. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"
#include "seed.h"
#include "suite.h"
#include "workload/random.h"

/* Above this the last bucket begins. */
#define LAST_NS ((31ull << 38) - 1)

static uint64_t seed;
static struct random draws;

/* Where a value comes back to when a larger one keeps max_ns out of the way. */
static uint64_t edge_of(uint64_t ns)
{
	struct histogram histogram = {0};
	histogram_add(&histogram, ns);
	histogram_add(&histogram, UINT64_MAX);
	return histogram_quantile(&histogram, 500);
}

static void check_edge(uint64_t ns)
{
	uint64_t edge = edge_of(ns);
	ck_assert_msg(edge >= ns && edge - ns <= ns / 16, "%llu ns comes back as %llu",
		      (unsigned long long)ns, (unsigned long long)edge);
	if (edge < LAST_NS)
		ck_assert_uint_gt(edge_of(edge + 1), edge);
	ck_assert_uint_eq(edge_of(edge), edge);
}

START_TEST(empty)
{
	struct histogram histogram = {0};
	ck_assert_uint_eq(histogram_quantile(&histogram, 0), 0);
	ck_assert_uint_eq(histogram_quantile(&histogram, 500), 0);
	ck_assert_uint_eq(histogram_quantile(&histogram, 1000), 0);
}
END_TEST

START_TEST(one_value_comes_back_whole)
{
	for (unsigned shift = 0; shift < 64; shift++) {
		struct histogram histogram = {0};
		histogram_add(&histogram, 1ull << shift);
		ck_assert_uint_eq(histogram_quantile(&histogram, 0), 1ull << shift);
		ck_assert_uint_eq(histogram_quantile(&histogram, 1000), 1ull << shift);
		ck_assert_uint_eq(histogram_quantile(&histogram, 5000), 1ull << shift);
		ck_assert_uint_eq(histogram.max_ns, 1ull << shift);
	}
}
END_TEST

START_TEST(small_values_are_exact)
{
	for (uint64_t ns = 0; ns < 32; ns++)
		ck_assert_uint_eq(edge_of(ns), ns);
	ck_assert_uint_eq(edge_of(32), 33);
}
END_TEST

START_TEST(error_is_at_most_a_sixteenth)
{
	for (uint64_t ns = 0; ns < 5000; ns++)
		check_edge(ns);
	for (unsigned shift = 5; shift < 43; shift++) {
		check_edge((1ull << shift) - 1);
		check_edge(1ull << shift);
		check_edge((1ull << shift) + 1);
	}
	draws.state = seed;
	for (unsigned i = 0; i < 100000; i++)
		check_edge(random_next(&draws) % LAST_NS >> random_next(&draws) % 40);
}
END_TEST

START_TEST(huge_values_share_the_last_bucket)
{
	struct histogram histogram = {0};
	histogram_add(&histogram, LAST_NS);
	histogram_add(&histogram, LAST_NS + 1);
	histogram_add(&histogram, UINT64_MAX - 7);
	ck_assert_uint_eq(histogram.bucket[HISTOGRAM_BUCKETS - 2], 1);
	ck_assert_uint_eq(histogram.bucket[HISTOGRAM_BUCKETS - 1], 2);
	ck_assert_uint_eq(histogram_quantile(&histogram, 333), LAST_NS);
	ck_assert_uint_eq(histogram_quantile(&histogram, 334), UINT64_MAX - 7);
}
END_TEST

START_TEST(quantile_takes_the_right_rank)
{
	struct histogram histogram = {0};
	for (uint64_t ns = 1; ns <= 10; ns++)
		histogram_add(&histogram, ns);
	ck_assert_uint_eq(histogram_quantile(&histogram, 0), 1);
	ck_assert_uint_eq(histogram_quantile(&histogram, 100), 1);
	ck_assert_uint_eq(histogram_quantile(&histogram, 101), 2);
	ck_assert_uint_eq(histogram_quantile(&histogram, 500), 5);
	ck_assert_uint_eq(histogram_quantile(&histogram, 999), 10);
	ck_assert_uint_eq(histogram_quantile(&histogram, 1000), 10);
}
END_TEST

/* A bucket that is full stays full, and does not make quantiles nonsense. */
START_TEST(full_buckets)
{
	struct histogram a = {.total = UINT32_MAX, .max_ns = 5}, b = a;
	a.bucket[5] = b.bucket[5] = UINT32_MAX;
	histogram_add(&a, 5);
	ck_assert_uint_eq(a.bucket[5], UINT32_MAX);
	ck_assert_uint_eq(a.total, UINT32_MAX + 1ull);
	histogram_merge(&a, &b);
	ck_assert_uint_eq(a.bucket[5], UINT32_MAX);
	ck_assert_uint_eq(a.total, 2ull * UINT32_MAX + 1);
	histogram_add(&a, 7);
	ck_assert_uint_eq(histogram_quantile(&a, 999), 5);
	ck_assert_uint_eq(histogram_quantile(&a, 1000), 7);
}
END_TEST

static int compare_u64(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

START_TEST(random_against_sorted)
{
	draws.state = seed + (uint64_t)_i;
	enum { MOST = 20000 };
	static uint64_t sorted[MOST];
	struct histogram whole = {0}, half[2] = {0};
	size_t count = 1 + random_next(&draws) % MOST;
	for (size_t i = 0; i < count; i++) {
		sorted[i] = random_next(&draws) % LAST_NS >> random_next(&draws) % 40;
		histogram_add(&whole, sorted[i]);
		histogram_add(&half[i % 2], sorted[i]);
	}
	histogram_merge(&half[0], &half[1]);
	ck_assert_int_eq(memcmp(&half[0], &whole, sizeof whole), 0);
	ck_assert_uint_eq(whole.total, count);
	qsort(sorted, count, sizeof *sorted, compare_u64);
	ck_assert_uint_eq(whole.max_ns, sorted[count - 1]);
	for (unsigned permille = 0; permille <= 1000; permille++) {
		size_t rank = (count * permille + 999) / 1000;
		uint64_t exact = sorted[rank ? rank - 1 : 0];
		uint64_t quantile = histogram_quantile(&whole, permille);
		ck_assert_msg(quantile >= exact && quantile - exact <= exact / 16,
			      "seed %llu: permille %u is %llu, not %llu", (unsigned long long)seed,
			      permille, (unsigned long long)quantile, (unsigned long long)exact);
	}
	ck_assert_uint_eq(histogram_quantile(&whole, 1000), whole.max_ns);
}
END_TEST

int main(void)
{
	seed = seed_get();
	Suite *suite = suite_create("histogram");
	TCase *cases = tcase_create("histogram");
	tcase_set_timeout(cases, 120);
	tcase_add_test(cases, empty);
	tcase_add_test(cases, one_value_comes_back_whole);
	tcase_add_test(cases, small_values_are_exact);
	tcase_add_test(cases, error_is_at_most_a_sixteenth);
	tcase_add_test(cases, huge_values_share_the_last_bucket);
	tcase_add_test(cases, quantile_takes_the_right_rank);
	tcase_add_test(cases, full_buckets);
	tcase_add_loop_test(cases, random_against_sorted, 0, 10);
	suite_add_tcase(suite, cases);

	return suite_run(suite);
}
