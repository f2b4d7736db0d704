/* SPDX-License-Identifier: MIT */
#include "hide.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core.h"

#define RESTORE_TRIES 64

bool hide_copy(struct pager *pager, struct object *object, uint64_t page, void *bytes)
{
	return !object_protect(pager, object, page, 1) &&
	       pread(object->memfd, bytes, PAGE_BYTES, (off_t)(page << PAGE_SHIFT)) == PAGE_BYTES;
}

void hide_begin(const struct object *object, uint64_t page)
{
	fallocate(object->memfd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)(page << PAGE_SHIFT), PAGE_BYTES);
}

/* Back into the memfd, protected in the parent. */
static bool page_restore(struct pager *pager, struct object *object, uint64_t page,
			 const void *bytes)
{
	for (int tries = 0; tries < RESTORE_TRIES; tries++)
		if (!object_protect(pager, object, page, 1) &&
		    pwrite(object->memfd, bytes, PAGE_BYTES, (off_t)(page << PAGE_SHIFT)) ==
			    PAGE_BYTES)
			return true;
	return false;
}

static void page_lost(struct pager *pager, struct object *object, uint64_t page)
{
	pager_warn(pager, "restore", NULL, -ENOMEM);
	object->poisoned = true;
	for (const struct region *region = object->regions; region; region = region->object_next) {
		uint64_t first, pages;
		if (!region_overlap(region, page, 1, &first, &pages))
			continue;
		const struct client *client = client_lookup(pager, region->client);
		uffd_poison_page(client->uffd, region_address(region, page));
	}
}

void hide_end(struct pager *pager, struct object *object, uint64_t page, const void *bytes)
{
	if (!page_restore(pager, object, page, bytes))
		page_lost(pager, object, page);
}
