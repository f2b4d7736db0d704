/* SPDX-License-Identifier: MIT */
/*
 * The processes that a command has started, and theirs.
 *
 * This process becomes the reaper of those whose parents have ended: so they are found, and have to
 * be waited for.
 */
#ifndef PAGERD_CLIENT_DESCENDANT_H
#define PAGERD_CLIENT_DESCENDANT_H

#include <stddef.h>
#include <sys/types.h>

/* Children that this process has of another kind. */
struct descendants {
	pid_t *others;
	size_t other_count;
};

/* Before the command is started: all children that there are are others. */
void descendants_prepare(struct descendants *descendants);
void descendants_finish(struct descendants *descendants);
/* Wait for what has ended, until the command or the daemon is next: they are waited for by name. */
void descendants_reap(pid_t command, pid_t daemon);
/* Kill the command with all descendants, and wait until they are gone. Those that may not be
 * killed are other users', and live. */
void descendants_kill(const struct descendants *descendants);

#endif
