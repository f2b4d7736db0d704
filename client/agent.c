/* SPDX-License-Identifier: MIT */
#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/prctl.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "self.h"
#include "spare.h"
#include "sys.h"
#include "wire.h"

#define STACK_BYTES	(64ull << 10)
#define UNCOUNTED_LOOKS 10000
#define NOBODY		65534

/* Newer than Debian 12's headers (Linux 6.14). */
#define PIDFD_SELF_THREAD_GROUP -10001

_Static_assert(sizeof(struct pagerd_command_range) == sizeof(struct iovec) &&
		       offsetof(struct pagerd_command_range, length_bytes) ==
			       offsetof(struct iovec, iov_len),
	       "ranges are passed to process_madvise(2) as they are");

struct agent {
	struct self owner; /* the process in which it runs; zeros: none */
	int session;	   /* the socket of the session that it is of */
	uint32_t tid;	   /* 0 when it has ended: the kernel's doing */
	int socket;
	int window;
	int memory; /* /proc/self/mem, or -1 */
	char *stack;
};

static struct agents {
	uint32_t used; /* those of the shards from here on have never run */
	struct agent of[PAGERD_SHARDS_MAX];
} agents = {.of = {[0 ... PAGERD_SHARDS_MAX - 1] = {.socket = -1, .window = -1, .memory = -1}}};

/* ---- the thread ------------------------------------------------------------------------------ */

/* What its protection keeps from being read, page by page. Returns bytes. */
static uint64_t agent_save_protected(const struct agent *agent,
				     const struct pagerd_command_range *range, uint64_t at)
{
	char page[PAGE_BYTES];
	uint64_t done = 0;
	for (; done < range->length_bytes; done += PAGE_BYTES) {
		long bytes = sys_call(SYS_pread64, agent->memory, (long)page, PAGE_BYTES,
				      (long)(range->address + done), 0, 0);
		if (bytes == PAGE_BYTES)
			bytes = sys_call(SYS_pwrite64, agent->window, (long)page, PAGE_BYTES,
					 (long)(at + done), 0, 0);
		if (bytes != PAGE_BYTES)
			break;
	}
	return done;
}

static uint64_t agent_save(const struct agent *agent, const struct pagerd_command *command)
{
	uint64_t done = 0;
	for (uint32_t i = 0; i < command->count; i++) {
		const struct pagerd_command_range *range = &command->ranges[i];
		/* A write of what cannot be read fails, where a load would end the program. */
		long bytes = sys_call(SYS_pwrite64, agent->window, (long)range->address,
				      (long)range->length_bytes, (long)done, 0, 0);
		if (bytes != (long)range->length_bytes)
			bytes = (long)agent_save_protected(agent, range, done);
		done += (uint64_t)bytes;
		if (bytes != (long)range->length_bytes)
			break;
	}
	return done / PAGE_BYTES;
}

/* All of it in one call, where the kernel lets a process do that to itself. */
static bool agent_zap_together(const struct pagerd_command *command, uint64_t bytes)
{
	return sys_call(SYS_process_madvise, PIDFD_SELF_THREAD_GROUP, (long)command->ranges,
			command->count, MADV_DONTNEED_LOCKED, 0, 0) == (long)bytes;
}

static uint64_t agent_zap(const struct pagerd_command *command)
{
	uint64_t done = 0, bytes = 0;
	for (uint32_t i = 0; i < command->count; i++)
		bytes += command->ranges[i].length_bytes;
	if (command->count > 1 && agent_zap_together(command, bytes))
		return bytes / PAGE_BYTES;
	for (uint32_t i = 0; i < command->count; i++) {
		const struct pagerd_command_range *range = &command->ranges[i];
		/* What is locked, too: the daemon knows of locks, and leaves it if it can. */
		if (sys_madvise(range->address, range->length_bytes, MADV_DONTNEED_LOCKED) < 0)
			break;
		done += range->length_bytes;
	}
	return done / PAGE_BYTES;
}

static bool agent_turn(const struct agent *agent)
{
	struct pagerd_command command;
	struct pagerd_answer answer;
	long bytes;
	do {
		bytes = sys_call(SYS_recvfrom, agent->socket, (long)&command, sizeof(command), 0, 0,
				 0);
	} while (bytes == -EINTR);
	if (bytes < (long)offsetof(struct pagerd_command, ranges) ||
	    command.count > PAGERD_COMMAND_PAGES ||
	    bytes != (long)offsetof(struct pagerd_command, ranges[command.count]))
		return false;
	answer.sequence = command.sequence;
	answer.pages =
		command.type == PAGERD_ZAP ? agent_zap(&command) : agent_save(agent, &command);
	bytes = sys_call(SYS_sendto, agent->socket, (long)&answer, sizeof(answer), MSG_NOSIGNAL, 0,
			 0);
	return bytes == sizeof(answer);
}

/* This thread's only. That makes the process undumpable, which is then undone. */
static void agent_drop_rights(void)
{
	if (sys_call(SYS_geteuid, 0, 0, 0, 0, 0, 0) != 0)
		return;
	long dumpable = sys_call(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0, 0);
	sys_call(SYS_setgroups, 0, 0, 0, 0, 0, 0);
	sys_call(SYS_setresgid, NOBODY, NOBODY, NOBODY, 0, 0, 0);
	sys_call(SYS_setresuid, NOBODY, NOBODY, NOBODY, 0, 0, 0);
	if (dumpable == 1)
		sys_call(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0, 0);
}

static void agent_close(struct agent *agent)
{
	int fds[AGENT_DESCRIPTORS] = {agent->socket, agent->window, agent->memory};
	__atomic_store_n(&agent->socket, -1, __ATOMIC_RELAXED);
	__atomic_store_n(&agent->window, -1, __ATOMIC_RELAXED);
	__atomic_store_n(&agent->memory, -1, __ATOMIC_RELAXED);
	for (int i = 0; i < AGENT_DESCRIPTORS; i++)
		if (fds[i] >= 0)
			sys_close(fds[i]);
}

static int agent_main(void *argument)
{
	struct agent *agent = argument;
	sys_call(SYS_prctl, PR_SET_NAME, (long)"pagerd-agent", 0, 0, 0, 0);
	agent_drop_rights();
	while (agent_turn(agent))
		continue;
	agent_close(agent);
	return 0;
}

/* ---- its start and end ----------------------------------------------------------------------- */

static int agent_connect(struct agent *agent, struct session *session, uint32_t shard)
{
	struct pagerd_shard request;
	struct pagerd_header reply;
	int fds[2];
	spare_release(); /* what follows cannot be asked for again */
	wire_shard(&request, PAGERD_AGENT, shard);
	int result = wire_send(session->socket, &request.h, -1);
	if (result == 0)
		result =
			wire_receive_two(session->socket, PAGERD_AGENT, &reply, sizeof(reply), fds);
	if (result < 0)
		return result;
	agent->socket = wire_move_high(fds[0]);
	agent->window = wire_move_high(fds[1]);
	long memory = sys_call(SYS_openat, AT_FDCWD, (long)"/proc/self/mem", O_RDONLY | O_CLOEXEC,
			       0, 0, 0);
	agent->memory = memory < 0 ? -1 : wire_move_high((int)memory);
	return 0;
}

/* Optional: without it the daemon knows faults only. */
static void agent_show(struct session *session, uint32_t shard)
{
	struct pagerd_shard request;
	struct pagerd_header reply;
	long pagemap = sys_call(SYS_openat, AT_FDCWD, (long)"/proc/self/pagemap",
				O_RDONLY | O_CLOEXEC, 0, 0, 0);
	if (pagemap < 0)
		return;
	wire_shard(&request, PAGERD_PAGEMAP, shard);
	wire_call(session->socket, &request.h, (int)pagemap, &reply, sizeof(reply), NULL);
	sys_close((int)pagemap);
}

/* The C library's clone(2) by the name that nobody wraps: the thread sanitizer takes whoever comes
 * out of a clone for a process of its own. */
int __clone(int (*function)(void *), void *stack, int flags, void *argument, ...);

/* All signals are blocked in it, and errno is kept. */
static int agent_clone(struct agent *agent)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
	int saved = errno;
	sys_signals signals;
	sys_block_signals(&signals);
	int result = __clone(agent_main, agent->stack + STACK_BYTES, flags, agent, &agent->tid,
			     NULL, &agent->tid);
	result = result < 0 ? -errno : 0;
	sys_restore_signals(&signals);
	errno = saved;
	return result;
}

static void agent_disown(struct agent *agent)
{
	agent_close(agent);
	agent->owner = (struct self){0};
}

int agent_start(struct session *session, uint32_t shard)
{
	struct agent *agent = &agents.of[shard];
	if (agent->owner.pid && !self_is(&agent->owner))
		agent_disown(agent);
	if (agent->owner.pid)
		return __atomic_load_n(&agent->socket, __ATOMIC_RELAXED) < 0 ? -ENOTCONN : 0;
	long stack = agent->stack ? (long)agent->stack
				  : sys_mmap(0, STACK_BYTES, PROT_READ | PROT_WRITE,
					     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack < 0)
		return (int)stack;
	agent->stack = (char *)stack;
	if (shard >= agents.used)
		__atomic_store_n(&agents.used, shard + 1, __ATOMIC_RELAXED);
	int result = agent_connect(agent, session, shard);
	if (result < 0)
		return result;
	result = agent_clone(agent);
	if (result < 0) {
		agent_close(agent);
		return result;
	}
	agent->owner = self_now();
	agent->session = session->socket;
	if (session->harvest)
		agent_show(session, shard);
	return 0;
}

/* The kernel clears the word when the thread is out of the memory, and counts it for a moment more.
 * Bounded: another thread may have that number by then. */
static void agent_uncounted(uint32_t tid)
{
	for (int i = 0; i < UNCOUNTED_LOOKS; i++) {
		if (sys_call(SYS_tgkill, sys_getpid(), tid, 0, 0, 0, 0) == -ESRCH)
			return;
		sys_call(SYS_sched_yield, 0, 0, 0, 0, 0, 0);
	}
}

static bool agent_end(struct agent *agent, const struct session *session)
{
	uint32_t tid, ended;
	if (!self_is(&agent->owner) || agent->session != session->socket)
		return false;
	ended = __atomic_load_n(&agent->tid, __ATOMIC_ACQUIRE);
	int socket = __atomic_load_n(&agent->socket, __ATOMIC_RELAXED);
	if (socket >= 0)
		sys_call(SYS_shutdown, socket, SHUT_RDWR, 0, 0, 0, 0);
	/* Not the private kind of futex: the kernel's wake-up is not. */
	while ((tid = __atomic_load_n(&agent->tid, __ATOMIC_ACQUIRE)) != 0)
		sys_call(SYS_futex, (long)&agent->tid, FUTEX_WAIT, tid, 0, 0, 0);
	if (ended)
		agent_uncounted(ended);
	agent->owner = (struct self){0};
	return true;
}

uint64_t agent_stop(const struct session *session)
{
	uint64_t shards = 0;
	for (uint32_t i = 0; i < agents.used; i++)
		shards |= (uint64_t)agent_end(&agents.of[i], session) << i;
	return shards;
}

void agent_resume(struct session *session, uint64_t shards)
{
	for (uint32_t i = 0; i < agents.used; i++)
		if (shards >> i & 1)
			agent_start(session, i);
}

void agent_forget(void)
{
	for (uint32_t i = 0; i < agents.used; i++)
		agent_disown(&agents.of[i]);
}

bool agent_descriptors(uint32_t shard, int fds[AGENT_DESCRIPTORS])
{
	const struct agent *agent = &agents.of[shard];
	if (shard >= __atomic_load_n(&agents.used, __ATOMIC_RELAXED))
		return false;
	fds[0] = __atomic_load_n(&agent->socket, __ATOMIC_RELAXED);
	fds[1] = __atomic_load_n(&agent->window, __ATOMIC_RELAXED);
	fds[2] = __atomic_load_n(&agent->memory, __ATOMIC_RELAXED);
	return true;
}
