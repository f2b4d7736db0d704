/* SPDX-License-Identifier: MIT */
/*
 * pagerbench check: does the daemon do what the simulator says?
 *
 * The daemon reclaims on demand and reads nothing ahead, so that with one thread nothing depends on
 * time. The live misses are then those of a simulator that shows its policies as much as the
 * daemon sees: all of them for a policy that nothing but faults matters to.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "live.h"
#include "options.h"
#include "pagerbench.h"
#include "plan.h"
#include "policies.h"
#include "simulation.h"

struct check {
	struct options options;
	uint64_t data_pages;
	enum visibility visibility;
	uint32_t harvest_frames;
	unsigned failures;
};

static int check_parse(struct check *check, int argc, char **argv)
{
	static const char *const accepted[] = {"load-policy", "workload",   "policy", "sizes",
					       "data",	      "references", "seed",   "file",
					       "anonymous",   "read-only",  "access", "tolerance",
					       "dir",	      NULL};
	struct options *options = &check->options;
	int status = options_parse(options, argc, argv, accepted);
	if (status)
		return status;
	if (!options->workloads.count || !options->sizes.count || !options->data.kind ||
	    options->data.kind == SIZE_PERCENT) {
		complain("check needs --workload, --sizes and --data");
		return STATUS_USAGE;
	}
	if (!options->policies.count)
		options->policies.item[options->policies.count++] = (char *)"fifo";
	if (!options->access)
		options->access = "faults";
	if (!simulation_visibility(options->access, &check->visibility, &check->harvest_frames)) {
		complain("--access: the simulator knows no '%s'", options->access);
		return STATUS_USAGE;
	}
	if (!options_size_pages(&options->data, 0, &check->data_pages))
		return STATUS_USAGE;
	return policies_check(&options->policies, true);
}

static int check_live(const struct check *check, const struct plan *plan, const char *policy,
		      uint64_t pages, struct live_result *result)
{
	struct live_config config = {
		.plan = plan,
		.policy = policy,
		.loaded = &check->options.loaded,
		.memory_pages = pages,
		.file = check->options.file,
		.advice = MADV_NORMAL,
		.dir = check->options.dir,
		.reclaim = "demand",
		.access = check->options.access,
		.prefetch = 0,
	};
	return live_run(&config, result);
}

static int check_simulated(const struct check *check, struct references *trace, const char *policy,
			   uint64_t pages, struct run_result *result)
{
	struct why why;
	struct run_config config = {
		.spec = policy,
		.ops = pagerd_policy_find(policy, &config.parameters),
		.size_pages = pages,
		.visibility = check->visibility,
		.harvest_frames = check->harvest_frames,
	};
	if (!run(&config, trace, result, &why))
		return 0;
	complain("%s", why.text);
	return STATUS_FAILED;
}

static int check_one(struct check *check, const struct plan *plan, struct references *trace,
		     const char *workload, const char *policy, uint64_t pages)
{
	struct live_result live;
	struct run_result simulated;
	int status = check_simulated(check, trace, policy, pages, &simulated);
	if (!status)
		status = check_live(check, plan, policy, pages, &live);
	if (status)
		return status;
	double difference = live.value[LIVE_MISSES] - (double)simulated.misses;
	double percent = 100 * difference / (double)simulated.misses;
	bool good = fabs(percent) <= check->options.tolerance;
	check->failures += !good;
	printf("%s %s %s %llu: %.0f misses live, %llu simulated (%+.2f%%); %.0f and %llu dirty "
	       "evictions\n",
	       good ? "same" : "DIFFERS", workload, policy, (unsigned long long)pages,
	       live.value[LIVE_MISSES], (unsigned long long)simulated.misses, percent,
	       live.value[LIVE_DIRTY_EVICTIONS], (unsigned long long)simulated.dirty_evictions);
	fflush(stdout);
	return 0;
}

static int check_trace(struct check *check, const struct plan *plan, const char *workload)
{
	const struct options *options = &check->options;
	struct references trace;
	struct why why;
	int status = 0;
	if (simulation_trace(&trace, plan, &why)) {
		complain("%s", why.text);
		return STATUS_FAILED;
	}
	for (size_t i = 0; !status && i < options->sizes.count; i++) {
		uint64_t pages;
		if (!options_size_pages(&options->sizes.item[i], check->data_pages, &pages))
			status = STATUS_USAGE;
		for (size_t k = 0; !status && k < options->policies.count; k++)
			status = check_one(check, plan, &trace, workload, options->policies.item[k],
					   pages);
	}
	references_finish(&trace);
	return status;
}

static int check_workload(struct check *check, const char *workload)
{
	struct plan_spec spec = {
		.workload = workload,
		.pages = check->data_pages,
		.count = check->options.references ? check->options.references
						   : 8 * check->data_pages,
		.seed = check->options.seed,
		.threads = 1,
		.read_only = check->options.read_only,
		.fresh = !check->options.file,
	};
	struct plan plan;
	char why[256];
	int error = plan_make(&plan, &spec, why, sizeof why);
	if (error) {
		complain("%s", why);
		return error == -EINVAL ? STATUS_USAGE : STATUS_FAILED;
	}
	int status = check_trace(check, &plan, workload);
	plan_free(&plan);
	return status;
}

int command_check(int argc, char **argv)
{
	struct check check = {0};
	int status = check_parse(&check, argc, argv);
	for (size_t i = 0; !status && i < check.options.workloads.count; i++)
		status = check_workload(&check, check.options.workloads.item[i]);
	return status ? status : check.failures ? STATUS_FAILED : 0;
}
