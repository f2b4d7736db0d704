/* SPDX-License-Identifier: MIT */
/* Which mappings are paged. */
#include "choose.h"

#include <errno.h>
#include <linux/magic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "sys.h"

#define RESERVATION_MAX (64ull << 30)
#define LENGTH_MAX	(1ull << 40)

/* In memory, or no storage at all: the pager would add a copy, or break what a write means. */
static const uint32_t not_on_disk[] = {
	TMPFS_MAGIC,   RAMFS_MAGIC,   HUGETLBFS_MAGIC,	  PROC_SUPER_MAGIC,    SYSFS_MAGIC,
	DEBUGFS_MAGIC, TRACEFS_MAGIC, CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC, SECURITYFS_MAGIC,
	SELINUX_MAGIC, BPF_FS_MAGIC,  EFIVARFS_MAGIC,	  DEVPTS_SUPER_MAGIC,  SECRETMEM_MAGIC,
};

/* On another machine's disk, or what a program makes of them. */
static const uint32_t served[] = {
	FUSE_SUPER_MAGIC, NFS_SUPER_MAGIC,  SMB_SUPER_MAGIC,   CIFS_SUPER_MAGIC,
	SMB2_SUPER_MAGIC, V9FS_MAGIC,	    CEPH_SUPER_MAGIC,  AFS_SUPER_MAGIC,
	AFS_FS_MAGIC,	  CODA_SUPER_MAGIC, OCFS2_SUPER_MAGIC,
};

static bool is_one_of(const uint32_t *types, size_t count, uint32_t type)
{
	for (size_t i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

static bool file_on_disk(const struct choice *choice, int fd)
{
	struct stat status;
	struct statfs system;
	if (sys_fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || sys_fstatfs(fd, &system) < 0)
		return false;
	uint32_t type = (uint32_t)system.f_type;
	return !is_one_of(not_on_disk, sizeof(not_on_disk) / sizeof(not_on_disk[0]), type) &&
	       !(choice->not_served && is_one_of(served, sizeof(served) / sizeof(served[0]), type));
}

static uint32_t choose_anonymous(const struct choice *choice, const struct mapping *mapping)
{
	if (page_round_up(mapping->length) < choice->min_bytes || mapping->locked)
		return 0;
	if ((mapping->flags & MAP_TYPE) == MAP_SHARED)
		return PAGERD_ANON_SHARED;
	if (mapping->protection == PROT_NONE && mapping->length > RESERVATION_MAX)
		return 0;
	return (mapping->flags & MAP_TYPE) == MAP_PRIVATE ? PAGERD_ANON_PRIVATE : 0;
}

uint32_t choose_kind(const struct choice *choice, const struct mapping *mapping)
{
	const int never = MAP_STACK | MAP_GROWSDOWN | MAP_HUGETLB | MAP_SYNC;
	if ((mapping->flags & never) || (mapping->protection & PROT_EXEC) || mapping->length == 0 ||
	    mapping->length > LENGTH_MAX)
		return 0;
	if (mapping->flags & MAP_ANONYMOUS)
		return choose_anonymous(choice, mapping);
	int type = mapping->flags & MAP_TYPE;
	if (page_round_up(mapping->length) < choice->min_file_bytes ||
	    !file_on_disk(choice, mapping->fd))
		return 0;
	if (type == MAP_PRIVATE)
		return PAGERD_FILE_PRIVATE;
	return type == MAP_SHARED || type == MAP_SHARED_VALIDATE ? PAGERD_FILE_SHARED : 0;
}

int choose_error(const struct mapping *mapping)
{
	const int harmful = MAP_FIXED | MAP_FIXED_NOREPLACE | MAP_POPULATE | MAP_LOCKED;
	long trial = sys_mmap(mapping->address, mapping->length, mapping->protection,
			      mapping->flags & ~harmful, mapping->fd, mapping->offset);
	if (trial < 0)
		return (int)trial;
	sys_munmap((uint64_t)trial, mapping->length);
	return -EOPNOTSUPP;
}
