/* SPDX-License-Identifier: MIT */
/*
 * Sockets that the pager's thread listens to, so that what a client asks for needs no other thread:
 * two wake-ups less for each request. What is said there is the daemon's business. The pager's
 * thread only.
 */
#ifndef PAGERD_LISTEN_H
#define PAGERD_LISTEN_H

#include <stdint.h>

struct pager;
struct pager_request;

/* LISTEN requests whose sockets have something to be read, in the order in which they got it. */
struct listeners {
	struct pager_request *first, *last;
};

void listen_start(struct pager *pager, struct pager_request *request);
/* Its poll has ended; data is of the completion. */
void listen_heard(struct pager *pager, uint64_t data);
/* Finish the requests that have heard something, which may start others. */
void listen_serve(struct pager *pager);

#endif
