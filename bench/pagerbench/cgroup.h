/* SPDX-License-Identifier: MIT */
/* A memory cgroup for one run, version 1 or 2; tests/lib/cgroup.sh is the same for scripts. */
#ifndef PAGERBENCH_CGROUP_H
#define PAGERBENCH_CGROUP_H

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

struct cgroup {
	int version;
	char path[PATH_MAX];
};

/* Make one whose processes may have that much memory, and swap. 0, or -errno with a sentence in
 * why. */
int cgroup_make(struct cgroup *group, uint64_t bytes, char *why, size_t why_bytes);
/* Move the calling process there. 0 or -errno. */
int cgroup_enter(const struct cgroup *group);
/* How many of its processes the kernel killed for memory. */
uint64_t cgroup_kills(const struct cgroup *group);
/* Remove it; it must be empty. */
void cgroup_remove(const struct cgroup *group);

#endif
