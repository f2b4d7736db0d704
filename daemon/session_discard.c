/* SPDX-License-Identifier: MIT */
/* What clients have passed and nobody wants: closed where that may wait (closing.h). */
#include <sys/socket.h>
#include <unistd.h>

#include "closing.h"
#include "session.h"

static void discarded(void *owner)
{
	struct session *session = owner;
	session->closings--;
	if (session->closings || !session->unheard)
		return;
	session->unheard = false;
	event_del(session->gone);
	session_listen(session);
}

void session_discard_all(struct session *session, const int *fds, size_t count)
{
	session->closings += closing_start(session->daemon->closings, session->uid, fds, count,
					   discarded, session);
}

void session_discard(struct session *session, int fd)
{
	if (fd < 0)
		return;
	if (session->apart)
		close(fd); /* a file's that is local: others are not let in there */
	else
		session_discard_all(session, &fd, 1);
}

void session_gone(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;
	session->unheard = session->busy = false;
	session_close(session, NULL);
}

void session_listen_later(struct session *session)
{
	session->unheard = true;
	if (event_add(session->gone, NULL))
		session_gone(session->fd, 0, session);
}

/* Is anything there that nobody has read, if only descriptors? */
static bool unread(int fd)
{
	char byte;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1}; /* no room for any descriptor */
	for (int i = 0; i < 2; i++) { /* an error is told before what is there */
		ssize_t got = recvmsg(fd, &msg, MSG_PEEK | MSG_DONTWAIT);
		if (got >= 0)
			return got || msg.msg_flags & MSG_CTRUNC;
	}
	return false;
}

/* What has come and was not read is closed with the socket. No more comes from here on. */
void connection_close(struct daemon *daemon, uid_t uid, int fd)
{
	shutdown(fd, SHUT_RD);
	if (unread(fd))
		closing_start(daemon->closings, uid, &fd, 1, NULL, NULL);
	else
		close(fd);
}

void session_disconnect(struct session *session)
{
	int fd = session->fd;
	session->fd = -1;
	if (fd >= 0)
		connection_close(session->daemon, session->uid, fd);
}
