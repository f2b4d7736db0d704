/* SPDX-License-Identifier: MIT */
/* The results as CSV (RFC 4180, but for the ends of lines) . */
#include "report.h"

static void csv_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

static void csv_row(FILE *file, const struct report *report, const struct job *job)
{
	const struct run_result *result = &job->result;
	size_t seed_length = 0;
	const char *seed = job_seed(job, &seed_length);
	csv_text(file, report->trace_name);
	fprintf(file, ",%s,", report->options->format->name);
	csv_text(file, job->config.ops->name);
	fputc(',', file);
	csv_text(file, job->config.parameters ? job->config.parameters : "");
	fputc(',', file);
	csv_text(file, job->config.ops->summary);
	fprintf(file, ",%.*s,%s,%llu,%.4f,%lu,%llu,%llu,%llu,%llu,%llu,%llu,%.9f,%.3f,%.2f,%llu\n",
		(int)seed_length, seed ? seed : "", job_visibility(job, report),
		(unsigned long long)job->config.size_pages, job_size_percent(job, report),
		(unsigned long)report->references->pages,
		(unsigned long long)report->references->count,
		(unsigned long long)report->references->writes, (unsigned long long)result->hits,
		(unsigned long long)result->misses, (unsigned long long)result->evictions,
		(unsigned long long)result->dirty_evictions, job_miss_ratio(job, report),
		job_ns_per_reference(job, report), job_metadata_per_page(job),
		(unsigned long long)result->ghosts);
}

void report_csv(FILE *file, const struct report *report)
{
	fputs("trace,format,policy,parameters,variant,seed,visibility,size_pages,size_percent,"
	      "footprint_pages,references,writes,hits,misses,evictions,dirty_evictions,miss_ratio,"
	      "ns_per_reference,metadata_bytes_per_page,ghosts\n",
	      file);
	for (size_t i = 0; i < report->job_count; i++)
		csv_row(file, report, &report->jobs[i]);
}
