/* SPDX-License-Identifier: MIT */
/*
 * The end of a process. What it stored through shared mappings of files is in them before, so that
 * who waits for the process finds it there. (A signal that ends it gives no time for that.)
 */
#include <stdlib.h>
#include <unistd.h>

#include "preload.h"

/* What another thread stores meanwhile may be in the file or not. If the daemon has gone, or could
 * not write, the process ends all the same. */
void preload_settle(void)
{
	sys_signals signals;
	if (!__atomic_load_n(&preload.paged.stores, __ATOMIC_RELAXED) || !preload_paging() ||
	    !preload_enter_soon(&signals))
		return;
	paged_settle(&preload.paged);
	preload_leave(&signals);
}

static void exit_last(int status, void *nothing)
{
	preload_settle();
}

/* The C library calls in reverse order, and with on_exit(3), other than with atexit(3), not when it
 * destructs this library: what is registered before the program begins comes after all handlers and
 * destructors of it. */
__attribute__((constructor)) static void exit_register(void)
{
	if (on_exit(exit_last, NULL) != 0 || at_quick_exit(preload_settle) != 0)
		preload_die("no memory for exit handlers");
}

EXPORT _Noreturn void _exit(int status)
{
	preload_settle();
	sys_exit(status);
}

EXPORT _Noreturn void _Exit(int status) __attribute__((alias("_exit")));
