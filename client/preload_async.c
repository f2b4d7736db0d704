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
#define FORWARD(name, what, parameters, arguments, find, plain)                                    \
	EXPORT int name parameters;                                                                \
	EXPORT int name parameters                                                                 \
	{                                                                                          \
		typedef int call parameters;                                                       \
		if (refused(what))                                                                 \
			return -ENOSYS;                                                            \
		call *next = (call *)find;                                                         \
		return next ? next arguments : plain;                                              \
	}
#define FORWARD_URING(name, parameters, arguments, plain)                                          \
	FORWARD(name, "io_uring", parameters, arguments, dlsym(RTLD_NEXT, #name), plain)
/* The names of libaio are short, and others may have them, too. Who wants libaio's asks for its
 * version of them; who asks for none does not get a version that is not the default (one @). */
#define FORWARD_AIO(name, version, parameters, arguments, plain)                                   \
	__asm__(".symver aio_" #name ", " #name "@" version);                                      \
	FORWARD(aio_##name, "libaio", parameters, arguments, dlvsym(RTLD_NEXT, #name, version),    \
		plain)

FORWARD_URING(io_uring_queue_init, (unsigned entries, struct io_uring *ring, unsigned flags),
	      (entries, ring, flags), -ENOSYS)
FORWARD_URING(io_uring_queue_init_params,
	      (unsigned entries, struct io_uring *ring, struct io_uring_params *parameters),
	      (entries, ring, parameters), -ENOSYS)
FORWARD_URING(io_uring_queue_init_mem,
	      (unsigned entries, struct io_uring *ring, struct io_uring_params *parameters,
	       void *memory, size_t bytes),
	      (entries, ring, parameters, memory, bytes), -ENOSYS)
FORWARD_URING(io_uring_setup, (unsigned entries, struct io_uring_params *parameters),
	      (entries, parameters),
	      (int)sys_call(SYS_io_uring_setup, entries, (long)parameters, 0, 0, 0, 0))
FORWARD_AIO(io_setup, "LIBAIO_0.4", (int events, struct io_context **context), (events, context),
	    (int)sys_call(SYS_io_setup, events, (long)context, 0, 0, 0, 0))
FORWARD_AIO(io_queue_init, "LIBAIO_0.1", (int events, struct io_context **context),
	    (events, context), -ENOSYS)
