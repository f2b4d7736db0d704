/* SPDX-License-Identifier: MIT */
/*
 * The gate: what of the descriptors that clients pass is looked at any further.
 *
 * A descriptor may be of anything, whatever it was sent for, and any system call on one that is not
 * admitted may wait as long as somebody else likes, even close(2): it flushes a file, and a socket
 * may linger (closing.h). So no call is made on one before the gate, and none but that behind it.
 */
#ifndef PAGERD_GATE_H
#define PAGERD_GATE_H

#include <stdbool.h>
#include <sys/types.h>

#include "mounts.h"

struct gate {
	bool served; /* regular files of servers are admitted as well */
	struct mounts mounts;
};

void gate_init(struct gate *gate, bool served);
void gate_finish(struct gate *gate);
/* Is fd, which process pid has sent, a userfaultfd, a Unix socket, or a regular file on a mount
 * that is local (mounts.h)? One thread. */
bool gate_admits(struct gate *gate, int fd, pid_t pid);
/* The same, as far as it is known without waiting for anybody. Any thread. */
bool gate_admits_known(struct gate *gate, int fd);

#endif
