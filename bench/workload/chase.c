/* SPDX-License-Identifier: MIT */
/* chase: every page says which one is next; all of them are one cycle in random order. */
#include <errno.h>
#include <stdlib.h>

#include "workload/list.h"

static const struct workload_parameter parameters[] = {
	{0},
};

struct chase {
	struct stream stream;
	uint64_t at;
};

/* The cycle is a permutation, read in order. */
static int chase_create(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	*page_of = permutation_make(workload->pages, random_make(workload->seed, 0));
	return *page_of ? 0 : -ENOMEM;
}

static void chase_destroy(struct workload *workload)
{
	uint32_t **page_of = workload->shared;
	free(*page_of);
}

/* Threads begin at places that are apart. */
static int chase_start(struct stream *stream)
{
	struct chase *chase = (struct chase *)stream;
	chase->at = stream_part(stream, stream->workload->pages).first;
	return 0;
}

static struct reference chase_next(struct stream *stream)
{
	struct chase *chase = (struct chase *)stream;
	uint32_t *const *page_of = stream->workload->shared;
	return (struct reference){.page = (*page_of)[chase->at++ % stream->workload->pages]};
}

const struct workload_ops workload_chase = {
	.name = "chase",
	.summary = "a pointer chase: all pages in one random cycle",
	.parameters = parameters,
	.pages_min = 1,
	.shared_bytes = sizeof(uint32_t *),
	.stream_bytes = sizeof(struct chase),
	.create = chase_create,
	.destroy = chase_destroy,
	.start = chase_start,
	.next = chase_next,
};
