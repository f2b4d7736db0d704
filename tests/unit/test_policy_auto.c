/* SPDX-License-Identifier: MIT */
/* auto: it finds the better policy, says so, and loses no frame on the way. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policies.h"
#include "subject.h"
#include "suite.h"

#define PAGES  400u
#define FRAMES 200u

/* ---- candidates that are watched --------------------------------------------------------- */

/* fifo and mru under other names. Of the instances that hold real frames, and not shadows, it is
 * counted how many frames came in. */
static struct pagerd_policy_ops watched[2];
static struct pagerd_policy *real[2];
static unsigned real_page_ins;

static int watched_create(unsigned i, const struct pagerd_policy_ops *ops,
			  struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	int error = ops->create(policy, env);
	if (!error && env->frame_limit == FRAMES)
		real[i] = *policy;
	return error;
}

static int fifo_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	return watched_create(0, &pagerd_policy_fifo, policy, env);
}

static int mru_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	return watched_create(1, &pagerd_policy_mru, policy, env);
}

static void fifo_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			 int prefetched)
{
	real_page_ins += policy == real[0];
	pagerd_policy_fifo.page_in(policy, frame, page, prefetched);
}

static void mru_page_in(struct pagerd_policy *policy, uint32_t frame, pagerd_page_t page,
			int prefetched)
{
	real_page_ins += policy == real[1];
	pagerd_policy_mru.page_in(policy, frame, page, prefetched);
}

/* fifo that has no bytes for each frame, but keeps its books in places of its own. */
#define PLACES 4u
static struct pagerd_policy_ops bare;
static unsigned char places[PLACES][4096 * sizeof(uint64_t)];
static unsigned places_taken;

static int bare_create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	struct pagerd_policy_env own = *env;
	ck_assert_uint_lt(places_taken, PLACES);
	own.frame_bytes = places[places_taken++];
	ck_assert_uint_le(env->frame_limit * pagerd_policy_fifo.frame_bytes, sizeof places[0]);
	return pagerd_policy_fifo.create(policy, &own);
}

static void watched_register(void)
{
	bare = pagerd_policy_fifo;
	bare.name = "bare";
	bare.frame_bytes = 0;
	bare.create = bare_create;
	policy_register(&bare);
	watched[0] = pagerd_policy_fifo;
	watched[0].name = "watched-fifo";
	watched[0].create = fifo_create;
	watched[0].page_in = fifo_page_in;
	watched[1] = pagerd_policy_mru;
	watched[1].name = "watched-mru";
	watched[1].create = mru_create;
	watched[1].page_in = mru_page_in;
	policy_register(&watched[0]);
	policy_register(&watched[1]);
}

/* ---- a simulator ------------------------------------------------------------------------- */

struct machine {
	const struct pagerd_policy_ops *ops;
	struct pagerd_policy *policy;
	void *frame_bytes;
	uint32_t frame_of[PAGES], page_of[FRAMES], used;
	uint32_t held;
	unsigned misses, notes;
	unsigned most_page_ins; /* of any call */
};

static void noted(void *context)
{
	struct machine *machine = context;
	machine->notes++;
}

static struct machine *machine_make_that_is_told(const char *spec, enum pagerd_uses uses)
{
	struct machine *machine = calloc(1, sizeof *machine);
	const char *parameters;
	char why[128] = "";
	machine->ops = pagerd_policy_find(spec, &parameters);
	machine->frame_bytes = calloc(FRAMES, machine->ops->frame_bytes);
	struct pagerd_policy_env env = {
		.frame_limit = FRAMES,
		.capacity_pages = FRAMES,
		.frame_bytes = machine->frame_bytes,
		.parameters = parameters,
		.why = why,
		.why_bytes = sizeof why,
		.uses = uses,
		.noted = noted,
		.noted_context = machine,
	};
	memset(machine->frame_of, 0xff, sizeof machine->frame_of);
	ck_assert_msg(machine->ops->create(&machine->policy, &env) == 0, "%s", why);
	return machine;
}

static struct machine *machine_make(const char *spec)
{
	return machine_make_that_is_told(spec, PAGERD_USES_ALL);
}

static void machine_end(struct machine *machine)
{
	machine->ops->destroy(machine->policy);
	free(machine->frame_bytes);
	free(machine);
}

/* After each call. */
static void machine_look(struct machine *machine)
{
	ck_assert_uint_eq(machine->ops->held(machine->policy), machine->held);
	if (real_page_ins > machine->most_page_ins)
		machine->most_page_ins = real_page_ins;
	real_page_ins = 0;
}

static uint32_t machine_evict(struct machine *machine)
{
	uint32_t frame = UINT32_MAX;
	ck_assert_uint_eq(machine->ops->victims(machine->policy, &frame, 1), 1);
	machine->held--;
	machine_look(machine);
	ck_assert_uint_lt(frame, FRAMES);
	machine->ops->page_out(machine->policy, frame);
	machine->frame_of[machine->page_of[frame]] = UINT32_MAX;
	return frame;
}

static void machine_refer(struct machine *machine, uint32_t page)
{
	uint32_t frame = machine->frame_of[page];
	if (frame != UINT32_MAX) {
		machine->ops->referenced(machine->policy, frame);
		machine_look(machine);
		return;
	}
	machine->misses++;
	frame = machine->used < FRAMES ? machine->used++ : machine_evict(machine);
	machine->page_of[frame] = page;
	machine->frame_of[page] = frame;
	machine->ops->page_in(machine->policy, frame, page, 0);
	machine->held++;
	machine_look(machine);
}

/* ---- tests ------------------------------------------------------------------------------- */

/* So many references, to all pages in turn. */
static void machine_loop(struct machine *machine, unsigned references)
{
	for (unsigned i = 0; i < references; i++)
		machine_refer(machine, i % PAGES);
}

/* Of a loop that does not fit, what came last has to leave. */
START_TEST(finds_what_is_better)
{
	struct machine *machine = machine_make("auto:of=lru+fifo+mru");
	ck_assert_str_eq(machine->ops->current(machine->policy), "lru");
	machine_loop(machine, 20 * PAGES);
	ck_assert_str_eq(machine->ops->current(machine->policy), "mru");
	ck_assert_uint_eq(machine->notes, 1);
	char note[400];
	ck_assert(machine->ops->note(machine->policy, note, sizeof note));
	ck_assert_msg(strstr(note, "from lru to mru") != NULL, "%s", note);
	ck_assert(!machine->ops->note(machine->policy, note, sizeof note));
	machine->misses = 0;
	machine_loop(machine, 10 * PAGES);
	/* Half of them, and one at each turn. */
	ck_assert_uint_le(machine->misses, 10 * (PAGES - FRAMES + 1));
	machine_end(machine);
}
END_TEST

/* And back, when the loop has become a set that moves. */
START_TEST(changes_its_mind)
{
	struct machine *machine = machine_make("auto:of=lru+mru");
	machine_loop(machine, 20 * PAGES);
	ck_assert_str_eq(machine->ops->current(machine->policy), "mru");
	random_start(7);
	for (unsigned i = 0; i < 200 * PAGES; i++)
		machine_refer(machine, (i / 20 + random_below(FRAMES / 2)) % PAGES);
	ck_assert_str_eq(machine->ops->current(machine->policy), "lru");
	ck_assert_uint_eq(machine->notes, 2);
	machine_end(machine);
}
END_TEST

/* Where no uses are seen it begins with another one. */
START_TEST(begins_by_what_is_seen)
{
	static const char *const first[] = {"w-tinylfu", "w-tinylfu", "car"};
	for (unsigned uses = PAGERD_USES_ALL; uses <= PAGERD_USES_NONE; uses++) {
		struct machine *machine = machine_make_that_is_told("auto", (enum pagerd_uses)uses);
		ck_assert_str_eq(machine->ops->current(machine->policy), first[uses]);
		machine_end(machine);
	}
}
END_TEST

/* Uses of which only some are seen: of the resident pages one in four. What was chosen stays. */
START_TEST(is_not_misled_by_what_it_does_not_see)
{
	struct machine *machine =
		machine_make_that_is_told("auto:of=lru+clock+lfu", PAGERD_USES_SOME);
	random_start(7);
	for (unsigned i = 0; i < 1000 * PAGES; i++) {
		uint32_t page = random_below(8) ? random_below(FRAMES) : random_below(PAGES);
		if (machine->frame_of[page] == UINT32_MAX || random_below(4) == 0)
			machine_refer(machine, page);
	}
	ck_assert_uint_le(machine->notes, 3);
	machine_end(machine);
}
END_TEST

/* Among those that do the same there is nothing to choose. */
START_TEST(stays_with_what_is_as_good)
{
	struct machine *machine = machine_make("auto:of=lru+fifo+random");
	random_start(7);
	for (unsigned i = 0; i < 500 * PAGES; i++)
		machine_refer(machine, random_below(PAGES));
	ck_assert_str_eq(machine->ops->current(machine->policy), "lru");
	ck_assert_uint_eq(machine->notes, 0);
	machine_end(machine);
}
END_TEST

/* The frames move a few at each call, and one comes in besides. */
START_TEST(moves_a_few_at_a_time)
{
	struct machine *machine = machine_make("auto:of=watched-fifo+watched-mru");
	machine_loop(machine, 20 * PAGES);
	ck_assert_str_eq(machine->ops->current(machine->policy), "watched-mru");
	ck_assert_uint_gt(machine->most_page_ins, 2);
	ck_assert_uint_le(machine->most_page_ins, 9);
	machine_end(machine);
}
END_TEST

/* All frames come out, each once, however far a switch has come. */
START_TEST(gives_all_back)
{
	uint32_t frames[FRAMES];
	for (unsigned length = 0; length < 4 * PAGES; length += 7) {
		struct machine *machine = machine_make("auto:of=fifo+mru,cost=1,margin=0");
		bool seen[FRAMES] = {false};
		machine_loop(machine, PAGES + length);
		uint32_t taken = machine->ops->victims(machine->policy, frames, FRAMES);
		ck_assert_uint_eq(taken, FRAMES);
		ck_assert_uint_eq(machine->ops->held(machine->policy), 0);
		for (uint32_t i = 0; i < taken; i++) {
			ck_assert(!seen[frames[i]]);
			seen[frames[i]] = true;
		}
		machine_end(machine);
	}
}
END_TEST

/* A candidate need not have any state for each frame. */
START_TEST(takes_who_has_no_frame_bytes)
{
	struct machine *machine = machine_make("auto:of=bare+lru");
	machine_loop(machine, 2 * PAGES);
	ck_assert_uint_eq(machine->held, FRAMES);
	machine_end(machine);
}
END_TEST

int main(void)
{
	watched_register();
	Suite *suite = suite_create("policy_auto");
	TCase *tcase = tcase_create("auto");
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, finds_what_is_better);
	tcase_add_test(tcase, changes_its_mind);
	tcase_add_test(tcase, stays_with_what_is_as_good);
	tcase_add_test(tcase, begins_by_what_is_seen);
	tcase_add_test(tcase, is_not_misled_by_what_it_does_not_see);
	tcase_add_test(tcase, moves_a_few_at_a_time);
	tcase_add_test(tcase, gives_all_back);
	tcase_add_test(tcase, takes_who_has_no_frame_bytes);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
