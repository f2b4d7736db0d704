/* SPDX-License-Identifier: MIT */
/* A command that runs, and the daemon that it needs. */
#ifndef PAGERD_CLIENT_SUPERVISE_H
#define PAGERD_CLIENT_SUPERVISE_H

#include <stdbool.h>
#include <signal.h>
#include <sys/types.h>

#include "descendant.h"
#include "service.h"

/* Block the signals that supervise handles; *old is what the command is to have. Call it before
 * the command is started. */
void supervise_prepare(sigset_t *old);

/* Start command as a child, in this process group. 0 with *pid; an exit status after having said
 * what is wrong. */
int supervise_launch(char **command, const sigset_t *signals, pid_t *pid);

/* Back to the signals from before supervise_prepare. */
void supervise_finish(const sigset_t *old);

/* Wait for the command and pass signals on to it. If the daemon's session ends first, the command
 * is killed with all its descendants, because their faults would wait for ever, and *orphaned is
 * set. Returns the status for exit: the command's, or 128 + the signal that killed it. */
int supervise(pid_t command, const struct service *service, const struct descendants *descendants,
	      bool *orphaned);

#endif
