/* SPDX-License-Identifier: MIT */
/*
 * bfs: breadth-first search on a power-law graph, from one random vertex after another.
 *
 * The graph has the usual compressed layout: for each vertex the offset of its edges (8 bytes),
 * the edges (4 bytes each), the distance of each vertex (4 bytes), the queue (4 bytes a vertex).
 * Degrees fall with the vertex's rank as 1 / rank^skew, and so does the chance to be the other end
 * of an edge. The edges are not stored: a hash gives the same ones every time.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload/list.h"
#include "workload/skew.h"

enum { DEGREE, SKEW };

static const struct workload_parameter parameters[] = {
	[DEGREE] = {"degree", 16, 1, 1024, true, "mean number of edges of a vertex"},
	[SKEW] = {"skew", 0.6, 0, 2, false, "exponent of the degrees by rank"},
	{0},
};

#define VERTEX_BYTES 16u /* offset, distance, queue */
#define EDGE_BYTES   4u

struct bfs {
	struct skew skew;
	uint32_t *vertex_of;  /* by rank */
	uint64_t *edge_first; /* of each vertex, and one more */
	uint32_t vertices;
	uint64_t edges_at, distance_at, queue_at; /* bytes from the begin */
};

struct bfs_stream {
	struct stream stream;
	uint32_t *queue;
	uint32_t *round_of; /* the search that has seen the vertex */
	uint32_t round, head, tail;
	uint64_t edge; /* of the vertex at head, from 0 on */
	bool entered;  /* that vertex has been taken from the queue */
};

/* Degrees by rank, at least 1, as near as whole numbers get to the wanted sum of all. */
static void degrees_make(struct bfs *bfs, double edges, double skew)
{
	double sum = 0, carry = 0;
	for (uint32_t rank = 0; rank < bfs->vertices; rank++)
		sum += pow(rank + 1, -skew);
	double left = edges - bfs->vertices;
	for (uint32_t rank = 0; rank < bfs->vertices; rank++) {
		carry += left * pow(rank + 1, -skew) / sum;
		uint64_t whole = carry > 0 ? (uint64_t)carry : 0;
		carry -= (double)whole;
		bfs->edge_first[bfs->vertex_of[rank] + 1] = 1 + whole;
	}
	for (uint32_t vertex = 0; vertex < bfs->vertices; vertex++)
		bfs->edge_first[vertex + 1] += bfs->edge_first[vertex];
}

static void layout_make(struct bfs *bfs)
{
	uint64_t vertices = bfs->vertices;
	bfs->edges_at = vertices * 8;
	bfs->distance_at = bfs->edges_at + bfs->edge_first[vertices] * EDGE_BYTES;
	bfs->queue_at = bfs->distance_at + vertices * 4;
}

static int bfs_create(struct workload *workload)
{
	struct bfs *bfs = workload->shared;
	double degree = workload->value[DEGREE];
	uint64_t bytes = (uint64_t)workload->pages * WORKLOAD_PAGE_BYTES;
	bfs->vertices = (uint32_t)((double)bytes / (VERTEX_BYTES + EDGE_BYTES * degree));
	bfs->vertex_of = permutation_make(bfs->vertices, random_make(workload->seed, 0));
	bfs->edge_first = calloc((size_t)bfs->vertices + 1, sizeof *bfs->edge_first);
	if (!bfs->vertex_of || !bfs->edge_first)
		return -ENOMEM;
	degrees_make(bfs, floor(bfs->vertices * degree), workload->value[SKEW]);
	layout_make(bfs);
	bfs->skew = skew_make(bfs->vertices, workload->value[SKEW]);
	return 0;
}

static void bfs_destroy(struct workload *workload)
{
	struct bfs *bfs = workload->shared;
	free(bfs->vertex_of);
	free(bfs->edge_first);
}

static int bfs_start(struct stream *stream)
{
	struct bfs_stream *own = (struct bfs_stream *)stream;
	const struct bfs *bfs = stream->workload->shared;
	own->queue = calloc(bfs->vertices, sizeof *own->queue);
	own->round_of = calloc(bfs->vertices, sizeof *own->round_of);
	return own->queue && own->round_of ? 0 : -ENOMEM;
}

static void bfs_end(struct stream *stream)
{
	struct bfs_stream *own = (struct bfs_stream *)stream;
	free(own->queue);
	free(own->round_of);
}

static void byte_use(struct stream *stream, uint64_t byte, bool write)
{
	stream_emit(stream, byte / WORKLOAD_PAGE_BYTES, write);
}

static void vertex_find(struct bfs_stream *own, uint32_t vertex)
{
	const struct bfs *bfs = own->stream.workload->shared;
	own->round_of[vertex] = own->round;
	byte_use(&own->stream, bfs->distance_at + vertex * 4ull, true);
	byte_use(&own->stream, bfs->queue_at + own->tail * 4ull, true);
	own->queue[own->tail++] = vertex;
}

static void search_begin(struct bfs_stream *own)
{
	const struct bfs *bfs = own->stream.workload->shared;
	own->round++;
	own->head = own->tail = 0;
	own->entered = false;
	vertex_find(own, (uint32_t)random_below(&own->stream.random, bfs->vertices));
}

static uint32_t edge_end(const struct bfs_stream *own, uint64_t edge)
{
	const struct bfs *bfs = own->stream.workload->shared;
	struct random random = random_make(own->stream.workload->seed ^ 0x65646765u, edge);
	return bfs->vertex_of[skew_draw(&bfs->skew, &random)];
}

/* One edge, or the vertex before its first one. */
static void search_step(struct stream *stream)
{
	struct bfs_stream *own = (struct bfs_stream *)stream;
	const struct bfs *bfs = stream->workload->shared;
	if (own->head == own->tail) {
		search_begin(own);
		return;
	}
	uint32_t vertex = own->queue[own->head];
	if (!own->entered) {
		byte_use(stream, bfs->queue_at + own->head * 4ull, false);
		byte_use(stream, vertex * 8ull, false);
		own->edge = bfs->edge_first[vertex];
		own->entered = true;
		return;
	}
	if (own->edge == bfs->edge_first[vertex + 1]) {
		own->head++;
		own->entered = false;
		return;
	}
	byte_use(stream, bfs->edges_at + own->edge * EDGE_BYTES, false);
	uint32_t other = edge_end(own, own->edge++);
	byte_use(stream, bfs->distance_at + other * 4ull, false);
	if (own->round_of[other] != own->round)
		vertex_find(own, other);
}

static struct reference bfs_next(struct stream *stream)
{
	return stream_step(stream, search_step);
}

const struct workload_ops workload_bfs = {
	.name = "bfs",
	.summary = "breadth-first search on a power-law graph",
	.parameters = parameters,
	.pages_min = 2,
	.shared_bytes = sizeof(struct bfs),
	.stream_bytes = sizeof(struct bfs_stream),
	.create = bfs_create,
	.destroy = bfs_destroy,
	.start = bfs_start,
	.end = bfs_end,
	.next = bfs_next,
};
