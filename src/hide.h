/* SPDX-License-Identifier: MIT */
/*
 * Hiding: a resident page is taken out of its memfd, and so out of all mappings, and put back.
 *
 * Who touches it meanwhile makes a fault, which is handled when it is there again. What is on its
 * way to its file or slot was copied before. Its entry and frame stay as they are.
 *
 * All functions: the pager's thread only.
 */
#ifndef PAGERD_HIDE_H
#define PAGERD_HIDE_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;

/* What the resident page holds, which is protected first, so that it does not change. False if that
 * cannot be now. */
bool hide_copy(struct pager *pager, struct object *object, uint64_t page, void *bytes);
/* The page, which is protected, is nowhere from now on. */
void hide_begin(const struct object *object, uint64_t page);
/* It is back, protected, as it was copied. If there is no memory, not even what it had a moment
 * ago, it is lost: whoever wants it gets SIGBUS. */
void hide_end(struct pager *pager, struct object *object, uint64_t page, const void *bytes);

#endif
