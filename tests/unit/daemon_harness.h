/* SPDX-License-Identifier: MIT */
/*
 * A daemon in this process, with a loop in place of libevent and fake pagers (fake_pager.h), each
 * with its thread: what its sessions ask of them, and answer (peer.h).
 */
#ifndef PAGERD_TESTS_DAEMON_HARNESS_H
#define PAGERD_TESTS_DAEMON_HARNESS_H

#include <check.h>
#include <stdbool.h>
#include <stdint.h>

#include "../../daemon/session.h"
#include "fake_pager.h"

#define WAIT_MS	    5000 /* what takes longer never comes */
#define SHARDS_MOST 3

extern struct daemon daemon_;
extern struct pager pagers_[SHARDS_MOST];
extern int threads_refused;
extern unsigned unclosed_; /* what closings_destroy said at the end of the last one */

/* Start a daemon with so many shards. */
void daemon_begin(uint32_t shards);
/* Stop it, whatever its sessions are about, and free all. */
void daemon_end(void);
/* The same, when all sessions have ended: nobody is a client any more, and every descriptor is
 * closed. */
void daemon_end_idle(void);
/* Make a client of a session that has said HELLO, as if a userfaultfd had come. */
void session_join(struct session *session);

/* Call back for one event, if there is any; wait a little if not. */
void loop_turn(void);
/* All timers that run expire; how many did. */
int loop_expire(void);
uint64_t now_ms(void);
#define loop_until(condition)                                                                      \
	do {                                                                                       \
		uint64_t end_ = now_ms() + WAIT_MS;                                                \
		while (!(condition)) {                                                             \
			ck_assert_msg(now_ms() < end_, "it never came: %s", #condition);           \
			loop_turn();                                                               \
		}                                                                                  \
	} while (0)

/* Of all shards; clients of the first. */
void hold(bool on);
unsigned done_count(enum pager_request_type type);
unsigned client_count(void);

int files_open(void);

#endif
