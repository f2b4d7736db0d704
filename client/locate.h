/* SPDX-License-Identifier: MIT */
/* Where the parts of an installation, or of a build tree, are. */
#ifndef PAGERD_CLIENT_LOCATE_H
#define PAGERD_CLIENT_LOCATE_H

#include <stddef.h>

#define LOCATE_MAX 4096

/* Each writes a path (at most LOCATE_MAX bytes) and returns 0, or -ENOENT. */

/* The daemon: $PAGERD_DAEMON, beside this program, or in PATH. */
int locate_daemon(char *path);
/* The preload library: $PAGERD_PRELOAD, or beside this program. */
int locate_preload(char *path);
/* A command as execvp(3) finds it. */
int locate_command(const char *name, char *path);
/* 0 if path is a regular file that access(2) allows mode for, else -ENOENT. */
int locate_usable(const char *path, int mode);

#endif
