/* SPDX-License-Identifier: MIT */
/* The report of the pages of files that a run has touched: see PAGERD_REPORT_LEARNED. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

static void path_print(FILE *out, const char *path)
{
	for (; *path; path++) {
		unsigned char c = (unsigned char)*path;
		if (c < 0x20 || c >= 0x7f || c == '\\')
			fprintf(out, "\\%03o", c);
		else
			fputc(c, out);
	}
}

void report_learned(FILE *out, const struct pager_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->learned_count; i++) {
		const struct learned_info *file = &snapshot->learned[i];
		if (!file->range_count)
			continue;
		fprintf(out, "file %" PRIu64 " %" PRIu64 " ", file->device, file->inode);
		path_print(out, file->path);
		fputc('\n', out);
		for (size_t k = 0; k < file->range_count; k++)
			fprintf(out, "%" PRIu64 " %" PRIu64 "\n", file->ranges[k].page,
				file->ranges[k].count);
	}
}
