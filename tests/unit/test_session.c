/* SPDX-License-Identifier: MIT */
/*
 * The daemon's sessions, with a fake pager: what clients may send, in which order, and what they
 * get for it; what becomes of those that break the protocol or go away. TEST_SEED chooses the
 * garbage.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "peer.h"
#include "seed.h"
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

/* Who makes a file shorter may page nothing, and may have no right to read it. */
START_TEST(file_is_cut_by_anybody)
{
	char path[] = "/tmp/test_session.XXXXXX";
	int both = mkostemp(path, O_CLOEXEC), name_only = open(path, O_PATH);
	int device = open("/dev/null", O_RDWR), peer = peer_new();
	unlink(path);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 0, 0, both), 1); /* before HELLO */
	close(peer);
	peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 0, 5000, both), 0);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_CUT).client, 0);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_CUT).offset, 5000);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_CUT).flags, 0);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, PAGERD_CUT_DONE, 0, name_only), 0);
	ck_assert_uint_eq(fake_last(&pagers_[0], PAGER_FILE_CUT).flags, PAGERD_CUT_DONE);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 2, 0, both), -EINVAL);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 0, 0, device), -ENODEV);
	ck_assert_uint_eq(done_count(PAGER_FILE_CUT), 2);
	pagers_[0].errors[PAGER_FILE_CUT] = -ENOENT;
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 0, 0, both), -ENOENT);
	ck_assert_int_eq(peer_file(peer, PAGERD_FILE_CUT, 0, 0, -1), 1); /* of which file? */
	close(both);
	close(name_only);
	close(device);
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
	peer = peer_join();
	ck_assert_int_eq(peer_header(peer, PAGERD_UFFD, -1), 1);
	close(peer);
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

/* So many descriptors that no more can be made. */
static rlim_t files_limit(rlim_t most)
{
	struct rlimit files;
	ck_assert(!getrlimit(RLIMIT_NOFILE, &files));
	rlim_t before = files.rlim_cur;
	files.rlim_cur = most;
	ck_assert(!setrlimit(RLIMIT_NOFILE, &files));
	return before;
}

/* Others may have all numbers: nobody's memory goes for that. */
START_TEST(descriptor_is_lost)
{
	char path[] = "/tmp/test_session.XXXXXX", why[64];
	int file = mkostemp(path, O_CLOEXEC), peer = peer_join(), wrong = peer_join();
	int fresh = peer_new();
	unlink(path);
	ck_assert_int_eq(peer_hello(fresh), 0);
	ck_assert_int_eq(peer_map(peer, PAGERD_ANON_PRIVATE, 1, 4096, 0, -1), 0);
	int lowest = dup(file);
	close(lowest);
	rlim_t before = files_limit((rlim_t)lowest);
	int mapped = peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 0, file);
	int again = peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 0, file);
	int board = peer_file(peer, PAGERD_BOARD, 0, 0, file);
	int begun = peer_file(peer, PAGERD_FILE_BEGIN, 0, 0, file);
	int cut = peer_file(peer, PAGERD_FILE_CUT, 0, 0, file);
	int set = peer_set_file(peer, 0, "memory=1M", file, why, sizeof why);
	int given = peer_header(fresh, PAGERD_UFFD, file);
	int ended = peer_header(wrong, PAGERD_STATS, file); /* none belongs there */
	files_limit(before);
	ck_assert_int_eq(mapped, -EMFILE);
	ck_assert_int_eq(again, -EMFILE);
	ck_assert_int_eq(board, -EMFILE);
	ck_assert_int_eq(begun, -EAGAIN);
	ck_assert_int_eq(cut, -EAGAIN);
	ck_assert_int_eq(set, -EMFILE);
	ck_assert_int_eq(given, -EMFILE);
	ck_assert_int_eq(ended, 1);
	ck_assert_int_eq(peer_map(peer, PAGERD_FILE_SHARED, 1, 4096, 0, file), 0);
	close(file);
	close(peer);
	close(wrong);
	close(fresh);
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
	unsigned seed = (unsigned)seed_get();
	int peers[PEERS], ends[2];
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
	tcase_add_test(tcase, file_is_cut_by_anybody);
	tcase_add_test(tcase, new_client_gets_its_limit);
	tcase_add_loop_test(tcase, header_is_checked, 0, 9);
	tcase_add_test(tcase, length_is_checked);
	tcase_add_test(tcase, descriptors_are_counted);
	tcase_add_test(tcase, descriptor_is_lost);
	tcase_add_test(tcase, map_values_are_checked);
	tcase_add_test(tcase, map_needs_the_right_descriptor);
	tcase_add_loop_test(tcase, ranges_are_checked, 0, sizeof ranges / sizeof *ranges);
	tcase_add_test(tcase, next_request_waits);
	tcase_add_loop_test(tcase, gone_while_busy, 0,
			    sizeof client_requests / sizeof *client_requests);
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
