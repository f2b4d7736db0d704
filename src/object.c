/* SPDX-License-Identifier: MIT */
/* Objects: sequences of pages with one identity and one home on disk. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"

#define OBJECT_ROOM_MIN	  64u
#define OBJECT_NUMBER_MAX (1u << 24) /* fits pagerd_page_t */

static uint64_t armed_bytes(uint64_t pages)
{
	return (object_chunks(pages) + 63) / 64 * 8;
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
	memory_release(object->table, object->capacity_pages * sizeof *object->table);
	memory_release(object->armed, armed_bytes(object->capacity_pages));
	free(object);
}

void object_table_finish(struct pager *pager)
{
	for (uint32_t i = 1; pager->objects && i < pager->object_room; i++)
		if (pager->objects[i]) {
			object_show(pager, pager->objects[i], false);
			board_close(pager, pager->objects[i]);
			user_give_up(pager, pager->objects[i]);
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

int object_create(struct pager *pager, enum pagerd_kind kind, uint64_t pages, struct object **out)
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
			memory_release(table, pages * 8);
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
	memory_release(object->table, bytes);
	memory_release(object->armed, armed_bytes(pages));
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

int object_guard(struct pager *pager, struct object *object, uint32_t uid)
{
	/* What one user has set for it binds nobody else. */
	if (object->pool && pager->pools[object->pool].uid && pager->pools[object->pool].uid != uid)
		pool_give_up(pager, &object->pool);
	int error = object->given ? 0 : user_take(pager, object, uid); /* nobody else has it */
	if (error)
		return error;
	if (object->guarded || object->uid == uid)
		return 0;
	object->guarded = true;
	for (struct region *region = object->regions; region; region = region->object_next) {
		const struct client *client = client_lookup(pager, region->client);
		error = region->registered ? uffd_register(client->uffd, region->start,
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
		object_file_forget(pager, object);
	board_close(pager, object);
	pool_give_up(pager, &object->pool);
	pager->closing_objects--;
	struct object *base = object_lookup(pager, object->base);
	if (base)
		private_forget(pager, object, base);
	user_give_up(pager, object);
	pager->objects[object->number] = NULL;
	if (object->number < pager->object_free)
		pager->object_free = object->number;
	object_destroy(object);
	drain_check(pager);
}
