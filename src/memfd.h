/* SPDX-License-Identifier: MIT */
/* Descriptors: memfds that clients get, and files opened once more. */
#ifndef PAGERD_MEMFD_H
#define PAGERD_MEMFD_H

#include <stdbool.h>
#include <stdint.h>

/* A memfd of that size, which cannot be changed. Mode 0600: who is passed a descriptor for reading,
 * and is not of our user, cannot reopen it for writing. seals: more of fcntl(2)'s. The descriptor,
 * or -errno. */
int memfd_make(const char *name, uint64_t bytes, int seals);
/* A descriptor of it to be passed to a client: the same, or one for reading only; or -errno. */
int memfd_pass(int memfd, bool read_only);
/* Open what fd is open on once more, with a file description of our own; or -errno. */
int reopen(int fd, int flags);

#endif
