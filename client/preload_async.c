/* SPDX-License-Identifier: MIT */
/*
 * What starts asynchronous I/O, in liburing and libaio. Nothing tells the daemon into which pages a
 * transfer is under way, and what arrives in a page that has been dropped meanwhile is lost: InnoDB
 * reads its buffer pool so. So there is none, as on kernels that do not allow it. Programs know
 * that, and do without.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/syscall.h>

#include "preload.h"

struct io_uring;
struct io_uring_params;
struct io_context;

static bool refused(const char *what)
{
	sys_signals signals;
	preload_enter(&signals);
	bool paging = preload.state != PRELOAD_OFF;
	bool complain = paging && preload.verbose;
	preload_leave(&signals);
	if (!complain)
		return paging;
	sys_complain("pagerd: ");
	sys_complain(what);
	sys_complain(" is refused: what arrives in paged memory by it might be lost\n");
	return true;
}

/* Both libraries return -errno. A library that only a plugin has is not found from here: then plain
 * is what there is. */
#define FORWARD(name, what, parameters, arguments, plain)                                          \
	EXPORT int name parameters;                                                                \
	EXPORT int name parameters                                                                 \
	{                                                                                          \
		typedef int call parameters;                                                       \
		if (refused(what))                                                                 \
			return -ENOSYS;                                                            \
		call *next = (call *)dlsym(RTLD_NEXT, #name);                                      \
		return next ? next arguments : plain;                                              \
	}

FORWARD(io_uring_queue_init, "io_uring", (unsigned entries, struct io_uring *ring, unsigned flags),
	(entries, ring, flags), -ENOSYS)
FORWARD(io_uring_queue_init_params, "io_uring",
	(unsigned entries, struct io_uring *ring, struct io_uring_params *parameters),
	(entries, ring, parameters), -ENOSYS)
FORWARD(io_uring_queue_init_mem, "io_uring",
	(unsigned entries, struct io_uring *ring, struct io_uring_params *parameters, void *memory,
	 size_t bytes),
	(entries, ring, parameters, memory, bytes), -ENOSYS)
FORWARD(io_uring_setup, "io_uring", (unsigned entries, struct io_uring_params *parameters),
	(entries, parameters),
	(int)sys_call(SYS_io_uring_setup, entries, (long)parameters, 0, 0, 0, 0))
FORWARD(io_setup, "libaio", (int events, struct io_context **context), (events, context),
	(int)sys_call(SYS_io_setup, events, (long)context, 0, 0, 0, 0))
FORWARD(io_queue_init, "libaio", (int events, struct io_context **context), (events, context),
	-ENOSYS)
