/* SPDX-License-Identifier: MIT */
/* Access information, on a pager that does not run: its turns are taken here. */
#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "suite.h"

enum { PAGES = 262144, CAPACITY = 4096, RESIDENT = 1024, BATCH = 24 };
enum { HELD = 4000, HOT = 400, SETTLED = 28000, MEASURED = 4000 };

static struct pager *pager;
static struct client *client;
static struct object *object;
static char *memory;
static int ends[2], window;
static uint64_t page, oldest; /* the next to come, to go */
static uint32_t random_state;

static void region_add(const struct object *of, const void *start)
{
	struct region values = {
		.client = client->number,
		.object = of->number,
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + ((uint64_t)PAGES << PAGE_SHIFT),
		.registered = true,
	};
	struct region *region;
	ck_assert(!region_insert(pager, client, &values, &region));
}

static void set_up_with(uint32_t looks)
{
	struct pager_config config = {
		.budget_bytes = CAPACITY << PAGE_SHIFT,
		.policy = "lru",
		.swap_dir_fd = -1,
		.latency_fd = -1,
		.access_looks = looks,
	};
	char why[200] = "";
	uint32_t number = 0;
	page = 0;
	oldest = HOT;
	random_state = 1;
	ck_assert_msg(!pager_create(&pager, &config, why, sizeof why), "%s", why);
	ck_assert(!client_add(pager, (uint32_t)getpid(), 0, "test", -1, &number));
	client = client_lookup(pager, number);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert(!agent_open(pager, client, ends[0], &window));
	client->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(client->pagemap, 0);
	memory = mmap(NULL, (size_t)2 * PAGES << PAGE_SHIFT, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_SHARED, PAGES, &object));
	region_add(object, memory);
}

static void set_up(void)
{
	set_up_with(ACCESS_AUTO);
}

static void set_up_always(void)
{
	set_up_with(1);
}

static void tear_down(void)
{
	pager_destroy(pager);
	munmap(memory, (size_t)2 * PAGES << PAGE_SHIFT);
	close(ends[1]);
	close(window);
}

static void page_comes(void)
{
	uint32_t frame = frame_alloc(pager, client, object, page);
	ck_assert_uint_ne(frame, FRAME_NONE);
	object->table[page++] = pte_make(PAGE_RESIDENT, frame, 0);
	object->resident_pages++;
	frame_hold(pager, frame, false);
}

/* The agent does what it was told to; how often it was. */
static uint32_t agent_does(void)
{
	uint64_t of = (uint64_t)client->generation << 24 | client->number;
	struct pagerd_command command;
	uint32_t commands = 0;
	while (recv(ends[1], &command, sizeof command, MSG_DONTWAIT) > 0) {
		struct pagerd_answer answer = {.sequence = command.sequence};
		for (uint32_t i = 0; i < command.count; i++) {
			const struct pagerd_command_range *range = &command.ranges[i];
			void *start = (void *)(uintptr_t)range->address;
			ck_assert(!madvise(start, range->length_bytes, MADV_DONTNEED));
			answer.pages += range->length_bytes >> PAGE_SHIFT;
		}
		ck_assert_int_eq(send(ends[1], &answer, sizeof answer, 0), sizeof answer);
		agent_answers(pager, of, true);
		commands++;
	}
	return commands;
}

/* Pages come and go one by one: all are probed, but an agent is not told of each by itself. */
START_TEST(in_batches)
{
	uint32_t commands = 0;
	for (int i = 0; i < RESIDENT; i++)
		page_comes();
	for (int i = 0; i < CAPACITY - RESIDENT; i++) {
		page_comes();
		access_evicted(pager, 1);
		access_run(pager);
		agent_run(pager);
		commands += agent_does();
	}
	ck_assert_uint_ge(client->stats.pages_zapped, CAPACITY - RESIDENT);
	ck_assert_uint_ge(client->stats.pages_zapped, (uint64_t)commands * BATCH);
}
END_TEST

/* ---- does it pay? ------------------------------------------------------------------------ */

static void page_used(uint64_t used)
{
	((volatile char *)memory)[used << PAGE_SHIFT] = 1;
}

static void page_goes(uint64_t gone)
{
	uint32_t frame = (uint32_t)pte_number(object->table[gone]);
	object->table[gone] = 0;
	object->resident_pages--;
	frame_isolate(pager, frame, true);
	frame_free(pager, frame, true);
	ck_assert(!madvise(memory + (gone << PAGE_SHIFT), 1ul << PAGE_SHIFT, MADV_DONTNEED));
	access_evicted(pager, 1);
}

/* Knuth's, of MMIX. */
static uint32_t random_below(uint32_t bound)
{
	static uint64_t state;
	state = state * 6364136223846793005u + 1442695040888963407u + random_state;
	return (uint32_t)((state >> 32) * bound >> 32);
}

/* So many pages come, and the oldest go, but for the first HOT, which stay. With each that comes,
 * some of the hot ones are used (uses), or every third time any that is there (0). */
static void pages_pass(uint32_t count, uint32_t uses)
{
	while (page < HELD) {
		page_used(page);
		page_comes();
	}
	for (uint32_t i = 0; i < count; i++) {
		page_goes(oldest++);
		page_used(page);
		page_comes();
		for (uint32_t j = 0; j < uses; j++)
			page_used(random_below(HOT));
		uint32_t any = random_below(HELD);
		if (!uses && i % 3 == 0)
			page_used(any < HOT ? any : oldest + any - HOT);
		access_run(pager);
		agent_run(pager);
		agent_does();
	}
}

static bool idle(void)
{
	return pager->pools[0].payoff.idle;
}

/* Zaps for each of 100 pages that go. */
static uint64_t zaps_percent(uint32_t uses)
{
	uint64_t before = client->stats.pages_zapped;
	pages_pass(MEASURED, uses);
	return (client->stats.pages_zapped - before) * 100 / MEASURED;
}

START_TEST(any_page_is_used)
{
	pages_pass(SETTLED, 0);
	ck_assert(idle());
	ck_assert_uint_lt(zaps_percent(0), 25);
}
END_TEST

START_TEST(some_are_used_always)
{
	pages_pass(SETTLED, 8);
	ck_assert(!idle());
	ck_assert_uint_gt(zaps_percent(8), 75);
}
END_TEST

START_TEST(it_changes)
{
	for (int i = 0; i < 2; i++) {
		pages_pass(SETTLED, 0);
		ck_assert(idle());
		pages_pass(SETTLED, 8);
		ck_assert(!idle());
	}
}
END_TEST

/* Whoever has chosen the source has it, whatever it costs. */
START_TEST(chosen)
{
	pages_pass(SETTLED, 0);
	ck_assert(!idle());
	ck_assert_uint_gt(zaps_percent(0), 75);
}
END_TEST

START_TEST(gain)
{
	static const struct {
		struct payoff of;
		double gain;
	} cases[] = {
		{{{50, 50}, {0, 50}}, 0.5},
		{{{50, 50}, {50, 0}}, -0.5},
		{{{90, 10}, {9, 1}}, 0},
		{{{100, 0}, {10, 0}}, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		double deviation;
		ck_assert_double_eq(payoff_gain(&cases[i].of, &deviation), cases[i].gain);
		ck_assert_double_gt(deviation, 0);
	}
}
END_TEST

/* Few pages tell it where none is used again. Where a tenth is used all the time it never seems not
 * to pay; where all are used alike, it is seen in the end. */
START_TEST(decided)
{
	struct payoff none = {0}, alike = {0}, some = {0};
	for (int i = 0; i < 256; i++)
		payoff_count(&none, false, false);
	ck_assert(none.idle);
	for (int i = 0; i < 8192 && !alike.idle; i++)
		payoff_count(&alike, !random_below(12), !random_below(12));
	ck_assert(alike.idle);
	for (int i = 0; i < 100000; i++) {
		bool hot = !random_below(10);
		payoff_count(&some, hot || !random_below(12), hot || !random_below(12));
		ck_assert(!some.idle);
	}
}
END_TEST

/* Pages that are there, in a pool of their own, and nobody uses. */
static struct object *others_made(uint32_t count)
{
	struct object *others;
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_SHARED, PAGES, &others));
	region_add(others, memory + ((size_t)PAGES << PAGE_SHIFT));
	ck_assert(!pool_own(pager, &others->pool, 0));
	for (uint32_t i = 0; i < count; i++) {
		uint32_t frame = frame_alloc(pager, client, others, i);
		others->table[i] = pte_make(PAGE_RESIDENT, frame, 0);
		others->resident_pages++;
		frame_hold(pager, frame, false);
		page_used(PAGES + i);
	}
	return others;
}

/* A pool that stands still does not take the others' samples. */
START_TEST(others_stand)
{
	budget_set(pager, 3 * CAPACITY);
	others_made(2 * CAPACITY - 100);
	pages_pass(6 * SETTLED, 0);
	ck_assert(idle());
}
END_TEST

static const char *described(void)
{
	static char name[ACCESS_SOURCE_NAME];
	struct pager_snapshot snapshot;
	access_report(pager, &snapshot);
	access_describe(&snapshot, name);
	return name;
}

/* Small pools are looked at, whatever was found when they were larger. */
START_TEST(becomes_small)
{
	pages_pass(SETTLED, 0);
	ck_assert(payoff_idle(pager, &pager->pools[0]));
	ck_assert_str_eq(described(), "auto (faults)");
	pool_set_limit(pager, 0, 512);
	ck_assert(idle() && !payoff_idle(pager, &pager->pools[0]));
	ck_assert_str_eq(described(), "auto (harvest:1)");
}
END_TEST

static TCase *payoff_tests(void)
{
	TCase *tests = tcase_create("payoff");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, any_page_is_used);
	tcase_add_test(tests, some_are_used_always);
	tcase_add_test(tests, it_changes);
	tcase_add_test(tests, others_stand);
	tcase_add_test(tests, becomes_small);
	tcase_add_test(tests, gain);
	tcase_add_test(tests, decided);
	return tests;
}

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("batches");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, in_batches);
	suite_add_tcase(suite, tests);
	suite_add_tcase(suite, payoff_tests());
	tests = tcase_create("chosen");
	tcase_set_timeout(tests, 60);
	tcase_add_checked_fixture(tests, set_up_always, tear_down);
	tcase_add_test(tests, chosen);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
