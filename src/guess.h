/* SPDX-License-Identifier: MIT */
/*
 * Guesses: pages that are made writable before anybody writes them.
 *
 * Where a run of writes goes on, the pages ahead of it are mapped writable and are dirty from then
 * on, and no fault tells which of them were written after all. A page of a file that was not must
 * not be written back: what somebody else has put there meanwhile would be undone. So a digest of
 * what it held is kept, and looked at when the page, protected by then, is about to be written: one
 * that still holds the same is clean. A page of anonymous memory is simply dirty.
 *
 * The digest is a universal hash with a random key that nobody else knows (NH, as in RFC 4418, on
 * words of 64 bits): two contents that differ have the same one with a probability of at most
 * 2^-64, whatever they are.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_GUESS_H
#define PAGERD_GUESS_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct object;
struct region;

#define GUESS_PAGES 64u /* how many of those that are resident follow one that is written */
#define GUESS_WORDS 512u

struct digest {
	uint64_t low, high;
};

struct guesses {
	uint64_t key[GUESS_WORDS];
	struct digest *of;    /* by frame, of those that are FRAME_GUESSED */
	unsigned char *bytes; /* GUESS_PAGES pages, for guess_follow */
};

/* 0, -ENOMEM, or what getrandom has. */
int guess_init(struct pager *pager);
void guess_finish(struct pager *pager);

/* May pages that come in for the region be writable at once? Of those of a file with holes, only
 * those that have their blocks may: see guess_follow. */
bool guess_may(struct pager *pager, const struct object *object, const struct region *region);
/* The page, which is resident and holds bytes (or did, until it was made writable), is dirty. */
void guess_dirty(struct pager *pager, struct object *object, uint64_t page, const void *bytes);
/* Of count resident pages from page on, at most GUESS_PAGES, make those dirty that are not, before
 * they are made writable; returns how many may be: as many as can be read. */
uint64_t guess_follow(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* Was the page of the frame, which is protected and holds bytes, never written? */
bool guess_wrong(struct pager *pager, uint32_t frame, const void *bytes);
/* If the page, which is dirty, was never written it is clean from now on; returns whether. */
bool guess_undo(struct pager *pager, struct object *object, uint64_t page);

struct digest digest_of(const uint64_t *key, const void *page);

#endif
