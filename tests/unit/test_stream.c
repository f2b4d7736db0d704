/* SPDX-License-Identifier: MIT */
/* Streams: which faults make a run of accesses, and which do not. */
#include <check.h>

#include "stream.h"
#include "seed.h"
#include "suite.h"
#include "workload/random.h"

#define START 1000000u

static struct random draws;

static bool fault(struct streams *streams, uint64_t page)
{
	bool run;
	struct stream *stream = stream_fault(streams, page, 1, &run);
	ck_assert(stream || !run);
	return run;
}

/* Faults on a run until it is seen to be one. */
static unsigned faults_needed(struct streams *streams, uint64_t page, int64_t stride)
{
	unsigned faults = 1;
	while (!fault(streams, page) && faults < 100) {
		page += (uint64_t)stride;
		faults++;
	}
	return faults;
}

static const int64_t strides[] = {1, -1, 2, -2, 3, -3, 8, -17, 64, 512, -4096, STREAM_STRIDES};

START_TEST(runs_are_seen)
{
	struct streams streams = {0};
	int64_t stride = strides[_i];
	bool neighbours = stride == 1 || stride == -1;
	ck_assert_uint_eq(faults_needed(&streams, START, stride), neighbours ? 2 : 3);
	ck_assert_uint_eq(stream_active(&streams), 1);
	ck_assert_int_eq(streams.of[0].stride, stride);
	uint64_t next = streams.of[0].next;
	for (unsigned window = STREAM_FIRST; window < 256;) {
		ck_assert_uint_eq(streams.of[0].window, window);
		ck_assert(fault(&streams, next));
		next += (uint64_t)stride;
		ck_assert_uint_eq(streams.of[0].next, next);
		window *= 2;
	}
}
END_TEST

START_TEST(too_far_apart)
{
	struct streams streams = {0};
	ck_assert_uint_eq(faults_needed(&streams, START, STREAM_STRIDES + 1), 100);
	ck_assert_uint_eq(faults_needed(&streams, UINT64_C(1) << 40, -STREAM_STRIDES - 1), 100);
	ck_assert_uint_eq(stream_active(&streams), 0);
}
END_TEST

/* Run number i, its k-th page: all far from each other, at distances that make no run. */
static uint64_t interleaved(unsigned i, unsigned k, const int64_t *stride)
{
	return START * (uint64_t)(i + 1) * (i + 1) + (uint64_t)(stride[i] * (int64_t)k);
}

START_TEST(interleaved_runs)
{
	struct streams streams = {0};
	unsigned count = _i, runs = 0;
	for (unsigned k = 0; k < 12; k++)
		for (unsigned i = 0; i < count; i++)
			runs += fault(&streams, interleaved(i, k, strides));
	ck_assert_uint_eq(stream_active(&streams), count);
	/* Three faults each are enough, or four. */
	ck_assert_uint_ge(runs, count * 8);
}
END_TEST

/* Runs that lie at equal distances look like strides at first, and only then. */
START_TEST(equal_distances)
{
	struct streams streams = {0};
	unsigned misses = 0;
	for (unsigned k = 0; k < 100; k++)
		for (unsigned i = 0; i < 8; i++)
			misses += !fault(&streams, START + i * 8192 + k);
	ck_assert_uint_le(misses, 24);
}
END_TEST

START_TEST(random_faults_are_no_run)
{
	struct streams streams = {0};
	unsigned runs = 0;
	for (unsigned i = 0; i < 100000; i++)
		runs += fault(&streams, random_next(&draws) % 100000);
	/* Neighbours of the last 16 come up by chance: 2 * 16 in 100000, and what goes on. */
	ck_assert_uint_le(runs, 200);
}
END_TEST

/* A run that others have interrupted goes on where it was, and is not mistaken for what lies
 * around it. */
START_TEST(interrupted)
{
	struct streams streams = {0};
	bool run;
	faults_needed(&streams, START, 1);
	struct stream *stream = stream_fault(&streams, START + 2, 1, &run);
	while (stream->window < 128)
		ck_assert_ptr_eq(stream_fault(&streams, stream->next, 1, &run), stream);
	uint64_t next = stream->next;
	for (unsigned i = 0; i < 1000; i++)
		fault(&streams, START * 100 + random_next(&draws) % START);
	ck_assert_ptr_ne(stream_fault(&streams, next + 9, 1, &run), stream);
	ck_assert_ptr_ne(stream_fault(&streams, next - 9, 1, &run), stream);
	/* What was read ahead then may have gone. */
	stream->ahead = next + 100;
	ck_assert(fault(&streams, next));
	ck_assert_uint_eq(stream->ahead, next + 1);
}
END_TEST

/* One run more than are followed takes the place of the one that rests. */
START_TEST(the_idle_one_goes)
{
	struct streams streams = {0};
	const unsigned idle = 5;
	uint64_t start[STREAM_COUNT];
	for (unsigned i = 0; i < STREAM_COUNT; i++) {
		start[i] = START * (uint64_t)(i + 1) * (i + 1);
		ck_assert_uint_eq(faults_needed(&streams, start[i], 1), 2);
	}
	for (unsigned i = 0; i < STREAM_COUNT; i++)
		if (i != idle)
			ck_assert(fault(&streams, start[i] + 2));
	ck_assert_uint_eq(faults_needed(&streams, START / 2, 1), 2);
	ck_assert_uint_eq(stream_active(&streams), STREAM_COUNT);
	for (unsigned i = 0; i < STREAM_COUNT; i++)
		ck_assert_int_eq(fault(&streams, start[i] + (i == idle ? 2 : 3)), i != idle);
	ck_assert(fault(&streams, START / 2 + 2));
}
END_TEST

/* Many faults on one page, by many threads, are one. */
START_TEST(together)
{
	struct streams streams = {0};
	fault(&streams, START);
	for (unsigned i = 0; i < 2 * STREAM_FAULTS; i++)
		ck_assert(!fault(&streams, START * 5));
	ck_assert(fault(&streams, START + 1));
}
END_TEST

/* A fault that had to wait is seen anew, and nothing is learned from it but that others have
 * brought a run to its page. */
START_TEST(again)
{
	struct streams streams = {0};
	bool run;
	faults_needed(&streams, START, 1);
	fault(&streams, START * 5);
	const struct streams before = streams;
	for (unsigned i = 0; i < 100; i++) {
		ck_assert_ptr_eq(stream_again(&streams, START + 1, &run), &streams.of[0]);
		ck_assert(run);
		ck_assert_ptr_null(stream_again(&streams, START * 5, &run));
		ck_assert(!run);
		ck_assert_ptr_null(stream_again(&streams, START * 7, &run));
	}
	ck_assert_mem_eq(&streams, &before, sizeof streams);
	ck_assert_ptr_eq(stream_again(&streams, START + 2, &run), &streams.of[0]);
	ck_assert(run);
	ck_assert_uint_eq(streams.of[0].next, START + 3);
	ck_assert_ptr_eq(stream_again(&streams, START + 1, &run), &streams.of[0]);
	ck_assert(!run);
}
END_TEST

/* Threads share a run: pages come a little early or late. */
START_TEST(out_of_order)
{
	struct streams streams = {0};
	bool run;
	faults_needed(&streams, START, 2);
	struct stream *stream = &streams.of[0];
	while (stream->window < 32)
		fault(&streams, stream->next);
	uint64_t next = stream->next;
	ck_assert_ptr_eq(stream_fault(&streams, next + 8, 1, &run), stream);
	ck_assert(run);
	ck_assert_uint_eq(stream->next, next + 10);
	ck_assert_ptr_eq(stream_fault(&streams, next + 2, 1, &run), stream);
	ck_assert(!run);
	ck_assert_uint_eq(stream->next, next + 10);
	ck_assert_ptr_eq(stream_fault(&streams, next + 11, 1, &run), NULL);
}
END_TEST

START_TEST(advance)
{
	struct stream stream = {.next = 110, .ahead = 140, .stride = 10, .window = 4};
	ck_assert_int_eq(stream_lead(&stream), 3);
	stream_advance(&stream, 100, 95);
	stream_advance(&stream, 100, 125);
	ck_assert_uint_eq(stream.next, 110);
	stream_advance(&stream, 100, 130);
	ck_assert_uint_eq(stream.next, 130);
	ck_assert_int_eq(stream_lead(&stream), 1);
	stream = (struct stream){.next = 90, .ahead = 60, .stride = -10, .window = 4};
	ck_assert_int_eq(stream_lead(&stream), 3);
	stream_advance(&stream, 100, 70);
	ck_assert_uint_eq(stream.next, 70);
}
END_TEST

int main(void)
{
	draws.state = seed_get();
	Suite *suite = suite_create("stream");
	TCase *all = tcase_create("all");
	tcase_add_loop_test(all, runs_are_seen, 0, sizeof strides / sizeof *strides);
	tcase_add_test(all, too_far_apart);
	tcase_add_loop_test(all, interleaved_runs, 1, 9);
	tcase_add_test(all, equal_distances);
	tcase_add_test(all, random_faults_are_no_run);
	tcase_add_test(all, interrupted);
	tcase_add_test(all, the_idle_one_goes);
	tcase_add_test(all, together);
	tcase_add_test(all, again);
	tcase_add_test(all, out_of_order);
	tcase_add_test(all, advance);
	suite_add_tcase(suite, all);
	return suite_run(suite);
}
