/* SPDX-License-Identifier: MIT */
/*
 * Every policy as the daemon drives it, at random: victims in batches, isolated for a while, kept,
 * restored or evicted; pages read ahead, forgotten, advised cold; another capacity, another policy.
 */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "effort.h"
#include "subject.h"
#include "suite.h"

#define FRAMES 96u
#define PAGES  400u

enum state { FREE, HELD, ISOLATED };

struct abuse {
	struct subject subject;
	enum state states[FRAMES];
	uint32_t page_of[FRAMES];
	bool resident[PAGES];
	uint32_t held;
	uint32_t batches[FRAMES], isolated; /* in the order of isolation */
	unsigned step;
};

#define CHECK(good, abuse)                                                                         \
	ck_assert_msg(good, "PAGERD_SEED=%llu %s step %u: " #good, (unsigned long long)seed,       \
		      (abuse)->subject.ops->name, (abuse)->step)

static void isolated_remove(struct abuse *abuse, uint32_t i)
{
	abuse->isolated--;
	for (; i < abuse->isolated; i++)
		abuse->batches[i] = abuse->batches[i + 1];
}

static void frame_set(struct abuse *abuse, uint32_t frame, enum state state)
{
	abuse->held += state == HELD;
	abuse->held -= abuse->states[frame] == HELD;
	abuse->states[frame] = state;
	if (state == FREE)
		abuse->resident[abuse->page_of[frame]] = false;
}

static void abuse_page_in(struct abuse *abuse, uint32_t frame)
{
	const struct pagerd_policy_ops *ops = abuse->subject.ops;
	uint32_t page = random_below(1 + random_below(PAGES));
	if (abuse->resident[page])
		return;
	bool prefetched = !random_below(4);
	if (!prefetched && ops->demand && random_below(8))
		ops->demand(abuse->subject.policy, page);
	if (!random_below(50)) /* it could not be read */
		return;
	abuse->page_of[frame] = page;
	abuse->resident[page] = true;
	ops->page_in(abuse->subject.policy, frame, page, prefetched);
	frame_set(abuse, frame, HELD);
}

static void abuse_victims(struct abuse *abuse, uint32_t count)
{
	uint32_t frames[FRAMES];
	uint32_t wanted = count < abuse->held ? count : abuse->held;
	uint32_t taken = abuse->subject.ops->victims(abuse->subject.policy, frames, count);
	CHECK(taken == wanted, abuse);
	for (uint32_t i = 0; i < taken; i++) {
		CHECK(frames[i] < FRAMES && abuse->states[frames[i]] == HELD, abuse);
		frame_set(abuse, frames[i], ISOLATED);
		abuse->batches[abuse->isolated++] = frames[i];
	}
}

/* What is restored at once, the last first, comes again in the same order. */
static void abuse_restore(struct abuse *abuse)
{
	const struct subject *subject = &abuse->subject;
	uint32_t first[FRAMES], again[FRAMES], count = 1 + random_below(FRAMES);
	count = subject->ops->victims(subject->policy, first, count);
	for (uint32_t i = count; i-- > 0;)
		subject->ops->restore(subject->policy, first[i]);
	CHECK(subject->ops->held(subject->policy) == abuse->held, abuse);
	CHECK(subject->ops->victims(subject->policy, again, count) == count, abuse);
	for (uint32_t i = count; i-- > 0;) {
		CHECK(again[i] == first[i], abuse);
		subject->ops->restore(subject->policy, again[i]);
	}
}

/* The oldest isolated ones first, mostly, as writes end. */
static void abuse_return(struct abuse *abuse)
{
	const struct pagerd_policy_ops *ops = abuse->subject.ops;
	struct pagerd_policy *policy = abuse->subject.policy;
	uint32_t i = random_below(3) ? 0 : random_below(abuse->isolated);
	uint32_t frame = abuse->batches[i], choice = random_below(10);
	isolated_remove(abuse, i);
	if (choice < 6)
		ops->page_out(policy, frame);
	else if (choice < 7)
		ops->forget(policy, frame);
	else if (choice < 9)
		ops->keep(policy, frame);
	else
		ops->restore(policy, frame);
	frame_set(abuse, frame, choice < 7 ? FREE : HELD);
}

static void abuse_held(struct abuse *abuse, uint32_t frame)
{
	const struct pagerd_policy_ops *ops = abuse->subject.ops;
	uint32_t choice = random_below(20);
	if (choice == 0 && ops->cold) {
		ops->cold(abuse->subject.policy, frame);
		CHECK(victim(&abuse->subject) == frame, abuse);
		ops->restore(abuse->subject.policy, frame);
	} else if (choice == 1) {
		ops->forget(abuse->subject.policy, frame);
		frame_set(abuse, frame, FREE);
	}
}

static void abuse_step(struct abuse *abuse)
{
	const struct pagerd_policy_ops *ops = abuse->subject.ops;
	uint32_t frame = random_below(FRAMES), choice = random_below(100);
	if (choice < 45)
		ops->referenced(abuse->subject.policy, frame);
	else if (choice < 75 && abuse->states[frame] == FREE)
		abuse_page_in(abuse, frame);
	else if (choice < 75 && abuse->states[frame] == HELD)
		abuse_held(abuse, frame);
	else if (choice < 78)
		abuse_victims(abuse, random_below(random_below(4) ? 4 : FRAMES));
	else if (choice == 78)
		abuse_restore(abuse);
	else if (choice == 79 && ops->resize)
		ops->resize(abuse->subject.policy, 1 + random_below(FRAMES));
	else if (abuse->isolated)
		abuse_return(abuse);
}

/* As the daemon does: the new one starts from the old one's order; isolated ones are unknown to
 * it, and come to it as they are kept. */
static void abuse_switch(struct abuse *abuse, const char *spec)
{
	struct subject old = abuse->subject;
	uint32_t frame, count = 0;
	abuse->subject = subject_make(spec, FRAMES, 1 + random_below(FRAMES));
	while ((frame = old.ops->held(old.policy) ? victim(&old) : UINT32_MAX) != UINT32_MAX) {
		CHECK(abuse->states[frame] == HELD, abuse);
		abuse->subject.ops->page_in(abuse->subject.policy, frame, abuse->page_of[frame], 0);
		count++;
	}
	CHECK(count == abuse->held, abuse);
	while (abuse->isolated) {
		frame_set(abuse, abuse->batches[0], FREE);
		isolated_remove(abuse, 0);
	}
	subject_end(&old);
}

/* All that is held comes out, each once. */
static void abuse_drain(struct abuse *abuse)
{
	while (abuse->held)
		abuse_victims(abuse, 1 + random_below(16));
	CHECK(victim(&abuse->subject) == UINT32_MAX, abuse);
}

static const char *const specs[] = {"lfu:ghosts=150,decay=2",
				    "random:seed=7",
				    "2q:in=10,out=200",
				    "lirs:hir=30,ghosts=50",
				    "clock-pro:cold=50",
				    "s3fifo:small=40,ghosts=30,move=1",
				    "w-tinylfu:window=30,sample=1",
				    "auto:of=lru+mru+s3fifo+fifo,cost=1,margin=0,sample=16",
				    "auto:of=random+lfu:decay=1+arc+clock-pro,cost=1,margin=0"};
#define SPECS (sizeof specs / sizeof *specs)

/* The policies that are linked in, by name alone, and then those with parameters. */
static const char *spec_get(unsigned i)
{
	unsigned linked = 0;
	while (pagerd_policies[linked])
		linked++;
	return i < linked ? pagerd_policies[i]->name : specs[(i - linked) % SPECS];
}

static unsigned spec_count(void)
{
	unsigned linked = 0;
	while (pagerd_policies[linked])
		linked++;
	return linked + SPECS;
}

static void abuse_run(const char *spec, bool switching)
{
	struct abuse abuse = {.subject = subject_make(spec, FRAMES, 1 + random_below(FRAMES))};
	for (; abuse.step < effort(20000); abuse.step++) {
		abuse_step(&abuse);
		CHECK(abuse.subject.ops->held(abuse.subject.policy) == abuse.held, &abuse);
		if (abuse.subject.ops->ghosts)
			CHECK(abuse.subject.ops->ghosts(abuse.subject.policy) <= 11 * FRAMES,
			      &abuse);
		if (switching && !random_below(500))
			abuse_switch(&abuse, spec_get(random_below(spec_count())));
	}
	abuse_drain(&abuse);
	subject_end(&abuse.subject);
}

START_TEST(abused)
{
	random_start(seed + (uint64_t)_i);
	for (int round = 0; round < 5; round++)
		abuse_run(spec_get((unsigned)_i), false);
}
END_TEST

START_TEST(switched)
{
	random_start(seed + 1000);
	for (int round = 0; round < 10; round++)
		abuse_run("lru", true);
}
END_TEST

int main(void)
{
	seed_start();
	Suite *suite = suite_create("policy_abuse");
	TCase *tcase = tcase_create("abuse");
	tcase_set_timeout(tcase, 120);
	tcase_add_loop_test(tcase, abused, 0, (int)spec_count());
	tcase_add_test(tcase, switched);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
