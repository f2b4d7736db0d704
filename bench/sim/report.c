/* SPDX-License-Identifier: MIT */
/* What the reports share, and the table. */
#include "report.h"

#include <string.h>

double job_miss_ratio(const struct job *job, const struct report *report)
{
	return (double)job->result.misses / (double)report->references->count;
}

double job_ns_per_reference(const struct job *job, const struct report *report)
{
	return (double)job->result.cpu_ns / (double)report->references->count;
}

double job_metadata_per_page(const struct job *job)
{
	return (double)job->result.metadata_bytes / job->result.frames;
}

double job_size_percent(const struct job *job, const struct report *report)
{
	return 100.0 * (double)job->config.size_pages / report->references->pages;
}

const char *job_visibility(const struct job *job, const struct report *report)
{
	return job->config.visibility == VISIBILITY_EXACT ? "exact" : report->options->visibility;
}

const char *job_seed(const struct job *job, size_t *length)
{
	const char *text = job->config.parameters;
	while (text) {
		*length = strcspn(text, ",");
		if (strncmp(text, "seed=", 5) == 0) {
			*length -= 5;
			return text + 5;
		}
		text = text[*length] ? text + *length + 1 : NULL;
	}
	return NULL;
}

static size_t spec_width(const struct report *report)
{
	size_t width = strlen("policy");
	for (size_t i = 0; i < report->job_count; i++) {
		size_t length = strlen(report->jobs[i].config.spec);
		width = length > width ? length : width;
	}
	return width;
}

static void table_row(FILE *file, const struct report *report, const struct job *job, size_t width)
{
	const struct run_result *result = &job->result;
	fprintf(file,
		"%-*s %10llu %7.3f%% %12llu %12llu %12llu %12llu %8.6f %7.2f %8.1f  %-11s %s\n",
		(int)width, job->config.spec, (unsigned long long)job->config.size_pages,
		job_size_percent(job, report), (unsigned long long)result->hits,
		(unsigned long long)result->misses, (unsigned long long)result->evictions,
		(unsigned long long)result->dirty_evictions, job_miss_ratio(job, report),
		job_ns_per_reference(job, report), job_metadata_per_page(job),
		job_visibility(job, report), job->config.ops->summary);
}

void report_table(FILE *file, const struct report *report)
{
	const struct references *references = report->references;
	size_t width = spec_width(report);
	fprintf(file, "trace %s (%s): %llu references, %llu of them writes, to %lu pages\n",
		report->trace_name, report->options->format->name,
		(unsigned long long)references->count, (unsigned long long)references->writes,
		(unsigned long)references->pages);
	fprintf(file, "%-*s %10s %8s %12s %12s %12s %12s %8s %7s %8s  %-11s %s\n", (int)width,
		"policy", "size", "of all", "hits", "misses", "evictions", "dirty", "ratio",
		"ns/ref", "B/page", "visibility", "variant");
	for (size_t i = 0; i < report->job_count; i++)
		table_row(file, report, &report->jobs[i], width);
}
