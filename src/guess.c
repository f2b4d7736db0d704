/* SPDX-License-Identifier: MIT */
#include "guess.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "core.h"

__extension__ typedef unsigned __int128 uint128;

struct digest digest_of(const uint64_t *key, const void *page)
{
	const unsigned char *bytes = page;
	uint128 sum = 0;
	for (uint32_t i = 0; i < GUESS_WORDS; i += 2) {
		uint64_t words[2];
		memcpy(words, bytes + i * sizeof *words, sizeof words);
		sum += (uint128)(words[0] + key[i]) * (words[1] + key[i + 1]);
	}
	return (struct digest){(uint64_t)sum, (uint64_t)(sum >> 64)};
}

/* The kernel gives up to 256 bytes without being interrupted. */
static int key_draw(uint64_t *key)
{
	for (uint32_t i = 0; i < GUESS_WORDS; i += 32)
		if (getrandom(key + i, 32 * sizeof *key, 0) != 32 * sizeof *key)
			return errno ? -errno : -EIO;
	return 0;
}

int guess_init(struct pager *pager)
{
	struct guesses *guesses = &pager->guesses;
	guesses->of = memory_reserve(pager->frame_limit * sizeof *guesses->of);
	guesses->bytes = malloc((size_t)GUESS_PAGES << PAGE_SHIFT);
	if (!guesses->of || !guesses->bytes)
		return -ENOMEM;
	return key_draw(guesses->key);
}

void guess_finish(struct pager *pager)
{
	memory_release(pager->guesses.of, pager->frame_limit * sizeof *pager->guesses.of);
	free(pager->guesses.bytes);
}

bool guess_may(struct pager *pager, const struct object *object, const struct region *region)
{
	if (region->read_only || object->frozen || board_locked(object) ||
	    object_is_private(object) || object_is_viewed(object) || record_on(pager))
		return false;
	return !object_is_file(object) ||
	       (shortage_may_dirty(pager, NULL) && !object_sparse(object));
}

void guess_dirty(struct pager *pager, struct object *object, uint64_t page, const void *bytes)
{
	uint64_t pte = object_pte(object, page);
	uint32_t number = (uint32_t)pte_number(pte);
	if (pte & PTE_DIRTY)
		return;
	frame_dirty(pager, object, page);
	if (!object_is_file(object))
		return;
	pager->guesses.of[number] = digest_of(pager->guesses.key, bytes);
	frame_get(pager, number)->flags |= FRAME_GUESSED;
}

static bool any_clean(const struct object *object, uint64_t page, uint64_t count)
{
	for (uint64_t end = page + count; page < end; page++)
		if (!(object_pte(object, page) & PTE_DIRTY))
			return true;
	return false;
}

uint64_t guess_follow(struct pager *pager, struct object *object, uint64_t page, uint64_t count)
{
	unsigned char *bytes = pager->guesses.bytes;
	if (object_is_file(object) && any_clean(object, page, count)) {
		ssize_t got = pread(object->memfd, bytes, count << PAGE_SHIFT,
				    (off_t)(page << PAGE_SHIFT));
		count = got > 0 ? (uint64_t)got >> PAGE_SHIFT : 0;
	}
	for (uint64_t i = 0; i < count; i++)
		guess_dirty(pager, object, page + i, bytes + (i << PAGE_SHIFT));
	return count;
}

bool guess_wrong(struct pager *pager, uint32_t frame, const void *bytes)
{
	if (!(frame_get(pager, frame)->flags & FRAME_GUESSED))
		return false;
	struct digest now = digest_of(pager->guesses.key, bytes), then = pager->guesses.of[frame];
	return now.low == then.low && now.high == then.high;
}

bool guess_undo(struct pager *pager, struct object *object, uint64_t page)
{
	uint32_t number = (uint32_t)pte_number(object_pte(object, page));
	unsigned char *bytes = pager->guesses.bytes;
	if (!(frame_get(pager, number)->flags & FRAME_GUESSED) ||
	    object_protect(pager, object, page, 1) ||
	    pread(object->memfd, bytes, PAGE_BYTES, (off_t)(page << PAGE_SHIFT)) != PAGE_BYTES ||
	    !guess_wrong(pager, number, bytes))
		return false;
	frame_clean(pager, object, page);
	return true;
}
