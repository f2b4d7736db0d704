/* SPDX-License-Identifier: MIT */
/* Access information, on a pager that does not run: its turns are taken here. */
#include <check.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "suite.h"

enum { PAGES = 4096, RESIDENT = 1024, BATCH = 24 };

static struct pager *pager;
static struct client *client;
static struct object *object;
static void *memory;
static int ends[2], window;
static uint64_t page;

static void region_add(void)
{
	struct region values = {
		.client = client->number,
		.object = object->number,
		.start = (uintptr_t)memory,
		.end = (uintptr_t)memory + ((uint64_t)PAGES << PAGE_SHIFT),
		.registered = true,
	};
	struct region *region;
	ck_assert(!region_insert(pager, client, &values, &region));
}

static void set_up(void)
{
	struct pager_config config = {
		.budget_bytes = PAGES << PAGE_SHIFT,
		.policy = "lru",
		.swap_dir_fd = -1,
		.latency_fd = -1,
		.access_looks = 1,
	};
	char why[200] = "";
	uint32_t number = 0;
	page = 0;
	ck_assert_msg(!pager_create(&pager, &config, why, sizeof why), "%s", why);
	ck_assert(!client_add(pager, (uint32_t)getpid(), 0, "test", -1, &number));
	client = client_lookup(pager, number);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert(!agent_open(pager, client, ends[0], &window));
	client->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(client->pagemap, 0);
	memory = mmap(NULL, PAGES << PAGE_SHIFT, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(memory, MAP_FAILED);
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_SHARED, PAGES, &object));
	region_add();
}

static void tear_down(void)
{
	pager_destroy(pager);
	munmap(memory, PAGES << PAGE_SHIFT);
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
		for (uint32_t i = 0; i < command.count; i++)
			answer.pages += command.ranges[i].length_bytes >> PAGE_SHIFT;
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
	for (int i = 0; i < PAGES - RESIDENT; i++) {
		page_comes();
		access_evicted(pager, 1);
		access_run(pager);
		agent_run(pager);
		commands += agent_does();
	}
	ck_assert_uint_ge(client->stats.pages_zapped, PAGES - RESIDENT);
	ck_assert_uint_ge(client->stats.pages_zapped, (uint64_t)commands * BATCH);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("access");
	TCase *tests = tcase_create("batches");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, in_batches);
	suite_add_tcase(suite, tests);
	return suite_run(suite);
}
