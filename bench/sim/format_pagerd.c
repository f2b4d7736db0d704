/* SPDX-License-Identifier: MIT */
/* Our own traces (include/pagerd/trace.h). */
#include <errno.h>

#include "format.h"
#include "trace.h"

static int wrong(const struct input *input, const char *sentence, struct why *why)
{
	return why_say(why, -EILSEQ, "%s: byte %llu: %s", input->name,
		       (unsigned long long)input->offset, sentence);
}

static int need(struct input *input, size_t count, struct why *why)
{
	int error = input_fill(input, count, why);
	if (error || input->used >= count)
		return error;
	return why_say(why, -EILSEQ, "%s: truncated at byte %llu, before the end block",
		       input->name, (unsigned long long)(input->offset + input->used));
}

static int block_add(struct trace_decoder *decoder, const struct input *input, size_t bytes,
		     struct references *references, struct why *why)
{
	struct trace_record record;
	bool more = true;
	const char *sentence = trace_decoder_block(decoder, input_bytes(input), bytes);
	while (!sentence) {
		sentence = trace_decoder_next(decoder, &record, &more);
		if (sentence || !more)
			break;
		int error = references_add(references, record.page, record.write, why);
		if (error)
			return error;
	}
	return sentence ? wrong(input, sentence, why) : 0;
}

static int end_check(const struct trace_decoder *decoder, struct input *input, struct why *why)
{
	const char *sentence = trace_decoder_finish(decoder, input_bytes(input));
	if (sentence)
		return wrong(input, sentence, why);
	input_consume(input, PAGERD_TRACE_END_BYTES);
	int error = input_fill(input, 1, why);
	if (!error && input->used)
		return wrong(input, "there is something behind the end block", why);
	return error;
}

static int blocks_read(struct trace_decoder *decoder, struct input *input,
		       struct references *references, struct why *why)
{
	for (;;) {
		enum trace_block kind;
		size_t bytes;
		int error = need(input, PAGERD_TRACE_BLOCK_HEAD_BYTES, why);
		if (error)
			return error;
		const char *sentence = trace_decoder_head(input_bytes(input), &kind, &bytes);
		if (sentence)
			return wrong(input, sentence, why);
		error = need(input, bytes, why);
		if (error)
			return error;
		if (kind == TRACE_BLOCK_END)
			return end_check(decoder, input, why);
		error = block_add(decoder, input, bytes, references, why);
		if (error)
			return error;
		input_consume(input, bytes);
	}
}

static int pagerd_read(struct input *input, const struct format_options *options,
		       struct references *references, struct why *why)
{
	struct trace_decoder decoder;
	(void)options;
	int error = need(input, PAGERD_TRACE_HEADER_BYTES, why);
	if (error)
		return error;
	const char *sentence = trace_decoder_init(&decoder, input_bytes(input));
	if (sentence)
		return wrong(input, sentence, why);
	input_consume(input, PAGERD_TRACE_HEADER_BYTES);
	return blocks_read(&decoder, input, references, why);
}

const struct format format_pagerd = {
	.name = "pagerd",
	.summary = "what pagerctl record writes: pages, reads and writes, threads",
	.read = pagerd_read,
};
