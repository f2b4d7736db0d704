/* SPDX-License-Identifier: MIT */
/* pagerbench live: policies and the kernel under the same workload, for real. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "live.h"
#include "machine.h"
#include "options.h"
#include "output.h"
#include "pagerbench.h"
#include "plan.h"
#include "policies.h"
#include "quote.h"
#include "signals.h"
#include "summary.h"

#define KERNEL		  "kernel"
#define DATA_TIMES	  4u /* the memory */
#define REFERENCES_A_PAGE 8u
#define WHY_BYTES	  256

struct sample {
	const char *workload;
	const char *system; /* a policy, or KERNEL */
	uint32_t run;
	struct live_result result;
};

struct session {
	struct options options;
	uint64_t memory_pages, data_pages, references;
	struct options_list systems;
	struct sample *samples;
	size_t count;
};

/* ---- what is asked for ------------------------------------------------------------------- */

static int session_sizes(struct session *session)
{
	struct options *options = &session->options;
	if (!options->memory.kind ||
	    (options->memory.kind == SIZE_PERCENT && !options->data.kind) ||
	    options->data.kind == SIZE_PERCENT) {
		complain("live needs --memory, and --data if that is a share of the data");
		return STATUS_USAGE;
	}
	if (options->data.kind && !options_size_pages(&options->data, 0, &session->data_pages))
		return STATUS_USAGE;
	if (!options_size_pages(&options->memory, session->data_pages, &session->memory_pages))
		return STATUS_USAGE;
	if (!session->data_pages)
		session->data_pages = DATA_TIMES * session->memory_pages;
	session->references =
		options->references ? options->references : REFERENCES_A_PAGE * session->data_pages;
	return 0;
}

static int session_systems(struct session *session)
{
	struct options *options = &session->options;
	session->systems = options->policies;
	if (!session->systems.count && !options->kernel)
		session->systems.item[session->systems.count++] = (char *)"lru";
	if (options->kernel && session->systems.count < OPTIONS_LIST_MAX)
		session->systems.item[session->systems.count++] = (char *)KERNEL;
	return policies_check(&options->policies, true);
}

static int session_parse(struct session *session, int argc, char **argv)
{
	static const char *const accepted[] = {
		"load-policy", "workload", "policy",  "memory", "data",	     "references",
		"seed",	       "threads",  "runs",    "file",	"anonymous", "kernel",
		"read-only",   "advice",   "reclaim", "access", "prefetch",  "dir",
		"csv",	       "json",	   NULL};
	int status = options_parse(&session->options, argc, argv, accepted);
	if (status)
		return status;
	if (!session->options.workloads.count) {
		complain("live needs --workload");
		return STATUS_USAGE;
	}
	if (session->options.file && session->options.anonymous) {
		complain("--file and --anonymous: one of them");
		return STATUS_USAGE;
	}
	status = session_sizes(session);
	return status ? status : session_systems(session);
}

/* ---- running ----------------------------------------------------------------------------- */

static int sample_take(struct session *session, const struct plan *plan, const char *workload,
		       const char *system, uint32_t run)
{
	const struct options *options = &session->options;
	struct live_config config = {
		.plan = plan,
		.policy = strcmp(system, KERNEL) ? system : NULL,
		.loaded = &options->loaded,
		.memory_pages = session->memory_pages,
		.file = options->file,
		.advice = options_advice(options),
		.dir = options->dir,
		.reclaim = options->reclaim,
		.access = options->access,
		.prefetch = options->prefetch_given ? (int)options->prefetch : -1,
	};
	struct sample *sample = &session->samples[session->count];
	*sample = (struct sample){.workload = workload, .system = system, .run = run};
	fprintf(stderr, "run %u: %s, %s\n", run, workload, system);
	int status = live_run(&config, &sample->result);
	session->count += !status;
	return status;
}

/* Interleaved, so that what changes on the machine meanwhile changes it for all. */
static int workload_run(struct session *session, const char *workload)
{
	struct plan_spec spec = {
		.workload = workload,
		.pages = session->data_pages,
		.count = session->references,
		.seed = session->options.seed,
		.threads = session->options.threads,
		.read_only = session->options.read_only,
		.fresh = !session->options.file,
	};
	struct plan plan;
	char why[WHY_BYTES];
	int error = plan_make(&plan, &spec, why, sizeof why), status = 0;
	if (error) {
		complain("%s", why);
		return error == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	}
	for (uint32_t run = 1; !status && run <= session->options.runs; run++)
		for (size_t i = 0; !status && i < session->systems.count; i++)
			status = sample_take(session, &plan, workload, session->systems.item[i],
					     run);
	plan_free(&plan);
	return status;
}

/* ---- telling ----------------------------------------------------------------------------- */

static struct summary field_summary(const struct session *session, const char *workload,
				    const char *system, enum live_field field)
{
	double values[OPTIONS_RUNS_MAX];
	size_t count = 0;
	for (size_t i = 0; i < session->count; i++)
		if (session->samples[i].workload == workload &&
		    session->samples[i].system == system)
			values[count++] = session->samples[i].result.value[field];
	return summary_of(values, count);
}

static void table_row(const struct session *session, const char *workload, const char *system)
{
	static const enum live_field fields[] = {LIVE_MISSES, LIVE_READS, LIVE_WRITES};
	static const enum live_field times[] = {LIVE_P50_US, LIVE_P90_US, LIVE_P99_US,
						LIVE_P999_US};
	printf("%-14s", system);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		printf(" %10.0f", field_summary(session, workload, system, fields[i]).median);
	printf(" %7.4f", field_summary(session, workload, system, LIVE_MISS_RATIO).median);
	for (size_t i = 0; i < sizeof times / sizeof *times; i++)
		printf(" %8.1f", field_summary(session, workload, system, times[i]).median);
	struct summary run = field_summary(session, workload, system, LIVE_SECONDS);
	printf("  %7.3f (%.3f-%.3f) %8.3f\n", run.median, run.least, run.most,
	       field_summary(session, workload, system, LIVE_DAEMON_SECONDS).median);
}

static void table_print(const struct session *session)
{
	const struct options *options = &session->options;
	printf("%llu pages of data in memory for %llu (%s), %llu references, %u threads, seed %llu;"
	       "\nmedians of %u runs (run time: least-most); latencies of misses in microseconds\n",
	       (unsigned long long)session->data_pages, (unsigned long long)session->memory_pages,
	       options->file ? "a mapped file" : "anonymous",
	       (unsigned long long)session->references, options->threads,
	       (unsigned long long)options->seed, options->runs);
	for (size_t i = 0; i < options->workloads.count; i++) {
		printf("\n%s\n%-14s %10s %10s %10s %7s %8s %8s %8s %8s  %s\n",
		       options->workloads.item[i], "", "misses", "read", "written", "ratio", "p50",
		       "p90", "p99", "p99.9", "seconds         daemon CPU s");
		for (size_t k = 0; k < session->systems.count; k++)
			table_row(session, options->workloads.item[i], session->systems.item[k]);
	}
}

static void csv_write(const struct session *session, FILE *file)
{
	fputs("workload,system,run", file);
	for (int i = 0; i < LIVE_FIELDS; i++)
		fprintf(file, ",%s", live_field_names[i]);
	for (size_t i = 0; i < session->count; i++) {
		const struct sample *sample = &session->samples[i];
		fputc('\n', file);
		quote_csv(file, sample->workload);
		fputc(',', file);
		quote_csv(file, sample->system);
		fprintf(file, ",%u", sample->run);
		for (int k = 0; k < LIVE_FIELDS; k++)
			fprintf(file, ",%.9g", sample->result.value[k]);
	}
	fputc('\n', file);
}

static void json_write(const struct session *session, FILE *file)
{
	const struct options *options = &session->options;
	fputs("{\"machine\": ", file);
	machine_json(file);
	fprintf(file,
		", \"data_pages\": %llu, \"memory_pages\": %llu, \"threads\": %u, \"seed\": %llu, "
		"\"memory\": \"%s\", \"runs\": [",
		(unsigned long long)session->data_pages, (unsigned long long)session->memory_pages,
		options->threads, (unsigned long long)options->seed,
		options->file ? "file" : "anonymous");
	for (size_t i = 0; i < session->count; i++) {
		const struct sample *sample = &session->samples[i];
		fprintf(file, "%s\n {\"workload\": ", i ? "," : "");
		quote_json(file, sample->workload);
		fputs(", \"system\": ", file);
		quote_json(file, sample->system);
		fprintf(file, ", \"run\": %u", sample->run);
		for (int k = 0; k < LIVE_FIELDS; k++)
			fprintf(file, ", \"%s\": %.9g", live_field_names[k],
				sample->result.value[k]);
		fputc('}', file);
	}
	fputs("\n]}\n", file);
}

static int save(const struct session *session, const char *path,
		void (*write)(const struct session *session, FILE *file))
{
	struct output output;
	if (!path)
		return 0;
	int error = output_open(&output, path);
	if (!error) {
		write(session, output.file);
		error = output_close(&output);
	}
	if (!error)
		return 0;
	complain("%s: %s", path, strerror(-error));
	return STATUS_FAILED;
}

/* ---- all of it --------------------------------------------------------------------------- */

static int session_run(struct session *session)
{
	const struct options *options = &session->options;
	int status = 0;
	session->samples = calloc(options->workloads.count * options->runs * session->systems.count,
				  sizeof *session->samples);
	if (!session->samples) {
		complain("not enough memory");
		return STATUS_FAILED;
	}
	for (size_t i = 0; !status && i < options->workloads.count; i++)
		status = workload_run(session, options->workloads.item[i]);
	if (!status)
		table_print(session);
	if (!status)
		status = save(session, options->csv, csv_write);
	if (!status)
		status = save(session, options->json, json_write);
	free(session->samples);
	return status;
}

int command_live(int argc, char **argv)
{
	struct session session = {0};
	int status = session_parse(&session, argc, argv);
	return status ? status : session_run(&session);
}
