/* SPDX-License-Identifier: MIT */
/*
 * The agent: a thread of this process that saves private pages and zaps pages for the daemon (see
 * <pagerd/protocol.h>, AGENT and PAGEMAP).
 *
 * The C library does not know it: it uses no heap, no errno and no lock, has all signals blocked,
 * and does not follow setuid(2) and its like (the C library makes its own threads do so), so it
 * gives root's rights up when it begins. It ends when the daemon closes its socket. There is one
 * in a process. No locking: see session.h.
 */
#ifndef PAGERD_CLIENT_AGENT_H
#define PAGERD_CLIENT_AGENT_H

#include <stdbool.h>

#include "session.h"

#define AGENT_DESCRIPTORS 3

/* Start it, if it does not run; where the daemon harvests, let it see what is mapped. 0 or -errno.
 */
int agent_start(struct session *session);
/* End it, if it is this session's, and wait for that. Whether it is. */
bool agent_stop(const struct session *session);
/* In a child of fork, which has its parent's descriptors but not the thread. */
void agent_forget(void);
/* Its descriptors, -1 where there are none. */
void agent_descriptors(int fds[AGENT_DESCRIPTORS]);

#endif
