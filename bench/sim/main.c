/* SPDX-License-Identifier: MIT */
/* pagersim: what a replacement policy is worth on a trace. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "output.h"
#include "pool.h"
#include "report.h"

static int failed(int status, const struct why *why)
{
	fprintf(stderr, "pagersim: %s\n", why->text);
	return status;
}

/* The arguments as one line: what a report says it comes from. */
static char *command_line(int argc, char **argv)
{
	char *line = NULL;
	size_t bytes;
	FILE *file = open_memstream(&line, &bytes);
	if (!file)
		return NULL;
	for (int i = 0; i < argc; i++)
		fprintf(file, "%s%s", i ? " " : "", argv[i]);
	return fclose(file) ? NULL : line;
}

static int outputs_check(const struct options *options, struct why *why)
{
	int error = output_check(options->csv, why);
	if (!error)
		error = output_check(options->json, why);
	return error ? error : output_check(options->html, why);
}

/* All that was asked for, and the table if standard output is not taken. */
static int reports_write(const struct report *report, struct why *why)
{
	const struct {
		const char *path;
		report_write write;
	} wanted[] = {
		{report->options->csv, report_csv},
		{report->options->json, report_json},
		{report->options->html, report_html},
	};
	bool table = true;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		if (!wanted[i].path)
			continue;
		table = table && strcmp(wanted[i].path, "-") != 0;
		int error = output_write(wanted[i].path, wanted[i].write, report, why);
		if (error)
			return error;
	}
	return table ? output_write("-", report_table, report, why) : 0;
}

static int trace_read(struct options *options, struct references *references, const char **name,
		      struct why *why)
{
	struct input input;
	int error = input_open(&input, options->trace, why);
	if (error)
		return error;
	*name = input.name;
	error = format_read(&input, &options->format, &options->format_options, references, why);
	input_close(&input);
	return error;
}

/* The exit status for what may go wrong with a trace. */
static int trace_status(int error)
{
	switch (error) {
	case -EILSEQ:
	case -ENODATA:
	case -E2BIG:
		return STATUS_DATA;
	case -EINVAL:
		return STATUS_USAGE;
	default:
		return STATUS_INPUT;
	}
}

static void jobs_fill(struct report *report)
{
	const struct options *options = report->options;
	for (size_t i = 0; i < report->job_count; i++) {
		struct run_config *config = &report->jobs[i].config;
		*config = options->policies[i / options->size_count];
		config->notes = options->notes ? stderr : NULL;
		config->size_pages = size_pages(&options->sizes[i % options->size_count],
						report->references->pages);
	}
}

/* Larger ones would say nothing: a trace has no more pages than it refers to. */
static int sizes_check(const struct report *report, struct why *why)
{
	uint32_t footprint = report->references->pages;
	for (size_t i = 0; i < report->options->size_count; i++) {
		uint64_t pages = report->jobs[i].config.size_pages;
		if (pages > footprint)
			return why_say(why, -EINVAL,
				       "--size: %llu pages are beyond the footprint of %s, %lu "
				       "pages (100%%)",
				       (unsigned long long)pages, report->trace_name,
				       (unsigned long)footprint);
	}
	return 0;
}

static int simulate(struct report *report, struct references *references, struct why *why)
{
	const struct options *options = report->options;
	report->references = references;
	report->job_count = options->policy_count * options->size_count;
	report->jobs = calloc(report->job_count, sizeof *report->jobs);
	if (!report->jobs)
		return failed(STATUS_FAILED, (why_say(why, 0, "no memory"), why));
	jobs_fill(report);
	if (sizes_check(report, why))
		return failed(STATUS_USAGE, why);
	if (pool_run(report->jobs, report->job_count, references, options->threads, why))
		return failed(STATUS_FAILED, why);
	return reports_write(report, why) ? failed(STATUS_OUTPUT, why) : EXIT_SUCCESS;
}

static int pagersim(struct options *options, const char *command)
{
	struct references references;
	struct why why;
	struct report report = {.options = options, .command = command};
	if (outputs_check(options, &why))
		return failed(STATUS_OUTPUT, &why);
	int status, error = references_init(&references, options->merge, &why);
	if (!error)
		error = trace_read(options, &references, &report.trace_name, &why);
	if (error)
		status = failed(trace_status(error), &why);
	else
		status = simulate(&report, &references, &why);
	free(report.jobs);
	references_finish(&references);
	return status;
}

int main(int argc, char **argv)
{
	struct options options;
	struct why why;
	char *command = command_line(argc, argv);
	int status, error = options_parse(&options, argc, argv, &why);
	if (error < 0) {
		status = failed(STATUS_USAGE, &why);
		fputs("(pagersim --help explains)\n", stderr);
	} else {
		status = error || !command ? EXIT_SUCCESS : pagersim(&options, command);
	}
	options_finish(&options);
	free(command);
	return status;
}
