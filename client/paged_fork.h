/* SPDX-License-Identifier: MIT */
/*
 * Carrying paged memory through fork: the parent has it frozen and cloned before, the child
 * takes the clones after. Functions return 0 or -errno. Same rules as paged.h.
 */
#ifndef PAGERD_CLIENT_PAGED_FORK_H
#define PAGERD_CLIENT_PAGED_FORK_H

#include "paged.h"

/* Before fork, in the parent: freeze and clone. The child is to speak on *child_socket, which
 * the parent closes after the fork. From here to paged_fork_end whoever writes to private paged
 * memory waits, so the calling thread must not. */
int paged_fork_begin(struct paged *paged, int *child_socket);
/* After it, in the parent, whether or not there is a child. */
int paged_fork_end(struct paged *paged);
/* After it, in the child: leave the parent's session, and bring every inherited range back. On
 * failure there is no right continuation: the child's memory is not there. */
int paged_fork_adopt(struct paged *paged, int child_socket);
/* The child of a parent without paged memory: forget the parent's session. */
void paged_fork_forget(struct paged *paged);

#endif
