/* SPDX-License-Identifier: MIT */
/* Requests that the pager's thread reads and answers, without the main thread; files' calls. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"

#define ALONE_MS 2000

/* Send a request and see its reply while the main thread does nothing; 1: there is none. */
static int peer_call_alone(int peer, void *packet, size_t size, uint16_t type, int fd, int ms)
{
	struct pollfd p = {.fd = peer, .events = POLLIN};
	union packet reply;
	int got_fd;
	peer_send(peer, packet, size, type, fd);
	if (poll(&p, 1, ms) <= 0)
		return 1;
	ck_assert_uint_ge(peer_receive(peer, &reply, sizeof reply, &got_fd), sizeof reply.h);
	if (got_fd >= 0)
		close(got_fd);
	ck_assert_uint_eq(reply.h.type, type | PAGERD_REPLY);
	return reply.h.error;
}

static struct pagerd_range some_range = {.address = 4096, .length_bytes = 4096};

static int discard_alone(int peer, int ms)
{
	return peer_call_alone(peer, &some_range, sizeof some_range, PAGERD_DISCARD, -1, ms);
}

/* A client whose last request left it with the pager's thread. */
static int peer_join_apart(void)
{
	int peer = peer_join();
	ck_assert_int_eq(peer_call(peer, &some_range, sizeof some_range, PAGERD_DISCARD, -1), 0);
	return peer;
}

START_TEST(quick_needs_no_main_thread)
{
	int file = memfd_create("test", MFD_CLOEXEC), peer = peer_join_apart();
	struct pagerd_map map = {.kind = PAGERD_FILE_SHARED, .writable = 1, .length_bytes = 4096};
	struct pagerd_range odd = {.address = 1, .length_bytes = 1};
	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(discard_alone(peer, ALONE_MS), 0);
		ck_assert_int_eq(
			peer_call_alone(peer, &map, sizeof map, PAGERD_MAP, file, ALONE_MS), 0);
		ck_assert_int_eq(
			peer_call_alone(peer, &odd, sizeof odd, PAGERD_UNMAP, -1, ALONE_MS),
			-EINVAL);
	}
	close(file);
	close(peer);
}
END_TEST

/* What else comes goes back to the main thread, once; which looks at descriptors that may take
 * their time to be closed. */
START_TEST(quick_is_left)
{
	int device = open("/dev/zero", O_RDWR), peer = peer_join_apart();
	struct pagerd_map map = {.kind = PAGERD_FILE_SHARED, .length_bytes = 4096};
	struct pagerd_header header;
	union packet reply;
	int got_fd;
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(peer_call_alone(peer, &map, sizeof map, PAGERD_MAP, device, 20),
				 1);
		peer_receive(peer, &reply, sizeof reply, &got_fd);
		ck_assert_int_eq(reply.h.error, -ENODEV);
		ck_assert_int_eq(discard_alone(peer, 20), 1); /* it listens there now */
		peer_receive(peer, &reply, sizeof reply, &got_fd);
		ck_assert_int_eq(reply.h.error, 0);
		ck_assert_int_eq(discard_alone(peer, ALONE_MS), 0);
		ck_assert_int_eq(
			peer_call_alone(peer, &header, sizeof header, PAGERD_STATS, -1, 20), 1);
		peer_receive(peer, &reply, sizeof reply, &got_fd);
		ck_assert_int_eq(reply.h.error, 0);
		ck_assert_int_eq(
			peer_call(peer, &some_range, sizeof some_range, PAGERD_DISCARD, -1), 0);
	}
	close(device);
	close(peer);
}
END_TEST

/* Its end: it closes, breaks the protocol, or sends what nobody wants. */
START_TEST(quick_ends)
{
	int peer = peer_join_apart(), files[3] = {0, 0, 0};
	char garbage[100] = "garbage";
	if (_i == 1)
		ck_assert_int_eq(peer_send_files(peer, garbage, sizeof garbage, NULL, 0), 0);
	if (_i == 2)
		ck_assert_int_eq(peer_send_files(peer, &some_range, sizeof some_range, files, 3),
				 0);
	if (_i == 3)
		peer_send(peer, &some_range, sizeof some_range, PAGERD_DISCARD, 0);
	if (_i)
		loop_until(!daemon_.sessions);
	close(peer);
}
END_TEST

/* It asks and asks, and takes no reply. */
START_TEST(quick_reply_is_not_taken)
{
	int peer = peer_join_apart(), error = 0;
	some_range.h = (struct pagerd_header){PAGERD_MAGIC, PAGERD_VERSION, PAGERD_DISCARD,
					      sizeof some_range, 0};
	for (uint64_t end = now_ms() + WAIT_MS; error != -EPIPE && now_ms() < end;) {
		error = peer_send_files(peer, &some_range, sizeof some_range, NULL, 0);
		if (error == -EAGAIN)
			loop_turn();
	}
	ck_assert_int_eq(error, -EPIPE);
	close(peer);
}
END_TEST

/* Who may not write to a file cannot stop others' writes either. */
START_TEST(file_calls_need_the_right)
{
	char path[] = "/tmp/test_session.XXXXXX";
	int both = mkostemp(path, O_CLOEXEC), peer = peer_join();
	int read_only = open(path, O_RDONLY), name_only = open(path, O_PATH);
	int device = open("/dev/null", O_RDWR);
	struct pagerd_range range = {.length_bytes = 4096};
	unlink(path);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, read_only), 0);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, name_only),
			 -EBADF);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, device), -ENODEV);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_BOARD, read_only), 0);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_BOARD, name_only), -EBADF);
	range.flags = PAGERD_BOARD_PAGES;
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_BOARD, both), 0);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_BOARD, read_only), -EBADF);
	range.flags = PAGERD_FILE_WRITE;
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, both), 0);
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, read_only),
			 -EBADF);
	range.flags = 2;
	ck_assert_int_eq(peer_call(peer, &range, sizeof range, PAGERD_FILE_BEGIN, both), -EINVAL);
	close(both);
	close(read_only);
	close(name_only);
	close(device);
	close(peer);
}
END_TEST

START_TEST(file_write_has_a_deadline)
{
	int peer = peer_join(), fd = memfd_create("file", 0);
	int idle = files_open();
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, 0, 4096, fd), 0);
	ck_assert_int_eq(loop_expire(), 0); /* nobody waits for a read */
	/* In time: the timer is gone with the end. */
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 4096, fd), 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 4096, fd), -EBUSY);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_END, 0, 4096, -1), 0);
	ck_assert_int_eq(loop_expire(), 0);
	ck_assert_uint_eq(done_count(PAGER_FILE_END), 1);
	ck_assert_int_eq(files_open(), idle);
	/* Too late: the pager gets an end, with the session's own bytes, without the client. */
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 8192, fd), 0);
	ck_assert_int_eq(loop_expire(), 1);
	loop_until(done_count(PAGER_FILE_END) == 2);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_END).offset, 8192);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_END).length, 100);
	ck_assert(!peer_readable(peer));
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	/* When it comes, the mappings are refreshed: a begin over no bytes and an end. */
	unsigned begins = done_count(PAGER_FILE_BEGIN);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_END, 0, 8192, -1), 0);
	ck_assert_uint_eq(done_count(PAGER_FILE_BEGIN), begins + 1);
	ck_assert_uint_gt(fake_last(&pagers_[0], PAGER_FILE_BEGIN).offset, 1ull << 60);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_BEGIN).flags, PAGERD_FILE_WRITE);
	ck_assert_uint_eq(done_count(PAGER_FILE_END), 3);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_END).offset, 8192);
	ck_assert_int_eq(files_open(), idle);
	ck_assert_int_eq(loop_expire(), 0);
	/* And from then on all is as before. */
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_END, 0, 0, -1), 0);
	close(fd);
	close(peer);
}
END_TEST

/* It goes away before, at, or after its deadline, or while the pager works on its end. */
START_TEST(file_write_and_gone)
{
	struct pagerd_range range = {.length_bytes = 100};
	int peer = peer_join(), fd = memfd_create("file", 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
	close(fd);
	if (_i > 0)
		hold(true);
	if (_i > 0)
		ck_assert_int_eq(loop_expire(), 1);
	if (_i > 1)
		peer_send(peer, &range, sizeof range, PAGERD_FILE_END, -1);
	for (int i = 0; i < 20; i++)
		loop_turn();
	close(peer);
	for (int i = 0; i < 20; i++)
		loop_turn();
	hold(false);
	loop_until(!daemon_.sessions);
	ck_assert_int_eq(loop_expire(), 0);
}
END_TEST

/* The end that comes instead of the client's waits, say for another client's agent: the session
 * stays as long as the pager has its request. */
START_TEST(file_end_outlives_the_client)
{
	int peer = peer_join(), fd = memfd_create("file", 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
	close(fd);
	fake_keep(&pagers_[0], 1ull << PAGER_FILE_END);
	ck_assert_int_eq(loop_expire(), 1);
	if (_i) /* on the pager's thread by then */
		ck_assert_int_eq(
			peer_call(peer, &some_range, sizeof some_range, PAGERD_DISCARD, -1), 0);
	close(peer);
	for (int i = 0; i < 200; i++)
		loop_turn();
	ck_assert_uint_eq(done_count(PAGER_CLIENT_REMOVE), 0);
	ck_assert_ptr_nonnull(daemon_.sessions);
	fake_keep(&pagers_[0], 0);
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(done_count(PAGER_CLIENT_REMOVE), 1);
}
END_TEST

/* It waits so long that the next write is overdue, too. */
START_TEST(file_end_outlives_the_write)
{
	int peer = peer_join(), fd = memfd_create("file", 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
	fake_keep(&pagers_[0], 1ull << PAGER_FILE_END);
	ck_assert_int_eq(loop_expire(), 1);
	pagers_[0].errors[PAGER_FILE_BEGIN] = -ENOENT; /* of the late end: nobody maps it now */
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_END, 0, 0, -1), 0);
	pagers_[0].errors[PAGER_FILE_BEGIN] = 0;
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 4096, fd), 0);
	close(fd);
	ck_assert_int_eq(loop_expire(), 1);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	if (_i) { /* the client's own comes before it could be asked for */
		struct pagerd_range range = {.address = 4096, .length_bytes = 100};
		peer_send(peer, &range, sizeof range, PAGERD_FILE_END, -1);
		for (int i = 0; i < 50; i++)
			loop_turn();
		ck_assert_uint_eq(done_count(PAGER_FILE_BEGIN), 3); /* it is not late */
	}
	if (_i < 2)
		fake_keep(&pagers_[0], 0);
	if (_i < 2)
		loop_until(done_count(PAGER_FILE_END) == 2);
	close(peer);
	for (int i = 0; i < 50; i++)
		loop_turn();
	fake_keep(&pagers_[0], 0);
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(done_count(PAGER_FILE_END), 2);
}
END_TEST

static void setup(void)
{
	daemon_begin(1);
}

int main(void)
{
	Suite *suite = suite_create("session_quick");
	TCase *tcase = tcase_create("session_quick");
	tcase_add_checked_fixture(tcase, setup, daemon_end_idle);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, quick_needs_no_main_thread);
	tcase_add_test(tcase, quick_is_left);
	tcase_add_loop_test(tcase, quick_ends, 0, 4);
	tcase_add_test(tcase, quick_reply_is_not_taken);
	tcase_add_test(tcase, file_calls_need_the_right);
	tcase_add_test(tcase, file_write_has_a_deadline);
	tcase_add_loop_test(tcase, file_write_and_gone, 0, 3);
	tcase_add_loop_test(tcase, file_end_outlives_the_client, 0, 2);
	tcase_add_loop_test(tcase, file_end_outlives_the_write, 0, 3);
	suite_add_tcase(suite, tcase);
	return suite_run(suite);
}
