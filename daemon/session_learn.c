/* SPDX-License-Identifier: MIT */
/* LEARN: what a run's programs touch, and are expected to touch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"

/* To all shards: they give it the same number, as all are asked in the same order. */
static struct pager_request *learn_job(struct session *session, enum pager_request_type type,
				       void (*complete)(struct job *))
{
	struct pager_request *request = session_job_for_all(session, 0, type, complete);
	request->uid = session->uid;
	request->learn = session->learn;
	return request;
}

static void learn_started(struct job *job)
{
	struct session *session = job->owner;
	struct pagerd_learn_reply reply = {.number = job->request.learn};
	if (!job->request.error)
		session->learn = job->request.learn;
	session_reply_packet(session, &reply, sizeof reply, PAGERD_LEARN, job->request.error, -1);
}

void session_learn(struct session *session, const struct pagerd_learn *learn)
{
	if (session->learn || learn->flags & ~PAGERD_LEARN_RECORD) {
		session_reply(session, PAGERD_LEARN, session->learn ? -EALREADY : -EINVAL);
		return;
	}
	learn_job(session, PAGER_LEARN, learn_started)->flags = learn->flags;
	session_post(session);
}

static void pages_done(struct job *job)
{
	struct session *session = job->owner;
	free(session->pages);
	session->pages = NULL;
	session_reply(session, PAGERD_LEARN_PAGES, job->request.error);
}

void session_learn_pages(struct session *session, const struct pagerd_learn_pages *pages)
{
	int error = session->learn && pages->count <= PAGERD_LEARN_RANGES ? 0 : -EINVAL;
	if (!error && !(session->pages = malloc(sizeof *pages)))
		error = -ENOMEM;
	if (error) {
		session_reply(session, PAGERD_LEARN_PAGES, error);
		return;
	}
	*session->pages = *pages; /* the packet is gone before the pager has read it */
	struct pager_request *request = learn_job(session, PAGER_LEARN_PAGES, pages_done);
	job_route(&session->job, 1ull << shard_of_identity(session, pages->device, pages->inode));
	request->device = pages->device;
	request->inode = pages->inode;
	request->ranges = session->pages->ranges;
	request->length = pages->count;
	session_post(session);
}

void session_learn_end(struct session *session, void (*complete)(struct job *))
{
	learn_job(session, PAGER_LEARN_END, complete);
	session->job.rule = JOB_ALL;
	session->learn = 0;
	session_post(session);
}
