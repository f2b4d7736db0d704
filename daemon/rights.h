/* SPDX-License-Identifier: MIT */
/* Limits and capabilities of the daemon's process. */
#ifndef PAGERD_RIGHTS_H
#define PAGERD_RIGHTS_H

#include <stdbool.h>

/* Make descriptors 0 to 2 exist, so that no file of a client ever becomes one of them. 0 or
 * -errno. Before anything else is opened. */
int rights_standard_files(void);
/* As many open files, and as large ones, as the user may have. */
void rights_raise_limits(void);
/* Has the process this capability in effect? */
bool rights_capable(unsigned capability);
/* Drop what is not needed while serving; see the .c file for what is kept and why. 0 or -errno.
 * Before any thread is started: each has capabilities of its own. */
int rights_drop(void);

#endif
