/* SPDX-License-Identifier: MIT */
/*
 * Boards: what clients see of a file's pages without asking, so that they need not ask.
 *
 * A call on a file (read(2), write(2)) agrees with its mappings if what was changed through them is
 * in the file before, and if what it writes is in the pages that are there after. The first client
 * that makes such a call gets the file object's page table to read (struct pagerd_board, a memfd of
 * its own, which the table moves into); who may write the object's pages as well can write the file
 * by himself, holding the file's lock, a word in a page of the object's memfd behind the others:
 *
 *	client                                  pager's thread, before a page of the file
 *	                                        can be stored into, or is dropped
 *	lock; fence                             held; fence
 *	held, or a page that is dirty or        locked, and it must not be: it waits, or stays
 *	being written? then unlock, and ask     ...
 *	write(2)                                not held, at the end of the turn
 *	pages that are resident: write the
 *	same into the memfd; in transit: ask
 *	unlock; fence
 *	waiting? then ask
 *
 * So one of the two always sees the other. Who stores into a page sees it held, or dirty. To ask
 * is FILE_BEGIN, write(2), FILE_END; between the two the board stays held. While a client holds the
 * lock nothing of the file becomes dirty, and those of the pages he names that are resident stay.
 * Where somebody has waited for OVERDUE_NS, and it was never seen free (he who holds it is stopped,
 * say, or means no good), it does not keep others from storing any longer; the pages that are named
 * stay until it is unlocked, or the process that has it ends. What that one may have written and
 * not shown is read again then.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_BOARD_H
#define PAGERD_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "pagerd/protocol.h"

struct pager;
struct client;
struct object;

struct board {
	int fd;
	struct pagerd_board *head;
	struct pagerd_file_lock *lock;
	uint64_t waited_ns;  /* since when somebody has waited for the lock, whoever had it; or 0 */
	bool overdue;	     /* that was for too long: it counts as free, until it is */
	bool left;	     /* its owner has gone */
	struct object *next; /* that has a board */
};

/* A descriptor, for client, of object's board, made if it has none, or if pages is set of its
 * memfd. flags are those of the file's descriptor that it has (fcntl(2)). 0, -EACCES (it does not
 * map the object, or pages: not to write, nor might it), -ENOMEM, -EMFILE. */
int board_open(struct pager *pager, struct object *object, const struct client *client, bool pages,
	       int flags, int *fd);
/* The object is freed: who has its board has to ask anew. NULL is allowed for its board. */
void board_close(struct pager *pager, struct object *object);

/* May a client be writing the object's file? If not, none begins to in this turn. */
bool board_locked(const struct object *object);
/* The same, and he is not this one. */
bool board_locked_by_other(const struct object *object, const struct client *client);
/* May a client be writing the object's file? Then he asks when he unlocks. */
bool board_wait(const struct pager *pager, const struct object *object);
void board_waits_no_more(const struct object *object);
/* Must the page stay where it is, for somebody who may be writing it? */
bool board_pinned(const struct object *object, uint64_t page);
/* No client begins to, until the object is not frozen any more. */
void board_hold(const struct object *object);
/* Clients may begin to write files. Once a turn. */
void boards_release(struct pager *pager);
/* A client has gone, and its locks with it. */
void boards_leave(struct pager *pager, const struct client *client);
/* Who has held a lock for too long? And what a lock has kept from being freed. */
void boards_tick(struct pager *pager);

/* Pages of the object are on their way to its file; so many have arrived, or have failed to. */
void board_writing(const struct object *object, int64_t pages);
/* Levels that have changed. */
void board_update(const struct object *object);
/* Some page of it gets SIGBUS, until the file has grown. */
void board_poisoned(const struct object *object);

#endif
