/* SPDX-License-Identifier: MIT */
/*
 * Becoming a client, and forking.
 *
 * All shards know a client, by the same number; its userfaultfd for each, its agent and what the
 * agent shows come when the client has something there.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "descriptor.h"
#include "log.h"
#include "session.h"
#include "uapi.h"

static struct bridge *bridge_of(const struct session *session)
{
	return &session->daemon->bridge;
}

/* ---- becoming a client ------------------------------------------------------------------- */

/* Names go to logs and terminals: only what can be printed there. */
static void name_take(struct session *session, const struct pagerd_hello *hello)
{
	static_assert(sizeof session->name == sizeof hello->name, "names are copied whole");
	memcpy(session->name, hello->name, sizeof session->name);
	session->name[sizeof session->name - 1] = 0;
	for (char *c = session->name; *c; c++)
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
}

void session_hello(struct session *session, const struct pagerd_hello *hello, pid_t pid)
{
	if (session->state == SESSION_CHILD_NEW) {
		if (pid)
			session->pid = pid; /* the socket was made by its parent */
		session->state = SESSION_CHILD;
	} else if (session->state == SESSION_NEW) {
		session->state = SESSION_HELLO;
	} else {
		session_reply(session, PAGERD_HELLO, -EALREADY);
		return;
	}
	name_take(session, hello);
	const struct config *config = &session->daemon->config;
	int device = session->daemon->device_fd;
	struct pagerd_hello_reply reply = {
		.flags =
			(device >= 0 ? PAGERD_HELLO_DEVICE : 0) |
			(config->access_looks || config->record_window ? PAGERD_HELLO_HARVEST : 0) |
			(config->files_served ? PAGERD_HELLO_SERVED : 0),
		.page_bytes = PAGE_BYTES,
		.daemon_pid = (uint32_t)getpid(),
		.shards = bridge_of(session)->shards,
	};
	session_reply_packet(session, &reply, sizeof reply, PAGERD_HELLO, 0, device);
}

static void client_joined(struct session *session)
{
	session->state = SESSION_CLIENT;
	log_debug("client %d (%s) joined", (int)session->pid, session->name);
	session_reply(session, PAGERD_UFFD, 0);
}

static void client_limited(struct job *job)
{
	struct session *session = job->owner;
	session_job_free(session);
	if (job->request.error)
		log_warn("client %d: no limit of its own: %s", (int)session->pid,
			 strerror(-job->request.error));
	client_joined(session);
}

static void client_limit(struct session *session)
{
	uint64_t bytes = session->daemon->config.client_bytes;
	if (!bytes) {
		client_joined(session);
		return;
	}
	struct pager_request *request =
		session_job_for_all(session, PAGERD_UFFD, PAGER_SET, client_limited);
	request->length = bytes;
	request->error = session_job_bank(session);
	if (request->error)
		client_limited(&session->job);
	else
		session_post(session);
}

/* Its userfaultfd is there, and whose it is is known to that shard. */
static void uffd_given(struct job *job)
{
	struct session *session = job->owner;
	if (job->request.error || session->state == SESSION_CLIENT)
		session_reply(session, PAGERD_UFFD, job->request.error);
	else
		client_limit(session);
}

static void uffd_give(struct session *session)
{
	struct pager_request *request =
		session_job(session, PAGERD_UFFD, PAGER_CLIENT_UFFD, uffd_given);
	session->job.shard = session->uffd_shard;
	request->fd = session->uffd;
	request->pid = (uint32_t)session->pid;
	session->uffd = -1;
	session_post(session);
}

static void client_dropped(struct job *job)
{
	struct session *session = job->owner;
	session_forget_client(session);
	session_reply(session, PAGERD_UFFD, session->failure);
}

/* Shards that were asked before may know it. */
static void client_drop(struct session *session, int error)
{
	session_discard(session, session->uffd);
	session->uffd = -1;
	session->failure = error;
	session_post_to_all(session, PAGERD_UFFD, PAGER_CLIENT_REMOVE, client_dropped);
}

static void client_added(struct job *job)
{
	struct session *session = job->owner;
	if (job->request.error)
		client_drop(session, job->request.error);
	else if (session->uffd >= 0)
		uffd_give(session);
	else
		client_limit(session);
}

/* Add a client, the session or its child, to all shards. A single one gets fd with it; or -1. */
static int client_add(struct session *session, struct session *client, uint16_t packet, int fd,
		      void (*complete)(struct job *))
{
	if (!number_take(&session->daemon->numbers, &client->client))
		return -ENOMEM;
	struct pager_request *request =
		session_job_for_all(session, packet, PAGER_CLIENT_ADD, complete);
	request->client = client->client;
	request->fd = fd;
	request->pid = (uint32_t)session->pid;
	request->uid = session->uid;
	memcpy(request->name, session->name, sizeof request->name);
	session_post(session);
	return 0;
}

void session_uffd(struct session *session, uint32_t shard, int fd)
{
	bool first = session->state == SESSION_HELLO || session->state == SESSION_CHILD;
	if (!first && bridge_of(session)->shards == 1) {
		session_discard(session, fd);
		session_reply(session, PAGERD_UFFD, -EALREADY);
		return;
	}
	if (!descriptor_is_userfaultfd(fd)) {
		session_discard(session, fd);
		session_close(session, "sent something that is no non-blocking userfaultfd");
		session_reply(session, PAGERD_UFFD, -EINVAL);
		return;
	}
	bool alone = bridge_of(session)->shards == 1;
	session->uffd = fd;
	session->uffd_shard = shard;
	if (session->state != SESSION_HELLO || session->client) {
		uffd_give(session);
		return;
	}
	if (alone)
		session->uffd = -1;
	int error = client_add(session, session, PAGERD_UFFD, alone ? fd : -1, client_added);
	if (error) {
		session_discard(session, fd);
		session->uffd = -1;
		session_reply(session, PAGERD_UFFD, error);
	}
}

/* Our end of a pair of sockets, which is ours alone: whoever had it as well could keep us waiting
 * for its locks. The other end is to be passed; -errno. */
static int pair_make(struct session *session)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	session->passed = ends[1];
	return ends[0];
}

static int pair_pass(struct session *session)
{
	int fd = session->passed;
	session->passed = -1;
	return fd;
}

static void agent_done(struct job *job)
{
	struct session *session = job->owner;
	int error = job->request.error, fds[2] = {pair_pass(session), job->request.fd};
	if (!error) {
		session_reply_descriptors(session, PAGERD_AGENT, fds, 2);
		return;
	}
	close(fds[0]);
	session_reply(session, PAGERD_AGENT, error);
}

void session_agent(struct session *session, uint32_t shard)
{
	int off = 0, fd = pair_make(session);
	if (fd < 0) {
		session_reply(session, PAGERD_AGENT, fd);
		return;
	}
	/* Older kernels have us close what comes, and wait for that. */
	setsockopt(fd, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof off);
	session_job(session, PAGERD_AGENT, PAGER_AGENT, agent_done)->fd = fd;
	session->job.shard = shard;
	session_post(session);
}

void session_pagemap(struct session *session, uint32_t shard, int fd)
{
	session_job(session, PAGERD_PAGEMAP, PAGER_PAGEMAP, session_answer)->fd = fd;
	session->job.shard = shard;
	session_post(session);
}

/* ---- fork -------------------------------------------------------------------------------- */

static void fork_failed(struct session *session, int error)
{
	struct session *child = session->child;
	session->child = NULL;
	close(pair_pass(session));
	child->busy = false;
	session_close(child, NULL);
	session_reply(session, PAGERD_FORK, error);
}

static void fork_undone(struct job *job)
{
	struct session *session = job->owner;
	fork_failed(session, session->failure);
}

static void forked(struct job *job)
{
	struct session *session = job->owner, *child = session->child;
	if (job->request.error) {
		/* Shards that were asked before have frozen its memory. */
		session->failure = job->request.error;
		session_post_to_all(session, PAGERD_FORK, PAGER_FORK_END, fork_undone);
		return;
	}
	int fd = pair_pass(session);
	session->child = NULL;
	session_listen(child);
	session_reply_descriptors(session, PAGERD_FORK, &fd, 1);
}

static void child_added(struct job *job)
{
	struct session *session = job->owner, *child = session->child;
	int error = job->request.error;
	if (!error)
		error = places_copy(&child->places, &session->places);
	if (error) {
		fork_failed(session, error);
		return;
	}
	session_job_for_all(session, PAGERD_FORK, PAGER_FORK, forked)->child = child->client;
	session_post(session);
}

void session_fork(struct session *session)
{
	struct session *child;
	int fd = pair_make(session);
	int error = fd < 0 ? fd : session_create(session->daemon, fd, session, &child);
	if (error) {
		if (fd >= 0)
			close(pair_pass(session));
		session_reply(session, PAGERD_FORK, error);
		return;
	}
	session->child = child; /* it is heard when its memory is there */
	error = client_add(session, child, PAGERD_FORK, -1, child_added);
	if (error)
		fork_failed(session, error);
}

void session_fork_end(struct session *session)
{
	session_job_for_all(session, PAGERD_FORK_END, PAGER_FORK_END, session_answer);
	session_post(session);
}
