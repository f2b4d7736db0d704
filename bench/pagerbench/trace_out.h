/* SPDX-License-Identifier: MIT */
/* A trace that is being written; what is broken off does not get its name. */
#ifndef PAGERBENCH_TRACE_OUT_H
#define PAGERBENCH_TRACE_OUT_H

#include <stdbool.h>
#include <stdint.h>

struct trace_out;

/* path "-" is standard output. text: one decimal page a line, else <pagerd/trace.h>. 0 or -errno.
 */
int trace_out_open(struct trace_out **out, const char *path, bool text);
void trace_out_add(struct trace_out *out, uint64_t page, bool write, uint32_t thread);
/* It ends here, before it is whole: -EINTR, if nothing failed before. */
void trace_out_break(struct trace_out *out);
/* Finish it, and free out. 0, or the -errno of the first thing that failed. */
int trace_out_close(struct trace_out *out);

#endif
