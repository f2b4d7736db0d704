/* SPDX-License-Identifier: MIT */
/* zigzag: all pages forwards, then all backwards. What came last is needed first. */
#include "workload/list.h"

enum { WRITES };

static const struct workload_parameter parameters[] = {
	[WRITES] = {"writes", 0, 0, 100, false, "percent of the references that write"},
	{0},
};

struct zigzag {
	struct stream stream;
	uint64_t count;
};

static struct reference zigzag_next(struct stream *stream)
{
	struct zigzag *zigzag = (struct zigzag *)stream;
	struct part part = stream_part(stream, stream->workload->pages);
	uint64_t pages = part.end - part.first, at = zigzag->count++ % (2 * pages);
	return (struct reference){
		.page = (uint32_t)(part.first + (at < pages ? at : 2 * pages - 1 - at)),
		.write = random_percent(&stream->random, stream->workload->value[WRITES]),
	};
}

const struct workload_ops workload_zigzag = {
	.name = "zigzag",
	.summary = "all pages forwards, then all backwards",
	.parameters = parameters,
	.pages_min = 1,
	.stream_bytes = sizeof(struct zigzag),
	.next = zigzag_next,
};
