/* SPDX-License-Identifier: MIT */
/* Limits and capabilities of the daemon's process. */
#ifndef PAGERD_RIGHTS_H
#define PAGERD_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>

/* Make descriptors 0 to 2 exist, so that no file of a client ever becomes one of them. 0 or
 * -errno. Before anything else is opened. */
int rights_standard_files(void);
/* As many open files as the user may have, which it returns; and no limits but those that cannot be
 * raised, of which the log tells. */
uint32_t rights_raise_limits(void);
/* Has the process this capability in effect? */
bool rights_capable(unsigned capability);
/* Drop what is not needed while serving; see the .c file for what is kept and why. 0 or -errno.
 * Before any thread is started: each has capabilities of its own. */
int rights_drop(void);

#endif
