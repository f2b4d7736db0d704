/* SPDX-License-Identifier: MIT */
/* Policies: cases worked by hand, and long random runs beside slow, obvious references. */
#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "subject.h"
#include "suite.h"

static void page_in(struct subject *subject, uint32_t frame)
{
	subject->ops->page_in(subject->policy, frame, frame, 0);
}

static void prefetch(struct subject *subject, uint32_t frame)
{
	subject->ops->page_in(subject->policy, frame, frame, 1);
}

static void refer(struct subject *subject, uint32_t frame, unsigned times)
{
	while (times--)
		subject->ops->referenced(subject->policy, frame);
}

/* All that is held leaves in this order: expected ends with -1. */
static void expect_order(struct subject *subject, const int *expected)
{
	for (; *expected >= 0; expected++)
		ck_assert_int_eq((int)victim(subject), *expected);
	ck_assert_uint_eq(victim(subject), UINT32_MAX);
	ck_assert_uint_eq(subject->ops->held(subject->policy), 0);
}
#define EXPECT_ORDER(subject, ...) expect_order(subject, (const int[]){__VA_ARGS__, -1})

/* ---- the registry and parameters --------------------------------------------------------- */

START_TEST(find_by_name)
{
	const char *parameters = "untouched";
	ck_assert_ptr_null(pagerd_policy_find("", &parameters));
	ck_assert_ptr_null(pagerd_policy_find(":", &parameters));
	ck_assert_ptr_null(pagerd_policy_find("lr", &parameters));
	ck_assert_ptr_null(pagerd_policy_find("lruu", &parameters));
	ck_assert_ptr_null(pagerd_policy_find("LRU", &parameters));
	ck_assert_str_eq(parameters, "untouched");
	for (size_t i = 0; pagerd_policies[i]; i++) {
		const struct pagerd_policy_ops *ops = pagerd_policies[i];
		ck_assert_ptr_eq(pagerd_policy_find(ops->name, &parameters), ops);
		ck_assert_ptr_null(parameters);
	}
	ck_assert_str_eq(pagerd_policy_find("lfu:decay=3", &parameters)->name, "lfu");
	ck_assert_str_eq(parameters, "decay=3");
	ck_assert_str_eq(pagerd_policy_find("lru:", &parameters)->name, "lru");
	ck_assert_str_eq(parameters, "");
}
END_TEST

START_TEST(ops_are_complete)
{
	for (size_t i = 0; pagerd_policies[i]; i++) {
		const struct pagerd_policy_ops *ops = pagerd_policies[i];
		ck_assert_uint_eq(ops->version, PAGERD_POLICY_VERSION);
		ck_assert(ops->name && ops->summary && ops->frame_bytes);
		ck_assert(ops->create && ops->destroy && ops->page_in && ops->referenced);
		ck_assert(ops->victims && ops->keep && ops->page_out);
		ck_assert(ops->restore);
		ck_assert(ops->forget && ops->held);
		ops->destroy(NULL);
	}
}
END_TEST

static int create_error(const char *spec, char *why, size_t why_bytes)
{
	uint64_t frame_bytes[8] = {0};
	const char *parameters;
	const struct pagerd_policy_ops *ops = pagerd_policy_find(spec, &parameters);
	struct pagerd_policy *policy = NULL;
	struct pagerd_policy_env env = {
		.frame_limit = 1,
		.capacity_pages = 1,
		.frame_bytes = frame_bytes,
		.parameters = parameters,
		.why = why,
		.why_bytes = why_bytes,
	};
	int error = ops->create(&policy, &env);
	if (!error)
		ops->destroy(policy);
	else
		ck_assert_ptr_null(policy);
	return error;
}

static const struct {
	const char *spec, *names; /* NULL: accepted */
} parameter_cases[] = {
	{"fifo:", NULL},
	{"lru:", NULL},
	{"lfu:decay=0", NULL},
	{"lfu:decay=10", NULL},
	{"lfu:decay=4294967295", NULL},
	{"fifo:x=1", "'x'"},
	{"lru:decay=1", "'decay'"},
	{"lfu:decy=1", "'decy'"},
	{"lfu:decay1=1", "'decay1'"},
	{"lfu:dec=1", "'dec'"},
	{"lfu:=1", "''"},
	{"lfu:decay", "'decay'"},
	{"lfu:decay=", "'decay'"},
	{"lfu:decay=-1", "'-1'"},
	{"lfu:decay=+1", "'+1'"},
	{"lfu:decay= 1", "' 1'"},
	{"lfu:decay=1x", "'1x'"},
	{"lfu:decay=0x1", "'0x1'"},
	{"lfu:decay=1.5", "'1.5'"},
	{"lfu:decay=4294967296", "4294967295"},
	{"lfu:decay=18446744073709551616", "'decay'"},
	{"lfu:decay=99999999999999999999999", "'decay'"},
	{"lfu:decay=1,", "''"},
	{"lfu:,decay=1", "''"},
	{"lfu:decay=1,k=2", "'k'"},
	{"lfu:decay=1,decay=2", "twice"},
	{"lfu:ghosts=100,decay=3", NULL},
	{"lfu:ghosts=1001", "'ghosts'"},
	{"random:seed=18446744073709551615", NULL},
	{"random:sed=1", "'sed'"},
	{"mru:k=1", "'k'"},
	{"clock:bits=2", "'bits'"},
	{"sieve:k=1", "'k'"},
	{"2q:in=30,out=60", NULL},
	{"2q:in=100", "'in'"},
	{"2q:kin=1", "'kin'"},
	{"arc:p=1", "'p'"},
	{"car:p=1", "'p'"},
	{"lirs:hir=5,ghosts=100", NULL},
	{"lirs:lir=5", "'lir'"},
	{"clock-pro:cold=10", NULL},
	{"clock-pro:hot=10", "'hot'"},
	{"s3fifo:small=20,ghosts=100,move=1", NULL},
	{"s3fifo:move=4", "'move'"},
	{"w-tinylfu:window=20,protected=50,sample=5", NULL},
	{"w-tinylfu:sample=0", "'sample'"},
	{"auto:of=lru", NULL},
	{"auto:margin=5,of=lru+lfu:decay=3+mru,cost=100,sample=64", NULL},
	{"auto:of=", "''"},
	{"auto:of", "''"},
	{"auto:of=lru+", "''"},
	{"auto:of=lru+lrx", "'lrx'"},
	{"auto:of=lru+lfu:dec=3", "'dec'"},
	{"auto:of=lru+auto", "'auto'"},
	{"auto:of=lru+min", "future"},
	{"auto:of=lru,of=lru", "twice"},
	{"auto:off=lru", "'off'"},
	{"auto:sample=1", "'sample'"},
};

START_TEST(parameters_are_checked)
{
	const char *spec = parameter_cases[_i].spec, *names = parameter_cases[_i].names;
	char why[128] = "";
	ck_assert_int_eq(create_error(spec, why, sizeof why), names ? -EINVAL : 0);
	if (names)
		ck_assert_msg(strstr(why, names), "%s: %s", spec, why);
	else
		ck_assert_str_eq(why, "");
}
END_TEST

START_TEST(reason_is_cut_to_its_room)
{
	char why[4] = "abc";
	ck_assert_int_eq(create_error("lfu:unknown=1", why, 3), -EINVAL);
	ck_assert_uint_eq(strlen(why), 2);
	ck_assert_int_eq(create_error("lfu:unknown=1", NULL, 0), -EINVAL);
}
END_TEST

/* ---- worked by hand ---------------------------------------------------------------------- */

/* Run a string of one-digit pages through count frames; returns the misses. */
static unsigned misses(const char *spec, uint32_t count, const char *pages)
{
	struct subject subject = subject_make(spec, count, count);
	uint32_t frame_of[10], used = 0;
	char page_of[10] = "";
	unsigned missed = 0;
	memset(frame_of, 0xff, sizeof frame_of);
	for (; *pages; pages++) {
		unsigned page = (unsigned)(*pages - '0');
		if (frame_of[page] != UINT32_MAX) {
			subject.ops->referenced(subject.policy, frame_of[page]);
			continue;
		}
		missed++;
		uint32_t frame = used;
		if (used < count) {
			used++;
		} else {
			frame = victim(&subject);
			subject.ops->page_out(subject.policy, frame);
			frame_of[(unsigned)page_of[frame]] = UINT32_MAX;
		}
		subject.ops->page_in(subject.policy, frame, page, 0);
		frame_of[page] = frame;
		page_of[frame] = (char)page;
	}
	subject_end(&subject);
	return missed;
}

START_TEST(belady_anomaly)
{
	ck_assert_uint_eq(misses("fifo", 3, "123412512345"), 9);
	ck_assert_uint_eq(misses("fifo", 4, "123412512345"), 10);
	ck_assert_uint_eq(misses("lru", 3, "123412512345"), 10);
	ck_assert_uint_eq(misses("lru", 4, "123412512345"), 8);
}
END_TEST

/* The loop over 2, 3, 4 turns over one frame under lfu, and drives 1 out under lru. */
START_TEST(lfu_protects_the_frequent)
{
	ck_assert_uint_eq(misses("lfu", 2, "111234231"), 6);
	ck_assert_uint_eq(misses("lru", 2, "111234231"), 7);
}
END_TEST

/* 1 was used eight times, and is not used again. Without decay 2 and 3 drive each other out for
 * ever. With decay=1 and two frames all is halved after every two uses: 1 never gets above 3 and
 * ends at 1, so 3 drives it out, and both stay. */
START_TEST(lfu_decay_forgets_old_favourites)
{
	ck_assert_uint_eq(misses("lfu", 2, "1111111123232323"), 9);
	ck_assert_uint_eq(misses("lfu:decay=1", 2, "1111111123232323"), 3);
}
END_TEST

START_TEST(fifo_order)
{
	struct subject subject = subject_make("fifo", 8, 8);
	for (uint32_t i = 0; i < 6; i++)
		page_in(&subject, i);
	refer(&subject, 0, 3);
	refer(&subject, 1, 1);
	ck_assert_uint_eq(victim(&subject), 0);
	subject.ops->keep(subject.policy, 0);
	subject.ops->forget(subject.policy, 3);
	subject.ops->cold(subject.policy, 4);
	prefetch(&subject, 6);
	ck_assert_uint_eq(subject.ops->held(subject.policy), 6);
	EXPECT_ORDER(&subject, 4, 1, 2, 5, 0, 6);
	subject_end(&subject);
}
END_TEST

START_TEST(lru_order)
{
	struct subject subject = subject_make("lru", 8, 8);
	for (uint32_t i = 0; i < 6; i++)
		page_in(&subject, i);
	refer(&subject, 0, 1);
	refer(&subject, 2, 1);
	ck_assert_uint_eq(victim(&subject), 1);
	ck_assert_uint_eq(victim(&subject), 3);
	refer(&subject, 3, 1);
	subject.ops->keep(subject.policy, 1);
	subject.ops->page_out(subject.policy, 3);
	subject.ops->cold(subject.policy, 2);
	prefetch(&subject, 3);
	EXPECT_ORDER(&subject, 2, 4, 5, 0, 1, 3);
	subject_end(&subject);
}
END_TEST

START_TEST(lfu_order)
{
	struct subject subject = subject_make("lfu", 8, 8);
	for (uint32_t i = 0; i < 6; i++)
		page_in(&subject, i);
	refer(&subject, 0, 2);
	refer(&subject, 1, 1);
	refer(&subject, 2, 1);
	/* 3 4 5 have 1, 1 2 have 2, 0 has 3. */
	ck_assert_uint_eq(victim(&subject), 3);
	refer(&subject, 3, 9);
	subject.ops->keep(subject.policy, 3); /* to 2, behind 2 */
	subject.ops->cold(subject.policy, 0);
	EXPECT_ORDER(&subject, 0, 4, 5, 1, 2, 3);
	subject_end(&subject);
}
END_TEST

/* The first use of a page read ahead makes it equal to one that was asked for. */
START_TEST(lfu_prefetched)
{
	struct subject subject = subject_make("lfu", 8, 8);
	prefetch(&subject, 0);
	page_in(&subject, 1);
	prefetch(&subject, 2);
	page_in(&subject, 3);
	refer(&subject, 0, 1); /* 1, behind 3 */
	refer(&subject, 2, 2); /* 2 */
	refer(&subject, 1, 1); /* 2, behind 2 */
	EXPECT_ORDER(&subject, 3, 0, 2, 1);
	prefetch(&subject, 4);
	page_in(&subject, 5);
	ck_assert_uint_eq(victim(&subject), 4);
	subject.ops->keep(subject.policy, 4); /* its first use: 1 */
	refer(&subject, 5, 1);
	page_in(&subject, 6);
	EXPECT_ORDER(&subject, 4, 6, 5);
	subject_end(&subject);
}
END_TEST

/* decay=1, capacity 10: the tenth use halves. */
START_TEST(lfu_decay_merges_in_order)
{
	struct subject subject = subject_make("lfu:decay=1", 8, 10);
	page_in(&subject, 0);
	page_in(&subject, 1);
	page_in(&subject, 2);
	page_in(&subject, 3);
	refer(&subject, 0, 2); /* 3 */
	refer(&subject, 1, 1); /* 2 */
	refer(&subject, 2, 2); /* 3 */
	refer(&subject, 3, 1); /* 2; now 1 3 | 0 2 become one list of frequency 1 */
	refer(&subject, 0, 1); /* 2 */
	page_in(&subject, 4);  /* 1 */
	EXPECT_ORDER(&subject, 1, 3, 2, 4, 0);
	subject_end(&subject);
}
END_TEST

/* A frame that is not touched during many halvings comes to 0, and counts on from there. */
START_TEST(lfu_decay_to_nothing)
{
	struct subject subject = subject_make("lfu:decay=1", 4, 1);
	page_in(&subject, 0);
	subject.ops->resize(subject.policy, 1000);
	refer(&subject, 0, 900);
	subject.ops->resize(subject.policy, 1);
	page_in(&subject, 1);
	refer(&subject, 1, 100); /* each use: plus one, then halved: 0 */
	subject.ops->resize(subject.policy, 1000);
	page_in(&subject, 2);  /* 1 */
	refer(&subject, 0, 1); /* 1, behind 2 */
	EXPECT_ORDER(&subject, 1, 2, 0);
	subject_end(&subject);
}
END_TEST

/* At the highest frequency the order is that of arrival. */
START_TEST(lfu_frequency_ends)
{
	struct subject subject = subject_make("lfu", 4, 4);
	for (uint32_t i = 0; i < 2; i++)
		page_in(&subject, i);
	refer(&subject, 1, 16777220);
	refer(&subject, 0, 16777213); /* one short of the end */
	ck_assert_uint_eq(victim(&subject), 0);
	subject.ops->restore(subject.policy, 0);
	refer(&subject, 0, 10);
	EXPECT_ORDER(&subject, 1, 0);
	subject_end(&subject);
}
END_TEST

START_TEST(victims_in_batches)
{
	for (size_t i = 0; pagerd_policies[i]; i++) {
		struct subject subject = subject_make(pagerd_policies[i]->name, 10, 10);
		uint32_t frames[16];
		ck_assert_uint_eq(subject.ops->victims(subject.policy, frames, 16), 0);
		for (uint32_t frame = 0; frame < 10; frame++)
			page_in(&subject, frame);
		ck_assert_uint_eq(subject.ops->victims(subject.policy, frames, 0), 0);
		ck_assert_uint_eq(subject.ops->victims(subject.policy, frames, 4), 4);
		ck_assert_uint_eq(subject.ops->held(subject.policy), 6);
		ck_assert_uint_eq(subject.ops->victims(subject.policy, frames + 4, 12), 6);
		ck_assert_uint_eq(subject.ops->held(subject.policy), 0);
		subject_end(&subject);
	}
}
END_TEST

/* A frame that the policy does not hold, isolated or never heard of, is only noticed. */
START_TEST(uses_of_frames_not_held)
{
	for (size_t i = 0; pagerd_policies[i]; i++) {
		struct subject subject = subject_make(pagerd_policies[i]->name, 4, 4);
		page_in(&subject, 0);
		page_in(&subject, 1);
		uint32_t isolated = victim(&subject), held = 1 - isolated;
		for (uint32_t frame = 0; frame < 4; frame++) {
			if (frame == held)
				continue;
			refer(&subject, frame, 2);
			refer(&subject, frame, 1);
		}
		ck_assert_uint_eq(subject.ops->held(subject.policy), 1);
		subject.ops->forget(subject.policy, isolated);
		refer(&subject, isolated, 1);
		page_in(&subject, isolated);
		ck_assert_uint_eq(subject.ops->held(subject.policy), 2);
		ck_assert_uint_eq(victim(&subject) + victim(&subject), 1);
		ck_assert_uint_eq(victim(&subject), UINT32_MAX);
		subject_end(&subject);
	}
}
END_TEST

/* The same seed gives the same victims, and another one others. */
START_TEST(random_by_seed)
{
	static const char *const specs[] = {"random", "random:seed=1", "random:seed=2"};
	uint32_t frames[3][100];
	for (int i = 0; i < 3; i++) {
		struct subject subject = subject_make(specs[i], 100, 100);
		for (uint32_t frame = 0; frame < 100; frame++)
			page_in(&subject, frame);
		subject.ops->victims(subject.policy, frames[i], 100);
		subject_end(&subject);
	}
	ck_assert_mem_eq(frames[0], frames[1], sizeof frames[0]);
	ck_assert_mem_ne(frames[0], frames[2], sizeof frames[0]);
}
END_TEST

/* Each of 8 pages is the first to leave in about an eighth of the cases. */
START_TEST(random_is_even)
{
	unsigned first[8] = {0};
	struct subject subject = subject_make("random", 8, 8);
	for (uint32_t frame = 0; frame < 8; frame++)
		page_in(&subject, frame);
	for (int i = 0; i < 80000; i++) {
		uint32_t frame = victim(&subject);
		first[frame]++;
		subject.ops->keep(subject.policy, frame);
	}
	for (int i = 0; i < 8; i++)
		ck_assert_msg(first[i] > 9500 && first[i] < 10500, "%d: %u", i, first[i]);
	subject_end(&subject);
}
END_TEST

/* One that knows no future cannot be made where nobody does. */
START_TEST(min_needs_the_future)
{
	char why[128] = "";
	ck_assert_int_eq(create_error("min", why, sizeof why), -EINVAL);
	ck_assert_str_eq(why, "it has to know the future; only the simulator can run it");
}
END_TEST

/* ---- references -------------------------------------------------------------------------- */

#define MODEL_FRAMES 64u

enum model_kind {
	MODEL_FIFO,
	MODEL_LRU,
	MODEL_LFU,
};

enum model_state {
	MODEL_UNKNOWN,
	MODEL_HELD,
	MODEL_ISOLATED,
};

/* Every frame has a frequency (0 but for lfu) and an order; the victim is the least of both. */
struct model {
	enum model_kind kind;
	uint64_t decay, capacity, clock;
	int64_t first, last; /* orders given out so far, at either end */
	struct model_frame {
		enum model_state state;
		uint64_t frequency;
		int64_t order;
		bool prefetched;
	} frames[MODEL_FRAMES];
};

static int model_least(const struct model *model)
{
	int least = -1;
	for (int i = 0; i < (int)MODEL_FRAMES; i++) {
		const struct model_frame *frame = &model->frames[i];
		if (frame->state != MODEL_HELD)
			continue;
		const struct model_frame *best = least < 0 ? frame : &model->frames[least];
		if (least < 0 || frame->frequency < best->frequency ||
		    (frame->frequency == best->frequency && frame->order < best->order))
			least = i;
	}
	return least;
}

static void model_halve(struct model *model)
{
	/* Take all in order, renumber, then halve: the order among those that become equal is the
	 * one they had. */
	int sorted[MODEL_FRAMES], count = 0, least;
	while ((least = model_least(model)) >= 0) {
		sorted[count++] = least;
		model->frames[least].state = MODEL_UNKNOWN;
	}
	for (int i = 0; i < count; i++) {
		model->frames[sorted[i]].state = MODEL_HELD;
		model->frames[sorted[i]].order = ++model->last;
	}
	for (unsigned i = 0; i < MODEL_FRAMES; i++)
		model->frames[i].frequency /= 2;
}

static void model_tick(struct model *model)
{
	model->clock++;
	if (model->decay && model->clock >= model->decay * model->capacity) {
		model->clock = 0;
		model_halve(model);
	}
}

static void model_page_in(struct model *model, uint32_t number, bool prefetched)
{
	struct model_frame *frame = &model->frames[number];
	ck_assert_int_eq(frame->state, MODEL_UNKNOWN);
	*frame = (struct model_frame){
		.state = MODEL_HELD,
		.frequency = model->kind == MODEL_LFU,
		.order = ++model->last,
		.prefetched = prefetched,
	};
	model_tick(model);
}

static void model_use(struct model *model, struct model_frame *frame)
{
	if (model->kind == MODEL_LFU)
		frame->frequency = frame->prefetched ? 1 : frame->frequency + 1;
	frame->prefetched = false;
	frame->order = ++model->last;
	frame->state = MODEL_HELD;
	model_tick(model);
}

static void model_referenced(struct model *model, uint32_t number)
{
	if (model->kind != MODEL_FIFO && model->frames[number].state == MODEL_HELD)
		model_use(model, &model->frames[number]);
}

static void model_cold(struct model *model, uint32_t number)
{
	model->frames[number].frequency = 0;
	model->frames[number].prefetched = false;
	model->frames[number].order = --model->first;
}

static uint32_t model_held(const struct model *model)
{
	uint32_t held = 0;
	for (unsigned i = 0; i < MODEL_FRAMES; i++)
		held += model->frames[i].state == MODEL_HELD;
	return held;
}

/* ---- random runs ------------------------------------------------------------------------- */

static void random_victims(struct subject *subject, struct model *model, unsigned step)
{
	uint32_t frames[MODEL_FRAMES], count = 1 + random_below(random_below(8) ? 3 : 12);
	uint32_t taken = 0;
	if (!random_below(3)) { /* what is restored is as if it had never been picked */
		taken = subject->ops->victims(subject->policy, frames,
					      1 + random_below(MODEL_FRAMES));
		while (taken)
			subject->ops->restore(subject->policy, frames[--taken]);
	}
	taken = subject->ops->victims(subject->policy, frames, count);
	for (uint32_t i = 0; i < count; i++) {
		int least = model_least(model);
		if (least < 0) {
			ck_assert_msg(taken == i, "seed %llu step %u: %u victims, not %u",
				      (unsigned long long)seed, step, taken, i);
			return;
		}
		ck_assert_msg(i < taken && frames[i] == (uint32_t)least,
			      "seed %llu step %u: victim %u of %u is %u, not %d",
			      (unsigned long long)seed, step, i, taken,
			      i < taken ? frames[i] : UINT32_MAX, least);
		model->frames[least].state = MODEL_ISOLATED;
	}
	ck_assert_uint_eq(taken, count);
}

static void random_step(struct subject *subject, struct model *model, uint32_t number,
			unsigned step)
{
	const struct pagerd_policy_ops *ops = subject->ops;
	struct model_frame *frame = &model->frames[number];
	uint32_t choice = random_below(100);
	if (choice < 55) { /* of any frame, also of those it does not hold */
		ops->referenced(subject->policy, number);
		model_referenced(model, number);
	} else if (choice < 62) {
		random_victims(subject, model, step);
	} else if (choice == 62) {
		uint32_t capacity = 1 + random_below(MODEL_FRAMES);
		if (ops->resize)
			ops->resize(subject->policy, capacity);
		model->capacity = capacity;
	} else if (frame->state == MODEL_UNKNOWN) {
		bool prefetched = !random_below(4);
		ops->page_in(subject->policy, number, number, prefetched);
		model_page_in(model, number, prefetched);
	} else if (frame->state == MODEL_ISOLATED && choice < 80) {
		ops->keep(subject->policy, number);
		model_use(model, frame);
	} else if (frame->state == MODEL_ISOLATED || choice < 66) {
		if (frame->state == MODEL_ISOLATED && choice < 97)
			ops->page_out(subject->policy, number);
		else
			ops->forget(subject->policy, number);
		frame->state = MODEL_UNKNOWN;
	} else if (choice < 69) {
		ops->cold(subject->policy, number);
		model_cold(model, number);
	}
}

static const struct {
	const char *spec;
	enum model_kind kind;
	uint64_t decay;
} random_cases[] = {
	{"fifo", MODEL_FIFO, 0},       {"lru", MODEL_LRU, 0},
	{"lfu", MODEL_LFU, 0},	       {"lfu:decay=1", MODEL_LFU, 1},
	{"lfu:decay=4", MODEL_LFU, 4}, {"lfu:decay=100", MODEL_LFU, 100},
};

START_TEST(random_against_reference)
{
	random_start(seed + (uint64_t)_i);
	for (unsigned round = 0; round < 20; round++) {
		uint32_t frames = 1 + random_below(MODEL_FRAMES),
			 capacity = 1 + random_below(frames);
		/* Where some frames are used more, frequencies spread over many lists. */
		uint32_t hot = 1 + random_below(frames);
		struct subject subject = subject_make(random_cases[_i].spec, frames, capacity);
		struct model model = {
			.kind = random_cases[_i].kind,
			.decay = random_cases[_i].decay,
			.capacity = capacity,
		};
		for (unsigned step = 0; step < 20000; step++) {
			random_step(&subject, &model, random_below(step & 1 ? hot : frames), step);
			ck_assert_msg(subject.ops->held(subject.policy) == model_held(&model),
				      "seed %llu round %u step %u: held", (unsigned long long)seed,
				      round, step);
		}
		while (model_held(&model))
			random_victims(&subject, &model, UINT32_MAX);
		ck_assert_uint_eq(victim(&subject), UINT32_MAX);
		subject_end(&subject);
	}
}
END_TEST

int main(void)
{
	seed_start();
	Suite *suite = suite_create("policy");
	TCase *registry = tcase_create("registry");
	tcase_add_test(registry, find_by_name);
	tcase_add_test(registry, ops_are_complete);
	tcase_add_loop_test(registry, parameters_are_checked, 0,
			    sizeof parameter_cases / sizeof *parameter_cases);
	tcase_add_test(registry, reason_is_cut_to_its_room);
	suite_add_tcase(suite, registry);
	TCase *by_hand = tcase_create("by hand");
	tcase_set_timeout(by_hand, 60);
	tcase_add_test(by_hand, belady_anomaly);
	tcase_add_test(by_hand, lfu_protects_the_frequent);
	tcase_add_test(by_hand, lfu_decay_forgets_old_favourites);
	tcase_add_test(by_hand, fifo_order);
	tcase_add_test(by_hand, lru_order);
	tcase_add_test(by_hand, lfu_order);
	tcase_add_test(by_hand, lfu_prefetched);
	tcase_add_test(by_hand, lfu_decay_merges_in_order);
	tcase_add_test(by_hand, lfu_decay_to_nothing);
	tcase_add_test(by_hand, lfu_frequency_ends);
	tcase_add_test(by_hand, victims_in_batches);
	tcase_add_test(by_hand, uses_of_frames_not_held);
	tcase_add_test(by_hand, random_by_seed);
	tcase_add_test(by_hand, random_is_even);
	tcase_add_test(by_hand, min_needs_the_future);
	suite_add_tcase(suite, by_hand);
	TCase *random_runs = tcase_create("random");
	tcase_set_timeout(random_runs, 120);
	tcase_add_loop_test(random_runs, random_against_reference, 0,
			    sizeof random_cases / sizeof *random_cases);
	suite_add_tcase(suite, random_runs);

	return suite_run(suite);
}
