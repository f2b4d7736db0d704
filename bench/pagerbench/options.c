/* SPDX-License-Identifier: MIT */
/* The options of pagerbench's commands. */
#include "options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "pagerd/policy.h"
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

/* ---- values ------------------------------------------------------------------------------ */

static bool number_take(const char *text, uint64_t least, uint64_t most, uint64_t *value)
{
	char *end;
	errno = 0;
	uint64_t number = strtoull(text, &end, 10);
	if (errno || *text < '0' || *text > '9' || *end || number < least || number > most)
		return false;
	*value = number;
	return true;
}

static int number_read(const char *name, const char *text, uint64_t least, uint64_t most,
		       uint64_t *value)
{
	if (number_take(text, least, most, value))
		return 0;
	complain("--%s: '%s' is not a whole number from %llu to %llu", name, text,
		 (unsigned long long)least, (unsigned long long)most);
	return STATUS_USAGE;
}

static int small_read(const char *name, const char *text, uint32_t least, uint32_t most,
		      uint32_t *value)
{
	uint64_t number = 0;
	int status = number_read(name, text, least, most, &number);
	if (!status)
		*value = (uint32_t)number;
	return status;
}

/* "64M", "5000" (pages) or "10%". */
static bool size_take(const char *text, struct options_size *size)
{
	static const char units[] = "KMGT";
	char *end;
	if (*text < '0' || *text > '9')
		return false;
	double value = strtod(text, &end);
	const char *unit = *end ? strchr(units, *end >= 'a' ? *end - 'a' + 'A' : *end) : NULL;
	if (!(value > 0) || (*end && end[1]) || value > 1e15)
		return false;
	if (unit)
		*size = (struct options_size){SIZE_BYTES,
					      value * (double)(1ull << 10 * (unit - units + 1))};
	else if (*end == '%' && value <= 100)
		*size = (struct options_size){SIZE_PERCENT, value};
	else if (!*end)
		*size = (struct options_size){SIZE_PAGES, value};
	else
		return false;
	return true;
}

static int size_read(const char *name, const char *text, struct options_size *size)
{
	if (size_take(text, size))
		return 0;
	complain("--%s: '%s' is no size (pages, bytes with K, M, G or T, or a share with %%), or 0",
		 name, text);
	return STATUS_USAGE;
}

/* A comma begins a new item where a name begins, and not where a parameter does: parameters are
 * "name=value" behind the first, and items have no = before their colon. */
static char *item_end(char *text)
{
	for (char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ',')) {
		size_t name = strcspn(comma + 1, ":=,+");
		if (comma[1 + name] != '=')
			return comma;
	}
	return NULL;
}

static int list_read(const char *name, char *text, struct options_list *list)
{
	while (text) {
		char *end = item_end(text);
		if (list->count == OPTIONS_LIST_MAX || !*text || end == text) {
			complain("--%s: %s", name,
				 list->count == OPTIONS_LIST_MAX ? "too many" : "a name is empty");
			return STATUS_USAGE;
		}
		list->item[list->count++] = text;
		if (end)
			*end++ = 0;
		text = end;
	}
	return 0;
}

static int sizes_read(const char *name, char *text, struct options_sizes *sizes)
{
	struct options_list list = {0};
	int status = list_read(name, text, &list);
	for (size_t i = 0; !status && i < list.count; i++)
		status = size_read(name, list.item[i], &sizes->item[sizes->count++]);
	return status;
}

static int choice_read(const char *name, const char *text, const char *const *choices,
		       const char **value)
{
	for (size_t i = 0; choices[i]; i++) {
		if (strcmp(choices[i], text))
			continue;
		*value = choices[i];
		return 0;
	}
	complain("--%s: there is no '%s'", name, text);
	return STATUS_USAGE;
}

static int percent_read(const char *name, const char *text, double *value)
{
	char *end;
	double number = strtod(text, &end);
	if (*text >= '0' && *text <= '9' && !*end && number <= 100) {
		*value = number;
		return 0;
	}
	complain("--%s: '%s' is not a number from 0 to 100", name, text);
	return STATUS_USAGE;
}

static int text_read(const char *name, const char *text, const char **value)
{
	*value = text;
	if (*text)
		return 0;
	complain("--%s: its value is empty", name);
	return STATUS_USAGE;
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
