/* SPDX-License-Identifier: MIT */
/* The results as JSON. */
#include "report.h"

/* What is no UTF-8 (a file's name may be anything) is shown as Latin-1 would be: reports are
 * always valid. */
static void json_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			fprintf(file, "\\%c", c);
		else if (c < ' ' || c > '~')
			fprintf(file, "\\u%04x", c);
		else
			fputc(c, file);
	}
	fputc('"', file);
}

static void json_field(FILE *file, const char *name, const char *text)
{
	fprintf(file, "\"%s\": ", name);
	json_text(file, text);
	fputs(", ", file);
}

static void json_number(FILE *file, const char *name, unsigned long long number)
{
	fprintf(file, "\"%s\": %llu, ", name, number);
}

static void json_harvest(FILE *file, const struct job *job)
{
	if (job->config.visibility != VISIBILITY_HARVEST)
		return;
	json_number(file, "harvest_looked", job->result.harvest_looked);
	json_number(file, "harvest_used", job->result.harvest_used);
	json_number(file, "harvest_kept", job->result.harvest_kept);
}

static void json_row(FILE *file, const struct report *report, const struct job *job)
{
	const struct run_result *result = &job->result;
	size_t length;
	const char *seed = job_seed(job, &length);
	fputs("    {", file);
	json_field(file, "policy", job->config.ops->name);
	json_field(file, "parameters", job->config.parameters ? job->config.parameters : "");
	json_field(file, "variant", job->config.ops->summary);
	if (seed)
		fprintf(file, "\"seed\": %.*s, ", (int)length, seed);
	json_field(file, "visibility", job_visibility(job, report));
	json_number(file, "size_pages", job->config.size_pages);
	json_number(file, "references", report->references->count);
	json_number(file, "hits", result->hits);
	json_number(file, "misses", result->misses);
	json_number(file, "evictions", result->evictions);
	json_number(file, "dirty_evictions", result->dirty_evictions);
	json_harvest(file, job);
	json_number(file, "ghosts", result->ghosts);
	fprintf(file,
		"\"miss_ratio\": %.9f, \"ns_per_reference\": %.3f, "
		"\"metadata_bytes_per_page\": %.2f}",
		job_miss_ratio(job, report), job_ns_per_reference(job, report),
		job_metadata_per_page(job));
}

void report_json(FILE *file, const struct report *report)
{
	fputs("{\n  ", file);
	json_field(file, "program", "pagersim " PAGERSIM_VERSION);
	json_field(file, "command", report->command);
	json_field(file, "trace", report->trace_name);
	json_field(file, "format", report->options->format->name);
	fputs("\n  ", file);
	json_number(file, "references", report->references->count);
	json_number(file, "writes", report->references->writes);
	json_number(file, "footprint_pages", report->references->pages);
	fputs("\n  \"rows\": [\n", file);
	for (size_t i = 0; i < report->job_count; i++) {
		json_row(file, report, &report->jobs[i]);
		fputs(i + 1 < report->job_count ? ",\n" : "\n", file);
	}
	fputs("  ]\n}\n", file);
}
