/* SPDX-License-Identifier: MIT */
/*
 * Sessions: one for each connection.
 *
 * A client that maps and unmaps is listened to, and answered, by the pager's thread itself: from
 * one request of that kind until another one comes (session_quick.c). All else is the main
 * thread's.
 *
 * A session has at most one request under way; until it is answered nothing more is read. A packet
 * that breaks the protocol ends the session, with one line in the log, and nothing else. When the
 * connection ends, the session lives on until the pager has let its client go.
 */
#ifndef PAGERD_SESSION_H
#define PAGERD_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "daemon.h"
#include "places.h"
#include "pagerd/protocol.h"

enum session_state {
	SESSION_NEW,	   /* nothing heard yet */
	SESSION_HELLO,	   /* may report, set, drain, cut; may become a client */
	SESSION_CHILD_NEW, /* made by FORK: a client without userfaultfd, nothing heard yet */
	SESSION_CHILD,	   /* the same, and its process has said HELLO */
	SESSION_CLIENT,
};

/* The most that come with a packet: SCM_MAX_FD of the kernel. Were there no room for one, the
 * kernel would close it, and the thread that receives would wait for that. */
#define DESCRIPTORS_MAX 253

union packet {
	struct pagerd_header h;
	struct pagerd_hello hello;
	struct pagerd_map map;
	struct pagerd_register reg;
	struct pagerd_shard shard;
	struct pagerd_range range;
	struct pagerd_open open;
	struct pagerd_set set;
	struct pagerd_report report;
	struct pagerd_learn learn;
	struct pagerd_learn_pages learn_pages;
	char bytes[PAGERD_PACKET_MAX];
};

/* A write to a file that the client has announced. */
struct session_file {
	enum {
		WRITE_NONE,
		WRITE_BEGUN,
		WRITE_OVERDUE, /* ended without the client's FILE_END, which may still come */
	} state;
	uint64_t offset, length;
	uint32_t flags; /* of the end */
	uint32_t shard; /* of the file */
	int fd;		/* the file once more, or -1 */
	struct event *deadline;
	struct job job; /* the end that is not the client's */
	bool ending;	/* it is under way */
	bool owed;	/* one more is to follow */
};

struct session {
	struct daemon *daemon;
	struct session *next, **link;
	struct event *event; /* readable */
	struct event *writable;
	struct event *gone; /* the connection has ended while nothing is read */
	int fd;
	enum session_state state;
	bool busy;    /* a request is under way */
	bool closed;  /* the connection has ended */
	bool unheard; /* it is not heard before what it passed is closed (closing.h) */
	unsigned closings;
	bool quick; /* its last request was one that the pager's thread may read by itself */
	bool apart; /* the pager's thread has it; nobody else touches it, but for file */
	const char *broken; /* why it has to be closed, when it comes back from there */
	int peeked;	    /* a descriptor to be closed then, or -1 */
	struct pager_request listen;
	pid_t pid;
	uid_t uid;
	char name[20];
	uint32_t client;      /* the pagers' number, 0: none */
	uint32_t home;	      /* the shard whose thread listens to it, or answered last */
	uint32_t turn;	      /* large anonymous mappings so far */
	struct places places; /* of its memory, if there are several shards */
	uint32_t held;	      /* the shard that holds an object for it, from 1 on; 0: none does */
	struct pagerd_map_reply map_reply; /* MAP or OPEN under way: what it is answered with */
	int map_fd;
	int passed; /* AGENT or FORK under way: the client's end of a socketpair; or -1 */
	int uffd;   /* UFFD under way: what is to be given to which shard; or -1 */
	uint32_t uffd_shard;
	int failure;	       /* of what is being undone */
	uint64_t learn;	       /* its LEARN, 0: none */
	struct session *child; /* FORK under way */
	struct session_file file;
	struct pagerd_set set;		  /* SET under way */
	struct pagerd_learn_pages *pages; /* LEARN_PAGES under way */
	int set_fd;			  /* the file that it is about, or -1 */
	char words[256];		  /* its text, taken apart: the pager reads it */
	uint32_t *targets;
	unsigned target_count;
	struct job job;
	uint16_t job_type; /* enum pagerd_type: of the packet that it is for */
	char *text;	   /* a report on its way out */
	uint16_t text_type;
	size_t text_length, text_sent;
};

/* Serve a connection; takes fd. For parent's child if it is not NULL: it belongs to the same user,
 * and nothing is read until session_listen. 0 or -errno (fd is closed): -EUSERS (the user has too
 * many), -ENOMEM. */
int session_create(struct daemon *daemon, int fd, const struct session *parent,
		   struct session **session);
/* Turn a connection away, which takes fd: its HELLO gets -EUSERS. */
void session_refuse(struct daemon *daemon, int fd);
/* Read its next request; or end it, if its connection has ended meanwhile. It may be freed. */
void session_listen(struct session *session);
/* Free all sessions, whose requests nobody works on any more. */
void sessions_finish(struct daemon *daemon);
/* End the connection; why goes to the log, NULL: it ended as it should. */
void session_close(struct session *session, const char *why);

/* session_request.c: one packet with up to one descriptor, which it takes: -1, DESCRIPTOR_REFUSED,
 * DESCRIPTOR_LOST, or one that the gate has admitted. pid: of the sender, as the kernel says, 0 if
 * it does not. */
void session_packet(struct session *session, const union packet *packet, size_t size, int fd,
		    pid_t pid);

/* May it see what belongs to uid? */
static inline bool session_may_see(const struct session *session, uid_t uid)
{
	return !session->uid || session->uid == uid;
}

/* ---- between session.c and session_*.c ---- */

/* As a packet's descriptor: it had one, which the gate has not admitted; or which did not come, as
 * this process has no number left for it. */
#define DESCRIPTOR_REFUSED (-2)
#define DESCRIPTOR_LOST	   (-3)

struct received {
	union packet packet;
	size_t size;
	int fd; /* the first descriptor, or -1 */
	int extra[DESCRIPTORS_MAX];
	size_t extra_count; /* descriptors beyond one */
	pid_t pid;
	bool truncated;
	bool lost; /* descriptors did not come, or (MSG_PEEK) are more than one */
};

/* 1: a packet, 0: the peer has gone, -errno. An empty packet is one, too, and may carry
 * descriptors; but only a packet comes with the sender's credentials. flags: of recvmsg(2). */
int session_receive(int fd, struct received *in, int flags);
/* Is the packet right, and such as the pager alone can answer without waiting for anybody? */
bool session_packet_quick(const struct session *session, const struct received *in);
/* Leave it to the pager's thread until a packet comes that is not; from there: go on so. */
void session_quick_listen(struct session *session);
/* From there: back to the main thread. */
void session_quick_end(struct session *session);

/* A job of the session's, for shard 0 if nothing else is said, and its request, to be filled in;
 * and on its way. An answer with the error alone is what session_answer sends. */
struct pager_request *session_job(struct session *session, uint16_t packet,
				  enum pager_request_type type, void (*complete)(struct job *));
/* The same for all shards. */
struct pager_request *session_job_for_all(struct session *session, uint16_t packet,
					  enum pager_request_type type,
					  void (*complete)(struct job *));
void session_post(struct session *session);
/* Post a job that needs no more than its type to all shards, whatever each of them answers. */
void session_post_to_all(struct session *session, uint16_t packet, enum pager_request_type type,
			 void (*complete)(struct job *));
/* If it limits a client, and several shards share the limit: make the bank for that. 0 or -ENOMEM.
 */
int session_job_bank(struct session *session);
/* Free what its request had with it, or has, if the daemon ends before all shards came to it. */
void session_job_free(struct session *session);
void session_answer(struct job *job);
/* Its client has gone. */
void session_forget_client(struct session *session);

/* session_discard.c: close descriptors that it has passed, which nobody wants, where that may wait;
 * until then it is not heard. Main thread; of one that the gate has admitted, the session's. */
void session_discard_all(struct session *session, const int *fds, size_t count);
void session_discard(struct session *session, int fd);
/* Read its next request when they are closed, and see meanwhile whether it goes away. */
void session_listen_later(struct session *session);
void session_gone(evutil_socket_t fd, short what, void *session);
/* Close a connection of that user's. Main thread. */
void connection_close(struct daemon *daemon, uid_t uid, int fd);
/* Close its connection, if there is one. */
void session_disconnect(struct session *session);

/* session_client.c: packets, each taking its fd, if it has one. */
void session_hello(struct session *session, const struct pagerd_hello *hello, pid_t pid);
void session_uffd(struct session *session, uint32_t shard, int fd);
void session_agent(struct session *session, uint32_t shard);
void session_pagemap(struct session *session, uint32_t shard, int fd);
void session_fork(struct session *session);
void session_fork_end(struct session *session);

/* session_memory.c: the same. What is wrong with the values of a MAP, 0 if nothing. */
int session_map_wrong(const struct pagerd_map *map, int fd);
void session_map(struct session *session, const struct pagerd_map *map, int fd);
void session_open(struct session *session, const struct pagerd_open *open);
void session_board(struct session *session, const struct pagerd_range *range, int fd);
void session_register(struct session *session, const struct pagerd_register *reg);
void session_range(struct session *session, enum pager_request_type type,
		   const struct pagerd_range *range);
/* Which shard has a file's object: by what stat(2) says of it, or of an open one. */
uint32_t shard_of_identity(const struct session *session, uint64_t device, uint64_t inode);
uint32_t shard_of_file(const struct session *session, int fd);
/* Which one has the object of that number. */
uint32_t shard_of_object(const struct session *session, uint64_t object);

/* Answer: a header alone, or a whole packet with the error in it, and go on reading. */
void session_reply(struct session *session, uint16_t type, int error);
void session_reply_packet(struct session *session, void *packet, size_t size, uint16_t type,
			  int error, int fd);
/* A header alone, with count descriptors, which it closes. */
void session_reply_descriptors(struct session *session, uint16_t type, const int *fds,
			       size_t count);
/* SET; takes fd, or -1. */
void session_set(struct session *session, const struct pagerd_set *set, int fd);
/* LEARN and LEARN_PAGES; the end of what LEARN began, after which the session is to end. */
void session_learn(struct session *session, const struct pagerd_learn *learn);
void session_learn_pages(struct session *session, const struct pagerd_learn_pages *pages);
void session_learn_end(struct session *session, void (*complete)(struct job *));
/* FILE_CUT, FILE_BEGIN (both take fd) and FILE_END; the end that comes when a client sends none;
 * forget what was begun, when the session ends. */
void session_file_cut(struct session *session, const struct pagerd_range *range, int fd);
void session_file_begin(struct session *session, const struct pagerd_range *range, int fd);
void session_file_end(struct session *session, const struct pagerd_range *range);
void session_file_overdue(evutil_socket_t fd, short what, void *session);
void session_file_forget(struct session *session);
/* Answer with a text of any length, which it frees. */
void session_reply_text(struct session *session, uint16_t type, char *text, size_t length);

#endif
