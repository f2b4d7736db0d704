/* SPDX-License-Identifier: MIT */
/*
 * Memory calls on a session and its table of paged ranges: what mmap(2) and its relatives do
 * when some of the memory is the daemon's.
 *
 * No locking. Results are those of the system calls, with -errno in the place of errno: where
 * memory is not paged the kernel does it, and where arguments are bad it is the kernel that says
 * so. Under every paged range the kernel's mapping is marked MADV_DONTFORK: it is the daemon's
 * memfd, and a child of fork that was not told (see paged_fork.h) must fail there, not read and
 * write its parent's memory.
 */
#ifndef PAGERD_CLIENT_PAGED_H
#define PAGERD_CLIENT_PAGED_H

#include <stdbool.h>
#include <stdint.h>

#include "regions.h"
#include "session.h"

struct paged {
	struct session session;
	struct regions regions;
	uint64_t registrations; /* so far */
	bool locks;		/* mlock(2) was called: some of it may be locked */
	bool stores;		/* so far there was a file that it could change by a mapping */
	bool orphaned;		/* the daemon had gone when some of it was released */
};

/* The arguments of mmap(2), and what it shall become. */
struct mapping {
	uint64_t address;
	uint64_t length;
	int protection;
	int flags;
	int fd;
	uint64_t offset;
	uint32_t kind; /* enum pagerd_kind; 0: not to be paged */
	bool locked;   /* if paged: MAP_LOCKED, or as if */
	bool onfault;  /* and then as by MLOCK_ONFAULT */
};

/* mmap(2). Memory that cannot be paged (kind 0, or the daemon refuses) is plain memory of the
 * kernel; *error is then the reason (0 for kind 0), and 0 otherwise. Returns the address. */
long paged_mmap(struct paged *paged, const struct mapping *mapping, int *error);
int paged_munmap(struct paged *paged, uint64_t address, uint64_t length);
int paged_mprotect(struct paged *paged, uint64_t address, uint64_t length, int protection);
/* mremap(2). Returns the address. */
long paged_mremap(struct paged *paged, uint64_t address, uint64_t length, uint64_t new_length,
		  int flags, uint64_t new_address);
/* remap_file_pages(2). */
int paged_remap_pages(struct paged *paged, uint64_t address, uint64_t length, int protection,
		      uint64_t page, int flags);
int paged_madvise(struct paged *paged, uint64_t address, uint64_t length, int advice);
int paged_msync(struct paged *paged, uint64_t address, uint64_t length, int flags);
/* Wait until what was stored through mappings of files is in them, as for munmap(2). Without such
 * mappings nothing is asked of the daemon. */
int paged_settle(struct paged *paged);
/* mlock2(2): mlock(2) if flags is 0. */
int paged_mlock(struct paged *paged, uint64_t address, uint64_t length, unsigned flags);
int paged_munlock(struct paged *paged, uint64_t address, uint64_t length);
/* Lock again what mremap(2) has moved to address and has made longer or shorter. */
int paged_mlock_moved(struct paged *paged, uint64_t address, uint64_t length, uint64_t new_length);
int paged_mlockall(struct paged *paged, int flags);
int paged_munlockall(struct paged *paged);
/* Make the private memory in a range the kernel's own, contents and all. */
int paged_surrender(struct paged *paged, uint64_t address, uint64_t length);

/* For the above: */

/* Whether any of the range, which is mapped, is locked. */
bool paged_locked(const struct paged *paged, uint64_t address, uint64_t length);
/* Bytes of whole pages at the beginning of the same that are not. */
uint64_t paged_unlocked(const struct paged *paged, uint64_t address, uint64_t length);
/* 0 if as much memory may be locked, or what mmap(2) with MAP_LOCKED fails with. */
int paged_lock_allowed(uint64_t length);
/* As the kernel does when locked private memory becomes writable: copy what is locked. */
void paged_lock_copies(struct paged *paged, uint64_t start, uint64_t end);

/* Before paged_attach, if the region is of an object that this process had nothing of: start its
 * shard's agent if that is needed. */
int paged_serve(struct paged *paged, const struct region *region, uint32_t shard);
/* Map memfd over region's range, give it to the daemon (object is what REGISTER names: the
 * object's number, or 0 in a child), and enter it in the table (room for 1). The range must not
 * be paged. On failure it is left inaccessible, and is not in the table. */
int paged_attach(struct paged *paged, const struct region *region, int memfd, uint64_t object);
/* Take the daemon's hands off what is paged in [start, end), whose contents are to go. The
 * kernel's mapping stays, for the caller to unmap or replace (room for 1). */
int paged_release(struct paged *paged, uint64_t start, uint64_t end);
/* Whether the kernel could take [address, address + length) as it is: aligned, not empty, in
 * the address space. */
bool range_valid(uint64_t address, uint64_t length);
uint64_t page_round_up(uint64_t bytes);

#endif
