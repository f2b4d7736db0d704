/* SPDX-License-Identifier: MIT */
/*
 * libpagerd: memory that pagerd pages.
 *
 *	struct pagerd *p;
 *	int r = pagerd_connect(&p, NULL);
 *	if (r < 0) ... strerror(-r)
 *	char *m = pagerd_map(p, NULL, 1 << 30, PROT_READ | PROT_WRITE,
 *			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, &r);
 *	... use it as any memory ...
 *	pagerd_unmap(p, m, 1 << 30);
 *	pagerd_disconnect(p);
 *
 * Lengths and offsets are in bytes. Functions return 0 or a negative errno value, and leave errno
 * alone. A connection may be used by several threads at once (calls on it are serialised).
 * Mappings may be used by any thread without calling the library.
 *
 * Under `pagerctl run` the preloaded library does all this for the plain mmap(2); do not mix
 * plain munmap(2), mremap(2) or madvise(2) with mappings made here.
 *
 * A daemon that is told to end writes what was changed to its files, and leaves mappings that give
 * SIGBUS where their memory is gone. One that is killed takes the memory along: threads that touch
 * what was not mapped wait until the process is killed, and calls return -ENOTCONN.
 *
 * fork: a process with a connection made here must not touch its mappings in a child of fork(2);
 * the child may call pagerd_connect for itself. (The preloaded library does carry fork.)
 */
#ifndef PAGERD_PAGERD_H
#define PAGERD_PAGERD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pagerd;

/*
 * Connect to the daemon whose socket is at socket_path; NULL means $PAGERD_SOCKET, or else an
 * ordinary user's $XDG_RUNTIME_DIR/pagerd.sock if a daemon of that user answers there, or else
 * /run/pagerd/pagerd.sock. Makes a userfaultfd for this process.
 * Errors: -ENOENT, -ECONNREFUSED (no daemon there), -EPERM (neither the daemon nor this process
 * may use userfaultfd: see pagerd --check), -EACCES (the socket is not for this user),
 * -ENAMETOOLONG, -EUSERS (the daemon has no room for one more), -EPROTO (not a pagerd of this
 * version), -EMFILE, -ENOMEM, -ENOSYS (the kernel lacks what is needed).
 */
int pagerd_connect(struct pagerd **connection, const char *socket_path);

/* Close the connection. Mappings that are left become inaccessible (they are unmapped first).
 * NULL is allowed. */
void pagerd_disconnect(struct pagerd *connection);

/*
 * Map length bytes, as mmap(2): flags are MAP_SHARED with a regular file's fd, or MAP_ANONYMOUS
 * with MAP_PRIVATE or MAP_SHARED, optionally MAP_FIXED, MAP_FIXED_NOREPLACE, MAP_NORESERVE or
 * MAP_POPULATE. offset must be a multiple of the page size. Returns the address; on error it
 * returns NULL and stores the negative errno in *error if error is not NULL, which success leaves
 * alone.
 * Errors: those of mmap(2), and -EOPNOTSUPP (what is left to mmap(2) itself: private mappings of
 * files, tmpfs, PROT_EXEC, other flags, more than 1 TiB, more than 64 GiB of PROT_NONE; files of
 * servers, such as NFS, but with pagerd --files all), -ENODEV (of mmap(2); or the daemon cannot
 * tell that no server has the file), -ENOTCONN (the daemon has gone).
 */
void *pagerd_map(struct pagerd *connection, void *address, size_t length, int protection, int flags,
		 int fd, off_t offset, int *error);

/* Unmap whole pages, as munmap(2). Changed pages of shared files in the range are in the file on
 * return. Errors: those of munmap(2); -EIO, -ENOSPC (as of pagerd_sync: it stays mapped); -ENOTCONN
 * (unmapped, but the daemon has gone, and with it what was changed and not yet in the file). */
int pagerd_unmap(struct pagerd *connection, void *address, size_t length);

/* As msync(2): flags is MS_SYNC (returns when the data is on disk) or MS_ASYNC; a length of 0 does
 * nothing. Errors: -EIO, -ENOSPC (a write failed; the data is still in memory and will be tried
 * again), -EINVAL (address is no multiple of the page size, flags), -ENOMEM (nothing paged there).
 */
int pagerd_sync(struct pagerd *connection, void *address, size_t length, int flags);

/* As madvise(2), for MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL (how far to prefetch),
 * MADV_WILLNEED (read now), MADV_COLD, MADV_PAGEOUT (evict first, evict now), MADV_DONTNEED
 * (private anonymous memory becomes zeros), MADV_FREE (the same, and at once; -EINVAL of other
 * memory), MADV_REMOVE (shared anonymous memory is freed). MADV_POPULATE_READ and _WRITE, and what
 * only concerns fork, dumps and the kernel's merging, is taken as well. A length of 0 does nothing.
 * Errors: -EINVAL (any other advice, misaligned address), -ENOMEM (nothing paged there). */
int pagerd_advise(struct pagerd *connection, void *address, size_t length, int advice);

/*
 * Change settings, from now on: words with a blank between, "memory=64M policy=lfu:decay=4".
 *	memory=SIZE     at most so many bytes resident (K, M, G, T; at least 256K); memory=none
 *	policy=NAME     how to choose what to evict, with parameters after a colon
 *	unit=SIZE       what a fault brings in where no run of accesses is seen: a power of two from
 *			4K to 1M around its page; unit=auto: which of 4K, 16K, 64K is found out,
 *			but 4K where MADV_RANDOM was advised, which leaves a SIZE as it is
 *	default         alone: as if nothing had been set
 * Of the connection if address is NULL, or else of the object that is mapped at address (made here,
 * or mapped from a file), whoever maps it: its pages then count against its own limit, and not
 * against the connection's. What was not set is the daemon's. No page is lost.
 * Errors, which leave all as it was: -EINVAL (no such word, policy or parameter, no settings, or
 * too little memory), -ENOMEM (nothing paged there), -EPERM (another user made the object or maps
 *it, too), -ENOTCONN.
 */
int pagerd_set(struct pagerd *connection, const void *address, const char *settings);

/* What the daemon counted for this connection since it was made. Every member is a count or a
 * number of pages, but for the latencies. New members are added at the end. */
struct pagerd_stats {
	uint64_t size;		      /* bytes of this structure that the daemon filled */
	uint64_t faults_major;	      /* faults that waited for a read */
	uint64_t faults_minor;	      /* faults on a page that was there, or on its way already */
	uint64_t faults_zero;	      /* first touches of anonymous memory */
	uint64_t faults_write;	      /* first writes to a clean page */
	uint64_t faults_error;	      /* answered with SIGBUS */
	uint64_t pages_read;	      /* from files and swap, prefetched ones included */
	uint64_t pages_written;	      /* to files and swap */
	uint64_t pages_prefetched;    /* read or zeroed ahead of a run, or read on advice */
	uint64_t pages_prefetch_used; /* of those, known to have been asked for later */
	uint64_t evicted_clean;
	uint64_t evicted_dirty; /* had to be written first */
	uint64_t resident_pages;
	uint64_t resident_max_pages;
	uint64_t dirty_pages;
	uint64_t wired_pages;
	uint64_t swap_pages;
	uint64_t mapped_pages;
	uint64_t limit_pages;  /* 0: only the daemon's budget */
	uint64_t fault_p50_ns; /* from the event's arrival at the daemon to the wake-up */
	uint64_t fault_p99_ns;
	uint64_t fault_p999_ns;
	uint64_t fault_max_ns;
	uint64_t read_errors;
	uint64_t write_errors;
	uint64_t forks;
	uint64_t faults_cow;	   /* first writes to a page of a file mapped privately */
	uint64_t pages_zapped;	   /* unmapped for a while, to learn whether they are used */
	uint64_t pages_found_used; /* of pages that were, how often one was found used */
	uint64_t pages_unit;	   /* read since one of their unit was asked for: not prefetched */
};

/* Fill *stats. Errors: -ENOTCONN. */
int pagerd_statistics(struct pagerd *connection, struct pagerd_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
