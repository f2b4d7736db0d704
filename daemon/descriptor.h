/* SPDX-License-Identifier: MIT */
/* What the descriptors and ranges that clients send must be. Nothing here keeps or closes one. */
#ifndef PAGERD_DESCRIPTOR_H
#define PAGERD_DESCRIPTOR_H

#include <stdbool.h>
#include <stdint.h>

enum descriptor_kind {
	DESCRIPTOR_OTHER,
	DESCRIPTOR_USERFAULTFD,
	DESCRIPTOR_FILE, /* something that has a name, as files, directories and devices have */
};

/* What fd is of: told without a call on it that anybody could hold up. */
enum descriptor_kind descriptor_kind(int fd);
/* A userfaultfd whose read(2) does not block: the pager's one thread reads it. */
bool descriptor_is_userfaultfd(int fd);
/*
 * May fd's file be mapped, and changed if writable, by who opened it? 0, or what mmap(2) says:
 * -ENODEV (not a regular file, or one of a file system without mappings), -EBADF (opened with
 * O_PATH, which proves no right to read), -EACCES (not open for reading; or writable, and not open
 * for both).
 */
int descriptor_mappable(int fd, bool writable);
/* Is it a regular file, be it open with O_PATH? 0, -ENODEV. */
int descriptor_regular(int fd);
/* May fd's file be read or, if write, changed through fd? 0, -ENODEV, -EBADF. */
int descriptor_usable(int fd, bool write);

/* Whole pages, at least one, all below 2^47. */
bool range_valid(uint64_t address, uint64_t length_bytes);

#endif
