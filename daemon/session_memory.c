/* SPDX-License-Identifier: MIT */
/*
 * Requests about a client's memory.
 *
 * A file's object is in a shard that its identity gives, so that all find the same one. Anonymous
 * memory may be anywhere: what is small is where all of the client's small mappings are, for the
 * sake of short ways; large ones go round.
 */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"
#include "session.h"

/* Half of the addresses that a process has. */
#define MAP_BYTES_MAX (1ull << 46)
/* Smaller mappings stay together. */
#define LARGE_BYTES (4ull << 20)

/* ---- where ------------------------------------------------------------------------------- */

uint32_t shard_of_identity(const struct session *session, uint64_t device, uint64_t inode)
{
	/* The multiplier of Fibonacci hashing: Knuth, The Art of Computer Programming, 6.4. */
	uint64_t hash = (inode ^ device << 32 ^ device >> 32) * 0x9e3779b97f4a7c15ull;
	return (uint32_t)(hash >> 32) % session->daemon->bridge.shards;
}

uint32_t shard_of_object(const struct session *session, uint64_t object)
{
	return (uint32_t)((object - 1) % session->daemon->bridge.shards);
}

uint32_t shard_of_file(const struct session *session, int fd)
{
	struct stat st;
	if (session->daemon->bridge.shards == 1 || fstat(fd, &st) < 0)
		return 0;
	return shard_of_identity(session, st.st_dev, st.st_ino);
}

static uint32_t shard_of_anonymous(struct session *session, uint64_t bytes)
{
	uint32_t turn = bytes < LARGE_BYTES ? 0 : session->turn++;
	return (session->client + turn) % session->daemon->bridge.shards;
}

static bool divided(const struct session *session)
{
	return session->daemon->bridge.shards > 1;
}

static uint64_t shards_there(const struct session *session, uint64_t address, uint64_t length)
{
	return divided(session) ? places_shards(&session->places, address, address + length) : 0;
}

/* The shards that have something in a range, the first one if none has. */
static uint64_t shards_of_range(const struct session *session, uint64_t address, uint64_t length)
{
	uint64_t shards = shards_there(session, address, length);
	return shards ? shards : 1;
}

/* ---- objects ----------------------------------------------------------------------------- */

static void object_reply(struct session *session, int error)
{
	int fd = session->map_fd;
	session->map_fd = -1;
	session_reply_packet(session, &session->map_reply, sizeof session->map_reply,
			     session->job_type, error, fd);
	if (fd >= 0)
		close(fd);
}

static void let_go(struct job *job)
{
	object_reply(job->owner, 0);
}

/* Each shard holds what it was last asked for: but for a client there is one such object. */
static bool held_elsewhere(struct session *session, uint32_t shard)
{
	uint32_t before = session->held;
	session->held = shard + 1;
	if (!before || before == session->held)
		return false;
	session_job(session, session->job_type, PAGER_LET_GO, let_go);
	session->job.shard = before - 1;
	session_post(session);
	return true;
}

static void object_done(struct job *job)
{
	struct session *session = job->owner;
	const struct pager_request *request = &job->request;
	bool held = request->type != PAGER_BOARD && !request->error;
	session->map_reply = (struct pagerd_map_reply){
		.read_only = request->read_only,
		.shard = job->shard,
		.object = request->object,
		.offset_bytes = request->offset,
	};
	session->map_fd = request->error ? -1 : request->fd;
	if (!held || !held_elsewhere(session, job->shard))
		object_reply(session, request->error);
}

static bool map_file(const struct pagerd_map *map)
{
	return map->kind == PAGERD_FILE_SHARED || map->kind == PAGERD_FILE_PRIVATE;
}

int session_map_wrong(const struct pagerd_map *map, int fd)
{
	if (map->kind < PAGERD_FILE_SHARED || map->kind > PAGERD_FILE_PRIVATE ||
	    map_file(map) != (fd >= 0))
		return -EINVAL;
	if (!map->length_bytes || map->length_bytes > MAP_BYTES_MAX ||
	    map->offset_bytes > MAP_BYTES_MAX || map->offset_bytes % PAGE_BYTES)
		return -EINVAL;
	return map_file(map) ? descriptor_mappable(fd, map->writable) : 0;
}

void session_map(struct session *session, const struct pagerd_map *map, int fd)
{
	int error = session_map_wrong(map, fd);
	if (error) {
		session_discard(session, fd);
		session_reply(session, PAGERD_MAP, error);
		return;
	}
	struct pager_request *request = session_job(session, PAGERD_MAP, PAGER_MAP, object_done);
	session->job.shard = map_file(map) ? shard_of_file(session, fd)
					   : shard_of_anonymous(session, map->length_bytes);
	request->kind = map->kind;
	request->writable = map->writable;
	request->length = map->length_bytes;
	request->offset = map->offset_bytes;
	request->fd = fd;
	session_post(session);
}

void session_open(struct session *session, const struct pagerd_open *open)
{
	if (!range_valid(open->address, open->length_bytes)) {
		session_reply(session, PAGERD_OPEN, -EINVAL);
		return;
	}
	struct pager_request *request = session_job(session, PAGERD_OPEN, PAGER_OPEN, object_done);
	job_route(&session->job, shards_of_range(session, open->address, 1));
	request->address = open->address;
	request->length = open->length_bytes;
	session_post(session);
}

void session_board(struct session *session, const struct pagerd_range *range, int fd)
{
	int error = range->flags & ~PAGERD_BOARD_PAGES
			    ? -EINVAL
			    : descriptor_usable(fd, range->flags & PAGERD_BOARD_PAGES);
	if (error) {
		session_discard(session, fd);
		session_reply(session, PAGERD_BOARD, error);
		return;
	}
	struct pager_request *request =
		session_job(session, PAGERD_BOARD, PAGER_BOARD, object_done);
	session->job.shard = shard_of_file(session, fd);
	request->fd = fd;
	request->flags = range->flags;
	session_post(session);
}

/* ---- regions ----------------------------------------------------------------------------- */

static void registered(struct job *job)
{
	struct session *session = job->owner;
	const struct pager_request *request = &job->request;
	if (!request->error && session->held == job->shard + 1)
		session->held = 0;
	/* Clones have their places from the parent's, perhaps in several shards. */
	if (!request->error && request->object && divided(session))
		places_set(&session->places, request->address, request->address + request->length,
			   job->shard);
	session_reply(session, PAGERD_REGISTER, request->error);
}

static void range_forgotten(struct job *job);

/* REGISTER; or for the shards that have something else there the UNMAP before it, which keeps what
 * is to be registered. */
static void register_post(struct session *session, enum pager_request_type type, uint64_t shards,
			  const struct pagerd_register *reg)
{
	struct pager_request *request = session_job(
		session, PAGERD_REGISTER, type, type == PAGER_UNMAP ? range_forgotten : registered);
	job_route(&session->job, shards);
	request->address = reg->address;
	request->length = reg->length_bytes;
	request->object = reg->object;
	request->offset = reg->offset_bytes;
	session_post(session);
}

static void range_forgotten(struct job *job)
{
	struct session *session = job->owner;
	const struct pager_request *request = &job->request;
	const struct pagerd_register reg = {
		.address = request->address,
		.length_bytes = request->length,
		.object = request->object,
		.offset_bytes = request->offset,
	};
	if (request->error)
		session_reply(session, PAGERD_REGISTER, request->error);
	else
		register_post(session, PAGER_REGISTER, 1ull << shard_of_object(session, reg.object),
			      &reg);
}

static int register_wrong(struct session *session, const struct pagerd_register *reg)
{
	if (!range_valid(reg->address, reg->length_bytes) || reg->offset_bytes % PAGE_BYTES ||
	    reg->offset_bytes > UINT64_MAX - reg->length_bytes)
		return -EINVAL;
	return divided(session) ? places_reserve(&session->places) : 0;
}

void session_register(struct session *session, const struct pagerd_register *reg)
{
	int error = register_wrong(session, reg);
	if (error) {
		session_reply(session, PAGERD_REGISTER, error);
		return;
	}
	uint64_t there = shards_there(session, reg->address, reg->length_bytes);
	uint64_t own = there & -there; /* clones are where they are */
	if (reg->object)
		own = 1ull << shard_of_object(session, reg->object);
	if (reg->object && there & ~own)
		register_post(session, PAGER_UNMAP, there & ~own, reg);
	else
		register_post(session, PAGER_REGISTER, own ? own : 1, reg);
}

static void range_done(struct job *job)
{
	struct session *session = job->owner;
	const struct pager_request *request = &job->request;
	if (request->type == PAGER_UNMAP && divided(session) && !request->error)
		places_clear(&session->places, request->address,
			     request->address + request->length);
	session_reply(session, session->job_type, request->error);
}

/* A shard cannot forget a range only if that lies inside one of its regions (see region.h): then
 * no other has any of it, and nothing has changed. */
static enum job_rule range_rule(enum pager_request_type type)
{
	return type == PAGER_UNMAP || type == PAGER_WIRE ? JOB_EACH : JOB_ANYWHERE;
}

void session_range(struct session *session, enum pager_request_type type,
		   const struct pagerd_range *range)
{
	int error = range_valid(range->address, range->length_bytes) ? 0 : -EINVAL;
	if (!error && divided(session))
		error = places_reserve(&session->places);
	if (error) {
		session_reply(session, range->h.type, error);
		return;
	}
	struct pager_request *request = session_job(session, range->h.type, type, range_done);
	session->job.rule = range_rule(type);
	job_route(&session->job, shards_of_range(session, range->address, range->length_bytes));
	request->address = range->address;
	request->length = range->length_bytes;
	request->flags = range->flags;
	session_post(session);
}
