/* SPDX-License-Identifier: MIT */
/*
 * unshare and setns: the kernel lets only a process of one thread into another user namespace, and
 * the program, which knows nothing of agents, may be one. So they end before the call, and others
 * begin after it.
 *
 * Not for a PID namespace, which is for children: the kernel asks for no such thing there, and lets
 * a process that has called for one begin no more threads. What may need an agent later has it
 * before. A process that calls for other namespaces after that loses its agents, if it is to get
 * there.
 */
#include <errno.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>

#include "agent.h"
#include "preload.h"

/* The process has called for a PID namespace, and its children have not. */
static struct self apart;

static int call_alone(long number, long a, long b)
{
	sys_signals signals;
	preload_enter(&signals);
	struct session *session = &preload.paged.session;
	uint64_t stopped = agent_stop(session);
	int result = (int)sys_call(number, a, b, 0, 0, 0, 0);
	agent_resume(session, stopped);
	preload_leave(&signals);
	return result;
}

static int call_for_children(long number, long a, long b)
{
	sys_signals signals;
	preload_enter(&signals);
	struct session *session = &preload.paged.session;
	for (uint32_t i = 0; i < session->shards; i++)
		if (session->uffds[i] >= 0)
			agent_start(session, i);
	int result = (int)sys_call(number, a, b, 0, 0, 0, 0);
	if (result == 0)
		apart = self_now();
	preload_leave(&signals);
	return result;
}

/* Beside agents that there will never be again, if that can be. */
static int call_others(long number, long a, long b)
{
	int result = -EINVAL;
	if (self_is(&apart))
		result = (int)sys_call(number, a, b, 0, 0, 0, 0);
	return result == -EINVAL || result == -EUSERS ? call_alone(number, a, b) : result;
}

EXPORT int unshare(int flags)
{
	int others = flags & ~CLONE_NEWPID, result = 0;
	if (!preload_paging())
		return preload_result((int)sys_call(SYS_unshare, flags, 0, 0, 0, 0, 0));
	if (others || !flags)
		result = call_others(SYS_unshare, others, 0);
	if (result == 0 && flags & CLONE_NEWPID)
		result = call_for_children(SYS_unshare, CLONE_NEWPID, 0);
	return preload_result(result);
}

EXPORT int setns(int fd, int type)
{
	int others = type & ~CLONE_NEWPID, result = 0;
	if (!preload_paging())
		return preload_result((int)sys_call(SYS_setns, fd, type, 0, 0, 0, 0));
	/* Of one namespace; or of a process, from which several may be had. */
	int own = sys_ioctl(fd, NS_GET_NSTYPE, 0);
	if (own >= 0)
		return preload_result(own == CLONE_NEWPID ? call_for_children(SYS_setns, fd, type)
							  : call_others(SYS_setns, fd, type));
	if (others || !type)
		result = call_others(SYS_setns, fd, others);
	if (result == 0 && type & CLONE_NEWPID)
		result = call_for_children(SYS_setns, fd, CLONE_NEWPID);
	return preload_result(result);
}
