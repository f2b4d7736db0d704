/* SPDX-License-Identifier: MIT */
/* A swap file of our own, for the runs that the kernel pages. */
#ifndef PAGERBENCH_KERNEL_SWAP_H
#define PAGERBENCH_KERNEL_SWAP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct kernel_swap {
	char path[PATH_MAX]; /* empty: none */
};

/* Make a file of that many pages in dir and swap to it before any other. 0, or -errno with a
 * sentence in why. */
int kernel_swap_on(struct kernel_swap *swap, const char *dir, uint64_t pages, char *why,
		   size_t why_bytes);
/* Swap off, and remove the file. Harmless if there is none. */
void kernel_swap_off(struct kernel_swap *swap);

#endif
