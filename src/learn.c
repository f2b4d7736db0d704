/* SPDX-License-Identifier: MIT */
/* Learned sets: which pages of files the programs of a run touch, and are expected to. */
#include "learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"
#include "warmup.h"

/* ---- files ------------------------------------------------------------------------------- */

static void file_destroy(struct learn_file *file)
{
	memory_release(file->touched, file->pages / 8);
	free(file->wanted);
	free(file->path);
	free(file);
}

/* The learn's record of a file, made if it is new; NULL: no memory, or too many. */
static struct learn_file *file_get(struct learn *learn, dev_t device, ino_t inode)
{
	struct learn_file *file = learn->files;
	while (file && (file->device != device || file->inode != inode))
		file = file->next;
	if (file || learn->file_count == LEARN_FILES_MAX)
		return file;
	file = calloc(1, sizeof *file);
	if (!file)
		return NULL;
	file->device = device;
	file->inode = inode;
	file->next = learn->files;
	learn->files = file;
	learn->file_count++;
	return file;
}

static char *object_path(const struct object *object)
{
	char link[40], path[4096];
	snprintf(link, sizeof link, "/proc/self/fd/%d", object->fd_tail);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (length < 0)
		return NULL;
	path[length] = 0;
	return strdup(path);
}

/* Have bits for so many pages at least. Without memory they are not recorded. */
static void touched_grow(struct learn_file *file, uint64_t pages)
{
	pages = pages < LEARN_PAGES_MAX ? (pages + 63) / 64 * 64 : LEARN_PAGES_MAX;
	if (pages <= file->pages)
		return;
	void *touched = file->touched
				? mremap(file->touched, file->pages / 8, pages / 8, MREMAP_MAYMOVE)
				: memory_reserve(pages / 8);
	if (!touched || touched == MAP_FAILED)
		return;
	file->touched = touched;
	file->pages = pages;
}

/* ---- learns ------------------------------------------------------------------------------ */

static struct learn *learn_find(struct pager *pager, uint64_t number)
{
	for (uint32_t i = 0; number && i < LEARN_MAX; i++)
		if (pager->learns[i].number == number)
			return &pager->learns[i];
	return NULL;
}

static void learn_clear(struct learn *learn)
{
	while (learn->files) {
		struct learn_file *next = learn->files->next;
		file_destroy(learn->files);
		learn->files = next;
	}
	memset(learn, 0, sizeof *learn);
}

void learns_finish(struct pager *pager)
{
	warmup_forget(pager, NULL);
	for (uint32_t i = 0; i < LEARN_MAX; i++)
		learn_clear(&pager->learns[i]);
}

int learn_start(struct pager *pager, struct pager_request *request)
{
	struct learn *learn = NULL;
	uint32_t own = 0;
	for (uint32_t i = 0; i < LEARN_MAX; i++) {
		struct learn *at = &pager->learns[i];
		if (!at->number)
			learn = at;
		else
			own += at->uid == request->uid;
	}
	if (!learn || (request->uid && own >= LEARN_MAX / 8))
		return -EUSERS;
	learn->number = ++pager->learns_ever;
	learn->uid = request->uid;
	learn->record = request->flags & PAGERD_LEARN_RECORD;
	request->learn = learn->number;
	return 0;
}

int learn_pages(struct pager *pager, const struct pager_request *request)
{
	struct learn *learn = learn_find(pager, request->learn);
	if (!learn)
		return -ENOENT;
	uint32_t count = (uint32_t)request->length;
	struct learn_file *file = file_get(learn, request->device, request->inode);
	if (!file || learn->range_count + count > LEARN_RANGES_MAX)
		return file ? -ENOSPC : -ENOMEM;
	uint64_t end = 0;
	if (file->wanted_count) {
		const struct pagerd_pages *last = &file->wanted[file->wanted_count - 1];
		end = last->page + last->count;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct pagerd_pages *range = &request->ranges[i];
		if (range->page < end || !range->count || range->page >= OBJECT_MAX_PAGES ||
		    range->count > OBJECT_MAX_PAGES - range->page)
			return -EINVAL;
		end = range->page + range->count;
	}
	if (file->wanted_count + count > file->wanted_room) {
		uint32_t room = 2 * file->wanted_count + count;
		void *wanted = realloc(file->wanted, room * sizeof *file->wanted);
		if (!wanted)
			return -ENOMEM;
		file->wanted = wanted;
		file->wanted_room = room;
	}
	memcpy(file->wanted + file->wanted_count, request->ranges, count * sizeof *file->wanted);
	file->wanted_count += count;
	learn->range_count += count;
	return 0;
}

/* Nothing is to point to its files any more. */
static void learn_leave(struct client *client)
{
	client->learn = 0;
	for (uint32_t i = 0; i < client->region_count; i++)
		client->regions[i]->learned = NULL;
}

void learn_end(struct pager *pager, uint64_t number)
{
	struct learn *learn = learn_find(pager, number);
	if (!learn)
		return;
	for (uint32_t i = 1; i < pager->client_room; i++)
		if (pager->clients[i] && pager->clients[i]->learn == number)
			learn_leave(pager->clients[i]);
	for (struct learn_file *file = learn->files; file; file = file->next)
		warmup_forget(pager, file);
	learn_clear(learn);
}

int learn_join(struct pager *pager, struct client *client, uint64_t number)
{
	const struct learn *learn = learn_find(pager, number);
	if (!learn || learn->uid != client->uid)
		return -ENOENT;
	if (client->learn != number)
		learn_leave(client);
	client->learn = number;
	return 0;
}

bool learn_records(struct pager *pager, const struct client *client)
{
	const struct learn *learn = learn_find(pager, client->learn);
	return learn && learn->record;
}

void learn_region(struct pager *pager, const struct client *client, struct region *region)
{
	struct learn *learn = learn_find(pager, client->learn);
	const struct object *object = object_behind(pager, object_lookup(pager, region->object));
	if (!learn || !object_is_file(object))
		return;
	struct learn_file *file = file_get(learn, object->device, object->inode);
	if (!file)
		return;
	if (learn->record) {
		if (!file->path)
			file->path = object_path(object);
		touched_grow(file, object->capacity_pages);
	}
	region->learned = file;
	if (file->wanted_count)
		warmup_start(pager, client, region);
}

/* ---- what was learned -------------------------------------------------------------------- */

static bool touched(const struct learn_file *file, uint64_t page)
{
	return file->touched[page / 64] >> (page % 64) & 1;
}

/* The first page from page on that is touched, or not touched. */
static uint64_t next_page(const struct learn_file *file, uint64_t page, bool is)
{
	uint64_t skip = is ? 0 : UINT64_MAX;
	while (page < file->pages && touched(file, page) != is)
		page = page % 64 == 0 && file->touched[page / 64] == skip ? page + 64 : page + 1;
	return page;
}

/* Write the runs of touched pages, as far as there is room; returns how many there are. */
static uint32_t touched_runs(const struct learn_file *file, struct pagerd_pages *runs,
			     uint32_t room)
{
	uint32_t count = 0;
	for (uint64_t page = next_page(file, 0, true), end; page < file->pages;
	     page = next_page(file, end, true)) {
		end = next_page(file, page, false);
		if (count < room)
			runs[count] = (struct pagerd_pages){page, end - page};
		count++;
	}
	return count;
}

static int file_snapshot(const struct learn_file *file, struct learned_info *info)
{
	uint32_t count = touched_runs(file, NULL, 0);
	*info = (struct learned_info){
		.device = file->device,
		.inode = file->inode,
		.path = strdup(file->path),
		.range_count = count,
		.ranges = calloc(count + 1, sizeof *info->ranges),
	};
	if (!info->path || !info->ranges)
		return -ENOMEM;
	touched_runs(file, info->ranges, count);
	return 0;
}

int learn_snapshot(struct pager *pager, uint64_t number, struct pager_snapshot *snapshot)
{
	const struct learn *learn = learn_find(pager, number);
	if (!learn)
		return 0;
	snapshot->learned = calloc(learn->file_count + 1, sizeof *snapshot->learned);
	if (!snapshot->learned)
		return -ENOMEM;
	for (const struct learn_file *file = learn->files; file; file = file->next) {
		if (!file->path || !file->pages)
			continue;
		int error = file_snapshot(file, &snapshot->learned[snapshot->learned_count++]);
		if (error)
			return error;
	}
	return 0;
}
