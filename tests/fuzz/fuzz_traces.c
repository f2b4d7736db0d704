/* SPDX-License-Identifier: MIT */
/*
 * libFuzzer's way into the readers of traces: the first byte says which format it is to be read
 * as, or that it is to be told; the rest is the file.
 */
#include <stddef.h>
#include <stdint.h>

#include "format.h"
#include "input.h"
#include "references.h"

#define DECOMPRESSED_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void read_as(struct input *input, uint8_t choice)
{
	struct references references;
	struct why why;
	struct format_options options = {.column = choice & 64 ? 2 : 0};
	const struct format *format = NULL;
	for (size_t i = 0; formats[i]; i++)
		if (i + 1 == choice % 8)
			format = formats[i];
	if (!references_init(&references, choice & 128, &why) &&
	    !format_read(input, &format, &options, &references, &why) &&
	    (!references.count || !references.pages || references.pages > references.count ||
	     !references_next(&references)))
		__builtin_trap();
	references_finish(&references);
}

/* A few bytes may be many megabytes of compressed blank lines, which take seconds to read. */
static bool is_short(struct input *input)
{
	struct why why;
	while (input->offset < DECOMPRESSED_MAX && !input_fill(input, 1, &why) && input->used)
		input_consume(input, input->used);
	return input->offset < DECOMPRESSED_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct input input;
	struct why why;
	if (!count || input_open_memory(&input, bytes + 1, count - 1, &why))
		return 0;
	bool compressed = input.inflate, reads = !compressed || is_short(&input);
	if (compressed)
		input_close(&input);
	if (reads && (!compressed || !input_open_memory(&input, bytes + 1, count - 1, &why))) {
		read_as(&input, bytes[0]);
		input_close(&input);
	}
	return 0;
}
