/* SPDX-License-Identifier: MIT */
/*
 * follows: when X is loaded, Y is needed. Pages belong to groups; whoever uses the head of one
 * mostly uses the rest of it next, in the same order. Groups lie scattered, and are popular as by
 * Zipf's law.
 */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"
#include "workload/skew.h"

enum { GROUP, SURE, THETA, WRITES };

static const struct workload_parameter parameters[] = {
	[GROUP] = {"group", 4, 1, 1024, true, "pages of a group"},
	[SURE] = {"sure", 90, 0, 100, false, "percent of the cases in which the next one follows"},
	[THETA] = {"theta", 0.8, 0, 10, false, "the skew between the groups"},
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct follows {
	struct skew skew;
	uint32_t *page_of; /* group g has those at g * GROUP and behind it */
};

struct follows_stream {
	struct stream stream;
	uint64_t next, end; /* of the group that is being used */
};

static int follows_create(struct workload *workload)
{
	struct follows *follows = workload->shared;
	uint32_t group = (uint32_t)workload->value[GROUP];
	follows->skew = skew_make((workload->pages + group - 1) / group, workload->value[THETA]);
	follows->page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	return follows->page_of ? 0 : -ENOMEM;
}

static void follows_destroy(struct workload *workload)
{
	struct follows *follows = workload->shared;
	free(follows->page_of);
}

static void group_enter(struct follows_stream *own)
{
	const struct workload *workload = own->stream.workload;
	const struct follows *follows = workload->shared;
	uint64_t group = (uint64_t)workload->value[GROUP];
	own->next = skew_draw(&follows->skew, &own->stream.random) * group;
	own->end = own->next + group < workload->pages ? own->next + group : workload->pages;
}

static struct reference follows_next(struct stream *stream)
{
	struct follows_stream *own = (struct follows_stream *)stream;
	const struct workload *workload = stream->workload;
	const struct follows *follows = workload->shared;
	if (own->next == own->end || !random_percent(&stream->random, workload->value[SURE]))
		group_enter(own);
	return (struct reference){
		.page = follows->page_of[own->next++],
		.write = random_percent(&stream->random, workload->value[WRITES]),
	};
}

const struct workload_ops workload_follows = {
	.name = "follows",
	.summary = "when X is loaded, Y is needed: scattered groups, used in order",
	.parameters = parameters,
	.pages_min = 1,
	.shared_bytes = sizeof(struct follows),
	.stream_bytes = sizeof(struct follows_stream),
	.create = follows_create,
	.destroy = follows_destroy,
	.next = follows_next,
};
