/* SPDX-License-Identifier: MIT */
/*
 * Finished cells, each in a file of its own: DIR/cells/DIGEST, where the digest is that of the key,
 * a line that has all that the result depends on. The file is the key, a line for each number, and
 * the word "end".
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compare.h"
#include "digest.h"
#include "output.h"

#define KEY_BYTES 2048u

/* What all results depend on. */
static int key_common(const struct compare *compare, const char *workload, char *key)
{
	const struct options *options = &compare->options;
	return snprintf(key, KEY_BYTES,
			"workload=%s pages=%" PRIu64 " references=%" PRIu64 " seed=%" PRIu64
			" threads=%u memory=%s%s build=%016" PRIx64,
			workload, compare->data_pages, compare->references, options->seed,
			options->threads, options->file ? "file" : "anonymous",
			options->read_only ? " read-only" : "", compare->build);
}

static const char *given(const char *value)
{
	return value ? value : "-";
}

static void cell_key(const struct compare *compare, const struct cell *cell, char *key)
{
	const struct options *options = &compare->options;
	int length = key_common(compare, compare->workloads[cell->workload].spec, key);
	length += snprintf(key + length, KEY_BYTES - (size_t)length,
			   " kind=%s policy=%s size=%" PRIu64, cell_kind_names[cell->kind],
			   compare_system(compare, cell->policy), compare->size_pages[cell->size]);
	if (cell->kind != CELL_SIMULATED)
		length += snprintf(key + length, KEY_BYTES - (size_t)length, " access=%s",
				   given(options->access));
	if (cell->kind == CELL_LIVE)
		snprintf(key + length, KEY_BYTES - (size_t)length,
			 " run=%u reclaim=%s advice=%s prefetch=%d dir=%s", cell->run,
			 given(options->reclaim), given(options->advice),
			 options->prefetch_given ? (int)options->prefetch : -1, options->dir);
}

static void key_path(const struct compare *compare, const char *key, char *path)
{
	snprintf(path, PATH_MAX, "%s/cells/%016" PRIx64, compare->options.output,
		 digest_add(DIGEST_BEGIN, key, strlen(key)));
}

/* ---- numbers ----------------------------------------------------------------------------- */

struct number {
	char name[32];
	uint64_t *whole; /* one of these */
	double *real;
};

#define NUMBERS_MAX (COMPARE_WINDOWS + LIVE_FIELDS + 16)

static size_t cell_numbers(struct cell *cell, struct number *numbers)
{
	struct run_result *s = &cell->simulated;
	const struct number counts[] = {
		{"hits", &s->hits, NULL},	    {"misses", &s->misses, NULL},
		{"evictions", &s->evictions, NULL}, {"dirty_evictions", &s->dirty_evictions, NULL},
		{"cpu_ns", &s->cpu_ns, NULL},	    {"metadata_bytes", &s->metadata_bytes, NULL},
		{"ghosts", &s->ghosts, NULL},
	};
	size_t count = 0;
	if (cell->kind == CELL_LIVE) {
		for (; count < LIVE_FIELDS; count++) {
			numbers[count] = (struct number){.real = &cell->live.value[count]};
			snprintf(numbers[count].name, sizeof numbers->name, "%s",
				 live_field_names[count]);
		}
		return count;
	}
	for (; count < sizeof counts / sizeof *counts; count++)
		numbers[count] = counts[count];
	for (size_t i = 0; i < COMPARE_WINDOWS; i++, count++) {
		numbers[count] = (struct number){.whole = &cell->window_misses[i]};
		snprintf(numbers[count].name, sizeof numbers->name, "window_%zu", i);
	}
	return count;
}

/* ---- files ------------------------------------------------------------------------------- */

static int numbers_keep(const struct compare *compare, const char *key,
			const struct number *numbers, size_t count)
{
	struct output output;
	char path[PATH_MAX];
	key_path(compare, key, path);
	int error = output_open(&output, path);
	if (error)
		return error;
	fprintf(output.file, "%s\n", key);
	for (size_t i = 0; i < count; i++) {
		if (numbers[i].whole)
			fprintf(output.file, "%s %" PRIu64 "\n", numbers[i].name,
				*numbers[i].whole);
		else
			fprintf(output.file, "%s %.17g\n", numbers[i].name, *numbers[i].real);
	}
	fputs("end\n", output.file);
	return output_close(&output);
}

static bool number_read(FILE *file, const struct number *number)
{
	char line[128], *end;
	size_t length = strlen(number->name);
	if (!fgets(line, sizeof line, file) || strncmp(line, number->name, length) ||
	    line[length] != ' ')
		return false;
	if (number->whole)
		*number->whole = strtoull(line + length + 1, &end, 10);
	else
		*number->real = strtod(line + length + 1, &end);
	return *end == '\n' && end != line + length + 1;
}

static bool numbers_recall(const struct compare *compare, const char *key,
			   const struct number *numbers, size_t count)
{
	char path[PATH_MAX], line[KEY_BYTES + 2];
	key_path(compare, key, path);
	FILE *file = fopen(path, "re");
	if (!file)
		return false;
	bool good = fgets(line, sizeof line, file) && strlen(line) == strlen(key) + 1 &&
		    !strncmp(line, key, strlen(key));
	for (size_t i = 0; good && i < count; i++)
		good = number_read(file, &numbers[i]);
	good = good && fgets(line, sizeof line, file) && !strcmp(line, "end\n");
	fclose(file);
	return good;
}

void compare_recall(const struct compare *compare, struct cell *cell)
{
	char key[KEY_BYTES];
	struct number numbers[NUMBERS_MAX];
	struct cell copy = *cell;
	size_t count = cell_numbers(&copy, numbers);
	cell_key(compare, cell, key);
	if (!numbers_recall(compare, key, numbers, count))
		return;
	*cell = copy;
	cell->done = true;
}

int compare_keep(const struct compare *compare, const struct cell *cell)
{
	char key[KEY_BYTES];
	struct number numbers[NUMBERS_MAX];
	struct cell copy = *cell;
	cell_key(compare, cell, key);
	return numbers_keep(compare, key, numbers, cell_numbers(&copy, numbers));
}

void compare_recall_workload(const struct compare *compare, struct compare_workload *workload)
{
	char key[KEY_BYTES];
	uint64_t distinct = 0;
	struct number number = {"distinct", &distinct, NULL};
	key_common(compare, workload->spec, key);
	if (numbers_recall(compare, key, &number, 1))
		workload->distinct = distinct;
}

int compare_keep_workload(const struct compare *compare, const struct compare_workload *workload)
{
	char key[KEY_BYTES];
	uint64_t distinct = workload->distinct;
	struct number number = {"distinct", &distinct, NULL};
	key_common(compare, workload->spec, key);
	return numbers_keep(compare, key, &number, 1);
}

int compare_folder(const struct compare *compare)
{
	char path[PATH_MAX];
	struct output output;
	const char *folder = compare->options.output;
	if (mkdir(folder, 0777) && errno != EEXIST)
		return -errno;
	if (snprintf(path, sizeof path, "%s/cells", folder) + 64 > PATH_MAX)
		return -ENAMETOOLONG;
	if (mkdir(path, 0777) && errno != EEXIST)
		return -errno;
	/* As the report is going to be. */
	snprintf(path, sizeof path, "%s/report.html", folder);
	int error = output_open(&output, path);
	if (!error)
		output_drop(&output);
	return error;
}
