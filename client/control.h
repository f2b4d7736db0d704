/* SPDX-License-Identifier: MIT */
/* A session that asks and steers, and pages nothing. Functions return 0 or -errno. */
#ifndef PAGERD_CLIENT_CONTROL_H
#define PAGERD_CLIENT_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pagerd/protocol.h"

/* The socket of the daemon at path, or -errno. */
int control_open(const char *path, uint32_t *daemon_pid);
/* Write a report to out. */
int control_report(int socket, enum pagerd_report_kind kind, uint32_t pid, bool json, FILE *out);
/* Change settings ("memory=128M policy=lru"), of the file if it is not -1. The daemon's objection,
 * or an empty text, goes into why. */
int control_set(int socket, uint32_t pid, const char *text, int file, char *why, size_t why_bytes);
/* Wait until everything that clients which have gone left unwritten is in its files. */
int control_drain(int socket);

#endif
