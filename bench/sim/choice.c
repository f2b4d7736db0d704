/* SPDX-License-Identifier: MIT */
/* Which policies, which sizes. */
#include "choice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lines.h"
#include "list.h"

/* exact, faults or harvest:N, for all policies. */
static int visibility_parse(const char *text, struct run_config *config, struct why *why)
{
	uint64_t frames = 0;
	if (strcmp(text, "exact") == 0) {
		config->visibility = VISIBILITY_EXACT;
	} else if (strcmp(text, "faults") == 0) {
		config->visibility = VISIBILITY_FAULTS;
	} else if (strncmp(text, "harvest:", 8) == 0 &&
		   number_parse(text + 8, strlen(text + 8), 10, &frames) && frames > 0 &&
		   frames <= UINT32_MAX) {
		config->visibility = VISIBILITY_HARVEST;
	} else {
		return why_say(why, -EINVAL,
			       "--visibility: '%s' is not exact, faults or harvest:N (N frames "
			       "looked at for each eviction)",
			       text);
	}
	config->harvest_frames = (uint32_t)frames;
	return 0;
}

static size_t count_of(const char *text, char c)
{
	size_t count = 0;
	for (; *text; text++)
		count += *text == c;
	return count;
}

/* A policy that takes a seed is given one, so that what is reported is what was used. */
static int seed_add(const struct options *options, struct run_config *config, struct why *why)
{
	char seeded[256];
	struct run_config trial = *config;
	struct why refused;
	int length = snprintf(seeded, sizeof seeded, "%s%cseed=%llu", config->spec,
			      config->parameters ? ',' : ':', (unsigned long long)options->seed);
	if (length < 0 || (size_t)length >= sizeof seeded)
		return 0;
	trial.ops = pagerd_policy_find(seeded, &trial.parameters);
	if (run_check(&trial, &refused))
		return 0;
	config->seeded = strdup(seeded);
	if (!config->seeded)
		return why_say(why, -ENOMEM, "no memory");
	config->spec = config->seeded;
	pagerd_policy_find(config->spec, &config->parameters);
	return 0;
}

/* min is the bound for all others: it knows what no visibility shows. */
static bool sees_all(const struct run_config *config)
{
	return strcmp(config->ops->name, "min") == 0;
}

static int policy_parse(const struct options *options, const char *spec, struct run_config *config,
			struct why *why)
{
	config->spec = spec;
	config->ops = pagerd_policy_find(spec, &config->parameters);
	if (!config->ops)
		return why_say(why, -EINVAL, "--policy: there is no policy '%s'", spec);
	int error = visibility_parse(options->visibility, config, why);
	if (error)
		return error;
	if (sees_all(config))
		config->visibility = VISIBILITY_EXACT;
	error = run_check(config, why);
	return error ? error : seed_add(options, config, why);
}

int policies_parse(struct options *options, char *list, struct why *why)
{
	options->policies = calloc(count_of(list, ',') + 1, sizeof *options->policies);
	if (!options->policies)
		return why_say(why, -ENOMEM, "no memory");
	char *spec;
	while ((spec = list_next_policy(&list))) {
		struct run_config *config = &options->policies[options->policy_count];
		int error = policy_parse(options, spec, config, why);
		if (error)
			return error;
		options->policy_count++;
	}
	return 0;
}

int sizes_parse(struct options *options, char *list, struct why *why)
{
	options->sizes = calloc(count_of(list, ',') + 1, sizeof *options->sizes);
	if (!options->sizes)
		return why_say(why, -ENOMEM, "no memory");
	char *text;
	while ((text = list_next(&list))) {
		if (!size_parse(text, &options->sizes[options->size_count]))
			return why_say(why, -EINVAL,
				       "--size: '%s' is not a number of pages, or of percent with "
				       "%% behind it, above 0",
				       text);
		options->size_count++;
	}
	return 0;
}

uint64_t size_pages(const struct size *size, uint32_t footprint_pages)
{
	if (size->pages)
		return size->pages;
	uint64_t pages = (uint64_t)((__uint128_t)footprint_pages * size->millionth / 1000000);
	return pages ? pages : 1;
}
