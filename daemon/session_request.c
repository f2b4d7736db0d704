/* SPDX-License-Identifier: MIT */
/* What each packet of a session asks of the pager, and how it is answered. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "descriptor.h"
#include "log.h"
#include "report.h"
#include "session.h"

/* Half of the addresses that a process has. */
#define MAP_BYTES_MAX (1ull << 46)

/* What is known about each type before it is looked at. */
static const struct packet_rule {
	uint16_t size;
	bool descriptor; /* exactly one */
	bool client;	 /* only from a session that pages */
	bool quick;	 /* the pager alone answers */
} rules[] = {
	[PAGERD_HELLO] = {.size = sizeof(struct pagerd_hello)},
	[PAGERD_UFFD] = {sizeof(struct pagerd_header), .descriptor = true},
	/* descriptor: by its kind */
	[PAGERD_MAP] = {sizeof(struct pagerd_map), .client = true, .quick = true},
	[PAGERD_REGISTER] = {sizeof(struct pagerd_register), .client = true, .quick = true},
	[PAGERD_UNMAP] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_OPEN] = {sizeof(struct pagerd_open), .client = true, .quick = true},
	[PAGERD_SYNC] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_DISCARD] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_ADVISE] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_FORK] = {sizeof(struct pagerd_header), .descriptor = true, .client = true},
	[PAGERD_FORK_END] = {sizeof(struct pagerd_header), .client = true},
	[PAGERD_STATS] = {sizeof(struct pagerd_header), .client = true},
	[PAGERD_SET] = {.size = sizeof(struct pagerd_set)}, /* descriptor: may be */
	[PAGERD_REPORT] = {.size = sizeof(struct pagerd_report)},
	[PAGERD_FILE_BEGIN] = {sizeof(struct pagerd_range), .descriptor = true, .client = true},
	[PAGERD_FILE_END] = {sizeof(struct pagerd_range), .client = true},
	[PAGERD_BOARD] = {sizeof(struct pagerd_range), .descriptor = true, .client = true},
	[PAGERD_AGENT] = {sizeof(struct pagerd_header), .descriptor = true, .client = true},
	[PAGERD_PAGEMAP] = {sizeof(struct pagerd_header), .descriptor = true, .client = true},
	[PAGERD_WIRE] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_LEARN] = {.size = sizeof(struct pagerd_learn)},
	[PAGERD_LEARN_PAGES] = {.size = sizeof(struct pagerd_learn_pages)},
	[PAGERD_DRAIN] = {.size = sizeof(struct pagerd_header)},
};

static struct pager_request *job_start(struct session *session, enum pager_request_type type,
				       void (*complete)(struct job *))
{
	session->job = (struct job){
		.request = {.type = type, .client = session->client, .fd = -1},
		.complete = complete,
		.owner = session,
	};
	return &session->job.request;
}

static void job_post(struct session *session)
{
	if (session->apart)
		bridge_start(&session->daemon->bridge, &session->job);
	else
		bridge_post(&session->daemon->bridge, &session->job);
}

static uint16_t reply_type(const struct pager_request *request)
{
	switch (request->type) {
	case PAGER_REGISTER:
		return PAGERD_REGISTER;
	case PAGER_UNMAP:
		return PAGERD_UNMAP;
	case PAGER_SYNC:
		return PAGERD_SYNC;
	case PAGER_DISCARD:
		return PAGERD_DISCARD;
	case PAGER_ADVISE:
		return PAGERD_ADVISE;
	case PAGER_WIRE:
		return PAGERD_WIRE;
	case PAGER_PAGEMAP:
		return PAGERD_PAGEMAP;
	case PAGER_FORK_END:
		return PAGERD_FORK_END;
	case PAGER_DRAIN:
		return PAGERD_DRAIN;
	case PAGER_MAP:
		return PAGERD_MAP;
	case PAGER_OPEN:
		return PAGERD_OPEN;
	case PAGER_BOARD:
		return PAGERD_BOARD;
	default:
		return PAGERD_UFFD;
	}
}

/* Those that are answered with their error alone. */
static void simple_done(struct job *job)
{
	session_reply(job->owner, reply_type(&job->request), job->request.error);
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

static void packet_hello(struct session *session, const struct pagerd_hello *hello, pid_t pid)
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
		.flags = (device >= 0 ? PAGERD_HELLO_DEVICE : 0) |
			 (config->access_looks || config->record_window ? PAGERD_HELLO_HARVEST : 0),
		.page_bytes = PAGE_BYTES,
		.daemon_pid = (uint32_t)getpid(),
	};
	session_reply_packet(session, &reply, sizeof reply, PAGERD_HELLO, 0, device);
}

static void client_limited(struct job *job)
{
	struct session *session = job->owner;
	if (job->request.error)
		log_warn("client %d: no limit of its own: %s", (int)session->pid,
			 strerror(-job->request.error));
	session_reply(session, PAGERD_UFFD, 0);
}

static void client_added(struct job *job)
{
	struct session *session = job->owner;
	if (job->request.error) {
		session_reply(session, PAGERD_UFFD, job->request.error);
		return;
	}
	session->client = job->request.client;
	session->state = SESSION_CLIENT;
	log_debug("client %d (%s) joined", (int)session->pid, session->name);
	if (!session->daemon->config.client_bytes) {
		session_reply(session, PAGERD_UFFD, 0);
		return;
	}
	job_start(session, PAGER_SET, client_limited)->length =
		session->daemon->config.client_bytes;
	job_post(session);
}

static void packet_uffd(struct session *session, int fd)
{
	if (session->state != SESSION_HELLO && session->state != SESSION_CHILD) {
		close(fd);
		session_reply(session, PAGERD_UFFD, -EALREADY);
		return;
	}
	if (!descriptor_is_userfaultfd(fd)) {
		close(fd);
		session_close(session, "sent something that is no non-blocking userfaultfd");
		session_reply(session, PAGERD_UFFD, -EINVAL);
		return;
	}
	bool child = session->state == SESSION_CHILD;
	struct pager_request *request =
		job_start(session, child ? PAGER_CLIENT_UFFD : PAGER_CLIENT_ADD, client_added);
	request->fd = fd;
	request->pid = (uint32_t)session->pid;
	request->uid = session->uid;
	memcpy(request->name, session->name, sizeof request->name);
	job_post(session);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void object_done(struct job *job)
{
	struct session *session = job->owner;
	struct pager_request *request = &job->request;
	struct pagerd_map_reply reply = {
		.read_only = request->read_only,
		.object = request->object,
		.offset_bytes = request->offset,
	};
	int fd = request->error ? -1 : request->fd;
	session_reply_packet(session, &reply, sizeof reply, reply_type(request), request->error,
			     fd);
	if (fd >= 0)
		close(fd);
}

/* What is wrong with the values of a MAP, 0 if nothing. */
static int map_wrong(const struct pagerd_map *map, int fd)
{
	bool file = map->kind == PAGERD_FILE_SHARED || map->kind == PAGERD_FILE_PRIVATE;
	if (map->kind < PAGERD_FILE_SHARED || map->kind > PAGERD_FILE_PRIVATE || file != (fd >= 0))
		return -EINVAL;
	if (!map->length_bytes || map->length_bytes > MAP_BYTES_MAX ||
	    map->offset_bytes > MAP_BYTES_MAX || map->offset_bytes % PAGE_BYTES)
		return -EINVAL;
	return file ? descriptor_mappable(fd, map->writable) : 0;
}

static void agent_done(struct job *job)
{
	struct session *session = job->owner;
	struct pagerd_header reply = {.magic = 0};
	int fd = job->request.error ? -1 : job->request.fd;
	session_reply_packet(session, &reply, sizeof reply, PAGERD_AGENT, job->request.error, fd);
	if (fd >= 0)
		close(fd);
}

static void packet_agent(struct session *session, int fd)
{
	if (!descriptor_is_session(fd)) {
		close(fd);
		session_reply(session, PAGERD_AGENT, -EINVAL);
		return;
	}
	job_start(session, PAGER_AGENT, agent_done)->fd = fd;
	job_post(session);
}

static void packet_pagemap(struct session *session, int fd)
{
	job_start(session, PAGER_PAGEMAP, simple_done)->fd = fd;
	job_post(session);
}

static void packet_map(struct session *session, const struct pagerd_map *map, int fd)
{
	int error = map_wrong(map, fd);
	if (error) {
		if (fd >= 0)
			close(fd);
		session_reply(session, PAGERD_MAP, error);
		return;
	}
	struct pager_request *request = job_start(session, PAGER_MAP, object_done);
	request->kind = map->kind;
	request->writable = map->writable;
	request->length = map->length_bytes;
	request->offset = map->offset_bytes;
	request->fd = fd;
	job_post(session);
}

static void packet_open(struct session *session, const struct pagerd_open *open)
{
	if (!range_valid(open->address, open->length_bytes)) {
		session_reply(session, PAGERD_OPEN, -EINVAL);
		return;
	}
	struct pager_request *request = job_start(session, PAGER_OPEN, object_done);
	request->address = open->address;
	request->length = open->length_bytes;
	job_post(session);
}

static void packet_board(struct session *session, const struct pagerd_range *range, int fd)
{
	int error = range->flags & ~PAGERD_BOARD_PAGES
			    ? -EINVAL
			    : descriptor_usable(fd, range->flags & PAGERD_BOARD_PAGES);
	if (error) {
		close(fd);
		session_reply(session, PAGERD_BOARD, error);
		return;
	}
	struct pager_request *request = job_start(session, PAGER_BOARD, object_done);
	request->fd = fd;
	request->flags = range->flags;
	job_post(session);
}

static void packet_register(struct session *session, const struct pagerd_register *reg)
{
	if (!range_valid(reg->address, reg->length_bytes) || reg->offset_bytes % PAGE_BYTES ||
	    reg->offset_bytes > UINT64_MAX - reg->length_bytes) {
		session_reply(session, PAGERD_REGISTER, -EINVAL);
		return;
	}
	struct pager_request *request = job_start(session, PAGER_REGISTER, simple_done);
	request->address = reg->address;
	request->length = reg->length_bytes;
	request->object = reg->object;
	request->offset = reg->offset_bytes;
	job_post(session);
}

static void packet_range(struct session *session, enum pager_request_type type,
			 const struct pagerd_range *range)
{
	if (!range_valid(range->address, range->length_bytes)) {
		session_reply(session, range->h.type, -EINVAL);
		return;
	}
	struct pager_request *request = job_start(session, type, simple_done);
	request->address = range->address;
	request->length = range->length_bytes;
	request->flags = range->flags;
	job_post(session);
}

static void stats_done(struct job *job)
{
	struct pagerd_stats_reply reply = {0};
	static_assert(sizeof job->request.stats <= sizeof reply.value, "the statistics must fit");
	memcpy(reply.value, &job->request.stats, sizeof job->request.stats);
	session_reply_packet(job->owner, &reply, sizeof reply, PAGERD_STATS, job->request.error,
			     -1);
}

/* ---- fork -------------------------------------------------------------------------------- */

static void forked(struct job *job)
{
	struct session *session = job->owner, *child = session->child;
	session->child = NULL;
	if (job->request.error) {
		child->busy = false;
		session_close(child, NULL);
	} else {
		session_listen(child);
	}
	session_reply(session, PAGERD_FORK, job->request.error);
}

static void child_added(struct job *job)
{
	struct session *session = job->owner, *child = session->child;
	if (job->request.error) {
		session->child = NULL;
		child->busy = false;
		session_close(child, NULL);
		session_reply(session, PAGERD_FORK, job->request.error);
		return;
	}
	child->client = job->request.client;
	job_start(session, PAGER_FORK, forked)->child = child->client;
	job_post(session);
}

static void packet_fork(struct session *session, int fd)
{
	if (!descriptor_is_session(fd)) {
		close(fd);
		session_close(session, "sent something that is no socket for its child");
		session_reply(session, PAGERD_FORK, -EINVAL);
		return;
	}
	struct session *child;
	int error = session_create(session->daemon, fd, session, &child);
	if (error) {
		session_reply(session, PAGERD_FORK, error);
		return;
	}
	session->child = child; /* it is heard when its memory is there */
	struct pager_request *request = job_start(session, PAGER_CLIENT_ADD, child_added);
	request->client = 0;
	request->pid = (uint32_t)session->pid;
	request->uid = session->uid;
	memcpy(request->name, session->name, sizeof request->name);
	job_post(session);
}

/* ---- reports ----------------------------------------------------------------------------- */

static void report_done(struct job *job)
{
	struct session *session = job->owner;
	struct pager_snapshot *snapshot = job->request.snapshot;
	struct report_query query = {
		.kind = job->request.kind,
		.pid = job->request.pid,
		.json = job->request.writable,
		.uid = session->uid,
	};
	char *text = NULL;
	size_t length = 0;
	int error = job->request.error;
	if (!error)
		error = report_make(session->daemon, snapshot, &query, &text, &length);
	snapshot_free(snapshot);
	if (error)
		session_reply(session, PAGERD_REPORT, error);
	else
		session_reply_text(session, PAGERD_REPORT, text, length);
}

static void packet_report(struct session *session, const struct pagerd_report *report)
{
	struct pager_request *request = job_start(session, PAGER_SNAPSHOT, report_done);
	request->kind = report->kind;
	request->pid = report->pid;
	request->writable = report->json;
	request->flags = SNAPSHOT_CLIENTS;
	if (report->kind == PAGERD_REPORT_STAT || report->kind == PAGERD_REPORT_STATUS)
		request->flags |= SNAPSHOT_OBJECTS;
	if (report->kind == PAGERD_REPORT_MAPS)
		request->flags |= SNAPSHOT_REGIONS;
	if (report->kind == PAGERD_REPORT_LEARNED)
		request->flags = SNAPSHOT_LEARNED;
	request->learn = session->learn;
	job_post(session);
}

/* ---- dispatch ---------------------------------------------------------------------------- */

/* What is wrong with the packet, NULL if nothing. */
static const char *packet_wrong(const struct session *session, const struct pagerd_header *h,
				size_t size, int fd)
{
	if (size < sizeof *h || h->magic != PAGERD_MAGIC)
		return "does not speak this protocol";
	if (h->version != PAGERD_VERSION)
		return "speaks another version of the protocol";
	if (!h->type || h->type >= sizeof rules / sizeof *rules)
		return "sent a packet of unknown type";
	const struct packet_rule *rule = &rules[h->type];
	if (h->size != size || size != rule->size)
		return "sent a packet of wrong length";
	if (h->type != PAGERD_MAP && h->type != PAGERD_SET && rule->descriptor != (fd >= 0))
		return "sent a packet with a descriptor too many or too few";
	if ((session->state == SESSION_NEW || session->state == SESSION_CHILD_NEW) &&
	    h->type != PAGERD_HELLO)
		return "did not begin with HELLO";
	if (rule->client && session->state != SESSION_CLIENT)
		return "sent a client's request before its userfaultfd";
	return NULL;
}

bool session_packet_quick(const struct session *session, const struct received *in)
{
	const struct pagerd_header *h = &in->packet.h;
	if (in->truncated || in->extra || packet_wrong(session, h, in->size, in->fd))
		return false;
	return rules[h->type].quick &&
	       (h->type != PAGERD_MAP || !map_wrong(&in->packet.map, in->fd));
}

void session_packet(struct session *session, const union packet *packet, size_t size, int fd,
		    pid_t pid)
{
	const char *wrong = packet_wrong(session, &packet->h, size, fd);
	if (wrong) {
		if (fd >= 0)
			close(fd);
		session->busy = false;
		session_close(session, wrong);
		return;
	}
	switch (packet->h.type) {
	case PAGERD_HELLO:
		packet_hello(session, &packet->hello, pid);
		break;
	case PAGERD_UFFD:
		packet_uffd(session, fd);
		break;
	case PAGERD_MAP:
		packet_map(session, &packet->map, fd);
		break;
	case PAGERD_OPEN:
		packet_open(session, &packet->open);
		break;
	case PAGERD_REGISTER:
		packet_register(session, &packet->reg);
		break;
	case PAGERD_UNMAP:
		packet_range(session, PAGER_UNMAP, &packet->range);
		break;
	case PAGERD_SYNC:
		packet_range(session, PAGER_SYNC, &packet->range);
		break;
	case PAGERD_DISCARD:
		packet_range(session, PAGER_DISCARD, &packet->range);
		break;
	case PAGERD_WIRE:
		packet_range(session, PAGER_WIRE, &packet->range);
		break;
	case PAGERD_ADVISE:
		packet_range(session, PAGER_ADVISE, &packet->range);
		break;
	case PAGERD_AGENT:
		packet_agent(session, fd);
		break;
	case PAGERD_PAGEMAP:
		packet_pagemap(session, fd);
		break;
	case PAGERD_FILE_BEGIN:
		session_file_begin(session, &packet->range, fd);
		break;
	case PAGERD_FILE_END:
		session_file_end(session, &packet->range);
		break;
	case PAGERD_BOARD:
		packet_board(session, &packet->range, fd);
		break;
	case PAGERD_FORK:
		packet_fork(session, fd);
		break;
	case PAGERD_FORK_END:
		job_start(session, PAGER_FORK_END, simple_done);
		job_post(session);
		break;
	case PAGERD_STATS:
		job_start(session, PAGER_STATS, stats_done);
		job_post(session);
		break;
	case PAGERD_SET:
		session_set(session, &packet->set, fd);
		break;
	case PAGERD_REPORT:
		packet_report(session, &packet->report);
		break;
	case PAGERD_LEARN:
		session_learn(session, &packet->learn);
		break;
	case PAGERD_LEARN_PAGES:
		session_learn_pages(session, &packet->learn_pages);
		break;
	case PAGERD_DRAIN:
		job_start(session, PAGER_DRAIN, simple_done);
		job_post(session);
		break;
	}
}
