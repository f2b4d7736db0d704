/* SPDX-License-Identifier: MIT */
/* A file that appears under its name when it is complete, and not before. */
#include "output.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A device, say, is written to where it is. */
static bool output_in_place(const char *path)
{
	struct stat status;
	return !stat(path, &status) && !S_ISREG(status.st_mode);
}

int output_open(struct output *output, const char *path)
{
	output->partial[0] = 0;
	if (!strcmp(path, "-")) {
		output->file = stdout;
		return 0;
	}
	int length = snprintf(output->path, sizeof output->path, "%s", path);
	if (length < 0 || length + sizeof ".partial" > sizeof output->partial)
		return -ENAMETOOLONG;
	if (!output_in_place(path))
		snprintf(output->partial, sizeof output->partial, "%.*s.partial", length, path);
	output->file = fopen(output->partial[0] ? output->partial : path, "we");
	return output->file ? 0 : -errno;
}

int output_close(struct output *output)
{
	int error = ferror(output->file) ? -EIO : 0;
	if (fflush(output->file) && (!error || errno))
		error = -errno;
	if (output->file != stdout && fclose(output->file) && !error)
		error = -errno;
	if (!output->partial[0])
		return error;
	if (!error && rename(output->partial, output->path))
		error = -errno;
	if (error)
		unlink(output->partial);
	return error;
}

void output_drop(struct output *output)
{
	if (output->file != stdout)
		fclose(output->file);
	if (output->partial[0])
		unlink(output->partial);
}
