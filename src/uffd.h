/* SPDX-License-Identifier: MIT */
/*
 * userfaultfd system calls, one function each. See userfaultfd(2), ioctl_userfaultfd(2).
 *
 * All return 0 or -errno; addresses and lengths are in bytes, page-aligned, in the address space
 * of the process that made the descriptor. -ESRCH: that process has gone. -ENOENT: the range is
 * not (or no longer wholly) registered. -EAGAIN: its mappings are changing, events are waiting.
 * Functions with a done argument store how many bytes from the start were handled, also on error.
 */
#ifndef PAGERD_UFFD_H
#define PAGERD_UFFD_H

#include <stdbool.h>
#include <stdint.h>

#include "uapi.h"

/* The features without which the pager cannot work. */
#define UFFD_FEATURES_NEEDED                                                                       \
	(UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_MISSING_SHMEM | UFFD_FEATURE_MINOR_SHMEM |  \
	 UFFD_FEATURE_WP_HUGETLBFS_SHMEM | UFFD_FEATURE_POISON)

int uffd_api(int fd, uint64_t features);
/* What the kernel offers. Uses up the descriptor: give it a fresh one. */
int uffd_features(int fd, uint64_t *features);
/* For missing pages and write protection; guard: also faults on pages that the memfd has. */
int uffd_register(int fd, uint64_t address, uint64_t length, bool guard);
int uffd_unregister(int fd, uint64_t address, uint64_t length);
/* Set (on) or lift write protection; lifting wakes the waiters of the range. */
int uffd_protect(int fd, uint64_t address, uint64_t length, bool on);
/* Fill absent pages of a shared mapping with source and map them; wakes. */
int uffd_copy(int fd, uint64_t address, const void *source, uint64_t length, bool protect,
	      uint64_t *done);
/* The same with zeros, writable. */
int uffd_zero(int fd, uint64_t address, uint64_t length, uint64_t *done);
/* Map resident pages of the object that are not mapped yet; wakes. */
int uffd_continue(int fd, uint64_t address, uint64_t length, bool protect, uint64_t *done);
int uffd_wake(int fd, uint64_t address, uint64_t length);
/* Accesses to those pages of the range that are not mapped get SIGBUS from now on, up to the first
 * that is mapped or protected: -EAGAIN, or -EEXIST if that is the first of all; wakes. */
int uffd_poison(int fd, uint64_t address, uint64_t length, uint64_t *done);
/* The same for one page, which may be protected: if it is mapped it is not any more after this, and
 * who waits is not woken. */
int uffd_poison_page(int fd, uint64_t address);
/* Does the address space still exist? Asks by protecting the page at address, which may be any;
 * a page that is dirty then costs one more write fault. */
bool uffd_alive(int fd, uint64_t address);

#endif
