/* SPDX-License-Identifier: MIT */
/*
 * The daemon's sessions, with a fake pager: what clients may send, in which order, and what they
 * get for it; what becomes of those that break the protocol or go away. TEST_SEED chooses the
 * garbage.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../daemon/report.h"
#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"

/* ---- becoming a client ------------------------------------------------------------------- */

START_TEST(hello_is_answered)
{
	struct pagerd_hello hello = {.name = "a\x1b[2J\"\n\xc3\xa9 long name"};
	struct pagerd_hello_reply reply;
	int fd, peer = peer_new();
	peer_send(peer, &hello, sizeof hello, PAGERD_HELLO, -1);
	ck_assert_uint_eq(peer_receive(peer, &reply, sizeof reply, &fd), sizeof reply);
	ck_assert_uint_eq(reply.page_bytes, PAGE_BYTES);
	ck_assert_uint_eq(reply.daemon_pid, (uint32_t)getpid());
	ck_assert_int_eq(!!(reply.flags & PAGERD_HELLO_DEVICE), daemon_.device_fd >= 0);
	ck_assert_int_eq(fd >= 0, daemon_.device_fd >= 0);
	if (fd >= 0)
		close(fd);
	/* What is printed of it does nothing to a terminal or a table. */
	ck_assert_str_eq(daemon_.sessions->name, "a?[2J\"??? long name");
	ck_assert_int_eq(daemon_.sessions->pid, getpid());
	ck_assert_uint_eq(daemon_.sessions->uid, geteuid());
	ck_assert_int_eq(peer_hello(peer), -EALREADY);
	close(peer);
}
END_TEST

static const struct {
	uint16_t type;
	uint16_t size;
} client_requests[] = {
	{PAGERD_MAP, sizeof(struct pagerd_map)},
	{PAGERD_REGISTER, sizeof(struct pagerd_register)},
	{PAGERD_UNMAP, sizeof(struct pagerd_range)},
	{PAGERD_OPEN, sizeof(struct pagerd_open)},
	{PAGERD_SYNC, sizeof(struct pagerd_range)},
	{PAGERD_DISCARD, sizeof(struct pagerd_range)},
	{PAGERD_ADVISE, sizeof(struct pagerd_range)},
	{PAGERD_WIRE, sizeof(struct pagerd_range)},
	{PAGERD_FORK_END, sizeof(struct pagerd_header)},
	{PAGERD_STATS, sizeof(struct pagerd_header)},
	{PAGERD_FILE_END, sizeof(struct pagerd_range)},
	{PAGERD_BOARD, sizeof(struct pagerd_range)},
};

START_TEST(order_is_kept)
{
	union packet packet = {0};
	int peer = peer_new();
	ck_assert_int_eq(
		peer_call(peer, &packet, client_requests[_i].size, client_requests[_i].type, -1),
		1); /* before HELLO */
	close(peer);
	peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	ck_assert_int_eq(
		peer_call(peer, &packet, client_requests[_i].size, client_requests[_i].type, -1),
		1); /* before UFFD */
	close(peer);
}
END_TEST

START_TEST(control_needs_hello)
{
	union packet packet = {0};
	int peer = peer_new();
	ck_assert_int_eq(peer_call(peer, &packet, sizeof packet.report, PAGERD_REPORT, -1), 1);
	close(peer);
	peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	ck_assert_int_eq(peer_header(peer, PAGERD_DRAIN, -1), 0);
	close(peer);
}
END_TEST

START_TEST(userfaultfd_is_one)
{
	int wrong[] = {open("/dev/null", O_RDWR), memfd_create("anon_inode:[userfaultfd]", 0),
		       eventfd(0, 0), userfaultfd_new(O_CLOEXEC)}; /* the last one would block */
	for (size_t i = 0; i < 4; i++) {
		if (wrong[i] < 0)
			continue;
		int peer = peer_new();
		ck_assert_int_eq(peer_hello(peer), 0);
		ck_assert_int_eq(peer_header(peer, PAGERD_UFFD, wrong[i]), 1);
		close(wrong[i]);
		close(peer);
	}
	ck_assert_uint_eq(done_count(PAGER_CLIENT_ADD), 0);
	int peer = peer_join();
	ck_assert_uint_eq(client_count(), 1);
	int again = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	if (again >= 0) {
		ck_assert_int_eq(peer_header(peer, PAGERD_UFFD, again), -EALREADY);
		close(again);
	}
	close(peer);
}
END_TEST

START_TEST(new_client_gets_its_limit)
{
	daemon_.config.client_bytes = 1 << 20;
	int peer = peer_join();
	ck_assert_uint_eq(done_count(PAGER_SET), 1);
	close(peer);
}
END_TEST

/* ---- packets that are none --------------------------------------------------------------- */

START_TEST(header_is_checked)
{
	static const struct pagerd_header wrong[] = {
		{0, PAGERD_VERSION, PAGERD_HELLO, sizeof(struct pagerd_hello), 0},
		{PAGERD_MAGIC, PAGERD_VERSION + 1, PAGERD_HELLO, sizeof(struct pagerd_hello), 0},
		{PAGERD_MAGIC, PAGERD_VERSION, 0, sizeof(struct pagerd_hello), 0},
		{PAGERD_MAGIC, PAGERD_VERSION, 999, sizeof(struct pagerd_hello), 0},
		{PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO | PAGERD_REPLY,
		 sizeof(struct pagerd_hello), 0},
		{PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, 0, 0},
		{PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof(struct pagerd_hello) + 1, 0},
		{PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, UINT32_MAX, 0},
		{PAGERD_MAGIC, PAGERD_VERSION, PAGERD_DRAIN, sizeof(struct pagerd_hello), 0},
	};
	struct pagerd_hello hello = {.h = wrong[_i]};
	int peer = peer_new();
	ck_assert_int_eq(peer_send_files(peer, &hello, sizeof hello, NULL, 0), 0);
	peer_must_have_ended(peer);
}
END_TEST

START_TEST(length_is_checked)
{
	char bytes[PAGERD_PACKET_MAX + 1] = {0};
	struct pagerd_hello hello = {
		.h = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof hello, 0}};
	memcpy(bytes, &hello, sizeof hello);
	size_t lengths[] = {1,
			    4,
			    sizeof hello.h - 1,
			    sizeof hello.h,
			    sizeof hello - 1,
			    sizeof hello + 1,
			    PAGERD_PACKET_MAX,
			    PAGERD_PACKET_MAX + 1};
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		int peer = peer_new();
		ck_assert_int_eq(peer_send_files(peer, bytes, lengths[i], NULL, 0), 0);
		peer_must_have_ended(peer);
	}
}
END_TEST

/* Descriptors where none belong, too many, and with a packet of no bytes: teardown sees that all
 * are closed. */
START_TEST(descriptors_are_counted)
{
	int files[16], peer;
	struct pagerd_hello hello = {
		.h = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof hello, 0}};
	for (int i = 0; i < 16; i++)
		files[i] = open("/dev/null", O_RDONLY);
	for (size_t count = 1; count <= 16; count++) {
		peer = peer_new();
		ck_assert_int_eq(peer_send_files(peer, &hello, sizeof hello, files, count), 0);
		peer_must_have_ended(peer);
		peer = peer_new();
		ck_assert_int_eq(peer_send_files(peer, &hello, 0, files, count), 0);
		peer_must_have_ended(peer);
	}
	for (uint16_t type = PAGERD_UFFD; type == PAGERD_UFFD || type == PAGERD_FORK;
	     type += PAGERD_FORK - PAGERD_UFFD) {
		peer = peer_join();
		ck_assert_int_eq(peer_header(peer, type, -1), 1);
		close(peer);
	}
	peer = peer_join();
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, files[0]), 1);
	close(peer);
	int two[] = {userfaultfd_new(O_CLOEXEC | O_NONBLOCK), files[0]};
	if (two[0] >= 0) { /* the first of the two is what UFFD wants */
		hello.h = (struct pagerd_header){PAGERD_MAGIC, PAGERD_VERSION, PAGERD_UFFD,
						 sizeof hello.h, 0};
		peer = peer_new();
		ck_assert_int_eq(peer_hello(peer), 0);
		ck_assert_int_eq(peer_send_files(peer, &hello, sizeof hello.h, two, 2), 0);
		peer_must_have_ended(peer);
		close(two[0]);
	}
	for (int i = 0; i < 16; i++)
		close(files[i]);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------------ */

START_TEST(map_values_are_checked)
{
	int file = memfd_create("test", MFD_CLOEXEC), peer = peer_join();
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_PRIVATE, 1, 4096, 0, -1), 0);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_SHARED, 1, 1, 0, -1), 0);
	ck_assert_int_eq(peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 4096, file), 0);
	ck_assert_int_eq(peer_map(peer, 0, 1, 4096, 0, -1), -EINVAL);
	ck_assert_int_eq(peer_map(peer, 4, 1, 4096, 0, -1), -EINVAL);
	ck_assert_int_eq(peer_map(peer, UINT32_MAX, 1, 4096, 0, file), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 0, -1), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_PRIVATE, 1, 4096, 0, file), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_PRIVATE, 1, 0, 0, -1), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_PRIVATE, 1, UINT64_MAX, 0, -1), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, UINT64_MAX, file), -EINVAL);
	ck_assert_int_eq(peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 1, file), -EINVAL);
	ck_assert_uint_eq(done_count(PAGER_MAP), 3);
	close(file);
	close(peer);
}
END_TEST

/* What a descriptor may do bounds what its mapping may do; one that proves nothing maps nothing,
 * whatever the daemon itself could open. */
START_TEST(map_needs_the_right_descriptor)
{
	char path[] = "/tmp/test_session.XXXXXX";
	int both = mkostemp(path, O_CLOEXEC), peer = peer_join(), ends[2];
	int read_only = open(path, O_RDONLY), write_only = open(path, O_WRONLY);
	int name_only = open(path, O_PATH), directory = open("/", O_RDONLY);
	int proc = open("/proc/self/stat", O_RDONLY), device = open("/dev/zero", O_RDWR);
	ck_assert(both >= 0 && read_only >= 0 && write_only >= 0 && name_only >= 0);
	ck_assert(directory >= 0 && proc >= 0 && device >= 0 && !pipe(ends));
	unlink(path);
	int files[] = {both, read_only, write_only, name_only, directory, proc, device, ends[0]};
	int readable[] = {0, 0, -EACCES, -EBADF, -ENODEV, 1, -ENODEV, -ENODEV};
	int writable[] = {0, -EACCES, -EACCES, -EBADF, -ENODEV, 1, -ENODEV, -ENODEV};
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int error = peer_map(peer, PAGERD_FILE_SHARED, 0, 4096, 0, files[i]);
		/* 1: an error, whichever mmap gives on that file system */
		ck_assert_msg(readable[i] == 1 ? error < 0 : error == readable[i],
			      "descriptor %zu to read: %d", i, error);
		error = peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 0, files[i]);
		ck_assert_msg(writable[i] == 1 ? error < 0 : error == writable[i],
			      "descriptor %zu to write: %d", i, error);
		close(files[i]);
	}
	ck_assert_uint_eq(done_count(PAGER_MAP), 3);
	close(ends[1]);
	close(peer);
}
END_TEST

static const struct {
	uint64_t address, length;
	int error;
} ranges[] = {
	{4096, 4096, 0},
	{0, 1ull << 47, 0},
	{(1ull << 47) - 4096, 4096, 0},
	{4096, 0, -EINVAL},
	{4097, 4096, -EINVAL},
	{4096, 4095, -EINVAL},
	{4096, 1ull << 47, -EINVAL},
	{1ull << 47, 4096, -EINVAL},
	{0, (1ull << 47) + 4096, -EINVAL},
	{UINT64_MAX - 4095, 4096, -EINVAL},
	{4096, UINT64_MAX - 4095, -EINVAL},
};

START_TEST(ranges_are_checked)
{
	static const uint16_t types[] = {PAGERD_UNMAP, PAGERD_SYNC, PAGERD_DISCARD, PAGERD_ADVISE,
					 PAGERD_WIRE};
	int peer = peer_join();
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct pagerd_range range = {.address = ranges[_i].address,
					     .length_bytes = ranges[_i].length};
		ck_assert_int_eq(peer_call(peer, &range, sizeof range, types[i], -1),
				 ranges[_i].error);
	}
	struct pagerd_open open = {.address = ranges[_i].address,
				   .length_bytes = ranges[_i].length};
	ck_assert_int_eq(peer_call(peer, &open, sizeof open, PAGERD_OPEN, -1), ranges[_i].error);
	struct pagerd_register reg = {
		.address = ranges[_i].address, .length_bytes = ranges[_i].length, .object = 1};
	ck_assert_int_eq(peer_call(peer, &reg, sizeof reg, PAGERD_REGISTER, -1), ranges[_i].error);
	if (!ranges[_i].error) {
		reg.offset_bytes = 1;
		ck_assert_int_eq(peer_call(peer, &reg, sizeof reg, PAGERD_REGISTER, -1), -EINVAL);
		reg.offset_bytes = UINT64_MAX - 4095;
		ck_assert_int_eq(peer_call(peer, &reg, sizeof reg, PAGERD_REGISTER, -1), -EINVAL);
	}
	close(peer);
}
END_TEST

/* ---- on the pager's thread --------------------------------------------------------------- */

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

/* ---- one at a time, and the end ---------------------------------------------------------- */

START_TEST(next_request_waits)
{
	struct pagerd_header header;
	union packet reply;
	int fd, peer = peer_join();
	hold(true);
	for (int i = 0; i < 3; i++)
		peer_send(peer, &header, sizeof header, PAGERD_STATS, -1);
	for (int i = 0; i < 50; i++)
		loop_turn();
	ck_assert(daemon_.sessions->busy && !peer_readable(peer));
	hold(false);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(peer_receive(peer, &reply, sizeof reply, &fd),
				  sizeof(struct pagerd_stats_reply));
		ck_assert_uint_eq(reply.h.type, PAGERD_STATS | PAGERD_REPLY);
	}
	close(peer);
}
END_TEST

/* It goes away with a request of each kind under way. */
START_TEST(gone_while_busy)
{
	union packet packet = {.range = {.address = 4096, .length_bytes = 4096}};
	int peer = peer_join();
	hold(true);
	if (client_requests[_i].type == PAGERD_MAP)
		packet.map = (struct pagerd_map){.kind = PAGERD_ANON_SHARED, .length_bytes = 4096};
	peer_send(peer, &packet, client_requests[_i].size, client_requests[_i].type, -1);
	loop_until(daemon_.sessions->busy);
	close(peer);
	for (int i = 0; i < 20; i++)
		loop_turn();
	ck_assert_ptr_nonnull(daemon_.sessions);
	hold(false);
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(done_count(PAGER_CLIENT_REMOVE), 1);
}
END_TEST

START_TEST(daemon_ends_while_busy)
{
	struct pagerd_header header;
	int files = files_open();
	int peer = peer_join(), quiet = peer_join(), control = peer_new();
	hold(true);
	peer_send(peer, &header, sizeof header, PAGERD_STATS, -1);
	loop_until(daemon_.sessions->next->next->busy);
	close(peer);
	daemon_end();
	close(quiet);
	close(control);
	ck_assert_int_eq(files_open(), files - 3); /* the device, the mounts, the loop's own */
}
END_TEST

/* ---- fork -------------------------------------------------------------------------------- */

START_TEST(fork_gives_a_session)
{
	int ends[2], peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), 0);
	close(ends[0]);
	ck_assert_uint_eq(client_count(), 2);
	struct session *child = daemon_.sessions;
	ck_assert_int_eq(child->state, SESSION_CHILD_NEW);
	pid_t pid = fork(); /* the daemon's part of this process goes on here */
	if (!pid) {
		struct pagerd_hello hello = {
			.h = {PAGERD_MAGIC, PAGERD_VERSION, PAGERD_HELLO, sizeof hello, 0}};
		_exit(send(ends[1], &hello, sizeof hello, 0) != sizeof hello);
	}
	union packet reply;
	int got;
	ck_assert_uint_eq(peer_receive(ends[1], &reply, sizeof reply, &got),
			  sizeof(struct pagerd_hello_reply));
	if (got >= 0)
		close(got);
	ck_assert_int_eq(child->pid, pid);
	ck_assert_int_eq(child->state, SESSION_CHILD);
	if (fd >= 0) {
		ck_assert_int_eq(peer_header(ends[1], PAGERD_UFFD, fd), 0);
		ck_assert_int_eq(child->state, SESSION_CLIENT);
		close(fd);
	}
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	close(ends[1]);
	close(peer);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

START_TEST(fork_child_says_hello_first)
{
	int ends[2], peer = peer_join(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), 0);
	close(ends[0]);
	ck_assert_int_eq(peer_header(ends[1], fd < 0 ? PAGERD_DRAIN : PAGERD_UFFD, fd), 1);
	if (fd >= 0)
		close(fd);
	loop_until(client_count() == 1); /* its clones are given up */
	close(ends[1]);
	close(peer);
}
END_TEST

START_TEST(fork_needs_a_socket)
{
	struct sockaddr any = {.sa_family = AF_UNIX};
	int ends[2], wrong[6];
	ck_assert(!socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	wrong[0] = ends[0];
	wrong[1] = socket(AF_INET, SOCK_DGRAM, 0);
	wrong[2] = open("/dev/null", O_RDWR);
	wrong[3] = memfd_create("test", 0);
	wrong[4] = socket(AF_UNIX, SOCK_SEQPACKET, 0); /* to nobody */
	wrong[5] = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	ck_assert(!bind(wrong[5], &any, sizeof any.sa_family) && !listen(wrong[5], 1));
	for (int i = 0; i < 6; i++) {
		int peer = peer_join();
		ck_assert_int_eq(peer_header(peer, PAGERD_FORK, wrong[i]), 1);
		close(wrong[i]);
		close(peer);
	}
	close(ends[1]);
	ck_assert_uint_eq(done_count(PAGER_FORK), 0);
}
END_TEST

/* Sockets whose ends are all the daemon's: nobody would be left to end the sessions. */
START_TEST(fork_with_both_ends)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[_i]), 0);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	ck_assert_uint_eq(client_count(), 2);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[!_i]), 1);
	close(ends[0]);
	close(ends[1]);
	close(peer);
	loop_until(!daemon_.sessions);
}
END_TEST

/* The client's own end of a connection to the socket that the daemon listens on. */
START_TEST(fork_with_its_own_end)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof name;
	int peer = peer_join(), own = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ck_assert(!bind(listener, (struct sockaddr *)&name, sizeof name.sun_family));
	ck_assert(!getsockname(listener, (struct sockaddr *)&name, &length));
	ck_assert(!listen(listener, 1) && !connect(own, (struct sockaddr *)&name, length));
	ck_assert_int_eq(
		session_create(&daemon_, accept4(listener, NULL, NULL, SOCK_CLOEXEC), NULL, NULL),
		0);
	close(listener);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, own), 1);
	close(own);
	close(peer);
	loop_until(!daemon_.sessions);
}
END_TEST

START_TEST(fork_is_refused)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	pagers_[0].errors[PAGER_FORK] = -ENOSPC;
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK, ends[0]), -ENOSPC);
	close(ends[0]);
	peer_must_have_ended(ends[1]);
	loop_until(daemon_.session_count == 1);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	close(peer);
}
END_TEST

START_TEST(fork_and_gone)
{
	int ends[2], peer = peer_join();
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	struct pagerd_header header;
	hold(true);
	peer_send(peer, &header, sizeof header, PAGERD_FORK, ends[0]);
	close(ends[0]);
	loop_until(daemon_.session_count == 2);
	close(_i & 1 ? peer : ends[1]);
	hold(false);
	for (int i = 0; i < 20; i++)
		loop_turn();
	close(_i & 1 ? ends[1] : peer);
}
END_TEST

/* ---- reports and settings ---------------------------------------------------------------- */

/* Skip one JSON value; NULL if it is none. */
static const char *json_skip(const char *at)
{
	if (*at == '"') {
		for (at++; *at != '"'; at++) {
			if ((unsigned char)*at < 0x20 || (unsigned char)*at > 0x7e)
				return NULL;
			if (*at == '\\' && !strchr("\"\\u", *++at))
				return NULL;
		}
		return at + 1;
	}
	if (*at != '{' && *at != '[') {
		size_t length = strspn(at, "0123456789truefals");
		return length ? at + length : NULL;
	}
	char open = *at++, close = open == '{' ? '}' : ']';
	while (at && *at != close) {
		if (open == '{') {
			at = *at == '"' ? json_skip(at) : NULL;
			if (!at || strncmp(at, ": ", 2))
				return NULL;
			at += 2;
		}
		at = json_skip(at);
		if (at && !strncmp(at, ", ", 2) && at[2] != close)
			at += 2;
		else if (at && *at != close)
			return NULL;
	}
	return at ? at + 1 : NULL;
}

START_TEST(reports_are_whole)
{
	enum { ROOM = 1 << 20, CLIENTS = 40 };
	static char text[ROOM];
	int peers[CLIENTS], control = peer_new();
	for (int i = 0; i < CLIENTS; i++)
		peers[i] = peer_join();
	strcpy(daemon_.sessions->name, "a\"b\\c");
	ck_assert_int_eq(peer_hello(control), 0);
	for (uint32_t kind = PAGERD_REPORT_STATUS; kind <= PAGERD_REPORT_RUSAGE; kind++) {
		ck_assert_int_eq(peer_report(control, kind, 0, 0, text, ROOM), 0);
		ck_assert_uint_gt(strlen(text), 100);
		ck_assert_int_eq(text[strlen(text) - 1], '\n');
		ck_assert_int_eq(peer_report(control, kind, 0, 1, text, ROOM), 0);
		const char *end = json_skip(text);
		ck_assert_msg(end && !strcmp(end, "\n"), "report %u: %s", kind, text);
	}
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_STAT, 0, 1, text, ROOM), 0);
	ck_assert_uint_gt(strlen(text),
			  4 * PAGERD_TEXT_MAX); /* so that several packets were needed */
	ck_assert_int_eq(peer_report(control, 0, 0, 0, text, ROOM), -EINVAL);
	ck_assert_int_eq(peer_report(control, 99, 0, 0, text, ROOM), -EINVAL);
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_MAPS, 1, 0, text, ROOM), -ESRCH);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
	close(control);
}
END_TEST

START_TEST(report_escapes)
{
	struct client_info client = {.client = 1, .pid = 7};
	struct pager_snapshot snapshot = {.clients = &client, .client_count = 1};
	struct report_query query = {.kind = PAGERD_REPORT_STATUS, .json = true};
	char *text;
	size_t length;
	for (int c = 1; c < 256; c++) {
		client.name[0] = (char)c;
		ck_assert_int_eq(report_make(&daemon_, &snapshot, &query, &text, &length), 0);
		const char *end = json_skip(text);
		ck_assert_msg(end && !strcmp(end, "\n"), "character %d: %s", c, text);
		free(text);
	}
}
END_TEST

/* A client that asks for a long report, and reads nothing of it. */
START_TEST(report_is_not_read)
{
	enum { CLIENTS = 200 };
	struct pagerd_report report = {.kind = PAGERD_REPORT_STAT, .json = 1};
	int peers[CLIENTS], control = peer_new();
	for (int i = 0; i < CLIENTS; i++)
		peers[i] = peer_join();
	ck_assert_int_eq(peer_hello(control), 0);
	int small = 1;
	for (struct session *s = daemon_.sessions; s; s = s->next)
		if (!s->client)
			setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	peer_send(control, &report, sizeof report, PAGERD_REPORT, -1);
	loop_until(done_count(PAGER_SNAPSHOT) == 1);
	for (int i = 0; i < 200; i++)
		loop_turn();
	ck_assert_int_eq(peer_header(peers[0], PAGERD_STATS, -1), 0); /* others are served */
	close(control);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
}
END_TEST

START_TEST(set_words)
{
	static const struct {
		const char *text, *why;
	} sets[] = {
		{"memory=64M", ""},
		{"policy=lru", ""},
		{"memory=64M policy=lru", ""},
		{"policy=best", "best"},
		{"memory=lots", "not a size"},
		{"memory=0", "not a size"},
		{"memory=none", "needs a budget"},
		{"colour=red", "only memory"},
		{"", "nothing to set"},
		{"   ", "nothing to set"},
		{"memory", "only memory"},
		{"=", "only memory"},
		{"policy=lru check", ""},
		{"policy=best check", "best"},
		{"check", "nothing to set"},
		{"default", ""},
		{"default memory=1M", "together"},
		{"object=7 memory=1M", ""},
		{"object=7 memory=none policy=lru", ""},
		{"object=7 default", ""},
		{"object=7", "nothing to set"},
		{"object= memory=1M", "object"},
		{"object=0 memory=1M", "object"},
		{"object=-7 memory=1M", "object"},
		{"object=7x memory=1M", "object"},
		{"object=99999999999999999999 memory=1M", "object"},
		{"address=7000 memory=1M", "which process"},
		{"address=+7000 memory=1M", "address"},
		{"address=7000 object=7 memory=1M", "one thing"},
	};
	char why[300];
	int peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	ck_assert_int_eq(peer_set(peer, 0, sets[_i].text, why, sizeof why), 0);
	ck_assert_msg(sets[_i].why[0] ? !!strstr(why, sets[_i].why) : !why[0], "'%s': '%s'",
		      sets[_i].text, why);
	close(peer);
}
END_TEST

START_TEST(set_objects)
{
	char why[300];
	uint32_t pid = (uint32_t)getpid();
	int peer = peer_join(), control = peer_new(), file = open("/proc/self/exe", O_PATH);
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_set(control, 0, "object=8 memory=1M", why, sizeof why), -ENOENT);
	ck_assert_int_eq(peer_set(control, 0, "object=7 policy=best", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "best"));
	ck_assert_int_eq(peer_set(control, pid, "object=7 memory=1M", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "one thing"));
	ck_assert_int_eq(peer_set(control, pid, "address=7000 memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, pid, "address=8000 memory=1M", why, sizeof why),
			 -ENOENT);
	ck_assert_int_eq(peer_set(control, 1, "address=7000 memory=1M", why, sizeof why), -ESRCH);
	uint32_t self = PAGERD_SET_SELF;
	ck_assert_int_eq(peer_set(peer, self, "address=7000 memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, self, "memory=1M", why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set_file(control, 0, "memory=1M", file, why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	/* Too much of a good thing: refused, and nothing is left open. */
	ck_assert_int_eq(peer_set_file(control, 0, "object=7 memory=1M", file, why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "one thing"));
	ck_assert_int_eq(peer_set_file(control, 1, "memory=1M", file, why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set_file(control, 0, "", file, why, sizeof why), 0);
	/* Who asks goes along; what another user may not set for the daemon, no word lets through.
	 */
	daemon_.sessions->uid = geteuid() + 12345;
	ck_assert_int_eq(peer_set(control, 0, "object=7 memory=1M", why, sizeof why), 0);
	ck_assert_uint_eq(pagers_[0].last_of[PAGER_SET_OBJECT].uid, geteuid() + 12345);
	ck_assert_int_eq(peer_set(control, 0, "policy=lru check", why, sizeof why), 0);
	unsigned set = done_count(PAGER_SET);
	ck_assert_int_eq(peer_set(control, 0, "policy=lru:check", why, sizeof why), -EPERM);
	ck_assert_int_eq(peer_set(control, 0, "policy=object=7", why, sizeof why), -EPERM);
	ck_assert_int_eq(peer_set(control, 0, "default", why, sizeof why), -EPERM);
	ck_assert_uint_eq(done_count(PAGER_SET), set);
	close(file);
	close(peer);
	close(control);
}
END_TEST

START_TEST(learn)
{
	static char text[65536];
	char why[300];
	uint64_t number;
	int peer = peer_join(), control = peer_new();
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_pages(control, 1), -EINVAL);
	ck_assert_int_eq(peer_report(control, PAGERD_REPORT_LEARNED, 0, 0, text, sizeof text), 0);
	ck_assert_int_eq(peer_learn(control, 2, &number), -EINVAL);
	ck_assert_int_eq(peer_learn(control, PAGERD_LEARN_RECORD, &number), 0);
	ck_assert_uint_eq(number, FAKE_LEARN);
	ck_assert_int_eq(peer_learn(control, 0, &number), -EALREADY);
	ck_assert_int_eq(peer_pages(control, PAGERD_LEARN_RANGES), 0);
	ck_assert_int_eq(peer_pages(control, PAGERD_LEARN_RANGES + 1), -EINVAL);
	ck_assert_int_eq(peer_pages(control, UINT32_MAX), -EINVAL);
	ck_assert_uint_eq(done_count(PAGER_LEARN_PAGES), 1);
	uint32_t self = PAGERD_SET_SELF;
	ck_assert_int_eq(peer_set(peer, self, "learn=5", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(pagers_[0].last_of[PAGER_SET].learn, 5);
	ck_assert_int_eq(peer_set(peer, self, "learn=x", why, sizeof why), 0);
	ck_assert_ptr_nonnull(strstr(why, "learn"));
	/* It ends with its session, whatever else that was. */
	close(control);
	loop_until(done_count(PAGER_LEARN_END) == 1);
	ck_assert_int_eq(peer_learn(peer, 0, &number), 0);
	close(peer);
	loop_until(done_count(PAGER_LEARN_END) == 2 && done_count(PAGER_CLIENT_REMOVE) == 1);
}
END_TEST

START_TEST(set_without_end)
{
	struct pagerd_set set = {.pid = 0};
	struct pagerd_text packet;
	int fd, peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	memset(set.text, 'x', sizeof set.text);
	memcpy(set.text, "policy=", 7);
	peer_send(peer, &set, sizeof set, PAGERD_SET, -1);
	ck_assert_uint_eq(peer_receive(peer, &packet, sizeof packet, &fd), sizeof packet);
	ck_assert_uint_gt(packet.length, 0);
	ck_assert_uint_eq(pagers_[0].text_length, sizeof set.text - 8);
	close(peer);
}
END_TEST

START_TEST(set_every_session_of_a_process)
{
	char why[300];
	int peers[3], control = peer_new();
	for (int i = 0; i < 3; i++)
		peers[i] = peer_join();
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_set(control, (uint32_t)getpid(), "memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(done_count(PAGER_SET), 3);
	ck_assert_int_eq(peer_set(control, (uint32_t)getpid(), "memory=none", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_int_eq(peer_set(control, 1, "memory=1M", why, sizeof why), -ESRCH);
	for (int i = 0; i < 3; i++)
		close(peers[i]);
	close(control);
}
END_TEST

/* One of them ends while another is set, and its number is a stranger's then. */
START_TEST(set_leaves_who_came_meanwhile)
{
	struct pagerd_set set = {.pid = (uint32_t)getpid(), .text = "memory=1M"};
	struct session *session;
	int control = peer_new(), first = peer_join(), second = peer_join(), stranger;
	ck_assert_int_eq(peer_hello(control), 0);
	fake_keep(&pagers_[0], 1ull << PAGER_SET);
	peer_send(control, &set, sizeof set, PAGERD_SET, -1);
	for (int i = 0; i < 50; i++)
		loop_turn();
	close(second);
	loop_until(daemon_.session_count == 2);
	stranger = peer_join_session(&session);
	ck_assert_uint_eq(session->client, 2);
	session->pid = 1;
	fake_keep(&pagers_[0], 0);
	loop_until(peer_readable(control));
	ck_assert_uint_eq(done_count(PAGER_SET), 1);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_SET).client, 1);
	close(control);
	close(first);
	close(stranger);
}
END_TEST

/* Only the same user, or root, sees or changes a client. */
START_TEST(other_users_see_nothing)
{
	static char text[65536];
	char why[300];
	int peer = peer_join(), other = peer_new();
	uint32_t pid = (uint32_t)getpid();
	ck_assert_int_eq(peer_hello(other), 0);
	daemon_.sessions->uid = geteuid() + 12345;
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STATUS, 0, 0, text, sizeof text), 0);
	ck_assert_ptr_null(strstr(text, "test"));
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STAT, 0, 1, text, sizeof text), 0);
	ck_assert_ptr_null(strstr(text, "\"total\""));
	ck_assert_ptr_null(strstr(text, "\"objects\""));
	ck_assert_ptr_null(strstr(text, "test"));
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_MAPS, 0, 0, text, sizeof text), 0);
	ck_assert_str_eq(text, "");
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_STAT, pid, 0, text, sizeof text), -ESRCH);
	ck_assert_int_eq(peer_report(other, PAGERD_REPORT_MAPS, pid, 0, text, sizeof text), -ESRCH);
	ck_assert_int_eq(peer_set(other, pid, "memory=1M", why, sizeof why), -ESRCH);
	ck_assert_int_eq(peer_set(other, 0, "memory=1M", why, sizeof why), -EPERM);
	ck_assert_uint_eq(done_count(PAGER_SET), 0);
	close(peer);
	close(other);
}
END_TEST

/* ---- anything at all --------------------------------------------------------------------- */

static void garbage_fill(unsigned *seed, union packet *packet, size_t size)
{
	for (size_t i = 0; i < size; i++)
		packet->bytes[i] = rand_r(seed) % 4 ? 0 : (char)rand_r(seed);
	if (rand_r(seed) % 8)
		packet->h =
			(struct pagerd_header){PAGERD_MAGIC, PAGERD_VERSION,
					       (uint16_t)(rand_r(seed) % 20), (uint32_t)size, 0};
}

static void garbage_send(unsigned *seed, int peer, const int *files, size_t count)
{
	static const size_t sizes_[] = {
		sizeof(struct pagerd_header),	sizeof(struct pagerd_hello),
		sizeof(struct pagerd_map),	sizeof(struct pagerd_range),
		sizeof(struct pagerd_register), sizeof(struct pagerd_open),
		sizeof(struct pagerd_set),	sizeof(struct pagerd_report)};
	static union packet packet;
	size_t size = rand_r(seed) % 8 ? sizes_[rand_r(seed) % 8]
				       : (size_t)rand_r(seed) % sizeof packet.bytes;
	garbage_fill(seed, &packet, sizeof packet.bytes);
	packet.h.size = (uint32_t)size;
	int first = rand_r(seed) % (int)count;
	size_t some = rand_r(seed) % 16 ? (size_t)rand_r(seed) % 2 : (size_t)rand_r(seed) % 5;
	if (some > count - (size_t)first)
		some = count - (size_t)first;
	peer_send_files(peer, &packet, size, files + first, some); /* it may be full, or gone */
}

START_TEST(garbage)
{
	enum { PEERS = 16, ROUNDS = 20000, FILES = 6 };
	unsigned seed = seed_get();
	int peers[PEERS], ends[2];
	printf("garbage: TEST_SEED=%u\n", seed);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends));
	int files[FILES] = {
		open("/dev/null", O_RDWR),	   memfd_create("test", 0),    ends[0], ends[1],
		open("/proc/self/maps", O_RDONLY), userfaultfd_new(O_NONBLOCK)};
	if (files[5] < 0)
		files[5] = open("/", O_PATH);
	pagers_[0].delay_us = 100;
	for (int i = 0; i < PEERS; i++)
		peers[i] = i % 2 ? peer_join() : peer_new();
	for (int round = 0; round < ROUNDS; round++) {
		int *peer = &peers[rand_r(&seed) % PEERS];
		if (rand_r(&seed) % 32 == 0) {
			close(*peer);
			*peer = peer_new();
			struct pagerd_hello hello = {.name = "garbage"};
			if (rand_r(&seed) % 4)
				peer_send(*peer, &hello, sizeof hello, PAGERD_HELLO, -1);
		}
		garbage_send(&seed, *peer, files, FILES);
		loop_turn();
		if (rand_r(&seed) % 4 == 0) {
			char bytes[PAGERD_PACKET_MAX];
			recv(*peer, bytes, sizeof bytes, MSG_DONTWAIT);
		}
	}
	for (int i = 0; i < PEERS; i++)
		close(peers[i]);
	for (int i = 0; i < FILES; i++)
		close(files[i]);
	/* A good one is served as ever. */
	int good = peer_join();
	ck_assert_int_eq(peer_header(good, PAGERD_STATS, -1), 0);
	close(good);
}
END_TEST

START_TEST(thousand_clients)
{
	enum { CLIENTS = 1000 };
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < 4 * CLIENTS)
		return; /* a session's two ends and its userfaultfd are all in this process */
	static int peers[CLIENTS];
	for (int i = 0; i < CLIENTS; i++)
		peers[i] = peer_join();
	ck_assert_uint_eq(client_count(), CLIENTS);
	for (int i = 0; i < CLIENTS; i++)
		close(peers[i]);
}
END_TEST

static void setup(void)
{
	daemon_begin(1);
}

static void cases_add(TCase *tcase)
{
	tcase_add_test(tcase, hello_is_answered);
	tcase_add_loop_test(tcase, order_is_kept, 0,
			    sizeof client_requests / sizeof *client_requests);
	tcase_add_test(tcase, control_needs_hello);
	tcase_add_test(tcase, userfaultfd_is_one);
	tcase_add_test(tcase, new_client_gets_its_limit);
	tcase_add_loop_test(tcase, header_is_checked, 0, 9);
	tcase_add_test(tcase, length_is_checked);
	tcase_add_test(tcase, descriptors_are_counted);
	tcase_add_test(tcase, map_values_are_checked);
	tcase_add_test(tcase, map_needs_the_right_descriptor);
	tcase_add_loop_test(tcase, ranges_are_checked, 0, sizeof ranges / sizeof *ranges);
	tcase_add_test(tcase, quick_needs_no_main_thread);
	tcase_add_test(tcase, quick_is_left);
	tcase_add_loop_test(tcase, quick_ends, 0, 4);
	tcase_add_test(tcase, quick_reply_is_not_taken);
	tcase_add_test(tcase, file_calls_need_the_right);
	tcase_add_test(tcase, file_write_has_a_deadline);
	tcase_add_loop_test(tcase, file_write_and_gone, 0, 3);
	tcase_add_loop_test(tcase, file_end_outlives_the_client, 0, 2);
	tcase_add_loop_test(tcase, file_end_outlives_the_write, 0, 3);
	tcase_add_test(tcase, next_request_waits);
	tcase_add_loop_test(tcase, gone_while_busy, 0,
			    sizeof client_requests / sizeof *client_requests);
	tcase_add_test(tcase, fork_gives_a_session);
	tcase_add_test(tcase, fork_child_says_hello_first);
	tcase_add_test(tcase, fork_needs_a_socket);
	tcase_add_loop_test(tcase, fork_with_both_ends, 0, 2);
	tcase_add_test(tcase, fork_with_its_own_end);
	tcase_add_test(tcase, fork_is_refused);
	tcase_add_loop_test(tcase, fork_and_gone, 0, 8);
	tcase_add_test(tcase, reports_are_whole);
	tcase_add_test(tcase, report_escapes);
	tcase_add_test(tcase, report_is_not_read);
	tcase_add_loop_test(tcase, set_words, 0, 29);
	tcase_add_test(tcase, set_objects);
	tcase_add_test(tcase, learn);
	tcase_add_test(tcase, set_without_end);
	tcase_add_test(tcase, set_every_session_of_a_process);
	tcase_add_test(tcase, set_leaves_who_came_meanwhile);
	tcase_add_test(tcase, other_users_see_nothing);
	tcase_add_test(tcase, garbage);
	tcase_add_test(tcase, thousand_clients);
}

int main(void)
{
	Suite *suite = suite_create("session");
	TCase *tcase = tcase_create("session"), *ends = tcase_create("end");
	tcase_add_checked_fixture(tcase, setup, daemon_end_idle);
	tcase_set_timeout(tcase, 60);
	cases_add(tcase);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(ends, setup, NULL);
	tcase_add_test(ends, daemon_ends_while_busy);
	suite_add_tcase(suite, ends);
	return suite_run(suite);
}
