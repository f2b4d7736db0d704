/* SPDX-License-Identifier: MIT */
/*
 * Being told to end, without leaving swap, cgroups or processes behind: SIGINT, SIGTERM and SIGHUP
 * stay blocked, and are looked for where this program waits.
 */
#ifndef PAGERBENCH_SIGNALS_H
#define PAGERBENCH_SIGNALS_H

#include <stdbool.h>
#include <sys/types.h>

/* At the start, before there are threads or children. */
void signals_block(void);
/* In a child, before it goes on to something else. */
void signals_unblock(void);
/* Was this program told to end? It stays so. */
bool signals_pending(void);
/* Wait for a child. 0, or -EINTR if this program was told to end: the child has been killed then.
 * *status is waitpid's in both cases. */
int signals_wait(pid_t child, int *status);

#endif
