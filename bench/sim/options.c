/* SPDX-License-Identifier: MIT */
/* The command line of pagersim. */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "choice.h"
#include "help.h"
#include "lines.h"

#define THREADS_MAX 1024u

enum option_code {
	OPTION_POLICY = 256,
	OPTION_SIZE,
	OPTION_VISIBILITY,
	OPTION_FORMAT,
	OPTION_COLUMN,
	OPTION_MERGE,
	OPTION_LOAD_POLICY,
	OPTION_SEED,
	OPTION_THREADS,
	OPTION_NOTES,
	OPTION_CSV,
	OPTION_JSON,
	OPTION_HTML,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{"policy", required_argument, NULL, OPTION_POLICY},
	{"size", required_argument, NULL, OPTION_SIZE},
	{"visibility", required_argument, NULL, OPTION_VISIBILITY},
	{"format", required_argument, NULL, OPTION_FORMAT},
	{"column", required_argument, NULL, OPTION_COLUMN},
	{"merge", no_argument, NULL, OPTION_MERGE},
	{"load-policy", required_argument, NULL, OPTION_LOAD_POLICY},
	{"seed", required_argument, NULL, OPTION_SEED},
	{"threads", required_argument, NULL, OPTION_THREADS},
	{"notes", no_argument, NULL, OPTION_NOTES},
	{"csv", required_argument, NULL, OPTION_CSV},
	{"json", required_argument, NULL, OPTION_JSON},
	{"html", required_argument, NULL, OPTION_HTML},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

/* ---- values ------------------------------------------------------------------------------ */

static int number_option(const char *name, uint64_t min, uint64_t max, uint64_t *number,
			 struct why *why)
{
	uint64_t value;
	if (!number_parse(optarg, strlen(optarg), 10, &value) || value < min || value > max)
		return why_say(why, -EINVAL, "--%s: '%s' is not a number from %llu to %llu", name,
			       optarg, (unsigned long long)min, (unsigned long long)max);
	*number = value;
	return 0;
}

static int format_option(struct options *options, struct why *why)
{
	options->format = format_find(optarg);
	if (options->format)
		return 0;
	return why_say(why, -EINVAL, "--format: there is no format '%s'", optarg);
}

static int policy_load(struct why *why)
{
	char reason[400];
	if (pagerd_policy_load(optarg, reason, sizeof reason))
		return why_say(why, -EINVAL, "--load-policy: %s", reason);
	return 0;
}

/* Lists are put together, whether an option is repeated or has commas. */
static int append(char **list, const char *text, struct why *why)
{
	size_t before = *list ? strlen(*list) : 0, more = strlen(text);
	char *longer = realloc(*list, before + more + 2);
	if (!longer)
		return why_say(why, -ENOMEM, "no memory");
	if (before)
		longer[before++] = ',';
	memcpy(longer + before, text, more + 1);
	*list = longer;
	return 0;
}

/* ---- all of it --------------------------------------------------------------------------- */

/* word is what getopt looked at. */
static int option_apply(struct options *options, int code, const char *word, struct why *why)
{
	uint64_t number = 0;
	int error;
	switch (code) {
	case OPTION_POLICY:
		return append(&options->policy_list, optarg, why);
	case OPTION_SIZE:
		return append(&options->size_list, optarg, why);
	case OPTION_VISIBILITY:
		options->visibility = optarg;
		return 0;
	case OPTION_FORMAT:
		return format_option(options, why);
	case OPTION_COLUMN:
		error = number_option("column", 1, UINT16_MAX, &number, why);
		options->format_options.column = (unsigned)number;
		return error;
	case OPTION_MERGE:
		options->merge = true;
		return 0;
	case OPTION_LOAD_POLICY:
		return policy_load(why);
	case OPTION_SEED:
		return number_option("seed", 0, UINT64_MAX, &options->seed, why);
	case OPTION_THREADS:
		error = number_option("threads", 1, THREADS_MAX, &number, why);
		options->threads = (unsigned)number;
		return error;
	case OPTION_NOTES:
		options->notes = true;
		return 0;
	case OPTION_CSV:
		options->csv = optarg;
		return 0;
	case OPTION_JSON:
		options->json = optarg;
		return 0;
	case OPTION_HTML:
		options->html = optarg;
		return 0;
	case OPTION_VERSION:
		puts("pagersim " PAGERSIM_VERSION);
		return 1;
	case 'h':
		help_print();
		return 1;
	default:
		return why_say(why, -EINVAL, "%s: there is no such option, or its value is missing",
			       word);
	}
}

static int operands_check(struct options *options, int argc, char **argv, struct why *why)
{
	if (optind == argc)
		return why_say(why, -EINVAL, "which trace? A file, or - for standard input");
	if (optind + 1 < argc)
		return why_say(why, -EINVAL, "one trace at a time: what is '%s'?",
			       argv[optind + 1]);
	if (!options->policy_list)
		return why_say(why, -EINVAL, "which policies? --policy lru,...");
	if (!options->size_list)
		return why_say(why, -EINVAL, "which sizes? --size 1000,10%%,...");
	options->trace = argv[optind];
	return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct why *why)
{
	int code, error;
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	*options = (struct options){
		.visibility = "exact",
		.threads = processors > 0 ? (unsigned)processors : 1,
		.seed = 1,
	};
	opterr = 0;
	while ((code = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		if ((error = option_apply(options, code, argv[optind - 1], why)))
			return error;
	error = operands_check(options, argc, argv, why);
	if (!error)
		error = policies_parse(options, options->policy_list, why);
	if (!error)
		error = sizes_parse(options, options->size_list, why);
	return error;
}

void options_finish(struct options *options)
{
	for (size_t i = 0; i < options->policy_count; i++)
		free(options->policies[i].seeded);
	free(options->policies);
	free(options->sizes);
	free(options->policy_list);
	free(options->size_list);
}
