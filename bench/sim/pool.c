/* SPDX-License-Identifier: MIT */
/* Threads that take one job after the other. They share nothing but the trace. */
#include "pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pool {
	struct job *jobs;
	size_t count;
	struct references *references;
	atomic_size_t next;
	pthread_mutex_t lock; /* for the rest */
	int error;
	struct why *why;
};

static void job_failed(struct pool *pool, int error, const struct why *why)
{
	pthread_mutex_lock(&pool->lock);
	if (!pool->error) {
		pool->error = error;
		*pool->why = *why;
	}
	pthread_mutex_unlock(&pool->lock);
	atomic_store(&pool->next, pool->count);
}

static void *work(void *context)
{
	struct pool *pool = context;
	size_t i;
	while ((i = atomic_fetch_add(&pool->next, 1)) < pool->count) {
		struct why why;
		struct job *job = &pool->jobs[i];
		int error = run(&job->config, pool->references, &job->result, &why);
		if (error)
			job_failed(pool, error, &why);
	}
	return NULL;
}

int pool_run(struct job *jobs, size_t count, struct references *references, unsigned threads,
	     struct why *why)
{
	struct pool pool = {.jobs = jobs, .count = count, .references = references, .why = why};
	pthread_t *helpers = calloc(threads, sizeof *helpers);
	unsigned started = 0;
	pthread_mutex_init(&pool.lock, NULL);
	/* This thread is one of them, so that it goes on where no other can be had. */
	while (helpers && started + 1 < threads && started + 1 < count &&
	       !pthread_create(&helpers[started], NULL, work, &pool))
		started++;
	work(&pool);
	while (started)
		pthread_join(helpers[--started], NULL);
	free(helpers);
	pthread_mutex_destroy(&pool.lock);
	return pool.error;
}
