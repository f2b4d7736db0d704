/* SPDX-License-Identifier: MIT */
/*
 * unshare and setns: the kernel lets only a process of one thread into another user namespace, and
 * the program, which knows nothing of agents, may be one. So they end before the call, and others
 * begin after it.
 */
#include <sched.h>
#include <sys/syscall.h>

#include "agent.h"
#include "preload.h"

static int call_alone(long number, long a, long b)
{
	sys_signals signals;
	preload_enter(&signals);
	struct session *session = &preload.paged.session;
	uint64_t stopped = agent_stop(session);
	int result = (int)sys_call(number, a, b, 0, 0, 0, 0);
	agent_resume(session, stopped);
	preload_leave(&signals);
	return preload_result(result);
}

EXPORT int unshare(int flags)
{
	if (!preload_paging())
		return preload_result((int)sys_call(SYS_unshare, flags, 0, 0, 0, 0, 0));
	return call_alone(SYS_unshare, flags, 0);
}

EXPORT int setns(int fd, int type)
{
	if (!preload_paging())
		return preload_result((int)sys_call(SYS_setns, fd, type, 0, 0, 0, 0));
	return call_alone(SYS_setns, fd, type);
}
