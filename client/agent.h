/* SPDX-License-Identifier: MIT */
/*
 * Agents: threads of this process that save private pages and zap pages for the daemon (see
 * <pagerd/protocol.h>, AGENT and PAGEMAP), one for each of its shards that has memory of this
 * process for which it needs one.
 *
 * The C library does not know them: they use no heap, no errno and no lock, have all signals
 * blocked, and do not follow setuid(2) and its like (the C library makes its own threads do so), so
 * they give root's rights up when they begin. They end when the daemon closes their sockets. There
 * is one set in a process. No locking: see session.h.
 */
#ifndef PAGERD_CLIENT_AGENT_H
#define PAGERD_CLIENT_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"

#define AGENT_DESCRIPTORS 3

/* Start the shard's, if it does not run; where the daemon harvests, let it see what is mapped. 0 or
 * -errno. */
int agent_start(struct session *session, uint32_t shard);
/* End those that are this session's, and wait for that. Which there were: a bit for each shard. */
uint64_t agent_stop(const struct session *session);
/* Start those again. */
void agent_resume(struct session *session, uint64_t shards);
/* In a child of fork, which has its parent's descriptors but not the threads. */
void agent_forget(void);
/* The descriptors of the shard's, -1 where there are none. False for all shards from this one on if
 * none of them has ever had any. */
bool agent_descriptors(uint32_t shard, int fds[AGENT_DESCRIPTORS]);

#endif
