/* SPDX-License-Identifier: MIT */
/*
 * Closings: descriptors that clients have passed and the daemon does not want.
 *
 * close(2) may wait for whoever serves the file, and for ever. So each closing has a thread, and
 * the client that made it necessary is not heard until it is done: it cannot have more than one.
 * One user has few of these threads at a time; the others' wait for them. Each descriptor that is
 * not closed yet counts as a session does, even when its own has ended.
 */
#ifndef PAGERD_CLOSING_H
#define PAGERD_CLOSING_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct bridge;
struct closings;

/* NULL: not enough memory. */
struct closings *closings_create(struct bridge *bridge);
/* No thread is waited for: what is not done by then is done without telling. How many are not, of
 * those that have begun. */
unsigned closings_destroy(struct closings *closings);
/*
 * Close so many descriptors, which are taken; then call done, unless it is NULL, on the main
 * thread. Main thread. False: there is not the memory to do that, or no thread, and none whose end
 * could be waited for; they stay open, rather than that everybody waits, and done is not called.
 */
bool closing_start(struct closings *closings, uid_t uid, const int *fds, size_t count,
		   void (*done)(void *owner), void *owner);
/* The owner has gone: its done is not to be called. */
void closings_forget(struct closings *closings, const void *owner);
/* Descriptors that are not closed yet: in all, or one user's. */
size_t closings_count(const struct closings *closings);
size_t closings_count_user(const struct closings *closings, uid_t uid);

#endif
