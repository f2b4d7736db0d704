/* SPDX-License-Identifier: MIT */
/*
 * Calls on files whose pages may be the daemon's.
 *
 * The kernel has one copy of a file's page, and programs rely on it: what they store through a
 * shared mapping is read by read(2), what they write with write(2) is seen in the mapping. Paged
 * pages are the daemon's copy, so for files that are mapped, here or by another of its clients,
 * before a read what was changed is written back; around a write the range is written back, writers
 * through mappings wait, and then the pages that are there get what was written. Where the daemon's
 * board shows that there is nothing to be written back this is done here, else by the daemon.
 *
 * Which files others map the daemon's filter tells. Without one, those are looked after that this
 * process has mapped itself.
 *
 * What these return is the system call's result: -errno on failure.
 */
#ifndef PAGERD_CLIENT_COHERENT_H
#define PAGERD_CLIENT_COHERENT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* One call on a file: the system call's number and arguments, and what it touches. */
struct file_call {
	long number;
	long arguments[6];
	int fd; /* of the file that is written; if none is, that is read */
	/* What it reads into or writes from; NULL: not the program's memory. */
	const struct iovec *vector;
	int count;
	int flags;	  /* RWF_* of the call */
	int64_t position; /* -1: the descriptor's own */
	/* The bytes of the file that it touches; length 0: to the end. */
	uint64_t offset;
	uint64_t length;
	const struct stat *status; /* of the file, before */
	uint64_t all;		   /* filter_all() at the beginning, if it writes */
	bool write;
	bool shifts; /* what is behind offset goes elsewhere */
};

long file_system_call(const struct file_call *call);
/* The same for calls that are none of our business: a cancellation point (pthreads(7)), as it is
 * in the C library. */
long file_plain(const struct file_call *call);
/* Whether no file at all is mapped. */
bool file_none(void);
/* May fd's file be mapped? Fills *status if so. */
bool file_mapped(int fd, struct stat *status);
/* By this process? */
bool file_mapped_here(int fd, struct stat *status);
/* The call on a file that may be mapped. */
long file_coherent(const struct file_call *call);
/* A call that writes was made, as nobody seemed to map the file, with this result, which is
 * returned: if somebody does by now, and may have what was there before, show what was written. */
long file_late(const struct file_call *call, long result);
/* A moment: somebody writes the file by himself, and is done soon. */
void file_pause(void);
/* Write back what is changed in the file of fd, before another call reads it. */
void file_settle(int fd, const struct stat *status, uint64_t offset, uint64_t length);

/* ---- preload_file.c */

/* Where the call begins: of one at the descriptor's own position that; of one that appends, the
 * file's end. */
uint64_t file_position(const struct file_call *call, const struct stat *status);
/* What the C library returns of a call on a file that nobody seemed to map, which has that result.
 */
long file_unmapped(const struct file_call *call, long result);

/* ---- preload_copy.c */

/* ioctl_ficlone(2): request is FICLONE or FICLONERANGE. As the C library's ioctl. */
int file_clone(int fd, unsigned long request, const void *argument);

/* ---- copied.c */

/* Copy what of [from, from + bytes) can be read from its beginning on; -errno if nothing can. */
long peek(void *to, const void *from, uint64_t bytes);
/* Bytes of the vector; -EFAULT if it cannot be read, -EINVAL if there are too many. */
long vector_bytes(const struct iovec *vector, int count);
/* The call for some of its bytes, the first of which is done bytes behind its first, from or to
 * other memory. */
long file_transfer_bytes(const struct file_call *call, const void *copy, uint64_t bytes,
			 uint64_t done);
/* The call with a copy of the memory instead, 1 MiB at a time. With the preloaded library's lock
 * held if it writes. */
long file_copied(const struct file_call *call);
/* Whether the call reads with O_DIRECT into memory of which some is paged: the device would write
 * to pages that are evicted meanwhile. */
bool file_reads_direct(const struct file_call *call);

#endif
