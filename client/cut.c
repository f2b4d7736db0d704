/* SPDX-License-Identifier: MIT */
#undef _FILE_OFFSET_BITS

#include "cut.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "coherent.h"
#include "filter.h"
#include "preload.h"
#include "wire.h"

static const struct cut none = {.socket = -1};

static bool there_is_a_daemon(void)
{
	uint32_t state = __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE);
	return state == PRELOAD_IDLE || state == PRELOAD_ON;
}

static int hello(int socket)
{
	struct pagerd_hello hello = {.flags = 0};
	struct pagerd_hello_reply reply;
	wire_header(&hello.h, PAGERD_HELLO, sizeof(hello));
	sys_thread_name(hello.name);
	return wire_call(socket, &hello.h, -1, &reply.h, sizeof(reply), NULL);
}

static int tell(int socket, int fd, uint64_t length, uint32_t flags)
{
	struct pagerd_range request = {.address = length, .flags = flags};
	struct pagerd_header reply;
	wire_header(&request.h, PAGERD_FILE_CUT, sizeof(request));
	int result;
	while ((result = wire_call(socket, &request.h, fd, &reply, sizeof(reply), NULL)) == -EAGAIN)
		file_pause();
	return result;
}

/* Whether it has another length, and somebody may map it. */
static bool is_other(int fd, off_t length)
{
	struct stat st;
	return length >= 0 && sys_fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size != length && !(filter_there() && !filter_look(&st));
}

static struct cut begin(int fd, off_t length)
{
	struct cut cut = {.socket = wire_connect(preload.socket_path), .fd = fd};
	if (cut.socket < 0)
		return none;
	/* If something could not be written back, it is to be cut off all the same. */
	if (hello(cut.socket) == 0 && tell(cut.socket, fd, (uint64_t)length, 0) != -ENOENT)
		return cut;
	sys_close(cut.socket);
	return none;
}

struct cut cut_begin(int fd, off_t length)
{
	return there_is_a_daemon() && is_other(fd, length) ? begin(fd, length) : none;
}

struct cut cut_begin_path(int directory, const char *path, int flags, off_t length)
{
	if (!there_is_a_daemon())
		return none;
	/* No right to the file is asked for; and where this process has locked the file, the lock
	 * goes when any other descriptor of it is closed. */
	flags = (flags & O_NOFOLLOW) | O_PATH | O_CLOEXEC;
	int fd = (int)sys_call(SYS_openat, directory, (long)path, flags, 0, 0, 0);
	if (fd < 0)
		return none;
	/* The lowest number is the program's: open(2) is to return that. */
	int high = is_other(fd, length) ? wire_move_high(fd) : fd;
	struct cut cut = high == fd ? none : begin(high, length);
	cut.own = true;
	if (cut.socket < 0)
		sys_close(high);
	return cut;
}

void cut_end(const struct cut *cut, bool done)
{
	if (cut->socket < 0)
		return;
	if (done)
		tell(cut->socket, cut->fd, 0, PAGERD_CUT_DONE);
	sys_close(cut->socket);
	if (cut->own)
		sys_close(cut->fd);
}

long cut_call(const struct cut *cut, const struct file_call *call)
{
	if (cut->socket < 0)
		return file_plain(call);
	long result = file_system_call(call);
	cut_end(cut, result >= 0);
	return result;
}
