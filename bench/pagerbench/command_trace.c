/* SPDX-License-Identifier: MIT */
/* pagerbench list, pagerbench trace. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "options.h"
#include "pagerbench.h"
#include "plan.h"
#include "signals.h"
#include "trace_out.h"

#define SIGNALS_EVERY 65536u /* references from one look for a signal to the next */

int command_list(int argc, char **argv)
{
	static const char *const accepted[] = {NULL};
	struct options options;
	int status = options_parse(&options, argc, argv, accepted);
	if (status)
		return status;
	for (size_t i = 0; workloads[i]; i++) {
		printf("%-14s %s\n", workloads[i]->name, workloads[i]->summary);
		for (const struct workload_parameter *p = workloads[i]->parameters; p->name; p++)
			printf("%-14s   %s=%g  %s\n", "", p->name, p->standard, p->meaning);
	}
	return 0;
}

static int trace_write(const struct plan *plan, const struct options *options)
{
	struct plan_cursor cursor = {0};
	struct reference reference;
	struct trace_out *out;
	uint32_t thread;
	bool text = options->format && !strcmp(options->format, "text");
	int error = trace_out_open(&out, options->output, text);
	if (!error) {
		for (uint64_t i = 0; plan_next(plan, &cursor, &reference, &thread); i++) {
			trace_out_add(out, reference.page, reference.write, thread);
			if (i % SIGNALS_EVERY == 0 && signals_pending()) {
				trace_out_break(out);
				break;
			}
		}
		error = trace_out_close(out);
	}
	if (!error)
		return 0;
	complain("%s: %s", options->output, error == -EINTR ? "told to end" : strerror(-error));
	return STATUS_FAILED;
}

int command_trace(int argc, char **argv)
{
	static const char *const accepted[] = {"workload", "pages",	"references",
					       "seed",	   "threads",	"output",
					       "format",   "read-only", NULL};
	struct options options;
	struct plan plan;
	char why[256];
	int status = options_parse(&options, argc, argv, accepted);
	if (status)
		return status;
	if (options.workloads.count != 1 || !options.data.kind || !options.output) {
		complain("trace needs one --workload, --pages and -o FILE");
		return STATUS_USAGE;
	}
	struct plan_spec spec = {
		.workload = options.workloads.item[0],
		.seed = options.seed,
		.threads = options.threads,
		.read_only = options.read_only,
	};
	if (options.data.kind == SIZE_PERCENT ||
	    !options_size_pages(&options.data, 0, &spec.pages)) {
		complain("--pages: pages or bytes");
		return STATUS_USAGE;
	}
	spec.count = options.references ? options.references : 20 * spec.pages;
	int error = plan_make(&plan, &spec, why, sizeof why);
	if (error) {
		complain("%s", why);
		return error == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	}
	status = trace_write(&plan, &options);
	plan_free(&plan);
	return status;
}
