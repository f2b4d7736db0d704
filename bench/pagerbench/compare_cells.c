/* SPDX-License-Identifier: MIT */
/* What a comparison consists of. */
#include "compare.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "digest.h"
#include "pagerd/protocol.h"
#include "policies.h"
#include "simulation.h"

#define REFERENCES_A_PAGE 16u
#define DATA_BYTES	  (64u << 20) /* where nobody says */
#define KERNEL_PAGES_MIN  256u	      /* less, and the kernel may kill what it pages */
#define LIVE_PAGES_MIN	  (PAGERD_MEMORY_MIN / WORKLOAD_PAGE_BYTES)

const char *const cell_kind_names[] = {"simulated", "seen", "live"};

static const char *const bounds[] = {"min", "lru", "fifo"};

const char *compare_system(const struct compare *compare, size_t policy)
{
	return policy < compare->policies.count ? compare->policies.item[policy] : "kernel";
}

size_t compare_policy(const struct compare *compare, const char *name)
{
	size_t i = 0;
	while (i < compare->policies.count && strcmp(compare->policies.item[i], name))
		i++;
	return i;
}

size_t compare_size_near(const struct compare *compare, double percent)
{
	double wanted = (double)compare->data_pages * percent / 100;
	size_t best = 0;
	for (size_t i = 0; i < compare->size_count; i++) {
		double is = (double)compare->size_pages[i], was = (double)compare->size_pages[best];
		if ((is > wanted ? is / wanted : wanted / is) <
		    (was > wanted ? was / wanted : wanted / was))
			best = i;
	}
	return best;
}

const struct cell *compare_find(const struct compare *compare, enum cell_kind kind, size_t workload,
				size_t policy, size_t size, uint32_t run)
{
	for (size_t i = 0; i < compare->cell_count; i++) {
		const struct cell *cell = &compare->cells[i];
		if (cell->kind == kind && cell->workload == workload && cell->policy == policy &&
		    cell->size == size && cell->run == run)
			return cell;
	}
	return NULL;
}

struct summary compare_live(const struct compare *compare, size_t workload, size_t policy,
			    size_t size, enum live_field field)
{
	double values[OPTIONS_RUNS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < compare->cell_count; i++) {
		const struct cell *cell = &compare->cells[i];
		if (cell->kind == CELL_LIVE && cell->workload == workload &&
		    cell->policy == policy && cell->size == size && cell->done)
			values[count++] = cell->live.value[field];
	}
	return summary_of(values, count);
}

/* ---- what was asked for ------------------------------------------------------------------ */

/* What was asked for, then the bounds that are there. */
static int policies_gather(struct compare *compare)
{
	struct options_list *policies = &compare->policies;
	const char *parameters;
	*policies = compare->options.policies;
	for (size_t i = 0; !compare->options.policies.count && pagerd_policies[i]; i++)
		policies->item[policies->count++] = (char *)pagerd_policies[i]->name;
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
		if (policies->count < OPTIONS_LIST_MAX &&
		    compare_policy(compare, bounds[i]) == policies->count &&
		    pagerd_policy_find(bounds[i], &parameters))
			policies->item[policies->count++] = (char *)bounds[i];
	return policies_check(policies, false);
}

static int size_add(struct compare *compare, const struct options_size *size)
{
	uint64_t pages;
	if (!options_size_pages(size, compare->data_pages, &pages))
		return STATUS_USAGE;
	if (pages > compare->data_pages) {
		complain("a size of %llu pages is beyond the %llu pages of data",
			 (unsigned long long)pages, (unsigned long long)compare->data_pages);
		return STATUS_USAGE;
	}
	size_t at = compare->size_count;
	while (at && compare->size_pages[at - 1] > pages)
		at--;
	if (at && compare->size_pages[at - 1] == pages)
		return 0;
	memmove(compare->size_pages + at + 1, compare->size_pages + at,
		(compare->size_count - at) * sizeof *compare->size_pages);
	compare->size_pages[at] = pages;
	compare->size_count++;
	return 0;
}

static int sizes_gather(struct compare *compare)
{
	struct options *options = &compare->options;
	int status = 0;
	if (options->data.kind == SIZE_PERCENT) {
		complain("--data: pages or bytes");
		return STATUS_USAGE;
	}
	if (!options->data.kind)
		options->data = (struct options_size){SIZE_BYTES, DATA_BYTES};
	if (!options_size_pages(&options->data, 0, &compare->data_pages))
		return STATUS_USAGE;
	compare->references =
		options->references ? options->references : REFERENCES_A_PAGE * compare->data_pages;
	static const double standard[] = {1, 2, 5, 10, 20, 40, 80};
	for (size_t i = 0; !options->sizes.count && i < sizeof standard / sizeof *standard; i++)
		status = size_add(compare, &(struct options_size){SIZE_PERCENT, standard[i]});
	for (size_t i = 0; !status && i < options->sizes.count; i++)
		status = size_add(compare, &options->sizes.item[i]);
	return status;
}

/* Refuse a workload now, rather than after hours. */
static int workloads_gather(struct compare *compare)
{
	const struct options *options = &compare->options;
	if (options->workloads.count)
		compare->workload_count = options->workloads.count;
	else
		while (workloads[compare->workload_count])
			compare->workload_count++;
	for (size_t i = 0; i < compare->workload_count; i++) {
		struct plan plan;
		struct plan_spec spec = {.pages = compare->data_pages,
					 .count = 1,
					 .seed = options->seed,
					 .threads = options->threads};
		char why[256];
		spec.workload =
			options->workloads.count ? options->workloads.item[i] : workloads[i]->name;
		compare->workloads[i].spec = spec.workload;
		if (plan_make(&plan, &spec, why, sizeof why)) {
			complain("%s", why);
			return STATUS_USAGE;
		}
		plan_free(&plan);
	}
	return 0;
}

static int compare_parse(struct compare *compare, int argc, char **argv)
{
	static const char *const accepted[] = {
		"load-policy", "workloads", "policies",	 "sizes",   "data",	 "references",
		"seed",	       "threads",   "runs",	 "file",    "anonymous", "kernel",
		"live",	       "simulated", "advice",	 "reclaim", "access",	 "prefetch",
		"dir",	       "out",	    "read-only", NULL};
	struct options *options = &compare->options;
	int status = options_parse(options, argc, argv, accepted);
	if (status)
		return status;
	if (!options->output) {
		complain("compare needs --out DIR");
		return STATUS_USAGE;
	}
	if (options->file && options->anonymous) {
		complain("--file and --anonymous: one of them");
		return STATUS_USAGE;
	}
	if (!options->live && !options->simulated)
		options->live = options->simulated = true;
	if (!options->access)
		options->access = "harvest:1"; /* the daemon's own choice */
	if (!simulation_visibility(options->access, &compare->visibility,
				   &compare->harvest_frames)) {
		complain("--access: the simulator knows no '%s'", options->access);
		return STATUS_USAGE;
	}
	return 0;
}

/* ---- cells ------------------------------------------------------------------------------- */

static void cell_add(struct compare *compare, struct cell cell)
{
	if (compare->cells)
		compare->cells[compare->cell_count] = cell;
	compare->cell_count++;
}

static void live_cells(struct compare *compare, size_t workload, size_t size)
{
	const struct options *options = &compare->options;
	if (!options->live || compare->size_pages[size] < LIVE_PAGES_MIN)
		return;
	for (size_t policy = 0; policy < compare->policies.count; policy++)
		if (!policies_know_future(compare->policies.item[policy]))
			cell_add(compare, (struct cell){CELL_SEEN, workload, policy, size});
	bool kernel = options->kernel && compare->size_pages[size] >= KERNEL_PAGES_MIN;
	/* Interleaved, so that what changes on the machine meanwhile changes it for all. */
	for (uint32_t run = 1; run <= options->runs; run++)
		for (size_t policy = 0; policy < compare->policies.count + kernel; policy++)
			if (!policies_know_future(compare_system(compare, policy)))
				cell_add(compare,
					 (struct cell){CELL_LIVE, workload, policy, size, run});
}

/* Called twice: to count, and to fill in. */
static void cells_list(struct compare *compare)
{
	compare->cell_count = 0;
	for (size_t workload = 0; workload < compare->workload_count; workload++)
		for (size_t size = 0; size < compare->size_count; size++) {
			for (size_t policy = 0; policy < compare->policies.count; policy++)
				cell_add(compare,
					 (struct cell){CELL_SIMULATED, workload, policy, size});
			live_cells(compare, workload, size);
		}
}

static char *command_make(int argc, char **argv)
{
	char *text = NULL;
	size_t bytes;
	FILE *file = open_memstream(&text, &bytes);
	if (!file)
		return NULL;
	fputs("pagerbench compare", file);
	for (int i = 0; i < argc; i++)
		fprintf(file, " %s", argv[i]);
	fclose(file);
	return text;
}

int compare_init(struct compare *compare, int argc, char **argv)
{
	*compare = (struct compare){.command = command_make(argc, argv)};
	int status = compare_parse(compare, argc, argv);
	if (!status)
		status = sizes_gather(compare);
	if (!status)
		status = policies_gather(compare);
	if (!status)
		status = workloads_gather(compare);
	if (status)
		return status;
	compare->build = digest_programs();
	for (size_t i = 0; i < compare->options.loaded.count; i++)
		compare->build = digest_add_file(compare->build, compare->options.loaded.item[i]);
	cells_list(compare);
	compare->cells = calloc(compare->cell_count, sizeof *compare->cells);
	if (!compare->cells || !compare->command) {
		complain("not enough memory");
		return STATUS_FAILED;
	}
	cells_list(compare);
	return 0;
}

void compare_finish(struct compare *compare)
{
	free(compare->cells);
	free(compare->command);
}
