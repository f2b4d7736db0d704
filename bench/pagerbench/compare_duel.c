/* SPDX-License-Identifier: MIT */
/* What was used last against what was used often: lru and lfu, on each workload. */
#include <inttypes.h>

#include "compare.h"
#include "page.h"
#include "../sim/chart.h"

#define DUEL_PERCENT 10.0 /* of the data in memory */

struct duel {
	const struct compare *compare;
	size_t policy[2], size;
};

static struct summary misses_of(const struct duel *duel, enum cell_kind kind, size_t workload,
				int side)
{
	if (kind == CELL_LIVE)
		return compare_live(duel->compare, workload, duel->policy[side], duel->size,
				    LIVE_MISSES);
	const struct cell *cell =
		compare_find(duel->compare, kind, workload, duel->policy[side], duel->size, 0);
	double misses = cell ? (double)cell->simulated.misses : 0;
	return (struct summary){misses, misses, misses};
}

static void misses_cell(const struct summary *misses, FILE *file)
{
	fprintf(file, "<td>%.0f", misses->median);
	if (misses->least < misses->most)
		fprintf(file, " <span class=\"soft\">%.0f–%.0f</span>", misses->least,
			misses->most);
	fputs("</td>", file);
}

/* Who has fewer, in each of its runs than the other in any. */
static void verdict_cell(const struct duel *duel, const struct summary *misses, FILE *file)
{
	int better = misses[1].most < misses[0].least;
	const struct summary *few = &misses[better], *many = &misses[!better];
	if (few->most >= many->least) {
		fputs("<td>–</td>", file);
		return;
	}
	fputs("<td class=\"best\">", file);
	html_text(file, compare_system(duel->compare, duel->policy[better]));
	fprintf(file, ", %.1f%% fewer</td>", 100 * (1 - few->median / many->median));
}

static void duel_row(const struct duel *duel, size_t workload, enum cell_kind kind, FILE *file)
{
	static const char *const names[] = {"simulated", "as the daemon sees", "live"};
	const struct summary misses[] = {misses_of(duel, kind, workload, 0),
					 misses_of(duel, kind, workload, 1)};
	if (misses[0].median <= 0 || misses[1].median <= 0)
		return;
	fprintf(file, "<tr><th><a href=\"#w%zu\">", workload);
	html_text(file, duel->compare->workloads[workload].spec);
	fprintf(file, "</a></th><td>%s</td>", names[kind]);
	misses_cell(&misses[0], file);
	misses_cell(&misses[1], file);
	verdict_cell(duel, misses, file);
	fputs("</tr>\n", file);
}

/* The first from the usual size on that was run live, or that one. */
static size_t size_choose(const struct compare *compare, size_t policy)
{
	size_t near = compare_size_near(compare, DUEL_PERCENT);
	for (size_t size = near; size < compare->size_count; size++)
		if (compare_find(compare, CELL_LIVE, 0, policy, size, 1))
			return size;
	return near;
}

void compare_duel(const struct compare *compare, FILE *file)
{
	struct duel duel = {
		.compare = compare,
		.policy = {compare_policy(compare, "lru"), compare_policy(compare, "lfu")},
	};
	if (duel.policy[0] == compare->policies.count || duel.policy[1] == compare->policies.count)
		return;
	duel.size = size_choose(compare, duel.policy[0]);
	fprintf(file,
		"<h2 id=\"duel\">Used last, or used often?</h2>\n<p>Misses of <code>lru</code> and "
		"of <code>lfu</code> with %" PRIu64 " pages of memory, and who has fewer in each "
		"of its runs than the other in any; live, medians, with the least and the most.</p>"
		"\n<div class=\"wide\"><table id=\"duel-table\">\n<tr><th></th><th></th>"
		"<th>lru</th><th>lfu</th><th></th></tr>\n",
		compare->size_pages[duel.size]);
	for (size_t i = 0; i < compare->workload_count; i++)
		for (int kind = CELL_SIMULATED; kind <= CELL_LIVE; kind++)
			duel_row(&duel, i, (enum cell_kind)kind, file);
	fputs("</table></div>\n", file);
}
