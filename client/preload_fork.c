/* SPDX-License-Identifier: MIT */
/*
 * Fork, for programs that know nothing of the pager.
 *
 * The handlers are registered before any other's, so that "prepare" runs last, when allocators
 * hold their locks already, and "parent" and "child" run first, before anybody uses memory.
 *
 * The C library locks its list of streams after all handlers. fflush(NULL) waits for each stream
 * with that lock held, and whoever has a stream may wait for memory, which is what the handlers
 * hold: all three for ever. So fork takes that lock first, which its thread may do twice.
 */
#include <pthread.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include "lock.h"
#include "paged_fork.h"
#include "preload.h"
#include "spare.h"

static void fork_begin(void)
{
	uint64_t stack = (uint64_t)__builtin_frame_address(0);
	if (regions_lookup(&preload.paged.regions, stack))
		preload_die("fork on a stack in paged memory (map stacks with MAP_STACK)");
	preload.fork_error = paged_fork_begin(&preload.paged, &preload.fork_socket);
	preload.frozen = preload.fork_error == 0;
	if (preload.frozen)
		guard_arm();
}

void preload_fork_thaw(void)
{
	if (!preload.frozen)
		return;
	preload.frozen = false;
	paged_fork_end(&preload.paged);
}

static void fork_prepare(void)
{
	bool paging = preload_paging();
	preload_enter(&preload.fork_signals);
	preload.fork_error = 0;
	if (paging && preload.paged.regions.count > 0)
		fork_begin();
}

static void fork_parent(void)
{
	guard_disarm();
	preload_fork_thaw();
	if (preload.fork_socket >= 0) {
		sys_close(preload.fork_socket);
		preload.fork_socket = -1;
	}
	if (preload_paging())
		spare_fill(&preload.paged.session);
	sys_signals signals = preload.fork_signals;
	preload_leave(&signals);
}

/* The parent had nothing paged: join again when there is something. */
static void fork_child_empty(void)
{
	paged_fork_forget(&preload.paged);
	if (preload.state == PRELOAD_ON)
		preload.state = PRELOAD_IDLE;
}

void preload_fork_adopt(void)
{
	int socket = preload.fork_socket;
	preload.fork_socket = -1;
	preload.frozen = false;
	preload.locks_new = 0; /* locks are not inherited */
	preload.paged.locks = false;
	preload.self = self_now();
	for (int i = 0; i < PRELOAD_BOARDS; i++)
		board_forget(&preload.boards[i].board);
	if (preload.fork_error < 0)
		preload_die("the daemon could not carry paged memory through fork");
	if (socket < 0)
		fork_child_empty();
	else if (paged_fork_adopt(&preload.paged, socket) < 0)
		preload_die("the child of a fork could not get its paged memory back");
	else
		preload_set(); /* as its parent did */
}

static void fork_child(void)
{
	guard_disarm();
	if (!self_is(&preload.self))
		preload_fork_adopt();
	preload_leave(&preload.fork_signals);
}

void preload_fork_register(void)
{
	if (pthread_atfork(fork_prepare, fork_parent, fork_child) != 0)
		preload_die("no memory for fork handlers");
}

/* The C library's own. */
void _IO_list_lock(void);
void _IO_list_unlock(void);
void _IO_list_resetlock(void);

typedef pid_t fork_call(void);
PRELOAD_NEXT(fork);

EXPORT pid_t fork(void)
{
	fork_call *call = (fork_call *)NEXT(fork);
	/* Without handlers, or other threads, there is nobody who waits. */
	if (__atomic_load_n(&preload.state, __ATOMIC_ACQUIRE) == PRELOAD_OFF ||
	    __libc_single_threaded)
		return call();
	_IO_list_lock();
	pid_t child = call();
	/* That of a child is as it was at first already. */
	if (child == 0)
		_IO_list_resetlock();
	else
		_IO_list_unlock();
	return child;
}
