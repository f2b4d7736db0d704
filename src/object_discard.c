/* SPDX-License-Identifier: MIT */
/* Pages of an object whose contents count no more, or are in its file. */
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core.h"

static void page_discard(struct pager *pager, struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	uint64_t number = pte_number(pte);
	if (pte_state(pte) == PAGE_ABSENT)
		return;
	if (pte & PTE_DIRTY)
		frame_clean(pager, object, page);
	object->table[page] = pte_make(PAGE_ABSENT, 0, 0);
	if (pte_state(pte) == PAGE_SWAPPED) {
		slot_unref(&pager->slots, number);
		object->swap_pages--;
		return;
	}
	struct frame *frame = frame_get(pager, (uint32_t)number);
	if (frame->slot != SLOT_NONE) {
		slot_unref(&pager->slots, frame->slot);
		object->swap_pages--;
		frame->slot = SLOT_NONE;
	}
	if (pte_state(pte) == PAGE_RESIDENT)
		object->resident_pages--;
	if (pte_state(pte) == PAGE_READING || frame->flags & FRAME_WRITEBACK)
		frame->flags |= FRAME_ORPHAN; /* freed when its I/O ends */
	else
		frame_free(pager, (uint32_t)number, false);
}

int object_discard(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint64_t end = page + count;
	if (end > object->capacity_pages)
		end = object->capacity_pages;
	pageout_settle(pager); /* it names frames that may be freed here */
	for (page = object_next_armed(object, page); page < end;
	     page = object_next_armed(object, page)) {
		uint64_t last = (page / CHUNK_PAGES + 1) * CHUNK_PAGES;
		last = last < end ? last : end;
		/* Markers are lost with pages that are dropped unprotected. */
		int error = object_protect(pager, object, page, last - page);
		if (error)
			return error;
		fallocate(object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(page << PAGE_SHIFT), (off_t)((last - page) << PAGE_SHIFT));
		for (; page < last; page++)
			page_discard(pager, object, page);
	}
	shortage_discarded(pager);
	return 0;
}

/* Forget a page: what is in the file counts. */
static void page_invalidate(struct pager *pager, struct object *object, uint64_t page)
{
	uint64_t pte = object_pte(object, page);
	/* It is newer than the file: its write-back failed, or others had to go on. */
	if ((pte & PTE_DIRTY && !guess_undo(pager, object, page)) || board_pinned(object, page))
		return;
	if (pte_state(pte) == PAGE_RESIDENT)
		fallocate(object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)(page << PAGE_SHIFT), PAGE_BYTES);
	page_discard(pager, object, page);
}

static uint64_t range_end(const struct object *object, uint64_t page, uint64_t count)
{
	return count > object->capacity_pages - page ? object->capacity_pages : page + count;
}

/* ---- the file has changed ---------------------------------------------------------------- */

/* Pages from page on that are there, and were not changed since they were read or written. */
static uint64_t clean_run(struct pager *pager, const struct object *object, uint64_t page,
			  uint64_t end)
{
	uint64_t count = 0;
	for (; page + count < end && count < GUESS_PAGES; count++) {
		uint64_t pte = object_pte(object, page + count);
		if (pte_state(pte) != PAGE_RESIDENT || pte & PTE_DIRTY ||
		    frame_get(pager, (uint32_t)pte_number(pte))->flags & FRAME_WRITEBACK)
			break;
	}
	return count;
}

/*
 * Give up to count pages, which are there and clean, what is in the file now: they are protected,
 * and whoever wants to write them waits. Who has just written it has left it in the kernel's cache,
 * so that this does not wait for the disk. Returns how many pages have it.
 */
static uint64_t pages_refresh(struct pager *pager, struct object *object, uint64_t page,
			      uint64_t count, uint64_t file_bytes)
{
	unsigned char *bytes = pager->guesses.bytes;
	off_t at = (off_t)(page << PAGE_SHIFT);
	struct iovec vector = {bytes, count << PAGE_SHIFT};
	int flags = board_pinned(object, page) ? 0 : RWF_NOWAIT;
	ssize_t got = preadv2(object->fd_tail, &vector, 1, at, flags);
	uint64_t end = got > 0 ? (page << PAGE_SHIFT) + (uint64_t)got : 0;
	if (end && end == file_bytes) {
		memset(bytes + got, 0, (size_t)(-got & (PAGE_BYTES - 1)));
		got = (got + PAGE_BYTES - 1) & ~(ssize_t)(PAGE_BYTES - 1);
	}
	if (got < PAGE_BYTES)
		return 0;
	ssize_t done = pwrite(object->memfd, bytes, (size_t)got & ~(size_t)(PAGE_BYTES - 1), at);
	return done > 0 ? (uint64_t)done >> PAGE_SHIFT : 0;
}

void object_refresh(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint64_t end = range_end(object, page, count), bytes, run;
	pageout_settle(pager);
	io_unstage_object(pager, object, page, end);
	object->reserved_page = object->reserved_end = 0;
	object_file_pages(object, &bytes);
	for (page = object_next_armed(object, page); page < end;
	     page = object_next_armed(object, page + run)) {
		if (object_pte(object, page) & PTE_DIRTY)
			guess_undo(pager, object, page);
		run = clean_run(pager, object, page, end);
		run = run ? pages_refresh(pager, object, page, run, bytes) : 0;
		if (!run) {
			page_invalidate(pager, object, page);
			run = 1;
		}
	}
}

void object_cut(struct pager *pager, struct object *object, uint64_t page)
{
	while (object->dirty_pages &&
	       (page = object_next_armed(object, page)) < object->capacity_pages) {
		if (object_pte(object, page) & PTE_DIRTY && !board_pinned(object, page))
			object_discard(pager, object, page, 1);
		page++;
	}
}
