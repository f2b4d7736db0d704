/* SPDX-License-Identifier: MIT */
/*
 * Boards: what the daemon shows of a file's pages (see <pagerd/protocol.h>, BOARD, and
 * src/board.h), so that read(2) and write(2) on it need not ask.
 *
 * No locking: see session.h. Offsets and lengths are in bytes of the file.
 */
#ifndef PAGERD_CLIENT_BOARD_H
#define PAGERD_CLIENT_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "session.h"

struct board {
	const struct pagerd_board *head; /* mapped, without the pages' entries if it has grown */
	uint64_t bytes;			 /* of that mapping */
	struct pagerd_file_lock *lock;	 /* NULL: not to write */
	/* if there is a lock: of the pages, and which file it is, lest the program has closed it
	 * by a way that we do not see, and got the number for another */
	int memfd;
	uint64_t inode;
	uint64_t device;
	uint32_t number; /* to lock with */
	uint32_t locked; /* so many times */
	bool refused;	 /* the right to write */
};

/* See to it that the board is there and up to date; fd is open on its file. 0, -ENOENT (nobody maps
 * the file) or another -errno; then it is empty. */
int board_see(struct board *board, struct session *session, int fd);
/* The same for its lock, through a descriptor that may write the file. */
int board_see_lock(struct board *board, struct session *session, int fd);
/* Make it empty: all zeros, which is allowed here, too. */
void board_finish(struct board *board);
/* In a child of fork, which has the descriptors of its parent's but not the mappings. */
void board_forget(struct board *board);

/* Is all that was changed through mappings in the range in the file? Length 0: to the end. */
bool board_settled(const struct board *board, uint64_t offset, uint64_t length);
/* Begin to write the range: until board_unlock no mapping changes it. False if that cannot be: it
 * has not begun then. */
bool board_lock(struct board *board, uint64_t offset, uint64_t length);
/* The file has these bytes at offset: show them in its mappings. False if the daemon has to. */
bool board_show(const struct board *board, uint64_t offset, const void *data, uint64_t length);
/* Whether somebody has waited for that, and wants to be told by FILE_BEGIN and FILE_END. */
bool board_unlock(const struct board *board);

#endif
