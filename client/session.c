/* SPDX-License-Identifier: MIT */
/* A session with the daemon that pages. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "spare.h"
#include "sys.h"
#include "wire.h"

/* A userfaultfd that also serves faults of system calls (no UFFD_USER_MODE_ONLY): with less,
 * read(2) into a page that is not there would fail with EFAULT. */
static int userfaultfd_make(int device)
{
	int flags = O_CLOEXEC | O_NONBLOCK;
	int fd = device >= 0 ? sys_ioctl(device, USERFAULTFD_IOC_NEW, flags)
			     : sys_userfaultfd(flags);
	return fd >= 0 ? wire_move_high(fd) : fd;
}

/* Give the daemon a userfaultfd of this process for the shard. */
static int uffd_give(struct session *session, uint32_t shard)
{
	struct pagerd_shard request;
	struct pagerd_header reply;
	int uffd = userfaultfd_make(session->device);
	if (uffd == -EMFILE && spare_release())
		uffd = userfaultfd_make(session->device);
	if (uffd < 0)
		return uffd;
	__atomic_store_n(&session->uffds[shard], uffd, __ATOMIC_RELAXED);
	wire_shard(&request, PAGERD_UFFD, shard);
	int result = wire_call(session->socket, &request.h, uffd, &reply, sizeof(reply), NULL);
	if (result < 0) {
		__atomic_store_n(&session->uffds[shard], -1, __ATOMIC_RELAXED);
		sys_close(uffd);
	}
	return result;
}

static int session_hello(struct session *session)
{
	struct pagerd_hello hello = {.flags = 0};
	struct pagerd_hello_reply reply;
	wire_header(&hello.h, PAGERD_HELLO, sizeof(hello));
	sys_thread_name(hello.name);
	int result =
		wire_call(session->socket, &hello.h, -1, &reply.h, sizeof(reply), &session->device);
	if (result == 0 && (reply.page_bytes != PAGE_BYTES || reply.shards > PAGERD_SHARDS_MAX))
		result = -EPROTO;
	if (result < 0)
		return result;
	session->harvest = reply.flags & PAGERD_HELLO_HARVEST;
	session->served = reply.flags & PAGERD_HELLO_SERVED;
	session->shards = reply.shards ? reply.shards : 1;
	return 0;
}

/* A request whose body, like its reply's, is the header alone. */
static int session_plain(struct session *session, enum pagerd_type type, int *received)
{
	struct pagerd_header request, reply;
	wire_header(&request, type, sizeof(request));
	return wire_call(session->socket, &request, -1, &reply, sizeof(reply), received);
}

/* The device is kept for the other shards' userfaultfds. */
static void device_keep(struct session *session)
{
	int device = session->device;
	session->device = -1;
	if (device >= 0 && session->shards > 1)
		session->device = wire_move_high(device);
	else if (device >= 0)
		sys_close(device);
}

int session_start(struct session *session, int socket)
{
	*session = SESSION_NONE;
	session->socket = socket;
	int result = session_hello(session);
	if (result == 0)
		result = uffd_give(session, 0);
	if (result < 0)
		session_finish(session);
	else
		device_keep(session);
	return result;
}

int session_connect(struct session *session, const char *path)
{
	int socket = wire_connect(path);
	if (socket < 0) {
		*session = SESSION_NONE;
		return socket;
	}
	return session_start(session, socket);
}

void session_finish(struct session *session)
{
	if (session->socket >= 0)
		sys_close(session->socket);
	if (session->device >= 0)
		sys_close(session->device);
	for (uint32_t i = 0; i < PAGERD_SHARDS_MAX; i++)
		if (session->uffds[i] >= 0)
			sys_close(session->uffds[i]);
	*session = SESSION_NONE;
}

/* MAP, OPEN and BOARD have the same reply. */
static int session_object(struct session *session, const struct pagerd_header *request, int passed,
			  struct session_object *object)
{
	struct pagerd_map_reply reply;
	int memfd = -1;
	int result = wire_call(session->socket, request, passed, &reply.h, sizeof(reply), &memfd);
	if (result == -EMFILE && spare_release())
		result = wire_call(session->socket, request, passed, &reply.h, sizeof(reply),
				   &memfd);
	if (result < 0)
		return result;
	if (memfd < 0)
		return -EPROTO;
	*object = (struct session_object){
		.memfd = memfd,
		.read_only = reply.read_only != 0,
		.shard = reply.shard,
		.number = reply.object,
		.offset = reply.offset_bytes,
	};
	return 0;
}

/* The same of an object that may be registered, to which its shard's userfaultfd belongs. */
static int session_memory(struct session *session, const struct pagerd_header *request, int passed,
			  struct session_object *object)
{
	struct session_object found;
	int result = session_object(session, request, passed, &found);
	if (result < 0)
		return result;
	if (found.shard >= session->shards)
		result = -EPROTO;
	else if (session->uffds[found.shard] < 0)
		result = uffd_give(session, found.shard);
	if (result < 0)
		sys_close(found.memfd);
	else
		*object = found;
	return result;
}

int session_map(struct session *session, enum pagerd_kind kind, bool writable, uint64_t length,
		uint64_t offset, int fd, struct session_object *object)
{
	struct pagerd_map request = {
		.kind = kind,
		.writable = writable,
		.length_bytes = length,
		.offset_bytes = offset,
	};
	wire_header(&request.h, PAGERD_MAP, sizeof(request));
	/* With MAP_ANONYMOUS mmap(2) ignores the descriptor. */
	bool file = kind == PAGERD_FILE_SHARED || kind == PAGERD_FILE_PRIVATE;
	return session_memory(session, &request.h, file ? fd : -1, object);
}

int session_open(struct session *session, uint64_t address, uint64_t length,
		 struct session_object *object)
{
	struct pagerd_open request = {.address = address, .length_bytes = length};
	wire_header(&request.h, PAGERD_OPEN, sizeof(request));
	return session_memory(session, &request.h, -1, object);
}

int session_register(struct session *session, uint64_t address, uint64_t length, uint64_t object,
		     uint64_t offset)
{
	struct pagerd_register request = {
		.address = address,
		.length_bytes = length,
		.object = object,
		.offset_bytes = offset,
	};
	struct pagerd_header reply;
	wire_header(&request.h, PAGERD_REGISTER, sizeof(request));
	return wire_call(session->socket, &request.h, -1, &reply, sizeof(reply), NULL);
}

int session_range(struct session *session, enum pagerd_type type, uint64_t address, uint64_t length,
		  uint32_t flags)
{
	struct pagerd_range request = {
		.address = address,
		.length_bytes = length,
		.flags = flags,
	};
	struct pagerd_header reply;
	wire_header(&request.h, type, sizeof(request));
	return wire_call(session->socket, &request.h, -1, &reply, sizeof(reply), NULL);
}

int session_file_begin(struct session *session, int fd, uint64_t offset, uint64_t length,
		       bool write)
{
	struct pagerd_range request = {
		.address = offset,
		.length_bytes = length,
		.flags = write ? PAGERD_FILE_WRITE : 0,
	};
	struct pagerd_header reply;
	wire_header(&request.h, PAGERD_FILE_BEGIN, sizeof(request));
	return wire_call(session->socket, &request.h, fd, &reply, sizeof(reply), NULL);
}

int session_file_end(struct session *session, uint64_t offset, uint64_t length, bool shifted)
{
	return session_range(session, PAGERD_FILE_END, offset, length,
			     shifted ? PAGERD_FILE_SHIFTED : 0);
}

int session_board(struct session *session, int fd, uint32_t flags, struct session_object *object)
{
	struct pagerd_range request = {.flags = flags};
	wire_header(&request.h, PAGERD_BOARD, sizeof(request));
	return session_object(session, &request.h, fd, object);
}

int session_fork(struct session *session, int *child_socket)
{
	int result = session_plain(session, PAGERD_FORK, child_socket);
	return result == 0 && *child_socket < 0 ? -EPROTO : result;
}

int session_fork_end(struct session *session)
{
	return session_plain(session, PAGERD_FORK_END, NULL);
}

int session_stats(struct session *session, struct pagerd_stats *stats)
{
	struct pagerd_header request;
	struct pagerd_stats_reply reply;
	wire_header(&request, PAGERD_STATS, sizeof(request));
	int result = wire_call(session->socket, &request, -1, &reply.h, sizeof(reply), NULL);
	if (result < 0)
		return result;
	_Static_assert(sizeof(*stats) <= sizeof(reply.value), "statistics outgrew their reply");
	memcpy(stats, reply.value, sizeof(*stats));
	return 0;
}

/* "address=7f0123456000 ", without the C library, in whose allocator we may be. */
static size_t set_address(char *text, uint64_t address)
{
	static const char word[] = "address=";
	size_t length = sizeof(word) - 1;
	int digits = 1;
	memcpy(text, word, length);
	while (digits < 16 && address >> (4 * digits))
		digits++;
	while (digits-- > 0)
		text[length++] = "0123456789abcdef"[address >> (4 * digits) & 15];
	text[length++] = ' ';
	return length;
}

int session_set(struct session *session, uint64_t address, const char *text, char *why,
		size_t why_bytes)
{
	struct pagerd_set request = {.pid = PAGERD_SET_SELF};
	struct pagerd_text reply;
	wire_header(&request.h, PAGERD_SET, sizeof(request));
	size_t begin = address ? set_address(request.text, address) : 0;
	size_t room = sizeof(request.text) - begin, length = strnlen(text, room);
	if (length == room)
		return -EINVAL;
	memcpy(request.text + begin, text, length);
	int result = wire_send(session->socket, &request.h, -1);
	if (result == 0)
		result = wire_receive_text(session->socket, PAGERD_SET, &reply);
	if (result < 0 || reply.length == 0)
		return result;
	length = reply.length < why_bytes ? reply.length : why_bytes - 1;
	if (why_bytes > 0) {
		memcpy(why, reply.text, length);
		why[length] = 0;
	}
	return -EINVAL;
}
