/* SPDX-License-Identifier: MIT */
/*
 * Calls that make a file shorter, or longer, by a process that need not map it.
 *
 * Others may, and for them the kernel drops what is behind the new end, their private copies
 * included, before the call returns; or has no SIGBUS before it any more. So the daemon is told,
 * before and after (FILE_CUT of <pagerd/protocol.h>), by a connection for this purpose, as most
 * programs that empty a file have nothing paged. Where that fails the call is made without.
 *
 * Needs no lock: in signal handlers, and in children of vfork, too.
 */
#ifndef PAGERD_CLIENT_CUT_H
#define PAGERD_CLIENT_CUT_H

#include <stdbool.h>
#include <sys/types.h>

struct file_call;

struct cut {
	int socket; /* -1: nobody is to be told, and nothing is to be closed */
	int fd;	    /* of the file */
	bool own;   /* which is to be closed, too */
};

/* The file of fd is going to have length bytes. cut_end comes next in any case. */
struct cut cut_begin(int fd, off_t length);
/* The same of the file at path from directory on; flags: O_NOFOLLOW, if it is not to be a link. */
struct cut cut_begin_path(int directory, const char *path, int flags, off_t length);
/* It has, or (done is false) the call has failed. */
void cut_end(const struct cut *cut, bool done);
/* Make the call, and cut_end. Returns the call's result, -errno on failure. */
long cut_call(const struct cut *cut, const struct file_call *call);

#endif
