/* SPDX-License-Identifier: MIT */
/* Packets over the daemon's socket. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "sys.h"

/* Programs use low numbers by habit, and some close or renumber everything from 3 on. The
 * kernel's table of descriptors reaches to the highest one and is copied by every fork: with a
 * limit of a million, a descriptor at its end would cost 8 MiB. */
#define HIGH_MAX    4096
#define HIGH_MARGIN 16

#define PASSED_MAX 2

union passing {
	char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	struct cmsghdr align;
};

int wire_move_high(int fd)
{
	uint64_t limit = sys_descriptor_limit();
	long floor = limit > HIGH_MAX ? HIGH_MAX : (long)limit;
	for (floor -= HIGH_MARGIN; floor > fd; floor /= 2) {
		int moved = sys_fcntl(fd, F_DUPFD_CLOEXEC, floor);
		if (moved >= 0) {
			sys_close(fd);
			return moved;
		}
	}
	return fd;
}

int wire_connect(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	if (length >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, length + 1);
	int fd = sys_socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC);
	if (fd < 0)
		return fd;
	int result;
	do {
		result = sys_connect(fd, (const struct sockaddr *)&address, sizeof(address));
	} while (result == -EINTR);
	if (result < 0) {
		sys_close(fd);
		return result;
	}
	return wire_move_high(fd);
}

void wire_header(struct pagerd_header *header, enum pagerd_type type, size_t bytes)
{
	*header = (struct pagerd_header){
		.magic = PAGERD_MAGIC,
		.version = PAGERD_VERSION,
		.type = (uint16_t)type,
		.size = (uint32_t)bytes,
	};
}

void wire_shard(struct pagerd_shard *request, enum pagerd_type type, uint32_t shard)
{
	*request = (struct pagerd_shard){.shard = shard};
	wire_header(&request->h, type, shard ? sizeof(*request) : sizeof(request->h));
}

static int wire_errno(long result)
{
	if (result == 0 || result == -EPIPE || result == -ECONNRESET)
		return -ENOTCONN;
	return (int)result;
}

int wire_send(int socket, const struct pagerd_header *header, int passed)
{
	union passing passing = {.bytes = {0}};
	struct iovec data = {.iov_base = (void *)header, .iov_len = header->size};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (passed >= 0) {
		message.msg_control = passing.bytes;
		message.msg_controllen = CMSG_SPACE(sizeof(int));
		struct cmsghdr *control = CMSG_FIRSTHDR(&message);
		control->cmsg_level = SOL_SOCKET;
		control->cmsg_type = SCM_RIGHTS;
		control->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(control), &passed, sizeof(int));
	}
	long result;
	do {
		result = sys_sendmsg(socket, &message, MSG_NOSIGNAL);
	} while (result == -EINTR);
	return result > 0 ? 0 : wire_errno(result);
}

/* Those that came along, and -1 for others. */
static void wire_descriptors(struct msghdr *message, int fds[PASSED_MAX])
{
	struct cmsghdr *control = CMSG_FIRSTHDR(message);
	fds[0] = fds[1] = -1;
	if (control && control->cmsg_level == SOL_SOCKET && control->cmsg_type == SCM_RIGHTS)
		memcpy(fds, CMSG_DATA(control), control->cmsg_len - CMSG_LEN(0));
}

static void wire_close(int fds[PASSED_MAX])
{
	for (int i = 0; i < PASSED_MAX; i++) {
		if (fds[i] >= 0)
			sys_close(fds[i]);
		fds[i] = -1;
	}
}

/* One packet of at most bytes; *size gets its length, fds the descriptors that came along. */
static int wire_packet(int socket, struct pagerd_header *reply, size_t bytes, size_t *size,
		       int fds[PASSED_MAX])
{
	union passing passing;
	struct iovec data = {.iov_base = reply, .iov_len = bytes};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = passing.bytes,
		.msg_controllen = sizeof(passing.bytes),
	};
	long result;
	/* What we sent was not read, but what the daemon sent before that may still be there. */
	do {
		result = sys_recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	} while (result == -EINTR || result == -ECONNRESET);
	if (result <= 0)
		return wire_errno(result);
	*size = (size_t)result;
	wire_descriptors(&message, fds);
	/* Truncated control data: this process had no number left for the descriptor. */
	return message.msg_flags & MSG_CTRUNC ? -EMFILE : 0;
}

static int wire_check(const struct pagerd_header *reply, size_t size, enum pagerd_type type)
{
	if (size < sizeof(*reply) || reply->magic != PAGERD_MAGIC ||
	    reply->version != PAGERD_VERSION || reply->size != size ||
	    reply->type != (type | PAGERD_REPLY) || reply->error > 0)
		return -EPROTO;
	return reply->error;
}

static int receive(int socket, enum pagerd_type type, struct pagerd_header *reply, size_t bytes,
		   int fds[PASSED_MAX])
{
	size_t size = 0;
	fds[0] = fds[1] = -1;
	int result = wire_packet(socket, reply, bytes, &size, fds);
	if (result == 0)
		result = wire_check(reply, size, type);
	if (result == 0 && size != bytes)
		result = -EPROTO;
	if (result < 0)
		wire_close(fds);
	return result;
}

int wire_receive(int socket, enum pagerd_type type, struct pagerd_header *reply, size_t bytes,
		 int *received)
{
	int fds[PASSED_MAX];
	int result = receive(socket, type, reply, bytes, fds);
	if (received) {
		*received = fds[0];
		fds[0] = -1;
	}
	wire_close(fds);
	return result;
}

int wire_receive_two(int socket, enum pagerd_type type, struct pagerd_header *reply, size_t bytes,
		     int received[2])
{
	int result = receive(socket, type, reply, bytes, received);
	if (result == 0 && (received[0] < 0 || received[1] < 0)) {
		wire_close(received);
		result = -EPROTO;
	}
	return result;
}

int wire_receive_text(int socket, enum pagerd_type type, struct pagerd_text *text)
{
	size_t size = 0;
	int fds[PASSED_MAX] = {-1, -1};
	int result = wire_packet(socket, &text->h, sizeof(*text), &size, fds);
	wire_close(fds);
	if (result == 0)
		result = wire_check(&text->h, size, type);
	size_t head = offsetof(struct pagerd_text, text);
	if (result == 0 && (size < head || text->length > size - head))
		result = -EPROTO;
	return result;
}

int wire_call(int socket, const struct pagerd_header *request, int passed,
	      struct pagerd_header *reply, size_t bytes, int *received)
{
	int result = wire_send(socket, request, passed);
	/* A daemon that turns us away says why, and does not wait for what we ask. */
	if (result < 0 && result != -ENOTCONN)
		return result;
	return wire_receive(socket, (enum pagerd_type)request->type, reply, bytes, received);
}
