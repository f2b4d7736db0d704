/* SPDX-License-Identifier: MIT */
/* Requests to the pager's thread, and their way back to the main thread. */
#include "bridge.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void bridge_return(struct bridge *bridge, struct job *job)
{
	uint64_t one = 1;
	job->next = NULL;
	pthread_mutex_lock(&bridge->lock);
	*bridge->tail = job;
	bridge->tail = &job->next;
	pthread_mutex_unlock(&bridge->lock);
	if (write(bridge->fd, &one, sizeof one) < 0 && errno != EAGAIN)
		abort();
}

/* On the pager's thread. */
static void job_ended(struct pager_request *request)
{
	struct job *job = request->owner;
	bridge_return(job->bridge, job);
}

static void job_ended_here(struct pager_request *request)
{
	struct job *job = request->owner;
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

int bridge_init(struct bridge *bridge, struct event_base *base, struct pager *pager)
{
	bridge->pager = pager;
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
	pager_post(bridge->pager, &job->request);
}

void bridge_start(struct bridge *bridge, struct job *job)
{
	job->request.owner = job;
	job->request.done = job_ended_here;
	pager_begin(bridge->pager, &job->request);
}
