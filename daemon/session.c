/* SPDX-License-Identifier: MIT */
/* Sessions: connections, packets in and out, their end. */
#include "session.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "closing.h"
#include "log.h"

/* One user's sessions, root's apart: a quarter of what the daemon has (SESSIONS_MAX), so that
 * nobody shuts the others out. A process is one, and a process that forks two for a moment. */
#define SESSIONS_USER_MAX 16384u

#define PASSED_MAX 2u /* descriptors that go with a packet */

void session_forget_client(struct session *session)
{
	number_give(&session->daemon->numbers, session->client);
	session->client = 0;
}

static void session_free(struct session *session)
{
	struct daemon *daemon = session->daemon;
	if (session->closings)
		closings_forget(daemon->closings, session);
	*session->link = session->next;
	if (session->next)
		session->next->link = session->link;
	daemon->session_count--;
	if (session->event)
		event_free(session->event);
	if (session->writable)
		event_free(session->writable);
	if (session->gone)
		event_free(session->gone);
	if (session->file.deadline)
		event_free(session->file.deadline);
	session_disconnect(session);
	if (session->file.fd >= 0)
		close(session->file.fd);
	if (session->set_fd >= 0)
		close(session->set_fd);
	if (session->uffd >= 0)
		close(session->uffd);
	if (session->map_fd >= 0)
		close(session->map_fd);
	if (session->passed >= 0)
		close(session->passed);
	session_forget_client(session);
	session_job_free(session);
	places_finish(&session->places);
	free(session->text);
	free(session->targets);
	free(session->pages);
	free(session);
	daemon_check_end(daemon);
}

void sessions_finish(struct daemon *daemon)
{
	while (daemon->sessions)
		session_free(daemon->sessions);
}

static void client_removed(struct job *job)
{
	session_free(job->owner);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void leave(struct session *session)
{
	session_post_to_all(session, 0, PAGER_CLIENT_REMOVE, client_removed);
}

static void left_in_part(struct job *job)
{
	leave(job->owner);
}

/* One shard after the other lets it go, each perhaps as late as its process ends: what holds others
 * up is ended in all of them before. */
static void leave_begin(struct session *session)
{
	session_post_to_all(session, 0, PAGER_CLIENT_LEAVE, left_in_part);
}

static void session_end(struct session *session);

static void learn_ended(struct job *job)
{
	session_end(job->owner);
}

/* The connection has ended and no request is under way: let the client go. */
static void session_end(struct session *session)
{
	if (session->file.ending)
		return; /* the pager has a request of it still, whose end comes back here */
	if (session->learn) {
		session->busy = true;
		session_learn_end(session, learn_ended);
		return;
	}
	if (!session->client) {
		session_free(session);
		return;
	}
	session->busy = true;
	if (session->daemon->bridge.shards > 1)
		leave_begin(session);
	else
		leave(session);
}

void session_close(struct session *session, const char *why)
{
	if (session->closed)
		return;
	if (why)
		log_warn("client %d (%s): %s", (int)session->pid,
			 session->name[0] ? session->name : "?", why);
	session->closed = true;
	event_del(session->event);
	event_del(session->writable);
	event_del(session->gone);
	session_file_forget(session); /* the pager does, with the client */
	session_disconnect(session);
	if (!session->busy)
		session_end(session);
}

/* ---- in ---------------------------------------------------------------------------------- */

static void take_descriptors(struct received *in, const struct cmsghdr *c)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	assert(count <= DESCRIPTORS_MAX);
	for (size_t i = 0; i < count; i++) {
		int fd;
		memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
		if (in->fd < 0)
			in->fd = fd;
		else
			in->extra[in->extra_count++] = fd;
	}
}

int session_receive(int fd, struct received *in, int flags)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(DESCRIPTORS_MAX * sizeof(int)) +
			   CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec iov = {in->packet.bytes, sizeof in->packet};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes,
	};
	/* Room for one descriptor, which is not closed here. */
	if (flags & MSG_PEEK)
		msg.msg_controllen = CMSG_SPACE(sizeof(struct ucred)) + CMSG_LEN(sizeof(int));
	in->fd = -1;
	in->extra_count = 0;
	in->pid = 0;
	ssize_t size = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | flags);
	if (size < 0)
		return -errno;
	if (!size && !msg.msg_controllen)
		return 0;
	in->size = (size_t)size;
	in->truncated = msg.msg_flags & MSG_TRUNC;
	in->lost = msg.msg_flags & MSG_CTRUNC;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			take_descriptors(in, c);
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred credentials;
			memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
			in->pid = credentials.pid;
		}
	}
	return 1;
}

/* The gate, for all that comes. */
static void admit(struct session *session, struct received *in)
{
	if (in->extra_count)
		session_discard_all(session, in->extra, in->extra_count);
	if (in->lost) {
		/* There is room for all that can come. */
		session_discard(session, in->fd);
		in->fd = DESCRIPTOR_LOST;
	}
	if (in->fd < 0 ||
	    gate_admits(&session->daemon->gate, in->fd, in->pid ? in->pid : session->pid))
		return;
	session_discard(session, in->fd);
	in->fd = DESCRIPTOR_REFUSED;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct session *session = context;
	struct received in;
	int result = session_receive(fd, &in, 0);
	if (result == -EAGAIN || result == -EINTR)
		return;
	if (result <= 0) {
		session_close(session, result && result != -ECONNRESET ? strerror(-result) : NULL);
		return;
	}
	admit(session, &in);
	if (in.truncated || in.extra_count) {
		session_discard(session, in.fd);
		session_close(session,
			      "a packet is too long, or its descriptors are too many here");
		return;
	}
	session->busy = true;
	session->quick = session_packet_quick(session, &in);
	event_del(session->event);
	session_packet(session, &in.packet, in.size, in.fd, in.pid);
}

/* ---- out --------------------------------------------------------------------------------- */

void session_listen(struct session *session)
{
	if (session->closings && !session->closed) {
		session_listen_later(session);
		return;
	}
	if (session->quick && !session->closed) {
		session_quick_listen(session);
		return;
	}
	session->busy = false;
	if (session->closed)
		session_end(session);
	else if (event_add(session->event, NULL))
		session_close(session, "cannot be waited for: not enough memory");
}

static int send_packet(int to, const void *packet, size_t size, const int *fds, size_t count)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(PASSED_MAX * sizeof(int))];
	} control = {0};
	struct iovec iov = {(void *)packet, size};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	assert(count <= PASSED_MAX);
	if (count) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(count * sizeof *fds);
		struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(count * sizeof *fds);
		memcpy(CMSG_DATA(c), fds, count * sizeof *fds);
	}
	return sendmsg(to, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* NULL: it has gone. */
static const char *reply_failed(int error)
{
	return error == -EPIPE || error == -ECONNRESET ? NULL : "cannot take its reply";
}

static void reply_with(struct session *session, void *packet, size_t size, uint16_t type, int error,
		       const int *fds, size_t count)
{
	struct pagerd_header *h = packet;
	*h = (struct pagerd_header){
		.magic = PAGERD_MAGIC,
		.version = PAGERD_VERSION,
		.type = type | PAGERD_REPLY,
		.size = (uint32_t)size,
		.error = error,
	};
	if (!session->closed) {
		int failed = send_packet(session->fd, packet, size, fds, count);
		if (failed && session->apart) {
			session->broken = reply_failed(failed);
			session_quick_end(session);
			return;
		}
		if (failed) {
			/* One request, one reply: the buffer is empty unless the peer is no client
			 * of ours, or has gone. */
			session->busy = true;
			session_close(session, reply_failed(failed));
		}
	}
	session_listen(session);
}

void session_reply_packet(struct session *session, void *packet, size_t size, uint16_t type,
			  int error, int fd)
{
	reply_with(session, packet, size, type, error, &fd, fd >= 0);
}

void session_reply_descriptors(struct session *session, uint16_t type, const int *fds, size_t count)
{
	struct pagerd_header header;
	reply_with(session, &header, sizeof header, type, 0, fds, count);
	for (size_t i = 0; i < count; i++)
		close(fds[i]);
}

void session_reply(struct session *session, uint16_t type, int error)
{
	struct pagerd_header header;
	session_reply_packet(session, &header, sizeof header, type, error, -1);
}

static void text_send(struct session *session)
{
	while (!session->closed) {
		size_t left = session->text_length - session->text_sent;
		size_t length = left < PAGERD_TEXT_MAX ? left : PAGERD_TEXT_MAX;
		struct pagerd_text packet = {
			.h = {.magic = PAGERD_MAGIC,
			      .version = PAGERD_VERSION,
			      .type = session->text_type | PAGERD_REPLY,
			      .size = sizeof packet},
			.more = length < left,
			.length = (uint32_t)length,
		};
		memcpy(packet.text, session->text + session->text_sent, length);
		int error = send_packet(session->fd, &packet, sizeof packet, NULL, 0);
		if (error == -EAGAIN) {
			event_add(session->writable, NULL);
			return;
		}
		if (error) {
			session_close(session, NULL);
			break;
		}
		session->text_sent += length;
		if (!packet.more)
			break;
	}
	free(session->text);
	session->text = NULL;
	session_listen(session);
}

static void on_writable(evutil_socket_t fd, short what, void *context)
{
	text_send(context);
}

void session_reply_text(struct session *session, uint16_t type, char *text, size_t length)
{
	session->text = text;
	session->text_type = type;
	session->text_length = length;
	session->text_sent = 0;
	text_send(session);
}

/* ---- life -------------------------------------------------------------------------------- */

static uid_t peer_uid(int fd)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t length = sizeof peer;
	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length);
	return peer.uid;
}

void session_refuse(struct daemon *daemon, int fd)
{
	const struct pagerd_header header = {
		.magic = PAGERD_MAGIC,
		.version = PAGERD_VERSION,
		.type = PAGERD_HELLO | PAGERD_REPLY,
		.size = sizeof header,
		.error = -EUSERS,
	};
	send_packet(fd, &header, sizeof header, NULL, 0);
	connection_close(daemon, peer_uid(fd), fd);
}

static bool user_has_too_many(const struct daemon *daemon, uid_t uid)
{
	if (daemon->session_count + closings_count(daemon->closings) < SESSIONS_USER_MAX || !uid)
		return false;
	size_t count = closings_count_user(daemon->closings, uid);
	for (const struct session *s = daemon->sessions; s; s = s->next)
		count += s->uid == uid;
	return count >= SESSIONS_USER_MAX;
}

static void session_link(struct daemon *daemon, struct session *session)
{
	session->daemon = daemon;
	session->next = daemon->sessions;
	session->link = &daemon->sessions;
	if (session->next)
		session->next->link = &session->next;
	daemon->sessions = session;
	daemon->session_count++;
}

/* Who is at the other end. A child's socket we have made ourselves. */
static int session_identify(struct session *session, const struct session *parent)
{
	struct ucred peer;
	socklen_t length = sizeof peer;
	int on = 1;
	if (getsockopt(session->fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0 ||
	    setsockopt(session->fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) < 0)
		return -errno;
	session->pid = parent ? parent->pid : peer.pid;
	session->uid = parent ? parent->uid : peer.uid;
	if (parent)
		memcpy(session->name, parent->name, sizeof session->name);
	return 0;
}

int session_create(struct daemon *daemon, int fd, const struct session *parent,
		   struct session **out)
{
	struct session *session = calloc(1, sizeof *session);
	if (!session) {
		session_refuse(daemon, fd);
		return -ENOMEM;
	}
	session->fd = fd;
	session->file.fd = session->set_fd = session->uffd = session->map_fd = -1;
	session->passed = session->peeked = -1;
	session->busy = true;
	session->state = parent ? SESSION_CHILD_NEW : SESSION_NEW;
	int error = session_identify(session, parent);
	if (!error && user_has_too_many(daemon, session->uid))
		error = -EUSERS;
	session_link(daemon, session);
	session->event = event_new(daemon->base, fd, EV_READ | EV_PERSIST, on_readable, session);
	session->writable = event_new(daemon->base, fd, EV_WRITE, on_writable, session);
	session->gone = event_new(daemon->base, fd, EV_CLOSED, session_gone, session);
	session->file.deadline = event_new(daemon->base, -1, 0, session_file_overdue, session);
	if (!error &&
	    (!session->event || !session->writable || !session->gone || !session->file.deadline))
		error = -ENOMEM;
	if (!error && !parent)
		error = event_add(session->event, NULL) ? -ENOMEM : 0;
	if (error) {
		session->fd = -1;
		session_free(session);
		session_refuse(daemon, fd);
		return error;
	}
	session->busy = parent;
	if (out)
		*out = session;
	return 0;
}
