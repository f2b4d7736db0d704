/* SPDX-License-Identifier: MIT */
/* What each packet of a session asks of the pager, and how it is answered. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bank.h"
#include "histogram.h"
#include "report.h"
#include "session.h"

/* What is known about each type before it is looked at. */
static const struct packet_rule {
	uint16_t size;
	bool descriptor; /* exactly one */
	bool client;	 /* only from a session that pages */
	bool quick;	 /* the pager alone answers */
	bool shard;	 /* of one; the header alone is for the first */
	int refused;	 /* has a file's descriptor: the answer if it is no such file */
} rules[] = {
	[PAGERD_HELLO] = {.size = sizeof(struct pagerd_hello)},
	[PAGERD_UFFD] = {sizeof(struct pagerd_header), .descriptor = true, .shard = true},
	/* descriptor: by its kind */
	[PAGERD_MAP] = {sizeof(struct pagerd_map), .client = true, .quick = true,
			.refused = -ENODEV},
	[PAGERD_REGISTER] = {sizeof(struct pagerd_register), .client = true, .quick = true},
	[PAGERD_UNMAP] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_OPEN] = {sizeof(struct pagerd_open), .client = true, .quick = true},
	[PAGERD_SYNC] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_DISCARD] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_ADVISE] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_FORK] = {sizeof(struct pagerd_header), .client = true},
	[PAGERD_FORK_END] = {sizeof(struct pagerd_header), .client = true},
	[PAGERD_STATS] = {sizeof(struct pagerd_header), .client = true},
	/* descriptor: may be */
	[PAGERD_SET] = {.size = sizeof(struct pagerd_set), .refused = -ENOENT},
	[PAGERD_REPORT] = {.size = sizeof(struct pagerd_report)},
	[PAGERD_FILE_BEGIN] = {sizeof(struct pagerd_range), .descriptor = true, .client = true,
			       .refused = -ENODEV},
	[PAGERD_FILE_END] = {sizeof(struct pagerd_range), .client = true},
	[PAGERD_FILE_CUT] = {sizeof(struct pagerd_range), .descriptor = true, .refused = -ENODEV},
	[PAGERD_BOARD] = {sizeof(struct pagerd_range), .descriptor = true, .client = true,
			  .refused = -ENODEV},
	[PAGERD_AGENT] = {sizeof(struct pagerd_header), .client = true, .shard = true},
	[PAGERD_PAGEMAP] = {sizeof(struct pagerd_header), .descriptor = true, .client = true,
			    .shard = true, .refused = -ENODEV},
	[PAGERD_WIRE] = {sizeof(struct pagerd_range), .client = true, .quick = true},
	[PAGERD_LEARN] = {.size = sizeof(struct pagerd_learn)},
	[PAGERD_LEARN_PAGES] = {.size = sizeof(struct pagerd_learn_pages)},
	[PAGERD_DRAIN] = {.size = sizeof(struct pagerd_header)},
};

struct pager_request *session_job(struct session *session, uint16_t packet,
				  enum pager_request_type type, void (*complete)(struct job *))
{
	session->job = (struct job){
		.request = {.type = type, .client = session->client, .fd = -1},
		.complete = complete,
		.owner = session,
	};
	session->job_type = packet;
	return &session->job.request;
}

void session_post(struct session *session)
{
	struct bridge *bridge = &session->daemon->bridge;
	if (session->apart)
		bridge_start(bridge, &session->job, &session->home);
	else
		bridge_post(bridge, &session->job);
}

int session_job_bank(struct session *session)
{
	uint32_t shards = session->daemon->bridge.shards;
	struct pager_request *request = &session->job.request;
	bool limit = request->type == PAGER_SET && request->client && request->length &&
		     request->length != UINT64_MAX;
	if (!limit || shards == 1)
		return 0;
	request->bank = bank_make(shards, request->length >> PAGE_SHIFT);
	return request->bank ? 0 : -ENOMEM;
}

void session_job_free(struct session *session)
{
	struct pager_request *request = &session->job.request;
	free(request->latency);
	snapshot_free(request->snapshot);
	bank_unref(request->bank);
	request->latency = NULL;
	request->snapshot = NULL;
	request->bank = NULL;
}

void session_answer(struct job *job)
{
	struct session *session = job->owner;
	session_reply(session, session->job_type, job->request.error);
}

struct pager_request *session_job_for_all(struct session *session, uint16_t packet,
					  enum pager_request_type type,
					  void (*complete)(struct job *))
{
	struct pager_request *request = session_job(session, packet, type, complete);
	job_route(&session->job, bridge_all(&session->daemon->bridge));
	return request;
}

void session_post_to_all(struct session *session, uint16_t packet, enum pager_request_type type,
			 void (*complete)(struct job *))
{
	session_job_for_all(session, packet, type, complete);
	session->job.rule = JOB_ALL;
	session_post(session);
}

/* ---- reports ----------------------------------------------------------------------------- */

static void stats_done(struct job *job)
{
	struct pagerd_stats_reply reply = {0};
	stats_latency(&job->request.stats, job->request.latency);
	session_job_free(job->owner);
	static_assert(sizeof job->request.stats <= sizeof reply.value, "the statistics must fit");
	memcpy(reply.value, &job->request.stats, sizeof job->request.stats);
	session_reply_packet(job->owner, &reply, sizeof reply, PAGERD_STATS, job->request.error,
			     -1);
}

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
	session_job_free(session);
	if (error)
		session_reply(session, PAGERD_REPORT, error);
	else
		session_reply_text(session, PAGERD_REPORT, text, length);
}

static void packet_stats(struct session *session)
{
	struct histogram *latency = calloc(1, sizeof *latency);
	if (!latency) {
		session_reply(session, PAGERD_STATS, -ENOMEM);
		return;
	}
	session_job_for_all(session, PAGERD_STATS, PAGER_STATS, stats_done)->latency = latency;
	session_post(session);
}

static void packet_report(struct session *session, const struct pagerd_report *report)
{
	struct pager_request *request =
		session_job_for_all(session, PAGERD_REPORT, PAGER_SNAPSHOT, report_done);
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
	session_post(session);
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
	bool named = rule->shard && size == sizeof(struct pagerd_shard);
	if (h->size != size || (size != rule->size && !named))
		return "sent a packet of wrong length";
	if (named && ((const struct pagerd_shard *)h)->shard >= session->daemon->bridge.shards)
		return "sent a packet for a shard that there is not";
	if (h->type != PAGERD_MAP && h->type != PAGERD_SET && rule->descriptor != (fd != -1))
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
	if (in->truncated || in->lost || in->extra_count || in->fd == DESCRIPTOR_REFUSED ||
	    packet_wrong(session, h, in->size, in->fd))
		return false;
	if (in->fd >= 0 && !gate_admits_known(&session->daemon->gate, in->fd))
		return false;
	return rules[h->type].quick &&
	       (h->type != PAGERD_MAP || !session_map_wrong(&in->packet.map, in->fd));
}

/* What changes a file must not be done unseen: the client is to ask until there is an answer. */
static int descriptor_lost(uint16_t type)
{
	return type == PAGERD_FILE_BEGIN || type == PAGERD_FILE_CUT ? -EAGAIN : -EMFILE;
}

void session_packet(struct session *session, const union packet *packet, size_t size, int fd,
		    pid_t pid)
{
	const char *wrong = packet_wrong(session, &packet->h, size, fd);
	if (wrong) {
		session_discard(session, fd);
		session->busy = false;
		session_close(session, wrong);
		return;
	}
	if (fd == DESCRIPTOR_LOST) {
		session_reply(session, packet->h.type, descriptor_lost(packet->h.type));
		return;
	}
	if (fd == DESCRIPTOR_REFUSED && rules[packet->h.type].refused) {
		session_reply(session, packet->h.type, rules[packet->h.type].refused);
		return;
	}
	uint32_t shard = size == sizeof packet->shard ? packet->shard.shard : 0;
	switch (packet->h.type) {
	case PAGERD_HELLO:
		session_hello(session, &packet->hello, pid);
		break;
	case PAGERD_UFFD:
		session_uffd(session, shard, fd);
		break;
	case PAGERD_MAP:
		session_map(session, &packet->map, fd);
		break;
	case PAGERD_OPEN:
		session_open(session, &packet->open);
		break;
	case PAGERD_REGISTER:
		session_register(session, &packet->reg);
		break;
	case PAGERD_UNMAP:
		session_range(session, PAGER_UNMAP, &packet->range);
		break;
	case PAGERD_SYNC:
		session_range(session, PAGER_SYNC, &packet->range);
		break;
	case PAGERD_DISCARD:
		session_range(session, PAGER_DISCARD, &packet->range);
		break;
	case PAGERD_WIRE:
		session_range(session, PAGER_WIRE, &packet->range);
		break;
	case PAGERD_ADVISE:
		session_range(session, PAGER_ADVISE, &packet->range);
		break;
	case PAGERD_AGENT:
		session_agent(session, shard);
		break;
	case PAGERD_PAGEMAP:
		session_pagemap(session, shard, fd);
		break;
	case PAGERD_FILE_BEGIN:
		session_file_begin(session, &packet->range, fd);
		break;
	case PAGERD_FILE_END:
		session_file_end(session, &packet->range);
		break;
	case PAGERD_FILE_CUT:
		session_file_cut(session, &packet->range, fd);
		break;
	case PAGERD_BOARD:
		session_board(session, &packet->range, fd);
		break;
	case PAGERD_FORK:
		session_fork(session);
		break;
	case PAGERD_FORK_END:
		session_fork_end(session);
		break;
	case PAGERD_STATS:
		packet_stats(session);
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
		session_job_for_all(session, PAGERD_DRAIN, PAGER_DRAIN, session_answer);
		session_post(session);
		break;
	}
}
