/* SPDX-License-Identifier: MIT */
/*
 * Spare descriptors, for when the program has used up all numbers: given up, they make room for
 * those that fork and new mappings take. There is one set in a process. No locking: see session.h.
 */
#ifndef PAGERD_CLIENT_SPARE_H
#define PAGERD_CLIENT_SPARE_H

#include <stdbool.h>

#include "session.h"

/* Make the set complete again, if there are numbers. */
void spare_fill(const struct session *session);
/* Close them. Were there any? */
bool spare_release(void);
/* The lowest one in [first, last]; -1 if none. Any thread, at any time. */
int spare_lowest(unsigned first, unsigned last);

#endif
