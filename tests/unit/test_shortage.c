/* SPDX-License-Identifier: MIT */
/* Memory that is full of pages which cannot leave before somebody who waits for a page goes on. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

#include "core.h"
#include "fake_agent.h"
#include "harness.h"
#include "pagerd/protocol.h"
#include "suite.h"
#include "version.h"

#define BUDGET 64u
#define PAGES  (2 * BUDGET)
#define OTHERS (8 * BUDGET)

static struct harness h;
static int fd = -1;

static void setup(uint64_t budget, bool on_demand)
{
	struct pager_config config = harness_configure(budget, "lru", 0);
	config.reclaim_on_demand = on_demand;
	harness_begin(&h, config, "/var/tmp");
	fd = file_make(PAGES, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
	close(fd);
}

/* Who writes a file, past any library, holds its lock while he waits for what he writes from; all
 * that could leave for it are changed pages of that file. */
START_TEST(file_locked)
{
	setup(BUDGET, _i);
	uint64_t *anonymous = harness_map(&h, PAGERD_ANON_PRIVATE, BUDGET << 12, -1, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	range_write(anonymous, 0, BUDGET, 1);
	range_write(memory, 0, PAGES, 1);
	ck_assert_int_eq(pwrite(fd, anonymous, BUDGET << 12, PAGES << 12), BUDGET << 12);
	range_check(memory, 0, PAGES, 1);
	teardown();
}
END_TEST

/* ---- others, with limits of their own ------------------------------------------------------ */

static atomic_bool enough;

/* Frames come free all the time. */
static void *thrash(void *memory)
{
	for (uint64_t version = 1; !atomic_load(&enough); version++)
		range_write(memory, 0, OTHERS, version);
	return NULL;
}

/* The same where the file has a limit of its own, and others go on all the time. */
START_TEST(file_locked_alone)
{
	pthread_t thread;
	setup(4 * BUDGET, _i);
	uint64_t *others = harness_map(&h, PAGERD_ANON_PRIVATE, OTHERS << 12, -1, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	harness_limit(&h, memory, BUDGET);
	range_write(memory, 0, PAGES, 1);
	atomic_store(&enough, false);
	ck_assert(!pthread_create(&thread, NULL, thrash, others));
	ck_assert_int_eq(pwrite(fd, memory, PAGES << 12, PAGES << 12), PAGES << 12);
	atomic_store(&enough, true);
	pthread_join(thread, NULL);
	range_check(memory, 0, PAGES, 1);
	teardown();
}
END_TEST

/* ---- agents ------------------------------------------------------------------------------ */

static const volatile uint64_t *other;

/* As if its first command were about a page that the kernel has not copied yet. */
static void waits_first(struct fake_agent *agent, const struct pagerd_command *command)
{
	(void)command;
	if (!agent->served)
		ck_assert_uint_eq(other[0], value(0, 0));
}

/* Memory is full of the client's own pages, and its agent waits for another. */
START_TEST(agent_waits)
{
	struct fake_agent agent;
	setup(BUDGET, _i);
	other = harness_map(&h, PAGERD_FILE_SHARED, 1 << 12, fd, 0);
	fake_agent_begin(&agent, &h, waits_first);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_PRIVATE, PAGES << 12, fd, 0);
	range_write(memory, 0, PAGES, 1);
	range_check(memory, 0, PAGES, 1);
	ck_assert_uint_eq(other[0], value(0, 0));
	teardown();
	fake_agent_end(&agent);
}
END_TEST

/* ---- many with limits -------------------------------------------------------------------- */

/* One can let nothing go that wants to, as all it has is locked; another, whose limit is lowered,
 * comes down to it all the same, though nobody waits for a frame. */
START_TEST(limit_beside_locked)
{
	harness_start(&h, 4 * BUDGET, "lru", "/var/tmp", 0);
	uint64_t *locked = harness_map(&h, PAGERD_ANON_PRIVATE, BUDGET << 12, -1, 0);
	uint64_t *others = harness_map(&h, PAGERD_ANON_PRIVATE, 2 * BUDGET << 12, -1, 0);
	harness_limit(&h, locked, BUDGET);
	ck_assert_int_eq(harness_range(&h, PAGER_WIRE, locked, (BUDGET - 1) << 12, 1), 0);
	range_write(locked, 0, BUDGET - 1, 1);
	range_write(others, 0, 2 * BUDGET, 1);
	ck_assert_uint_eq(harness_stats(&h).resident_pages, 3 * BUDGET - 1);
	harness_limit(&h, others, BUDGET);
	while (harness_stats(&h).resident_pages > 2 * BUDGET - 1)
		usleep(1000);
	ck_assert_uint_eq(harness_stats(&h).wired_pages, BUDGET - 1);
	range_check(locked, 0, BUDGET - 1, 1);
	range_check(others, 0, 2 * BUDGET, 1);
	harness_check(&h);
	harness_stop(&h);
}
END_TEST

/* What has come in last stays for a while; that is not to be all that there is, however many have
 * limits of their own, and however high. */
START_TEST(many_limits)
{
	enum { COUNT = 8, EACH = BUDGET / 4 - 1 };
	uint64_t *memory[COUNT];
	setup(BUDGET, _i);
	for (int i = 0; i < COUNT; i++) {
		memory[i] = harness_map(&h, PAGERD_ANON_PRIVATE, EACH << 12, -1, 0);
		harness_limit(&h, memory[i], BUDGET);
	}
	for (uint64_t version = 1; version < 3; version++)
		for (int i = 0; i < COUNT; i++)
			range_write(memory[i], 0, EACH, version);
	for (int i = 0; i < COUNT; i++)
		range_check(memory[i], 0, EACH, 2);
	teardown();
}
END_TEST

/* ---- the end of waiting ------------------------------------------------------------------ */

/* A pager that does not run, all of whose frames are in use for good; and a fault. */
static struct pager *pager_full(struct client **client)
{
	struct pager_config config = harness_configure(BUDGET, "lru", 0);
	struct region values = {.start = 1 << 20, .end = (1 << 20) + (PAGES << 12)}, *region;
	struct pager *pager;
	struct object *object;
	char why[200] = "";
	ck_assert_msg(!pager_create(&pager, &config, why, sizeof why), "%s", why);
	ck_assert(!client_add(pager, (uint32_t)getpid(), 0, "test", -1, &values.client));
	*client = client_lookup(pager, values.client);
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_PRIVATE, PAGES, &object));
	values.object = object->number;
	ck_assert(!region_insert(pager, *client, &values, &region));
	for (uint64_t page = 1; page <= BUDGET; page++)
		ck_assert_uint_ne(frame_alloc(pager, *client, object, page), FRAME_NONE);
	ck_assert(fault_at(pager, *client, values.start, NULL));
	return pager;
}

/* Turns until the access gets SIGBUS, in ticks. */
static unsigned ticks(struct pager *pager, const struct client *client)
{
	unsigned count = 0;
	for (; !client->stats.faults_error && count < 1000; count++) {
		pager->now_ns += TICK_NS;
		shortage_serve(pager);
		shortage_check(pager);
	}
	return count;
}

/* Nobody waits for ever where nothing can leave; for an agent that may be slow longer than if there
 * is none. */
START_TEST(waits_end)
{
	struct client *client;
	struct pager *pager = pager_full(&client);
	pager->agent_records = (uint32_t)_i;
	unsigned count = ticks(pager, client);
	ck_assert_uint_ge(count, _i ? 50 : 10);
	ck_assert_uint_le(count, _i ? 52 : 12);
	ck_assert_uint_eq(pager->shortage.waiting.count, 0);
	pager->agent_records = 0;
	pager_destroy(pager);
}
END_TEST

/* As long as it would have waited otherwise: nobody could do anything while the daemon was stopped.
 */
START_TEST(stopped)
{
	struct client *client;
	struct pager *pager = pager_full(&client);
	for (int i = 0; i < 5; i++) {
		pager->now_ns += TICK_NS;
		shortage_serve(pager);
		shortage_check(pager);
	}
	pager->now_ns += 300 * TICK_NS;
	unsigned count = ticks(pager, client);
	ck_assert_uint_ge(count, 5);
	ck_assert_uint_le(count, 8);
	pager_destroy(pager);
}
END_TEST

/* Pages of files do not become dirty while write-back is held up; but not for ever, though others
 * go on: it may be he who waits that holds it up. */
START_TEST(dirty_in_the_end)
{
	struct client *client;
	struct pager *pager = pager_full(&client);
	struct fault fault = {.arrived_ns = pager->now_ns};
	ck_assert(shortage_may_dirty(pager, &fault));
	pager->shortage.stalled = true;
	for (unsigned tick = 0; tick < 15; tick++) {
		ck_assert_int_eq(shortage_may_dirty(pager, &fault), tick > 10);
		pager->now_ns += TICK_NS;
		pager->shortage.progress_ns = pager->now_ns;
	}
	ck_assert(!shortage_may_dirty(pager, NULL));
	pager_destroy(pager);
}
END_TEST

/* Nor at the end, whatever comes free; for less time, as the end does not wait for ever either. */
START_TEST(dirty_at_the_end)
{
	struct client *client;
	struct pager *pager = pager_full(&client);
	struct fault fault = {.arrived_ns = pager->now_ns};
	pager->stopping = true;
	for (unsigned tick = 0; tick < 10; tick++) {
		ck_assert_int_eq(shortage_may_dirty(pager, &fault), tick > 5);
		pager->now_ns += TICK_NS;
	}
	ck_assert(!shortage_may_dirty(pager, NULL));
	pager_destroy(pager);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shortage");
	TCase *tcase = tcase_create("ahead of faults, and on demand");
	tcase_set_timeout(tcase, 20);
	tcase_add_loop_test(tcase, file_locked, 0, 2);
	tcase_add_loop_test(tcase, file_locked_alone, 0, 2);
	tcase_add_loop_test(tcase, agent_waits, 0, 2);
	tcase_add_test(tcase, limit_beside_locked);
	tcase_add_loop_test(tcase, many_limits, 0, 2);
	tcase_add_loop_test(tcase, waits_end, 0, 2);
	tcase_add_test(tcase, stopped);
	tcase_add_test(tcase, dirty_in_the_end);
	tcase_add_test(tcase, dirty_at_the_end);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
