/* SPDX-License-Identifier: MIT */
/* Requests to the pagers' threads, and their way back to the main thread. */
#include "bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "wake.h"

void bridge_return(struct bridge *bridge, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&bridge->lock);
	*bridge->tail = job;
	bridge->tail = &job->next;
	pthread_mutex_unlock(&bridge->lock);
	if (!wake(bridge->fd))
		abort();
}

/* Its answer, with those of the shards before; whether the others are to be asked. */
static bool job_judge(struct job *job)
{
	int *error = &job->request.error;
	switch (job->rule) {
	case JOB_ANYWHERE:
		job->found |= !*error;
		if (*error && !job->request.nothing)
			return false;
		*error = job->found ? 0 : -ENOMEM;
		return true;
	case JOB_ALL:
		job->error = job->error ? job->error : *error;
		*error = job->error;
		return true;
	case JOB_SEARCH:
		return *error == -ENOENT;
	default:
		return !*error;
	}
}

/* On the thread of the shard that has answered: hand the request on, if it is to go on. */
static bool job_goes_on(struct job *job)
{
	if (!job_judge(job) || !job->rest)
		return false;
	job_route(job, job->rest);
	pager_post(job->bridge->pagers[job->shard], &job->request);
	return true;
}

static void job_ended(struct pager_request *request)
{
	struct job *job = request->owner;
	if (!job_goes_on(job))
		bridge_return(job->bridge, job);
}

static void job_ended_here(struct pager_request *request)
{
	struct job *job = request->owner;
	if (job_goes_on(job))
		return;
	*job->home = job->shard;
	job->complete(job);
}

static void on_ended(evutil_socket_t fd, short what, void *context)
{
	struct bridge *bridge = context;
	uint64_t count;
	if (read(fd, &count, sizeof count) < 0 && errno != EAGAIN)
		abort();
	pthread_mutex_lock(&bridge->lock);
	struct job *job = bridge->ended;
	bridge->ended = NULL;
	bridge->tail = &bridge->ended;
	pthread_mutex_unlock(&bridge->lock);
	while (job) {
		struct job *next = job->next;
		job->complete(job);
		job = next;
	}
}

int bridge_init(struct bridge *bridge, struct event_base *base, struct pager *const *pagers,
		uint32_t shards)
{
	memcpy(bridge->pagers, pagers, shards * sizeof *pagers);
	bridge->shards = shards;
	bridge->ended = NULL;
	bridge->tail = &bridge->ended;
	pthread_mutex_init(&bridge->lock, NULL);
	bridge->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (bridge->fd < 0)
		return -errno;
	bridge->event = event_new(base, bridge->fd, EV_READ | EV_PERSIST, on_ended, bridge);
	return bridge->event && !event_add(bridge->event, NULL) ? 0 : -ENOMEM;
}

void bridge_finish(struct bridge *bridge)
{
	if (bridge->event)
		event_free(bridge->event);
	close(bridge->fd);
	pthread_mutex_destroy(&bridge->lock);
}

void bridge_post(struct bridge *bridge, struct job *job)
{
	job->bridge = bridge;
	job->request.owner = job;
	job->request.done = job_ended;
	pager_post(bridge->pagers[job->shard], &job->request);
}

void bridge_start(struct bridge *bridge, struct job *job, uint32_t *home)
{
	struct pager *pager = bridge->pagers[job->shard];
	job->bridge = bridge;
	job->home = home;
	job->request.owner = job;
	job->request.done = job_ended_here;
	if (job->shard == *home)
		pager_begin(pager, &job->request);
	else
		pager_post(pager, &job->request);
}
