/* SPDX-License-Identifier: MIT */
/*
 * A session with the daemon that pages: its socket and its userfaultfds.
 *
 * No locking: the caller sees to it that one thread at a time makes calls on a session.
 * Addresses and lengths are in bytes and whole pages. Functions return 0 or -errno; -ENOTCONN
 * when the daemon has gone.
 */
#ifndef PAGERD_CLIENT_SESSION_H
#define PAGERD_CLIENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "pagerd/pagerd.h"
#include "pagerd/protocol.h"

struct session {
	int socket;	 /* -1: not connected */
	int device;	 /* /dev/userfaultfd, if there may be more to make; or -1 */
	bool harvest;	 /* the daemon wants an agent for all kinds of memory */
	bool served;	 /* the daemon pages files of servers, too */
	uint32_t shards; /* the daemon's */
	/* One for each shard, made when the first object there is met; -1: not yet. Kept open as
	 * long as there are paged regions: when the last descriptor of a userfaultfd closes, the
	 * kernel answers waiting and later faults with zero pages. */
	int uffds[PAGERD_SHARDS_MAX];
};

#define SESSION_INIT                                                                               \
	{                                                                                          \
		.socket = -1, .device = -1, .uffds = { [0 ... PAGERD_SHARDS_MAX - 1] = -1 }        \
	}
#define SESSION_NONE ((struct session)SESSION_INIT)

/* What MAP and OPEN return. The receiver closes memfd. */
struct session_object {
	int memfd;
	bool read_only; /* map it MAP_PRIVATE and PROT_READ only */
	uint32_t shard;
	uint64_t number;
	uint64_t offset; /* into the memfd, bytes */
};

/* Connect to the daemon at path, and give it a new userfaultfd of this process, for shard 0.
 * On failure *session is SESSION_NONE. */
int session_connect(struct session *session, const char *path);
/* The same on a socket that is connected already; it is closed on failure. */
int session_start(struct session *session, int socket);
/* Close all descriptors. SESSION_NONE is allowed. */
void session_finish(struct session *session);

/* Find or make an object; fd is the file, or -1. The daemon has a userfaultfd of this process for
 * the object's shard then, so that it can be registered; the same goes for session_open. */
int session_map(struct session *session, enum pagerd_kind kind, bool writable, uint64_t length,
		uint64_t offset, int fd, struct session_object *object);
/* The object that is mapped at address, made to hold length bytes from there. */
int session_open(struct session *session, uint64_t address, uint64_t length,
		 struct session_object *object);
int session_register(struct session *session, uint64_t address, uint64_t length, uint64_t object,
		     uint64_t offset);
/* UNMAP, SYNC, DISCARD, ADVISE. */
int session_range(struct session *session, enum pagerd_type type, uint64_t address, uint64_t length,
		  uint32_t flags);
/* FILE_BEGIN and FILE_END: around a system call on [offset, offset + length) of a file that may be
 * mapped (length 0: to the end). begin: 0, or -errno, when there is no end to be called. */
int session_file_begin(struct session *session, int fd, uint64_t offset, uint64_t length,
		       bool write);
int session_file_end(struct session *session, uint64_t offset, uint64_t length, bool shifted);
/* BOARD: the board of fd's file, or its pages' memfd (object->memfd), with the lock's offset in it
 * and the number to lock with. */
int session_board(struct session *session, int fd, uint32_t flags, struct session_object *object);
/* Freeze and clone for a child, which is to speak on child_socket. -EMFILE: there was no number
 * for that, and the session still has to be told of the end. */
int session_fork(struct session *session, int *child_socket);
int session_fork_end(struct session *session);
int session_stats(struct session *session, struct pagerd_stats *stats);
/* Change the settings of this session, or of the object that is mapped at address (0: none): text
 * as "memory=128M policy=lru". -EINVAL: the daemon would not, and why (at most why_bytes with the
 * zero; NULL with 0: never mind) says what was wrong; -ENOENT: no such object. */
int session_set(struct session *session, uint64_t address, const char *text, char *why,
		size_t why_bytes);

#endif
