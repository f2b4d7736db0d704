/* SPDX-License-Identifier: MIT */
#include "board.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "sys.h"
#include "wire.h"

#define ENTRY_BYTES sizeof(uint64_t)

/* ---- life -------------------------------------------------------------------------------- */

static bool memfd_ours(const struct board *board)
{
	struct stat st;
	return sys_fstat(board->memfd, &st) == 0 && st.st_ino == board->inode &&
	       st.st_dev == board->device;
}

void board_finish(struct board *board)
{
	if (board->head)
		sys_munmap((uint64_t)board->head, board->bytes);
	if (board->lock)
		sys_munmap((uint64_t)board->lock, PAGE_BYTES);
	board_forget(board);
}

void board_forget(struct board *board)
{
	if (board->lock && memfd_ours(board))
		sys_close(board->memfd);
	*board = (struct board){.head = NULL};
}

/* A child has another number to lock with, and gets boards of its own. */
static long map(int fd, uint64_t bytes, int protection, uint64_t offset)
{
	long place = sys_mmap(0, bytes, protection, MAP_SHARED | MAP_NORESERVE, fd, offset);
	if (place >= 0)
		sys_madvise((uint64_t)place, bytes, MADV_DONTFORK);
	return place;
}

static uint64_t load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

/* Entries that the mapping has. */
static uint64_t board_pages(const struct board *board)
{
	return (board->bytes - PAGERD_BOARD_ENTRIES) / ENTRY_BYTES;
}

static int board_map(struct board *board, int fd)
{
	long head = map(fd, PAGE_BYTES, PROT_READ, 0);
	if (head < 0)
		return (int)head;
	uint64_t pages = load(&((const struct pagerd_board *)head)->pages);
	sys_munmap((uint64_t)head, PAGE_BYTES);
	board->bytes =
		PAGERD_BOARD_ENTRIES + ((pages * ENTRY_BYTES + PAGE_BYTES - 1) & -PAGE_BYTES);
	head = map(fd, board->bytes, PROT_READ, 0);
	if (head < 0)
		return (int)head;
	board->head = (const struct pagerd_board *)head;
	return 0;
}

static bool closed(const struct board *board)
{
	return __atomic_load_n(&board->head->closed, __ATOMIC_SEQ_CST);
}

int board_see(struct board *board, struct session *session, int fd)
{
	struct session_object object;
	if (board->head && !closed(board) && load(&board->head->pages) <= board_pages(board))
		return 0;
	board_finish(board);
	int result = session_board(session, fd, 0, &object);
	if (result < 0)
		return result;
	result = board_map(board, object.memfd);
	sys_close(object.memfd);
	return result;
}

int board_see_lock(struct board *board, struct session *session, int fd)
{
	struct session_object object;
	if (board->lock)
		return 0;
	if (board->refused)
		return -EACCES;
	board->refused = true;
	int result = session_board(session, fd, PAGERD_BOARD_PAGES, &object);
	if (result < 0)
		return result;
	long lock = map(object.memfd, PAGE_BYTES, PROT_READ | PROT_WRITE, object.offset);
	if (lock < 0 || closed(board)) {
		/* It may be that of another object of the same file. */
		sys_close(object.memfd);
		board_finish(board);
		return lock < 0 ? (int)lock : -ESTALE;
	}
	struct stat st = {.st_ino = 0};
	sys_fstat(object.memfd, &st);
	board->inode = st.st_ino;
	board->device = st.st_dev;
	board->number = (uint32_t)object.number;
	board->memfd = wire_move_high(object.memfd);
	board->lock = (struct pagerd_file_lock *)lock;
	return 0;
}

/* ---- pages ------------------------------------------------------------------------------- */

static uint64_t page_of(uint64_t offset)
{
	return offset / PAGE_BYTES;
}

/* Pages that the range touches: to the end of what is known if its length is 0. */
static uint64_t range_end(const struct board *board, uint64_t offset, uint64_t length)
{
	uint64_t pages = load(&board->head->pages);
	uint64_t end = length ? page_of(offset + length - 1) + 1 : pages;
	return offset + length < offset || end > pages ? pages : end;
}

/* The entry of a page below head->pages. */
static uint64_t board_entry(const struct board *board, uint64_t page)
{
	uint64_t chunk = page / PAGERD_CHUNK_PAGES;
	const char *base = (const char *)board->head;
	if (page >= board_pages(board))
		return PAGERD_ENTRY_DIRTY; /* not known: the worst */
	uint64_t armed = load((const uint64_t *)(base + PAGERD_BOARD_ARMED) + chunk / 64);
	if (!(armed >> chunk % 64 & 1))
		return PAGERD_ENTRY_ABSENT;
	return load((const uint64_t *)(base + PAGERD_BOARD_ENTRIES) + page);
}

bool board_settled(const struct board *board, uint64_t offset, uint64_t length)
{
	uint64_t end = range_end(board, offset, length);
	/* Who has just stored into a page sees this, or that the page is dirty. */
	if (__atomic_load_n(&board->head->held, __ATOMIC_SEQ_CST) & PAGERD_BOARD_STORES)
		return false;
	uint64_t dirty = load(&board->head->dirty);
	for (uint64_t page = page_of(offset); dirty && page < end; page++)
		if (!length || board_entry(board, page) & PAGERD_ENTRY_DIRTY)
			return false;
	/* After the pages: one that has become clean is counted here, until it is in the file, or
	 * dirty again because that has failed. */
	return !__atomic_load_n(&board->head->writing, __ATOMIC_SEQ_CST) && !closed(board) &&
	       load(&board->head->dirty) == dirty;
}

/* ---- the lock ---------------------------------------------------------------------------- */

static bool lock_take(struct board *board, uint64_t page, uint64_t count)
{
	uint64_t free = 0, owner = (uint64_t)++board->locked << 32 | board->number;
	if (!__atomic_compare_exchange_n(&board->lock->owner, &free, owner, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST))
		return false;
	__atomic_store_n(&board->lock->page, page, __ATOMIC_SEQ_CST);
	__atomic_store_n(&board->lock->count, count, __ATOMIC_SEQ_CST);
	return true;
}

bool board_lock(struct board *board, uint64_t offset, uint64_t length)
{
	uint64_t page = page_of(offset), count = page_of(offset + length - 1) + 1 - page;
	if (count > PAGERD_FILE_LOCK_PAGES || !lock_take(board, page, count))
		return false;
	if (!__atomic_load_n(&board->head->held, __ATOMIC_SEQ_CST) &&
	    board_settled(board, offset, length))
		return true;
	board_unlock(board);
	return false;
}

bool board_unlock(const struct board *board)
{
	uint64_t owner = (uint64_t)board->locked << 32 | board->number;
	__atomic_compare_exchange_n(&board->lock->owner, &owner, 0, false, __ATOMIC_SEQ_CST,
				    __ATOMIC_SEQ_CST);
	return __atomic_load_n(&board->head->waiting, __ATOMIC_SEQ_CST) || closed(board);
}

/* ---- what was written -------------------------------------------------------------------- */

static bool pages_write(const struct board *board, uint64_t offset, uint64_t data, uint64_t length)
{
	return !length || sys_call(SYS_pwrite64, board->memfd, (long)data, (long)length,
				   (long)offset, 0, 0) == (long)length;
}

bool board_show(const struct board *board, uint64_t offset, const void *data, uint64_t length)
{
	uint64_t pages = load(&board->head->pages), end = offset + length;
	uint64_t run = offset, from = (uint64_t)data - offset;
	bool all = memfd_ours(board);
	for (uint64_t at = offset, next; all && at < end; at = next) {
		uint64_t page = page_of(at);
		uint64_t entry = page < pages ? board_entry(board, page) : PAGERD_ENTRY_ABSENT;
		next = (page + 1) * PAGE_BYTES < end ? (page + 1) * PAGE_BYTES : end;
		if ((entry & PAGERD_ENTRY_STATE) == PAGERD_ENTRY_PRESENT)
			continue;
		/* A run of pages that are there ends before this one. */
		all = entry == PAGERD_ENTRY_ABSENT && pages_write(board, run, from + run, at - run);
		run = next;
	}
	return all && pages_write(board, run, from + run, end - run);
}
