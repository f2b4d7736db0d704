/* SPDX-License-Identifier: MIT */
/*
 * A daemon for the client's tests, in a process of its own: it notes what it is sent, answers that
 * all is well, and pages nothing. Its objects' memfds hold the memory.
 */
#ifndef PAGERD_TESTS_FAKE_DAEMON_H
#define PAGERD_TESTS_FAKE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define FAKE_SESSIONS 4 /* the first one, and those of children of fork */
#define FAKE_SHARDS   4

/* Shared with the daemon, which writes before it answers. */
struct fake_shared {
	/* What came in each session, a letter for each packet and the shard that it was about: H
	 * for HELLO, U0 UFFD, M0 MAP, O0 OPEN, R0 REGISTER, A0 AGENT, P0 PAGEMAP, X UNMAP, F FORK,
	 * E FORK_END, S SYNC. */
	char log[FAKE_SESSIONS][256];
	uint32_t place; /* the shard that objects are made in */
	/* At SYNC the first session's agents save a page each, from the range's begin on: what was
	 * the first byte of each agent's window then, 0 if there is no such agent. */
	char saved[FAKE_SHARDS];
};

struct fake_daemon {
	struct fake_shared *shared;
	pid_t process;
	int socket; /* the first session's, for the client to close */
};

/* Fails the test if it cannot. */
void fake_daemon_start(struct fake_daemon *daemon, uint32_t shards, bool harvest);
/* All of its sessions must have been closed. */
void fake_daemon_stop(struct fake_daemon *daemon);

#endif
