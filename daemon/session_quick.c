/* SPDX-License-Identifier: MIT */
/*
 * Sessions whose requests the pager's thread reads and answers by itself.
 *
 * The way over the main thread costs two more wake-ups for each request, of three for an mmap and a
 * munmap. But that thread must not wait for anybody, and what a client has sent may make it
 * (gate.h): so it looks first, leaving the packet where it is, and what is not such as it expects
 * is read, closed and answered by way of the main thread. A session has one owner at any time; it
 * is handed over through the mailbox, and back through the bridge.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "session.h"

static void came_back(struct job *job)
{
	struct session *session = job->owner;
	int peeked = session->peeked;
	session->peeked = -1;
	if (peeked >= 0 && gate_admits(&session->daemon->gate, peeked, session->pid))
		close(peeked);
	else
		session_discard(session, peeked);
	if (session->broken) {
		session->busy = false;
		session_close(session, session->broken);
	} else {
		session_listen(session);
	}
}

void session_quick_end(struct session *session)
{
	struct bridge *bridge = &session->daemon->bridge;
	session->apart = session->quick = false;
	session->job = (struct job){.complete = came_back, .owner = session};
	bridge_return(bridge, &session->job);
}

/* The pager's thread. */
static void heard(struct pager_request *request)
{
	struct session *session = request->owner;
	struct received in;
	int result = session_receive(session->fd, &in, MSG_PEEK);
	if (result == -EAGAIN || result == -EINTR) {
		session_quick_listen(session);
		return;
	}
	if (result > 0 && session_packet_quick(session, &in) &&
	    recv(session->fd, NULL, 0, MSG_DONTWAIT) >= 0) {
		session_packet(session, &in.packet, in.size, in.fd, in.pid);
		return;
	}
	session->peeked = in.fd;
	session_quick_end(session);
}

void session_quick_listen(struct session *session)
{
	struct pager *pager = session->daemon->bridge.pagers[session->home];
	bool here = session->apart;
	session->apart = true;
	session->listen = (struct pager_request){
		.type = PAGER_LISTEN, .fd = session->fd, .done = heard, .owner = session};
	if (here)
		pager_begin(pager, &session->listen);
	else
		pager_post(pager, &session->listen);
}
