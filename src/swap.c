/* SPDX-License-Identifier: MIT */
/* Swap: one unlinked file, grown ahead of use so that a full disk shows here and not later. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core.h"

/* The file grows by this much at a time. Preallocation makes extents long, and keeps ENOSPC out
 * of the write path. */
#define SWAP_STEP_SLOTS	 (64ull << 20 >> PAGE_SHIFT)
#define SWAP_LIMIT_SLOTS (1ull << 34) /* 64 TiB, where no limit is given */
#define SWAP_RETRY_NS	 1000000000ull

static int swap_file(int directory)
{
	int fd = openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0)
		fd = openat(directory, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd < 0 ? -errno : fd;
	/* A file system without O_TMPFILE. */
	char name[40];
	snprintf(name, sizeof name, ".pagerd-swap.%ld", (long)getpid());
	fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_DIRECT, 0600);
	if (fd < 0)
		fd = openat(directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	unlinkat(directory, name, 0);
	return fd;
}

int swap_open(struct pager *pager, char *why, size_t why_bytes)
{
	pager->swap_fd = -1;
	uint64_t slots = pager->config.swap_limit_bytes
				 ? pager->config.swap_limit_bytes >> PAGE_SHIFT
				 : SWAP_LIMIT_SLOTS;
	int error = slot_init(&pager->slots, slots < SWAP_LIMIT_SLOTS ? slots : SWAP_LIMIT_SLOTS);
	pager->swap_limit_slots = pager->slots.limit;
	if (error || pager->config.swap_dir_fd < 0)
		return error;
	int fd = swap_file(pager->config.swap_dir_fd);
	if (fd < 0) {
		snprintf(why, why_bytes, "cannot make a swap file: %s", strerror(-fd));
		return fd;
	}
	pager->swap_fd = fd;
	return 0;
}

void swap_close(struct pager *pager)
{
	if (pager->swap_fd >= 0)
		close(pager->swap_fd);
	slot_finish(&pager->slots);
}

/* File systems without fallocate get a sparse file: there a full disk is a write error. */
static int swap_extend(struct pager *pager, uint64_t size_slots)
{
	off_t from = (off_t)(pager->swap_file_slots << PAGE_SHIFT);
	off_t to = (off_t)(size_slots << PAGE_SHIFT);
	int result = fallocate(pager->swap_fd, 0, from, to - from);
	if (result < 0 && errno == EOPNOTSUPP)
		result = ftruncate(pager->swap_fd, to);
	if (result == 0) {
		pager->swap_file_slots = size_slots;
		return 0;
	}
	int error = -errno;
	if (ftruncate(pager->swap_fd, from) < 0) /* what it got of the disk before it was full */
		return -errno;
	return error;
}

static uint64_t round_up(uint64_t slots, uint64_t step)
{
	return (slots + step - 1) / step * step;
}

/* The same, with what it takes of a bank. */
static int swap_extend_shared(struct pager *pager, uint64_t size_slots)
{
	struct bank *bank = pager->config.swap_bank;
	uint64_t more = size_slots - pager->swap_file_slots;
	if (!bank)
		return swap_extend(pager, size_slots);
	if (!bank_take(bank, more))
		return -EDQUOT;
	int error = swap_extend(pager, size_slots);
	if (error)
		bank_give(bank, more);
	return error;
}

/* How far the file is to grow, if it may: what a shard has the others cannot get. */
static uint64_t swap_step(const struct pager *pager, uint64_t slots)
{
	uint64_t step = round_up(slots, SWAP_STEP_SLOTS);
	if (!pager->config.swap_bank)
		return step;
	uint64_t share = bank_spare(pager->config.swap_bank) / 2 / pager->config.shards;
	uint64_t end = round_up(pager->swap_file_slots + share, SLOT_CLUSTER);
	uint64_t least = round_up(slots, SLOT_CLUSTER);
	end = end < step ? end : step;
	return end > least ? end : least;
}

static int swap_grow(struct pager *pager, uint64_t slots)
{
	int error = swap_extend_shared(pager, swap_step(pager, slots));
	if (error == -ENOSPC || error == -EDQUOT || error == -EFBIG)
		error = swap_extend_shared(pager, round_up(slots, SLOT_CLUSTER));
	if (error) {
		/* No slot at or above the limit is handed out for a while: those below are used. */
		pager->slots.limit = pager->swap_file_slots;
		pager->swap_retry_ns = pager->now_ns + SWAP_RETRY_NS;
		if (!pager->config.swap_bank || bank_spare(pager->config.swap_bank) >= SLOT_CLUSTER)
			pager_warn(pager, "the disk is full for swap: write", NULL, error);
	}
	return error;
}

/* Not often: it may have to wait for the disk. And not while anything is in flight: a read may be
 * of slots that are free by now, a write of some that are about to be. */
void swap_give(struct pager *pager)
{
	uint64_t slots = pager->swap_file_slots, used = pager->slots.used;
	if (used > pager->swap_give_slots || !pager->swap_peak_slots || pager->io_reads ||
	    pager->io_writes)
		return;
	pager->swap_give_slots = used - used / 8; /* to look again is worth it then */
	uint64_t tail = slot_tail(&pager->slots, round_up(pager->swap_peak_slots, SLOT_CLUSTER));
	if (tail > pager->swap_peak_slots / 2 ||
	    ftruncate(pager->swap_fd, (off_t)(tail << PAGE_SHIFT)) < 0)
		return;
	pager->swap_file_slots = pager->swap_peak_slots = tail;
	if (pager->config.swap_bank)
		bank_give(pager->config.swap_bank, slots - tail);
}

/* These are in use now. */
static void swap_peak(struct pager *pager, uint64_t end)
{
	if (pager->config.shards == 1 || end <= pager->swap_peak_slots)
		return;
	pager->swap_peak_slots = end;
	pager->swap_give_slots = end / 2;
}

static uint32_t slots_take(struct pager *pager, uint32_t want, uint64_t *slot)
{
	uint32_t count = slot_alloc(&pager->slots, want, slot);
	if (!count || *slot + count <= pager->swap_file_slots || !swap_grow(pager, *slot + count))
		return count;
	for (uint32_t i = 0; i < count; i++)
		slot_unref(&pager->slots, *slot + i);
	return 0;
}

uint32_t swap_alloc(struct pager *pager, uint32_t want, uint64_t *slot, int *error)
{
	*error = -ENOSPC;
	if (pager->swap_fd < 0)
		return 0;
	if (pager->now_ns >= pager->swap_retry_ns)
		pager->slots.limit = pager->swap_limit_slots;
	uint32_t count = slots_take(pager, want, slot);
	/* Where the file cannot grow, there may be some below its end. */
	if (!count && pager->slots.limit < pager->swap_limit_slots)
		count = slots_take(pager, want, slot);
	if (!count)
		pager_warn(pager, "swap is full: write", NULL, -ENOSPC);
	if (!count)
		return 0;
	*error = 0;
	swap_peak(pager, *slot + count);
	return count;
}
