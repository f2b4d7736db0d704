/* SPDX-License-Identifier: MIT */
/* Policies that break their contract: the pager says so, and no page is lost. */
#include <check.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "pagerd/policy_list.h"
#include "pool.h"
#include "policy/policies.h"
#include "suite.h"
#include "version.h"

#define BUDGET	 64u
#define PAGES	 (4 * BUDGET)
#define FEW	 16u
#define INSTANCE 8u
#define HONEST	 5u /* calls, before it begins to lie */

enum lie {
	ONE_TOO_MANY,
	FAR_TOO_MANY,
	BEYOND_ALL,
	NO_FRAME,
	NOT_IN_USE,
	OF_ANOTHER,
	HOLDS_TOO_MANY,
	ONE_BY_ONE, /* those so far can be told on demand, too, where victims go one by one */
	TWICE = ONE_BY_ONE,
	GONE_ALREADY,
	LIES,
};

static const char *const words[LIES] = {
	[ONE_TOO_MANY] = " victims, asked for ",
	[FAR_TOO_MANY] = "it gave 4294967295 victims, asked for ",
	[BEYOND_ALL] = " as a victim, of ",
	[NO_FRAME] = "it gave frame 4294967295 as a victim, of ",
	[NOT_IN_USE] = " as a victim, which it does not hold",
	[GONE_ALREADY] = " as a victim, which it does not hold",
	[OF_ANOTHER] = " as a victim, which it does not hold",
	[TWICE] = " as a victim, which it does not hold",
	[HOLDS_TOO_MANY] = "it says that it holds 1000000 frames, of ",
};

/* ---- a liar ------------------------------------------------------------------------------ */

struct pagerd_policy {
	bool used;
	struct frame_table of;
	struct frame_list list;
	uint32_t limit, held, calls, last;
};

static struct pagerd_policy instances[INSTANCE];
static enum lie lie;
static uint32_t honest; /* calls */

static int create(struct pagerd_policy **policy, const struct pagerd_policy_env *env)
{
	struct pagerd_policy *p = instances;
	while (p->used)
		p++;
	*p = (struct pagerd_policy){
		.used = true,
		.of = {env->frame_bytes, sizeof(struct frame_link)},
		.limit = env->frame_limit,
	};
	*policy = p;
	return 0;
}

static void destroy(struct pagerd_policy *p)
{
	if (p)
		p->used = false;
}

static void keep(struct pagerd_policy *p, uint32_t frame)
{
	frame_list_push_tail(p->of, &p->list, frame);
	p->held++;
}

static void restore(struct pagerd_policy *p, uint32_t frame)
{
	frame_list_push_head(p->of, &p->list, frame);
	p->held++;
}

static void page_in(struct pagerd_policy *p, uint32_t frame, pagerd_page_t page, int prefetched)
{
	keep(p, frame);
}

static void hears(struct pagerd_policy *p, uint32_t frame)
{
}

static void forget(struct pagerd_policy *p, uint32_t frame)
{
	if (!frame_is_linked(p->of, frame))
		return;
	frame_list_remove(p->of, &p->list, frame);
	p->held--;
}

static uint32_t answer(const struct pagerd_policy *p, uint32_t *frames, uint32_t count,
		       uint32_t taken)
{
	switch (lie) {
	case ONE_TOO_MANY:
		return count + 1;
	case FAR_TOO_MANY:
		return UINT32_MAX;
	case BEYOND_ALL:
		frames[taken - 1] = p->limit;
		return taken;
	case NO_FRAME:
		frames[taken - 1] = UINT32_MAX;
		return taken;
	case NOT_IN_USE:
		frames[taken - 1] = p->limit - 1;
		return taken;
	case GONE_ALREADY:
		frames[taken - 1] = p->last;
		return taken;
	case OF_ANOTHER:
		frames[taken - 1] = frame_list_head(&instances[1].list);
		return taken;
	case TWICE:
		frames[taken - 1] = frames[0];
		return taken;
	default:
		return taken;
	}
}

static bool may_lie(const struct pagerd_policy *p, uint32_t taken)
{
	if (p != instances || p->calls <= honest)
		return false;
	if (lie == GONE_ALREADY && frame_is_linked(p->of, p->last))
		return false;
	return taken > (lie == TWICE);
}

static uint32_t victims(struct pagerd_policy *p, uint32_t *frames, uint32_t count)
{
	uint32_t taken = 0;
	p->calls++;
	while (taken < count && p->held) {
		frames[taken] = frame_list_head(&p->list);
		forget(p, frames[taken++]);
	}
	if (may_lie(p, taken))
		return answer(p, frames, count, taken);
	if (taken)
		p->last = frames[0];
	return taken;
}

static uint32_t held(const struct pagerd_policy *p)
{
	return lie == HOLDS_TOO_MANY && p == instances && p->calls > honest ? 1000000 : p->held;
}

static const struct pagerd_policy_ops liar = {
	.name = "liar",
	.summary = "says what is not",
	.frame_bytes = sizeof(struct frame_link),
	.create = create,
	.destroy = destroy,
	.page_in = page_in,
	.referenced = hears,
	.victims = victims,
	.keep = keep,
	.restore = restore,
	.page_out = hears,
	.forget = forget,
	.held = held,
};

/* ---- what comes of it -------------------------------------------------------------------- */

static struct harness h;
static struct pager_request watch, more;
static sem_t told;
static uint64_t *memory, *others;
static int fd = -1;
static char warned[240];

static void more_done(struct pager_request *request)
{
	ck_assert_int_eq(request->error, 0);
	sem_post(&told);
}

/* Whoever waits for a page would do so for ever: there is to be room for all. */
static void watch_done(struct pager_request *request)
{
	ck_assert_int_eq(request->error, 0);
	more = (struct pager_request){
		.type = PAGER_SET, .length = 2 * PAGES << 12, .fd = -1, .done = more_done};
	pager_post(h.pager, &more);
}

static void warn(const char *text)
{
	snprintf(warned, sizeof warned, "%s", text);
}

static void setup(bool on_demand)
{
	struct pager_config config = harness_configure(BUDGET, "liar", 0);
	config.reclaim_on_demand = on_demand;
	config.warn = warn;
	memset(instances, 0, sizeof instances);
	ck_assert_int_eq(policy_register(&liar), 0);
	sem_init(&told, 0, 0);
	harness_begin(&h, config, "/var/tmp");
	watch = (struct pager_request){.type = PAGER_WATCH, .fd = -1, .done = watch_done};
	pager_post(h.pager, &watch);
	others = harness_map(&h, PAGERD_ANON_PRIVATE, FEW << 12, -1, 0);
	harness_limit(&h, others, BUDGET);
	range_write(others, 0, FEW, 1);
	fd = file_make(PAGES, 0);
	memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
}

static void teardown(void)
{
	range_check(memory, 0, PAGES, 1);
	range_check(others, 0, FEW, 1);
	harness_stop(&h);
	for (uint64_t i = 0; i < PAGES; i++) {
		uint64_t page[WORDS];
		ck_assert_int_eq(pread(fd, page, sizeof page, (off_t)i << 12), sizeof page);
		ck_assert_uint_eq(page[0], value(i, 1));
	}
	close(fd);
	sem_destroy(&told);
}

static void wrong_victims(enum lie what, bool on_demand)
{
	lie = what;
	honest = HONEST;
	setup(on_demand);
	range_write(memory, 0, PAGES, 1);
	while (sem_wait(&told))
		;
	ck_assert_msg(strstr(watch.why, "policy liar: ") && strstr(watch.why, words[lie]), "%s",
		      watch.why);
	uint32_t calls = instances[0].calls;
	teardown();
	ck_assert_msg(calls == instances[0].calls, "it was asked again");
	ck_assert_msg(instances[0].used, "it was told to end");
}

START_TEST(ahead_of_faults)
{
	wrong_victims(_i, false);
}
END_TEST

START_TEST(on_demand)
{
	wrong_victims(_i, true);
}
END_TEST

/* It is asked for all that it has, and given up in any case. */
START_TEST(switched_away)
{
	lie = _i;
	honest = UINT32_MAX;
	setup(false);
	range_write(memory, 0, PAGES, 1);
	honest = 0;
	struct pager_request set = {.type = PAGER_SET, .text = "lru", .fd = -1};
	ck_assert_int_eq(harness_request(&h, &set), 0);
	harness_check(&h);
	ck_assert_msg(lie == HOLDS_TOO_MANY || strstr(warned, words[lie]), "%s", warned);
	range_write(memory, 0, PAGES, 1);
	teardown();
	ck_assert(!instances[0].used);
}
END_TEST

/* What is said before anybody listens is not lost. */
START_TEST(watched_late)
{
	struct pager_request late = {.type = PAGER_WATCH, .fd = -1};
	lie = BEYOND_ALL;
	honest = HONEST;
	setup(false);
	range_write(memory, 0, PAGES, 1);
	while (sem_wait(&told))
		;
	ck_assert_int_eq(harness_request(&h, &late), 0);
	ck_assert_str_eq(late.why, watch.why);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("victims");
	TCase *tcase = tcase_create("of policies that lie");
	tcase_set_timeout(tcase, 20);
	tcase_add_loop_test(tcase, ahead_of_faults, 0, LIES);
	tcase_add_loop_test(tcase, on_demand, 0, ONE_BY_ONE);
	tcase_add_loop_test(tcase, switched_away, 0, LIES);
	tcase_add_test(tcase, watched_late);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
