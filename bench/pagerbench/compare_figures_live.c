/* SPDX-License-Identifier: MIT */
/* Of one workload, what was run live at one size: against the simulator, latency, time. */
#include "compare.h"
#include "page.h"
#include "../sim/chart.h"
#include "rows.h"

#define SYSTEMS_MAX (OPTIONS_LIST_MAX + 1)

/* The policies that were run, and the kernel. */
struct systems {
	const struct compare *compare;
	size_t workload, size;
	size_t count;
	size_t policy[SYSTEMS_MAX];
	struct rows_row row[SYSTEMS_MAX];
};

static struct summary field(const struct systems *systems, size_t i, enum live_field live)
{
	return compare_live(systems->compare, systems->workload, systems->policy[i], systems->size,
			    live);
}

static double misses_of(const struct systems *systems, size_t i, enum cell_kind kind)
{
	const struct cell *cell = compare_find(systems->compare, kind, systems->workload,
					       systems->policy[i], systems->size, 0);
	return cell ? (double)cell->simulated.misses : 0;
}

static void systems_find(struct systems *systems)
{
	const struct compare *compare = systems->compare;
	for (size_t policy = 0; policy <= compare->policies.count; policy++)
		if (compare_find(compare, CELL_LIVE, systems->workload, policy, systems->size, 1))
			systems->policy[systems->count++] = policy;
}

static void rows_begin(struct systems *systems)
{
	for (size_t i = 0; i < systems->count; i++)
		systems->row[i] = (struct rows_row){
			.label = compare_system(systems->compare, systems->policy[i])};
}

static void name_cell(const struct systems *systems, size_t i, FILE *file)
{
	fputs("<tr><th>", file);
	html_text(file, compare_system(systems->compare, systems->policy[i]));
	fputs("</th>", file);
}

static void spread_cell(struct summary summary, const char *format, FILE *file)
{
	fputs("<td>", file);
	fprintf(file, format, summary.median);
	fputs(" <span class=\"soft\">", file);
	fprintf(file, format, summary.least);
	fputs("–", file);
	fprintf(file, format, summary.most);
	fputs("</span></td>", file);
}

/* ---- live against simulated -------------------------------------------------------------- */

static void misses_table(const struct systems *systems, FILE *file)
{
	fputs("<table>\n<tr><th>policy</th><th>simulated</th><th>as the daemon sees</th>"
	      "<th>live</th><th>live / as seen</th></tr>\n",
	      file);
	for (size_t i = 0; i < systems->count; i++) {
		struct summary live = field(systems, i, LIVE_MISSES);
		double exact = misses_of(systems, i, CELL_SIMULATED);
		double seen = misses_of(systems, i, CELL_SEEN);
		name_cell(systems, i, file);
		if (seen > 0)
			fprintf(file, "<td>%.0f</td><td>%.0f</td>", exact, seen);
		else
			fputs("<td>–</td><td>–</td>", file);
		spread_cell(live, "%.0f", file);
		if (seen > 0)
			fprintf(file, "<td>%.3f</td></tr>\n", live.median / seen);
		else
			fputs("<td>–</td></tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void misses_figure(struct systems *systems, FILE *file)
{
	rows_begin(systems);
	for (size_t i = 0; i < systems->count; i++) {
		struct summary live = field(systems, i, LIVE_MISSES);
		struct rows_row *row = &systems->row[i];
		row->mark[0] = misses_of(systems, i, CELL_SIMULATED);
		row->mark[1] = misses_of(systems, i, CELL_SEEN);
		row->mark[2] = live.median;
		row->least = live.least;
		row->most = live.most;
	}
	const struct rows rows = {
		.title = "Live against simulated",
		.x_label = "misses",
		.linear = true,
		.names = {"simulated", "simulated, with what the daemon sees", "live"},
		.marks = 3,
		.row = systems->row,
		.count = systems->count,
	};
	page_figure_begin(file, rows.title);
	rows_write(file, &rows);
	page_figure_table(file);
	misses_table(systems, file);
	page_figure_end(file);
}

/* ---- latency ----------------------------------------------------------------------------- */

static void latency_table(const struct systems *systems, FILE *file)
{
	fputs("<table>\n<tr><th>µs</th><th>p50</th><th>p90</th><th>p99</th><th>p99.9</th></tr>\n",
	      file);
	for (size_t i = 0; i < systems->count; i++) {
		name_cell(systems, i, file);
		for (int k = LIVE_P50_US; k <= LIVE_P999_US; k++)
			spread_cell(field(systems, i, (enum live_field)k), "%.1f", file);
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void latency_figure(struct systems *systems, FILE *file)
{
	rows_begin(systems);
	for (size_t i = 0; i < systems->count; i++)
		for (int k = LIVE_P50_US; k <= LIVE_P999_US; k++)
			systems->row[i].mark[k - LIVE_P50_US] =
				field(systems, i, (enum live_field)k).median;
	const struct rows rows = {
		.title = "Latency of a miss",
		.x_label = "microseconds",
		.names = {"p50", "p90", "p99", "p99.9"},
		.marks = 4,
		.row = systems->row,
		.count = systems->count,
	};
	page_figure_begin(file, rows.title);
	rows_write(file, &rows);
	page_figure_table(file);
	latency_table(systems, file);
	page_figure_end(file);
}

/* ---- run time ---------------------------------------------------------------------------- */

static void time_table(const struct systems *systems, FILE *file)
{
	size_t last = systems->count - 1;
	bool kernel = systems->policy[last] == systems->compare->policies.count;
	double kernel_s = field(systems, last, LIVE_SECONDS).median;
	fputs("<table>\n<tr><th></th><th>run time, s</th><th>kernel's / its own</th>"
	      "<th>daemon's CPU, s</th><th>pages read</th><th>written</th></tr>\n",
	      file);
	for (size_t i = 0; i < systems->count; i++) {
		struct summary run = field(systems, i, LIVE_SECONDS);
		name_cell(systems, i, file);
		spread_cell(run, "%.3f", file);
		if (kernel && run.median > 0)
			fprintf(file, "<td>%.2f</td>", kernel_s / run.median);
		else
			fputs("<td>–</td>", file);
		fprintf(file, "<td>%.3f</td><td>%.0f</td><td>%.0f</td></tr>\n",
			field(systems, i, LIVE_DAEMON_SECONDS).median,
			field(systems, i, LIVE_READS).median,
			field(systems, i, LIVE_WRITES).median);
	}
	fputs("</table>\n", file);
}

static void time_figure(struct systems *systems, FILE *file)
{
	rows_begin(systems);
	for (size_t i = 0; i < systems->count; i++) {
		struct summary run = field(systems, i, LIVE_SECONDS);
		systems->row[i].mark[0] = run.median;
		systems->row[i].least = run.least;
		systems->row[i].most = run.most;
	}
	const struct rows rows = {
		.title = "Run time",
		.x_label = "seconds",
		.linear = true,
		.names = {"median, and spread"},
		.marks = 1,
		.row = systems->row,
		.count = systems->count,
	};
	page_figure_begin(file, rows.title);
	rows_write(file, &rows);
	page_figure_table(file);
	time_table(systems, file);
	page_figure_end(file);
}

void compare_figures_live(const struct compare *compare, size_t workload, size_t size, FILE *file)
{
	struct systems systems = {.compare = compare, .workload = workload, .size = size};
	systems_find(&systems);
	if (!systems.count)
		return;
	fprintf(file, "<h3>Live, with %llu pages of memory (%.3g%% of the footprint)</h3>\n",
		(unsigned long long)compare->size_pages[size],
		100 * (double)compare->size_pages[size] /
			(double)compare->workloads[workload].distinct);
	misses_figure(&systems, file);
	latency_figure(&systems, file);
	time_figure(&systems, file);
}
