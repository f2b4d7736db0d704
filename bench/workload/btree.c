/* SPDX-License-Identifier: MIT */
/*
 * btree: lookups in a B-tree whose nodes are pages, loaded in order: the root is page 0, then
 * comes level after level. Keys are popular as by Zipf's law and scattered over the leaves; some
 * lookups change the record that they find.
 */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"
#include "workload/skew.h"

enum { FANOUT, THETA, WRITES };

static const struct workload_parameter parameters[] = {
	[FANOUT] = {"fanout", 128, 2, 512, true, "children of a node"},
	[THETA] = {"theta", 0.8, 0, 10, false, "the skew between the leaves"},
	[WRITES] = {"writes", 5, 0, 100, false, "percent of the lookups that change their record"},
	{0},
};

#define LEVELS_MAX 31u

struct btree {
	struct skew skew;
	uint32_t *leaf_of;	    /* by rank */
	uint32_t first[LEVELS_MAX]; /* page of each level's first node, the root's first */
	uint32_t levels;
};

/* Nodes of all levels of a tree with that many leaves. */
static uint64_t btree_nodes(uint64_t leaves, uint64_t fanout)
{
	uint64_t nodes = leaves;
	while (leaves > 1) {
		leaves = (leaves + fanout - 1) / fanout;
		nodes += leaves;
	}
	return nodes;
}

/* The most leaves whose tree fits. */
static uint32_t btree_leaves(uint32_t pages, uint64_t fanout)
{
	uint32_t low = 1, high = pages;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;
		if (btree_nodes(middle, fanout) <= pages)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

static int btree_create(struct workload *workload)
{
	struct btree *tree = workload->shared;
	uint64_t fanout = (uint64_t)workload->value[FANOUT];
	uint32_t leaves = btree_leaves(workload->pages, fanout);
	uint64_t size[LEVELS_MAX] = {leaves}; /* the leaves' first */
	while (size[tree->levels++] > 1)
		size[tree->levels] = (size[tree->levels - 1] + fanout - 1) / fanout;
	for (uint32_t level = 1; level < tree->levels; level++)
		tree->first[level] = tree->first[level - 1] + (uint32_t)size[tree->levels - level];
	tree->skew = skew_make(leaves, workload->value[THETA]);
	tree->leaf_of = permutation_make(leaves, random_make(workload->seed, 0));
	return tree->leaf_of ? 0 : -ENOMEM;
}

static void btree_destroy(struct workload *workload)
{
	struct btree *tree = workload->shared;
	free(tree->leaf_of);
}

static void lookup_step(struct stream *stream)
{
	const struct workload *workload = stream->workload;
	const struct btree *tree = workload->shared;
	uint64_t fanout = (uint64_t)workload->value[FANOUT], span = 1;
	uint32_t leaf = tree->leaf_of[skew_draw(&tree->skew, &stream->random)];
	bool write = random_percent(&stream->random, workload->value[WRITES]);
	for (uint32_t level = 1; level < tree->levels; level++)
		span *= fanout; /* leaves below a node */
	for (uint32_t level = 0; level < tree->levels; level++) {
		stream_emit(stream, tree->first[level] + leaf / span,
			    write && level + 1 == tree->levels);
		span /= fanout;
	}
}

static struct reference btree_next(struct stream *stream)
{
	return stream_step(stream, lookup_step);
}

const struct workload_ops workload_btree = {
	.name = "btree",
	.summary = "lookups in a B-tree of pages, from the root down",
	.parameters = parameters,
	.pages_min = 3,
	.shared_bytes = sizeof(struct btree),
	.stream_bytes = sizeof(struct stream),
	.create = btree_create,
	.destroy = btree_destroy,
	.next = btree_next,
};
