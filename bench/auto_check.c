/* SPDX-License-Identifier: MIT */
/*
 * Does auto choose well? Every workload, and some that change into another one in the middle, in
 * the simulator: auto beside all fixed policies.
 *
 * Each phase (a workload of a sequence like "zipf+loop") is cut into WINDOWS parts. For each of
 * them the best fixed policy is the one that has the least misses from there on to the end of the
 * phase; auto has settled where it has at most TOLERANCE percent more from there on. If that is
 * not before the middle of the phase it has not settled.
 *
 * Counts are exact, and the same in each run with the same arguments. Exit status 1: somewhere it
 * has not settled; 64: usage; 2: anything else.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pagerbench/simulation.h"

#define WINDOWS	      100u /* of a phase */
#define TOLERANCE     5u   /* percent */
#define POLICIES_MOST 80u
#define SUBJECTS_MOST 8u

struct arguments {
	const char *subjects[SUBJECTS_MOST]; /* auto, with its parameters */
	unsigned subject_count;
	const char *workloads;
	const char *percents; /* sizes */
	const char *visibility;
	uint64_t pages, references, seed;
};

static const char workloads_all[] =
	"uniform,zipf,sequential,loop,zigzag,zipf-scan,moving,working-set,hot-cold,follows,once,"
	"chase,matrix-rows,matrix-blocks,btree,bfs,hash-join,"
	"zipf+loop,loop+zipf,zipf-scan+moving,moving+zipf,uniform+zigzag,working-set+hot-cold,"
	"hot-cold+chase,chase+working-set,btree+sequential,sequential+btree,"
	"zipf+loop+working-set+zipf";

/* One policy on one trace with one size. */
struct race {
	const char *name;
	uint64_t *misses; /* of each window */
	unsigned switches;
};

struct scene {
	const struct arguments *arguments;
	const char *workload;
	struct references references;
	uint32_t phases;
	uint64_t size_pages;
	struct race races[POLICIES_MOST]; /* the subjects first */
	unsigned count;
};

_Noreturn static void fail(int status, const char *about, const char *text)
{
	fprintf(stderr, "auto_check: %s: %s\n", about, text);
	exit(status);
}

static void *allocate(size_t bytes)
{
	void *memory = calloc(1, bytes);
	if (!memory)
		fail(2, "memory", "there is not enough");
	return memory;
}

/* ---- running ----------------------------------------------------------------------------- */

static void visibility_set(const struct scene *scene, struct run_config *config)
{
	const char *visibility = scene->arguments->visibility;
	config->visibility = VISIBILITY_EXACT;
	if (strcmp(visibility, "exact") != 0 &&
	    !simulation_visibility(visibility, &config->visibility, &config->harvest_frames))
		fail(64, "--visibility", visibility);
}

/* The simulator writes what the policy notes to a stream. */
static unsigned lines_of(FILE *stream)
{
	unsigned lines = 0;
	int c;
	rewind(stream);
	while ((c = getc(stream)) != EOF)
		lines += c == '\n';
	fclose(stream);
	return lines;
}

static void race_run(struct scene *scene, const char *spec)
{
	struct race *race = &scene->races[scene->count++];
	struct run_config config = {
		.spec = spec,
		.size_pages = scene->size_pages,
		.windows = scene->phases * WINDOWS,
	};
	struct run_result result;
	struct why why;
	race->name = spec;
	race->misses = allocate(config.windows * sizeof *race->misses);
	config.ops = pagerd_policy_find(spec, &config.parameters);
	config.window_misses = race->misses;
	config.notes = tmpfile();
	if (!config.ops || !config.notes)
		fail(2, spec, "it cannot be run");
	visibility_set(scene, &config);
	if (run(&config, &scene->references, &result, &why))
		fail(2, spec, why.text);
	race->switches = lines_of(config.notes);
}

static void races_run(struct scene *scene)
{
	scene->count = 0;
	for (unsigned i = 0; i < scene->arguments->subject_count; i++)
		race_run(scene, scene->arguments->subjects[i]);
	for (size_t i = 0; pagerd_policies[i]; i++)
		if (!pagerd_policies[i]->current && strcmp(pagerd_policies[i]->name, "min") != 0)
			race_run(scene, pagerd_policies[i]->name);
}

/* ---- judging ----------------------------------------------------------------------------- */

static uint64_t sum(const struct race *race, uint32_t from, uint32_t end)
{
	uint64_t misses = 0;
	for (uint32_t i = from; i < end; i++)
		misses += race->misses[i];
	return misses;
}

static const struct race *best_of(const struct scene *scene, uint32_t from, uint32_t end)
{
	const struct race *best = NULL;
	for (unsigned i = scene->arguments->subject_count; i < scene->count; i++)
		if (!best || sum(&scene->races[i], from, end) < sum(best, from, end))
			best = &scene->races[i];
	return best;
}

static double ratio(const struct scene *scene, const struct race *race, uint32_t from, uint32_t end)
{
	uint64_t best = sum(best_of(scene, from, end), from, end), own = sum(race, from, end);
	return best ? (double)own / (double)best : own ? 99 : 1;
}

/* One line; whether it has settled. */
static bool judge(const struct scene *scene, const struct race *race, uint32_t phase)
{
	uint32_t begin = phase * WINDOWS, end = begin + WINDOWS, settled = begin;
	while (settled < end - WINDOWS / 2 &&
	       ratio(scene, race, settled, end) > 1 + TOLERANCE / 100.0)
		settled++;
	bool good = settled < end - WINDOWS / 2;
	double window = (double)scene->references.count / scene->phases / WINDOWS;
	double references = (settled - begin) * window;
	const struct race *best = best_of(scene, begin, end);
	printf("%-28s %2u %-8s %7llu  %-10s %9llu %9llu %7.3f  %9.0f %7.1f %7.3f %5u%s\n",
	       scene->workload, phase + 1, race->name, (unsigned long long)scene->size_pages,
	       best->name, (unsigned long long)sum(best, begin, end),
	       (unsigned long long)sum(race, begin, end), ratio(scene, race, begin, end),
	       references, references / (double)scene->size_pages, ratio(scene, race, settled, end),
	       race->switches, good ? "" : "  NOT SETTLED");
	fflush(stdout);
	return good;
}

static unsigned scene_play(struct scene *scene, double percent)
{
	unsigned bad = 0;
	scene->size_pages = (uint64_t)(scene->references.pages * percent / 100 + 0.5);
	races_run(scene);
	for (uint32_t phase = 0; phase < scene->phases; phase++)
		for (unsigned i = 0; i < scene->arguments->subject_count; i++)
			bad += !judge(scene, &scene->races[i], phase);
	for (unsigned i = 0; i < scene->count; i++)
		free(scene->races[i].misses);
	return bad;
}

static void references_make(struct scene *scene, const char *workload)
{
	const struct arguments *arguments = scene->arguments;
	struct plan_spec spec = {
		.workload = workload,
		.pages = arguments->pages,
		.count = arguments->references,
		.seed = arguments->seed,
		.threads = 1,
	};
	struct plan plan;
	struct why why;
	scene->workload = workload;
	scene->phases = 1;
	for (const char *c = workload; *c; c++)
		scene->phases += *c == '+';
	spec.count *= scene->phases;
	if (plan_make(&plan, &spec, why.text, sizeof why.text) ||
	    simulation_trace(&scene->references, &plan, &why))
		fail(2, workload, why.text);
	plan_free(&plan);
}

static unsigned workload_check(const struct arguments *arguments, const char *workload)
{
	struct scene *scene = allocate(sizeof *scene);
	char *percents = strdup(arguments->percents), *rest = percents, *percent;
	unsigned bad = 0;
	scene->arguments = arguments;
	references_make(scene, workload);
	while ((percent = strsep(&rest, ",")))
		bad += scene_play(scene, strtod(percent, NULL));
	references_finish(&scene->references);
	free(percents);
	free(scene);
	return bad;
}

/* ---- the command line -------------------------------------------------------------------- */

static const char usage[] =
	"usage: auto_check [--auto SPEC]... [--workloads NAME[+NAME],...] [--sizes PERCENT,...]\n"
	"                  [--pages N] [--references N (of a phase)] [--seed N]\n"
	"                  [--visibility exact|faults|harvest:N]\n";

static const struct option options[] = {
	{"auto", required_argument, NULL, 'a'},	      {"workloads", required_argument, NULL, 'w'},
	{"sizes", required_argument, NULL, 's'},      {"pages", required_argument, NULL, 'p'},
	{"references", required_argument, NULL, 'r'}, {"seed", required_argument, NULL, 'e'},
	{"visibility", required_argument, NULL, 'v'}, {0}};

static bool option_set(struct arguments *arguments, int option)
{
	switch (option) {
	case 'a':
		if (arguments->subject_count == SUBJECTS_MOST)
			return false;
		arguments->subjects[arguments->subject_count++] = optarg;
		return true;
	case 'w':
		arguments->workloads = optarg;
		return true;
	case 's':
		arguments->percents = optarg;
		return true;
	case 'v':
		arguments->visibility = optarg;
		return true;
	case 'p':
		return (arguments->pages = strtoull(optarg, NULL, 10)) > 0;
	case 'r':
		return (arguments->references = strtoull(optarg, NULL, 10)) >= WINDOWS;
	case 'e':
		arguments->seed = strtoull(optarg, NULL, 10);
		return true;
	default:
		return false;
	}
}

static void heading(void)
{
	printf("%-28s %2s %-8s %7s  %-10s %9s %9s %7s  %9s %7s %7s %5s\n", "workload", "", "policy",
	       "size", "best fixed", "misses", "own", "ratio", "settled", "/ size", "then",
	       "notes");
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.workloads = workloads_all,
		.percents = "5,10,25,50",
		.visibility = "exact",
		.pages = 20000,
		.references = 1000000,
		.seed = 7,
	};
	int option;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option_set(&arguments, option))
			continue;
		fputs(usage, stderr);
		return 64;
	}
	if (!arguments.subject_count)
		arguments.subjects[arguments.subject_count++] = "auto";
	char *list = strdup(arguments.workloads), *rest = list, *workload;
	unsigned bad = 0;
	heading();
	while ((workload = strsep(&rest, ",")))
		bad += workload_check(&arguments, workload);
	free(list);
	printf("not settled: %u\n", bad);
	return bad > 0;
}
