/* SPDX-License-Identifier: MIT */
/* Workloads: the same from one seed, within their pages, and with the shape that they promise. */
#include <check.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload/skew.h"
#include "workload/workload.h"
#include "suite.h"

#define SEED 20240607u

static struct workload *make(const char *spec, uint32_t pages, uint64_t seed)
{
	struct workload *workload = NULL;
	char why[200] = "";
	int error = workload_create(&workload, spec, pages, seed, why, sizeof why);
	ck_assert_msg(!error, "%s: %s", spec, why);
	return workload;
}

static struct stream *begin(const struct workload *workload, uint32_t thread, uint32_t threads)
{
	struct stream *stream = stream_create(workload, thread, threads);
	ck_assert_ptr_nonnull(stream);
	return stream;
}

/* A number that depends on every one of the first count references of a thread. */
static uint64_t digest(const char *spec, uint64_t seed, uint32_t thread, uint32_t threads,
		       uint32_t count)
{
	struct workload *workload = make(spec, 500, seed);
	struct stream *stream = begin(workload, thread, threads);
	uint64_t sum = 0;
	while (count--) {
		struct reference reference = stream_next(stream);
		ck_assert_uint_lt(reference.page, 500);
		sum = (sum ^ (reference.page << 1 | reference.write)) * 0x100000001b3ull;
	}
	stream_destroy(stream);
	workload_destroy(workload);
	return sum;
}

START_TEST(same_from_the_same_seed)
{
	const char *spec = workloads[_i]->name;
	for (uint32_t thread = 0; thread < 3; thread++)
		ck_assert_uint_eq(digest(spec, SEED, thread, 3, 5000),
				  digest(spec, SEED, thread, 3, 5000));
}
END_TEST

/* Of those that draw anything at all. */
START_TEST(another_from_another_seed_or_thread)
{
	static const char *const specs[] = {
		"uniform", "zipf", "zipf-scan", "moving", "hot-cold",		"working-set",
		"follows", "once", "btree",	"bfs",	  "hash-join:theta=0.1"};
	for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
		uint64_t first = digest(specs[i], SEED, 0, 2, 20000);
		ck_assert_msg(first != digest(specs[i], SEED + 1, 0, 2, 20000), "%s", specs[i]);
		ck_assert_msg(first != digest(specs[i], SEED, 1, 2, 20000), "%s", specs[i]);
	}
}
END_TEST

START_TEST(streams_do_not_disturb_each_other)
{
	const struct workload_ops *ops = workloads[_i];
	struct workload *workload = make(ops->name, 500, SEED);
	struct stream *a = begin(workload, 0, 2), *b = begin(workload, 1, 2);
	uint64_t sum = 0;
	for (uint32_t i = 0; i < 3000; i++) {
		struct reference reference = stream_next(a);
		stream_next(b);
		sum = (sum ^ (reference.page << 1 | reference.write)) * 0x100000001b3ull;
	}
	ck_assert_uint_eq(sum, digest(ops->name, SEED, 0, 2, 3000));
	stream_destroy(a);
	stream_destroy(b);
	workload_destroy(workload);
}
END_TEST

START_TEST(as_few_pages_and_as_many_threads_as_it_takes)
{
	const struct workload_ops *ops = workloads[_i];
	struct workload *workload = make(ops->name, ops->pages_min, SEED);
	for (uint32_t thread = 0; thread < 5; thread++) {
		struct stream *stream = begin(workload, thread, 5);
		for (uint32_t i = 0; i < 2000; i++)
			ck_assert_uint_lt(stream_next(stream).page, ops->pages_min);
		stream_destroy(stream);
	}
	workload_destroy(workload);
}
END_TEST

static void refused(const char *spec, uint64_t pages, const char *word)
{
	struct workload *workload = NULL;
	char why[200] = "";
	ck_assert_int_eq(workload_create(&workload, spec, pages, 1, why, sizeof why), -EINVAL);
	ck_assert_msg(strstr(why, word), "%s: '%s' says nothing of '%s'", spec, why, word);
	ck_assert_ptr_null(workload);
}

START_TEST(bad_names_are_refused_by_name)
{
	refused("zipfian", 100, "zipfian");
	refused("", 100, "no workload");
	refused("zipf:tetha=1", 100, "tetha");
	refused("zipf:theta=1,theta=2", 100, "theta");
	refused("zipf:theta", 100, "theta");
	refused("zipf:theta=", 100, "theta");
	refused("zipf:theta=-1", 100, "-1");
	refused("zipf:theta=nan", 100, "nan");
	refused("zipf:theta=11", 100, "11");
	refused("zipf:theta=1x", 100, "1x");
	refused("zipf:writes=101", 100, "writes");
	refused("sequential:touches=1.5", 100, "whole");
	refused("chase:theta=1", 100, "theta");
	refused("zipf", 0, "pages");
	refused("hot-cold", 1, "pages");
	refused("zipf", (uint64_t)WORKLOAD_PAGES_MAX + 1, "pages");
}
END_TEST

/* ---- shapes ------------------------------------------------------------------------------ */

static void expect_pages(const char *spec, uint32_t pages, uint32_t thread, uint32_t threads,
			 const uint32_t *wanted, size_t count)
{
	struct workload *workload = make(spec, pages, SEED);
	struct stream *stream = begin(workload, thread, threads);
	for (size_t i = 0; i < count; i++)
		ck_assert_uint_eq(stream_next(stream).page, wanted[i]);
	stream_destroy(stream);
	workload_destroy(workload);
}
#define EXPECT_PAGES(spec, pages, thread, threads, ...)                                            \
	do {                                                                                       \
		static const uint32_t wanted[] = {__VA_ARGS__};                                    \
		expect_pages(spec, pages, thread, threads, wanted,                                 \
			     sizeof wanted / sizeof *wanted);                                      \
	} while (0)

START_TEST(orders_that_are_not_random)
{
	EXPECT_PAGES("loop", 4, 0, 1, 0, 1, 2, 3, 0, 1, 2, 3, 0);
	EXPECT_PAGES("loop:length=50", 4, 0, 1, 0, 1, 0, 1);
	EXPECT_PAGES("loop", 4, 1, 2, 2, 3, 2, 3);
	EXPECT_PAGES("zigzag", 3, 0, 1, 0, 1, 2, 2, 1, 0, 0, 1, 2);
	EXPECT_PAGES("sequential:touches=2", 3, 0, 1, 0, 0, 1, 1, 2, 2, 0, 0);
	/* 3 pages are 1536 doubles: matrices of 22 x 22, 484 doubles each. */
	EXPECT_PAGES("matrix-rows", 3, 0, 1, 0, 1, 0, 1);
}
END_TEST

START_TEST(chase_is_one_cycle)
{
	struct workload *workload = make("chase", 100, SEED);
	struct stream *stream = begin(workload, 0, 1);
	uint32_t first[100], seen[100] = {0};
	for (int i = 0; i < 100; i++) {
		first[i] = stream_next(stream).page;
		ck_assert_uint_eq(seen[first[i]]++, 0);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(stream_next(stream).page, first[i]);
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

/* Within five standard deviations of what is expected; the draws are the same every time. */
static void near(uint64_t counted, double chance, uint64_t draws)
{
	double expected = chance * (double)draws;
	double most = 5 * sqrt(expected * (1 - chance)) + 1;
	ck_assert_msg(fabs((double)counted - expected) < most, "%llu of %llu, expected %.0f",
		      (unsigned long long)counted, (unsigned long long)draws, expected);
}

START_TEST(zipf_has_its_distribution)
{
	static const double thetas[] = {0, 0.5, 0.99, 1, 1.2, 3};
	enum { RANKS = 20, DRAWS = 400000 };
	for (size_t t = 0; t < sizeof thetas / sizeof *thetas; t++) {
		struct skew skew = skew_make(RANKS, thetas[t]);
		struct random random = random_make(SEED, t);
		uint64_t count[RANKS] = {0};
		double sum = 0;
		for (uint32_t i = 0; i < DRAWS; i++)
			count[skew_draw(&skew, &random)]++;
		for (uint32_t rank = 1; rank <= RANKS; rank++)
			sum += pow(rank, -thetas[t]);
		for (uint32_t rank = 1; rank <= RANKS; rank++)
			near(count[rank - 1], pow(rank, -thetas[t]) / sum, DRAWS);
	}
}
END_TEST

/* How many of the first count references are below page, or write. */
static void tally(const char *spec, uint32_t pages, uint32_t count, uint32_t *of_page,
		  uint64_t *writes)
{
	struct workload *workload = make(spec, pages, SEED);
	struct stream *stream = begin(workload, 0, 1);
	*writes = 0;
	memset(of_page, 0, pages * sizeof *of_page);
	while (count--) {
		struct reference reference = stream_next(stream);
		of_page[reference.page]++;
		*writes += reference.write;
	}
	stream_destroy(stream);
	workload_destroy(workload);
}

START_TEST(uniform_and_writes)
{
	uint32_t of_page[100];
	uint64_t writes;
	tally("uniform:writes=25", 100, 200000, of_page, &writes);
	near(writes, 0.25, 200000);
	for (int i = 0; i < 100; i++)
		near(of_page[i], 0.01, 200000);
}
END_TEST

static int by_count(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

START_TEST(hot_pages_are_hot)
{
	uint32_t of_page[100];
	uint64_t writes, hot = 0;
	tally("hot-cold:hot=10,hits=90,writes=0", 100, 200000, of_page, &writes);
	qsort(of_page, 100, sizeof *of_page, by_count);
	for (int i = 0; i < 10; i++)
		hot += of_page[i];
	near(hot, 0.9, 200000);
	ck_assert_uint_eq(writes, 0);
}
END_TEST

START_TEST(zipf_is_scrambled)
{
	uint32_t of_page[1000], top = 0;
	uint64_t writes;
	double sum = 0;
	tally("zipf", 1000, 100000, of_page, &writes);
	for (uint32_t i = 0; i < 1000; i++) {
		sum += pow(i + 1, -0.99);
		top = of_page[i] > of_page[top] ? i : top;
	}
	near(of_page[top], 1 / sum, 100000);
	ck_assert_uint_ne(top, 0);
}
END_TEST

START_TEST(scans_have_their_share)
{
	struct workload *workload = make("zipf-scan:theta=10,scan=25,length=10", 1000, SEED);
	struct stream *stream = begin(workload, 0, 1);
	uint32_t popular = 0, previous = UINT32_MAX, followers = 0;
	for (int i = 0; i < 40000; i++) {
		uint32_t page = stream_next(stream).page;
		followers += page == previous + 1;
		previous = page;
		popular = i ? popular : page;
	}
	/* In each 400 references there is a scan of 100 pages, 99 of which follow the one before.
	 */
	ck_assert_uint_ge(followers, 9900);
	ck_assert_uint_le(followers, 10100);
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

START_TEST(the_window_moves)
{
	struct workload *workload = make("moving:size=10,stay=8", 1000, SEED);
	struct stream *stream = begin(workload, 0, 1);
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t distance = (stream_next(stream).page + 1000 - i / 8 % 1000) % 1000;
		ck_assert_uint_lt(distance, 100);
	}
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

START_TEST(a_working_set_lasts_for_its_phase)
{
	struct workload *workload = make("working-set:size=5,phase=20,outside=0", 1000, SEED);
	struct stream *stream = begin(workload, 0, 1);
	for (int phase = 0; phase < 10; phase++) {
		uint32_t of_page[1000] = {0}, distinct = 0;
		for (int i = 0; i < 1000; i++)
			distinct += !of_page[stream_next(stream).page]++;
		ck_assert_uint_le(distinct, 50);
		ck_assert_uint_ge(distinct, 45);
	}
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

START_TEST(groups_are_used_in_order)
{
	struct workload *workload = make("follows:group=4,sure=100", 400, SEED);
	struct stream *stream = begin(workload, 0, 1);
	uint32_t after[400];
	memset(after, 0xff, sizeof after);
	for (int i = 0; i < 20000; i++) {
		uint32_t page = stream_next(stream).page;
		for (int k = 1; k < 4; k++) {
			uint32_t next = stream_next(stream).page;
			ck_assert(after[page] == UINT32_MAX || after[page] == next);
			after[page] = next;
			page = next;
		}
	}
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

START_TEST(lookups_go_down_the_tree)
{
	/* 1000 leaves do not fit beside their parents: 991 do, with 8 parents and the root. */
	struct workload *workload = make("btree:fanout=128,writes=0", 1000, SEED);
	struct stream *stream = begin(workload, 0, 1);
	for (int i = 0; i < 10000; i++) {
		ck_assert_uint_eq(stream_next(stream).page, 0);
		uint32_t parent = stream_next(stream).page, leaf = stream_next(stream).page;
		ck_assert_uint_ge(parent, 1);
		ck_assert_uint_le(parent, 8);
		ck_assert_uint_eq((leaf - 9) / 128, parent - 1);
	}
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

/* The obvious loops, page by page, without those that repeat. */
START_TEST(matrices_are_multiplied)
{
	struct workload *workload = make("matrix-rows", 12, SEED);
	struct stream *stream = begin(workload, 0, 1);
	bool wrote = false;
	uint64_t n = 45, last = UINT64_MAX; /* 3 * 45 * 45 doubles in 12 pages of 512 */
	for (uint64_t i = 0; i < 4; i++)
		for (uint64_t j = 0; j < n; j++)
			for (uint64_t step = 0; step <= 2 * n; step++) {
				uint64_t k = step / 2, at = i * n + k;
				if (step == 2 * n)
					at = 2 * n * n + i * n + j;
				else if (step % 2)
					at = n * n + k * n + j;
				bool write = step == 2 * n;
				if (at / 512 == last && (wrote || !write))
					continue;
				last = at / 512;
				wrote = write;
				struct reference reference = stream_next(stream);
				ck_assert_uint_eq(reference.page, last);
				ck_assert_int_eq(reference.write, write);
			}
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

/* Within the time that one row of blocks takes, all of B is used, and few pages are written. */
START_TEST(blocks_stay_in_use)
{
	uint32_t of_page[120];
	uint64_t writes;
	tally("matrix-blocks:block=16", 120, 300000, of_page, &writes);
	for (uint32_t page = 41; page < 79; page++)
		ck_assert_uint_gt(of_page[page], 0);
	ck_assert_uint_gt(writes, 100000);
}
END_TEST

/* Every vertex that can be reached is searched: whole arrays are walked through. */
START_TEST(the_graph_is_searched)
{
	enum { PAGES = 80 };
	uint32_t of_page[PAGES];
	uint64_t writes;
	/* 4096 vertices: 8 pages of offsets, 64 of edges, 4 of distances, 4 of the queue. */
	tally("bfs:degree=16,skew=0.6", PAGES, 400000, of_page, &writes);
	uint64_t distances = 0, edges = 0;
	for (int i = 0; i < PAGES; i++)
		*(i < 8 || i >= 76 ? &writes : i < 72 ? &edges : &distances) += of_page[i];
	for (int i = 8; i < 72; i++)
		ck_assert_uint_gt(of_page[i], 100);
	/* Each edge is one reference to it and one to the distance of its end. */
	ck_assert_uint_ge(distances, edges * 9 / 10);
}
END_TEST

START_TEST(tables_are_joined)
{
	struct workload *workload = make("hash-join:build=20,hash=30,rows=4", 100, SEED);
	struct stream *stream = begin(workload, 0, 1);
	uint32_t build = 0, probe = 50;
	/* 20 pages of 4 rows: each row is one reference to its page and one to a bucket. */
	for (int row = 0; row < 80 + 200; row++) {
		struct reference from = stream_next(stream), bucket = stream_next(stream);
		ck_assert_uint_eq(from.page, row < 80 ? build + row / 4 : probe + (row - 80) / 4);
		ck_assert(!from.write);
		ck_assert(bucket.page >= 20 && bucket.page < 50);
		ck_assert_int_eq(bucket.write, row < 80);
	}
	ck_assert_uint_eq(stream_next(stream).page, 0);
	stream_destroy(stream);
	workload_destroy(workload);
}
END_TEST

int main(void)
{
	int count = 0;
	while (workloads[count])
		count++;
	Suite *suite = suite_create("workload");
	TCase *all = tcase_create("all");
	tcase_set_timeout(all, 60);
	tcase_add_loop_test(all, same_from_the_same_seed, 0, count);
	tcase_add_loop_test(all, streams_do_not_disturb_each_other, 0, count);
	tcase_add_loop_test(all, as_few_pages_and_as_many_threads_as_it_takes, 0, count);
	tcase_add_test(all, another_from_another_seed_or_thread);
	tcase_add_test(all, bad_names_are_refused_by_name);
	suite_add_tcase(suite, all);
	TCase *shapes = tcase_create("shapes");
	tcase_set_timeout(shapes, 60);
	tcase_add_test(shapes, orders_that_are_not_random);
	tcase_add_test(shapes, chase_is_one_cycle);
	tcase_add_test(shapes, zipf_has_its_distribution);
	tcase_add_test(shapes, zipf_is_scrambled);
	tcase_add_test(shapes, uniform_and_writes);
	tcase_add_test(shapes, hot_pages_are_hot);
	tcase_add_test(shapes, scans_have_their_share);
	tcase_add_test(shapes, the_window_moves);
	tcase_add_test(shapes, a_working_set_lasts_for_its_phase);
	tcase_add_test(shapes, groups_are_used_in_order);
	tcase_add_test(shapes, lookups_go_down_the_tree);
	tcase_add_test(shapes, matrices_are_multiplied);
	tcase_add_test(shapes, blocks_stay_in_use);
	tcase_add_test(shapes, the_graph_is_searched);
	tcase_add_test(shapes, tables_are_joined);
	suite_add_tcase(suite, shapes);
	return suite_run(suite);
}
