/* SPDX-License-Identifier: MIT */
/*
 * The file that tells programs which files are mapped (pagerd/protocol.h, "The filter").
 *
 * Pager threads store into it, and must not wait for a disk there: so it is on a tmpfs. Where the
 * socket's directory is none, the file's name is a symbolic link to one in /dev/shm.
 */
#ifndef PAGERD_FILTER_H
#define PAGERD_FILTER_H

#include <stdbool.h>

struct pagerd_filter;

/* Make that of the socket at path, in place of what an earlier daemon has left. others: users who
 * may connect may read it. NULL, and the log says why, if that cannot be. Who holds the socket's
 * lock. */
struct pagerd_filter *filter_make(const char *path, bool others);
/* Remove the file. Who holds the socket's lock. */
void filter_remove(const char *path);
/* Nobody changes it any more: it tells of no files. NULL is allowed. */
void filter_close(struct pagerd_filter *filter);

#endif
