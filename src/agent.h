/* SPDX-License-Identifier: MIT */
/*
 * Agents: the threads of clients that do to private pages what the daemon cannot (see
 * <pagerd/protocol.h>, AGENT).
 *
 * A record of the I/O pool stands for each command: a write (IO_WRITE) whose pages are to be saved
 * before it, or an IO_ZAP. An agent has one command at a time, the others wait in its queue. One
 * that does not answer (its process is stopped, say) gets no more until it does: see lapse.h. The
 * pager's thread only.
 */
#ifndef PAGERD_AGENT_H
#define PAGERD_AGENT_H

#include <stdbool.h>
#include <stdint.h>

#include "lapse.h"

struct pager;
struct client;
struct io;
struct pager_request;

struct agent {
	int socket; /* -1: none, or it has gone */
	void *window;
	uint32_t head, tail, queued; /* records; the head's command is what it is doing */
	bool sent;		     /* that; else it waits for agent_run */
	uint32_t sent_pages;	     /* of that */
	uint64_t sent_ns;
	uint64_t sequence;
	struct lapse lapse;
	struct pager_request *waiting; /* until the queue is empty; no command is taken then */
};

void agent_init(struct agent *agent);
void agent_finish(struct agent *agent);
/* The client has an agent on socket, which becomes ours in every case; *window gets a descriptor of
 * its window, for the client. 0 or -errno. */
int agent_open(struct pager *pager, struct client *client, int socket, int *window);
/* The client goes: end its commands, without its answers. Its regions must be gone. */
void agent_close(struct pager *pager, struct client *client);
/* Whether the client's agent has not answered for a second. */
bool agent_late(const struct pager *pager, const struct client *client);
/* Whether the client of that number has none, or is gone itself. */
bool agent_gone(struct pager *pager, uint32_t client);
/* Whether the agent of the client of that number takes commands. */
bool agent_ready(struct pager *pager, uint32_t client);
/* Whether it takes one that has to be obeyed, be it late. */
bool agent_obeys(struct pager *pager, uint32_t client);
/* Before memory changes hands: a command that is under way must not meet what comes in its place.
 * True if the agent has any; then the request is started again when it has none. */
bool agent_wait(struct client *client, struct pager_request *request);
/* Have the agent do what the record is for; then io_saved or private_zapped: later, never from
 * within this. */
void agent_submit(struct pager *pager, uint32_t client, uint32_t io);
/* Send what was submitted to agents that had nothing to do; what cannot be done fails. */
void agent_run(struct pager *pager);
/* Now and then: who waits for a client that is late (stopped, say) goes on. */
void agent_tick(struct pager *pager);
/* A completion of the poll of an agent's socket. */
void agent_answers(struct pager *pager, uint64_t data, bool more);

/* ---- between agent.c and lapse.c ---- */

/* The agent has done the first pages of what the record, which is in no queue any more, is for.
 * known: no others; else perhaps. */
void agent_record_done(struct pager *pager, struct agent *agent, uint32_t record, uint32_t pages,
		       bool known);
void agent_push(struct pager *pager, struct agent *agent, uint32_t record);

#endif
