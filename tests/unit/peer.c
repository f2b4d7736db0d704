/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon_harness.h"
#include "uapi.h"

int peer_new(void)
{
	int ends[2];
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	ck_assert_int_eq(session_create(&daemon_, ends[0], NULL, NULL), 0);
	return ends[1];
}

int peer_send_files(int peer, const void *data, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(16 * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)data, size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, count * sizeof(int));
	}
	return sendmsg(peer, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

void peer_send(int peer, void *packet, size_t size, uint16_t type, int fd)
{
	struct pagerd_header *h = packet;
	*h = (struct pagerd_header){PAGERD_MAGIC, PAGERD_VERSION, type, (uint32_t)size, 0};
	ck_assert_int_eq(peer_send_files(peer, packet, size, &fd, fd >= 0), 0);
}

bool peer_readable(int peer)
{
	struct pollfd p = {.fd = peer, .events = POLLIN};
	return poll(&p, 1, 0) > 0;
}

size_t peer_receive(int peer, void *packet, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {packet, size};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.bytes,
			     .msg_controllen = CMSG_LEN(sizeof(int))}; /* room for one, no more */
	loop_until(peer_readable(peer));
	ssize_t got = recvmsg(peer, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	ck_assert_msg(got >= 0 || errno == ECONNRESET, "%s", strerror(errno));
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	*fd = -1;
	if (got > 0 && c)
		memcpy(fd, CMSG_DATA(c), sizeof *fd);
	return got < 0 ? 0 : (size_t)got;
}

static int peer_answer(int peer, uint16_t type, int *fd)
{
	union packet reply;
	size_t got = peer_receive(peer, &reply, sizeof reply, fd);
	if (!got)
		return 1;
	ck_assert_uint_ge(got, sizeof reply.h);
	ck_assert_uint_eq(reply.h.size, got);
	ck_assert_uint_eq(reply.h.magic, PAGERD_MAGIC);
	ck_assert_uint_eq(reply.h.version, PAGERD_VERSION);
	ck_assert_uint_eq(reply.h.type, type | PAGERD_REPLY);
	ck_assert_int_le(reply.h.error, 0);
	return reply.h.error;
}

int peer_call(int peer, void *packet, size_t size, uint16_t type, int fd)
{
	int got;
	peer_send(peer, packet, size, type, fd);
	int error = peer_answer(peer, type, &got);
	if (got >= 0)
		close(got);
	return error;
}

int peer_fork(int peer, int *child)
{
	struct pagerd_header header;
	peer_send(peer, &header, sizeof header, PAGERD_FORK, -1);
	int error = peer_answer(peer, PAGERD_FORK, child);
	ck_assert_int_eq(*child >= 0, !error);
	return error;
}

int peer_hello(int peer)
{
	struct pagerd_hello hello = {.name = "test"};
	return peer_call(peer, &hello, sizeof hello, PAGERD_HELLO, -1);
}

int peer_header(int peer, uint16_t type, int fd)
{
	struct pagerd_header header;
	return peer_call(peer, &header, sizeof header, type, fd);
}

int userfaultfd_new(int flags)
{
	int fd = daemon_.device_fd < 0 ? -1 : ioctl(daemon_.device_fd, USERFAULTFD_IOC_NEW, flags);
	return fd;
}

int peer_join(void)
{
	struct session *session;
	return peer_join_session(&session);
}

int peer_join_session(struct session **out)
{
	int peer = peer_new(), fd = userfaultfd_new(O_CLOEXEC | O_NONBLOCK);
	struct session *session = daemon_.sessions;
	*out = session;
	ck_assert_int_eq(peer_hello(peer), 0);
	if (fd >= 0) {
		ck_assert_int_eq(peer_header(peer, PAGERD_UFFD, fd), 0);
		close(fd);
		return peer;
	}
	session_join(session);
	union packet reply;
	ck_assert_uint_eq(peer_receive(peer, &reply, sizeof reply, &fd), sizeof reply.h);
	return peer;
}

void peer_must_have_ended(int peer)
{
	union packet reply;
	int fd;
	ck_assert_uint_eq(peer_receive(peer, &reply, sizeof reply, &fd), 0);
	close(peer);
}

int peer_map(int peer, uint32_t kind, uint32_t writable, uint64_t length, uint64_t offset, int fd)
{
	struct pagerd_map map = {
		.kind = kind, .writable = writable, .length_bytes = length, .offset_bytes = offset};
	return peer_call(peer, &map, sizeof map, PAGERD_MAP, fd);
}

size_t peer_text(int peer, char *text, size_t room, int *error)
{
	struct pagerd_text packet;
	size_t length = 0;
	int fd;
	do {
		size_t got = peer_receive(peer, &packet, sizeof packet, &fd);
		ck_assert_uint_ge(got, sizeof packet.h);
		*error = packet.h.error;
		if (*error)
			return 0;
		ck_assert_uint_eq(got, sizeof packet);
		ck_assert_uint_le(packet.length, PAGERD_TEXT_MAX);
		ck_assert_uint_lt(length + packet.length, room);
		memcpy(text + length, packet.text, packet.length);
		length += packet.length;
	} while (packet.more);
	text[length] = 0;
	return length;
}

int peer_report(int peer, uint32_t kind, uint32_t pid, uint32_t json, char *text, size_t room)
{
	struct pagerd_report report = {.kind = kind, .pid = pid, .json = json};
	int error;
	peer_send(peer, &report, sizeof report, PAGERD_REPORT, -1);
	peer_text(peer, text, room, &error);
	return error;
}

int peer_set_file(int peer, uint32_t pid, const char *settings, int file, char *why, size_t room)
{
	struct pagerd_set set = {.pid = pid};
	int error;
	snprintf(set.text, sizeof set.text, "%s", settings);
	peer_send(peer, &set, sizeof set, PAGERD_SET, file);
	struct pagerd_text packet;
	int fd;
	size_t got = peer_receive(peer, &packet, sizeof packet, &fd);
	error = packet.h.error;
	ck_assert_uint_eq(packet.h.type, PAGERD_SET | PAGERD_REPLY);
	snprintf(why, room, "%.*s", got == sizeof packet ? (int)packet.length : 0, packet.text);
	return error;
}

int peer_set(int peer, uint32_t pid, const char *settings, char *why, size_t room)
{
	return peer_set_file(peer, pid, settings, -1, why, room);
}

int peer_learn(int peer, uint32_t flags, uint64_t *number)
{
	struct pagerd_learn learn = {.flags = flags};
	struct pagerd_learn_reply reply = {.number = 0};
	int fd;
	peer_send(peer, &learn, sizeof learn, PAGERD_LEARN, -1);
	peer_receive(peer, &reply, sizeof reply, &fd);
	*number = reply.number;
	return reply.h.error;
}

int peer_pages(int peer, uint32_t count)
{
	struct pagerd_learn_pages pages = {.count = count};
	struct pagerd_header reply;
	int fd;
	peer_send(peer, &pages, sizeof pages, PAGERD_LEARN_PAGES, -1);
	ck_assert_uint_eq(peer_receive(peer, &reply, sizeof reply, &fd), sizeof reply);
	return reply.error;
}

int peer_file(int peer, uint16_t type, uint32_t flags, uint64_t offset, int fd)
{
	struct pagerd_range range = {.address = offset, .length_bytes = 100, .flags = flags};
	return peer_call(peer, &range, sizeof range, type, fd);
}
