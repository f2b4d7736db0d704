/* SPDX-License-Identifier: MIT */
#undef _FILE_OFFSET_BITS

#include "coherent.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "filter.h"
#include "preload.h"

/* More is written as it was before: to ask is a small part of it. */
#define COPY_BYTES (PAGERD_FILE_LOCK_PAGES * PAGE_BYTES)

void preload_file_mapped(int fd)
{
	struct stat st;
	if (sys_fstat(fd, &st) < 0)
		return;
	/* It may be mapped for writing now. */
	for (int i = 0; i < PRELOAD_BOARDS; i++)
		if (preload.boards[i].inode == st.st_ino)
			preload.boards[i].board.refused = false;
	uint32_t count = preload.file_count;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st.st_dev && preload.files[i].inode == st.st_ino)
			return;
	if (count < PRELOAD_FILES)
		preload.files[count] = (struct preload_file){st.st_dev, st.st_ino};
	__atomic_store_n(&preload.file_count, count + 1, __ATOMIC_RELEASE);
}

static bool file_known_here(const struct stat *st)
{
	uint32_t count = __atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE);
	if (!S_ISREG(st->st_mode))
		return false;
	for (uint32_t i = 0; i < count && i < PRELOAD_FILES; i++)
		if (preload.files[i].device == st->st_dev && preload.files[i].inode == st->st_ino)
			return true;
	return count > PRELOAD_FILES;
}

bool file_mapped_here(int fd, struct stat *st)
{
	return __atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE) && preload_paging() &&
	       sys_fstat(fd, st) == 0 && file_known_here(st);
}

/* For a call on a file of others'. Where that cannot be, the program goes on as it is, and does not
 * try again before it has memory to be paged. */
static int file_join(void)
{
	if (preload.state == PRELOAD_ON)
		return 0;
	if (preload.state != PRELOAD_IDLE || preload.alone)
		return -ENOTCONN;
	int result = preload_connect();
	preload.alone = result < 0;
	return result;
}

bool file_none(void)
{
	return filter_there() ? !filter_any(filter_all())
			      : !__atomic_load_n(&preload.file_count, __ATOMIC_ACQUIRE);
}

/* Not in a child that has its parent's memory, or none of it. */
static bool may_ask(void)
{
	uint32_t state = __atomic_load_n(&preload.state, __ATOMIC_ACQUIRE);
	bool may = state == PRELOAD_ON || (state == PRELOAD_IDLE && !preload.alone);
	return may && self_is(&preload.self);
}

static bool file_shown(int fd, struct stat *st)
{
	return filter_any(filter_all()) && sys_fstat(fd, st) == 0 && S_ISREG(st->st_mode) &&
	       filter_look(st) && may_ask();
}

bool file_mapped(int fd, struct stat *st)
{
	return filter_there() ? file_shown(fd, st) : file_mapped_here(fd, st);
}

long file_system_call(const struct file_call *call)
{
	const long *a = call->arguments;
	return sys_call(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

long file_plain(const struct file_call *call)
{
	int type;
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &type);
	long result = file_system_call(call);
	pthread_setcanceltype(type, NULL);
	return result;
}

void file_pause(void)
{
	struct timespec moment = {.tv_nsec = 50000};
	sys_call(SYS_nanosleep, (long)&moment, 0, 0, 0, 0, 0);
}

static int file_begin(int fd, uint64_t offset, uint64_t length, bool write)
{
	int begun;
	while ((begun = session_file_begin(&preload.paged.session, fd, offset, length, write)) ==
	       -EAGAIN)
		file_pause();
	if (begun == -ENOTCONN && preload.paged.regions.count)
		preload_die("the daemon has gone with what was changed in a mapped file");
	return begun;
}

static void file_end(uint64_t offset, uint64_t length, bool shifted)
{
	while (session_file_end(&preload.paged.session, offset, length, shifted) == -EAGAIN)
		file_pause();
}

/* The file's board, if there is one to be had; -ENOENT: nobody maps the file, as far as anybody
 * knows. */
static int file_board(int fd, const struct stat *st, struct board **board)
{
	struct preload_board *found = NULL;
	if (file_join() < 0)
		return -ENOENT;
	if (preload.locks_new)
		return -EPERM; /* all of it would be brought in */
	for (int i = 0; i < PRELOAD_BOARDS && !found; i++)
		if (preload.boards[i].device == st->st_dev && preload.boards[i].inode == st->st_ino)
			found = &preload.boards[i];
	if (!found) {
		found = &preload.boards[preload.board_next++ % PRELOAD_BOARDS];
		board_finish(&found->board);
		found->device = st->st_dev;
		found->inode = st->st_ino;
		found->absent = 0;
	}
	*board = &found->board;
	/* It may be another file's, which the filter cannot tell from this one. */
	uint64_t shown = filter_look(st);
	if (shown && found->absent == shown)
		return -ENOENT;
	int result = board_see(*board, &preload.paged.session, fd);
	if (result == -ENODEV)
		result = -ENOENT; /* nor may anybody */
	found->absent = result == -ENOENT ? shown : 0;
	return result;
}

void file_settle(int fd, const struct stat *st, uint64_t offset, uint64_t length)
{
	struct board *board;
	sys_signals signals;
	preload_enter(&signals);
	int result = file_board(fd, st, &board);
	if (result != -ENOENT && (result < 0 || !board_settled(board, offset, length)))
		file_begin(fd, offset, length, false);
	preload_leave(&signals);
}

/* ---- write(2) ---------------------------------------------------------------------------- */

/* Did it write somewhere else, because somebody else has moved the descriptor's position? */
static bool position_moved(const struct file_call *call, long written)
{
	return call->position < 0 &&
	       sys_call(SYS_lseek, call->fd, 0, SEEK_CUR, 0, 0, 0) != (long)call->offset + written;
}

/* FILE_BEGIN of what the call is going to write, which is filled in. Others may move the file's
 * end, or the descriptor's position, before it is written there. 0 or -errno. */
static int write_begin(const struct file_call *call, uint64_t *from, uint64_t *length)
{
	bool appends = call->flags & RWF_APPEND || sys_fcntl(call->fd, F_GETFL, 0) & O_APPEND;
	bool own = call->position < 0 && !appends;
	struct stat st;
	*from = own ? 0 : call->offset;
	*length = own || appends ? 0 : call->length;
	int begun = file_begin(call->fd, *from, *length, true);
	if (begun < 0 || !appends || sys_fstat(call->fd, &st) < 0 || (uint64_t)st.st_size >= *from)
		return begun;
	file_end(*from, *length, false); /* it was cut off */
	*from = 0;
	return file_begin(call->fd, 0, 0, true);
}

/*
 * The kernel reads what is written with the file locked. If that is paged memory, the daemon might
 * need the lock to bring it in: to read it from the same file, or to write back pages of that file
 * which must make room. So it is copied before. False if the daemon has no such file, and nothing
 * was written.
 */
static bool file_write_asked(const struct file_call *call, long *result)
{
	uint64_t from, length;
	if (write_begin(call, &from, &length) < 0)
		return false;
	*result = call->vector ? file_copied(call) : file_system_call(call);
	if (call->position < 0 && !from && !length && *result > 0 &&
	    !position_moved(call, *result)) {
		from = call->offset;
		length = call->length;
	}
	file_end(from, length, call->shifts && *result >= 0);
	return true;
}

/* The bytes to be written, copied; NULL if it is not as simple as that. */
static const char *file_copy(const struct file_call *call)
{
	if (!preload.copy) {
		long place = sys_mmap(0, COPY_BYTES, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		preload.copy = place < 0 ? NULL : (char *)place;
	}
	struct iovec copy = {preload.copy, COPY_BYTES};
	long got = preload.copy ? sys_call(SYS_process_vm_readv, preload.self.pid, (long)&copy, 1,
					   (long)call->vector, call->count, 0)
				: -ENOMEM;
	return got == (long)call->length ? preload.copy : NULL;
}

/* Whether the call may be made without asking: one that writes where it is known to, all of which
 * is one run of bytes. */
static bool write_plain(const struct file_call *call)
{
	int mode = sys_fcntl(call->fd, F_GETFL, 0);
	if (!call->vector || call->flags || call->length > COPY_BYTES || mode < 0 ||
	    mode & (O_APPEND | O_DIRECT))
		return false;
	/* Beyond the end it changes the bytes between, too. */
	return call->position < 0 || (uint64_t)call->position == call->offset;
}

/* Whether the daemon has to show what was written. */
static bool write_unseen(const struct file_call *call, const struct board *board, const char *bytes,
			 long written)
{
	uint64_t end = call->offset + (uint64_t)written;
	bool grown = end > (uint64_t)call->status->st_size;
	return (grown && __atomic_load_n(&board->head->poisoned, __ATOMIC_SEQ_CST)) ||
	       !board_show(board, call->offset, bytes, (uint64_t)written);
}

/* With the file locked: write, and show it. A call that fails may have changed the file as well. */
static long file_write_locked(const struct file_call *call, const struct board *board,
			      const char *bytes)
{
	long written = file_transfer_bytes(call, bytes, call->length, 0);
	bool moved = written > 0 && position_moved(call, written);
	bool asks = moved || written < 0 || write_unseen(call, board, bytes, written);
	uint64_t from = moved ? 0 : call->offset, length = moved ? 0 : call->length;
	/* Nobody may store into an old page in between. */
	int begun = asks ? file_begin(call->fd, from, length, true) : -ENOENT;
	if (board_unlock(board) && !asks)
		begun = file_begin(call->fd, from, length, true);
	if (begun == 0)
		file_end(from, length, false);
	return written;
}

static long file_write(const struct file_call *call)
{
	struct board *board;
	sys_signals signals;
	bool done = true;
	preload_enter(&signals);
	int found = file_board(call->fd, call->status, &board);
	const char *bytes = NULL;
	if (found == 0 && write_plain(call) &&
	    board_see_lock(board, &preload.paged.session, call->fd) == 0)
		bytes = file_copy(call);
	long result;
	if (bytes && board_lock(board, call->offset, call->length))
		result = file_write_locked(call, board, bytes);
	else
		done = found != -ENOENT && file_write_asked(call, &result);
	preload_leave(&signals);
	return done ? result : file_late(call, file_system_call(call));
}

/* It is not written again: others may have written since. */
long file_late(const struct file_call *call, long result)
{
	struct stat st;
	sys_signals signals;
	if (result < 0 || !filter_came(call->all, filter_all()) || !file_shown(call->fd, &st))
		return result;
	preload_enter(&signals);
	if (file_join() == 0 && file_begin(call->fd, 0, 0, true) == 0)
		file_end(0, 0, call->shifts);
	preload_leave(&signals);
	return result;
}

long file_coherent(const struct file_call *call)
{
	if (call->write)
		return file_write(call);
	file_settle(call->fd, call->status, call->offset, call->length);
	return call->vector && file_reads_direct(call) ? file_copied(call) : file_plain(call);
}
