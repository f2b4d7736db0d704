/* SPDX-License-Identifier: MIT */
#include "fake_daemon.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pagerd/protocol.h"

#define PAGE	4096ul
#define OBJECTS 64

static struct fake_shared *shared;
static uint32_t shards;
static uint32_t hello_flags;
static int device;

static struct session {
	int socket;
	int uffds[FAKE_SHARDS];
	int agents[FAKE_SHARDS];
	char *windows[FAKE_SHARDS];
} sessions[FAKE_SESSIONS];
static int session_count;

static struct object {
	int memfd;
	uint32_t shard;
	uint64_t address; /* where it was registered; in children of fork, too */
	uint64_t length;
} objects[OBJECTS];
static uint64_t object_count;

union packet {
	char bytes[PAGERD_PACKET_MAX];
	struct pagerd_header h;
	struct pagerd_shard shard;
	struct pagerd_map map;
	struct pagerd_open open;
	struct pagerd_register reg;
	struct pagerd_range range;
};

union passing {
	char bytes[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr align;
};

/* ---- packets ----------------------------------------------------------------------------- */

/* False when the other end has gone. */
static bool packet_receive(int socket, union packet *packet, int *fd)
{
	union passing passing;
	struct iovec data = {packet, sizeof *packet};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = passing.bytes,
				 .msg_controllen = sizeof passing.bytes};
	ssize_t bytes = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	struct cmsghdr *control = CMSG_FIRSTHDR(&message);
	*fd = -1;
	if (bytes > 0 && control)
		memcpy(fd, CMSG_DATA(control), sizeof *fd);
	return bytes >= (ssize_t)sizeof packet->h && packet->h.size == bytes;
}

static void reply_with(int socket, const union packet *to, void *packet, size_t bytes, int error,
		       const int *fds, size_t count)
{
	union passing passing = {{0}};
	struct pagerd_header *header = packet;
	*header = (struct pagerd_header){
		.magic = PAGERD_MAGIC,
		.version = PAGERD_VERSION,
		.type = to->h.type | PAGERD_REPLY,
		.size = (uint32_t)(error ? sizeof *header : bytes),
		.error = error,
	};
	struct iovec data = {packet, header->size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (count && !error) {
		message.msg_control = passing.bytes;
		message.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(count * sizeof *fds);
		memcpy(CMSG_DATA(control), fds, count * sizeof *fds);
	}
	sendmsg(socket, &message, MSG_NOSIGNAL);
}

static void reply(int socket, const union packet *to, void *packet, size_t bytes, int error, int fd)
{
	reply_with(socket, to, packet, bytes, error, &fd, fd >= 0);
}

static void reply_plain(const struct session *session, const union packet *to, int error)
{
	struct pagerd_header header;
	reply(session->socket, to, &header, sizeof header, error, -1);
}

static void note(const struct session *session, char letter, int64_t shard)
{
	char *log = shared->log[session - sessions], text[16];
	snprintf(text, sizeof text, shard < 0 ? "%s%c" : "%s%c%d", log[0] ? " " : "", letter,
		 (int)shard);
	strncat(log, text, sizeof shared->log[0] - strlen(log) - 1);
}

/* ---- what is asked ----------------------------------------------------------------------- */

static void hello(const struct session *session, const union packet *packet)
{
	struct pagerd_hello_reply answer = {
		.flags = hello_flags | (device >= 0 ? PAGERD_HELLO_DEVICE : 0),
		.page_bytes = PAGE,
		.shards = shards,
	};
	note(session, 'H', -1);
	reply(session->socket, packet, &answer, sizeof answer, 0, device);
}

/* Of a packet about a shard; -1: there is no such shard. */
static int64_t shard_of(const union packet *packet)
{
	uint32_t shard = packet->h.size == sizeof packet->shard ? packet->shard.shard : 0;
	return shard < (shards ? shards : 1) ? (int64_t)shard : -1;
}

static void uffd(struct session *session, const union packet *packet, int fd)
{
	int64_t shard = shard_of(packet);
	note(session, 'U', shard);
	int error = shard < 0 ? -EINVAL : session->uffds[shard] >= 0 ? -EALREADY : 0;
	if (!error)
		session->uffds[shard] = fd;
	reply_plain(session, packet, error);
}

static void agent(struct session *session, const union packet *packet)
{
	int64_t shard = shard_of(packet);
	struct pagerd_header header;
	int ends[2], window = memfd_create("window", MFD_CLOEXEC);
	size_t bytes = PAGERD_WINDOW_PAGES * PAGE;
	note(session, 'A', shard);
	if (shard < 0 || ftruncate(window, (off_t)bytes) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		reply_plain(session, packet, -EINVAL);
		return;
	}
	if (session->agents[shard] >= 0)
		close(session->agents[shard]);
	session->agents[shard] = ends[0];
	session->windows[shard] = mmap(NULL, bytes, PROT_READ, MAP_SHARED, window, 0);
	reply_with(session->socket, packet, &header, sizeof header, 0, (int[]){ends[1], window}, 2);
	close(ends[1]);
	close(window);
}

static void reply_object(const struct session *session, const union packet *packet, char letter,
			 uint64_t number, uint64_t offset)
{
	const struct object *object = &objects[number];
	struct pagerd_map_reply answer = {
		.shard = object->shard, .object = number, .offset_bytes = offset};
	note(session, letter, object->shard);
	reply(session->socket, packet, &answer, sizeof answer, 0, object->memfd);
}

static void map(const struct session *session, const union packet *packet)
{
	struct object *object = &objects[++object_count];
	object->memfd = memfd_create("object", MFD_CLOEXEC);
	object->shard = shared->place;
	int error = ftruncate(object->memfd, (off_t)packet->map.length_bytes);
	if (error)
		reply_plain(session, packet, -ENOMEM);
	else
		reply_object(session, packet, 'M', object_count, 0);
}

/* The object that is mapped there; 0 if none. */
static uint64_t object_at(uint64_t address)
{
	for (uint64_t i = 1; i <= object_count; i++)
		if (address >= objects[i].address &&
		    address - objects[i].address < objects[i].length)
			return i;
	return 0;
}

static void open_again(const struct session *session, const union packet *packet)
{
	uint64_t number = object_at(packet->open.address);
	if (number)
		reply_object(session, packet, 'O', number,
			     packet->open.address - objects[number].address);
	else
		reply_plain(session, packet, -ENOMEM);
}

static void enter(const struct session *session, const union packet *packet)
{
	uint64_t number = packet->reg.object ? packet->reg.object : object_at(packet->reg.address);
	struct object *object = &objects[number];
	note(session, 'R', object->shard);
	object->address = packet->reg.address;
	object->length = packet->reg.length_bytes;
	reply_plain(session, packet, session->uffds[object->shard] < 0 ? -EINVAL : 0);
}

static void session_begin(int socket)
{
	struct session *made = &sessions[session_count++];
	*made = (struct session){.socket = socket};
	memset(made->uffds, -1, sizeof made->uffds);
	memset(made->agents, -1, sizeof made->agents);
}

static void child(const struct session *session, const union packet *packet)
{
	struct pagerd_header header;
	int ends[2];
	note(session, 'F', -1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		reply_plain(session, packet, -EMFILE);
		return;
	}
	session_begin(ends[0]);
	reply(session->socket, packet, &header, sizeof header, 0, ends[1]);
	close(ends[1]);
}

static void save(const union packet *packet)
{
	for (uint32_t i = 0; i < FAKE_SHARDS; i++) {
		struct pagerd_answer answer;
		struct pagerd_command command = {
			.type = PAGERD_SAVE,
			.count = 1,
			.ranges = {{packet->range.address + i * PAGE, PAGE}},
		};
		size_t bytes = offsetof(struct pagerd_command, ranges[1]);
		int socket = sessions[0].agents[i];
		if (socket >= 0 && send(socket, &command, bytes, MSG_NOSIGNAL) > 0 &&
		    recv(socket, &answer, sizeof answer, 0) == sizeof answer && answer.pages == 1)
			shared->saved[i] = sessions[0].windows[i][0];
	}
}

static void answer(struct session *session, const union packet *packet, int fd)
{
	switch (packet->h.type) {
	case PAGERD_HELLO:
		hello(session, packet);
		return;
	case PAGERD_UFFD:
		uffd(session, packet, fd);
		return;
	case PAGERD_AGENT:
		agent(session, packet);
		return;
	case PAGERD_MAP:
		map(session, packet);
		return;
	case PAGERD_OPEN:
		open_again(session, packet);
		return;
	case PAGERD_REGISTER:
		enter(session, packet);
		return;
	case PAGERD_FORK:
		child(session, packet);
		return;
	case PAGERD_PAGEMAP:
		note(session, 'P', shard_of(packet));
		break;
	case PAGERD_UNMAP:
		note(session, 'X', -1);
		break;
	case PAGERD_FORK_END:
		note(session, 'E', -1);
		break;
	case PAGERD_SYNC:
		note(session, 'S', -1);
		save(packet);
		break;
	}
	reply_plain(session, packet, 0);
}

/* ---- its life ---------------------------------------------------------------------------- */

static void session_end(struct session *session)
{
	close(session->socket);
	session->socket = -1;
	for (int i = 0; i < FAKE_SHARDS; i++) {
		close(session->uffds[i]);
		close(session->agents[i]);
	}
}

/* Until all sessions have gone. */
static void serve(void)
{
	for (;;) {
		struct pollfd polled[FAKE_SESSIONS];
		int fd, open = 0;
		for (int i = 0; i < session_count; i++) {
			polled[i] = (struct pollfd){sessions[i].socket, POLLIN, 0};
			open += sessions[i].socket >= 0;
		}
		if (!open)
			return;
		poll(polled, (nfds_t)session_count, -1);
		for (int i = session_count; i-- > 0;) {
			union packet packet;
			if (sessions[i].socket < 0 || !polled[i].revents)
				continue;
			if (packet_receive(sessions[i].socket, &packet, &fd))
				answer(&sessions[i], &packet, fd);
			else
				session_end(&sessions[i]);
		}
	}
}

void fake_daemon_start(struct fake_daemon *daemon, uint32_t count, bool harvest)
{
	int ends[2];
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	ck_assert(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends));
	daemon->shared = shared;
	daemon->socket = ends[0];
	daemon->process = fork();
	ck_assert_int_ge(daemon->process, 0);
	if (daemon->process) {
		close(ends[1]);
		return;
	}
	close(ends[0]);
	shards = count;
	hello_flags = harvest ? PAGERD_HELLO_HARVEST : 0;
	device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	session_begin(ends[1]);
	serve();
	_exit(0);
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
	int status;
	ck_assert_int_eq(waitpid(daemon->process, &status, 0), daemon->process);
	ck_assert_int_eq(status, 0);
	munmap(daemon->shared, sizeof *daemon->shared);
}
