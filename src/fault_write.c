/* SPDX-License-Identifier: MIT */
/* Write-protect faults: the first write to a clean page that is mapped. */
#include "core.h"
#include "faultstate.h"

bool fault_may_dirty(const struct pager *pager, const struct fault *fault,
		     const struct object *object)
{
	if (!object_is_file(object))
		return !object_is_viewed(object);
	return shortage_may_dirty(pager, fault) && (fault->reserved || !object_sparse(object));
}

/* The page, and how many of those after it are there, up to most in all. Dirty ones may be
 * protected as well, where others have the object mapped. */
static uint64_t resident_run(const struct faultstate *fs, uint64_t most)
{
	uint64_t count = 1;
	while (count < most && pte_state(object_pte(fs->object, fs->page + count)) == PAGE_RESIDENT)
		count++;
	return count;
}

/* First write to a clean page: how many pages from it on a run of writes is going to reach. */
static uint64_t write_run(struct pager *pager, struct faultstate *fs)
{
	struct region *region = fs->region;
	uint64_t end = region->offset + region_pages(region), count = 1;
	if (fs->page == region->write_next)
		region->write_window = region->write_window ? region->write_window * 2 : 2;
	else
		region->write_window = 0;
	if (region->write_window > GUESS_PAGES)
		region->write_window = GUESS_PAGES;
	if (fs->fault->single || record_on(pager))
		region->write_window = 0;
	if (end - fs->page > region->write_window)
		end = fs->page + region->write_window;
	if (end > fs->page)
		count = resident_run(fs, end - fs->page);
	region->write_next = fs->page + count;
	return count;
}

/* As the kernel's page_mkwrite: a hole gets its blocks at the first write, or the writer SIGBUS.
 * Not here: the file may be locked by somebody who waits for us. */
static void fault_reserve(struct pager *pager, struct faultstate *fs, uint64_t count)
{
	if (!io_reserve(pager, fs->object, fs->page, (uint32_t)count, fs->number))
		shortage_wait(pager, fs->number);
}

void fault_reserved(struct pager *pager, uint32_t number, uint32_t count, bool full)
{
	struct fault *fault = &pager->faults[number];
	if (!full)
		fault->reserved = (uint8_t)count;
	else if (count > 1)
		fault->single = true;
	else
		fault->full = true;
	fault_handle(pager, number);
}

void fault_write(struct pager *pager, struct faultstate *fs)
{
	if (fs->fault->full && !(fs->pte & PTE_DIRTY)) {
		fault_fail(pager, fs->number);
		return;
	}
	if (object_is_file(fs->object) && !shortage_may_dirty(pager, fs->fault)) {
		/* It would wait in vain for a frame, where nothing can leave. */
		if (pager->stopping)
			fault_push(pager, &pager->frozen, fs->number);
		else
			shortage_wait(pager, fs->number);
		return;
	}
	struct object *object = fs->object;
	uint64_t count = 1;
	if (object_is_viewed(object)) {
		if (!push_fault(pager, fs))
			return;
	} else if (fs->fault->reserved) {
		object->reserved_page = fs->page;
		object->reserved_end = fs->page + fs->fault->reserved;
		/* What was behind may have given way to another mapping meanwhile. */
		uint64_t left = fs->region->offset + region_pages(fs->region) - fs->page;
		count = resident_run(fs, left < fs->fault->reserved ? left : fs->fault->reserved);
		fs->region->write_next = fs->page + count;
	} else {
		count = write_run(pager, fs);
		bool reserved =
			fs->page >= object->reserved_page && fs->page < object->reserved_end;
		bool sparse = object_sparse(object); /* asks the file */
		if (sparse && !reserved) {
			fault_reserve(pager, fs, count);
			return;
		}
		if (sparse && count > object->reserved_end - fs->page)
			count = object->reserved_end - fs->page;
	}
	frame_dirty(pager, object, fs->page);
	if (count > 1)
		count = 1 + guess_follow(pager, object, fs->page + 1, count - 1);
	update_written(&fs->region->update, fs->page);
	stream_written(&fs->region->streams, fs->page);
	frame_referenced(pager, (uint32_t)pte_number(fs->pte));
	COUNT(pager, fs->client, fs->object, faults_write, 1);
	uint64_t address = region_address(fs->region, fs->page);
	if (uffd_protect(fs->client->uffd, address, count << PAGE_SHIFT, false))
		uffd_wake(fs->client->uffd, address, PAGE_BYTES);
	fault_done(pager, fs->number);
}
