/* SPDX-License-Identifier: MIT */
/*
 * The preloaded library's state, shared by its wrappers.
 *
 * Life: NEW until the first wrapped call or the constructor has read the environment; then OFF
 * (no daemon wanted, or none to be had: every wrapper is the plain system call) or IDLE; ON from
 * the first mapping that is worth paging, which connects.
 *
 * Environment: PAGERD_SOCKET (without it the library does nothing), PAGERD_MIN_BYTES and
 * PAGERD_MIN_FILE_BYTES (smaller mappings stay the kernel's), PAGERD_MEMORY and PAGERD_POLICY (this
 * process's limit and policy), PAGERD_LEARN (the number of a LEARN to take part in), PAGERD_VERBOSE
 * (say what goes wrong), PAGERD_REQUIRE (a process id, or 1 for all: exit with 125 if the daemon
 * cannot be joined).
 */
#ifndef PAGERD_CLIENT_PRELOAD_H
#define PAGERD_CLIENT_PRELOAD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "board.h"
#include "choose.h"
#include "paged.h"
#include "self.h"
#include "sys.h"

#define EXPORT __attribute__((visibility("default")))

#define PRELOAD_FILES  64
#define PRELOAD_BOARDS 8

enum preload_state {
	PRELOAD_NEW,
	PRELOAD_OFF,
	PRELOAD_IDLE,
	PRELOAD_ON,
};

struct preload {
	uint32_t lock; /* for all below; taken with all signals blocked */
	uint32_t state;
	/* Whose memory paged describes. A child made without the C library's fork has none of it.
	 */
	struct self self;
	struct paged paged;
	struct choice choice;
	int locks_new; /* mlockall(2)'s flags, with MCL_FUTURE: new memory is to stay in memory */
	/* The files that were ever mapped here; beyond the table's end: any. See filter.h for those
	 * that others map. */
	uint32_t file_count;
	struct preload_file {
		uint64_t device;
		uint64_t inode;
	} files[PRELOAD_FILES];
	/* of those that were read or written last; the next to be given up */
	struct preload_board {
		uint64_t device;
		uint64_t inode;
		struct board board;
		uint64_t absent; /* what the filter showed (filter_look) of a file that nobody maps
				  */
	} boards[PRELOAD_BOARDS];
	uint32_t board_next;
	/* What is written to a file is copied here: it is never paged. */
	char *copy;
	bool alone; /* it could not join for a call on a file that others map */
	bool verbose;
	bool require;
	/* Copies: programs that change their title overwrite the environment. */
	char socket_path[108];
	char memory[32];
	char policy[96];
	char unit[16];
	char learn[24];
	/* between prepare and its counterpart of a fork */
	int fork_socket; /* the child's; -1: none */
	int fork_error;
	bool frozen;  /* the private memory, until preload_fork_thaw */
	bool guarded; /* by guard_arm */
	sys_signals fork_signals;
};

extern struct preload preload;

/* Take and release the lock; reads the environment the first time. */
void preload_enter(sys_signals *signals);
void preload_leave(const sys_signals *signals);
/* preload_enter where the lock may be held for long: false if it is not to be had. */
bool preload_enter_soon(sys_signals *signals);
/* Connect if need be, or never again. 0 or -errno. With the lock held. */
int preload_join(void);
/* Connect, and be ON. 0, or -errno, and all is as it was. With the lock held. */
int preload_connect(void);
/* Tell the daemon what the environment wants for this process. 0 or -errno, after having said why
 * the daemon would not. */
int preload_set(void);
/* Whether some of this process's memory may be paged. */
bool preload_paging(void);
/* Before the process ends, or becomes another program: wait until what it stored through shared
 * mappings of files is in them. May be called in signal handlers; does nothing in a child that has
 * its parent's memory. */
void preload_settle(void);
/* Register the handlers that carry paged memory through fork. */
void preload_fork_register(void);
/* A mapping of fd's file is paged from now on: read(2) and write(2) on it must see it. With the
 * lock held. */
void preload_file_mapped(int fd);
/* In a new child: take over its paged memory, or end it. */
void preload_fork_adopt(void);
/* In the parent: let whoever writes to private memory go on. */
void preload_fork_thaw(void);
/* Between prepare and its counterpart, if this process has threads: a fault in the child's paged
 * memory calls preload_fork_adopt, and a parent that takes long is thawed. */
void guard_arm(void);
void guard_disarm(void);
/* Say why and end the process: there is no right continuation. */
_Noreturn void preload_die(const char *why);

/* A system call's result as the C library returns it. */
long preload_result(long result);
/* The C library's function of that name, which known keeps from the first call on. */
void *preload_next(void **known, const char *name);
/* PRELOAD_NEXT(name); and then NEXT(name) is that of name. It is looked up by a constructor: later
 * that would forget what dlerror(3) has to tell, and wait for a thread that loads a library, which
 * may be waiting for this one. (Constructors of other libraries may come before ours.) */
#define PRELOAD_NEXT(name)                                                                         \
	static void *next_##name;                                                                  \
	__attribute__((constructor)) static void find_##name(void)                                 \
	{                                                                                          \
		preload_next(&next_##name, #name);                                                 \
	}                                                                                          \
	_Static_assert(1, "")
#define NEXT(name) preload_next(&next_##name, #name)

#endif
