/* SPDX-License-Identifier: MIT */
/*
 * Lapses: times in which an agent does not answer, for its process is stopped, frozen, or has no
 * processor.
 *
 * As long as it might answer at any moment reclaim counts on what it was told to save or to drop.
 * Then the agent is late: it gets no further command, and what it has not begun is taken back. The
 * one that it has it may carry out at any time, so that is kept for it; but nothing counts on the
 * frames of that, and nothing waits for them but the client itself. Its other private pages, which
 * only it can save, are parked as reclaim comes to them: policies do not know of them (others of
 * its pages leave as ever). So others wait once, for a moment, and go on at the expense of what can
 * leave. All is as before when the agent has answered, or is gone.
 *
 * The pager's thread only.
 */
#ifndef PAGERD_LAPSE_H
#define PAGERD_LAPSE_H

#include <stdbool.h>
#include <stdint.h>

struct pager;
struct client;

/* Of an agent. */
struct lapse {
	uint64_t since_ns; /* 0: it is not late */
	uint64_t ended_ns; /* the last one */
	uint32_t before;   /* how many there were, one soon after the other */
};

/* Once a turn: have lapses begun? */
bool lapses_look(struct pager *pager);
/* In how many ns that is to be done again, if somebody waits for it; or 0. */
uint64_t lapses_wait_ns(const struct pager *pager);
/* Is the agent of the client of that number late? */
bool lapse_now(struct pager *pager, uint32_t client);
/* The client's agent has answered, late or not, or it is gone. */
void lapse_end(struct pager *pager, struct client *client);

#endif
