/* SPDX-License-Identifier: MIT */
#include "spare.h"

#include <sys/socket.h>

#include "agent.h"
#include "descriptor.h"
#include "sys.h"
#include "wire.h"

/* What fork and a new mapping take, but for agents. */
#define SPARES	   4
#define SPARES_MAX (SPARES + AGENT_DESCRIPTORS * PAGERD_SHARDS_MAX)

static int spares[SPARES_MAX] = {[0 ... SPARES_MAX - 1] = -1};
static uint32_t spares_used; /* there are none from here on */

/* A child of fork may have an agent for each shard that its parent has memory of, and a new mapping
 * may be the first one that needs one. */
static uint32_t spares_wanted(const struct session *session)
{
	uint32_t agents = 0;
	for (uint32_t i = 0; i < session->shards; i++) {
		int fds[AGENT_DESCRIPTORS];
		bool runs = agent_descriptors(i, fds) && fds[0] >= 0;
		agents += session->uffds[i] >= 0 && !runs;
	}
	return SPARES + AGENT_DESCRIPTORS * (agents ? agents : 1);
}

/* Sockets that nobody is connected to: they keep nothing else open. */
void spare_fill(const struct session *session)
{
	uint32_t wanted = spares_wanted(session);
	if (wanted > spares_used)
		__atomic_store_n(&spares_used, wanted, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < wanted; i++) {
		if (spares[i] >= 0)
			continue;
		int fd = sys_socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		__atomic_store_n(&spares[i], wire_move_high(fd), __ATOMIC_RELAXED);
	}
}

bool spare_release(void)
{
	bool any = false;
	for (uint32_t i = 0; i < spares_used; i++) {
		int fd = spares[i];
		__atomic_store_n(&spares[i], -1, __ATOMIC_RELAXED);
		if (fd >= 0 && sys_close(fd) == 0)
			any = true;
	}
	return any;
}

int spare_lowest(unsigned first, unsigned last)
{
	uint32_t count = __atomic_load_n(&spares_used, __ATOMIC_RELAXED);
	return descriptor_lowest(spares, count, first, last);
}
