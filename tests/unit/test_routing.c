/* SPDX-License-Identifier: MIT */
/*
 * Requests to several pagers: which of them gets what, in which order, and what their answers come
 * to.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "peer.h"
#include "suite.h"
#include "uapi.h"

#define SMALL 4096ull
#define LARGE (8ull << 20)

static void setup_three(void)
{
	daemon_begin(3);
}

/* From here on they answer as if there were nothing but what is registered. */
static void all_strict(void)
{
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		pagers_[i].strict = true;
}

static unsigned before[SHARDS_MOST];

/* What has come of the type so far is not counted. */
static void counts_begin(enum pager_request_type type)
{
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++)
		before[i] = fake_done_count(&pagers_[i], type);
}

/* Bits: the shards that had one since; none has had two. */
static uint64_t counts_end(enum pager_request_type type)
{
	uint64_t shards = 0;
	for (uint32_t i = 0; i < daemon_.bridge.shards; i++) {
		unsigned count = fake_done_count(&pagers_[i], type) - before[i];
		ck_assert_msg(count <= 1, "shard %u was asked %u times", i, count);
		shards |= (uint64_t)count << i;
	}
	return shards;
}

static int peer_uffd(int peer, uint32_t shard)
{
	struct pagerd_shard packet = {.shard = shard};
	int fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	int error = peer_call(peer, &packet, sizeof packet, PAGERD_UFFD, fd);
	close(fd);
	return error;
}

static int peer_object(int peer, void *packet, size_t size, uint16_t type, int fd,
		       struct pagerd_map_reply *reply)
{
	int memfd;
	peer_send(peer, packet, size, type, fd);
	ck_assert_uint_eq(peer_receive(peer, reply, sizeof *reply, &memfd), sizeof *reply);
	if (memfd >= 0)
		close(memfd);
	ck_assert_int_eq(memfd >= 0, !reply->h.error);
	return reply->h.error;
}

/* Which shard it is in. */
static uint32_t map_shard(int peer, uint32_t kind, uint64_t length, int fd)
{
	struct pagerd_map map = {.kind = kind, .writable = fd < 0, .length_bytes = length};
	struct pagerd_map_reply reply;
	counts_begin(PAGER_MAP);
	ck_assert_int_eq(peer_object(peer, &map, sizeof map, PAGERD_MAP, fd, &reply), 0);
	ck_assert_uint_eq(counts_end(PAGER_MAP), 1ull << reply.shard);
	ck_assert_uint_eq(reply.object, reply.shard + 1);
	return reply.shard;
}

static int peer_register(int peer, uint64_t page, uint64_t pages, uint64_t object)
{
	struct pagerd_register reg = {.address = page << PAGE_SHIFT,
				      .length_bytes = pages << PAGE_SHIFT,
				      .object = object};
	return peer_call(peer, &reg, sizeof reg, PAGERD_REGISTER, -1);
}

static int peer_range(int peer, uint16_t type, uint64_t page, uint64_t pages)
{
	struct pagerd_range range = {.address = page << PAGE_SHIFT,
				     .length_bytes = pages << PAGE_SHIFT};
	return peer_call(peer, &range, sizeof range, type, -1);
}

static int peer_open(int peer, uint64_t page, struct pagerd_map_reply *reply)
{
	struct pagerd_open open = {.address = page << PAGE_SHIFT, .length_bytes = SMALL};
	return peer_object(peer, &open, sizeof open, PAGERD_OPEN, -1, reply);
}

static const struct {
	uint16_t packet;
	enum pager_request_type type;
} range_types[] = {
	{PAGERD_SYNC, PAGER_SYNC}, {PAGERD_DISCARD, PAGER_DISCARD}, {PAGERD_ADVISE, PAGER_ADVISE},
	{PAGERD_WIRE, PAGER_WIRE}, {PAGERD_UNMAP, PAGER_UNMAP},
};

/* A client with pages 1-4 in shard 0, 5-8 in shard 1, 12-15 in shard 0. */
static int peer_with_places(void)
{
	int peer = peer_join();
	all_strict();
	ck_assert_int_eq(peer_register(peer, 1, 4, 1), 0);
	ck_assert_int_eq(peer_register(peer, 5, 4, 2), 0);
	ck_assert_int_eq(peer_register(peer, 12, 4, 1), 0);
	return peer;
}

/* ---- becoming a client ------------------------------------------------------------------- */

START_TEST(client_is_known_to_all)
{
	int peers[3];
	for (uint32_t i = 0; i < 3; i++) {
		counts_begin(PAGER_CLIENT_ADD);
		peers[i] = peer_join();
		ck_assert_uint_eq(counts_end(PAGER_CLIENT_ADD), 7);
		for (uint32_t shard = 0; shard < 3; shard++) {
			struct pager_request add = fake_last(&pagers_[shard], PAGER_CLIENT_ADD);
			ck_assert_uint_eq(add.client, i + 1);
			ck_assert_int_eq(add.fd, -1);
			ck_assert_uint_eq(add.uid, geteuid());
			ck_assert_uint_eq(add.pid, (uint32_t)getpid());
			ck_assert_str_eq(add.name, "test");
		}
	}
	/* The lowest number that is free is the next one's. */
	close(peers[1]);
	loop_until(client_count() == 2 && daemon_.session_count == 2);
	peers[1] = peer_join();
	ck_assert_uint_eq(fake_last(&pagers_[2], PAGER_CLIENT_ADD).client, 2);
	for (int i = 0; i < 3; i++)
		close(peers[i]);
}
END_TEST

/* The header alone is for the first shard; others when they are wanted, each once. */
START_TEST(userfaultfd_is_a_shards)
{
	int peer = peer_new();
	if (daemon_.device_fd < 0) {
		close(peer);
		return;
	}
	ck_assert_int_eq(peer_hello(peer), 0);
	int fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	counts_begin(PAGER_CLIENT_UFFD);
	ck_assert_int_eq(peer_header(peer, PAGERD_UFFD, fd), 0);
	close(fd);
	ck_assert_uint_eq(counts_end(PAGER_CLIENT_UFFD), 1);
	for (uint32_t shard = 1; shard < 3; shard++) {
		counts_begin(PAGER_CLIENT_UFFD);
		ck_assert_int_eq(peer_uffd(peer, shard), 0);
		ck_assert_uint_eq(counts_end(PAGER_CLIENT_UFFD), 1ull << shard);
	}
	for (uint32_t shard = 0; shard < 3; shard++)
		ck_assert_int_eq(peer_uffd(peer, shard), -EALREADY);
	ck_assert_uint_eq(done_count(PAGER_CLIENT_ADD), 3);
	ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	close(peer);
}
END_TEST

/* The first one may be of any shard, and makes a client of the session. */
START_TEST(userfaultfd_of_another_shard_first)
{
	int peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	if (daemon_.device_fd >= 0) {
		ck_assert_int_eq(peer_uffd(peer, 2), 0);
		ck_assert_int_eq(daemon_.sessions->state, SESSION_CLIENT);
		ck_assert_int_eq(peer_uffd(peer, 0), 0);
		ck_assert_int_eq(peer_uffd(peer, 2), -EALREADY);
	}
	close(peer);
}
END_TEST

START_TEST(shards_are_so_many)
{
	static const uint16_t types[] = {PAGERD_UFFD, PAGERD_AGENT, PAGERD_PAGEMAP};
	struct pagerd_shard packet = {.shard = _i % 2 ? UINT32_MAX : 3};
	int file = open("/dev/null", O_RDWR), peer = peer_join();
	int fd = types[_i / 2] == PAGERD_AGENT ? -1 : file;
	ck_assert_int_eq(peer_call(peer, &packet, sizeof packet, types[_i / 2], fd), 1);
	close(file);
	close(peer);
}
END_TEST

START_TEST(agent_is_a_shards)
{
	int file = memfd_create("test", MFD_CLOEXEC), peer = peer_join();
	for (uint32_t shard = 0; shard < 3; shard++) {
		struct pagerd_shard packet = {.shard = shard};
		counts_begin(PAGER_AGENT);
		ck_assert_int_eq(peer_call(peer, &packet, sizeof packet, PAGERD_AGENT, -1), 0);
		ck_assert_uint_eq(counts_end(PAGER_AGENT), 1ull << shard);
		counts_begin(PAGER_PAGEMAP);
		ck_assert_int_eq(peer_call(peer, &packet, sizeof packet, PAGERD_PAGEMAP, file), 0);
		ck_assert_uint_eq(counts_end(PAGER_PAGEMAP), 1ull << shard);
	}
	close(file);
	close(peer);
}
END_TEST

/* What its other end is sent is ours to read, and no descriptors come: to close them could take
 * long. */
START_TEST(agent_socket_is_the_daemons)
{
	struct pagerd_header header;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(2 * sizeof(int))];
	} control;
	struct iovec iov = {&header, sizeof header};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = sizeof control};
	int fds[2], file = open("/dev/null", O_RDWR), peer = peer_join(), value;
	socklen_t length = sizeof value;
	peer_send(peer, &header, sizeof header, PAGERD_AGENT, -1);
	loop_until(peer_readable(peer));
	ck_assert_int_eq(recvmsg(peer, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC), sizeof header);
	ck_assert_int_eq(header.error, 0);
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	ck_assert_uint_eq(c->cmsg_len, CMSG_LEN(sizeof fds));
	memcpy(fds, CMSG_DATA(c), sizeof fds);
	int error = peer_send_files(fds[0], &header, sizeof header, &file, 1);
	if (getsockopt(fds[0], SOL_SOCKET, SO_PASSRIGHTS, &value, &length))
		ck_assert_int_eq(error, 0); /* an older kernel */
	else
		ck_assert_int_eq(error, -EPERM);
	ck_assert_int_eq(peer_send_files(fds[0], &header, sizeof header, NULL, 0), 0);
	for (int i = 0; i < 2; i++)
		close(fds[i]);
	close(file);
	close(peer);
}
END_TEST

/* One shard cannot take it: the others forget it, its number is free, and it may try again. */
START_TEST(client_is_refused_by_one)
{
	uint32_t shard = (uint32_t)_i;
	int peer = peer_new(), other;
	if (daemon_.device_fd < 0) {
		close(peer);
		return;
	}
	ck_assert_int_eq(peer_hello(peer), 0);
	pagers_[shard].errors[PAGER_CLIENT_ADD] = -ENOMEM;
	ck_assert_int_eq(peer_uffd(peer, 1), -ENOMEM);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(fake_client_count(&pagers_[i]), 0);
	ck_assert_uint_eq(daemon_.sessions->client, 0);
	pagers_[shard].errors[PAGER_CLIENT_ADD] = 0;
	other = peer_join();
	ck_assert_uint_eq(daemon_.sessions->client, 1);
	ck_assert_int_eq(peer_uffd(peer, 1), 0);
	ck_assert_int_eq(peer_uffd(peer, 0), 0);
	ck_assert_uint_eq(daemon_.sessions->next->client, 2);
	close(peer);
	close(other);
}
END_TEST

/* The shard does not like its userfaultfd: it may send another one. */
START_TEST(userfaultfd_is_refused)
{
	int peer = peer_new();
	ck_assert_int_eq(peer_hello(peer), 0);
	if (daemon_.device_fd >= 0) {
		pagers_[1].errors[PAGER_CLIENT_UFFD] = -EINVAL;
		ck_assert_int_eq(peer_uffd(peer, 1), -EINVAL);
		ck_assert_int_eq(daemon_.sessions->state, SESSION_HELLO);
		pagers_[1].errors[PAGER_CLIENT_UFFD] = 0;
		ck_assert_int_eq(peer_uffd(peer, _i ? 0 : 1), 0);
		ck_assert_uint_eq(done_count(PAGER_CLIENT_ADD), 3);
		ck_assert_int_eq(peer_header(peer, PAGERD_STATS, -1), 0);
	}
	close(peer);
}
END_TEST

/* It goes away at each step of becoming one. */
START_TEST(gone_while_becoming_a_client)
{
	static const enum pager_request_type steps[] = {PAGER_CLIENT_ADD, PAGER_CLIENT_UFFD,
							PAGER_SET};
	uint32_t shard = (uint32_t)_i / 3;
	struct pagerd_header header;
	int peer = peer_new(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	daemon_.config.client_bytes = 1 << 20;
	ck_assert_int_eq(peer_hello(peer), 0);
	fake_keep(&pagers_[shard], 1ull << steps[_i % 3]);
	if (fd >= 0) {
		peer_send(peer, &header, sizeof header, PAGERD_UFFD, fd);
		close(fd);
	}
	for (int i = 0; i < 50; i++)
		loop_turn();
	close(peer);
	for (int i = 0; i < 50; i++)
		loop_turn();
	fake_keep(&pagers_[shard], 0);
}
END_TEST

/* ---- objects ----------------------------------------------------------------------------- */

/* A file's is in one shard, whoever asks, and for what. */
START_TEST(file_is_in_one_shard)
{
	enum { FILES = 24 };
	int peers[3];
	uint64_t seen = 0;
	for (int i = 0; i < 3; i++)
		peers[i] = peer_join();
	for (int i = 0; i < FILES; i++) {
		char why[300];
		int fd = memfd_create("file", MFD_CLOEXEC);
		struct stat st;
		ck_assert(!fstat(fd, &st));
		uint32_t shard = map_shard(peers[0], PAGERD_FILE_SHARED, SMALL, fd);
		uint64_t bit = 1ull << shard;
		seen |= bit;
		ck_assert_uint_eq(map_shard(peers[1], PAGERD_FILE_PRIVATE, LARGE, fd), shard);
		ck_assert_uint_eq(map_shard(peers[2], PAGERD_FILE_SHARED, LARGE, fd), shard);
		counts_begin(PAGER_FILE_BEGIN);
		ck_assert_int_eq(
			peer_file(peers[i % 3], PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
		ck_assert_uint_eq(counts_end(PAGER_FILE_BEGIN), bit);
		counts_begin(PAGER_FILE_END);
		ck_assert_int_eq(peer_file(peers[i % 3], PAGERD_FILE_END, 0, 0, -1), 0);
		ck_assert_uint_eq(counts_end(PAGER_FILE_END), bit);
		counts_begin(PAGER_FILE_CUT);
		ck_assert_int_eq(peer_file(peers[i % 3], PAGERD_FILE_CUT, 0, 0, fd), 0);
		ck_assert_uint_eq(counts_end(PAGER_FILE_CUT), bit);
		counts_begin(PAGER_BOARD);
		struct pagerd_range range = {.flags = 0};
		ck_assert_int_eq(peer_call(peers[0], &range, sizeof range, PAGERD_BOARD, fd), 0);
		ck_assert_uint_eq(counts_end(PAGER_BOARD), bit);
		counts_begin(PAGER_SET_OBJECT);
		ck_assert_int_eq(peer_set_file(peers[0], 0, "memory=1M", fd, why, sizeof why), 0);
		ck_assert_str_eq(why, "");
		ck_assert_uint_eq(counts_end(PAGER_SET_OBJECT), bit);
		close(fd);
	}
	ck_assert_uint_eq(seen, 7); /* they are divided */
	for (int i = 0; i < 3; i++)
		close(peers[i]);
}
END_TEST

/* Too late an end of a write goes where its begin went, and so does the one that came instead. */
START_TEST(file_end_that_is_late)
{
	int peer = peer_join();
	for (int i = 0; i < 12; i++) {
		int fd = memfd_create("file", MFD_CLOEXEC);
		counts_begin(PAGER_FILE_BEGIN);
		ck_assert_int_eq(peer_file(peer, PAGERD_FILE_BEGIN, PAGERD_FILE_WRITE, 0, fd), 0);
		close(fd);
		uint64_t shard = counts_end(PAGER_FILE_BEGIN);
		unsigned ends = done_count(PAGER_FILE_END);
		counts_begin(PAGER_FILE_END);
		ck_assert_int_eq(loop_expire(), 1);
		loop_until(done_count(PAGER_FILE_END) == ends + 1);
		ck_assert_uint_eq(counts_end(PAGER_FILE_END), shard);
		counts_begin(PAGER_FILE_BEGIN);
		ck_assert_int_eq(peer_file(peer, PAGERD_FILE_END, 0, 0, -1), 0);
		ck_assert_uint_eq(counts_end(PAGER_FILE_BEGIN), shard);
		ck_assert_uint_eq(done_count(PAGER_FILE_END), ends + 2);
	}
	close(peer);
}
END_TEST

/* Small anonymous mappings are together, large ones go round. */
START_TEST(anonymous_goes_round)
{
	int peers[3];
	uint32_t first[3];
	for (uint32_t i = 0; i < 3; i++) {
		peers[i] = peer_join();
		first[i] = map_shard(peers[i], PAGERD_ANON_PRIVATE, SMALL, -1);
		ck_assert(!i || first[i] != first[i - 1]); /* clients are divided, too */
	}
	for (uint32_t i = 0; i < 9; i++) {
		uint32_t kind = i % 2 ? PAGERD_ANON_SHARED : PAGERD_ANON_PRIVATE;
		ck_assert_uint_eq(map_shard(peers[0], kind, SMALL, -1), first[0]);
		ck_assert_uint_eq(map_shard(peers[0], kind, LARGE, -1), (first[0] + i) % 3);
		ck_assert_uint_eq(map_shard(peers[1], kind, SMALL, -1), first[1]);
	}
	for (int i = 0; i < 3; i++)
		close(peers[i]);
}
END_TEST

/* ---- regions ----------------------------------------------------------------------------- */

START_TEST(register_goes_to_the_object)
{
	int peer = peer_join();
	all_strict();
	for (uint32_t object = 1; object < 20; object++) {
		counts_begin(PAGER_REGISTER);
		ck_assert_int_eq(peer_register(peer, object * 2, 1, object), 0);
		ck_assert_uint_eq(counts_end(PAGER_REGISTER), 1ull << (object - 1) % 3);
		ck_assert_uint_eq(fake_last(&pagers_[(object - 1) % 3], PAGER_REGISTER).object,
				  object);
	}
	ck_assert_uint_eq(done_count(PAGER_UNMAP), 0);
	close(peer);
}
END_TEST

/* What other shards have there is forgotten before, and no more of it. */
START_TEST(register_over_others)
{
	int peer = peer_with_places();
	ck_assert_int_eq(peer_register(peer, 4, 9, 3), 0); /* the end of 0's, 1's, one of 0's */
	ck_assert_uint_eq(fake_done_count(&pagers_[0], PAGER_UNMAP), 1);
	ck_assert_uint_eq(fake_done_count(&pagers_[1], PAGER_UNMAP), 1);
	ck_assert_uint_eq(fake_done_count(&pagers_[2], PAGER_UNMAP), 0);
	ck_assert_uint_eq(fake_regions(&pagers_[0], 1), 0xe00e);
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0);
	ck_assert_uint_eq(fake_regions(&pagers_[2], 1), 0x1ff0);
	uint64_t stamp = fake_stamp(&pagers_[2], PAGER_REGISTER);
	ck_assert_uint_gt(stamp, fake_stamp(&pagers_[0], PAGER_UNMAP));
	ck_assert_uint_gt(stamp, fake_stamp(&pagers_[1], PAGER_UNMAP));
	/* Its own is forgotten by itself. */
	ck_assert_int_eq(peer_register(peer, 4, 9, 3), 0);
	ck_assert_uint_eq(done_count(PAGER_UNMAP), 2);
	close(peer);
}
END_TEST

/* A shard that cannot forget, be it the first or the second that is asked: nothing is registered,
 * and what it still has is found again. */
START_TEST(register_over_what_stays)
{
	int peer = peer_with_places();
	uint32_t stays = (uint32_t)_i;
	pagers_[stays].errors[PAGER_UNMAP] = -ENOMEM;
	ck_assert_int_eq(peer_register(peer, 3, 5, 3), -ENOMEM);
	ck_assert_uint_eq(done_count(PAGER_REGISTER), 3); /* those of peer_with_places */
	ck_assert_uint_eq(fake_regions(&pagers_[2], 1), 0);
	pagers_[stays].errors[PAGER_UNMAP] = 0;
	ck_assert_int_eq(peer_register(peer, 3, 5, 3), 0);
	ck_assert_uint_eq(fake_regions(&pagers_[0], 1), 0xf006);
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0x100);
	close(peer);
}
END_TEST

/* The REGISTER itself fails: whoever had something there may have it still. */
START_TEST(register_fails)
{
	int peer = peer_with_places();
	pagers_[0].errors[PAGER_REGISTER] = -ENOSPC;
	ck_assert_int_eq(peer_register(peer, 1, 15, 1), -ENOSPC);
	pagers_[0].errors[PAGER_REGISTER] = 0;
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0);
	ck_assert_uint_eq(fake_regions(&pagers_[0], 1), 0xf01e);
	counts_begin(PAGER_DISCARD);
	ck_assert_int_eq(peer_range(peer, PAGERD_DISCARD, 1, 8), 0);
	ck_assert_uint_eq(counts_end(PAGER_DISCARD), 3);
	close(peer);
}
END_TEST

START_TEST(ranges_go_to_their_shards)
{
	static const struct {
		uint64_t page, pages, shards;
		bool any;
	} ranges[] = {
		{1, 4, 1, true},  {2, 1, 1, true}, {5, 4, 2, true},  {4, 2, 3, true},
		{1, 15, 3, true}, {8, 5, 3, true}, {9, 3, 1, false}, {16, 4, 1, false},
		{0, 1, 1, false}, {9, 4, 1, true}, {0, 2, 1, true},  {8, 4, 2, true},
	};
	uint64_t page = ranges[_i].page, pages = ranges[_i].pages;
	int peer = peer_with_places();
	for (size_t i = 0; i < sizeof range_types / sizeof *range_types; i++) {
		enum pager_request_type type = range_types[i].type;
		bool hole = type != PAGER_WIRE && type != PAGER_UNMAP && !ranges[_i].any;
		counts_begin(type);
		ck_assert_int_eq(peer_range(peer, range_types[i].packet, page, pages),
				 hole ? -ENOMEM : 0);
		ck_assert_uint_eq(counts_end(type), ranges[_i].shards);
		for (uint32_t shard = 0; shard < 2; shard++) {
			struct pager_request request = fake_last(&pagers_[shard], type);
			if (ranges[_i].shards >> shard & 1) {
				ck_assert_uint_eq(request.address, page << PAGE_SHIFT);
				ck_assert_uint_eq(request.length, pages << PAGE_SHIFT);
			}
		}
	}
	/* What was unmapped is nobody's. */
	counts_begin(PAGER_DISCARD);
	ck_assert_int_eq(peer_range(peer, PAGERD_DISCARD, page, pages), -ENOMEM);
	ck_assert_uint_eq(counts_end(PAGER_DISCARD), 1);
	close(peer);
}
END_TEST

START_TEST(open_goes_to_the_address)
{
	struct pagerd_map_reply reply;
	int peer = peer_with_places();
	for (uint64_t page = 0; page < 20; page++) {
		bool first = (page >= 1 && page < 5) || (page >= 12 && page < 16);
		bool second = page >= 5 && page < 9;
		counts_begin(PAGER_OPEN);
		ck_assert_int_eq(peer_open(peer, page, &reply), first || second ? 0 : -ENOMEM);
		ck_assert_uint_eq(counts_end(PAGER_OPEN), second ? 2 : 1);
		ck_assert_uint_eq(reply.shard, second);
	}
	close(peer);
}
END_TEST

static uint64_t let_go_for(int peer, uint64_t page)
{
	struct pagerd_map_reply reply;
	counts_begin(PAGER_LET_GO);
	ck_assert_int_eq(peer_open(peer, page, &reply), 0);
	return counts_end(PAGER_LET_GO);
}

/* What the client was told of before, and has not registered, another shard lets go. */
START_TEST(one_object_is_held)
{
	int peer = peer_with_places();
	ck_assert_uint_eq(let_go_for(peer, 1), 0);
	ck_assert_uint_eq(let_go_for(peer, 12), 0);
	ck_assert_uint_eq(let_go_for(peer, 5), 1 << 0);
	ck_assert_uint_eq(let_go_for(peer, 6), 0);
	ck_assert_uint_eq(let_go_for(peer, 1), 1 << 1);
	ck_assert_int_eq(peer_register(peer, 20, 1, 1), 0);
	ck_assert_uint_eq(let_go_for(peer, 5), 0);
	close(peer);
}
END_TEST

/* The first error ends it. That memory is short is one, though the same as that none is there. */
START_TEST(range_errors)
{
	int peer = peer_with_places(), error = _i ? -ENOMEM : -EIO;
	for (size_t i = 0; i < sizeof range_types / sizeof *range_types; i++) {
		enum pager_request_type type = range_types[i].type;
		uint16_t packet = range_types[i].packet;
		if (type == PAGER_UNMAP)
			continue;
		for (uint32_t shard = 0; shard < 2; shard++) {
			pagers_[shard].errors[type] = error;
			counts_begin(type);
			ck_assert_int_eq(peer_range(peer, packet, 1, 15), error);
			ck_assert_uint_eq(counts_end(type), shard ? 3 : 1);
			pagers_[shard].errors[type] = 0;
		}
	}
	close(peer);
}
END_TEST

/* UNMAP: a shard that cannot ends it, and what it has is found again. */
START_TEST(unmap_fails)
{
	int peer = peer_with_places();
	pagers_[0].errors[PAGER_UNMAP] = -ENOMEM;
	counts_begin(PAGER_UNMAP);
	ck_assert_int_eq(peer_range(peer, PAGERD_UNMAP, 1, 8), -ENOMEM);
	ck_assert_uint_eq(counts_end(PAGER_UNMAP), 1);
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0x1e0);
	pagers_[0].errors[PAGER_UNMAP] = 0;
	pagers_[1].errors[PAGER_UNMAP] = -ENOMEM;
	counts_begin(PAGER_UNMAP);
	ck_assert_int_eq(peer_range(peer, PAGERD_UNMAP, 1, 8), -ENOMEM);
	ck_assert_uint_eq(counts_end(PAGER_UNMAP), 3);
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0x1e0);
	pagers_[1].errors[PAGER_UNMAP] = 0;
	ck_assert_int_eq(peer_register(peer, 1, 8, 1), 0);
	ck_assert_uint_eq(fake_regions(&pagers_[1], 1), 0);
	close(peer);
}
END_TEST

/* ---- fork -------------------------------------------------------------------------------- */

/* The child is known to all, and has the places of its parent. */
START_TEST(fork_in_all)
{
	struct pagerd_map_reply reply;
	int child, peer = peer_with_places();
	ck_assert_int_eq(peer_fork(peer, &child), 0);
	for (uint32_t shard = 0; shard < 3; shard++) {
		ck_assert_uint_eq(fake_done_count(&pagers_[shard], PAGER_FORK), 1);
		ck_assert_uint_eq(fake_last(&pagers_[shard], PAGER_FORK).child, 2);
		ck_assert_uint_eq(fake_client_count(&pagers_[shard]), 2);
	}
	counts_begin(PAGER_FORK_END);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	ck_assert_uint_eq(counts_end(PAGER_FORK_END), 7);
	/* What the parent changes from here on is the parent's. */
	ck_assert_int_eq(peer_register(peer, 1, 15, 3), 0);
	if (daemon_.device_fd >= 0) {
		ck_assert_int_eq(peer_hello(child), 0);
		ck_assert_int_eq(peer_uffd(child, 1), 0);
		for (uint64_t page = 1; page < 9; page += 4) {
			uint64_t shard = page / 4;
			counts_begin(PAGER_OPEN);
			ck_assert_int_eq(peer_open(child, page, &reply), 0);
			ck_assert_uint_eq(reply.shard, shard);
			ck_assert_uint_eq(counts_end(PAGER_OPEN), 1ull << shard);
			counts_begin(PAGER_REGISTER);
			ck_assert_int_eq(peer_register(child, page, 4, 0), 0);
			ck_assert_uint_eq(counts_end(PAGER_REGISTER), 1ull << shard);
		}
		ck_assert_int_eq(peer_register(child, 30, 4, 0), -ENOENT);
	}
	close(child);
	close(peer);
}
END_TEST

/* A child that says one REGISTER for what is of two shards gets what is of the first. What is of
 * the other stays so. */
START_TEST(fork_register_of_two)
{
	int child, peer = peer_with_places();
	ck_assert_int_eq(peer_fork(peer, &child), 0);
	ck_assert_int_eq(peer_header(peer, PAGERD_FORK_END, -1), 0);
	if (daemon_.device_fd >= 0) {
		ck_assert_int_eq(peer_hello(child), 0);
		ck_assert_int_eq(peer_uffd(child, 0), 0);
		ck_assert_int_eq(peer_register(child, 1, 8, 0), 0);
		counts_begin(PAGER_REGISTER);
		ck_assert_int_eq(peer_register(child, 5, 4, 0), 0);
		ck_assert_uint_eq(counts_end(PAGER_REGISTER), 2);
		ck_assert_int_eq(peer_register(child, 1, 15, 3), 0);
		ck_assert_uint_eq(fake_regions(&pagers_[1], 2), 0);
	}
	close(child);
	close(peer);
}
END_TEST

/* It fails in one shard: none is left frozen, and none knows the child. */
START_TEST(fork_fails_in_one)
{
	uint32_t shard = (uint32_t)_i / 2;
	enum pager_request_type type = _i % 2 ? PAGER_CLIENT_ADD : PAGER_FORK;
	int child, peer = peer_with_places();
	pagers_[shard].errors[type] = -ENOSPC;
	ck_assert_int_eq(peer_fork(peer, &child), -ENOSPC);
	pagers_[shard].errors[type] = 0;
	loop_until(daemon_.session_count == 1);
	for (uint32_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(fake_client_count(&pagers_[i]), 1);
		ck_assert_uint_eq(fake_done_count(&pagers_[i], PAGER_FORK_END), type == PAGER_FORK);
	}
	ck_assert_int_eq(peer_fork(peer, &child), 0);
	ck_assert_uint_eq(fake_last(&pagers_[2], PAGER_FORK).child, 2); /* the same number */
	close(child);
	close(peer);
}
END_TEST

/* The parent goes away while one of the shards is at work. */
START_TEST(fork_and_gone)
{
	struct pagerd_header header;
	int peer = peer_join();
	fake_keep(&pagers_[_i], 1ull << PAGER_FORK | 1ull << PAGER_CLIENT_ADD);
	peer_send(peer, &header, sizeof header, PAGERD_FORK, -1);
	loop_until(daemon_.session_count == 2);
	for (int i = 0; i < 20; i++)
		loop_turn();
	close(peer);
	for (int i = 0; i < 20; i++)
		loop_turn();
	fake_keep(&pagers_[_i], 0);
	loop_until(!daemon_.sessions);
}
END_TEST

/* ---- the end of a session ---------------------------------------------------------------- */

/* A process that lives on keeps its client in one shard: what it held up there and elsewhere has
 * ended by then, and its number is taken until all have let it go. */
START_TEST(all_are_left_before_it_is_removed)
{
	uint32_t shard = (uint32_t)_i;
	int peer = peer_join(), other;
	fake_keep(&pagers_[shard], 1ull << PAGER_CLIENT_REMOVE);
	close(peer);
	loop_until(done_count(PAGER_CLIENT_LEAVE) == 3 && done_count(PAGER_CLIENT_REMOVE) == shard);
	for (int i = 0; i < 50; i++)
		loop_turn();
	ck_assert_uint_eq(done_count(PAGER_CLIENT_REMOVE), shard);
	other = peer_join();
	ck_assert_uint_eq(daemon_.sessions->client, 2);
	fake_keep(&pagers_[shard], 0);
	loop_until(daemon_.session_count == 1);
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_gt(fake_stamp(&pagers_[0], PAGER_CLIENT_REMOVE),
				  fake_stamp(&pagers_[i], PAGER_CLIENT_LEAVE));
	close(other);
}
END_TEST

/* ---- settings and reports ---------------------------------------------------------------- */

static void set_goes_to(int peer, uint32_t pid, const char *text, enum pager_request_type type,
			uint64_t shards)
{
	char why[300];
	counts_begin(type);
	ck_assert_int_eq(peer_set(peer, pid, text, why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	ck_assert_uint_eq(counts_end(type), shards);
}

START_TEST(set_goes_to_its_shards)
{
	int control = peer_new(), peer = peer_join();
	uint32_t pid = (uint32_t)getpid();
	ck_assert_int_eq(peer_hello(control), 0);
	set_goes_to(control, 0, "memory=64M", PAGER_SET, 7);
	ck_assert_ptr_null(fake_last(&pagers_[1], PAGER_SET).bank); /* all have the daemon's */
	set_goes_to(control, 0, "policy=lru", PAGER_SET, 7);
	set_goes_to(control, pid, "memory=2M", PAGER_SET, 7);
	struct bank *bank = fake_last(&pagers_[0], PAGER_SET).bank;
	ck_assert_ptr_nonnull(bank); /* one for all of them */
	ck_assert_ptr_eq(bank, fake_last(&pagers_[2], PAGER_SET).bank);
	set_goes_to(control, pid, "memory=none", PAGER_SET, 7);
	ck_assert_ptr_null(fake_last(&pagers_[2], PAGER_SET).bank);
	set_goes_to(peer, PAGERD_SET_SELF, "policy=lru", PAGER_SET, 7);
	ck_assert_ptr_null(fake_last(&pagers_[2], PAGER_SET).bank);
	set_goes_to(control, 0, "object=7 memory=1M", PAGER_SET_OBJECT, 1); /* (7 - 1) % 3 */
	close(control);
	close(peer);
}
END_TEST

/* An object at an address is looked for in one shard after the other. */
START_TEST(set_searches_the_address)
{
	uint32_t shard = (uint32_t)_i, pid = (uint32_t)getpid();
	char why[300];
	int peer = peer_join();
	for (uint32_t i = 0; i < shard; i++)
		pagers_[i].errors[PAGER_SET_OBJECT] = -ENOENT;
	counts_begin(PAGER_SET_OBJECT);
	ck_assert_int_eq(peer_set(peer, pid, "address=7000 memory=1M", why, sizeof why),
			 shard == 3 ? -ENOENT : 0);
	ck_assert_uint_eq(counts_end(PAGER_SET_OBJECT), shard == 3 ? 7 : (2ull << shard) - 1);
	if (shard == 1) {
		pagers_[1].errors[PAGER_SET_OBJECT] = -EINVAL;
		counts_begin(PAGER_SET_OBJECT);
		ck_assert_int_eq(peer_set(peer, pid, "address=7000 memory=1M", why, sizeof why), 0);
		ck_assert_str_ne(why, "");
		ck_assert_uint_eq(counts_end(PAGER_SET_OBJECT), 3);
	}
	close(peer);
}
END_TEST

START_TEST(set_fails_in_one)
{
	char why[300];
	uint32_t pid = (uint32_t)getpid();
	int peer = peer_join(), control = peer_new();
	ck_assert_int_eq(peer_hello(control), 0);
	pagers_[1].errors[PAGER_SET] = -ENOSPC;
	for (int i = 0; i < 2; i++) {
		counts_begin(PAGER_SET);
		ck_assert_int_eq(peer_set(control, i ? pid : 0, "memory=1M", why, sizeof why), 0);
		ck_assert_str_ne(why, "");
		ck_assert_uint_eq(counts_end(PAGER_SET), 3);
	}
	/* A client that one of them has let go already is no error. */
	pagers_[1].errors[PAGER_SET] = -ESRCH;
	ck_assert_int_eq(peer_set(control, pid, "memory=1M", why, sizeof why), 0);
	ck_assert_str_eq(why, "");
	close(control);
	close(peer);
}
END_TEST

/* What each shard says is added up. */
START_TEST(reports_are_sums)
{
	static char text[65536];
	struct pagerd_header header;
	struct pagerd_stats_reply stats;
	int fd, peer = peer_join();
	counts_begin(PAGER_SNAPSHOT);
	ck_assert_int_eq(peer_report(peer, PAGERD_REPORT_STAT, 0, 1, text, sizeof text), 0);
	ck_assert_uint_eq(counts_end(PAGER_SNAPSHOT), 7);
	for (int i = 1; i <= 3; i++) {
		char object[32];
		snprintf(object, sizeof object, "\"object\": %d,", i);
		ck_assert_msg(strstr(text, object), "%s: %s", object, text);
	}
	pagers_[2].errors[PAGER_SNAPSHOT] = -ENOMEM;
	ck_assert_int_eq(peer_report(peer, PAGERD_REPORT_STAT, 0, 1, text, sizeof text), -ENOMEM);
	peer_send(peer, &header, sizeof header, PAGERD_STATS, -1);
	ck_assert_uint_eq(peer_receive(peer, &stats, sizeof stats, &fd), sizeof stats);
	struct pagerd_stats sum;
	memcpy(&sum, stats.value, sizeof sum);
	ck_assert_uint_eq(sum.faults_major, 3);
	close(peer);
}
END_TEST

START_TEST(drain_is_for_all)
{
	int control = peer_new();
	ck_assert_int_eq(peer_hello(control), 0);
	counts_begin(PAGER_DRAIN);
	ck_assert_int_eq(peer_header(control, PAGERD_DRAIN, -1), 0);
	ck_assert_uint_eq(counts_end(PAGER_DRAIN), 7);
	close(control);
}
END_TEST

/* All shards know a LEARN by the same number (the fake ones see to that), whoever else begins or
 * ends one; pages go to their file's. */
START_TEST(learn_numbers)
{
	enum { CONTROLS = 6, ROUNDS = 60 };
	int controls[CONTROLS];
	struct pagerd_learn learn = {.flags = 0};
	for (int i = 0; i < 3; i++)
		pagers_[i].delay_us = 50 * (3 - i);
	for (int i = 0; i < CONTROLS; i++) {
		controls[i] = peer_new();
		ck_assert_int_eq(peer_hello(controls[i]), 0);
	}
	for (int round = 0; round < ROUNDS; round++) {
		int *control = &controls[round % CONTROLS];
		peer_send(*control, &learn, sizeof learn, PAGERD_LEARN, -1);
		loop_turn();
		if (round % CONTROLS != CONTROLS - 1)
			continue;
		for (int i = 0; i < CONTROLS; i++) {
			close(controls[i]);
			controls[i] = peer_new();
			ck_assert_int_eq(peer_hello(controls[i]), 0);
		}
	}
	for (int i = 0; i < CONTROLS; i++)
		close(controls[i]);
	loop_until(done_count(PAGER_LEARN_END) == done_count(PAGER_LEARN) && !daemon_.sessions);
}
END_TEST

START_TEST(learn_pages)
{
	uint64_t number, seen = 0;
	int control = peer_new();
	ck_assert_int_eq(peer_hello(control), 0);
	ck_assert_int_eq(peer_learn(control, PAGERD_LEARN_RECORD, &number), 0);
	ck_assert_uint_eq(number, FAKE_LEARN);
	for (uint64_t inode = 1; inode < 20; inode++) {
		struct pagerd_learn_pages pages = {.inode = inode, .device = 5, .count = 1};
		counts_begin(PAGER_LEARN_PAGES);
		ck_assert_int_eq(peer_call(control, &pages, sizeof pages, PAGERD_LEARN_PAGES, -1),
				 0);
		uint64_t shard = counts_end(PAGER_LEARN_PAGES);
		ck_assert_uint_eq(shard, 1ull << shard_of_identity(daemon_.sessions, 5, inode));
		seen |= shard;
	}
	ck_assert_uint_eq(seen, 7);
	counts_begin(PAGER_LEARN_END);
	close(control);
	loop_until(!daemon_.sessions);
	ck_assert_uint_eq(counts_end(PAGER_LEARN_END), 7);
}
END_TEST

static void cases_add(TCase *tcase)
{
	tcase_add_test(tcase, client_is_known_to_all);
	tcase_add_test(tcase, userfaultfd_is_a_shards);
	tcase_add_test(tcase, userfaultfd_of_another_shard_first);
	tcase_add_loop_test(tcase, shards_are_so_many, 0, 6);
	tcase_add_test(tcase, agent_is_a_shards);
	tcase_add_test(tcase, agent_socket_is_the_daemons);
	tcase_add_loop_test(tcase, client_is_refused_by_one, 0, 3);
	tcase_add_loop_test(tcase, userfaultfd_is_refused, 0, 2);
	tcase_add_loop_test(tcase, gone_while_becoming_a_client, 0, 9);
	tcase_add_test(tcase, file_is_in_one_shard);
	tcase_add_test(tcase, file_end_that_is_late);
	tcase_add_test(tcase, anonymous_goes_round);
	tcase_add_test(tcase, register_goes_to_the_object);
	tcase_add_test(tcase, register_over_others);
	tcase_add_loop_test(tcase, register_over_what_stays, 0, 2);
	tcase_add_test(tcase, register_fails);
	tcase_add_loop_test(tcase, ranges_go_to_their_shards, 0, 12);
	tcase_add_test(tcase, open_goes_to_the_address);
	tcase_add_test(tcase, one_object_is_held);
	tcase_add_loop_test(tcase, range_errors, 0, 2);
	tcase_add_test(tcase, unmap_fails);
	tcase_add_test(tcase, fork_in_all);
	tcase_add_test(tcase, fork_register_of_two);
	tcase_add_loop_test(tcase, fork_fails_in_one, 0, 6);
	tcase_add_loop_test(tcase, fork_and_gone, 0, 3);
	tcase_add_loop_test(tcase, all_are_left_before_it_is_removed, 0, 3);
	tcase_add_test(tcase, set_goes_to_its_shards);
	tcase_add_loop_test(tcase, set_searches_the_address, 0, 4);
	tcase_add_test(tcase, set_fails_in_one);
	tcase_add_test(tcase, reports_are_sums);
	tcase_add_test(tcase, drain_is_for_all);
	tcase_add_test(tcase, learn_numbers);
	tcase_add_test(tcase, learn_pages);
}

int main(void)
{
	Suite *suite = suite_create("routing");
	TCase *three = tcase_create("three");
	tcase_add_checked_fixture(three, setup_three, daemon_end_idle);
	tcase_set_timeout(three, 60);
	cases_add(three);
	suite_add_tcase(suite, three);
	return suite_run(suite);
}
