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
#define SWAP_STEP_SLOTS	  (64ull << 20 >> PAGE_SHIFT)
#define SWAP_LOW_CLUSTERS (SWAP_STEP_SLOTS / 2 / SLOT_CLUSTER) /* with fewer it grows */
#define SWAP_LIMIT_SLOTS  (1ull << 34)			       /* 64 TiB, where no limit is given */
#define SWAP_RETRY_NS	  1000000000ull

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
	pager->swap.fd = -1;
	uint64_t slots = pager->config.swap_limit_bytes
				 ? pager->config.swap_limit_bytes >> PAGE_SHIFT
				 : SWAP_LIMIT_SLOTS;
	int error = slot_init(&pager->slots, slots < SWAP_LIMIT_SLOTS ? slots : SWAP_LIMIT_SLOTS);
	pager->swap.limit_slots = pager->slots.limit;
	pager->slots.limit = 0; /* the file is empty */
	if (error || pager->config.swap_dir_fd < 0)
		return error;
	int fd = swap_file(pager->config.swap_dir_fd);
	if (fd < 0) {
		snprintf(why, why_bytes, "cannot make a swap file: %s", strerror(-fd));
		return fd;
	}
	pager->swap.fd = fd;
	return 0;
}

void swap_close(struct pager *pager)
{
	if (pager->swap.fd >= 0)
		close(pager->swap.fd);
	slot_finish(&pager->slots);
}

static uint64_t round_up(uint64_t slots, uint64_t step)
{
	return (slots + step - 1) / step * step;
}

/* ---- changes of the file ----------------------------------------------------------------- */

static void swap_submit(struct pager *pager, const struct io *io)
{
	const struct swap *swap = &pager->swap;
	int mode = swap->change == SWAP_GROWS ? 0 : FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_fallocate(sqe, swap->fd, mode, (off_t)(swap->from << PAGE_SHIFT),
				(off_t)((swap->end - swap->from) << PAGE_SHIFT));
	io_uring_sqe_set_data64(sqe, ring_data(RING_IO, (uint64_t)(io - pager->ios)));
}

/* Of its slots [from, end). False if there is no record to spare. */
static bool swap_change(struct pager *pager, enum swap_change change, uint64_t from, uint64_t end)
{
	uint32_t number;
	struct io *io = io_alloc(pager, IO_SWAP, &number);
	if (!io)
		return false;
	pager->swap.change = change;
	pager->swap.from = from;
	pager->swap.end = end;
	swap_submit(pager, io);
	return true;
}

static void bank_back(struct pager *pager, uint64_t slots)
{
	if (pager->config.swap_bank)
		bank_give(pager->config.swap_bank, slots);
}

/* Begin to grow by so many slots. 0, -EBUSY (no record to spare) or -ENOSPC (it may not). */
static int swap_extend(struct pager *pager, uint64_t slots)
{
	uint64_t from = pager->slots.limit, most = pager->swap.limit_slots - from;
	struct bank *bank = pager->config.swap_bank;
	slots = slots < most ? slots : most;
	if (!slots || (bank && !bank_take(bank, slots)))
		return -ENOSPC;
	if (swap_change(pager, SWAP_GROWS, from, from + slots))
		return 0;
	bank_back(pager, slots);
	return -EBUSY;
}

/* By how much the file is to grow: what a shard has the others cannot get. */
static uint64_t swap_step(const struct pager *pager)
{
	if (!pager->config.swap_bank)
		return SWAP_STEP_SLOTS;
	uint64_t share = bank_spare(pager->config.swap_bank) / 2 / pager->config.shards;
	share = share / SLOT_CLUSTER * SLOT_CLUSTER;
	return share < SWAP_STEP_SLOTS ? share : SWAP_STEP_SLOTS;
}

/* Slots are needed now, or soon. Returns whether there may be more before long. */
static bool swap_grow(struct pager *pager, bool now)
{
	const struct swap *swap = &pager->swap;
	uint64_t step = swap->full ? SLOT_CLUSTER : swap_step(pager);
	if (swap->change)
		return true;
	if (pager->now_ns < swap->retry_ns || (!now && (swap->full || !step)))
		return false;
	int error = step ? swap_extend(pager, step) : -ENOSPC;
	if (error == -ENOSPC && now)
		error = swap_extend(pager, SLOT_CLUSTER);
	return error != -ENOSPC;
}

/* Where a long step is too long, a short one may do. What it got of the disk before it was full
 * goes back. */
static void swap_grow_failed(struct pager *pager, uint64_t from, uint64_t end, int error)
{
	struct swap *swap = &pager->swap;
	bool full = error == -ENOSPC || error == -EDQUOT || error == -EFBIG;
	bank_back(pager, end - from);
	swap->full = true;
	if (!full || end - from == SLOT_CLUSTER) {
		swap->retry_ns = pager->now_ns + SWAP_RETRY_NS;
		pager_warn(pager, "the disk is full for swap: write", NULL, error);
	}
	swap_change(pager, SWAP_CUTS, from, end);
}

/* File systems without fallocate get a sparse file: there a full disk is a write error. */
static void swap_grown(struct pager *pager, uint64_t from, uint64_t end, int error)
{
	if (error && error != -EOPNOTSUPP) {
		swap_grow_failed(pager, from, end, error);
		return;
	}
	pager->slots.limit = end;
	pager->swap.full = false;
}

void swap_changed(struct pager *pager, struct io *io, int result)
{
	const struct swap swap = pager->swap;
	if (result == -EINTR || result == -EAGAIN) {
		swap_submit(pager, io);
		return;
	}
	io_release(pager, io);
	pager->swap.change = SWAP_STILL;
	/* What could not be cut off is there when the file grows again. */
	if (swap.change == SWAP_GROWS)
		swap_grown(pager, swap.from, swap.end, result);
}

bool swap_waits(const struct pager *pager)
{
	return pager->swap.change && pager->slots.used == pager->slots.limit;
}

/* Not while anything is in flight: a read may be of slots that are free by now, a write of some
 * that are about to be. */
void swap_give(struct pager *pager)
{
	struct swap *swap = &pager->swap;
	uint64_t slots = pager->slots.limit, used = pager->slots.used;
	if (used > swap->give_slots || !swap->peak_slots || swap->change || pager->io_reads ||
	    io_writes_run(pager))
		return;
	swap->give_slots = used - used / 8; /* to look again is worth it then */
	uint64_t tail = slot_tail(&pager->slots, round_up(swap->peak_slots, SLOT_CLUSTER));
	if (tail > swap->peak_slots / 2 || !swap_change(pager, SWAP_CUTS, tail, slots))
		return;
	slot_cut(&pager->slots, tail);
	swap->peak_slots = tail;
	bank_back(pager, slots - tail);
}

/* ---- slots ------------------------------------------------------------------------------- */

/* These are in use now. */
static void swap_peak(struct pager *pager, uint64_t end)
{
	if (pager->config.shards == 1 || end <= pager->swap.peak_slots)
		return;
	pager->swap.peak_slots = end;
	pager->swap.give_slots = end / 2;
}

uint32_t swap_alloc(struct pager *pager, uint32_t want, uint64_t *slot, int *error)
{
	*error = -ENOSPC;
	if (pager->swap.fd < 0)
		return 0;
	uint32_t count = slot_alloc(&pager->slots, want, slot);
	uint64_t clusters = slot_clusters(&pager->slots);
	bool grows = clusters < SWAP_LOW_CLUSTERS && swap_grow(pager, !count);
	if (count) {
		*error = 0;
		swap_peak(pager, *slot + count);
	} else if (grows) {
		*error = -EAGAIN;
	} else {
		pager_warn(pager, "swap is full: write", NULL, -ENOSPC);
	}
	return count;
}
