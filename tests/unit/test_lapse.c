/* SPDX-License-Identifier: MIT */
/* A client whose agent does not answer for a while: others go on meanwhile, with what there is. */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core.h"
#include "fake_agent.h"
#include "harness.h"
#include "suite.h"
#include "version.h"

#define BUDGET 256u
#define OTHERS (4 * BUDGET)
#define ROUNDS 4u
#define LOAN   32u /* see shortage.h: the first loan stays while a client is late */

static struct harness h;
static struct fake_agent agent;
static uint32_t silent; /* enum pagerd_command_type: the first of that kind is not answered */
static atomic_bool stopped;
static sem_t go;
static int fd;
static uint64_t *own, *others;

static void stops(struct fake_agent *ignored, const struct pagerd_command *command)
{
	(void)ignored;
	if (command->type != silent || atomic_exchange(&stopped, true))
		return;
	while (sem_wait(&go))
		;
}

/* The client has so many private pages, of a file, and OTHERS of its own. */
static void setup(uint32_t type, uint64_t pages)
{
	silent = type;
	atomic_store(&stopped, false);
	sem_init(&go, 0, 0);
	harness_start(&h, BUDGET, "lru", "/var/tmp", 0);
	fake_agent_begin(&agent, &h, stops);
	fd = file_make(pages, 0);
	own = harness_map(&h, PAGERD_FILE_PRIVATE, pages << 12, fd, 0);
	others = harness_map(&h, PAGERD_ANON_PRIVATE, OTHERS << 12, -1, 0);
}

static void teardown(void)
{
	harness_check(&h);
	harness_stop(&h);
	fake_agent_end(&agent);
	sem_destroy(&go);
	close(fd);
}

/* Change others until the agent is silent; returns the last version. */
static uint64_t others_press(void)
{
	uint64_t version = 0;
	while (!atomic_load(&stopped)) {
		range_write(others, 0, OTHERS, ++version);
		ck_assert_uint_lt(version, 100);
	}
	return version;
}

/* What was lent comes back, all but LOAN, and no more than most pages are in use then. How much it
 * was meanwhile depends on how long the disk took, and others had the processor. */
static void settle(uint64_t most)
{
	while (harness_stats(&h).resident_pages > most || h.pager->shortage.loan_pages > LOAN)
		usleep(1000);
}

/* Half of the memory is his, saved or not: the others take what is left. */
START_TEST(others_go_on)
{
	const uint32_t types[] = {PAGERD_SAVE, PAGERD_ZAP};
	setup(types[_i], BUDGET / 2);
	range_write(own, 0, BUDGET / 2, 1);
	uint64_t version = others_press();
	for (unsigned round = 0; round < ROUNDS; round++)
		range_write(others, 0, OTHERS, ++version);
	harness_check(&h);
	settle(BUDGET);
	ck_assert_uint_eq(harness_stats(&h).faults_error, 0);
	sem_post(&go);
	range_check(own, 0, BUDGET / 2, 1);
	range_check(others, 0, OTHERS, version);
	range_write(own, 0, BUDGET / 2, 2);
	range_check(others, 0, OTHERS, version);
	range_check(own, 0, BUDGET / 2, 2);
	teardown();
}
END_TEST

/* All memory is his: the others are lent some, neither fail nor wait for ever. */
START_TEST(nothing_left)
{
	setup(PAGERD_SAVE, 2 * BUDGET);
	uint64_t page = 0;
	while (!atomic_load(&stopped) && page < 2 * BUDGET)
		page_write(own, page++, 1);
	ck_assert(atomic_load(&stopped));
	while (harness_stats(&h).resident_pages < BUDGET)
		page_write(own, page++, 1);
	range_write(others, 0, OTHERS, 1);
	range_check(others, 0, OTHERS, 1);
	settle(BUDGET + LOAN);
	ck_assert_uint_eq(harness_stats(&h).faults_error, 0);
	sem_post(&go);
	range_check(own, 0, page, 1);
	range_check(others, 0, OTHERS, 1);
	teardown();
}
END_TEST

/* His pages have a limit, and want to leave; so have those of others, who have to leave next. */
START_TEST(limits)
{
	setup(PAGERD_SAVE, BUDGET / 4);
	harness_limit(&h, own, BUDGET / 4);
	harness_limit(&h, others, BUDGET / 4);
	range_write(own, 0, BUDGET / 4 - 1, 1);
	while (!atomic_load(&stopped))
		usleep(5000);
	for (uint64_t version = 1; version <= ROUNDS; version++)
		range_write(others, 0, OTHERS, version);
	settle(3 * BUDGET / 4); /* the limits, and as much of the file */
	sem_post(&go);
	range_check(others, 0, OTHERS, ROUNDS);
	range_check(own, 0, BUDGET / 4 - 1, 1);
	teardown();
}
END_TEST

static void file_changes(enum pager_request_type type)
{
	struct pager_request request = {
		.type = type,
		.client = h.client,
		.flags = type == PAGER_FILE_BEGIN ? PAGERD_FILE_WRITE : 0,
		.fd = type == PAGER_FILE_BEGIN ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1,
	};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

/* Somebody else cuts the file off. */
static void file_cut(uint32_t flags)
{
	struct pager_request request = {
		.type = PAGER_FILE_CUT,
		.flags = flags,
		.fd = fcntl(fd, F_DUPFD_CLOEXEC, 0),
	};
	ck_assert_int_eq(harness_request(&h, &request), 0);
}

static void *goes_on(void *ignored)
{
	usleep(300000);
	sem_post(&go);
	return ignored;
}

/* The file is cut off and grows again while he is late. What he writes then is not what his agent
 * is to drop. */
START_TEST(written_again)
{
	pthread_t thread;
	setup(PAGERD_SAVE, BUDGET / 2);
	range_write(own, 0, BUDGET / 2, 1);
	others_press();
	if (_i)
		file_cut(0);
	else
		file_changes(PAGER_FILE_BEGIN);
	ck_assert(!ftruncate(fd, 0));
	if (_i)
		file_cut(PAGERD_CUT_DONE);
	else
		file_changes(PAGER_FILE_END);
	ck_assert(!ftruncate(fd, BUDGET / 2 << 12));
	ck_assert(!pthread_create(&thread, NULL, goes_on, NULL));
	page_write(own, 3, 2);
	pthread_join(thread, NULL);
	for (int tries = 0; agent.served < 2 && tries < 1000; tries++)
		usleep(1000);
	page_check(own, 3, 2);
	teardown();
}
END_TEST

/* He goes while he is late. */
START_TEST(agent_goes)
{
	setup(PAGERD_SAVE, BUDGET / 2);
	range_write(own, 0, BUDGET / 2, 1);
	uint64_t version = others_press() + 1;
	range_write(others, 0, OTHERS, version);
	shutdown(agent.socket, SHUT_RDWR);
	range_write(others, 0, OTHERS, ++version);
	range_check(own, 0, BUDGET / 2, 1);
	range_check(others, 0, OTHERS, version);
	agent.gone = true;
	sem_post(&go);
	teardown();
}
END_TEST

/* With chaos he is late now and again, though he answers at once. */
START_TEST(in_chaos)
{
	harness_chaos = 1;
	setup(0, BUDGET / 2);
	harness_chaos = 0;
	for (uint64_t version = 1; version <= ROUNDS; version++) {
		range_write(own, 0, BUDGET / 2, version);
		range_write(others, 0, BUDGET, version);
		range_check(own, 0, BUDGET / 2, version);
		range_check(others, 0, BUDGET, version);
	}
	harness_check(&h);
	ck_assert_uint_gt(client_lookup(h.pager, h.client)->agent.lapse.ended_ns, 0);
	teardown();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("lapse");
	TCase *tcase = tcase_create("others");
	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, others_go_on, 0, 2);
	tcase_add_test(tcase, nothing_left);
	tcase_add_test(tcase, limits);
	tcase_add_test(tcase, agent_goes);
	tcase_add_loop_test(tcase, written_again, 0, 2);
	tcase_add_test(tcase, in_chaos);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
