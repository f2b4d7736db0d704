/* SPDX-License-Identifier: MIT */
/* pagerbench compare. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "compare.h"
#include "output.h"
#include "pagerbench.h"

static int save(const struct compare *compare, const char *name,
		void (*write)(const struct compare *compare, FILE *file))
{
	char path[PATH_MAX];
	struct output output;
	snprintf(path, sizeof path, "%s/%s", compare->options.output, name);
	int error = output_open(&output, path);
	if (!error) {
		write(compare, output.file);
		error = output_close(&output);
	}
	if (!error)
		return 0;
	complain("%s: %s", path, strerror(-error));
	return STATUS_FAILED;
}

static int compare_do(struct compare *compare)
{
	int error = compare_folder(compare);
	if (error) {
		complain("%s: %s", compare->options.output, strerror(-error));
		return STATUS_FAILED;
	}
	int status = compare_run(compare);
	if (!status)
		status = save(compare, "results.csv", compare_csv);
	if (!status)
		status = save(compare, "results.json", compare_json);
	if (!status)
		status = save(compare, "report.html", compare_html);
	if (!status)
		printf("%s/report.html\n", compare->options.output);
	return status;
}

int command_compare(int argc, char **argv)
{
	struct compare compare;
	int status = compare_init(&compare, argc, argv);
	if (!status)
		status = compare_do(&compare);
	compare_finish(&compare);
	return status;
}
