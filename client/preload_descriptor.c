/* SPDX-License-Identifier: MIT */
/*
 * Wrappers of the calls that close or renumber descriptors.
 *
 * Programs that tidy up close everything they did not open. The library's descriptors are not
 * there as far as they can tell: closing one is EBADF, ranges go around them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "agent.h"
#include "descriptor.h"
#include "preload.h"
#include "spare.h"

/* -1, for none, is the highest. */
static int lower(int a, int b)
{
	return (unsigned)a < (unsigned)b ? a : b;
}

static int session_lowest(const struct session *session, unsigned first, unsigned last)
{
	uint32_t shards = __atomic_load_n(&session->shards, __ATOMIC_RELAXED);
	int lowest = descriptor_lowest(session->uffds, shards, first, last);
	lowest = lower(lowest, descriptor_lowest(&session->socket, 1, first, last));
	return lower(lowest, descriptor_lowest(&session->device, 1, first, last));
}

static int agents_lowest(unsigned first, unsigned last)
{
	int lowest = -1, fds[AGENT_DESCRIPTORS];
	for (uint32_t i = 0; agent_descriptors(i, fds); i++)
		lowest = lower(lowest, descriptor_lowest(fds, AGENT_DESCRIPTORS, first, last));
	return lowest;
}

static int boards_lowest(unsigned first, unsigned last)
{
	int lowest = -1;
	for (int i = 0; i < PRELOAD_BOARDS; i++) {
		const struct board *board = &preload.boards[i].board;
		if (board->lock)
			lowest = lower(lowest, descriptor_lowest(&board->memfd, 1, first, last));
	}
	return lowest;
}

/* The lowest of ours in [first, last]; -1 if none. */
static int hidden_next(unsigned first, unsigned last)
{
	int lowest = session_lowest(&preload.paged.session, first, last);
	lowest = lower(lowest, descriptor_lowest(&preload.fork_socket, 1, first, last));
	lowest = lower(lowest, agents_lowest(first, last));
	lowest = lower(lowest, spare_lowest(first, last));
	return lower(lowest, boards_lowest(first, last));
}

static bool hidden(int fd)
{
	return fd >= 0 && hidden_next((unsigned)fd, (unsigned)fd) >= 0;
}

EXPORT int close(int fd)
{
	return preload_result(hidden(fd) ? -EBADF : sys_close(fd));
}

EXPORT int dup3(int fd, int new_fd, int flags)
{
	if (hidden(fd) || hidden(new_fd))
		return preload_result(-EBADF);
	return preload_result(sys_dup3(fd, new_fd, flags));
}

EXPORT int dup2(int fd, int new_fd)
{
	if (fd != new_fd)
		return dup3(fd, new_fd, 0);
	int result = hidden(fd) ? -EBADF : sys_fcntl(fd, F_GETFD, 0);
	return preload_result(result < 0 ? result : fd);
}

EXPORT int close_range(unsigned first, unsigned last, int flags)
{
	int result = 0;
	int skip;
	while (first <= last && (skip = hidden_next(first, last)) >= 0) {
		if ((unsigned)skip > first)
			result = sys_close_range(first, (unsigned)skip - 1, (unsigned)flags);
		if (result < 0)
			return preload_result(result);
		first = (unsigned)skip + 1;
		if (first > last)
			return 0;
	}
	return preload_result(sys_close_range(first, last, (unsigned)flags));
}

EXPORT void closefrom(int lowest)
{
	int saved = errno;
	close_range(lowest < 0 ? 0 : (unsigned)lowest, UINT_MAX, 0);
	errno = saved;
}
