/* SPDX-License-Identifier: MIT */
/*
 * Mounts: which of them no server is behind.
 *
 * A file of a server (FUSE, NFS, ...) makes whoever calls the kernel about it wait until the server
 * answers, which may be never. So its mount is found without touching it: by the mount's number,
 * which the kernel keeps with the descriptor, in the list of mounts. A number is one mount's, in
 * all namespaces, as long as anything is open there.
 *
 * What is on no list is taken for a server's: file systems that are not known here, mounts that
 * were taken out of their namespace, those of other namespaces than the sender's.
 *
 * But a program may lose sight of the mount of a file that it has mapped (chroot, umount -l), and
 * its reads and writes have to agree with the mapping all the same. So where the kernel tells of a
 * file system by itself (ext4, XFS; Linux 6.10) no list is looked at; and mounts that were local
 * once are known again by a number that no other ever has (Linux 6.12; file systems whose files
 * have handles).
 */
#ifndef PAGERD_MOUNTS_H
#define PAGERD_MOUNTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define MOUNTS_KNOWN 1024u /* the last so many that were found to be local */

enum mount_kind {
	MOUNT_SERVED,
	MOUNT_LOCAL,
	MOUNT_LAYERED, /* as local as what is below it */
};

struct mount {
	uint32_t number;
	uint32_t major, minor; /* of the file system */
	enum mount_kind kind;
};

struct mounts {
	pthread_mutex_t lock;
	int fd; /* the list of our own namespace, which tells when it has changed; or -1 */
	bool stale;
	bool told;	    /* the kernel tells of some file systems without a list */
	struct mount *list; /* by number */
	size_t count;
	uint64_t known[MOUNTS_KNOWN]; /* in a ring */
	uint32_t known_next;
};

/* Without /proc, no mount is on a list. */
void mounts_init(struct mounts *mounts);
void mounts_finish(struct mounts *mounts);
/* Is what fd is of on a local mount of ours, or of the process pid's? One thread, as it may read
 * the lists. */
bool mounts_local(struct mounts *mounts, int fd, pid_t pid);
/* The same, of ours, as far as it is known without waiting for anybody. Any thread. */
bool mounts_local_known(struct mounts *mounts, int fd);

#endif
