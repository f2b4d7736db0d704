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
#include "preload.h"
#include "spare.h"

#define HIDDEN (3 + AGENT_DESCRIPTORS + SPARE_DESCRIPTORS + PRELOAD_BOARDS)

static void hidden_list(int fds[HIDDEN])
{
	fds[0] = __atomic_load_n(&preload.paged.session.socket, __ATOMIC_RELAXED);
	fds[1] = __atomic_load_n(&preload.paged.session.uffd, __ATOMIC_RELAXED);
	fds[2] = __atomic_load_n(&preload.fork_socket, __ATOMIC_RELAXED);
	agent_descriptors(fds + 3);
	spare_descriptors(fds + 3 + AGENT_DESCRIPTORS);
	for (int i = 0; i < PRELOAD_BOARDS; i++) {
		const struct board *board = &preload.boards[i].board;
		fds[HIDDEN - PRELOAD_BOARDS + i] = board->lock ? board->memfd : -1;
	}
}

static bool hidden(int fd)
{
	int fds[HIDDEN];
	hidden_list(fds);
	for (int i = 0; i < HIDDEN; i++)
		if (fd >= 0 && fd == fds[i])
			return true;
	return false;
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

/* The lowest of ours in [first, last]; -1 if none. */
static int hidden_next(unsigned first, unsigned last)
{
	int fds[HIDDEN];
	int lowest = -1;
	hidden_list(fds);
	for (int i = 0; i < HIDDEN; i++) {
		if (fds[i] < 0 || (unsigned)fds[i] < first || (unsigned)fds[i] > last)
			continue;
		if (lowest < 0 || fds[i] < lowest)
			lowest = fds[i];
	}
	return lowest;
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
