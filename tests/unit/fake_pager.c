/* SPDX-License-Identifier: MIT */
#include "fake_pager.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pagerd/protocol.h"

static uint64_t clock_;

void fake_init(struct pager *pagers, uint32_t shard, uint32_t shards)
{
	struct pager *pager = &pagers[shard];
	memset(pager, 0, sizeof *pager);
	pthread_mutex_init(&pager->lock, NULL);
	pthread_cond_init(&pager->changed, NULL);
	pager->last = &pager->first;
	pager->shard = shard;
	pager->shards = shards;
	pager->all = pagers;
	pager->seed = shard;
}

void fake_hold(struct pager *pager, bool on)
{
	pthread_mutex_lock(&pager->lock);
	pager->held = on;
	pthread_cond_signal(&pager->changed);
	pthread_mutex_unlock(&pager->lock);
}

static void request_queue(struct pager *pager, struct pager_request *request)
{
	request->next = NULL;
	*pager->last = request;
	pager->last = &request->next;
}

void fake_keep(struct pager *pager, uint64_t types)
{
	pthread_mutex_lock(&pager->lock);
	pager->kept_types = types;
	struct pager_request *request = pager->kept;
	pager->kept = NULL;
	while (request) {
		struct pager_request *next = request->next;
		request_queue(pager, request);
		request = next;
	}
	pthread_cond_signal(&pager->changed);
	pthread_mutex_unlock(&pager->lock);
}

unsigned fake_done_count(struct pager *pager, enum pager_request_type type)
{
	pthread_mutex_lock(&pager->lock);
	unsigned count = pager->done_count[type];
	pthread_mutex_unlock(&pager->lock);
	return count;
}

unsigned fake_client_count(struct pager *pager)
{
	pthread_mutex_lock(&pager->lock);
	unsigned count = pager->client_count;
	pthread_mutex_unlock(&pager->lock);
	return count;
}

struct pager_request fake_last(struct pager *pager, enum pager_request_type type)
{
	pthread_mutex_lock(&pager->lock);
	struct pager_request request = pager->last_of[type];
	pthread_mutex_unlock(&pager->lock);
	return request;
}

uint64_t fake_stamp(struct pager *pager, enum pager_request_type type)
{
	pthread_mutex_lock(&pager->lock);
	uint64_t stamp = pager->stamp_of[type];
	pthread_mutex_unlock(&pager->lock);
	return stamp;
}

uint64_t fake_regions(struct pager *pager, uint32_t client)
{
	return __atomic_load_n(&pager->clients[client].regions, __ATOMIC_RELAXED);
}

static void regions_set(struct fake_client *client, uint64_t regions)
{
	__atomic_store_n(&client->regions, regions, __ATOMIC_RELAXED);
}

static struct fake_client *fake_client(struct pager *pager, uint32_t number)
{
	return number && number < FAKE_CLIENTS && pager->clients[number].used
		       ? &pager->clients[number]
		       : NULL;
}

static void fake_client_close(const struct fake_client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	if (client->agent >= 0)
		close(client->agent);
}

static int fake_add(struct pager *pager, struct pager_request *request)
{
	struct fake_client *client = &pager->clients[request->client];
	assert(memchr(request->name, 0, sizeof request->name));
	assert(request->client && request->client < FAKE_CLIENTS && !client->used);
	*client = (struct fake_client){.used = true,
				       .fd = request->fd,
				       .agent = -1,
				       .pid = request->pid,
				       .uid = request->uid};
	memcpy(client->name, request->name, sizeof client->name);
	pager->client_count++;
	return 0;
}

static int fake_memfd(struct pager *pager, struct pager_request *request)
{
	struct stat st;
	if (request->type == PAGER_MAP && request->fd >= 0) {
		assert(!fstat(request->fd, &st) && S_ISREG(st.st_mode));
		assert(!(fcntl(request->fd, F_GETFL) & O_PATH));
		request->read_only = (fcntl(request->fd, F_GETFL) & O_ACCMODE) != O_RDWR;
		close(request->fd);
	}
	request->fd = memfd_create("fake", MFD_CLOEXEC);
	request->object = pager->shard + 1;
	return request->fd < 0 ? -errno : 0;
}

static void fake_range(const struct pager_request *request)
{
	assert(request->length && !(request->address % PAGE_BYTES));
	assert(!(request->length % PAGE_BYTES) && request->address < 1ull << 47);
	assert(request->length <= (1ull << 47) - request->address);
}

/* The pages that the request is about, as far as there is an account of them. */
static uint64_t fake_pages(const struct pager_request *request)
{
	uint64_t first = request->address / PAGE_BYTES;
	uint64_t end = first + request->length / PAGE_BYTES;
	end = end < FAKE_PAGES ? end : FAKE_PAGES;
	return first < end ? UINT64_MAX >> (FAKE_PAGES - (end - first)) << first : 0;
}

/* No two shards have the same page. */
static int fake_register(struct pager *pager, struct pager_request *request,
			 struct fake_client *client)
{
	uint64_t pages = fake_pages(request);
	if (!request->object)
		return !pager->strict || client->regions & pages ? 0 : -ENOENT;
	assert((request->object - 1) % pager->shards == pager->shard);
	for (uint32_t i = 0; i < pager->shards; i++)
		assert(i == pager->shard ||
		       !(fake_regions(&pager->all[i], request->client) & pages));
	regions_set(client, client->regions | pages);
	return 0;
}

/* UNMAP, SYNC, DISCARD, ADVISE, WIRE, OPEN. */
static int fake_part(struct pager *pager, struct pager_request *request, struct fake_client *client)
{
	uint64_t pages = fake_pages(request), regions = client->regions;
	if (request->type == PAGER_UNMAP)
		regions_set(client, regions & ~pages);
	if (request->type == PAGER_UNMAP || request->type == PAGER_WIRE || !pager->strict)
		return 0;
	if (request->type == PAGER_OPEN)
		pages &= -pages;
	request->nothing = !(regions & pages);
	return request->nothing ? -ENOMEM : 0;
}

static int fake_fork(struct pager *pager, struct pager_request *request,
		     const struct fake_client *client)
{
	struct fake_client *child = fake_client(pager, request->child);
	assert(child && !child->regions);
	regions_set(child, client->regions);
	return 0;
}

/* Objects and how much is used add up. */
static int fake_snapshot(struct pager *pager, struct pager_request *request)
{
	struct pager_snapshot *s = request->snapshot;
	if (s) {
		assert(s->object_count == pager->shard);
		s->objects[s->object_count++] = (struct object_info){.object = pager->shard + 1,
								     .kind = PAGERD_FILE_SHARED};
		return 0;
	}
	s = calloc(1, sizeof *s);
	assert(s);
	request->snapshot = s;
	strcpy(s->policy, "lru");
	s->budget_pages = 1 << 20;
	s->clients = calloc(pager->client_count + 1, sizeof *s->clients);
	s->objects = calloc(pager->shards, sizeof *s->objects);
	s->regions = calloc(pager->client_count + 1, sizeof *s->regions);
	assert(s->clients && s->objects && s->regions);
	s->objects[s->object_count++] =
		(struct object_info){.object = pager->shard + 1, .kind = PAGERD_FILE_SHARED};
	for (uint32_t i = 1; i < FAKE_CLIENTS; i++) {
		struct fake_client *client = fake_client(pager, i);
		if (!client)
			continue;
		struct client_info *info = &s->clients[s->client_count++];
		*info = (struct client_info){.client = i, .pid = client->pid, .uid = client->uid};
		memcpy(info->name, client->name, sizeof info->name);
		s->regions[s->region_count++] = (struct region_info){
			.client = i, .kind = PAGERD_ANON_PRIVATE, .length_bytes = PAGE_BYTES};
	}
	return 0;
}

static int fake_set(struct pager *pager, struct pager_request *request)
{
	pager->text_length = request->text ? strlen(request->text) : 0;
	if (request->fd >= 0)
		close(request->fd);
	if (request->type == PAGER_SET_OBJECT && request->fd < 0 &&
	    request->object != FAKE_OBJECT && request->address != FAKE_ADDRESS)
		return -ENOENT;
	if (!request->text || !strcmp(request->text, "lru"))
		return 0;
	snprintf(request->why, sizeof request->why, "there is no policy '%s'", request->text);
	return -EINVAL;
}

static int fake_client_request(struct pager *pager, struct pager_request *request,
			       struct fake_client *client)
{
	switch (request->type) {
	case PAGER_CLIENT_UFFD:
		if (client->fd >= 0) {
			close(request->fd);
			return -EALREADY;
		}
		client->fd = request->fd;
		client->pid = request->pid;
		return 0;
	case PAGER_CLIENT_REMOVE:
		fake_client_close(client);
		client->used = false;
		regions_set(client, 0);
		pager->client_count--;
		return 0;
	case PAGER_OPEN:
		fake_range(request);
		if (fake_part(pager, request, client))
			return -ENOMEM;
		return fake_memfd(pager, request);
	case PAGER_AGENT:
		if (client->agent >= 0)
			close(client->agent);
		client->agent = request->fd;
		return fake_memfd(pager, request);
	case PAGER_BOARD:
		close(request->fd);
		/* fall through */
	case PAGER_MAP:
		return fake_memfd(pager, request);
	case PAGER_REGISTER:
		fake_range(request);
		return fake_register(pager, request, client);
	case PAGER_UNMAP:
	case PAGER_SYNC:
	case PAGER_DISCARD:
	case PAGER_ADVISE:
	case PAGER_WIRE:
		fake_range(request);
		return fake_part(pager, request, client);
	case PAGER_FORK:
		return fake_fork(pager, request, client);
	case PAGER_STATS:
		assert(request->latency);
		request->stats.faults_major++;
		return 0;
	case PAGER_SET:
		return fake_set(pager, request);
	default:
		if (request->fd >= 0)
			close(request->fd);
		return 0;
	}
}

static int fake_request(struct pager *pager, struct pager_request *request)
{
	struct fake_client *client = fake_client(pager, request->client);
	int error = pager->errors[request->type];
	request->why[0] = 0;
	request->nothing = false;
	if (error) {
		if (request->fd >= 0)
			close(request->fd);
		return error;
	}
	switch (request->type) {
	case PAGER_CLIENT_ADD:
		return fake_add(pager, request);
	case PAGER_SNAPSHOT:
		return fake_snapshot(pager, request);
	case PAGER_LEARN:
		assert(!pager->shard || request->learn == FAKE_LEARN + pager->learns);
		request->learn = FAKE_LEARN + pager->learns++;
		return 0;
	case PAGER_LEARN_PAGES:
		assert(request->ranges && request->length <= PAGERD_LEARN_RANGES);
		/* fall through */
	case PAGER_LEARN_END:
		assert(request->learn - FAKE_LEARN < pager->learns);
		return 0;
	case PAGER_DRAIN:
	case PAGER_CHECK:
	case PAGER_LISTEN:
		return 0;
	case PAGER_FILE_CUT:
		close(request->fd);
		return 0;
	case PAGER_STOP:
		pager->stopped = true;
		return 0;
	default:
		if (request->type == PAGER_SET_OBJECT ||
		    (request->type == PAGER_SET && !request->client))
			return fake_set(pager, request);
		/* The daemon names only clients that it added; of one that not all could be told
		 * of, all are told that it goes. */
		if (!client &&
		    (request->type == PAGER_CLIENT_REMOVE || request->type == PAGER_CLIENT_LEAVE))
			return -ESRCH;
		assert(client);
		return fake_client_request(pager, request, client);
	}
}

void pager_post(struct pager *pager, struct pager_request *request)
{
	pthread_mutex_lock(&pager->lock);
	if (request->type == PAGER_LISTEN) {
		request->next = pager->listeners;
		pager->listeners = request;
	} else {
		request_queue(pager, request);
	}
	pthread_cond_signal(&pager->changed);
	pthread_mutex_unlock(&pager->lock);
}

/* What is begun takes its time, too. */
void pager_begin(struct pager *pager, struct pager_request *request)
{
	pager_post(pager, request);
}

/* A listener whose socket has something to be read; NULL if there is none. */
static struct pager_request *fake_heard(struct pager *pager)
{
	for (struct pager_request **link = &pager->listeners; *link; link = &(*link)->next) {
		struct pager_request *request = *link;
		struct pollfd socket = {.fd = request->fd, .events = POLLIN};
		assert(fcntl(request->fd, F_GETFD) >= 0);
		if (poll(&socket, 1, 0) == 0)
			continue;
		*link = request->next;
		return request;
	}
	return NULL;
}

static struct pager_request *fake_next(struct pager *pager)
{
	struct pager_request *heard;
	while (!(heard = fake_heard(pager)) && (!pager->first || pager->held)) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += 200000; /* nobody tells of sockets */
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (pager->listeners)
			pthread_cond_timedwait(&pager->changed, &pager->lock, &until);
		else
			pthread_cond_wait(&pager->changed, &pager->lock);
	}
	if (heard)
		return heard;
	struct pager_request *request = pager->first;
	pager->first = request->next;
	if (!pager->first)
		pager->last = &pager->first;
	return request;
}

/* With the lock, which is let go meanwhile. */
static void fake_serve(struct pager *pager, struct pager_request *request)
{
	unsigned us = pager->delay_us ? (unsigned)rand_r(&pager->seed) % pager->delay_us : 0;
	pthread_mutex_unlock(&pager->lock);
	usleep(us);
	pthread_mutex_lock(&pager->lock);
	if (pager->kept_types >> request->type & 1) {
		request->next = pager->kept;
		pager->kept = request;
		return;
	}
	request->error = fake_request(pager, request);
	pager->done_count[request->type]++;
	pager->last_of[request->type] = *request;
	pager->stamp_of[request->type] = __atomic_add_fetch(&clock_, 1, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&pager->lock);
	request->done(request);
	pthread_mutex_lock(&pager->lock);
}

int pager_run(struct pager *pager)
{
	pthread_mutex_lock(&pager->lock);
	while (!pager->stopped)
		fake_serve(pager, fake_next(pager));
	pthread_mutex_unlock(&pager->lock);
	return 0;
}

/* Descriptors of requests that came after the end are the pager's, too. */
static void requests_close(struct pager_request *request)
{
	for (; request; request = request->next)
		if (request->fd >= 0)
			close(request->fd);
}

void fake_finish(struct pager *pager)
{
	requests_close(pager->first);
	requests_close(pager->kept);
	for (uint32_t i = 1; i < FAKE_CLIENTS; i++)
		if (pager->clients[i].used)
			fake_client_close(&pager->clients[i]);
	pthread_cond_destroy(&pager->changed);
	pthread_mutex_destroy(&pager->lock);
}

void snapshot_free(struct pager_snapshot *snapshot)
{
	if (!snapshot)
		return;
	free(snapshot->clients);
	free(snapshot->objects);
	free(snapshot->regions);
	free(snapshot);
}

size_t pager_probe(int device_fd, struct pager_probe *probes, size_t max)
{
	probes[0] = (struct pager_probe){.name = "a fake", .present = true, .required = true};
	return 1;
}
