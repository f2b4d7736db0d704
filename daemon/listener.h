/* SPDX-License-Identifier: MIT */
/*
 * The socket that clients connect to.
 *
 * A daemon holds the lock file beside its socket as long as it lives. Who holds it may replace a
 * socket that nobody answers on; of two daemons that start at once one is the second.
 */
#ifndef PAGERD_LISTENER_H
#define PAGERD_LISTENER_H

#include "daemon.h"

/* Take the lock, listen on the configured path, and make the filter beside it. Ends the process
 * with EXIT_RUNNING or EXIT_SOCKET, and a message, if it cannot. */
void listener_open(struct daemon *daemon);
/* Accept clients from now on. 0 or -ENOMEM. */
int listener_start(struct daemon *daemon);
/* Accept no more; who has connected is served on. */
void listener_stop(struct daemon *daemon);
/* Remove the socket and the filter's file, and let go of the lock. */
void listener_finish(struct daemon *daemon);

#endif
