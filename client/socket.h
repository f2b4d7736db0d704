/* SPDX-License-Identifier: MIT */
/* Which socket a client connects to. */
#ifndef PAGERD_CLIENT_SOCKET_H
#define PAGERD_CLIENT_SOCKET_H

#define SOCKET_PATH_MAX 108 /* what a socket's address holds */

/*
 * The socket at path; NULL or empty: $PAGERD_SOCKET, or an ordinary user's
 * $XDG_RUNTIME_DIR/pagerd.sock if a daemon of that user answers there, or
 * /run/pagerd/pagerd.sock. What is made up goes into room. Leaves errno alone.
 */
const char *socket_choose(const char *path, char room[SOCKET_PATH_MAX]);

#endif
