/* SPDX-License-Identifier: MIT */
/* The options of pagerbench's commands. */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "pagerd/policy.h"
#include "values.h"
#include "workload/workload.h"

void complain(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fputs("pagerbench: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

/* ---- options ----------------------------------------------------------------------------- */

static const char *const formats[] = {"pgt", "text", NULL};
static const char *const advices[] = {"normal", "random", "sequential", NULL};
static const char *const reclaims[] = {"ahead", "demand", NULL};

/* Options without a value. */
static bool *option_switch(struct options *options, const char *name)
{
	const struct {
		const char *name;
		bool *value;
	} switches[] = {
		{"file", &options->file},	    {"anonymous", &options->anonymous},
		{"read-only", &options->read_only}, {"kernel", &options->kernel},
		{"live", &options->live},	    {"simulated", &options->simulated},
		{"list", &options->list},
	};
	for (size_t i = 0; i < sizeof switches / sizeof *switches; i++)
		if (!strcmp(switches[i].name, name))
			return switches[i].value;
	return NULL;
}

static int option_number(struct options *options, const char *name, const char *value)
{
	if (!strcmp(name, "references"))
		return number_read(name, value, 1, UINT32_MAX, &options->references);
	if (!strcmp(name, "seed"))
		return number_read(name, value, 0, UINT64_MAX, &options->seed);
	if (!strcmp(name, "threads"))
		return small_read(name, value, 1, WORKLOAD_THREADS_MAX, &options->threads);
	if (!strcmp(name, "runs"))
		return small_read(name, value, 1, OPTIONS_RUNS_MAX, &options->runs);
	options->prefetch_given = true;
	return small_read(name, value, 0, 256, &options->prefetch);
}

static int option_text(struct options *options, const char *name, const char *value)
{
	if (!strcmp(name, "format"))
		return choice_read(name, value, formats, &options->format);
	if (!strcmp(name, "advice"))
		return choice_read(name, value, advices, &options->advice);
	if (!strcmp(name, "reclaim"))
		return choice_read(name, value, reclaims, &options->reclaim);
	if (!strcmp(name, "output") || !strcmp(name, "out"))
		return text_read(name, value, &options->output);
	if (!strcmp(name, "csv"))
		return text_read(name, value, &options->csv);
	if (!strcmp(name, "json"))
		return text_read(name, value, &options->json);
	if (!strcmp(name, "tolerance"))
		return percent_read(name, value, &options->tolerance);
	if (!strcmp(name, "access"))
		return text_read(name, value, &options->access);
	return text_read(name, value, &options->dir);
}

/* At once: --policy knows it, wherever it stands. */
static int policy_load(char *path, struct options_list *loaded)
{
	char why[512];
	if (loaded->count < OPTIONS_LIST_MAX && !pagerd_policy_load(path, why, sizeof why)) {
		loaded->item[loaded->count++] = path;
		return 0;
	}
	complain("--load-policy: %s", loaded->count < OPTIONS_LIST_MAX ? why : "too many");
	return STATUS_USAGE;
}

static int option_value(struct options *options, const char *name, char *value)
{
	if (!strcmp(name, "workload") || !strcmp(name, "workloads"))
		return list_read(name, value, &options->workloads);
	if (!strcmp(name, "policy") || !strcmp(name, "policies"))
		return list_read(name, value, &options->policies);
	if (!strcmp(name, "load-policy"))
		return policy_load(value, &options->loaded);
	if (!strcmp(name, "sizes"))
		return sizes_read(name, value, &options->sizes);
	if (!strcmp(name, "memory"))
		return size_read(name, value, &options->memory);
	if (!strcmp(name, "data") || !strcmp(name, "pages"))
		return size_read(name, value, &options->data);
	static const char *const numbers[] = {"references", "seed", "threads", "runs", "prefetch"};
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (!strcmp(name, numbers[i]))
			return option_number(options, name, value);
	return option_text(options, name, value);
}

static bool name_accepted(const char *name, size_t length, const char *const *accepted,
			  const char **found)
{
	for (; *accepted; accepted++) {
		if (strlen(*accepted) != length || memcmp(*accepted, name, length))
			continue;
		*found = *accepted;
		return true;
	}
	return false;
}

int options_parse(struct options *options, int argc, char **argv, const char *const *accepted)
{
	int status = 0;
	*options = (struct options){.seed = 1, .threads = 1, .runs = 5, .dir = "/var/tmp"};
	for (int i = 0; !status && i < argc; i++) {
		const char *name = NULL;
		char *text = !strcmp(argv[i], "-o") ? (char *)"--output" : argv[i];
		size_t length = strncmp(text, "--", 2) ? 0 : strcspn(text + 2, "=");
		if (!name_accepted(text + 2, length, accepted, &name) || !length) {
			complain("'%s' is no option here (pagerbench --help)", argv[i]);
			return STATUS_USAGE;
		}
		char *value = text[2 + length] ? text + 3 + length : NULL;
		bool *is_switch = option_switch(options, name);
		if (is_switch && !value) {
			*is_switch = true;
			continue;
		}
		if (!is_switch && !value)
			value = ++i < argc ? argv[i] : NULL;
		if (is_switch || !value) {
			complain("--%s: %s", name, is_switch ? "takes no value" : "needs a value");
			return STATUS_USAGE;
		}
		status = option_value(options, name, value);
	}
	return status;
}

bool options_size_pages(const struct options_size *size, uint64_t data_pages, uint64_t *pages)
{
	double value = size->value;
	if (size->kind == SIZE_BYTES)
		value /= WORKLOAD_PAGE_BYTES;
	else if (size->kind == SIZE_PERCENT)
		value *= (double)data_pages / 100;
	*pages = (uint64_t)value;
	if (*pages)
		return true;
	complain("a size is less than a page");
	return false;
}

int options_advice(const struct options *options)
{
	if (!options->advice || !strcmp(options->advice, "normal"))
		return MADV_NORMAL;
	return strcmp(options->advice, "random") ? MADV_SEQUENTIAL : MADV_RANDOM;
}
