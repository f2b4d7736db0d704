/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core.h"

#define OVERDUE_NS 10000000000ull

#define BOARD_BYTES (PAGERD_BOARD_ENTRIES + (OBJECT_MAX_PAGES * sizeof(uint64_t)))

/* ---- life -------------------------------------------------------------------------------- */

static void *map(int fd, uint64_t bytes, uint64_t offset)
{
	void *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)offset);
	return place == MAP_FAILED ? NULL : place;
}

static void unmap(void *place, uint64_t bytes)
{
	if (place)
		munmap(place, bytes);
}

static void board_destroy(struct board *board)
{
	unmap(board->head, PAGE_BYTES);
	unmap(board->lock, PAGE_BYTES);
	if (board->fd >= 0)
		close(board->fd);
	free(board);
}

static int board_make(const struct object *object, struct board **out)
{
	struct board *board = calloc(1, sizeof *board);
	if (!board)
		return -ENOMEM;
	board->fd = memfd_make("pagerd-board", BOARD_BYTES, 0);
	int error = board->fd < 0 ? board->fd : 0;
	if (!error) {
		board->head = map(board->fd, PAGE_BYTES, 0);
		board->lock = map(object->memfd, PAGE_BYTES, OBJECT_MAX_PAGES << PAGE_SHIFT);
		error = board->head && board->lock ? 0 : -ENOMEM;
	}
	if (error)
		board_destroy(board);
	else
		*out = board;
	return error;
}

static int board_create(struct pager *pager, struct object *object)
{
	struct board *board;
	int error = board_make(object, &board);
	if (error)
		return error;
	error = object_table_move(object, board->fd);
	/* For good, now that we have mapped it: a client of our own user could reopen it. */
	if (!error && fcntl(board->fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		error = -errno;
	if (error) {
		board_destroy(board);
		return error;
	}
	board->lock->owner = 0;
	board->head->held =
		PAGERD_BOARD_STORES | PAGERD_BOARD_MOVES; /* until the end of the turn */
	board->head->poisoned = pager->poison.used > 0;
	board->next = pager->boards;
	pager->boards = object;
	object->board = board;
	board_writing(object, object->writes);
	board_update(object);
	return 0;
}

/* What it may do with the memfd it has been given with a mapping. */
static bool maps(const struct object *object, const struct client *client, bool writable)
{
	for (const struct region *region = object->regions; region; region = region->object_next)
		if (region->client == client->number && !(writable && region->read_only))
			return true;
	return false;
}

/* Or would be, if it asked for one. Not another user's: see object_guard. */
static bool may_map(const struct object *object, const struct client *client, bool writable,
		    int flags)
{
	if (!writable)
		return !client->uid || client->uid == object->uid;
	return client->uid == object->uid && (flags & O_ACCMODE) == O_RDWR && !(flags & O_APPEND);
}

int board_open(struct pager *pager, struct object *object, const struct client *client, bool pages,
	       int flags, int *fd)
{
	if (!may_map(object, client, pages, flags) && !maps(object, client, pages))
		return -EACCES;
	int error = object->board ? 0 : board_create(pager, object);
	if (error)
		return error;
	int own = pages ? memfd_pass(object->memfd, false) : memfd_pass(object->board->fd, true);
	if (own >= 0)
		*fd = own;
	return own < 0 ? own : 0;
}

void board_close(struct pager *pager, struct object *object)
{
	if (!object->board)
		return;
	struct object **link = &pager->boards;
	while (*link != object)
		link = &(*link)->board->next;
	*link = object->board->next;
	__atomic_store_n(&object->board->head->closed, 1, __ATOMIC_SEQ_CST);
	board_destroy(object->board);
	object->board = NULL;
}

/* ---- the lock ---------------------------------------------------------------------------- */

static uint64_t owner_of(const struct board *board)
{
	return __atomic_load_n(&board->lock->owner, __ATOMIC_SEQ_CST);
}

static void hold(const struct board *board, uint32_t why)
{
	__atomic_fetch_or(&board->head->held, why, __ATOMIC_SEQ_CST);
}

void board_hold(const struct object *object)
{
	if (object->board)
		hold(object->board, PAGERD_BOARD_MOVES);
}

bool board_locked(const struct object *object)
{
	struct board *board = object->board;
	if (!board)
		return false;
	hold(board, PAGERD_BOARD_STORES);
	if (owner_of(board))
		return !board->overdue;
	board->waited_ns = 0;
	board->overdue = false;
	return false;
}

bool board_locked_by_other(const struct object *object, const struct client *client)
{
	return board_locked(object) && (uint32_t)owner_of(object->board) != client->number;
}

bool board_wait(const struct pager *pager, const struct object *object)
{
	struct board *board = object->board;
	if (!board_locked(object))
		return false;
	__atomic_store_n(&board->head->waiting, 1, __ATOMIC_SEQ_CST);
	if (!board_locked(object))
		return false; /* it was unlocked before that could be seen */
	if (!board->waited_ns)
		board->waited_ns = pager->now_ns;
	return true;
}

void board_waits_no_more(const struct object *object)
{
	if (object->board)
		__atomic_store_n(&object->board->head->waiting, 0, __ATOMIC_SEQ_CST);
}

bool board_pinned(const struct object *object, uint64_t page)
{
	const struct board *board = object->board;
	if (!board)
		return false;
	hold(board, PAGERD_BOARD_MOVES);
	if (!owner_of(board))
		return false;
	uint64_t first = __atomic_load_n(&board->lock->page, __ATOMIC_RELAXED);
	uint64_t count = __atomic_load_n(&board->lock->count, __ATOMIC_RELAXED);
	return page - first < (count < PAGERD_FILE_LOCK_PAGES ? count : PAGERD_FILE_LOCK_PAGES);
}

void boards_release(struct pager *pager)
{
	for (const struct object *object = pager->boards; object; object = object->board->next) {
		struct pagerd_board *head = object->board->head;
		uint32_t held = object->frozen ? PAGERD_BOARD_MOVES : 0;
		if (head->held != held)
			__atomic_store_n(&head->held, held, __ATOMIC_RELEASE);
	}
}

/* Unlock what the client has locked; nobody locks it in this turn. */
static bool locks_end(const struct pager *pager, const struct client *client)
{
	bool any = false;
	for (const struct object *object = pager->boards; object; object = object->board->next) {
		struct board *board = object->board;
		uint64_t owner = owner_of(board);
		if ((uint32_t)owner != client->number)
			continue;
		board_hold(object);
		__atomic_compare_exchange_n(&board->lock->owner, &owner, 0, false, __ATOMIC_SEQ_CST,
					    __ATOMIC_SEQ_CST);
		board->left = any = true;
	}
	return any;
}

static struct object *board_left(const struct pager *pager)
{
	struct object *object = pager->boards;
	while (object && !object->board->left)
		object = object->board->next;
	return object;
}

/* The range is what the client says it is. */
static void lock_refresh(struct pager *pager, struct object *object)
{
	const struct pagerd_file_lock *lock = object->board->lock;
	uint64_t page = __atomic_load_n(&lock->page, __ATOMIC_RELAXED);
	if (page < object->capacity_pages)
		object_refresh(pager, object, page, PAGERD_FILE_LOCK_PAGES);
}

void boards_leave(struct pager *pager, const struct client *client)
{
	if (!locks_end(pager, client))
		return;
	for (struct object *object; (object = board_left(pager));) {
		object->board->left = false;
		board_waits_no_more(object);
		lock_refresh(pager, object);
	}
	fault_retry_queue(pager, &pager->frozen);
}

/* Whether those who wait for it may go on: it is free, or has just become overdue. */
static bool lock_tick(const struct pager *pager, struct board *board)
{
	if (!board->waited_ns || board->overdue)
		return false;
	if (owner_of(board) && pager->now_ns - board->waited_ns < OVERDUE_NS)
		return false;
	board->overdue = owner_of(board);
	board->waited_ns = 0;
	return true;
}

void boards_tick(struct pager *pager)
{
	bool any = false;
	for (struct object *object = pager->boards, *next; object; object = next) {
		next = object->board->next;
		any |= lock_tick(pager, object->board);
		object_reap(pager, object);
	}
	if (any)
		fault_retry_queue(pager, &pager->frozen);
}

/* ---- levels ------------------------------------------------------------------------------ */

/* Before the pages are clean, and after: who sees that they are sees this, too. */
void board_writing(const struct object *object, int64_t pages)
{
	if (object->board)
		__atomic_fetch_add(&object->board->head->writing, pages, __ATOMIC_ACQ_REL);
}

void board_update(const struct object *object)
{
	if (!object->board)
		return;
	struct pagerd_board *head = object->board->head;
	__atomic_store_n(&head->dirty, object->dirty_pages, __ATOMIC_RELEASE);
	__atomic_store_n(&head->pages, object->capacity_pages, __ATOMIC_RELEASE);
}

void board_poisoned(const struct object *object)
{
	if (object->board)
		__atomic_store_n(&object->board->head->poisoned, 1, __ATOMIC_SEQ_CST);
}
