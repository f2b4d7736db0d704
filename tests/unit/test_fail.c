/* SPDX-License-Identifier: MIT */
/*
 * Writes that fail: to a page that is mapped, and protected, and no memory is to be had for what
 * the write needs. They get SIGBUS, or wait, and what is there does not change; later they go on.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "core.h"
#include "fake_agent.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define BUDGET 64u
#define PAGES  4u /* that the tests are about; others fill the memory */
#define TRIES  3000

static struct harness h;

/* ---- accesses ------------------------------------------------------------------------------ */

static bool try_write(uint64_t *memory, uint64_t page, uint64_t version)
{
	return bus_write(memory, page, page + 1, version) > page;
}

static void wait_after(int tries)
{
	ck_assert_int_lt(tries, TRIES);
	usleep(10000);
}

static void write_soon(uint64_t *memory, uint64_t page, uint64_t version)
{
	for (int tries = 0; !try_write(memory, page, version); tries++)
		wait_after(tries);
}

/* ---- on the pager's thread ----------------------------------------------------------------- */

/* It does its part in the end of a request. */
static void on_thread(void (*part)(struct pager_request *request))
{
	struct pager_request request = {.type = PAGER_CHECK, .fd = -1, .done = part};
	pager_post(h.pager, &request);
	harness_check(&h); /* it is behind */
}

static void turns(void)
{
	harness_check(&h);
	harness_check(&h);
}

/* ---- memory that is full ------------------------------------------------------------------- */

static uint64_t *filler;

/* Pages that cannot leave: there is no swap. */
static void fill(void)
{
	uint64_t pages = BUDGET - harness_stats(&h).resident_pages;
	filler = harness_map(&h, PAGERD_ANON_PRIVATE, BUDGET << 12, -1, 0);
	range_write(filler, 0, pages, 1);
}

/* Pages that have been changed stay. */
static void writes_end(struct pager_request *request)
{
	(void)request;
	h.pager->shortage.write_retry_ns = UINT64_MAX;
}

/* The opposite of both. */
static void give_back(void)
{
	ck_assert_int_eq(harness_range(&h, PAGER_DISCARD, filler, BUDGET << 12, 0), 0);
}

static void page_out(uint64_t *memory)
{
	ck_assert_int_eq(harness_range(&h, PAGER_ADVISE, memory, PAGES << 12, MADV_PAGEOUT), 0);
}

static void setup(void)
{
	bus_catch();
	harness_start(&h, BUDGET, "lru", NULL, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
}

/* ---- private mappings of a file ------------------------------------------------------------ */

/* The file's page is there, changed. There is no frame for the client's own. */
START_TEST(private_of_a_file)
{
	struct fake_agent agent;
	setup();
	int fd = file_make(PAGES, 0);
	fake_agent_begin(&agent, &h, NULL);
	uint64_t *shared = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	uint64_t *memory = harness_map(&h, PAGERD_FILE_PRIVATE, PAGES << 12, fd, 0);
	on_thread(writes_end);
	range_write(shared, 0, PAGES, 1);
	range_check(memory, 0, PAGES, 1);
	fill();
	ck_assert(!try_write(memory, 0, 2));
	range_check(memory, 1, PAGES, 1);
	range_check(shared, 0, PAGES, 1);
	page_write(shared, 0, 3);
	harness_check(&h);
	give_back();
	write_soon(memory, 0, 4);
	page_write(shared, 0, 5);
	page_check(memory, 0, 4);
	page_check(shared, 0, 5);
	range_check(memory, 1, PAGES, 1);
	teardown();
	fake_agent_end(&agent);
	close(fd);
}
END_TEST

/* ---- a fork -------------------------------------------------------------------------------- */

static struct {
	pid_t process;
	int socket;
	uint64_t *memory; /* at the same place in both */
} forked;

/* What the child is to do; the same comes back as its answer. */
struct errand {
	bool write, bus;
	uint64_t page, version, word;
};

static void child_serve(int socket)
{
	struct errand errand;
	while (recv(socket, &errand, sizeof errand, 0) == sizeof errand) {
		errand.bus = errand.write
				     ? !try_write(forked.memory, errand.page, errand.version)
				     : !bus_read(forked.memory + errand.page * WORDS, &errand.word);
		send(socket, &errand, sizeof errand, 0);
	}
	_exit(0);
}

static void child_run(int socket, int memfd)
{
	char go;
	int uffd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	send(socket, &uffd, sizeof uffd, 0);
	if (recv(socket, &go, 1, 0) != 1 || mmap(forked.memory, PAGES << 12, PROT_READ | PROT_WRITE,
						 MAP_PRIVATE | MAP_FIXED, memfd, 0) == MAP_FAILED)
		_exit(1);
	send(socket, &go, 1, 0);
	child_serve(socket);
}

static struct errand child_asked(struct errand errand)
{
	ck_assert_int_eq(send(forked.socket, &errand, sizeof errand, 0), sizeof errand);
	ck_assert_int_eq(recv(forked.socket, &errand, sizeof errand, 0), sizeof errand);
	return errand;
}

static bool child_write(uint64_t page, uint64_t version)
{
	return !child_asked((struct errand){.write = true, .page = page, .version = version}).bus;
}

static void child_check(uint64_t page, uint64_t version)
{
	struct errand errand = child_asked((struct errand){.page = page});
	ck_assert(!errand.bus);
	ck_assert_uint_eq(errand.word, value(page, version));
}

/* The parent's memory, mapped, and its memfd. */
static int memory_make(void)
{
	struct pager_request map = {
		.type = PAGER_MAP,
		.client = h.client,
		.kind = PAGERD_ANON_PRIVATE,
		.writable = true,
		.length = PAGES << 12,
		.fd = -1,
	};
	ck_assert_int_eq(harness_request(&h, &map), 0);
	forked.memory = mmap(NULL, PAGES << 12, PROT_READ | PROT_WRITE, MAP_SHARED, map.fd, 0);
	ck_assert_ptr_ne(forked.memory, MAP_FAILED);
	ck_assert_int_eq(harness_register(&h, forked.memory, PAGES << 12, map.object, 0), 0);
	return map.fd;
}

/* The child's process, with its end of the socket; and a client of the pager. */
static uint32_t child_start(int memfd)
{
	int ends[2], uffd;
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	forked.process = fork();
	if (!forked.process) {
		close(ends[0]);
		child_run(ends[1], memfd);
	}
	close(ends[1]);
	forked.socket = ends[0];
	ck_assert_int_eq(recv(forked.socket, &uffd, sizeof uffd, 0), sizeof uffd);
	struct pager_request add = {
		.type = PAGER_CLIENT_ADD,
		.fd = harness_descriptor(forked.process, uffd),
		.pid = (uint32_t)forked.process,
		.name = "child",
	};
	ck_assert_int_eq(harness_request(&h, &add), 0);
	return add.client;
}

/* What the kernel's fork and the preload library do, with a parent that does nothing meanwhile. */
static void fork_begin(void)
{
	char go = 1;
	int memfd = memory_make();
	range_write(forked.memory, 0, PAGES, 1);
	struct harness child = h;
	child.client = child_start(memfd);
	struct pager_request fork = {
		.type = PAGER_FORK, .client = h.client, .child = child.client, .fd = -1};
	ck_assert_int_eq(harness_request(&h, &fork), 0);
	ck_assert_int_eq(send(forked.socket, &go, 1, 0), 1);
	ck_assert_int_eq(recv(forked.socket, &go, 1, 0), 1);
	ck_assert_int_eq(harness_register(&child, forked.memory, PAGES << 12, 0, 0), 0);
	fork.type = PAGER_FORK_END;
	ck_assert_int_eq(harness_request(&h, &fork), 0);
	close(memfd);
}

static void fork_end_all(void)
{
	int status;
	teardown();
	close(forked.socket);
	ck_assert_int_eq(waitpid(forked.process, &status, 0), forked.process);
	ck_assert_int_eq(status, 0);
}

/* The child sees the parent's page, and there is no frame for its own. */
START_TEST(child_of_a_fork)
{
	setup();
	fork_begin();
	child_check(0, 1);
	fill();
	ck_assert(!child_write(0, 2));
	child_check(1, 1);
	range_check(forked.memory, 0, PAGES, 1);
	harness_check(&h);
	give_back();
	for (int tries = 0; !child_write(0, 3); tries++)
		wait_after(tries);
	range_check(forked.memory, 0, PAGES, 1);
	range_write(forked.memory, 0, PAGES, 4);
	child_check(0, 3);
	child_check(1, 1);
	fork_end_all();
}
END_TEST

/* Faults wait, and do not fail: as if a read were on its way. */
static void failing_begins_not(struct pager_request *request)
{
	writes_end(request);
	h.pager->io_reads++;
}

static void failing_begins(struct pager_request *request)
{
	(void)request;
	h.pager->io_reads--;
	h.pager->shortage.hopeless = true;
}

static uint32_t waiting;

static void waiting_count(struct pager_request *request)
{
	(void)request;
	waiting = h.pager->shortage.waiting.count;
}

static void wait_for_one(void)
{
	for (waiting = 0; !waiting; usleep(1000))
		on_thread(waiting_count);
}

/* ---- a fork, and its parent ---------------------------------------------------------------- */

static bool parent_written;

static void *parent_write(void *unused)
{
	(void)unused;
	parent_written = try_write(forked.memory, 0, 2);
	return NULL;
}

/* The child sees the parent's page, and cannot be given one of its own. While that waits the page
 * is mapped again. */
START_TEST(parent_of_a_fork)
{
	pthread_t thread;
	setup();
	fork_begin();
	child_check(0, 1);
	fill();
	on_thread(failing_begins_not);
	ck_assert(!pthread_create(&thread, NULL, parent_write, NULL));
	wait_for_one();
	page_check(forked.memory, 0, 1);
	child_check(0, 1);
	on_thread(failing_begins);
	pthread_join(thread, NULL);
	ck_assert(!parent_written);
	child_check(0, 1);
	child_check(1, 1);
	range_check(forked.memory, 1, PAGES, 1);
	harness_check(&h);
	give_back();
	write_soon(forked.memory, 0, 3);
	child_check(0, 1);
	page_check(forked.memory, 0, 3);
	range_check(forked.memory, 1, PAGES, 1);
	fork_end_all();
}
END_TEST

/* ---- a file's page, and no record ---------------------------------------------------------- */

static uint32_t taken[IO_COUNT], taken_count;

static void records_take(struct pager_request *request)
{
	(void)request;
	while (taken_count < IO_COUNT && io_alloc(h.pager, IO_RESERVE, &taken[taken_count]))
		taken_count++;
}

static void records_give(struct pager_request *request)
{
	(void)request;
	h.pager->shortage.hopeless = false;
	while (taken_count)
		io_release(h.pager, &h.pager->ios[taken[--taken_count]]);
}

/* As if there were nothing left that could be done. */
static void give_up(struct pager_request *request)
{
	(void)request;
	h.pager->shortage.hopeless = true;
}

static uint64_t *sparse;

static void *sparse_write(void *unused)
{
	(void)unused;
	page_write(sparse, 0, 1);
	return NULL;
}

/* Who waits for a hole to get its blocks waits for no memory, whatever others get. */
START_TEST(hole_of_a_file)
{
	pthread_t thread;
	int fd = open("/var/tmp", O_RDWR | O_TMPFILE, 0600);
	setup();
	ck_assert_int_eq(ftruncate(fd, PAGES << 12), 0);
	sparse = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	zeros_check(sparse, 0, 1);
	on_thread(records_take);
	ck_assert(!pthread_create(&thread, NULL, sparse_write, NULL));
	wait_for_one();
	on_thread(give_up);
	turns();
	on_thread(records_give);
	pthread_join(thread, NULL);
	ck_assert_int_eq(harness_range(&h, PAGER_SYNC, sparse, PAGES << 12, MS_SYNC), 0);
	page_out(sparse);
	page_check(sparse, 0, 1);
	teardown();
	close(fd);
}
END_TEST

/* ---- late faults --------------------------------------------------------------------------- */

static uint64_t *own;

static void faults_two(struct pager_request *request)
{
	(void)request;
	const struct client *client = client_lookup(h.pager, h.client);
	ck_assert(fault_at(h.pager, client, (uintptr_t)own, NULL));
	ck_assert(fault_at(h.pager, client, (uintptr_t)own, NULL));
}

/* Two wait for a page of the client's own. When the second one's turn comes the page is there, and
 * what is behind it is beyond the file's end. */
START_TEST(late_for_a_private)
{
	struct fake_agent agent;
	int fd = file_make(PAGES, 0);
	bus_catch();
	harness_start(&h, BUDGET, "lru", "/var/tmp", 0);
	fake_agent_begin(&agent, &h, NULL);
	own = harness_map(&h, PAGERD_FILE_PRIVATE, PAGES << 12, fd, 0);
	uint64_t *shared = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, fd, 0);
	range_write(own, 0, PAGES, 1);
	for (; harness_stats(&h).evicted_dirty < PAGES; usleep(1000))
		page_out(own); /* again: there is no swap file yet */
	page_out(shared);
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	on_thread(faults_two);
	page_check(own, 0, 1);
	while (!harness_stats(&h).faults_error)
		usleep(1000);
	page_write(own, 0, 2);
	page_out(own);
	turns();
	page_check(own, 0, 2);
	teardown();
	fake_agent_end(&agent);
	close(fd);
}
END_TEST

/* ---- poison that is taken away ------------------------------------------------------------- */

static int shared_fd;
static atomic_bool zapped;

/* Nobody is going to try again. */
static void poison_forget(struct pager_request *request)
{
	(void)request;
	h.pager->poison = (struct poison_table){0};
}

static void zap_done(struct pager *pager, bool all)
{
	(void)all;
	for (uint32_t i = 0; i < pager->zap.count; i++)
		frame_get(pager, pager->zap.frames[i])->flags &= (uint16_t)~FRAME_ZAPPING;
	atomic_store(&zapped, true);
}

/* The last page, if that is allowed. */
static void zap_last(struct pager_request *request)
{
	(void)request;
	struct zap *zap = &h.pager->zap;
	const struct object *object = object_find_file(h.pager, shared_fd);
	uint32_t number = (uint32_t)pte_number(object_pte(object, PAGES - 1));
	bool allowed = zap_allowed(h.pager, number);
	atomic_store(&zapped, !allowed);
	if (!allowed)
		return;
	frame_get(h.pager, number)->flags |= FRAME_ZAPPING;
	zap->frames[0] = number;
	zap->count = 1;
	zap_send(h.pager, zap_done);
}

/* The page was beyond the file's end for one, and is there for another by now. What is zapped to
 * see whether it is used again must not leave an entry without protection. */
START_TEST(poison_is_not_zapped)
{
	struct fake_agent agent;
	setup();
	shared_fd = file_make(PAGES - 1, 0);
	fake_agent_begin(&agent, &h, NULL);
	uint64_t *first = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, shared_fd, 0);
	uint64_t *second = harness_map(&h, PAGERD_FILE_SHARED, PAGES << 12, shared_fd, 0);
	ck_assert(!bus_read(first + (PAGES - 1) * WORDS, NULL));
	on_thread(poison_forget);
	ck_assert_int_eq(ftruncate(shared_fd, PAGES << 12), 0);
	file_write(shared_fd, PAGES - 1, 0);
	page_check(second, PAGES - 1, 0);
	on_thread(zap_last);
	while (!atomic_load(&zapped))
		usleep(1000);
	bool written = try_write(first, PAGES - 1, 1);
	page_out(second);
	turns();
	page_check(second, PAGES - 1, written);
	teardown();
	fake_agent_end(&agent);
	close(shared_fd);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fail");
	TCase *tcase = tcase_create("writes that fail");
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, private_of_a_file);
	tcase_add_test(tcase, parent_of_a_fork);
	tcase_add_test(tcase, child_of_a_fork);
	tcase_add_test(tcase, hole_of_a_file);
	tcase_add_test(tcase, late_for_a_private);
	tcase_add_test(tcase, poison_is_not_zapped);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
