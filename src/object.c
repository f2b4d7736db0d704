/* SPDX-License-Identifier: MIT */
/* Objects: sequences of pages with one identity and one home on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core.h"

#define OBJECT_ROOM_MIN	  64u
#define OBJECT_NUMBER_MAX (1u << 24) /* fits pagerd_page_t */

static uint64_t chunk_count(uint64_t pages)
{
	return (pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
}

static uint64_t armed_bytes(uint64_t pages)
{
	return (chunk_count(pages) + 63) / 64 * 8;
}

static bool chunk_armed(const struct object *object, uint64_t chunk)
{
	return object->armed[chunk / 64] >> (chunk % 64) & 1;
}

int object_table_init(struct pager *pager)
{
	pager->object_room = OBJECT_ROOM_MIN;
	pager->object_free = 1;
	pager->objects = calloc(pager->object_room, sizeof *pager->objects);
	return pager->objects ? 0 : -ENOMEM;
}

static void object_destroy(struct object *object)
{
	if (object->memfd >= 0)
		close(object->memfd);
	if (object->fd >= 0)
		close(object->fd);
	if (object->fd_tail >= 0)
		close(object->fd_tail);
	for (int i = 0; i < 2; i++)
		if (object->fd_before[i] >= 0)
			close(object->fd_before[i]);
	if (object->table)
		munmap(object->table, object->capacity_pages * sizeof *object->table);
	if (object->armed)
		munmap(object->armed, armed_bytes(object->capacity_pages));
	free(object);
}

void object_table_finish(struct pager *pager)
{
	for (uint32_t i = 1; pager->objects && i < pager->object_room; i++)
		if (pager->objects[i]) {
			board_close(pager, pager->objects[i]);
			object_destroy(pager->objects[i]);
		}
	free(pager->objects);
}

static int object_number(struct pager *pager, uint32_t *number)
{
	for (uint32_t i = pager->object_free; i < pager->object_room; i++) {
		if (!pager->objects[i]) {
			*number = i;
			pager->object_free = i + 1;
			return 0;
		}
	}
	uint32_t room = pager->object_room * 2;
	if (room > OBJECT_NUMBER_MAX)
		return -ENOMEM;
	struct object **objects = realloc(pager->objects, room * sizeof *objects);
	if (!objects)
		return -ENOMEM;
	memset(objects + pager->object_room, 0, pager->object_room * sizeof *objects);
	*number = pager->object_room;
	pager->object_free = *number + 1;
	pager->objects = objects;
	pager->object_room = room;
	return 0;
}

static int object_create(struct pager *pager, enum pagerd_kind kind, uint64_t pages,
			 struct object **out)
{
	if (!pages || pages > OBJECT_MAX_PAGES)
		return -EFBIG;
	struct object *object = calloc(1, sizeof *object);
	if (!object)
		return -ENOMEM;
	object->kind = kind;
	object->guarded = record_on(pager);
	object->memfd = object->fd = object->fd_tail = -1;
	object->fd_before[0] = object->fd_before[1] = -1;
	int error = 0;
	if (!object_is_private(object)) {
		object->memfd = memfd_make("pagerd", OBJECT_MEMFD_PAGES << PAGE_SHIFT, F_SEAL_SEAL);
		error = object->memfd < 0 ? object->memfd : 0;
	}
	if (!error)
		error = object_grow(object, pages);
	if (!error)
		error = object_number(pager, &object->number);
	if (error) {
		object_destroy(object);
		return error;
	}
	pager->objects[object->number] = object;
	*out = object;
	return 0;
}

int object_create_anonymous(struct pager *pager, enum pagerd_kind kind, uint64_t pages,
			    struct object **object)
{
	return object_create(pager, kind, pages, object);
}

int object_create_private(struct pager *pager, uint32_t client, struct object *base, uint64_t pages,
			  struct object **out)
{
	enum pagerd_kind kind = object_is_file(base) ? PAGERD_FILE_PRIVATE : PAGERD_ANON_FORKED;
	int error = object_create(pager, kind, pages, out);
	if (error)
		return error;
	(*out)->base = base->number;
	(*out)->private_next = base->privates;
	base->privates = (*out)->number;
	base->private_count++;
	(*out)->client = client;
	(*out)->uid = base->uid;
	(*out)->guarded = true; /* each page is mapped by us: ours, or the file's */
	base->holds++;
	return 0;
}

static void private_forget(struct pager *pager, const struct object *object, struct object *base)
{
	uint32_t *link = &base->privates;
	while (*link != object->number)
		link = &pager->objects[*link]->private_next;
	*link = object->private_next;
	base->private_count--;
	base->holds--;
	if (!base->privates)
		push_end(pager, base);
	object_release(pager, base);
}

bool object_held(const struct object *object)
{
	return object->holds > object->private_count;
}

/* Enlarge a lazily backed array; the kernel moves page-table entries, not contents. */
static int array_grow(void **array, uint64_t old_bytes, uint64_t bytes)
{
	void *grown =
		*array ? mremap(*array, old_bytes, bytes, MREMAP_MAYMOVE) : memory_reserve(bytes);
	if (!grown || grown == MAP_FAILED)
		return -ENOMEM;
	*array = grown;
	return 0;
}

int object_grow(struct object *object, uint64_t pages)
{
	if (pages <= object->capacity_pages)
		return 0;
	if (pages > OBJECT_MAX_PAGES)
		return -EFBIG;
	void *table = object->table, *armed = object->armed;
	int error = array_grow(&table, object->capacity_pages * 8, pages * 8);
	if (error)
		return error;
	object->table = table;
	error = array_grow(&armed, armed_bytes(object->capacity_pages), armed_bytes(pages));
	if (error) {
		/* Shrinking in place cannot fail for want of memory. */
		if (object->capacity_pages)
			object->table = mremap(table, pages * 8, object->capacity_pages * 8, 0);
		else {
			munmap(table, pages * 8);
			object->table = NULL;
		}
		return error;
	}
	object->armed = armed;
	object->capacity_pages = pages;
	board_update(object);
	return 0;
}

int object_table_move(struct object *object, int fd)
{
	uint64_t pages = object->capacity_pages, bytes = pages * sizeof *object->table;
	uint64_t *armed = mmap(NULL, armed_bytes(pages), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			       PAGERD_BOARD_ARMED);
	if (armed == MAP_FAILED)
		return -ENOMEM;
	uint64_t *table =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGERD_BOARD_ENTRIES);
	if (table == MAP_FAILED) {
		munmap(armed, armed_bytes(pages));
		return -ENOMEM;
	}
	for (uint64_t page = object_next_armed(object, 0); page < pages;
	     page = object_next_armed(object, page + 1))
		table[page] = object->table[page];
	memcpy(armed, object->armed, armed_bytes(pages));
	munmap(object->table, bytes);
	munmap(object->armed, armed_bytes(pages));
	object->table = table;
	object->armed = armed;
	return 0;
}

struct object *object_lookup(struct pager *pager, uint64_t number)
{
	return number && number < pager->object_room ? pager->objects[number] : NULL;
}

uint64_t object_outside(const struct pager *pager, uint32_t number)
{
	return (uint64_t)(number - 1) * pager->config.shards + pager->config.shard + 1;
}

uint64_t object_inside(const struct pager *pager, uint64_t outside)
{
	bool own = outside && (outside - 1) % pager->config.shards == pager->config.shard;
	return own ? (outside - 1) / pager->config.shards + 1 : 0;
}

struct object *object_behind(struct pager *pager, struct object *object)
{
	return object_is_private(object) ? object_lookup(pager, object->base) : object;
}

/* ---- files ------------------------------------------------------------------------------- */

/*
 * The file's descriptors, with descriptions of our own: O_DIRECT and O_APPEND are flags of the
 * description, which the client shares with fd. Never with more rights.
 */
static int file_descriptors(int fd, int mode, int *direct, int *tail)
{
	int status = fcntl(fd, F_GETFL);
	int own = reopen(fd, mode);
	if (own < 0) {
		/* Not ours to open, but it was given to us: share it, if it writes in place. */
		if (mode == O_RDWR && (status & O_APPEND))
			return -EACCES;
		own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (own < 0)
			return -errno;
	} else {
		posix_fadvise(own, 0, 0, POSIX_FADV_RANDOM); /* we read ahead ourselves */
	}
	*tail = own;
	own = reopen(fd, mode | O_DIRECT);
	if (own < 0)
		own = fcntl(*tail, F_DUPFD_CLOEXEC, 0);
	if (own < 0) {
		int error = -errno;
		close(*tail);
		*tail = -1;
		return error;
	}
	*direct = own;
	return 0;
}

static struct object **file_slot(struct pager *pager, dev_t device, ino_t inode)
{
	uint64_t hash = (inode * 0x9e3779b97f4a7c15ull ^ device * 0xc2b2ae3d27d4eb4full) >> 40;
	return &pager->file_hash[hash % FILE_HASH];
}

static struct object *file_find(struct pager *pager, dev_t device, ino_t inode)
{
	struct object *object = *file_slot(pager, device, inode);
	while (object && (object->device != device || object->inode != inode))
		object = object->hash_next;
	return object;
}

struct object *object_find_file(struct pager *pager, int fd)
{
	struct stat st;
	return fstat(fd, &st) < 0 ? NULL : file_find(pager, st.st_dev, st.st_ino);
}

static void file_forget(struct pager *pager, struct object *object)
{
	struct object **link = file_slot(pager, object->device, object->inode);
	while (*link != object)
		link = &(*link)->hash_next;
	*link = object->hash_next;
}

/* The object was open for reading only; now somebody may write. */
static int file_upgrade(struct pager *pager, struct object *object, int fd)
{
	int direct = -1, tail = -1;
	int error = file_descriptors(fd, O_RDWR, &direct, &tail);
	if (error)
		return error;
	/* The kernel may look up a descriptor as late as when one of its threads begins. Once in an
	 * object's life: they are closed with it. */
	object->fd_before[0] = object->fd;
	object->fd_before[1] = object->fd_tail;
	object->fd = direct;
	object->fd_tail = tail;
	object->writable = true;
	return 0;
}

static int file_create(struct pager *pager, int fd, const struct stat *st, bool writable,
		       struct object **out)
{
	int direct = -1, tail = -1;
	int error = file_descriptors(fd, writable ? O_RDWR : O_RDONLY, &direct, &tail);
	if (error)
		return error;
	struct object *object;
	error = object_create(pager, PAGERD_FILE_SHARED, 1, &object);
	if (error) {
		close(direct);
		close(tail);
		return error;
	}
	object->fd = direct;
	object->fd_tail = tail;
	object->device = st->st_dev;
	object->inode = st->st_ino;
	object->writable = writable;
	cache_watch(object, st);
	struct object **slot = file_slot(pager, st->st_dev, st->st_ino);
	object->hash_next = *slot;
	*slot = object;
	*out = object;
	return 0;
}

int object_open_file(struct pager *pager, int fd, bool writable, struct object **out)
{
	struct stat st;
	int status = fcntl(fd, F_GETFL);
	if (status < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (status & O_PATH)
		return -EBADF; /* opens nothing: its user may have no right to the contents */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((status & O_ACCMODE) == O_WRONLY || (writable && (status & O_ACCMODE) != O_RDWR))
		return -EACCES;
	struct object *object = file_find(pager, st.st_dev, st.st_ino);
	if (!object)
		return file_create(pager, fd, &st, writable, out);
	if (object->cached.idle)
		cache_take(pager, object, &st);
	if (writable && !object->writable) {
		int error = file_upgrade(pager, object, fd);
		if (error)
			return error;
	}
	if (object->closing) {
		object->closing = false;
		pager->closing_objects--;
	}
	*out = object;
	return 0;
}

int object_guard(struct pager *pager, struct object *object, uint32_t uid)
{
	/* What one user has set for it binds nobody else. */
	if (object->pool && pager->pools[object->pool].uid && pager->pools[object->pool].uid != uid)
		pool_give_up(pager, &object->pool);
	if (!object->given)
		object->uid = uid; /* nobody else has it */
	if (object->guarded || object->uid == uid)
		return 0;
	object->guarded = true;
	for (struct region *region = object->regions; region; region = region->object_next) {
		const struct client *client = client_lookup(pager, region->client);
		int error = region->registered ? uffd_register(client->uffd, region->start,
							       region->end - region->start, true)
					       : 0;
		if (error && error != -ESRCH)
			return error;
	}
	return 0;
}

uint32_t object_user(struct pager *pager, const struct object *object)
{
	const struct client *client =
		object_is_private(object) ? client_lookup(pager, object->client) : NULL;
	return client ? client->uid : object->uid;
}

uint64_t object_file_pages(const struct object *object, uint64_t *bytes)
{
	struct stat st;
	if (fstat(object->fd, &st) < 0)
		st.st_size = 0;
	*bytes = (uint64_t)st.st_size;
	return ((uint64_t)st.st_size + PAGE_BYTES - 1) >> PAGE_SHIFT;
}

uint64_t object_pages_look(struct object *object)
{
	uint64_t bytes;
	object->pages_seen = object_file_pages(object, &bytes);
	return object->pages_seen;
}

uint64_t object_pages_seen(struct object *object, uint64_t page)
{
	return page < object->pages_seen ? object->pages_seen : object_pages_look(object);
}

bool object_sparse(const struct object *object)
{
	struct stat st;
	return object_is_file(object) && fstat(object->fd, &st) == 0 &&
	       (uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size;
}

/* ---- the end of an object ---------------------------------------------------------------- */

void object_release(struct pager *pager, struct object *object)
{
	if (object->region_count || object->holds || object_unused(object))
		return;
	/* While it is not marked, nothing frees it: the reads that are given up do not. */
	io_unstage_object(pager, object, 0, object->capacity_pages);
	if (object_is_file(object) && cache_keep(pager, object))
		return;
	object->closing = true;
	pager->closing_objects++;
	if (object_is_file(object) && object->dirty_pages)
		sync_start(pager, object, 0, object->capacity_pages, false, NULL);
	if (!object_is_file(object))
		object_discard(pager, object, 0, object->capacity_pages);
	object_reap(pager, object);
}

void object_reap(struct pager *pager, struct object *object)
{
	if (!object->closing || object->in_flight || object->dirty_pages ||
	    board_wait(pager, object))
		return;
	for (struct sync *sync = pager->syncs; sync; sync = sync->next)
		if (sync->object == object->number)
			return;
	object_discard(pager, object, 0, object->capacity_pages);
	if (object->in_flight)
		return;
	if (object_is_file(object))
		file_forget(pager, object);
	board_close(pager, object);
	pool_give_up(pager, &object->pool);
	pager->closing_objects--;
	struct object *base = object_lookup(pager, object->base);
	if (base)
		private_forget(pager, object, base);
	pager->objects[object->number] = NULL;
	if (object->number < pager->object_free)
		pager->object_free = object->number;
	object_destroy(object);
	drain_check(pager);
}

/* ---- all regions that map it ------------------------------------------------------------- */

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

/* ---- discarding -------------------------------------------------------------------------- */

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

uint64_t object_next_armed(const struct object *object, uint64_t page)
{
	uint64_t chunk = page / CHUNK_PAGES, end = chunk_count(object->capacity_pages);
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

void object_invalidate(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	uint64_t end = range_end(object, page, count);
	pageout_settle(pager);
	io_unstage_object(pager, object, page, end);
	object->reserved_page = object->reserved_end = 0;
	for (page = object_next_armed(object, page); page < end;
	     page = object_next_armed(object, page + 1))
		page_invalidate(pager, object, page);
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
