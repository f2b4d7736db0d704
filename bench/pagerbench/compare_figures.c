/* SPDX-License-Identifier: MIT */
/* Of one workload, what was simulated: by size, against lru, over time. */
#include <math.h>
#include <stdlib.h>

#include "../sim/chart.h"
#include "compare.h"
#include "page.h"
#include "policies.h"

#define TIME_PERCENT 10.0 /* misses over time are shown at the size nearest to this share */
#define TIME_ROWS    12u
#define LEAST_SHOWN  0.00005 /* less is 0, and not -0 */

/* Curves of all policies of one workload. */
struct curves {
	const struct compare *compare;
	size_t workload;
	size_t lru; /* policy */
	size_t count;
	struct chart_series series[OPTIONS_LIST_MAX];
	struct chart_point *points;
};

static const struct cell *simulated(const struct curves *curves, size_t policy, size_t size)
{
	return compare_find(curves->compare, CELL_SIMULATED, curves->workload, policy, size, 0);
}

static double miss_ratio(const struct curves *curves, size_t policy, size_t size)
{
	return (double)simulated(curves, policy, size)->simulated.misses /
	       (double)curves->compare->references;
}

/* Percent of lru's misses that the policy has not. */
static double reduction(const struct curves *curves, size_t policy, size_t size)
{
	double lru = (double)simulated(curves, curves->lru, size)->simulated.misses;
	double own = (double)simulated(curves, policy, size)->simulated.misses;
	return lru > 0 ? 100 * (lru - own) / lru : 0;
}

/* A curve by size for each policy. */
static void curves_by_size(struct curves *curves,
			   double (*value)(const struct curves *curves, size_t policy, size_t size))
{
	const struct compare *compare = curves->compare;
	struct chart_point *point = curves->points;
	curves->count = 0;
	for (size_t policy = 0; policy < compare->policies.count; policy++) {
		curves->series[curves->count++] = (struct chart_series){
			compare->policies.item[policy], point, compare->size_count};
		for (size_t size = 0; size < compare->size_count; size++)
			*point++ = (struct chart_point){(double)compare->size_pages[size],
							value(curves, policy, size)};
	}
}

static void table_head(const struct curves *curves, const char *first, FILE *file)
{
	fprintf(file, "<table>\n<tr><th>%s</th>", first);
	for (size_t i = 0; i < curves->count; i++) {
		fputs("<th>", file);
		html_text(file, curves->series[i].name);
		fputs("</th>", file);
	}
	fputs("</tr>\n", file);
}

/* The best of those that do not know the future. */
static double best_of(const struct curves *curves, size_t at, bool least)
{
	double best = least ? INFINITY : -INFINITY;
	for (size_t i = 0; i < curves->count; i++) {
		double y = curves->series[i].points[at].y;
		if (policies_know_future(curves->series[i].name))
			continue;
		best = least ? fmin(best, y) : fmax(best, y);
	}
	return best;
}

static void table_by_size(const struct curves *curves, const char *format, bool least, FILE *file)
{
	const struct compare *compare = curves->compare;
	double footprint = (double)compare->workloads[curves->workload].distinct;
	table_head(curves, "pages (of footprint)", file);
	for (size_t size = 0; size < compare->size_count; size++) {
		double best = best_of(curves, size, least);
		fprintf(file, "<tr><th>%llu (%.3g%%)</th>",
			(unsigned long long)compare->size_pages[size],
			100 * (double)compare->size_pages[size] / footprint);
		for (size_t i = 0; i < curves->count; i++) {
			double y = curves->series[i].points[size].y;
			bool marked = y == best && !policies_know_future(curves->series[i].name);
			fputs(marked ? "<td class=\"best\">" : "<td>", file);
			fprintf(file, format, fabs(y) < LEAST_SHOWN ? 0 : y);
			fputs("</td>", file);
		}
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void figure_by_size(struct curves *curves, const char *title, const char *y_label,
			   const char *format, bool least, FILE *file)
{
	const struct compare *compare = curves->compare;
	const struct chart chart = {
		.title = title,
		.x_label = "size in pages",
		.y_label = y_label,
		.whole_label = "size as a share of the footprint",
		.whole = (double)compare->workloads[curves->workload].distinct,
		.series = curves->series,
		.count = curves->count,
	};
	page_figure_begin(file, title);
	chart_write(file, &chart);
	page_figure_table(file);
	table_by_size(curves, format, least, file);
	page_figure_end(file);
}

/* ---- over time --------------------------------------------------------------------------- */

static void curves_over_time(struct curves *curves, size_t size)
{
	const struct compare *compare = curves->compare;
	struct chart_point *point = curves->points;
	double window = (double)compare->references / COMPARE_WINDOWS;
	curves->count = 0;
	for (size_t policy = 0; policy < compare->policies.count; policy++) {
		const struct cell *cell = simulated(curves, policy, size);
		curves->series[curves->count++] = (struct chart_series){
			compare->policies.item[policy], point, COMPARE_WINDOWS};
		for (size_t i = 0; i < COMPARE_WINDOWS; i++)
			*point++ = (struct chart_point){((double)i + 0.5) * window,
							(double)cell->window_misses[i] / window};
	}
}

static void table_over_time(const struct curves *curves, FILE *file)
{
	size_t together = COMPARE_WINDOWS / TIME_ROWS;
	double window = (double)curves->compare->references / COMPARE_WINDOWS;
	table_head(curves, "references up to", file);
	for (size_t row = 0; row < TIME_ROWS; row++) {
		fprintf(file, "<tr><th>%.0f</th>", (double)((row + 1) * together) * window);
		for (size_t i = 0; i < curves->count; i++) {
			double sum = 0;
			for (size_t k = 0; k < together; k++)
				sum += curves->series[i].points[row * together + k].y;
			fprintf(file, "<td>%.4f</td>", sum / (double)together);
		}
		fputs("</tr>\n", file);
	}
	fputs("</table>\n", file);
}

static void figure_over_time(struct curves *curves, FILE *file)
{
	const struct compare *compare = curves->compare;
	size_t size = compare_size_near(compare, TIME_PERCENT);
	char title[80];
	snprintf(title, sizeof title, "Misses over time, with %llu pages",
		 (unsigned long long)compare->size_pages[size]);
	curves_over_time(curves, size);
	const struct chart chart = {
		.title = title,
		.x_label = "references",
		.y_label = "miss ratio of each part",
		.linear = true,
		.series = curves->series,
		.count = curves->count,
	};
	page_figure_begin(file, title);
	chart_write(file, &chart);
	page_figure_table(file);
	table_over_time(curves, file);
	page_figure_end(file);
}

void compare_figures(const struct compare *compare, size_t workload, FILE *file)
{
	size_t room = compare->size_count > COMPARE_WINDOWS ? compare->size_count : COMPARE_WINDOWS;
	struct curves curves = {
		.compare = compare,
		.workload = workload,
		.lru = compare_policy(compare, "lru"),
		.points = calloc(compare->policies.count * room, sizeof *curves.points),
	};
	if (!curves.points)
		return;
	curves_by_size(&curves, miss_ratio);
	figure_by_size(&curves, "Miss ratio by size", "miss ratio", "%.4f", true, file);
	if (curves.lru < compare->policies.count) {
		curves_by_size(&curves, reduction);
		figure_by_size(&curves, "Fewer misses than lru", "percent of lru's misses",
			       "%.2f%%", false, file);
	}
	figure_over_time(&curves, file);
	free(curves.points);
}
