/* SPDX-License-Identifier: MIT */
/*
 * Which mappings are paged.
 *
 * Paged: private and shared anonymous memory, and mappings of regular files on file systems that
 * keep them on a disk, from a least size on. PROT_NONE reservations too, as what
 * is made accessible of them later is to be paged, up to 64 GiB; beyond that they are shadow
 * memory or address space kept for another use.
 *
 * Not paged: stacks, memory that grows down, executable and huge-page mappings, MAP_SYNC, anonymous
 * memory that is locked from the start, devices, files that live in memory or in the kernel, and
 * mappings above 1 TiB. A locked mapping of a file is: the file may be mapped elsewhere, too.
 */
#ifndef PAGERD_CLIENT_CHOOSE_H
#define PAGERD_CLIENT_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "paged.h"

struct choice {
	uint64_t min_bytes;	 /* anonymous memory */
	uint64_t min_file_bytes; /* files */
	bool not_served;	 /* no files of servers: the daemon would not have them */
};

/* The enum pagerd_kind that mapping is to have; 0: it stays the kernel's. */
uint32_t choose_kind(const struct choice *choice, const struct mapping *mapping);
/* For a mapping with kind 0 that had to be paged: what the kernel says of it if it refuses it,
 * else -EOPNOTSUPP. */
int choose_error(const struct mapping *mapping);

#endif
