/* SPDX-License-Identifier: MIT */
/* A trace that is being written. */
#include "trace_out.h"

#include <errno.h>
#include <stdlib.h>

#include "output.h"
#include "trace.h"

struct trace_out {
	struct output output;
	bool text;
	int error; /* the first one */
	struct trace_encoder encoder;
};

static int sink(void *context, const void *bytes, size_t count)
{
	struct trace_out *out = context;
	errno = EIO;
	return fwrite(bytes, 1, count, out->output.file) == count ? 0 : -errno;
}

int trace_out_open(struct trace_out **out, const char *path, bool text)
{
	struct trace_out *trace = calloc(1, sizeof *trace);
	if (!trace)
		return -ENOMEM;
	trace->text = text;
	int error = output_open(&trace->output, path);
	if (error) {
		free(trace);
		return error;
	}
	if (!text)
		trace->error = trace_encoder_init(&trace->encoder, sink, trace);
	*out = trace;
	return 0;
}

void trace_out_add(struct trace_out *out, uint64_t page, bool write, uint32_t thread)
{
	struct trace_record record = {.page = page, .thread = thread, .write = write};
	if (out->error)
		return;
	if (!out->text)
		out->error = trace_encoder_add(&out->encoder, &record);
	else if (fprintf(out->output.file, "%llu\n", (unsigned long long)page) < 0)
		out->error = -errno;
}

void trace_out_break(struct trace_out *out)
{
	if (!out->error)
		out->error = -EINTR;
}

int trace_out_close(struct trace_out *out)
{
	int error = out->error;
	if (!error && !out->text)
		error = trace_encoder_finish(&out->encoder);
	if (error)
		output_drop(&out->output);
	else
		error = output_close(&out->output);
	free(out);
	return error;
}
