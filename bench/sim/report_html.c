/* SPDX-License-Identifier: MIT */
/* One page that needs nothing beside it: no network, no script. */
#include <stdlib.h>

#include "chart.h"
#include "report.h"

static const char page_style[] =
	":root{color-scheme:light dark;--ink:#222;--paper:#fff;--rule:#ddd;--soft:#666}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#161819;--rule:#3a3d40;"
	"--soft:#a0a0a0}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);"
	"max-width:80rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.4rem}h2{font-size:1.15rem}\n"
	"code{overflow-wrap:anywhere}\n"
	".beside{display:grid;gap:1.5rem;grid-template-columns:minmax(0,1fr)}\n"
	"@media(min-width:64rem){.beside{grid-template-columns:minmax(0,1fr) minmax(0,1fr)}}\n"
	".wide{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-size:.85rem;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15rem .5rem;border-bottom:1px solid var(--rule);text-align:right;"
	"white-space:nowrap}\n"
	"th:first-child,td:first-child,.left{text-align:left}\n"
	"caption{text-align:left;color:var(--soft)}\n";

static void head_write(FILE *file, const struct report *report)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n<title>pagersim: ",
	      file);
	html_text(file, report->trace_name);
	fprintf(file, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<h1>", page_style,
		chart_style);
	html_text(file, report->trace_name);
	fprintf(file,
		"</h1>\n<p>%llu references, %llu of them writes, to %lu pages. Format %s; visibility ",
		(unsigned long long)report->references->count,
		(unsigned long long)report->references->writes,
		(unsigned long)report->references->pages, report->options->format->name);
	html_text(file, report->options->visibility);
	fputs(".</p>\n<p><code>", file);
	html_text(file, report->command);
	fputs("</code></p>\n", file);
}

/* ---- the picture ------------------------------------------------------------------------- */

static int point_compare(const void *a, const void *b)
{
	double x = ((const struct chart_point *)a)->x, y = ((const struct chart_point *)b)->x;
	return (x > y) - (x < y);
}

static void series_fill(struct chart_series *series, const struct report *report, size_t policy)
{
	series->count = report->options->size_count;
	series->name = report_job(report, policy, 0)->config.spec;
	for (size_t i = 0; i < series->count; i++) {
		const struct job *job = report_job(report, policy, i);
		series->points[i] = (struct chart_point){(double)job->config.size_pages,
							 job_miss_ratio(job, report)};
	}
	qsort(series->points, series->count, sizeof *series->points, point_compare);
}

static void curves_write(FILE *file, const struct report *report)
{
	size_t policies = report->options->policy_count, sizes = report->options->size_count;
	struct chart_series *series = calloc(policies, sizeof *series);
	struct chart_point *points = calloc(policies * sizes, sizeof *points);
	const struct chart chart = {
		.title = "Miss ratio by size",
		.x_label = "size in pages",
		.y_label = "miss ratio",
		.whole_label = "size as a part of the footprint",
		.whole = report->references->pages,
		.series = series,
		.count = policies,
	};
	if (series && points) {
		for (size_t i = 0; i < policies; i++) {
			series[i].points = points + i * sizes;
			series_fill(&series[i], report, i);
		}
		chart_write(file, &chart);
	}
	free(series);
	free(points);
}

/* ---- tables ------------------------------------------------------------------------------ */

/* What the picture shows: a row for each size, a column for each policy. */
static void ratios_write(FILE *file, const struct report *report)
{
	const struct options *options = report->options;
	fputs("<div class=\"wide\"><table>\n<caption>Miss ratios</caption>\n<tr><th>pages</th>"
	      "<th>of all</th>",
	      file);
	for (size_t i = 0; i < options->policy_count; i++) {
		fputs("<th>", file);
		html_text(file, options->policies[i].spec);
		fputs("</th>", file);
	}
	fputs("</tr>\n", file);
	for (size_t i = 0; i < options->size_count; i++) {
		const struct job *first = report_job(report, 0, i);
		fprintf(file, "<tr><td>%llu</td><td>%.4g%%</td>",
			(unsigned long long)first->config.size_pages,
			job_size_percent(first, report));
		for (size_t j = 0; j < options->policy_count; j++)
			fprintf(file, "<td>%.6f</td>",
				job_miss_ratio(report_job(report, j, i), report));
		fputs("</tr>\n", file);
	}
	fputs("</table></div>\n", file);
}

static void row_write(FILE *file, const struct report *report, const struct job *job)
{
	const struct run_result *result = &job->result;
	fputs("<tr><td>", file);
	html_text(file, job->config.spec);
	fprintf(file,
		"</td><td>%llu</td><td>%llu</td><td>%llu</td><td>%llu</td><td>%llu</td>"
		"<td>%.6f</td><td>%.2f</td><td>%.1f</td><td>%llu</td><td class=\"left\">",
		(unsigned long long)job->config.size_pages, (unsigned long long)result->hits,
		(unsigned long long)result->misses, (unsigned long long)result->evictions,
		(unsigned long long)result->dirty_evictions, job_miss_ratio(job, report),
		job_ns_per_reference(job, report), job_metadata_per_page(job),
		(unsigned long long)result->ghosts);
	html_text(file, job_visibility(job, report));
	fputs("</td><td class=\"left\">", file);
	html_text(file, job->config.ops->summary);
	fputs("</td></tr>\n", file);
}

static void counts_write(FILE *file, const struct report *report)
{
	fputs("<h2>All counts</h2>\n<div class=\"wide\"><table>\n<tr><th>policy</th><th>pages</th>"
	      "<th>hits</th><th>misses</th><th>evictions</th><th>dirty</th><th>miss ratio</th>"
	      "<th>ns/ref.</th><th>bytes/page</th><th>ghosts</th><th class=\"left\">visibility</th>"
	      "<th class=\"left\">variant</th></tr>\n",
	      file);
	for (size_t i = 0; i < report->job_count; i++)
		row_write(file, report, &report->jobs[i]);
	fputs("</table></div>\n", file);
}

void report_html(FILE *file, const struct report *report)
{
	head_write(file, report);
	fputs("<h2>Miss ratio by size</h2>\n<div class=\"beside\">\n<div>\n", file);
	curves_write(file, report);
	fputs("</div>\n", file);
	ratios_write(file, report);
	fputs("</div>\n", file);
	counts_write(file, report);
	fputs("</body>\n</html>\n", file);
}
