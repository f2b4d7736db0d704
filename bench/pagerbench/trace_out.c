/* SPDX-License-Identifier: MIT */
/* Traces as text. */
#include "trace_out.h"

#include <errno.h>
#include <stdlib.h>

#include "output.h"

struct trace_out {
	struct output output;
};

int trace_out_open(struct trace_out **out, const char *path, bool text)
{
	struct trace_out *trace = calloc(1, sizeof *trace);
	if (!trace)
		return -ENOMEM;
	int error = output_open(&trace->output, path);
	if (error)
		free(trace);
	else
		*out = trace;
	return error;
}

void trace_out_add(struct trace_out *out, uint64_t page, bool write, uint32_t thread)
{
	fprintf(out->output.file, "%llu\n", (unsigned long long)page);
}

int trace_out_close(struct trace_out *out)
{
	int error = output_close(&out->output);
	free(out);
	return error;
}
