/* SPDX-License-Identifier: MIT */
/* Ranges of an object, in all regions that map them. */
#include <errno.h>

#include "core.h"

static bool chunk_armed(const struct object *object, uint64_t chunk)
{
	return object->armed[chunk / 64] >> (chunk % 64) & 1;
}

bool object_mapped(struct pager *pager, const struct object *object, uint64_t page, uint64_t count)
{
	uint64_t first, pages;
	for (struct region *region = object->regions; region; region = region->object_next)
		if (region_overlap(region, page, count, &first, &pages))
			return true;
	for (uint32_t i = object->privates; i; i = pager->objects[i]->private_next)
		if (object_mapped(pager, pager->objects[i], page, count))
			return true;
	return false;
}

/* Shorten [page, *end) to its part before, or if its first page is mapped, that first part. */
static bool mapped_run(struct pager *pager, const struct object *object, uint64_t page,
		       uint64_t *end)
{
	uint64_t first, pages;
	for (struct region *region = object->regions; region; region = region->object_next) {
		if (!region_overlap(region, page, *end - page, &first, &pages))
			continue;
		if (first == page) {
			*end = first + pages;
			return true;
		}
		*end = first;
	}
	for (uint32_t i = object->privates; i; i = pager->objects[i]->private_next)
		if (mapped_run(pager, pager->objects[i], page, end))
			return true;
	return false;
}

void object_free_dead(struct pager *pager, struct object *object, uint64_t page, uint64_t end)
{
	if (object_is_file(object) || object_held(object))
		return; /* kept in the file; or to be mapped again, over what was there (mremap) */
	if (!object->region_count && !object->privates)
		return; /* freed as a whole */
	for (uint64_t stop; page < end; page = stop) {
		stop = end;
		if (!mapped_run(pager, object, page, &stop))
			object_discard(pager, object, page, stop - page);
	}
}

/* A range of which a part is not registered any more (the client unmapped it by a way that we do
 * not see) is protected page by page: the rest must not be missed. */
static int region_protect(struct pager *pager, struct region *region, uint64_t page, uint64_t count)
{
	struct client *client = client_lookup(pager, region->client);
	uint64_t address = region_address(region, page);
	int error = uffd_protect(client->uffd, address, count << PAGE_SHIFT, true), result = 0;
	if (error != -ENOENT)
		return error == -ESRCH ? 0 : error;
	for (uint64_t i = 0; i < count && count > 1; i++) {
		error = uffd_protect(client->uffd, address + (i << PAGE_SHIFT), PAGE_BYTES, true);
		if (error && error != -ENOENT && error != -ESRCH)
			result = error;
	}
	return result;
}

int object_protect(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint64_t first, pages;
	int result = 0;
	for (struct region *region = object->regions; region; region = region->object_next) {
		if (!region->registered || region->read_only)
			continue;
		if (!region_overlap(region, page, count, &first, &pages))
			continue;
		int error = region_protect(pager, region, first, pages);
		result = error ? error : result;
	}
	return result;
}

/*
 * Punching a hole keeps the markers, but not always: if a thread maps the page once more between
 * the two steps of that (all mappings are removed, then the page), the kernel takes it out of all
 * mappings again, and their markers with it (unmap_mapping_folio: ZAP_FLAG_DROP_MARKER). The region
 * that the page comes in by is protected on the way; others would let a write pass unseen.
 */
int object_arm(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint64_t last = (page + count - 1) / CHUNK_PAGES;
	int again = object->region_count > 1 ? object_protect(pager, object, page, count) : 0;
	if (again)
		return again;
	for (uint64_t chunk = page / CHUNK_PAGES; chunk <= last; chunk++) {
		if (chunk_armed(object, chunk))
			continue;
		int error = object_protect(pager, object, chunk * CHUNK_PAGES, CHUNK_PAGES);
		if (error)
			return error;
		object->armed[chunk / 64] |= 1ull << (chunk % 64);
	}
	return 0;
}

uint64_t object_next_armed(const struct object *object, uint64_t page)
{
	uint64_t chunk = page / CHUNK_PAGES, end = object_chunks(object->capacity_pages);
	while (chunk < end && !chunk_armed(object, chunk))
		chunk = chunk % 64 == 0 && !object->armed[chunk / 64] ? chunk + 64 : chunk + 1;
	return chunk == page / CHUNK_PAGES ? page : chunk * CHUNK_PAGES;
}

int object_arm_region(struct pager *pager, struct object *object, struct region *region)
{
	uint64_t end = region->offset + region_pages(region), first, pages;
	uint64_t page = object_next_armed(object, region->offset);
	while (!region->read_only && page < end) {
		uint64_t chunk = page / CHUNK_PAGES * CHUNK_PAGES;
		int error = region_overlap(region, chunk, CHUNK_PAGES, &first, &pages)
				    ? region_protect(pager, region, first, pages)
				    : 0;
		if (error)
			return error;
		page = object_next_armed(object, chunk + CHUNK_PAGES);
	}
	return 0;
}
