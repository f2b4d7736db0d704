/* SPDX-License-Identifier: MIT */
/* The sequence of references. Identities are looked up in batches, so that the cache misses of a
 * batch overlap. */
#include "references.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int no_memory(const struct references *references, struct why *why)
{
	return why_say(why, -ENOMEM, "no memory for more than %llu references",
		       (unsigned long long)references->count);
}

int references_init(struct references *references, bool merge, struct why *why)
{
	memset(references, 0, sizeof *references);
	references->merge = merge;
	pthread_mutex_init(&references->next_lock, NULL);
	return dense_init(&references->dense) ? no_memory(references, why) : 0;
}

void references_finish(struct references *references)
{
	dense_finish(&references->dense);
	free(references->list);
	free(references->next);
	pthread_mutex_destroy(&references->next_lock);
}

static int list_reserve(struct references *references, struct why *why)
{
	if (references->count + references->pending <= references->room)
		return 0;
	if (references->count + references->pending > REFERENCES_MAX)
		return why_say(why, -E2BIG, "more than %llu references",
			       (unsigned long long)REFERENCES_MAX);
	uint64_t room = references->room ? 2 * references->room : 1u << 14;
	uint32_t *list = realloc(references->list, room * sizeof *list);
	if (!list)
		return no_memory(references, why);
	references->list = list;
	references->room = room;
	return 0;
}

static void append(struct references *references, uint32_t page, bool write)
{
	uint32_t bit = write ? REFERENCE_WRITE : 0;
	uint32_t *end = references->list + references->count;
	if (references->merge && references->count && (end[-1] & ~REFERENCE_WRITE) == page) {
		references->writes += write && !(end[-1] & REFERENCE_WRITE);
		end[-1] |= bit;
		return;
	}
	*end = page | bit;
	references->count++;
	references->writes += write;
}

static int batch_add(struct references *references, struct why *why)
{
	int error = list_reserve(references, why);
	if (error)
		return error;
	error = dense_reserve(&references->dense, references->pending);
	if (error == -E2BIG)
		return why_say(why, error, "more than %lu pages", (unsigned long)DENSE_MAX);
	if (error)
		return no_memory(references, why);
	for (uint32_t i = 0; i < references->pending; i++)
		dense_prefetch(&references->dense, references->ids[i]);
	for (uint32_t i = 0; i < references->pending; i++)
		append(references, dense_page(&references->dense, references->ids[i]),
		       references->writes_pending[i]);
	references->pending = 0;
	return 0;
}

int references_add(struct references *references, uint64_t id, bool write, struct why *why)
{
	references->ids[references->pending] = id;
	references->writes_pending[references->pending] = write;
	if (++references->pending < REFERENCES_BATCH)
		return 0;
	return batch_add(references, why);
}

int references_end(struct references *references, struct why *why)
{
	int error = batch_add(references, why);
	references->pages = references->dense.pages;
	dense_finish(&references->dense);
	return error;
}

static uint32_t *next_compute(const struct references *references)
{
	uint32_t *next = malloc(references->count * sizeof *next);
	uint32_t *coming = malloc(references->pages * sizeof *coming);
	if (next && coming) {
		memset(coming, 0xff, references->pages * sizeof *coming); /* REFERENCE_NEVER */
		for (uint64_t i = references->count; i-- > 0;) {
			uint32_t page = references->list[i] & ~REFERENCE_WRITE;
			next[i] = coming[page];
			coming[page] = (uint32_t)i;
		}
	} else {
		free(next);
		next = NULL;
	}
	free(coming);
	return next;
}

const uint32_t *references_next(struct references *references)
{
	pthread_mutex_lock(&references->next_lock);
	if (!references->next)
		references->next = next_compute(references);
	const uint32_t *next = references->next;
	pthread_mutex_unlock(&references->next_lock);
	return next;
}
