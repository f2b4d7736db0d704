/* SPDX-License-Identifier: MIT */
/* Sockets that the pager's thread listens to. */
#include <poll.h>

#include "core.h"

void listen_start(struct pager *pager, struct pager_request *request)
{
	struct io_uring_sqe *sqe = ring_sqe(pager);
	io_uring_prep_poll_add(sqe, request->fd, POLLIN);
	/* Addresses of user space have fewer bits than are left there. */
	io_uring_sqe_set_data64(sqe, ring_data(RING_LISTEN, (uintptr_t)request));
}

/* Not served here: this may be in the middle of something. */
void listen_heard(struct pager *pager, uint64_t data)
{
	struct pager_request *request = (struct pager_request *)(uintptr_t)data;
	struct listeners *heard = &pager->heard;
	request->next = NULL;
	*(heard->first ? &heard->last->next : &heard->first) = request;
	heard->last = request;
}

void listen_serve(struct pager *pager)
{
	struct pager_request *request = pager->heard.first;
	pager->heard.first = NULL;
	while (request) {
		struct pager_request *next = request->next;
		request_done(request, 0);
		request = next;
	}
}
