/* SPDX-License-Identifier: MIT */
/* The results of a comparison, for other programs. */
#include <inttypes.h>

#include "compare.h"
#include "machine.h"
#include "quote.h"

static double live_or_none(const struct cell *cell, enum live_field field)
{
	return cell->kind == CELL_LIVE ? cell->live.value[field] : 0;
}

/* What both kinds have. */
static uint64_t cell_misses(const struct cell *cell)
{
	return cell->kind == CELL_LIVE ? (uint64_t)cell->live.value[LIVE_MISSES]
				       : cell->simulated.misses;
}

static void csv_row(const struct compare *compare, const struct cell *cell, FILE *file)
{
	const struct compare_workload *workload = &compare->workloads[cell->workload];
	const struct run_result *simulated = &cell->simulated;
	uint64_t misses = cell_misses(cell);
	bool live = cell->kind == CELL_LIVE;
	fprintf(file, "%s,", cell_kind_names[cell->kind]);
	quote_csv(file, workload->spec);
	fputc(',', file);
	quote_csv(file, compare_system(compare, cell->policy));
	fprintf(file, ",%" PRIu64 ",%" PRIu64 ",%u,%" PRIu64 ",%" PRIu64 ",%.9f",
		compare->size_pages[cell->size], workload->distinct, cell->run, compare->references,
		misses, (double)misses / (double)compare->references);
	fprintf(file, ",%.0f,%.0f",
		live ? live_or_none(cell, LIVE_EVICTIONS) : (double)simulated->evictions,
		live ? live_or_none(cell, LIVE_DIRTY_EVICTIONS)
		     : (double)simulated->dirty_evictions);
	for (int i = 0; i < LIVE_FIELDS; i++)
		if (i == LIVE_MAJORS || i == LIVE_READS || i == LIVE_WRITES || i >= LIVE_SECONDS)
			fprintf(file, live ? ",%.9g" : ",", cell->live.value[i]);
	fputc('\n', file);
}

void compare_csv(const struct compare *compare, FILE *file)
{
	fputs("kind,workload,policy,size_pages,footprint_pages,run,references,misses,miss_ratio,"
	      "evictions,dirty_evictions",
	      file);
	for (int i = 0; i < LIVE_FIELDS; i++)
		if (i == LIVE_MAJORS || i == LIVE_READS || i == LIVE_WRITES || i >= LIVE_SECONDS)
			fprintf(file, ",%s", live_field_names[i]);
	fputc('\n', file);
	for (size_t i = 0; i < compare->cell_count; i++)
		csv_row(compare, &compare->cells[i], file);
}

static void json_cell(const struct compare *compare, const struct cell *cell, FILE *file)
{
	fprintf(file, "{\"kind\": \"%s\", \"workload\": ", cell_kind_names[cell->kind]);
	quote_json(file, compare->workloads[cell->workload].spec);
	fputs(", \"policy\": ", file);
	quote_json(file, compare_system(compare, cell->policy));
	fprintf(file, ", \"size_pages\": %" PRIu64, compare->size_pages[cell->size]);
	if (cell->kind == CELL_LIVE) {
		fprintf(file, ", \"run\": %u", cell->run);
		for (int i = 0; i < LIVE_FIELDS; i++)
			fprintf(file, ", \"%s\": %.9g", live_field_names[i], cell->live.value[i]);
		fputc('}', file);
		return;
	}
	const struct run_result *simulated = &cell->simulated;
	fprintf(file,
		", \"hits\": %" PRIu64 ", \"misses\": %" PRIu64 ", \"evictions\": %" PRIu64
		", \"dirty_evictions\": %" PRIu64 ", \"metadata_bytes\": %" PRIu64
		", \"ghosts\": %" PRIu64 ", \"window_misses\": [",
		simulated->hits, simulated->misses, simulated->evictions,
		simulated->dirty_evictions, simulated->metadata_bytes, simulated->ghosts);
	for (size_t i = 0; i < COMPARE_WINDOWS; i++)
		fprintf(file, "%s%" PRIu64, i ? ", " : "", cell->window_misses[i]);
	fputs("]}", file);
}

void compare_json(const struct compare *compare, FILE *file)
{
	fputs("{\"command\": ", file);
	quote_json(file, compare->command);
	fputs(", \"machine\": ", file);
	machine_json(file);
	fprintf(file,
		", \"data_pages\": %" PRIu64 ", \"references\": %" PRIu64 ", \"seed\": %" PRIu64
		", \"threads\": %u, \"workloads\": [",
		compare->data_pages, compare->references, compare->options.seed,
		compare->options.threads);
	for (size_t i = 0; i < compare->workload_count; i++) {
		fprintf(file, "%s{\"workload\": ", i ? ", " : "");
		quote_json(file, compare->workloads[i].spec);
		fprintf(file, ", \"footprint_pages\": %" PRIu64 "}",
			compare->workloads[i].distinct);
	}
	fputs("], \"cells\": [", file);
	for (size_t i = 0; i < compare->cell_count; i++) {
		fputs(i ? ",\n " : "\n ", file);
		json_cell(compare, &compare->cells[i], file);
	}
	fputs("\n]}\n", file);
}
