/* SPDX-License-Identifier: MIT */
/* Commands to agents, on a pager that does not run: its turns are taken here. And their coming and
 * going, on one that runs. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "harness.h"
#include "suite.h"

enum { PAGES = 16, PAGE = 3 };

static struct pager *pager;
static struct object *base, *own;

/* The other end of an agent. */
struct peer {
	int socket, window;
};

static struct peer peer;

/* A client, with an agent. */
static uint32_t agent_comes(struct peer *of)
{
	int ends[2];
	uint32_t number = 0;
	ck_assert(!client_add(pager, (uint32_t)getpid(), 0, "test", -1, &number));
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert(!agent_open(pager, client_lookup(pager, number), ends[0], &of->window));
	of->socket = ends[1];
	return number;
}

static void peers_close(const struct peer *peers, int count)
{
	for (int i = 0; i < count; i++) {
		close(peers[i].socket);
		close(peers[i].window);
	}
}

static void set_up(void)
{
	struct pager_config config = {
		.budget_bytes = 64 << PAGE_SHIFT,
		.policy = "lru",
		.swap_dir_fd = open("/var/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
		.latency_fd = -1,
	};
	char why[200] = "";
	ck_assert_msg(!pager_create(&pager, &config, why, sizeof why), "%s", why);
	close(config.swap_dir_fd);
	uint32_t number = agent_comes(&peer);
	ck_assert(!object_create_anonymous(pager, PAGERD_ANON_PRIVATE, PAGES, &base));
	ck_assert(!object_create_private(pager, number, base, PAGES, &own));
}

static void tear_down(void)
{
	pager_destroy(pager);
	peers_close(&peer, 1);
}

/* A page of the client's own. */
static uint32_t page_comes(uint64_t page)
{
	uint32_t frame = frame_alloc(pager, client_lookup(pager, own->client), own, page);
	ck_assert_uint_ne(frame, FRAME_NONE);
	ck_assert(!object_arm(pager, own, page, 1));
	own->table[page] = pte_make(PAGE_RESIDENT, frame, 0);
	own->resident_pages++;
	frame_hold(pager, frame, false);
	return frame;
}

/* On its way out. */
static void page_leaves(void)
{
	uint32_t frame = page_comes(PAGE);
	frame_isolate(pager, frame, true);
	pageout_queue_drop(pager, frame);
}

/* The last of an object's pages is to be zapped as the object is let go: the command has no range
 * any more, and ends, but not while the object is gone through. */
START_TEST(object_let_go)
{
	uint32_t number = own->number, base_number = base->number;
	page_leaves();
	object_release(pager, own);
	ck_assert_ptr_eq(pager->objects[number], own);
	ck_assert_uint_eq(own->in_flight, 1);
	agent_run(pager);
	ck_assert_ptr_null(pager->objects[number]);
	ck_assert_ptr_null(pager->objects[base_number]);
	ck_assert_uint_eq(pager->closing_objects, 0);
	ck_assert_uint_eq(pager->used_pages, 0);
}
END_TEST

static void request_ended(struct pager_request *request)
{
	*(bool *)request->owner = true;
}

/* The client of a fork is killed while its private pages are to be written: the fork ends, so that
 * the client can. */
START_TEST(client_killed)
{
	bool ended = false;
	struct pager_request request = {
		.type = PAGER_FORK, .client = own->client, .done = request_ended, .owner = &ended};
	page_comes(PAGE);
	frame_dirty(pager, own, PAGE);
	client_lookup(pager, own->client)->held = own; /* not yet */
	ck_assert(!sync_start(pager, own, 0, PAGES, false, &request));
	sync_run(pager);
	ck_assert(!ended);
	agent_close(pager, client_lookup(pager, own->client));
	sync_run(pager);
	ck_assert(ended);
	ck_assert_int_eq(request.error, -ENOTCONN);
	client_lookup(pager, own->client)->held = NULL;
}
END_TEST

/* ---- what is saved ----------------------------------------------------------------------- */

/* The only record of that kind. */
static uint32_t record(enum io_kind kind)
{
	uint32_t found = IO_NONE;
	for (uint32_t i = 0; i < pager->io_fresh; i++) {
		if (pager->ios[i].kind != kind)
			continue;
		ck_assert_uint_eq(found, IO_NONE);
		found = i;
	}
	ck_assert_uint_ne(found, IO_NONE);
	return found;
}

/* The first pages of the client's own, changed. Its range is not registered: nobody writes. */
static void pages_change(uint32_t *frames, uint32_t count)
{
	struct region values = {
		.client = own->client,
		.object = own->number,
		.start = 1 << 20,
		.end = (1 << 20) + (PAGES << PAGE_SHIFT),
	};
	struct region *ignored;
	ck_assert(!region_insert(pager, client_lookup(pager, own->client), &values, &ignored));
	for (uint64_t page = 0; page < count; page++) {
		frames[page] = page_comes(page);
		frame_dirty(pager, own, page);
	}
}

/* Agents that are idle get their commands; their pages are found. */
static void commands_go(void)
{
	own->regions->registered = true;
	agent_run(pager);
	own->regions->registered = false;
}

/* A write of frames, for which the agent has the command. */
static uint32_t write_begins(const uint32_t *frames, uint32_t count)
{
	int error;
	ck_assert_uint_eq(io_write(pager, frames, count, NULL, &error), 0);
	ck_assert_int_eq(error, -EAGAIN);
	io_complete(pager, record(IO_SWAP), 0);
	ck_assert_uint_eq(io_write(pager, frames, count, NULL, &error), count);
	commands_go();
	return record(IO_WRITE);
}

static void agent_says(uint64_t pages)
{
	const struct client *client = client_lookup(pager, own->client);
	struct pagerd_answer answer = {.sequence = client->agent.sequence, .pages = pages};
	ck_assert_int_eq(send(peer.socket, &answer, sizeof answer, 0), sizeof answer);
	agent_answers(pager, (uint64_t)client->generation << 24 | client->number, true);
}

/* A write of one page, to its end. One that leaves is isolated meanwhile. */
static void page_written(uint32_t frame, bool leaves)
{
	uint32_t number = write_begins(&frame, 1);
	agent_says(1);
	if (leaves)
		frame_isolate(pager, frame, true);
	io_complete(pager, number, PAGE_BYTES);
}

/* What the agent could not save is not written: its slots are others' from now on. */
START_TEST(saved_in_part)
{
	uint32_t frames[4], room = pager->bounce.free_pages;
	pages_change(frames, 4);
	uint32_t number = write_begins(frames, 4);
	const struct io *io = &pager->ios[number];
	ck_assert_uint_eq(io->bytes, 4 << PAGE_SHIFT);
	agent_says(1);
	ck_assert_uint_eq(io->bytes, 1 << PAGE_SHIFT);
	io_complete(pager, number, PAGE_BYTES);
	for (uint64_t page = 0; page < 4; page++)
		ck_assert_int_eq(!!(object_pte(own, page) & PTE_DIRTY), page > 0);
	ck_assert_uint_eq(pager->bounce.free_pages, room);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* ---- late -------------------------------------------------------------------------------- */

/* The client's time is up. */
static void time_passes(void)
{
	pager->now_ns += 100000000;
	ck_assert(lapses_look(pager));
}

/* The pages of a victim's write come back to their policy as they were, the next to leave; until
 * then nothing counts on them, and the write keeps no memory from others. */
START_TEST(late_save)
{
	uint32_t frames[4], victims[5], room = pager->bounce.free_pages;
	const struct pool *pool = &pager->pools[0];
	pages_change(frames, 4);
	uint32_t young = page_comes(8), number;
	ck_assert_uint_eq(pool->ops->victims(pool->policy, victims, 4), 4);
	for (int i = 0; i < 4; i++)
		frame_isolate(pager, victims[i], false);
	number = write_begins(frames, 4);
	ck_assert_uint_eq(pager->reclaiming, 4);
	time_passes();
	ck_assert_uint_eq(pager->reclaiming, 0);
	ck_assert_uint_eq(pool->ops->held(pool->policy), 1);
	ck_assert_uint_eq(pager->bounce.free_pages, room);
	ck_assert(!agent_ready(pager, own->client));
	ck_assert_uint_eq(invariant_check(pager), 0);
	agent_says(4);
	ck_assert(agent_ready(pager, own->client));
	ck_assert_uint_eq(pager->bounce.free_pages, room - 4);
	io_complete(pager, number, 4 * PAGE_BYTES);
	ck_assert_uint_eq(pool->ops->victims(pool->policy, victims, 5), 5);
	for (int i = 0; i < 5; i++) {
		ck_assert_uint_eq(victims[i], i < 4 ? frames[i] : young);
		pool->ops->restore(pool->policy, victims[i]);
	}
	ck_assert_uint_eq(own->dirty_pages, 0);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* A drop that it has may come at any time: the page waits for that. */
START_TEST(late_drop)
{
	uint32_t frames[1];
	pages_change(frames, 1);
	page_written(frames[0], true);
	pageout_drop_queued(pager);
	commands_go();
	time_passes();
	ck_assert_uint_eq(pager->reclaiming, 0);
	ck_assert_int_eq(pte_state(object_pte(own, 0)), PAGE_READING);
	agent_says(_i);
	ck_assert_int_eq(pte_state(object_pte(own, 0)), _i ? PAGE_SWAPPED : PAGE_RESIDENT);
	ck_assert_uint_eq(pager->used_pages, 1 - (uint32_t)_i);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* A page that is to be dropped has got other contents from a parent meanwhile: that it is dropped
 * cannot be taken back, and nobody takes it for one that no agent drops. */
START_TEST(late_drop_of_gone)
{
	uint32_t frames[2];
	int error;
	pages_change(frames, 1);
	page_written(frames[0], true);
	frames[1] = page_comes(1);
	frame_dirty(pager, own, 1);
	ck_assert_uint_eq(io_write(pager, &frames[1], 1, NULL, &error), 1);
	pageout_drop_queued(pager);
	own->table[0] |= PTE_GONE; /* as push.c does */
	own->regions->registered = true;
	agent_run(pager);
	time_passes();
	ck_assert_int_eq(pte_state(object_pte(own, 0)), PAGE_READING);
	ck_assert_uint_eq(invariant_check(pager), 0);
	uint32_t number = record(IO_WRITE);
	agent_says(1);
	own->regions->registered = false;
	io_complete(pager, number, PAGE_BYTES);
	agent_says(1);
	ck_assert_int_eq(pte_state(object_pte(own, 0)), PAGE_SWAPPED);
	ck_assert(!own->unzapped);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* The client has discarded the first of them meanwhile, so that the command has no range: those
 * that stay are their policy's again, though it was another answer that ended the lapse. */
START_TEST(late_drop_of_some)
{
	uint32_t frames[4];
	int error;
	pages_change(frames, 3);
	uint32_t number = write_begins(frames, 3);
	agent_says(3);
	for (int i = 0; i < 3; i++)
		frame_isolate(pager, frames[i], true);
	io_complete(pager, number, 3 * PAGE_BYTES);
	frames[3] = page_comes(3);
	frame_dirty(pager, own, 3);
	ck_assert_uint_eq(io_write(pager, &frames[3], 1, NULL, &error), 1);
	pageout_drop_queued(pager);
	own->table[1] |= PTE_GONE; /* as push.c does */
	own->regions->registered = true;
	agent_run(pager);
	time_passes();
	own->regions->registered = false;
	ck_assert(!object_discard(pager, own, 0, 1));
	number = record(IO_WRITE);
	agent_says(1);
	ck_assert(agent_ready(pager, own->client));
	io_complete(pager, number, PAGE_BYTES);
	ck_assert_int_eq(pte_state(object_pte(own, 1)), PAGE_SWAPPED);
	ck_assert_int_eq(pte_state(object_pte(own, 2)), PAGE_RESIDENT);
	ck_assert_uint_eq(pager->pools[0].ops->held(pager->pools[0].policy), 2);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* What it has not begun is taken back: a fork that waits for it begins it again. */
START_TEST(late_fork)
{
	bool ended = false;
	struct pager_request request = {.done = request_ended, .owner = &ended};
	uint32_t frames[4];
	pages_change(frames, 3);
	page_written(frames[0], false);
	/* In two writes: pages 1 and 2, and one that is apart. */
	frames[3] = page_comes(8);
	frame_dirty(pager, own, 8);
	ck_assert(!sync_start(pager, own, 0, PAGES, false, &request));
	sync_run(pager);
	ck_assert_uint_eq(pager->agent_records, 2);
	own->regions->registered = true;
	agent_run(pager);
	time_passes();
	ck_assert_uint_eq(pager->agent_records, 1);
	sync_run(pager);
	ck_assert_uint_eq(pager->agent_records, 1);
	agent_says(2);
	io_complete(pager, record(IO_WRITE), 2 * PAGE_BYTES);
	own->regions->registered = false;
	sync_run(pager);
	commands_go();
	agent_says(1);
	io_complete(pager, record(IO_WRITE), PAGE_BYTES);
	sync_run(pager);
	ck_assert(ended);
	ck_assert_int_eq(request.error, 0);
	ck_assert_uint_eq(own->dirty_pages, 0);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

static struct pagerd_command told(void)
{
	struct pagerd_command command;
	ck_assert_int_gt(recv(peer.socket, &command, sizeof command, MSG_DONTWAIT), 0);
	return command;
}

/* The file is truncated, twice, while he is late: his copies go as soon as he can. */
START_TEST(late_truncate)
{
	uint32_t frames[4];
	struct pager_request requests[2] = {{.pending = 1}, {.pending = 1}};
	pages_change(frames, 4);
	write_begins(frames, 1);
	ck_assert_uint_eq(told().type, PAGERD_SAVE);
	time_passes();
	private_truncate(pager, base, UINT64_MAX, &requests[0]);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(requests[0].pending, 2 - (uint64_t)i);
		pager->now_ns += 1000000000;
		agent_tick(pager);
	}
	private_truncate(pager, base, 0, &requests[1]);
	ck_assert_uint_eq(requests[1].pending, 1);
	ck_assert_uint_eq(own->resident_pages, 0);
	agent_says(1);
	struct pagerd_command command = told();
	ck_assert_uint_eq(command.type, PAGERD_ZAP);
	ck_assert_uint_eq(command.count, 1);
	ck_assert_uint_eq(command.ranges[0].address, own->regions->start);
	ck_assert_uint_eq(command.ranges[0].length_bytes, PAGES << PAGE_SHIFT);
	agent_says(1);
	ck_assert(agent_ready(pager, own->client));
	io_complete(pager, record(IO_WRITE), PAGE_BYTES);
	ck_assert_uint_eq(invariant_check(pager), 0);
}
END_TEST

/* ---- their coming and going -------------------------------------------------------------- */

static uint32_t records_left(void)
{
	uint32_t io, count = 0;
	while (io_alloc(pager, IO_READ, &io))
		count++;
	return count;
}

/* Agents that never answer leave records for those whose faults are to be served. */
START_TEST(agents_silent)
{
	enum { CLIENTS = 40, COMMANDS = 20 };
	struct peer peers[CLIENTS];
	uint32_t io;
	for (int i = 0; i < CLIENTS; i++) {
		uint32_t number = agent_comes(&peers[i]);
		for (int k = 0; k < COMMANDS && agent_ready(pager, number); k++) {
			ck_assert_ptr_nonnull(io_alloc(pager, IO_UNMAP, &io));
			pager->ios[io].place = UINT64_MAX;
			agent_submit(pager, number, io);
		}
	}
	ck_assert_uint_ge(records_left(), IO_COUNT / 2);
	peers_close(peers, CLIENTS);
}
END_TEST

/* A client of which a page is to be saved, and never is: another one is there for each. Whether it
 * was told. */
static bool silent_saver(struct peer *silent)
{
	uint32_t number = agent_comes(silent), frames[1];
	int error;
	ck_assert(!object_create_private(pager, number, base, PAGES, &own));
	pages_change(frames, 1);
	if (!io_write(pager, frames, 1, NULL, &error))
		return false;
	commands_go();
	time_passes();
	return true;
}

/* However many agents are late, one after the other, there are records for reads, for writes to
 * swap and for writes to files. */
START_TEST(agents_late)
{
	enum { CLIENTS = IO_COUNT + 8 };
	struct peer peers[CLIENTS];
	uint32_t frames[1], told = 0;
	pages_change(frames, 1);
	page_written(frames[0], false);
	budget_set(pager, 2 * CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		told += silent_saver(&peers[i]);
	ck_assert_uint_ge(told, IO_COUNT / 4);
	ck_assert_uint_eq(pager->lapses, told);
	ck_assert(io_write_room(pager));
	ck_assert_uint_lt(pager->io_writes, IO_COUNT / 2); /* see file_write_room */
	ck_assert_uint_ge(records_left(), IO_COUNT / 2);
	peers_close(peers, CLIENTS);
}
END_TEST

/* An agent that is given up is let go of, however often: nothing keeps its socket, and another one
 * may come. */
START_TEST(agent_given_up)
{
	struct harness h;
	harness_start(&h, 64, "lru", NULL, 0);
	for (int i = 0; i < 3; i++) {
		peer.socket = harness_agent(&h, &peer.window);
		ck_assert_int_eq(send(peer.socket, "?", 1, MSG_NOSIGNAL), 1);
		struct pollfd end = {.fd = peer.socket};
		ck_assert_int_eq(poll(&end, 1, 3000), 1);
		ck_assert(end.revents & POLLHUP);
		peers_close(&peer, 1);
	}
	harness_stop(&h);
}
END_TEST

/* A private mapping of a file may be asked for before there is an agent, but not be paged. */
START_TEST(register_private)
{
	struct harness h;
	char path[] = "/var/tmp/test_agent.XXXXXX";
	int file = mkstemp(path);
	unlink(path);
	ck_assert(!ftruncate(file, PAGE_BYTES));
	harness_start(&h, 64, "lru", NULL, 0);
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = h.client,
		.kind = PAGERD_FILE_PRIVATE,
		.length = PAGE_BYTES,
		.fd = file,
	};
	ck_assert_int_eq(harness_request(&h, &map), 0);
	void *at = mmap(NULL, PAGE_BYTES, PROT_NONE, MAP_PRIVATE, map.fd, (off_t)map.offset);
	ck_assert_ptr_ne(at, MAP_FAILED);
	close(map.fd);
	ck_assert_int_eq(harness_register(&h, at, PAGE_BYTES, map.object, map.offset), -EPROTO);
	peer.socket = harness_agent(&h, &peer.window);
	ck_assert_int_eq(harness_register(&h, at, PAGE_BYTES, map.object, map.offset), 0);
	harness_stop(&h);
	munmap(at, PAGE_BYTES);
	peers_close(&peer, 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("agent");
	TCase *tests = tcase_create("commands");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, object_let_go);
	tcase_add_test(tests, client_killed);
	tcase_add_test(tests, saved_in_part);
	tcase_add_test(tests, late_save);
	tcase_add_loop_test(tests, late_drop, 0, 2);
	tcase_add_test(tests, late_drop_of_gone);
	tcase_add_test(tests, late_drop_of_some);
	tcase_add_test(tests, late_fork);
	tcase_add_test(tests, late_truncate);
	tcase_add_test(tests, agents_silent);
	tcase_add_test(tests, agents_late);
	suite_add_tcase(suite, tests);
	TCase *sockets = tcase_create("sockets");
	tcase_add_test(sockets, agent_given_up);
	tcase_add_test(sockets, register_private);
	suite_add_tcase(suite, sockets);
	return suite_run(suite);
}
