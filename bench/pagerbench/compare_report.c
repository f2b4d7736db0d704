/* SPDX-License-Identifier: MIT */
/* The report of a comparison. */
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "compare.h"
#include "machine.h"
#include "page.h"
#include "policies.h"
#include "../sim/chart.h"

#define OVERVIEW_PERCENT 10.0 /* the size of the overview */

static void contents(const struct compare *compare, FILE *file)
{
	fputs("<nav><ul><li><a href=\"#overview\">Overview</a></li>", file);
	for (size_t i = 0; i < compare->workload_count; i++) {
		fprintf(file, "<li><a href=\"#w%zu\">", i);
		html_text(file, compare->workloads[i].spec);
		fputs("</a></li>", file);
	}
	fputs("<li><a href=\"#policies\">Policies</a></li><li><a href=\"#how\">How it was "
	      "measured</a></li></ul></nav>\n",
	      file);
}

static void preamble(const struct compare *compare, FILE *file)
{
	const struct options *options = &compare->options;
	struct machine machine;
	char date[32];
	time_t now = time(NULL);
	machine_look(&machine);
	strftime(date, sizeof date, "%Y-%m-%d", gmtime(&now));
	fprintf(file, "<p>%s. %ld × ", date, machine.processors);
	html_text(file, machine.processor);
	fprintf(file, ", %.1f GiB, ", machine.memory_gib);
	html_text(file, machine.kernel);
	fprintf(file,
		".</p>\n<p>%" PRIu64 " pages of %s%s, %" PRIu64 " references by %u thread%s, seed "
		"%" PRIu64 ". ",
		compare->data_pages, options->file ? "a mapped file" : "anonymous memory",
		options->read_only ? ", only read" : "", compare->references, options->threads,
		options->threads == 1 ? "" : "s", options->seed);
	if (options->live)
		fprintf(file, "Live runs: %u of each.", options->runs);
	else
		fputs("Simulated only.", file);
	fputs("</p>\n<pre><code>", file);
	html_text(file, compare->command);
	fputs("</code></pre>\n", file);
}

/* ---- overview ---------------------------------------------------------------------------- */

static double overview_ratio(const struct compare *compare, size_t workload, size_t policy,
			     size_t size)
{
	const struct cell *cell = compare_find(compare, CELL_SIMULATED, workload, policy, size, 0);
	return (double)cell->simulated.misses / (double)compare->references;
}

static void overview_row(const struct compare *compare, size_t workload, size_t size, FILE *file)
{
	double best = INFINITY;
	for (size_t i = 0; i < compare->policies.count; i++)
		if (!policies_know_future(compare->policies.item[i]))
			best = fmin(best, overview_ratio(compare, workload, i, size));
	fprintf(file, "<tr><th><a href=\"#w%zu\">", workload);
	html_text(file, compare->workloads[workload].spec);
	fputs("</a></th>", file);
	for (size_t i = 0; i < compare->policies.count; i++) {
		double ratio = overview_ratio(compare, workload, i, size);
		bool marked = ratio == best && !policies_know_future(compare->policies.item[i]);
		fprintf(file, "<td%s>%.4f</td>", marked ? " class=\"best\"" : "", ratio);
	}
	fputs("</tr>\n", file);
}

static void overview(const struct compare *compare, FILE *file)
{
	size_t size = compare_size_near(compare, OVERVIEW_PERCENT);
	fprintf(file,
		"<h2 id=\"overview\">Overview</h2>\n<p>Simulated miss ratios with %" PRIu64
		" pages of memory, %.3g%% of the data; the best that does not know the future is "
		"marked.</p>\n<div class=\"wide\"><table id=\"overview-table\">\n<tr><th></th>",
		compare->size_pages[size],
		100 * (double)compare->size_pages[size] / (double)compare->data_pages);
	for (size_t i = 0; i < compare->policies.count; i++) {
		fputs("<th>", file);
		html_text(file, compare->policies.item[i]);
		fputs("</th>", file);
	}
	fputs("</tr>\n", file);
	for (size_t i = 0; i < compare->workload_count; i++)
		overview_row(compare, i, size, file);
	fputs("</table></div>\n", file);
}

/* ---- workloads, policies, explanations --------------------------------------------------- */

static const char *workload_summary(const char *spec)
{
	size_t length = strcspn(spec, ":+");
	if (strchr(spec, '+'))
		return "one after the other, each with the same share of the references";
	for (size_t i = 0; workloads[i]; i++)
		if (strlen(workloads[i]->name) == length &&
		    !memcmp(workloads[i]->name, spec, length))
			return workloads[i]->summary;
	return "";
}

static void workload_section(const struct compare *compare, size_t workload, FILE *file)
{
	const struct compare_workload *is = &compare->workloads[workload];
	fprintf(file, "<h2 id=\"w%zu\">", workload);
	html_text(file, is->spec);
	fputs("</h2>\n<p>", file);
	html_text(file, workload_summary(is->spec));
	fprintf(file, ". Footprint: %" PRIu64 " pages.</p>\n", is->distinct);
	compare_figures(compare, workload, file);
	for (size_t size = 0; size < compare->size_count; size++)
		compare_figures_live(compare, workload, size, file);
}

static void policies_section(const struct compare *compare, FILE *file)
{
	fputs("<h2 id=\"policies\">Policies</h2>\n<div class=\"wide\"><table>\n", file);
	for (size_t i = 0; i < compare->policies.count; i++) {
		const char *parameters;
		const struct pagerd_policy_ops *ops =
			pagerd_policy_find(compare->policies.item[i], &parameters);
		fputs("<tr><th>", file);
		html_text(file, compare->policies.item[i]);
		fputs("</th><td style=\"text-align:left\">", file);
		html_text(file, ops->summary);
		fputs("</td></tr>\n", file);
	}
	fputs("</table></div>\n", file);
}

static void how_section(const struct compare *compare, FILE *file)
{
	const struct options *options = &compare->options;
	fputs("<h2 id=\"how\">How it was measured</h2>\n<ul>\n"
	      "<li><b>Simulated</b>: the daemon's own policy objects meet the workload's "
	      "references one by one and are told of every one. A page that is not there is a "
	      "miss, the first time too. <b>With what the daemon sees</b>: they are told of no "
	      "more than the daemon learns ",
	      file);
	fprintf(file, "(access: %s).</li>\n", options->access ? options->access : "faults");
	fprintf(file,
		"<li><b>Live</b>: the same references on real memory, under a daemon of each run's "
		"own (reclaim: %s; prefetch: ",
		options->reclaim ? options->reclaim : "ahead");
	if (options->prefetch_given)
		fprintf(file, "%u pages at most", options->prefetch);
	else
		fputs("as the daemon does it", file);
	fputs("). Every access checks what it finds, and at the end every page is checked. The "
	      "daemon reclaims ahead of demand, so that some of the memory is free at any time, "
	      "and reads ahead: live misses are more, or fewer, than simulated ones for that. Runs "
	      "are interleaved; medians, with the least and the most.</li>\n"
	      "<li><b>kernel</b>: the same program under the kernel's own swap, or mmap, in a "
	      "memory cgroup of that size and a little for the kernel's own: 8 bytes for each page of "
	      "data, 64 pages for each processor. What the program needs for itself is not counted. "
	      "Only from 256 pages of memory on; live at all from 64 pages on.</li>\n"
	      "<li><b>Latency of a miss</b>: the program's view. Of all accesses the slowest, as "
	      "many as missed.</li>\n"
	      "<li>The numbers are in <a href=\"results.csv\">results.csv</a> and <a "
	      "href=\"results.json\">results.json</a>.</li>\n</ul>\n",
	      file);
}

void compare_html(const struct compare *compare, FILE *file)
{
	page_begin(file, "pagerd: policies compared");
	preamble(compare, file);
	contents(compare, file);
	overview(compare, file);
	compare_duel(compare, file);
	for (size_t i = 0; i < compare->workload_count; i++)
		workload_section(compare, i, file);
	policies_section(compare, file);
	how_section(compare, file);
	page_end(file);
}
