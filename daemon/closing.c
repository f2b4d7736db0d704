/* SPDX-License-Identifier: MIT */
#include "closing.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge.h"
#include "thread.h"

/* Threads that may wait at the same time: for an innocent user whose server is slow, and against
 * one who has many accounts, or identities in namespaces of his own. */
#define THREADS_USER_MAX 8u
#define THREADS_MAX	 512u
#define STACK_BYTES	 (64u << 10)

struct closing {
	struct closing *next;
	struct closings *closings;
	bool done; /* under the lock */
	struct job job;
	uid_t uid;
	void (*tell)(void *owner);
	void *owner;
	size_t count;
	int fds[];
};

struct list {
	struct closing *first;
	unsigned count;
};

struct closings {
	struct bridge *bridge;
	struct list begun;    /* these have a thread */
	struct list waiting;  /* for another one's */
	bool crowded;	      /* more than one user's wait */
	pthread_mutex_t lock; /* for what follows */
	bool ending;	      /* there is nobody any more to be told */
	unsigned threads;
};

struct closings *closings_create(struct bridge *bridge)
{
	struct closings *closings = calloc(1, sizeof *closings);
	if (!closings)
		return NULL;
	closings->bridge = bridge;
	pthread_mutex_init(&closings->lock, NULL);
	return closings;
}

static void closings_free(struct closings *closings)
{
	pthread_mutex_destroy(&closings->lock);
	free(closings);
}

/* ---- a thread ---------------------------------------------------------------------------- */

static void *closing_thread(void *context)
{
	struct closing *closing = context;
	struct closings *closings = closing->closings;
	for (size_t i = 0; i < closing->count; i++)
		close(closing->fds[i]);
	pthread_mutex_lock(&closings->lock);
	bool ending = closings->ending, last = !--closings->threads;
	closing->done = true;
	if (!ending)
		bridge_return(closings->bridge, &closing->job);
	pthread_mutex_unlock(&closings->lock);
	if (ending)
		free(closing);
	if (ending && last)
		closings_free(closings);
	return NULL;
}

static bool thread_start(struct closing *closing)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	bool started = !thread_create(&thread, &attributes, closing_thread, closing);
	pthread_attr_destroy(&attributes);
	return started;
}

/* ---- their order ------------------------------------------------------------------------- */

static void list_push(struct list *list, struct closing *closing)
{
	closing->next = list->first;
	list->first = closing;
	list->count++;
}

static void list_remove(struct list *list, struct closing *closing)
{
	struct closing **link = &list->first;
	while (*link != closing)
		link = &(*link)->next;
	*link = closing->next;
	list->count--;
}

static unsigned list_count_user(const struct list *list, uid_t uid)
{
	unsigned count = 0;
	for (const struct closing *c = list->first; c; c = c->next)
		count += c->uid == uid;
	return count;
}

static bool may_begin(const struct closings *closings, uid_t uid)
{
	return closings->begun.count < THREADS_MAX &&
	       list_count_user(&closings->begun, uid) < THREADS_USER_MAX;
}

/* With a thread, or when there is one to be had. False: there is none whose end would tell. */
static bool begin(struct closings *closings, struct closing *closing)
{
	pthread_mutex_lock(&closings->lock);
	closings->threads++;
	pthread_mutex_unlock(&closings->lock);
	list_push(&closings->begun, closing);
	if (thread_start(closing))
		return true;
	closings->crowded = true;
	list_remove(&closings->begun, closing);
	list_push(&closings->waiting, closing);
	pthread_mutex_lock(&closings->lock);
	closings->threads--;
	pthread_mutex_unlock(&closings->lock);
	return closings->begun.count;
}

/* One of the user's has ended: the next of his is the one that has waited longest. If what there
 * was no thread for were others' as well, it may be one of those. */
static void begin_next(struct closings *closings, uid_t uid)
{
	struct closing *next = NULL;
	for (struct closing *c = closings->waiting.first; c; c = c->next)
		if ((closings->crowded || c->uid == uid) && may_begin(closings, c->uid))
			next = c;
	closings->crowded &= !!closings->waiting.first;
	if (!next)
		return;
	list_remove(&closings->waiting, next);
	begin(closings, next);
}

static void closed(struct job *job)
{
	struct closing *closing = job->owner;
	struct closings *closings = closing->closings;
	closings->crowded |= closings->begun.count == THREADS_MAX;
	list_remove(&closings->begun, closing);
	begin_next(closings, closing->uid);
	void (*tell)(void *owner) = closing->tell;
	void *owner = closing->owner;
	free(closing);
	if (tell)
		tell(owner);
}

bool closing_start(struct closings *closings, uid_t uid, const int *fds, size_t count,
		   void (*done)(void *owner), void *owner)
{
	struct closing *closing = calloc(1, sizeof *closing + count * sizeof *fds);
	if (!closing)
		return false;
	closing->closings = closings;
	closing->job = (struct job){.complete = closed, .owner = closing};
	closing->uid = uid;
	closing->tell = done;
	closing->owner = owner;
	closing->count = count;
	memcpy(closing->fds, fds, count * sizeof *fds);
	if (!may_begin(closings, uid)) {
		list_push(&closings->waiting, closing);
		return true;
	}
	if (begin(closings, closing))
		return true;
	list_remove(&closings->waiting, closing);
	free(closing);
	return false;
}

static void list_forget(const struct list *list, const void *owner)
{
	for (struct closing *c = list->first; c; c = c->next)
		if (c->owner == owner)
			c->tell = NULL;
}

void closings_forget(struct closings *closings, const void *owner)
{
	list_forget(&closings->begun, owner);
	list_forget(&closings->waiting, owner);
}

static size_t list_descriptors(const struct list *list, const uid_t *uid)
{
	size_t count = 0;
	for (const struct closing *c = list->first; c; c = c->next)
		count += !uid || c->uid == *uid ? c->count : 0;
	return count;
}

size_t closings_count(const struct closings *closings)
{
	return list_descriptors(&closings->begun, NULL) +
	       list_descriptors(&closings->waiting, NULL);
}

size_t closings_count_user(const struct closings *closings, uid_t uid)
{
	return list_descriptors(&closings->begun, &uid) +
	       list_descriptors(&closings->waiting, &uid);
}

static void list_free(struct list *list, bool begun)
{
	for (struct closing *c = list->first, *next; c; c = next) {
		next = c->next;
		if (!begun || c->done)
			free(c); /* else its thread does */
	}
}

unsigned closings_destroy(struct closings *closings)
{
	pthread_mutex_lock(&closings->lock);
	closings->ending = true;
	unsigned threads = closings->threads;
	list_free(&closings->begun, true);
	list_free(&closings->waiting, false);
	pthread_mutex_unlock(&closings->lock);
	if (!threads)
		closings_free(closings);
	return threads;
}
