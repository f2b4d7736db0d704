/* SPDX-License-Identifier: MIT */
/*
 * Spare descriptors, for when the program has used up all numbers: given up, they make room for
 * those that fork and new mappings take. There is one set in a process. No locking: see session.h.
 */
#ifndef PAGERD_CLIENT_SPARE_H
#define PAGERD_CLIENT_SPARE_H

#include <stdbool.h>

#include "agent.h"

/* What a child of fork may have and its parent has not: an agent's. And what fork takes. */
#define SPARE_DESCRIPTORS (AGENT_DESCRIPTORS + 4)

/* Make the set complete again, if there are numbers. */
void spare_fill(void);
/* Close them. Were there any? */
bool spare_release(void);
/* Those there are, and -1. */
void spare_descriptors(int fds[SPARE_DESCRIPTORS]);

#endif
