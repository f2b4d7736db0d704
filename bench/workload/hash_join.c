/* SPDX-License-Identifier: MIT */
/*
 * hash-join: the rows of one table are read in order and put into a hash table, then those of a
 * second one are read in order and looked up there; then all over again. Layout: build table, hash
 * table, probe table.
 */
#include "workload/list.h"
#include "workload/skew.h"

enum { BUILD, HASH, ROWS, THETA };

static const struct workload_parameter parameters[] = {
	[BUILD] = {"build", 20, 0.001, 80, false, "percent of the pages: the first table"},
	[HASH] = {"hash", 25, 0.001, 80, false, "percent of the pages: the hash table"},
	[ROWS] = {"rows", 16, 1, 4096, true, "rows of a page"},
	[THETA] = {"theta", 0.5, 0, 10, false, "the skew of the keys that are looked up"},
	{0},
};

struct hash_join {
	struct skew skew;
	uint64_t build, hash, probe; /* pages */
};

struct hash_join_stream {
	struct stream stream;
	uint64_t row;
	bool probing;
};

static int hash_join_create(struct workload *workload)
{
	struct hash_join *join = workload->shared;
	join->build = workload_share(workload, workload->value[BUILD]);
	join->hash = workload_share(workload, workload->value[HASH]);
	/* Percentages that leave no page for the probe table shrink the hash table. */
	if (join->build + join->hash >= workload->pages)
		join->hash = workload->pages - join->build - 1;
	join->probe = workload->pages - join->build - join->hash;
	join->skew = skew_make((uint32_t)(join->hash * (uint64_t)workload->value[ROWS]),
			       workload->value[THETA]);
	return 0;
}

/* Where in the hash table a key is. */
static uint64_t bucket_page(const struct hash_join *join, uint64_t key)
{
	struct random hash = {key};
	return join->build + random_below(&hash, join->hash);
}

static void row_step(struct stream *stream)
{
	struct hash_join_stream *own = (struct hash_join_stream *)stream;
	const struct workload *workload = stream->workload;
	const struct hash_join *join = workload->shared;
	uint64_t rows = (uint64_t)workload->value[ROWS];
	uint64_t first = own->probing ? join->build + join->hash : 0;
	struct part part = stream_part(stream, own->probing ? join->probe : join->build);
	stream_emit(stream, first + part.first + own->row / rows, false);
	uint64_t key = own->probing ? skew_draw(&join->skew, &stream->random)
				    : part.first * rows + own->row;
	stream_emit(stream, bucket_page(join, key), !own->probing);
	if (++own->row == (part.end - part.first) * rows) {
		own->row = 0;
		own->probing = !own->probing;
	}
}

static struct reference hash_join_next(struct stream *stream)
{
	return stream_step(stream, row_step);
}

const struct workload_ops workload_hash_join = {
	.name = "hash-join",
	.summary = "a hash join: build in order, probe in order, the hash table at random",
	.parameters = parameters,
	.pages_min = 8,
	.shared_bytes = sizeof(struct hash_join),
	.stream_bytes = sizeof(struct hash_join_stream),
	.create = hash_join_create,
	.next = hash_join_next,
};
