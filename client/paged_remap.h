/* SPDX-License-Identifier: MIT */
/* mremap(2) where the memory is the daemon's: what its parts share. */
#ifndef PAGERD_CLIENT_PAGED_REMAP_H
#define PAGERD_CLIENT_PAGED_REMAP_H

#include "paged.h"

struct remap {
	uint64_t address;
	uint64_t length; /* whole pages; 0: make a second mapping of shared memory */
	uint64_t new_length;
	int flags;
	uint64_t new_address; /* with MREMAP_FIXED */
};

/* A place for new_length bytes: the caller's, cleared of what is paged there, or the kernel's
 * choice. Inaccessible. */
long remap_place(struct paged *paged, const struct remap *remap);
/* Move, or grow by moving, a private mapping of a file; region holds all of it. The address, or
 * -errno. */
long remap_file_private(struct paged *paged, const struct region *region,
			const struct remap *remap);

#endif
