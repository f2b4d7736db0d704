/* SPDX-License-Identifier: MIT */
/*
 * The client's own table of its paged ranges, ordered by address, in memory that is never paged.
 *
 * No locking. Functions that may add entries need room that regions_reserve has made before, so
 * that they cannot fail halfway through an operation. Pointers to entries are good until the
 * next change of the table.
 */
#ifndef PAGERD_CLIENT_REGIONS_H
#define PAGERD_CLIENT_REGIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pagerd/protocol.h"

enum region_flag {
	REGION_READ_ONLY = 1,  /* MAP_PRIVATE of a read-only memfd: never to become writable */
	REGION_DONTFORK = 2,   /* madvise: a child of fork has nothing there */
	REGION_WIPEONFORK = 4, /* madvise: a child of fork has zeros there */
	REGION_ONFAULT = 8,    /* if it is locked, then by MLOCK_ONFAULT */
};

struct region {
	uint64_t start; /* addresses; end is exclusive */
	uint64_t end;
	/* Ranges that the daemon knows as two are never merged: in a child of fork they are parts
	 * of different objects. */
	uint64_t registration;
	uint64_t offset;     /* bytes into the memfd, of start */
	uint32_t kind;	     /* enum pagerd_kind */
	uint16_t protection; /* PROT_* */
	uint16_t flags;	     /* enum region_flag */
};

/* Whether the client has pages of its own there, over the daemon's memory. */
static inline bool region_is_private(const struct region *region)
{
	return region->kind == PAGERD_FILE_PRIVATE || region->kind == PAGERD_ANON_FORKED;
}

/* Whether it is private anonymous memory, to the program. */
static inline bool region_is_anonymous(const struct region *region)
{
	return region->kind == PAGERD_ANON_PRIVATE || region->kind == PAGERD_ANON_FORKED;
}

/* Whether what is stored there goes to a file. */
static inline bool region_stores(const struct region *region)
{
	return region->kind == PAGERD_FILE_SHARED && !(region->flags & REGION_READ_ONLY);
}

struct regions {
	struct region *entries;
	size_t count;
	size_t room;
};

/* One stretch of a range: of one region, or of no region. */
struct piece {
	uint64_t start;
	uint64_t end;
	const struct region *region; /* NULL: not paged */
};

/* Make room for more entries beyond those there are. 0 or -ENOMEM. */
int regions_reserve(struct regions *regions, size_t more);
/* Give the table's memory back. */
void regions_finish(struct regions *regions);

/* The region that holds address; NULL if none. */
const struct region *regions_lookup(const struct regions *regions, uint64_t address);
/* Whether any page of [start, end) is paged. */
bool regions_overlap(const struct regions *regions, uint64_t start, uint64_t end);
/* The piece that begins at *cursor, which moves to the piece's end; false at end. */
bool regions_piece(const struct regions *regions, uint64_t *cursor, uint64_t end,
		   struct piece *piece);

/* Add a region where there is none (room for 1). Neighbours that continue it are merged. */
void regions_insert(struct regions *regions, const struct region *region);
/* Forget [start, end) (room for 1: a region may be split in two). */
void regions_remove(struct regions *regions, uint64_t start, uint64_t end);
/* Set the protection of what is paged in [start, end) (room for 2). */
void regions_protect(struct regions *regions, uint64_t start, uint64_t end, int protection);
/* Set and clear flags of what is paged in [start, end) (room for 2). */
void regions_mark(struct regions *regions, uint64_t start, uint64_t end, unsigned set,
		  unsigned clear);

#endif
