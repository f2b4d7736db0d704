/* SPDX-License-Identifier: MIT */
/*
 * Objects: sequences of pages with one identity and one home on disk.
 *
 * An object's resident pages are the pages of its memfd; page n of the object is page n of the
 * memfd. What is known about each page is one 64-bit entry of its page table, written in one
 * store, in numbers:
 *
 *	bit 0-1   state
 *	bit 2     dirty: differs from its file or slot (only RESIDENT)
 *	bit 4-6   see push.h
 *	bit 8-63  frame number (RESIDENT, READING) or slot number (SWAPPED)
 *
 *	          read starts               installed
 *	ABSENT ---------------> READING ------------------> RESIDENT <---+ write fault:
 *	SWAPPED --------------> READING                      |   |  ^    | dirty
 *	   ^   ^                  |                          |   |  +----+
 *	   |   +--- read failed --+                          |   |  written: clean again
 *	   +-------------------- evicted (clean) ------------+   |
 *	ABSENT -------------- first touch: zeros ----------------+--> (RESIDENT)
 *
 * ABSENT means: in the file for a file object, zeros for an anonymous one.
 *
 * Invariants:
 *  O1  RESIDENT if and only if the memfd has that page (a client that maps the memfd writable
 *      and punches it harms only itself and those it shares with: the page is read again).
 *  O2  RESIDENT and not dirty: the page is write-protected in every region that maps it, and
 *      equal to its file, or to frame.slot, or (anonymous, no slot) zeros.
 *  O3  If any page of a chunk (CHUNK_PAGES) ever was other than ABSENT, the chunk is armed: every
 *      region that maps it has its protection markers there, so that no write goes unseen.
 *  O4  A slot number stands in exactly one place: an entry, a frame, or a write in flight.
 *
 * All functions: the pager's thread only.
 */
#ifndef PAGERD_OBJECT_H
#define PAGERD_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "board.h"
#include "cache.h"
#include "histogram.h"
#include "pagerd/pagerd.h"
#include "pagerd/protocol.h"
#include "slot.h"

struct board;
struct pager;
struct region;

enum page_state {
	PAGE_ABSENT = 0,
	PAGE_RESIDENT = 1,
	PAGE_SWAPPED = 2,
	PAGE_READING = 3,
};
#define PTE_STATE  3ull
#define PTE_DIRTY  4ull
#define PTE_SEEN   16ull /* forked memory only, see push.h */
#define PTE_ZERO   32ull
#define PTE_GONE   64ull
#define PTE_NUMBER 8 /* shift */

static inline enum page_state pte_state(uint64_t pte)
{
	return (enum page_state)(pte & PTE_STATE);
}

static inline uint64_t pte_number(uint64_t pte)
{
	return pte >> PTE_NUMBER;
}

static inline uint64_t pte_make(enum page_state state, uint64_t number, uint64_t flags)
{
	return (uint64_t)state | flags | number << PTE_NUMBER;
}

/* The entry of a page that is not resident, and whose contents are in slot; SLOT_NONE: in its file,
 * or zeros. */
static inline uint64_t pte_away(uint64_t slot)
{
	return slot == SLOT_NONE ? pte_make(PAGE_ABSENT, 0, 0) : pte_make(PAGE_SWAPPED, slot, 0);
}

/* Protection markers are set a chunk (one page-table page of the client) at a time, so that
 * large sparse mappings cost nothing where they are not used. */
#define CHUNK_PAGES 512u
/* Every memfd has this size, sparse, sealed: objects can grow, sizes tell nothing. */
#define OBJECT_MAX_PAGES (1ull << 32)
/* And a page behind that for the lock, see board.h. */
#define OBJECT_MEMFD_PAGES (OBJECT_MAX_PAGES + 1)

struct object {
	uint32_t number;
	enum pagerd_kind kind;
	int memfd;
	uint64_t *table; /* capacity_pages entries, lazily backed */
	uint64_t *armed; /* one bit a chunk */
	uint64_t capacity_pages;
	struct region *regions; /* reverse map */
	uint32_t region_count;
	uint32_t holds;	    /* MAP or OPEN replies not yet registered */
	uint32_t in_flight; /* I/Os */
	int64_t writes;	    /* pages on their way to the file */
	uint32_t write_ios; /* in so many writes */
	uint32_t frozen;    /* a fork or a write(2) is under way: writers wait */
	bool closing;	    /* nobody maps it: write back, then free */
	bool poisoned;	    /* an entry of a client's may have poison, see zap.h */
	uint32_t uid;	    /* who made it */
	bool counted;	    /* among what that user has, see user.h */
	uint32_t pool;	    /* of its own, or 0 */

	uint64_t resident_pages;
	uint64_t dirty_pages;
	uint64_t swap_pages;	   /* slots held by entries and frames */
	struct pagerd_stats stats; /* its counters, not its levels */
	struct histogram latency;

	/* private objects: the object of the file, or of the parent; the next one of the same; and
	 * whose address space it is for */
	uint32_t base;
	uint32_t private_next;
	uint32_t client;
	bool unzapped; /* some SWAPPED pages may be in the client still */

	/* their bases: the first of them, and how many */
	uint32_t privates;
	uint32_t private_count;

	/* file objects */
	dev_t device;
	ino_t inode;
	int fd;		  /* for whole pages; O_DIRECT where the file system has it */
	int fd_tail;	  /* buffered: the page that holds the file's end */
	int fd_before[2]; /* of when it could only be read: what was submitted names them */
	bool writable;	  /* fd may be written */
	bool guarded;	  /* see object_guard */
	bool given;	  /* so is its memfd, to its user */
	bool shown;	  /* in the filter (pagerd/protocol.h) */
	struct cached cached;
	uint64_t pages_seen;	/* see object_pages_seen */
	uint64_t reserved_page; /* [reserved_page, reserved_end) of a sparse file has its blocks */
	uint64_t reserved_end;
	int write_error; /* of the last failed write-back; reported once by a sync */
	struct object *hash_next;
	struct board *board; /* or NULL */
};

/* Nobody maps it, nor is about to: it is there only for what is left to be done, or kept. */
static inline bool object_unused(const struct object *object)
{
	return object->closing || object->cached.idle;
}

static inline bool object_is_file(const struct object *object)
{
	return object->kind == PAGERD_FILE_SHARED;
}

/* The private pages of one client's MAP_PRIVATE mapping of another object: see private.h. */
static inline bool object_is_private(const struct object *object)
{
	return object->kind == PAGERD_FILE_PRIVATE || object->kind == PAGERD_ANON_FORKED;
}

/* The same where the other object is its parent's memory: see push.h. */
static inline bool object_is_forked(const struct object *object)
{
	return object->kind == PAGERD_ANON_FORKED;
}

/* A part of it is shared with a child of its owner's, until one of them writes: see push.h. */
static inline bool object_is_viewed(const struct object *object)
{
	return object->kind == PAGERD_ANON_PRIVATE && object->privates;
}

/* Nobody sees the object's pages but through its own regions, each fault on which comes to where
 * records are waited for. */
static inline bool object_plain(const struct object *object)
{
	return !object_is_private(object) && !object->privates && !object->frozen;
}

/* So many pages more are on their way to its file: to be told before they are clean, and after they
 * are there. */
static inline void object_writing(struct object *object, int64_t pages)
{
	object->writes += pages;
	board_writing(object, pages);
}

static inline uint64_t object_chunks(uint64_t pages)
{
	return (pages + CHUNK_PAGES - 1) / CHUNK_PAGES;
}

static inline uint64_t object_pte(const struct object *object, uint64_t page)
{
	return object->table[page];
}

int object_table_init(struct pager *pager);
void object_table_finish(struct pager *pager);

/* Make an anonymous object. 0 or -ENOMEM, -EMFILE. */
int object_create_anonymous(struct pager *pager, enum pagerd_kind kind, uint64_t pages,
			    struct object **object);
/* Tell who does not map the file that others do, or that they do not. */
void object_show(struct pager *pager, struct object *object, bool shown);
/* It was closing: it is not, any more. */
void object_reopen(struct pager *pager, struct object *object);
/* The object of an open regular file, made if it is new; fd stays the caller's. writable: also
 * for writing. 0, -EACCES (fd is not open for that), -EINVAL, -ENOMEM, -EMFILE. */
int object_open_file(struct pager *pager, int fd, bool writable, struct object **object);
/* Make the object of the client's private pages of base. 0 or -ENOMEM. */
int object_create_private(struct pager *pager, uint32_t client, struct object *base, uint64_t pages,
			  struct object **object);
/* Whether a MAP or OPEN reply that is not registered yet holds the object. */
bool object_held(const struct object *object);
/* Pages of an anonymous object in [page, end) that no region sees any more are freed, if none is
 * about to be mapped. */
void object_free_dead(struct pager *pager, struct object *object, uint64_t page, uint64_t end);
/* Make room for pages page-table entries. 0, -ENOMEM, -EFBIG. */
int object_grow(struct object *object, uint64_t pages);
/* Move its page table to a board's memfd. 0 or -ENOMEM. */
int object_table_move(struct object *object, int fd);
/* By number; NULL if there is none. */
struct object *object_lookup(struct pager *pager, uint64_t number);
/* What others call the object of that number: shards' objects are numbered in turn. */
uint64_t object_outside(const struct pager *pager, uint32_t number);
/* The number of the object that others call so; 0 if it is not of this shard. */
uint64_t object_inside(const struct pager *pager, uint64_t outside);

/* The object whose file or memory the pages are of: its base if it is private, else itself. */
struct object *object_behind(struct pager *pager, struct object *object);

/* A region or a reply in flight may have been the last that needed the object: start closing it
 * if so (anonymous: freed now; files: after write-back), or keep it (see cache.h). */
void object_release(struct pager *pager, struct object *object);
/* Free a closing object if nothing holds it back any more. */
void object_reap(struct pager *pager, struct object *object);

/* Pages [page, page + count), none of which is resident, are going to be filled: see to it that all
 * regions have their protection markers there (O3). 0, or -ENOMEM or -EAGAIN: they must not be. */
int object_arm(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* Write-protect [page, page + count) in every region that maps it. 0, or -ENOMEM or -EAGAIN: then
 * some of it may be written unseen. */
int object_protect(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* A region was added: set its markers wherever the object is armed. */
int object_arm_region(struct pager *pager, struct object *object, struct region *region);
/* Free the frames, slots and memfd pages of [page, page + count), I/O in flight excepted (its
 * pages are dropped when it ends); the contents become zeros, or the file's. 0; or -ENOMEM or
 * -EAGAIN, which cannot be if no region maps them: a part was done. */
int object_discard(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* The first page at or after page whose chunk is armed: others never were resident. */
uint64_t object_next_armed(const struct object *object, uint64_t page);
/* A file with holes: before a page becomes dirty, io_reserve makes sure that there is room for it.
 */
bool object_sparse(const struct object *object);
/*
 * The user uid is going to have the object's memfd, if only for reading. Whoever reads a hole of a
 * memfd through a mapping that is not registered fills it with a page of zeros, which the kernel
 * would show to everybody. Where the object is another user's, its regions are registered for
 * faults on pages that are there, too: all that we did not put in is found out. 0,
 * user_take's (nobody else has it), or uffd_register's.
 */
int object_guard(struct pager *pager, struct object *object, uint32_t uid);
/* The user whose it is: its maker, or whose address space its private pages are in. */
uint32_t object_user(struct pager *pager, const struct object *object);
/* The file ends before page: what was changed of it from there on goes. */
void object_cut(struct pager *pager, struct object *object, uint64_t page);
/* The file has been changed there, while the object was frozen: clean pages show that from now on.
 * Those that are there stay, if the file's are in the kernel's cache. */
void object_refresh(struct pager *pager, struct object *object, uint64_t page, uint64_t count);
/* The object of the file that fd is open on; NULL if there is none. */
struct object *object_find_file(struct pager *pager, int fd);
/* Does any region map a page of [page, page + count), be it by a private object? */
bool object_mapped(struct pager *pager, const struct object *object, uint64_t page, uint64_t count);
/* A file object's present size in whole and begun pages; 0 with *error set if fstat fails. */
uint64_t object_file_pages(const struct object *object, uint64_t *bytes);
/* The same as last seen, which is looked at again if page is not below it. The file may have become
 * shorter since: a read that finds its end says so (io.ended). */
uint64_t object_pages_seen(struct object *object, uint64_t page);
/* The file was found to end where it was not expected to: look. */
uint64_t object_pages_look(struct object *object);

/* ---- between object.c and object_file.c ---- */

/* Make one, without a home. 0, -ENOMEM, -EFBIG, -EMFILE. */
int object_create(struct pager *pager, enum pagerd_kind kind, uint64_t pages,
		  struct object **object);
/* It is found no more. */
void object_file_forget(struct pager *pager, struct object *object);

#endif
